/*
 * Command-line options from a table: parser, --help and the "did you mean" of
 * a wrong word all read the same rows. Main thread, before anything else runs.
 *
 *   static const struct option_row rows[] = {
 *   	{ "panels", 'p', OPTION_UNSIGNED, offsetof(struct x, panels), "N",
 *   	  "connections" },
 *   	{ 0 },
 *   };
 */
#ifndef BASE_OPTION_H
#define BASE_OPTION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "base/err.h"

enum option_kind {
	OPTION_FLAG,	 /* bool: no value */
	OPTION_TEXT,	 /* const char *: borrows argv */
	OPTION_UNSIGNED, /* unsigned */
	OPTION_COUNT,	 /* uint64_t */
	OPTION_DURATION, /* int64_t us: "250ms", "15s"; bare number: seconds */
	OPTION_FRACTION, /* double, 0..1 */
};

struct option_row {
	const char *name; /* "panels" for --panels */
	char letter;	  /* 'p' for -p; 0: none */
	enum option_kind kind;
	size_t offset;	      /* of the member in the target */
	const char *argument; /* "N", shown in the help; NULL for a flag */
	const char *help;
};

/*
 * Fill target from "--name value", "--name=value", "-x value". rows end with
 * a NULL name. Returns 0 or -EINVAL with a sentence that names the mistake
 * and, for a misspelt option, the nearest right one. An argument that is no
 * option is refused.
 */
int option_parse(const struct option_row *rows, int argc, char **argv,
    void *target, struct err *err);

/* One aligned line per row. */
void option_print_help(const struct option_row *rows, FILE *out);

/* The word in words (NULL-terminated) nearest to a wrong one; NULL when none
 * is near enough to be meant. */
const char *option_nearest(const char *wrong, const char *const *words);

#endif
