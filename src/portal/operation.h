/* Doing what a request asks for, in a worker's thread. */
#ifndef PORTAL_OPERATION_H
#define PORTAL_OPERATION_H

#include "db/db.h"
#include "portal/exchange.h"

/* Answers the exchange, in one transaction for its user. */
void operation_run(struct exchange *exchange, struct db *db);

/* db_query; NULL: it was refused, and the exchange is answered. */
PGresult *operation_query(struct exchange *exchange, struct db *db,
    const char *sql, int count, const char *const *values);

/* Answers with what the last failed statement means. */
void operation_refused(struct exchange *exchange, const struct db *db, int code,
    const struct err *err);

#endif
