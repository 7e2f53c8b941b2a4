/*
 * What may be chosen for a field, as rows of the database: stations, arming
 * methods, time zones. One list serves completion, the check of what was typed
 * and the suggestion when it was a near miss.
 */
#ifndef CTL_CHOICE_H
#define CTL_CHOICE_H

#include <stddef.h>

#include "db/db.h"

struct choice {
	char *key;  /* what is stored: an id, a name */
	char *name; /* what people type and read */
	char *note; /* one line beside it, perhaps "" */
};

struct choice_list {
	struct choice *rows; /* owned with their texts */
	size_t count;
};

/*
 * The rows of a statement with the columns key, name, note and one parameter.
 * 0 or a -errno with the sentence. To be closed in either case.
 */
int choice_load(struct choice_list *list, struct db *db, const char *sql,
    const char *parameter, struct err *err);
void choice_close(struct choice_list *list);

/* One more row, with copies of the texts. 0 or -ENOMEM. */
int choice_add(struct choice_list *list, const char *key, const char *name,
    const char *note, struct err *err);

/* The row of this key or name, in small or capital letters; NULL: none. */
const struct choice *choice_find(const struct choice_list *list,
    const char *text);

/*
 * Say about a text that choice_find did not know: "TEXT: unknown WHAT; did you
 * mean NAME?", or what there is when that is a short list. Returns -EINVAL.
 */
int choice_refuse(const struct choice_list *list, const char *what,
    const char *text, struct err *err);

#endif
