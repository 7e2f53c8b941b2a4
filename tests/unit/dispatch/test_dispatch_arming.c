/*
 * Arming, delays and filters through the journal: what waits is raised when it
 * is due, also by a process that was not there when it began to wait; and any
 * sequence of signals, cut by restarts anywhere, leaves the same state and the
 * same deliveries as the process that never stopped.
 */
#include "unit/test.h"

#include <pthread.h>
#include <sched.h>
#include <stdlib.h>
#include <unistd.h>

#include "dispatch/dispatch.h"
#include "journal/record.h"
#include "unit/egress/peer.h"

#define SECOND	 INT64_C(1000000)
#define BEGAN_US (INT64_C(1780308000) * SECOND) /* 2026-06-01 10:00 UTC */
#define SITE	 7
#define BRIDGE	 9
#define STEPS	 60

static struct world {
	char directory_path[64];
	struct event_base *base;
	struct event *tick;
	struct clock_fake clock;
	struct journal *journal;
	struct directory *directory;
	struct egress *egress;
	struct dispatch *dispatch;
	struct peer peer;
	uint64_t fingerprint;
	uint64_t claimed_site_id; /* in the records of signals from outside */
	uint64_t known_bridge_id; /* that ingress knew them by */
	uint32_t runaway_limit;
	char sent[8192]; /* what the station got, in order */
	unsigned messages;
} world;

/* A disk that takes nothing while the gate is shut. */
static struct gate {
	struct io io; /* first */
	pthread_mutex_t lock;
	pthread_cond_t changed;
	bool shut;
} gate = { .lock = PTHREAD_MUTEX_INITIALIZER,
	.changed = PTHREAD_COND_INITIALIZER };

static ssize_t
gated_pwritev(const struct io *io, int fd, const struct iovec *parts, int count,
    off_t offset)
{
	(void)io;
	pthread_mutex_lock(&gate.lock);
	while (gate.shut)
		pthread_cond_wait(&gate.changed, &gate.lock);
	pthread_mutex_unlock(&gate.lock);
	return io_system.pwritev(&io_system, fd, parts, count, offset);
}

static void
set_gate(bool shut)
{
	pthread_mutex_lock(&gate.lock);
	gate.shut = shut;
	pthread_cond_broadcast(&gate.changed);
	pthread_mutex_unlock(&gate.lock);
}

static const struct directory_zone_type types[] = {
	{ 1, true, "134", "Entry/Exit", false, true, false },
	{ 2, true, "132", "Follower", false, false, true },
	{ 3, true, "130", "Instant", false, false, false },
	{ 4, true, "133", "24-Hour", true, false, false },
};

static const char *const zone_texts[] = { "", "1", "2", "3", "4" };

#define wait_for(condition)                                                    \
 do {                                                                          \
  int64_t end_ = clock_monotonic_us(&clock_system) + 20 * SECOND;              \
  while (!(condition)) {                                                       \
   if (clock_monotonic_us(&clock_system) > end_)                               \
    fail_msg("never came about: %s", #condition);                              \
   event_base_loop(world.base, EVLOOP_ONCE);                                   \
  }                                                                            \
 } while (0)

static void
on_tick(evutil_socket_t fd, short what, void *context)
{
	(void)fd;
	(void)what;
	(void)context;
}

static void
fill_directory(void)
{
	struct directory_endpoint endpoint = { "127.0.0.1", world.peer.port };
	const struct directory_dealer dealer = { .id = 1, .name = "dealer" };
	const struct directory_receiver receiver = { .id = 3,
		.name = "station",
		.protocol = DIRECTORY_PROTOCOL_SURGARD,
		.receiver_number = "01",
		.line_number = "1",
		.line_digits = 1,
		.account_digits = 4,
		.ack_wait_ms = 5000,
		.retries = 3,
		.in_flight = 1,
		.endpoint_count = 1,
		.endpoints = &endpoint };
	const struct directory_station station = {
		.id = 5, .dealer_id = 1, .receiver_id = 3, .name = "record"
	};
	const struct directory_site site = { .id = SITE,
		.dealer_id = 1,
		.station_id = 5,
		.name = "site",
		.account = "0017",
		.arming = DIRECTORY_ARMING_PANEL_PRIMARY,
		.arming_bridge_id = BRIDGE,
		.entry_delay_s = 60,
		.exit_delay_s = 30,
		.repeat_filter_s = 20 };
	struct directory_zone zones[4] = { 0 };
	const struct directory_bridge bridge = { .id = BRIDGE,
		.site_id = SITE,
		.serial = "b",
		.account = "ABCD",
		.entry_delay_s = DIRECTORY_SECONDS_INHERIT,
		.exit_delay_s = DIRECTORY_SECONDS_INHERIT,
		.zone_count = COUNT(zones),
		.zones = zones };
	struct directory_batch *batch = directory_batch_begin(world.directory);

	for (unsigned i = 0; i < COUNT(zones); i++) {
		strcpy(zones[i].zone, zone_texts[i + 1]);
		zones[i].channel_id = 10 + i;
		zones[i].zone_type = (uint16_t)(i + 1);
		zones[i].enabled = DIRECTORY_INHERIT;
		zones[i].repeat_filter_s = DIRECTORY_SECONDS_INHERIT;
		assert_int_equal(directory_put_zone_type(batch, i + 1,
				     &types[i]),
		    0);
	}
	assert_int_equal(directory_put_dealer(batch, 1, &dealer), 0);
	assert_int_equal(directory_put_receiver(batch, 3, &receiver), 0);
	assert_int_equal(directory_put_station(batch, 5, &station), 0);
	assert_int_equal(directory_put_site(batch, SITE, &site), 0);
	assert_int_equal(directory_put_bridge(batch, BRIDGE, &bridge), 0);
	assert_int_equal(directory_batch_commit(batch), 0);
}

static void
open_stages(void)
{
	struct journal_config journal = { .node = "n1",
		.directory = world.directory_path,
		.segment_bytes = 1 << 20,
		.budget_bytes = 64 << 20,
		.retention_us = INT64_MAX };
	struct egress_config egress = { .reconnect_min_us = 10000,
		.reconnect_max_us = 50000,
		.connect_timeout_us = 5 * SECOND,
		.primary_return_us = 60 * SECOND };
	struct dispatch_config dispatch = { .repeat_window_us = 120 * SECOND,
		.repeat_slots = 1024,
		.runaway_limit = world.runaway_limit,
		.state_directory = world.directory_path };
	struct egress_callbacks callbacks =
	    dispatch_egress_callbacks(&world.dispatch);
	struct err err = { "" };

	gate.io = io_system;
	gate.io.pwritev = gated_pwritev;
	if (journal_open(&world.journal, &journal, &gate.io, &world.clock.clock,
		&err) < 0 ||
	    journal_start(world.journal, &err) < 0 ||
	    egress_open(&world.egress, world.base, &egress, world.directory,
		&clock_system, &callbacks, &err) < 0 ||
	    dispatch_open(&world.dispatch, world.base, &dispatch, world.journal,
		world.directory, &world.clock.clock, world.egress, &err) < 0)
		fail_msg("%s", err.text);
	egress_sync(world.egress);
}

static void
close_stages(void)
{
	dispatch_close(&world.dispatch);
	egress_close(&world.egress);
	journal_close(&world.journal);
}

static void
open_world(void)
{
	static const struct timeval often = { 0, 2000 };
	struct err err;

	memset(&world, 0, sizeof(world));
	world.fingerprint = 1;
	clock_fake_init(&world.clock, BEGAN_US);
	strcpy(world.directory_path, "/tmp/tocsin-arming-XXXXXX");
	assert_non_null(mkdtemp(world.directory_path));
	world.base = event_base_new();
	world.tick = event_new(world.base, -1, EV_PERSIST, on_tick, NULL);
	event_add(world.tick, &often);
	assert_int_equal(directory_create(&world.directory, &err), 0);
	peer_open(&world.peer, world.base, false, false);
	peer_listen(&world.peer);
	fill_directory();
	open_stages();
}

static void
close_world(void)
{
	char command[128];

	close_stages();
	peer_close(&world.peer);
	directory_close(&world.directory);
	event_free(world.tick);
	event_base_free(world.base);
	snprintf(command, sizeof(command), "rm -rf %s", world.directory_path);
	assert_int_equal(system(command), 0);
}

static void
receive_from(const char *account, const char *code,
    enum signal_qualifier qualifier, const char *zone)
{
	static uint8_t payload[JOURNAL_PAYLOAD_MAX];
	struct record_signal record = {
		.listener = slice_from_string("panels"),
		.peer = slice_from_string("127.0.0.1:4000"),
		.sender = 1,
		.fingerprint = world.fingerprint++,
		.site_id = world.claimed_site_id,
		.bridge_id =
		    strcmp(account, "ABCD") == 0 ? world.known_bridge_id : 0,
		.raw = slice_from_string("raw"),
		.signal = {
			.protocol = SIGNAL_PROTOCOL_DC09,
			.account = slice_from_string(account),
			.event_count = 1,
			.events[0] = { .format = SIGNAL_FORMAT_CONTACT_ID,
				.qualifier = qualifier,
				.partition = slice_from_string("01"),
				.zone = slice_from_string(zone) },
		},
	};
	int length;
	uint64_t lsn;

	strcpy(record.signal.events[0].code, code);
	length = record_signal_encode(&record, payload, sizeof(payload));
	assert_int_equal(journal_append(world.journal, JOURNAL_SIGNAL,
			     clock_wall_us(&world.clock.clock),
			     clock_monotonic_us(&world.clock.clock),
			     slice_of(payload, (size_t)length), &lsn),
	    0);
}

static void
receive(const char *code, enum signal_qualifier qualifier, const char *zone)
{
	receive_from("ABCD", code, qualifier, zone);
}

/* Time goes by; what nobody sends makes dispatch look at it. */
static void
advance(unsigned seconds)
{
	clock_fake_advance(&world.clock, seconds * SECOND);
	receive_from("FFFF", "130", SIGNAL_QUALIFIER_NEW, "1");
}

static uint64_t
verdicts(enum verdict verdict)
{
	struct dispatch_status status;

	dispatch_status(world.dispatch, &status);
	return status.verdicts[verdict];
}

/* Everything that is durable was read, and nothing but time is waited for. */
static bool
settled(void)
{
	struct dispatch_status status;
	struct journal_status journal;

	dispatch_status(world.dispatch, &status);
	journal_status(world.journal, &journal);
	return status.position_lsn == journal.appended_lsn &&
	    egress_queued(world.egress) == 0;
}

/* ---- by hand ------------------------------------------------------------------------ */

static void
an_alarm_waits_over_a_restart_and_is_raised(void **state)
{
	(void)state;
	open_world();
	receive("409", SIGNAL_QUALIFIER_RESTORE, "000");
	wait_for(verdicts(VERDICT_ROUTED) == 1 && settled());
	clock_fake_advance(&world.clock, 100 * SECOND);
	receive("130", SIGNAL_QUALIFIER_NEW, "1");
	wait_for(verdicts(VERDICT_WAITING) == 1 && settled());
	assert_false(dispatch_idle(world.dispatch));
	assert_int_equal(world.peer.messages, 1);

	close_stages();
	clock_fake_advance(&world.clock, 59 * SECOND);
	open_stages();
	wait_for(settled());
	assert_int_equal(verdicts(VERDICT_ROUTED), 0);
	advance(2);
	wait_for(verdicts(VERDICT_ROUTED) == 1 &&
	    dispatch_idle(world.dispatch));
	assert_int_equal(world.peer.messages, 2);
	assert_memory_equal(world.peer.last, "5011 180017E13401001", 20);

	/* and is not raised again */
	close_stages();
	open_stages();
	wait_for(dispatch_idle(world.dispatch));
	assert_int_equal(world.peer.messages, 2);
	close_world();
}

static void
past_its_time_it_is_raised_at_the_start(void **state)
{
	(void)state;
	open_world();
	receive("130", SIGNAL_QUALIFIER_NEW, "1");
	wait_for(verdicts(VERDICT_WAITING) == 1 && settled());
	close_stages();
	clock_fake_advance(&world.clock, 3600 * SECOND);
	open_stages();
	wait_for(verdicts(VERDICT_ROUTED) == 1 &&
	    dispatch_idle(world.dispatch));
	assert_int_equal(world.peer.messages, 1);
	close_world();
}

static void
disarmed_in_time_nothing_is_sent(void **state)
{
	(void)state;
	open_world();
	receive("130", SIGNAL_QUALIFIER_NEW, "1");
	wait_for(verdicts(VERDICT_WAITING) == 1 && settled());
	close_stages();
	open_stages();
	clock_fake_advance(&world.clock, 30 * SECOND);
	receive("409", SIGNAL_QUALIFIER_NEW, "000");
	wait_for(verdicts(VERDICT_CANCELLED) == 1 &&
	    dispatch_idle(world.dispatch));
	clock_fake_advance(&world.clock, 60 * SECOND);
	receive("130", SIGNAL_QUALIFIER_NEW, "4");
	wait_for(verdicts(VERDICT_ROUTED) == 2 &&
	    dispatch_idle(world.dispatch));
	assert_int_equal(world.peer.messages, 2);
	assert_memory_equal(world.peer.last, "5011 180017E13301004", 20);
	close_world();
}

/* The power goes when an alarm is decided and that is not on the disk: what is
 * remembered of the site must not know of it either, or the alarm would be taken
 * for a repeat of itself. */
static void
what_is_remembered_is_never_ahead_of_the_journal(void **state)
{
	struct dispatch_status status;
	uint64_t durable;
	char command[256];

	(void)state;
	open_world();
	receive("409", SIGNAL_QUALIFIER_RESTORE, "000");
	wait_for(verdicts(VERDICT_ROUTED) == 1 && settled());
	durable = journal_durable(world.journal);
	clock_fake_advance(&world.clock, 100 * SECOND);
	receive("130", SIGNAL_QUALIFIER_NEW, "4");
	while (journal_durable(world.journal) == durable)
		sched_yield();
	set_gate(true);
	do {
		event_base_loop(world.base, EVLOOP_ONCE);
		dispatch_status(world.dispatch, &status);
	} while (status.decided < 2);
	dispatch_close(&world.dispatch);
	egress_close(&world.egress);
	snprintf(command, sizeof(command), "cp -r %s %s.copy",
	    world.directory_path, world.directory_path);
	assert_int_equal(system(command), 0);
	set_gate(false);
	journal_close(&world.journal);
	snprintf(command, sizeof(command), "rm -rf %s && mv %s.copy %s",
	    world.directory_path, world.directory_path, world.directory_path);
	assert_int_equal(system(command), 0);

	open_stages();
	wait_for(dispatch_idle(world.dispatch));
	assert_int_equal(verdicts(VERDICT_REPEAT), 0);
	assert_int_equal(verdicts(VERDICT_ROUTED), 1);
	assert_int_equal(world.peer.messages, 2);
	assert_memory_equal(world.peer.last, "5011 180017E13301004", 20);
	close_world();
}

/* A bridge that moves to another customer while its alarm waits takes nothing
 * along: the alarm is the old customer's. */
static void
what_waits_keeps_its_account(void **state)
{
	const struct directory_site other = { .id = 8,
		.dealer_id = 1,
		.station_id = 5,
		.name = "other",
		.account = "0099" };
	const struct directory_bridge moved = {
		.id = BRIDGE, .site_id = 8, .serial = "b", .account = "ABCD"
	};
	struct directory_batch *batch;

	(void)state;
	open_world();
	receive("130", SIGNAL_QUALIFIER_NEW, "1");
	wait_for(verdicts(VERDICT_WAITING) == 1 && settled());
	batch = directory_batch_begin(world.directory);
	assert_int_equal(directory_put_site(batch, 8, &other), 0);
	assert_int_equal(directory_put_bridge(batch, BRIDGE, &moved), 0);
	assert_int_equal(directory_batch_commit(batch), 0);
	advance(61);
	wait_for(verdicts(VERDICT_ROUTED) == 1 &&
	    dispatch_idle(world.dispatch));
	assert_int_equal(world.peer.messages, 1);
	assert_memory_equal(world.peer.last, "5011 180017E130", 15);
	close_world();
}

/* Whose a signal is follows from who sent it, whatever else its record says. */
static void
nobody_outside_says_whose_it_is(void **state)
{
	const struct directory_site other = { .id = 8,
		.dealer_id = 1,
		.station_id = 5,
		.name = "other",
		.account = "0099" };
	struct directory_batch *batch;

	(void)state;
	open_world();
	batch = directory_batch_begin(world.directory);
	assert_int_equal(directory_put_site(batch, 8, &other), 0);
	assert_int_equal(directory_batch_commit(batch), 0);
	world.claimed_site_id = 8;
	receive("130", SIGNAL_QUALIFIER_NEW, "4");
	wait_for(verdicts(VERDICT_ROUTED) == 1 &&
	    dispatch_idle(world.dispatch));
	assert_memory_equal(world.peer.last, "5011 180017E13301004", 20);
	close_world();
}

/* The first five of a minute, all that save lives, and one that tells of the
 * rest; also when the daemon was killed in between. */
static void
a_bridge_that_runs_away_is_told_in_one_event(void **state)
{
	(void)state;
	open_world();
	close_stages();
	world.runaway_limit = 5;
	world.known_bridge_id = BRIDGE;
	open_stages();
	for (unsigned i = 0; i < 8; i++)
		receive("150", SIGNAL_QUALIFIER_NEW, "9");
	receive("110", SIGNAL_QUALIFIER_NEW, "9");
	wait_for(verdicts(VERDICT_SUPPRESSED) == 3 && settled());
	assert_int_equal(world.peer.messages, 6);
	close_stages();
	open_stages();
	clock_fake_advance(&world.clock, SECOND);
	receive("150", SIGNAL_QUALIFIER_NEW, "9");
	wait_for(verdicts(VERDICT_SUPPRESSED) == 1 && settled());
	advance(60);
	wait_for(verdicts(VERDICT_ROUTED) == 1 &&
	    dispatch_idle(world.dispatch));
	assert_int_equal(world.peer.messages, 7);
	assert_memory_equal(world.peer.last, "5011 180017E30000000", 20);
	/* it is over, told once, and the next minute is another one */
	close_stages();
	open_stages();
	receive("150", SIGNAL_QUALIFIER_NEW, "9");
	wait_for(verdicts(VERDICT_ROUTED) == 1 &&
	    dispatch_idle(world.dispatch));
	assert_int_equal(world.peer.messages, 8);
	close_world();
}

/* ---- any sequence ------------------------------------------------------------------- */

static uint32_t random_state;

static uint32_t
random_below(uint32_t limit)
{
	random_state = random_state * 1664525 + 1013904223;
	return (random_state >> 8) % limit;
}

static void
note_message(void)
{
	size_t length = strlen(world.sent);

	if (world.peer.messages == world.messages)
		return;
	assert_int_equal(world.peer.messages, world.messages + 1);
	world.messages++;
	snprintf(world.sent + length, sizeof(world.sent) - length, "%.20s\n",
	    world.peer.last);
}

/* One message at a time is noted, so that none is missed. */
static void
run_until_settled(void)
{
	int64_t end_us = clock_monotonic_us(&clock_system) + 20 * SECOND;

	while (!settled()) {
		assert_true(clock_monotonic_us(&clock_system) < end_us);
		event_base_loop(world.base, EVLOOP_ONCE);
		note_message();
	}
	note_message();
}

static void
random_step(void)
{
	static const struct {
		const char *code;
		enum signal_qualifier qualifier;
		bool zone;
	} kinds[] = {
		{ "130", SIGNAL_QUALIFIER_NEW, true },
		{ "130", SIGNAL_QUALIFIER_NEW, true },
		{ "130", SIGNAL_QUALIFIER_RESTORE, true },
		{ "409", SIGNAL_QUALIFIER_NEW, false },
		{ "409", SIGNAL_QUALIFIER_RESTORE, false },
	};
	uint32_t kind = random_below(COUNT(kinds));

	clock_fake_advance(&world.clock, 1 + random_below(25 * SECOND));
	receive(kinds[kind].code, kinds[kind].qualifier,
	    kinds[kind].zone ? zone_texts[1 + random_below(4)] : "000");
	run_until_settled();
}

/* Positions in the journal are others when there were other starts. */
static bool
has_zone(const struct site_state *state, const struct site_zone *zone)
{
	const struct site_zone *found =
	    site_state_zone(state, zone->bridge_id, zone->zone);

	return found && found->alarm == zone->alarm &&
	    found->until_us == zone->until_us &&
	    !found->held_lsn == !zone->held_lsn;
}

static bool
same_area(const struct site_area *a, const struct site_area *b)
{
	return b && a->commanded == b->commanded && a->armed == b->armed &&
	    a->at_us == b->at_us && a->told == b->told &&
	    a->entry_at_us == b->entry_at_us &&
	    a->entry_until_us == b->entry_until_us;
}

static struct site_state *
copy_state(void)
{
	const struct site_state *state =
	    site_states_find(dispatch_sites(world.dispatch), SITE);
	struct site_state *copy;

	if (!state)
		return NULL;
	copy = malloc(sizeof(*copy));
	*copy = *state;
	copy->areas = malloc(state->area_count * sizeof(copy->areas[0]) + 1);
	copy->zones = malloc(state->zone_count * sizeof(copy->zones[0]) + 1);
	for (unsigned i = 0; i < state->area_count; i++)
		copy->areas[i] = state->areas[i];
	for (unsigned i = 0; i < state->zone_count; i++)
		copy->zones[i] = state->zones[i];
	return copy;
}

static void
free_state(struct site_state *state)
{
	if (state) {
		free(state->areas);
		free(state->zones);
	}
	free(state);
}

static void
assert_same_state(const struct site_state *a, const struct site_state *b)
{
	assert_true((a == NULL) == (b == NULL));
	if (!a)
		return;
	assert_int_equal(a->area_count, b->area_count);
	assert_int_equal(a->zone_count, b->zone_count);
	for (unsigned i = 0; i < a->area_count; i++)
		assert_true(same_area(&a->areas[i],
		    site_state_area(b, a->areas[i].area)));
	for (unsigned i = 0; i < a->zone_count; i++)
		assert_true(has_zone(b, &a->zones[i]));
}

enum cuts {
	NEVER,
	WITH_CHECKPOINT,
	WITHOUT_CHECKPOINT
};

/* A restart that finds only what a kill leaves: an old checkpoint or none. */
static void
cut(enum cuts cuts)
{
	char path[128];

	close_stages();
	snprintf(path, sizeof(path), "%s/checkpoint", world.directory_path);
	if (cuts == WITHOUT_CHECKPOINT)
		unlink(path);
	open_stages();
	run_until_settled();
}

static struct site_state *
run_sequence(uint32_t seed, enum cuts cuts, char *ret_sent)
{
	struct site_state *state;

	open_world();
	random_state = seed;
	for (unsigned i = 0; i < STEPS; i++) {
		random_step();
		/* cuts must not use up the sequence's random numbers */
		if (cuts != NEVER && (i * 7 + seed) % 5 == 0)
			cut(cuts);
	}
	state = copy_state();
	strcpy(ret_sent, world.sent);
	close_world();
	return state;
}

static void
a_restart_anywhere_changes_nothing(void **state)
{
	static char never[8192], with[8192], without[8192];

	(void)state;
	for (uint32_t seed = 1; seed <= 6; seed++) {
		struct site_state *a = run_sequence(seed, NEVER, never);
		struct site_state *b =
		    run_sequence(seed, WITH_CHECKPOINT, with);
		struct site_state *c =
		    run_sequence(seed, WITHOUT_CHECKPOINT, without);

		assert_true(strlen(never) > 0);
		assert_string_equal(never, with);
		assert_string_equal(never, without);
		assert_same_state(a, b);
		assert_same_state(a, c);
		free_state(a);
		free_state(b);
		free_state(c);
	}
}

static int
begin(void **state)
{
	(void)state;
	directory_thread_register();
	return 0;
}

static int
end(void **state)
{
	(void)state;
	directory_thread_unregister();
	return 0;
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_alarm_waits_over_a_restart_and_is_raised),
		cmocka_unit_test(past_its_time_it_is_raised_at_the_start),
		cmocka_unit_test(disarmed_in_time_nothing_is_sent),
		cmocka_unit_test(
		    what_is_remembered_is_never_ahead_of_the_journal),
		cmocka_unit_test(what_waits_keeps_its_account),
		cmocka_unit_test(nobody_outside_says_whose_it_is),
		cmocka_unit_test(a_bridge_that_runs_away_is_told_in_one_event),
		cmocka_unit_test(a_restart_anywhere_changes_nothing),
	};

	return cmocka_run_group_tests(tests, begin, end);
}
