#include "unit/test.h"

#include "base/array.h"
#include "bulk/kind.h"

static void
values_are_of_their_columns_type(void **state)
{
	static const struct {
		struct bulk_column column;
		const char *text;
		bool good;
	} rows[] = {
		{ { .type = BULK_TEXT }, "whatever", true },
		{ { .type = BULK_NUMBER, .maximum = 99 }, "99", true },
		{ { .type = BULK_NUMBER, .maximum = 99 }, "100", false },
		{ { .type = BULK_NUMBER, .maximum = 99 }, "-1", false },
		{ { .type = BULK_NUMBER, .maximum = 99 }, "1.5", false },
		{ { .type = BULK_REAL }, "-12.5", true },
		{ { .type = BULK_REAL }, "nan", false },
		{ { .type = BULK_REAL }, "12,5", false },
		{ { .type = BULK_BOOLEAN }, "yes", true },
		{ { .type = BULK_BOOLEAN }, "1", false },
		{ { .type = BULK_MAC }, "00:1b:44:11:3a:b7", true },
		{ { .type = BULK_MAC }, "001b44113ab7", true },
		{ { .type = BULK_MAC }, "00:1b:44:11:3a", false },
		{ { .type = BULK_MAC }, "00:1b:44:11:3a:bx", false },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++)
		assert_row(!bulk_column_expected(&rows[i].column,
			       rows[i].text) == rows[i].good,
		    i, rows[i].text);
}

static void
each_kind_has_columns_of_different_names(void **state)
{
	static const char *const names[] = { "site", "bridge", "channel",
		"contact" };

	(void)state;
	assert_null(bulk_kind_find("dealer"));
	for (size_t i = 0; i < COUNT(names); i++) {
		const struct bulk_kind *kind = bulk_kind_find(names[i]);

		assert_non_null(kind);
		for (size_t a = 0; a < kind->count; a++)
			for (size_t b = 0; b < a; b++)
				assert_string_not_equal(kind->columns[a].name,
				    kind->columns[b].name);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(values_are_of_their_columns_type),
		cmocka_unit_test(each_kind_has_columns_of_different_names),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
