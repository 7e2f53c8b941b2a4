/* Constraint names of sql/ as sentences for people. */
#ifndef DB_REFUSAL_H
#define DB_REFUSAL_H

#include "db/db.h"

/* What the last failed statement means; err's own text where no constraint
 * says it better. Borrowed from db, err or static. */
const char *refusal_sentence(const struct db *db, const struct err *err);

/* The same for a refusal that was told as data: message where no sentence is
 * better. */
const char *refusal_of(const char *constraint, const char *message);

/* The field that a constraint is about, as the column is called; NULL: no
 * single one. Static. */
const char *refusal_field(const char *constraint);

#endif
