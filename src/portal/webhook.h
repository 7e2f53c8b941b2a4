/* The passkey of a dealer's webhook. */
#ifndef PORTAL_WEBHOOK_H
#define PORTAL_WEBHOOK_H

#include "db/db.h"
#include "portal/exchange.h"

/* Makes one, or takes the one that was sent, has tocsind seal it and stores
 * that: the portal has no key with which passkeys could be opened. The answer
 * has it, and nothing else ever has. In a worker's thread. */
void webhook_set_passkey(struct exchange *exchange, struct db *db);

#endif
