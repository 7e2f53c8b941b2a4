#include "../test.h"

#include <errno.h>
#include <string.h>

#include "ctl/choice.h"
#include "ctl/command.h"

static const char *const zones[][3] = {
	{ "Europe/Athens", "Europe/Athens", "" },
	{ "Europe/Lisbon", "Europe/Lisbon", "" },
	{ "America/New_York", "America/New_York", "" },
};
static const char *const methods[][3] = {
	{ "panel_primary", "Panel, primary bridge", "" },
	{ "always", "Always armed", "" },
};

static struct choice_list
make_list(const char *const (*rows)[3], size_t count)
{
	struct choice_list list = { 0 };

	for (size_t i = 0; i < count; i++)
		assert_int_equal(choice_add(&list, rows[i][0], rows[i][1],
				     rows[i][2], NULL),
		    0);
	return list;
}

static void
a_choice_is_found_by_key_or_name(void **state)
{
	static const struct {
		const char *text, *key;
	} rows[] = {
		{ "always", "always" },
		{ "Always Armed", "always" },
		{ "PANEL_PRIMARY", "panel_primary" },
		{ "alw", NULL },
		{ "", NULL },
	};
	struct choice_list list = make_list(methods, COUNT(methods));

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		const struct choice *choice = choice_find(&list, rows[i].text);

		assert_row(rows[i].key
			? choice && strcmp(choice->key, rows[i].key) == 0
			: !choice,
		    i, rows[i].text);
	}
	choice_close(&list);
}

static void
a_near_miss_is_suggested(void **state)
{
	static const struct {
		const char *text, *sentence;
	} rows[] = {
		{ "Europe/Athen",
		    "Europe/Athen: unknown time zone; did you mean "
		    "Europe/Athens?" },
		{ "Lisbon",
		    "Lisbon: unknown time zone; did you mean Europe/Lisbon?" },
		{ "newyork",
		    "newyork: unknown time zone; did you mean "
		    "America/New_York?" },
		{ "Olympus Mons",
		    "Olympus Mons: unknown time zone; there is Europe/Athens, "
		    "Europe/Lisbon, America/New_York" },
	};
	struct choice_list list = make_list(zones, COUNT(zones));
	struct choice_list none = { 0 };
	struct err err;

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		assert_int_equal(choice_refuse(&list, "time zone", rows[i].text,
				     &err),
		    -EINVAL);
		assert_row(strcmp(err.text, rows[i].sentence) == 0, i,
		    err.text);
	}
	choice_refuse(&none, "station", "x", &err);
	assert_string_equal(err.text, "x: unknown station; there is none yet");
	choice_close(&list);
}

static void
an_option_may_be_given_again(void **state)
{
	static const struct ctl_option options[] = {
		{ "zone-type", "N", "", true },
		{ "name", "TEXT", "" },
		{ NULL },
	};
	char words[][20] = { "create", "--zone-type", "1", "--name", "a",
		"--zone-type=2", "--name=b" };
	char *argv[COUNT(words)];
	struct ctl_arguments arguments;
	size_t at = 0;

	(void)state;
	for (size_t i = 0; i < COUNT(words); i++)
		argv[i] = words[i];
	assert_int_equal(ctl_parse("x", "", options, 0, COUNT(words), argv,
			     &arguments),
	    CTL_GO_ON);
	assert_string_equal(ctl_value(&arguments, "name"), "b");
	assert_string_equal(ctl_next_value(&arguments, "zone-type", &at), "1");
	assert_string_equal(ctl_next_value(&arguments, "zone-type", &at), "2");
	assert_null(ctl_next_value(&arguments, "zone-type", &at));
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_choice_is_found_by_key_or_name),
		cmocka_unit_test(a_near_miss_is_suggested),
		cmocka_unit_test(an_option_may_be_given_again),
	};

	return cmocka_run_group_tests_name("ctl/choice", tests, NULL, NULL);
}
