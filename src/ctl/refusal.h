/* Constraint names of sql/ as sentences for people. */
#ifndef CTL_REFUSAL_H
#define CTL_REFUSAL_H

#include "db/db.h"

/* What the last failed statement means; err's own text where no constraint
 * says it better. Borrowed from db, err or static. */
const char *refusal_sentence(const struct db *db, const struct err *err);

/* The same for a refusal that was told as data: message where no sentence is
 * better. */
const char *refusal_of(const char *constraint, const char *message);

#endif
