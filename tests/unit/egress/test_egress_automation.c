/* Outputs that one byte answers (Sur-Gard, Ademco 685, D6500), XML and JSON, against
 * a station that behaves, or does not. */
#include "unit/egress/fixture.h"

static const struct {
	const char *name;
	enum peer_action script[8];
	unsigned length;
	unsigned repeated; /* results so marked */
	unsigned naks, timeouts;
} faults[] = {
	{ "all well", { PEER_ACK }, 1, 0, 0, 0 },
	{ "refused once", { PEER_ACK, PEER_NAK }, 2, 0, 1, 0 },
	{ "refused as often as it may", { PEER_NAK, PEER_NAK }, 2, 0, 2, 0 },
	{ "refused once too often", { PEER_NAK, PEER_NAK, PEER_NAK }, 3, 0, 3,
	    0 },
	{ "silent once", { PEER_ACK, PEER_SILENT }, 2, 1, 0, 1 },
	{ "silent too long", { PEER_SILENT, PEER_SILENT, PEER_SILENT }, 3, 1, 0,
	    3 },
	{ "no answer bytes", { PEER_GARBAGE, PEER_ACK, PEER_WRONG }, 3, 2, 0,
	    2 },
	{ "closes after each",
	    { PEER_ACK_CLOSE, PEER_ACK_CLOSE, PEER_ACK_CLOSE }, 3, 0, 0, 0 },
	{ "closes without an answer", { PEER_ACK, PEER_CLOSE, PEER_CLOSE }, 3,
	    1, 0, 0 },
	{ "silent, then refused", { PEER_SILENT, PEER_NAK }, 2, 1, 1, 1 },
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
run_fault(size_t row, enum directory_protocol protocol, unsigned heartbeat_ms)
{
	unsigned repeated = 0;

	fixture_open(NULL);
	fixture_begin(protocol, false);
	fixture.receiver.heartbeat_ms = heartbeat_ms;
	peer_script(&fixture.peer, faults[row].script, faults[row].length,
	    PEER_ACK);
	fixture_sync(true);
	fixture_enqueue(20);
	wait_for(fixture.result_count == 20);
	fixture_assert_all_delivered();
	for (unsigned i = 0; i < fixture.result_count; i++)
		repeated += fixture.results[i].repeated;
	/* a peer that hangs up may still have got the next one */
	assert_row(repeated >= faults[row].repeated, row, faults[row].name);
	assert_row(repeated <= faults[row].repeated + hang_ups(row), row,
	    faults[row].name);
	assert_row(fixture_show_number("naks") == faults[row].naks, row,
	    faults[row].name);
	assert_row(fixture_show_number("timeouts") >= faults[row].timeouts, row,
	    faults[row].name);
	assert_row(fixture_show_number("delivered") == 20, row,
	    faults[row].name);
	fixture_close(NULL);
}

static const enum directory_protocol protocols[] = {
	DIRECTORY_PROTOCOL_SURGARD,
	DIRECTORY_PROTOCOL_ADEMCO685,
	DIRECTORY_PROTOCOL_D6500,
	DIRECTORY_PROTOCOL_XML,
	DIRECTORY_PROTOCOL_JSON,
};

/* Without a heartbeat three refusals park where the protocol has that. */
static void
test_faults(void **state)
{
	(void)state;
	for (size_t p = 0; p < COUNT(protocols); p++)
		for (size_t i = 0; i < COUNT(faults); i++)
			if (p == 0 || faults[i].naks < 3)
				run_fault(i, protocols[p], 0);
}

static void
test_faults_with_heartbeats(void **state)
{
	(void)state;
	for (size_t p = 0; p < COUNT(protocols); p++)
		for (size_t i = 0; i < COUNT(faults); i++)
			run_fault(i, protocols[p], 1000);
}

/* ---- a message that the station never takes ------------------------------------ */

#define REFUSED "the station refused it again and again (NAK)"

static const struct {
	enum directory_protocol protocol;
	unsigned heartbeat_ms;
	enum peer_action script[12];
	unsigned length;
	unsigned parked[2]; /* which lsn */
	uint32_t attempts;  /* of the first */
} refusals[] = {
	/* others are taken: three are enough */
	{ DIRECTORY_PROTOCOL_ADEMCO685, 0,
	    { PEER_ACK, PEER_NAK, PEER_NAK, PEER_NAK }, 4, { 2 }, 3 },
	{ DIRECTORY_PROTOCOL_ADEMCO685, 1000,
	    { PEER_ACK, PEER_NAK, PEER_NAK, PEER_NAK }, 4, { 2 }, 3 },
	/* nothing else was taken yet: the heartbeat has to be, first */
	{ DIRECTORY_PROTOCOL_ADEMCO685, 1000,
	    { PEER_NAK, PEER_NAK, PEER_NAK, PEER_NAK }, 4, { 1 }, 4 },
	/* and again before a second one is parked */
	{ DIRECTORY_PROTOCOL_ADEMCO685, 1000,
	    { PEER_ACK, PEER_NAK, PEER_NAK, PEER_NAK, PEER_NAK, PEER_NAK,
		PEER_NAK, PEER_NAK },
	    8, { 2, 3 }, 3 },
	{ DIRECTORY_PROTOCOL_D6500, 1000,
	    { PEER_ACK, PEER_NAK, PEER_NAK, PEER_NAK }, 4, { 2 }, 3 },
	{ DIRECTORY_PROTOCOL_XML, 1000,
	    { PEER_ACK, PEER_NAK, PEER_NAK, PEER_NAK }, 4, { 2 }, 3 },
	/* no heartbeat could show it */
	{ DIRECTORY_PROTOCOL_ADEMCO685, 0, { PEER_NAK, PEER_NAK, PEER_NAK }, 3,
	    { 1 }, 3 },
};

static void
test_refused_for_ever(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(refusals); i++) {
		fixture_open(NULL);
		fixture_begin(refusals[i].protocol, false);
		fixture.receiver.retries = 9;
		fixture.receiver.heartbeat_ms = refusals[i].heartbeat_ms;
		peer_script(&fixture.peer, refusals[i].script,
		    refusals[i].length, PEER_ACK);
		fixture_sync(true);
		fixture_enqueue(5);
		wait_for(fixture.result_count == 5);
		for (unsigned n = 0; n < 5; n++) {
			const struct result *result = &fixture.results[n];
			bool parked = result->lsn == refusals[i].parked[0] ||
			    result->lsn == refusals[i].parked[1];

			assert_row(result->lsn == n + 1, i, "order");
			assert_row(result->state ==
				(parked ? OUTCOME_PARKED : OUTCOME_DELIVERED),
			    i, result->reason);
			assert_row(strcmp(result->reason,
				       parked ? REFUSED : "") == 0,
			    i, result->reason);
			assert_row(result->lsn != refusals[i].parked[0] ||
				result->attempts == refusals[i].attempts,
			    i, "attempts");
			assert_row(!result->repeated, i, "repeated");
		}
		assert_row(fixture_show_number("parked") ==
			1U + (refusals[i].parked[1] != 0),
		    i, "parked");
		fixture_close(NULL);
	}
}

/* A station that refuses its heartbeats too is ill: everything waits, nothing
 * is parked. */
static void
test_station_that_refuses_everything(void **state)
{
	(void)state;
	fixture_begin(DIRECTORY_PROTOCOL_ADEMCO685, false);
	fixture.receiver.heartbeat_ms = 1000;
	fixture.peer.otherwise = fixture.peer.heartbeats = PEER_NAK;
	fixture_sync(true);
	fixture_enqueue(3);
	wait_for(fixture_show_number("naks") >= 10);
	assert_int_equal(fixture.result_count, 0);
	fixture.peer.otherwise = fixture.peer.heartbeats = PEER_ACK;
	wait_for(fixture.result_count == 3);
	fixture_assert_all_delivered();
}

/* Answers of XML and JSON name their message, so several may be in flight. */
static void
test_xml_order_of_an_account_in_flight(void **state)
{
	(void)state;
	fixture_prove_order_in_flight(DIRECTORY_PROTOCOL_XML);
}

static void
test_json_order_of_an_account_in_flight(void **state)
{
	(void)state;
	fixture_prove_order_in_flight(DIRECTORY_PROTOCOL_JSON);
}

/* ---- bytes ------------------------------------------------------------------------ */

static const struct {
	enum directory_protocol protocol;
	const char *receiver, *line, *account;
	bool header_space;
	const char *message; /* NULL: parked; without its last byte */
	const char *reason;
	enum directory_translation translation;
	const char *codes, *sent_as; /* NULL: none */
} forms[] = {
	{ DIRECTORY_PROTOCOL_ADEMCO685, "01", "1", "1234", false,
	    "\n11 1234 18 E130 01 C001", "" },
	{ DIRECTORY_PROTOCOL_ADEMCO685, "0", "007", "123", false,
	    "\n07 0123 18 E130 01 C001", "" },
	{ DIRECTORY_PROTOCOL_ADEMCO685, "12", "1", "1234", false, NULL,
	    "Ademco 685 has one digit each for the receiver and the line" },
	{ DIRECTORY_PROTOCOL_ADEMCO685, "1", "1", "12345", false, NULL,
	    "the account is longer than this receiver takes" },
	{ DIRECTORY_PROTOCOL_D6500, "01", "1", "1234", false,
	    "a011 123418113001001", "" },
	{ DIRECTORY_PROTOCOL_D6500, "01", "1", "1234", false,
	    "S011[#1234|Nri01/BA0001]", "", DIRECTORY_TRANSLATION_SIA, NULL,
	    "BA" },
	{ DIRECTORY_PROTOCOL_D6500, "01", "1", "1234", false,
	    "S011[#1234|Nri01/BV0001]", "", DIRECTORY_TRANSLATION_SIA,
	    "E130=BV", "BV" },
	{ DIRECTORY_PROTOCOL_D6500, "7", "12", "123", true,
	    " a07C 012318113001001", "" },
	{ DIRECTORY_PROTOCOL_D6500, "123", "1", "1234", false, NULL,
	    "D6500 has two digits for the receiver number" },
	{ DIRECTORY_PROTOCOL_D6500, "01", "Z", "1234", false, NULL,
	    "the line is neither a number nor a letter to Y" },
	{ DIRECTORY_PROTOCOL_D6500, "01", "1", "12345", false, NULL,
	    "the account is longer than this receiver takes" },
	{ DIRECTORY_PROTOCOL_XML, "7", "1", "A234", false,
	    "<AlarmPackage version=\"1\" id=\"node-1-0-1768473001204000\">"
	    "<Receiver>7</Receiver><Line>1</Line><Account>A234</Account>"
	    "<Event format=\"contact-id\" qualifier=\"E\" code=\"130\" "
	    "partition=\"01\" zone=\"001\" sia=\"BA\" class=\"alarm\"/>"
	    "<ReceivedAt>2026-01-15T10:30:01.204Z</ReceivedAt>"
	    "<Test>false</Test></AlarmPackage>",
	    "" },
	{ DIRECTORY_PROTOCOL_XML, "7", "1", "12345", false, NULL,
	    "the account is longer than this receiver takes" },
	{ DIRECTORY_PROTOCOL_JSON, "7", "1", "A234", false,
	    "{\"sequence\":1,\"version\":1,\"id\":\"node-1-0-1768473001204000\","
	    "\"receiver\":\"7\",\"line\":\"1\",\"account\":\"A234\","
	    "\"format\":\"contact-id\",\"qualifier\":\"E\",\"code\":\"130\","
	    "\"partition\":\"01\",\"zone\":\"001\",\"sia\":\"BA\","
	    "\"class\":\"alarm\",\"received_at\":\"2026-01-15T10:30:01.204Z\","
	    "\"test\":false}",
	    "" },
	{ DIRECTORY_PROTOCOL_JSON, "7", "1", "12345", false, NULL,
	    "the account is longer than this receiver takes" },
	/* the second code is the receiver's own */
	{ DIRECTORY_PROTOCOL_XML, "7", "1", "A234", false,
	    "<AlarmPackage version=\"1\" id=\"node-1-0-1768473001204000\">"
	    "<Receiver>7</Receiver><Line>1</Line><Account>A234</Account>"
	    "<Event format=\"contact-id\" qualifier=\"E\" code=\"130\" "
	    "partition=\"01\" zone=\"001\" sia=\"BV\" class=\"alarm\"/>"
	    "<ReceivedAt>2026-01-15T10:30:01.204Z</ReceivedAt>"
	    "<Test>false</Test></AlarmPackage>",
	    "", DIRECTORY_TRANSLATION_NONE, "E130=BV", NULL },
	{ DIRECTORY_PROTOCOL_JSON, "7", "1", "A234", false,
	    "{\"sequence\":1,\"version\":1,\"id\":\"node-1-0-1768473001204000\","
	    "\"receiver\":\"7\",\"line\":\"1\",\"account\":\"A234\","
	    "\"format\":\"contact-id\",\"qualifier\":\"E\",\"code\":\"130\","
	    "\"partition\":\"01\",\"zone\":\"001\",\"sia\":\"BV\","
	    "\"class\":\"alarm\",\"received_at\":\"2026-01-15T10:30:01.204Z\","
	    "\"test\":false}",
	    "", DIRECTORY_TRANSLATION_NONE, "E130=BV", NULL },
};

static void
test_message_on_the_wire(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(forms); i++) {
		const char *message = forms[i].message;

		fixture_open(NULL);
		fixture_begin(forms[i].protocol, false);
		strcpy(fixture.receiver.receiver_number, forms[i].receiver);
		strcpy(fixture.receiver.line_number, forms[i].line);
		fixture.receiver.header_space = forms[i].header_space;
		fixture.receiver.translation = forms[i].translation;
		fixture.receiver.codes = forms[i].codes;
		/* a SIA block ends behind its zone */
		fixture.peer.behind_zone = forms[i].translation != 0;
		fixture.receiver.account_digits = 4;
		fixture.account = forms[i].account;
		fixture_sync(true);
		fixture_enqueue(1);
		wait_for(fixture.result_count == 1);
		assert_row(strcmp(fixture.peer.last, message ? message : "") ==
			0,
		    i, fixture.peer.last);
		assert_row(strcmp(fixture.results[0].reason, forms[i].reason) ==
			0,
		    i, fixture.results[0].reason);
		assert_string_equal(fixture.results[0].sent_as,
		    forms[i].sent_as ? forms[i].sent_as : "");
		fixture_close(NULL);
	}
}

static bool
ask(void)
{
	peer_say(&fixture.peer, "\r");
	return true;
}

/* The computer asks whether we are there: once in a while it hears so, and
 * messages do not wait for that, however often it asks. */
static void
test_ademco685_link_test(void **state)
{
	int64_t begun_us = clock_monotonic_us(&clock_system), took_us;

	(void)state;
	fixture_begin(DIRECTORY_PROTOCOL_ADEMCO685, false);
	fixture_sync(true);
	fixture_enqueue(1);
	wait_for(fixture.result_count == 1);
	assert_int_equal(fixture.peer.beats, 0);
	wait_for(ask() && fixture.peer.beats == 2);
	assert_string_equal(fixture.peer.last, "\n11 OKAY @");
	fixture_enqueue(50);
	wait_for(ask() && fixture.result_count == 51);
	fixture_assert_all_delivered();
	took_us = clock_monotonic_us(&clock_system) - begun_us;
	assert_true(fixture.peer.beats <= took_us / 300000);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_faults),
		cmocka_unit_test(test_faults_with_heartbeats),
		cmocka_unit_test(test_refused_for_ever),
		cmocka_unit_test_setup_teardown(
		    test_station_that_refuses_everything, fixture_open,
		    fixture_close),
		cmocka_unit_test_setup_teardown(
		    test_xml_order_of_an_account_in_flight, fixture_open,
		    fixture_close),
		cmocka_unit_test_setup_teardown(
		    test_json_order_of_an_account_in_flight, fixture_open,
		    fixture_close),
		cmocka_unit_test(test_message_on_the_wire),
		cmocka_unit_test_setup_teardown(test_ademco685_link_test,
		    fixture_open, fixture_close),
	};

	return cmocka_run_group_tests_name("egress/automation", tests, NULL,
	    NULL);
}
