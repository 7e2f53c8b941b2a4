/* Links that come, change, pause and go, and callers that cannot just now. */
#include <errno.h>

#include "unit/egress/fixture.h"

static void
test_pause_and_resume(void **state)
{
	(void)state;
	fixture_begin(DIRECTORY_PROTOCOL_SURGARD, false);
	fixture_sync(true);
	fixture_enqueue(5);
	wait_for(fixture.result_count == 5);
	assert_int_equal(egress_pause(fixture.egress, "nobody", true), -ENOENT);
	assert_int_equal(egress_pause(fixture.egress, "central", true), 0);
	assert_true(fixture_state_is("paused"));
	assert_string_equal(fixture_show("paused_by"), "operator");
	fixture_enqueue(100);
	assert_int_equal(egress_queued(fixture.egress), 100);
	assert_int_equal(egress_oldest(fixture.egress), 6);
	assert_int_equal(egress_pause(fixture.egress, "central", false), 0);
	wait_for(fixture.result_count == 105);
	fixture_assert_all_delivered();
}

/* What is in flight is answered before the pause. */
static void
test_pause_in_flight(void **state)
{
	(void)state;
	fixture_begin(DIRECTORY_PROTOCOL_SURGARD, false);
	fixture_sync(true);
	fixture_enqueue(3);
	wait_for(fixture_show_number("in_flight") == 1);
	assert_int_equal(egress_pause(fixture.egress, "central", true), 0);
	assert_true(fixture_state_is("up"));
	wait_for(fixture_state_is("paused"));
	assert_int_equal(fixture.result_count, 1);
	egress_pause(fixture.egress, "central", false);
	wait_for(fixture.result_count == 3);
	fixture_assert_all_delivered();
	assert_int_equal(fixture_show_number("repeated"), 0);
}

static void
test_paused_by_the_directory(void **state)
{
	(void)state;
	fixture_begin(DIRECTORY_PROTOCOL_SURGARD, false);
	fixture.receiver.paused = true;
	fixture_sync(true);
	fixture_enqueue(2);
	assert_true(fixture_state_is("paused"));
	assert_string_equal(fixture_show("paused_by"), "directory");
	fixture.receiver.paused = false;
	fixture_sync(true);
	wait_for(fixture.result_count == 2);
	fixture_assert_all_delivered();
}

/* The receiver moves to another address while a message is in flight. */
static void
test_changed_in_flight(void **state)
{
	(void)state;
	fixture_begin(DIRECTORY_PROTOCOL_SURGARD, false);
	fixture.peer.otherwise = PEER_SILENT;
	fixture_sync(true);
	fixture_enqueue(5);
	wait_for(fixture.peer.messages == 1);
	fixture.endpoints[0].port = fixture.backup.port;
	fixture_sync(true);
	wait_for(fixture.result_count == 5);
	fixture_assert_all_delivered();
	assert_int_equal(fixture.backup.messages, 5);
	assert_true(fixture.results[0].repeated);
	assert_false(fixture.results[1].repeated);
}

static void
test_same_settings_disturb_nothing(void **state)
{
	(void)state;
	fixture_begin(DIRECTORY_PROTOCOL_SURGARD, false);
	fixture_sync(true);
	wait_for(fixture_state_is("up"));
	fixture_sync(true);
	fixture_sync(true);
	assert_true(fixture_state_is("up"));
	assert_int_equal(fixture_show_number("connects"), 1);
}

/* A receiver is deleted with messages waiting, and comes back. */
static void
test_removed_in_flight(void **state)
{
	(void)state;
	fixture_begin(DIRECTORY_PROTOCOL_SURGARD, false);
	fixture.peer.otherwise = PEER_SILENT;
	fixture_sync(true);
	fixture_enqueue(5);
	wait_for(fixture.peer.messages == 1);
	fixture_sync(false);
	wait_for(fixture_state_is("removed"));
	assert_int_equal(egress_queued(fixture.egress), 5);
	assert_int_equal(egress_oldest(fixture.egress), 1);
	assert_string_equal(fixture_show("name"), "central");
	fixture.peer.otherwise = PEER_ACK;
	fixture_sync(true);
	wait_for(fixture.result_count == 5);
	fixture_assert_all_delivered();
	assert_true(fixture.results[0].repeated);
	fixture_sync(false);
	assert_string_equal(fixture_show("name"), "");
}

/* An outcome that cannot be recorded yet is told again, never lost. */
static void
test_done_again(void **state)
{
	(void)state;
	fixture_begin(DIRECTORY_PROTOCOL_SURGARD, false);
	fixture.done_refuses = 5;
	fixture_sync(true);
	fixture_enqueue(10);
	wait_for(fixture.done_refuses == 2);
	assert_int_equal(fixture.peer.messages, 1);
	assert_int_equal(egress_queued(fixture.egress), 10);
	assert_int_equal(egress_oldest(fixture.egress), 1);
	wait_for(fixture.result_count == 10);
	fixture_assert_all_delivered();
}

/* ... also when the station hangs up meanwhile: the outcome names the endpoint
 * that acknowledged. */
static void
test_done_again_across_connections(void **state)
{
	(void)state;
	fixture_begin(DIRECTORY_PROTOCOL_SURGARD, false);
	fixture.receiver.endpoint_count = 2;
	fixture.done_refuses = 5;
	fixture.peer.otherwise = PEER_ACK_CLOSE;
	fixture_sync(true);
	fixture_enqueue(3);
	wait_for(fixture.result_count == 3);
	fixture_assert_all_delivered();
	assert_int_equal(fixture.backup.messages, 0);
}

static void
test_load_again(void **state)
{
	(void)state;
	fixture_begin(DIRECTORY_PROTOCOL_SURGARD, false);
	fixture.load_fails = 3;
	fixture_sync(true);
	fixture_enqueue(10);
	wait_for(fixture.load_fails == 1);
	assert_string_equal(fixture_show("last_error"),
	    "the record cannot be read");
	wait_for(fixture.result_count == 10);
	fixture_assert_all_delivered();
}

/* A backlog is drained life safety first, an account's own order kept. */
static void
test_life_safety_first(void **state)
{
	static const uint64_t first[] = { 1, 11, 21, 31, 41, 51, 2, 3, 4 };

	(void)state;
	fixture_begin(DIRECTORY_PROTOCOL_SURGARD, false);
	fixture.accounts = 10;
	peer_stop(&fixture.peer);
	fixture_sync(true);
	fixture_enqueue(50);
	fixture_enqueue_one(true); /* of account 1 */
	wait_for(fixture_state_is("backing-off"));
	peer_listen(&fixture.peer);
	wait_for(fixture.result_count == 51);
	for (unsigned i = 0; i < COUNT(first); i++)
		assert_int_equal(fixture.results[i].lsn, first[i]);
	for (unsigned i = COUNT(first); i < 51; i++)
		assert_true(fixture.results[i].lsn >
		    fixture.results[i - 1].lsn);
	assert_true(egress_oldest(fixture.egress) == UINT64_MAX);
}

/* Sent before a restart, maybe: the mark goes through to the result. */
static void
test_repeated_by_restart(void **state)
{
	(void)state;
	fixture_begin(DIRECTORY_PROTOCOL_SURGARD, false);
	fixture_sync(true);
	assert_int_equal(egress_enqueue(fixture.egress, fixture.receiver.id,
			     (struct egress_reference){
				 .decision_lsn = ++fixture.queued,
				 .index = 7,
				 .repeated = 1 },
			     false),
	    0);
	wait_for(fixture.result_count == 1);
	assert_true(fixture.results[0].repeated);
	assert_int_equal(fixture.results[0].attempts, 1);
}

static void
test_host_names(void **state)
{
	(void)state;
	fixture_begin(DIRECTORY_PROTOCOL_SURGARD, false);
	fixture.receiver.endpoint_count = 2;
	fixture.endpoints[0].host = "no-such-host.invalid";
	fixture.endpoints[1].host = "localhost";
	fixture_sync(true);
	fixture_enqueue(2);
	wait_for(fixture.result_count == 2);
	fixture_assert_all_delivered();
	assert_int_equal(fixture.backup.messages, 2);
}

static void
count_up(void *context, const struct egress_link_status *status)
{
	unsigned *up = context;

	*up += status->up && status->queued == 0 && status->delivered == 1;
}

static void
test_many_links(void **state)
{
	unsigned up = 0;

	(void)state;
	fixture_begin(DIRECTORY_PROTOCOL_DC09, true);
	fixture.receiver.name = "one of many";
	for (uint64_t id = 40; id > 0; id--) {
		fixture.receiver.id = id;
		fixture_sync(true);
		fixture_enqueue(1);
	}
	wait_for(fixture.result_count == 40);
	egress_each(fixture.egress, count_up, &up);
	assert_int_equal(up, 40);
}

/* ---- everything at once ----------------------------------------------------- */

#define SCRIPT_LENGTH 120

static uint64_t seed;

static unsigned
draw(unsigned below)
{
	seed ^= seed << 13;
	seed ^= seed >> 7;
	seed ^= seed << 17;
	return (unsigned)(seed >> 33) % below;
}

static void
draw_script(enum peer_action script[SCRIPT_LENGTH])
{
	static const enum peer_action troubles[] = { PEER_NAK, PEER_SILENT,
		PEER_CLOSE, PEER_ACK_CLOSE, PEER_GARBAGE, PEER_WRONG,
		PEER_DRIP };

	for (unsigned i = 0; i < SCRIPT_LENGTH; i++)
		script[i] =
		    draw(3) > 0 ? PEER_ACK : troubles[draw(COUNT(troubles))];
}

/* Two stations in random trouble, callers that cannot just now, pauses and
 * changes: everything arrives, in order, doubled only where marked. */
static void
run_trouble(enum directory_protocol protocol, bool udp)
{
	static enum peer_action scripts[2][SCRIPT_LENGTH];

	fixture_open(NULL);
	fixture_begin(protocol, udp);
	fixture.receiver.endpoint_count = 2;
	fixture.receiver.ack_wait_ms = 15;
	fixture.receiver.heartbeat_ms = draw(2) * 20;
	draw_script(scripts[0]);
	draw_script(scripts[1]);
	peer_script(&fixture.peer, scripts[0], SCRIPT_LENGTH, PEER_ACK);
	peer_script(&fixture.backup, scripts[1], SCRIPT_LENGTH, PEER_ACK);
	fixture_sync(true);
	for (unsigned round = 0; round < 20; round++) {
		unsigned wanted = fixture.result_count + draw(8);

		fixture_enqueue(10);
		fixture.done_refuses += draw(4) == 0;
		fixture.load_fails += draw(4) == 0;
		wait_for(fixture.result_count >= wanted);
		egress_pause(fixture.egress, "central", draw(3) == 0);
		egress_pause(fixture.egress, "central", false);
		fixture.receiver.retries = (uint8_t)draw(4);
		fixture_sync(draw(4) > 0);
		fixture_sync(true);
	}
	wait_for(fixture.result_count == fixture.queued);
	fixture_assert_all_delivered();
	fixture_close(NULL);
}

static void
test_trouble(void **state)
{
	(void)state;
	for (uint64_t round = 1; round <= 4; round++) {
		seed = round * 0x9e3779b97f4a7c15u;
		run_trouble(DIRECTORY_PROTOCOL_SURGARD, false);
		run_trouble(DIRECTORY_PROTOCOL_DC09, false);
		run_trouble(DIRECTORY_PROTOCOL_DC09, true);
	}
}

/* It answered, then it is gone, and so is its machine: what nobody accepts is
 * no reason to go on trying there. */
static void
test_death_after_answers(void **state)
{
	(void)state;
	fixture_begin(DIRECTORY_PROTOCOL_SURGARD, false);
	fixture.receiver.endpoint_count = 2;
	fixture_sync(true);
	fixture_enqueue(3);
	wait_for(fixture.result_count == 3);
	peer_stop(&fixture.peer);
	fixture_enqueue(3);
	wait_for(fixture.result_count == 6);
	assert_int_equal(fixture.backup.messages, 3);
	fixture_assert_all_delivered();
}

static void
test_no_endpoint(void **state)
{
	(void)state;
	fixture_begin(DIRECTORY_PROTOCOL_DC09, true);
	fixture.receiver.endpoint_count = 0;
	fixture_sync(true);
	assert_true(fixture_state_is("down"));
	assert_string_equal(fixture_show("last_error"), "it has no endpoint");
}

#define link_test(name)                                                        \
 cmocka_unit_test_setup_teardown(name, fixture_open, fixture_close)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		link_test(test_pause_and_resume),
		link_test(test_pause_in_flight),
		link_test(test_paused_by_the_directory),
		link_test(test_changed_in_flight),
		link_test(test_same_settings_disturb_nothing),
		link_test(test_removed_in_flight),
		link_test(test_done_again),
		link_test(test_done_again_across_connections),
		link_test(test_load_again),
		link_test(test_life_safety_first),
		link_test(test_repeated_by_restart),
		link_test(test_host_names),
		link_test(test_many_links),
		link_test(test_death_after_answers),
		link_test(test_no_endpoint),
		cmocka_unit_test(test_trouble),
	};

	return cmocka_run_group_tests_name("links", tests, NULL, NULL);
}
