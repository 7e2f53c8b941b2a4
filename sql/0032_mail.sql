-- Mail, through templates of the daemon's machine.

ALTER TABLE tocsin.receiver
	DROP CONSTRAINT receiver_protocol_known,
	DROP CONSTRAINT receiver_line_format,
	ADD CONSTRAINT receiver_protocol_known CHECK (protocol IN
		('surgard', 'dc09', 'ademco685', 'd6500', 'xml', 'json', 'mail')),
	ADD CONSTRAINT receiver_line_format CHECK (line_number ~ CASE
		WHEN protocol IN ('dc09', 'xml', 'json', 'mail') THEN '^[0-9A-F]{1,6}$'
		WHEN protocol = 'ademco685' THEN '^[0-9]$'
		WHEN protocol = 'd6500' THEN '^([0-9A-Y]|[0-9]{2,3})$'
		WHEN line_digits = 1 THEN '^[0-9A-Z]$'
		ELSE '^[0-9]{1,3}$' END);
COMMENT ON COLUMN tocsin.receiver.protocol IS 'surgard: Sur-Gard MLR2, MLR2000, System III; dc09: SIA DC-09; ademco685: Ademco 685; d6500: Bosch D6500; xml: XML package; json: JSON lines; mail: mail';

CREATE OR REPLACE FUNCTION tocsin.account_digits_of(protocol text, account_policy text, line_digits smallint)
RETURNS smallint LANGUAGE sql IMMUTABLE AS $$
	SELECT (CASE WHEN protocol IN ('xml', 'json', 'mail') THEN 32
		WHEN protocol = 'dc09' THEN 16
		WHEN account_policy = 'refuse' THEN 4
		ELSE 4 + line_digits END)::smallint
$$;

ALTER TABLE tocsin.receiver_endpoint
	DROP CONSTRAINT receiver_endpoint_transport_known,
	DROP CONSTRAINT receiver_endpoint_host_format,
	ADD CONSTRAINT receiver_endpoint_transport_known CHECK (transport IN
		('tcp', 'udp', 'tls', 'run', 'each', 'file', 'smtp', 'smtps', 'smtp-clear')),
	ADD CONSTRAINT receiver_endpoint_host_format CHECK (host ~ CASE
		WHEN transport IN ('run', 'each', 'file') THEN '^[0-9A-Za-z_-][0-9A-Za-z_.-]{0,99}$'
		WHEN transport LIKE 'smtp%' THEN '^[0-9A-Za-z_-][0-9A-Za-z_.-]{0,99}@[0-9A-Za-z_.:-]{1,253}$'
		ELSE '^[0-9A-Za-z_.:-]{1,253}$' END);
COMMENT ON COLUMN tocsin.receiver_endpoint.transport IS 'tcp; udp, DC-09 only; tls: the receiver has to show a certificate that we believe; or of the daemon''s machine, for JSON lines: run, a program that stays; each, one that runs for each signal; file, a file or FIFO; for mail: smtp with STARTTLS, smtps in TLS, smtp-clear';
COMMENT ON COLUMN tocsin.receiver_endpoint.host IS 'Name or numeric address; of a program or file: its name in the directory that the daemon''s configuration says; of a mail server: the template''s name there, @, name or address';

CREATE OR REPLACE FUNCTION tocsin.receiver_transport_problem(protocol text, listen boolean, transport text)
RETURNS text LANGUAGE sql IMMUTABLE AS $$
	SELECT CASE WHEN (protocol = 'mail' AND NOT listen) <> (transport LIKE 'smtp%')
			THEN 'receiver_endpoint_smtp_only_mail'
		WHEN transport = 'udp' AND protocol <> 'dc09' THEN 'receiver_endpoint_udp_only_dc09'
		WHEN transport = 'tls' AND listen THEN 'receiver_endpoint_tls_only_outgoing'
		WHEN transport IN ('run', 'each', 'file') AND (protocol <> 'json' OR listen)
			THEN 'receiver_endpoint_local_only_json' END
$$;

CREATE OR REPLACE FUNCTION tocsin.endpoint_text(e tocsin.receiver_endpoint)
RETURNS text LANGUAGE sql IMMUTABLE AS $$
	SELECT CASE WHEN e.port = 0 THEN e.transport || ':' || e.host
		ELSE CASE WHEN e.transport = 'tcp' THEN '' ELSE e.transport || '://' END
			|| CASE WHEN e.host LIKE '%@%' THEN split_part(e.host, '@', 1) || '@' ELSE '' END
			|| regexp_replace(regexp_replace(e.host, '^.*@', ''), '^(.*:.*)$', '[\1]') || ':' || e.port
			|| CASE WHEN e.tls_name = '' THEN '' ELSE ';name=' || e.tls_name END
			|| CASE WHEN e.tls_ca = '' THEN '' ELSE ';ca=' || e.tls_ca END
			|| CASE WHEN e.tls_certificate = '' THEN '' ELSE ';certificate=' || e.tls_certificate END END
$$;
COMMENT ON FUNCTION tocsin.endpoint_text(tocsin.receiver_endpoint) IS
	'HOST:PORT, udp://HOST:PORT, tls://HOST:PORT;name=NAME;ca=FILE;certificate=FILE, run:NAME, smtp://TEMPLATE@HOST:PORT';

CREATE OR REPLACE FUNCTION tocsin.endpoints_of(written text)
RETURNS TABLE (place smallint, transport text, host text, port integer,
	tls_name text, tls_ca text, tls_certificate text)
LANGUAGE sql IMMUTABLE AS $$
	SELECT n::smallint, coalesce(l[1], p[1], 'tcp'),
		coalesce(l[2], coalesce(p[2], '') || coalesce(p[3], p[4]), ''),
		coalesce(p[5], '0')::integer, coalesce(p[6], ''), coalesce(p[7], ''), coalesce(p[8], '')
	FROM unnest(string_to_array(written, ',')) WITH ORDINALITY u (text, n)
	LEFT JOIN LATERAL regexp_match(text, '^(run|each|file):(.*[^0-9].*)$') l ON true
	LEFT JOIN LATERAL regexp_match(text,
		'^(?:(udp|tls|smtp|smtps|smtp-clear)://)?([^@:]+@)?(?:\[([^]]+)\]|([^:@]+)):([0-9]{1,9})'
		'(?:;name=([^;]+))?(?:;ca=([^;]+))?(?:;certificate=([^;]+))?$') p ON l IS NULL
$$;
