-- Ademco 685 and Bosch D6500 towards stations; in Sur-Gard the clock and long
-- accounts that take the line field along.

ALTER TABLE tocsin.receiver
	ADD COLUMN clock boolean NOT NULL DEFAULT false,
	ADD COLUMN header_space boolean NOT NULL DEFAULT false,
	ADD COLUMN account_policy text NOT NULL DEFAULT 'refuse',
	DROP CONSTRAINT receiver_protocol_known,
	DROP CONSTRAINT receiver_number_format,
	DROP CONSTRAINT receiver_line_format,
	ADD CONSTRAINT receiver_protocol_known CHECK (protocol IN ('surgard', 'dc09', 'ademco685', 'd6500')),
	ADD CONSTRAINT receiver_number_format CHECK (receiver_number ~ CASE protocol
		WHEN 'surgard' THEN '^[0-9A-F]{2}$'
		WHEN 'd6500' THEN '^[0-9]{2}$'
		WHEN 'ademco685' THEN '^0?[0-9]$'
		ELSE '^[0-9A-F]{1,6}$' END),
	ADD CONSTRAINT receiver_line_format CHECK (line_number ~ CASE
		WHEN protocol = 'dc09' THEN '^[0-9A-F]{1,6}$'
		WHEN protocol = 'ademco685' THEN '^[0-9]$'
		WHEN protocol = 'd6500' THEN '^([0-9A-Y]|[0-9]{2,3})$'
		WHEN line_digits = 1 THEN '^[0-9A-Z]$'
		ELSE '^[0-9]{1,3}$' END),
	ADD CONSTRAINT receiver_clock_only_surgard CHECK (NOT clock OR protocol = 'surgard'),
	ADD CONSTRAINT receiver_header_space_only_d6500 CHECK (NOT header_space OR protocol = 'd6500'),
	ADD CONSTRAINT receiver_account_policy_known CHECK (account_policy IN ('refuse', 'split_front', 'split_back')),
	ADD CONSTRAINT receiver_account_policy_only_surgard CHECK (account_policy = 'refuse' OR protocol = 'surgard');
COMMENT ON COLUMN tocsin.receiver.protocol IS 'surgard: Sur-Gard MLR2, MLR2000, System III; dc09: SIA DC-09; ademco685: Ademco 685; d6500: Bosch D6500';
COMMENT ON COLUMN tocsin.receiver.receiver_number IS 'Sur-Gard or D6500 RR, Ademco 685 R, or DC-09 R (hexadecimal)';
COMMENT ON COLUMN tocsin.receiver.line_number IS 'Sur-Gard L, Ademco 685 G, DC-09 Lpref (hexadecimal), or D6500 l: one character, or the number it stands for from 10 on';
COMMENT ON COLUMN tocsin.receiver.clock IS 'Sur-Gard: the time of reception (UTC) behind each event';
COMMENT ON COLUMN tocsin.receiver.header_space IS 'D6500: a space before each message, as some receivers write it';
COMMENT ON COLUMN tocsin.receiver.account_policy IS 'Sur-Gard, when four characters are too few. refuse: parked; split_front: the line field has the beginning of every account, split_back: its end, and the receiver''s line number and line cards are not sent';
COMMENT ON COLUMN tocsin.receiver.account_digits IS 'The longest account the link takes; NULL: as its protocol has it, 16 in DC-09, else 4, or with the line field where the account takes that along. A longer one is parked, never cut';
GRANT SELECT (clock, header_space, account_policy) ON tocsin.receiver TO tocsin_operator, tocsin_portal;

-- ---- accounts ----------------------------------------------------------------------

CREATE FUNCTION tocsin.account_digits_of(protocol text, account_policy text, line_digits smallint)
RETURNS smallint LANGUAGE sql IMMUTABLE AS $$
	SELECT (CASE WHEN protocol = 'dc09' THEN 16
		WHEN account_policy = 'refuse' THEN 4
		ELSE 4 + line_digits END)::smallint
$$;
COMMENT ON FUNCTION tocsin.account_digits_of(text, text, smallint) IS
	'The longest account of a protocol, where the receiver says nothing else';

CREATE FUNCTION tocsin.account_sent_as(protocol text, account_policy text, line_digits smallint, account text)
RETURNS text LANGUAGE sql IMMUTABLE AS $$
	SELECT CASE
		WHEN protocol = 'ademco685'
			THEN translate(lpad(account, greatest(4, length(account)), '0'), 'A', '0')
		WHEN protocol = 'surgard' AND account_policy = 'split_front'
			THEN lpad(account, greatest(4 + line_digits, length(account)), '0')
		WHEN protocol = 'surgard' AND account_policy = 'split_back'
			THEN rpad(lpad(account, greatest(4, length(account)), '0'),
				greatest(4 + line_digits, length(account)), '0')
		WHEN protocol IN ('surgard', 'd6500')
			THEN lpad(account, greatest(4, length(account)), '0')
		ELSE account END
$$;
COMMENT ON FUNCTION tocsin.account_sent_as(text, text, smallint, text) IS
	'The account in the form in which a station compares it: filled up with zeros, in Ademco 685 with A as 0';

CREATE OR REPLACE VIEW tocsin.effective_account_now AS
	SELECT s.id AS site_id, r.id AS station_record_id, r.center_id, r.receiver_id,
		tocsin.effective_account_of(r.prefix, r.receiver_adds_prefix, s.account_number) AS account,
		tocsin.account_sent_as(v.protocol, v.account_policy, v.line_digits,
			tocsin.effective_account_of(r.prefix, r.receiver_adds_prefix, s.account_number)) AS sent_as,
		s.reference_id, s.state = 'active' AS active
	FROM tocsin.site s
	JOIN tocsin.station_record r ON r.id = s.station_record_id
	LEFT JOIN tocsin.receiver v ON v.id = r.receiver_id;

CREATE OR REPLACE VIEW tocsin.destination_account_now AS
	SELECT d.site_id, d.id AS destination_id, r.id AS station_record_id, r.center_id, r.receiver_id,
		tocsin.effective_account_of(r.prefix, r.receiver_adds_prefix, d.account_number) AS account,
		tocsin.account_sent_as(v.protocol, v.account_policy, v.line_digits,
			tocsin.effective_account_of(r.prefix, r.receiver_adds_prefix, d.account_number)) AS sent_as,
		d.reference_id, s.state = 'active' AS active
	FROM tocsin.site_destination d
	JOIN tocsin.site s ON s.id = d.site_id
	JOIN tocsin.station_record r ON r.id = d.station_record_id
	LEFT JOIN tocsin.receiver v ON v.id = r.receiver_id;

DROP FUNCTION tocsin.account_sent_as(text, text);
REVOKE EXECUTE ON FUNCTION tocsin.account_digits_of(text, text, smallint),
	tocsin.account_sent_as(text, text, smallint, text) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION tocsin.account_digits_of(text, text, smallint),
	tocsin.account_sent_as(text, text, smallint, text) TO tocsin_operator, tocsin_portal;
GRANT EXECUTE ON FUNCTION tocsin.account_digits_of(text, text, smallint) TO tocsin_daemon;

DROP TRIGGER effective_account_from_receiver ON tocsin.receiver;
CREATE TRIGGER effective_account_from_receiver
	AFTER UPDATE OF protocol, account_policy, line_digits ON tocsin.receiver
	FOR EACH ROW WHEN ((OLD.protocol, OLD.account_policy, OLD.line_digits)
		IS DISTINCT FROM (NEW.protocol, NEW.account_policy, NEW.line_digits))
	EXECUTE FUNCTION tocsin.effective_account_from_above();

CREATE OR REPLACE VIEW tocsin.site_warning WITH (security_invoker = true) AS
	SELECT s.id AS site_id, w.warning, w.sentence
	FROM tocsin.site s CROSS JOIN LATERAL (
		SELECT 'no_station' AS warning, 'no monitoring station: signals are logged, not sent' AS sentence
			WHERE s.station_record_id IS NULL
		UNION ALL
		SELECT 'no_receiver', format('station record %s has no receiver: signals are logged, not sent', r.name)
			FROM tocsin.station_record r WHERE r.id = s.station_record_id AND r.receiver_id IS NULL
		UNION ALL
		SELECT 'account_too_long', format('account %s has no room at receiver %s, which takes %s characters: '
			'its signals will be parked, never cut', e.account, v.name, l.digits)
			FROM tocsin.effective_account e
			JOIN tocsin.receiver v ON v.id = e.receiver_id
			CROSS JOIN LATERAL (SELECT coalesce(v.account_digits, tocsin.account_digits_of(
				v.protocol, v.account_policy, v.line_digits)) AS digits) l
			WHERE e.site_id = s.id AND length(e.account) > l.digits
		UNION ALL
		SELECT 'no_contact', 'no contact: the station has nobody to call'
			WHERE NOT EXISTS (SELECT FROM tocsin.contact c WHERE c.site_id = s.id)
		UNION ALL
		SELECT 'no_bridge', 'no bridge or panel: nothing can signal'
			WHERE NOT EXISTS (SELECT FROM tocsin.bridge b WHERE b.site_id = s.id)
		UNION ALL
		SELECT 'activation_ended', format('was to be activated by %s', s.activation_ends)
			WHERE s.activation_ends < now()
			AND NOT EXISTS (SELECT FROM tocsin.bridge b WHERE b.site_id = s.id)
		UNION ALL
		SELECT 'bridge_without_account', format('bridge %s has no account to signal with', coalesce(b.serial, b.id::text))
			FROM tocsin.bridge b WHERE b.site_id = s.id AND b.transport_account IS NULL
		UNION ALL
		SELECT 'key_missing', format('bridge %s must signal encrypted and has no key', coalesce(b.serial, b.id::text))
			FROM tocsin.bridge b WHERE b.site_id = s.id AND b.cipher_required AND NOT b.has_key
		UNION ALL
		SELECT 'channel_without_zone', format('channel %s of bridge %s has no zone number: its alarms are unmapped',
			c.name, coalesce(b.serial, b.id::text))
			FROM tocsin.bridge b JOIN tocsin.channel c ON c.bridge_id = b.id
			WHERE b.site_id = s.id AND b.kind = 'bridge'
			AND NOT EXISTS (SELECT FROM tocsin.channel_zone z WHERE z.channel_id = c.id)
		UNION ALL
		SELECT 'camera_in_no_partition', format('camera %s is in no partition: it raises nothing', k.name)
			FROM tocsin.bridge b JOIN tocsin.camera k ON k.bridge_id = b.id
			WHERE b.site_id = s.id
			AND EXISTS (SELECT FROM tocsin.site_partition p WHERE p.site_id = s.id)
			AND NOT EXISTS (SELECT FROM tocsin.partition_channel p WHERE p.channel_id = k.channel_id)
		UNION ALL
		SELECT 'no_arming_bridge', 'armed by a panel, but no bridge is chosen'
			WHERE s.arming_method = 'panel_primary' AND s.arming_bridge_id IS NULL
		UNION ALL
		SELECT 'no_schedule', 'armed by schedule, but there is none'
			WHERE s.arming_method = 'schedule'
			AND NOT EXISTS (SELECT FROM tocsin.arming_window a WHERE a.site_id = s.id)
		UNION ALL
		SELECT 'no_app_member', 'armed by app and portal users, but no user has the site in the app'
			WHERE s.arming_method = 'video_system'
			AND NOT EXISTS (SELECT FROM tocsin.app_member a WHERE a.site_id = s.id)
	) w;

-- ---- what the daemon reads -----------------------------------------------------------

CREATE OR REPLACE VIEW tocsin.directory_receiver AS
	SELECT id, name, protocol, listen, paused, receiver_number, line_number,
		line_digits, sia_block, coalesce(account_digits,
			tocsin.account_digits_of(protocol, account_policy, line_digits)) AS account_digits,
		heartbeat_ms, ack_wait_ms, retries, in_flight, key,
		clock, header_space, account_policy
	FROM tocsin.receiver;
COMMENT ON VIEW tocsin.directory_receiver IS
	'struct directory_receiver; protocol surgard, dc09, ademco685 or d6500; key sealed or NULL';
