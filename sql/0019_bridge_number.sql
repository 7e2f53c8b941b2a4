-- Which of its site's bridges one is: what the zone field of "bridge offline"
-- carries. The least that is free where it is registered; it stays.

ALTER TABLE tocsin.bridge
	ADD COLUMN number smallint CONSTRAINT bridge_number_range CHECK (number BETWEEN 1 AND 999),
	ADD CONSTRAINT bridge_number_unique UNIQUE (site_id, number);
COMMENT ON COLUMN tocsin.bridge.number IS 'Which of the site''s bridges, 1 to 999; NULL: of no site';

CREATE FUNCTION tocsin.bridge_take_number() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = tocsin, pg_temp AS $$
BEGIN
	NEW.number := CASE WHEN NEW.site_id IS NOT NULL THEN (
		SELECT n FROM generate_series(1, 999) n
		WHERE NOT EXISTS (SELECT FROM bridge b WHERE b.site_id = NEW.site_id AND b.number = n)
		ORDER BY n LIMIT 1) END;
	RETURN NEW;
END $$;
COMMENT ON FUNCTION tocsin.bridge_take_number() IS 'Row trigger: the least free number of the site';
REVOKE EXECUTE ON FUNCTION tocsin.bridge_take_number() FROM PUBLIC;

-- the rows that are there: no change of anybody's
ALTER TABLE tocsin.bridge DISABLE TRIGGER USER;
UPDATE tocsin.bridge b SET number = r.number
	FROM (SELECT id, row_number() OVER (PARTITION BY site_id ORDER BY id) AS number
		FROM tocsin.bridge WHERE site_id IS NOT NULL) r
	WHERE r.id = b.id AND r.number <= 999;
ALTER TABLE tocsin.bridge ENABLE TRIGGER USER;

CREATE TRIGGER bridge_number_new BEFORE INSERT ON tocsin.bridge
	FOR EACH ROW EXECUTE FUNCTION tocsin.bridge_take_number();
CREATE TRIGGER bridge_number_moved BEFORE UPDATE OF site_id ON tocsin.bridge
	FOR EACH ROW WHEN (NEW.site_id IS DISTINCT FROM OLD.site_id)
	EXECUTE FUNCTION tocsin.bridge_take_number();
GRANT SELECT (number) ON tocsin.bridge TO tocsin_operator, tocsin_portal;

CREATE OR REPLACE VIEW tocsin.directory_bridge AS
	SELECT b.id, coalesce(b.site_id, 0) AS site_id, b.kind, coalesce(b.serial, '') AS serial,
		b.transport_account AS account, b.transport_receiver AS receiver,
		b.transport_line AS line, b.listener, b.key, b.cipher_required,
		coalesce(p.interval_s, 0) AS primary_interval_s,
		coalesce(p.margin_s, 0) AS primary_margin_s, p.listener AS primary_listener,
		coalesce(s.interval_s, 0) AS backup_interval_s,
		coalesce(s.margin_s, 0) AS backup_margin_s, s.listener AS backup_listener,
		coalesce(b.number, 0::smallint) AS number
	FROM tocsin.bridge b
	LEFT JOIN tocsin.bridge_path p ON p.bridge_id = b.id AND p.path = 'primary'
	LEFT JOIN tocsin.bridge_path s ON s.bridge_id = b.id AND s.path = 'backup';
