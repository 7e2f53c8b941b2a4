-- Whoever has set a customer up wants to see an alarm arrive before there is
-- one: the daemon tells the site's station a manual test (E601), on order.
--
--   order_test(site)   -> the words of the command

ALTER TABLE tocsin.daemon_order DROP CONSTRAINT daemon_order_command_known;
ALTER TABLE tocsin.daemon_order ADD CONSTRAINT daemon_order_command_known
	CHECK (command IN ('arm', 'disarm', 'replay', 'skip', 'test'));
COMMENT ON COLUMN tocsin.daemon_order.command IS 'arm, disarm, replay, skip or test';

CREATE FUNCTION tocsin.order_test(site_id bigint) RETURNS jsonb
LANGUAGE plpgsql SECURITY DEFINER SET search_path = tocsin, pg_temp AS $$
BEGIN
	PERFORM session_require_site(site_id);
	INSERT INTO daemon_order (ordered_by, command, site_id) VALUES (order_by(), 'test', $1);
	RETURN jsonb_build_array('by', order_by(), 'send', 'test', $1::text);
END $$;
COMMENT ON FUNCTION tocsin.order_test(bigint) IS
	'Notes that the session''s user has a site''s station told a manual test; the command for the daemon';
REVOKE EXECUTE ON FUNCTION tocsin.order_test(bigint) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION tocsin.order_test(bigint) TO tocsin_portal;
