#include "unit/test.h"

#include <stdlib.h>
#include <unistd.h>

#include "journal/own_signal.h"
#include "journal/record.h"
#include "unit/dispatch/world.h"

struct world world;

static const struct directory_zone_type types[] = {
	{ 1, true, "134", "Entry/Exit", false, true, false },
	{ 2, true, "132", "Follower", false, false, true },
	{ 3, true, "130", "Instant", false, false, false },
	{ 4, true, "133", "24-Hour", true, false, false },
};

static const char *const zone_texts[] = { "1", "2", "3", "4" };

static void
on_tick(evutil_socket_t fd, short what, void *context)
{
	(void)fd;
	(void)what;
	(void)context;
}

static const struct customer {
	uint64_t site_id, bridge_id;
	const char *name, *account, *bridge_account;
	uint16_t entry_delay_s, exit_delay_s, repeat_filter_s;
	uint32_t test_interval_s;
	enum directory_arming arming;
} customers[] = {
	{ SITE, BRIDGE, "site", "0017", "ABCD", 60, 30, 20, 0,
	    DIRECTORY_ARMING_PANEL_PRIMARY },
	{ HOUSE, HOUSE_BRIDGE, "house", "0018", "DCBA", 25, 10, 35, 60,
	    DIRECTORY_ARMING_PANEL_PRIMARY },
	{ SHOP, SHOP_BRIDGE, "shop", "0020", "EFEF", 25, 5, 10, 0,
	    DIRECTORY_ARMING_VIDEO_SYSTEM },
};

static void
put_customer(struct directory_batch *batch, const struct customer *customer)
{
	struct directory_zone zones[4] = { 0 };
	const struct directory_site site = { .id = customer->site_id,
		.dealer_id = 1,
		.station_id = 5,
		.name = customer->name,
		.account = customer->account,
		.arming = customer->arming,
		.arming_bridge_id = customer->bridge_id,
		.entry_delay_s = customer->entry_delay_s,
		.exit_delay_s = customer->exit_delay_s,
		.repeat_filter_s = customer->repeat_filter_s,
		.test_interval_s = customer->test_interval_s };
	const struct directory_bridge bridge = { .id = customer->bridge_id,
		.site_id = customer->site_id,
		.serial = customer->bridge_account,
		.account = customer->bridge_account,
		.entry_delay_s = DIRECTORY_SECONDS_INHERIT,
		.exit_delay_s = DIRECTORY_SECONDS_INHERIT,
		.zone_count = COUNT(zones),
		.zones = zones };

	for (unsigned i = 0; i < COUNT(zones); i++) {
		strcpy(zones[i].zone, zone_texts[i]);
		zones[i].channel_id = 10 * customer->bridge_id + i;
		zones[i].zone_type = (uint16_t)(i + 1);
		zones[i].enabled = DIRECTORY_INHERIT;
		zones[i].repeat_filter_s = DIRECTORY_SECONDS_INHERIT;
		zones[i].idle_days = i == 2;
	}
	assert_int_equal(directory_put_site(batch, site.id, &site), 0);
	assert_int_equal(directory_put_bridge(batch, bridge.id, &bridge), 0);
}

/* From when the tests begin, a Monday. */
static void
put_schedule(struct directory_batch *batch)
{
	struct directory_span spans[10];
	const struct directory_schedule schedule = { .id = SHOP,
		.timezone = "UTC",
		.clock = local_clock_find("UTC"),
		.span_count = COUNT(spans),
		.spans = spans };

	for (unsigned i = 0; i < COUNT(spans); i++)
		spans[i] = (struct directory_span){ .begin_s = 36060 + i * 120,
			.end_s = 36120 + i * 120,
			.armed = true };
	assert_int_equal(directory_put_schedule(batch, SHOP, &schedule), 0);
}

/* Of the station, and dead: nothing is to depend on it. */
static void
put_shadow(struct directory_batch *batch,
    const struct directory_receiver *original)
{
	struct directory_endpoint nowhere = { "127.0.0.1", 1 };
	struct directory_receiver shadow = *original;

	shadow.id = SHADOW;
	shadow.name = "shadow";
	shadow.shadow_of = original->id;
	shadow.endpoints = &nowhere;
	assert_int_equal(directory_put_receiver(batch, SHADOW, &shadow), 0);
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
	struct directory_batch *batch = directory_batch_begin(world.directory);

	for (unsigned i = 0; i < COUNT(types); i++)
		assert_int_equal(directory_put_zone_type(batch, i + 1,
				     &types[i]),
		    0);
	assert_int_equal(directory_put_dealer(batch, 1, &dealer), 0);
	assert_int_equal(directory_put_receiver(batch, 3, &receiver), 0);
	put_shadow(batch, &receiver);
	assert_int_equal(directory_put_station(batch, 5, &station), 0);
	for (size_t i = 0; i < COUNT(customers); i++)
		put_customer(batch, &customers[i]);
	put_schedule(batch);
	assert_int_equal(directory_batch_commit(batch), 0);
}

static void
note_settled(void *context, uint64_t lsn)
{
	(void)context;
	(void)lsn;
	world.told++;
}

void
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
		.checkpoint_us = world.checkpoint_us,
		.state_directory = world.directory_path };
	struct egress_callbacks callbacks =
	    dispatch_egress_callbacks(&world.dispatch);
	struct err err = { "" };

	if (journal_open(&world.journal, &journal, world.io, &world.clock.clock,
		&err) < 0 ||
	    journal_start(world.journal, &err) < 0 ||
	    egress_open(&world.egress, world.base, &egress, world.directory,
		&clock_system, &callbacks, &err) < 0 ||
	    dispatch_open(&world.dispatch, world.base, &dispatch, world.journal,
		world.directory, &world.clock.clock, world.egress, &err) < 0)
		fail_msg("%s", err.text);
	dispatch_on_settled(world.dispatch, note_settled, NULL);
	egress_sync(world.egress);
}

void
close_stages(void)
{
	dispatch_close(&world.dispatch);
	egress_close(&world.egress);
	journal_close(&world.journal);
}

void
open_world(const char *parent, const struct io *io)
{
	static const struct timeval often = { 0, 2000 };
	struct err err;

	memset(&world, 0, sizeof(world));
	world.fingerprint = 1;
	clock_fake_init(&world.clock, BEGAN_US);
	world.io = io;
	snprintf(world.directory_path, sizeof(world.directory_path),
	    "%s/tocsin-dispatch-XXXXXX", parent);
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

void
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

void
receive_events(const char *account, const struct signal_event *events,
    unsigned count)
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
		.ack_level = world.level,
		.raw = slice_from_string("raw"),
		.signal = { .protocol = SIGNAL_PROTOCOL_DC09,
		    .account = slice_from_string(account),
		    .event_count = count },
	};
	int length;
	uint64_t lsn;

	for (unsigned i = 0; i < count; i++) {
		record.signal.events[i] = events[i];
		record.signal.events[i].partition = slice_from_string("01");
	}
	length = record_signal_encode(&record, payload, sizeof(payload));
	assert_int_equal(journal_append(world.journal, JOURNAL_SIGNAL,
			     clock_wall_us(&world.clock.clock),
			     clock_monotonic_us(&world.clock.clock),
			     slice_of(payload, (size_t)length), &lsn),
	    0);
}

void
receive_own(uint64_t site_id, uint64_t bridge_id, const char *code, bool begins)
{
	const struct own_signal signal = { .code = code,
		.begins = begins,
		.site_id = site_id,
		.bridge_id = bridge_id,
		.zone = bridge_id ? "3" : "000",
		.text = "" };
	uint64_t lsn;

	assert_int_equal(own_signal_collect(world.journal, &world.clock.clock,
			     &signal, &lsn),
	    0);
	journal_wake(world.journal);
}

void
receive_from(const char *account, const char *code,
    enum signal_qualifier qualifier, const char *zone)
{
	struct signal_event event = { .format = SIGNAL_FORMAT_CONTACT_ID,
		.qualifier = qualifier,
		.zone = slice_from_string(zone) };

	strcpy(event.code, code);
	receive_events(account, &event, 1);
}

void
receive(const char *code, enum signal_qualifier qualifier, const char *zone)
{
	receive_from("ABCD", code, qualifier, zone);
}

void
advance(unsigned seconds)
{
	clock_fake_advance(&world.clock, seconds * SECOND);
	receive_from("FFFF", "130", SIGNAL_QUALIFIER_NEW, "1");
}

uint64_t
verdicts(enum verdict verdict)
{
	struct dispatch_status status;

	dispatch_status(world.dispatch, &status);
	return status.verdicts[verdict];
}

bool
settled(void)
{
	struct dispatch_status status;
	struct journal_status journal;

	dispatch_status(world.dispatch, &status);
	journal_status(world.journal, &journal);
	return status.position_lsn == journal.appended_lsn &&
	    egress_queued(world.egress) == 0;
}

int
begin_worlds(void **state)
{
	(void)state;
	directory_thread_register();
	return 0;
}

int
end_worlds(void **state)
{
	(void)state;
	directory_thread_unregister();
	return 0;
}
