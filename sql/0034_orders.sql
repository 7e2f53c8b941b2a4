-- What users of the portal ask of the running daemon. An order is stored, and
-- so in the audit trail, before the daemon hears of it; what came of it stands
-- in the daemon's journal, and thereby in the history.
--
--   order_arm(site, arm, partition)  -> the words of the command
--   order_replay(receiver)
--   order_skip(receiver, reason)
--   portal_signals(signals, ...)     what the session's user may see of them

CREATE TABLE tocsin.daemon_order (
	id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
	ordered_at timestamptz NOT NULL DEFAULT now(),
	ordered_by text NOT NULL,
	command text NOT NULL,
	site_id bigint,
	partition smallint,
	receiver_id bigint,
	reason text,
	CONSTRAINT daemon_order_command_known CHECK (command IN ('arm', 'disarm', 'replay', 'skip')),
	CONSTRAINT daemon_order_reason CHECK (command <> 'skip' OR (coalesce(reason, '') ~ '\S'
		AND octet_length(reason) <= 200 AND reason !~ '[[:cntrl:]]'))
);
CREATE INDEX daemon_order_site ON tocsin.daemon_order (site_id) WHERE site_id IS NOT NULL;
COMMENT ON TABLE tocsin.daemon_order IS 'What users of the portal asked of the running daemon';
COMMENT ON COLUMN tocsin.daemon_order.ordered_at IS 'When';
COMMENT ON COLUMN tocsin.daemon_order.ordered_by IS 'Who: "user ID LOGIN", also when the user is gone';
COMMENT ON COLUMN tocsin.daemon_order.command IS 'arm, disarm, replay or skip';
COMMENT ON COLUMN tocsin.daemon_order.site_id IS 'Which site, also when it is gone; NULL: none';
COMMENT ON COLUMN tocsin.daemon_order.partition IS 'Of the site; NULL: all of it';
COMMENT ON COLUMN tocsin.daemon_order.receiver_id IS 'Whose parked deliveries; NULL: no receiver''s';
COMMENT ON COLUMN tocsin.daemon_order.reason IS 'Why they are given up';

CREATE FUNCTION tocsin.order_by() RETURNS text
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = tocsin, pg_temp AS $$
	SELECT left(format('user %s %s', u.id, u.login), 100)
	FROM user_account u WHERE u.id = session_user_id() AND NOT u.disabled
$$;
COMMENT ON FUNCTION tocsin.order_by() IS 'Who the session''s user is, for the daemon''s log and journal';

CREATE FUNCTION tocsin.order_arm(site_id bigint, arm boolean, partition integer) RETURNS jsonb
LANGUAGE plpgsql SECURITY DEFINER SET search_path = tocsin, pg_temp AS $$
DECLARE
	member app_member;
	command text := CASE WHEN arm THEN 'arm' ELSE 'disarm' END;
BEGIN
	IF NOT session_sees_site(site_id) THEN
		PERFORM refuse('site_exists', format('there is no site %s', site_id));
	END IF;
	SELECT m.* INTO member FROM app_member m WHERE m.site_id = $1 AND m.user_id = session_user_id() AND m.may_arm;
	IF NOT FOUND AND NOT session_writes('sites') THEN
		RAISE EXCEPTION 'this user may not arm' USING ERRCODE = 'insufficient_privilege';
	END IF;
	IF NOT EXISTS (SELECT FROM site s JOIN arming_method m ON m.name = s.arming_method
		WHERE s.id = $1 AND (m.by_user OR m.by_api)) THEN
		PERFORM site_arming_require(site_id, 'user');
	END IF;
	IF partition IS NOT NULL AND NOT EXISTS (SELECT FROM site_partition p
		WHERE p.site_id = $1 AND p.number = $3) THEN
		PERFORM refuse('site_partition_exists', format('site %s has no partition %s', site_id, partition));
	END IF;
	INSERT INTO daemon_order (ordered_by, command, site_id, partition) VALUES (order_by(), command, $1, $3);
	RETURN jsonb_build_array('by', order_by(), command, $1::text)
		|| CASE WHEN partition IS NULL THEN '[]' ELSE jsonb_build_array('partition', $3::text) END
		|| CASE WHEN member.user_number IS NULL THEN '[]' ELSE jsonb_build_array('user', member.user_number::text) END;
END $$;
COMMENT ON FUNCTION tocsin.order_arm(bigint, boolean, integer) IS
	'Notes that the session''s user arms or disarms a site; the command for the daemon';

-- A receiver whose parked deliveries the session's user may touch: of an
-- operator each, of a center its own.
CREATE FUNCTION tocsin.order_receiver(receiver_id bigint) RETURNS text
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = tocsin, pg_temp AS $$
DECLARE
	name text;
BEGIN
	SELECT v.name INTO name FROM receiver v JOIN user_account u ON u.id = session_user_id() AND NOT u.disabled
		WHERE v.id = $1 AND (u.role = 'operator' OR (u.role = 'center' AND v.center_id = u.center_id));
	-- words of the command themselves
	IF name IS NULL OR name IN ('all', 'removed') THEN
		PERFORM refuse('receiver_exists', format('there is no receiver %s', receiver_id));
	END IF;
	RETURN name;
END $$;
COMMENT ON FUNCTION tocsin.order_receiver(bigint) IS 'Its name; refuses (receiver_exists) one that is not the session''s user''s';

CREATE FUNCTION tocsin.order_replay(receiver_id bigint) RETURNS jsonb
LANGUAGE plpgsql SECURITY DEFINER SET search_path = tocsin, pg_temp AS $$
DECLARE
	name text := order_receiver(receiver_id);
BEGIN
	INSERT INTO daemon_order (ordered_by, command, receiver_id) VALUES (order_by(), 'replay', $1);
	RETURN jsonb_build_array('by', order_by(), 'replay', 'link', name);
END $$;
COMMENT ON FUNCTION tocsin.order_replay(bigint) IS
	'Notes that the session''s user puts a receiver''s parked deliveries back; the command for the daemon';

CREATE FUNCTION tocsin.order_skip(receiver_id bigint, reason text) RETURNS jsonb
LANGUAGE plpgsql SECURITY DEFINER SET search_path = tocsin, pg_temp AS $$
DECLARE
	name text := order_receiver(receiver_id);
BEGIN
	IF session_center() IS NOT NULL THEN
		RAISE EXCEPTION 'giving deliveries up is the operator''s' USING ERRCODE = 'insufficient_privilege';
	END IF;
	INSERT INTO daemon_order (ordered_by, command, receiver_id, reason) VALUES (order_by(), 'skip', $1, $2);
	RETURN jsonb_build_array('by', order_by(), 'skip', 'link', name, $2);
END $$;
COMMENT ON FUNCTION tocsin.order_skip(bigint, text) IS
	'Notes that the session''s user, an operator, gives a receiver''s parked deliveries up; the command for the daemon';

-- Under the caller's row-level security, which decides. A signal of no site is
-- the installation's.
CREATE FUNCTION tocsin.portal_signals(signals jsonb, only_site bigint, account text, verdict text) RETURNS SETOF jsonb
LANGUAGE plpgsql STABLE SET search_path = tocsin, pg_temp AS $$
BEGIN
	IF only_site IS NOT NULL AND NOT session_sees_site(only_site) THEN
		PERFORM refuse('site_exists', format('there is no site %s', only_site));
	END IF;
	RETURN QUERY SELECT e.signal || jsonb_build_object('site', s.name)
		FROM jsonb_array_elements(signals) WITH ORDINALITY AS e (signal, place)
		LEFT JOIN site s ON s.id = (e.signal->>'site_id')::bigint
		WHERE (s.id IS NOT NULL OR (e.signal->>'site_id' IS NULL
			AND EXISTS (SELECT FROM user_account u WHERE u.id = session_user_id() AND u.role = 'operator')))
		AND (only_site IS NULL OR s.id = only_site)
		AND (portal_signals.account IS NULL OR e.signal->>'account' = portal_signals.account
			OR e.signal->'deliveries' @> jsonb_build_array(jsonb_build_object('account', portal_signals.account)))
		AND (portal_signals.verdict IS NULL OR portal_signals.verdict IN (e.signal->>'verdict', e.signal->>'state'))
		ORDER BY e.place;
END $$;
COMMENT ON FUNCTION tocsin.portal_signals(jsonb, bigint, text, text) IS
	'Of signals as tail tells them those that the session''s user may see, each with its site''s name';

-- ---- who may --------------------------------------------------------------------------

ALTER TABLE tocsin.daemon_order ENABLE ROW LEVEL SECURITY;
ALTER TABLE tocsin.daemon_order FORCE ROW LEVEL SECURITY;
DO $$
BEGIN
	EXECUTE format('CREATE POLICY installation ON tocsin.daemon_order TO %I, tocsin_daemon, tocsin_operator '
		'USING (true) WITH CHECK (true)', current_user);
	PERFORM tocsin.audit_watch('daemon_order', 'r.id',
		'coalesce((SELECT s.dealer_id FROM site s WHERE s.id = r.site_id), 0)');
END $$;
GRANT SELECT ON tocsin.daemon_order TO tocsin_operator;
REVOKE EXECUTE ON FUNCTION tocsin.order_by(), tocsin.order_arm(bigint, boolean, integer), tocsin.order_receiver(bigint),
	tocsin.order_replay(bigint), tocsin.order_skip(bigint, text), tocsin.portal_signals(jsonb, bigint, text, text) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION tocsin.order_arm(bigint, boolean, integer), tocsin.order_replay(bigint),
	tocsin.order_skip(bigint, text), tocsin.portal_signals(jsonb, bigint, text, text) TO tocsin_portal;
