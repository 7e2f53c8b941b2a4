#include <inttypes.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "base/json.h"
#include "base/password.h"
#include "base/text.h"
#include "portal/openapi.h"
#include "portal/operation.h"
#include "portal/second_factor.h"
#include "portal/values.h"

#define PROOF_HEX_SIZE (2 + 2 * PASSWORD_PROOF_SIZE + 1)

static void
set_cookie(struct exchange *exchange, const char *token, int seconds)
{
	snprintf(exchange->set_cookie, sizeof(exchange->set_cookie),
	    "__Host-tocsin=%s; Path=/; Secure; HttpOnly; SameSite=Strict; "
	    "Max-Age=%d",
	    token, seconds);
}

/* The proof of a password under the salt and cost of this login; one that does
 * not exist costs the same. */
static bool
prove(struct exchange *exchange, struct db *db, const char *login,
    const char *password, char ret_hex[PROOF_HEX_SIZE])
{
	uint8_t proof[PASSWORD_PROOF_SIZE];
	struct password_setting setting;
	const char *values[] = { login };
	bool good;
	PGresult *result = operation_query(exchange, db,
	    "SELECT encode(salt, 'hex'), operations, memory_bytes "
	    "FROM tocsin.user_password_setting($1)",
	    1, values);

	if (!result)
		return false;
	good = text_hex_decode(slice_from_string(PQgetvalue(result, 0, 0)),
		   setting.salt, sizeof(setting.salt)) == PASSWORD_SALT_SIZE;
	setting.operations = strtoull(PQgetvalue(result, 0, 1), NULL, 10);
	setting.memory_bytes = strtoull(PQgetvalue(result, 0, 2), NULL, 10);
	PQclear(result);
	if (!good || password_prove(password, &setting, proof) < 0) {
		exchange_problem(exchange, 503, NULL,
		    "no memory at the moment");
		return false;
	}
	memcpy(ret_hex, "\\x", 2);
	text_hex_encode(proof, sizeof(proof), ret_hex + 2);
	sodium_memzero(proof, sizeof(proof));
	return true;
}

/* What the page gets to know of who has signed in. */
static void
show_principal(struct exchange *exchange, struct db *db, const char *token)
{
	char hash[TOKEN_HASH_SIZE], csrf[TOKEN_TEXT_SIZE];
	const char *values[] = { hash };
	PGresult *result;

	token_hash(token, hash);
	token_csrf(token, csrf);
	result = operation_query(exchange, db,
	    "SELECT to_jsonb(p) FROM tocsin.portal_session($1::bytea) p", 1,
	    values);
	if (!result)
		return;
	json_object_begin(exchange->answer, NULL);
	json_string(exchange->answer, "csrf_token", csrf);
	if (PQntuples(result) == 1)
		json_raw(exchange->answer, "user", PQgetvalue(result, 0, 0));
	json_object_end(exchange->answer);
	exchange->status = 200;
	PQclear(result);
}

static void
conclude_sign_in(struct exchange *exchange, struct db *db, const char *outcome,
    const char *token)
{
	/* failures were counted: they stay */
	exchange->keep = true;
	if (strcmp(outcome, "signed_in") == 0) {
		set_cookie(exchange, token, EXCHANGE_LIFETIME_S);
		show_principal(exchange, db, token);
	} else if (strcmp(outcome, "source_locked") == 0) {
		exchange_problem(exchange, 429, NULL,
		    "too many sign-ins failed from your address: wait 15 "
		    "minutes");
	} else if (strcmp(outcome, "second_factor") == 0) {
		exchange_problem(exchange, 401, "code",
		    "type the code that your authenticator app shows, or a "
		    "recovery code");
	} else if (strcmp(outcome, "wrong_code") == 0) {
		exchange_problem(exchange, 401, "code",
		    "the code is wrong or was used before; after five wrong "
		    "ones wait 15 minutes");
	} else {
		exchange_problem(exchange, 401, NULL,
		    "login and password do not match, or the user is locked: "
		    "after five wrong passwords wait 15 minutes");
	}
}

/* What the code that was sent proves of the second factor of who has the
 * password; nothing where there is none: portal_sign_in tells the rest. */
static bool
read_second_factor(struct exchange *exchange, struct db *db, const char *login,
    const char *proof, const char *code, struct second_factor_proof *ret)
{
	const char *values[] = { login, proof };
	bool good = true;
	PGresult *result = operation_query(exchange, db,
	    "SELECT user_id, secret "
	    "FROM tocsin.portal_second_factor($1, $2::bytea)",
	    COUNT(values), values);

	if (!result)
		return false;
	if (PQntuples(result) == 1)
		good = second_factor_read(exchange, PQgetvalue(result, 0, 0),
		    PQgetvalue(result, 0, 1), code, ret);
	PQclear(result);
	return good;
}

static void
authenticate(struct exchange *exchange, struct db *db, const char *login,
    const char *proof, const struct second_factor_proof *second)
{
	char token[TOKEN_TEXT_SIZE], hash[TOKEN_HASH_SIZE];
	char lifetime[24];
	const char *values[] = { login, proof, exchange->source, hash, lifetime,
		second->step[0] ? second->step : NULL,
		second->recovery_hash[0] ? second->recovery_hash : NULL };
	PGresult *result;

	/* never one that the browser brought along: no fixation */
	token_new(token);
	token_hash(token, hash);
	snprintf(lifetime, sizeof(lifetime), "%d s", EXCHANGE_LIFETIME_S);
	result = operation_query(exchange, db,
	    "SELECT tocsin.portal_sign_in($1, $2::bytea, $3, $4::bytea, "
	    "$5::interval, $6::bigint, $7::bytea)",
	    COUNT(values), values);
	if (result)
		conclude_sign_in(exchange, db, PQgetvalue(result, 0, 0), token);
	PQclear(result);
}

static void
sign_in(struct exchange *exchange, struct db *db)
{
	char proof[PROOF_HEX_SIZE];
	const char *login, *password, *code;
	struct second_factor_proof second = { 0 };
	struct values values;

	if (!values_read(exchange, &values))
		return;
	login = values_find(&values, exchange->route, "login");
	password = values_find(&values, exchange->route, "password");
	code = values_find(&values, exchange->route, "code");
	if (strlen(password) > PASSWORD_LENGTH_MAX)
		exchange_problem(exchange, 422, "password",
		    "a password has at most 256 characters");
	else if (prove(exchange, db, login, password, proof) &&
	    (!code ||
		read_second_factor(exchange, db, login, proof, code, &second)))
		authenticate(exchange, db, login, proof, &second);
	sodium_memzero(proof, sizeof(proof));
	values_close(&values);
}

static void
show_session(struct exchange *exchange, struct db *db)
{
	if (exchange->credential == EXCHANGE_SESSION)
		show_principal(exchange, db, exchange->token);
	else
		exchange_problem(exchange, 404, NULL, "a key has no session");
}

static void
sign_out(struct exchange *exchange, struct db *db)
{
	char hash[TOKEN_HASH_SIZE];
	const char *values[] = { hash };
	PGresult *result;

	token_hash(exchange->token, hash);
	result = operation_query(exchange, db,
	    "SELECT tocsin.portal_sign_out($1::bytea)", 1, values);
	if (result) {
		set_cookie(exchange, "", 0);
		exchange->status = 204;
	}
	PQclear(result);
}

static void
show_openapi(struct exchange *exchange, struct db *db)
{
	(void)db;
	openapi_write(exchange->answer);
	exchange->status = 200;
}

static const struct route_parameter credentials[] = {
	{ "login", ROUTE_IN_BODY, ROUTE_TEXT, true, "of the user" },
	{ "password", ROUTE_IN_BODY, ROUTE_TEXT, true, "of the user" },
	{ "code", ROUTE_IN_BODY, ROUTE_TEXT, false,
	    "of the authenticator app, or a recovery code, where the user has "
	    "a second factor" },
	{ NULL },
};
static const struct route_parameter code[] = {
	{ "code", ROUTE_IN_BODY, ROUTE_TEXT, true,
	    "that the authenticator app shows now" },
	{ NULL },
};

static const struct route routes[] = {
	{ ROUTE_POST, "/session", "signIn",
	    "Sign in: the cookie of a new session, and its CSRF token",
	    ROUTE_PUBLIC, ROUTE_ONE, credentials, .handle = sign_in,
	    .worker = ROUTE_PASSWORD },
	{ ROUTE_GET, "/session", "getSession",
	    "Who has signed in, and the CSRF token", ROUTE_READ, ROUTE_ONE,
	    route_no_parameters, .handle = show_session },
	{ ROUTE_DELETE, "/session", "signOut", "The session is over",
	    ROUTE_READ, ROUTE_NOTHING, route_no_parameters,
	    .handle = sign_out },
	{ ROUTE_POST, "/session/second-factor", "beginSecondFactor",
	    "A new secret for an authenticator app: in force once it is "
	    "confirmed",
	    ROUTE_READ, ROUTE_ONE, route_no_parameters,
	    .handle = second_factor_begin },
	{ ROUTE_POST, "/session/second-factor/confirmation",
	    "confirmSecondFactor",
	    "The app has it: needed from now on; recovery codes, shown once",
	    ROUTE_READ, ROUTE_ONE, code, .handle = second_factor_confirm },
	{ ROUTE_POST, "/session/second-factor/end", "endSecondFactor",
	    "One's password is enough again", ROUTE_READ, ROUTE_NOTHING, code,
	    .handle = second_factor_end },
	{ ROUTE_GET, "/openapi.json", "getOpenApi", "This document",
	    ROUTE_PUBLIC, ROUTE_ONE, route_no_parameters,
	    .handle = show_openapi },
};

const struct route_group session_routes = { "Session", routes, COUNT(routes) };
