-- The audit trail: who changed what, when, from what to what; written by
-- triggers in the transaction of the change, never altered afterwards.
--
-- Each audit_log row carries a hash of itself. When a transaction commits, a
-- deferred trigger seals its rows: one audit_seal per chain, whose hash covers
-- the rows and the seal before it. There is one chain per dealer and chain 0
-- for the installation, so that only transactions of the same dealer wait for
-- each other, and only while they commit. audit_verify() finds what was
-- altered, removed or added; audit_head, copied elsewhere now and then, also
-- proves that nothing was cut off at the end.
--
-- Who: SET tocsin.actor, else the login of the session's user, else the
-- database role. Secrets appear as *** and as *** changed.

CREATE TABLE tocsin.audit_log (
	chain bigint NOT NULL,
	xid xid8 NOT NULL,
	id bigint GENERATED ALWAYS AS IDENTITY,
	at timestamptz NOT NULL,
	actor text NOT NULL,
	database_role text NOT NULL,
	table_name text NOT NULL,
	row_key text NOT NULL,
	action text NOT NULL,
	old jsonb,
	new jsonb,
	hash bytea NOT NULL,
	PRIMARY KEY (chain, xid, id)
);
CREATE INDEX audit_log_row ON tocsin.audit_log (table_name, row_key);
CREATE INDEX audit_log_time ON tocsin.audit_log USING brin (at);
COMMENT ON TABLE tocsin.audit_log IS 'Each change of each provisioning row';
COMMENT ON COLUMN tocsin.audit_log.chain IS 'The dealer whose row it is; 0: the installation''s';
COMMENT ON COLUMN tocsin.audit_log.xid IS 'The transaction';
COMMENT ON COLUMN tocsin.audit_log.id IS 'Order within the transaction';
COMMENT ON COLUMN tocsin.audit_log.at IS 'When the transaction began';
COMMENT ON COLUMN tocsin.audit_log.actor IS 'Who';
COMMENT ON COLUMN tocsin.audit_log.database_role IS 'Who was connected';
COMMENT ON COLUMN tocsin.audit_log.table_name IS 'What';
COMMENT ON COLUMN tocsin.audit_log.row_key IS 'Which row of it';
COMMENT ON COLUMN tocsin.audit_log.action IS 'insert, update or delete';
COMMENT ON COLUMN tocsin.audit_log.old IS 'The row before; NULL: there was none';
COMMENT ON COLUMN tocsin.audit_log.new IS 'The row after; NULL: there is none';
COMMENT ON COLUMN tocsin.audit_log.hash IS 'SHA-256 of everything else but id';

CREATE TABLE tocsin.audit_seal (
	id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
	chain bigint NOT NULL,
	xid xid8 NOT NULL DEFAULT pg_current_xact_id(),
	sequence bigint,
	first_id bigint,
	last_id bigint,
	row_count bigint,
	rows_hash bytea,
	hash bytea
);
CREATE UNIQUE INDEX audit_seal_order ON tocsin.audit_seal (chain, sequence);
CREATE UNIQUE INDEX audit_seal_open ON tocsin.audit_seal (chain, xid) WHERE hash IS NULL;
CREATE INDEX audit_seal_xid ON tocsin.audit_seal (xid, chain);
COMMENT ON TABLE tocsin.audit_seal IS 'What one transaction added to one chain';
COMMENT ON COLUMN tocsin.audit_seal.chain IS 'Of audit_log';
COMMENT ON COLUMN tocsin.audit_seal.xid IS 'Of audit_log';
COMMENT ON COLUMN tocsin.audit_seal.sequence IS 'Place in the chain, from 1, in the order of commits';
COMMENT ON COLUMN tocsin.audit_seal.first_id IS 'Of the rows';
COMMENT ON COLUMN tocsin.audit_seal.last_id IS 'Of the rows';
COMMENT ON COLUMN tocsin.audit_seal.row_count IS 'How many rows';
COMMENT ON COLUMN tocsin.audit_seal.rows_hash IS 'SHA-256 of their hashes in the order of id';
COMMENT ON COLUMN tocsin.audit_seal.hash IS 'SHA-256 of the hash before it in the chain and of everything above';

CREATE TABLE tocsin.audit_head (
	chain bigint PRIMARY KEY,
	sequence bigint NOT NULL DEFAULT 0,
	hash bytea NOT NULL DEFAULT sha256('')
);
COMMENT ON TABLE tocsin.audit_head IS 'The end of each chain: who seals locks it';
COMMENT ON COLUMN tocsin.audit_head.chain IS 'Of audit_seal';
COMMENT ON COLUMN tocsin.audit_head.sequence IS 'Of the last seal; 0: none yet';
COMMENT ON COLUMN tocsin.audit_head.hash IS 'Of the last seal';

-- ---- hashes ----------------------------------------------------------------------

CREATE FUNCTION tocsin.audit_row_hash(chain bigint, xid xid8, at timestamptz, actor text,
	database_role text, table_name text, row_key text, action text, old jsonb, new jsonb)
RETURNS bytea LANGUAGE sql STABLE AS $$
	SELECT sha256(convert_to(jsonb_build_array(chain, xid::text,
		(extract(epoch FROM at) * 1000000)::bigint, actor, database_role, table_name,
		row_key, action, old, new)::text, 'UTF8'))
$$;
COMMENT ON FUNCTION tocsin.audit_row_hash(bigint, xid8, timestamptz, text, text, text, text, text, jsonb, jsonb) IS
	'audit_log.hash';

CREATE FUNCTION tocsin.audit_seal_hash(previous bytea, chain bigint, sequence bigint, xid xid8,
	first_id bigint, last_id bigint, row_count bigint, rows_hash bytea)
RETURNS bytea LANGUAGE sql IMMUTABLE AS $$
	SELECT sha256(previous || rows_hash || convert_to(concat_ws(',', chain::text, sequence::text,
		xid::text, first_id::text, last_id::text, row_count::text), 'UTF8'))
$$;
COMMENT ON FUNCTION tocsin.audit_seal_hash(bytea, bigint, bigint, xid8, bigint, bigint, bigint, bytea) IS
	'audit_seal.hash';

CREATE FUNCTION tocsin.audit_actor() RETURNS text
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = tocsin, pg_temp AS $$
BEGIN
	RETURN coalesce(nullif(current_setting('tocsin.actor', true), ''),
		(SELECT login FROM user_account WHERE id = session_user_id()), session_user);
END $$;
COMMENT ON FUNCTION tocsin.audit_actor() IS 'Who this session is, for the trail';

-- ---- sealing ----------------------------------------------------------------------

-- The first row that a transaction left to seal seals all of them, in the
-- order of chains, so that two transactions never wait for each other in turn.
-- The rows are hashed before the head is locked.
CREATE FUNCTION tocsin.audit_seal_transaction() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = tocsin, pg_temp AS $$
DECLARE
	seal record;
	head audit_head;
BEGIN
	FOR seal IN
		SELECT s.id, s.chain, s.xid, count(*) AS row_count, min(l.id) AS first_id, max(l.id) AS last_id,
			sha256(string_agg(l.hash, '' ORDER BY l.id)) AS rows_hash
		FROM audit_seal s JOIN audit_log l ON l.chain = s.chain AND l.xid = s.xid
			AND l.id > coalesce((SELECT max(o.last_id) FROM audit_seal o
				WHERE o.chain = s.chain AND o.xid = s.xid), 0)
		WHERE s.xid = pg_current_xact_id() AND s.hash IS NULL
		GROUP BY s.id, s.chain, s.xid ORDER BY s.chain
	LOOP
		INSERT INTO audit_head (chain) VALUES (seal.chain) ON CONFLICT DO NOTHING;
		SELECT * INTO head FROM audit_head WHERE chain = seal.chain FOR UPDATE;
		head.sequence := head.sequence + 1;
		head.hash := audit_seal_hash(head.hash, seal.chain, head.sequence, seal.xid,
			seal.first_id, seal.last_id, seal.row_count, seal.rows_hash);
		UPDATE audit_head SET sequence = head.sequence, hash = head.hash WHERE chain = seal.chain;
		UPDATE audit_seal SET sequence = head.sequence, first_id = seal.first_id,
			last_id = seal.last_id, row_count = seal.row_count, rows_hash = seal.rows_hash,
			hash = head.hash WHERE id = seal.id;
	END LOOP;
	RETURN NULL;
END $$;
COMMENT ON FUNCTION tocsin.audit_seal_transaction() IS 'At commit: closes the seals that the transaction opened';
CREATE CONSTRAINT TRIGGER audit_seal_transaction AFTER INSERT ON tocsin.audit_seal
	DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION tocsin.audit_seal_transaction();

CREATE FUNCTION tocsin.audit_refuse_change() RETURNS trigger
LANGUAGE plpgsql AS $$
BEGIN
	RAISE EXCEPTION 'the audit trail is only added to: % of % is refused', lower(TG_OP), TG_TABLE_NAME
		USING ERRCODE = 'check_violation', CONSTRAINT = 'audit_append_only', TABLE = TG_TABLE_NAME;
END $$;
COMMENT ON FUNCTION tocsin.audit_refuse_change() IS 'audit_append_only';
CREATE TRIGGER audit_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON tocsin.audit_log
	FOR EACH STATEMENT EXECUTE FUNCTION tocsin.audit_refuse_change();
CREATE TRIGGER audit_append_only BEFORE DELETE OR TRUNCATE ON tocsin.audit_seal
	FOR EACH STATEMENT EXECUTE FUNCTION tocsin.audit_refuse_change();
CREATE TRIGGER audit_sealed BEFORE UPDATE ON tocsin.audit_seal
	FOR EACH ROW WHEN (OLD.hash IS NOT NULL) EXECUTE FUNCTION tocsin.audit_refuse_change();
CREATE TRIGGER audit_append_only BEFORE DELETE OR TRUNCATE ON tocsin.audit_head
	FOR EACH STATEMENT EXECUTE FUNCTION tocsin.audit_refuse_change();
CREATE TRIGGER audit_forward BEFORE UPDATE ON tocsin.audit_head
	FOR EACH ROW WHEN (NEW.sequence <> OLD.sequence + 1 OR NEW.chain <> OLD.chain)
	EXECUTE FUNCTION tocsin.audit_refuse_change();

-- ---- verifying ----------------------------------------------------------------------

CREATE FUNCTION tocsin.audit_verify(known_chain bigint DEFAULT NULL,
	known_sequence bigint DEFAULT NULL, known_hash bytea DEFAULT NULL)
RETURNS TABLE (chain bigint, sequence bigint, problem text)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = tocsin, pg_temp AS $$
	WITH seal AS (
		SELECT s.*, lag(s.hash, 1, sha256('')) OVER link AS previous,
			lag(s.sequence, 1, 0::bigint) OVER link AS previous_sequence
		FROM audit_seal s WINDOW link AS (PARTITION BY s.chain ORDER BY s.sequence)
	), content AS (
		SELECT s.id, count(l.id) AS row_count,
			coalesce(sha256(string_agg(l.hash, '' ORDER BY l.id)), sha256('')) AS rows_hash
		FROM audit_seal s LEFT JOIN audit_log l ON l.chain = s.chain AND l.xid = s.xid
			AND l.id BETWEEN s.first_id AND s.last_id
		GROUP BY s.id)
	SELECT l.chain, NULL::bigint, format('row %s (%s of %s %s at %s) was altered',
			l.id, l.action, l.table_name, l.row_key, l.at)
		FROM audit_log l WHERE l.hash <> audit_row_hash(l.chain, l.xid, l.at, l.actor,
			l.database_role, l.table_name, l.row_key, l.action, l.old, l.new)
	UNION ALL
	SELECT l.chain, NULL, format('row %s (%s of %s %s at %s) is in no seal: it was added by other means',
			l.id, l.action, l.table_name, l.row_key, l.at)
		FROM audit_log l WHERE NOT EXISTS (SELECT FROM audit_seal s
			WHERE s.chain = l.chain AND s.xid = l.xid AND l.id BETWEEN s.first_id AND s.last_id)
	UNION ALL
	SELECT s.chain, s.sequence, format('%s rows were sealed, %s are there', s.row_count, c.row_count)
		FROM seal s JOIN content c USING (id) WHERE s.row_count <> c.row_count
	UNION ALL
	SELECT s.chain, s.sequence, 'the rows are not those that were sealed'
		FROM seal s JOIN content c USING (id)
		WHERE s.row_count = c.row_count AND s.rows_hash <> c.rows_hash
	UNION ALL
	SELECT s.chain, s.sequence, format('%s seals before it are missing', s.sequence - s.previous_sequence - 1)
		FROM seal s WHERE s.sequence <> s.previous_sequence + 1
	UNION ALL
	SELECT s.chain, s.sequence, 'the seal was altered, or the one before it'
		FROM seal s WHERE s.sequence = s.previous_sequence + 1
		AND s.hash IS DISTINCT FROM audit_seal_hash(s.previous, s.chain, s.sequence, s.xid,
			s.first_id, s.last_id, s.row_count, s.rows_hash)
	UNION ALL
	SELECT h.chain, h.sequence, 'the end of the chain is missing'
		FROM audit_head h WHERE h.sequence > 0 AND NOT EXISTS (SELECT FROM audit_seal s
			WHERE s.chain = h.chain AND s.sequence = h.sequence AND s.hash = h.hash)
	UNION ALL
	SELECT s.chain, max(s.sequence), 'the chain goes on behind its end'
		FROM audit_seal s LEFT JOIN audit_head h USING (chain)
		WHERE h.chain IS NULL OR s.sequence > h.sequence GROUP BY s.chain
	UNION ALL
	SELECT known_chain, known_sequence, 'the seal is not the one that was noted elsewhere'
		WHERE known_hash IS NOT NULL AND NOT EXISTS (SELECT FROM audit_seal s
			WHERE s.chain = known_chain AND s.sequence = known_sequence AND s.hash = known_hash)
	ORDER BY 1, 2 NULLS FIRST
$$;
COMMENT ON FUNCTION tocsin.audit_verify(bigint, bigint, bytea) IS
	'What is wrong with the trail: no rows when nothing is. The arguments are a row of audit_head that was noted earlier';

-- ---- what is audited -------------------------------------------------------------------

-- One trigger function per table, so that PostgreSQL keeps its plans. key and
-- chain are expressions over the row r; OFFSET 0 keeps them from being worked
-- out once for the row and once more for its hash.
CREATE FUNCTION tocsin.audit_watch(source text, key text, chain text, secrets text[] DEFAULT '{}')
RETURNS void LANGUAGE plpgsql SET search_path = tocsin, pg_temp AS $$
DECLARE
	hidden text;
	hidden_old text;
	changed text;
	-- @rows@: chain, key, action, old, new
	store text := $store$
		WITH added AS (
			INSERT INTO audit_log (chain, xid, at, actor, database_role, table_name, row_key, action, old, new, hash)
			SELECT x.chain, pg_current_xact_id(), now(), who, session_user, TG_TABLE_NAME, x.key, x.action, x.old, x.new,
				audit_row_hash(x.chain, pg_current_xact_id(), now(), who, session_user,
				TG_TABLE_NAME, x.key, x.action, x.old, x.new)
			FROM (@rows@ OFFSET 0) x
			WHERE x.old IS DISTINCT FROM x.new
			RETURNING audit_log.chain)
		INSERT INTO audit_seal (chain) SELECT DISTINCT a.chain FROM added a
			ON CONFLICT (chain, xid) WHERE hash IS NULL DO NOTHING;$store$;
	inserted text := $rows$
				SELECT @chain@ AS chain, (@key@)::text AS key, 'insert' AS action,
					NULL::jsonb AS old, to_jsonb(r) @hidden@ AS new
				FROM new_rows r$rows$;
	deleted text := $rows$
				SELECT @chain@ AS chain, (@key@)::text AS key, 'delete' AS action,
					to_jsonb(r) @hidden@ AS old, NULL::jsonb AS new
				FROM old_rows r$rows$;
	-- a changed key is one row gone and another one there
	updated text := $rows$
				SELECT coalesce(nullif(n.chain, 0), o.chain) AS chain, coalesce(n.key, o.key) AS key,
					CASE WHEN o.key IS NULL THEN 'insert' WHEN n.key IS NULL THEN 'delete' ELSE 'update' END AS action,
					o.value @hidden_old@ AS old, n.value @changed@ AS new
				FROM (SELECT @chain@ AS chain, (@key@)::text AS key, to_jsonb(r) AS value FROM old_rows r) o
				FULL JOIN (SELECT @chain@ AS chain, (@key@)::text AS key, to_jsonb(r) AS value FROM new_rows r) n
					ON n.key = o.key$rows$;
	body text := format($body$
DECLARE
	who text := audit_actor();
BEGIN
	IF TG_OP = 'INSERT' THEN %s
	ELSIF TG_OP = 'DELETE' THEN
		IF NOT EXISTS (SELECT FROM old_rows) THEN -- most cascades find nothing
			RETURN NULL;
		END IF; %s
	ELSE
		IF NOT EXISTS (SELECT FROM new_rows) THEN
			RETURN NULL;
		END IF; %s
	END IF;
	RETURN NULL;
END $body$, replace(store, '@rows@', inserted), replace(store, '@rows@', deleted),
		replace(store, '@rows@', updated));
	kind record;
BEGIN
	SELECT coalesce(string_agg(format($e$ || jsonb_build_object(%1$L, CASE
			WHEN r.%1$I IS NOT NULL THEN '***' END)$e$, s), ''), ''),
		coalesce(string_agg(format($e$ || jsonb_build_object(%1$L, CASE
			WHEN o.value->>%1$L IS NOT NULL THEN '***' END)$e$, s), ''), ''),
		coalesce(string_agg(format($e$ || jsonb_build_object(%1$L, CASE
			WHEN n.value->>%1$L = o.value->>%1$L THEN '***'
			WHEN n.value->>%1$L IS NOT NULL THEN '*** changed' END)$e$, s), ''), '')
		INTO hidden, hidden_old, changed FROM unnest(secrets) s;
	body := replace(body, '@hidden_old@', hidden_old);
	body := replace(body, '@hidden@', hidden);
	body := replace(body, '@changed@', changed);
	body := replace(body, '@chain@', chain);
	body := replace(body, '@key@', key);
	EXECUTE format('CREATE OR REPLACE FUNCTION %I() RETURNS trigger LANGUAGE plpgsql '
		'SECURITY DEFINER SET search_path = tocsin, pg_temp '
		'SET plan_cache_mode = force_generic_plan AS %L', 'audit_' || source, body);
	EXECUTE format('REVOKE EXECUTE ON FUNCTION %I() FROM PUBLIC', 'audit_' || source);
	EXECUTE format('COMMENT ON FUNCTION %I() IS %L', 'audit_' || source, 'Changes of ' || source || ' into audit_log');
	FOR kind IN SELECT * FROM (VALUES
		('insert', 'NEW TABLE AS new_rows'),
		('delete', 'OLD TABLE AS old_rows'),
		('update', 'OLD TABLE AS old_rows NEW TABLE AS new_rows')) AS k (verb, tables)
	LOOP
		EXECUTE format('CREATE OR REPLACE TRIGGER %I AFTER %s ON %I REFERENCING %s '
			'FOR EACH STATEMENT EXECUTE FUNCTION %I()', 'audit_' || kind.verb, kind.verb, source,
			kind.tables, 'audit_' || source);
	END LOOP;
END $$;
COMMENT ON FUNCTION tocsin.audit_watch(text, text, text, text[]) IS
	'Audit a table; call it again when a secret column was added';

DO $$
DECLARE
	of_site text := 'coalesce((SELECT s.dealer_id FROM site s WHERE s.id = r.site_id), 0)';
	of_bridge text := 'coalesce((SELECT s.dealer_id FROM bridge b JOIN site s ON s.id = b.site_id WHERE b.id = r.bridge_id), 0)';
	rule record;
BEGIN
	FOR rule IN SELECT * FROM (VALUES
		('installation', '1', '0', '{secret}'),
		('arming_method', 'r.name', '0', '{}'),
		('supervision_class', 'r.name', '0', '{}'),
		('code_class', 'r.name', '0', '{}'),
		('firmware_minimum', 'r.model', '0', '{}'),
		('zone_type', 'r.number', '0', '{}'),
		('system_event', 'r.name', '0', '{}'),
		('user_role', 'r.name', '0', '{}'),
		('center', 'r.id', '0', '{}'),
		('receiver', 'r.id', '0', '{key,passkey,passkey_hash,passkey_sealed}'),
		('receiver_endpoint', 'r.id', '0', '{}'),
		('dealer', 'r.id', 'r.id', '{}'),
		('station_record', 'r.id', 'r.dealer_id', '{passkey}'),
		('site', 'r.id', 'r.dealer_id', '{}'),
		('site_template', 'r.id', 'r.dealer_id', '{}'),
		('site_template_library', 'r.id',
			'coalesce((SELECT t.dealer_id FROM site_template t WHERE t.id = r.template_id), 0)', '{}'),
		('user_account', 'r.id', 'coalesce(r.dealer_id, 0)', '{password_salt,password_hash,totp_secret}'),
		('app_member', 'r.site_id || ''/'' || r.user_id', of_site, '{}'),
		('bridge', 'r.id', of_site, '{key,claim_code_hash}'),
		('bridge_path', 'r.bridge_id || ''/'' || r.path', of_bridge, '{}'),
		('channel', 'r.id', of_bridge, '{}'),
		('channel_zone', 'r.bridge_id || ''/'' || r.zone_key', of_bridge, '{}'),
		('camera', 'r.id', of_bridge, '{}'),
		('site_partition', 'r.id', of_site, '{}'),
		('partition_channel', 'r.channel_id', of_site, '{}'),
		('arming_window', 'r.id', of_site, '{}'),
		('arming_exception', 'r.id', of_site, '{}'),
		('contact', 'r.id', of_site, '{}'),
		('site_destination', 'r.id', of_site, '{}'),
		('site_destination_rule', 'r.id', of_site, '{}'),
		('alarm_library', 'r.id', 'coalesce(r.dealer_id, (SELECT s.dealer_id FROM site s WHERE s.id = r.site_id), '
			'(SELECT s.dealer_id FROM channel c JOIN bridge b ON b.id = c.bridge_id '
			'JOIN site s ON s.id = b.site_id WHERE c.id = r.channel_id), 0)', '{}')
		) AS v (source, key, chain, secrets)
	LOOP
		PERFORM tocsin.audit_watch(rule.source, rule.key, rule.chain, rule.secrets::text[]);
	END LOOP;
END $$;
