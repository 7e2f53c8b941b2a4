-- A delivery that an operator gave up is an outcome of its own.

COMMENT ON COLUMN tocsin.delivery_outcome.state IS 'delivered, parked, requeued or skipped';
COMMENT ON COLUMN tocsin.delivery_outcome.reason IS 'Of parking; who requeued; who skipped it and why';

CREATE OR REPLACE VIEW tocsin.event_history AS
	SELECT e.node || '-' || e.lsn || CASE WHEN e.item > 0 THEN '.' || e.item ELSE '' END AS event,
		e.node, e.lsn, e.item, e.boot, e.received_at, e.listener, e.peer, e.protocol,
		e.sender_receiver, e.sender_line, e.sender_account, e.sequence, e.encrypted,
		e.format, e.code, e.qualifier, e.partition, e.zone, e.user_number, e.text,
		e.occurred_at, e.raw, e.dealer_id, e.site_id, e.bridge_id, e.channel_id,
		CASE WHEN e.delivery_count = 0 OR e.verdict <> 'routed' THEN e.verdict
			WHEN o.parked > 0 THEN 'parked'
			WHEN o.delivered = e.delivery_count THEN 'delivered'
			WHEN o.delivered + o.skipped = e.delivery_count THEN 'skipped'
			ELSE e.verdict END AS verdict,
		coalesce(o.parked_reason, o.skipped_reason, e.reason) AS reason,
		e.flags, e.decision_lsn, e.delivery_count,
		coalesce(o.delivered, 0) AS delivered_count,
		CASE WHEN o.delivered = e.delivery_count THEN o.finished_at END AS delivered_at,
		coalesce(o.repeated, false) AS repeated
	FROM tocsin.event e
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
			WHERE x.node = e.node AND x.decision_lsn = e.decision_lsn
			ORDER BY x.delivery_index, x.outcome_lsn DESC) l
	) o ON e.delivery_count > 0;
COMMENT ON VIEW tocsin.event_history IS
	'Events with their final verdict: routed becomes delivered when the last outcome of every delivery is, parked when one is parked, skipped when an operator gave up what was not delivered';
