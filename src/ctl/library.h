/* The alarm library: what a level says, and what it comes to for a site. */
#ifndef CTL_LIBRARY_H
#define CTL_LIBRARY_H

#include "db/db.h"

/* show, set, reset of --site ID or --dealer ID */
int library_run(int argc, char **argv);

/* 0, or -EINVAL with a sentence that begins with the code: not three digits of
 * an event that the code tables or the built-in library know. */
int library_check_code(struct db *db, const char *code, struct err *err);

#endif
