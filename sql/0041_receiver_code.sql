-- Translations of a receiver's own, before those of the code table.

CREATE TABLE tocsin.receiver_code (
	receiver_id bigint NOT NULL,
	came text NOT NULL CONSTRAINT receiver_code_came_format
		CHECK (came ~ '^([ERP][0-9B-F]{3}|[A-Z]{2})$'),
	goes text NOT NULL CONSTRAINT receiver_code_goes_format
		CHECK (goes ~ '^([ERP][0-9B-F]{3}|[A-Z]{2})$'),
	CONSTRAINT receiver_code_once PRIMARY KEY (receiver_id, came),
	CONSTRAINT receiver_code_receiver_exists FOREIGN KEY (receiver_id)
		REFERENCES tocsin.receiver ON DELETE CASCADE,
	CONSTRAINT receiver_code_translates CHECK (length(came) <> length(goes))
);
COMMENT ON TABLE tocsin.receiver_code IS 'What a receiver with a translation gets for a code, instead of what the code table has';
COMMENT ON COLUMN tocsin.receiver_code.receiver_id IS 'Whose';
COMMENT ON COLUMN tocsin.receiver_code.came IS 'As decided: E, R or P and a Contact ID event, or a SIA code';
COMMENT ON COLUMN tocsin.receiver_code.goes IS 'The code of the other kind that is sent for it';

-- The daemon looks through them for each delivery, and a text of its snapshot has 64 KiB.
CREATE FUNCTION tocsin.receiver_code_limit() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = tocsin, pg_temp AS $$
BEGIN
	PERFORM FROM receiver r JOIN new_rows n ON n.receiver_id = r.id
		ORDER BY r.id FOR NO KEY UPDATE OF r; -- one at a time
	IF EXISTS (SELECT FROM receiver_code c WHERE c.receiver_id IN (SELECT n.receiver_id FROM new_rows n)
		GROUP BY c.receiver_id HAVING count(*) > 1000) THEN
		RAISE EXCEPTION 'a receiver has at most 1000 codes of its own'
			USING ERRCODE = 'check_violation',
			CONSTRAINT = 'receiver_code_at_most_1000', TABLE = 'receiver_code';
	END IF;
	RETURN NULL;
END $$;
COMMENT ON FUNCTION tocsin.receiver_code_limit() IS 'receiver_code_at_most_1000';
REVOKE EXECUTE ON FUNCTION tocsin.receiver_code_limit() FROM PUBLIC;
CREATE TRIGGER receiver_code_limit_insert AFTER INSERT ON tocsin.receiver_code
	REFERENCING NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION tocsin.receiver_code_limit();
CREATE TRIGGER receiver_code_limit_update AFTER UPDATE ON tocsin.receiver_code
	REFERENCING NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION tocsin.receiver_code_limit();

CREATE VIEW tocsin.directory_receiver_code AS
	SELECT receiver_id, string_agg(came || '=' || goes, ',' ORDER BY came) AS codes
	FROM tocsin.receiver_code GROUP BY receiver_id;
COMMENT ON VIEW tocsin.directory_receiver_code IS 'The codes of struct directory_receiver, as in "E130=BA,R130=BH"';

DO $$
DECLARE
	kind record;
BEGIN
	FOR kind IN SELECT * FROM (VALUES
		('insert', 'NEW TABLE AS new_rows'),
		('delete', 'OLD TABLE AS old_rows'),
		('update', 'OLD TABLE AS old_rows NEW TABLE AS new_rows')) AS k (verb, tables)
	LOOP
		EXECUTE format('CREATE TRIGGER %I AFTER %s ON tocsin.receiver_code REFERENCING %s '
			'FOR EACH STATEMENT EXECUTE FUNCTION tocsin.directory_note_change(%L, %L)',
			'directory_receiver_' || kind.verb, kind.verb, kind.tables, 'receiver', 'receiver_id');
	END LOOP;
	EXECUTE format('CREATE POLICY installation ON tocsin.receiver_code TO %I, tocsin_daemon, tocsin_operator '
		'USING (true) WITH CHECK (true)', current_user);
END $$;

CREATE POLICY tenant_sees ON tocsin.receiver_code FOR SELECT TO tocsin_portal
	USING (EXISTS (SELECT FROM tocsin.receiver v WHERE v.id = receiver_code.receiver_id
		AND v.center_id = (SELECT tocsin.session_center())));
ALTER TABLE tocsin.receiver_code ENABLE ROW LEVEL SECURITY;
ALTER TABLE tocsin.receiver_code FORCE ROW LEVEL SECURITY;
SELECT tocsin.audit_watch('receiver_code', 'r.receiver_id || ''/'' || r.came', '0', '{}');

GRANT SELECT ON tocsin.receiver_code TO tocsin_operator, tocsin_portal;
GRANT INSERT, UPDATE, DELETE ON tocsin.receiver_code TO tocsin_operator;
GRANT SELECT ON tocsin.directory_receiver_code TO tocsin_daemon, tocsin_operator;
