-- What arms a site reaches the daemon: method, schedule, partitions, delays,
-- the behaviour of zone types and the repeat filter; and history knows an
-- event that is decided twice: set aside for a time, then concluded.

-- ---- no filter at all ----------------------------------------------------------

ALTER TABLE tocsin.site
	DROP CONSTRAINT site_repeat_filter_range,
	ADD CONSTRAINT site_repeat_filter_range CHECK (repeat_filter_s = 0 OR repeat_filter_s BETWEEN 5 AND 3600);
ALTER TABLE tocsin.channel
	DROP CONSTRAINT channel_repeat_filter_range,
	ADD CONSTRAINT channel_repeat_filter_range CHECK (repeat_filter_s = 0 OR repeat_filter_s BETWEEN 5 AND 3600);
ALTER TABLE tocsin.site_template
	DROP CONSTRAINT site_template_repeat_filter_range,
	ADD CONSTRAINT site_template_repeat_filter_range
		CHECK (repeat_filter_s = 0 OR repeat_filter_s BETWEEN 5 AND 3600);
COMMENT ON COLUMN tocsin.site.repeat_filter_s IS 'Seconds from the first trip of a zone within which others are no alarms of their own, where a channel has none of its own; 0: no filter';
COMMENT ON COLUMN tocsin.channel.repeat_filter_s IS 'Seconds; NULL: the site''s; 0: no filter';
COMMENT ON COLUMN tocsin.site_template.repeat_filter_s IS 'Seconds; 0: no filter';

-- ---- what the daemon reads -------------------------------------------------------

CREATE OR REPLACE VIEW tocsin.directory_zone_type AS
	SELECT number, enabled, code, name, when_disarmed, delayed, follows FROM tocsin.zone_type;

CREATE OR REPLACE VIEW tocsin.directory_site AS
	SELECT id, dealer_id, coalesce(station_record_id, 0) AS station_id, state, name,
		coalesce(account_number, '') AS account, coalesce(reference_id, '') AS reference_id,
		coalesce(extract(epoch FROM on_test_until) * 1000000, 0)::bigint AS on_test_until_us,
		on_test_forward, arming_method, coalesce(arming_bridge_id, 0) AS arming_bridge_id,
		entry_delay_s, exit_delay_s, repeat_filter_s,
		EXISTS (SELECT FROM tocsin.site_partition p WHERE p.site_id = site.id) AS has_partitions
	FROM tocsin.site;
COMMENT ON VIEW tocsin.directory_site IS
	'struct directory_site; state active or inactive; on_test_until_us 0: not on test; arming_bridge_id 0: none chosen';

CREATE OR REPLACE VIEW tocsin.directory_bridge AS
	SELECT b.id, coalesce(b.site_id, 0) AS site_id, b.kind, coalesce(b.serial, '') AS serial,
		b.transport_account AS account, b.transport_receiver AS receiver,
		b.transport_line AS line, b.listener, b.key, b.cipher_required,
		coalesce(p.interval_s, 0) AS primary_interval_s,
		coalesce(p.margin_s, 0) AS primary_margin_s, p.listener AS primary_listener,
		coalesce(s.interval_s, 0) AS backup_interval_s,
		coalesce(s.margin_s, 0) AS backup_margin_s, s.listener AS backup_listener,
		coalesce(b.number, 0::smallint) AS number,
		b.entry_delay_s, b.exit_delay_s, b.arming_input_inverted
	FROM tocsin.bridge b
	LEFT JOIN tocsin.bridge_path p ON p.bridge_id = b.id AND p.path = 'primary'
	LEFT JOIN tocsin.bridge_path s ON s.bridge_id = b.id AND s.path = 'backup';
COMMENT ON VIEW tocsin.directory_bridge IS
	'struct directory_bridge; kind bridge or panel; account, receiver, line, listener NULL: any; key sealed or NULL; interval 0: the path is not supervised; delays NULL: the site''s';

CREATE OR REPLACE VIEW tocsin.directory_zone AS
	SELECT z.bridge_id, z.zone_number AS zone, z.channel_id, c.zone_type, c.enabled,
		coalesce(c.code, '') AS code, c.name, c.repeat_filter_s,
		coalesce(p.number, 0::smallint) AS partition
	FROM tocsin.channel_zone z JOIN tocsin.channel c ON c.id = z.channel_id
	LEFT JOIN tocsin.partition_channel q ON q.channel_id = c.id
	LEFT JOIN tocsin.site_partition p ON p.id = q.partition_id;
COMMENT ON VIEW tocsin.directory_zone IS
	'struct directory_zone with its bridge; enabled NULL and code '''' inherit; repeat_filter_s NULL: the site''s; partition 0: none';

CREATE VIEW tocsin.directory_schedule AS
	SELECT id, timezone FROM tocsin.site WHERE arming_method IN ('video_system', 'schedule');
COMMENT ON VIEW tocsin.directory_schedule IS 'struct directory_schedule, by the id of its site: sites that a schedule may arm';

CREATE INDEX arming_window_site ON tocsin.arming_window (site_id);
CREATE INDEX arming_exception_site ON tocsin.arming_exception (site_id);
CREATE VIEW tocsin.directory_schedule_span AS
	SELECT w.site_id, coalesce(p.number, 0::smallint) AS partition, false AS exception,
		lower(w.week_minutes) * 60::bigint AS begin_s, upper(w.week_minutes) * 60::bigint AS end_s,
		true AS armed
	FROM tocsin.arming_window w LEFT JOIN tocsin.site_partition p ON p.id = w.partition_id
	UNION ALL
	SELECT e.site_id, coalesce(p.number, 0::smallint), true,
		extract(epoch FROM lower(e.during))::bigint, extract(epoch FROM upper(e.during))::bigint, e.armed
	FROM tocsin.arming_exception e LEFT JOIN tocsin.site_partition p ON p.id = e.partition_id
	WHERE upper(e.during) > now() AT TIME ZONE 'UTC' - interval '9 days'
		AND lower(e.during) >= '1970-01-08';
COMMENT ON VIEW tocsin.directory_schedule_span IS
	'struct directory_span with its site: seconds of the site''s clock, since Monday 00:00, of an exception since 1970-01-01 00:00; partition 0: the whole site';
GRANT SELECT ON tocsin.directory_schedule, tocsin.directory_schedule_span TO tocsin_daemon, tocsin_operator;

DO $$
DECLARE
	rule record;
	kind record;
BEGIN
	FOR rule IN SELECT * FROM (VALUES
		('arming_window', 'schedule', 'site_id'),
		('arming_exception', 'schedule', 'site_id'),
		('site_partition', 'schedule', 'site_id'),
		('site_partition', 'site', 'site_id'),
		('partition_channel', 'bridge', 'bridge_id')) AS r (source, entity, id_column)
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
COMMENT ON COLUMN tocsin.directory_change.entity IS 'dealer, receiver, station, site, bridge, channel, zone_type or schedule';

-- Only of the sites that a schedule arms or armed, and only what it reads.
CREATE FUNCTION tocsin.directory_note_schedule() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = tocsin, pg_temp AS $$
BEGIN
	INSERT INTO directory_change (entity, entity_id)
		SELECT 'schedule', n.id FROM new_rows n JOIN old_rows o USING (id)
		WHERE (n.arming_method, n.timezone) IS DISTINCT FROM (o.arming_method, o.timezone)
			AND (n.arming_method IN ('video_system', 'schedule')
				OR o.arming_method IN ('video_system', 'schedule'));
	IF FOUND THEN
		NOTIFY tocsin_directory;
	END IF;
	RETURN NULL;
END $$;
COMMENT ON FUNCTION tocsin.directory_note_schedule() IS
	'Statement trigger of site: those that a schedule arms, before or now, into directory_change';
REVOKE EXECUTE ON FUNCTION tocsin.directory_note_schedule() FROM PUBLIC;
CREATE TRIGGER directory_note_schedule AFTER UPDATE ON tocsin.site
	REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows
	FOR EACH STATEMENT EXECUTE FUNCTION tocsin.directory_note_schedule();
CREATE FUNCTION tocsin.directory_note_new_schedule() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = tocsin, pg_temp AS $$
BEGIN
	INSERT INTO directory_change (entity, entity_id)
		SELECT 'schedule', r.id FROM changed_rows r WHERE r.arming_method IN ('video_system', 'schedule');
	IF FOUND THEN
		NOTIFY tocsin_directory;
	END IF;
	RETURN NULL;
END $$;
COMMENT ON FUNCTION tocsin.directory_note_new_schedule() IS
	'Statement trigger of site: those of the rows that a schedule arms into directory_change';
REVOKE EXECUTE ON FUNCTION tocsin.directory_note_new_schedule() FROM PUBLIC;
CREATE TRIGGER directory_note_new_schedule AFTER INSERT ON tocsin.site
	REFERENCING NEW TABLE AS changed_rows
	FOR EACH STATEMENT EXECUTE FUNCTION tocsin.directory_note_new_schedule();
CREATE TRIGGER directory_note_gone_schedule AFTER DELETE ON tocsin.site
	REFERENCING OLD TABLE AS changed_rows
	FOR EACH STATEMENT EXECUTE FUNCTION tocsin.directory_note_new_schedule();

-- A partition's number is in the zones of its bridges.
CREATE FUNCTION tocsin.directory_note_partition() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = tocsin, pg_temp AS $$
BEGIN
	INSERT INTO directory_change (entity, entity_id)
		SELECT DISTINCT 'bridge', q.bridge_id FROM partition_channel q WHERE q.partition_id = NEW.id;
	NOTIFY tocsin_directory;
	RETURN NULL;
END $$;
COMMENT ON FUNCTION tocsin.directory_note_partition() IS 'Row trigger: the bridges of a partition into directory_change';
REVOKE EXECUTE ON FUNCTION tocsin.directory_note_partition() FROM PUBLIC;
CREATE TRIGGER directory_note_partition AFTER UPDATE OF number ON tocsin.site_partition
	FOR EACH ROW WHEN (OLD.number <> NEW.number)
	EXECUTE FUNCTION tocsin.directory_note_partition();

-- ---- history -----------------------------------------------------------------------

CREATE TABLE tocsin.event_conclusion (
	node text NOT NULL,
	lsn bigint NOT NULL,
	item smallint NOT NULL,
	concluded_at timestamptz NOT NULL,
	verdict text NOT NULL,
	reason text,
	flags integer NOT NULL,
	decision_lsn bigint NOT NULL,
	delivery_count smallint NOT NULL,
	PRIMARY KEY (concluded_at, node, lsn, item)
) PARTITION BY RANGE (concluded_at);
CREATE INDEX event_conclusion_event ON tocsin.event_conclusion (lsn, node, item);
COMMENT ON TABLE tocsin.event_conclusion IS 'What became of events that had to wait: the later decision counts';
COMMENT ON COLUMN tocsin.event_conclusion.node IS 'event.node';
COMMENT ON COLUMN tocsin.event_conclusion.lsn IS 'event.lsn';
COMMENT ON COLUMN tocsin.event_conclusion.item IS 'event.item';
COMMENT ON COLUMN tocsin.event_conclusion.concluded_at IS 'When it was decided';
COMMENT ON COLUMN tocsin.event_conclusion.verdict IS 'As decided now';
COMMENT ON COLUMN tocsin.event_conclusion.reason IS 'In words';
COMMENT ON COLUMN tocsin.event_conclusion.flags IS 'Bits as of event.flags';
COMMENT ON COLUMN tocsin.event_conclusion.decision_lsn IS 'Of this decision''s record; deliveries refer to it';
COMMENT ON COLUMN tocsin.event_conclusion.delivery_count IS 'How many deliveries were decided';
CREATE TABLE tocsin.event_conclusion_default PARTITION OF tocsin.event_conclusion DEFAULT;
COMMENT ON TABLE tocsin.event_conclusion_default IS 'Conclusions of days without a partition';
GRANT SELECT, INSERT ON tocsin.event_conclusion TO tocsin_daemon;
GRANT SELECT ON tocsin.event_conclusion TO tocsin_operator;
COMMENT ON COLUMN tocsin.event.verdict IS 'As decided first; event_history says how it ended';
COMMENT ON COLUMN tocsin.event.flags IS 'Bits: 1 unmapped zone, 2 passed through, 4 decided later (event_conclusion)';

CREATE OR REPLACE FUNCTION tocsin.ensure_partitions(first date, last date) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = tocsin, pg_temp AS $$
DECLARE
	day date;
	parent record;
BEGIN
	-- at most two months: the days before stay in the default partition
	FOR day IN SELECT d::date FROM generate_series(
		greatest(first, last - 62)::timestamp, last::timestamp, interval '1 day') d
	LOOP
		FOR parent IN SELECT * FROM (VALUES ('event', 'received_at'), ('event_conclusion', 'concluded_at'),
			('delivery', 'received_at'), ('delivery_outcome', 'finished_at'))
			AS p (name, column_name)
		LOOP
			IF to_regclass('tocsin.' || parent.name || '_' || to_char(day, 'YYYYMMDD')) IS NULL THEN
				PERFORM add_partition(parent.name, parent.column_name, day);
			END IF;
		END LOOP;
	END LOOP;
END $$;

CREATE OR REPLACE FUNCTION tocsin.drop_partitions(before date) RETURNS integer
LANGUAGE plpgsql SECURITY DEFINER SET search_path = tocsin, pg_temp AS $$
DECLARE
	old record;
	dropped integer := 0;
BEGIN
	FOR old IN
		SELECT c.relname FROM pg_inherits i
		JOIN pg_class c ON c.oid = i.inhrelid
		WHERE i.inhparent IN ('event'::regclass, 'event_conclusion'::regclass, 'delivery'::regclass,
			'delivery_outcome'::regclass)
		AND c.relname ~ '_[0-9]{8}$' AND to_date(right(c.relname, 8), 'YYYYMMDD') < before
	LOOP
		EXECUTE format('DROP TABLE tocsin.%I', old.relname);
		dropped := dropped + 1;
	END LOOP;
	RETURN dropped;
END $$;

CREATE OR REPLACE VIEW tocsin.event_history AS
	SELECT e.node || '-' || e.lsn || CASE WHEN e.item > 0 THEN '.' || e.item ELSE '' END AS event,
		e.node, e.lsn, e.item, e.boot, e.received_at, e.listener, e.peer, e.protocol,
		e.sender_receiver, e.sender_line, e.sender_account, e.sequence, e.encrypted,
		e.format, e.code, e.qualifier, e.partition, e.zone, e.user_number, e.text,
		e.occurred_at, e.raw, e.dealer_id, e.site_id, e.bridge_id, e.channel_id,
		CASE WHEN d.delivery_count = 0 OR d.verdict <> 'routed' THEN d.verdict
			WHEN o.parked > 0 THEN 'parked'
			WHEN o.delivered = d.delivery_count THEN 'delivered'
			WHEN o.delivered + o.skipped = d.delivery_count THEN 'skipped'
			ELSE d.verdict END AS verdict,
		coalesce(o.parked_reason, o.skipped_reason, d.reason) AS reason,
		d.flags, d.decision_lsn, d.delivery_count,
		coalesce(o.delivered, 0) AS delivered_count,
		CASE WHEN o.delivered = d.delivery_count THEN o.finished_at END AS delivered_at,
		coalesce(o.repeated, false) AS repeated
	FROM tocsin.event e
	LEFT JOIN LATERAL (
		SELECT x.verdict, x.reason, x.flags, x.decision_lsn, x.delivery_count
		FROM tocsin.event_conclusion x
		WHERE e.verdict = 'waiting' AND x.lsn = e.lsn AND x.node = e.node AND x.item = e.item
			AND x.concluded_at > e.received_at - interval '1 day' -- clocks are set
		ORDER BY x.decision_lsn DESC LIMIT 1) c ON e.verdict = 'waiting'
	CROSS JOIN LATERAL (
		SELECT coalesce(c.verdict, e.verdict) AS verdict,
			CASE WHEN c.verdict IS NULL THEN e.reason ELSE c.reason END AS reason,
			coalesce(c.flags, e.flags) AS flags, coalesce(c.decision_lsn, e.decision_lsn) AS decision_lsn,
			coalesce(c.delivery_count, e.delivery_count) AS delivery_count) d
	LEFT JOIN LATERAL (
		SELECT count(*) FILTER (WHERE l.state = 'delivered') AS delivered,
			count(*) FILTER (WHERE l.state = 'parked') AS parked,
			count(*) FILTER (WHERE l.state = 'skipped') AS skipped,
			max(l.finished_at) AS finished_at,
			min(l.reason) FILTER (WHERE l.state = 'parked') AS parked_reason,
			min(l.reason) FILTER (WHERE l.state = 'skipped') AS skipped_reason,
			bool_or(l.repeated) AS repeated
		FROM (
			SELECT DISTINCT ON (x.delivery_index) x.state, x.finished_at, x.reason, x.repeated
			FROM tocsin.delivery_outcome x
			WHERE x.node = e.node AND x.decision_lsn = d.decision_lsn
			ORDER BY x.delivery_index, x.outcome_lsn DESC) l
	) o ON d.delivery_count > 0;
COMMENT ON VIEW tocsin.event_history IS
	'Events with their final verdict: waiting becomes what was concluded, routed becomes delivered when the last outcome of every delivery is, parked when one is parked, skipped when an operator gave up what was not delivered';
