/* From the journal to a station on loopback, and again after a restart: real
 * journal, directory, routing and egress. */
#include "unit/test.h"

#include <errno.h>
#include <stdlib.h>

#include "dispatch/checkpoint.h"
#include "dispatch/dispatch.h"
#include "journal/record.h"
#include "unit/egress/peer.h"

#define RECEIVER 3
#define STATION	 5
#define SITE	 7
#define BRIDGE	 9

static struct world {
	char directory_path[64];
	struct event_base *base;
	struct event *tick;
	struct journal *journal;
	struct directory *directory;
	struct egress *egress;
	struct dispatch *dispatch;
	struct peer peer;
	const char *account;
	uint64_t next_fingerprint;
	int64_t repeat_window_us;
	enum ack_level level; /* of what is received */
	int64_t late_us;      /* and by how much later than now */
	/* what was told to be settled, in order */
	unsigned told;
	uint64_t told_lsns[16];
} world;

static void
on_tick(evutil_socket_t fd, short what, void *context)
{
	(void)fd;
	(void)what;
	(void)context;
}

#define wait_for(condition)                                                    \
 do {                                                                          \
  int64_t end_ = clock_monotonic_us(&clock_system) + 20000000;                 \
  while (!(condition)) {                                                       \
   if (clock_monotonic_us(&clock_system) > end_)                               \
    fail_msg("never came about: %s", #condition);                              \
   event_base_loop(world.base, EVLOOP_ONCE);                                   \
  }                                                                            \
 } while (0)

static const struct directory_zone zones[] = {
	{ "1", 11, 3, DIRECTORY_INHERIT, "", "Front gate" },
	{ "2", 12, 3, DIRECTORY_NO, "", "Back door" },
};

static void
fill_directory(void)
{
	struct directory_endpoint endpoint = { "127.0.0.1", world.peer.port };
	const struct directory_dealer dealer = { .id = 1, .name = "dealer" };
	const struct directory_zone_type instant = { 3, true, "130",
		"Instant" };
	const struct directory_receiver receiver = {
		.id = RECEIVER,
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
		.endpoints = &endpoint,
	};
	const struct directory_station station = { .id = STATION,
		.dealer_id = 1,
		.receiver_id = RECEIVER,
		.name = "record",
		.prefix = "",
		.line_card = "",
		.url_template = "" };
	const struct directory_site site = { .id = SITE,
		.dealer_id = 1,
		.station_id = STATION,
		.name = "site",
		.account = world.account,
		.reference_id = "" };
	const struct directory_bridge bridge = { .id = BRIDGE,
		.site_id = SITE,
		.serial = "b",
		.account = "ABCD",
		.zone_count = COUNT(zones),
		.zones = zones };
	struct directory_batch *batch = directory_batch_begin(world.directory);

	assert_int_equal(directory_put_dealer(batch, 1, &dealer), 0);
	assert_int_equal(directory_put_zone_type(batch, 3, &instant), 0);
	assert_int_equal(directory_put_receiver(batch, RECEIVER, &receiver), 0);
	assert_int_equal(directory_put_station(batch, STATION, &station), 0);
	assert_int_equal(directory_put_site(batch, SITE, &site), 0);
	assert_int_equal(directory_put_bridge(batch, BRIDGE, &bridge), 0);
	assert_int_equal(directory_batch_commit(batch), 0);
}

static void
open_journal(void)
{
	struct journal_config config = { .node = "n1",
		.directory = world.directory_path,
		.segment_bytes = 1 << 20,
		.budget_bytes = 64 << 20,
		.retention_us = INT64_MAX };
	struct err err = { "" };

	if (journal_open(&world.journal, &config, &io_system, &clock_system,
		&err) < 0 ||
	    journal_start(world.journal, &err) < 0)
		fail_msg("%s", err.text);
}

static int
try_stages(struct err *err)
{
	struct egress_config egress_config = { .reconnect_min_us = 10000,
		.reconnect_max_us = 50000,
		.connect_timeout_us = 5000000,
		.primary_return_us = 60000000 };
	struct dispatch_config config = { .repeat_window_us =
					      world.repeat_window_us,
		.repeat_slots = 1024,
		.state_directory = world.directory_path };
	struct egress_callbacks callbacks =
	    dispatch_egress_callbacks(&world.dispatch);
	int result = egress_open(&world.egress, world.base, &egress_config,
	    world.directory, &clock_system, &callbacks, err);

	if (result == 0)
		result = dispatch_open(&world.dispatch, world.base, &config,
		    world.journal, world.directory, &clock_system, world.egress,
		    err);
	return result;
}

static void
note_settled(void *context, uint64_t lsn)
{
	(void)context;
	world.told_lsns[world.told++ % COUNT(world.told_lsns)] = lsn;
}

static void
open_stages(void)
{
	struct err err = { "" };

	if (try_stages(&err) < 0)
		fail_msg("%s", err.text);
	dispatch_on_settled(world.dispatch, note_settled, NULL);
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
restart(void)
{
	close_stages();
	open_journal();
	open_stages();
}

static int
open_world(void **state)
{
	static const struct timeval often = { 0, 5000 };
	struct err err;

	(void)state;
	memset(&world, 0, sizeof(world));
	world.account = "0017";
	world.next_fingerprint = 1000;
	world.repeat_window_us = 120000000;
	strcpy(world.directory_path, "/tmp/tocsin-dispatch-XXXXXX");
	if (!mkdtemp(world.directory_path))
		return -1;
	world.base = event_base_new();
	world.tick = event_new(world.base, -1, EV_PERSIST, on_tick, NULL);
	event_add(world.tick, &often);
	directory_thread_register();
	if (directory_create(&world.directory, &err) < 0)
		return -1;
	peer_open(&world.peer, world.base, false, false);
	peer_listen(&world.peer);
	fill_directory();
	open_journal();
	return 0;
}

static int
close_world(void **state)
{
	char command[128];

	(void)state;
	close_stages();
	peer_close(&world.peer);
	directory_thread_unregister();
	directory_close(&world.directory);
	event_free(world.tick);
	event_base_free(world.base);
	snprintf(command, sizeof(command), "rm -rf %s", world.directory_path);
	return system(command);
}

/* An alarm of zone `zone`; fingerprint 0: one of its own. Returns its lsn. */
static uint64_t
receive(const char *zone, uint64_t fingerprint)
{
	static uint8_t payload[JOURNAL_PAYLOAD_MAX];
	struct record_signal record = {
		.listener = slice_from_string("panels"),
		.peer = slice_from_string("127.0.0.1:4000"),
		.sender = 1,
		.fingerprint =
		    fingerprint ? fingerprint : world.next_fingerprint++,
		.ack_level = world.level,
		.raw = slice_from_string("raw"),
		.signal = {
			.protocol = SIGNAL_PROTOCOL_DC09,
			.account = slice_from_string("ABCD"),
			.event_count = 1,
			.events[0] = { .format = SIGNAL_FORMAT_CONTACT_ID,
				.qualifier = SIGNAL_QUALIFIER_NEW,
				.code = "131",
				.partition = slice_from_string("01"),
				.zone = slice_from_string(zone) },
		},
	};
	int length = record_signal_encode(&record, payload, sizeof(payload));
	uint64_t lsn;

	assert_int_equal(journal_append(world.journal, JOURNAL_SIGNAL,
			     clock_wall_us(&clock_system) + world.late_us,
			     clock_monotonic_us(&clock_system),
			     slice_of(payload, (size_t)length), &lsn),
	    0);
	return lsn;
}

static uint64_t
verdicts(enum verdict verdict)
{
	struct dispatch_status status;

	dispatch_status(world.dispatch, &status);
	return status.verdicts[verdict];
}

static uint64_t
parked_now(void)
{
	struct dispatch_status status;

	dispatch_status(world.dispatch, &status);
	return status.parked_now;
}

static uint64_t
delivered(void)
{
	struct dispatch_status status;

	dispatch_status(world.dispatch, &status);
	return status.delivered;
}

static void
an_alarm_reaches_its_account_under_its_code(void **state)
{
	struct journal_status status;

	(void)state;
	open_stages();
	receive("1", 0);
	receive("2", 0);
	receive("1", 0);
	wait_for(dispatch_idle(world.dispatch) && delivered() == 2);
	assert_int_equal(verdicts(VERDICT_SUPPRESSED), 1);
	assert_memory_equal(world.peer.last, "5011 180017E13001001", 20);
	assert_int_equal(world.peer.messages, 2);
	journal_status(world.journal, &status);
	assert_true(status.unfinished_share < 0.001);
}

static void
a_repeat_is_delivered_once_also_across_a_restart(void **state)
{
	(void)state;
	open_stages();
	receive("1", 77);
	receive("1", 77);
	wait_for(dispatch_idle(world.dispatch) && delivered() == 1);
	restart();
	receive("1", 77);
	receive("1", 78);
	wait_for(dispatch_idle(world.dispatch) && delivered() == 1);
	assert_int_equal(verdicts(VERDICT_REPEAT), 1);
	assert_int_equal(world.peer.messages, 2);
}

static void
what_was_decided_is_not_decided_again(void **state)
{
	(void)state;
	open_stages();
	egress_pause(world.egress, "station", true);
	for (unsigned i = 0; i < 10; i++)
		receive("1", 0);
	wait_for(verdicts(VERDICT_ROUTED) == 10);

	/* the customer moves to another account; what is queued does not */
	world.account = "0099";
	fill_directory();
	restart();
	receive("1", 0);
	wait_for(dispatch_idle(world.dispatch) && world.peer.messages == 11);
	assert_memory_equal(world.peer.last, "5011 180099", 11);
	assert_int_equal(verdicts(VERDICT_ROUTED), 1);

	restart();
	wait_for(dispatch_idle(world.dispatch));
	assert_int_equal(world.peer.messages, 11);
}

static void
what_was_not_decided_is_decided_at_start(void **state)
{
	(void)state;
	for (unsigned i = 0; i < 5; i++)
		receive("1", i < 3 ? 0 : 500); /* the last one is a repeat */
	open_stages();
	wait_for(dispatch_idle(world.dispatch) && delivered() == 4);
	assert_int_equal(verdicts(VERDICT_REPEAT), 1);
	assert_int_equal(world.peer.messages, 4);
}

static void
assert_parked_reason(const char *reason)
{
	struct json json = { 0 };

	json_array_begin(&json, NULL);
	dispatch_show_parked(world.dispatch, &json, 100);
	json_array_end(&json);
	assert_non_null(strstr(json_text(&json), reason));
	json_close(&json);
}

static void
parked_deliveries_wait_for_an_operator(void **state)
{
	struct err err;

	(void)state;
	world.account = "TOOLONG";
	fill_directory();
	open_stages();
	receive("1", 0);
	wait_for(parked_now() == 1 && dispatch_idle(world.dispatch));
	assert_parked_reason("the account is longer than this receiver takes");
	restart();
	assert_int_equal(parked_now(), 1);
	assert_parked_reason("the account is longer than this receiver takes");
	assert_int_equal(dispatch_replay_parked(world.dispatch, "nobody",
			     "test", &err),
	    -ENOENT);
	assert_int_equal(dispatch_replay_parked(world.dispatch, "station",
			     "test", &err),
	    1);
	assert_int_equal(dispatch_replay_parked(world.dispatch, "station",
			     "test", &err),
	    0);
	wait_for(parked_now() == 1);
	assert_int_equal(world.peer.messages, 0);
}

/* Each goes for good, its place in the journal with it. */
static void
an_operator_gives_deliveries_up(void **state)
{
	struct dispatch_skipped skipped;
	struct err err = { "" };

	(void)state;
	world.account = "TOOLONG";
	fill_directory();
	open_stages();
	receive("1", 0);
	wait_for(parked_now() == 1 && dispatch_idle(world.dispatch));
	egress_pause(world.egress, "station", true);
	receive("1", 0);
	wait_for(egress_queued(world.egress) == 1);
	assert_int_equal(dispatch_skip(world.dispatch, "nobody", "test",
			     &skipped, &err),
	    -ENOENT);
	assert_int_equal(dispatch_skip(world.dispatch, NULL, "test", &skipped,
			     &err),
	    0);
	assert_int_equal(skipped.parked + skipped.queued, 0);
	assert_int_equal(dispatch_skip(world.dispatch, "station",
			     "sent by phone", &skipped, &err),
	    0);
	assert_int_equal(skipped.parked, 1);
	assert_int_equal(skipped.queued, 1);
	assert_false(skipped.delivering);
	wait_for(parked_now() == 0 && dispatch_idle(world.dispatch));
	assert_int_equal(dispatch_skip(world.dispatch, "station", "again",
			     &skipped, &err),
	    0);
	assert_int_equal(skipped.parked + skipped.queued, 0);
	restart();
	assert_int_equal(parked_now(), 0);
	assert_int_equal(egress_queued(world.egress), 0);
	assert_int_equal(world.peer.messages, 0);
}

static void
what_is_being_delivered_is_not_given_up(void **state)
{
	struct dispatch_skipped skipped;
	struct err err = { "" };

	(void)state;
	open_stages();
	world.peer.otherwise = PEER_SILENT;
	receive("1", 0);
	receive("1", 0);
	wait_for(world.peer.messages == 1 && egress_queued(world.egress) == 2);
	assert_int_equal(dispatch_skip(world.dispatch, "station", "test",
			     &skipped, &err),
	    0);
	assert_true(skipped.delivering);
	assert_int_equal(skipped.parked + skipped.queued, 0);
	assert_int_equal(egress_queued(world.egress), 2);
}

/* A decision that this program cannot read: a later version's. */
static uint64_t
append_strange_decision(void)
{
	uint64_t lsn;

	assert_int_equal(journal_append(world.journal, JOURNAL_DECISION, 1, 1,
			     slice_from_string("\x63 of version 99"), &lsn),
	    0);
	wait_for(journal_durable(world.journal) > lsn);
	return lsn;
}

static uint64_t
replay_from(void)
{
	struct number_table numbers = { 0 };
	struct site_states sites = { 0 };
	struct checkpoint checkpoint = { 0, 0, &numbers, &sites };
	char path[128];

	snprintf(path, sizeof(path), "%s/checkpoint", world.directory_path);
	assert_int_equal(checkpoint_read(path, journal_hash_key(world.journal),
			     &checkpoint),
	    0);
	number_close(&numbers);
	site_states_close(&sites);
	return checkpoint.replay_from_lsn;
}

static void
a_replay_that_fails_forgets_no_delivery(void **state)
{
	struct err err = { "" };
	uint64_t before;

	(void)state;
	world.repeat_window_us = 1; /* the undelivered alone hold it back */
	open_stages();
	egress_pause(world.egress, "station", true);
	for (unsigned i = 1; i <= 3; i++) {
		receive("1", 0);
		wait_for(verdicts(VERDICT_ROUTED) == i);
	}
	close_stages();
	open_journal();
	before = replay_from();
	append_strange_decision();
	assert_int_equal(try_stages(&err), -EINVAL);
	assert_non_null(strstr(err.text, "version 99"));
	assert_true(before > 0);
	assert_int_equal(replay_from(), before);
}

static void
a_journal_that_cannot_be_read_on_is_told(void **state)
{
	(void)state;
	open_stages();
	receive("1", 0);
	wait_for(delivered() == 1);
	assert_false(dispatch_broken(world.dispatch));
	append_strange_decision();
	wait_for(dispatch_broken(world.dispatch));
}

static void
deliveries_of_a_burst_keep_their_order(void **state)
{
	(void)state;
	open_stages();
	for (unsigned i = 0; i < 3000; i++)
		receive(i % 2 ? "1" : "901", 0); /* 901: unmapped, passes */
	wait_for(delivered() == 3000);
	for (unsigned i = 0; i < 3000; i++)
		assert_int_equal(world.peer.zones[i], i % 2 ? 1 : 901);
	restart();
	wait_for(dispatch_idle(world.dispatch));
	assert_int_equal(world.peer.messages, 3000);
}

/* ---- whose sender waits for the station ----------------------------------------- */

static void
assert_told(unsigned index, uint64_t lsn)
{
	assert_true(index < world.told);
	assert_int_equal(world.told_lsns[index], lsn);
}

static void
told_when_the_station_has_it(void **state)
{
	uint64_t lsn;

	(void)state;
	open_stages();
	egress_pause(world.egress, "station", true);
	receive("1", 0); /* of level local: never told */
	world.level = ACK_LEVEL_DELIVERED;
	lsn = receive("1", 0);
	wait_for(verdicts(VERDICT_ROUTED) == 2);
	assert_int_equal(world.told, 0);
	egress_pause(world.egress, "station", false);
	wait_for(world.told == 1);
	assert_told(0, lsn);
	assert_int_equal(delivered(), 2);
	lsn = receive("2", 0); /* nothing to deliver */
	wait_for(world.told == 2);
	assert_told(1, lsn);
}

static void
a_resend_waits_for_the_original(void **state)
{
	uint64_t original, resend, late;

	(void)state;
	world.level = ACK_LEVEL_DELIVERED;
	open_stages();
	egress_pause(world.egress, "station", true);
	original = receive("1", 77);
	resend = receive("1", 77);
	wait_for(verdicts(VERDICT_REPEAT) == 1);
	assert_int_equal(world.told, 0);
	egress_pause(world.egress, "station", false);
	wait_for(world.told == 2);
	assert_told(0, original);
	assert_told(1, resend);
	late = receive("1", 77);
	wait_for(world.told == 3);
	assert_told(2, late);
	restart();
	late = receive("1", 77);
	wait_for(world.told == 4);
	assert_told(3, late);
	wait_for(dispatch_idle(world.dispatch));
	assert_int_equal(world.peer.messages, 1);
}

static void
what_is_parked_is_told_when_it_has_ended(void **state)
{
	struct dispatch_skipped skipped;
	uint64_t resend;
	struct err err;

	(void)state;
	world.level = ACK_LEVEL_DELIVERED;
	world.account = "TOOLONG";
	fill_directory();
	open_stages();
	receive("1", 77);
	wait_for(parked_now() == 1 && dispatch_idle(world.dispatch));
	restart();
	resend = receive("1", 77);
	wait_for(verdicts(VERDICT_REPEAT) == 1);
	assert_int_equal(dispatch_replay_parked(world.dispatch, NULL, "test",
			     &err),
	    1);
	wait_for(parked_now() == 0);
	wait_for(parked_now() == 1 && dispatch_idle(world.dispatch));
	assert_int_equal(world.told, 0);
	assert_int_equal(dispatch_skip(world.dispatch, "station", "by phone",
			     &skipped, &err),
	    0);
	assert_int_equal(skipped.parked, 1);
	wait_for(world.told == 2);
	assert_told(1, resend);
	restart();
	receive("1", 77);
	wait_for(world.told == 3);
}

/* As long as it is sent again and again, and over restarts, it is one alarm. What
 * reads alike after a pause is another: a sequence began anew. */
static void
no_second_alarm_while_the_first_waits(void **state)
{
	struct dispatch_skipped skipped;
	struct err err = { "" };
	uint64_t resend;

	(void)state;
	world.level = ACK_LEVEL_DELIVERED;
	world.account = "TOOLONG";
	fill_directory();
	open_stages();
	receive("1", 77);
	wait_for(parked_now() == 1 && dispatch_idle(world.dispatch));
	for (unsigned i = 0; i < 3; i++) {
		world.late_us += 100000000; /* the window is 120 s */
		resend = receive("1", 77);
		wait_for(verdicts(VERDICT_REPEAT) == 1);
		assert_int_equal(verdicts(VERDICT_ROUTED), i == 0);
		restart();
	}
	world.late_us += 100000000;
	resend = receive("1", 77);
	wait_for(verdicts(VERDICT_REPEAT) == 1);
	world.level = ACK_LEVEL_LOCAL;
	world.late_us += 130000000;
	receive("1", 77);
	wait_for(parked_now() == 2 && dispatch_idle(world.dispatch));
	world.level = ACK_LEVEL_DELIVERED;
	world.late_us += 130000000;
	receive("1", 77);
	wait_for(parked_now() == 3 && dispatch_idle(world.dispatch));
	assert_int_equal(world.told, 0);
	assert_int_equal(dispatch_skip(world.dispatch, "station", "by phone",
			     &skipped, &err),
	    0);
	wait_for(world.told == 3);
	assert_told(1, resend);
}

/* It was answered for what it was; the other path promises more. */
static void
a_resend_of_what_nobody_waited_for(void **state)
{
	uint64_t resend;

	(void)state;
	open_stages();
	egress_pause(world.egress, "station", true);
	receive("1", 77);
	wait_for(verdicts(VERDICT_ROUTED) == 1);
	world.level = ACK_LEVEL_DELIVERED;
	resend = receive("1", 77);
	wait_for(verdicts(VERDICT_REPEAT) == 1);
	receive("2", 0); /* the turn after that is over */
	wait_for(world.told == 1);
	egress_pause(world.egress, "station", false);
	wait_for(world.told == 2);
	assert_told(1, resend);
	wait_for(delivered() == 1);
	resend = receive("1", 77); /* everything older is settled */
	wait_for(world.told == 3);
	assert_told(2, resend);
}

static void
what_was_not_decided_is_told_after_the_start(void **state)
{
	uint64_t lsns[2];

	(void)state;
	world.level = ACK_LEVEL_DELIVERED;
	lsns[0] = receive("1", 500);
	lsns[1] = receive("1", 500); /* a resend */
	open_stages();
	wait_for(world.told == 2);
	assert_told(0, lsns[0]);
	assert_told(1, lsns[1]);
	assert_int_equal(delivered(), 1);
}

#define world_test(name)                                                       \
 cmocka_unit_test_setup_teardown(name, open_world, close_world)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		world_test(an_alarm_reaches_its_account_under_its_code),
		world_test(a_repeat_is_delivered_once_also_across_a_restart),
		world_test(what_was_decided_is_not_decided_again),
		world_test(what_was_not_decided_is_decided_at_start),
		world_test(parked_deliveries_wait_for_an_operator),
		world_test(an_operator_gives_deliveries_up),
		world_test(what_is_being_delivered_is_not_given_up),
		world_test(a_replay_that_fails_forgets_no_delivery),
		world_test(a_journal_that_cannot_be_read_on_is_told),
		world_test(deliveries_of_a_burst_keep_their_order),
		world_test(told_when_the_station_has_it),
		world_test(a_resend_waits_for_the_original),
		world_test(what_is_parked_is_told_when_it_has_ended),
		world_test(no_second_alarm_while_the_first_waits),
		world_test(a_resend_of_what_nobody_waited_for),
		world_test(what_was_not_decided_is_told_after_the_start),
	};

	return cmocka_run_group_tests_name("dispatch", tests, NULL, NULL);
}
