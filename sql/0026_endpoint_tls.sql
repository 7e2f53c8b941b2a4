-- Receivers that are reached over TLS.

ALTER TABLE tocsin.receiver_endpoint
	ADD COLUMN tls boolean NOT NULL DEFAULT false,
	ADD COLUMN tls_name text NOT NULL DEFAULT '',
	ADD COLUMN tls_ca text NOT NULL DEFAULT '',
	ADD COLUMN tls_certificate text NOT NULL DEFAULT '',
	ADD CONSTRAINT receiver_endpoint_tls_over_tcp CHECK (NOT (tls AND udp)),
	ADD CONSTRAINT receiver_endpoint_tls_options CHECK (tls OR (tls_name, tls_ca, tls_certificate) = ('', '', '')),
	ADD CONSTRAINT receiver_endpoint_tls_name_format CHECK (tls_name ~ '^[0-9A-Za-z_.:-]{0,253}$'),
	ADD CONSTRAINT receiver_endpoint_tls_files CHECK (tls_ca ~ '^([0-9A-Za-z_-][0-9A-Za-z_.-]{0,99})?$'
		AND tls_certificate ~ '^([0-9A-Za-z_-][0-9A-Za-z_.-]{0,99})?$');
COMMENT ON COLUMN tocsin.receiver_endpoint.tls IS 'Over TLS: the receiver has to show a certificate that we believe';
COMMENT ON COLUMN tocsin.receiver_endpoint.tls_name IS 'The name or address that its certificate must have; '''': the host';
COMMENT ON COLUMN tocsin.receiver_endpoint.tls_ca IS 'Who signed it: a PEM file in the daemon''s directory of certificates, which may also hold that very certificate; '''': an authority that the system trusts';
COMMENT ON COLUMN tocsin.receiver_endpoint.tls_certificate IS 'What we show it: a PEM file with our certificate and its key in the same directory; '''': nothing';

CREATE FUNCTION tocsin.receiver_check_tls() RETURNS trigger
LANGUAGE plpgsql SET search_path = tocsin, pg_temp AS $$
DECLARE
	refused bigint;
BEGIN
	IF TG_TABLE_NAME = 'receiver' THEN
		refused := CASE WHEN NEW.listen AND EXISTS (
			SELECT FROM receiver_endpoint WHERE receiver_id = NEW.id AND tls)
			THEN NEW.id END;
	ELSE
		-- holds a change of the receiver back until we are done
		SELECT id INTO refused FROM receiver
			WHERE id = NEW.receiver_id AND listen FOR SHARE;
	END IF;
	IF refused IS NOT NULL THEN
		RAISE EXCEPTION 'receiver % has a TLS endpoint but connects to us', refused
			USING ERRCODE = 'check_violation',
			CONSTRAINT = 'receiver_endpoint_tls_only_outgoing', TABLE = 'receiver_endpoint';
	END IF;
	RETURN NULL;
END $$;
COMMENT ON FUNCTION tocsin.receiver_check_tls() IS 'receiver_endpoint_tls_only_outgoing';
CREATE TRIGGER receiver_check_tls AFTER UPDATE OF listen ON tocsin.receiver
	FOR EACH ROW WHEN (NEW.listen) EXECUTE FUNCTION tocsin.receiver_check_tls();
CREATE TRIGGER receiver_endpoint_check_tls AFTER INSERT OR UPDATE ON tocsin.receiver_endpoint
	FOR EACH ROW WHEN (NEW.tls) EXECUTE FUNCTION tocsin.receiver_check_tls();
REVOKE EXECUTE ON FUNCTION tocsin.receiver_check_tls() FROM PUBLIC;

CREATE OR REPLACE VIEW tocsin.directory_endpoint AS
	SELECT receiver_id, position, host, port, udp, tls, tls_name, tls_ca, tls_certificate
	FROM tocsin.receiver_endpoint;
