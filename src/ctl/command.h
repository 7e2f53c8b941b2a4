/*
 * The command line of tocsinctl: words, options, help. A command is a row of
 * a table; so is a sub-verb, and so is an option.
 */
#ifndef CTL_COMMAND_H
#define CTL_COMMAND_H

#include <stdbool.h>
#include <stddef.h>

/* argv[0] is the command's own word. Returns an enum exit_status. */
typedef int (*ctl_run_fn)(int argc, char **argv);

struct ctl_command {
	const char *name;
	const char *synopsis; /* what follows the name */
	const char *help;     /* one line */
	ctl_run_fn run;
};

/*
 * Run the row that argv[1] names; -h prints the table on stdout. group: the
 * word whose table this is ("db"), "" for the program's own. Anything wrong
 * names the mistake and the nearest right word on stderr, and is
 * EXIT_STATUS_USAGE.
 */
int ctl_dispatch(const char *group, const struct ctl_command *commands,
    size_t count, int argc, char **argv);

/* The whole program. */
int ctl_run(int argc, char **argv);

#define CTL_OPTIONS_MAX 48
#define CTL_REPEATS_MAX 128

struct ctl_option {
	const char *name;  /* without "--"; NULL ends the table */
	const char *value; /* what it takes; NULL: nothing */
	const char *help;
	bool many; /* may be given again: each value counts, not the last */
};

struct ctl_arguments {
	const struct ctl_option *options;
	const char *values[CTL_OPTIONS_MAX]; /* NULL: not given; "" of flags */
	struct ctl_repeat {
		const char *name, *value;
	} repeats[CTL_REPEATS_MAX]; /* of options with many, in order */
	size_t repeat_count;
	char **words; /* the rest, in order */
	int word_count;
};

/* What ctl_parse answers when the command shall go on. */
#define CTL_GO_ON (-1)

/*
 * Take "--name value", "--name=value" and flags out of argv (which is
 * reordered); at most words_max others may stay. CTL_GO_ON, or an exit status:
 * after -h, or after a mistake that was named.
 */
int ctl_parse(const char *command, const char *synopsis,
    const struct ctl_option *options, int words_max, int argc, char **argv,
    struct ctl_arguments *ret);

/* NULL: not given. The name must be in the table. */
const char *ctl_value(const struct ctl_arguments *arguments, const char *name);
bool ctl_flag(const struct ctl_arguments *arguments, const char *name);

/* The next value of an option with many; *at begins at 0. NULL: no more. */
const char *ctl_next_value(const struct ctl_arguments *arguments,
    const char *name, size_t *at);

/* "tocsinctl: <sentence>" on stderr; returns status. */
int ctl_fail(int status, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* The word of count that a mistyped one is nearest to, NULL when none is near.
 * word_at gives the index-th. */
const char *ctl_nearest(const char *typed,
    const char *(*word_at)(const void *table, size_t index), const void *table,
    size_t count);

#endif
