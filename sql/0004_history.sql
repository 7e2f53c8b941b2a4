-- What happened: written by the archive from the journal, never changed.
--
-- Partitioned by day in UTC. No foreign key leads into provisioning: history
-- outlives sites, bridges and dealers. Few constraints, as a row refused here
-- would be a row lost: the journal has already promised it.

CREATE TABLE tocsin.event (
	node text NOT NULL,
	lsn bigint NOT NULL,
	item smallint NOT NULL,
	boot integer NOT NULL,
	received_at timestamptz NOT NULL,
	listener text,
	peer text,
	protocol text NOT NULL,
	sender_receiver text,
	sender_line text,
	sender_account text,
	sequence text,
	encrypted boolean NOT NULL,
	format text NOT NULL,
	code text,
	qualifier text,
	partition text,
	zone text,
	user_number text,
	text text,
	occurred_at timestamptz,
	raw bytea NOT NULL,
	dealer_id bigint,
	site_id bigint,
	bridge_id bigint,
	channel_id bigint,
	verdict text NOT NULL,
	reason text,
	flags integer NOT NULL,
	decision_lsn bigint NOT NULL,
	delivery_count smallint NOT NULL,
	PRIMARY KEY (received_at, node, lsn, item)
) PARTITION BY RANGE (received_at);
CREATE INDEX event_id ON tocsin.event (lsn, node);
CREATE INDEX event_site ON tocsin.event (site_id, received_at);
CREATE INDEX event_account ON tocsin.event (sender_account, received_at);
COMMENT ON TABLE tocsin.event IS 'Each event of each received signal, with what was decided about it';
COMMENT ON COLUMN tocsin.event.node IS 'Whose journal';
COMMENT ON COLUMN tocsin.event.lsn IS 'Of the signal''s record in that journal; with node and item the event''s id NODE-LSN.ITEM';
COMMENT ON COLUMN tocsin.event.item IS 'Which event of the frame, from 0';
COMMENT ON COLUMN tocsin.event.boot IS 'Which start of the node''s daemon';
COMMENT ON COLUMN tocsin.event.received_at IS 'When the frame was complete';
COMMENT ON COLUMN tocsin.event.listener IS 'By which listener';
COMMENT ON COLUMN tocsin.event.peer IS 'Address and port it came from';
COMMENT ON COLUMN tocsin.event.protocol IS 'internal, dc09, surgard or dialer';
COMMENT ON COLUMN tocsin.event.sender_receiver IS 'Receiver number on the wire; NULL: absent';
COMMENT ON COLUMN tocsin.event.sender_line IS 'Line number on the wire; NULL: absent';
COMMENT ON COLUMN tocsin.event.sender_account IS 'Account on the wire, the bridge''s own, not the station''s';
COMMENT ON COLUMN tocsin.event.sequence IS 'Sequence number on the wire';
COMMENT ON COLUMN tocsin.event.encrypted IS 'It came encrypted';
COMMENT ON COLUMN tocsin.event.format IS 'contact-id, sia or none';
COMMENT ON COLUMN tocsin.event.code IS 'As received';
COMMENT ON COLUMN tocsin.event.qualifier IS 'E new, R restore, P still present; NULL in SIA';
COMMENT ON COLUMN tocsin.event.partition IS 'As received';
COMMENT ON COLUMN tocsin.event.zone IS 'As received';
COMMENT ON COLUMN tocsin.event.user_number IS 'SIA user';
COMMENT ON COLUMN tocsin.event.text IS 'What the panel wrote, as UTF-8';
COMMENT ON COLUMN tocsin.event.occurred_at IS 'The panel''s own time; NULL: not told';
COMMENT ON COLUMN tocsin.event.raw IS 'The frame as received, still encrypted if it was';
COMMENT ON COLUMN tocsin.event.dealer_id IS 'At that time; NULL: none';
COMMENT ON COLUMN tocsin.event.site_id IS 'At that time; NULL: none';
COMMENT ON COLUMN tocsin.event.bridge_id IS 'At that time; NULL: unknown sender';
COMMENT ON COLUMN tocsin.event.channel_id IS 'At that time; NULL: none';
COMMENT ON COLUMN tocsin.event.verdict IS 'As decided; event_history says how it ended';
COMMENT ON COLUMN tocsin.event.reason IS 'In words';
COMMENT ON COLUMN tocsin.event.flags IS 'Bits: 1 unmapped zone, 2 passed through';
COMMENT ON COLUMN tocsin.event.decision_lsn IS 'Of the decision''s record; deliveries refer to it';
COMMENT ON COLUMN tocsin.event.delivery_count IS 'How many deliveries were decided';

CREATE TABLE tocsin.delivery (
	node text NOT NULL,
	decision_lsn bigint NOT NULL,
	delivery_index smallint NOT NULL,
	signal_lsn bigint NOT NULL,
	item smallint NOT NULL,
	received_at timestamptz NOT NULL,
	receiver_id bigint NOT NULL,
	number bigint NOT NULL,
	account text,
	format text NOT NULL,
	code text,
	qualifier text,
	partition text,
	zone text,
	PRIMARY KEY (decision_lsn, node, delivery_index, received_at)
) PARTITION BY RANGE (received_at);
CREATE INDEX delivery_account ON tocsin.delivery (account, received_at);
COMMENT ON TABLE tocsin.delivery IS 'Each message to a station receiver that was decided';
COMMENT ON COLUMN tocsin.delivery.node IS 'Whose journal';
COMMENT ON COLUMN tocsin.delivery.decision_lsn IS 'event.decision_lsn';
COMMENT ON COLUMN tocsin.delivery.delivery_index IS 'Which of the decision''s deliveries, from 0';
COMMENT ON COLUMN tocsin.delivery.signal_lsn IS 'event.lsn';
COMMENT ON COLUMN tocsin.delivery.item IS 'event.item';
COMMENT ON COLUMN tocsin.delivery.received_at IS 'When it was decided';
COMMENT ON COLUMN tocsin.delivery.receiver_id IS 'To whom';
COMMENT ON COLUMN tocsin.delivery.number IS 'Running number at that receiver, the same on every resend';
COMMENT ON COLUMN tocsin.delivery.account IS 'The station''s account: prefix and number';
COMMENT ON COLUMN tocsin.delivery.format IS 'contact-id or sia';
COMMENT ON COLUMN tocsin.delivery.code IS 'As sent';
COMMENT ON COLUMN tocsin.delivery.qualifier IS 'As sent';
COMMENT ON COLUMN tocsin.delivery.partition IS 'As sent';
COMMENT ON COLUMN tocsin.delivery.zone IS 'As sent';

CREATE TABLE tocsin.delivery_outcome (
	node text NOT NULL,
	outcome_lsn bigint NOT NULL,
	decision_lsn bigint NOT NULL,
	delivery_index smallint NOT NULL,
	signal_lsn bigint NOT NULL,
	item smallint NOT NULL,
	receiver_id bigint NOT NULL,
	state text NOT NULL,
	attempts bigint NOT NULL,
	repeated boolean NOT NULL,
	endpoint text,
	reason text,
	finished_at timestamptz NOT NULL,
	PRIMARY KEY (decision_lsn, node, delivery_index, outcome_lsn, finished_at)
) PARTITION BY RANGE (finished_at);
COMMENT ON TABLE tocsin.delivery_outcome IS 'How deliveries ended or moved; the row with the highest outcome_lsn holds';
COMMENT ON COLUMN tocsin.delivery_outcome.node IS 'Whose journal';
COMMENT ON COLUMN tocsin.delivery_outcome.outcome_lsn IS 'Of the outcome''s record';
COMMENT ON COLUMN tocsin.delivery_outcome.decision_lsn IS 'delivery.decision_lsn';
COMMENT ON COLUMN tocsin.delivery_outcome.delivery_index IS 'delivery.delivery_index';
COMMENT ON COLUMN tocsin.delivery_outcome.signal_lsn IS 'event.lsn';
COMMENT ON COLUMN tocsin.delivery_outcome.item IS 'event.item';
COMMENT ON COLUMN tocsin.delivery_outcome.receiver_id IS 'To whom';
COMMENT ON COLUMN tocsin.delivery_outcome.state IS 'delivered, parked or requeued';
COMMENT ON COLUMN tocsin.delivery_outcome.attempts IS 'How often it was sent';
COMMENT ON COLUMN tocsin.delivery_outcome.repeated IS 'It may have reached the station twice';
COMMENT ON COLUMN tocsin.delivery_outcome.endpoint IS 'Which address acknowledged';
COMMENT ON COLUMN tocsin.delivery_outcome.reason IS 'Of parking; who requeued';
COMMENT ON COLUMN tocsin.delivery_outcome.finished_at IS 'When';

CREATE TABLE tocsin.archive_position (
	node text PRIMARY KEY,
	lsn bigint NOT NULL
);
COMMENT ON TABLE tocsin.archive_position IS 'How far each node''s journal is stored here; moved in the transaction that stores';
COMMENT ON COLUMN tocsin.archive_position.node IS 'Whose journal';
COMMENT ON COLUMN tocsin.archive_position.lsn IS 'Everything before it is stored';

CREATE TABLE tocsin.archive_quarantine (
	node text NOT NULL,
	lsn bigint NOT NULL,
	kind integer NOT NULL,
	reason text NOT NULL,
	payload bytea NOT NULL,
	stored_at timestamptz NOT NULL DEFAULT now(),
	PRIMARY KEY (node, lsn)
);
COMMENT ON TABLE tocsin.archive_quarantine IS 'Journal records that PostgreSQL refused as rows, kept whole';
COMMENT ON COLUMN tocsin.archive_quarantine.node IS 'Whose journal';
COMMENT ON COLUMN tocsin.archive_quarantine.lsn IS 'Of the record';
COMMENT ON COLUMN tocsin.archive_quarantine.kind IS 'Of the record (docs/JOURNAL-FORMAT.md)';
COMMENT ON COLUMN tocsin.archive_quarantine.reason IS 'What PostgreSQL said';
COMMENT ON COLUMN tocsin.archive_quarantine.payload IS 'The record''s payload';
COMMENT ON COLUMN tocsin.archive_quarantine.stored_at IS 'When it was put here';

-- ---- partitions ----------------------------------------------------------------------

-- Rows of days that have no partition of their own: of a node that was away
-- for long or whose clock is wrong. Nothing is refused for its date.
CREATE TABLE tocsin.event_default PARTITION OF tocsin.event DEFAULT;
CREATE TABLE tocsin.delivery_default PARTITION OF tocsin.delivery DEFAULT;
CREATE TABLE tocsin.delivery_outcome_default PARTITION OF tocsin.delivery_outcome DEFAULT;
COMMENT ON TABLE tocsin.event_default IS 'Events of days without a partition';
COMMENT ON TABLE tocsin.delivery_default IS 'Deliveries of days without a partition';
COMMENT ON TABLE tocsin.delivery_outcome_default IS 'Outcomes of days without a partition';

CREATE FUNCTION tocsin.add_partition(parent text, column_name text, day date) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = tocsin, pg_temp SET timezone = 'UTC' AS $$
DECLARE
	name text := parent || '_' || to_char(day, 'YYYYMMDD');
	first timestamptz := day;
	beyond timestamptz := day + 1;
BEGIN
	PERFORM pg_advisory_xact_lock(hashtext('tocsin.partition'));
	IF to_regclass('tocsin.' || name) IS NOT NULL THEN
		RETURN; -- another node made it while we waited
	END IF;
	EXECUTE format('CREATE TABLE tocsin.%I (LIKE tocsin.%I INCLUDING DEFAULTS)', name, parent);
	EXECUTE format('WITH moved AS (DELETE FROM tocsin.%I WHERE %I >= $1 AND %I < $2 RETURNING *) '
		'INSERT INTO tocsin.%I SELECT * FROM moved',
		parent || '_default', column_name, column_name, name) USING first, beyond;
	EXECUTE format('ALTER TABLE tocsin.%I ATTACH PARTITION tocsin.%I FOR VALUES FROM (%L) TO (%L)',
		parent, name, first, beyond);
END $$;
COMMENT ON FUNCTION tocsin.add_partition(text, text, date) IS
	'One day of one history table; rows that waited in the default partition move in';

CREATE FUNCTION tocsin.ensure_partitions(first date, last date) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = tocsin, pg_temp AS $$
DECLARE
	day date;
	parent record;
BEGIN
	-- at most two months: the days before stay in the default partition
	FOR day IN SELECT d::date FROM generate_series(
		greatest(first, last - 62)::timestamp, last::timestamp, interval '1 day') d
	LOOP
		FOR parent IN SELECT * FROM (VALUES ('event', 'received_at'),
			('delivery', 'received_at'), ('delivery_outcome', 'finished_at'))
			AS p (name, column_name)
		LOOP
			IF to_regclass('tocsin.' || parent.name || '_' || to_char(day, 'YYYYMMDD')) IS NULL THEN
				PERFORM add_partition(parent.name, parent.column_name, day);
			END IF;
		END LOOP;
	END LOOP;
END $$;
COMMENT ON FUNCTION tocsin.ensure_partitions(date, date) IS
	'Make the partitions of these days (UTC, both included); cheap when they exist';

CREATE FUNCTION tocsin.drop_partitions(before date) RETURNS integer
LANGUAGE plpgsql SECURITY DEFINER SET search_path = tocsin, pg_temp AS $$
DECLARE
	old record;
	dropped integer := 0;
BEGIN
	FOR old IN
		SELECT c.relname FROM pg_inherits i
		JOIN pg_class c ON c.oid = i.inhrelid
		WHERE i.inhparent IN ('event'::regclass, 'delivery'::regclass, 'delivery_outcome'::regclass)
		AND c.relname ~ '_[0-9]{8}$' AND to_date(right(c.relname, 8), 'YYYYMMDD') < before
	LOOP
		EXECUTE format('DROP TABLE tocsin.%I', old.relname);
		dropped := dropped + 1;
	END LOOP;
	RETURN dropped;
END $$;
COMMENT ON FUNCTION tocsin.drop_partitions(date) IS
	'Forget history before this day; returns how many partitions went';

-- ---- how it ended ----------------------------------------------------------------------

CREATE VIEW tocsin.event_history AS
	SELECT e.node || '-' || e.lsn || CASE WHEN e.item > 0 THEN '.' || e.item ELSE '' END AS event,
		e.node, e.lsn, e.item, e.boot, e.received_at, e.listener, e.peer, e.protocol,
		e.sender_receiver, e.sender_line, e.sender_account, e.sequence, e.encrypted,
		e.format, e.code, e.qualifier, e.partition, e.zone, e.user_number, e.text,
		e.occurred_at, e.raw, e.dealer_id, e.site_id, e.bridge_id, e.channel_id,
		CASE WHEN e.delivery_count = 0 OR e.verdict <> 'routed' THEN e.verdict
			WHEN o.parked > 0 THEN 'parked'
			WHEN o.delivered = e.delivery_count THEN 'delivered'
			ELSE e.verdict END AS verdict,
		coalesce(o.parked_reason, e.reason) AS reason,
		e.flags, e.decision_lsn, e.delivery_count,
		coalesce(o.delivered, 0) AS delivered_count,
		CASE WHEN o.delivered = e.delivery_count THEN o.finished_at END AS delivered_at,
		coalesce(o.repeated, false) AS repeated
	FROM tocsin.event e
	LEFT JOIN LATERAL (
		SELECT count(*) FILTER (WHERE l.state = 'delivered') AS delivered,
			count(*) FILTER (WHERE l.state = 'parked') AS parked,
			max(l.finished_at) AS finished_at,
			min(l.reason) FILTER (WHERE l.state = 'parked') AS parked_reason,
			bool_or(l.repeated) AS repeated
		FROM (
			SELECT DISTINCT ON (x.delivery_index) x.state, x.finished_at, x.reason, x.repeated
			FROM tocsin.delivery_outcome x
			WHERE x.node = e.node AND x.decision_lsn = e.decision_lsn
			ORDER BY x.delivery_index, x.outcome_lsn DESC) l
	) o ON e.delivery_count > 0;
COMMENT ON VIEW tocsin.event_history IS
	'Events with their final verdict: routed becomes delivered when the last outcome of every delivery is, parked when one is parked';

-- ---- who may -------------------------------------------------------------------------

GRANT SELECT, INSERT ON tocsin.event, tocsin.delivery, tocsin.delivery_outcome,
	tocsin.archive_quarantine TO tocsin_daemon;
GRANT SELECT, INSERT, UPDATE ON tocsin.archive_position TO tocsin_daemon;
GRANT SELECT ON tocsin.event, tocsin.delivery, tocsin.delivery_outcome, tocsin.event_history,
	tocsin.archive_position, tocsin.archive_quarantine TO tocsin_operator;
GRANT SELECT ON tocsin.event_history TO tocsin_daemon;
REVOKE EXECUTE ON FUNCTION tocsin.add_partition(text, text, date),
	tocsin.ensure_partitions(date, date), tocsin.drop_partitions(date) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION tocsin.ensure_partitions(date, date) TO tocsin_daemon, tocsin_operator;
GRANT EXECUTE ON FUNCTION tocsin.drop_partitions(date) TO tocsin_operator;
