/* What is told of sites by the clock: schedules, missing tests, test mode. Each
 * once, and again only after it was otherwise. */
#include "unit/test.h"

#include <stdlib.h>

#include "journal/record.h"
#include "routing/routing.h"
#include "watch/schedules.h"
#include "watch/site_tests.h"

#define SECOND	 INT64_C(1000000)
#define BEGAN_US (INT64_C(1780308000) * SECOND) /* Monday 2026-06-01 10:00 */
#define SITE	 7

static struct world {
	char path[64];
	struct clock_fake clock;
	struct journal *journal;
	struct journal_cursor *cursor;
	struct directory *directory;
	struct directory_site site;
	struct site_states sites;
	struct schedules *schedules;
	struct site_tests *tests;
	char told[256]; /* "R403@00 ...": since it was asked last */
} world;

static void
put_site(void)
{
	static const struct directory_span span = { 10 * 3600 + 600,
		10 * 3600 + 1200, 0, false, true };
	const struct directory_schedule schedule = { .id = SITE,
		.timezone = "UTC",
		.clock = local_clock_find("UTC"),
		.span_count = 1,
		.spans = &span };
	struct directory_batch *batch = directory_batch_begin(world.directory);

	assert_int_equal(directory_put_site(batch, SITE, &world.site), 0);
	assert_int_equal(directory_put_schedule(batch, SITE,
			     world.site.arming == DIRECTORY_ARMING_ALWAYS
				 ? NULL
				 : &schedule),
	    0);
	assert_int_equal(directory_batch_commit(batch), 0);
}

/* As a daemon that starts: what it knows of sites stays. */
static void
start(void)
{
	schedules_close(&world.schedules);
	site_tests_close(&world.tests);
	world.schedules = schedules_open(world.journal, world.directory,
	    &world.sites, &world.clock.clock);
	world.tests = site_tests_open(world.journal, world.directory,
	    &world.sites, &world.clock.clock, world.path);
}

static int
open_world(void **state)
{
	struct journal_config config = { .node = "n1",
		.directory = world.path,
		.segment_bytes = 1 << 20,
		.budget_bytes = 16 << 20,
		.retention_us = INT64_MAX };
	struct err err = { "" };

	(void)state;
	memset(&world, 0, sizeof(world));
	strcpy(world.path, "/tmp/tocsin-sites-XXXXXX");
	assert_non_null(mkdtemp(world.path));
	clock_fake_init(&world.clock, BEGAN_US);
	directory_thread_register();
	if (journal_open(&world.journal, &config, &io_system,
		&world.clock.clock, &err) < 0 ||
	    journal_start(world.journal, &err) < 0 ||
	    journal_cursor_open(&world.cursor, world.journal, 0, &err) < 0 ||
	    directory_create(&world.directory, &err) < 0)
		fail_msg("%s", err.text);
	world.site = (struct directory_site){ .id = SITE, .name = "site" };
	put_site();
	start();
	return 0;
}

static int
close_world(void **state)
{
	char command[128];

	(void)state;
	schedules_close(&world.schedules);
	site_tests_close(&world.tests);
	journal_cursor_close(&world.cursor);
	journal_close(&world.journal);
	site_states_close(&world.sites);
	directory_thread_unregister();
	directory_close(&world.directory);
	snprintf(command, sizeof(command), "rm -rf %s", world.path);
	return system(command);
}

/* Routing remembers what was told, as dispatch has it do. */
static void
decide(const struct journal_entry *entry)
{
	static struct record_signal record;
	static struct routing_scratch scratch;
	static struct decision decision;
	struct routing_request request = { .signal = &record.signal,
		.received_us = entry->received_wall_us,
		.signal_lsn = entry->lsn,
		.states = &world.sites };
	const struct signal_event *event = &record.signal.events[0];
	size_t length = strlen(world.told);

	assert_int_equal(record_signal_decode(entry->payload, &record, NULL),
	    0);
	request.site_id = record.site_id;
	directory_thread_online();
	routing_decide(world.directory, &request, &scratch, &decision);
	directory_thread_offline();
	assert_int_equal(site_states_reserve(&world.sites, &decision), 0);
	site_states_apply(&world.sites, &decision);
	snprintf(world.told + length, sizeof(world.told) - length, "%s%c%s",
	    length ? " " : "", signal_qualifier_letter(event->qualifier),
	    event->code);
}

/* After so many seconds; what was told at that moment. */
static const char *
told_after(unsigned seconds)
{
	struct journal_status status;
	struct journal_entry entry;
	struct err err = { "" };

	/* looks come often: a long time without is one without reception */
	for (; seconds > 10; seconds -= 10) {
		clock_fake_advance(&world.clock, 10 * SECOND);
		site_tests_look(world.tests);
	}
	clock_fake_advance(&world.clock, seconds * SECOND);
	world.told[0] = '\0';
	for (unsigned looks = 0; looks < 3; looks++) {
		schedules_look(world.schedules);
		site_tests_look(world.tests);
		journal_status(world.journal, &status);
		while (journal_cursor_position(world.cursor) <
		    status.appended_lsn) {
			int result =
			    journal_cursor_next(world.cursor, &entry, &err);

			assert_true(result >= 0);
			if (result == 1 && entry.kind == JOURNAL_SIGNAL)
				decide(&entry);
		}
		world.sites.position_lsn = status.appended_lsn;
	}
	return world.told;
}

static void
receive_test(void)
{
	struct decision decision = { .signal_lsn = 1,
		.site_id = SITE,
		.effect_count = 1,
		.effects = { { .kind = EFFECT_TEST,
		    .on = true,
		    .at_us = world.clock.wall_us } } };

	assert_int_equal(site_states_reserve(&world.sites, &decision), 0);
	site_states_apply(&world.sites, &decision);
}

static void
a_schedule_is_told_when_it_changes(void **state)
{
	(void)state;
	world.site.arming = DIRECTORY_ARMING_SCHEDULE;
	put_site();
	/* it did not change just now: nothing was told before */
	assert_string_equal(told_after(1), "");
	assert_string_equal(told_after(598), "");
	assert_string_equal(told_after(1), "R403");
	assert_string_equal(told_after(1), "");
	start();
	assert_string_equal(told_after(1), "");
	assert_string_equal(told_after(600), "E403");
	/* a whole armed time while nobody looked */
	clock_fake_advance(&world.clock, 7 * 86400 * SECOND);
	start();
	assert_string_equal(told_after(1), "E403");
	assert_string_equal(told_after(1), "");
}

static void
a_user_who_was_first_leaves_nothing_to_tell(void **state)
{
	struct decision armed = { .signal_lsn = 1,
		.site_id = SITE,
		.effect_count = 1,
		.effects = { { .kind = EFFECT_ARMING,
		    .armed = true,
		    .at_us = BEGAN_US + 300 * SECOND } } };

	(void)state;
	world.site.arming = DIRECTORY_ARMING_VIDEO_SYSTEM;
	put_site();
	assert_string_equal(told_after(300), "");
	assert_int_equal(site_states_reserve(&world.sites, &armed), 0);
	site_states_apply(&world.sites, &armed);
	assert_string_equal(told_after(301), "");
	assert_string_equal(told_after(600), "E403");
}

static void
a_missing_test_is_told_once(void **state)
{
	(void)state;
	world.site.test_interval_s = 3600;
	put_site();
	start();
	/* a whole interval first, and a twentieth more */
	assert_string_equal(told_after(1), "R654");
	assert_string_equal(told_after(3780), "");
	assert_string_equal(told_after(1), "E654");
	assert_string_equal(told_after(9000), "");
	receive_test();
	assert_string_equal(told_after(3780), "");
	assert_string_equal(told_after(1), "E654");
}

/* So many seconds pass in which nobody looks. */
static const char *
told_after_absence(unsigned seconds)
{
	clock_fake_advance(&world.clock, seconds * SECOND);
	start();
	return told_after(0);
}

static void
begin_with_a_test(unsigned interval_s)
{
	world.site.test_interval_s = interval_s;
	put_site();
	start();
	receive_test();
	assert_string_equal(told_after(0), "");
}

static void
a_restart_forgives_no_missing_test(void **state)
{
	(void)state;
	begin_with_a_test(3600);
	assert_string_equal(told_after(1000), "");
	/* restarts at once, and away when no test was to come */
	assert_string_equal(told_after_absence(5), "");
	assert_string_equal(told_after_absence(1800), "");
	assert_string_equal(told_after(900), "");
	assert_string_equal(told_after_absence(5), "");
	assert_string_equal(told_after(70), "");
	assert_string_equal(told_after(1), "E654");
	assert_string_equal(told_after_absence(9000), "");
}

static void
a_test_that_may_have_come_meanwhile_is_not_missing(void **state)
{
	static const struct {
		const char *name;
		unsigned before_s, away_s;
		const char *told; /* then; another whole interval if R654 */
		unsigned late_s;  /* otherwise after so many seconds */
	} rows[] = {
		{ "it was to come in the middle", 3500, 300, "R654", 0 },
		{ "just behind the end", 3300, 270, "R654", 0 },
		{ "it was late when we went away", 3700, 300, "R654", 0 },
		{ "later than it may be", 3790, 300, "", 1 },
		{ "away for longer than its interval", 10, 86400, "R654", 0 },
		{ "long before", 100, 300, "", 3380 },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		bool anew = strcmp(rows[i].told, "R654") == 0;

		begin_with_a_test(3600);
		assert_row(strcmp(told_after(rows[i].before_s),
			       rows[i].before_s > 3780 ? "E654" : "") == 0,
		    i, rows[i].name);
		assert_row(strcmp(told_after_absence(rows[i].away_s),
			       rows[i].told) == 0,
		    i, rows[i].name);
		if (rows[i].before_s > 3780)
			continue;
		assert_row(strcmp(told_after(anew ? 3780 : rows[i].late_s),
			       "") == 0,
		    i, rows[i].name);
		assert_row(strcmp(told_after(1), "E654") == 0, i, rows[i].name);
	}
}

/* The next process knows what the one before had no time to say. */
static void
an_absence_that_was_not_gone_through_is_not_forgotten(void **state)
{
	(void)state;
	begin_with_a_test(3600);
	assert_string_equal(told_after(3500), "");
	clock_fake_advance(&world.clock, 300 * SECOND);
	start();
	assert_string_equal(told_after_absence(5), "R654");
}

static void
tests_in_time_are_nothing_to_tell(void **state)
{
	(void)state;
	begin_with_a_test(60);
	for (unsigned i = 0; i < 10; i++) {
		receive_test();
		assert_string_equal(told_after(120), "");
	}
	world.site.state = DIRECTORY_SITE_INACTIVE;
	put_site();
	assert_string_equal(told_after(3600), "");
}

static void
test_mode_is_told_and_its_end(void **state)
{
	(void)state;
	world.site.on_test_until_us = BEGAN_US + 3600 * SECOND;
	put_site();
	assert_string_equal(told_after(1), "E607");
	start();
	assert_string_equal(told_after(1), "");
	assert_string_equal(told_after(3598), "R607");
	assert_string_equal(told_after(1), "");
	/* ended by hand */
	world.site.on_test_until_us = BEGAN_US + 36000 * SECOND;
	put_site();
	assert_string_equal(told_after(1), "E607");
	world.site.on_test_until_us = 0;
	put_site();
	assert_string_equal(told_after(1), "R607");
}

int
main(void)
{
#define TEST(function)                                                         \
 cmocka_unit_test_setup_teardown(function, open_world, close_world)
	const struct CMUnitTest tests[] = {
		TEST(a_schedule_is_told_when_it_changes),
		TEST(a_user_who_was_first_leaves_nothing_to_tell),
		TEST(a_missing_test_is_told_once),
		TEST(a_restart_forgives_no_missing_test),
		TEST(a_test_that_may_have_come_meanwhile_is_not_missing),
		TEST(an_absence_that_was_not_gone_through_is_not_forgotten),
		TEST(tests_in_time_are_nothing_to_tell),
		TEST(test_mode_is_told_and_its_end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
