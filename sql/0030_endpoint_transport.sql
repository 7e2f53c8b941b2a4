-- How an endpoint is reached has a name instead of one flag for each way.

DROP VIEW tocsin.directory_endpoint;
DROP TRIGGER receiver_check_udp ON tocsin.receiver;
DROP TRIGGER receiver_endpoint_check_udp ON tocsin.receiver_endpoint;
DROP TRIGGER receiver_check_tls ON tocsin.receiver;
DROP TRIGGER receiver_endpoint_check_tls ON tocsin.receiver_endpoint;
DROP FUNCTION tocsin.receiver_check_udp();
DROP FUNCTION tocsin.receiver_check_tls();

ALTER TABLE tocsin.receiver_endpoint
	DROP CONSTRAINT receiver_endpoint_once,
	DROP CONSTRAINT receiver_endpoint_tls_over_tcp,
	DROP CONSTRAINT receiver_endpoint_tls_options,
	ADD COLUMN transport text NOT NULL DEFAULT 'tcp',
	ADD CONSTRAINT receiver_endpoint_transport_known CHECK (transport IN ('tcp', 'udp', 'tls'));
UPDATE tocsin.receiver_endpoint SET transport = CASE WHEN udp THEN 'udp' ELSE 'tls' END WHERE udp OR tls;
ALTER TABLE tocsin.receiver_endpoint
	DROP COLUMN udp,
	DROP COLUMN tls,
	ADD CONSTRAINT receiver_endpoint_once UNIQUE (receiver_id, transport, host, port),
	ADD CONSTRAINT receiver_endpoint_tls_options CHECK (transport = 'tls'
		OR (tls_name, tls_ca, tls_certificate) = ('', '', ''));
COMMENT ON COLUMN tocsin.receiver_endpoint.transport IS 'tcp; udp, DC-09 only; tls: the receiver has to show a certificate that we believe';

CREATE FUNCTION tocsin.receiver_transport_problem(protocol text, listen boolean, transport text)
RETURNS text LANGUAGE sql IMMUTABLE AS $$
	SELECT CASE WHEN transport = 'udp' AND protocol <> 'dc09' THEN 'receiver_endpoint_udp_only_dc09'
		WHEN transport = 'tls' AND listen THEN 'receiver_endpoint_tls_only_outgoing' END
$$;
COMMENT ON FUNCTION tocsin.receiver_transport_problem(text, boolean, text) IS
	'What such a receiver says to an endpoint of this transport; NULL: nothing';

CREATE FUNCTION tocsin.receiver_check_transport() RETURNS trigger
LANGUAGE plpgsql SET search_path = tocsin, pg_temp AS $$
DECLARE
	problem text;
BEGIN
	IF TG_TABLE_NAME = 'receiver' THEN
		SELECT min(receiver_transport_problem(NEW.protocol, NEW.listen, transport)) INTO problem
			FROM receiver_endpoint WHERE receiver_id = NEW.id;
	ELSE
		-- holds a change of the receiver back until we are done
		SELECT receiver_transport_problem(protocol, listen, NEW.transport) INTO problem
			FROM receiver WHERE id = NEW.receiver_id FOR SHARE;
	END IF;
	IF problem IS NOT NULL THEN
		RAISE EXCEPTION 'an endpoint does not go with its receiver'
			USING ERRCODE = 'check_violation', CONSTRAINT = problem, TABLE = 'receiver_endpoint';
	END IF;
	RETURN NULL;
END $$;
COMMENT ON FUNCTION tocsin.receiver_check_transport() IS 'receiver_transport_problem';
CREATE TRIGGER receiver_check_transport AFTER UPDATE OF protocol, listen ON tocsin.receiver
	FOR EACH ROW EXECUTE FUNCTION tocsin.receiver_check_transport();
CREATE TRIGGER receiver_endpoint_check_transport AFTER INSERT OR UPDATE ON tocsin.receiver_endpoint
	FOR EACH ROW EXECUTE FUNCTION tocsin.receiver_check_transport();

CREATE VIEW tocsin.directory_endpoint AS
	SELECT receiver_id, position, transport, host, port, tls_name, tls_ca, tls_certificate
	FROM tocsin.receiver_endpoint;
COMMENT ON VIEW tocsin.directory_endpoint IS
	'struct directory_endpoint; used in the order of position';
GRANT SELECT ON tocsin.directory_endpoint TO tocsin_daemon, tocsin_operator;

-- ---- as people write them ------------------------------------------------------------

CREATE FUNCTION tocsin.endpoint_text(e tocsin.receiver_endpoint)
RETURNS text LANGUAGE sql IMMUTABLE AS $$
	SELECT CASE WHEN e.transport = 'tcp' THEN '' ELSE e.transport || '://' END
		|| CASE WHEN e.host LIKE '%:%' THEN '[' || e.host || ']' ELSE e.host END || ':' || e.port
		|| CASE WHEN e.tls_name = '' THEN '' ELSE ';name=' || e.tls_name END
		|| CASE WHEN e.tls_ca = '' THEN '' ELSE ';ca=' || e.tls_ca END
		|| CASE WHEN e.tls_certificate = '' THEN '' ELSE ';certificate=' || e.tls_certificate END
$$;
COMMENT ON FUNCTION tocsin.endpoint_text(tocsin.receiver_endpoint) IS
	'HOST:PORT, udp://HOST:PORT, tls://HOST:PORT;name=NAME;ca=FILE;certificate=FILE';

-- what cannot be read has no host: receiver_endpoint_host_format refuses it
CREATE FUNCTION tocsin.endpoints_of(written text)
RETURNS TABLE (place smallint, transport text, host text, port integer,
	tls_name text, tls_ca text, tls_certificate text)
LANGUAGE sql IMMUTABLE AS $$
	SELECT n::smallint, coalesce(p[1], 'tcp'), coalesce(p[2], p[3], ''), coalesce(p[4], '0')::integer,
		coalesce(p[5], ''), coalesce(p[6], ''), coalesce(p[7], '')
	FROM unnest(string_to_array(written, ',')) WITH ORDINALITY u (text, n)
	LEFT JOIN LATERAL regexp_match(text,
		'^(?:(udp|tls)://)?(?:\[([^]]+)\]|([^:]+)):([0-9]{1,9})'
		'(?:;name=([^;]+))?(?:;ca=([^;]+))?(?:;certificate=([^;]+))?$') p ON true
$$;
COMMENT ON FUNCTION tocsin.endpoints_of(text) IS 'The endpoints of a list with commas between';
REVOKE EXECUTE ON FUNCTION tocsin.receiver_transport_problem(text, boolean, text),
	tocsin.receiver_check_transport(), tocsin.endpoint_text(tocsin.receiver_endpoint),
	tocsin.endpoints_of(text) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION tocsin.receiver_transport_problem(text, boolean, text),
	tocsin.endpoint_text(tocsin.receiver_endpoint), tocsin.endpoints_of(text) TO tocsin_operator;
