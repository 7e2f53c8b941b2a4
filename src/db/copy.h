/* The text format of COPY, without a connection. Internal to src/db. */
#ifndef DB_COPY_H
#define DB_COPY_H

#include "db/db.h"

/*
 * Split one line (NUL-terminated, with or without its newline) at tabs and
 * unescape each field in place; NULL fields become NULL. Returns the number of
 * fields, or -EPROTO when there are more than max.
 */
int copy_split(char *line, int max, char **ret_fields);

#endif
