#ifndef PORTAL_IMPORT_FILE_H
#define PORTAL_IMPORT_FILE_H

#include "db/db.h"
#include "portal/exchange.h"

/* A page of the answer has all of them. */
#define IMPORT_FILE_ROWS_MAX 5000

/* handle of importFile: what becomes of each row of a CSV file. */
void import_file(struct exchange *exchange, struct db *db);

#endif
