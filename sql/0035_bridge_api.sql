-- A bridge that speaks HTTP shows a bearer key of its own. Only SHA-256 of it is
-- kept: 256 random bits need no slow hash, and a stolen table opens nothing.

ALTER TABLE tocsin.bridge
	ADD COLUMN bearer_key_hash bytea
		CONSTRAINT bridge_bearer_key_is_hashed CHECK (length(bearer_key_hash) = 32),
	ADD COLUMN has_bearer_key boolean NOT NULL GENERATED ALWAYS AS (bearer_key_hash IS NOT NULL) STORED;
COMMENT ON COLUMN tocsin.bridge.bearer_key_hash IS 'SHA-256 of its key for the HTTP bridge API (bridge_bearer_key_new()); NULL: it has none';
COMMENT ON COLUMN tocsin.bridge.has_bearer_key IS 'Whether it has a key for the HTTP bridge API';
GRANT SELECT (has_bearer_key) ON tocsin.bridge TO tocsin_operator, tocsin_portal;

CREATE FUNCTION tocsin.bridge_bearer_key_new(bridge_id bigint) RETURNS text
LANGUAGE plpgsql SECURITY DEFINER SET search_path = tocsin, pg_temp AS $$
DECLARE
	token constant text := format('tb-%s-%s', bridge_id, encode(random_secret(32), 'hex'));
BEGIN
	UPDATE bridge SET bearer_key_hash = sha256(convert_to(token, 'UTF8')) WHERE id = bridge_id;
	IF NOT FOUND THEN
		PERFORM refuse('bridge_exists', format('there is no bridge %s', bridge_id));
	END IF;
	RETURN token;
END $$;
COMMENT ON FUNCTION tocsin.bridge_bearer_key_new(bigint) IS
	'A new key for the HTTP bridge API; the old one is void. Only its hash is kept';
REVOKE EXECUTE ON FUNCTION tocsin.bridge_bearer_key_new(bigint) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION tocsin.bridge_bearer_key_new(bigint) TO tocsin_operator;

SELECT tocsin.audit_watch('bridge', 'r.id', 'coalesce((SELECT s.dealer_id FROM site s WHERE s.id = r.site_id), 0)',
	'{key,previous_key,claim_code_hash,bearer_key_hash}');

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
		replace(b.mac::text, ':', '') AS mac, b.bearer_key_hash
	FROM tocsin.bridge b
	LEFT JOIN tocsin.bridge_path p ON p.bridge_id = b.id AND p.path = 'primary'
	LEFT JOIN tocsin.bridge_path s ON s.bridge_id = b.id AND s.path = 'backup';
