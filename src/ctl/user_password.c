#include "ctl/user_password.h"

#include <inttypes.h>
#include <sodium.h>
#include <stdio.h>
#include <string.h>

#include "base/array.h"
#include "base/exit.h"
#include "base/password.h"
#include "base/text.h"
#include "ctl/command.h"
#include "ctl/connection.h"
#include "ctl/secret.h"
#include "ctl/table.h"
#include "db/refusal.h"

#define HEX_SIZE(bytes) (2 + 2 * (bytes) + 1)

static const struct ctl_option options[] = {
	{ "login", "LOGIN", "whose" },
	{ "password", "FILE|-", "first line of the file; -: asked for" },
	CTL_DATABASE_OPTIONS,
	{ "json", NULL, "one object a line" },
	{ NULL },
};

static void
to_bytea(const uint8_t *bytes, size_t length, char *ret)
{
	memcpy(ret, "\\x", 2);
	text_hex_encode(bytes, length, ret + 2);
}

static const char statement[] =
    "WITH u AS (SELECT id FROM tocsin.user_account WHERE login = lower($1)) "
    "SELECT u.id, lower($1) AS login, true AS has_password, "
    "tocsin.user_password_set(u.id, $2::bytea, $3::integer, $4::bigint, "
    "$5::bytea) IS NULL AS changed FROM u";

static int
store(struct db *db, const struct ctl_arguments *arguments,
    const struct password_setting *setting, const uint8_t *proof)
{
	char salt[HEX_SIZE(PASSWORD_SALT_SIZE)];
	char proof_hex[HEX_SIZE(PASSWORD_PROOF_SIZE)];
	char operations[24], memory_bytes[24];
	const char *values[] = { ctl_value(arguments, "login"), salt,
		operations, memory_bytes, proof_hex };
	int code, status = EXIT_STATUS_OK;
	struct err err;
	PGresult *result;

	to_bytea(setting->salt, sizeof(setting->salt), salt);
	to_bytea(proof, PASSWORD_PROOF_SIZE, proof_hex);
	snprintf(operations, sizeof(operations), "%" PRIu64,
	    setting->operations);
	snprintf(memory_bytes, sizeof(memory_bytes), "%zu",
	    setting->memory_bytes);
	result = db_query(db, statement, COUNT(values), values, &code, &err);
	sodium_memzero(proof_hex, sizeof(proof_hex));
	if (!result)
		return ctl_fail(EXIT_STATUS_FAILED, "user password: %s",
		    refusal_sentence(db, &err));
	if (PQntuples(result) == 0)
		status = ctl_fail(EXIT_STATUS_FAILED,
		    "user password: there is no user \"%s\": \"tocsinctl user "
		    "list\" shows them",
		    values[0]);
	else
		table_print_result(result, ctl_flag(arguments, "json"), true);
	PQclear(result);
	return status;
}

static int
prove_and_store(const struct ctl_arguments *arguments, const char *password)
{
	uint8_t proof[PASSWORD_PROOF_SIZE];
	struct password_setting setting;
	struct db db = { 0 };
	struct err err;
	int status;

	if (password_check(password, &err) < 0)
		return ctl_fail(EXIT_STATUS_USAGE,
		    "user password: --password: %s", err.text);
	password_setting_new(&setting);
	if (password_prove(password, &setting, proof) < 0)
		return ctl_fail(EXIT_STATUS_SOFTWARE,
		    "user password: no memory to hash it");
	status = ctl_connect(&db, arguments);
	if (status == EXIT_STATUS_OK)
		status = store(&db, arguments, &setting, proof);
	sodium_memzero(proof, sizeof(proof));
	db_close(&db);
	return status;
}

int
user_password(int argc, char **argv)
{
	struct ctl_arguments arguments;
	const char *file;
	char *password;
	struct err err;
	int status = ctl_parse("user password", "--login LOGIN [OPTION]...",
	    options, 0, argc, argv, &arguments);

	if (status != CTL_GO_ON)
		return status;
	if (!ctl_value(&arguments, "login"))
		return ctl_fail(EXIT_STATUS_USAGE,
		    "user password: --login LOGIN is needed");
	file = ctl_value(&arguments, "password");
	password = secret_read_new(file ? file : "-", "new password", &err);
	if (!password)
		return ctl_fail(EXIT_STATUS_USAGE,
		    "user password: --password: %s", err.text);
	status = prove_and_store(&arguments, password);
	secret_free(password);
	return status;
}
