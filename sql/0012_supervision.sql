-- What the daemon reads of supervision: how long a bridge may be silent on
-- each of its paths, and which listener hears it.

ALTER TABLE tocsin.bridge_path
	ADD COLUMN listener text,
	ADD CONSTRAINT bridge_path_listener_not_blank CHECK (listener ~ '\S');
COMMENT ON COLUMN tocsin.bridge_path.listener IS 'The listener that hears this path, by name; NULL: every one that is not the other path''s';

CREATE OR REPLACE VIEW tocsin.directory_bridge AS
	SELECT b.id, coalesce(b.site_id, 0) AS site_id, b.kind, coalesce(b.serial, '') AS serial,
		b.transport_account AS account, b.transport_receiver AS receiver,
		b.transport_line AS line, b.listener, b.key, b.cipher_required,
		coalesce(p.interval_s, 0) AS primary_interval_s,
		coalesce(p.margin_s, 0) AS primary_margin_s, p.listener AS primary_listener,
		coalesce(s.interval_s, 0) AS backup_interval_s,
		coalesce(s.margin_s, 0) AS backup_margin_s, s.listener AS backup_listener
	FROM tocsin.bridge b
	LEFT JOIN tocsin.bridge_path p ON p.bridge_id = b.id AND p.path = 'primary'
	LEFT JOIN tocsin.bridge_path s ON s.bridge_id = b.id AND s.path = 'backup';
COMMENT ON VIEW tocsin.directory_bridge IS
	'struct directory_bridge; kind bridge or panel; account, receiver, line, listener NULL: any; key sealed or NULL; interval 0: the path is not supervised';

CREATE TRIGGER directory_bridge_insert AFTER INSERT ON tocsin.bridge_path
	REFERENCING NEW TABLE AS new_rows
	FOR EACH STATEMENT EXECUTE FUNCTION tocsin.directory_note_change('bridge', 'bridge_id');
CREATE TRIGGER directory_bridge_delete AFTER DELETE ON tocsin.bridge_path
	REFERENCING OLD TABLE AS old_rows
	FOR EACH STATEMENT EXECUTE FUNCTION tocsin.directory_note_change('bridge', 'bridge_id');
CREATE TRIGGER directory_bridge_update AFTER UPDATE ON tocsin.bridge_path
	REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows
	FOR EACH STATEMENT EXECUTE FUNCTION tocsin.directory_note_change('bridge', 'bridge_id');
