/*
 * Rows for people: aligned columns, or one field a line. The same rows for
 * programs: JSON lines.
 */
#ifndef CTL_TABLE_H
#define CTL_TABLE_H

#include <libpq-fe.h>
#include <stdbool.h>
#include <stddef.h>

struct table {
	size_t columns, rows;
	char **names; /* owned, as the cells */
	char **cells; /* rows x columns; NULL: nothing */
};

/* Room for so many; false: no memory. To be closed in either case. */
bool table_create(struct table *table, size_t columns, size_t rows);
void table_close(struct table *table);
/* single: one field a line. */
void table_print(const struct table *table, bool single);

/* A result of PostgreSQL; with json one object a line. */
void table_print_result(const PGresult *result, bool json, bool single);

#endif
