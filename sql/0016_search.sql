-- Looking for customers as people do, by a part of what they know: instant at a
-- million sites, through trigrams.

CREATE EXTENSION IF NOT EXISTS pg_trgm WITH SCHEMA tocsin;

CREATE INDEX site_text ON tocsin.site USING gin
	((lower(name || ' ' || address1 || ' ' || address2 || ' ' || postal_code || ' ' || city)) tocsin.gin_trgm_ops);
CREATE INDEX site_external_id_text ON tocsin.site (external_id) WHERE external_id IS NOT NULL;
CREATE INDEX site_account_number ON tocsin.site (account_number) WHERE account_number IS NOT NULL;
CREATE INDEX effective_account_part ON tocsin.effective_account USING gin (account tocsin.gin_trgm_ops);
CREATE INDEX effective_account_sent ON tocsin.effective_account (sent_as);
CREATE INDEX bridge_serial_part ON tocsin.bridge USING gin (upper(serial) tocsin.gin_trgm_ops);

CREATE FUNCTION tocsin.like_part(part text) RETURNS text
LANGUAGE sql IMMUTABLE SET search_path = tocsin, pg_temp AS $$
	SELECT '%' || replace(replace(replace($1, '\', '\\'), '%', '\%'), '_', '\_') || '%'
$$;
COMMENT ON FUNCTION tocsin.like_part(text) IS 'The LIKE pattern of a text that stands anywhere';

-- Each way of looking finds so many at most: a text that is in every name must
-- not have a million rows sorted for the first fifty. Parts of fewer than three
-- characters have no trigram: they are looked for where there are few sites.
CREATE FUNCTION tocsin.site_search(wanted text, most bigint DEFAULT 50)
RETURNS TABLE (site_id bigint, rank integer, matched text)
LANGUAGE sql STABLE SET search_path = tocsin, pg_temp AS $$
	WITH part AS MATERIALIZED (
		SELECT length(wanted) >= 3 OR NOT EXISTS (SELECT FROM site OFFSET 10000) AS wide)
	SELECT DISTINCT ON (f.site_id) f.site_id, f.rank, f.matched FROM (
		(SELECT e.site_id, 1 AS rank, 'account' AS matched FROM effective_account e
			WHERE e.account = upper(wanted) LIMIT most)
		UNION ALL
		(SELECT e.site_id, 1, 'account' FROM effective_account e
			WHERE e.sent_as = upper(wanted) LIMIT most)
		UNION ALL
		(SELECT s.id, 2, 'account number' FROM site s
			WHERE s.account_number = upper(wanted) LIMIT most)
		UNION ALL
		(SELECT e.site_id, 3, 'reference id' FROM effective_account e
			WHERE e.reference_id = wanted LIMIT most)
		UNION ALL
		(SELECT s.id, 4, 'external id' FROM site s
			WHERE s.external_id = wanted LIMIT most)
		UNION ALL
		(SELECT b.site_id, 5, 'bridge' FROM bridge b
			WHERE b.site_id IS NOT NULL AND b.transport_account = upper(wanted) LIMIT most)
		UNION ALL
		(SELECT b.site_id, 5, 'bridge' FROM bridge b
			WHERE b.site_id IS NOT NULL AND upper(b.serial) LIKE like_part(upper(wanted)) AND (SELECT wide FROM part) LIMIT most)
		UNION ALL
		(SELECT s.id, CASE WHEN position(lower(wanted) IN lower(s.name)) > 0 THEN 6 ELSE 7 END,
				CASE WHEN position(lower(wanted) IN lower(s.name)) > 0 THEN 'name' ELSE 'address' END
			FROM site s
			WHERE lower(s.name || ' ' || s.address1 || ' ' || s.address2 || ' ' || s.postal_code || ' ' || s.city)
				LIKE like_part(lower(wanted)) AND (SELECT wide FROM part) LIMIT most)
		UNION ALL
		(SELECT e.site_id, 8, 'part of an account' FROM effective_account e
			WHERE e.account LIKE like_part(upper(wanted)) AND (SELECT wide FROM part) LIMIT most)) f
	WHERE wanted <> ''
	ORDER BY f.site_id, f.rank
$$;
COMMENT ON FUNCTION tocsin.site_search(text, bigint) IS
	'Sites by account, reference or external id, bridge, or a part of name, address, serial or account: each once, with what it was found by; lower ranks are meant more likely';
REVOKE EXECUTE ON FUNCTION tocsin.like_part(text), tocsin.site_search(text, bigint) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION tocsin.like_part(text), tocsin.site_search(text, bigint)
	TO tocsin_operator, tocsin_portal;
