/* Sur-Gard links: forms, endpoints, the heartbeat, both directions. */
#include "unit/egress/fixture.h"

static const struct {
	const char *receiver, *line;
	uint8_t line_digits;
	const char *message; /* NULL: parked */
	const char *reason;
} forms[] = {
	{ "01", "1", 1, "5011 181234E13001001", "" },
	{ "1", "1", 3, "501001 181234E13001001", "" },
	{ "000007", "00A", 1, "507A 181234E13001001", "" },
	{ "", "", 1, "5000 181234E13001001", "" },
	{ "123", "1", 1, NULL,
	    "Sur-Gard has two digits for the receiver number" },
	{ "01", "12", 1, NULL,
	    "the receiver's line number has too many digits" },
};

/* What a receiver can be set to beside its numbers. */
static const struct {
	const char *account;
	enum directory_account_policy policy;
	bool clock;
	const char *message, *reason;
} options[] = {
	{ "1234", DIRECTORY_ACCOUNT_REFUSE, true,
	    "501001 181234E1300100110:30:01-15/01", "" },
	{ "1234567", DIRECTORY_ACCOUNT_SPLIT_FRONT, false,
	    "501123 184567E13001001", "" },
	{ "1234567", DIRECTORY_ACCOUNT_SPLIT_BACK, false,
	    "501567 181234E13001001", "" },
	{ "1234567", DIRECTORY_ACCOUNT_REFUSE, false, "",
	    "the account has more than 4 characters" },
	{ "12345678", DIRECTORY_ACCOUNT_SPLIT_BACK, false, "",
	    "the account has no room, even with the line field" },
};

static void
test_options_on_the_wire(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(options); i++) {
		fixture_open(NULL);
		fixture_begin(DIRECTORY_PROTOCOL_SURGARD, false);
		fixture.account = options[i].account;
		fixture.receiver.line_digits = 3;
		fixture.receiver.account_policy = options[i].policy;
		fixture.receiver.clock = options[i].clock;
		fixture.peer.behind_zone =
		    options[i].clock ? strlen("10:30:01-15/01") : 0;
		fixture_sync(true);
		fixture_enqueue(1);
		wait_for(fixture.result_count == 1);
		assert_string_equal(fixture.peer.last, options[i].message);
		assert_string_equal(fixture.results[0].reason,
		    options[i].reason);
		fixture_close(NULL);
	}
}

static void
test_message_on_the_wire(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(forms); i++) {
		fixture_open(NULL);
		fixture_begin(DIRECTORY_PROTOCOL_SURGARD, false);
		strcpy(fixture.receiver.receiver_number, forms[i].receiver);
		strcpy(fixture.receiver.line_number, forms[i].line);
		fixture.receiver.line_digits = forms[i].line_digits;
		fixture_sync(true);
		fixture_enqueue(1);
		wait_for(fixture.result_count == 1);
		assert_string_equal(fixture.peer.last,
		    forms[i].message ? forms[i].message : "");
		assert_string_equal(fixture.results[0].reason, forms[i].reason);
		assert_false(fixture.results[0].repeated);
		assert_int_equal(strncmp(fixture.results[0].endpoint,
				     "127.0.0.1:", 10),
		    0);
		fixture_close(NULL);
	}
}

/* The station hangs: it takes everything and says nothing. The backup takes
 * over; when the first is well again the link goes back. */
static void
test_backup_and_return(void **state)
{
	(void)state;
	fixture_begin(DIRECTORY_PROTOCOL_SURGARD, false);
	fixture.receiver.endpoint_count = 2;
	fixture_sync(true);
	fixture_enqueue(5);
	wait_for(fixture.result_count == 5);
	assert_int_equal(fixture.backup.messages, 0);
	fixture.peer.otherwise = PEER_SILENT;
	fixture_enqueue(5);
	wait_for(fixture.result_count == 10);
	assert_int_equal(fixture.backup.acked, 5);
	assert_true(fixture.results[5].repeated);
	assert_false(fixture.results[6].repeated);
	fixture.peer.otherwise = PEER_ACK;
	fixture_enqueue(1);
	wait_for(fixture_show_number("connects") >= 3 &&
	    fixture_state_is("up") && fixture.result_count == 11);
	fixture_enqueue(5);
	wait_for(fixture.result_count == 16);
	wait_for(fixture.peer.acked > 5);
	fixture_assert_all_delivered();
}

/* The backup hangs up just when the link is about to leave it. */
static void
test_return_from_a_backup_that_hangs_up(void **state)
{
	(void)state;
	fixture_begin(DIRECTORY_PROTOCOL_SURGARD, false);
	fixture.receiver.endpoint_count = 2;
	fixture.receiver.ack_wait_ms = 2000;
	fixture.backup.otherwise = PEER_SILENT;
	peer_stop(&fixture.peer);
	fixture_sync(true);
	wait_for(fixture_state_is("up"));
	fixture_enqueue(2);
	wait_for(fixture.backup.messages == 1);
	peer_listen(&fixture.peer);
	wait_for(strcmp(fixture_show("draining"), "true") == 0);
	peer_hang_up(&fixture.backup);
	wait_for(fixture.result_count == 2);
	fixture_assert_all_delivered();
	assert_true(fixture.results[0].repeated);
}

static void
test_nobody_there_then_somebody(void **state)
{
	(void)state;
	fixture_begin(DIRECTORY_PROTOCOL_SURGARD, false);
	fixture.receiver.endpoint_count = 2;
	peer_stop(&fixture.peer);
	peer_stop(&fixture.backup);
	fixture_sync(true);
	fixture_enqueue(3);
	wait_for(fixture_state_is("backing-off"));
	assert_int_equal(egress_queued(fixture.egress), 3);
	assert_int_equal(egress_oldest(fixture.egress), 1);
	peer_listen(&fixture.backup);
	wait_for(fixture.result_count == 3);
	fixture_assert_all_delivered();
	assert_int_equal(fixture.backup.messages, 3);
}

/* After a loss the first acknowledged heartbeat lets messages go again. */
static void
test_heartbeat_proves_the_link(void **state)
{
	(void)state;
	fixture_begin(DIRECTORY_PROTOCOL_SURGARD, false);
	fixture.receiver.heartbeat_ms = 20;
	fixture_sync(true);
	wait_for(fixture.peer.beats >= 3);
	fixture.peer.heartbeats = PEER_SILENT;
	wait_for(fixture_show_number("timeouts") >= 1);
	fixture_enqueue(2);
	wait_for(fixture_show_number("timeouts") >= 3);
	assert_int_equal(fixture.peer.messages, 0);
	fixture.peer.heartbeats = PEER_ACK;
	wait_for(fixture.result_count == 2);
	fixture_assert_all_delivered();
	assert_false(fixture.results[0].repeated);
}

static void
test_account_that_does_not_fit(void **state)
{
	(void)state;
	fixture_begin(DIRECTORY_PROTOCOL_SURGARD, false);
	fixture.receiver.account_digits = 4;
	fixture.account = "A10042";
	fixture_sync(true);
	fixture_enqueue(2);
	wait_for(fixture.result_count == 2);
	assert_int_equal(fixture.results[0].state, OUTCOME_PARKED);
	assert_int_equal(fixture.results[0].attempts, 0);
	assert_string_equal(fixture.results[0].reason,
	    "the account is longer than this receiver takes");
	assert_int_equal(fixture.peer.messages, 0);
	fixture.account = "0042";
	fixture_enqueue(1);
	wait_for(fixture.result_count == 3);
	assert_int_equal(fixture.results[2].state, OUTCOME_DELIVERED);
	assert_int_equal(fixture_show_number("parked"), 2);
}

/* Several unacknowledged: the answers come in order, so do the results. */
static void
test_several_in_flight(void **state)
{
	static const enum peer_action script[] = { PEER_ACK, PEER_ACK, PEER_NAK,
		PEER_ACK, PEER_ACK, PEER_SILENT };

	(void)state;
	fixture_begin(DIRECTORY_PROTOCOL_SURGARD, false);
	fixture.receiver.in_flight = 8;
	fixture.accounts = 100;
	fixture_sync(true);
	fixture_enqueue(500);
	wait_for(fixture.result_count == 500);
	fixture_assert_all_delivered();
	fixture.peer.turns = 0;
	peer_script(&fixture.peer, script, COUNT(script), PEER_ACK);
	fixture_enqueue(100);
	wait_for(fixture.result_count == 600);
	assert_int_equal(egress_queued(fixture.egress), 0);
	for (unsigned i = 0; i < fixture.result_count; i++)
		assert_int_equal(fixture.results[i].state, OUTCOME_DELIVERED);
}

/* What is refused or lost is sent again before anything behind it of the same
 * account is sent at all; others need not wait for it. */
static void
test_order_of_an_account_in_flight(void **state)
{
	(void)state;
	fixture_prove_order_in_flight(DIRECTORY_PROTOCOL_SURGARD);
}

/* ---- server: the automation connects to us ---------------------------------------- */

static uint16_t
begin_server(void)
{
	struct peer probe = { 0 };

	fixture_begin(DIRECTORY_PROTOCOL_SURGARD, false);
	/* a port that is free now, taken by the link at once */
	peer_open(&probe, fixture.base, false, false);
	peer_listen(&probe);
	fixture.endpoints[0].port = probe.port;
	peer_close(&probe);
	fixture.receiver.listen = true;
	fixture_sync(true);
	assert_true(fixture_state_is("listening"));
	return fixture.endpoints[0].port;
}

static void
test_server(void **state)
{
	uint16_t port = begin_server();

	(void)state;
	fixture_enqueue(3);
	peer_connect(&fixture.peer, port);
	wait_for(fixture.result_count == 3);
	peer_hang_up(&fixture.peer);
	wait_for(fixture_state_is("listening"));
	fixture_enqueue(3);
	peer_connect(&fixture.peer, port);
	wait_for(fixture.result_count == 6);
	fixture_assert_all_delivered();
	assert_false(fixture.results[3].repeated);
}

/* The automation crashed without a word and comes back. */
static void
test_server_newer_replaces_dead(void **state)
{
	uint16_t port = begin_server();

	(void)state;
	fixture.peer.otherwise = PEER_SILENT;
	fixture.peer.heartbeats = PEER_SILENT;
	peer_connect(&fixture.peer, port);
	wait_for(fixture_state_is("up"));
	peer_connect(&fixture.backup, port);
	fixture_enqueue(4);
	wait_for(fixture.result_count == 4);
	assert_int_equal(fixture.backup.acked, 4);
	fixture_assert_all_delivered();
}

/* A stranger cannot push out an automation that answers. */
static void
test_server_newer_is_refused(void **state)
{
	uint16_t port = begin_server();

	(void)state;
	peer_connect(&fixture.peer, port);
	wait_for(fixture_state_is("up"));
	peer_connect(&fixture.backup, port);
	wait_for(fixture.backup.fd < 0);
	assert_int_equal(fixture.peer.beats, 1);
	fixture_enqueue(4);
	wait_for(fixture.result_count == 4);
	assert_int_equal(fixture.peer.messages, 4);
	fixture_assert_all_delivered();
}

static void
test_server_port_taken(void **state)
{
	(void)state;
	fixture_begin(DIRECTORY_PROTOCOL_SURGARD, false);
	fixture.receiver.listen = true;
	fixture_sync(true);
	wait_for(fixture_state_is("backing-off"));
	assert_non_null(strstr(fixture_show("last_error"), "cannot bind"));
	peer_stop(&fixture.peer);
	wait_for(fixture_state_is("listening"));
}

#define link_test(name)                                                        \
 cmocka_unit_test_setup_teardown(name, fixture_open, fixture_close)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_message_on_the_wire),
		cmocka_unit_test(test_options_on_the_wire),
		link_test(test_backup_and_return),
		link_test(test_return_from_a_backup_that_hangs_up),
		link_test(test_nobody_there_then_somebody),
		link_test(test_heartbeat_proves_the_link),
		link_test(test_account_that_does_not_fit),
		link_test(test_several_in_flight),
		link_test(test_order_of_an_account_in_flight),
		link_test(test_server),
		link_test(test_server_newer_replaces_dead),
		link_test(test_server_newer_is_refused),
		link_test(test_server_port_taken),
	};

	return cmocka_run_group_tests_name("surgard", tests, NULL, NULL);
}
