#include "portal/webhook.h"

#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "base/json.h"
#include "portal/ask.h"
#include "portal/operation.h"
#include "portal/token.h"
#include "portal/values.h"

#define PASSKEY_MIN 16
#define PASSKEY_MAX 64

_Static_assert(TOKEN_TEXT_SIZE - 1 <= PASSKEY_MAX, "a token is a passkey");

static bool
is_sound(struct exchange *exchange, const char *passkey)
{
	size_t length = strlen(passkey);

	for (const char *c = passkey; *c; c++)
		if (*c <= ' ' || *c > '~')
			length = 0;
	if (length >= PASSKEY_MIN && length <= PASSKEY_MAX)
		return true;
	exchange_problem(exchange, 422, "passkey",
	    "a passkey has %d to %d letters, digits and signs without spaces",
	    PASSKEY_MIN, PASSKEY_MAX);
	return false;
}

/* By tocsind, in hexadecimal, owned; NULL: the exchange is answered. */
static char *
seal(struct exchange *exchange, const char *actor, const char *receiver_id,
    const char *passkey)
{
	const char *const words[] = { "by", actor, "seal", "passkey",
		receiver_id, passkey };

	return ask_for_text(exchange, COUNT(words), words, "sealed");
}

static void
store(struct exchange *exchange, struct db *db, const char *webhook_id,
    const char *sealed, const char *passkey)
{
	const char *values[] = { webhook_id, sealed };
	PGresult *result = operation_query(exchange, db,
	    "SELECT tocsin.webhook_passkey_set($1::bigint, decode($2, 'hex'))",
	    COUNT(values), values);

	if (result) {
		json_object_begin(exchange->answer, NULL);
		json_string(exchange->answer, "passkey", passkey);
		json_object_end(exchange->answer);
		exchange->status = 200;
	}
	PQclear(result);
}

/* Once it is known that the webhook is there for this user. */
static void
seal_and_store(struct exchange *exchange, struct db *db, const char *webhook_id,
    const char *passkey)
{
	PGresult *result = operation_query(exchange, db,
	    "SELECT r.receiver_id, r.actor "
	    "FROM tocsin.webhook_receiver($1::bigint) r",
	    1, &webhook_id);
	char *sealed = NULL;

	if (result && is_sound(exchange, passkey))
		sealed = seal(exchange, PQgetvalue(result, 0, 1),
		    PQgetvalue(result, 0, 0), passkey);
	if (sealed)
		store(exchange, db, webhook_id, sealed, passkey);
	free(sealed);
	PQclear(result);
}

void
webhook_set_passkey(struct exchange *exchange, struct db *db)
{
	char made[TOKEN_TEXT_SIZE];
	struct values values;
	const char *typed;

	if (!values_read(exchange, &values))
		return;
	typed = values_find(&values, exchange->route, "passkey");
	token_new(made);
	seal_and_store(exchange, db, values.items[0], typed ? typed : made);
	sodium_memzero(made, sizeof(made));
	values_close(&values);
}
