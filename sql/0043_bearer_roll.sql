-- A bridge's bearer key for the HTTP API is rolled with an overlap, as its own
-- key is (0027): both are accepted until some time, the use of the old one
-- later is refused and reported.

ALTER TABLE tocsin.bridge
	ADD COLUMN previous_bearer_key_hash bytea
		CONSTRAINT bridge_previous_bearer_key_is_hashed CHECK (length(previous_bearer_key_hash) = 32),
	ADD COLUMN previous_bearer_key_until timestamptz,
	ADD CONSTRAINT bridge_previous_bearer_key_ends
		CHECK ((previous_bearer_key_hash IS NULL) = (previous_bearer_key_until IS NULL)),
	ADD CONSTRAINT bridge_previous_bearer_key_needs_key
		CHECK (previous_bearer_key_hash IS NULL OR bearer_key_hash IS NOT NULL);
COMMENT ON COLUMN tocsin.bridge.previous_bearer_key_hash IS 'SHA-256 of the bearer key before the last roll; NULL: none';
COMMENT ON COLUMN tocsin.bridge.previous_bearer_key_until IS
	'Until then the previous bearer key is accepted beside the other; later its use is refused and reported';
GRANT SELECT (previous_bearer_key_until) ON tocsin.bridge TO tocsin_operator, tocsin_portal;
SELECT tocsin.audit_watch('bridge', 'r.id', 'coalesce((SELECT s.dealer_id FROM site s WHERE s.id = r.site_id), 0)',
	'{key,previous_key,claim_code_hash,bearer_key_hash,previous_bearer_key_hash}');

CREATE FUNCTION tocsin.bridge_forget_previous_bearer_key() RETURNS trigger
LANGUAGE plpgsql AS $$
BEGIN
	NEW.previous_bearer_key_hash := NULL;
	NEW.previous_bearer_key_until := NULL;
	RETURN NEW;
END $$;
COMMENT ON FUNCTION tocsin.bridge_forget_previous_bearer_key() IS
	'A bearer key that is made, not rolled, is the only one from then on: the old one may be in wrong hands';
REVOKE EXECUTE ON FUNCTION tocsin.bridge_forget_previous_bearer_key() FROM PUBLIC;
CREATE TRIGGER bridge_forget_previous_bearer_key BEFORE UPDATE OF bearer_key_hash ON tocsin.bridge
	FOR EACH ROW WHEN (NEW.bearer_key_hash IS DISTINCT FROM OLD.bearer_key_hash
		AND NEW.previous_bearer_key_hash IS NOT DISTINCT FROM OLD.previous_bearer_key_hash)
	EXECUTE FUNCTION tocsin.bridge_forget_previous_bearer_key();

CREATE FUNCTION tocsin.bridge_bearer_key_roll(bridge_id bigint, overlap_s bigint) RETURNS text
LANGUAGE plpgsql SECURITY DEFINER SET search_path = tocsin, pg_temp AS $$
DECLARE
	token constant text := format('tb-%s-%s', bridge_id, encode(random_secret(32), 'hex'));
BEGIN
	IF overlap_s NOT BETWEEN 60 AND 366 * 86400 THEN
		PERFORM refuse('bridge_key_roll_overlap', 'the overlap is 1 minute to 366 days');
	END IF;
	IF NOT EXISTS (SELECT FROM bridge WHERE id = bridge_id) THEN
		PERFORM refuse('bridge_exists', format('there is no bridge %s', bridge_id));
	END IF;
	UPDATE bridge SET previous_bearer_key_hash = bearer_key_hash,
		previous_bearer_key_until = now() + make_interval(secs => overlap_s),
		bearer_key_hash = sha256(convert_to(token, 'UTF8'))
		WHERE id = bridge_id AND bearer_key_hash IS NOT NULL;
	IF NOT FOUND THEN
		PERFORM refuse('bridge_bearer_key_roll_has_key',
			format('bridge %s has no bearer key to roll: make one', bridge_id));
	END IF;
	RETURN token;
END $$;
COMMENT ON FUNCTION tocsin.bridge_bearer_key_roll(bigint, bigint) IS
	'A new key for the HTTP bridge API; the one before it is accepted beside it for so many seconds, an older one no more';
REVOKE EXECUTE ON FUNCTION tocsin.bridge_bearer_key_roll(bigint, bigint) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION tocsin.bridge_bearer_key_roll(bigint, bigint) TO tocsin_operator;

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
		replace(b.mac::text, ':', '') AS mac, b.bearer_key_hash, b.previous_bearer_key_hash,
		coalesce(extract(epoch FROM b.previous_bearer_key_until) * 1000000, 0)::bigint
			AS previous_bearer_key_until_us
	FROM tocsin.bridge b
	LEFT JOIN tocsin.bridge_path p ON p.bridge_id = b.id AND p.path = 'primary'
	LEFT JOIN tocsin.bridge_path s ON s.bridge_id = b.id AND s.path = 'backup';

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
		b.tls_required, b.previous_key_until, b.has_bearer_key, b.previous_bearer_key_until
	FROM tocsin.bridge b LEFT JOIN tocsin.site s ON s.id = b.site_id;
