-- What the library says about system events of one channel reaches the daemon:
-- an object of its own for each of the few channels that have such rows.

CREATE VIEW tocsin.directory_channel AS
	SELECT DISTINCT channel_id AS id FROM tocsin.alarm_library WHERE channel_id IS NOT NULL;
COMMENT ON VIEW tocsin.directory_channel IS 'struct directory_channel: channels whose library says something about system events';

CREATE OR REPLACE VIEW tocsin.directory_library AS
	SELECT 'dealer' AS owner, dealer_id AS owner_id, coalesce(zone_type, 0) AS zone_type,
		coalesce(inbound_code, '') AS inbound_code, enabled, coalesce(code, '') AS code,
		coalesce(system_event, '') AS system_event
	FROM tocsin.alarm_library WHERE dealer_id IS NOT NULL
	UNION ALL
	SELECT 'site', site_id, coalesce(zone_type, 0), coalesce(inbound_code, ''), enabled,
		coalesce(code, ''), coalesce(system_event, '')
	FROM tocsin.alarm_library WHERE site_id IS NOT NULL
	UNION ALL
	SELECT 'channel', channel_id, coalesce(zone_type, 0), coalesce(inbound_code, ''), enabled,
		coalesce(code, ''), coalesce(system_event, '')
	FROM tocsin.alarm_library WHERE channel_id IS NOT NULL;
COMMENT ON VIEW tocsin.directory_library IS
	'struct directory_library_row with its owner (dealer, site or channel); zone_type 0: about inbound_code or system_event; enabled NULL and code '''' inherit';
GRANT SELECT ON tocsin.directory_channel TO tocsin_daemon, tocsin_operator;

DO $$
DECLARE
	kind record;
BEGIN
	FOR kind IN SELECT * FROM (VALUES
		('insert', 'NEW TABLE AS new_rows'),
		('delete', 'OLD TABLE AS old_rows'),
		('update', 'OLD TABLE AS old_rows NEW TABLE AS new_rows')) AS k (verb, tables)
	LOOP
		EXECUTE format('CREATE TRIGGER %I AFTER %s ON tocsin.alarm_library REFERENCING %s '
			'FOR EACH STATEMENT EXECUTE FUNCTION tocsin.directory_note_change(%L, %L)',
			'directory_channel_' || kind.verb, kind.verb, kind.tables, 'channel', 'channel_id');
	END LOOP;
END $$;
COMMENT ON COLUMN tocsin.directory_change.entity IS 'dealer, receiver, station, site, bridge, channel or zone_type';
