#ifndef PORTAL_PASSWORD_CHANGE_H
#define PORTAL_PASSWORD_CHANGE_H

#include "db/db.h"
#include "portal/exchange.h"

/* handle of setPassword: proves the new password and stores the proof. */
void password_change(struct exchange *exchange, struct db *db);

#endif
