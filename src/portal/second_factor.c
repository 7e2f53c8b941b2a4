#include "portal/second_factor.h"

#include <ctype.h>
#include <inttypes.h>
#include <qrencode.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/array.h"
#include "base/json.h"
#include "base/seal.h"
#include "base/text.h"
#include "portal/operation.h"
#include "portal/totp.h"
#include "portal/values.h"

#define ISSUER		"Tocsin"
#define RECOVERY_BYTES	10
#define RECOVERY_LENGTH (RECOVERY_BYTES / 5 * 8)
#define SECRET_LENGTH	(TOTP_SECRET_BYTES / 5 * 8)
#define SEALED_BYTES	(TOTP_SECRET_BYTES + SEAL_OVERHEAD)
#define SEALED_HEX_SIZE (2 + 2 * SEALED_BYTES + 1)

/* ---- secrets ---------------------------------------------------------------------------- */

static void
context_of(const char *user_id, char ret[SEAL_CONTEXT_SIZE])
{
	snprintf(ret, SEAL_CONTEXT_SIZE, "user.totp:%s", user_id);
}

static bool
has_master(struct exchange *exchange)
{
	if (exchange->master)
		return true;
	exchange_problem(exchange, 503, NULL,
	    "this portal was started without master_key_file, which "
	    "second factors need: ask who runs it");
	return false;
}

static bool
seal_secret(struct exchange *exchange, const uint8_t *secret,
    char ret_hex[SEALED_HEX_SIZE])
{
	char context[SEAL_CONTEXT_SIZE], user_id[24];
	uint8_t sealed[SEALED_BYTES];

	snprintf(user_id, sizeof(user_id), "%" PRId64, exchange->user_id);
	context_of(user_id, context);
	if (seal_close(exchange->master, context,
		slice_of(secret, TOTP_SECRET_BYTES), sealed,
		sizeof(sealed)) != SEALED_BYTES) {
		exchange_problem(exchange, 500, NULL,
		    "the secret could not be sealed");
		return false;
	}
	memcpy(ret_hex, "\\x", 2);
	text_hex_encode(sealed, sizeof(sealed), ret_hex + 2);
	return true;
}

/* sealed: "\x..." as PostgreSQL tells a bytea. */
static bool
open_secret(struct exchange *exchange, const char *user_id, const char *sealed,
    uint8_t ret[TOTP_SECRET_BYTES])
{
	char context[SEAL_CONTEXT_SIZE];
	uint8_t blob[SEALED_BYTES];
	int length;

	if (!has_master(exchange))
		return false;
	context_of(user_id, context);
	length = strlen(sealed) < 2
	    ? -1
	    : text_hex_decode(slice_from_string(sealed + 2), blob,
		  sizeof(blob));
	if (length >= 0 &&
	    seal_open(exchange->master, context, slice_of(blob, (size_t)length),
		ret, TOTP_SECRET_BYTES) == TOTP_SECRET_BYTES)
		return true;
	exchange_problem(exchange, 503, NULL,
	    "the second factor was sealed with another master key: an "
	    "administrator can take it away");
	return false;
}

/* ---- codes ------------------------------------------------------------------------------ */

/* Without what people put between, in capitals; "" where it is too long. */
static void
normalize(const char *code, char *ret, size_t size)
{
	size_t length = 0;

	for (; *code; code++) {
		if (*code == ' ' || *code == '-')
			continue;
		if (length + 1 == size) {
			length = 0;
			break;
		}
		ret[length++] = (char)toupper((unsigned char)*code);
	}
	ret[length] = '\0';
}

bool
second_factor_read(struct exchange *exchange, const char *user_id,
    const char *sealed, const char *code, struct second_factor_proof *ret)
{
	char typed[RECOVERY_LENGTH + 1];
	uint8_t secret[TOTP_SECRET_BYTES];

	if (!open_secret(exchange, user_id, sealed, secret))
		return false;
	normalize(code, typed, sizeof(typed));
	snprintf(ret->step, sizeof(ret->step), "%" PRId64,
	    totp_find(secret, typed, time(NULL)));
	ret->recovery_hash[0] = '\0';
	if (strlen(typed) == RECOVERY_LENGTH)
		token_hash(typed, ret->recovery_hash);
	sodium_memzero(secret, sizeof(secret));
	return true;
}

/* In groups of four, as it is shown; its hash as an element of an array. */
static void
new_recovery_code(struct json *answer, char *hashes)
{
	char text[RECOVERY_LENGTH + 1], hash[TOKEN_HASH_SIZE];
	uint8_t bytes[RECOVERY_BYTES];

	randombytes_buf(bytes, sizeof(bytes));
	totp_base32(bytes, sizeof(bytes), text);
	token_hash(text, hash);
	sprintf(hashes + strlen(hashes), "%s\"\\%s\"", hashes[1] ? "," : "",
	    hash);
	json_format(answer, NULL, "%.4s-%.4s-%.4s-%.4s", text, text + 4,
	    text + 8, text + 12);
}

/* ---- the operations ----------------------------------------------------------------------- */

static bool
is_for_session(struct exchange *exchange)
{
	if (exchange->credential == EXCHANGE_SESSION)
		return true;
	exchange_problem(exchange, 403, NULL,
	    "a key has no second factor: sign in");
	return false;
}

/* The modules of the code, a text of 0 and 1 for each line; none where it
 * cannot be made: the secret can be typed. */
static void
show_qr(struct json *answer, const char *uri)
{
	QRcode *code = QRcode_encodeString(uri, 0, QR_ECLEVEL_M, QR_MODE_8, 1);
	char line[256];

	json_array_begin(answer, "qr");
	for (int y = 0; code && y < code->width; y++) {
		for (int x = 0; x < code->width; x++)
			line[x] =
			    code->data[y * code->width + x] & 1 ? '1' : '0';
		json_slice(answer, NULL, slice_of(line, (size_t)code->width));
	}
	json_array_end(answer);
	QRcode_free(code);
}

static void
show_secret(struct exchange *exchange, const char *login, const uint8_t *secret)
{
	char text[SECRET_LENGTH + 1], uri[1024];
	char *name = evhttp_encode_uri(login);

	totp_base32(secret, TOTP_SECRET_BYTES, text);
	snprintf(uri, sizeof(uri),
	    "otpauth://totp/" ISSUER ":%s?secret=%s&issuer=" ISSUER
	    "&algorithm=SHA1&digits=%d&period=%d",
	    name ? name : "", text, TOTP_DIGITS, TOTP_STEP_S);
	json_object_begin(exchange->answer, NULL);
	json_string(exchange->answer, "secret", text);
	json_string(exchange->answer, "uri", uri);
	show_qr(exchange->answer, uri);
	json_object_end(exchange->answer);
	exchange->status = 200;
	sodium_memzero(text, sizeof(text));
	sodium_memzero(uri, sizeof(uri));
	free(name);
}

void
second_factor_begin(struct exchange *exchange, struct db *db)
{
	uint8_t secret[TOTP_SECRET_BYTES];
	char sealed[SEALED_HEX_SIZE];
	const char *values[] = { sealed };
	PGresult *result;

	if (!is_for_session(exchange) || !has_master(exchange))
		return;
	totp_secret_new(secret);
	if (seal_secret(exchange, secret, sealed)) {
		result = operation_query(exchange, db,
		    "SELECT tocsin.second_factor_begin($1::bytea)", 1, values);
		if (result)
			show_secret(exchange, PQgetvalue(result, 0, 0), secret);
		PQclear(result);
	}
	sodium_memzero(secret, sizeof(secret));
}

/* "{...}" of hashes, and the codes into the answer. */
static void
make_recovery_codes(struct exchange *exchange, char *hashes)
{
	json_object_begin(exchange->answer, NULL);
	json_array_begin(exchange->answer, "recovery_codes");
	strcpy(hashes, "{");
	for (int i = 0; i < SECOND_FACTOR_RECOVERY_CODES; i++)
		new_recovery_code(exchange->answer, hashes);
	strcat(hashes, "}");
	json_array_end(exchange->answer);
	json_object_end(exchange->answer);
}

static void
put_in_force(struct exchange *exchange, struct db *db, const char *step)
{
	char hashes[SECOND_FACTOR_RECOVERY_CODES * (TOKEN_HASH_SIZE + 4) + 3];
	char session[TOKEN_HASH_SIZE];
	const char *values[] = { step, hashes, session };
	PGresult *result;

	make_recovery_codes(exchange, hashes);
	token_hash(exchange->token, session);
	exchange->status = 200;
	result = operation_query(exchange, db,
	    "SELECT tocsin.second_factor_confirm($1::bigint, $2::bytea[], "
	    "$3::bytea)",
	    COUNT(values), values);
	PQclear(result);
}

/* The session's user's own, and what the request proves of it. column: 0 what
 * is in force, 1 what was begun. */
static bool
read_own(struct exchange *exchange, struct db *db, int column,
    struct second_factor_proof *ret)
{
	char user_id[24];
	struct values values;
	PGresult *result = NULL;
	bool good = false;

	if (!is_for_session(exchange) || !values_read(exchange, &values))
		return false;
	snprintf(user_id, sizeof(user_id), "%" PRId64, exchange->user_id);
	result = operation_query(exchange, db,
	    "SELECT * FROM tocsin.second_factor_own()", 0, NULL);
	if (result && PQgetisnull(result, 0, column))
		exchange_problem(exchange, 422, NULL,
		    column ? "no second factor was begun: begin with a new one"
			   : "this user has no second factor");
	else if (result)
		good = second_factor_read(exchange, user_id,
		    PQgetvalue(result, 0, column),
		    values_find(&values, exchange->route, "code"), ret);
	PQclear(result);
	values_close(&values);
	return good;
}

void
second_factor_confirm(struct exchange *exchange, struct db *db)
{
	struct second_factor_proof proof;

	if (!read_own(exchange, db, 1, &proof))
		return;
	if (strcmp(proof.step, "0") == 0)
		exchange_problem(exchange, 422, "code",
		    "this is not the app's code at this moment: type the one "
		    "that it shows now, and see that its clock is right");
	else
		put_in_force(exchange, db, proof.step);
}

void
second_factor_end(struct exchange *exchange, struct db *db)
{
	struct second_factor_proof proof;
	const char *values[] = { proof.step, NULL };
	PGresult *result;

	if (!read_own(exchange, db, 0, &proof))
		return;
	if (proof.recovery_hash[0])
		values[1] = proof.recovery_hash;
	result = operation_query(exchange, db,
	    "SELECT tocsin.second_factor_end($1::bigint, $2::bytea)",
	    COUNT(values), values);
	if (result && PQgetvalue(result, 0, 0)[0] == 't') {
		exchange->status = 204;
	} else if (result) {
		exchange->keep = true; /* that it was tried */
		exchange_problem(exchange, 422, "code",
		    "the code is wrong or was used before; after five wrong "
		    "ones wait 15 minutes");
	}
	PQclear(result);
}
