-- Serial lines to automation software.

ALTER TABLE tocsin.receiver_endpoint
	DROP CONSTRAINT receiver_endpoint_transport_known,
	DROP CONSTRAINT receiver_endpoint_host_format,
	DROP CONSTRAINT receiver_endpoint_port_range,
	ADD CONSTRAINT receiver_endpoint_transport_known CHECK (transport IN
		('tcp', 'udp', 'tls', 'run', 'each', 'file', 'smtp', 'smtps', 'smtp-clear', 'serial')),
	ADD CONSTRAINT receiver_endpoint_host_format CHECK (host ~ CASE
		WHEN transport IN ('run', 'each', 'file') THEN '^[0-9A-Za-z_-][0-9A-Za-z_.-]{0,99}$'
		WHEN transport LIKE 'smtp%' THEN '^[0-9A-Za-z_-][0-9A-Za-z_.-]{0,99}@[0-9A-Za-z_.:-]{1,253}$'
		WHEN transport = 'serial' THEN '^/dev(/[0-9A-Za-z_:+-][0-9A-Za-z_.:+-]{0,99}){1,3},(300|600|1200|2400|4800|9600|19200|38400|57600|115200),[78][neo][12]$'
		ELSE '^[0-9A-Za-z_.:-]{1,253}$' END),
	ADD CONSTRAINT receiver_endpoint_port_range CHECK (CASE
		WHEN transport IN ('run', 'each', 'file', 'serial') THEN port = 0
		ELSE port BETWEEN 1 AND 65535 END);
COMMENT ON COLUMN tocsin.receiver_endpoint.transport IS 'tcp; udp, DC-09 only; tls: the receiver has to show a certificate that we believe; or of the daemon''s machine, for JSON lines: run, a program that stays; each, one that runs for each signal; file, a file or FIFO; for mail: smtp with STARTTLS, smtps in TLS, smtp-clear; serial: a serial line, for Sur-Gard, Ademco 685 and D6500';
COMMENT ON COLUMN tocsin.receiver_endpoint.host IS 'Name or numeric address; of a program or file: its name in the directory that the daemon''s configuration says; of a mail server: the template''s name there, @, name or address; of a serial line: device, speed, and bits, parity and stop bits';

CREATE OR REPLACE FUNCTION tocsin.receiver_transport_problem(protocol text, listen boolean, transport text)
RETURNS text LANGUAGE sql IMMUTABLE AS $$
	SELECT CASE WHEN (protocol = 'mail' AND NOT listen) <> (transport LIKE 'smtp%')
			THEN 'receiver_endpoint_smtp_only_mail'
		WHEN transport = 'udp' AND protocol <> 'dc09' THEN 'receiver_endpoint_udp_only_dc09'
		WHEN transport = 'tls' AND listen THEN 'receiver_endpoint_tls_only_outgoing'
		WHEN transport IN ('run', 'each', 'file') AND (protocol <> 'json' OR listen)
			THEN 'receiver_endpoint_local_only_json'
		WHEN transport = 'serial' AND (protocol NOT IN ('surgard', 'ademco685', 'd6500') OR listen)
			THEN 'receiver_endpoint_serial_only_automation' END
$$;

-- commas separate endpoints, and stand inside of serial ones, where no colon follows
CREATE OR REPLACE FUNCTION tocsin.endpoints_of(written text)
RETURNS TABLE (place smallint, transport text, host text, port integer,
	tls_name text, tls_ca text, tls_certificate text)
LANGUAGE sql IMMUTABLE AS $$
	SELECT n::smallint, coalesce(l[1], p[1], 'tcp'),
		coalesce(l[2], coalesce(p[2], '') || coalesce(p[3], p[4]), ''),
		coalesce(p[5], '0')::integer, coalesce(p[6], ''), coalesce(p[7], ''), coalesce(p[8], '')
	FROM regexp_split_to_table(written, ',(?=[^,]*:)') WITH ORDINALITY u (text, n)
	LEFT JOIN LATERAL regexp_match(text, '^(run|each|file|serial):(.*[^0-9].*)$') l ON true
	LEFT JOIN LATERAL regexp_match(text,
		'^(?:(udp|tls|smtp|smtps|smtp-clear)://)?([^@:]+@)?(?:\[([^]]+)\]|([^:@]+)):([0-9]{1,9})'
		'(?:;name=([^;]+))?(?:;ca=([^;]+))?(?:;certificate=([^;]+))?$') p ON l IS NULL
$$;
