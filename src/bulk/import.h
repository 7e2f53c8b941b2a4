/*
 * The rows of a CSV file through import_rows() of sql/0014_bulk.sql, so many at
 * a time: what tocsinctl and the portal do with a file. Whether the database
 * keeps them is the caller's transaction. Blocks: for threads that may wait.
 */
#ifndef BULK_IMPORT_H
#define BULK_IMPORT_H

#include <stdint.h>
#include <stdio.h>

#include "base/err.h"
#include "bulk/kind.h"
#include "db/db.h"

/* Rows that go to the database together. */
#define BULK_CHUNK_ROWS 1000

/* What became of one row. */
struct bulk_result {
	size_t line, column; /* column 0: none is to blame */
	const char *name;    /* of the column; "" none */
	uint64_t id;	     /* 0: it has none */
	char outcome[8];     /* stored, there, refused */
	char sentence[300];  /* why, or a warning; "" */
};

struct bulk_import;

struct bulk_import_settings {
	const struct bulk_kind *kind;
	FILE *file;
	const char *dealer_id; /* of rows when no column says whose; NULL */
	size_t rows_max;       /* 0: as many as there are */
	/* Of each row, in the file's order; borrowed until it returns. */
	void (*result)(void *context, const struct bulk_result *result);
	void *context;
};

/* Borrows all that the settings name. NULL: no memory. */
struct bulk_import *bulk_import_new(const struct bulk_import_settings
	*settings);
void bulk_import_close(struct bulk_import **import);

/* The first line, which names the columns: 0, or -EINVAL with line and column
 * of what is wrong. */
int bulk_import_header(struct bulk_import *import, struct err *err);

/* All others. 0; -EFBIG: there are more than rows_max; -ENODATA: the file
 * cannot be read on; -ENOMEM; else as db_query. */
int bulk_import_rows(struct bulk_import *import, struct db *db,
    struct err *err);

/* The lines of the chunk that failed. */
void bulk_import_failed_lines(const struct bulk_import *import,
    size_t *ret_first, size_t *ret_last);

#endif
