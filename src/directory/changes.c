#include "directory/changes.h"

#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Rows as they come. */
struct rows {
	struct change *items;
	size_t count, size;
};

void
changes_close(struct changes *changes)
{
	free(changes->applied);
	*changes = (struct changes){ 0 };
}

static int
read_horizon(struct changes *changes, struct db *db, struct err *err)
{
	int code;
	PGresult *result = db_query(db,
	    "SELECT pg_snapshot_xmin(s), pg_snapshot_xmax(s) "
	    "FROM pg_current_snapshot() s",
	    0, NULL, &code, err);
	uint64_t xmin, xmax;

	if (!result)
		return code;
	xmin = strtoull(PQgetvalue(result, 0, 0), NULL, 10);
	xmax = strtoull(PQgetvalue(result, 0, 1), NULL, 10);
	PQclear(result);
	changes->horizon = xmin;
	changes->in_flight = xmin < xmax;
	return 0;
}

static int
add_row(void *context, int count, char **fields, struct err *err)
{
	struct rows *rows = context;
	struct change *items;

	(void)count;
	if (rows->count == rows->size) {
		rows->size = rows->size ? rows->size * 2 : 64;
		items =
		    realloc(rows->items, rows->size * sizeof(rows->items[0]));
		if (!items)
			return err_set(err, -ENOMEM, "out of memory");
		rows->items = items;
	}
	rows->items[rows->count++] = (struct change){
		.id = strtoull(fields[0], NULL, 10),
		.xid = strtoull(fields[1], NULL, 10),
		.kind = load_kind_from_name(fields[2]),
		.entity_id = strtoull(fields[3], NULL, 10),
	};
	return 0;
}

static int
read_rows(struct db *db, uint64_t horizon, struct rows *rows, struct err *err)
{
	char sql[256];

	snprintf(sql, sizeof(sql),
	    "COPY (SELECT id, xid, entity, entity_id "
	    "FROM tocsin.directory_change WHERE xid >= '%" PRIu64
	    "'::xid8 ORDER BY id) TO STDOUT",
	    horizon);
	return db_copy_out(db, sql, 4, add_row, rows, err);
}

/* What belongs to transactions at or after the horizon; rows come by id. */
static int
remember_applied(struct changes *changes, const struct rows *rows)
{
	uint64_t *applied = NULL;
	size_t count = 0;

	if (rows->count > 0) {
		applied = malloc(rows->count * sizeof(applied[0]));
		if (!applied)
			return -ENOMEM;
	}
	for (size_t i = 0; i < rows->count; i++)
		if (rows->items[i].xid >= changes->horizon)
			applied[count++] = rows->items[i].id;
	free(changes->applied);
	changes->applied = applied;
	changes->applied_count = count;
	return 0;
}

int
changes_begin(struct changes *changes, struct db *db, struct err *err)
{
	struct rows rows = { 0 };
	int result = read_horizon(changes, db, err);

	if (result == 0)
		result = read_rows(db, changes->horizon, &rows, err);
	if (result == 0 && remember_applied(changes, &rows) < 0)
		result = err_set(err, -ENOMEM, "out of memory");
	free(rows.items);
	return result;
}

static int
compare_ids(const void *a, const void *b)
{
	uint64_t left = *(const uint64_t *)a, right = *(const uint64_t *)b;

	return (left > right) - (left < right);
}

static bool
is_applied(const struct changes *changes, uint64_t id)
{
	return changes->applied_count > 0 &&
	    bsearch(&id, changes->applied, changes->applied_count, sizeof(id),
		compare_ids);
}

static int
load_kind(struct load *load, enum object_kind kind, const struct changes *old,
    const struct rows *rows, uint64_t *ids, struct err *err)
{
	size_t count = 0, unique = 0;

	for (size_t i = 0; i < rows->count; i++)
		if (rows->items[i].kind == (int)kind &&
		    !is_applied(old, rows->items[i].id))
			ids[count++] = rows->items[i].entity_id;
	qsort(ids, count, sizeof(ids[0]), compare_ids);
	for (size_t i = 0; i < count; i++)
		if (i == 0 || ids[i] != ids[i - 1])
			ids[unique++] = ids[i];
	return load_some(load, kind, ids, unique, err);
}

static int
load_objects(struct load *load, const struct changes *old,
    const struct rows *rows, struct err *err)
{
	uint64_t *ids;
	int news = 0, result = 0;

	for (size_t i = 0; i < rows->count; i++)
		news += !is_applied(old, rows->items[i].id);
	if (news == 0)
		return 0;
	ids = malloc(rows->count * sizeof(ids[0]));
	if (!ids)
		return err_set(err, -ENOMEM, "out of memory");
	for (int kind = 0; kind < OBJECT_KINDS && result == 0; kind++)
		result = load_kind(load, (enum object_kind)kind, old, rows, ids,
		    err);
	free(ids);
	return result < 0 ? result : news;
}

/* Everything between BEGIN and COMMIT. */
static int
read_in_transaction(struct changes *changes, struct load *load, struct err *err)
{
	struct rows rows = { 0 };
	const struct changes old = *changes;
	int result = read_rows(load->db, old.horizon, &rows, err);
	int news = 0;

	if (result == 0)
		result = news = load_objects(load, &old, &rows, err);
	if (result >= 0)
		result = read_horizon(changes, load->db, err);
	if (result == 0 && remember_applied(changes, &rows) < 0)
		result = err_set(err, -ENOMEM, "out of memory");
	free(rows.items);
	return result < 0 ? result : news;
}

int
changes_read(struct changes *changes, struct load *load, struct err *err)
{
	int result = db_execute(load->db,
	    "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY", err);
	int ended;

	if (result < 0)
		return result;
	result = read_in_transaction(changes, load, err);
	ended = db_execute(load->db, result < 0 ? "ROLLBACK" : "COMMIT",
	    result < 0 ? NULL : err);
	return result < 0 ? result : ended < 0 ? ended : result;
}
