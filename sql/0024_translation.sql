-- Events in the code that a station reads.

ALTER TABLE tocsin.receiver
	ADD COLUMN translation text NOT NULL DEFAULT 'none',
	ADD CONSTRAINT receiver_translation_known CHECK (translation IN ('none', 'contact_id', 'sia')),
	ADD CONSTRAINT receiver_translation_spoken CHECK (translation = 'none'
		OR protocol IN ('surgard', 'dc09', 'd6500')
		OR (protocol = 'ademco685' AND translation = 'contact_id'));
COMMENT ON COLUMN tocsin.receiver.translation IS 'none: events go out in the code in which they came; contact_id, sia: those of the other code are translated by the code table where it has them';
GRANT SELECT (translation) ON tocsin.receiver TO tocsin_operator, tocsin_portal;

CREATE OR REPLACE VIEW tocsin.directory_receiver AS
	SELECT id, name, protocol, listen, paused, receiver_number, line_number,
		line_digits, sia_block, coalesce(account_digits,
			tocsin.account_digits_of(protocol, account_policy, line_digits)) AS account_digits,
		heartbeat_ms, ack_wait_ms, retries, in_flight, key,
		clock, header_space, account_policy, translation
	FROM tocsin.receiver;
