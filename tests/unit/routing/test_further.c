/* Further stations of a site: which events reach them, under which account. */
#include "unit/test.h"

#include "base/clock.h"
#include "directory/directory.h"
#include "routing/routing.h"

#define SITE   7
#define BRIDGE 9
#define PANEL  10

static struct directory *directory;
static struct routing_scratch scratch;
static struct decision decision;

static const struct directory_station stations[] = {
	{ .id = 1, .dealer_id = 1, .receiver_id = 1, .name = "own" },
	{ .id = 2,
	    .dealer_id = 1,
	    .receiver_id = 2,
	    .name = "fire",
	    .prefix = "8" },
	{ .id = 3, .dealer_id = 1, .receiver_id = 3, .name = "night" },
	{ .id = 4, .dealer_id = 1, .receiver_id = 0, .name = "planned" },
};

/* Athens is two hours ahead of UTC in winter. */
static struct directory_destinations destinations = {
	.id = SITE,
	.timezone = "Europe/Athens",
};

static void
put(const struct directory_destination *rules, size_t count, uint64_t station)
{
	const struct directory_zone zones[] = {
		{ "1", 11, 4, DIRECTORY_INHERIT, "", "Smoke", 1,
		    DIRECTORY_SECONDS_INHERIT },
		{ "2", 12, 3, DIRECTORY_INHERIT, "", "Gate", 2,
		    DIRECTORY_SECONDS_INHERIT },
	};
	const struct directory_zone_type types[] = {
		{ 3, true, "130", "Instant", false, false, false },
		{ 4, true, "110", "Fire", true, false, false },
	};
	const struct directory_site site = { .id = SITE,
		.dealer_id = 1,
		.station_id = station,
		.name = "site",
		.account = "0017",
		.reference_id = "R1" };
	const struct directory_bridge bridge = { .id = BRIDGE,
		.site_id = SITE,
		.serial = "b",
		.account = "AAAA",
		.zone_count = COUNT(zones),
		.zones = zones };
	const struct directory_bridge panel = { .id = PANEL,
		.site_id = SITE,
		.serial = "p",
		.account = "BBBB",
		.kind = DIRECTORY_PANEL };
	struct directory_batch *batch = directory_batch_begin(directory);

	for (uint64_t id = 1; id <= 3; id++) {
		const struct directory_receiver receiver = { .id = id,
			.name = stations[id - 1].name,
			.protocol = DIRECTORY_PROTOCOL_SURGARD };

		assert_int_equal(directory_put_receiver(batch, id, &receiver),
		    0);
	}
	for (size_t i = 0; i < COUNT(stations); i++)
		assert_int_equal(directory_put_station(batch, stations[i].id,
				     &stations[i]),
		    0);
	for (size_t i = 0; i < COUNT(types); i++)
		assert_int_equal(directory_put_zone_type(batch, types[i].number,
				     &types[i]),
		    0);
	destinations.clock = local_clock_find(destinations.timezone);
	destinations.rules = rules;
	destinations.count = (uint16_t)count;
	assert_int_equal(directory_put_site(batch, SITE, &site), 0);
	assert_int_equal(directory_put_bridge(batch, BRIDGE, &bridge), 0);
	assert_int_equal(directory_put_bridge(batch, PANEL, &panel), 0);
	assert_int_equal(directory_put_destinations(batch, SITE, &destinations),
	    0);
	assert_int_equal(directory_batch_commit(batch), 0);
}

/* "own fire": the receivers that it goes to, in order. */
static const char *
goes_to(uint64_t bridge_id, const char *code, const char *partition,
    const char *zone, const char *at)
{
	static char names[64];
	struct signal signal = { .protocol = SIGNAL_PROTOCOL_DC09,
		.event_count = 1,
		.events[0] = { .format = SIGNAL_FORMAT_CONTACT_ID,
		    .qualifier = SIGNAL_QUALIFIER_NEW,
		    .partition = slice_from_string(partition),
		    .zone = slice_from_string(zone) } };
	struct routing_request request = { .signal = &signal,
		.bridge_id = bridge_id };

	strcpy(signal.events[0].code, code);
	assert_int_equal(clock_parse(slice_from_string(at),
			     &request.received_us),
	    0);
	directory_thread_online();
	routing_decide(directory, &request, &scratch, &decision);
	directory_thread_offline();
	names[0] = '\0';
	for (unsigned i = 0; i < decision.delivery_count; i++)
		snprintf(names + strlen(names), sizeof(names) - strlen(names),
		    "%s%s", i ? " " : "",
		    stations[decision.deliveries[i].receiver_id - 1].name);
	return names;
}

static void
each_rule_says_which_events(void **state)
{
	static const struct directory_destination rules[] = {
		/* fire and medical at any time */
		{ 1, 2, "123", "F1", "10,11", 0, 127, 0, 0 },
		/* partition 2 on weekdays from 22:00 to 06:00, and all on
		 * Sundays */
		{ 2, 3, "555", "", "", 2, 31, 22 * 60, 6 * 60 },
		{ 2, 3, "555", "", "", 0, 64, 0, 0 },
	};
	static const struct {
		const char *name;
		uint64_t bridge_id;
		const char *code, *partition, *zone, *at, *to;
	} rows[] = {
		/* 2026-01-14 was a Wednesday */
		{ "fire, by the code that goes out", BRIDGE, "130", "00", "1",
		    "2026-01-14T10:00:00Z", "own fire" },
		{ "burglary by day", BRIDGE, "130", "00", "2",
		    "2026-01-14T10:00:00Z", "own" },
		{ "21:59", BRIDGE, "130", "00", "2", "2026-01-14T19:59:59Z",
		    "own" },
		{ "22:00", BRIDGE, "130", "00", "2", "2026-01-14T20:00:00Z",
		    "own night" },
		{ "05:59", BRIDGE, "130", "00", "2", "2026-01-15T03:59:59Z",
		    "own night" },
		{ "06:00", BRIDGE, "130", "00", "2", "2026-01-15T04:00:00Z",
		    "own" },
		{ "Friday's night goes on", BRIDGE, "130", "00", "2",
		    "2026-01-17T01:00:00Z", "own night" },
		{ "Saturday has none", BRIDGE, "130", "00", "2",
		    "2026-01-17T21:00:00Z", "own" },
		{ "Sunday: everything", BRIDGE, "130", "00", "1",
		    "2026-01-18T10:00:00Z", "own fire night" },
		{ "a panel's partition is its own word", PANEL, "130", "02",
		    "5", "2026-01-14T22:00:00Z", "own night" },
		{ "and another is not it", PANEL, "130", "01", "5",
		    "2026-01-14T22:00:00Z", "own" },
		{ "medical", PANEL, "100", "01", "5", "2026-01-14T22:00:00Z",
		    "own fire" },
	};

	(void)state;
	put(rules, COUNT(rules), 1);
	for (size_t i = 0; i < COUNT(rows); i++) {
		const char *to = goes_to(rows[i].bridge_id, rows[i].code,
		    rows[i].partition, rows[i].zone, rows[i].at);

		assert_row(strcmp(to, rows[i].to) == 0, i, rows[i].name);
		assert_int_equal(decision.verdict, VERDICT_ROUTED);
	}
}

static void
each_has_its_own_account(void **state)
{
	static const struct directory_destination rules[] = {
		{ 1, 2, "123", "F1", "", 0, 127, 0, 0 },
	};

	(void)state;
	put(rules, COUNT(rules), 1);
	assert_string_equal(goes_to(BRIDGE, "130", "00", "1",
				"2026-01-14T10:00:00Z"),
	    "own fire");
	assert_slice(decision.deliveries[0].account, "0017");
	assert_slice(decision.deliveries[0].reference_id, "R1");
	assert_slice(decision.deliveries[1].account, "8123");
	assert_slice(decision.deliveries[1].reference_id, "F1");
	assert_non_null(strstr(scratch.reason, "; also to 'fire'"));
}

static void
without_its_own_station_the_further_ones_are_left(void **state)
{
	static const struct directory_destination rules[] = {
		{ 1, 2, "123", "F1", "11", 0, 127, 0, 0 },
		{ 2, 4, "9", "", "", 0, 127, 0, 0 },
	};

	(void)state;
	put(rules, COUNT(rules), 0);
	assert_string_equal(goes_to(BRIDGE, "130", "00", "1",
				"2026-01-14T10:00:00Z"),
	    "fire");
	assert_int_equal(decision.verdict, VERDICT_ROUTED);
	assert_non_null(strstr(scratch.reason,
	    "further station 'planned' has no receiver"));
	assert_string_equal(goes_to(BRIDGE, "130", "00", "2",
				"2026-01-14T10:00:00Z"),
	    "");
	assert_int_equal(decision.verdict, VERDICT_UNROUTED);
	assert_non_null(strstr(scratch.reason, "names no station"));
}

static int
open_directory(void **state)
{
	struct err err;

	(void)state;
	directory_thread_register();
	return directory_create(&directory, &err);
}

static int
close_directory(void **state)
{
	(void)state;
	directory_thread_unregister();
	directory_close(&directory);
	return 0;
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_rule_says_which_events),
		cmocka_unit_test(each_has_its_own_account),
		cmocka_unit_test(
		    without_its_own_station_the_further_ones_are_left),
	};

	return cmocka_run_group_tests(tests, open_directory, close_directory);
}
