/* Three timezones around their changes, from the system's tzdata: Berlin moves
 * by an hour in the night, New York on another day, Lord Howe by half an hour
 * in the southern summer. */
#include "unit/test.h"

#include <stdlib.h>
#include <time.h>

#include "base/clock.h"
#include "base/local_clock.h"

static int64_t
seconds(const char *text)
{
	char with_zone[CLOCK_TEXT_SIZE];
	int64_t us;

	snprintf(with_zone, sizeof(with_zone), "%sZ", text);
	assert_int_equal(clock_parse(slice_from_string(with_zone), &us), 0);
	return us / 1000000;
}

static void
clocks_say_what_the_wall_says(void **state)
{
	static const struct {
		const char *zone, *utc, *local;
	} rows[] = {
		{ "Europe/Berlin", "2026-01-15T10:30:00",
		    "2026-01-15T11:30:00" },
		{ "Europe/Berlin", "2026-07-15T10:30:00",
		    "2026-07-15T12:30:00" },
		{ "Europe/Berlin", "2026-03-29T00:59:59",
		    "2026-03-29T01:59:59" },
		{ "Europe/Berlin", "2026-03-29T01:00:00",
		    "2026-03-29T03:00:00" },
		{ "Europe/Berlin", "2026-10-25T00:59:59",
		    "2026-10-25T02:59:59" },
		{ "Europe/Berlin", "2026-10-25T01:00:00",
		    "2026-10-25T02:00:00" },
		{ "America/New_York", "2026-03-08T06:59:59",
		    "2026-03-08T01:59:59" },
		{ "America/New_York", "2026-03-08T07:00:00",
		    "2026-03-08T03:00:00" },
		{ "Australia/Lord_Howe", "2026-10-03T15:29:59",
		    "2026-10-04T01:59:59" },
		{ "Australia/Lord_Howe", "2026-10-03T15:30:00",
		    "2026-10-04T02:30:00" },
		{ "Asia/Kolkata", "2026-06-01T00:00:00",
		    "2026-06-01T05:30:00" },
		{ "UTC", "2026-06-01T00:00:00", "2026-06-01T00:00:00" },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		const struct local_clock *clock =
		    local_clock_find(rows[i].zone);

		assert_non_null(clock);
		assert_row(local_clock_from_utc(clock, seconds(rows[i].utc)) ==
			seconds(rows[i].local),
		    i, rows[i].utc);
	}
}

static void
a_time_on_the_wall_is_one_moment(void **state)
{
	static const struct {
		const char *zone, *local, *utc;
	} rows[] = {
		{ "Europe/Berlin", "2026-01-15T11:30:00",
		    "2026-01-15T10:30:00" },
		{ "Europe/Berlin", "2026-07-15T12:30:00",
		    "2026-07-15T10:30:00" },
		/* skipped: the first moment after the gap */
		{ "Europe/Berlin", "2026-03-29T01:59:59",
		    "2026-03-29T00:59:59" },
		{ "Europe/Berlin", "2026-03-29T02:00:00",
		    "2026-03-29T01:00:00" },
		{ "Europe/Berlin", "2026-03-29T02:30:00",
		    "2026-03-29T01:00:00" },
		{ "Europe/Berlin", "2026-03-29T03:00:00",
		    "2026-03-29T01:00:00" },
		{ "Europe/Berlin", "2026-03-29T03:30:00",
		    "2026-03-29T01:30:00" },
		{ "America/New_York", "2026-03-08T02:15:00",
		    "2026-03-08T07:00:00" },
		{ "Australia/Lord_Howe", "2026-10-04T02:15:00",
		    "2026-10-03T15:30:00" },
		/* twice: the first time */
		{ "Europe/Berlin", "2026-10-25T02:00:00",
		    "2026-10-25T00:00:00" },
		{ "Europe/Berlin", "2026-10-25T02:30:00",
		    "2026-10-25T00:30:00" },
		{ "Europe/Berlin", "2026-10-25T03:00:00",
		    "2026-10-25T02:00:00" },
		{ "America/New_York", "2026-11-01T01:30:00",
		    "2026-11-01T05:30:00" },
		{ "Australia/Lord_Howe", "2026-04-05T01:45:00",
		    "2026-04-04T14:45:00" },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++)
		assert_row(local_clock_to_utc(local_clock_find(rows[i].zone),
			       seconds(rows[i].local)) == seconds(rows[i].utc),
		    i, rows[i].local);
}

static void
a_name_is_known_once_or_not_at_all(void **state)
{
	(void)state;
	assert_ptr_equal(local_clock_find("Europe/Berlin"),
	    local_clock_find("Europe/Berlin"));
	assert_null(local_clock_find("Europe/Nowhere"));
	assert_null(local_clock_find("../../etc/passwd"));
}

/* Each quarter of a day from 2018 to 2037, as the C library has it. */
static void
it_agrees_with_the_c_library(void **state)
{
	static const char *const zones[] = { "Europe/Berlin",
		"America/New_York", "Australia/Lord_Howe", "Africa/Casablanca",
		"Asia/Kathmandu" };
	const int64_t end_s = seconds("2037-01-01T00:00:00");

	(void)state;
	for (size_t i = 0; i < COUNT(zones); i++) {
		const struct local_clock *clock = local_clock_find(zones[i]);

		assert_int_equal(setenv("TZ", zones[i], 1), 0);
		tzset();
		for (int64_t at_s = seconds("2018-01-01T00:00:00");
		     at_s < end_s; at_s += 6 * 3600) {
			time_t time = (time_t)at_s;
			struct tm parts;

			localtime_r(&time, &parts);
			assert_row(local_clock_from_utc(clock, at_s) ==
				at_s + parts.tm_gmtoff,
			    i, zones[i]);
		}
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(clocks_say_what_the_wall_says),
		cmocka_unit_test(a_time_on_the_wall_is_one_moment),
		cmocka_unit_test(it_agrees_with_the_c_library),
		cmocka_unit_test(a_name_is_known_once_or_not_at_all),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
