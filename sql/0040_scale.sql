-- What the portal's lists and its search ask at a million sites, for a tenant
-- as fast as for an operator. Row-level security hides an index from whatever
-- might tell what it looks at (LIKE, upper), and knows whose rows are wanted
-- only when the statement runs already. So these functions work as the owner
-- and say themselves whose rows they mean, as constants of a statement that is
-- planned for them. Pages join what they find with views that row-level
-- security guards as ever.
--
--   session_site_condition()              whose sites, as text of SQL about s
--   site_search(wanted, most)             as before
--   portal_sites(after, state, most)      the ids of a page of the list
--   portal_users(after, ...)              the ids of a page of the users
--   portal_audit(before, most)            a page of the audit trail

CREATE EXTENSION IF NOT EXISTS btree_gin WITH SCHEMA tocsin;

-- owner and text in one: a word that every dealer uses is looked up for one
DROP INDEX tocsin.site_text;
CREATE INDEX site_text ON tocsin.site USING gin (dealer_id, station_record_id,
	(lower(name || ' ' || address1 || ' ' || address2 || ' ' || postal_code || ' ' || city)) tocsin.gin_trgm_ops);
CREATE INDEX effective_account_of_center ON tocsin.effective_account (center_id, active, site_id)
	WHERE destination_id IS NULL;
CREATE INDEX site_of_dealer ON tocsin.site (dealer_id, state, id);
CREATE INDEX site_of_state ON tocsin.site (state, id);
DROP INDEX tocsin.user_account_dealer;
CREATE INDEX user_account_dealer ON tocsin.user_account (dealer_id, login) WHERE dealer_id IS NOT NULL;
CREATE INDEX audit_log_chain ON tocsin.audit_log (chain, id);
CREATE INDEX audit_log_order ON tocsin.audit_log (id);

CREATE FUNCTION tocsin.session_sees_all() RETURNS boolean
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = tocsin, pg_temp AS $$
	SELECT NOT session_is_tenant() OR EXISTS (SELECT FROM user_account u
		WHERE u.id = session_user_id() AND u.role = 'operator' AND NOT u.disabled)
$$;
COMMENT ON FUNCTION tocsin.session_sees_all() IS 'Whether this session sees the sites of every dealer';

CREATE FUNCTION tocsin.session_site_condition() RETURNS text
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = tocsin, pg_temp AS $$
	SELECT CASE WHEN session_sees_all() THEN 'true' ELSE coalesce(
		'(' || string_agg(format('s.%I = ANY (%L::bigint[])', c.name, c.ids), ' OR ') || ')', 'false') END
	FROM (VALUES ('dealer_id', session_dealers()), ('station_record_id', session_stations()),
		('id', session_sites())) AS c (name, ids)
	WHERE c.ids <> '{}'
$$;
COMMENT ON FUNCTION tocsin.session_site_condition() IS
	'The policy tenant_sees of table site for this session, with constants: a condition on s';

-- Each way of looking finds so many at most: a text that is in every name must
-- not have a million rows sorted for the first fifty. Parts of fewer than three
-- characters have no trigram, and three are in thousands of accounts and serials:
-- they are looked for where there are few sites, and there from site to site.
CREATE OR REPLACE FUNCTION tocsin.site_search(wanted text, most bigint DEFAULT 50)
RETURNS TABLE (site_id bigint, rank integer, matched text)
LANGUAGE plpgsql STABLE ROWS 50 SECURITY DEFINER SET search_path = tocsin, pg_temp
SET enable_seqscan = off SET jit = off AS $function$
DECLARE
	mine text := session_site_condition();
	few boolean;
BEGIN
	IF coalesce(wanted, '') = '' THEN
		RETURN;
	END IF;
	EXECUTE 'SELECT NOT EXISTS (SELECT FROM site s WHERE ' || mine || ' OFFSET 10000)' INTO few;
	RETURN QUERY EXECUTE replace(replace($sql$
		SELECT DISTINCT ON (f.id) f.id, f.rank, f.matched FROM (
			(SELECT s.id, 1 AS rank, 'account' AS matched FROM effective_account e JOIN site s ON s.id = e.site_id
				WHERE e.account = upper($1) AND <mine> LIMIT $2)
			UNION ALL
			(SELECT s.id, 1, 'account' FROM effective_account e JOIN site s ON s.id = e.site_id
				WHERE e.sent_as = upper($1) AND <mine> LIMIT $2)
			UNION ALL
			(SELECT s.id, 2, 'account number' FROM site s
				WHERE s.account_number = upper($1) AND <mine> LIMIT $2)
			UNION ALL
			(SELECT s.id, 3, 'reference id' FROM effective_account e JOIN site s ON s.id = e.site_id
				WHERE e.reference_id = $1 AND <mine> LIMIT $2)
			UNION ALL
			(SELECT s.id, 4, 'external id' FROM site s
				WHERE s.external_id = $1 AND <mine> LIMIT $2)
			UNION ALL
			(SELECT s.id, 5, 'bridge' FROM bridge b JOIN site s ON s.id = b.site_id
				WHERE b.transport_account = upper($1) AND <mine> LIMIT $2)
			UNION ALL
			(SELECT s.id, 5, 'bridge' FROM bridge b JOIN site s ON s.id = b.site_id
				WHERE upper(b.serial)<each> LIKE $3 AND <mine> AND (length($1) >= 4 OR $5) LIMIT $2)
			UNION ALL
			(SELECT s.id, CASE WHEN position(lower($1) IN lower(s.name)) > 0 THEN 6 ELSE 7 END,
					CASE WHEN position(lower($1) IN lower(s.name)) > 0 THEN 'name' ELSE 'address' END
				FROM site s
				WHERE lower(s.name || ' ' || s.address1 || ' ' || s.address2 || ' ' || s.postal_code || ' ' || s.city)
					LIKE $4 AND <mine> AND (length($1) >= 3 OR $5) LIMIT $2)
			UNION ALL
			(SELECT s.id, 8, 'part of an account' FROM effective_account e JOIN site s ON s.id = e.site_id
				WHERE e.account<each> LIKE $3 AND <mine> AND (length($1) >= 4 OR $5) LIMIT $2)) f
		ORDER BY f.id, f.rank $sql$, '<mine>', mine), '<each>', CASE WHEN few THEN ' || $$$$' ELSE '' END)
		USING wanted, most, like_part(upper(wanted)), like_part(lower(wanted)), few;
END $function$;

-- Of each owner and state so many, from an index that is in their order.
CREATE FUNCTION tocsin.portal_sites(after bigint, state text, most integer) RETURNS SETOF bigint
LANGUAGE plpgsql STABLE ROWS 50 SECURITY DEFINER SET search_path = tocsin, pg_temp AS $$
DECLARE
	states text[] := ARRAY(SELECT s FROM unnest('{active,inactive}'::text[]) s WHERE s = coalesce(state, s));
BEGIN
	IF session_sees_all() THEN
		RETURN QUERY SELECT n.id FROM unnest(states) t (state) CROSS JOIN LATERAL (
			SELECT s.id FROM site s WHERE s.state = t.state AND s.id > coalesce(after, 0) ORDER BY s.id LIMIT most) n
			ORDER BY n.id LIMIT most;
		RETURN;
	END IF;
	RETURN QUERY SELECT DISTINCT f.id FROM (
		SELECT n.id FROM unnest(session_dealers()) d (id), unnest(states) t (state) CROSS JOIN LATERAL (
			SELECT s.id FROM site s WHERE s.dealer_id = d.id AND s.state = t.state AND s.id > coalesce(after, 0)
			ORDER BY s.id LIMIT most) n
		UNION ALL
		-- of a center those that have an account there
		SELECT n.site_id FROM unnest(states) t (state) CROSS JOIN LATERAL (
			SELECT e.site_id FROM effective_account e WHERE e.center_id = session_center() AND e.destination_id IS NULL
			AND e.active = (t.state = 'active') AND e.site_id > coalesce(after, 0)
			ORDER BY e.site_id LIMIT most) n
		UNION ALL
		SELECT s.id FROM site s WHERE s.id = ANY (session_sites()) AND s.state = ANY (states) AND s.id > coalesce(after, 0)) f
		ORDER BY f.id LIMIT most;
END $$;
COMMENT ON FUNCTION tocsin.portal_sites(bigint, text, integer) IS
	'The ids of sites that the session''s user sees, in order, behind after; state NULL: whatever theirs is';

-- dealer_id, role and part narrow them down; each may be NULL. A dealer's users
-- in the order of their logins; beside them a center's own, and oneself.
CREATE FUNCTION tocsin.portal_users(after text, dealer_id bigint, role text, part text, most integer) RETURNS SETOF bigint
LANGUAGE sql STABLE ROWS 50 SECURITY DEFINER SET search_path = tocsin, pg_temp AS $$
	SELECT f.id FROM (
		SELECT n.id, n.login FROM unnest(session_dealers()) d (id) CROSS JOIN LATERAL (
			SELECT u.id, u.login FROM user_account u
			WHERE u.dealer_id = d.id AND u.login > coalesce($1, '') AND ($3 IS NULL OR u.role = $3)
			AND ($4 IS NULL OR position(lower($4) IN lower(u.login || ' ' || u.name)) > 0)
			ORDER BY u.login LIMIT $5) n
		WHERE $2 IS NULL OR d.id = $2
		UNION
		SELECT u.id, u.login FROM user_account u
		WHERE (u.center_id = session_center() OR u.id = session_user_id()) AND u.login > coalesce($1, '')
		AND ($2 IS NULL OR u.dealer_id = $2) AND ($3 IS NULL OR u.role = $3)
		AND ($4 IS NULL OR position(lower($4) IN lower(u.login || ' ' || u.name)) > 0)) f
	ORDER BY f.login LIMIT $5
$$;
COMMENT ON FUNCTION tocsin.portal_users(text, bigint, text, text, integer) IS
	'The ids of users that the session''s user sees, by login, behind after; of a dealer, of a role, with a part of login or name';

CREATE FUNCTION tocsin.portal_audit(before bigint, most integer) RETURNS TABLE (chain bigint, id bigint)
LANGUAGE plpgsql STABLE ROWS 50 SECURITY DEFINER SET search_path = tocsin, pg_temp AS $$
BEGIN
	IF session_sees_all() THEN
		RETURN QUERY SELECT a.chain, a.id FROM audit_log a
			WHERE a.chain <> 0 AND a.id < coalesce(before, 9223372036854775807) ORDER BY a.id DESC LIMIT most;
		RETURN;
	END IF;
	RETURN QUERY SELECT n.chain, n.id FROM unnest(session_dealers()) d (id) CROSS JOIN LATERAL (
		SELECT a.chain, a.id FROM audit_log a WHERE a.chain = d.id AND a.id < coalesce(before, 9223372036854775807)
		ORDER BY a.id DESC LIMIT most) n
		ORDER BY n.id DESC LIMIT most;
END $$;
COMMENT ON FUNCTION tocsin.portal_audit(bigint, integer) IS
	'Which rows of the audit trail tell of the session''s dealers, newest first, older than before';

-- ---- the overview, without a question for each of its rows --------------------------

CREATE FUNCTION tocsin.launch_url_of(template text, account text, zone text, reference_id text) RETURNS text
LANGUAGE sql IMMUTABLE AS $$
	SELECT nullif(replace(replace(replace(template,
		'<account>', tocsin.url_encode(account)),
		'<zone>', tocsin.url_encode(tocsin.zone_digits(zone))),
		'<reference>', tocsin.url_encode(coalesce(reference_id, ''))), '')
$$;
COMMENT ON FUNCTION tocsin.launch_url_of(text, text, text, text) IS 'A station''s template filled in';

CREATE OR REPLACE FUNCTION tocsin.site_launch_url(site_id bigint, zone text DEFAULT NULL) RETURNS text
LANGUAGE sql STABLE SET search_path = tocsin, pg_temp AS $$
	SELECT launch_url_of(u.template, e.account, zone, e.reference_id)
	FROM effective_account e JOIN station_url u USING (station_record_id)
	WHERE e.site_id = $1 AND e.destination_id IS NULL
$$;

CREATE OR REPLACE VIEW tocsin.site_overview WITH (security_invoker = true) AS
	SELECT s.id, s.dealer_id, d.name AS dealer, s.name, s.address1, s.address2, s.city, s.region,
		s.postal_code, s.country, s.latitude, s.longitude, s.timezone, s.external_id,
		CASE WHEN s.state <> 'active' THEN s.state
			WHEN s.on_test_until > now() THEN 'on test' ELSE 'active' END AS security,
		CASE WHEN s.on_test_until > now() THEN s.on_test_until END AS on_test_until, s.on_test_forward,
		s.activation_ends, s.arming_method, m.title AS arming_title, s.arming_bridge_id,
		s.entry_delay_s, s.exit_delay_s, s.repeat_filter_s, s.test_interval_s,
		s.station_record_id, r.name AS station, r.center_id, c.name AS center, r.receiver_id,
		v.name AS receiver, v.protocol, r.prefix, r.receiver_adds_prefix, s.account_number,
		e.account AS effective_account, s.reference_id,
		tocsin.launch_url_of(u.template, e.account, NULL, e.reference_id) AS launch_url,
		s.ack_level
	FROM tocsin.site s
	JOIN tocsin.arming_method m ON m.name = s.arming_method
	LEFT JOIN tocsin.dealer d ON d.id = s.dealer_id
	LEFT JOIN tocsin.station_record r ON r.id = s.station_record_id
	LEFT JOIN tocsin.center c ON c.id = r.center_id
	LEFT JOIN tocsin.receiver v ON v.id = r.receiver_id
	LEFT JOIN tocsin.effective_account e ON e.site_id = s.id AND e.destination_id IS NULL
	LEFT JOIN tocsin.station_url u ON u.station_record_id = e.station_record_id;

REVOKE EXECUTE ON FUNCTION tocsin.launch_url_of(text, text, text, text), tocsin.session_sees_all(), tocsin.session_site_condition(),
	tocsin.portal_sites(bigint, text, integer), tocsin.portal_users(text, bigint, text, text, integer),
	tocsin.portal_audit(bigint, integer) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION tocsin.portal_sites(bigint, text, integer), tocsin.portal_users(text, bigint, text, text, integer),
	tocsin.portal_audit(bigint, integer) TO tocsin_portal;
GRANT EXECUTE ON FUNCTION tocsin.launch_url_of(text, text, text, text) TO tocsin_operator, tocsin_portal;
