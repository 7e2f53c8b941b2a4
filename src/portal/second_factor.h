/*
 * The second factor of users: codes of an authenticator app, and recovery
 * codes. The secrets are sealed under the portal's master key; that a code is
 * of use once, and that guessing locks, is kept in the database. In a worker's
 * thread.
 */
#ifndef PORTAL_SECOND_FACTOR_H
#define PORTAL_SECOND_FACTOR_H

#include <stdbool.h>
#include <stdint.h>

#include "base/slice.h"
#include "db/db.h"
#include "portal/exchange.h"
#include "portal/token.h"

#define SECOND_FACTOR_RECOVERY_CODES 10

/* What was typed as the second factor, as the database takes it. */
struct second_factor_proof {
	char step[24];			     /* "0": of no step */
	char recovery_hash[TOKEN_HASH_SIZE]; /* "": it is no recovery code */
};

/* sealed: the bytea as text, NULL: there is none. false: the exchange is
 * answered, the secret cannot be opened. */
bool second_factor_read(struct exchange *exchange, const char *user_id,
    const char *sealed, const char *code, struct second_factor_proof *ret);

/* handle of beginSecondFactor, confirmSecondFactor and endSecondFactor */
void second_factor_begin(struct exchange *exchange, struct db *db);
void second_factor_confirm(struct exchange *exchange, struct db *db);
void second_factor_end(struct exchange *exchange, struct db *db);

#endif
