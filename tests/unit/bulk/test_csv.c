/* Comma-separated values: rows, lines and columns. */
#include "unit/test.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "bulk/csv.h"

/* What was read, as one text: "LINE:field|field;", "LINE!COLUMN;" for a bad
 * row. */
static void
read_all(const char *text, char *out, size_t size)
{
	struct csv_reader *reader = malloc(sizeof(*reader));
	FILE *file = fmemopen((void *)(uintptr_t)text, strlen(text), "r");
	enum csv_result result;
	size_t used = 0;

	*out = '\0';
	assert_non_null(reader);
	csv_reader_begin(reader, file);
	while ((result = csv_read(reader)) != CSV_END) {
		assert_int_not_equal(result, CSV_FAILED);
		used += (size_t)snprintf(out + used, size - used, "%zu",
		    reader->line);
		if (result == CSV_BAD_ROW) {
			used += (size_t)snprintf(out + used, size - used,
			    "!%zu;", reader->column);
			continue;
		}
		for (size_t i = 0; i < reader->count; i++)
			used += (size_t)snprintf(out + used, size - used,
			    "%c%s", i ? '|' : ':', reader->fields[i]);
		used += (size_t)snprintf(out + used, size - used, ";");
	}
	fclose(file);
	free(reader);
}

static void
test_read(void **state)
{
	static const struct {
		const char *text, *expected;
	} cases[] = {
		{ "a,b\nc,d\n", "1:a|b;2:c|d;" },
		{ "a,b\r\nc,d", "1:a|b;2:c|d;" },
		{ "\xef\xbb\xbf"
		  "a\n",
		    "1:a;" },
		{ "\xef\xbb"
		  "a\nb\n",
		    "1!1;2:b;" },
		{ "\n\na\n\nb\n\n", "3:a;5:b;" },
		{ ",\n", "1:|;" },
		{ "\"a,b\",\"c\"\"d\"\n", "1:a,b|c\"d;" },
		{ "\"two\nlines\",x\ny\n", "1:two\nlines|x;3:y;" },
		{ "\"\",b\n", "1:|b;" },
		{ "a\rb\n", "1:a\rb;" },
		{ "a,b\"c\nd\n", "1!2;2:d;" },
		{ "a,\"b\" c,d\ne\n", "1!2;2:e;" },
		{ "a\nb,\"c\nd\n", "1:a;2!2;" },
		{ "a,\xff,c\nd\n", "1!2;2:d;" },
		{ "\xce\xa8\n", "1:\xce\xa8;" },
	};
	char got[256];

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		read_all(cases[i].text, got, sizeof(got));
		if (strcmp(got, cases[i].expected) != 0)
			fail_msg("case %zu: %s instead of %s", i, got,
			    cases[i].expected);
	}
}

static void
test_limits(void **state)
{
	size_t length = CSV_ROW_BYTES_MAX + 10;
	char *text = malloc(length + 1), got[64];

	(void)state;
	memset(text, 'a', length);
	memcpy(text + length - 3, "\nb\n", 4);
	read_all(text, got, sizeof(got));
	assert_string_equal(got, "1!1;2:b;");
	memset(text, ',', length - 3);
	read_all(text, got, sizeof(got));
	assert_string_equal(got, "1!65;2:b;");
	free(text);
}

static void
test_write(void **state)
{
	static const char *const fields[] = { "plain", NULL, "a,b", "c\"d",
		"e\nf", "\xce\xa8" };
	char *text, got[128];
	size_t size;
	FILE *file = open_memstream(&text, &size);

	(void)state;
	for (size_t i = 0; i < COUNT(fields); i++)
		csv_write_field(file, fields[i], i + 1 == COUNT(fields));
	fclose(file);
	assert_string_equal(text,
	    "plain,,\"a,b\",\"c\"\"d\",\"e\nf\",\xce\xa8\r\n");
	read_all(text, got, sizeof(got));
	assert_string_equal(got, "1:plain||a,b|c\"d|e\nf|\xce\xa8;");
	free(text);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_read),
		cmocka_unit_test(test_limits),
		cmocka_unit_test(test_write),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
