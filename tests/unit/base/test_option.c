#include "unit/test.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/lines.h"
#include "base/option.h"

/* a writable argument */
#define ARG(text) ((char[]){ text })

struct target {
	bool flag;
	const char *text;
	unsigned number;
	uint64_t count;
	int64_t duration_us;
	double fraction;
};

static const struct option_row rows[] = {
	{ "flag", 'f', OPTION_FLAG, offsetof(struct target, flag), NULL, "" },
	{ "text", 0, OPTION_TEXT, offsetof(struct target, text), "T", "" },
	{ "number", 'n', OPTION_UNSIGNED, offsetof(struct target, number), "N",
	    "" },
	{ "count", 0, OPTION_COUNT, offsetof(struct target, count), "N", "" },
	{ "duration", 0, OPTION_DURATION, offsetof(struct target, duration_us),
	    "TIME", "" },
	{ "fraction", 0, OPTION_FRACTION, offsetof(struct target, fraction),
	    "P", "" },
	{ 0 },
};

static void
values_of_every_kind(void **state)
{
	char *argv[] = { ARG("x"), ARG("-f"), ARG("--text=a=b"), ARG("-n"),
		ARG("12"), ARG("--count"), ARG("18446744073709551615"),
		ARG("--duration"), ARG("250ms"), ARG("--fraction"),
		ARG("0.25") };
	struct target target = { 0 };
	struct err err;

	(void)state;
	assert_int_equal(option_parse(rows, COUNT(argv), argv, &target, &err),
	    0);
	assert_true(target.flag);
	assert_string_equal(target.text, "a=b");
	assert_int_equal(target.number, 12);
	assert_true(target.count == UINT64_MAX);
	assert_int_equal(target.duration_us, 250000);
	assert_true(target.fraction >= 0.25 && target.fraction <= 0.25);
}

static void
bare_durations_are_seconds(void **state)
{
	char *argv[] = { ARG("x"), ARG("--duration"), ARG("2.5") };
	struct target target = { 0 };

	(void)state;
	assert_int_equal(option_parse(rows, COUNT(argv), argv, &target, NULL),
	    0);
	assert_int_equal(target.duration_us, 2500000);
}

static void
mistakes_are_named(void **state)
{
	static const struct {
		const char *first, *second, *said;
	} cases[] = {
		{ "--nubmer", "1", "did you mean '--number'?" },
		{ "--dur", "1", "did you mean '--duration'?" },
		{ "--zzzzzzz", NULL, "unknown option '--zzzzzzz'" },
		{ "-q", NULL, "unknown option '-q'" },
		{ "--number", NULL, "--number needs a value: N" },
		{ "--number", "1x", "--number: '1x' is not a number" },
		{ "--number", "4294967296", "is not a number" },
		{ "--fraction", "1.5", "is not between 0 and 1" },
		{ "--duration", "5 apples", "is not a duration" },
		{ "--flag=1", NULL, "--flag takes no value" },
		{ "stray", NULL, "'stray' is not an option" },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		char first[32], second[32];
		char *argv[] = { ARG("x"), first, second };
		struct target target;
		struct err err;
		int result;

		snprintf(first, sizeof(first), "%s", cases[i].first);
		snprintf(second, sizeof(second), "%s",
		    cases[i].second ? cases[i].second : "");
		result = option_parse(rows, cases[i].second ? 3 : 2, argv,
		    &target, &err);
		assert_row(result == -EINVAL, i, cases[i].first);
		assert_row(strstr(err.text, cases[i].said), i, err.text);
	}
}

static void
nearest_word(void **state)
{
	static const char *const words[] = { "surgard", "dc09", "xml", NULL };

	(void)state;
	assert_string_equal(option_nearest("surgrad", words), "surgard");
	assert_string_equal(option_nearest("dc9", words), "dc09");
	assert_null(option_nearest("telegraph", words));
}

/* ---- lines ----------------------------------------------------------------- */

static void
add_line(struct lines *lines, const char *text)
{
	size_t length = strlen(text);
	char *room = lines_room(lines, length);

	assert_non_null(room);
	memcpy(room, text, length);
	lines_added(lines, length);
}

static void
assert_file(const char *path, const char *text)
{
	char data[256];
	int fd = open(path, O_RDONLY);
	ssize_t n = read(fd, data, sizeof(data));

	close(fd);
	assert_int_equal(n, strlen(text));
	assert_memory_equal(data, text, strlen(text));
}

static void
lines_reach_the_file_when_flushed(void **state)
{
	char path[] = "/tmp/test-lines-XXXXXX";
	struct lines first, second, nothing = { 0 };
	struct err err;

	(void)state;
	close(mkstemp(path));
	assert_int_equal(lines_open(&first, path, true, &err), 0);
	assert_int_equal(lines_share(&first, &second, &err), 0);
	add_line(&first, "one\n");
	assert_file(path, "");
	assert_int_equal(lines_flush(&first, &err), 0);
	add_line(&second, "two\n");
	add_line(&first, "three\n");
	assert_int_equal(lines_flush(&second, &err), 0);
	assert_int_equal(lines_flush(&first, &err), 0);
	assert_file(path, "one\ntwo\nthree\n");
	assert_int_equal(lines_flush(&nothing, &err), 0);
	lines_close(&second);
	lines_close(&first);
	lines_close(&nothing);
	unlink(path);
}

static void
unwritable_file_is_an_error(void **state)
{
	struct lines lines;
	struct err err;

	(void)state;
	assert_int_equal(lines_open(&lines, "/nonexistent/ledger", false, &err),
	    -ENOENT);
	assert_non_null(strstr(err.text, "/nonexistent/ledger"));
	assert_int_equal(lines_open(&lines, "/dev/full", false, &err), 0);
	add_line(&lines, "line\n");
	assert_int_equal(lines_flush(&lines, &err), -ENOSPC);
	lines_close(&lines);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(values_of_every_kind),
		cmocka_unit_test(bare_durations_are_seconds),
		cmocka_unit_test(mistakes_are_named),
		cmocka_unit_test(nearest_word),
		cmocka_unit_test(lines_reach_the_file_when_flushed),
		cmocka_unit_test(unwritable_file_is_an_error),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
