-- What the whole installation shares: arming methods, supervision classes,
-- classes of codes, the oldest firmware that may be registered.
--
-- These rows are data: an operator may change texts and figures. The names are
-- a contract with programs.

CREATE EXTENSION IF NOT EXISTS pgcrypto WITH SCHEMA tocsin;

-- somebody may have had it before, in another schema
DO $$
DECLARE
	home text := (SELECT n.nspname FROM pg_extension e
		JOIN pg_namespace n ON n.oid = e.extnamespace WHERE e.extname = 'pgcrypto');
BEGIN
	EXECUTE format('CREATE FUNCTION tocsin.passkey_hash(passkey text) RETURNS text '
		'LANGUAGE sql VOLATILE STRICT AS $f$ SELECT %1$I.crypt(passkey, %1$I.gen_salt(''bf'', 8)) $f$', home);
	EXECUTE format('CREATE FUNCTION tocsin.passkey_matches(passkey text, hash text) RETURNS boolean '
		'LANGUAGE sql STABLE STRICT AS $f$ SELECT %1$I.crypt(passkey, hash) = hash $f$', home);
	EXECUTE format('CREATE FUNCTION tocsin.random_secret(length integer) RETURNS bytea '
		'LANGUAGE sql VOLATILE STRICT AS $f$ SELECT %1$I.gen_random_bytes(length) $f$', home);
END $$;
COMMENT ON FUNCTION tocsin.passkey_hash(text) IS 'A new salted hash of a passkey (bcrypt)';
COMMENT ON FUNCTION tocsin.passkey_matches(text, text) IS 'Whether the hash was made of this passkey';
COMMENT ON FUNCTION tocsin.random_secret(integer) IS 'So many random bytes, good enough for secrets';

CREATE TABLE tocsin.installation (
	id boolean PRIMARY KEY DEFAULT true,
	portal_host text NOT NULL DEFAULT '',
	secret bytea NOT NULL DEFAULT tocsin.random_secret(32),
	CONSTRAINT installation_one_row CHECK (id),
	CONSTRAINT installation_portal_host_format CHECK (portal_host ~ '^([0-9A-Za-z.-]+(:[0-9]{1,5})?)?$')
);
COMMENT ON TABLE tocsin.installation IS 'Settings of the whole installation, one row';
COMMENT ON COLUMN tocsin.installation.id IS 'Always true';
COMMENT ON COLUMN tocsin.installation.portal_host IS 'Host of the default launch URL, https://HOST/monitoring?...; empty: no default';
COMMENT ON COLUMN tocsin.installation.secret IS 'Makes answers about unknown logins look like those about known ones; no role may read it';
INSERT INTO tocsin.installation DEFAULT VALUES;

-- ---- arming --------------------------------------------------------------------

CREATE TABLE tocsin.arming_method (
	name text PRIMARY KEY,
	title text NOT NULL,
	description text NOT NULL,
	position smallint NOT NULL,
	by_input boolean NOT NULL DEFAULT false,
	by_user boolean NOT NULL DEFAULT false,
	by_schedule boolean NOT NULL DEFAULT false,
	by_panel_signal boolean NOT NULL DEFAULT false,
	by_api boolean NOT NULL DEFAULT false,
	CONSTRAINT arming_method_title_not_blank CHECK (title ~ '\S'),
	CONSTRAINT arming_method_position_unique UNIQUE (position)
);
COMMENT ON TABLE tocsin.arming_method IS 'What may set the arming state of a site: each site has exactly one method';
COMMENT ON COLUMN tocsin.arming_method.name IS 'As sites and programs name it';
COMMENT ON COLUMN tocsin.arming_method.title IS 'For people';
COMMENT ON COLUMN tocsin.arming_method.description IS 'One sentence for who chooses';
COMMENT ON COLUMN tocsin.arming_method.position IS 'Order in which it is offered';
COMMENT ON COLUMN tocsin.arming_method.by_input IS 'The arming input of a bridge sets the state';
COMMENT ON COLUMN tocsin.arming_method.by_user IS 'Users of the app and the portal set it';
COMMENT ON COLUMN tocsin.arming_method.by_schedule IS 'The weekly schedule sets it';
COMMENT ON COLUMN tocsin.arming_method.by_panel_signal IS 'Inbound open and close signals set it';
COMMENT ON COLUMN tocsin.arming_method.by_api IS 'An authorised partner sets it';
INSERT INTO tocsin.arming_method (position, name, title, description,
	by_input, by_user, by_schedule, by_panel_signal, by_api) VALUES
	(1, 'panel_primary', 'Panel, primary bridge',
	'The arming input of one bridge arms and disarms the whole site.', true, false, false, false, false),
	(2, 'panel_individual', 'Panel, individual bridges',
	'Each bridge follows its own arming input, so the site may be partially armed.', true, false, false, false, false),
	(3, 'video_system', 'Video system',
	'App and portal users arm and disarm, and so does the weekly schedule.', false, true, true, false, false),
	(4, 'schedule', 'Schedule',
	'The weekly schedule alone arms and disarms.', false, false, true, false, false),
	(5, 'panel_signals', 'Panel signals',
	'Opening and closing signals of the site''s own account arm and disarm.', false, false, false, true, false),
	(6, 'remote_api', 'Remote API',
	'An authorised partner arms and disarms.', false, false, false, false, true),
	(7, 'always', 'Always armed',
	'Alarms always pass; nothing disarms the site.', false, false, false, false, false);

-- ---- supervision -----------------------------------------------------------------

CREATE TABLE tocsin.supervision_class (
	name text PRIMARY KEY,
	primary_interval_s integer NOT NULL,
	backup_interval_s integer,
	CONSTRAINT supervision_class_interval_range CHECK (primary_interval_s BETWEEN 10 AND 3024000
		AND backup_interval_s BETWEEN 10 AND 3024000)
);
COMMENT ON TABLE tocsin.supervision_class IS 'Presets named after the classes of EN 50136';
COMMENT ON COLUMN tocsin.supervision_class.name IS 'SP: one path, DP: two';
COMMENT ON COLUMN tocsin.supervision_class.primary_interval_s IS 'Seconds within which the primary path must be heard';
COMMENT ON COLUMN tocsin.supervision_class.backup_interval_s IS 'The same of the backup path; NULL: there is none';
INSERT INTO tocsin.supervision_class (name, primary_interval_s, backup_interval_s) VALUES
	('SP1', 32 * 86400, NULL), ('SP2', 25 * 3600, NULL), ('SP3', 30 * 60, NULL),
	('SP4', 180, NULL), ('SP5', 90, NULL), ('SP6', 20, NULL),
	('DP1', 25 * 3600, 50 * 3600), ('DP2', 30 * 60, 25 * 3600),
	('DP3', 180, 25 * 3600), ('DP4', 90, 5 * 3600);

-- ---- classes of codes ------------------------------------------------------------

CREATE TABLE tocsin.code_class (
	name text PRIMARY KEY,
	title text NOT NULL,
	prefixes text[] NOT NULL,
	CONSTRAINT code_class_prefixes_format CHECK (array_to_string(prefixes, ',') ~ '^[0-9A-F]{1,3}(,[0-9A-F]{1,3})*$')
);
COMMENT ON TABLE tocsin.code_class IS 'Groups of Contact ID events, for rules about destinations';
COMMENT ON COLUMN tocsin.code_class.name IS 'As rules name it';
COMMENT ON COLUMN tocsin.code_class.title IS 'For people';
COMMENT ON COLUMN tocsin.code_class.prefixes IS 'An event belongs here when it begins with one of these';
INSERT INTO tocsin.code_class (name, title, prefixes) VALUES
	('medical', 'Medical', '{10}'), ('fire', 'Fire', '{11}'), ('panic', 'Panic and hold-up', '{12}'),
	('burglary', 'Burglary', '{13}'), ('general', 'General alarms', '{14}'),
	('technical', 'Technical alarms', '{15,16}'), ('fire_supervisory', 'Fire supervisory', '{20}'),
	('trouble', 'Troubles', '{3}'), ('opening_closing', 'Openings and closings', '{40,44,45,46}'),
	('access', 'Access and remote control', '{41,42,43}'), ('bypass', 'Bypasses and disables', '{5}'),
	('test', 'Tests', '{60}'), ('log', 'Event log, schedule, personnel', '{61,62,63,64,65,66}'),
	('other', 'Maker''s own', '{7,8,9}');

-- ---- firmware ---------------------------------------------------------------------

CREATE TABLE tocsin.firmware_minimum (
	model text PRIMARY KEY,
	version text NOT NULL,
	CONSTRAINT firmware_minimum_version_format CHECK (version ~ '^[0-9]{1,9}(\.[0-9]{1,9}){0,5}$')
);
COMMENT ON TABLE tocsin.firmware_minimum IS 'The oldest firmware with which a bridge may be registered or transferred';
COMMENT ON COLUMN tocsin.firmware_minimum.model IS 'bridge.model; empty: every model without a row of its own';
COMMENT ON COLUMN tocsin.firmware_minimum.version IS 'Compared part by part as numbers: 1.10 is newer than 1.9';

CREATE FUNCTION tocsin.firmware_parts(version text) RETURNS integer[]
LANGUAGE sql IMMUTABLE STRICT AS $$
	SELECT coalesce(array_agg(left(p[1], 9)::integer ORDER BY n), '{}')
	FROM regexp_matches(split_part(split_part(ltrim(version, 'vV '), '-', 1), '+', 1), '[0-9]+', 'g')
		WITH ORDINALITY m (p, n)
$$;
COMMENT ON FUNCTION tocsin.firmware_parts(text) IS
	'A version as its numbers, so that arrays compare as versions do; what follows - or + does not count';
