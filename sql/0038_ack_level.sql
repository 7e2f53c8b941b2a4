-- When the sender of a signal gets its acknowledgement: a site may have its own
-- level, and history says which one a signal had.

ALTER TABLE tocsin.site
	ADD COLUMN ack_level text,
	ADD CONSTRAINT site_ack_level_known CHECK (ack_level IN ('local', 'delivered'));
COMMENT ON COLUMN tocsin.site.ack_level IS 'local: acknowledged when it is durable; delivered: when its stations have acknowledged; NULL: as the listener has it';

CREATE OR REPLACE VIEW tocsin.directory_site AS
	SELECT id, dealer_id, coalesce(station_record_id, 0) AS station_id, state, name,
		coalesce(account_number, '') AS account, coalesce(reference_id, '') AS reference_id,
		coalesce(extract(epoch FROM on_test_until) * 1000000, 0)::bigint AS on_test_until_us,
		on_test_forward, arming_method, coalesce(arming_bridge_id, 0) AS arming_bridge_id,
		entry_delay_s, exit_delay_s, repeat_filter_s,
		EXISTS (SELECT FROM tocsin.site_partition p WHERE p.site_id = site.id) AS has_partitions,
		coalesce(test_interval_s, 0) AS test_interval_s,
		coalesce(ack_level, 'inherit') AS ack_level
	FROM tocsin.site;
COMMENT ON VIEW tocsin.directory_site IS
	'struct directory_site; state active or inactive; on_test_until_us 0: not on test; arming_bridge_id 0: none chosen; test_interval_s 0: no test is expected; ack_level inherit: the listener''s';

CREATE OR REPLACE VIEW tocsin.site_overview WITH (security_invoker = true) AS
	SELECT s.id, s.dealer_id, d.name AS dealer, s.name, s.address1, s.address2, s.city, s.region,
		s.postal_code, s.country, s.latitude, s.longitude, s.timezone, s.external_id,
		CASE WHEN s.state <> 'active' THEN s.state
			WHEN s.on_test_until > now() THEN 'on test' ELSE 'active' END AS security,
		CASE WHEN s.on_test_until > now() THEN s.on_test_until END AS on_test_until, s.on_test_forward,
		s.activation_ends, s.arming_method, m.title AS arming_title, s.arming_bridge_id,
		s.entry_delay_s, s.exit_delay_s, s.repeat_filter_s, s.test_interval_s,
		s.station_record_id, r.name AS station, r.center_id, c.name AS center, r.receiver_id,
		v.name AS receiver, v.protocol, r.prefix, r.receiver_adds_prefix, s.account_number,
		e.account AS effective_account, s.reference_id, tocsin.site_launch_url(s.id) AS launch_url,
		s.ack_level
	FROM tocsin.site s
	JOIN tocsin.arming_method m ON m.name = s.arming_method
	LEFT JOIN tocsin.dealer d ON d.id = s.dealer_id
	LEFT JOIN tocsin.station_record r ON r.id = s.station_record_id
	LEFT JOIN tocsin.center c ON c.id = r.center_id
	LEFT JOIN tocsin.receiver v ON v.id = r.receiver_id
	LEFT JOIN tocsin.effective_account e ON e.site_id = s.id AND e.destination_id IS NULL;

ALTER TABLE tocsin.event ADD COLUMN ack_level text NOT NULL DEFAULT 'local';
COMMENT ON COLUMN tocsin.event.ack_level IS 'At which its sender was to be answered: local or delivered';

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
		coalesce(o.repeated, false) AS repeated, e.ack_level
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
