/* DC-09 links: TCP and UDP, clear and encrypted. */
#include "unit/egress/fixture.h"

static const struct {
	const char *name;
	bool udp;
	enum peer_action script[8];
	unsigned length;
	unsigned repeated, parked;
} faults[] = {
	{ "all well", false, { PEER_ACK }, 1, 0, 0 },
	{ "RSP counts", false, { PEER_RSP, PEER_ACK, PEER_RSP }, 3, 0, 0 },
	{ "refused once", false, { PEER_ACK, PEER_NAK }, 2, 0, 0 },
	{ "refused too often", false, { PEER_NAK, PEER_NAK, PEER_NAK }, 3, 0,
	    0 },
	{ "silent", false, { PEER_SILENT, PEER_SILENT, PEER_SILENT }, 3, 1, 0 },
	{ "answers something else", false, { PEER_ACK, PEER_WRONG }, 2, 1, 0 },
	{ "garbage", false, { PEER_GARBAGE, PEER_GARBAGE }, 2, 1, 0 },
	{ "dripped answers", false, { PEER_DRIP, PEER_DRIP, PEER_DRIP }, 3, 0,
	    0 },
	{ "closes after each", false, { PEER_ACK_CLOSE, PEER_ACK_CLOSE }, 2, 0,
	    0 },
	{ "closes without an answer", false, { PEER_ACK, PEER_CLOSE }, 2, 1,
	    0 },
	{ "will not process it", false, { PEER_ACK, PEER_DUH, PEER_DUH }, 3, 0,
	    2 },
	{ "datagrams", true, { PEER_ACK }, 1, 0, 0 },
	{ "lost datagrams", true,
	    { PEER_SILENT, PEER_ACK, PEER_SILENT, PEER_SILENT }, 4, 2, 0 },
	{ "refused datagram", true, { PEER_NAK }, 1, 0, 0 },
	{ "no datagram answered for long", true,
	    { PEER_SILENT, PEER_SILENT, PEER_SILENT }, 3, 1, 0 },
};

static unsigned
hang_ups(size_t row)
{
	unsigned count = 0;

	for (unsigned i = 0; i < faults[row].length; i++)
		count += faults[row].script[i] == PEER_ACK_CLOSE;
	return count;
}

static void
run_fault(size_t row, unsigned key_length)
{
	unsigned repeated = 0, parked = 0;

	fixture_open(NULL);
	fixture_begin(DIRECTORY_PROTOCOL_DC09, faults[row].udp);
	fixture.receiver.key_length = (uint8_t)key_length;
	memset(fixture.receiver.key, 'k', key_length);
	fixture.peer.key.length = (uint8_t)key_length;
	memset(fixture.peer.key.bytes, 'k', key_length);
	peer_script(&fixture.peer, faults[row].script, faults[row].length,
	    PEER_ACK);
	fixture_sync(true);
	fixture_enqueue(20);
	wait_for(fixture.result_count == 20);
	for (unsigned i = 0; i < fixture.result_count; i++) {
		assert_row(fixture.results[i].lsn == i + 1, row,
		    faults[row].name);
		repeated += fixture.results[i].repeated;
		parked += fixture.results[i].state == OUTCOME_PARKED;
	}
	/* a peer that hangs up may still have got the next one */
	assert_row(repeated >= faults[row].repeated, row, faults[row].name);
	assert_row(repeated <= faults[row].repeated + hang_ups(row), row,
	    faults[row].name);
	assert_row(parked == faults[row].parked, row, faults[row].name);
	if (parked == 0)
		fixture_assert_all_delivered();
	assert_string_equal(fixture.peer.account, "1234");
	fixture_close(NULL);
}

static void
test_faults_clear(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(faults); i++)
		run_fault(i, 0);
}

/* A clear RSP to an encrypted message proves nothing. */
static void
test_faults_encrypted(void **state)
{
	static const unsigned lengths[] = { 16, 24, 32 };

	(void)state;
	for (size_t i = 0; i < COUNT(faults); i++)
		if (faults[i].script[0] != PEER_RSP)
			run_fault(i, lengths[i % COUNT(lengths)]);
}

/* The receiver's clock runs far from ours: its NAK says how far. */
static void
test_clock_is_taken_from_nak(void **state)
{
	(void)state;
	fixture_begin(DIRECTORY_PROTOCOL_DC09, false);
	fixture.receiver.key_length = 16;
	fixture.peer.key.length = 16;
	fixture.peer.clock_offset_us = INT64_C(-7) * 86400 * 1000000;
	fixture_sync(true);
	fixture_enqueue(10);
	wait_for(fixture.result_count == 10);
	assert_int_equal(fixture_show_number("naks"), 1);
	assert_int_equal(fixture.results[0].attempts, 2);
	assert_int_equal(fixture.results[1].attempts, 1);
	fixture_assert_all_delivered();
}

static void
test_clear_ack_of_encrypted_is_ignored(void **state)
{
	static const enum peer_action script[] = { PEER_RSP };

	(void)state;
	fixture_begin(DIRECTORY_PROTOCOL_DC09, false);
	fixture.receiver.key_length = 16;
	fixture.peer.key.length = 16;
	peer_script(&fixture.peer, script, 1, PEER_ACK);
	fixture_sync(true);
	fixture_enqueue(1);
	wait_for(fixture.result_count == 1);
	assert_int_equal(fixture.results[0].attempts, 2);
	assert_true(fixture.results[0].repeated);
}

static const struct {
	const char *zone_name, *site_name, *url;
	int64_t occurred_us;
	const char *extended;
	struct position position;
} extras[] = {
	{ NULL, NULL, NULL, 0, "" },
	{ "Front gate", "Depot", "https://v.example/m?act=1&zone=001",
	    INT64_C(1768473001) * 1000000,
	    "H10:30:01,01-15-2026;IFront gate;SDepot;"
	    "Vhttps://v.example/m?act=1&zone=001;" },
	{ "Gate [north]", "M\xc3\xbchle", "", 0, "SM\xc3\xbchle;" },
	{ "two\rlines", "a|b", NULL, 0, "" },
	{ NULL, "Mole", NULL, 0, "SMole;X006E07.77778;Y49N06.66667;",
	    { true, 491111111, 61296296 } },
};

/* Names and links travel along where the frame can carry them, and never keep
 * an alarm back. */
static void
test_extended_data(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(extras); i++) {
		fixture_open(NULL);
		fixture_begin(DIRECTORY_PROTOCOL_DC09, false);
		fixture.zone_name = extras[i].zone_name;
		fixture.site_name = extras[i].site_name;
		fixture.url = extras[i].url;
		fixture.occurred_us = extras[i].occurred_us;
		fixture.position = extras[i].position;
		fixture_sync(true);
		fixture_enqueue(1);
		wait_for(fixture.result_count == 1);
		assert_int_equal(fixture.results[0].state, OUTCOME_DELIVERED);
		assert_string_equal(fixture.peer.extended, extras[i].extended);
		fixture_close(NULL);
	}
}

static void
test_account_that_does_not_fit(void **state)
{
	(void)state;
	fixture_begin(DIRECTORY_PROTOCOL_DC09, false);
	fixture.account = "12345678901234567";
	fixture_sync(true);
	fixture_enqueue(1);
	wait_for(fixture.result_count == 1);
	assert_int_equal(fixture.results[0].state, OUTCOME_PARKED);
	assert_string_equal(fixture.results[0].reason,
	    "the account is longer than this receiver takes");
	fixture.account = "1234567890123456";
	fixture_enqueue(1);
	wait_for(fixture.result_count == 2);
	assert_int_equal(fixture.results[1].state, OUTCOME_DELIVERED);
	assert_string_equal(fixture.peer.account, "1234567890123456");
}

/* What is refused or lost is sent again before anything behind it of the same
 * account is sent at all; others need not wait for it. */
static void
test_order_of_an_account_in_flight(void **state)
{
	(void)state;
	fixture_prove_order_in_flight(DIRECTORY_PROTOCOL_DC09);
}

/* 100 000 waiting references; the station hangs up and stalls in between. */
static void
test_pipelined(void **state)
{
	static const enum peer_action script[] = { PEER_ACK, PEER_ACK,
		PEER_SILENT, PEER_ACK, PEER_ACK, PEER_NAK, PEER_ACK, PEER_CLOSE,
		PEER_ACK, PEER_DRIP };

	(void)state;
	fixture_begin(DIRECTORY_PROTOCOL_DC09, false);
	fixture.receiver.in_flight = 64;
	fixture.accounts = 1000;
	fixture_enqueue(100000);
	assert_true(fixture_state_is("removed"));
	assert_int_equal(egress_queued(fixture.egress), 100000);
	assert_int_equal(egress_oldest(fixture.egress), 1);
	peer_script(&fixture.peer, script, COUNT(script), PEER_ACK);
	fixture_sync(true);
	wait_for(fixture.result_count == 100000);
	assert_int_equal(egress_queued(fixture.egress), 0);
	for (unsigned i = 0; i < fixture.result_count; i++)
		assert_int_equal(fixture.results[i].state, OUTCOME_DELIVERED);
}

static void
test_heartbeats(void **state)
{
	(void)state;
	fixture_begin(DIRECTORY_PROTOCOL_DC09, true);
	fixture.receiver.heartbeat_ms = 10;
	fixture_sync(true);
	wait_for(fixture.peer.beats >= 5);
	assert_int_equal(fixture_show_number("timeouts"), 0);
	peer_stop(&fixture.peer);
	wait_for(!fixture_state_is("up"));
	peer_listen(&fixture.peer);
	fixture_enqueue(2);
	wait_for(fixture.result_count == 2);
	fixture_assert_all_delivered();
}

#define link_test(name)                                                        \
 cmocka_unit_test_setup_teardown(name, fixture_open, fixture_close)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_faults_clear),
		cmocka_unit_test(test_faults_encrypted),
		link_test(test_clock_is_taken_from_nak),
		link_test(test_clear_ack_of_encrypted_is_ignored),
		cmocka_unit_test(test_extended_data),
		link_test(test_account_that_does_not_fit),
		link_test(test_pipelined),
		link_test(test_order_of_an_account_in_flight),
		link_test(test_heartbeats),
	};

	return cmocka_run_group_tests_name("dc09", tests, NULL, NULL);
}
