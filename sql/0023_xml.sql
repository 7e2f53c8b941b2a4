-- The XML package towards stations.

ALTER TABLE tocsin.receiver
	DROP CONSTRAINT receiver_protocol_known,
	DROP CONSTRAINT receiver_line_format,
	ADD CONSTRAINT receiver_protocol_known CHECK (protocol IN ('surgard', 'dc09', 'ademco685', 'd6500', 'xml')),
	ADD CONSTRAINT receiver_line_format CHECK (line_number ~ CASE
		WHEN protocol IN ('dc09', 'xml') THEN '^[0-9A-F]{1,6}$'
		WHEN protocol = 'ademco685' THEN '^[0-9]$'
		WHEN protocol = 'd6500' THEN '^([0-9A-Y]|[0-9]{2,3})$'
		WHEN line_digits = 1 THEN '^[0-9A-Z]$'
		ELSE '^[0-9]{1,3}$' END);
COMMENT ON COLUMN tocsin.receiver.protocol IS 'surgard: Sur-Gard MLR2, MLR2000, System III; dc09: SIA DC-09; ademco685: Ademco 685; d6500: Bosch D6500; xml: XML package';
COMMENT ON COLUMN tocsin.receiver.receiver_number IS 'Sur-Gard or D6500 RR, Ademco 685 R, DC-09 R (hexadecimal), or Receiver of an XML package (likewise)';
COMMENT ON COLUMN tocsin.receiver.line_number IS 'Sur-Gard L, Ademco 685 G, DC-09 Lpref or Line of an XML package (hexadecimal), or D6500 l: one character, or the number it stands for from 10 on';
COMMENT ON COLUMN tocsin.receiver.account_digits IS 'The longest account the link takes; NULL: as its protocol has it, 16 in DC-09, 32 in XML, else 4, or with the line field where the account takes that along. A longer one is parked, never cut';

CREATE OR REPLACE FUNCTION tocsin.account_digits_of(protocol text, account_policy text, line_digits smallint)
RETURNS smallint LANGUAGE sql IMMUTABLE AS $$
	SELECT (CASE WHEN protocol = 'xml' THEN 32
		WHEN protocol = 'dc09' THEN 16
		WHEN account_policy = 'refuse' THEN 4
		ELSE 4 + line_digits END)::smallint
$$;

COMMENT ON VIEW tocsin.directory_receiver IS
	'struct directory_receiver; protocol surgard, dc09, ademco685, d6500 or xml; key sealed or NULL';
