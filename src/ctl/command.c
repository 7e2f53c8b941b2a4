#include "ctl/command.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "base/exit.h"

#define WORD_MAX 40 /* longer ones are near nothing */

int
ctl_fail(int status, const char *format, ...)
{
	va_list args;

	fputs("tocsinctl: ", stderr);
	va_start(args, format);
	vfprintf(stderr, format, args);
	va_end(args);
	fputc('\n', stderr);
	return status;
}

/* ---- nearest word -------------------------------------------------------------- */

static unsigned
least(unsigned a, unsigned b, unsigned c)
{
	unsigned smaller = a < b ? a : b;

	return smaller < c ? smaller : c;
}

/* Levenshtein: insertions, deletions, substitutions */
static unsigned
distance(const char *a, const char *b)
{
	unsigned row[WORD_MAX + 1];
	size_t length = strlen(b);

	if (strlen(a) > WORD_MAX || length > WORD_MAX)
		return WORD_MAX;
	for (size_t j = 0; j <= length; j++)
		row[j] = (unsigned)j;
	for (size_t i = 1; a[i - 1]; i++) {
		unsigned diagonal = row[0];

		row[0] = (unsigned)i;
		for (size_t j = 1; j <= length; j++) {
			unsigned above = row[j];

			row[j] = least(above + 1, row[j - 1] + 1,
			    diagonal + (a[i - 1] != b[j - 1]));
			diagonal = above;
		}
	}
	return row[length];
}

const char *
ctl_nearest(const char *typed, const char *(*word_at)(const void *, size_t),
    const void *table, size_t count)
{
	const char *best = NULL;
	unsigned best_distance = (unsigned)strlen(typed) / 3 + 2;

	for (size_t i = 0; i < count; i++) {
		const char *word = word_at(table, i);
		unsigned d = strncmp(word, typed, strlen(typed)) == 0
		    ? 0
		    : distance(typed, word);

		if (d < best_distance) {
			best = word;
			best_distance = d;
		}
	}
	return best;
}

/* ---- commands ------------------------------------------------------------------ */

static const char *
command_at(const void *table, size_t index)
{
	return ((const struct ctl_command *)table)[index].name;
}

static void
print_commands(const char *group, const struct ctl_command *commands,
    size_t count)
{
	const char *space = *group ? " " : "";

	printf("usage: tocsinctl%s%s COMMAND ...\n\n", space, group);
	for (size_t i = 0; i < count; i++)
		printf("  %s%s%s\n        %s\n", commands[i].name,
		    *commands[i].synopsis ? " " : "", commands[i].synopsis,
		    commands[i].help);
	printf("\ntocsinctl%s%s COMMAND -h says more.\n", space, group);
}

static bool
is_help(const char *word)
{
	return strcmp(word, "-h") == 0 || strcmp(word, "--help") == 0;
}

int
ctl_dispatch(const char *group, const struct ctl_command *commands,
    size_t count, int argc, char **argv)
{
	const char *space = *group ? " " : "";
	const char *near;

	if (argc < 2)
		return ctl_fail(EXIT_STATUS_USAGE,
		    "which command? \"tocsinctl%s%s -h\" lists them", space,
		    group);
	if (is_help(argv[1])) {
		print_commands(group, commands, count);
		return EXIT_STATUS_OK;
	}
	for (size_t i = 0; i < count; i++)
		if (strcmp(argv[1], commands[i].name) == 0)
			return commands[i].run(argc - 1, argv + 1);
	near = ctl_nearest(argv[1], command_at, commands, count);
	return ctl_fail(EXIT_STATUS_USAGE,
	    "there is no command \"%s%s%s\"%s%s%s", group, space, argv[1],
	    near ? ", did you mean \"" : "", near ? near : "",
	    near ? "\"?" : "");
}

/* ---- options ------------------------------------------------------------------- */

static const char *
option_at(const void *table, size_t index)
{
	return ((const struct ctl_option *)table)[index].name;
}

static size_t
option_count(const struct ctl_option *options)
{
	size_t count = 0;

	while (options[count].name)
		count++;
	return count;
}

static void
print_help(const char *command, const char *synopsis,
    const struct ctl_option *options)
{
	printf("usage: tocsinctl %s%s%s\n\n", command, *synopsis ? " " : "",
	    synopsis);
	for (; options->name; options++)
		printf("  --%s%s%s\n        %s\n", options->name,
		    options->value ? " " : "",
		    options->value ? options->value : "", options->help);
}

static int
refuse_option(const char *command, const struct ctl_option *options,
    const char *typed)
{
	const char *near = ctl_nearest(typed + strspn(typed, "-"), option_at,
	    options, option_count(options));

	return ctl_fail(EXIT_STATUS_USAGE,
	    "%s: there is no option \"%s\"%s%s%s", command, typed,
	    near ? ", did you mean \"--" : "", near ? near : "",
	    near ? "\"?" : "");
}

static int
keep_value(const char *command, size_t i, const char *value,
    struct ctl_arguments *ret)
{
	const struct ctl_option *option = &ret->options[i];

	ret->values[i] = value;
	if (!option->many)
		return CTL_GO_ON;
	if (ret->repeat_count == CTL_REPEATS_MAX)
		return ctl_fail(EXIT_STATUS_USAGE,
		    "%s: --%s is given too often: %d such values at most",
		    command, option->name, CTL_REPEATS_MAX);
	ret->repeats[ret->repeat_count++] =
	    (struct ctl_repeat){ option->name, value };
	return CTL_GO_ON;
}

/* The option at argv[*at]; moves *at to its last word. CTL_GO_ON or a
 * status. */
static int
take_option(const char *command, int argc, char **argv, int *at,
    struct ctl_arguments *ret)
{
	const char *name = argv[*at] + 2;
	size_t length = strcspn(name, "=");
	const struct ctl_option *options = ret->options;
	size_t i = 0;

	while (options[i].name &&
	    (strlen(options[i].name) != length ||
		strncmp(options[i].name, name, length) != 0))
		i++;
	if (!options[i].name)
		return refuse_option(command, options, argv[*at]);
	if (!options[i].value) {
		if (name[length] == '=')
			return ctl_fail(EXIT_STATUS_USAGE,
			    "%s: --%s takes no value", command,
			    options[i].name);
		ret->values[i] = "";
		return CTL_GO_ON;
	}
	if (name[length] == '=')
		return keep_value(command, i, name + length + 1, ret);
	if (*at + 1 >= argc)
		return ctl_fail(EXIT_STATUS_USAGE, "%s: --%s needs its %s",
		    command, options[i].name, options[i].value);
	return keep_value(command, i, argv[++*at], ret);
}

int
ctl_parse(const char *command, const char *synopsis,
    const struct ctl_option *options, int words_max, int argc, char **argv,
    struct ctl_arguments *ret)
{
	bool only_words = false;

	memset(ret, 0, sizeof(*ret));
	ret->options = options;
	ret->words = argv + 1;
	for (int i = 1; i < argc; i++) {
		int result = CTL_GO_ON;

		if (only_words || argv[i][0] != '-' || argv[i][1] == '\0')
			argv[1 + ret->word_count++] = argv[i];
		else if (strcmp(argv[i], "--") == 0)
			only_words = true;
		else if (is_help(argv[i])) {
			print_help(command, synopsis, options);
			return EXIT_STATUS_OK;
		} else if (argv[i][1] == '-')
			result = take_option(command, argc, argv, &i, ret);
		else
			result = refuse_option(command, options, argv[i]);
		if (result != CTL_GO_ON)
			return result;
	}
	if (ret->word_count > words_max)
		return ctl_fail(EXIT_STATUS_USAGE,
		    "%s: \"%s\" is one word too many", command,
		    ret->words[words_max]);
	return CTL_GO_ON;
}

const char *
ctl_value(const struct ctl_arguments *arguments, const char *name)
{
	for (size_t i = 0; arguments->options[i].name; i++)
		if (strcmp(arguments->options[i].name, name) == 0)
			return arguments->values[i];
	abort(); /* a misspelt name in a command */
}

bool
ctl_flag(const struct ctl_arguments *arguments, const char *name)
{
	return ctl_value(arguments, name) != NULL;
}

const char *
ctl_next_value(const struct ctl_arguments *arguments, const char *name,
    size_t *at)
{
	while (*at < arguments->repeat_count) {
		const struct ctl_repeat *repeat = &arguments->repeats[(*at)++];

		if (strcmp(repeat->name, name) == 0)
			return repeat->value;
	}
	return NULL;
}
