-- Codes of a panel's own as inbound codes: what telephone receivers tell of pulse (1-A), BFSK (6-_A), high speed
-- (8-17) and Acron (9-1) panels. Only the dealer knows what they stand for, in Contact ID or in SIA.

ALTER TABLE tocsin.alarm_library
	DROP CONSTRAINT alarm_library_inbound_code_format,
	DROP CONSTRAINT alarm_library_code_format,
	ADD CONSTRAINT alarm_library_inbound_code_format
		CHECK (inbound_code ~ '^([0-9A-F]{3}|[A-Z]{2}|[19]-[0-9A-Z_]|6-[0-9A-Z_]{2}|8-[0-9A-F]{1,2})$'),
	ADD CONSTRAINT alarm_library_code_format CHECK (code ~ CASE
		WHEN inbound_code ~ '^[A-Z]{2}$' THEN '^[A-Z]{2}$'
		WHEN inbound_code ~ '^.-' THEN '^([0-9A-F]{3}|[A-Z]{2})$'
		ELSE '^[0-9A-F]{3}$' END);
COMMENT ON COLUMN tocsin.alarm_library.inbound_code IS 'About an inbound code that is no zone alarm: Contact ID event, SIA code, or a panel''s own code behind the digit that Sur-Gard has for its format, 1-A; a space in it is _';

ALTER TABLE tocsin.site_template_library
	DROP CONSTRAINT site_template_library_inbound_code_format,
	DROP CONSTRAINT site_template_library_code_format,
	ADD CONSTRAINT site_template_library_inbound_code_format
		CHECK (inbound_code ~ '^([0-9A-F]{3}|[A-Z]{2}|[19]-[0-9A-Z_]|6-[0-9A-Z_]{2}|8-[0-9A-F]{1,2})$'),
	ADD CONSTRAINT site_template_library_code_format CHECK (code ~ CASE
		WHEN inbound_code ~ '^[A-Z]{2}$' THEN '^[A-Z]{2}$'
		WHEN inbound_code ~ '^.-' THEN '^([0-9A-F]{3}|[A-Z]{2})$'
		ELSE '^[0-9A-F]{3}$' END);

COMMENT ON COLUMN tocsin.event.format IS 'contact-id, sia; pulse, bfsk, high-speed or acron: a panel''s own code; none: who called';
COMMENT ON COLUMN tocsin.delivery.format IS 'contact-id or sia; pulse, bfsk, high-speed or acron: a panel''s own code';
