-- Further stations of a site reach the daemon, with the rules that say which
-- events they get.

CREATE VIEW tocsin.directory_destinations AS
	SELECT s.id, s.timezone FROM tocsin.site s
	WHERE EXISTS (SELECT FROM tocsin.site_destination d WHERE d.site_id = s.id);
COMMENT ON VIEW tocsin.directory_destinations IS 'struct directory_destinations, by the id of its site: sites with further stations';

CREATE VIEW tocsin.directory_destination AS
	SELECT d.site_id, d.id AS destination_id, d.station_record_id AS station_id, d.account_number AS account,
		coalesce(d.reference_id, '') AS reference_id,
		coalesce(array_to_string(c.prefixes, ','), '') AS prefixes,
		coalesce(p.number, 0::smallint) AS partition, coalesce(r.weekdays, 127::smallint) AS weekdays,
		coalesce(extract(epoch FROM r.from_time) / 60, 0)::integer AS from_minute,
		coalesce(extract(epoch FROM r.until_time) / 60, 0)::integer AS until_minute
	FROM tocsin.site_destination d
	LEFT JOIN tocsin.site_destination_rule r ON r.site_id = d.site_id AND r.destination_id = d.id
	LEFT JOIN tocsin.code_class c ON c.name = r.code_class
	LEFT JOIN tocsin.site_partition p ON p.id = r.partition_id;
COMMENT ON VIEW tocsin.directory_destination IS
	'struct directory_destination with its site, a row for each rule; prefixes empty: any code; partition 0: any; equal minutes: all day';
GRANT SELECT ON tocsin.directory_destinations, tocsin.directory_destination TO tocsin_daemon, tocsin_operator;

-- A decision has room for eight deliveries: the site's own station and seven.
CREATE FUNCTION tocsin.site_destination_limit() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = tocsin, pg_temp AS $$
BEGIN
	PERFORM FROM site WHERE id = NEW.site_id FOR NO KEY UPDATE; -- one at a time
	IF (SELECT count(*) FROM site_destination d WHERE d.site_id = NEW.site_id AND d.id <> NEW.id) >= 7 THEN
		RAISE EXCEPTION 'a site has at most seven further destinations'
			USING ERRCODE = 'check_violation',
			CONSTRAINT = 'site_destination_at_most_seven', TABLE = 'site_destination';
	END IF;
	RETURN NEW;
END $$;
COMMENT ON FUNCTION tocsin.site_destination_limit() IS 'site_destination_at_most_seven';
REVOKE EXECUTE ON FUNCTION tocsin.site_destination_limit() FROM PUBLIC;
CREATE TRIGGER site_destination_limit BEFORE INSERT OR UPDATE OF site_id ON tocsin.site_destination
	FOR EACH ROW EXECUTE FUNCTION tocsin.site_destination_limit();

DO $$
DECLARE
	rule record;
	kind record;
BEGIN
	FOR rule IN SELECT * FROM (VALUES
		('site_destination'), ('site_destination_rule'), ('site_partition')) AS r (source)
	LOOP
		FOR kind IN SELECT * FROM (VALUES
			('insert', 'NEW TABLE AS new_rows'),
			('delete', 'OLD TABLE AS old_rows'),
			('update', 'OLD TABLE AS old_rows NEW TABLE AS new_rows')) AS k (verb, tables)
		LOOP
			EXECUTE format('CREATE TRIGGER %I AFTER %s ON tocsin.%I REFERENCING %s '
				'FOR EACH STATEMENT EXECUTE FUNCTION tocsin.directory_note_change(%L, %L)',
				'directory_destinations_' || kind.verb, kind.verb, rule.source, kind.tables,
				'destinations', 'site_id');
		END LOOP;
	END LOOP;
END $$;

-- Their times are by the site's clock.
CREATE FUNCTION tocsin.directory_note_destinations() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = tocsin, pg_temp AS $$
BEGIN
	IF EXISTS (SELECT FROM site_destination d WHERE d.site_id = NEW.id) THEN
		INSERT INTO directory_change (entity, entity_id) VALUES ('destinations', NEW.id);
		NOTIFY tocsin_directory;
	END IF;
	RETURN NULL;
END $$;
COMMENT ON FUNCTION tocsin.directory_note_destinations() IS 'Row trigger of site: its further stations into directory_change';
REVOKE EXECUTE ON FUNCTION tocsin.directory_note_destinations() FROM PUBLIC;
CREATE TRIGGER directory_note_destinations AFTER UPDATE OF timezone ON tocsin.site
	FOR EACH ROW WHEN (OLD.timezone <> NEW.timezone)
	EXECUTE FUNCTION tocsin.directory_note_destinations();

-- A class of codes is everybody's.
CREATE FUNCTION tocsin.directory_note_classes() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = tocsin, pg_temp AS $$
BEGIN
	INSERT INTO directory_change (entity, entity_id)
		SELECT DISTINCT 'destinations', r.site_id FROM site_destination_rule r WHERE r.code_class IS NOT NULL;
	NOTIFY tocsin_directory;
	RETURN NULL;
END $$;
COMMENT ON FUNCTION tocsin.directory_note_classes() IS 'Further stations whose rules name a class into directory_change';
REVOKE EXECUTE ON FUNCTION tocsin.directory_note_classes() FROM PUBLIC;
CREATE TRIGGER directory_note_classes AFTER UPDATE ON tocsin.code_class
	FOR EACH STATEMENT EXECUTE FUNCTION tocsin.directory_note_classes();
COMMENT ON COLUMN tocsin.directory_change.entity IS
	'dealer, receiver, station, site, bridge, channel, zone_type, schedule or destinations';
