/*
 * What kinds of rows there are to import and export, and their columns. What a
 * row means, and what is refused, is in sql/0014_bulk.sql.
 */
#ifndef BULK_KIND_H
#define BULK_KIND_H

#include <stddef.h>
#include <stdint.h>

enum bulk_type {
	BULK_TEXT,
	BULK_NUMBER,
	BULK_REAL,
	BULK_BOOLEAN, /* yes or no; true, false, t and f too */
	BULK_MAC,
};

struct bulk_column {
	const char *name;  /* in the header */
	const char *field; /* of import_rows */
	enum bulk_type type;
	int64_t maximum;	 /* BULK_NUMBER */
	const char *constraints; /* that it breaks, a blank after each */
	const char *read; /* expression for the export; NULL: not in it */
};

struct bulk_kind {
	const char *name; /* "site" */
	const struct bulk_column *columns;
	size_t count;
	const char *from;   /* of the export; its rows are known by the first
			     * letter of the name */
	const char *dealer; /* whose rows they are */
};

/* NULL: no rows of this kind can be imported. */
const struct bulk_kind *bulk_kind_find(const char *name);

/* NULL: text can be a value of the column; else what it would have to be. */
const char *bulk_column_expected(const struct bulk_column *column,
    const char *text);

#endif
