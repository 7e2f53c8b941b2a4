-- Roles, schema and the record of migrations. PostgreSQL 15 or newer.
--
-- Each file here is applied once, in the order of its number, in a transaction
-- of its own, by `tocsinctl db migrate`. A file that was applied anywhere is
-- never edited again: a change is a new file.

DO $$
BEGIN
	IF current_setting('server_version_num')::int < 150000 THEN
		RAISE EXCEPTION 'PostgreSQL 15 or newer is needed, this is %',
			current_setting('server_version');
	END IF;
END $$;

-- Roles belong to the whole cluster: another database may have made them.
DO $$
DECLARE
	wanted text;
BEGIN
	FOREACH wanted IN ARRAY ARRAY['tocsin_daemon', 'tocsin_operator'] LOOP
		IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = wanted) THEN
			BEGIN
				EXECUTE format('CREATE ROLE %I NOLOGIN', wanted);
			EXCEPTION WHEN duplicate_object OR unique_violation THEN
				NULL;
			END;
		END IF;
	END LOOP;
END $$;

CREATE SCHEMA tocsin;
COMMENT ON SCHEMA tocsin IS
	'Tocsin: provisioning (who is monitored, by whom, under which code) and history';
GRANT USAGE ON SCHEMA tocsin TO tocsin_daemon, tocsin_operator;

CREATE TABLE tocsin.schema_version (
	version integer PRIMARY KEY CHECK (version > 0),
	name text NOT NULL,
	sha256 text NOT NULL CHECK (sha256 ~ '^[0-9a-f]{64}$'),
	applied_at timestamptz NOT NULL DEFAULT now()
);
COMMENT ON TABLE tocsin.schema_version IS 'Which migrations this database has';
COMMENT ON COLUMN tocsin.schema_version.version IS 'Number at the front of the file name';
COMMENT ON COLUMN tocsin.schema_version.name IS 'File name without directory';
COMMENT ON COLUMN tocsin.schema_version.sha256 IS
	'Of the file as it was applied: an altered one is refused';
COMMENT ON COLUMN tocsin.schema_version.applied_at IS 'When its transaction began';
GRANT SELECT ON tocsin.schema_version TO tocsin_daemon, tocsin_operator;
