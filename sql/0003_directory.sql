-- What the daemon reads: views with the fields of the structs in
-- src/directory/directory.h, in their order, and the feed of changes.
--
-- In the views an id of 0 is "none" and '' is an absent text, as in the
-- structs; NULL stays where the header says that NULL means something.

CREATE VIEW tocsin.directory_dealer AS
	SELECT id, name FROM tocsin.dealer;
COMMENT ON VIEW tocsin.directory_dealer IS 'struct directory_dealer';

CREATE VIEW tocsin.directory_receiver AS
	SELECT id, name, protocol, listen, paused, receiver_number, line_number,
		line_digits, sia_block, coalesce(account_digits,
			CASE protocol WHEN 'surgard' THEN 4 ELSE 16 END)::smallint AS account_digits,
		heartbeat_ms, ack_wait_ms,
		retries, in_flight, key
	FROM tocsin.receiver;
COMMENT ON VIEW tocsin.directory_receiver IS
	'struct directory_receiver; protocol surgard or dc09; key sealed or NULL';

CREATE VIEW tocsin.directory_endpoint AS
	SELECT receiver_id, position, host, port, udp FROM tocsin.receiver_endpoint;
COMMENT ON VIEW tocsin.directory_endpoint IS
	'struct directory_endpoint; used in the order of position';

CREATE VIEW tocsin.directory_station AS
	SELECT id, dealer_id, coalesce(receiver_id, 0) AS receiver_id, name, prefix,
		receiver_adds_prefix, coalesce(line_card, '') AS line_card, url_template
	FROM tocsin.station_record;
COMMENT ON VIEW tocsin.directory_station IS 'struct directory_station';

CREATE VIEW tocsin.directory_site AS
	SELECT id, dealer_id, coalesce(station_record_id, 0) AS station_id, state, name,
		coalesce(account_number, '') AS account, coalesce(reference_id, '') AS reference_id
	FROM tocsin.site;
COMMENT ON VIEW tocsin.directory_site IS 'struct directory_site; state active or inactive';

CREATE VIEW tocsin.directory_bridge AS
	SELECT id, coalesce(site_id, 0) AS site_id, kind, coalesce(serial, '') AS serial,
		transport_account AS account, transport_receiver AS receiver,
		transport_line AS line, listener, key, cipher_required
	FROM tocsin.bridge;
COMMENT ON VIEW tocsin.directory_bridge IS
	'struct directory_bridge; kind bridge or panel; account, receiver, line, listener NULL: any; key sealed or NULL';

CREATE VIEW tocsin.directory_zone AS
	SELECT z.bridge_id, z.zone_number AS zone, z.channel_id, c.zone_type, c.enabled,
		coalesce(c.code, '') AS code, c.name
	FROM tocsin.channel_zone z JOIN tocsin.channel c ON c.id = z.channel_id;
COMMENT ON VIEW tocsin.directory_zone IS
	'struct directory_zone with its bridge; enabled NULL and code '''' inherit';

-- two halves, so that the rows of one owner are found by its index
CREATE VIEW tocsin.directory_library AS
	SELECT 'dealer' AS owner, dealer_id AS owner_id, coalesce(zone_type, 0) AS zone_type,
		coalesce(inbound_code, '') AS inbound_code, enabled, coalesce(code, '') AS code
	FROM tocsin.alarm_library WHERE dealer_id IS NOT NULL
	UNION ALL
	SELECT 'site', site_id, coalesce(zone_type, 0), coalesce(inbound_code, ''), enabled,
		coalesce(code, '')
	FROM tocsin.alarm_library WHERE site_id IS NOT NULL;
COMMENT ON VIEW tocsin.directory_library IS
	'struct directory_library_row with its owner (dealer or site); zone_type 0: about inbound_code; enabled NULL and code '''' inherit';

CREATE VIEW tocsin.directory_zone_type AS
	SELECT number, enabled, code, name FROM tocsin.zone_type;
COMMENT ON VIEW tocsin.directory_zone_type IS 'struct directory_zone_type';

-- ---- changes ---------------------------------------------------------------------

CREATE TABLE tocsin.directory_change (
	id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
	xid xid8 NOT NULL DEFAULT pg_current_xact_id(),
	entity text NOT NULL,
	entity_id bigint NOT NULL,
	changed_at timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX directory_change_xid ON tocsin.directory_change (xid);
CREATE INDEX directory_change_time ON tocsin.directory_change (changed_at);
COMMENT ON TABLE tocsin.directory_change IS 'Which objects of the directory views to read again; NOTIFY tocsin_directory says that there are new rows';
COMMENT ON COLUMN tocsin.directory_change.id IS 'Not in the order of commits: follow xid';
COMMENT ON COLUMN tocsin.directory_change.xid IS 'The transaction: a reader whose snapshot had xmin M must look at every xid >= M again';
COMMENT ON COLUMN tocsin.directory_change.entity IS 'dealer, receiver, station, site, bridge or zone_type';
COMMENT ON COLUMN tocsin.directory_change.entity_id IS 'Its id; it may be gone';
COMMENT ON COLUMN tocsin.directory_change.changed_at IS 'When the transaction began';

-- Arguments: the entity to report and the column that holds its id. A row that
-- moved to another owner reports both.
CREATE FUNCTION tocsin.directory_note_change() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = tocsin, pg_temp AS $$
DECLARE
	rows text := CASE TG_OP
		WHEN 'INSERT' THEN 'SELECT %1$I AS id FROM new_rows'
		WHEN 'DELETE' THEN 'SELECT %1$I AS id FROM old_rows'
		ELSE 'SELECT %1$I AS id FROM new_rows UNION ALL SELECT %1$I FROM old_rows' END;
	noted bigint;
BEGIN
	EXECUTE 'INSERT INTO directory_change (entity, entity_id) SELECT DISTINCT $1, r.id FROM ('
		|| format(rows, TG_ARGV[1]) || ') r WHERE r.id IS NOT NULL'
		USING TG_ARGV[0];
	GET DIAGNOSTICS noted = ROW_COUNT;
	IF noted > 0 THEN
		NOTIFY tocsin_directory; -- once per transaction, however often said
	END IF;
	RETURN NULL;
END $$;
COMMENT ON FUNCTION tocsin.directory_note_change() IS
	'Statement trigger: (entity, id column) of what changed into directory_change';

DO $$
DECLARE
	rule record;
	kind record;
BEGIN
	FOR rule IN SELECT * FROM (VALUES
		('dealer', 'dealer', 'id'),
		('receiver', 'receiver', 'id'),
		('receiver_endpoint', 'receiver', 'receiver_id'),
		('station_record', 'station', 'id'),
		('site', 'site', 'id'),
		('bridge', 'bridge', 'id'),
		('channel', 'bridge', 'bridge_id'),
		('channel_zone', 'bridge', 'bridge_id'),
		('alarm_library', 'dealer', 'dealer_id'),
		('alarm_library', 'site', 'site_id'),
		('zone_type', 'zone_type', 'number')) AS r (source, entity, id_column)
	LOOP
		FOR kind IN SELECT * FROM (VALUES
			('insert', 'NEW TABLE AS new_rows'),
			('delete', 'OLD TABLE AS old_rows'),
			('update', 'OLD TABLE AS old_rows NEW TABLE AS new_rows')) AS k (verb, tables)
		LOOP
			EXECUTE format('CREATE TRIGGER %I AFTER %s ON tocsin.%I REFERENCING %s '
				'FOR EACH STATEMENT EXECUTE FUNCTION tocsin.directory_note_change(%L, %L)',
				'directory_' || rule.entity || '_' || kind.verb, kind.verb, rule.source,
				kind.tables, rule.entity, rule.id_column);
		END LOOP;
	END LOOP;
END $$;

CREATE FUNCTION tocsin.directory_change_trim(older interval DEFAULT interval '1 day')
RETURNS bigint LANGUAGE sql SECURITY DEFINER SET search_path = tocsin, pg_temp AS $$
	WITH gone AS (
		DELETE FROM directory_change WHERE changed_at < now() - older RETURNING 1)
	SELECT count(*) FROM gone
$$;
COMMENT ON FUNCTION tocsin.directory_change_trim(interval) IS
	'Forget changes older than this; a reader that was away longer loads everything. Returns how many';

-- ---- alarm library, resolved -------------------------------------------------------

CREATE VIEW tocsin.effective_alarm_code AS
	SELECT c.site_id, c.zone_type, c.id AS channel_id,
		coalesce(c.enabled, ls.enabled, ld.enabled, t.enabled) AS enabled,
		CASE WHEN c.enabled IS NOT NULL THEN 'channel'
			WHEN ls.enabled IS NOT NULL THEN 'site'
			WHEN ld.enabled IS NOT NULL THEN 'dealer'
			ELSE 'built-in' END AS enabled_level,
		coalesce(c.code, ls.code, ld.code, t.code) AS code,
		CASE WHEN c.code IS NOT NULL THEN 'channel'
			WHEN ls.code IS NOT NULL THEN 'site'
			WHEN ld.code IS NOT NULL THEN 'dealer'
			ELSE 'built-in' END AS code_level
	FROM (
		SELECT s.id AS site_id, t.number AS zone_type, NULL::bigint AS id,
			NULL::boolean AS enabled, NULL::text AS code
		FROM tocsin.site s CROSS JOIN tocsin.zone_type t
		UNION ALL
		SELECT b.site_id, c.zone_type, c.id, c.enabled, c.code
		FROM tocsin.bridge b JOIN tocsin.channel c ON c.bridge_id = b.id
		WHERE b.site_id IS NOT NULL) c
	JOIN tocsin.site s ON s.id = c.site_id
	JOIN tocsin.zone_type t ON t.number = c.zone_type
	LEFT JOIN tocsin.alarm_library ls ON ls.site_id = s.id AND ls.zone_type = t.number
	LEFT JOIN tocsin.alarm_library ld ON ld.dealer_id = s.dealer_id AND ld.zone_type = t.number;
COMMENT ON VIEW tocsin.effective_alarm_code IS
	'enabled and code, each from the first level that sets it. channel_id NULL: of the zone type without a channel. The same truth table is routing_resolve in C';

CREATE VIEW tocsin.effective_inbound_code AS
	SELECT s.id AS site_id, c.inbound_code,
		coalesce(ls.enabled, ld.enabled, true) AS enabled,
		CASE WHEN ls.enabled IS NOT NULL THEN 'site'
			WHEN ld.enabled IS NOT NULL THEN 'dealer'
			ELSE 'built-in' END AS enabled_level,
		coalesce(ls.code, ld.code, c.inbound_code) AS code,
		CASE WHEN ls.code IS NOT NULL THEN 'site'
			WHEN ld.code IS NOT NULL THEN 'dealer'
			ELSE 'built-in' END AS code_level
	FROM tocsin.site s
	CROSS JOIN LATERAL (
		SELECT l.inbound_code FROM tocsin.alarm_library l
		WHERE l.site_id = s.id AND l.inbound_code IS NOT NULL
		UNION
		SELECT l.inbound_code FROM tocsin.alarm_library l
		WHERE l.dealer_id = s.dealer_id AND l.inbound_code IS NOT NULL
		UNION
		SELECT e.code FROM tocsin.system_event e) c
	LEFT JOIN tocsin.alarm_library ls ON ls.site_id = s.id AND ls.inbound_code = c.inbound_code
	LEFT JOIN tocsin.alarm_library ld ON ld.dealer_id = s.dealer_id
		AND ld.inbound_code = c.inbound_code;
COMMENT ON VIEW tocsin.effective_inbound_code IS
	'The same for inbound codes that are no zone alarm: those of system events and those that a library names. Any other code is enabled and stays itself (routing_resolve_inbound in C)';

-- ---- who may -------------------------------------------------------------------------

GRANT SELECT ON tocsin.directory_dealer, tocsin.directory_receiver,
	tocsin.directory_endpoint, tocsin.directory_station, tocsin.directory_site,
	tocsin.directory_bridge, tocsin.directory_zone, tocsin.directory_library,
	tocsin.directory_zone_type, tocsin.directory_change
	TO tocsin_daemon, tocsin_operator;
GRANT SELECT ON tocsin.effective_alarm_code, tocsin.effective_inbound_code TO tocsin_operator;
GRANT SELECT (id, name, paused), UPDATE (paused) ON tocsin.receiver TO tocsin_daemon;
REVOKE EXECUTE ON FUNCTION tocsin.directory_note_change() FROM PUBLIC;
REVOKE EXECUTE ON FUNCTION tocsin.directory_change_trim(interval) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION tocsin.directory_change_trim(interval)
	TO tocsin_daemon, tocsin_operator;
