-- Shadows: receivers that get a copy of what another one has got, to compare a new station with the one in service.

ALTER TABLE tocsin.receiver
	ADD COLUMN shadow_of bigint
		CONSTRAINT receiver_shadow_of_exists REFERENCES tocsin.receiver,
	ADD CONSTRAINT receiver_shadow_not_itself CHECK (shadow_of <> id);
CREATE INDEX receiver_shadow ON tocsin.receiver (shadow_of);
COMMENT ON COLUMN tocsin.receiver.shadow_of IS 'The receiver whose deliveries it gets a copy of, once they have ended there; NULL: it is none''s shadow. What becomes of a copy counts for nothing';
GRANT SELECT (shadow_of) ON tocsin.receiver TO tocsin_operator, tocsin_portal;

-- No copies of copies, and nobody's alarms end at a shadow. Rows are locked, so that of two sessions one sees the other.
CREATE FUNCTION tocsin.receiver_shadow_check() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = tocsin, pg_temp AS $$
BEGIN
	PERFORM FROM receiver WHERE id IN (NEW.id, NEW.shadow_of) ORDER BY id FOR NO KEY UPDATE;
	IF EXISTS (SELECT FROM receiver WHERE id = NEW.shadow_of AND shadow_of IS NOT NULL)
		OR EXISTS (SELECT FROM receiver WHERE shadow_of = NEW.id) THEN
		RAISE EXCEPTION 'a shadow has no shadow'
			USING ERRCODE = 'check_violation',
			CONSTRAINT = 'receiver_shadow_of_no_shadow', TABLE = 'receiver';
	END IF;
	IF EXISTS (SELECT FROM station_record WHERE receiver_id = NEW.id) THEN
		RAISE EXCEPTION 'stations use it'
			USING ERRCODE = 'check_violation',
			CONSTRAINT = 'receiver_shadow_not_used', TABLE = 'receiver';
	END IF;
	RETURN NULL;
END $$;
COMMENT ON FUNCTION tocsin.receiver_shadow_check() IS 'receiver_shadow_of_no_shadow, receiver_shadow_not_used';
REVOKE EXECUTE ON FUNCTION tocsin.receiver_shadow_check() FROM PUBLIC;
CREATE TRIGGER receiver_shadow_insert AFTER INSERT ON tocsin.receiver
	FOR EACH ROW WHEN (NEW.shadow_of IS NOT NULL) EXECUTE FUNCTION tocsin.receiver_shadow_check();
CREATE TRIGGER receiver_shadow_update AFTER UPDATE OF shadow_of ON tocsin.receiver
	FOR EACH ROW WHEN (NEW.shadow_of IS NOT NULL) EXECUTE FUNCTION tocsin.receiver_shadow_check();

CREATE FUNCTION tocsin.station_record_check_shadow() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = tocsin, pg_temp AS $$
DECLARE
	shadow boolean;
BEGIN
	SELECT shadow_of IS NOT NULL INTO shadow FROM receiver WHERE id = NEW.receiver_id FOR SHARE;
	IF shadow THEN
		RAISE EXCEPTION 'the receiver is a shadow'
			USING ERRCODE = 'check_violation',
			CONSTRAINT = 'station_record_receiver_no_shadow', TABLE = 'station_record';
	END IF;
	RETURN NULL;
END $$;
COMMENT ON FUNCTION tocsin.station_record_check_shadow() IS 'station_record_receiver_no_shadow';
REVOKE EXECUTE ON FUNCTION tocsin.station_record_check_shadow() FROM PUBLIC;
CREATE TRIGGER station_record_shadow AFTER INSERT OR UPDATE OF receiver_id ON tocsin.station_record
	FOR EACH ROW WHEN (NEW.receiver_id IS NOT NULL) EXECUTE FUNCTION tocsin.station_record_check_shadow();

CREATE OR REPLACE VIEW tocsin.directory_receiver AS
	SELECT id, name, protocol, listen, paused, receiver_number, line_number,
		line_digits, sia_block, coalesce(account_digits,
			tocsin.account_digits_of(protocol, account_policy, line_digits)) AS account_digits,
		heartbeat_ms, ack_wait_ms, retries, in_flight, key,
		clock, header_space, account_policy, translation, passkey_sealed,
		coalesce(shadow_of, 0) AS shadow_of
	FROM tocsin.receiver;
COMMENT ON VIEW tocsin.directory_receiver IS 'struct directory_receiver; key and passkey sealed or NULL; shadow_of 0: it is none';
