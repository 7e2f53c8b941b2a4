/*
 * Zone types, arming, delays and filters as scripts: what happens at which
 * second, and what comes of it. Zone N of the bridge has zone type N, so the
 * scripts read like the table of zone types.
 */
#include "unit/test.h"

#include "directory/directory.h"
#include "routing/routing.h"

#define SECOND	 INT64_C(1000000)
#define BEGAN_S	 INT64_C(1780308000) /* 2026-06-01 10:00 UTC, a Monday */
#define SITE	 7
#define BRIDGE	 9
#define BRIDGE_2 10
#define PANEL	 11

enum what {
	TRIP = 1,
	RESTORE,
	ARM, /* by the bridge's input */
	DISARM,
	ARM_2, /* by the second bridge's input */
	DISARM_2,
	PANEL_CLOSE, /* the panel says so; zone: partition */
	PANEL_OPEN,
	USER_ARM, /* a command of our own; zone: partition */
	USER_DISARM,
	END, /* the wait of the event that came at zone's index */
};

struct step {
	int at_s;
	enum what what;
	unsigned zone; /* END: the number of the step whose wait ends, from 0 */
	enum verdict verdict;
	int until_s; /* VERDICT_WAITING: until when */
};

#define R VERDICT_ROUTED
#define S VERDICT_SUPPRESSED
#define W VERDICT_WAITING
#define P VERDICT_REPEAT
#define C VERDICT_CANCELLED

static struct world {
	struct directory *directory;
	struct directory_site site;
	struct directory_schedule schedule;
	bool inverted;
	unsigned partition_of_zone[10];
	struct site_states states;
	struct routing_scratch scratch;
	struct decision decision;
	struct {
		struct signal signal;
		int64_t received_us, until_us;
		uint64_t bridge_id;
	} past[64];
} world;

static const struct directory_zone_type types[] = {
	{ 1, true, "134", "Entry/Exit", false, true, false },
	{ 2, true, "132", "Follower", false, false, true },
	{ 3, true, "130", "Instant", false, false, false },
	{ 4, true, "133", "24-Hour", true, false, false },
	{ 5, true, "136", "Exterior instant", false, false, false },
	{ 6, true, "134", "Exterior entry/exit", false, true, false },
	{ 7, true, "420", "Intercom armed", false, false, false },
	{ 8, true, "421", "Intercom 24-hour", true, false, false },
	{ 9, true, "120", "Panic 24-hour", true, false, false },
};

static const char *const zone_texts[] = { "0", "1", "2", "3", "4", "5", "6",
	"7", "8", "9" };

static void
put_bridge(struct directory_batch *batch, uint64_t id)
{
	struct directory_zone zones[9] = { 0 };
	const struct directory_bridge bridge = {
		.id = id,
		.site_id = SITE,
		.serial = "b",
		.account = id == BRIDGE ? "AAAA"
		    : id == PANEL	? "CCCC"
					: "BBBB",
		.kind = id == PANEL ? DIRECTORY_PANEL : DIRECTORY_BRIDGE,
		.arming_input_inverted = world.inverted,
		.entry_delay_s = DIRECTORY_SECONDS_INHERIT,
		.exit_delay_s = DIRECTORY_SECONDS_INHERIT,
		.zone_count = id == PANEL ? 0 : COUNT(zones),
		.zones = zones,
	};

	for (unsigned i = 0; i < COUNT(zones); i++) {
		strcpy(zones[i].zone, zone_texts[i + 1]);
		zones[i].channel_id = 100 * id + i;
		zones[i].zone_type = (uint16_t)(i + 1);
		zones[i].enabled = DIRECTORY_INHERIT;
		zones[i].name = types[i].name;
		zones[i].partition = (uint8_t)world.partition_of_zone[i + 1];
		zones[i].repeat_filter_s = DIRECTORY_SECONDS_INHERIT;
	}
	assert_int_equal(directory_put_bridge(batch, id, &bridge), 0);
}

static void
fill(void)
{
	const struct directory_dealer dealer = { .id = 1, .name = "dealer" };
	const struct directory_receiver receiver = { .id = 3,
		.name = "station",
		.protocol = DIRECTORY_PROTOCOL_SURGARD };
	const struct directory_station station = {
		.id = 5, .dealer_id = 1, .receiver_id = 3, .name = "record"
	};
	struct directory_batch *batch = directory_batch_begin(world.directory);

	assert_int_equal(directory_put_dealer(batch, 1, &dealer), 0);
	assert_int_equal(directory_put_receiver(batch, 3, &receiver), 0);
	assert_int_equal(directory_put_station(batch, 5, &station), 0);
	for (size_t i = 0; i < COUNT(types); i++)
		assert_int_equal(directory_put_zone_type(batch, types[i].number,
				     &types[i]),
		    0);
	assert_int_equal(directory_put_site(batch, SITE, &world.site), 0);
	if (world.schedule.id)
		assert_int_equal(directory_put_schedule(batch, SITE,
				     &world.schedule),
		    0);
	put_bridge(batch, BRIDGE);
	put_bridge(batch, BRIDGE_2);
	put_bridge(batch, PANEL);
	assert_int_equal(directory_batch_commit(batch), 0);
}

static int
open_world(void **state)
{
	struct err err;

	(void)state;
	memset(&world, 0, sizeof(world));
	world.site = (struct directory_site){ .id = SITE,
		.dealer_id = 1,
		.station_id = 5,
		.name = "site",
		.account = "0017",
		.reference_id = "",
		.arming = DIRECTORY_ARMING_PANEL_PRIMARY,
		.arming_bridge_id = BRIDGE,
		.entry_delay_s = 60,
		.exit_delay_s = 30,
		.repeat_filter_s = 20 };
	directory_thread_register();
	return directory_create(&world.directory, &err);
}

static int
close_world(void **state)
{
	(void)state;
	site_states_close(&world.states);
	directory_thread_unregister();
	directory_close(&world.directory);
	return 0;
}

/* ---- running a script ---------------------------------------------------------- */

static const struct {
	const char *code;
	enum signal_qualifier qualifier;
	uint64_t bridge_id;
} says[] = {
	[TRIP] = { "130", SIGNAL_QUALIFIER_NEW, BRIDGE },
	[RESTORE] = { "130", SIGNAL_QUALIFIER_RESTORE, BRIDGE },
	[ARM] = { "409", SIGNAL_QUALIFIER_RESTORE, BRIDGE },
	[DISARM] = { "409", SIGNAL_QUALIFIER_NEW, BRIDGE },
	[ARM_2] = { "409", SIGNAL_QUALIFIER_RESTORE, BRIDGE_2 },
	[DISARM_2] = { "409", SIGNAL_QUALIFIER_NEW, BRIDGE_2 },
	[PANEL_CLOSE] = { "401", SIGNAL_QUALIFIER_RESTORE, PANEL },
	[PANEL_OPEN] = { "401", SIGNAL_QUALIFIER_NEW, PANEL },
	[USER_ARM] = { "407", SIGNAL_QUALIFIER_RESTORE, 0 },
	[USER_DISARM] = { "407", SIGNAL_QUALIFIER_NEW, 0 },
};

static void
receive(size_t number, const struct step *step)
{
	struct signal *signal = &world.past[number].signal;
	struct signal_event *event = &signal->events[0];
	bool area = step->what >= PANEL_CLOSE;

	signal->protocol = says[step->what].bridge_id
	    ? SIGNAL_PROTOCOL_DC09
	    : SIGNAL_PROTOCOL_INTERNAL;
	signal->event_count = 1;
	event->format = SIGNAL_FORMAT_CONTACT_ID;
	event->qualifier = says[step->what].qualifier;
	strcpy(event->code, says[step->what].code);
	event->partition =
	    slice_from_string(area ? zone_texts[step->zone] : "00");
	event->zone = slice_from_string(area ? "000" : zone_texts[step->zone]);
	world.past[number].received_us = (BEGAN_S + step->at_s) * SECOND;
	world.past[number].bridge_id = says[step->what].bridge_id;
}

static void
decide_until(size_t number, int64_t concluded_us, int64_t waited_until_us)
{
	const struct routing_request request = {
		.signal = &world.past[number].signal,
		.listener = slice_from_string("panels"),
		.bridge_id = world.past[number].bridge_id,
		.site_id =
		    concluded_us || !world.past[number].bridge_id ? SITE : 0,
		.received_us = world.past[number].received_us,
		.signal_lsn = number + 1,
		.states = &world.states,
		.concluded_us = concluded_us,
		.waited_until_us = concluded_us ? waited_until_us : 0,
	};

	routing_decide(world.directory, &request, &world.scratch,
	    &world.decision);
	assert_int_equal(site_states_reserve(&world.states, &world.decision),
	    0);
	site_states_apply(&world.states, &world.decision);
	for (unsigned i = 0; i < world.decision.effect_count; i++)
		if (world.decision.effects[i].kind == EFFECT_WAIT)
			world.past[number].until_us =
			    world.decision.effects[i].until_us;
}

static void
decide(size_t number, int64_t concluded_us)
{
	decide_until(number, concluded_us, world.past[number].until_us);
}

static void
run(const char *name, const struct step *steps, size_t count)
{
	directory_thread_online();
	for (size_t i = 0; i < count; i++) {
		const struct step *step = &steps[i];
		size_t number = step->what == END ? step->zone : i;

		if (step->what == END) {
			decide(number, (BEGAN_S + step->at_s) * SECOND);
		} else {
			receive(number, step);
			decide(number, 0);
		}
		assert_row(world.decision.reason.length > 0, i, name);
		if (world.decision.verdict != step->verdict)
			fail_msg("%s, step %zu: %s, not %s: %.*s", name, i,
			    verdict_name(world.decision.verdict),
			    verdict_name(step->verdict),
			    SLICE_ARG(world.decision.reason));
		if (step->verdict == W)
			assert_row(world.past[number].until_us ==
				(BEGAN_S + step->until_s) * SECOND,
			    i, name);
		assert_int_equal(world.decision.delivery_count,
		    step->verdict == R);
	}
	directory_thread_offline();
	site_states_close(&world.states);
}

struct script {
	const char *name;
	struct step steps[12];
};

static void
run_all(const struct script *scripts, size_t count)
{
	fill();
	for (size_t i = 0; i < count; i++) {
		size_t steps = 0;

		while (steps < COUNT(scripts[i].steps) &&
		    scripts[i].steps[steps].what)
			steps++;
		run(scripts[i].name, scripts[i].steps, steps);
	}
}

/* ---- scripts ----------------------------------------------------------------------- */

static void
what_each_type_does_when_armed_and_disarmed(void **state)
{
	static const struct script scripts[] = {
		{ "1 entry/exit",
		    { { 0, ARM, 0, R }, { 100, TRIP, 1, W, 160 },
			{ 160, END, 1, R }, { 200, DISARM, 0, R },
			{ 201, TRIP, 1, S } } },
		{ "2 follower",
		    { { 0, ARM, 0, R }, { 100, TRIP, 2, R },
			{ 200, DISARM, 0, R }, { 201, TRIP, 2, S } } },
		{ "3 instant",
		    { { 0, ARM, 0, R }, { 100, TRIP, 3, R },
			{ 200, DISARM, 0, R }, { 201, TRIP, 3, S } } },
		{ "4 24-hour",
		    { { 0, ARM, 0, R }, { 100, TRIP, 4, R },
			{ 200, DISARM, 0, R }, { 201, TRIP, 4, R } } },
		{ "5 exterior instant",
		    { { 0, ARM, 0, R }, { 100, TRIP, 5, R },
			{ 200, DISARM, 0, R }, { 201, TRIP, 5, S } } },
		{ "6 exterior entry/exit",
		    { { 0, ARM, 0, R }, { 100, TRIP, 6, W, 160 },
			{ 200, DISARM, 0, R }, { 201, TRIP, 6, S } } },
		{ "7 intercom armed",
		    { { 0, ARM, 0, R }, { 100, TRIP, 7, R },
			{ 200, DISARM, 0, R }, { 201, TRIP, 7, S } } },
		{ "8 intercom 24-hour",
		    { { 0, ARM, 0, R }, { 100, TRIP, 8, R },
			{ 200, DISARM, 0, R }, { 201, TRIP, 8, R } } },
		{ "9 panic 24-hour",
		    { { 0, ARM, 0, R }, { 100, TRIP, 9, R },
			{ 200, DISARM, 0, R }, { 201, TRIP, 9, R } } },
		{ "nobody has said anything: it counts as armed",
		    { { 0, TRIP, 3, R }, { 1, TRIP, 1, W, 61 } } },
	};

	(void)state;
	run_all(scripts, COUNT(scripts));
}

static void
the_exit_delay_is_for_the_way_out(void **state)
{
	static const struct script scripts[] = {
		{ "the way out",
		    { { 0, ARM, 0, R }, { 5, TRIP, 1, S }, { 6, TRIP, 2, S },
			{ 7, TRIP, 6, S } } },
		{ "its last moment",
		    { { 0, ARM, 0, R }, { 29, TRIP, 1, S },
			{ 30, TRIP, 6, W, 90 } } },
		{ "nothing else is excused",
		    { { 0, ARM, 0, R }, { 5, TRIP, 3, R }, { 5, TRIP, 5, R },
			{ 5, TRIP, 4, R }, { 5, TRIP, 7, R } } },
		{ "its restore stays silent as well",
		    { { 0, ARM, 0, R }, { 5, TRIP, 1, S },
			{ 50, RESTORE, 1, S }, { 60, TRIP, 1, W, 120 } } },
	};

	(void)state;
	run_all(scripts, COUNT(scripts));
}

static void
the_entry_delay_raises_the_first_event(void **state)
{
	static const struct script scripts[] = {
		{ "disarmed in time",
		    { { 0, ARM, 0, R }, { 100, TRIP, 1, W, 160 },
			{ 130, DISARM, 0, R }, { 130, END, 1, C } } },
		{ "disarmed too late",
		    { { 0, ARM, 0, R }, { 100, TRIP, 1, W, 160 },
			{ 160, END, 1, R }, { 161, DISARM, 0, R } } },
		{ "disarmed and armed again: that was the user",
		    { { 0, ARM, 0, R }, { 100, TRIP, 1, W, 160 },
			{ 110, DISARM, 0, R }, { 120, ARM, 0, R },
			{ 160, END, 1, C } } },
		{ "other doors in it are ignored",
		    { { 0, ARM, 0, R }, { 100, TRIP, 1, W, 160 },
			{ 110, TRIP, 6, S }, { 120, TRIP, 1, P },
			{ 160, END, 1, R } } },
		{ "a follower waits with it",
		    { { 0, ARM, 0, R }, { 100, TRIP, 1, W, 160 },
			{ 110, TRIP, 2, W, 160 }, { 160, END, 1, R },
			{ 160, END, 2, R } } },
		{ "and is cancelled with it",
		    { { 0, ARM, 0, R }, { 100, TRIP, 1, W, 160 },
			{ 110, TRIP, 2, W, 160 }, { 120, DISARM, 0, R },
			{ 120, END, 1, C }, { 120, END, 2, C } } },
		{ "nothing else waits",
		    { { 0, ARM, 0, R }, { 100, TRIP, 1, W, 160 },
			{ 110, TRIP, 3, R }, { 111, TRIP, 4, R } } },
		{ "a second one begins after the first",
		    { { 0, ARM, 0, R }, { 100, TRIP, 1, W, 160 },
			{ 160, END, 1, R }, { 200, TRIP, 6, W, 260 } } },
		{ "asked before its time it goes on waiting",
		    { { 0, ARM, 0, R }, { 100, TRIP, 1, W, 160 },
			{ 130, END, 1, W, 160 }, { 160, END, 1, R } } },
	};

	(void)state;
	run_all(scripts, COUNT(scripts));
}

static void
no_entry_delay_raises_at_once(void **state)
{
	static const struct script scripts[] = {
		{ "at once",
		    { { 0, ARM, 0, R }, { 100, TRIP, 1, R },
			{ 101, TRIP, 6, R } } },
	};

	(void)state;
	world.site.entry_delay_s = 0;
	run_all(scripts, COUNT(scripts));
}

static void
a_restore_follows_its_alarm(void **state)
{
	static const struct script scripts[] = {
		{ "at once when the filter is over",
		    { { 0, TRIP, 3, R }, { 20, RESTORE, 3, R } } },
		{ "held back inside the filter",
		    { { 0, TRIP, 3, R }, { 19, RESTORE, 3, W, 20 },
			{ 20, END, 1, R } } },
		{ "after an alarm that waits",
		    { { 0, ARM, 0, R }, { 100, TRIP, 1, W, 160 },
			{ 105, RESTORE, 1, W, 160 }, { 160, END, 1, R },
			{ 160, END, 2, R } } },
		{ "cancelled with it",
		    { { 0, ARM, 0, R }, { 100, TRIP, 1, W, 160 },
			{ 105, RESTORE, 1, W, 160 }, { 110, DISARM, 0, R },
			{ 110, END, 1, C }, { 110, END, 2, C } } },
		{ "raised although disarmed since",
		    { { 0, ARM, 0, R }, { 100, TRIP, 3, R },
			{ 130, DISARM, 0, R }, { 140, RESTORE, 3, R } } },
		{ "silent although armed since",
		    { { 0, DISARM, 0, R }, { 10, TRIP, 3, S },
			{ 20, ARM, 0, R }, { 30, RESTORE, 3, S } } },
		{ "of an alarm that nobody remembers",
		    { { 0, DISARM, 0, R }, { 10, RESTORE, 3, S },
			{ 11, RESTORE, 4, R }, { 20, ARM, 0, R },
			{ 21, RESTORE, 5, R } } },
	};

	(void)state;
	run_all(scripts, COUNT(scripts));
}

static void
the_filter_leaves_the_first_trip_and_the_last_restore(void **state)
{
	static const struct script scripts[] = {
		{ "counted from the first trip",
		    { { 0, TRIP, 3, R }, { 10, TRIP, 3, P }, { 19, TRIP, 3, P },
			{ 20, TRIP, 3, R } } },
		{ "one zone is not another",
		    { { 0, TRIP, 3, R }, { 1, TRIP, 5, R }, { 2, TRIP, 4, R },
			{ 3, TRIP, 4, P } } },
		{ "the last restore",
		    { { 0, TRIP, 3, R }, { 2, RESTORE, 3, W, 20 },
			{ 4, TRIP, 3, P }, { 6, RESTORE, 3, W, 20 },
			{ 20, END, 1, P }, { 20, END, 3, R } } },
		{ "still tripped at its end: no restore yet",
		    { { 0, TRIP, 3, R }, { 2, RESTORE, 3, W, 20 },
			{ 4, TRIP, 3, P }, { 20, END, 1, P },
			{ 25, RESTORE, 3, R } } },
	};

	(void)state;
	run_all(scripts, COUNT(scripts));
}

static void
no_filter_raises_each_trip(void **state)
{
	static const struct script scripts[] = {
		{ "each",
		    { { 0, TRIP, 3, R }, { 0, RESTORE, 3, R },
			{ 1, TRIP, 3, R }, { 1, TRIP, 3, R } } },
	};

	(void)state;
	world.site.repeat_filter_s = 0;
	run_all(scripts, COUNT(scripts));
}

static void
always_armed_knows_no_delay(void **state)
{
	static const struct script scripts[] = {
		{ "raised at once",
		    { { 0, TRIP, 1, R }, { 1, TRIP, 2, R }, { 2, TRIP, 3, R },
			{ 3, TRIP, 1, P } } },
		{ "an input changes nothing, and is passed on",
		    { { 0, DISARM, 0, R }, { 1, TRIP, 3, R } } },
	};

	(void)state;
	world.site.arming = DIRECTORY_ARMING_ALWAYS;
	world.site.arming_bridge_id = 0;
	run_all(scripts, COUNT(scripts));
}

static void
one_authority_and_no_other(void **state)
{
	static const struct script primary[] = {
		{ "the other bridge's input is refused",
		    { { 0, ARM, 0, R }, { 50, DISARM_2, 0, S },
			{ 51, TRIP, 3, R } } },
		{ "only a change is one",
		    { { 0, ARM, 0, R }, { 50, ARM, 0, P }, { 51, DISARM, 0, R },
			{ 52, DISARM, 0, P } } },
		{ "a user's command is refused",
		    { { 0, ARM, 0, R }, { 50, USER_DISARM, 0, S },
			{ 51, TRIP, 3, R } } },
		{ "a panel's opening passes and arms nothing",
		    { { 0, ARM, 0, R }, { 50, PANEL_OPEN, 0, R },
			{ 51, TRIP, 3, R } } },
	};
	static const struct script individual[] = {
		{ "each bridge for itself",
		    { { 0, ARM, 0, R }, { 0, DISARM_2, 0, R },
			{ 50, TRIP, 3, R } } },
		{ "and no other for it",
		    { { 0, DISARM, 0, R }, { 0, ARM_2, 0, R },
			{ 50, TRIP, 3, S } } },
	};
	static const struct script panel_signals[] = {
		{ "openings and closings",
		    { { 0, PANEL_OPEN, 0, R }, { 1, TRIP, 3, S },
			{ 2, PANEL_CLOSE, 0, R }, { 3, TRIP, 5, R } } },
	};
	static const struct script commands[] = {
		{ "a command arms",
		    { { 0, USER_DISARM, 0, R }, { 1, TRIP, 3, S },
			{ 2, USER_ARM, 0, R }, { 3, TRIP, 5, R } } },
		{ "an input is refused",
		    { { 0, USER_ARM, 0, R }, { 1, DISARM, 0, S },
			{ 2, TRIP, 3, R } } },
	};

	(void)state;
	run_all(primary, COUNT(primary));
	world.site.arming_bridge_id = 0;
	world.site.arming = DIRECTORY_ARMING_PANEL_INDIVIDUAL;
	run_all(individual, COUNT(individual));
	world.site.arming = DIRECTORY_ARMING_PANEL_SIGNALS;
	run_all(panel_signals, COUNT(panel_signals));
	world.site.arming = DIRECTORY_ARMING_REMOTE_API;
	run_all(commands, COUNT(commands));
	world.site.arming = DIRECTORY_ARMING_VIDEO_SYSTEM;
	run_all(commands, COUNT(commands));
}

static void
an_inverted_input_means_the_other(void **state)
{
	static const struct script scripts[] = {
		{ "closed is disarmed",
		    { { 0, ARM, 0, R }, { 1, TRIP, 3, S }, { 2, DISARM, 0, R },
			{ 3, TRIP, 5, R } } },
	};
	static const struct step closed = { 0, ARM, 0, R };

	(void)state;
	world.inverted = true;
	run_all(scripts, COUNT(scripts));
	/* and the station is told what it means */
	receive(0, &closed);
	directory_thread_online();
	decide(0, 0);
	directory_thread_offline();
	assert_string_equal(world.decision.deliveries[0].code, "409");
	assert_int_equal(world.decision.deliveries[0].qualifier,
	    SIGNAL_QUALIFIER_NEW);
}

static void
partitions_are_armed_apart(void **state)
{
	static const struct script scripts[] = {
		{ "each for itself",
		    { { 0, USER_ARM, 1, R }, { 1, USER_DISARM, 2, R },
			{ 50, TRIP, 3, R }, { 51, TRIP, 5, S } } },
		{ "the whole site goes for all, if it is later",
		    { { 0, USER_ARM, 1, R }, { 1, USER_DISARM, 0, R },
			{ 2, TRIP, 3, S }, { 3, USER_ARM, 2, R },
			{ 50, TRIP, 5, R }, { 51, TRIP, 3, S } } },
		{ "an entry delay is its partition's",
		    { { 0, USER_ARM, 0, R }, { 100, TRIP, 1, W, 160 },
			{ 101, TRIP, 2, R }, { 110, USER_DISARM, 2, R },
			{ 160, END, 1, R } } },
		{ "a camera in none raises nothing but 24-hour alarms",
		    { { 0, USER_ARM, 0, R }, { 100, TRIP, 7, S },
			{ 101, TRIP, 9, R } } },
	};

	(void)state;
	world.site.arming = DIRECTORY_ARMING_REMOTE_API;
	world.site.arming_bridge_id = 0;
	world.site.has_partitions = true;
	world.partition_of_zone[1] = 1;
	world.partition_of_zone[2] = 2; /* the follower */
	world.partition_of_zone[3] = 1;
	world.partition_of_zone[5] = 2;
	run_all(scripts, COUNT(scripts));
}

/* 10:00 on a Monday: armed from 10:02, disarmed at 10:10. */
static void
a_schedule_arms(void **state)
{
	static const struct directory_span span = { 10 * 3600 + 120,
		10 * 3600 + 600, 0, false, true };
	static const struct script alone[] = {
		{ "before, in the exit delay, within, after",
		    { { 119, TRIP, 3, S }, { 130, TRIP, 1, S },
			{ 160, TRIP, 5, R }, { 200, TRIP, 6, W, 260 },
			{ 260, END, 3, R }, { 601, TRIP, 3, S } } },
		{ "it disarms during an entry delay",
		    { { 570, TRIP, 1, W, 630 }, { 630, END, 0, C } } },
		{ "no user may",
		    { { 200, USER_DISARM, 0, S }, { 201, TRIP, 3, R } } },
	};
	static const struct script with_users[] = {
		{ "the later of the two goes",
		    { { 200, USER_DISARM, 0, R }, { 201, TRIP, 3, S },
			{ 300, USER_ARM, 0, R }, { 340, TRIP, 5, R },
			{ 601, TRIP, 7, S } } },
		{ "armed before: no second exit delay",
		    { { 0, USER_ARM, 0, R }, { 125, TRIP, 1, W, 185 } } },
	};

	(void)state;
	world.site.arming_bridge_id = 0;
	world.schedule = (struct directory_schedule){ .id = SITE,
		.timezone = "UTC",
		.clock = local_clock_find("UTC"),
		.span_count = 1,
		.spans = &span };
	world.site.arming = DIRECTORY_ARMING_SCHEDULE;
	run_all(alone, COUNT(alone));
	world.site.arming = DIRECTORY_ARMING_VIDEO_SYSTEM;
	run_all(with_users, COUNT(with_users));
}

/* ---- every type in every situation ------------------------------------------------- */

/*
 * One zone for two minutes: what each step comes to, and in lower case
 * what the steps that waited come to, when they do.
 *
 *	+0 trip   +5 restore   +10 trip   +15 restore   +19 trip
 *	+20 trip: the filter is over   +39 trip: inside the second one
 *	+40 restore: that one is over   +100 restore   +200 the end
 */
static const struct step visit[] = { { 0, TRIP, 0, 0, 0 },
	{ 5, RESTORE, 0, 0, 0 }, { 10, TRIP, 0, 0, 0 },
	{ 15, RESTORE, 0, 0, 0 }, { 19, TRIP, 0, 0, 0 }, { 20, TRIP, 0, 0, 0 },
	{ 39, TRIP, 0, 0, 0 }, { 40, RESTORE, 0, 0, 0 },
	{ 100, RESTORE, 0, 0, 0 } };

struct situation {
	const char *name;
	enum directory_arming arming;
	unsigned partition;    /* that all zones are in; 0: the site has none */
	struct step before[3]; /* seconds count from the first trip */
	struct step meanwhile; /* what: 0: nothing */
	const char *wanted[9]; /* by zone type */
};

static char verdict_letters[VERDICT_LAST +
    1] = { [R] = 'R', [S] = 'S', [W] = 'W', [P] = 'P', [C] = 'C' };

struct course {
	size_t count; /* steps so far */
	char letters[64];
};

static void
note_verdict(struct course *course, bool concluded)
{
	size_t length = strlen(course->letters);
	char letter = verdict_letters[world.decision.verdict];

	assert_true(length + 1 < sizeof(course->letters));
	assert_true(letter != 0);
	assert_true(world.decision.reason.length > 0);
	course->letters[length] =
	    (char)(concluded ? letter - 'A' + 'a' : letter);
}

static void
conclude_one(struct course *course, size_t number, int64_t at_us)
{
	int64_t until_us = world.past[number].until_us;

	world.past[number].until_us = 0;
	world.decision.verdict = 0;
	decide_until(number, at_us, until_us);
	if (world.decision.verdict != W)
		note_verdict(course, true);
	else if (world.past[number].until_us == 0)
		world.past[number].until_us = until_us; /* it still waits */
}

/* As dispatch does: what is due, in its order; all of it when somebody armed or
 * disarmed. */
static void
conclude_until(struct course *course, int64_t at_us)
{
	for (;;) {
		size_t first = course->count;

		for (size_t i = 0; i < course->count; i++)
			if (world.past[i].until_us &&
			    world.past[i].until_us <= at_us &&
			    (first == course->count ||
				world.past[i].until_us <
				    world.past[first].until_us))
				first = i;
		if (first == course->count)
			return;
		conclude_one(course, first, world.past[first].until_us);
	}
}

static void
take(struct course *course, const struct step *step, bool noted)
{
	int64_t at_us = (BEGAN_S + step->at_s) * SECOND;

	conclude_until(course, at_us);
	world.past[course->count].until_us = 0;
	receive(course->count, step);
	decide(course->count++, 0);
	if (noted)
		note_verdict(course, false);
	for (size_t i = 0; step->what >= ARM && i < course->count; i++)
		if (world.past[i].until_us)
			conclude_one(course, i, at_us);
}

static void
run_visit(const struct situation *situation, unsigned type)
{
	struct course course = { 0, "" };
	bool met = false;

	for (size_t i = 0; i < COUNT(situation->before); i++) {
		struct step step = situation->before[i];

		/* the other one of the two entry zones */
		if (step.what == TRIP)
			step.zone = type == 1 ? 6 : 1;
		if (step.what)
			take(&course, &step, false);
	}
	course.letters[0] = '\0';
	for (size_t i = 0; i < COUNT(visit); i++) {
		struct step step = visit[i];

		if (situation->meanwhile.what && !met &&
		    step.at_s > situation->meanwhile.at_s) {
			met = true;
			take(&course, &situation->meanwhile, false);
		}
		step.zone = type;
		take(&course, &step, true);
	}
	conclude_until(&course, (BEGAN_S + 200) * SECOND);
	if (strcmp(course.letters, situation->wanted[type - 1]) != 0)
		fail_msg("%s, zone type %u (%s): %s, not %s", situation->name,
		    type, types[type - 1].name, course.letters,
		    situation->wanted[type - 1]);
	site_states_close(&world.states);
}

#define PRIMARY	   DIRECTORY_ARMING_PANEL_PRIMARY
#define INDIVIDUAL DIRECTORY_ARMING_PANEL_INDIVIDUAL
#define REMOTE	   DIRECTORY_ARMING_REMOTE_API

static const struct situation situations[] = {
	{ "disarmed", PRIMARY, 0, { { -100, DISARM, 0, R } }, { 0, 0, 0, 0, 0 },
	    { "SSSSSSSSS", "SSSSSSSSS", "SSSSSSSSS", "RWPWPppRPRR", "SSSSSSSSS",
		"SSSSSSSSS", "SSSSSSSSS", "RWPWPppRPRR", "RWPWPppRPRR" } },
	{ "armed", PRIMARY, 0, { { -100, ARM, 0, R } }, { 0, 0, 0, 0, 0 },
	    { "WWPWPPPWrpprR", "RWPWPppRPRR", "RWPWPppRPRR", "RWPWPppRPRR",
		"RWPWPppRPRR", "WWPWPPPWrpprR", "RWPWPppRPRR", "RWPWPppRPRR",
		"RWPWPppRPRR" } },
	{ "in the exit delay", PRIMARY, 0, { { -5, ARM, 0, R } },
	    { 0, 0, 0, 0, 0 },
	    { "SSSSSSWWrrR", "SSSSSSRWrR", "RWPWPppRPRR", "RWPWPppRPRR",
		"RWPWPppRPRR", "SSSSSSWWrrR", "RWPWPppRPRR", "RWPWPppRPRR",
		"RWPWPppRPRR" } },
	{ "in its last second", PRIMARY, 0, { { -29, ARM, 0, R } },
	    { 0, 0, 0, 0, 0 },
	    { "SSWWPPPWrprR", "SSRWPPpRWrR", "RWPWPppRPRR", "RWPWPppRPRR",
		"RWPWPppRPRR", "SSWWPPPWrprR", "RWPWPppRPRR", "RWPWPppRPRR",
		"RWPWPppRPRR" } },
	{ "just after it", PRIMARY, 0, { { -30, ARM, 0, R } },
	    { 0, 0, 0, 0, 0 },
	    { "WWPWPPPWrpprR", "RWPWPppRPRR", "RWPWPppRPRR", "RWPWPppRPRR",
		"RWPWPppRPRR", "WWPWPPPWrpprR", "RWPWPppRPRR", "RWPWPppRPRR",
		"RWPWPppRPRR" } },
	{ "an entry delay runs", PRIMARY, 0,
	    { { -100, ARM, 0, R }, { -10, TRIP, 0, W } }, { 0, 0, 0, 0, 0 },
	    { "SSSSSSSSrR", "WWPWPPPWrrpprR", "RWPWPppRPRrR", "RWPWPppRPRrR",
		"RWPWPppRPRrR", "SSSSSSSSrR", "RWPWPppRPRrR", "RWPWPppRPRrR",
		"RWPWPppRPRrR" } },
	{ "disarmed meanwhile", PRIMARY, 0, { { -100, ARM, 0, R } },
	    { 17, DISARM, 0, R },
	    { "WWPWcpcSSSSS", "RWPWpPpSSSS", "RWPWpPpSSSS", "RWPWpPpRPRR",
		"RWPWpPpSSSS", "WWPWcpcSSSSS", "RWPWpPpSSSS", "RWPWpPpRPRR",
		"RWPWpPpRPRR" } },
	{ "disarmed in an entry delay", PRIMARY, 0,
	    { { -100, ARM, 0, R }, { -10, TRIP, 0, W } }, { 17, DISARM, 0, R },
	    { "SSSScSSSSS", "WWPWccpcSSSSS", "RWPWcpPpSSSS", "RWPWcpPpRPRR",
		"RWPWcpPpSSSS", "SSSScSSSSS", "RWPWcpPpSSSS", "RWPWcpPpRPRR",
		"RWPWcpPpRPRR" } },
	{ "armed meanwhile", PRIMARY, 0, { { -100, DISARM, 0, R } },
	    { 17, ARM, 0, R },
	    { "SSSSSSSSR", "SSSSSSSSR", "SSSSRPRWrR", "RWPWpPpRPRR",
		"SSSSRPRWrR", "SSSSSSSSR", "SSSSRPRWrR", "RWPWpPpRPRR",
		"RWPWpPpRPRR" } },
	{ "partly armed, its bridge", INDIVIDUAL, 0,
	    { { -100, ARM, 0, R }, { -100, DISARM_2, 0, R } },
	    { 0, 0, 0, 0, 0 },
	    { "WWPWPPPWrpprR", "RWPWPppRPRR", "RWPWPppRPRR", "RWPWPppRPRR",
		"RWPWPppRPRR", "WWPWPPPWrpprR", "RWPWPppRPRR", "RWPWPppRPRR",
		"RWPWPppRPRR" } },
	{ "partly armed, the other bridge", INDIVIDUAL, 0,
	    { { -100, DISARM, 0, R }, { -100, ARM_2, 0, R } },
	    { 0, 0, 0, 0, 0 },
	    { "SSSSSSSSS", "SSSSSSSSS", "SSSSSSSSS", "RWPWPppRPRR", "SSSSSSSSS",
		"SSSSSSSSS", "SSSSSSSSS", "RWPWPppRPRR", "RWPWPppRPRR" } },
	{ "partly armed, its partition", REMOTE, 1,
	    { { -100, USER_ARM, 1, R }, { -100, USER_DISARM, 2, R } },
	    { 0, 0, 0, 0, 0 },
	    { "WWPWPPPWrpprR", "RWPWPppRPRR", "RWPWPppRPRR", "RWPWPppRPRR",
		"RWPWPppRPRR", "WWPWPPPWrpprR", "RWPWPppRPRR", "RWPWPppRPRR",
		"RWPWPppRPRR" } },
	{ "partly armed, the other partition", REMOTE, 2,
	    { { -100, USER_ARM, 1, R }, { -100, USER_DISARM, 2, R } },
	    { 0, 0, 0, 0, 0 },
	    { "SSSSSSSSS", "SSSSSSSSS", "SSSSSSSSS", "RWPWPppRPRR", "SSSSSSSSS",
		"SSSSSSSSS", "SSSSSSSSS", "RWPWPppRPRR", "RWPWPppRPRR" } },
	{ "always armed", DIRECTORY_ARMING_ALWAYS, 0,
	    { { -100, DISARM, 0, R } }, { 0, 0, 0, 0, 0 },
	    { "RWPWPppRPRR", "RWPWPppRPRR", "RWPWPppRPRR", "RWPWPppRPRR",
		"RWPWPppRPRR", "RWPWPppRPRR", "RWPWPppRPRR", "RWPWPppRPRR",
		"RWPWPppRPRR" } },
};

static void
every_type_in_every_situation(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(situations); i++) {
		const struct situation *situation = &situations[i];

		world.site.arming = situation->arming;
		world.site.arming_bridge_id =
		    situation->arming == PRIMARY ? BRIDGE : 0;
		world.site.has_partitions = situation->partition > 0;
		for (unsigned type = 1; type <= COUNT(types); type++)
			world.partition_of_zone[type] = situation->partition;
		fill();
		directory_thread_online();
		for (unsigned type = 1; type <= COUNT(types); type++)
			run_visit(situation, type);
		directory_thread_offline();
	}
}

int
main(void)
{
#define TEST(function)                                                         \
 cmocka_unit_test_setup_teardown(function, open_world, close_world)
	const struct CMUnitTest tests[] = {
		TEST(what_each_type_does_when_armed_and_disarmed),
		TEST(the_exit_delay_is_for_the_way_out),
		TEST(the_entry_delay_raises_the_first_event),
		TEST(no_entry_delay_raises_at_once),
		TEST(a_restore_follows_its_alarm),
		TEST(the_filter_leaves_the_first_trip_and_the_last_restore),
		TEST(no_filter_raises_each_trip),
		TEST(always_armed_knows_no_delay),
		TEST(one_authority_and_no_other),
		TEST(an_inverted_input_means_the_other),
		TEST(partitions_are_armed_apart),
		TEST(a_schedule_arms),
		TEST(every_type_in_every_situation),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
