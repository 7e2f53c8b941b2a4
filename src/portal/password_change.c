#include "portal/password_change.h"

#include <inttypes.h>
#include <sodium.h>
#include <stdio.h>
#include <string.h>

#include "base/array.h"
#include "base/password.h"
#include "base/text.h"
#include "portal/operation.h"
#include "portal/values.h"

#define HEX_SIZE(bytes) (2 + 2 * (bytes) + 1)

static void
to_bytea(const uint8_t *bytes, size_t length, char *ret)
{
	memcpy(ret, "\\x", 2);
	text_hex_encode(bytes, length, ret + 2);
}

static void
store(struct exchange *exchange, struct db *db, const char *user,
    const struct password_setting *setting, const uint8_t *proof)
{
	char salt[HEX_SIZE(PASSWORD_SALT_SIZE)];
	char proof_hex[HEX_SIZE(PASSWORD_PROOF_SIZE)];
	char operations[24], memory_bytes[24];
	const char *values[] = { user, salt, operations, memory_bytes,
		proof_hex };
	PGresult *result;

	to_bytea(setting->salt, sizeof(setting->salt), salt);
	to_bytea(proof, PASSWORD_PROOF_SIZE, proof_hex);
	snprintf(operations, sizeof(operations), "%" PRIu64,
	    setting->operations);
	snprintf(memory_bytes, sizeof(memory_bytes), "%zu",
	    setting->memory_bytes);
	result = operation_query(exchange, db,
	    "SELECT tocsin.user_password_set($1::bigint, $2::bytea, "
	    "$3::integer, $4::bigint, $5::bytea)",
	    COUNT(values), values);
	sodium_memzero(proof_hex, sizeof(proof_hex));
	if (result)
		exchange->status = 204;
	PQclear(result);
}

void
password_change(struct exchange *exchange, struct db *db)
{
	uint8_t proof[PASSWORD_PROOF_SIZE];
	struct password_setting setting;
	struct values values;
	const char *password;
	struct err err;

	if (!values_read(exchange, &values))
		return;
	password = values_find(&values, exchange->route, "password");
	password_setting_new(&setting);
	if (password_check(password, &err) < 0)
		exchange_problem(exchange, 422, "password", "%s", err.text);
	else if (exchange->credential == EXCHANGE_KEY &&
	    !exchange->writes_settings)
		exchange_problem(exchange, 403, NULL,
		    "a key without the scope settings sets no passwords");
	else if (password_prove(password, &setting, proof) < 0)
		exchange_problem(exchange, 503, NULL,
		    "no memory at the moment");
	else
		store(exchange, db, values.items[0], &setting, proof);
	sodium_memzero(proof, sizeof(proof));
	values_close(&values);
}
