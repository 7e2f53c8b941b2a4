-- Many sites, bridges, channels and contacts at once: what tocsinctl's import
-- and the portal's call.
--
--   import_rows(kind, rows) -> a result for each row
--
-- rows is a JSON array of objects with a "line" and the fields that the
-- functions below name; a field that is absent or null is not given. Rows are
-- stored together. Where the database refuses them together they are tried in
-- halves, so that only the wrong ones are left out. What is there already is
-- left as it is: a file may be imported again after an interruption.

CREATE TYPE tocsin.import_result AS (
	line integer,
	outcome text,
	id bigint,
	field text,
	refused_by text,
	sentence text
);
COMMENT ON TYPE tocsin.import_result IS
	'Of one row. outcome: stored, there (already, as it is given here) or refused; field: the wrong one; refused_by: as the name of a constraint; sentence: why, or a warning';

CREATE FUNCTION tocsin.import_rows(kind text, rows jsonb) RETURNS SETOF tocsin.import_result
LANGUAGE plpgsql SET search_path = tocsin, pg_temp AS $$
DECLARE
	half constant integer := jsonb_array_length(rows) / 2;
	results import_result[];
	failed import_result;
BEGIN
	IF kind NOT IN ('site', 'bridge', 'channel', 'contact') THEN
		PERFORM refuse('import_kind_known', format('there is no import of %s: it is site, bridge, channel or contact', kind));
	END IF;
	BEGIN
		EXECUTE format('SELECT array_agg(r) FROM %I($1) r', kind || '_import') INTO results USING rows;
		RETURN QUERY SELECT * FROM unnest(results);
		RETURN;
	EXCEPTION WHEN integrity_constraint_violation OR data_exception THEN
		GET STACKED DIAGNOSTICS failed.refused_by = CONSTRAINT_NAME,
			failed.field = COLUMN_NAME, failed.sentence = MESSAGE_TEXT;
	END;
	IF half = 0 THEN
		failed.line := rows -> 0 ->> 'line';
		failed.outcome := 'refused';
		failed.field := nullif(failed.field, '');
		RETURN NEXT failed;
	ELSE
		RETURN QUERY
			SELECT r.* FROM (
				SELECT jsonb_agg(e.value ORDER BY e.n) AS part
				FROM jsonb_array_elements(rows) WITH ORDINALITY e (value, n)
				GROUP BY e.n > half ORDER BY e.n > half) h
			CROSS JOIN LATERAL import_rows(kind, h.part) r;
	END IF;
END $$;
COMMENT ON FUNCTION tocsin.import_rows(text, jsonb) IS
	'kind: site, bridge, channel or contact. Stores the good rows, tells of each; the caller commits, or rolls back to have only tried';

-- Every statement below is planned for the tables as they are now: a plan from
-- when they were empty would read them whole for each row.

CREATE FUNCTION tocsin.site_import(rows jsonb) RETURNS SETOF tocsin.import_result
LANGUAGE plpgsql SET search_path = tocsin, pg_temp SET plan_cache_mode = force_custom_plan AS $$
DECLARE
	judged jsonb;
	good jsonb;
BEGIN
	SELECT jsonb_agg(to_jsonb(j)) INTO judged FROM (
		SELECT g.line, d.id AS dealer_id, g.name, coalesce(g.timezone, p.timezone) AS timezone,
			coalesce(g.address1, '') AS address1, coalesce(g.address2, '') AS address2,
			coalesce(g.city, '') AS city, coalesce(g.region, '') AS region,
			coalesce(g.postal_code, '') AS postal_code, coalesce(g.country, '') AS country,
			g.latitude, g.longitude, g.external_id, coalesce(g.state, 'active') AS state,
			n.station_record_id, upper(g.account_number) AS account_number, g.reference_id,
			coalesce(g.arming_method, p.arming_method, 'always') AS arming_method,
			coalesce(g.entry_delay_s, p.entry_delay_s, 60) AS entry_delay_s,
			coalesce(g.exit_delay_s, p.exit_delay_s, 60) AS exit_delay_s,
			coalesce(g.repeat_filter_s, p.repeat_filter_s, 20) AS repeat_filter_s,
			coalesce(g.test_interval_s, p.test_interval_s) AS test_interval_s,
			p.id AS template_id, w.field, w.refused_by, w.sentence,
			CASE WHEN w.field IS NOT NULL THEN 'refused' WHEN t.id IS NOT NULL THEN 'there'
				ELSE 'stored' END AS outcome,
			CASE WHEN w.field IS NOT NULL THEN NULL WHEN t.id IS NOT NULL THEN t.id
				ELSE nextval('site_id_seq') END AS id
		FROM jsonb_to_recordset(rows) AS g (line integer, dealer text, dealer_id bigint, name text,
			timezone text, address1 text, address2 text, city text, region text, postal_code text,
			country text, latitude double precision, longitude double precision, external_id text,
			state text, station text, account_number text, reference_id text, arming_method text,
			template text, entry_delay_s smallint, exit_delay_s smallint, repeat_filter_s smallint,
			test_interval_s integer)
		LEFT JOIN dealer d ON num_nonnulls(g.dealer, g.dealer_id) > 0
			AND d.name = coalesce(g.dealer, d.name) AND d.id = coalesce(g.dealer_id, d.id)
		LEFT JOIN site_template p ON p.dealer_id = d.id AND p.name = g.template
		LEFT JOIN station_record r ON r.dealer_id = d.id AND r.name = g.station
		-- a number without a station is one for the template's
		CROSS JOIN LATERAL (SELECT coalesce(r.id,
			CASE WHEN g.account_number IS NOT NULL THEN p.station_record_id END) AS station_record_id) n
		LEFT JOIN LATERAL (
			SELECT s.id, s.station_record_id, s.account_number FROM site s
				WHERE s.dealer_id = d.id AND s.external_id = g.external_id
			UNION ALL
			SELECT s.id, s.station_record_id, s.account_number FROM site s
				WHERE g.external_id IS NULL AND s.dealer_id = d.id AND lower(s.name) = lower(g.name)
				AND s.name = g.name AND s.external_id IS NULL AND s.address1 = coalesce(g.address1, '')
				AND s.account_number IS NOT DISTINCT FROM upper(g.account_number)
			LIMIT 1) t ON true
		LEFT JOIN LATERAL (
			SELECT v.* FROM (VALUES
				(1, num_nonnulls(g.dealer, g.dealer_id) = 0, 'dealer', 'site_dealer_exists', 'a site needs its dealer'),
				(2, d.id IS NULL, CASE WHEN g.dealer IS NULL THEN 'dealer_id' ELSE 'dealer' END, 'site_dealer_exists',
					format('there is no dealer %s', coalesce('"' || g.dealer || '"', g.dealer_id::text))),
				(3, coalesce(g.name, '') !~ '\S', 'name', 'site_name_not_blank', 'a site needs a name'),
				(4, g.template IS NOT NULL AND p.id IS NULL, 'template', 'site_template_of_dealer',
					format('this dealer has no template %s', '"' || g.template || '"')),
				(5, coalesce(g.timezone, p.timezone) IS NULL, 'timezone', 'site_timezone_needed',
					'a site needs its time zone, such as Europe/Athens'),
				(6, NOT EXISTS (SELECT FROM timezone z WHERE z.name = coalesce(g.timezone, p.timezone)),
					'timezone', 'site_timezone_known', format('there is no time zone %s; it is an IANA name such as Europe/Athens',
					'"' || coalesce(g.timezone, p.timezone) || '"')),
				(7, g.station IS NOT NULL AND r.id IS NULL, 'station', 'site_station_of_dealer',
					format('this dealer has no station %s', '"' || g.station || '"')),
				(8, g.account_number !~ '^[0-9A-Za-z]{1,16}$', 'account_number', 'site_account_format',
					'an account number is 1 to 16 digits and letters'),
				(9, t.id IS NOT NULL AND (t.station_record_id, t.account_number)
					IS DISTINCT FROM (n.station_record_id, upper(g.account_number)),
					CASE WHEN t.account_number IS NOT DISTINCT FROM upper(g.account_number) THEN 'station'
					ELSE 'account_number' END, 'site_external_id_unique',
					format('site %s has this external id already, with %s: change that one with "site set"', t.id,
					CASE WHEN t.account_number IS NOT DISTINCT FROM upper(g.account_number)
					THEN 'another station' ELSE coalesce('account ' || t.account_number, 'no account') END))
				) AS v (n, wrong, field, refused_by, sentence)
			WHERE v.wrong ORDER BY v.n LIMIT 1) w ON true) j;
	SELECT jsonb_agg(j) INTO good FROM jsonb_array_elements(judged) j WHERE j ->> 'outcome' = 'stored';
	INSERT INTO site (id, dealer_id, name, timezone, address1, address2, city, region, postal_code,
		country, latitude, longitude, external_id, state, station_record_id, account_number,
		reference_id, arming_method, entry_delay_s, exit_delay_s, repeat_filter_s, test_interval_s)
		SELECT g.id, g.dealer_id, g.name, g.timezone, g.address1, g.address2, g.city, g.region,
			g.postal_code, g.country, g.latitude, g.longitude, g.external_id, g.state,
			g.station_record_id, g.account_number, g.reference_id, g.arming_method, g.entry_delay_s,
			g.exit_delay_s, g.repeat_filter_s, g.test_interval_s
		FROM jsonb_populate_recordset(NULL::site, good) g;
	INSERT INTO alarm_library (site_id, zone_type, inbound_code, system_event, enabled, code)
		SELECT g.id, l.zone_type, l.inbound_code, l.system_event, l.enabled, l.code
		FROM jsonb_to_recordset(good) AS g (id bigint, template_id bigint)
		JOIN site_template_library l USING (template_id);
	RETURN QUERY
		SELECT j.line, j.outcome, j.id, j.field, j.refused_by, coalesce(j.sentence, (
			SELECT format('account %s has no room at receiver %s, which takes %s characters: '
				'its signals will be parked, never cut', e.account, v.name, l.digits)
			FROM effective_account e JOIN receiver v ON v.id = e.receiver_id
			CROSS JOIN LATERAL (SELECT coalesce(v.account_digits,
				account_digits_of(v.protocol, v.account_policy, v.line_digits)) AS digits) l
			WHERE e.site_id = j.id AND e.destination_id IS NULL AND length(e.account) > l.digits))
		FROM jsonb_populate_recordset(NULL::import_result, judged) j;
END $$;
COMMENT ON FUNCTION tocsin.site_import(jsonb) IS
	'Of import_rows. Fields: dealer (its name) or dealer_id, station and template (names), and the columns of site. What is not given comes from the template. There already: by external_id, or without one by name, address1 and account number';

-- Whose site is meant: by id, or by the dealer's own number.
CREATE FUNCTION tocsin.import_site(dealer text, dealer_id bigint, site_id bigint, site_external_id text)
RETURNS bigint LANGUAGE sql STABLE SET search_path = tocsin, pg_temp AS $$
	SELECT s.id FROM site s JOIN dealer d ON d.id = s.dealer_id
	WHERE s.external_id = $4 AND (num_nonnulls($1, $2) > 0)
	AND s.dealer_id = coalesce($2, (SELECT x.id FROM dealer x WHERE x.name = $1))
	AND d.name = coalesce($1, d.name) AND s.id = coalesce($3, s.id)
	UNION ALL
	SELECT s.id FROM site s JOIN dealer d ON d.id = s.dealer_id
	WHERE $4 IS NULL AND s.id = $3 AND d.name = coalesce($1, d.name) AND d.id = coalesce($2, d.id)
$$;
COMMENT ON FUNCTION tocsin.import_site(text, bigint, bigint, text) IS
	'The one site that everything given names; NULL: none';

CREATE FUNCTION tocsin.bridge_import(rows jsonb) RETURNS SETOF tocsin.import_result
LANGUAGE plpgsql SET search_path = tocsin, pg_temp SET plan_cache_mode = force_custom_plan AS $$
DECLARE
	judged jsonb;
	good jsonb;
BEGIN
	SELECT jsonb_agg(to_jsonb(j)) INTO judged FROM (
		SELECT g.line, s.id AS site_id, g.serial, coalesce(g.kind, 'bridge') AS kind,
			g.transport_account, g.transport_receiver, g.transport_line, g.listener,
			coalesce(g.cipher_required, false) AS cipher_required, g.mac,
			coalesce(g.model, '') AS model, coalesce(g.firmware, '') AS firmware,
			g.entry_delay_s, g.exit_delay_s, g.supervision, w.field, w.refused_by, w.sentence,
			CASE WHEN w.field IS NOT NULL THEN 'refused' WHEN t.id IS NOT NULL THEN 'there'
				ELSE 'stored' END AS outcome,
			CASE WHEN w.field IS NOT NULL THEN NULL WHEN t.id IS NOT NULL THEN t.id
				ELSE nextval('bridge_id_seq') END AS id
		FROM jsonb_to_recordset(rows) AS g (line integer, dealer text, dealer_id bigint, site_id bigint,
			site_external_id text, serial text, kind text, transport_account text,
			transport_receiver text, transport_line text, listener text, cipher_required boolean,
			mac macaddr, model text, firmware text, entry_delay_s smallint, exit_delay_s smallint,
			supervision text)
		LEFT JOIN site s ON s.id = import_site(g.dealer, g.dealer_id, g.site_id, g.site_external_id)
		LEFT JOIN bridge t ON t.serial = g.serial
		LEFT JOIN LATERAL (
			SELECT v.* FROM (VALUES
				(1, coalesce(g.serial, '') !~ '\S', 'serial', 'bridge_serial_not_blank', 'a bridge needs its serial'),
				(2, s.id IS NULL AND num_nonnulls(g.site_id, g.site_external_id) > 0,
					CASE WHEN g.site_external_id IS NULL THEN 'site_id' ELSE 'site_external_id' END, 'bridge_site_exists',
					CASE WHEN g.site_external_id IS NOT NULL AND num_nonnulls(g.dealer, g.dealer_id) = 0
					THEN 'whose site? an external id needs its dealer'
					ELSE 'there is no such site' END),
				(3, t.id IS NOT NULL AND t.site_id IS DISTINCT FROM s.id,
					CASE WHEN g.site_id IS NULL THEN 'site_external_id' ELSE 'site_id' END, 'bridge_registered_elsewhere',
					format('bridge %s is there already as %s, %s: unregister or transfer it first', g.serial, t.id,
					coalesce('at site ' || t.site_id, 'registered nowhere'))),
				(4, t.id IS NOT NULL AND t.transport_account IS DISTINCT FROM g.transport_account,
					'transport_account', 'bridge_serial_unique',
					format('bridge %s is there already as %s, with %s: change that one with "bridge set"', g.serial, t.id,
					coalesce('account ' || t.transport_account, 'no account'))),
				(5, t.id IS NULL AND s.activation_ends < now()
					AND NOT EXISTS (SELECT FROM bridge b WHERE b.site_id = s.id),
					CASE WHEN g.site_id IS NULL THEN 'site_external_id' ELSE 'site_id' END, 'site_activation_open',
					format('site %s had to be activated by %s: give it more time (activation_ends) first', s.id,
					to_char(s.activation_ends AT TIME ZONE s.timezone, 'YYYY-MM-DD HH24:MI')))
				) AS v (n, wrong, field, refused_by, sentence)
			WHERE v.wrong ORDER BY v.n LIMIT 1) w ON true) j;
	SELECT jsonb_agg(j) INTO good FROM jsonb_array_elements(judged) j WHERE j ->> 'outcome' = 'stored';
	PERFORM bridge_require_firmware(b, b.firmware)
		FROM jsonb_populate_recordset(NULL::bridge, good) b WHERE b.site_id IS NOT NULL;
	INSERT INTO bridge (id, site_id, serial, kind, transport_account, transport_receiver,
		transport_line, listener, cipher_required, mac, model, firmware, entry_delay_s, exit_delay_s)
		SELECT g.id, g.site_id, g.serial, g.kind, g.transport_account, g.transport_receiver,
			g.transport_line, g.listener, g.cipher_required, g.mac, g.model, g.firmware,
			g.entry_delay_s, g.exit_delay_s
		FROM jsonb_populate_recordset(NULL::bridge, good) g;
	UPDATE site s SET arming_bridge_id = f.id
		FROM (SELECT g.site_id, min(g.id) AS id FROM jsonb_to_recordset(good) AS g (id bigint, site_id bigint)
			GROUP BY g.site_id) f
		WHERE s.id = f.site_id AND s.arming_method = 'panel_primary' AND s.arming_bridge_id IS NULL;
	PERFORM bridge_supervise(g.id, g.supervision)
		FROM jsonb_to_recordset(good) AS g (id bigint, supervision text) WHERE g.supervision IS NOT NULL;
	RETURN QUERY SELECT * FROM jsonb_populate_recordset(NULL::import_result, judged);
END $$;
COMMENT ON FUNCTION tocsin.bridge_import(jsonb) IS
	'Of import_rows, with the rules of bridge_assign. Fields: site_id, or site_external_id with dealer (its name) or dealer_id, none: registered nowhere; supervision (a class), and the columns of bridge but its key. There already: by serial';

CREATE FUNCTION tocsin.channel_import(rows jsonb) RETURNS SETOF tocsin.import_result
LANGUAGE plpgsql SET search_path = tocsin, pg_temp SET plan_cache_mode = force_custom_plan AS $$
DECLARE
	judged jsonb;
	good jsonb;
BEGIN
	SELECT jsonb_agg(to_jsonb(j)) INTO judged FROM (
		SELECT g.line, b.id AS bridge_id, g.name, g.zone_type, g.enabled, upper(g.code) AS code,
			g.repeat_filter_s, z.zones, w.field, w.refused_by, w.sentence,
			CASE WHEN w.field IS NOT NULL THEN 'refused' WHEN t.id IS NOT NULL THEN 'there'
				ELSE 'stored' END AS outcome,
			CASE WHEN w.field IS NOT NULL THEN NULL WHEN t.id IS NOT NULL THEN t.id
				ELSE nextval('channel_id_seq') END AS id
		FROM jsonb_to_recordset(rows) AS g (line integer, bridge text, name text, zone_type smallint,
			zones text, enabled boolean, code text, repeat_filter_s smallint)
		LEFT JOIN bridge b ON b.serial = g.bridge
		CROSS JOIN LATERAL (
			SELECT array_agg(x.zone) AS zones,
				array_agg(x.key ORDER BY x.key) AS keys
			FROM (SELECT upper(trim(u)) AS zone, coalesce(nullif(ltrim(upper(trim(u)), '0'), ''), '0') AS key
				FROM unnest(string_to_array(g.zones, ',')) u) x) z
		LEFT JOIN LATERAL (
			SELECT c.id, c.zone_type FROM channel c WHERE c.bridge_id = b.id AND c.name = g.name
			AND z.keys IS NOT DISTINCT FROM (SELECT array_agg(k.zone_key ORDER BY k.zone_key)
				FROM channel_zone k WHERE k.channel_id = c.id)
			LIMIT 1) t ON true
		LEFT JOIN LATERAL (
			SELECT v.* FROM (VALUES
				(1, b.id IS NULL, 'bridge', 'channel_bridge_exists', CASE WHEN g.bridge IS NULL
					THEN 'a channel needs the serial of its bridge'
					ELSE format('there is no bridge %s', '"' || g.bridge || '"') END),
				(2, coalesce(g.name, '') !~ '\S', 'name', 'channel_name_not_blank', 'a channel needs a name'),
				(3, NOT EXISTS (SELECT FROM zone_type y WHERE y.number = g.zone_type), 'zone_type', 'channel_zone_type_exists',
					CASE WHEN g.zone_type IS NULL THEN 'a channel needs its zone type'
					ELSE format('there is no zone type %s', g.zone_type) END),
				(4, t.zone_type <> g.zone_type, 'zone_type', 'channel_exists',
					format('channel %s is there already, with zone type %s: change that one with "channel set"', t.id, t.zone_type))
				) AS v (n, wrong, field, refused_by, sentence)
			WHERE v.wrong ORDER BY v.n LIMIT 1) w ON true) j;
	SELECT jsonb_agg(j) INTO good FROM jsonb_array_elements(judged) j WHERE j ->> 'outcome' = 'stored';
	INSERT INTO channel (id, bridge_id, name, zone_type, enabled, code, repeat_filter_s)
		SELECT g.id, g.bridge_id, g.name, g.zone_type, g.enabled, g.code, g.repeat_filter_s
		FROM jsonb_populate_recordset(NULL::channel, good) g;
	INSERT INTO channel_zone (bridge_id, zone_number, channel_id)
		SELECT g.bridge_id, u.zone, g.id
		FROM jsonb_to_recordset(good) AS g (id bigint, bridge_id bigint, zones text[])
		CROSS JOIN LATERAL unnest(g.zones) u (zone);
	RETURN QUERY SELECT * FROM jsonb_populate_recordset(NULL::import_result, judged);
END $$;
COMMENT ON FUNCTION tocsin.channel_import(jsonb) IS
	'Of import_rows. Fields: bridge (its serial), zones (with commas between), and the columns of channel. There already: a channel of the bridge with this name and these zones';

CREATE FUNCTION tocsin.contact_import(rows jsonb) RETURNS SETOF tocsin.import_result
LANGUAGE plpgsql SET search_path = tocsin, pg_temp SET plan_cache_mode = force_custom_plan AS $$
DECLARE
	judged jsonb;
	good jsonb;
BEGIN
	SELECT jsonb_agg(to_jsonb(j)) INTO judged FROM (
		SELECT g.line, s.id AS site_id, g.name, coalesce(g.title, '') AS title, g.phone, g.email,
			g.slot, w.field, w.refused_by, w.sentence,
			CASE WHEN w.field IS NOT NULL THEN 'refused' WHEN t.id IS NOT NULL THEN 'there'
				ELSE 'stored' END AS outcome,
			CASE WHEN w.field IS NOT NULL THEN NULL WHEN t.id IS NOT NULL THEN t.id
				ELSE nextval('contact_id_seq') END AS id
		FROM jsonb_to_recordset(rows) AS g (line integer, dealer text, dealer_id bigint, site_id bigint,
			site_external_id text, name text, title text, phone text, email text, slot smallint)
		LEFT JOIN site s ON s.id = import_site(g.dealer, g.dealer_id, g.site_id, g.site_external_id)
		LEFT JOIN LATERAL (
			SELECT c.id FROM contact c WHERE c.site_id = s.id AND c.name = g.name
			AND (c.phone, c.email, c.slot) IS NOT DISTINCT FROM (g.phone, g.email, g.slot) LIMIT 1) t ON true
		LEFT JOIN LATERAL (
			SELECT v.* FROM (VALUES
				(1, num_nonnulls(g.site_id, g.site_external_id) = 0, 'site_external_id', 'contact_site_exists',
					'a contact needs its site: site-id, or site-external-id with dealer'),
				(2, s.id IS NULL, CASE WHEN g.site_external_id IS NULL THEN 'site_id' ELSE 'site_external_id' END,
					'contact_site_exists',
					CASE WHEN g.site_external_id IS NOT NULL AND num_nonnulls(g.dealer, g.dealer_id) = 0
					THEN 'whose site? an external id needs its dealer' ELSE 'there is no such site' END),
				(3, coalesce(g.name, '') !~ '\S', 'name', 'contact_name_not_blank', 'a contact needs a name')
				) AS v (n, wrong, field, refused_by, sentence)
			WHERE v.wrong ORDER BY v.n LIMIT 1) w ON true) j;
	SELECT jsonb_agg(j) INTO good FROM jsonb_array_elements(judged) j WHERE j ->> 'outcome' = 'stored';
	INSERT INTO contact (id, site_id, name, title, phone, email, slot)
		SELECT g.id, g.site_id, g.name, g.title, g.phone, g.email, g.slot
		FROM jsonb_populate_recordset(NULL::contact, good) g;
	RETURN QUERY SELECT * FROM jsonb_populate_recordset(NULL::import_result, judged);
END $$;
COMMENT ON FUNCTION tocsin.contact_import(jsonb) IS
	'Of import_rows. Fields: site_id, or site_external_id with dealer (its name) or dealer_id, and the columns of contact. There already: the same name, phone, e-mail and slot at the site';

-- ---- who may -----------------------------------------------------------------------

REVOKE EXECUTE ON FUNCTION tocsin.import_rows(text, jsonb), tocsin.site_import(jsonb),
	tocsin.bridge_import(jsonb), tocsin.channel_import(jsonb), tocsin.contact_import(jsonb),
	tocsin.import_site(text, bigint, bigint, text) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION tocsin.import_rows(text, jsonb), tocsin.site_import(jsonb),
	tocsin.channel_import(jsonb), tocsin.contact_import(jsonb),
	tocsin.import_site(text, bigint, bigint, text) TO tocsin_operator, tocsin_portal;
-- a tenant's bridges come by their claim codes
GRANT EXECUTE ON FUNCTION tocsin.bridge_import(jsonb),
	tocsin.bridge_require_firmware(tocsin.bridge, text) TO tocsin_operator;
GRANT USAGE ON SEQUENCE tocsin.site_id_seq, tocsin.channel_id_seq, tocsin.contact_id_seq
	TO tocsin_operator, tocsin_portal;
GRANT USAGE ON SEQUENCE tocsin.bridge_id_seq TO tocsin_operator;
