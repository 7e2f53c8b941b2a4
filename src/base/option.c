#include "base/option.h"

#include <errno.h>
#include <limits.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/slice.h"
#include "base/unit.h"

#define WORD_MAX   32 /* longer words are compared by this many characters */
#define HELP_WIDTH 28

/* Edits (insert, delete, replace) from a to b. */
static unsigned
edit_distance(const char *a, const char *b)
{
	size_t m = strnlen(a, WORD_MAX), n = strnlen(b, WORD_MAX);
	unsigned row[WORD_MAX + 1];

	for (unsigned j = 0; j <= n; j++)
		row[j] = j;
	for (unsigned i = 1; i <= m; i++) {
		unsigned diagonal = row[0];

		row[0] = i;
		for (unsigned j = 1; j <= n; j++) {
			unsigned cost = diagonal + (a[i - 1] != b[j - 1]);

			diagonal = row[j];
			if (row[j] + 1 < cost)
				cost = row[j] + 1;
			if (row[j - 1] + 1 < cost)
				cost = row[j - 1] + 1;
			row[j] = cost;
		}
	}
	return row[n];
}

const char *
option_nearest(const char *wrong, const char *const *words)
{
	const char *best = NULL;
	unsigned best_distance = UINT_MAX;

	for (; *words; words++) {
		unsigned distance = edit_distance(wrong, *words);

		if (strncmp(wrong, *words, strlen(wrong)) == 0)
			distance = 1;
		if (distance < best_distance) {
			best = *words;
			best_distance = distance;
		}
	}
	return best_distance <= 1 + strnlen(wrong, WORD_MAX) / 3 ? best : NULL;
}

static void
fail_unknown(const struct option_row *rows, struct slice name, struct err *err)
{
	const char *words[128];
	char text[WORD_MAX + 1];
	unsigned count = 0;
	const char *nearest;

	for (; rows->name && count + 1 < sizeof(words) / sizeof(*words); rows++)
		words[count++] = rows->name;
	words[count] = NULL;
	if (slice_copy(name, text, sizeof(text)) < 0)
		text[0] = '\0';
	nearest = text[0] ? option_nearest(text, words) : NULL;
	if (nearest)
		err_set(err, -EINVAL,
		    "unknown option '--%.*s': did you mean '--%s'?",
		    SLICE_ARG(name), nearest);
	else
		err_set(err, -EINVAL, "unknown option '--%.*s'",
		    SLICE_ARG(name));
}

static int
parse_duration(const char *value, int64_t *ret_us)
{
	char *end;
	double seconds = strtod(value, &end);

	if (end == value || *end != '\0')
		return unit_parse_duration(value, ret_us);
	if (!(seconds >= 0 && seconds < 1e9))
		return -ERANGE;
	*ret_us = llround(seconds * 1e6);
	return 0;
}

static int
parse_unsigned(const char *value, unsigned long limit, unsigned long *ret)
{
	if (slice_to_number(slice_from_string(value), 10, ret) < 0)
		return -EINVAL;
	return *ret > limit ? -ERANGE : 0;
}

static int
parse_fraction(const char *value, double *ret)
{
	char *end;
	double number = strtod(value, &end);

	if (end == value || *end != '\0' || !(number >= 0 && number <= 1))
		return -EINVAL;
	*ret = number;
	return 0;
}

static int
set_value(const struct option_row *row, void *target, const char *value,
    struct err *err)
{
	void *member = (char *)target + row->offset;
	unsigned long number = 0;
	int result = 0;

	switch (row->kind) {
	case OPTION_FLAG:
		*(bool *)member = true;
		break;
	case OPTION_TEXT:
		*(const char **)member = value;
		break;
	case OPTION_UNSIGNED:
		result = parse_unsigned(value, UINT_MAX, &number);
		*(unsigned *)member = (unsigned)number;
		break;
	case OPTION_COUNT:
		result = parse_unsigned(value, ULONG_MAX, &number);
		*(uint64_t *)member = number;
		break;
	case OPTION_DURATION:
		result = parse_duration(value, member);
		break;
	case OPTION_FRACTION:
		result = parse_fraction(value, member);
		break;
	}
	if (result < 0)
		return err_set(err, -EINVAL, "--%s: '%s' is not %s", row->name,
		    value,
		    row->kind == OPTION_DURATION
			? "a duration such as 250ms, 15s or 2min"
			: (row->kind == OPTION_FRACTION ? "between 0 and 1"
							: "a number"));
	return 0;
}

static const struct option_row *
find_name(const struct option_row *rows, struct slice name)
{
	for (; rows->name; rows++)
		if (slice_is(name, rows->name))
			return rows;
	return NULL;
}

static const struct option_row *
find_letter(const struct option_row *rows, char letter)
{
	for (; rows->name; rows++)
		if (letter && rows->letter == letter)
			return rows;
	return NULL;
}

/* The row that the argument names, *ret_value when it carries "=value"; NULL
 * with the reason. */
static const struct option_row *
find_row(const struct option_row *rows, const char *argument,
    const char **ret_value, struct err *err)
{
	const char *equals = strchr(argument, '=');
	const struct option_row *row = NULL;
	struct slice name;

	*ret_value = NULL;
	if (argument[0] != '-' || argument[1] == '\0') {
		err_set(err, -EINVAL,
		    "'%s' is not an option: nothing is expected there",
		    argument);
		return NULL;
	}
	if (argument[1] != '-') {
		if (argument[2] == '\0')
			row = find_letter(rows, argument[1]);
		if (!row)
			err_set(err, -EINVAL, "unknown option '%s'", argument);
		return row;
	}
	name = slice_from_string(argument + 2);
	if (equals) {
		name.length = (size_t)(equals - argument) - 2;
		*ret_value = equals + 1;
	}
	row = find_name(rows, name);
	if (!row)
		fail_unknown(rows, name, err);
	return row;
}

int
option_parse(const struct option_row *rows, int argc, char **argv, void *target,
    struct err *err)
{
	for (int i = 1; i < argc; i++) {
		const char *value;
		const struct option_row *row =
		    find_row(rows, argv[i], &value, err);
		int result;

		if (!row)
			return -EINVAL;
		if (row->kind == OPTION_FLAG && value)
			return err_set(err, -EINVAL, "--%s takes no value",
			    row->name);
		if (row->kind != OPTION_FLAG && !value) {
			if (i + 1 >= argc)
				return err_set(err, -EINVAL,
				    "--%s needs a value: %s", row->name,
				    row->argument);
			value = argv[++i];
		}
		result = set_value(row, target, value, err);
		if (result < 0)
			return result;
	}
	return 0;
}

void
option_print_help(const struct option_row *rows, FILE *out)
{
	for (; rows->name; rows++) {
		char left[64];
		int length = snprintf(left, sizeof(left), "%s%c%s--%s%s%s",
		    rows->letter ? "-" : " ", rows->letter ? rows->letter : ' ',
		    rows->letter ? ", " : "  ", rows->name,
		    rows->argument ? " " : "",
		    rows->argument ? rows->argument : "");

		if (length > HELP_WIDTH)
			fprintf(out, "  %s\n  %*s %s\n", left, HELP_WIDTH, "",
			    rows->help);
		else
			fprintf(out, "  %-*s %s\n", HELP_WIDTH, left,
			    rows->help);
	}
}
