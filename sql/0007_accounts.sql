-- Account numbers: unique per receiver across dealers, further destinations
-- included, for as long as the site is active; passkeys of receivers; launch
-- URLs.
--
-- A deactivated site releases its number, so reactivating it is refused while
-- somebody else has it. Whoever is refused reads whom to call; another
-- dealer's customer is not named to a dealer.

-- ---- who asks ----------------------------------------------------------------------

-- A role of the cluster; another database may have made it.
DO $$
BEGIN
	IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'tocsin_portal') THEN
		CREATE ROLE tocsin_portal NOLOGIN;
	END IF;
EXCEPTION WHEN duplicate_object OR unique_violation THEN
	NULL;
END $$;
GRANT USAGE ON SCHEMA tocsin TO tocsin_portal;

CREATE FUNCTION tocsin.session_user_id() RETURNS bigint
LANGUAGE sql STABLE AS $$
	SELECT nullif(current_setting('tocsin.user_id', true), '')::bigint
$$;
COMMENT ON FUNCTION tocsin.session_user_id() IS
	'For whom this session works: the setting tocsin.user_id; NULL: for nobody in particular';

CREATE FUNCTION tocsin.session_is_tenant() RETURNS boolean
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
	SELECT tocsin.session_user_id() IS NOT NULL OR EXISTS (
		SELECT FROM pg_roles r
		-- the role that was SET, also inside a function of the owner
		WHERE r.rolname = coalesce(nullif(current_setting('role'), 'none'), session_user)
		AND pg_has_role(r.oid, 'tocsin_portal', 'USAGE')
		-- the policies show these everything, whatever else they are
		AND NOT pg_has_role(r.oid, 'tocsin_operator', 'USAGE')
		AND NOT pg_has_role(r.oid, (SELECT n.nspowner FROM pg_namespace n WHERE n.nspname = 'tocsin'), 'USAGE'))
$$;
COMMENT ON FUNCTION tocsin.session_is_tenant() IS
	'Whether this session serves a dealer, a center or an app member, so that it sees only what is theirs';

-- ---- effective accounts --------------------------------------------------------------

DROP TRIGGER effective_account_insert ON tocsin.site;
DROP TRIGGER effective_account_update ON tocsin.site;
ALTER TABLE tocsin.effective_account
	ADD COLUMN destination_id bigint REFERENCES tocsin.site_destination ON DELETE CASCADE,
	ADD COLUMN active boolean NOT NULL DEFAULT true,
	ADD COLUMN receiver_claimed bigint GENERATED ALWAYS AS (CASE WHEN active THEN receiver_id END) STORED,
	ADD COLUMN center_claimed bigint GENERATED ALWAYS AS (CASE WHEN active THEN center_id END) STORED,
	DROP CONSTRAINT effective_account_pkey,
	DROP CONSTRAINT account_unique_at_receiver,
	DROP CONSTRAINT reference_id_unique_at_center,
	ADD CONSTRAINT effective_account_once UNIQUE NULLS NOT DISTINCT (site_id, destination_id);
UPDATE tocsin.effective_account e SET active = false
	FROM tocsin.site s WHERE s.id = e.site_id AND s.state <> 'active';
ALTER TABLE tocsin.effective_account
	-- deferrable, so that one statement may swap two numbers
	ADD CONSTRAINT account_unique_at_receiver UNIQUE (receiver_claimed, sent_as)
		DEFERRABLE INITIALLY IMMEDIATE,
	ADD CONSTRAINT reference_id_unique_at_center UNIQUE (center_claimed, reference_id)
		DEFERRABLE INITIALLY IMMEDIATE;
CREATE INDEX effective_account_destination ON tocsin.effective_account (destination_id)
	WHERE destination_id IS NOT NULL;
CREATE INDEX effective_account_reference ON tocsin.effective_account (reference_id)
	WHERE reference_id IS NOT NULL;
COMMENT ON COLUMN tocsin.effective_account.destination_id IS 'Of which further destination; NULL: the site''s own station';
COMMENT ON COLUMN tocsin.effective_account.active IS 'The site is: a deactivated one does not hold its number';
COMMENT ON COLUMN tocsin.effective_account.receiver_claimed IS 'Where the number is taken; NULL: nowhere';
COMMENT ON COLUMN tocsin.effective_account.center_claimed IS 'Where the reference id is taken; NULL: nowhere';

DROP VIEW tocsin.effective_account_now;
CREATE VIEW tocsin.effective_account_now AS
	SELECT s.id AS site_id, r.id AS station_record_id, r.center_id, r.receiver_id,
		tocsin.effective_account_of(r.prefix, r.receiver_adds_prefix, s.account_number) AS account,
		tocsin.account_sent_as(v.protocol,
			tocsin.effective_account_of(r.prefix, r.receiver_adds_prefix, s.account_number)) AS sent_as,
		s.reference_id, s.state = 'active' AS active
	FROM tocsin.site s
	JOIN tocsin.station_record r ON r.id = s.station_record_id
	LEFT JOIN tocsin.receiver v ON v.id = r.receiver_id;
COMMENT ON VIEW tocsin.effective_account_now IS
	'What effective_account must hold about sites; the triggers copy from here';

CREATE VIEW tocsin.destination_account_now AS
	SELECT d.site_id, d.id AS destination_id, r.id AS station_record_id, r.center_id, r.receiver_id,
		tocsin.effective_account_of(r.prefix, r.receiver_adds_prefix, d.account_number) AS account,
		tocsin.account_sent_as(v.protocol,
			tocsin.effective_account_of(r.prefix, r.receiver_adds_prefix, d.account_number)) AS sent_as,
		d.reference_id, s.state = 'active' AS active
	FROM tocsin.site_destination d
	JOIN tocsin.site s ON s.id = d.site_id
	JOIN tocsin.station_record r ON r.id = d.station_record_id
	LEFT JOIN tocsin.receiver v ON v.id = r.receiver_id;
COMMENT ON VIEW tocsin.destination_account_now IS
	'What effective_account must hold about further destinations; the triggers copy from here';

-- The same as before, with plans that are kept: a function in SQL is planned
-- again for each statement that changes sites.
CREATE OR REPLACE FUNCTION tocsin.effective_account_lock(stations bigint[]) RETURNS void
LANGUAGE plpgsql SET search_path = tocsin, pg_temp AS $$
BEGIN
	PERFORM FROM station_record WHERE id = ANY (stations) ORDER BY id FOR SHARE;
	PERFORM FROM receiver WHERE id IN (
		SELECT receiver_id FROM station_record WHERE id = ANY (stations))
		ORDER BY id FOR SHARE;
END $$;

-- detail: "Key (receiver_claimed, sent_as)=(3, 1234) already exists.", in any
-- language
CREATE FUNCTION tocsin.account_refuse(constraint_name text, detail text) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = tocsin, pg_temp AS $$
DECLARE
	part text[] := regexp_match(detail, '=\((\d+), (.*)\)');
	place_id bigint := part[1];
	value text := part[2];
	by_reference boolean := constraint_name = 'reference_id_unique_at_center';
	place text;
	station text;
	holder text;
	message text;
BEGIN
	IF by_reference THEN
		SELECT format('center %s', c.name), c.name INTO place, station
			FROM center c WHERE c.id = place_id;
	ELSE
		SELECT format('receiver %s', v.name), c.name INTO place, station
			FROM receiver v JOIN center c ON c.id = v.center_id WHERE v.id = place_id;
	END IF;
	-- twice in one statement, or behind the back of a repeatable read: nobody
	SELECT CASE WHEN tocsin.session_is_tenant() AND NOT s.dealer_id = ANY (tocsin.session_dealers())
			THEN 'another customer'
			ELSE format('site %s "%s" of dealer "%s"', s.id, s.name, d.name) END
		INTO holder
		FROM effective_account e
		JOIN site s ON s.id = e.site_id
		JOIN dealer d ON d.id = s.dealer_id
		WHERE CASE WHEN by_reference THEN e.center_claimed = place_id AND e.reference_id = value
			ELSE e.receiver_claimed = place_id AND e.sent_as = value END;
	message := format('%1$s %2$s is already taken at %3$s, %4$s: no two customers may signal under one %1$s; '
		'ask the monitoring station %5$s for a free one, or choose another',
		CASE WHEN by_reference THEN 'reference id' ELSE 'account' END, value, place,
		coalesce('by ' || holder, 'in this very moment'), station);
	RAISE EXCEPTION USING ERRCODE = 'unique_violation', CONSTRAINT = constraint_name,
		TABLE = 'effective_account', SCHEMA = 'tocsin', MESSAGE = message;
END $$;
COMMENT ON FUNCTION tocsin.account_refuse(text, text) IS
	'account_unique_at_receiver, reference_id_unique_at_center: says who has it, as far as this session may know, and whom to call';

CREATE OR REPLACE FUNCTION tocsin.effective_account_from_site() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = tocsin, pg_temp AS $$
DECLARE
	constraint_name text;
	detail text;
BEGIN
	PERFORM effective_account_lock((
		SELECT array_agg(DISTINCT station_record_id) FROM new_rows));
	IF TG_OP = 'UPDATE' THEN
		DELETE FROM effective_account e USING new_rows n
			WHERE e.site_id = n.id AND e.destination_id IS NULL AND n.station_record_id IS NULL;
		-- found by index from each side: old_rows and new_rows have none,
		-- and a plan made for one row must do for a million
		UPDATE effective_account e SET station_record_id = w.station_record_id,
			center_id = w.center_id, receiver_id = w.receiver_id,
			account = w.account, sent_as = w.sent_as, reference_id = w.reference_id,
			active = w.active
			FROM effective_account_now w, new_rows n
			WHERE e.site_id = w.site_id AND e.destination_id IS NULL AND w.site_id = n.id
			AND (e.station_record_id, e.center_id, e.receiver_id, e.account,
				e.sent_as, e.reference_id, e.active)
				IS DISTINCT FROM (w.station_record_id, w.center_id, w.receiver_id,
				w.account, w.sent_as, w.reference_id, w.active);
		UPDATE effective_account e SET active = n.state = 'active'
			FROM new_rows n
			WHERE e.site_id = n.id AND e.destination_id IS NOT NULL
			AND e.active <> (n.state = 'active');
		INSERT INTO effective_account (site_id, station_record_id, center_id, receiver_id,
			account, sent_as, reference_id, active)
			SELECT w.* FROM effective_account_now w JOIN new_rows n ON n.id = w.site_id
			WHERE NOT EXISTS (SELECT FROM effective_account e
				WHERE e.site_id = n.id AND e.destination_id IS NULL);
	ELSE
		INSERT INTO effective_account (site_id, station_record_id, center_id, receiver_id,
			account, sent_as, reference_id, active)
			SELECT w.* FROM effective_account_now w JOIN new_rows n ON n.id = w.site_id;
	END IF;
	RETURN NULL;
EXCEPTION WHEN unique_violation THEN
	GET STACKED DIAGNOSTICS constraint_name = CONSTRAINT_NAME, detail = PG_EXCEPTION_DETAIL;
	PERFORM account_refuse(constraint_name, detail);
	RETURN NULL;
END $$;
CREATE TRIGGER effective_account_insert AFTER INSERT ON tocsin.site
	REFERENCING NEW TABLE AS new_rows
	FOR EACH STATEMENT EXECUTE FUNCTION tocsin.effective_account_from_site();
CREATE TRIGGER effective_account_update AFTER UPDATE ON tocsin.site
	REFERENCING NEW TABLE AS new_rows
	FOR EACH STATEMENT EXECUTE FUNCTION tocsin.effective_account_from_site();

CREATE FUNCTION tocsin.effective_account_from_destination() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = tocsin, pg_temp AS $$
DECLARE
	constraint_name text;
	detail text;
BEGIN
	PERFORM effective_account_lock(ARRAY[NEW.station_record_id]);
	PERFORM FROM site WHERE id = NEW.site_id FOR SHARE; -- its state counts
	INSERT INTO effective_account (site_id, destination_id, station_record_id, center_id,
		receiver_id, account, sent_as, reference_id, active)
		SELECT * FROM destination_account_now w WHERE w.destination_id = NEW.id
		ON CONFLICT ON CONSTRAINT effective_account_once DO UPDATE SET
			station_record_id = EXCLUDED.station_record_id, center_id = EXCLUDED.center_id,
			receiver_id = EXCLUDED.receiver_id, account = EXCLUDED.account,
			sent_as = EXCLUDED.sent_as, reference_id = EXCLUDED.reference_id,
			active = EXCLUDED.active;
	RETURN NULL;
EXCEPTION WHEN unique_violation THEN
	GET STACKED DIAGNOSTICS constraint_name = CONSTRAINT_NAME, detail = PG_EXCEPTION_DETAIL;
	PERFORM account_refuse(constraint_name, detail);
	RETURN NULL;
END $$;
COMMENT ON FUNCTION tocsin.effective_account_from_destination() IS
	'Keeps effective_account when further destinations change';
CREATE TRIGGER effective_account_from_destination AFTER INSERT OR UPDATE ON tocsin.site_destination
	FOR EACH ROW EXECUTE FUNCTION tocsin.effective_account_from_destination();

CREATE OR REPLACE FUNCTION tocsin.effective_account_from_above() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = tocsin, pg_temp AS $$
DECLARE
	constraint_name text;
	detail text;
	stations bigint[] := ARRAY(SELECT r.id FROM station_record r
		WHERE CASE TG_TABLE_NAME WHEN 'receiver' THEN r.receiver_id ELSE r.id END = NEW.id);
BEGIN
	UPDATE effective_account e SET center_id = w.center_id, receiver_id = w.receiver_id,
		account = w.account, sent_as = w.sent_as
		FROM effective_account_now w
		WHERE e.site_id = w.site_id AND e.destination_id IS NULL
		AND w.station_record_id = ANY (stations)
		AND (e.center_id, e.receiver_id, e.account, e.sent_as)
			IS DISTINCT FROM (w.center_id, w.receiver_id, w.account, w.sent_as);
	UPDATE effective_account e SET center_id = w.center_id, receiver_id = w.receiver_id,
		account = w.account, sent_as = w.sent_as
		FROM destination_account_now w
		WHERE e.destination_id = w.destination_id
		AND w.station_record_id = ANY (stations)
		AND (e.center_id, e.receiver_id, e.account, e.sent_as)
			IS DISTINCT FROM (w.center_id, w.receiver_id, w.account, w.sent_as);
	RETURN NULL;
EXCEPTION WHEN unique_violation THEN
	GET STACKED DIAGNOSTICS constraint_name = CONSTRAINT_NAME, detail = PG_EXCEPTION_DETAIL;
	PERFORM account_refuse(constraint_name, detail);
	RETURN NULL;
END $$;

-- ---- passkeys ------------------------------------------------------------------------

ALTER TABLE tocsin.receiver
	ADD COLUMN has_key boolean NOT NULL GENERATED ALWAYS AS (key IS NOT NULL) STORED,
	ADD COLUMN passkey text,
	ADD COLUMN passkey_hash text,
	ADD COLUMN passkey_sealed bytea,
	ADD COLUMN has_passkey boolean NOT NULL GENERATED ALWAYS AS (passkey_hash IS NOT NULL) STORED,
	ADD CONSTRAINT receiver_passkey_length CHECK (passkey IS NULL),
	ADD CONSTRAINT receiver_passkey_is_hashed CHECK (passkey_hash ~ '^\$2');
COMMENT ON COLUMN tocsin.receiver.has_key IS 'Whether it has a key, for those who may not read it';
COMMENT ON COLUMN tocsin.receiver.passkey IS 'To be written only: a new passkey goes to passkey_hash, an empty one removes it; always NULL when read';
COMMENT ON COLUMN tocsin.receiver.passkey_hash IS 'Salted hash of what a dealer must know to set up a station record; NULL: anybody may';
COMMENT ON COLUMN tocsin.receiver.passkey_sealed IS 'The passkey where the link itself must send it, sealed under the master key for context receiver.passkey:ID; NULL: it is not sent';
COMMENT ON COLUMN tocsin.receiver.has_passkey IS 'Whether a station record needs the passkey';

CREATE FUNCTION tocsin.receiver_take_passkey() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = tocsin, pg_temp AS $$
BEGIN
	IF NEW.passkey = '' THEN
		NEW.passkey_hash := NULL;
	ELSIF length(NEW.passkey) NOT BETWEEN 4 AND 64 THEN
		RAISE EXCEPTION 'a passkey has 4 to 64 characters'
			USING ERRCODE = 'check_violation',
			CONSTRAINT = 'receiver_passkey_length', TABLE = 'receiver';
	ELSE
		NEW.passkey_hash := passkey_hash(NEW.passkey);
	END IF;
	NEW.passkey := NULL;
	RETURN NEW;
END $$;
COMMENT ON FUNCTION tocsin.receiver_take_passkey() IS 'Keeps the hash of a passkey, never the passkey';
CREATE TRIGGER receiver_take_passkey BEFORE INSERT OR UPDATE OF passkey ON tocsin.receiver
	FOR EACH ROW WHEN (NEW.passkey IS NOT NULL) EXECUTE FUNCTION tocsin.receiver_take_passkey();

ALTER TABLE tocsin.station_record
	ADD COLUMN passkey text,
	ADD COLUMN url_parameter text NOT NULL DEFAULT 'act',
	ADD CONSTRAINT station_record_passkey_right CHECK (passkey IS NULL),
	ADD CONSTRAINT station_record_url_parameter_known CHECK (url_parameter IN ('act', 'csid', 'txid'));
COMMENT ON COLUMN tocsin.station_record.passkey IS 'To be written only: the receiver''s passkey, checked when the record is saved; always NULL when read';
COMMENT ON COLUMN tocsin.station_record.url_parameter IS 'How the account is called in the launch URL: act, csid or txid';
COMMENT ON COLUMN tocsin.station_record.url_template IS 'Launch URL with <account>, <zone> and perhaps <reference> and <parameter>; empty: the installation''s';

-- Before the passkey: who may not see a receiver may not try keys at it.
CREATE FUNCTION tocsin.station_record_see_receiver() RETURNS trigger
LANGUAGE plpgsql SET search_path = tocsin, pg_temp AS $$
BEGIN
	IF NOT EXISTS (SELECT FROM receiver WHERE id = NEW.receiver_id) THEN
		RAISE EXCEPTION 'there is no such receiver of this center'
			USING ERRCODE = 'foreign_key_violation',
			CONSTRAINT = 'station_record_receiver_of_center', TABLE = 'station_record';
	END IF;
	RETURN NEW;
END $$;
COMMENT ON FUNCTION tocsin.station_record_see_receiver() IS
	'A receiver that this session may not see is one that does not exist';
CREATE TRIGGER station_record_check_1_receiver BEFORE INSERT OR UPDATE OF receiver_id
	ON tocsin.station_record FOR EACH ROW WHEN (NEW.receiver_id IS NOT NULL)
	EXECUTE FUNCTION tocsin.station_record_see_receiver();

CREATE FUNCTION tocsin.station_record_check_passkey() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = tocsin, pg_temp AS $$
DECLARE
	wanted record;
BEGIN
	-- a receiver that is saved again with its old link needs no new proof
	IF TG_OP = 'UPDATE' AND NEW.receiver_id IS NOT DISTINCT FROM OLD.receiver_id
		AND NEW.passkey IS NULL THEN
		RETURN NEW;
	END IF;
	SELECT v.name, v.passkey_hash, c.name AS center INTO wanted
		FROM receiver v JOIN center c ON c.id = v.center_id
		WHERE v.id = NEW.receiver_id AND v.passkey_hash IS NOT NULL;
	IF FOUND AND passkey_matches(NEW.passkey, wanted.passkey_hash) IS NOT TRUE THEN
		RAISE EXCEPTION USING ERRCODE = 'check_violation',
			CONSTRAINT = 'station_record_passkey_right', TABLE = 'station_record',
			MESSAGE = format('receiver %s %s: the station record was not saved; ask the monitoring station %s for it',
				wanted.name, CASE WHEN NEW.passkey IS NULL THEN 'needs its passkey'
				ELSE 'has another passkey' END, wanted.center);
	END IF;
	NEW.passkey := NULL;
	RETURN NEW;
END $$;
COMMENT ON FUNCTION tocsin.station_record_check_passkey() IS 'station_record_passkey_right';
CREATE TRIGGER station_record_check_2_passkey BEFORE INSERT OR UPDATE OF receiver_id, passkey
	ON tocsin.station_record FOR EACH ROW EXECUTE FUNCTION tocsin.station_record_check_passkey();

-- ---- launch URLs -----------------------------------------------------------------------

CREATE VIEW tocsin.station_url AS
	SELECT r.id AS station_record_id,
		replace(CASE WHEN r.url_template <> '' THEN r.url_template
			WHEN i.portal_host <> '' THEN
				'https://' || i.portal_host || '/monitoring?<parameter>=<account>&zone=<zone>'
			ELSE '' END, '<parameter>', r.url_parameter) AS template
	FROM tocsin.station_record r CROSS JOIN tocsin.installation i;
COMMENT ON VIEW tocsin.station_url IS 'The launch URL template in force, with <account>, <zone> and perhaps <reference>; empty: none';

CREATE OR REPLACE VIEW tocsin.directory_station AS
	SELECT r.id, r.dealer_id, coalesce(r.receiver_id, 0) AS receiver_id, r.name, r.prefix,
		r.receiver_adds_prefix, coalesce(r.line_card, '') AS line_card, u.template AS url_template
	FROM tocsin.station_record r JOIN tocsin.station_url u ON u.station_record_id = r.id;

-- The default URL is every station's.
CREATE FUNCTION tocsin.directory_note_installation() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = tocsin, pg_temp AS $$
BEGIN
	INSERT INTO directory_change (entity, entity_id) SELECT 'station', id FROM station_record;
	NOTIFY tocsin_directory;
	RETURN NULL;
END $$;
COMMENT ON FUNCTION tocsin.directory_note_installation() IS 'All stations into directory_change';
CREATE TRIGGER directory_note_installation AFTER UPDATE OF portal_host ON tocsin.installation
	FOR EACH ROW WHEN (OLD.portal_host <> NEW.portal_host)
	EXECUTE FUNCTION tocsin.directory_note_installation();

CREATE OR REPLACE VIEW tocsin.directory_site AS
	SELECT id, dealer_id, coalesce(station_record_id, 0) AS station_id, state, name,
		coalesce(account_number, '') AS account, coalesce(reference_id, '') AS reference_id,
		coalesce(extract(epoch FROM on_test_until) * 1000000, 0)::bigint AS on_test_until_us,
		on_test_forward
	FROM tocsin.site;
COMMENT ON VIEW tocsin.directory_site IS
	'struct directory_site; state active or inactive; on_test_until_us 0: not on test';
