/*
 * Arming, delays and filters through the journal: what waits is raised when it
 * is due, also by a process that was not there when it began to wait. That a cut
 * anywhere changes nothing is test_dispatch_replay's.
 */
#include "unit/test.h"

#include <pthread.h>
#include <sched.h>
#include <stdlib.h>

#include "unit/dispatch/world.h"

/* A disk that takes nothing while the gate is shut. */
static struct gate {
	struct io io;
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

static const struct io *
gate_io(void)
{
	gate.io = io_system;
	gate.io.pwritev = gated_pwritev;
	return &gate.io;
}

static void
set_gate(bool shut)
{
	pthread_mutex_lock(&gate.lock);
	gate.shut = shut;
	pthread_cond_broadcast(&gate.changed);
	pthread_mutex_unlock(&gate.lock);
}

/* ---- by hand ------------------------------------------------------------------------ */

/* Who waits for the station waits for what becomes of the entry delay, whether
 * it was the alarm's sender or only the one of its resend. */
static void
an_alarm_that_waits_is_not_settled(void **state)
{
	(void)state;
	for (unsigned resent = 0; resent < 2; resent++)
		for (unsigned disarmed = 0; disarmed < 2; disarmed++) {
			open_world("/tmp", gate_io());
			receive("409", SIGNAL_QUALIFIER_RESTORE, "000");
			wait_for(verdicts(VERDICT_ROUTED) == 1 && settled());
			clock_fake_advance(&world.clock, 100 * SECOND);
			if (!resent)
				world.level = ACK_LEVEL_DELIVERED;
			receive("130", SIGNAL_QUALIFIER_NEW, "1");
			wait_for(verdicts(VERDICT_WAITING) == 1 && settled());
			world.level = ACK_LEVEL_DELIVERED;
			world.fingerprint -= resent;
			if (resent)
				receive("130", SIGNAL_QUALIFIER_NEW, "1");
			wait_for(verdicts(VERDICT_REPEAT) == resent &&
			    settled());
			world.level = ACK_LEVEL_LOCAL;
			assert_int_equal(world.told, 0);
			if (disarmed)
				receive("409", SIGNAL_QUALIFIER_NEW, "000");
			else
				advance(61);
			wait_for(world.told == 1);
			assert_int_equal(verdicts(VERDICT_CANCELLED), disarmed);
			wait_for(dispatch_idle(world.dispatch));
			assert_int_equal(world.peer.messages, 2);
			close_world();
		}
}

/* What a zone's filter leaves out is a repeat too, and not a resend. */
static void
what_a_filter_leaves_out_is_settled(void **state)
{
	(void)state;
	open_world("/tmp", gate_io());
	receive("409", SIGNAL_QUALIFIER_RESTORE, "000");
	wait_for(verdicts(VERDICT_ROUTED) == 1 && settled());
	clock_fake_advance(&world.clock, 100 * SECOND);
	world.level = ACK_LEVEL_DELIVERED;
	receive("130", SIGNAL_QUALIFIER_NEW, "3");
	wait_for(world.told == 1);
	receive("130", SIGNAL_QUALIFIER_NEW, "3");
	wait_for(world.told == 2);
	assert_int_equal(verdicts(VERDICT_REPEAT), 1);
	wait_for(dispatch_idle(world.dispatch));
	close_world();
}

static void
an_alarm_waits_over_a_restart_and_is_raised(void **state)
{
	(void)state;
	open_world("/tmp", gate_io());
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
	open_world("/tmp", gate_io());
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
	open_world("/tmp", gate_io());
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
	open_world("/tmp", gate_io());
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

static uint64_t
waiting_now(void)
{
	struct dispatch_status status;

	dispatch_status(world.dispatch, &status);
	return status.waiting_now;
}

/* Zone 1 begins the entry delay, all others follow it. */
static void
put_followers(struct directory_zone *zones, unsigned count)
{
	const struct directory_bridge bridge = { .id = BRIDGE,
		.site_id = SITE,
		.serial = "b",
		.account = "ABCD",
		.entry_delay_s = DIRECTORY_SECONDS_INHERIT,
		.exit_delay_s = DIRECTORY_SECONDS_INHERIT,
		.zone_count = (uint16_t)count,
		.zones = zones };
	struct directory_batch *batch = directory_batch_begin(world.directory);

	for (unsigned i = 0; i < count; i++)
		zones[i] = (struct directory_zone){ .channel_id = 100 + i,
			.zone_type = i == 0 ? 1 : 2,
			.enabled = DIRECTORY_INHERIT,
			.name = "way",
			.repeat_filter_s = DIRECTORY_SECONDS_INHERIT };
	for (unsigned i = 0; i < count; i++)
		snprintf(zones[i].zone, sizeof(zones[i].zone), "%u",
		    (i + 1) % 1000000);
	assert_int_equal(directory_put_bridge(batch, BRIDGE, &bridge), 0);
	assert_int_equal(directory_batch_commit(batch), 0);
}

/* Were there fewer after the last turns? Never by more than they may. */
static bool
fell_in_a_turn(uint64_t *left)
{
	uint64_t before = *left;

	*left = waiting_now();
	/* three things may bring a turn about at once */
	assert_in_range(before - *left, 0, 3 * 256);
	return *left < before;
}

/* Hundreds of alarms that are overdue take several turns, so that links and timers
 * get theirs; who disarms then was too late all the same. */
static void
what_is_overdue_is_raised_in_turns_and_in_order(void **state)
{
	static struct directory_zone zones[900];
	unsigned turns = 0;
	uint64_t left = COUNT(zones);

	(void)state;
	open_world("/tmp", gate_io());
	put_followers(zones, COUNT(zones));
	for (unsigned i = 0; i < COUNT(zones); i++)
		receive("130", SIGNAL_QUALIFIER_NEW, zones[i].zone);
	wait_for(waiting_now() == COUNT(zones) && settled());
	close_stages();
	clock_fake_advance(&world.clock, 3600 * SECOND);
	open_stages();
	receive("409", SIGNAL_QUALIFIER_NEW, "000");
	assert_int_equal(waiting_now(), COUNT(zones));
	wait_for((turns += fell_in_a_turn(&left)) > 0 && left == 0);
	assert_in_range(turns, 2, COUNT(zones));
	wait_for(dispatch_idle(world.dispatch));
	assert_int_equal(verdicts(VERDICT_CANCELLED), 0);
	assert_int_equal(verdicts(VERDICT_ROUTED), COUNT(zones) + 1);
	assert_int_equal(world.peer.messages, COUNT(zones) + 1);
	assert_memory_equal(world.peer.last, "5011 180017E409", 15);
	close_world();
}

/* The same when they are disarmed in time. */
static void
what_is_disarmed_is_cancelled_in_turns(void **state)
{
	static struct directory_zone zones[900];
	unsigned turns = 0;
	uint64_t left = COUNT(zones);

	(void)state;
	open_world("/tmp", gate_io());
	put_followers(zones, COUNT(zones));
	for (unsigned i = 0; i < COUNT(zones); i++)
		receive("130", SIGNAL_QUALIFIER_NEW, zones[i].zone);
	wait_for(waiting_now() == COUNT(zones) && settled());
	clock_fake_advance(&world.clock, SECOND);
	receive("409", SIGNAL_QUALIFIER_NEW, "000");
	/* received later, it is decided later */
	receive("130", SIGNAL_QUALIFIER_NEW, "1");
	wait_for((turns += fell_in_a_turn(&left)) > 0 && left == 0);
	assert_in_range(turns, 2, COUNT(zones));
	wait_for(dispatch_idle(world.dispatch));
	assert_int_equal(verdicts(VERDICT_CANCELLED), COUNT(zones));
	assert_int_equal(verdicts(VERDICT_ROUTED), 1);
	assert_int_equal(verdicts(VERDICT_SUPPRESSED), 1);
	close_world();
}

/* Somebody disarms one of two bridges: what waits of the other is asked, in
 * several turns, and goes on waiting. */
static void
what_goes_on_waiting_holds_up_nobody(void **state)
{
	static struct directory_zone zones[900];
	struct directory_site site = { .id = SITE,
		.dealer_id = 1,
		.station_id = 5,
		.name = "site",
		.account = "0017",
		.arming = DIRECTORY_ARMING_PANEL_INDIVIDUAL,
		.entry_delay_s = 60 };
	const struct directory_bridge other = { .id = HOUSE_BRIDGE,
		.site_id = SITE,
		.serial = "o",
		.account = "DCBA" };
	struct directory_batch *batch;

	(void)state;
	open_world("/tmp", gate_io());
	put_followers(zones, COUNT(zones));
	batch = directory_batch_begin(world.directory);
	assert_int_equal(directory_put_site(batch, SITE, &site), 0);
	assert_int_equal(directory_put_bridge(batch, HOUSE_BRIDGE, &other), 0);
	assert_int_equal(directory_batch_commit(batch), 0);
	for (unsigned i = 0; i < COUNT(zones); i++)
		receive("130", SIGNAL_QUALIFIER_NEW, zones[i].zone);
	wait_for(waiting_now() == COUNT(zones) && settled());
	clock_fake_advance(&world.clock, SECOND);
	receive_from("DCBA", "409", SIGNAL_QUALIFIER_NEW, "000");
	receive_from("DCBA", "602", SIGNAL_QUALIFIER_NEW, "000");
	wait_for(verdicts(VERDICT_ROUTED) == 2 && settled());
	assert_int_equal(waiting_now(), COUNT(zones));
	assert_int_equal(verdicts(VERDICT_CANCELLED), 0);
	advance(60);
	wait_for(dispatch_idle(world.dispatch));
	assert_int_equal(verdicts(VERDICT_ROUTED), COUNT(zones) + 2);
	close_world();
}

/* A bridge that moves to another customer while its alarm waits takes nothing
 * along: the alarm is the old customer's. */
static void
what_waits_keeps_its_account(void **state)
{
	const struct directory_bridge moved = {
		.id = BRIDGE, .site_id = HOUSE, .serial = "b", .account = "ABCD"
	};
	struct directory_batch *batch;

	(void)state;
	open_world("/tmp", gate_io());
	receive("130", SIGNAL_QUALIFIER_NEW, "1");
	wait_for(verdicts(VERDICT_WAITING) == 1 && settled());
	batch = directory_batch_begin(world.directory);
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
	(void)state;
	open_world("/tmp", gate_io());
	world.claimed_site_id = HOUSE;
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
	open_world("/tmp", gate_io());
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

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_alarm_that_waits_is_not_settled),
		cmocka_unit_test(what_a_filter_leaves_out_is_settled),
		cmocka_unit_test(an_alarm_waits_over_a_restart_and_is_raised),
		cmocka_unit_test(past_its_time_it_is_raised_at_the_start),
		cmocka_unit_test(disarmed_in_time_nothing_is_sent),
		cmocka_unit_test(
		    what_is_remembered_is_never_ahead_of_the_journal),
		cmocka_unit_test(
		    what_is_overdue_is_raised_in_turns_and_in_order),
		cmocka_unit_test(what_is_disarmed_is_cancelled_in_turns),
		cmocka_unit_test(what_goes_on_waiting_holds_up_nobody),
		cmocka_unit_test(what_waits_keeps_its_account),
		cmocka_unit_test(nobody_outside_says_whose_it_is),
		cmocka_unit_test(a_bridge_that_runs_away_is_told_in_one_event),
	};

	return cmocka_run_group_tests(tests, begin_worlds, end_worlds);
}
