/* Doing what a request asks for, in a worker's thread. */
#ifndef PORTAL_OPERATION_H
#define PORTAL_OPERATION_H

#include "db/db.h"
#include "portal/exchange.h"

/* Answers the exchange, in one transaction for its user. */
void operation_run(struct exchange *exchange, struct db *db);

/* Answers with what the last failed statement means. */
void operation_refused(struct exchange *exchange, const struct db *db, int code,
    const struct err *err);

#endif
