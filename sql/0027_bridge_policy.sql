-- A bridge's key is rolled with an overlap, and what it must do to be believed
-- is said for each bridge: encrypt, come over TLS, be within a time window of
-- its own, have the MAC that is known of it.

ALTER TABLE tocsin.bridge
	ADD COLUMN previous_key bytea,
	ADD COLUMN previous_key_until timestamptz,
	ADD COLUMN tls_required boolean NOT NULL DEFAULT false,
	ADD COLUMN time_window_past_s integer,
	ADD COLUMN time_window_future_s integer,
	ADD CONSTRAINT bridge_previous_key_ends CHECK ((previous_key IS NULL) = (previous_key_until IS NULL)),
	ADD CONSTRAINT bridge_previous_key_needs_key CHECK (previous_key IS NULL OR key IS NOT NULL),
	ADD CONSTRAINT bridge_time_window_whole
		CHECK ((time_window_past_s IS NULL) = (time_window_future_s IS NULL)),
	ADD CONSTRAINT bridge_time_window_past_range CHECK (time_window_past_s BETWEEN 0 AND 86400),
	ADD CONSTRAINT bridge_time_window_future_range CHECK (time_window_future_s BETWEEN 0 AND 86400);
COMMENT ON COLUMN tocsin.bridge.mac IS 'Of its network interface; a frame that names another one is refused';
COMMENT ON COLUMN tocsin.bridge.previous_key IS 'The key before the last roll, sealed likewise; NULL: none';
COMMENT ON COLUMN tocsin.bridge.previous_key_until IS 'Until then the previous key is accepted beside the key; later its use is refused and reported';
COMMENT ON COLUMN tocsin.bridge.tls_required IS 'What does not come over TLS is refused';
COMMENT ON COLUMN tocsin.bridge.time_window_past_s IS 'Seconds that the timestamp of an encrypted frame may be old; NULL: the listener''s';
COMMENT ON COLUMN tocsin.bridge.time_window_future_s IS 'Seconds that it may be ahead; NULL: the listener''s';

GRANT SELECT (previous_key) ON tocsin.bridge TO tocsin_operator;
GRANT SELECT (previous_key_until, tls_required, time_window_past_s, time_window_future_s) ON tocsin.bridge
	TO tocsin_operator, tocsin_portal;
GRANT UPDATE (tls_required, time_window_past_s, time_window_future_s) ON tocsin.bridge TO tocsin_portal;
SELECT tocsin.audit_watch('bridge', 'r.id',
	'coalesce((SELECT s.dealer_id FROM site s WHERE s.id = r.site_id), 0)', '{key,previous_key,claim_code_hash}');

-- ---- rolling a key -------------------------------------------------------------

CREATE FUNCTION tocsin.bridge_forget_previous_key() RETURNS trigger
LANGUAGE plpgsql AS $$
BEGIN
	NEW.previous_key := NULL;
	NEW.previous_key_until := NULL;
	RETURN NEW;
END $$;
COMMENT ON FUNCTION tocsin.bridge_forget_previous_key() IS
	'A key that is set, not rolled, is the only one from then on: the old one may be in wrong hands';
REVOKE EXECUTE ON FUNCTION tocsin.bridge_forget_previous_key() FROM PUBLIC;
CREATE TRIGGER bridge_forget_previous_key BEFORE UPDATE OF key ON tocsin.bridge
	FOR EACH ROW WHEN (NEW.key IS DISTINCT FROM OLD.key
		AND NEW.previous_key IS NOT DISTINCT FROM OLD.previous_key)
	EXECUTE FUNCTION tocsin.bridge_forget_previous_key();

CREATE FUNCTION tocsin.bridge_key_roll(bridge_id bigint, new_key bytea, overlap_s bigint) RETURNS void
LANGUAGE plpgsql SET search_path = tocsin, pg_temp AS $$
BEGIN
	IF overlap_s NOT BETWEEN 60 AND 366 * 86400 THEN
		PERFORM refuse('bridge_key_roll_overlap', 'the overlap is 1 minute to 366 days');
	END IF;
	IF NOT EXISTS (SELECT FROM bridge WHERE id = bridge_id) THEN
		PERFORM refuse('bridge_exists', format('there is no bridge %s', bridge_id));
	END IF;
	IF NOT EXISTS (SELECT FROM bridge WHERE id = bridge_id AND has_key) THEN
		PERFORM refuse('bridge_key_roll_has_key',
			format('bridge %s has no key to roll: set one', bridge_id));
	END IF;
	UPDATE bridge SET previous_key = key, previous_key_until = now() + make_interval(secs => overlap_s),
		key = new_key WHERE id = bridge_id;
END $$;
COMMENT ON FUNCTION tocsin.bridge_key_roll(bigint, bytea, bigint) IS
	'A new key, sealed; the one before it is accepted beside it for so many seconds, an older one no more';
REVOKE EXECUTE ON FUNCTION tocsin.bridge_key_roll(bigint, bytea, bigint) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION tocsin.bridge_key_roll(bigint, bytea, bigint) TO tocsin_operator;

-- ---- what is read --------------------------------------------------------------

CREATE OR REPLACE VIEW tocsin.directory_bridge AS
	SELECT b.id, coalesce(b.site_id, 0) AS site_id, b.kind, coalesce(b.serial, '') AS serial,
		b.transport_account AS account, b.transport_receiver AS receiver,
		b.transport_line AS line, b.listener, b.key, b.cipher_required,
		coalesce(p.interval_s, 0) AS primary_interval_s,
		coalesce(p.margin_s, 0) AS primary_margin_s, p.listener AS primary_listener,
		coalesce(s.interval_s, 0) AS backup_interval_s,
		coalesce(s.margin_s, 0) AS backup_margin_s, s.listener AS backup_listener,
		coalesce(b.number, 0::smallint) AS number,
		b.entry_delay_s, b.exit_delay_s, b.arming_input_inverted,
		b.previous_key, coalesce(extract(epoch FROM b.previous_key_until) * 1000000, 0)::bigint
			AS previous_key_until_us,
		b.tls_required, b.time_window_past_s, b.time_window_future_s,
		replace(b.mac::text, ':', '') AS mac
	FROM tocsin.bridge b
	LEFT JOIN tocsin.bridge_path p ON p.bridge_id = b.id AND p.path = 'primary'
	LEFT JOIN tocsin.bridge_path s ON s.bridge_id = b.id AND s.path = 'backup';
COMMENT ON VIEW tocsin.directory_bridge IS
	'struct directory_bridge; kind bridge or panel; account, receiver, line, listener NULL: any; keys sealed or NULL; interval 0: the path is not supervised; delays NULL: the site''s; time windows NULL: the listener''s; mac 12 digits or NULL';

CREATE OR REPLACE VIEW tocsin.site_bridge WITH (security_invoker = true) AS
	SELECT b.id, b.site_id, b.serial, b.mac, b.model, b.firmware, b.kind, b.transport_account,
		b.transport_receiver, b.transport_line, b.listener, b.cipher_required, b.has_key, b.state,
		coalesce(b.entry_delay_s, s.entry_delay_s) AS entry_delay_s,
		coalesce(b.exit_delay_s, s.exit_delay_s) AS exit_delay_s, b.arming_input_inverted,
		s.arming_bridge_id = b.id AS arms_site,
		(SELECT count(*) FROM tocsin.channel c WHERE c.bridge_id = b.id) AS channels,
		(SELECT count(*) FROM tocsin.camera c WHERE c.bridge_id = b.id) AS cameras,
		(SELECT string_agg(p.path || ' ' || coalesce(p.supervision_class, p.interval_s || ' s'), ', ' ORDER BY p.path DESC)
			FROM tocsin.bridge_path p WHERE p.bridge_id = b.id) AS supervision,
		b.tls_required, b.previous_key_until
	FROM tocsin.bridge b LEFT JOIN tocsin.site s ON s.id = b.site_id;
