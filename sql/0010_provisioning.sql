-- What tocsinctl and the portal call, so that both have the same rules. Each
-- function is one step for its user: it does all of it or nothing.
--
--   site_create(...) -> site id           the creation wizard: site, template, library, contacts
--   site_deactivate(site)                 acknowledge and log, forward nothing; the number is free
--   site_reactivate(site)                 refused when somebody else has the number now
--   site_test_start(site, minutes, forward) -> until;  site_test_stop(site)
--   site_arming_set(site, method, bridge) the one authority over the arming state
--   arming_window_add(site, weekdays, from, until, partition) -> rows of the weekly schedule
--   site_launch_url(site, zone) -> url;   site_find_by_url(url) -> sites
--   station_record_save(id, ...) -> id    with the receiver's passkey
--   bridge_claim_code_new(bridge) -> code shown once, kept as a hash
--   bridge_register(claim code, site, firmware) -> bridge id
--   bridge_assign(bridge, site, firmware) the same by the installation's own people, without code
--   bridge_transfer(bridge, site, firmware);  bridge_unregister(bridge)
--   bridge_supervise(bridge, class)       a preset of EN 50136, NULL: not supervised
--   session_*(), user_*()                 0008_users.sql
--   audit_verify()                        0009_audit.sql
--   import_rows(kind, rows)               0014_bulk.sql
--
--   site_overview, site_warning, effective_library, site_bridge: views for people
--
-- A refusal is an error whose constraint name is a contract and whose message
-- is a sentence for people.

CREATE FUNCTION tocsin.refuse(constraint_name text, sentence text) RETURNS void
LANGUAGE plpgsql AS $$
BEGIN
	RAISE EXCEPTION USING ERRCODE = 'check_violation', CONSTRAINT = constraint_name, MESSAGE = sentence;
END $$;
COMMENT ON FUNCTION tocsin.refuse(text, text) IS 'Raise a refusal';

-- ---- bridges -----------------------------------------------------------------------

-- the plain way, by who may write the column
CREATE OR REPLACE FUNCTION tocsin.bridge_refuse_second_claim() RETURNS trigger
LANGUAGE plpgsql SET search_path = tocsin, pg_temp AS $$
BEGIN
	RAISE EXCEPTION 'bridge % is registered at site %: it must be unregistered or transferred there first',
		coalesce(OLD.serial, OLD.id::text), OLD.site_id
		USING ERRCODE = 'check_violation',
		CONSTRAINT = 'bridge_registered_elsewhere', TABLE = 'bridge';
END $$;

CREATE FUNCTION tocsin.claim_code_hash(code text) RETURNS bytea
LANGUAGE sql IMMUTABLE STRICT AS $$
	SELECT sha256(convert_to(upper(regexp_replace(code, '[^0-9A-Za-z]', '', 'g')), 'UTF8'))
$$;
COMMENT ON FUNCTION tocsin.claim_code_hash(text) IS
	'bridge.claim_code_hash; small letters, blanks and dashes do not count';

CREATE FUNCTION tocsin.bridge_claim_code_new(bridge_id bigint) RETURNS text
LANGUAGE plpgsql SECURITY DEFINER SET search_path = tocsin, pg_temp AS $$
DECLARE
	letters constant text := '0123456789ABCDEFGHJKMNPQRSTVWXYZ';
	random constant bytea := random_secret(12);
	code text := '';
BEGIN
	FOR i IN 0..11 LOOP
		code := code || CASE WHEN i IN (4, 8) THEN '-' ELSE '' END
			|| substr(letters, get_byte(random, i) % 32 + 1, 1);
	END LOOP;
	UPDATE bridge SET claim_code_hash = claim_code_hash(code) WHERE id = bridge_id;
	IF NOT FOUND THEN
		PERFORM refuse('bridge_exists', format('there is no bridge %s', bridge_id));
	END IF;
	RETURN code;
END $$;
COMMENT ON FUNCTION tocsin.bridge_claim_code_new(bigint) IS
	'A new claim code for the label, 60 random bits; the old one is void. Only its hash is kept';

CREATE FUNCTION tocsin.bridge_require_firmware(bridge tocsin.bridge, firmware text) RETURNS void
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = tocsin, pg_temp AS $$
DECLARE
	wanted text := (SELECT m.version FROM firmware_minimum m WHERE m.model IN (bridge.model, '')
		ORDER BY m.model DESC LIMIT 1);
BEGIN
	IF firmware_parts(firmware) < firmware_parts(wanted) THEN
		PERFORM refuse('bridge_firmware_too_old', format(
			'bridge %s has firmware %s, at least %s is needed: update the bridge, then try again',
			coalesce(bridge.serial, bridge.id::text),
			coalesce(nullif(firmware, ''), 'of unknown version'), wanted));
	END IF;
END $$;
COMMENT ON FUNCTION tocsin.bridge_require_firmware(tocsin.bridge, text) IS 'bridge_firmware_too_old: the firmware gate';

-- The caller has checked that the session may use both.
CREATE FUNCTION tocsin.bridge_place(bridge tocsin.bridge, site_id bigint, firmware text) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = tocsin, pg_temp AS $$
DECLARE
	place site;
BEGIN
	IF bridge.site_id IS NOT NULL THEN
		PERFORM refuse('bridge_registered_elsewhere', format('bridge %s is registered already%s: '
			'it must be unregistered or transferred there first', coalesce(bridge.serial, bridge.id::text),
			CASE WHEN session_sees_site(bridge.site_id) THEN format(' at site %s "%s"', bridge.site_id,
				(SELECT s.name FROM site s WHERE s.id = bridge.site_id)) ELSE '' END));
	END IF;
	PERFORM bridge_require_firmware(bridge, coalesce(firmware, bridge.firmware));
	SELECT * INTO place FROM site s WHERE s.id = bridge_place.site_id FOR SHARE;
	IF place.activation_ends < now() AND NOT EXISTS (
		SELECT FROM bridge b WHERE b.site_id = place.id) THEN
		PERFORM refuse('site_activation_open', format('site %s "%s" had to be activated by %s: '
			'give it more time (activation_ends) first', place.id, place.name,
			to_char(place.activation_ends AT TIME ZONE place.timezone, 'YYYY-MM-DD HH24:MI')));
	END IF;
	UPDATE bridge b SET site_id = place.id, firmware = coalesce(bridge_place.firmware, b.firmware)
		WHERE b.id = bridge.id;
	UPDATE site s SET arming_bridge_id = bridge.id
		WHERE s.id = place.id AND s.arming_method = 'panel_primary' AND s.arming_bridge_id IS NULL;
END $$;
COMMENT ON FUNCTION tocsin.bridge_place(tocsin.bridge, bigint, text) IS
	'Register at a site: bridge_registered_elsewhere, bridge_firmware_too_old, site_activation_open. The first bridge of a panel_primary site arms it';

CREATE FUNCTION tocsin.bridge_register(claim_code text, site_id bigint, firmware text DEFAULT NULL)
RETURNS bigint
LANGUAGE plpgsql SECURITY DEFINER SET search_path = tocsin, pg_temp AS $$
DECLARE
	claimed bridge;
BEGIN
	PERFORM session_require_site(site_id);
	SELECT * INTO claimed FROM bridge b WHERE b.claim_code_hash = claim_code_hash(claim_code) FOR UPDATE;
	IF NOT FOUND THEN
		PERFORM refuse('bridge_claim_code_known',
			'no bridge has this claim code: compare it with the label of the bridge');
	END IF;
	PERFORM bridge_place(claimed, site_id, firmware);
	RETURN claimed.id;
END $$;
COMMENT ON FUNCTION tocsin.bridge_register(text, bigint, text) IS
	'Who has the claim code and a site registers the bridge there; firmware as the bridge told it, NULL: as stored. Returns its id';

CREATE FUNCTION tocsin.bridge_assign(bridge_id bigint, site_id bigint, firmware text DEFAULT NULL)
RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = tocsin, pg_temp AS $$
DECLARE
	assigned bridge;
BEGIN
	PERFORM session_require_site(site_id);
	SELECT * INTO assigned FROM bridge b WHERE b.id = bridge_id AND NOT session_is_tenant() FOR UPDATE;
	IF NOT FOUND THEN
		PERFORM refuse('bridge_exists', format('there is no bridge %s', bridge_id));
	END IF;
	PERFORM bridge_place(assigned, site_id, firmware);
END $$;
COMMENT ON FUNCTION tocsin.bridge_assign(bigint, bigint, text) IS
	'bridge_register without a claim code, for sessions that serve no dealer';

CREATE FUNCTION tocsin.bridge_take(bridge_id bigint) RETURNS tocsin.bridge
LANGUAGE plpgsql SECURITY DEFINER SET search_path = tocsin, pg_temp AS $$
DECLARE
	taken bridge;
BEGIN
	SELECT * INTO taken FROM bridge b WHERE b.id = bridge_id FOR UPDATE;
	IF NOT FOUND OR (session_is_tenant() AND (taken.site_id IS NULL OR NOT session_sees_site(taken.site_id))) THEN
		PERFORM refuse('bridge_exists', format('there is no bridge %s', bridge_id));
	END IF;
	IF taken.site_id IS NULL THEN
		PERFORM refuse('bridge_is_registered', format('bridge %s is registered nowhere: register it instead',
			coalesce(taken.serial, taken.id::text)));
	END IF;
	PERFORM session_require_site(taken.site_id);
	RETURN taken;
END $$;
COMMENT ON FUNCTION tocsin.bridge_take(bigint) IS
	'The bridge, locked: bridge_exists, bridge_is_registered, site_exists';

CREATE FUNCTION tocsin.bridge_unregister(bridge_id bigint) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = tocsin, pg_temp AS $$
DECLARE
	taken bridge := bridge_take(bridge_id);
BEGIN
	UPDATE bridge b SET site_id = NULL WHERE b.id = taken.id;
END $$;
COMMENT ON FUNCTION tocsin.bridge_unregister(bigint) IS
	'Its later signals are logged as unregistered and not forwarded; history and queued deliveries stay as they are';

CREATE FUNCTION tocsin.bridge_transfer(bridge_id bigint, site_id bigint, firmware text DEFAULT NULL)
RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = tocsin, pg_temp AS $$
DECLARE
	taken bridge := bridge_take(bridge_id);
BEGIN
	PERFORM session_require_site(site_id);
	PERFORM bridge_require_firmware(taken, coalesce(firmware, taken.firmware));
	IF taken.site_id = bridge_transfer.site_id THEN
		PERFORM refuse('bridge_transfer_elsewhere', format('bridge %s is at site %s already',
			coalesce(taken.serial, taken.id::text), site_id));
	END IF;
	UPDATE bridge b SET site_id = NULL WHERE b.id = taken.id;
	taken.site_id := NULL;
	PERFORM bridge_place(taken, site_id, firmware);
END $$;
COMMENT ON FUNCTION tocsin.bridge_transfer(bigint, bigint, text) IS
	'Firmware gate, unregister, register at another site, in one step; deliveries that are queued keep the old account';

CREATE FUNCTION tocsin.bridge_supervise(bridge_id bigint, supervision_class text) RETURNS void
LANGUAGE plpgsql SET search_path = tocsin, pg_temp AS $$
DECLARE
	preset supervision_class;
BEGIN
	DELETE FROM bridge_path p WHERE p.bridge_id = $1;
	IF $2 IS NULL THEN
		RETURN;
	END IF;
	SELECT * INTO preset FROM supervision_class c WHERE c.name = upper($2);
	IF NOT FOUND THEN
		PERFORM refuse('bridge_path_class_known', format('there is no supervision class %s: it is one of %s', $2,
			(SELECT string_agg(c.name, ', ' ORDER BY c.name) FROM supervision_class c)));
	END IF;
	INSERT INTO bridge_path (bridge_id, path, supervision_class, interval_s, margin_s)
		SELECT $1, p.path, preset.name, p.interval_s, greatest(5, p.interval_s / 10)
		FROM (VALUES ('primary', preset.primary_interval_s), ('backup', preset.backup_interval_s))
			AS p (path, interval_s)
		WHERE p.interval_s IS NOT NULL;
END $$;
COMMENT ON FUNCTION tocsin.bridge_supervise(bigint, text) IS
	'Supervise its paths as a preset says, with a tenth of the interval as margin; NULL: not at all';

-- ---- sites -------------------------------------------------------------------------

CREATE FUNCTION tocsin.site_create(
	dealer_id bigint,
	name text,
	timezone text DEFAULT NULL,
	address1 text DEFAULT NULL,
	address2 text DEFAULT NULL,
	city text DEFAULT NULL,
	region text DEFAULT NULL,
	postal_code text DEFAULT NULL,
	country text DEFAULT NULL,
	latitude double precision DEFAULT NULL,
	longitude double precision DEFAULT NULL,
	external_id text DEFAULT NULL,
	station_record_id bigint DEFAULT NULL,
	account_number text DEFAULT NULL,
	reference_id text DEFAULT NULL,
	arming_method text DEFAULT NULL,
	template_id bigint DEFAULT NULL,
	library jsonb DEFAULT NULL,
	contacts jsonb DEFAULT NULL) RETURNS bigint
LANGUAGE plpgsql SET search_path = tocsin, pg_temp AS $$
#variable_conflict use_column
DECLARE
	template site_template;
	created bigint;
BEGIN
	IF NOT EXISTS (SELECT FROM dealer d WHERE d.id = site_create.dealer_id) THEN
		PERFORM refuse('site_dealer_exists', format('there is no dealer %s', site_create.dealer_id));
	END IF;
	IF site_create.template_id IS NOT NULL THEN
		SELECT * INTO template FROM site_template t
			WHERE t.id = site_create.template_id AND t.dealer_id = site_create.dealer_id;
		IF NOT FOUND THEN
			PERFORM refuse('site_template_of_dealer', format('this dealer has no template %s',
				site_create.template_id));
		END IF;
	END IF;
	IF coalesce(site_create.name, '') !~ '\S' THEN
		PERFORM refuse('site_name_not_blank', 'a site needs a name');
	END IF;
	IF coalesce(site_create.timezone, template.timezone) IS NULL THEN
		PERFORM refuse('site_timezone_needed', 'a site needs its time zone, such as Europe/Athens');
	END IF;
	INSERT INTO site (dealer_id, name, timezone, address1, address2, city, region, postal_code,
		country, latitude, longitude, external_id, station_record_id, account_number, reference_id,
		arming_method, entry_delay_s, exit_delay_s, repeat_filter_s, test_interval_s)
		VALUES (site_create.dealer_id, site_create.name,
			coalesce(site_create.timezone, template.timezone),
			coalesce(site_create.address1, ''), coalesce(site_create.address2, ''),
			coalesce(site_create.city, ''), coalesce(site_create.region, ''),
			coalesce(site_create.postal_code, ''), coalesce(site_create.country, ''),
			site_create.latitude, site_create.longitude, site_create.external_id,
			-- a number without a station is one for the template's
			coalesce(site_create.station_record_id,
				CASE WHEN site_create.account_number <> '' THEN template.station_record_id END),
			upper(nullif(site_create.account_number, '')), nullif(site_create.reference_id, ''),
			coalesce(site_create.arming_method, template.arming_method, 'always'),
			coalesce(template.entry_delay_s, 60), coalesce(template.exit_delay_s, 60),
			coalesce(template.repeat_filter_s, 20), template.test_interval_s)
		RETURNING id INTO created;
	INSERT INTO alarm_library (site_id, zone_type, inbound_code, system_event, enabled, code)
		SELECT created, l.zone_type, upper(l.inbound_code), l.system_event, l.enabled, upper(l.code)
		FROM jsonb_to_recordset(coalesce(library, '[]')) AS l (zone_type smallint, inbound_code text,
			system_event text, enabled boolean, code text)
		WHERE num_nonnulls(l.enabled, l.code) > 0;
	INSERT INTO alarm_library (site_id, zone_type, inbound_code, system_event, enabled, code)
		SELECT created, l.zone_type, l.inbound_code, l.system_event, l.enabled, l.code
		FROM site_template_library l WHERE l.template_id = site_create.template_id
		-- each of the two values by itself: what was said here, else the template's
		ON CONFLICT ON CONSTRAINT alarm_library_once DO UPDATE SET
			enabled = coalesce(alarm_library.enabled, EXCLUDED.enabled),
			code = coalesce(alarm_library.code, EXCLUDED.code);
	INSERT INTO contact (site_id, name, title, phone, email, slot)
		SELECT created, c.name, coalesce(c.title, ''), nullif(c.phone, ''), nullif(c.email, ''), c.slot
		FROM jsonb_to_recordset(coalesce(contacts, '[]')) AS c (name text, title text, phone text,
			email text, slot smallint);
	RETURN created;
END $$;
COMMENT ON FUNCTION tocsin.site_create(bigint, text, text, text, text, text, text, text, text, double precision, double precision, text, bigint, text, text, text, bigint, jsonb, jsonb) IS
	'The creation wizard. library: [{"zone_type" or "inbound_code" or "system_event", "enabled", "code"}], differences from the dealer''s; contacts: [{"name", "title", "phone", "email", "slot"}]. What is not given comes from the template. Returns the site''s id';

CREATE FUNCTION tocsin.site_deactivate(site_id bigint) RETURNS void
LANGUAGE plpgsql SET search_path = tocsin, pg_temp AS $$
BEGIN
	PERFORM session_require_site(site_id);
	UPDATE site SET state = 'inactive', on_test_since = NULL, on_test_until = NULL
		WHERE id = $1 AND state <> 'inactive';
END $$;
COMMENT ON FUNCTION tocsin.site_deactivate(bigint) IS
	'Signals are acknowledged and logged as site_inactive, not forwarded; programming is kept, the account number is free';

CREATE FUNCTION tocsin.site_reactivate(site_id bigint) RETURNS void
LANGUAGE plpgsql SET search_path = tocsin, pg_temp AS $$
BEGIN
	PERFORM session_require_site(site_id);
	UPDATE site SET state = 'active' WHERE id = $1 AND state <> 'active';
END $$;
COMMENT ON FUNCTION tocsin.site_reactivate(bigint) IS
	'account_unique_at_receiver when its number was given to another meanwhile';

CREATE FUNCTION tocsin.site_test_start(site_id bigint, minutes integer DEFAULT 60,
	forward boolean DEFAULT false) RETURNS timestamptz
LANGUAGE plpgsql SET search_path = tocsin, pg_temp AS $$
DECLARE
	tested site;
	longest integer;
	since timestamptz;
BEGIN
	PERFORM session_require_site(site_id);
	SELECT * INTO tested FROM site s WHERE s.id = $1 FOR UPDATE;
	SELECT d.test_maximum_minutes INTO longest FROM dealer d WHERE d.id = tested.dealer_id;
	IF tested.state <> 'active' THEN
		PERFORM refuse('site_on_test_only_active', format('site %s is deactivated: reactivate it first', site_id));
	END IF;
	-- a longer test is still the one that began
	since := CASE WHEN tested.on_test_until > now() THEN tested.on_test_since ELSE now() END;
	IF minutes < 1 OR now() + make_interval(mins => minutes) > since + make_interval(mins => longest) THEN
		PERFORM refuse('site_test_length', format('a test of %s minutes: it may last 1 to %s minutes '
			'from its beginning (dealer''s maximum)', minutes, longest));
	END IF;
	UPDATE site s SET on_test_since = since, on_test_until = now() + make_interval(mins => minutes),
		on_test_forward = forward WHERE s.id = $1;
	RETURN now() + make_interval(mins => minutes);
END $$;
COMMENT ON FUNCTION tocsin.site_test_start(bigint, integer, boolean) IS
	'On test: signals are held back, or forwarded as test ones; ends by itself. Once more: another end of the same test. Returns the end';

CREATE FUNCTION tocsin.site_test_stop(site_id bigint) RETURNS void
LANGUAGE plpgsql SET search_path = tocsin, pg_temp AS $$
BEGIN
	PERFORM session_require_site(site_id);
	UPDATE site SET on_test_since = NULL, on_test_until = NULL
		WHERE id = $1 AND on_test_until IS NOT NULL;
END $$;
COMMENT ON FUNCTION tocsin.site_test_stop(bigint) IS 'The test ends now';

CREATE FUNCTION tocsin.site_arming_set(site_id bigint, arming_method text, bridge_id bigint DEFAULT NULL)
RETURNS void
LANGUAGE plpgsql SET search_path = tocsin, pg_temp AS $$
BEGIN
	PERFORM session_require_site(site_id);
	IF bridge_id IS NOT NULL AND arming_method <> 'panel_primary' THEN
		PERFORM refuse('site_arming_bridge_only_primary', format(
			'the method is %s: only with panel_primary one bridge arms the site', arming_method));
	END IF;
	UPDATE site s SET arming_method = $2, arming_bridge_id = CASE WHEN $2 = 'panel_primary'
		THEN coalesce($3, s.arming_bridge_id, (SELECT min(b.id) FROM bridge b WHERE b.site_id = s.id)) END
		WHERE s.id = $1;
END $$;
COMMENT ON FUNCTION tocsin.site_arming_set(bigint, text, bigint) IS
	'The authority over the arming state, in the place of the one before. panel_primary: by this bridge, or the first of the site';

CREATE FUNCTION tocsin.site_arming_require(site_id bigint, authority text) RETURNS void
LANGUAGE plpgsql STABLE SET search_path = tocsin, pg_temp AS $$
DECLARE
	method arming_method;
BEGIN
	SELECT m.* INTO method FROM site s JOIN arming_method m ON m.name = s.arming_method WHERE s.id = $1;
	IF NOT FOUND THEN
		PERFORM refuse('site_exists', format('there is no site %s', site_id));
	END IF;
	IF NOT (CASE authority WHEN 'input' THEN method.by_input WHEN 'user' THEN method.by_user
		WHEN 'schedule' THEN method.by_schedule WHEN 'panel_signal' THEN method.by_panel_signal
		WHEN 'api' THEN method.by_api ELSE false END) THEN
		PERFORM refuse('site_arming_authority', format('the arming method of site %s is "%s": %s',
			site_id, method.title, method.description));
	END IF;
END $$;
COMMENT ON FUNCTION tocsin.site_arming_require(bigint, text) IS
	'site_arming_authority: refuses who is not the site''s authority; authority is input, user, schedule, panel_signal or api';

CREATE FUNCTION tocsin.arming_window_add(site_id bigint, weekdays integer, from_time time,
	until_time time, partition_id bigint DEFAULT NULL) RETURNS integer
LANGUAGE plpgsql SET search_path = tocsin, pg_temp AS $$
DECLARE
	added integer;
BEGIN
	PERFORM session_require_site(site_id);
	IF weekdays NOT BETWEEN 1 AND 127 THEN
		PERFORM refuse('arming_window_weekdays', 'the days of a window are at least one of Monday to Sunday');
	END IF;
	INSERT INTO arming_window (site_id, partition_id, week_minutes)
		SELECT $1, $5, part.minutes
		FROM (
			SELECT day * 1440 + (extract(epoch FROM from_time) / 60)::integer AS first,
				day * 1440 + (extract(epoch FROM until_time) / 60)::integer
				+ CASE WHEN until_time <= from_time THEN 1440 ELSE 0 END AS beyond
			FROM generate_series(0, 6) day WHERE weekdays & (1 << day) <> 0) w
		CROSS JOIN LATERAL (VALUES
			(int4range(w.first, least(w.beyond, 10080))),
			(int4range(0, greatest(w.beyond - 10080, 0)))) AS part (minutes)
		WHERE NOT isempty(part.minutes);
	GET DIAGNOSTICS added = ROW_COUNT;
	RETURN added;
END $$;
COMMENT ON FUNCTION tocsin.arming_window_add(bigint, integer, time, time, bigint) IS
	'Armed on these days (bits: 1 Monday ... 64 Sunday) from one time to the other, over midnight when until is not later. Returns how many windows';

-- ---- stations ----------------------------------------------------------------------

CREATE FUNCTION tocsin.station_record_save(
	id bigint,
	dealer_id bigint,
	center_id bigint,
	receiver_id bigint,
	name text,
	prefix text DEFAULT NULL,
	receiver_adds_prefix boolean DEFAULT NULL,
	line_card text DEFAULT NULL,
	url_template text DEFAULT NULL,
	url_parameter text DEFAULT NULL,
	passkey text DEFAULT NULL) RETURNS bigint
LANGUAGE plpgsql SET search_path = tocsin, pg_temp AS $$
#variable_conflict use_column
DECLARE
	saved bigint;
BEGIN
	IF station_record_save.id IS NULL THEN
		INSERT INTO station_record (dealer_id, center_id, receiver_id, name, prefix,
			receiver_adds_prefix, line_card, url_template, url_parameter, passkey)
			VALUES (station_record_save.dealer_id, station_record_save.center_id,
			station_record_save.receiver_id, coalesce(station_record_save.name, ''),
			coalesce(upper(station_record_save.prefix), ''),
			coalesce(station_record_save.receiver_adds_prefix, false),
			nullif(upper(station_record_save.line_card), ''),
			coalesce(station_record_save.url_template, ''),
			coalesce(station_record_save.url_parameter, 'act'), station_record_save.passkey)
			RETURNING id INTO saved;
	ELSE
		UPDATE station_record r SET center_id = station_record_save.center_id,
			receiver_id = station_record_save.receiver_id, name = station_record_save.name,
			prefix = coalesce(upper(station_record_save.prefix), r.prefix),
			receiver_adds_prefix = coalesce(station_record_save.receiver_adds_prefix, r.receiver_adds_prefix),
			line_card = CASE WHEN station_record_save.line_card IS NULL THEN r.line_card
				ELSE nullif(upper(station_record_save.line_card), '') END,
			url_template = coalesce(station_record_save.url_template, r.url_template),
			url_parameter = coalesce(station_record_save.url_parameter, r.url_parameter),
			passkey = station_record_save.passkey
			WHERE r.id = station_record_save.id AND r.dealer_id = station_record_save.dealer_id
			RETURNING id INTO saved;
		IF NOT FOUND THEN
			PERFORM refuse('station_record_exists', format('this dealer has no station record %s',
				station_record_save.id));
		END IF;
	END IF;
	RETURN saved;
END $$;
COMMENT ON FUNCTION tocsin.station_record_save(bigint, bigint, bigint, bigint, text, text, boolean, text, text, text, text) IS
	'A new station record (id NULL) or a changed one; a receiver with a passkey wants it. NULL keeps what is there (new: the default), an empty line card removes it. Returns the id';

-- ---- launch URLs -------------------------------------------------------------------

CREATE FUNCTION tocsin.url_encode(value text) RETURNS text
LANGUAGE sql IMMUTABLE STRICT AS $$
	SELECT coalesce(string_agg(CASE WHEN c ~ '[A-Za-z0-9._~-]' THEN c
		ELSE regexp_replace(upper(encode(convert_to(c, 'UTF8'), 'hex')), '(..)', '%\1', 'g') END, ''
		ORDER BY n), '')
	FROM regexp_split_to_table(value, '') WITH ORDINALITY s (c, n)
$$;
COMMENT ON FUNCTION tocsin.url_encode(text) IS 'As a value in a query string';

CREATE FUNCTION tocsin.url_decode(value text) RETURNS text
LANGUAGE sql IMMUTABLE STRICT AS $$
	SELECT coalesce(string_agg(CASE WHEN p[1] ~ '^%' THEN
		-- one byte beyond ASCII alone is no text: identifiers have none
		CASE WHEN p[1] ~ '^%[2-7]' THEN chr(get_byte(decode(substr(p[1], 2), 'hex'), 0)) ELSE '' END
		ELSE p[1] END, '' ORDER BY n), '')
	FROM regexp_matches(replace(value, '+', ' '), '(%[0-9A-Fa-f]{2}|.)', 'g') WITH ORDINALITY m (p, n)
$$;
COMMENT ON FUNCTION tocsin.url_decode(text) IS 'A value of a query string; only ASCII, as identifiers are';

CREATE FUNCTION tocsin.zone_digits(zone text) RETURNS text
LANGUAGE sql IMMUTABLE AS $$
	SELECT CASE WHEN length(z) < 3 THEN lpad(z, 3, '0') ELSE z END
	FROM (SELECT coalesce(nullif(ltrim(zone, '0'), ''), '0') AS z) x
$$;
COMMENT ON FUNCTION tocsin.zone_digits(text) IS 'A zone as it is sent: three digits, 017';

CREATE FUNCTION tocsin.site_launch_url(site_id bigint, zone text DEFAULT NULL) RETURNS text
LANGUAGE sql STABLE SET search_path = tocsin, pg_temp AS $$
	SELECT nullif(replace(replace(replace(u.template,
		'<account>', url_encode(e.account)),
		'<zone>', url_encode(zone_digits(zone))),
		'<reference>', url_encode(coalesce(e.reference_id, ''))), '')
	FROM effective_account e JOIN station_url u USING (station_record_id)
	WHERE e.site_id = $1 AND e.destination_id IS NULL
$$;
COMMENT ON FUNCTION tocsin.site_launch_url(bigint, text) IS
	'The URL that the station opens on an alarm of this zone; NULL: no station or no template';

CREATE FUNCTION tocsin.site_find_by_url(url text)
RETURNS TABLE (site_id bigint, site_name text, dealer_id bigint, matched text, account text,
	reference_id text, receiver_id bigint, zone text, channel_id bigint, channel_name text)
LANGUAGE plpgsql STABLE SET search_path = tocsin, pg_temp AS $$
#variable_conflict use_column
DECLARE
	value text := url_decode((regexp_match(url, '[?&](?:act|csid|txid)=([^&#]*)', 'i'))[1]);
	wanted_zone text := coalesce(nullif(ltrim(url_decode(
		(regexp_match(url, '[?&]zone=([^&#]*)', 'i'))[1]), '0'), ''), '0');
BEGIN
	IF coalesce(value, '') = '' THEN
		PERFORM refuse('url_names_account',
			'this URL names no account: one of act=, csid= or txid= must be in it');
	END IF;
	RETURN QUERY
		SELECT s.id, s.name, s.dealer_id,
			CASE WHEN upper(value) IN (e.account, e.sent_as) THEN 'account' ELSE 'reference id' END,
			e.account, e.reference_id, e.receiver_id,
			z.zone_number, c.id, c.name
		FROM (
			SELECT * FROM effective_account a WHERE a.account = upper(value)
			UNION SELECT * FROM effective_account a
				WHERE a.account = ltrim(upper(value), '0') AND a.sent_as = upper(value)
			UNION SELECT * FROM effective_account a WHERE a.reference_id = value) e
		JOIN site s ON s.id = e.site_id
		LEFT JOIN LATERAL (
			SELECT cz.zone_number, cz.channel_id FROM bridge b JOIN channel_zone cz ON cz.bridge_id = b.id
			WHERE b.site_id = s.id AND cz.zone_key = wanted_zone
			ORDER BY b.id LIMIT 1) z ON true
		LEFT JOIN channel c ON c.id = z.channel_id
		ORDER BY e.active DESC, s.id;
END $$;
COMMENT ON FUNCTION tocsin.site_find_by_url(text) IS
	'The other direction of site_launch_url: act, csid or txid is an effective account at any receiver or a reference id. Active sites first';

-- ---- for people -----------------------------------------------------------------------

CREATE VIEW tocsin.site_overview WITH (security_invoker = true) AS
	SELECT s.id, s.dealer_id, d.name AS dealer, s.name, s.address1, s.address2, s.city, s.region,
		s.postal_code, s.country, s.latitude, s.longitude, s.timezone, s.external_id,
		CASE WHEN s.state <> 'active' THEN s.state
			WHEN s.on_test_until > now() THEN 'on test' ELSE 'active' END AS security,
		CASE WHEN s.on_test_until > now() THEN s.on_test_until END AS on_test_until, s.on_test_forward,
		s.activation_ends, s.arming_method, m.title AS arming_title, s.arming_bridge_id,
		s.entry_delay_s, s.exit_delay_s, s.repeat_filter_s, s.test_interval_s,
		s.station_record_id, r.name AS station, r.center_id, c.name AS center, r.receiver_id,
		v.name AS receiver, v.protocol, r.prefix, r.receiver_adds_prefix, s.account_number,
		e.account AS effective_account, s.reference_id, tocsin.site_launch_url(s.id) AS launch_url
	FROM tocsin.site s
	JOIN tocsin.arming_method m ON m.name = s.arming_method
	LEFT JOIN tocsin.dealer d ON d.id = s.dealer_id
	LEFT JOIN tocsin.station_record r ON r.id = s.station_record_id
	LEFT JOIN tocsin.center c ON c.id = r.center_id
	LEFT JOIN tocsin.receiver v ON v.id = r.receiver_id
	LEFT JOIN tocsin.effective_account e ON e.site_id = s.id AND e.destination_id IS NULL;
COMMENT ON VIEW tocsin.site_overview IS 'A site with the names of what it points to; security is active, inactive or on test';

CREATE VIEW tocsin.site_bridge WITH (security_invoker = true) AS
	SELECT b.id, b.site_id, b.serial, b.mac, b.model, b.firmware, b.kind, b.transport_account,
		b.transport_receiver, b.transport_line, b.listener, b.cipher_required, b.has_key, b.state,
		coalesce(b.entry_delay_s, s.entry_delay_s) AS entry_delay_s,
		coalesce(b.exit_delay_s, s.exit_delay_s) AS exit_delay_s, b.arming_input_inverted,
		s.arming_bridge_id = b.id AS arms_site,
		(SELECT count(*) FROM tocsin.channel c WHERE c.bridge_id = b.id) AS channels,
		(SELECT count(*) FROM tocsin.camera c WHERE c.bridge_id = b.id) AS cameras,
		(SELECT string_agg(p.path || ' ' || coalesce(p.supervision_class, p.interval_s || ' s'), ', ' ORDER BY p.path DESC)
			FROM tocsin.bridge_path p WHERE p.bridge_id = b.id) AS supervision
	FROM tocsin.bridge b LEFT JOIN tocsin.site s ON s.id = b.site_id;
COMMENT ON VIEW tocsin.site_bridge IS 'Bridges without what nobody may read';

CREATE VIEW tocsin.effective_library WITH (security_invoker = true) AS
	SELECT a.site_id, 'zone_type' AS kind, t.number::text AS subject, t.name AS title,
		a.channel_id, a.enabled, a.enabled_level, a.code, a.code_level
	FROM tocsin.effective_alarm_code a JOIN tocsin.zone_type t ON t.number = a.zone_type
	UNION ALL
	SELECT e.site_id, 'system_event', e.system_event, e.description, e.channel_id,
		e.enabled, e.enabled_level, e.code, e.code_level
	FROM tocsin.effective_system_event e
	UNION ALL
	SELECT i.site_id, 'inbound_code', i.inbound_code, 'Inbound ' || i.inbound_code, NULL,
		i.enabled, i.enabled_level, i.code, i.code_level
	FROM tocsin.effective_inbound_code i
	WHERE i.enabled_level <> 'built-in' OR i.code_level <> 'built-in';
COMMENT ON VIEW tocsin.effective_library IS
	'The whole library of a site with the level of each value: zone types (channel_id NULL: without a channel), system events, inbound codes that some level changes';

CREATE VIEW tocsin.site_warning WITH (security_invoker = true) AS
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
			CROSS JOIN LATERAL (SELECT coalesce(v.account_digits,
				CASE v.protocol WHEN 'surgard' THEN 4 ELSE 16 END) AS digits) l
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
COMMENT ON VIEW tocsin.site_warning IS 'What a site lacks to be complete, each with a sentence; ask with site_id = N';
