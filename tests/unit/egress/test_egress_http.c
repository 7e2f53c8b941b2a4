/* What is posted by HTTP, signed webhooks and XML packages, and the Hello of
 * XML over TCP, against a station that behaves, or does not. */
#include "codec/webhook.h"
#include "unit/egress/fixture.h"

#define PASSKEY "correct-horse"

static void
begin(enum directory_protocol protocol)
{
	fixture_begin(protocol, false);
	fixture.peer.http = fixture.backup.http = true;
	for (unsigned i = 0; i < 2; i++) {
		fixture.endpoints[i].transport = DIRECTORY_TRANSPORT_HTTP;
		fixture.endpoints[i].path = "/hook?key=1";
	}
	strcpy(fixture.receiver.passkey, PASSKEY);
}

static const enum directory_protocol ways[] = { DIRECTORY_PROTOCOL_WEBHOOK,
	DIRECTORY_PROTOCOL_XML };

static const struct {
	const char *name;
	enum peer_action script[4];
	unsigned length;
	bool again; /* what was taken may come again */
} faults[] = {
	{ "all well", { PEER_ACK }, 1, false },
	{ "silent once", { PEER_ACK, PEER_SILENT }, 2, true },
	{ "silent too long", { PEER_SILENT, PEER_SILENT, PEER_SILENT }, 3,
	    true },
	{ "cannot now", { PEER_ACK, PEER_TROUBLE, PEER_TROUBLE }, 3, true },
	{ "refuses twice", { PEER_ACK, PEER_NAK, PEER_NAK }, 3, false },
	{ "closes without an answer", { PEER_ACK, PEER_CLOSE }, 2, true },
	{ "ends each connection", { PEER_ACK_CLOSE, PEER_ACK_CLOSE }, 2,
	    false },
	{ "ends with the connection", { PEER_RSP, PEER_RSP }, 2, false },
	{ "drips", { PEER_DRIP, PEER_DRIP }, 2, false },
	{ "is no HTTP", { PEER_ACK, PEER_GARBAGE }, 2, true },
};

static void
run_fault(size_t way, size_t row, unsigned heartbeat_ms)
{
	fixture_open(NULL);
	begin(ways[way]);
	fixture.receiver.heartbeat_ms = heartbeat_ms;
	peer_script(&fixture.peer, faults[row].script, faults[row].length,
	    PEER_ACK);
	fixture_sync(true);
	fixture_enqueue(10);
	wait_for(fixture.result_count == 10);
	fixture_assert_all_delivered();
	assert_row(faults[row].again == (fixture_show_number("repeated") > 0),
	    row, faults[row].name);
	fixture_close(NULL);
}

static void
test_faults(void **state)
{
	(void)state;
	for (size_t way = 0; way < COUNT(ways); way++)
		for (size_t i = 0; i < COUNT(faults); i++) {
			run_fault(way, i, 0);
			run_fault(way, i, 1000);
		}
}

/* One that is gone for good is asked no more, until an operator says so: what
 * waits is then delivered in order, and none of it was repeated. */
static void
test_gone(void **state)
{
	(void)state;
	begin(DIRECTORY_PROTOCOL_WEBHOOK);
	fixture.peer.otherwise = PEER_DUH;
	fixture_sync(true);
	fixture_enqueue(3);
	wait_for(fixture_state_is("down"));
	assert_string_equal(fixture_show("last_error"),
	    "the station answered 410, which is for good");
	assert_int_equal(fixture.peer.turns, 1);
	assert_int_equal(fixture.result_count, 0);
	assert_int_equal(egress_queued(fixture.egress), 3);
	fixture.peer.otherwise = PEER_ACK;
	assert_int_equal(egress_pause(fixture.egress, "central", true), 0);
	assert_int_equal(egress_pause(fixture.egress, "central", false), 0);
	wait_for(fixture.result_count == 3);
	fixture_assert_all_delivered();
	assert_int_equal(fixture_show_number("repeated"), 0);
}

/* Where only the first endpoint is gone, also for heartbeats, the second takes
 * over. */
static void
test_gone_to_the_backup(void **state)
{
	(void)state;
	begin(DIRECTORY_PROTOCOL_XML);
	fixture.receiver.endpoint_count = 2;
	fixture.receiver.heartbeat_ms = 1000;
	fixture.peer.otherwise = fixture.peer.heartbeats = PEER_DUH;
	fixture_sync(true);
	fixture_enqueue(5);
	wait_for(fixture.result_count == 5);
	fixture_assert_all_delivered();
	assert_int_equal(fixture.backup.messages, 5);
	fixture_enqueue(1);
	/* back to the first, which is still gone, and so on */
	wait_for(fixture.peer.connects > 2 && fixture_state_is("up"));
	wait_for(fixture.result_count == 6);
}

/* "Not now" is never the message's fault: it waits, however well heartbeats are
 * taken meanwhile. */
static void
test_trouble_for_ever(void **state)
{
	static const enum peer_action heartbeats[] = { PEER_TROUBLE, PEER_ACK };

	(void)state;
	for (unsigned i = 0; i <= COUNT(heartbeats); i++) {
		fixture_open(NULL);
		begin(DIRECTORY_PROTOCOL_WEBHOOK);
		fixture.receiver.heartbeat_ms = i > 0 ? 1000 : 0;
		fixture.peer.otherwise = PEER_TROUBLE;
		fixture.peer.heartbeats = heartbeats[i == 2];
		fixture_sync(true);
		fixture_enqueue(3);
		wait_for(fixture.peer.turns + fixture.peer.beats >= 10);
		assert_int_equal(fixture.result_count, 0);
		assert_string_equal(fixture_show("last_error"),
		    "the station answered 503");
		fixture.peer.otherwise = fixture.peer.heartbeats = PEER_ACK;
		wait_for(fixture.result_count == 3);
		fixture_assert_all_delivered();
		fixture_close(NULL);
	}
}

/* What the station calls wrong itself is parked, where it takes others. */
static void
test_refused_again_and_again(void **state)
{
	static const enum peer_action script[] = { PEER_ACK, PEER_NAK, PEER_NAK,
		PEER_NAK };

	(void)state;
	begin(DIRECTORY_PROTOCOL_WEBHOOK);
	peer_script(&fixture.peer, script, COUNT(script), PEER_ACK);
	fixture_sync(true);
	fixture_enqueue(3);
	wait_for(fixture.result_count == 3);
	assert_int_equal(fixture.results[1].state, OUTCOME_PARKED);
	assert_int_equal(fixture.results[1].attempts, 3);
	assert_int_equal(fixture.results[2].state, OUTCOME_DELIVERED);
}

static void
test_no_passkey(void **state)
{
	(void)state;
	begin(DIRECTORY_PROTOCOL_WEBHOOK);
	fixture.receiver.passkey[0] = '\0';
	fixture_sync(true);
	fixture_enqueue(1);
	assert_true(fixture_state_is("down"));
	assert_string_equal(fixture_show("last_error"),
	    "it has no passkey to sign with (--link-passkey)");
	strcpy(fixture.receiver.passkey, PASSKEY);
	fixture_sync(true);
	wait_for(fixture.result_count == 1);
	fixture_assert_all_delivered();
}

/* Servers end connections that nobody uses: that is no failure, and the next
 * message does not wait for it. */
static void
test_idle_connections_end(void **state)
{
	int64_t stood_us;

	(void)state;
	begin(DIRECTORY_PROTOCOL_WEBHOOK);
	fixture_sync(true);
	for (unsigned i = 1; i <= 3; i++) {
		wait_for(fixture.peer.connects == i && fixture_state_is("up"));
		/* longer than reconnect_min */
		stood_us = clock_monotonic_us(&clock_system) + 3000;
		wait_for(clock_monotonic_us(&clock_system) > stood_us);
		peer_hang_up(&fixture.peer);
	}
	wait_for(fixture.peer.connects == 4);
	assert_string_equal(fixture_show("last_error"), "");
	fixture_enqueue(2);
	wait_for(fixture.result_count == 2);
	fixture_assert_all_delivered();
	assert_int_equal(fixture_show_number("repeated"), 0);
}

/* ---- bytes ------------------------------------------------------------------------ */

static const char *
header(const char *name)
{
	static char value[256];
	const char *found = strstr(fixture.peer.head, name);

	assert_non_null(found);
	found += strlen(name);
	assert_int_equal(slice_copy(slice_of(found, strcspn(found, "\r")),
			     value, sizeof(value)),
	    0);
	return value;
}

static void
test_webhook_on_the_wire(void **state)
{
	int64_t time_s, began_us = clock_wall_us(&clock_system);
	char host[64];

	(void)state;
	begin(DIRECTORY_PROTOCOL_WEBHOOK);
	fixture_sync(true);
	fixture_enqueue(1);
	wait_for(fixture.result_count == 1);
	assert_memory_equal(fixture.peer.head, "POST /hook?key=1 HTTP/1.1\r\n",
	    27);
	snprintf(host, sizeof(host), "127.0.0.1:%u", fixture.peer.port);
	assert_string_equal(header("\nHost: "), host);
	assert_string_equal(header("\nContent-Type: "), "application/json");
	assert_string_equal(header("\nIdempotency-Key: "),
	    "node-1-0-1768473001204000");
	assert_null(strstr(fixture.peer.head, "Bearer"));
	assert_string_equal(fixture.peer.last,
	    "{\"version\":1,\"id\":\"node-1-0-1768473001204000\","
	    "\"Receiver\":\"01\",\"Line\":\"1\",\"Account\":\"1234\","
	    "\"Event\":{\"format\":\"contact-id\",\"qualifier\":\"E\","
	    "\"code\":\"130\",\"partition\":\"01\",\"zone\":\"001\","
	    "\"sia\":\"BA\",\"class\":\"alarm\"},"
	    "\"ReceivedAt\":\"2026-01-15T10:30:01.204Z\",\"Test\":false}");
	assert_true(webhook_is_signed(slice_from_string(PASSKEY),
	    slice_from_string(header("\nX-Tocsin-Signature: ")),
	    slice_from_string(fixture.peer.last), &time_s));
	assert_true(time_s >= began_us / 1000000);
	assert_true(time_s <= clock_wall_us(&clock_system) / 1000000);
}

static void
test_xml_on_the_wire(void **state)
{
	(void)state;
	begin(DIRECTORY_PROTOCOL_XML);
	fixture_sync(true);
	fixture_enqueue(1);
	wait_for(fixture.result_count == 1);
	assert_string_equal(header("\nContent-Type: "), "application/xml");
	assert_string_equal(header("\nAuthorization: "), "Bearer " PASSKEY);
	assert_string_equal(header("\nIdempotency-Key: "),
	    "node-1-0-1768473001204000");
	assert_null(strstr(fixture.peer.head, "Signature"));
	assert_memory_equal(fixture.peer.last,
	    "<AlarmPackage version=\"1\" id=\"node-1-0-1768473001204000\">",
	    57);
	assert_string_equal(fixture.peer.last + strlen(fixture.peer.last) - 15,
	    "</AlarmPackage>");
}

/* ---- Hello ------------------------------------------------------------------------- */

static void
test_hello_first(void **state)
{
	static const enum peer_action script[] = { PEER_ACK, PEER_CLOSE,
		PEER_ACK, PEER_SILENT, PEER_SILENT, PEER_SILENT };

	(void)state;
	for (unsigned heartbeat_ms = 0; heartbeat_ms <= 1000;
	     heartbeat_ms += 1000) {
		fixture_open(NULL);
		fixture_begin(DIRECTORY_PROTOCOL_XML, false);
		strcpy(fixture.receiver.passkey, "a \"<&>\" b");
		fixture.peer.passkey = fixture.receiver.passkey;
		fixture.receiver.heartbeat_ms = heartbeat_ms;
		peer_script(&fixture.peer, script, COUNT(script), PEER_ACK);
		fixture_sync(true);
		fixture_enqueue(10);
		wait_for(fixture.result_count == 10);
		fixture_assert_all_delivered();
		assert_int_equal(fixture.peer.hellos, fixture.peer.connects);
		fixture_close(NULL);
	}
}

static void
test_wrong_passkey(void **state)
{
	(void)state;
	fixture_begin(DIRECTORY_PROTOCOL_XML, false);
	strcpy(fixture.receiver.passkey, "another");
	fixture.peer.passkey = PASSKEY;
	fixture_sync(true);
	fixture_enqueue(2);
	wait_for(fixture.peer.hellos >= 3);
	assert_int_equal(fixture.result_count, 0);
	assert_string_equal(fixture_show("last_error"),
	    "our passkey was refused");
	strcpy(fixture.receiver.passkey, PASSKEY);
	fixture_sync(true);
	wait_for(fixture.result_count == 2);
	fixture_assert_all_delivered();
}

#define http_test(name)                                                        \
 cmocka_unit_test_setup_teardown(name, fixture_open, fixture_close)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_faults),
		http_test(test_gone),
		http_test(test_gone_to_the_backup),
		cmocka_unit_test(test_trouble_for_ever),
		http_test(test_refused_again_and_again),
		http_test(test_no_passkey),
		http_test(test_idle_connections_end),
		http_test(test_webhook_on_the_wire),
		http_test(test_xml_on_the_wire),
		cmocka_unit_test(test_hello_first),
		http_test(test_wrong_passkey),
	};

	return cmocka_run_group_tests_name("egress/http", tests, NULL, NULL);
}
