#include "portal/operation.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "base/json.h"
#include "base/log.h"
#include "db/refusal.h"
#include "portal/ask.h"
#include "portal/values.h"

/* ---- what PostgreSQL refused ---------------------------------------------------------- */

static bool
is_class(const struct db *db, const char *class)
{
	return strncmp(db_sqlstate(db), class, 2) == 0;
}

static bool
is_state(const struct db *db, const char *state)
{
	return strcmp(db_sqlstate(db), state) == 0;
}

/* Raised by functions about what stands in the path. */
static bool
is_missing(const char *constraint)
{
	static const char *const missing[] = { "site_exists", "bridge_exists",
		"station_record_exists", "user_account_exists",
		"receiver_exists", "webhook_exists" };

	for (size_t i = 0; i < COUNT(missing); i++)
		if (strcmp(constraint, missing[i]) == 0)
			return true;
	return false;
}

void
operation_refused(struct exchange *exchange, const struct db *db, int code,
    const struct err *err)
{
	const char *constraint = db_constraint(db);

	if (code == -ENOTCONN || code == -ECANCELED || is_state(db, "57014") ||
	    is_state(db, "55P03"))
		exchange_problem(exchange, 503, NULL,
		    "the database did not answer in time: try again");
	else if (is_class(db, "23"))
		exchange_problem(exchange, is_missing(constraint) ? 404 : 422,
		    refusal_field(constraint), "%s", refusal_sentence(db, err));
	else if (is_class(db, "22"))
		exchange_problem(exchange, 422, NULL, "%s", db_message(db));
	else if (is_class(db, "40"))
		exchange_problem(exchange, 409, NULL,
		    "somebody changed the same at the same moment: try again");
	else if (is_state(db, "42501"))
		exchange_problem(exchange, 403, NULL,
		    "this user may not do that, or it is another dealer's");
	else
		exchange_problem(exchange, 500, NULL,
		    "the portal failed; its log says how");
	if (exchange->status >= 500)
		log_write(LOG_ERROR, "portal", "operation_failed",
		    "operation=%s sqlstate=%s error=\"%s\"",
		    exchange->route->name, db_sqlstate(db), err->text);
}

PGresult *
operation_query(struct exchange *exchange, struct db *db, const char *sql,
    int count, const char *const *values)
{
	struct err err;
	int code;
	PGresult *result = db_query(db, sql, count, values, &code, &err);

	if (!result)
		operation_refused(exchange, db, code, &err);
	return result;
}

static bool
execute(struct exchange *exchange, struct db *db, const char *sql)
{
	struct err err;
	int code = db_execute(db, sql, &err);

	if (code < 0)
		operation_refused(exchange, db, code, &err);
	return code == 0;
}

/* ---- for whom --------------------------------------------------------------------------- */

static const char *
principal_sql(enum exchange_credential credential)
{
	return credential == EXCHANGE_KEY
	    ? "SELECT user_id, writes_sites, writes_settings, role, "
	      "set_config('tocsin.user_id', user_id::text, true) "
	      "FROM tocsin.portal_key($1::bytea)"
	    : "SELECT user_id, writes_sites, writes_settings, role, "
	      "set_config('tocsin.user_id', user_id::text, true) "
	      "FROM tocsin.portal_session($1::bytea)";
}

static bool
find_principal(struct exchange *exchange, struct db *db)
{
	char hash[TOKEN_HASH_SIZE];
	const char *values[] = { hash };
	PGresult *result;
	bool found;

	if (exchange->credential == EXCHANGE_NOBODY) {
		exchange_problem(exchange, 401, NULL,
		    "sign in, or send a key: Authorization: Bearer KEY");
		return false;
	}
	token_hash(exchange->token, hash);
	result = operation_query(exchange, db,
	    principal_sql(exchange->credential), 1, values);
	if (!result)
		return false;
	found = PQntuples(result) == 1;
	if (found) {
		exchange->user_id = strtoll(PQgetvalue(result, 0, 0), NULL, 10);
		exchange->writes_sites = PQgetvalue(result, 0, 1)[0] == 't';
		exchange->writes_settings = PQgetvalue(result, 0, 2)[0] == 't';
		snprintf(exchange->role, sizeof(exchange->role), "%s",
		    PQgetvalue(result, 0, 3));
	} else {
		exchange_problem(exchange, 401, NULL,
		    "the session or key is not valid any more: sign in again");
	}
	PQclear(result);
	return found;
}

/* Roles whose rights are not in what they write; a key has only the rights
 * that its scopes name. */
static bool
may_as(const struct exchange *exchange, enum route_scope scope)
{
	bool in_person = exchange->credential == EXCHANGE_SESSION;
	bool operates = strcmp(exchange->role, "operator") == 0;
	bool center = strcmp(exchange->role, "center") == 0;

	switch (scope) {
	case ROUTE_ARM:
		return exchange->writes_sites ||
		    (in_person && strcmp(exchange->role, "app_member") == 0);
	case ROUTE_OPERATIONS:
		return operates || center;
	case ROUTE_PARKED:
		return (operates && exchange->writes_settings) ||
		    (center && in_person);
	case ROUTE_OPERATOR:
		return operates;
	case ROUTE_ORDERS:
		return operates && exchange->writes_settings;
	case ROUTE_PUBLIC:
	case ROUTE_READ:
	case ROUTE_SITES:
	case ROUTE_SETTINGS:
		break;
	}
	return true;
}

static bool
may(struct exchange *exchange)
{
	bool allowed = true;

	switch (exchange->route->scope) {
	case ROUTE_PUBLIC:
	case ROUTE_READ:
		break;
	case ROUTE_SITES:
		allowed = exchange->writes_sites;
		break;
	case ROUTE_SETTINGS:
		allowed = exchange->writes_settings;
		break;
	case ROUTE_ARM:
	case ROUTE_OPERATIONS:
	case ROUTE_PARKED:
	case ROUTE_OPERATOR:
	case ROUTE_ORDERS:
		allowed = may_as(exchange, exchange->route->scope);
		break;
	}
	if (!allowed)
		exchange_problem(exchange, 403, NULL,
		    "this user or key may not do that");
	return allowed;
}

/* A cookie comes along also when another site makes the browser ask. */
static bool
is_meant(struct exchange *exchange)
{
	char expected[TOKEN_TEXT_SIZE];

	if (exchange->credential != EXCHANGE_SESSION ||
	    exchange->route->method == ROUTE_GET)
		return true;
	token_csrf(exchange->token, expected);
	if (token_equal(expected, exchange->csrf))
		return true;
	exchange_problem(exchange, 403, NULL,
	    "the header X-CSRF-Token is missing or not this session's");
	return false;
}

/* ---- what is asked ---------------------------------------------------------------------- */

static bool
check_version(struct exchange *exchange, struct db *db,
    const struct values *values)
{
	const struct route *route = exchange->route;
	const char *const *items = (const char *const *)values->items;
	PGresult *locked = NULL, *result;
	bool good;

	if (route->lock_sql &&
	    !(locked =
		    operation_query(exchange, db, route->lock_sql, 1, items)))
		return false;
	PQclear(locked);
	result = operation_query(exchange, db, route->version_sql, 1, items);
	good = result && PQntuples(result) == 1;
	if (result && !good)
		exchange_problem(exchange, 404, NULL, "there is no such %.*s",
		    (int)(strlen(route->parameters[0].name) - 3),
		    route->parameters[0].name);
	if (good && exchange->if_match[0] &&
	    strcmp(exchange->if_match, PQgetvalue(result, 0, 0)) != 0) {
		exchange_problem(exchange, 412, NULL,
		    "somebody changed it meanwhile: look again, then change");
		good = false;
	}
	PQclear(result);
	return good;
}

static void
answer_list(struct exchange *exchange, const PGresult *result, int limit)
{
	int rows = PQntuples(result);
	int shown = limit > 0 && rows > limit ? limit : rows;

	json_object_begin(exchange->answer, NULL);
	json_array_begin(exchange->answer, "items");
	for (int i = 0; i < shown; i++)
		json_raw(exchange->answer, NULL, PQgetvalue(result, i, 0));
	json_array_end(exchange->answer);
	if (shown < rows)
		json_string(exchange->answer, "next",
		    PQgetvalue(result, shown - 1, 1));
	json_object_end(exchange->answer);
	exchange->status = 200;
}

static void
answer_one(struct exchange *exchange, const PGresult *result, const char *token)
{
	const char *row;

	if (PQntuples(result) == 0) {
		exchange_problem(exchange, 404, NULL,
		    "there is no such thing, or it is another dealer's");
		return;
	}
	row = PQgetvalue(result, 0, 0);
	if (token) {
		json_object_begin(exchange->answer, NULL);
		json_string(exchange->answer, "token", token);
		json_raw(exchange->answer, "key", row);
		json_object_end(exchange->answer);
	} else {
		json_raw(exchange->answer, NULL, row);
	}
	if (PQnfields(result) > 1)
		snprintf(exchange->etag, sizeof(exchange->etag), "\"%s\"",
		    PQgetvalue(result, 0, 1));
	exchange->status = exchange->route->result == ROUTE_CREATED ? 201 : 200;
}

/* Each row a word of what tocsind is to be asked. */
static void
take_words(struct exchange *exchange, const PGresult *result)
{
	for (int i = 0; i < PQntuples(result); i++) {
		if (exchange->word_count == CONTROL_WORDS_MAX)
			break;
		exchange->words[exchange->word_count] =
		    strdup(PQgetvalue(result, i, 0));
		if (exchange->words[exchange->word_count])
			exchange->word_count++;
	}
	exchange->status = 200;
	if (exchange->word_count == 0)
		exchange_problem(exchange, 404, NULL,
		    "there is no such thing, or it is another dealer's");
	else if ((int)exchange->word_count != PQntuples(result))
		exchange_problem(exchange, 503, NULL, "no memory");
}

static void
answer_result(struct exchange *exchange, const PGresult *result, int limit,
    const char *token)
{
	switch (exchange->route->result) {
	case ROUTE_NOTHING:
		exchange->status = 204;
		break;
	case ROUTE_ONE:
	case ROUTE_CREATED:
		answer_one(exchange, result, token);
		break;
	case ROUTE_LIST:
		answer_list(exchange, result, limit);
		break;
	}
}

static void
run_statement(struct exchange *exchange, struct db *db)
{
	const struct route *route = exchange->route;
	char token[TOKEN_TEXT_SIZE], hash[TOKEN_HASH_SIZE];
	struct values values;
	PGresult *result;

	if (!values_read(exchange, &values))
		return;
	if (route->issues_token) {
		token_new(token);
		token_hash(token, hash);
		values_add(&values, strdup(hash));
	}
	if (exchange->live)
		values_add(&values, strdup(exchange->live));
	if (!route->version_sql || check_version(exchange, db, &values)) {
		result = operation_query(exchange, db, route->sql, values.count,
		    (const char *const *)values.items);
		if (result && route->asks)
			take_words(exchange, result);
		else if (result)
			answer_result(exchange, result, values.limit,
			    route->issues_token ? token : NULL);
		PQclear(result);
	}
	values_close(&values);
}

/* ---- the transaction ---------------------------------------------------------------------- */

static bool
is_to_be_stored(const struct exchange *exchange)
{
	const char *apply = evhttp_find_header(&exchange->query, "apply");

	if (exchange->status >= 400)
		return exchange->keep;
	return !exchange->route->preview || (apply && !strcmp(apply, "true"));
}

static void
run_in_transaction(struct exchange *exchange, struct db *db)
{
	const struct route *route = exchange->route;

	if (route->scope != ROUTE_PUBLIC &&
	    !(find_principal(exchange, db) && is_meant(exchange) &&
		may(exchange)))
		return;
	if (route->handle)
		route->handle(exchange, db);
	else
		run_statement(exchange, db);
}

void
operation_run(struct exchange *exchange, struct db *db)
{
	if (!execute(exchange, db,
		exchange->route->worker == ROUTE_BULK
		    ? "BEGIN; SET LOCAL statement_timeout = '60s'; "
		      "SET LOCAL lock_timeout = '3s'"
		    : "BEGIN; SET LOCAL statement_timeout = '5s'; "
		      "SET LOCAL lock_timeout = '3s'"))
		return;
	run_in_transaction(exchange, db);
	if (!db->connection || PQstatus(db->connection) != CONNECTION_OK)
		return;
	/* what a deferred constraint refuses, it refuses here */
	if (!is_to_be_stored(exchange))
		db_execute(db, "ROLLBACK", NULL);
	else if (execute(exchange, db, "COMMIT") && exchange->word_count > 0)
		ask_tocsind(exchange);
}
