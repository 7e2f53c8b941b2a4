-- What a customer has beyond name and account: arming and schedules,
-- partitions, cameras, contacts, templates, further destinations, supervision,
-- and the alarm library for system events.

-- ---- sites -----------------------------------------------------------------------

ALTER TABLE tocsin.site
	ADD COLUMN arming_method text NOT NULL DEFAULT 'always'
		CONSTRAINT site_arming_method_known REFERENCES tocsin.arming_method,
	ADD COLUMN arming_bridge_id bigint,
	ADD COLUMN entry_delay_s smallint NOT NULL DEFAULT 60,
	ADD COLUMN exit_delay_s smallint NOT NULL DEFAULT 60,
	ADD COLUMN repeat_filter_s smallint NOT NULL DEFAULT 20,
	ADD COLUMN test_interval_s integer,
	ADD COLUMN activation_ends timestamptz,
	ADD COLUMN on_test_since timestamptz,
	ADD COLUMN on_test_until timestamptz,
	ADD COLUMN on_test_forward boolean NOT NULL DEFAULT false,
	ADD CONSTRAINT site_with_arming_method UNIQUE (id, arming_method),
	ADD CONSTRAINT site_arming_bridge_only_primary CHECK
		(arming_bridge_id IS NULL OR arming_method = 'panel_primary'),
	ADD CONSTRAINT site_entry_delay_range CHECK (entry_delay_s BETWEEN 0 AND 3600),
	ADD CONSTRAINT site_exit_delay_range CHECK (exit_delay_s BETWEEN 0 AND 3600),
	ADD CONSTRAINT site_repeat_filter_range CHECK (repeat_filter_s BETWEEN 5 AND 3600),
	ADD CONSTRAINT site_test_interval_range CHECK (test_interval_s BETWEEN 60 AND 3024000),
	ADD CONSTRAINT site_on_test_has_both_ends CHECK
		(num_nonnulls(on_test_since, on_test_until) <> 1 AND on_test_until > on_test_since),
	ADD CONSTRAINT site_on_test_only_active CHECK (on_test_until IS NULL OR state = 'active');
ALTER TABLE tocsin.site
	ALTER COLUMN activation_ends SET DEFAULT now() + interval '30 days';
CREATE INDEX site_on_test ON tocsin.site (on_test_until) WHERE on_test_until IS NOT NULL;
COMMENT ON COLUMN tocsin.site.arming_method IS 'The one authority over the arming state';
COMMENT ON COLUMN tocsin.site.arming_bridge_id IS 'panel_primary: whose arming input decides; NULL: none chosen yet';
COMMENT ON COLUMN tocsin.site.entry_delay_s IS 'Seconds, where a bridge has none of its own';
COMMENT ON COLUMN tocsin.site.exit_delay_s IS 'Seconds, where a bridge has none of its own';
COMMENT ON COLUMN tocsin.site.repeat_filter_s IS 'Seconds, where a channel has none of its own';
COMMENT ON COLUMN tocsin.site.test_interval_s IS 'A test is expected this often, late is E654; NULL: none is expected';
COMMENT ON COLUMN tocsin.site.activation_ends IS 'Until then the first bridge must be registered; without meaning once one is; NULL: no limit';
COMMENT ON COLUMN tocsin.site.on_test_since IS 'When the test began; NULL: not on test';
COMMENT ON COLUMN tocsin.site.on_test_until IS 'When the test ends by itself; a moment that has passed: not on test any more';
COMMENT ON COLUMN tocsin.site.on_test_forward IS 'On test: forwarded marked as test instead of held back';

ALTER TABLE tocsin.dealer
	ADD COLUMN test_maximum_minutes integer NOT NULL DEFAULT 1440,
	ADD CONSTRAINT dealer_test_maximum_range CHECK (test_maximum_minutes BETWEEN 1 AND 43200);
COMMENT ON COLUMN tocsin.dealer.test_maximum_minutes IS 'A site of this dealer may be on test no longer';

-- ---- bridges -----------------------------------------------------------------------

ALTER TABLE tocsin.bridge
	ADD COLUMN has_key boolean NOT NULL GENERATED ALWAYS AS (key IS NOT NULL) STORED,
	ADD COLUMN claim_code_hash bytea,
	ADD COLUMN entry_delay_s smallint,
	ADD COLUMN exit_delay_s smallint,
	ADD COLUMN arming_input_inverted boolean NOT NULL DEFAULT false,
	ADD CONSTRAINT bridge_claim_code_unique UNIQUE (claim_code_hash),
	ADD CONSTRAINT bridge_of_site UNIQUE (site_id, id),
	ADD CONSTRAINT bridge_entry_delay_range CHECK (entry_delay_s BETWEEN 0 AND 3600),
	ADD CONSTRAINT bridge_exit_delay_range CHECK (exit_delay_s BETWEEN 0 AND 3600);
DROP INDEX tocsin.bridge_site; -- bridge_of_site begins with the same column
COMMENT ON COLUMN tocsin.bridge.has_key IS 'Whether it has a key, for those who may not read it';
COMMENT ON COLUMN tocsin.bridge.claim_code_hash IS 'SHA-256 of the claim code on its label (claim_code_hash()); NULL: nobody can claim it';
COMMENT ON COLUMN tocsin.bridge.entry_delay_s IS 'Seconds; NULL: the site''s';
COMMENT ON COLUMN tocsin.bridge.exit_delay_s IS 'Seconds; NULL: the site''s';
COMMENT ON COLUMN tocsin.bridge.arming_input_inverted IS 'A closed arming input means disarmed';

ALTER TABLE tocsin.site ADD CONSTRAINT site_arming_bridge_of_site
	FOREIGN KEY (id, arming_bridge_id) REFERENCES tocsin.bridge (site_id, id);

CREATE TABLE tocsin.bridge_path (
	bridge_id bigint NOT NULL CONSTRAINT bridge_path_bridge_exists
		REFERENCES tocsin.bridge ON DELETE CASCADE,
	path text NOT NULL,
	supervision_class text CONSTRAINT bridge_path_class_known REFERENCES tocsin.supervision_class,
	interval_s integer NOT NULL,
	margin_s integer NOT NULL,
	CONSTRAINT bridge_path_once PRIMARY KEY (bridge_id, path),
	CONSTRAINT bridge_path_known CHECK (path IN ('primary', 'backup')),
	CONSTRAINT bridge_path_interval_range CHECK (interval_s BETWEEN 10 AND 3024000),
	CONSTRAINT bridge_path_margin_range CHECK (margin_s BETWEEN 0 AND 3024000)
);
COMMENT ON TABLE tocsin.bridge_path IS 'Supervision: how long a path of a bridge may be silent; a path without a row is not supervised';
COMMENT ON COLUMN tocsin.bridge_path.bridge_id IS 'Whose path';
COMMENT ON COLUMN tocsin.bridge_path.path IS 'primary or backup';
COMMENT ON COLUMN tocsin.bridge_path.supervision_class IS 'The preset it was taken from; NULL: by hand';
COMMENT ON COLUMN tocsin.bridge_path.interval_s IS 'Seconds within which it signals';
COMMENT ON COLUMN tocsin.bridge_path.margin_s IS 'Seconds that it may be late';

ALTER TABLE tocsin.channel
	ADD COLUMN repeat_filter_s smallint,
	ADD CONSTRAINT channel_repeat_filter_range CHECK (repeat_filter_s BETWEEN 5 AND 3600);
COMMENT ON COLUMN tocsin.channel.repeat_filter_s IS 'Seconds; NULL: the site''s';

CREATE TABLE tocsin.camera (
	id bigint GENERATED BY DEFAULT AS IDENTITY PRIMARY KEY,
	bridge_id bigint NOT NULL,
	channel_id bigint NOT NULL,
	name text NOT NULL,
	model text NOT NULL DEFAULT '',
	mac macaddr,
	address text,
	idle_days smallint,
	created_at timestamptz NOT NULL DEFAULT now(),
	CONSTRAINT camera_channel_of_bridge FOREIGN KEY (bridge_id, channel_id)
		REFERENCES tocsin.channel (bridge_id, id) ON DELETE CASCADE ON UPDATE CASCADE,
	CONSTRAINT camera_channel_has_one UNIQUE (channel_id),
	CONSTRAINT camera_on_one_channel UNIQUE (mac),
	CONSTRAINT camera_address_on_one_channel UNIQUE (bridge_id, address),
	CONSTRAINT camera_name_not_blank CHECK (name ~ '\S'),
	CONSTRAINT camera_address_format CHECK (address ~ '^[0-9A-Za-z_.:\[\]-]{1,253}$'),
	CONSTRAINT camera_is_recognised CHECK (num_nonnulls(mac, address) > 0),
	CONSTRAINT camera_idle_days_range CHECK (idle_days BETWEEN 1 AND 365)
);
COMMENT ON TABLE tocsin.camera IS 'A camera of a bridge: it sits on exactly one channel, and a channel has at most one';
COMMENT ON COLUMN tocsin.camera.bridge_id IS 'Where it is connected';
COMMENT ON COLUMN tocsin.camera.channel_id IS 'On which channel';
COMMENT ON COLUMN tocsin.camera.name IS 'For example Yard, east';
COMMENT ON COLUMN tocsin.camera.model IS 'Maker and type';
COMMENT ON COLUMN tocsin.camera.mac IS 'Of its network interface: how it is recognised anywhere';
COMMENT ON COLUMN tocsin.camera.address IS 'Host and perhaps port in the bridge''s network: how it is recognised there';
COMMENT ON COLUMN tocsin.camera.idle_days IS 'Without a picture for so many days: camera_idle is raised; NULL: never';
COMMENT ON COLUMN tocsin.camera.created_at IS 'When it was entered';

-- ---- partitions --------------------------------------------------------------------

CREATE TABLE tocsin.site_partition (
	id bigint GENERATED BY DEFAULT AS IDENTITY PRIMARY KEY,
	site_id bigint NOT NULL CONSTRAINT site_partition_site_exists
		REFERENCES tocsin.site ON DELETE CASCADE,
	number smallint NOT NULL,
	name text NOT NULL,
	CONSTRAINT site_partition_of_site UNIQUE (site_id, id),
	CONSTRAINT site_partition_number_unique UNIQUE (site_id, number),
	CONSTRAINT site_partition_number_range CHECK (number BETWEEN 1 AND 99),
	CONSTRAINT site_partition_name_not_blank CHECK (name ~ '\S')
);
COMMENT ON TABLE tocsin.site_partition IS 'A group of channels that is armed separately; in a site that has partitions a camera in none raises nothing';
COMMENT ON COLUMN tocsin.site_partition.site_id IS 'Of which site';
COMMENT ON COLUMN tocsin.site_partition.number IS 'In the package, 1 to 99';
COMMENT ON COLUMN tocsin.site_partition.name IS 'For example Warehouse';

CREATE TABLE tocsin.partition_channel (
	site_id bigint NOT NULL,
	partition_id bigint NOT NULL,
	bridge_id bigint NOT NULL,
	channel_id bigint NOT NULL,
	CONSTRAINT partition_channel_once PRIMARY KEY (channel_id),
	CONSTRAINT partition_channel_partition_of_site FOREIGN KEY (site_id, partition_id)
		REFERENCES tocsin.site_partition (site_id, id) ON DELETE CASCADE,
	CONSTRAINT partition_channel_bridge_of_site FOREIGN KEY (site_id, bridge_id)
		REFERENCES tocsin.bridge (site_id, id) ON DELETE CASCADE,
	CONSTRAINT partition_channel_channel_of_bridge FOREIGN KEY (bridge_id, channel_id)
		REFERENCES tocsin.channel (bridge_id, id) ON DELETE CASCADE
);
CREATE INDEX partition_channel_partition ON tocsin.partition_channel (site_id, partition_id);
CREATE INDEX partition_channel_bridge ON tocsin.partition_channel (bridge_id);
COMMENT ON TABLE tocsin.partition_channel IS 'Which partition a channel belongs to: at most one, of the site where its bridge is';
COMMENT ON COLUMN tocsin.partition_channel.site_id IS 'Of the partition and of the bridge';
COMMENT ON COLUMN tocsin.partition_channel.partition_id IS 'Which partition';
COMMENT ON COLUMN tocsin.partition_channel.bridge_id IS 'Of the channel';
COMMENT ON COLUMN tocsin.partition_channel.channel_id IS 'Which channel';

-- What belongs to the old site only must not hold a bridge back.
CREATE FUNCTION tocsin.bridge_leave_site() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = tocsin, pg_temp AS $$
BEGIN
	DELETE FROM partition_channel WHERE bridge_id = OLD.id;
	UPDATE site SET arming_bridge_id = NULL WHERE id = OLD.site_id AND arming_bridge_id = OLD.id;
	RETURN NEW;
END $$;
COMMENT ON FUNCTION tocsin.bridge_leave_site() IS
	'A bridge that leaves its site leaves its partitions and does not arm it any more';
CREATE TRIGGER bridge_leave_site BEFORE UPDATE OF site_id ON tocsin.bridge
	FOR EACH ROW WHEN (OLD.site_id IS NOT NULL AND NEW.site_id IS NULL)
	EXECUTE FUNCTION tocsin.bridge_leave_site();

-- ---- schedules ---------------------------------------------------------------------

CREATE TABLE tocsin.arming_window (
	id bigint GENERATED BY DEFAULT AS IDENTITY PRIMARY KEY,
	site_id bigint NOT NULL,
	arming_method text NOT NULL,
	partition_id bigint,
	week_minutes int4range NOT NULL,
	CONSTRAINT arming_window_site_exists FOREIGN KEY (site_id, arming_method)
		REFERENCES tocsin.site (id, arming_method) ON UPDATE CASCADE ON DELETE CASCADE,
	CONSTRAINT arming_window_partition_of_site FOREIGN KEY (site_id, partition_id)
		REFERENCES tocsin.site_partition (site_id, id) ON DELETE CASCADE,
	CONSTRAINT arming_window_method_has_schedule CHECK (arming_method IN ('video_system', 'schedule')),
	CONSTRAINT arming_window_in_week CHECK (week_minutes <@ int4range(0, 10080) AND NOT isempty(week_minutes)),
	CONSTRAINT arming_window_no_overlap EXCLUDE USING gist (
		int8range(site_id, site_id, '[]') WITH &&,
		int8range(coalesce(partition_id, 0), coalesce(partition_id, 0), '[]') WITH &&,
		week_minutes WITH &&)
);
COMMENT ON TABLE tocsin.arming_window IS 'Weekly schedule: armed in these minutes, disarmed in all others';
COMMENT ON COLUMN tocsin.arming_window.site_id IS 'Of which site';
COMMENT ON COLUMN tocsin.arming_window.arming_method IS 'The site''s: a method without schedule has no windows';
COMMENT ON COLUMN tocsin.arming_window.partition_id IS 'Which partition; NULL: the whole site';
COMMENT ON COLUMN tocsin.arming_window.week_minutes IS 'From Monday 00:00 of the site''s clock, [begin, end); a window over the end of the week is two rows';

CREATE TABLE tocsin.arming_exception (
	id bigint GENERATED BY DEFAULT AS IDENTITY PRIMARY KEY,
	site_id bigint NOT NULL,
	arming_method text NOT NULL,
	partition_id bigint,
	during tsrange NOT NULL,
	armed boolean NOT NULL,
	note text NOT NULL DEFAULT '',
	CONSTRAINT arming_exception_site_exists FOREIGN KEY (site_id, arming_method)
		REFERENCES tocsin.site (id, arming_method) ON UPDATE CASCADE ON DELETE CASCADE,
	CONSTRAINT arming_exception_partition_of_site FOREIGN KEY (site_id, partition_id)
		REFERENCES tocsin.site_partition (site_id, id) ON DELETE CASCADE,
	CONSTRAINT arming_exception_method_has_schedule CHECK (arming_method IN ('video_system', 'schedule')),
	CONSTRAINT arming_exception_has_ends CHECK (NOT isempty(during) AND
		NOT lower_inf(during) AND NOT upper_inf(during)),
	CONSTRAINT arming_exception_no_overlap EXCLUDE USING gist (
		int8range(site_id, site_id, '[]') WITH &&,
		int8range(coalesce(partition_id, 0), coalesce(partition_id, 0), '[]') WITH &&,
		during WITH &&)
);
COMMENT ON TABLE tocsin.arming_exception IS 'Holidays and the like: armed or disarmed all through, whatever the weekly schedule says';
COMMENT ON COLUMN tocsin.arming_exception.site_id IS 'Of which site';
COMMENT ON COLUMN tocsin.arming_exception.arming_method IS 'The site''s: a method without schedule has no exceptions';
COMMENT ON COLUMN tocsin.arming_exception.partition_id IS 'Which partition; NULL: the whole site';
COMMENT ON COLUMN tocsin.arming_exception.during IS 'By the site''s clock';
COMMENT ON COLUMN tocsin.arming_exception.armed IS 'The state during it';
COMMENT ON COLUMN tocsin.arming_exception.note IS 'Why, for people';

-- the method of the site need not be repeated by who enters a window
CREATE FUNCTION tocsin.arming_take_method() RETURNS trigger
LANGUAGE plpgsql SET search_path = tocsin, pg_temp AS $$
BEGIN
	-- a site that is not there is refused by the foreign key
	NEW.arming_method := coalesce(NEW.arming_method,
		(SELECT s.arming_method FROM site s WHERE s.id = NEW.site_id), 'schedule');
	RETURN NEW;
END $$;
COMMENT ON FUNCTION tocsin.arming_take_method() IS 'Windows and exceptions name their site''s arming method';
CREATE TRIGGER arming_take_method BEFORE INSERT ON tocsin.arming_window
	FOR EACH ROW EXECUTE FUNCTION tocsin.arming_take_method();
CREATE TRIGGER arming_take_method BEFORE INSERT ON tocsin.arming_exception
	FOR EACH ROW EXECUTE FUNCTION tocsin.arming_take_method();

-- ---- contacts -------------------------------------------------------------------------

CREATE TABLE tocsin.contact (
	id bigint GENERATED BY DEFAULT AS IDENTITY PRIMARY KEY,
	site_id bigint NOT NULL CONSTRAINT contact_site_exists REFERENCES tocsin.site ON DELETE CASCADE,
	name text NOT NULL,
	title text NOT NULL DEFAULT '',
	phone text,
	email text,
	slot smallint,
	created_at timestamptz NOT NULL DEFAULT now(),
	CONSTRAINT contact_name_not_blank CHECK (name ~ '\S'),
	CONSTRAINT contact_phone_format CHECK (phone ~ '^\+?[0-9][0-9 ()./-]{1,30}[0-9]$'),
	CONSTRAINT contact_email_format CHECK (email ~ '^[^@\s]+@[^@\s]+\.[^@\s]+$' AND length(email) <= 254),
	CONSTRAINT contact_reachable CHECK (num_nonnulls(phone, email) > 0),
	CONSTRAINT contact_slot_unique UNIQUE (site_id, slot),
	CONSTRAINT contact_slot_range CHECK (slot BETWEEN 1 AND 999)
);
COMMENT ON TABLE tocsin.contact IS 'Whom the monitoring station calls';
COMMENT ON COLUMN tocsin.contact.site_id IS 'Of which site';
COMMENT ON COLUMN tocsin.contact.name IS 'Of the person';
COMMENT ON COLUMN tocsin.contact.title IS 'For example Owner, Key holder';
COMMENT ON COLUMN tocsin.contact.phone IS 'As dialled';
COMMENT ON COLUMN tocsin.contact.email IS 'Address';
COMMENT ON COLUMN tocsin.contact.slot IS 'Number in the station''s programming, goes into the package; NULL: none';
COMMENT ON COLUMN tocsin.contact.created_at IS 'When it was entered';

-- ---- alarm library for system events ---------------------------------------------------

ALTER TABLE tocsin.alarm_library
	ADD COLUMN channel_id bigint CONSTRAINT alarm_library_channel_exists
		REFERENCES tocsin.channel ON DELETE CASCADE,
	ADD COLUMN system_event text CONSTRAINT alarm_library_system_event_exists
		REFERENCES tocsin.system_event,
	DROP CONSTRAINT alarm_library_one_owner,
	DROP CONSTRAINT alarm_library_one_subject,
	DROP CONSTRAINT alarm_library_once,
	ADD CONSTRAINT alarm_library_one_owner CHECK (num_nonnulls(dealer_id, site_id, channel_id) = 1),
	ADD CONSTRAINT alarm_library_one_subject CHECK (num_nonnulls(zone_type, inbound_code, system_event) = 1),
	ADD CONSTRAINT alarm_library_channel_only_events CHECK (channel_id IS NULL OR system_event IS NOT NULL),
	ADD CONSTRAINT alarm_library_once UNIQUE NULLS NOT DISTINCT
		(dealer_id, site_id, channel_id, zone_type, inbound_code, system_event);
CREATE INDEX alarm_library_channel ON tocsin.alarm_library (channel_id) WHERE channel_id IS NOT NULL;
COMMENT ON COLUMN tocsin.alarm_library.channel_id IS 'This channel only; system events alone, as a channel''s own alarm is set in channel.enabled and code';
COMMENT ON COLUMN tocsin.alarm_library.system_event IS 'About this system event; before a row about its code at the same level';

-- the daemon's structs have no room for these rows yet
CREATE OR REPLACE VIEW tocsin.directory_library AS
	SELECT 'dealer' AS owner, dealer_id AS owner_id, coalesce(zone_type, 0) AS zone_type,
		coalesce(inbound_code, '') AS inbound_code, enabled, coalesce(code, '') AS code
	FROM tocsin.alarm_library WHERE dealer_id IS NOT NULL AND system_event IS NULL
	UNION ALL
	SELECT 'site', site_id, coalesce(zone_type, 0), coalesce(inbound_code, ''), enabled,
		coalesce(code, '')
	FROM tocsin.alarm_library WHERE site_id IS NOT NULL AND system_event IS NULL;

-- at one level a row about the event comes before one about its code, whose
-- system_event is NULL and so the last
CREATE VIEW tocsin.effective_system_event AS
	SELECT o.site_id, o.channel_id, e.name AS system_event, e.description, e.qualifier, e.zone_field,
		coalesce(lc.enabled, ls.enabled, ld.enabled, e.enabled) AS enabled,
		CASE WHEN lc.enabled IS NOT NULL THEN 'channel'
			WHEN ls.enabled IS NOT NULL THEN 'site'
			WHEN ld.enabled IS NOT NULL THEN 'dealer'
			ELSE 'built-in' END AS enabled_level,
		coalesce(lc.code, ls.code, ld.code, e.code) AS code,
		CASE WHEN lc.code IS NOT NULL THEN 'channel'
			WHEN ls.code IS NOT NULL THEN 'site'
			WHEN ld.code IS NOT NULL THEN 'dealer'
			ELSE 'built-in' END AS code_level
	FROM (
		SELECT s.id AS site_id, s.dealer_id, NULL::bigint AS channel_id FROM tocsin.site s
		UNION ALL
		SELECT s.id, s.dealer_id, c.id FROM tocsin.site s
		JOIN tocsin.bridge b ON b.site_id = s.id
		JOIN tocsin.channel c ON c.bridge_id = b.id) o
	CROSS JOIN tocsin.system_event e
	LEFT JOIN tocsin.alarm_library lc ON lc.channel_id = o.channel_id AND lc.system_event = e.name
	LEFT JOIN LATERAL (
		SELECT (array_agg(l.enabled ORDER BY l.system_event) FILTER (WHERE l.enabled IS NOT NULL))[1] AS enabled,
			(array_agg(l.code ORDER BY l.system_event) FILTER (WHERE l.code IS NOT NULL))[1] AS code
		FROM tocsin.alarm_library l
		WHERE l.site_id = o.site_id AND (l.system_event = e.name OR l.inbound_code = e.code)) ls ON true
	LEFT JOIN LATERAL (
		SELECT (array_agg(l.enabled ORDER BY l.system_event) FILTER (WHERE l.enabled IS NOT NULL))[1] AS enabled,
			(array_agg(l.code ORDER BY l.system_event) FILTER (WHERE l.code IS NOT NULL))[1] AS code
		FROM tocsin.alarm_library l
		WHERE l.dealer_id = o.dealer_id AND (l.system_event = e.name OR l.inbound_code = e.code)) ld ON true
	WHERE o.channel_id IS NULL OR e.zone_field = 'camera';
COMMENT ON VIEW tocsin.effective_system_event IS
	'System events with the first level that sets enabled and code: channel (events about a camera), site, dealer, built-in. channel_id NULL: of the site';

-- ---- templates -------------------------------------------------------------------------

CREATE TABLE tocsin.site_template (
	id bigint GENERATED BY DEFAULT AS IDENTITY PRIMARY KEY,
	dealer_id bigint NOT NULL CONSTRAINT site_template_dealer_exists REFERENCES tocsin.dealer,
	name text NOT NULL,
	station_record_id bigint,
	timezone text CONSTRAINT site_template_timezone_known REFERENCES tocsin.timezone,
	arming_method text CONSTRAINT site_template_arming_method_known REFERENCES tocsin.arming_method,
	entry_delay_s smallint,
	exit_delay_s smallint,
	repeat_filter_s smallint,
	test_interval_s integer,
	created_at timestamptz NOT NULL DEFAULT now(),
	CONSTRAINT site_template_name_not_blank CHECK (name ~ '\S'),
	CONSTRAINT site_template_name_unique UNIQUE (dealer_id, name),
	CONSTRAINT site_template_station_of_dealer FOREIGN KEY (dealer_id, station_record_id)
		REFERENCES tocsin.station_record (dealer_id, id),
	CONSTRAINT site_template_entry_delay_range CHECK (entry_delay_s BETWEEN 0 AND 3600),
	CONSTRAINT site_template_exit_delay_range CHECK (exit_delay_s BETWEEN 0 AND 3600),
	CONSTRAINT site_template_repeat_filter_range CHECK (repeat_filter_s BETWEEN 5 AND 3600),
	CONSTRAINT site_template_test_interval_range CHECK (test_interval_s BETWEEN 60 AND 3024000)
);
COMMENT ON TABLE tocsin.site_template IS 'What a dealer''s new sites begin with; a site keeps no tie to it';
COMMENT ON COLUMN tocsin.site_template.dealer_id IS 'Whose template';
COMMENT ON COLUMN tocsin.site_template.name IS 'As the dealer calls it';
COMMENT ON COLUMN tocsin.site_template.station_record_id IS 'Who monitors; NULL: not said, as every column below';
COMMENT ON COLUMN tocsin.site_template.timezone IS 'IANA name';
COMMENT ON COLUMN tocsin.site_template.arming_method IS 'The authority over the arming state';
COMMENT ON COLUMN tocsin.site_template.entry_delay_s IS 'Seconds';
COMMENT ON COLUMN tocsin.site_template.exit_delay_s IS 'Seconds';
COMMENT ON COLUMN tocsin.site_template.repeat_filter_s IS 'Seconds';
COMMENT ON COLUMN tocsin.site_template.test_interval_s IS 'Seconds';
COMMENT ON COLUMN tocsin.site_template.created_at IS 'When it was entered';

CREATE TABLE tocsin.site_template_library (
	id bigint GENERATED BY DEFAULT AS IDENTITY PRIMARY KEY,
	template_id bigint NOT NULL CONSTRAINT site_template_library_template_exists
		REFERENCES tocsin.site_template ON DELETE CASCADE,
	zone_type smallint CONSTRAINT site_template_library_zone_type_exists REFERENCES tocsin.zone_type,
	inbound_code text,
	system_event text CONSTRAINT site_template_library_system_event_exists REFERENCES tocsin.system_event,
	enabled boolean,
	code text,
	CONSTRAINT site_template_library_one_subject CHECK (num_nonnulls(zone_type, inbound_code, system_event) = 1),
	CONSTRAINT site_template_library_says_something CHECK (num_nonnulls(enabled, code) > 0),
	CONSTRAINT site_template_library_once UNIQUE NULLS NOT DISTINCT
		(template_id, zone_type, inbound_code, system_event),
	CONSTRAINT site_template_library_inbound_code_format CHECK (inbound_code ~ '^([0-9A-F]{3}|[A-Z]{2})$'),
	CONSTRAINT site_template_library_code_format CHECK (code ~
		CASE WHEN inbound_code ~ '^[A-Z]{2}$' THEN '^[A-Z]{2}$' ELSE '^[0-9A-F]{3}$' END)
);
COMMENT ON TABLE tocsin.site_template_library IS 'alarm_library rows that a template gives its sites';
COMMENT ON COLUMN tocsin.site_template_library.template_id IS 'Of which template';
COMMENT ON COLUMN tocsin.site_template_library.zone_type IS 'As in alarm_library, and so are the columns below';
COMMENT ON COLUMN tocsin.site_template_library.inbound_code IS 'As in alarm_library';
COMMENT ON COLUMN tocsin.site_template_library.system_event IS 'As in alarm_library';
COMMENT ON COLUMN tocsin.site_template_library.enabled IS 'As in alarm_library';
COMMENT ON COLUMN tocsin.site_template_library.code IS 'As in alarm_library';

-- ---- further destinations ----------------------------------------------------------------

CREATE TABLE tocsin.site_destination (
	id bigint GENERATED BY DEFAULT AS IDENTITY PRIMARY KEY,
	site_id bigint NOT NULL CONSTRAINT site_destination_site_exists
		REFERENCES tocsin.site ON DELETE CASCADE,
	station_record_id bigint NOT NULL CONSTRAINT site_destination_station_exists
		REFERENCES tocsin.station_record,
	account_number text NOT NULL,
	reference_id text,
	CONSTRAINT site_destination_of_site UNIQUE (site_id, id),
	CONSTRAINT site_destination_once UNIQUE (site_id, station_record_id),
	CONSTRAINT site_destination_account_format CHECK (account_number ~ '^[0-9A-Z]{1,16}$'),
	CONSTRAINT site_destination_reference_id_format CHECK (reference_id ~ '^[!-~]{1,64}$')
);
CREATE INDEX site_destination_station ON tocsin.site_destination (station_record_id);
COMMENT ON TABLE tocsin.site_destination IS 'A further monitoring station of a site, beside the one that the site names';
COMMENT ON COLUMN tocsin.site_destination.site_id IS 'Whose signals';
COMMENT ON COLUMN tocsin.site_destination.station_record_id IS 'Through which station record of the same dealer';
COMMENT ON COLUMN tocsin.site_destination.account_number IS 'At that station, without prefix';
COMMENT ON COLUMN tocsin.site_destination.reference_id IS 'Second identifier there';

CREATE TABLE tocsin.site_destination_rule (
	id bigint GENERATED BY DEFAULT AS IDENTITY PRIMARY KEY,
	site_id bigint NOT NULL,
	destination_id bigint NOT NULL,
	code_class text CONSTRAINT site_destination_rule_class_known REFERENCES tocsin.code_class,
	partition_id bigint,
	weekdays smallint NOT NULL DEFAULT 127,
	from_time time,
	until_time time,
	CONSTRAINT site_destination_rule_destination_of_site FOREIGN KEY (site_id, destination_id)
		REFERENCES tocsin.site_destination (site_id, id) ON DELETE CASCADE,
	CONSTRAINT site_destination_rule_partition_of_site FOREIGN KEY (site_id, partition_id)
		REFERENCES tocsin.site_partition (site_id, id) ON DELETE CASCADE,
	CONSTRAINT site_destination_rule_once UNIQUE NULLS NOT DISTINCT
		(destination_id, code_class, partition_id, weekdays, from_time, until_time),
	CONSTRAINT site_destination_rule_weekdays_range CHECK (weekdays BETWEEN 1 AND 127),
	CONSTRAINT site_destination_rule_time_has_both_ends CHECK
		(num_nonnulls(from_time, until_time) <> 1 AND from_time <> until_time)
);
CREATE INDEX site_destination_rule_partition ON tocsin.site_destination_rule (site_id, partition_id);
COMMENT ON TABLE tocsin.site_destination_rule IS 'When a destination gets an event: when any of its rules fits; a destination without rules gets every one';
COMMENT ON COLUMN tocsin.site_destination_rule.site_id IS 'The destination''s';
COMMENT ON COLUMN tocsin.site_destination_rule.destination_id IS 'Which destination';
COMMENT ON COLUMN tocsin.site_destination_rule.code_class IS 'Only events of this class; NULL: any';
COMMENT ON COLUMN tocsin.site_destination_rule.partition_id IS 'Only events of this partition; NULL: any';
COMMENT ON COLUMN tocsin.site_destination_rule.weekdays IS 'Bits: 1 Monday, 2 Tuesday ... 64 Sunday, by the site''s clock';
COMMENT ON COLUMN tocsin.site_destination_rule.from_time IS 'By the site''s clock; NULL with until_time: all day';
COMMENT ON COLUMN tocsin.site_destination_rule.until_time IS 'Not included; before from_time: of the next day';

CREATE FUNCTION tocsin.site_destination_check_dealer() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = tocsin, pg_temp AS $$
DECLARE
	wrong boolean;
BEGIN
	IF TG_TABLE_NAME = 'site' THEN
		wrong := EXISTS (SELECT FROM site_destination WHERE site_id = NEW.id);
	ELSIF TG_TABLE_NAME = 'station_record' THEN
		wrong := EXISTS (SELECT FROM site_destination WHERE station_record_id = NEW.id);
	ELSE
		-- holds a change of either dealer back until we are done
		PERFORM FROM site WHERE id = NEW.site_id FOR SHARE;
		PERFORM FROM station_record WHERE id = NEW.station_record_id FOR SHARE;
		wrong := EXISTS (SELECT FROM site s JOIN station_record r ON r.id = NEW.station_record_id
			WHERE s.id = NEW.site_id AND s.dealer_id <> r.dealer_id);
	END IF;
	IF wrong THEN
		RAISE EXCEPTION 'a further destination of a site is a station of its own dealer'
			USING ERRCODE = 'check_violation',
			CONSTRAINT = 'site_destination_station_of_dealer', TABLE = 'site_destination';
	END IF;
	RETURN NULL;
END $$;
COMMENT ON FUNCTION tocsin.site_destination_check_dealer() IS 'site_destination_station_of_dealer';
CREATE TRIGGER site_destination_check_dealer AFTER INSERT OR UPDATE ON tocsin.site_destination
	FOR EACH ROW EXECUTE FUNCTION tocsin.site_destination_check_dealer();
CREATE TRIGGER site_destination_check_dealer AFTER UPDATE OF dealer_id ON tocsin.site
	FOR EACH ROW WHEN (OLD.dealer_id <> NEW.dealer_id)
	EXECUTE FUNCTION tocsin.site_destination_check_dealer();
CREATE TRIGGER site_destination_check_dealer AFTER UPDATE OF dealer_id ON tocsin.station_record
	FOR EACH ROW WHEN (OLD.dealer_id <> NEW.dealer_id)
	EXECUTE FUNCTION tocsin.site_destination_check_dealer();
