#include "unit/egress/fixture.h"

#include <errno.h>
#include <stdlib.h>

#include "base/log.h"

struct fixture fixture;
const char *fixture_certificates;
char fixture_place[64];

static void
on_tick(evutil_socket_t fd, short what, void *context)
{
	(void)fd;
	(void)what;
	(void)context;
}

int64_t
fixture_deadline(void)
{
	return clock_monotonic_us(&clock_system) + 20000000;
}

bool
fixture_late(int64_t deadline)
{
	return clock_monotonic_us(&clock_system) > deadline;
}

void
fixture_turn(void)
{
	event_base_loop(fixture.base, EVLOOP_ONCE);
}

static int
load(void *context, struct egress_reference reference, struct delivery *ret,
    struct err *err)
{
	static char zone[4], account[8];

	(void)context;
	if (fixture.load_fails > 0) {
		fixture.load_fails--;
		return err_set(err, -EIO, "the record cannot be read");
	}
	snprintf(zone, sizeof(zone), "%03u",
	    (unsigned)(reference.decision_lsn % 1000));
	if (fixture.accounts > 0)
		snprintf(account, sizeof(account), "%04u",
		    1000 +
			(unsigned)(reference.decision_lsn % fixture.accounts));
	*ret = (struct delivery){
		.receiver_id = fixture.receiver.id,
		.number = reference.decision_lsn,
		.format = SIGNAL_FORMAT_CONTACT_ID,
		.qualifier = SIGNAL_QUALIFIER_NEW,
		.code = "130",
		.account =
		    slice_from_string(fixture.accounts > 0 ? account
							   : fixture.account),
		.partition = slice_from_string("01"),
		.zone = slice_from_string(zone),
		.zone_name = slice_from_string(fixture.zone_name),
		.site_name = slice_from_string(fixture.site_name),
		.url = slice_from_string(fixture.url),
		.occurred_us = fixture.occurred_us,
		.position = fixture.position,
		.received_us = 1768473001204000,
	};
	return 0;
}

static int
done(void *context, const struct egress_result *result)
{
	struct result *kept = &fixture.results[fixture.result_count];

	(void)context;
	if (fixture.done_refuses > 0) {
		fixture.done_refuses--;
		return -EAGAIN;
	}
	assert_true(fixture.result_count < RESULTS_MAX);
	kept->lsn = result->reference.decision_lsn;
	kept->receiver_id = result->receiver_id;
	kept->state = result->state;
	kept->attempts = result->attempts;
	kept->repeated = result->repeated;
	slice_copy(result->endpoint, kept->endpoint, sizeof(kept->endpoint));
	slice_copy(result->reason, kept->reason, sizeof(kept->reason));
	slice_copy(result->sent_as, kept->sent_as, sizeof(kept->sent_as));
	fixture.result_count++;
	return 0;
}

int
fixture_open(void **state)
{
	const struct egress_config config = {
		.node = "node",
		.certificates = fixture_certificates,
		.nameservers = "",
		.programs_directory = fixture_place,
		.files_directory = fixture_place,
		.reconnect_min_us = 2000,
		.reconnect_max_us = 20000,
		.connect_timeout_us = 500000,
		.primary_return_us = 50000,
	};
	const struct egress_callbacks callbacks = { load, done, NULL, NULL };
	const struct timeval tick = { 0, 5000 };
	struct err err;

	(void)state;
	memset(&fixture, 0, sizeof(fixture));
	log_open("/dev/null", LOG_DEBUG, &err);
	fixture.account = "1234";
	fixture.base = event_base_new();
	fixture.tick = event_new(fixture.base, -1, EV_PERSIST, on_tick, NULL);
	event_add(fixture.tick, &tick);
	assert_int_equal(directory_create(&fixture.directory, &err), 0);
	directory_thread_register();
	directory_thread_offline();
	assert_int_equal(egress_open(&fixture.egress, fixture.base, &config,
			     fixture.directory, &clock_system, &callbacks,
			     &err),
	    0);
	return 0;
}

int
fixture_close(void **state)
{
	(void)state;
	egress_close(&fixture.egress);
	directory_thread_unregister();
	directory_close(&fixture.directory);
	peer_close(&fixture.peer);
	peer_close(&fixture.backup);
	event_free(fixture.tick);
	event_base_free(fixture.base);
	return 0;
}

void
fixture_begin(enum directory_protocol protocol, bool udp)
{
	bool dc09 = protocol == DIRECTORY_PROTOCOL_DC09;
	enum directory_transport transport =
	    udp ? DIRECTORY_TRANSPORT_UDP : DIRECTORY_TRANSPORT_TCP;

	peer_open(&fixture.peer, fixture.base, dc09, udp);
	peer_open(&fixture.backup, fixture.base, dc09, udp);
	if (protocol == DIRECTORY_PROTOCOL_ADEMCO685)
		fixture.peer.terminator = fixture.backup.terminator = '\r';
	fixture.peer.xml = fixture.backup.xml =
	    protocol == DIRECTORY_PROTOCOL_XML;
	fixture.peer.json = fixture.backup.json =
	    protocol == DIRECTORY_PROTOCOL_JSON;
	peer_listen(&fixture.peer);
	peer_listen(&fixture.backup);
	fixture.endpoints[0] = (struct directory_endpoint){ .host = "127.0.0.1",
		.port = fixture.peer.port,
		.transport = transport };
	fixture.endpoints[1] = (struct directory_endpoint){ .host = "127.0.0.1",
		.port = fixture.backup.port,
		.transport = transport };
	fixture.receiver = (struct directory_receiver){
		.id = 7,
		.name = "central",
		.protocol = protocol,
		.receiver_number = "01",
		.line_number = "1",
		.line_digits = 1,
		.ack_wait_ms = 60,
		.retries = 2,
		.in_flight = 1,
		.endpoint_count = 1,
		.endpoints = fixture.endpoints,
	};
}

void
fixture_sync(bool present)
{
	struct directory_batch *batch =
	    directory_batch_begin(fixture.directory);

	assert_non_null(batch);
	assert_int_equal(directory_put_receiver(batch, fixture.receiver.id,
			     present ? &fixture.receiver : NULL),
	    0);
	assert_int_equal(directory_batch_commit(batch), 0);
	egress_sync(fixture.egress);
}

void
fixture_enqueue(unsigned count)
{
	while (count-- > 0)
		fixture_enqueue_one(false);
}

void
fixture_enqueue_one(bool urgent)
{
	uint64_t number = ++fixture.queued;
	const struct egress_reference reference = {
		.decision_lsn = number,
		.account = fixture.accounts > 0
		    ? (uint32_t)(number % fixture.accounts)
		    : 0,
	};

	assert_int_equal(egress_enqueue(fixture.egress, fixture.receiver.id,
			     reference, urgent),
	    0);
}

/* The text of a member's value in the first object, quotes taken off. */
const char *
fixture_show(const char *field)
{
	static char value[256];
	struct json json = { 0 };
	char key[64];
	const char *found;
	size_t length = 0;

	snprintf(key, sizeof(key), "\"%s\":", field);
	json_array_begin(&json, NULL);
	egress_show(fixture.egress, &json);
	json_array_end(&json);
	found = strstr(json_text(&json), key);
	if (found) {
		found += strlen(key);
		length = *found == '"' ? strcspn(++found, "\"")
				       : strcspn(found, ",}");
	}
	assert_int_equal(slice_copy(slice_of(found ? found : "", length), value,
			     sizeof(value)),
	    0);
	json_close(&json);
	return value;
}

uint64_t
fixture_show_number(const char *field)
{
	unsigned long number = 0;

	assert_int_equal(slice_to_number(slice_from_string(fixture_show(field)),
			     10, &number),
	    0);
	return number;
}

bool
fixture_state_is(const char *state)
{
	return strcmp(fixture_show("state"), state) == 0;
}

/* How often a zone came to either peer. */
static unsigned
arrivals(unsigned zone)
{
	unsigned count = 0;

	for (unsigned i = 0; i < fixture.peer.messages; i++)
		count += fixture.peer.zones[i] == zone;
	for (unsigned i = 0; i < fixture.backup.messages; i++)
		count += fixture.backup.zones[i] == zone;
	return count;
}

/* Only the message in flight may come again, so each peer hears a rising
 * sequence, with equal neighbours where one was repeated. */
static void
assert_rising(const struct peer *peer)
{
	for (unsigned i = 1; i < peer->messages; i++)
		assert_true(peer->zones[i] >= peer->zones[i - 1]);
}

void
fixture_assert_all_delivered(void)
{
	assert_int_equal(fixture.result_count, fixture.queued);
	assert_rising(&fixture.peer);
	assert_rising(&fixture.backup);
	for (unsigned i = 0; i < fixture.result_count; i++) {
		const struct result *result = &fixture.results[i];
		unsigned came = arrivals((unsigned)result->lsn);

		assert_int_equal(result->lsn, i + 1);
		assert_int_equal(result->state, OUTCOME_DELIVERED);
		assert_int_equal(result->receiver_id, fixture.receiver.id);
		assert_true(came >= 1);
		assert_true(came == 1 || result->repeated);
	}
	assert_int_equal(egress_queued(fixture.egress), 0);
	assert_true(egress_oldest(fixture.egress) == UINT64_MAX);
}

void
fixture_prove_order_in_flight(enum directory_protocol protocol)
{
	static const enum peer_action script[] = { PEER_ACK, PEER_NAK, PEER_ACK,
		PEER_ACK, PEER_SILENT, PEER_NAK, PEER_NAK, PEER_ACK,
		PEER_CLOSE };
	unsigned last[3] = { 0 };

	fixture_begin(protocol, false);
	fixture.receiver.in_flight = 8;
	fixture.receiver.ack_wait_ms = 50;
	fixture.accounts = COUNT(last);
	peer_script(&fixture.peer, script, COUNT(script), PEER_ACK);
	fixture_sync(true);
	fixture_enqueue(900);
	wait_for(fixture.result_count == 900);
	for (unsigned i = 0; i < fixture.peer.messages; i++) {
		unsigned number = fixture.peer.zones[i];
		unsigned *before = &last[number % COUNT(last)];

		assert_true(number >= *before);
		*before = number;
	}
	assert_true(fixture.peer.messages > 900);
}
