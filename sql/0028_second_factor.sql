-- The second factor: codes of an authenticator app (RFC 6238), and recovery
-- codes for when it is lost. The secret is sealed by the portal, which alone
-- can open it and says which step a code is of; here it is kept that each step
-- and each recovery code is of use once, and that guessing locks the user.
--
--   second_factor_begin(sealed)           a secret that is not in force yet
--   second_factor_confirm(step, ...)      it is, from a first code of it on
--   second_factor_own()                   the session's user's, still sealed
--   second_factor_end(step, hash)         the user's own, with a last code
--   second_factor_take_away(user)         somebody else's, who lost it
--   portal_second_factor(login, proof)    still sealed, for who has the password
--   portal_sign_in(...)                   with the step, or a recovery code

ALTER TABLE tocsin.user_account
	ADD COLUMN totp_pending bytea,
	ADD COLUMN totp_used_step bigint NOT NULL DEFAULT 0,
	ADD COLUMN recovery_hashes bytea[] NOT NULL DEFAULT '{}';
COMMENT ON COLUMN tocsin.user_account.totp_pending IS 'As totp_secret, until a first code of it has come; NULL: none';
COMMENT ON COLUMN tocsin.user_account.totp_used_step IS 'The step (30 s since 1970) of the last code: no code up to it is taken again';
COMMENT ON COLUMN tocsin.user_account.recovery_hashes IS 'SHA-256 of each recovery code that is left';
SELECT tocsin.audit_watch('user_account', 'r.id', 'coalesce(r.dealer_id, 0)',
	'{password_salt,password_hash,totp_secret,totp_pending,recovery_hashes}');

-- Which of the two is NULL was not sent. A wrong one counts as a wrong password
-- does.
CREATE FUNCTION tocsin.second_factor_pass(user_id bigint, step bigint, recovery_hash bytea) RETURNS boolean
LANGUAGE plpgsql SECURITY DEFINER SET search_path = tocsin, pg_temp AS $$
DECLARE
	who user_account;
BEGIN
	SELECT * INTO who FROM user_account u WHERE u.id = $1 FOR UPDATE;
	IF NOT FOUND OR who.totp_secret IS NULL OR who.locked_until > now() THEN
		RETURN false;
	END IF;
	IF step > who.totp_used_step OR recovery_hash = ANY (who.recovery_hashes) THEN
		UPDATE user_account u SET failed_logins = 0, locked_until = NULL,
			totp_used_step = greatest(u.totp_used_step, step),
			recovery_hashes = array_remove(u.recovery_hashes, recovery_hash)
			WHERE u.id = who.id;
		RETURN true;
	END IF;
	UPDATE user_account u SET failed_logins = least(u.failed_logins + 1, 1000),
		locked_until = CASE WHEN u.failed_logins + 1 >= 5 THEN now() + interval '15 minutes' END
		WHERE u.id = who.id;
	RETURN false;
END $$;
COMMENT ON FUNCTION tocsin.second_factor_pass(bigint, bigint, bytea) IS
	'Whether this step, or this recovery code, is good now; uses it up. Five wrong ones in a row lock the user for 15 minutes';

CREATE FUNCTION tocsin.second_factor_begin(sealed bytea) RETURNS text
LANGUAGE plpgsql SECURITY DEFINER SET search_path = tocsin, pg_temp AS $$
DECLARE
	name text;
BEGIN
	UPDATE user_account u SET totp_pending = sealed WHERE u.id = session_user_id() AND NOT u.has_totp
		RETURNING u.login INTO name;
	IF NOT FOUND THEN
		PERFORM refuse('second_factor_once', 'this user has a second factor already: remove it first');
	END IF;
	RETURN name;
END $$;
COMMENT ON FUNCTION tocsin.second_factor_begin(bytea) IS
	'A new secret of the session''s user, in force once it is confirmed; returns the login';

CREATE FUNCTION tocsin.second_factor_confirm(step bigint, recovery_hashes bytea[], session_hash bytea) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = tocsin, pg_temp AS $$
BEGIN
	UPDATE user_account u SET totp_secret = u.totp_pending, totp_pending = NULL, totp_used_step = step,
		recovery_hashes = second_factor_confirm.recovery_hashes
		WHERE u.id = session_user_id() AND u.totp_pending IS NOT NULL AND NOT u.has_totp;
	IF NOT FOUND THEN
		PERFORM refuse('second_factor_begun', 'no second factor was begun: begin with a new one');
	END IF;
	-- whoever else is signed in showed a password only
	DELETE FROM portal_session s WHERE s.user_id = session_user_id() AND s.token_hash <> session_hash;
END $$;
COMMENT ON FUNCTION tocsin.second_factor_confirm(bigint, bytea[], bytea) IS
	'The secret that was begun is in force from now on; ends the user''s other sessions';

CREATE FUNCTION tocsin.second_factor_own(OUT secret bytea, OUT pending bytea)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = tocsin, pg_temp AS $$
	SELECT u.totp_secret, u.totp_pending FROM user_account u WHERE u.id = session_user_id()
$$;
COMMENT ON FUNCTION tocsin.second_factor_own() IS 'Of the session''s user, sealed: what is in force, what was begun';

CREATE FUNCTION tocsin.second_factor_end(step bigint, recovery_hash bytea) RETURNS boolean
LANGUAGE plpgsql SECURITY DEFINER SET search_path = tocsin, pg_temp AS $$
BEGIN
	IF NOT second_factor_pass(session_user_id(), step, recovery_hash) THEN
		RETURN false;
	END IF;
	UPDATE user_account u SET totp_secret = NULL, recovery_hashes = '{}' WHERE u.id = session_user_id();
	RETURN true;
END $$;
COMMENT ON FUNCTION tocsin.second_factor_end(bigint, bytea) IS
	'Removes the second factor of the session''s user, who shows it once more; false: not shown';

CREATE FUNCTION tocsin.second_factor_take_away(user_id bigint) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = tocsin, pg_temp AS $$
BEGIN
	UPDATE user_account u SET totp_secret = NULL, totp_pending = NULL, recovery_hashes = '{}'
		WHERE u.id = $1 AND (NOT session_is_tenant() OR (u.id <> session_user_id()
			AND session_writes('settings') AND u.dealer_id = ANY (session_dealers())));
	IF NOT FOUND THEN
		PERFORM refuse('user_account_exists', format('there is no user %s whose second factor you may take away', user_id));
	END IF;
END $$;
COMMENT ON FUNCTION tocsin.second_factor_take_away(bigint) IS
	'Of somebody who lost it: the password is enough again. Not one''s own: a session that was stolen must not do that';

CREATE FUNCTION tocsin.portal_second_factor(login text, proof bytea)
RETURNS TABLE (user_id bigint, secret bytea)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = tocsin, pg_temp AS $$
	SELECT u.id, u.totp_secret FROM user_account u
	WHERE u.login = lower($1) AND u.password_hash = sha256($2) AND u.has_totp AND NOT u.disabled
$$;
COMMENT ON FUNCTION tocsin.portal_second_factor(text, bytea) IS
	'The sealed secret of who has the password; no row: the password is wrong, or there is no second factor';

DROP FUNCTION tocsin.portal_sign_in(text, bytea, text, bytea, interval);
CREATE FUNCTION tocsin.portal_sign_in(login text, proof bytea, source text, token_hash bytea, lifetime interval,
	step bigint DEFAULT NULL, recovery_hash bytea DEFAULT NULL) RETURNS text
LANGUAGE plpgsql SECURITY DEFINER SET search_path = tocsin, pg_temp AS $$
DECLARE
	who bigint;
	outcome text := 'signed_in';
BEGIN
	IF portal_source_locked(source) THEN
		RETURN 'source_locked';
	END IF;
	who := user_authenticate(login, proof);
	IF who IS NULL THEN
		outcome := 'refused';
	ELSIF (SELECT u.has_totp FROM user_account u WHERE u.id = who) THEN
		IF num_nonnulls(step, recovery_hash) = 0 THEN
			RETURN 'second_factor';
		END IF;
		IF NOT second_factor_pass(who, step, recovery_hash) THEN
			outcome := 'wrong_code';
		END IF;
	END IF;
	IF outcome <> 'signed_in' THEN
		INSERT INTO sign_in_failure AS f (source, failures, since) VALUES (portal_sign_in.source, 1, now())
			ON CONFLICT ON CONSTRAINT sign_in_failure_pkey DO UPDATE SET
			failures = CASE WHEN f.since > now() - interval '15 minutes' THEN least(f.failures + 1, 1000) ELSE 1 END,
			since = CASE WHEN f.since > now() - interval '15 minutes' THEN f.since ELSE now() END;
		RETURN outcome;
	END IF;
	DELETE FROM portal_session s WHERE s.expires_at < now();
	DELETE FROM sign_in_failure f WHERE f.since < now() - interval '15 minutes';
	INSERT INTO portal_session (token_hash, user_id, source, expires_at)
		VALUES (portal_sign_in.token_hash, who, portal_sign_in.source, now() + lifetime);
	RETURN outcome;
END $$;
COMMENT ON FUNCTION tocsin.portal_sign_in(text, bytea, text, bytea, interval, bigint, bytea) IS
	'signed_in (the session exists now), refused (user_authenticate did), second_factor (the user has one, none was sent: no session), wrong_code, source_locked (nothing was tried)';

-- ---- who may --------------------------------------------------------------------------

REVOKE UPDATE (totp_secret) ON tocsin.user_account FROM tocsin_portal;
REVOKE EXECUTE ON FUNCTION tocsin.second_factor_pass(bigint, bigint, bytea), tocsin.second_factor_begin(bytea),
	tocsin.second_factor_confirm(bigint, bytea[], bytea), tocsin.second_factor_own(),
	tocsin.second_factor_end(bigint, bytea), tocsin.second_factor_take_away(bigint),
	tocsin.portal_second_factor(text, bytea),
	tocsin.portal_sign_in(text, bytea, text, bytea, interval, bigint, bytea) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION tocsin.second_factor_begin(bytea), tocsin.second_factor_confirm(bigint, bytea[], bytea),
	tocsin.second_factor_own(), tocsin.second_factor_end(bigint, bytea), tocsin.portal_second_factor(text, bytea),
	tocsin.portal_sign_in(text, bytea, text, bytea, interval, bigint, bytea) TO tocsin_portal;
GRANT EXECUTE ON FUNCTION tocsin.second_factor_take_away(bigint) TO tocsin_operator, tocsin_portal;
