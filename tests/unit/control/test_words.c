/* Request lines, from both sides. */
#include "unit/test.h"

#include <errno.h>
#include <string.h>

#include "base/array.h"
#include "base/slice.h"
#include "control/client.h"
#include "control/words.h"

static void
a_request_is_taken_apart(void **state)
{
	static const struct {
		const char *line,
		    *words; /* words joined by '|'; NULL: refused */
	} rows[] = {
		{ "", "" },
		{ "show status", "show|status" },
		{ "  show   status  ", "show|status" },
		{ "pause link \"A and B\"", "pause|link|A and B" },
		{ "\"a\"\"b\" c", "a\"b|c" },
		{ "x \"\" y", "x||y" },
		{ "\"open", NULL },
		{ "\"a\"b", NULL },
		{ "a\"b\"", NULL },
		{ "a\tb", NULL },
		{ "1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20 21 22 23 24 25 26 27 28 29 30 31 32 33",
		    NULL },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct words words;
		struct err err = { "" };
		char joined[256] = "";
		int result = words_parse(rows[i].line, &words, &err);

		for (unsigned w = 0; w < words.count && result == 0; w++) {
			strcat(joined, w ? "|" : "");
			strcat(joined, words.word[w]);
		}
		if (rows[i].words) {
			assert_row(result == 0, i, rows[i].line);
			assert_row(strcmp(joined, rows[i].words) == 0, i,
			    joined);
		} else {
			assert_row(result == -EINVAL && *err.text, i,
			    rows[i].line);
		}
	}
}

static void
words_are_quoted(void **state)
{
	static const struct {
		const char *word, *line;
	} rows[] = {
		{ "link", "show link" },
		{ "station a", "show \"station a\"" },
		{ "", "show \"\"" },
		{ "a\"b", "show \"a\"\"b\"" },
	};
	char line[64];

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		int length = words_quote(line, 0, sizeof(line), "show");

		length = words_quote(line, length, sizeof(line), rows[i].word);
		assert_row(length > 0 &&
			slice_is(slice_of(line, (size_t)length), rows[i].line),
		    i, rows[i].line);
	}
	assert_int_equal(words_quote(line, 0, sizeof(line), "a\nb"), -EINVAL);
	assert_int_equal(words_quote(line, 0, 8, "show me"), -EMSGSIZE);
}

/* Whatever a word holds, the other side gets it. */
static void
what_is_asked_arrives(void **state)
{
	static const char *const asked[] = { "by", "user 12 a\"b", "skip",
		"link", "", "why: \"never\" mind" };
	char line[CONTROL_REQUEST_MAX];
	struct words words;
	struct err err = { "" };
	int length = control_request(line, COUNT(asked), asked, &err);

	(void)state;
	assert_true(length > 0 && line[length - 1] == '\n');
	line[length - 1] = '\0';
	assert_int_equal(words_parse(line, &words, &err), 0);
	assert_int_equal(words.count, COUNT(asked));
	for (size_t i = 0; i < COUNT(asked); i++)
		assert_string_equal(words.word[i], asked[i]);
	assert_int_equal(control_request(line, 1,
			     &(const char *const){ "a\nb" }, &err),
	    -EINVAL);
	assert_string_equal(err.text, "a word must not hold a line break");
}

static void
nobody_answers(void **state)
{
	struct err err = { "" };

	(void)state;
	assert_int_equal(control_connect("/nonexistent/control", true, &err),
	    -ENOENT);
	assert_non_null(strstr(err.text, "(is tocsind running?)"));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_request_is_taken_apart),
		cmocka_unit_test(words_are_quoted),
		cmocka_unit_test(what_is_asked_arrives),
		cmocka_unit_test(nobody_answers),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
