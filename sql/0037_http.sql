-- Signed webhooks, XML packages by HTTP, and passkeys with which a link proves itself.

ALTER TABLE tocsin.receiver
	DROP CONSTRAINT receiver_protocol_known,
	DROP CONSTRAINT receiver_line_format,
	ADD CONSTRAINT receiver_protocol_known CHECK (protocol IN
		('surgard', 'dc09', 'ademco685', 'd6500', 'xml', 'json', 'mail', 'webhook')),
	ADD CONSTRAINT receiver_line_format CHECK (line_number ~ CASE
		WHEN protocol IN ('dc09', 'xml', 'json', 'mail', 'webhook') THEN '^[0-9A-F]{1,6}$'
		WHEN protocol = 'ademco685' THEN '^[0-9]$'
		WHEN protocol = 'd6500' THEN '^([0-9A-Y]|[0-9]{2,3})$'
		WHEN line_digits = 1 THEN '^[0-9A-Z]$'
		ELSE '^[0-9]{1,3}$' END),
	ADD CONSTRAINT receiver_listen_not_webhook CHECK (NOT listen OR protocol <> 'webhook'),
	ADD CONSTRAINT receiver_passkey_sealed_sent CHECK (passkey_sealed IS NULL OR protocol IN ('xml', 'webhook')),
	ADD COLUMN sends_passkey boolean NOT NULL GENERATED ALWAYS AS (passkey_sealed IS NOT NULL) STORED;
COMMENT ON COLUMN tocsin.receiver.protocol IS 'surgard: Sur-Gard MLR2, MLR2000, System III; dc09: SIA DC-09; ademco685: Ademco 685; d6500: Bosch D6500; xml: XML package; json: JSON lines; mail: mail; webhook: JSON by HTTP, signed';
COMMENT ON COLUMN tocsin.receiver.receiver_number IS 'Sur-Gard or D6500 RR, Ademco 685 R, DC-09 R (hexadecimal), or the receiver of an XML package, JSON line or webhook (likewise)';
COMMENT ON COLUMN tocsin.receiver.line_number IS 'Sur-Gard L, Ademco 685 G, DC-09 Lpref or the line of an XML package, JSON line or webhook (hexadecimal), or D6500 l: one character, or the number it stands for from 10 on';
COMMENT ON COLUMN tocsin.receiver.account_digits IS 'The longest account the link takes; NULL: as its protocol has it, 16 in DC-09, 32 in XML, JSON and webhooks, else 4, or with the line field where the account takes that along. A longer one is parked, never cut';
COMMENT ON COLUMN tocsin.receiver.passkey_sealed IS 'What the link proves itself with, in XML by telling it, in a webhook by signing with it; sealed under the master key for context receiver.passkey:ID; NULL: nothing';
COMMENT ON COLUMN tocsin.receiver.sends_passkey IS 'Whether the link proves itself with a passkey, for those who may not read it';
GRANT SELECT (sends_passkey) ON tocsin.receiver TO tocsin_operator, tocsin_portal;

CREATE OR REPLACE FUNCTION tocsin.account_digits_of(protocol text, account_policy text, line_digits smallint)
RETURNS smallint LANGUAGE sql IMMUTABLE AS $$
	SELECT (CASE WHEN protocol IN ('xml', 'json', 'mail', 'webhook') THEN 32
		WHEN protocol = 'dc09' THEN 16
		WHEN account_policy = 'refuse' THEN 4
		ELSE 4 + line_digits END)::smallint
$$;

CREATE OR REPLACE VIEW tocsin.directory_receiver AS
	SELECT id, name, protocol, listen, paused, receiver_number, line_number,
		line_digits, sia_block, coalesce(account_digits,
			tocsin.account_digits_of(protocol, account_policy, line_digits)) AS account_digits,
		heartbeat_ms, ack_wait_ms, retries, in_flight, key,
		clock, header_space, account_policy, translation, passkey_sealed
	FROM tocsin.receiver;
COMMENT ON VIEW tocsin.directory_receiver IS 'struct directory_receiver; key and passkey sealed or NULL';

ALTER TABLE tocsin.receiver_endpoint
	DROP CONSTRAINT receiver_endpoint_transport_known,
	DROP CONSTRAINT receiver_endpoint_tls_options,
	DROP CONSTRAINT receiver_endpoint_once,
	ADD COLUMN path text NOT NULL DEFAULT '',
	ADD CONSTRAINT receiver_endpoint_transport_known CHECK (transport IN
		('tcp', 'udp', 'tls', 'run', 'each', 'file', 'smtp', 'smtps', 'smtp-clear', 'serial', 'http', 'https')),
	ADD CONSTRAINT receiver_endpoint_tls_options CHECK (transport IN ('tls', 'https')
		OR (tls_name, tls_ca, tls_certificate) = ('', '', '')),
	ADD CONSTRAINT receiver_endpoint_path_format CHECK (length(path) <= 1000 AND path ~ CASE
		WHEN transport IN ('http', 'https') THEN '^/[0-9A-Za-z._~!$&()*+:@%/?=-]*$'
		ELSE '^$' END),
	ADD CONSTRAINT receiver_endpoint_once UNIQUE (receiver_id, transport, host, port, path);
COMMENT ON COLUMN tocsin.receiver_endpoint.transport IS 'tcp; udp, DC-09 only; tls: the receiver has to show a certificate that we believe; http, or https in TLS likewise, for XML and webhooks; or of the daemon''s machine, for JSON lines: run, a program that stays; each, one that runs for each signal; file, a file or FIFO; for mail: smtp with STARTTLS, smtps in TLS, smtp-clear; serial: a serial line, for Sur-Gard, Ademco 685 and D6500';
COMMENT ON COLUMN tocsin.receiver_endpoint.path IS 'Posted to by HTTP, with its query; empty otherwise';

CREATE OR REPLACE FUNCTION tocsin.receiver_transport_problem(protocol text, listen boolean, transport text)
RETURNS text LANGUAGE sql IMMUTABLE AS $$
	SELECT CASE WHEN (protocol = 'mail' AND NOT listen) <> (transport LIKE 'smtp%')
			THEN 'receiver_endpoint_smtp_only_mail'
		WHEN transport = 'udp' AND protocol <> 'dc09' THEN 'receiver_endpoint_udp_only_dc09'
		WHEN transport = 'tls' AND listen THEN 'receiver_endpoint_tls_only_outgoing'
		WHEN transport IN ('run', 'each', 'file') AND (protocol <> 'json' OR listen)
			THEN 'receiver_endpoint_local_only_json'
		WHEN transport = 'serial' AND (protocol NOT IN ('surgard', 'ademco685', 'd6500') OR listen)
			THEN 'receiver_endpoint_serial_only_automation'
		WHEN transport IN ('http', 'https') AND (protocol NOT IN ('xml', 'webhook') OR listen)
			THEN 'receiver_endpoint_http_only_posted'
		WHEN transport NOT IN ('http', 'https') AND protocol = 'webhook'
			THEN 'receiver_endpoint_webhook_only_http' END
$$;

-- ---- as people write them ------------------------------------------------------------

CREATE OR REPLACE VIEW tocsin.directory_endpoint AS
	SELECT receiver_id, position, transport, host, port, tls_name, tls_ca, tls_certificate, path
	FROM tocsin.receiver_endpoint;

CREATE OR REPLACE FUNCTION tocsin.endpoint_text(e tocsin.receiver_endpoint)
RETURNS text LANGUAGE sql IMMUTABLE AS $$
	SELECT CASE WHEN e.port = 0 THEN e.transport || ':' || e.host
		ELSE CASE WHEN e.transport = 'tcp' THEN '' ELSE e.transport || '://' END
			|| CASE WHEN e.host LIKE '%@%' THEN split_part(e.host, '@', 1) || '@' ELSE '' END
			|| regexp_replace(regexp_replace(e.host, '^.*@', ''), '^(.*:.*)$', '[\1]') || ':' || e.port || e.path
			|| CASE WHEN e.tls_name = '' THEN '' ELSE ';name=' || e.tls_name END
			|| CASE WHEN e.tls_ca = '' THEN '' ELSE ';ca=' || e.tls_ca END
			|| CASE WHEN e.tls_certificate = '' THEN '' ELSE ';certificate=' || e.tls_certificate END END
$$;
COMMENT ON FUNCTION tocsin.endpoint_text(tocsin.receiver_endpoint) IS
	'HOST:PORT, udp://HOST:PORT, tls://HOST:PORT;name=NAME;ca=FILE;certificate=FILE, https://HOST:PORT/PATH, run:NAME, smtp://TEMPLATE@HOST:PORT';

-- commas separate endpoints, and stand inside of serial ones, where no colon follows
DROP FUNCTION tocsin.endpoints_of(text);
CREATE FUNCTION tocsin.endpoints_of(written text)
RETURNS TABLE (place smallint, transport text, host text, port integer,
	tls_name text, tls_ca text, tls_certificate text, path text)
LANGUAGE sql IMMUTABLE AS $$
	SELECT n::smallint, coalesce(l[1], p[1], 'tcp'),
		coalesce(l[2], coalesce(p[2], '') || coalesce(p[3], p[4]), ''),
		coalesce(p[5], '0')::integer, coalesce(p[7], ''), coalesce(p[8], ''), coalesce(p[9], ''),
		coalesce(p[6], CASE WHEN p[1] IN ('http', 'https') THEN '/' ELSE '' END)
	FROM regexp_split_to_table(written, ',(?=[^,]*:)') WITH ORDINALITY u (text, n)
	LEFT JOIN LATERAL regexp_match(text, '^(run|each|file|serial):(.*[^0-9].*)$') l ON true
	LEFT JOIN LATERAL regexp_match(text,
		'^(?:(udp|tls|smtp|smtps|smtp-clear|http|https)://)?([^@:]+@)?(?:\[([^]]+)\]|([^:@]+)):([0-9]{1,9})'
		'(/[^;]*)?(?:;name=([^;]+))?(?:;ca=([^;]+))?(?:;certificate=([^;]+))?$') p ON l IS NULL
$$;
COMMENT ON FUNCTION tocsin.endpoints_of(text) IS 'The endpoints of a list with commas between';
REVOKE EXECUTE ON FUNCTION tocsin.endpoints_of(text) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION tocsin.endpoints_of(text) TO tocsin_operator;
