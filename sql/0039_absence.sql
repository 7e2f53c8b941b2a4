-- Cameras that see nothing and activations that end without a bridge reach the
-- daemon, which tells of both.

CREATE OR REPLACE VIEW tocsin.directory_zone AS
	SELECT z.bridge_id, z.zone_number AS zone, z.channel_id, c.zone_type, c.enabled,
		coalesce(c.code, '') AS code, c.name, c.repeat_filter_s,
		coalesce(p.number, 0::smallint) AS partition, coalesce(k.idle_days, 0) AS idle_days
	FROM tocsin.channel_zone z JOIN tocsin.channel c ON c.id = z.channel_id
	LEFT JOIN tocsin.partition_channel q ON q.channel_id = c.id
	LEFT JOIN tocsin.site_partition p ON p.id = q.partition_id
	LEFT JOIN tocsin.camera k ON k.channel_id = c.id;
COMMENT ON VIEW tocsin.directory_zone IS
	'struct directory_zone with its bridge; enabled NULL and code '''' inherit; repeat_filter_s NULL: the site''s; partition 0: none; idle_days 0: its camera is not watched';
COMMENT ON COLUMN tocsin.camera.idle_days IS 'Without an event of its channel for so many days: camera_idle is raised; NULL: never';

CREATE OR REPLACE VIEW tocsin.directory_site AS
	SELECT id, dealer_id, coalesce(station_record_id, 0) AS station_id, state, name,
		coalesce(account_number, '') AS account, coalesce(reference_id, '') AS reference_id,
		coalesce(extract(epoch FROM on_test_until) * 1000000, 0)::bigint AS on_test_until_us,
		on_test_forward, arming_method, coalesce(arming_bridge_id, 0) AS arming_bridge_id,
		entry_delay_s, exit_delay_s, repeat_filter_s,
		EXISTS (SELECT FROM tocsin.site_partition p WHERE p.site_id = site.id) AS has_partitions,
		coalesce(test_interval_s, 0) AS test_interval_s,
		coalesce(ack_level, 'inherit') AS ack_level,
		CASE WHEN EXISTS (SELECT FROM tocsin.bridge b WHERE b.site_id = site.id) THEN 0
			ELSE coalesce(extract(epoch FROM activation_ends) * 1000000, 0) END::bigint AS activation_ends_us
	FROM tocsin.site;
COMMENT ON VIEW tocsin.directory_site IS
	'struct directory_site; state active or inactive; on_test_until_us 0: not on test; arming_bridge_id 0: none chosen; test_interval_s 0: no test is expected; ack_level inherit: the listener''s; activation_ends_us 0: it has a bridge, or may wait for one';

CREATE TRIGGER directory_bridge_insert AFTER INSERT ON tocsin.camera REFERENCING NEW TABLE AS new_rows
	FOR EACH STATEMENT EXECUTE FUNCTION tocsin.directory_note_change('bridge', 'bridge_id');
CREATE TRIGGER directory_bridge_delete AFTER DELETE ON tocsin.camera REFERENCING OLD TABLE AS old_rows
	FOR EACH STATEMENT EXECUTE FUNCTION tocsin.directory_note_change('bridge', 'bridge_id');
CREATE TRIGGER directory_bridge_update AFTER UPDATE ON tocsin.camera
	REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows
	FOR EACH STATEMENT EXECUTE FUNCTION tocsin.directory_note_change('bridge', 'bridge_id');

-- Whether a site has a bridge counts only where one must come in time.
CREATE FUNCTION tocsin.directory_note_activation() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = tocsin, pg_temp AS $$
DECLARE
	noted bigint;
BEGIN
	IF TG_OP = 'INSERT' THEN
		INSERT INTO directory_change (entity, entity_id)
			SELECT DISTINCT 'site', s.id FROM new_rows n JOIN site s ON s.id = n.site_id
			WHERE s.activation_ends IS NOT NULL;
	ELSIF TG_OP = 'DELETE' THEN
		INSERT INTO directory_change (entity, entity_id)
			SELECT DISTINCT 'site', s.id FROM old_rows o JOIN site s ON s.id = o.site_id
			WHERE s.activation_ends IS NOT NULL;
	ELSE
		INSERT INTO directory_change (entity, entity_id)
			SELECT DISTINCT 'site', s.id FROM old_rows o JOIN new_rows n USING (id)
			JOIN site s ON s.id IN (o.site_id, n.site_id)
			WHERE o.site_id IS DISTINCT FROM n.site_id AND s.activation_ends IS NOT NULL;
	END IF;
	GET DIAGNOSTICS noted = ROW_COUNT;
	IF noted > 0 THEN
		NOTIFY tocsin_directory;
	END IF;
	RETURN NULL;
END $$;
COMMENT ON FUNCTION tocsin.directory_note_activation() IS
	'Statement trigger of bridge: sites that get or lose one, into directory_change';
REVOKE EXECUTE ON FUNCTION tocsin.directory_note_activation() FROM PUBLIC;
CREATE TRIGGER directory_site_insert AFTER INSERT ON tocsin.bridge REFERENCING NEW TABLE AS new_rows
	FOR EACH STATEMENT EXECUTE FUNCTION tocsin.directory_note_activation();
CREATE TRIGGER directory_site_delete AFTER DELETE ON tocsin.bridge REFERENCING OLD TABLE AS old_rows
	FOR EACH STATEMENT EXECUTE FUNCTION tocsin.directory_note_activation();
CREATE TRIGGER directory_site_update AFTER UPDATE ON tocsin.bridge
	REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows
	FOR EACH STATEMENT EXECUTE FUNCTION tocsin.directory_note_activation();
