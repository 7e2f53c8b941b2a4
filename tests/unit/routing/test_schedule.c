/* A weekly schedule by the clock on the site's wall: its edges, its exceptions,
 * and the nights in which the clock is set. */
#include "unit/test.h"

#include "routing/schedule.h"

#define MON(h, m) ((h)*3600 + (m)*60)
#define DAY	  86400
#define SUN(h, m) (6 * DAY + MON(h, m))
#define WEEK	  (7 * DAY)

static int64_t
moment(const char *text)
{
	char with_zone[CLOCK_TEXT_SIZE];
	int64_t us;

	snprintf(with_zone, sizeof(with_zone), "%sZ", text);
	assert_int_equal(clock_parse(slice_from_string(with_zone), &us), 0);
	return us;
}

static int64_t
wall(const char *text)
{
	return moment(text) / 1000000;
}

/* Spans as the directory keeps them: sorted. */
static struct directory_schedule
schedule_of(const char *zone, const struct directory_span *spans, size_t count)
{
	return (struct directory_schedule){
		.id = 7,
		.timezone = zone,
		.clock = local_clock_find(zone),
		.span_count = (uint16_t)count,
		.spans = spans,
	};
}

struct row {
	const char *name, *at;
	bool armed;
	const char *since, *until; /* NULL: not asked */
};

static void
check(const struct directory_schedule *schedule, unsigned partition,
    const struct row *rows, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		struct schedule_state state =
		    schedule_state_at(schedule, partition, moment(rows[i].at));

		assert_row(state.known, i, rows[i].name);
		assert_row(state.armed == rows[i].armed, i, rows[i].name);
		if (rows[i].since)
			assert_row(state.since_us == moment(rows[i].since), i,
			    rows[i].name);
		if (rows[i].until)
			assert_row(schedule_until_us(schedule, partition,
				       moment(rows[i].at)) ==
				moment(rows[i].until),
			    i, rows[i].name);
	}
}

static void
armed_every_night_of_the_week(void **state)
{
	/* Monday 2026-06-01; 22:00 to 06:00, over the end of the week too */
	const struct directory_span nights[] = {
		{ 0, MON(6, 0), 0, false, true },
		{ MON(22, 0), DAY + MON(6, 0), 0, false, true },
		{ SUN(22, 0), WEEK, 0, false, true },
	};
	const struct directory_schedule schedule =
	    schedule_of("Europe/Berlin", nights, COUNT(nights));
	static const struct row rows[] = {
		{ "before it begins", "2026-06-01T19:59:59", false,
		    "2026-06-01T04:00:00", "2026-06-01T20:00:00" },
		{ "at its begin", "2026-06-01T20:00:00", true,
		    "2026-06-01T20:00:00", "2026-06-02T04:00:00" },
		{ "the last second", "2026-06-02T03:59:59", true,
		    "2026-06-01T20:00:00", NULL },
		{ "at its end", "2026-06-02T04:00:00", false,
		    "2026-06-02T04:00:00", "2026-06-07T20:00:00" },
		{ "over the end of the week", "2026-06-07T23:00:00", true,
		    "2026-06-07T20:00:00", "2026-06-08T04:00:00" },
	};

	(void)state;
	check(&schedule, 0, rows, COUNT(rows));
}

static void
the_hour_that_is_skipped(void **state)
{
	/* armed 02:30 to 05:00, and 23:00 to 02:15 the night before, on the
	 * Sunday of the change */
	const struct directory_span spans[] = {
		{ SUN(0, 0), SUN(2, 15), 0, false, true },
		{ SUN(2, 30), SUN(5, 0), 0, false, true },
	};
	static const struct row berlin[] = {
		{ "armed until the clock is set", "2026-03-29T00:59:59", true,
		    "2026-03-28T23:00:00", NULL },
		{ "both ends of the gap are one moment", "2026-03-29T01:00:00",
		    true, NULL, "2026-03-29T03:00:00" },
		{ "after it", "2026-03-29T03:00:00", false,
		    "2026-03-29T03:00:00", NULL },
	};
	static const struct row new_york[] = {
		{ "before", "2026-03-08T06:59:59", true, "2026-03-08T05:00:00",
		    NULL },
		{ "after", "2026-03-08T07:00:00", true, NULL,
		    "2026-03-08T09:00:00" },
	};
	static const struct row lord_howe[] = {
		/* 02:00 to 02:30 is skipped: 02:15 is 02:30 */
		{ "before", "2026-10-03T15:29:59", true, NULL, NULL },
		{ "after", "2026-10-03T15:30:00", true, NULL,
		    "2026-10-03T18:00:00" },
	};
	struct directory_schedule schedule;

	(void)state;
	schedule = schedule_of("Europe/Berlin", spans, COUNT(spans));
	check(&schedule, 0, berlin, COUNT(berlin));
	schedule = schedule_of("America/New_York", spans, COUNT(spans));
	check(&schedule, 0, new_york, COUNT(new_york));
	schedule = schedule_of("Australia/Lord_Howe", spans, COUNT(spans));
	check(&schedule, 0, lord_howe, COUNT(lord_howe));
}

static void
the_hour_that_comes_twice(void **state)
{
	const struct directory_span spans[] = {
		{ SUN(1, 30), SUN(2, 30), 0, false, true },
	};
	static const struct row berlin[] = {
		{ "begins", "2026-10-24T23:30:00", true, "2026-10-24T23:30:00",
		    "2026-10-25T00:30:00" },
		{ "ends the first time", "2026-10-25T00:30:00", false,
		    "2026-10-25T00:30:00", NULL },
		{ "02:15 for the second time", "2026-10-25T01:15:00", false,
		    "2026-10-25T00:30:00", NULL },
		{ "02:45 for the second time", "2026-10-25T01:45:00", false,
		    "2026-10-25T00:30:00", NULL },
	};
	static const struct row new_york[] = {
		/* 01:00 to 02:00 comes twice */
		{ "begins the first time", "2026-11-01T05:30:00", true,
		    "2026-11-01T05:30:00", "2026-11-01T07:30:00" },
		{ "01:15 for the second time", "2026-11-01T06:15:00", true,
		    "2026-11-01T05:30:00", NULL },
		{ "01:30 again changes nothing", "2026-11-01T06:30:00", true,
		    "2026-11-01T05:30:00", NULL },
		{ "ends", "2026-11-01T07:30:00", false, NULL, NULL },
	};
	static const struct row lord_howe[] = {
		/* 01:30 to 02:00 comes twice */
		{ "begins the first time", "2026-04-04T14:30:00", true,
		    "2026-04-04T14:30:00", NULL },
		{ "ends", "2026-04-04T16:00:00", false, NULL, NULL },
	};
	struct directory_schedule schedule;

	(void)state;
	schedule = schedule_of("Europe/Berlin", spans, COUNT(spans));
	check(&schedule, 0, berlin, COUNT(berlin));
	schedule = schedule_of("America/New_York", spans, COUNT(spans));
	check(&schedule, 0, new_york, COUNT(new_york));
	schedule = schedule_of("Australia/Lord_Howe", spans, COUNT(spans));
	check(&schedule, 0, lord_howe, COUNT(lord_howe));
}

/* ---- every edge in the nights in which the clock is set --------------------------- */

#define BERLIN	  "Europe/Berlin"
#define NEW_YORK  "America/New_York"
#define LORD_HOWE "Australia/Lord_Howe"

/* What the clock on the wall says on a Sunday, and which moment that is. */
static const struct edge {
	const char *zone, *local, *moment;
	int again_s; /* so much later the clock says it again; 0: it does not */
} edges[] = {
	/* 02:00 to 03:00 is skipped */
	{ BERLIN, "2026-03-29T01:59:00", "2026-03-29T00:59:00", 0 },
	{ BERLIN, "2026-03-29T02:00:00", "2026-03-29T01:00:00", 0 },
	{ BERLIN, "2026-03-29T02:30:00", "2026-03-29T01:00:00", 0 },
	{ BERLIN, "2026-03-29T02:59:00", "2026-03-29T01:00:00", 0 },
	{ BERLIN, "2026-03-29T03:00:00", "2026-03-29T01:00:00", 0 },
	{ BERLIN, "2026-03-29T03:01:00", "2026-03-29T01:01:00", 0 },
	{ NEW_YORK, "2026-03-08T01:59:00", "2026-03-08T06:59:00", 0 },
	{ NEW_YORK, "2026-03-08T02:00:00", "2026-03-08T07:00:00", 0 },
	{ NEW_YORK, "2026-03-08T02:30:00", "2026-03-08T07:00:00", 0 },
	{ NEW_YORK, "2026-03-08T02:59:00", "2026-03-08T07:00:00", 0 },
	{ NEW_YORK, "2026-03-08T03:00:00", "2026-03-08T07:00:00", 0 },
	{ NEW_YORK, "2026-03-08T03:01:00", "2026-03-08T07:01:00", 0 },
	/* half an hour: 02:00 to 02:30 */
	{ LORD_HOWE, "2026-10-04T01:59:00", "2026-10-03T15:29:00", 0 },
	{ LORD_HOWE, "2026-10-04T02:00:00", "2026-10-03T15:30:00", 0 },
	{ LORD_HOWE, "2026-10-04T02:15:00", "2026-10-03T15:30:00", 0 },
	{ LORD_HOWE, "2026-10-04T02:29:00", "2026-10-03T15:30:00", 0 },
	{ LORD_HOWE, "2026-10-04T02:30:00", "2026-10-03T15:30:00", 0 },
	{ LORD_HOWE, "2026-10-04T02:31:00", "2026-10-03T15:31:00", 0 },
	/* 02:00 to 03:00 comes twice */
	{ BERLIN, "2026-10-25T01:59:00", "2026-10-24T23:59:00", 0 },
	{ BERLIN, "2026-10-25T02:00:00", "2026-10-25T00:00:00", 3600 },
	{ BERLIN, "2026-10-25T02:30:00", "2026-10-25T00:30:00", 3600 },
	{ BERLIN, "2026-10-25T02:59:00", "2026-10-25T00:59:00", 3600 },
	{ BERLIN, "2026-10-25T03:00:00", "2026-10-25T02:00:00", 0 },
	{ BERLIN, "2026-10-25T03:01:00", "2026-10-25T02:01:00", 0 },
	/* 01:00 to 02:00 */
	{ NEW_YORK, "2026-11-01T00:59:00", "2026-11-01T04:59:00", 0 },
	{ NEW_YORK, "2026-11-01T01:00:00", "2026-11-01T05:00:00", 3600 },
	{ NEW_YORK, "2026-11-01T01:30:00", "2026-11-01T05:30:00", 3600 },
	{ NEW_YORK, "2026-11-01T01:59:00", "2026-11-01T05:59:00", 3600 },
	{ NEW_YORK, "2026-11-01T02:00:00", "2026-11-01T07:00:00", 0 },
	{ NEW_YORK, "2026-11-01T02:01:00", "2026-11-01T07:01:00", 0 },
	/* 01:30 to 02:00 */
	{ LORD_HOWE, "2026-04-05T01:29:00", "2026-04-04T14:29:00", 0 },
	{ LORD_HOWE, "2026-04-05T01:30:00", "2026-04-04T14:30:00", 1800 },
	{ LORD_HOWE, "2026-04-05T01:45:00", "2026-04-04T14:45:00", 1800 },
	{ LORD_HOWE, "2026-04-05T01:59:00", "2026-04-04T14:59:00", 1800 },
	{ LORD_HOWE, "2026-04-05T02:00:00", "2026-04-04T15:30:00", 0 },
	{ LORD_HOWE, "2026-04-05T02:01:00", "2026-04-04T15:31:00", 0 },
};

/* Before it the one, from it on the other, also when the clock says it again. */
static void
check_edge(size_t row, const struct directory_schedule *schedule, bool armed)
{
	const struct edge *edge = &edges[row];
	int64_t at_us = moment(edge->moment);
	int64_t again_us = at_us + edge->again_s * INT64_C(1000000);
	struct schedule_state before =
	    schedule_state_at(schedule, 0, at_us - 1000000);

	assert_row(before.armed != armed, row, edge->local);
	assert_row(schedule_until_us(schedule, 0, at_us - 1000000) == at_us,
	    row, edge->local);
	for (int64_t us = at_us; us <= again_us; us += 600000000) {
		struct schedule_state state =
		    schedule_state_at(schedule, 0, us);

		assert_row(state.armed == armed, row, edge->local);
		assert_row(state.since_us == at_us, row, edge->local);
	}
}

static void
every_edge_of_the_week_and_of_exceptions(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(edges); i++) {
		const int64_t local_s = wall(edges[i].local);
		const int64_t in_week_s = local_s % DAY + 6 * DAY;
		const struct directory_span spans[] = {
			/* it begins, it ends; in the week, as an exception */
			{ in_week_s, in_week_s + 6 * 3600, 0, false, true },
			{ in_week_s - 6 * 3600, in_week_s, 0, false, true },
			{ local_s, local_s + 6 * 3600, 0, true, true },
			{ local_s - 6 * 3600, local_s, 0, true, true },
		};

		for (size_t j = 0; j < COUNT(spans); j++) {
			const struct directory_schedule schedule =
			    schedule_of(edges[i].zone, &spans[j], 1);

			check_edge(i, &schedule, j % 2 == 0);
		}
	}
}

/* ---- exceptions --------------------------------------------------------------------- */

static void
exceptions_go_before_the_week(void **state)
{
	const struct directory_span spans[] = {
		/* the site: nights; a holiday all day, an open night */
		{ MON(22, 0), DAY + MON(6, 0), 0, false, true },
		{ wall("2026-06-01T10:00:00"), wall("2026-06-01T12:00:00"), 0,
		    true, true },
		{ wall("2026-06-01T23:00:00"), wall("2026-06-02T01:00:00"), 0,
		    true, false },
		/* partition 2 has a week of its own */
		{ MON(8, 0), MON(9, 0), 2, false, true },
		/* partition 3 only an exception */
		{ wall("2026-06-01T11:00:00"), wall("2026-06-01T11:30:00"), 3,
		    true, false },
	};
	const struct directory_schedule schedule =
	    schedule_of("UTC", spans, COUNT(spans));
	static const struct row site[] = {
		{ "a normal day", "2026-06-01T09:59:59", false, NULL,
		    "2026-06-01T10:00:00" },
		{ "the holiday", "2026-06-01T10:00:00", true,
		    "2026-06-01T10:00:00", "2026-06-01T12:00:00" },
		{ "after it", "2026-06-01T12:00:00", false, NULL, NULL },
		{ "armed by the week", "2026-06-01T22:59:59", true,
		    "2026-06-01T22:00:00", "2026-06-01T23:00:00" },
		{ "open all the same", "2026-06-02T00:59:59", false,
		    "2026-06-01T23:00:00", "2026-06-02T01:00:00" },
		{ "and armed again", "2026-06-02T01:00:00", true,
		    "2026-06-02T01:00:00", "2026-06-02T06:00:00" },
	};
	static const struct row second[] = {
		{ "its own week", "2026-06-01T08:30:00", true, NULL, NULL },
		{ "the site's holiday", "2026-06-01T11:00:00", true, NULL,
		    NULL },
		{ "not the site's week", "2026-06-01T22:30:00", false, NULL,
		    NULL },
	};
	static const struct row third[] = {
		{ "its own exception first", "2026-06-01T11:15:00", false,
		    "2026-06-01T11:00:00", "2026-06-01T11:30:00" },
		{ "then the site's", "2026-06-01T11:30:00", true, NULL, NULL },
		{ "the site's week", "2026-06-01T22:30:00", true, NULL, NULL },
	};

	(void)state;
	check(&schedule, 0, site, COUNT(site));
	check(&schedule, 1, site, COUNT(site));
	check(&schedule, 2, second, COUNT(second));
	check(&schedule, 3, third, COUNT(third));
}

static void
what_says_nothing_is_not_known(void **state)
{
	const struct directory_span always[] = { { 0, WEEK, 0, false, true } };
	struct directory_schedule schedule = schedule_of("UTC", always, 1);
	int64_t at = moment("2026-06-01T10:00:00");
	struct schedule_state all_week = schedule_state_at(&schedule, 0, at);

	(void)state;
	assert_true(all_week.known && all_week.armed);
	assert_int_equal(at - all_week.since_us, 9 * DAY * INT64_C(1000000));
	assert_int_equal(schedule_until_us(&schedule, 0, at) - at,
	    9 * DAY * INT64_C(1000000));
	assert_false(schedule_state_at(NULL, 0, at).known);
	schedule.span_count = 0;
	assert_false(schedule_state_at(&schedule, 0, at).known);
	schedule = schedule_of("Europe/Nowhere", always, 1);
	assert_false(schedule_state_at(&schedule, 0, at).known);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(armed_every_night_of_the_week),
		cmocka_unit_test(the_hour_that_is_skipped),
		cmocka_unit_test(the_hour_that_comes_twice),
		cmocka_unit_test(every_edge_of_the_week_and_of_exceptions),
		cmocka_unit_test(exceptions_go_before_the_week),
		cmocka_unit_test(what_says_nothing_is_not_known),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
