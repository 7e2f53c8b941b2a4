/* What is told of sites by the clock: schedules, missing tests, test mode,
 * cameras that see nothing, activations that end. Each once, and again only
 * after it was otherwise. */
#include "unit/test.h"

#include <stdlib.h>

#include "journal/record.h"
#include "routing/routing.h"
#include "watch/activations.h"
#include "watch/cameras.h"
#include "watch/schedules.h"
#include "watch/site_tests.h"

#define SECOND	 INT64_C(1000000)
#define BEGAN_US (INT64_C(1780308000) * SECOND) /* Monday 2026-06-01 10:00 */
#define SITE	 7
#define BRIDGE	 9
#define DAY	 86400

static struct world {
	char path[64];
	struct clock_fake clock;
	struct journal *journal;
	struct journal_cursor *cursor;
	struct directory *directory;
	struct directory_site site;
	uint16_t idle_days;
	struct site_states sites;
	struct schedules *schedules;
	struct site_tests *tests;
	struct cameras *cameras;
	struct activations *activations;
	char told[256];	      /* "R403 ...": since it was asked last */
	enum verdict verdict; /* of the last of them */
} world;

/* Zones 1 and 2 are one camera's. */
static void
put_bridge(struct directory_batch *batch)
{
	struct directory_zone zones[] = {
		{ "1", 90, .zone_type = 3, .name = "yard" },
		{ "2", 90, .zone_type = 3, .name = "yard" },
		{ "3", 91, .zone_type = 3, .name = "door" },
	};
	const struct directory_bridge bridge = { .id = BRIDGE,
		.site_id = SITE,
		.serial = "b",
		.account = "ABCD",
		.zone_count = COUNT(zones),
		.zones = zones };

	zones[0].idle_days = zones[1].idle_days = world.idle_days;
	for (unsigned i = 0; i < COUNT(zones); i++)
		zones[i].enabled = DIRECTORY_INHERIT;
	assert_int_equal(directory_put_bridge(batch, BRIDGE, &bridge), 0);
}

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
	put_bridge(batch);
	assert_int_equal(directory_batch_commit(batch), 0);
}

/* As a daemon that starts: what it knows of sites stays. */
static void
start(void)
{
	schedules_close(&world.schedules);
	site_tests_close(&world.tests);
	cameras_close(&world.cameras);
	activations_close(&world.activations);
	world.schedules = schedules_open(world.journal, world.directory,
	    &world.sites, &world.clock.clock);
	world.tests = site_tests_open(world.journal, world.directory,
	    &world.sites, &world.clock.clock, world.path);
	world.cameras = cameras_open(world.journal, world.directory,
	    &world.sites, &world.clock.clock);
	world.activations = activations_open(world.journal, world.directory,
	    &world.sites, &world.clock.clock);
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
	cameras_close(&world.cameras);
	activations_close(&world.activations);
	journal_cursor_close(&world.cursor);
	journal_close(&world.journal);
	site_states_close(&world.sites);
	directory_thread_unregister();
	directory_close(&world.directory);
	snprintf(command, sizeof(command), "rm -rf %s", world.path);
	return system(command);
}

/* Routing remembers what was told and seen, as dispatch has it do. */
static void
route(const struct routing_request *request)
{
	static struct routing_scratch scratch;
	static struct decision decision;

	directory_thread_online();
	routing_decide(world.directory, request, &scratch, &decision);
	directory_thread_offline();
	assert_int_equal(site_states_reserve(&world.sites, &decision), 0);
	site_states_apply(&world.sites, &decision);
	world.verdict = decision.verdict;
}

static void
decide(const struct journal_entry *entry)
{
	static struct record_signal record;
	struct routing_request request = { .signal = &record.signal,
		.received_us = entry->received_wall_us,
		.signal_lsn = entry->lsn,
		.states = &world.sites };
	const struct signal_event *event = &record.signal.events[0];
	size_t length = strlen(world.told);

	assert_int_equal(record_signal_decode(entry->payload, &record, NULL),
	    0);
	request.site_id = record.site_id;
	request.bridge_id = record.bridge_id;
	route(&request);
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
		cameras_look(world.cameras);
		activations_look(world.activations);
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

/* ---- cameras ---------------------------------------------------------------- */

static void
see(const char *zone)
{
	struct signal signal = { .protocol = SIGNAL_PROTOCOL_DC09,
		.account = slice_from_string("ABCD"),
		.event_count = 1 };
	const struct routing_request request = { .signal = &signal,
		.bridge_id = BRIDGE,
		.received_us = world.clock.wall_us,
		.signal_lsn = 1,
		.states = &world.sites };

	signal.events[0] =
	    (struct signal_event){ .format = SIGNAL_FORMAT_CONTACT_ID,
		    .qualifier = SIGNAL_QUALIFIER_NEW,
		    .code = "130",
		    .zone = slice_from_string(zone) };
	route(&request);
}

/* Seconds that go by at once: nobody looks meanwhile. */
static const char *
told_when_gone_by(int64_t seconds)
{
	clock_fake_advance(&world.clock, seconds * SECOND);
	return told_after(0);
}

static void
watch_camera(uint16_t idle_days)
{
	world.idle_days = idle_days;
	put_site();
}

static void
a_camera_that_sees_nothing_is_told_once(void **state)
{
	(void)state;
	watch_camera(2);
	assert_string_equal(told_after(1), "R391");
	assert_int_equal(world.verdict, VERDICT_SUPPRESSED);
	assert_string_equal(told_after(1), "");
	/* it is known to an hour what it saw last */
	assert_string_equal(told_when_gone_by(2 * DAY + 3599), "");
	assert_string_equal(told_when_gone_by(1), "E391");
	assert_int_equal(world.verdict, VERDICT_UNROUTED); /* no station */
	assert_string_equal(told_after(1), "");
	start();
	assert_string_equal(told_when_gone_by(DAY), "");
	see("2");
	assert_string_equal(told_after(1), "R391");
	assert_int_equal(world.verdict, VERDICT_UNROUTED);
	assert_string_equal(told_after(1), "");
}

static void
a_camera_that_sees_something_is_not_idle(void **state)
{
	(void)state;
	watch_camera(2);
	assert_string_equal(told_after(1), "R391");
	for (unsigned day = 0; day < 5; day++) {
		assert_string_equal(told_when_gone_by(DAY), "");
		see(day % 2 ? "1" : "2");
	}
	/* another one's events are not its own */
	assert_string_equal(told_when_gone_by(DAY), "");
	see("3");
	/* nor are those of a site on test less its own */
	world.site.on_test_until_us = world.clock.wall_us + DAY * SECOND;
	put_site();
	assert_string_equal(told_after(1), "E607");
	see("1");
	assert_int_equal(world.verdict, VERDICT_ON_TEST);
	assert_string_equal(told_when_gone_by(2 * DAY), "R607");
	assert_string_equal(told_when_gone_by(3601), "E391");
}

/* A bridge sends again what we were not there to hear. */
static void
no_camera_is_idle_before_it_could_say_more(void **state)
{
	(void)state;
	watch_camera(1);
	assert_string_equal(told_after(1), "R391");
	clock_fake_advance(&world.clock, 2 * DAY * SECOND);
	start();
	assert_string_equal(told_when_gone_by(599), "");
	see("1");
	assert_string_equal(told_when_gone_by(1), "");
	assert_string_equal(told_when_gone_by(DAY + 3600), "E391");
}

static void
a_camera_that_is_not_watched_is_not_idle(void **state)
{
	(void)state;
	watch_camera(1);
	assert_string_equal(told_after(1), "R391");
	assert_string_equal(told_when_gone_by(2 * DAY), "E391");
	watch_camera(0);
	assert_string_equal(told_after(1), "R391");
	assert_int_equal(world.verdict, VERDICT_UNROUTED);
	assert_string_equal(told_when_gone_by(9 * DAY), "");
	/* as long as it may be silent, from what it saw last on */
	watch_camera(30);
	assert_string_equal(told_after(1), "");
	world.site.state = DIRECTORY_SITE_INACTIVE;
	put_site();
	assert_string_equal(told_when_gone_by(90 * DAY), "");
}

/* ---- activations -------------------------------------------------------------- */

static void
an_activation_that_ends_is_told_once(void **state)
{
	(void)state;
	world.site.activation_ends_us = BEGAN_US + 100 * SECOND;
	put_site();
	assert_string_equal(told_after(100), "");
	assert_string_equal(told_after(1), "E628");
	assert_int_equal(world.verdict, VERDICT_SUPPRESSED);
	assert_string_equal(told_after(1), "");
	start();
	assert_string_equal(told_after(1), "");
	/* it gets more time, and that is over too */
	world.site.activation_ends_us = BEGAN_US + 200 * SECOND;
	put_site();
	assert_string_equal(told_after(90), "");
	assert_string_equal(told_after(10), "E628");
	/* more time, and a bridge in it */
	world.site.activation_ends_us = BEGAN_US + 400 * SECOND;
	put_site();
	assert_string_equal(told_after(10), "");
	world.site.activation_ends_us = 0;
	put_site();
	assert_string_equal(told_after(900), "");
	world.site.activation_ends_us = BEGAN_US;
	world.site.state = DIRECTORY_SITE_INACTIVE;
	put_site();
	assert_string_equal(told_after(1), "");
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
		TEST(a_camera_that_sees_nothing_is_told_once),
		TEST(a_camera_that_sees_something_is_not_idle),
		TEST(no_camera_is_idle_before_it_could_say_more),
		TEST(a_camera_that_is_not_watched_is_not_idle),
		TEST(an_activation_that_ends_is_told_once),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
