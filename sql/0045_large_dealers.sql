-- What took a dealer with 100 000 sites longer than a statement may, and what took
-- everybody longer to plan, under the policies of nine tables, than to do.
--
--   address_search(wanted, most)   as before
--   dealer_overrides(dealer)       how many of its sites override each row of its library
--   portal_library(site)           effective_library of a site, for whoever sees that
--
-- Addresses that are like a text: what was compared was the whole text with each
-- site that has half of its trigrams, and with "Street" in it that was nearly every
-- one. Now an address that has each word is looked for first; where there are few
-- of those, one that has all words but one, and of that one the half; then one that
-- has the half of any word but those that every other address has, which a sample
-- tells.

CREATE OR REPLACE FUNCTION tocsin.address_search(wanted text, most integer)
RETURNS TABLE (address1 text, city text, region text, postal_code text, country text, timezone text,
	latitude double precision, longitude double precision)
LANGUAGE plpgsql STABLE ROWS 5 SECURITY DEFINER SET search_path = tocsin, pg_temp
SET enable_seqscan = off SET enable_indexscan = off SET jit = off
-- of one word: a letter that is wrong takes three trigrams of each
SET pg_trgm.word_similarity_threshold = 0.3 AS $function$
DECLARE
	candidates CONSTANT integer := 500;
	-- that of index site_text, of which the address is a part
	whole CONSTANT text := $$lower(s.name || ' ' || s.address1 || ' ' || s.address2 || ' ' || s.postal_code || ' ' || s.city)$$;
	address CONSTANT text := $$lower(' ' || s.address1 || ' ' || s.postal_code || ' ' || s.city)$$;
	dealers bigint[] := session_dealers();
	mine text := CASE WHEN session_sees_all() THEN 'true'
		-- an index is looked through once for each
		ELSE format(CASE WHEN cardinality(dealers) > 10 THEN 's.dealer_id + 0 = ANY (%L::bigint[])'
			ELSE 's.dealer_id = ANY (%L::bigint[])' END, dealers) END;
	words text[] := ARRAY(SELECT b.w FROM regexp_split_to_table(lower(wanted), '[\s,;]+') p (w), btrim(p.w, '.:') b (w)
		WHERE b.w <> '' GROUP BY b.w ORDER BY length(b.w) DESC LIMIT 8);
	sample text[];
	rows_of text := 'site';
	exact bigint[];
	mistyped bigint[] := '{}';
	word text;
BEGIN
	IF length(wanted) < 3 OR words = '{}' OR dealers = '{}' THEN
		RETURN;
	END IF;
	EXECUTE format('SELECT ARRAY(SELECT n.address FROM unnest($1[:20]) d (id) CROSS JOIN LATERAL (SELECT %s AS address '
		'FROM site s WHERE s.dealer_id = d.id LIMIT %s) n LIMIT 200)', address, 200 / least(20, cardinality(dealers)))
		INTO sample USING dealers;
	-- what many have is found soon; an index would find them all
	IF (SELECT count(*) FROM unnest(sample) a (address) WHERE a.address LIKE ALL (
			SELECT address_pattern(w) FROM unnest(words) w)) * 20 > greatest(cardinality(sample), 200) THEN
		rows_of := format('(SELECT * FROM site s WHERE %s LIMIT 20000)', mine);
	END IF;
	EXECUTE format('SELECT ARRAY(SELECT s.id FROM %s s WHERE %s AND %s AND s.address1 <> '''' LIMIT %s)',
		rows_of, mine, address_has(words, whole, address), candidates) INTO exact;
	FOREACH word IN ARRAY words[:4] LOOP
		EXIT WHEN cardinality(exact) >= most OR length(word) < 4;
		CONTINUE WHEN cardinality(words) = 1;
		EXECUTE format('SELECT $1 || ARRAY(SELECT s.id FROM site s WHERE %1$s AND %2$s AND %3$L <%% %4$s AND %3$L <%% %5$s '
			'AND s.address1 <> '''' LIMIT %6$s)', mine, address_has(array_remove(words, word), whole, address),
			word, whole, address, candidates) INTO mistyped USING mistyped;
	END LOOP;
	FOREACH word IN ARRAY words[:4] LOOP
		EXIT WHEN cardinality(exact || mistyped) >= most OR length(word) < 3;
		CONTINUE WHEN (SELECT count(*) FROM unnest(sample) a (address) WHERE word <% a.address) * 20
			> greatest(cardinality(sample), 200);
		EXECUTE format('SELECT $1 || ARRAY(SELECT s.id FROM site s WHERE %1$s AND %2$L <%% %3$s AND %2$L <%% %4$s '
			'AND s.address1 <> '''' LIMIT %5$s)', mine, word, whole, address, candidates) INTO mistyped USING mistyped;
	END LOOP;
	RETURN QUERY SELECT f.address1, f.city, f.region, f.postal_code, f.country, f.timezone, f.latitude, f.longitude FROM (
		SELECT DISTINCT ON (s.address1, s.city, s.postal_code) s.*, (s.id = ANY (exact))::integer
			+ word_similarity(lower(wanted), lower(s.address1 || ' ' || s.postal_code || ' ' || s.city)) AS likeness
		FROM site s WHERE s.id = ANY (exact || mistyped) ORDER BY s.address1, s.city, s.postal_code, s.id DESC) f
		WHERE f.likeness >= 0.4
		ORDER BY f.likeness DESC, f.address1, f.city LIMIT most;
END $function$;

CREATE FUNCTION tocsin.address_pattern(word text) RETURNS text
LANGUAGE sql IMMUTABLE SET search_path = tocsin, pg_temp AS $$
	SELECT CASE WHEN length(word) < 3 THEN '% ' ELSE '%' END || substr(like_part(word), 2)
$$;
COMMENT ON FUNCTION tocsin.address_pattern(text) IS
	'The LIKE pattern of a word in an address; a short one has trigrams only where it begins';

CREATE FUNCTION tocsin.address_has(words text[], whole text, address text) RETURNS text
LANGUAGE sql IMMUTABLE SET search_path = tocsin, pg_temp AS $$
	SELECT string_agg(format('%1$s LIKE %3$L AND %2$s LIKE %3$L', whole, address, address_pattern(w)), ' AND ')
	FROM unnest(words) w
$$;
COMMENT ON FUNCTION tocsin.address_has(text[], text, text) IS
	'SQL: each word is in the address, and so in the text of which that is a part';

REVOKE EXECUTE ON FUNCTION tocsin.address_pattern(text), tocsin.address_has(text[], text, text) FROM PUBLIC;

CREATE FUNCTION tocsin.dealer_overrides(dealer_id bigint) RETURNS TABLE (kind text, subject text, sites bigint)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = tocsin, pg_temp AS $$
	SELECT k.kind, k.subject, count(*)
	FROM alarm_library o JOIN site s ON s.id = o.site_id CROSS JOIN LATERAL (SELECT
		CASE WHEN o.zone_type IS NOT NULL THEN 'zone_type' WHEN o.system_event IS NOT NULL THEN 'system_event'
			ELSE 'inbound_code' END, coalesce(o.zone_type::text, o.system_event, o.inbound_code)) k (kind, subject)
	WHERE s.dealer_id = $1 AND $1 = ANY ((SELECT session_dealers())::bigint[])
	GROUP BY 1, 2
$$;
COMMENT ON FUNCTION tocsin.dealer_overrides(bigint) IS
	'How many sites of a dealer of the session''s override which zone type, system event or inbound code';

CREATE FUNCTION tocsin.portal_library(site_id bigint) RETURNS SETOF jsonb
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = tocsin, pg_temp AS $$
	SELECT to_jsonb(l) FROM effective_library l WHERE l.site_id = $1 AND session_sees_site($1)
	ORDER BY l.kind DESC, l.subject, l.channel_id NULLS FIRST
$$;
COMMENT ON FUNCTION tocsin.portal_library(bigint) IS 'The effective library of a site that the session sees';
REVOKE EXECUTE ON FUNCTION tocsin.dealer_overrides(bigint), tocsin.portal_library(bigint) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION tocsin.dealer_overrides(bigint), tocsin.portal_library(bigint) TO tocsin_portal;
