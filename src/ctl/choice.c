#include "ctl/choice.h"

#include <ctype.h>
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "ctl/command.h"

#define LISTED_MAX 12 /* choices that fit into a sentence */

int
choice_add(struct choice_list *list, const char *key, const char *name,
    const char *note, struct err *err)
{
	struct choice *rows =
	    realloc(list->rows, (list->count + 1) * sizeof(*rows));
	struct choice *row;

	if (!rows)
		return err_set(err, -ENOMEM, "out of memory");
	list->rows = rows;
	row = &rows[list->count++];
	row->key = strdup(key);
	row->name = strdup(name);
	row->note = strdup(note);
	return row->key && row->name && row->note
	    ? 0
	    : err_set(err, -ENOMEM, "out of memory");
}

int
choice_load(struct choice_list *list, struct db *db, const char *sql,
    const char *parameter, struct err *err)
{
	const char *values[] = { parameter };
	int code = 0;
	PGresult *result = db_query(db, sql, 1, values, &code, err);

	*list = (struct choice_list){ 0 };
	for (int i = 0; result && code == 0 && i < PQntuples(result); i++)
		code = choice_add(list, PQgetvalue(result, i, 0),
		    PQgetvalue(result, i, 1), PQgetvalue(result, i, 2), err);
	PQclear(result);
	return code;
}

void
choice_close(struct choice_list *list)
{
	for (size_t i = 0; i < list->count; i++) {
		free(list->rows[i].key);
		free(list->rows[i].name);
		free(list->rows[i].note);
	}
	free(list->rows);
	*list = (struct choice_list){ 0 };
}

const struct choice *
choice_find(const struct choice_list *list, const char *text)
{
	for (size_t i = 0; i < list->count; i++)
		if (strcasecmp(list->rows[i].key, text) == 0)
			return &list->rows[i];
	for (size_t i = 0; i < list->count; i++)
		if (strcasecmp(list->rows[i].name, text) == 0)
			return &list->rows[i];
	return NULL;
}

/* ---- near misses ---------------------------------------------------------------- */

static const char *
key_at(const void *table, size_t index)
{
	return ((const struct choice *)table)[index].key;
}

static const char *
name_at(const void *table, size_t index)
{
	return ((const struct choice *)table)[index].name;
}

/* "Athens" of "Europe/Athens" */
static const char *
last_part_at(const void *table, size_t index)
{
	const char *name = name_at(table, index);
	const char *slash = strrchr(name, '/');

	return slash ? slash + 1 : name;
}

/* A number is never a misspelt one: ids are not suggested. */
static bool
has_ids(const struct choice_list *list)
{
	return list->count > 0 && isdigit((unsigned char)*list->rows[0].key);
}

static const char *
nearest(const struct choice_list *list, const char *text)
{
	static const char *(*const ways[])(const void *, size_t) = { key_at,
		name_at, last_part_at };

	for (size_t way = has_ids(list) ? 1 : 0; way < COUNT(ways); way++) {
		const char *near =
		    ctl_nearest(text, ways[way], list->rows, list->count);

		for (size_t i = 0; near && i < list->count; i++)
			if (ways[way](list->rows, i) == near)
				return ways[way] == key_at ? near
							   : list->rows[i].name;
	}
	return NULL;
}

int
choice_refuse(const struct choice_list *list, const char *what,
    const char *text, struct err *err)
{
	const char *near = nearest(list, text);
	char names[256] = "";
	size_t length = 0;

	if (near)
		return err_set(err, -EINVAL, "%s: unknown %s; did you mean %s?",
		    text, what, near);
	if (list->count == 0)
		return err_set(err, -EINVAL,
		    "%s: unknown %s; there is none yet", text, what);
	for (size_t i = 0; i < list->count && length < sizeof(names); i++)
		length +=
		    (size_t)snprintf(names + length, sizeof(names) - length,
			"%s%s", i > 0 ? ", " : "", list->rows[i].name);
	if (list->count > LISTED_MAX || length >= sizeof(names))
		return err_set(err, -EINVAL, "%s: unknown %s", text, what);
	return err_set(err, -EINVAL, "%s: unknown %s; there is %s", text, what,
	    names);
}
