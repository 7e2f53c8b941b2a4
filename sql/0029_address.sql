-- Addresses of customers that are like what somebody types, with mistakes too:
-- what the portal offers while a new customer is entered.

CREATE FUNCTION tocsin.address_search(wanted text, most integer)
RETURNS TABLE (address1 text, city text, region text, postal_code text, country text, timezone text,
	latitude double precision, longitude double precision)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = tocsin, pg_temp
SET pg_trgm.word_similarity_threshold = 0.5 AS $$
	-- so many at most: what is like every address must not have them all compared
	WITH likely AS MATERIALIZED (
		SELECT s.* FROM site s
		WHERE lower($1) <% lower(s.name || ' ' || s.address1 || ' ' || s.address2 || ' ' || s.postal_code || ' ' || s.city)
			AND s.dealer_id = ANY ((SELECT session_dealers())::bigint[]) AND s.address1 <> ''
			AND length($1) >= 3
		LIMIT 200)
	SELECT f.address1, f.city, f.region, f.postal_code, f.country, f.timezone, f.latitude, f.longitude FROM (
		SELECT DISTINCT ON (l.address1, l.city, l.postal_code) l.*,
			word_similarity(lower($1), lower(l.address1 || ' ' || l.postal_code || ' ' || l.city)) AS likeness
		FROM likely l ORDER BY l.address1, l.city, l.postal_code, l.id DESC) f
	WHERE f.likeness >= 0.5
	ORDER BY f.likeness DESC, f.address1, f.city LIMIT most
$$;
COMMENT ON FUNCTION tocsin.address_search(text, integer) IS
	'Addresses of the session''s dealers'' sites that are like a text of 3 characters at least, the likest first, each once';
REVOKE EXECUTE ON FUNCTION tocsin.address_search(text, integer) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION tocsin.address_search(text, integer) TO tocsin_portal;
