-- Tenancy: three roles, forced row-level security, column grants.
--
--   tocsin_daemon    tocsind: reads the directory views, writes history
--   tocsin_operator  the installation's own people: every row, no hashes
--   tocsin_portal    serves dealers, centers and app members: only the rows
--                    of the user that SET tocsin.user_id names; without one,
--                    none. Never a key, passkey, password hash or claim code
--
-- Whoever connects is a login role that was granted one of them. The owner of
-- the schema sees all rows; a view that serves tenants is security_invoker, so
-- that it does not lend them the owner's eyes. COPY tocsin.TABLE FROM is
-- refused to everybody but superusers where rows are secured: INSERT instead.

-- what was there before and serves tenants from now on
ALTER VIEW tocsin.effective_alarm_code SET (security_invoker = true);
ALTER VIEW tocsin.effective_inbound_code SET (security_invoker = true);
ALTER VIEW tocsin.effective_system_event SET (security_invoker = true);

-- Who sees and who writes which rows. The arrays in parentheses are worked out
-- once per statement and then found by index.
DO $$
DECLARE
	of_dealers text := '%s = ANY ((SELECT tocsin.session_dealers())::bigint[])';
	of_site text := 'EXISTS (SELECT FROM tocsin.site s WHERE s.id = %I.site_id)';
	of_bridge text := 'EXISTS (SELECT FROM tocsin.bridge b WHERE b.id = %I.bridge_id)';
	sites text := '(SELECT tocsin.session_writes(''sites''))';
	settings text := '(SELECT tocsin.session_writes(''settings''))';
	rule record;
	sees text;
BEGIN
	FOR rule IN SELECT * FROM (VALUES
		-- table, who sees a row, who writes those that are seen (NULL: nobody)
		('dealer', format(of_dealers, 'id'), settings),
		('station_record', format(of_dealers, 'dealer_id')
			|| ' OR center_id = (SELECT tocsin.session_center())', settings || ' AND ' || format(of_dealers, 'dealer_id')),
		('site', format(of_dealers, 'dealer_id')
			|| ' OR station_record_id = ANY ((SELECT tocsin.session_stations())::bigint[])'
			|| ' OR id = ANY ((SELECT tocsin.session_sites())::bigint[])', sites || ' AND ' || format(of_dealers, 'dealer_id')),
		('effective_account', of_site, NULL),
		('site_template', format(of_dealers, 'dealer_id'), settings),
		('site_template_library',
			'EXISTS (SELECT FROM tocsin.site_template t WHERE t.id = site_template_library.template_id)', settings),
		('user_account', format(of_dealers, 'dealer_id')
			|| ' OR center_id = (SELECT tocsin.session_center())'
			|| ' OR id = (SELECT tocsin.session_user_id())', settings || ' AND ' || format(of_dealers, 'dealer_id')),
		('app_member', of_site, sites),
		('bridge', 'site_id IS NOT NULL AND ' || of_site, sites),
		('bridge_path', of_bridge, sites),
		('channel', of_bridge, sites),
		('channel_zone', of_bridge, sites),
		('camera', of_bridge, sites),
		('site_partition', of_site, sites),
		('partition_channel', of_site, sites),
		('arming_window', of_site, sites),
		('arming_exception', of_site, sites),
		('contact', of_site, sites),
		('site_destination', of_site, sites),
		('site_destination_rule', of_site, sites),
		('alarm_library', format(of_dealers, 'dealer_id')
			|| ' OR (site_id IS NOT NULL AND ' || of_site || ')'
			|| ' OR (channel_id IS NOT NULL AND EXISTS (SELECT FROM tocsin.channel c WHERE c.id = alarm_library.channel_id))',
			'CASE WHEN dealer_id IS NULL THEN ' || sites || ' ELSE ' || settings || ' END'),
		('receiver', 'visibility = ''all'' OR id = ANY ((SELECT tocsin.session_receivers())::bigint[])'
			|| ' OR center_id = (SELECT tocsin.session_center())', NULL),
		('receiver_endpoint', 'EXISTS (SELECT FROM tocsin.receiver v WHERE v.id = receiver_endpoint.receiver_id'
			|| ' AND v.center_id = (SELECT tocsin.session_center()))', NULL),
		('audit_log', format(of_dealers, 'chain'), NULL),
		('audit_seal', 'false', NULL),
		('audit_head', 'false', NULL),
		('installation', 'true', NULL)) AS v (name, sees, writes)
	LOOP
		sees := format(replace(rule.sees, '%I', '%1$I'), rule.name);
		EXECUTE format('ALTER TABLE tocsin.%I ENABLE ROW LEVEL SECURITY', rule.name);
		EXECUTE format('ALTER TABLE tocsin.%I FORCE ROW LEVEL SECURITY', rule.name);
		-- the schema's owner by name: its functions and views work for everybody
		EXECUTE format('CREATE POLICY installation ON tocsin.%I TO %I, tocsin_daemon, tocsin_operator '
			'USING (true) WITH CHECK (true)', rule.name, current_user);
		EXECUTE format('CREATE POLICY tenant_sees ON tocsin.%I FOR SELECT TO tocsin_portal USING (%s)',
			rule.name, sees);
		IF rule.writes IS NOT NULL THEN
			EXECUTE format('CREATE POLICY tenant_adds ON tocsin.%I FOR INSERT TO tocsin_portal '
				'WITH CHECK ((%s) AND (%s))', rule.name, sees, rule.writes);
			EXECUTE format('CREATE POLICY tenant_changes ON tocsin.%I FOR UPDATE TO tocsin_portal '
				'USING ((%2$s) AND (%3$s)) WITH CHECK ((%2$s) AND (%3$s))', rule.name, sees, rule.writes);
			EXECUTE format('CREATE POLICY tenant_removes ON tocsin.%I FOR DELETE TO tocsin_portal '
				'USING ((%s) AND (%s))', rule.name, sees, rule.writes);
		END IF;
	END LOOP;
END $$;

-- A sub-dealer hangs below a dealer that the user has; its own dealer row has
-- no parent that the user could set.
DROP POLICY tenant_adds ON tocsin.dealer;
CREATE POLICY tenant_adds ON tocsin.dealer FOR INSERT TO tocsin_portal WITH CHECK
	(parent_id = ANY ((SELECT tocsin.session_dealers())::bigint[])
	AND (SELECT tocsin.session_writes('settings')));
DROP POLICY tenant_removes ON tocsin.dealer;

-- History has no row-level security, as the archive writes it with COPY: a
-- tenant has this view alone.
CREATE VIEW tocsin.tenant_event WITH (security_barrier = true) AS
	SELECT h.* FROM tocsin.event_history h
	WHERE h.dealer_id = ANY ((SELECT tocsin.session_dealers())::bigint[])
	OR h.site_id = ANY ((SELECT tocsin.session_sites())::bigint[])
	OR (h.site_id IN (SELECT s.id FROM tocsin.site s
		WHERE s.station_record_id = ANY ((SELECT tocsin.session_stations())::bigint[])));
COMMENT ON VIEW tocsin.tenant_event IS 'event_history as far as this session''s user may see it';

-- ---- functions ---------------------------------------------------------------------

REVOKE EXECUTE ON ALL FUNCTIONS IN SCHEMA tocsin FROM PUBLIC;
DO $$
DECLARE
	callable record;
BEGIN
	FOR callable IN
		SELECT p.oid::regprocedure AS signature,
			p.proname ~ '^(bridge_claim_code_new|bridge_assign|audit_verify)$' AS operators_only
		FROM pg_proc p WHERE p.pronamespace = 'tocsin'::regnamespace
		AND p.proname ~ ('^(site_|session_|user_|arming_window_add|station_record_save|refuse$|url_|zone_digits|'
			'bridge_(register|assign|transfer|unregister|supervise|claim_code_new)$|claim_code_hash|'
			'firmware_parts|effective_account_of|account_sent_as|audit_verify|audit_actor)')
		AND p.prorettype <> 'trigger'::regtype
	LOOP
		EXECUTE format('GRANT EXECUTE ON FUNCTION %s TO tocsin_operator%s', callable.signature,
			CASE WHEN callable.operators_only THEN '' ELSE ', tocsin_portal' END);
	END LOOP;
END $$;

-- ---- tables ---------------------------------------------------------------------------

GRANT SELECT ON tocsin.arming_method, tocsin.supervision_class, tocsin.code_class,
	tocsin.firmware_minimum, tocsin.bridge_path, tocsin.camera, tocsin.site_partition,
	tocsin.partition_channel, tocsin.arming_window, tocsin.arming_exception, tocsin.contact,
	tocsin.site_template, tocsin.site_template_library, tocsin.site_destination,
	tocsin.site_destination_rule, tocsin.user_role, tocsin.app_member, tocsin.audit_log,
	tocsin.audit_seal, tocsin.audit_head, tocsin.effective_account_now,
	tocsin.destination_account_now, tocsin.station_url, tocsin.effective_system_event,
	tocsin.site_overview, tocsin.site_bridge, tocsin.effective_library, tocsin.site_warning
	TO tocsin_operator;
GRANT INSERT, UPDATE, DELETE ON tocsin.arming_method, tocsin.supervision_class, tocsin.code_class,
	tocsin.firmware_minimum, tocsin.bridge_path, tocsin.camera, tocsin.site_partition,
	tocsin.partition_channel, tocsin.arming_window, tocsin.arming_exception, tocsin.contact,
	tocsin.site_template, tocsin.site_template_library, tocsin.site_destination,
	tocsin.site_destination_rule, tocsin.app_member TO tocsin_operator;

-- Every column but secrets: who may read, who may write.
DO $$
DECLARE
	rule record;
	readable text;
BEGIN
	FOR rule IN SELECT * FROM (VALUES
		('installation', '{secret}'),
		('receiver', '{passkey,passkey_hash,passkey_sealed,key}'),
		('bridge', '{claim_code_hash,key}'),
		('user_account', '{password_salt,password_operations,password_memory_bytes,password_hash,totp_secret}')
		) AS v (name, secrets)
	LOOP
		SELECT string_agg(quote_ident(a.attname), ', ' ORDER BY a.attnum) INTO readable
			FROM pg_attribute a WHERE a.attrelid = ('tocsin.' || rule.name)::regclass
			AND a.attnum > 0 AND NOT a.attisdropped AND NOT a.attname = ANY (rule.secrets::text[]);
		EXECUTE format('REVOKE SELECT ON tocsin.%I FROM tocsin_operator', rule.name);
		EXECUTE format('GRANT SELECT (%s) ON tocsin.%I TO tocsin_operator, tocsin_portal', readable, rule.name);
	END LOOP;
END $$;
GRANT UPDATE (portal_host) ON tocsin.installation TO tocsin_operator;
-- sealed: of no use without the master key, and needed to move a row
GRANT SELECT (key) ON tocsin.receiver, tocsin.bridge TO tocsin_operator;
GRANT INSERT, DELETE ON tocsin.user_account TO tocsin_operator;
GRANT UPDATE (login, name, email, role, dealer_id, center_id, disabled, totp_secret, failed_logins, locked_until)
	ON tocsin.user_account TO tocsin_operator;

GRANT SELECT ON tocsin.schema_version, tocsin.timezone, tocsin.dealer, tocsin.center,
	tocsin.station_record, tocsin.site, tocsin.effective_account, tocsin.zone_type,
	tocsin.system_event, tocsin.channel, tocsin.channel_zone, tocsin.alarm_library,
	tocsin.receiver_endpoint, tocsin.arming_method, tocsin.supervision_class, tocsin.code_class,
	tocsin.firmware_minimum, tocsin.bridge_path, tocsin.camera, tocsin.site_partition,
	tocsin.partition_channel, tocsin.arming_window, tocsin.arming_exception, tocsin.contact,
	tocsin.site_template, tocsin.site_template_library, tocsin.site_destination,
	tocsin.site_destination_rule, tocsin.user_role, tocsin.app_member, tocsin.audit_log,
	tocsin.station_url, tocsin.effective_alarm_code, tocsin.effective_inbound_code,
	tocsin.effective_system_event, tocsin.site_overview, tocsin.site_bridge,
	tocsin.effective_library, tocsin.site_warning, tocsin.tenant_event TO tocsin_portal;
GRANT INSERT (parent_id, name), UPDATE (name) ON tocsin.dealer TO tocsin_portal;
GRANT INSERT, UPDATE, DELETE ON tocsin.station_record, tocsin.site, tocsin.channel,
	tocsin.channel_zone, tocsin.alarm_library, tocsin.bridge_path, tocsin.camera,
	tocsin.site_partition, tocsin.partition_channel, tocsin.arming_window, tocsin.arming_exception,
	tocsin.contact, tocsin.site_template, tocsin.site_template_library, tocsin.site_destination,
	tocsin.site_destination_rule, tocsin.app_member TO tocsin_portal;
-- a bridge comes by its claim code and leaves by bridge_unregister
GRANT UPDATE (mac, model, firmware, kind, transport_account, transport_receiver, transport_line,
	listener, cipher_required, key, entry_delay_s, exit_delay_s, arming_input_inverted)
	ON tocsin.bridge TO tocsin_portal;
GRANT INSERT (login, name, email, role, dealer_id, disabled),
	UPDATE (name, email, role, disabled, totp_secret), DELETE ON tocsin.user_account TO tocsin_portal;
