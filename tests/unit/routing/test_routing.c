/* From the sender to the station: the tables read like docs' own. */
#include "unit/test.h"

#include "routing/routing.h"

static struct directory *directory;
static struct routing_scratch scratch;
static struct decision decision;

#define LIBRARY(rows)                                                          \
 {                                                                             \
  COUNT(rows), rows                                                            \
 }

static const struct directory_zone_type zone_types[] = {
	{ 1, true, "134", "Entry/Exit" },
	{ 2, true, "132", "Follower" },
	{ 3, true, "130", "Instant" },
	{ 4, true, "133", "24-Hour" },
	{ 5, true, "136", "Exterior instant" },
	{ 6, true, "134", "Exterior entry/exit" },
	{ 7, true, "420", "Intercom armed" },
	{ 8, true, "421", "Intercom 24-hour" },
	{ 9, true, "120", "Panic 24-hour" },
};

static const struct directory_library_row dealer_rows[] = {
	{ 2, "", DIRECTORY_INHERIT, "139" }, /* Follower goes out as 139 */
	{ 5, "", DIRECTORY_NO, "" },	     /* Exterior instant is off */
	{ 0, "602", DIRECTORY_NO, "" },	     /* periodic tests stay here */
	{ 0, "401", DIRECTORY_INHERIT, "403" },
	{ 0, "OP", DIRECTORY_NO, "" },
	{ 0, "380", DIRECTORY_INHERIT, "381", 'E' }, /* a camera is lost */
	/* what panels with codes of their own mean */
	{ 0, "1-A", DIRECTORY_INHERIT, "130" },
	{ 0, "1-O", DIRECTORY_INHERIT, "401" },
	{ 0, "1-C", DIRECTORY_INHERIT, "OP" },
	{ 0, "1-R", DIRECTORY_INHERIT, "BH" },
	{ 0, "1-T", DIRECTORY_NO, "380" },
	{ 0, "8-37", DIRECTORY_INHERIT, "130" },
};
static const struct directory_library_row camera_rows[] = {
	{ 0, "380", DIRECTORY_NO, "", 'E' },
};
static const struct directory_library_row site_rows[] = {
	{ 5, "", DIRECTORY_YES, "" },
	{ 0, "602", DIRECTORY_YES, "" },
};

static const struct directory_dealer dealer = { 1, "Ranger Alarm",
	LIBRARY(dealer_rows) };

enum {
	SITE_PLAIN = 1,
	SITE_OWN_LIBRARY,
	SITE_INACTIVE,
	SITE_NO_STATION,
	SITE_NO_RECEIVER,
	SITE_ADDED_PREFIX,
	SITE_NO_ACCOUNT,
	SITE_LOST_RECEIVER,
	SITE_LONG_ACCOUNT,
};
enum {
	STATION_PLAIN = 1,
	STATION_NO_RECEIVER,
	STATION_ADDS,
	STATION_LOST_RECEIVER,
};

static const struct directory_station stations[] = {
	{ .id = STATION_PLAIN,
	    .dealer_id = 1,
	    .receiver_id = 7,
	    .name = "Central",
	    .prefix = "A1",
	    .line_card = "",
	    .url_template = "https://v.example/m?act=<account>&zone=<zone>" },
	{ .id = STATION_NO_RECEIVER,
	    .dealer_id = 1,
	    .name = "Paper only",
	    .prefix = "",
	    .line_card = "",
	    .url_template = "" },
	{ .id = STATION_ADDS,
	    .dealer_id = 1,
	    .receiver_id = 7,
	    .name = "Adds itself",
	    .prefix = "A1",
	    .receiver_adds_prefix = true,
	    .line_card = "3",
	    .url_template = "" },
	{ .id = STATION_LOST_RECEIVER,
	    .dealer_id = 1,
	    .receiver_id = 99,
	    .name = "Lost",
	    .prefix = "",
	    .line_card = "",
	    .url_template = "" },
};

static const struct directory_site sites[] = {
	{ SITE_PLAIN, 1, STATION_PLAIN, DIRECTORY_SITE_ACTIVE, "Depot", "0042",
	    "REF-9", { 0, NULL }, .position = { true, 379838000, -237275000 } },
	{ SITE_OWN_LIBRARY, 1, STATION_PLAIN, DIRECTORY_SITE_ACTIVE, "Mill",
	    "0043", "", LIBRARY(site_rows) },
	{ SITE_INACTIVE, 1, STATION_PLAIN, DIRECTORY_SITE_INACTIVE, "Closed",
	    "0044", "", { 0, NULL } },
	{ SITE_NO_STATION, 1, 0, DIRECTORY_SITE_ACTIVE, "Alone", "", "",
	    { 0, NULL } },
	{ SITE_NO_RECEIVER, 1, STATION_NO_RECEIVER, DIRECTORY_SITE_ACTIVE,
	    "Paper", "0045", "", { 0, NULL } },
	{ SITE_ADDED_PREFIX, 1, STATION_ADDS, DIRECTORY_SITE_ACTIVE, "Added",
	    "0046", "", { 0, NULL } },
	{ SITE_NO_ACCOUNT, 1, STATION_PLAIN, DIRECTORY_SITE_ACTIVE, "Blank", "",
	    "", { 0, NULL } },
	{ SITE_LOST_RECEIVER, 1, STATION_LOST_RECEIVER, DIRECTORY_SITE_ACTIVE,
	    "Lost", "0047", "", { 0, NULL } },
	{ SITE_LONG_ACCOUNT, 1, STATION_PLAIN, DIRECTORY_SITE_ACTIVE, "Long",
	    "0123456789012345678901234567890", "", { 0, NULL } },
};

static const struct directory_channel camera = { 106, LIBRARY(camera_rows) };

static const struct directory_zone zones[] = {
	{ "1", 101, 1, DIRECTORY_INHERIT, "", "Door" },
	{ "2", 102, 2, DIRECTORY_INHERIT, "", "Hall" },
	{ "3", 103, 4, DIRECTORY_INHERIT, "", "Safe" },
	{ "5", 105, 3, DIRECTORY_INHERIT, "", "Front gate" },
	{ "6", 106, 5, DIRECTORY_INHERIT, "", "Yard" },
	{ "7", 107, 3, DIRECTORY_NO, "", "Broken lens" },
	{ "8", 108, 3, DIRECTORY_INHERIT, "110", "Kiln" },
	{ "9", 109, 77, DIRECTORY_INHERIT, "", "Odd" },
};

static const struct {
	const char *account;
	uint64_t site;
	enum directory_bridge_kind kind;
	const char *listener;
} bridges[] = {
	{ "1234", SITE_PLAIN, DIRECTORY_BRIDGE, NULL },
	{ "1235", SITE_OWN_LIBRARY, DIRECTORY_BRIDGE, NULL },
	{ "1236", SITE_INACTIVE, DIRECTORY_BRIDGE, NULL },
	{ "1237", SITE_NO_STATION, DIRECTORY_BRIDGE, NULL },
	{ "1238", SITE_NO_RECEIVER, DIRECTORY_BRIDGE, NULL },
	{ "1239", SITE_ADDED_PREFIX, DIRECTORY_BRIDGE, NULL },
	{ "1240", SITE_NO_ACCOUNT, DIRECTORY_BRIDGE, NULL },
	{ "1241", SITE_LOST_RECEIVER, DIRECTORY_BRIDGE, NULL },
	{ "1242", SITE_LONG_ACCOUNT, DIRECTORY_BRIDGE, NULL },
	{ "1300", 0, DIRECTORY_BRIDGE, NULL },
	{ "2000", SITE_PLAIN, DIRECTORY_PANEL, NULL },
	{ "2001", SITE_OWN_LIBRARY, DIRECTORY_PANEL, NULL },
	{ "3000", SITE_PLAIN, DIRECTORY_BRIDGE, "other" },
};

static void
put_bridges(struct directory_batch *batch)
{
	for (size_t i = 0; i < COUNT(bridges); i++) {
		struct directory_bridge bridge = {
			.id = 1000 + i,
			.site_id = bridges[i].site,
			.kind = bridges[i].kind,
			.serial = "SN-1",
			.account = bridges[i].account,
			.listener = bridges[i].listener,
			.zone_count = COUNT(zones),
			.zones = zones,
		};

		assert_int_equal(directory_put_bridge(batch, bridge.id,
				     &bridge),
		    0);
	}
}

static int
fill(void **state)
{
	static const struct directory_endpoint endpoint = { "127.0.0.1", 1025,
		DIRECTORY_TRANSPORT_TCP };
	const struct directory_receiver receiver = {
		.id = 7,
		.name = "central-1",
		.protocol = DIRECTORY_PROTOCOL_SURGARD,
		.endpoint_count = 1,
		.endpoints = &endpoint,
	};
	struct directory_batch *batch;
	struct err err;

	(void)state;
	assert_int_equal(directory_create(&directory, &err), 0);
	batch = directory_batch_begin(directory);
	assert_non_null(batch);
	for (size_t i = 0; i < COUNT(zone_types); i++)
		directory_put_zone_type(batch, zone_types[i].number,
		    &zone_types[i]);
	directory_put_dealer(batch, dealer.id, &dealer);
	directory_put_channel(batch, camera.id, &camera);
	directory_put_receiver(batch, receiver.id, &receiver);
	for (size_t i = 0; i < COUNT(stations); i++)
		directory_put_station(batch, stations[i].id, &stations[i]);
	for (size_t i = 0; i < COUNT(sites); i++)
		directory_put_site(batch, sites[i].id, &sites[i]);
	put_bridges(batch);
	assert_int_equal(directory_batch_commit(batch), 0);
	directory_thread_register();
	return 0;
}

static int
empty(void **state)
{
	(void)state;
	directory_thread_unregister();
	directory_close(&directory);
	return 0;
}

static void
decide_event(const char *account, const struct signal_event *event)
{
	struct signal signal = {
		.protocol = SIGNAL_PROTOCOL_DC09,
		.account = slice_from_string(account),
		.panel_time_us = 77,
		.event_count = 1,
		.events = { *event },
	};
	struct routing_request request = {
		.signal = &signal,
		.listener = slice_from_string("panels"),
		.account_zeros = true,
		.received_us = 88,
	};

	directory_thread_online();
	routing_decide(directory, &request, &scratch, &decision);
	directory_thread_offline();
}

/* "E130 01 005": the event of a Contact ID panel; "BA 01 005" of a SIA one */
static void
decide(const char *account, const char *code, const char *partition,
    const char *zone)
{
	struct signal_event event = {
		.format = strlen(code) == 4 ? SIGNAL_FORMAT_CONTACT_ID
					    : SIGNAL_FORMAT_SIA,
		.partition = slice_from_string(partition),
		.zone = slice_from_string(zone),
		.text = slice_from_string("text"),
	};

	if (event.format == SIGNAL_FORMAT_CONTACT_ID)
		event.qualifier = signal_qualifier_from_char(*code++);
	strcpy(event.code, code);
	decide_event(account, &event);
}

/* What leaves as "E130 01 005", "BA 01 005", or "" when nothing leaves. */
static const char *
sent(void)
{
	static char text[64];
	const struct delivery *delivery = &decision.deliveries[0];
	char letter = signal_qualifier_letter(delivery->qualifier);

	if (decision.delivery_count == 0)
		return "";
	snprintf(text, sizeof(text), "%.*s%s %.*s %.*s",
	    delivery->format == SIGNAL_FORMAT_CONTACT_ID, &letter,
	    delivery->code, SLICE_ARG(delivery->partition),
	    SLICE_ARG(delivery->zone));
	return text;
}

static const struct {
	const char *account, *event, *zone;
	enum verdict verdict;
	unsigned flags;
	const char *sent;
	const char *reason;
} rows[] = {
	/* zone types, built-in */
	{ "1234", "E130", "001", VERDICT_ROUTED, 0, "E134 01 001",
	    "zone 001 is channel 'Door' (Entry/Exit): code 134 from built-in" },
	{ "1234", "R130", "001", VERDICT_ROUTED, 0, "R134 01 001",
	    "zone 001 is channel 'Door' (Entry/Exit): code 134 from built-in" },
	{ "1234", "P130", "001", VERDICT_ROUTED, 0, "P134 01 001",
	    "zone 001 is channel 'Door' (Entry/Exit): code 134 from built-in" },
	{ "1234", "E131", "003", VERDICT_ROUTED, 0, "E133 01 003",
	    "zone 003 is channel 'Safe' (24-Hour): code 133 from built-in" },
	{ "1234", "E130", "005", VERDICT_ROUTED, 0, "E130 01 005",
	    "zone 005 is channel 'Front gate' (Instant): code 130 from built-in" },
	{ "1234", "E420", "5", VERDICT_ROUTED, 0, "E130 01 5",
	    "zone 5 is channel 'Front gate' (Instant): code 130 from built-in" },
	/* the dealer's library, the site's, the channel's */
	{ "1234", "E130", "002", VERDICT_ROUTED, 0, "E139 01 002",
	    "zone 002 is channel 'Hall' (Follower): code 139 from dealer" },
	{ "1234", "E130", "006", VERDICT_SUPPRESSED, 0, "",
	    "zone 006 is channel 'Yard' (Exterior instant): disabled by dealer" },
	{ "1234", "R130", "006", VERDICT_SUPPRESSED, 0, "",
	    "zone 006 is channel 'Yard' (Exterior instant): disabled by dealer" },
	{ "1235", "E130", "006", VERDICT_ROUTED, 0, "E136 01 006",
	    "zone 006 is channel 'Yard' (Exterior instant): code 136 from built-in" },
	{ "1234", "E130", "007", VERDICT_SUPPRESSED, 0, "",
	    "zone 007 is channel 'Broken lens' (Instant): disabled by channel" },
	{ "1234", "E130", "008", VERDICT_ROUTED, 0, "E110 01 008",
	    "zone 008 is channel 'Kiln' (Instant): code 110 from channel" },
	{ "1234", "E130", "009", VERDICT_ROUTED, 0, "E130 01 009",
	    "channel 'Odd' has zone type 77, which is not known: code 130 as received" },
	/* a zone that nobody configured */
	{ "1234", "E130", "017", VERDICT_ROUTED, DECISION_UNMAPPED_ZONE,
	    "E130 01 017",
	    "no channel knows zone '017': code 130 as received" },
	{ "1234", "E130", "000", VERDICT_ROUTED, DECISION_UNMAPPED_ZONE,
	    "E130 01 000",
	    "no channel knows zone '000': code 130 as received" },
	/* no zone alarm: passes, unless the library says otherwise */
	{ "1234", "E301", "000", VERDICT_ROUTED, 0, "E301 01 000",
	    "code 301 passes as received" },
	{ "1234", "E602", "000", VERDICT_SUPPRESSED, 0, "",
	    "code 602: disabled by dealer" },
	{ "1235", "E602", "000", VERDICT_ROUTED, 0, "E602 01 000",
	    "code 602 passes as received" },
	{ "1234", "E401", "004", VERDICT_ROUTED, 0, "E403 01 004",
	    "code 401: code 403 from dealer" },
	{ "1234", "R401", "004", VERDICT_ROUTED, 0, "R403 01 004",
	    "code 401: code 403 from dealer" },
	/* what a bridge says of its cameras; the restore follows */
	{ "1234", "E380", "005", VERDICT_ROUTED, 0, "E381 01 005",
	    "code 380: code 381 from dealer" },
	{ "1234", "R380", "005", VERDICT_ROUTED, 0, "R381 01 005",
	    "code 380: code 381 from dealer" },
	{ "1234", "E380", "006", VERDICT_SUPPRESSED, 0, "",
	    "code 380: disabled by channel" },
	{ "1234", "R380", "006", VERDICT_SUPPRESSED, 0, "",
	    "code 380: disabled by channel" },
	{ "2000", "E380", "006", VERDICT_ROUTED, DECISION_PASS_THROUGH,
	    "E380 01 006", "panel's own code 380 passes as received" },
	/* SIA: a known zone speaks the library's code, the rest stays SIA */
	{ "1234", "BA", "5", VERDICT_ROUTED, 0, "E130 01 005",
	    "zone 5 is channel 'Front gate' (Instant): code 130 from built-in" },
	{ "1234", "BH", "0002", VERDICT_ROUTED, 0, "R139 01 002",
	    "zone 0002 is channel 'Hall' (Follower): code 139 from dealer" },
	{ "1234", "BR", "2", VERDICT_ROUTED, 0, "R139 01 002",
	    "zone 2 is channel 'Hall' (Follower): code 139 from dealer" },
	{ "1234", "BR", "6", VERDICT_SUPPRESSED, 0, "",
	    "zone 6 is channel 'Yard' (Exterior instant): disabled by dealer" },
	{ "1234", "BA", "1017", VERDICT_ROUTED, DECISION_UNMAPPED_ZONE,
	    "BA 01 1017", "no channel knows zone '1017': code BA as received" },
	{ "1234", "AT", "0", VERDICT_ROUTED, 0, "AT 01 0",
	    "code AT passes as received" },
	{ "1234", "OP", "1", VERDICT_SUPPRESSED, 0, "",
	    "code OP: disabled by dealer" },
	/* a panel decides itself */
	{ "2000", "E130", "006", VERDICT_ROUTED, DECISION_PASS_THROUGH,
	    "E130 01 006", "panel's own code 130 passes as received" },
	{ "2000", "BA", "6", VERDICT_ROUTED, DECISION_PASS_THROUGH, "BA 01 6",
	    "panel's own code BA passes as received" },
	{ "2000", "E602", "000", VERDICT_SUPPRESSED, DECISION_PASS_THROUGH, "",
	    "panel's own code 602: disabled by dealer" },
	{ "2001", "E602", "000", VERDICT_ROUTED, DECISION_PASS_THROUGH,
	    "E602 01 000", "panel's own code 602 passes as received" },
	/* who it is */
	{ "9999", "E130", "001", VERDICT_UNKNOWN_ACCOUNT, 0, "",
	    "nobody signals with account '9999' by listener 'panels'" },
	{ "\xff\n1", "E130", "001", VERDICT_UNKNOWN_ACCOUNT, 0, "",
	    "nobody signals with account '?\n1' by listener 'panels'" },
	{ "3000", "E130", "001", VERDICT_UNKNOWN_ACCOUNT, 0, "",
	    "nobody signals with account '3000' by listener 'panels'" },
	{ "001234", "E130", "001", VERDICT_ROUTED, 0, "E134 01 001",
	    "zone 001 is channel 'Door' (Entry/Exit): code 134 from built-in" },
	{ "1300", "E130", "001", VERDICT_UNREGISTERED, 0, "",
	    "bridge 'SN-1' belongs to no site" },
	{ "1236", "E130", "001", VERDICT_SITE_INACTIVE, 0, "",
	    "site 'Closed' is deactivated" },
	{ "1237", "E130", "001", VERDICT_UNROUTED, 0, "",
	    "site 'Alone' names no station" },
	{ "1238", "E130", "001", VERDICT_NO_RECEIVER, 0, "",
	    "station record 'Paper only' has no receiver" },
	{ "1241", "E130", "001", VERDICT_NO_RECEIVER, 0, "",
	    "station record 'Lost' has no receiver" },
	{ "1240", "E130", "001", VERDICT_UNROUTED, 0, "",
	    "site 'Blank' has no account number at station 'Central'" },
	{ "1242", "E130", "001", VERDICT_UNROUTED, 0, "",
	    "account '0123456789012345678901234567890' with prefix 'A1' is longer than 32" },
};

static void
test_table(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		decide(rows[i].account, rows[i].event, "01", rows[i].zone);
		assert_row(decision.verdict == rows[i].verdict, i,
		    rows[i].reason);
		assert_row(decision.flags == rows[i].flags, i, rows[i].reason);
		if (strcmp(sent(), rows[i].sent) != 0)
			fail_msg("row %zu: sent '%s', not '%s'", i, sent(),
			    rows[i].sent);
		if (!slice_is(decision.reason, rows[i].reason))
			fail_msg("row %zu: reason '%.*s', not '%s'", i,
			    SLICE_ARG(decision.reason), rows[i].reason);
		assert_row((decision.verdict == VERDICT_ROUTED) ==
			(decision.delivery_count > 0),
		    i, rows[i].reason);
	}
}

/* What only their dealer understands: as it came, or as the library says; and
 * then as if it had come so. */
static const struct {
	const char *account;
	enum signal_format format;
	const char *code;
	enum signal_qualifier qualifier;
	const char *zone;
	enum verdict verdict;
	enum signal_format sent_format;
	const char *sent, *reason;
} own_codes[] = {
	{ "2000", SIGNAL_FORMAT_PULSE, "B", SIGNAL_QUALIFIER_NONE, "005",
	    VERDICT_ROUTED, SIGNAL_FORMAT_PULSE, "B 01 005",
	    "panel's own code 1-B passes as received" },
	{ "2000", SIGNAL_FORMAT_BFSK, "_A", SIGNAL_QUALIFIER_NONE, "D01",
	    VERDICT_ROUTED, SIGNAL_FORMAT_BFSK, "_A 01 D01",
	    "panel's own code 6-_A passes as received" },
	/* a code of the same letters in another format is another code */
	{ "2000", SIGNAL_FORMAT_BFSK, "OP", SIGNAL_QUALIFIER_NONE, "1",
	    VERDICT_ROUTED, SIGNAL_FORMAT_BFSK, "OP 01 1",
	    "panel's own code 6-OP passes as received" },
	{ "2000", SIGNAL_FORMAT_PULSE, "A", SIGNAL_QUALIFIER_NONE, "005",
	    VERDICT_ROUTED, SIGNAL_FORMAT_CONTACT_ID, "E130 01 005",
	    "panel's own code 1-A: code 130 from dealer" },
	{ "2000", SIGNAL_FORMAT_HIGH_SPEED, "37", SIGNAL_QUALIFIER_RESTORE, "3",
	    VERDICT_ROUTED, SIGNAL_FORMAT_CONTACT_ID, "R130 01 3",
	    "panel's own code 8-37: code 130 from dealer" },
	{ "2000", SIGNAL_FORMAT_PULSE, "R", SIGNAL_QUALIFIER_NONE, "005",
	    VERDICT_ROUTED, SIGNAL_FORMAT_SIA, "BH 01 005",
	    "panel's own code 1-R: code BH from dealer" },
	/* SIA has the direction in the code; what it stands for is the end */
	{ "2000", SIGNAL_FORMAT_PULSE, "C", SIGNAL_QUALIFIER_RESTORE, "005",
	    VERDICT_ROUTED, SIGNAL_FORMAT_SIA, "OP 01 005",
	    "panel's own code 1-C: code OP from dealer" },
	{ "2000", SIGNAL_FORMAT_PULSE, "O", SIGNAL_QUALIFIER_NEW, "005",
	    VERDICT_ROUTED, SIGNAL_FORMAT_CONTACT_ID, "E401 01 005",
	    "panel's own code 1-O: code 401 from dealer" },
	{ "2000", SIGNAL_FORMAT_PULSE, "T", SIGNAL_QUALIFIER_NONE, "005",
	    VERDICT_SUPPRESSED, SIGNAL_FORMAT_NONE, "",
	    "panel's own code 1-T: disabled by dealer" },
	/* zones of a bridge: once it is known what they say */
	{ "1234", SIGNAL_FORMAT_PULSE, "B", SIGNAL_QUALIFIER_NONE, "005",
	    VERDICT_ROUTED, SIGNAL_FORMAT_PULSE, "B 01 005",
	    "code 1-B passes as received" },
	{ "1234", SIGNAL_FORMAT_PULSE, "A", SIGNAL_QUALIFIER_NONE, "008",
	    VERDICT_ROUTED, SIGNAL_FORMAT_CONTACT_ID, "E110 01 008",
	    "zone 008 is channel 'Kiln' (Instant): code 110 from channel; it came as 1-A, which is 130 by dealer" },
	{ "1234", SIGNAL_FORMAT_PULSE, "R", SIGNAL_QUALIFIER_NONE, "008",
	    VERDICT_ROUTED, SIGNAL_FORMAT_CONTACT_ID, "R110 01 008",
	    "zone 008 is channel 'Kiln' (Instant): code 110 from channel; it came as 1-R, which is BH by dealer" },
	{ "1234", SIGNAL_FORMAT_PULSE, "A", SIGNAL_QUALIFIER_NONE, "6",
	    VERDICT_SUPPRESSED, SIGNAL_FORMAT_NONE, "",
	    "zone 6 is channel 'Yard' (Exterior instant): disabled by dealer; it came as 1-A, which is 130 by dealer" },
	{ "1234", SIGNAL_FORMAT_PULSE, "A", SIGNAL_QUALIFIER_NONE, "044",
	    VERDICT_ROUTED, SIGNAL_FORMAT_CONTACT_ID, "E130 01 044",
	    "no channel knows zone '044': code 130 as received; it came as 1-A, which is 130 by dealer" },
	{ "1234", SIGNAL_FORMAT_PULSE, "O", SIGNAL_QUALIFIER_NEW, "008",
	    VERDICT_ROUTED, SIGNAL_FORMAT_CONTACT_ID, "E401 01 008",
	    "code 1-O: code 401 from dealer" },
	/* who called is not for the station */
	{ "2000", SIGNAL_FORMAT_NONE, "", SIGNAL_QUALIFIER_NONE, NULL,
	    VERDICT_SUPPRESSED, SIGNAL_FORMAT_NONE, "",
	    "the number of a caller, no event" },
};

static void
test_codes_of_a_panels_own(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(own_codes); i++) {
		struct signal_event event = { .format = own_codes[i].format,
			.qualifier = own_codes[i].qualifier,
			.partition = slice_from_string("01"),
			.zone = slice_from_string(own_codes[i].zone) };

		strcpy(event.code, own_codes[i].code);
		decide_event(own_codes[i].account, &event);
		if (!slice_is(decision.reason, own_codes[i].reason))
			fail_msg("row %zu: reason '%.*s', not '%s'", i,
			    SLICE_ARG(decision.reason), own_codes[i].reason);
		assert_row(decision.verdict == own_codes[i].verdict, i,
		    own_codes[i].reason);
		if (strcmp(sent(), own_codes[i].sent) != 0)
			fail_msg("row %zu: sent '%s', not '%s'", i, sent(),
			    own_codes[i].sent);
		if (decision.delivery_count > 0)
			assert_row(decision.deliveries[0].format ==
				own_codes[i].sent_format,
			    i, own_codes[i].reason);
		assert_int_equal(decision.site_id, SITE_PLAIN);
	}
}

/* The station hears its own account, never the bridge's. */
static void
test_whole_delivery(void **state)
{
	const struct delivery *delivery = &decision.deliveries[0];

	(void)state;
	decide("1234", "E130", "02", "5");
	assert_int_equal(decision.dealer_id, 1);
	assert_int_equal(decision.site_id, SITE_PLAIN);
	assert_int_equal(decision.bridge_id, 1000);
	assert_int_equal(decision.channel_id, 105);
	assert_int_equal(delivery->receiver_id, 7);
	assert_int_equal(delivery->number, 0);
	assert_slice(delivery->account, "A10042");
	assert_slice(delivery->partition, "02");
	assert_slice(delivery->text, "text");
	assert_slice(delivery->zone_name, "Front gate");
	assert_slice(delivery->site_name, "Depot");
	assert_slice(delivery->reference_id, "REF-9");
	assert_true(delivery->position.known);
	assert_int_equal(delivery->position.latitude_e7, 379838000);
	assert_int_equal(delivery->position.longitude_e7, -237275000);
	assert_slice(delivery->url, "https://v.example/m?act=A10042&zone=005");
	assert_false(slice_present(delivery->line_card));
	assert_int_equal(delivery->occurred_us, 77);
	assert_int_equal(delivery->received_us, 88);
	assert_false(delivery->test);
}

static void
test_receiver_adds_the_prefix(void **state)
{
	const struct delivery *delivery = &decision.deliveries[0];

	(void)state;
	decide("1239", "E130", "01", "005");
	assert_slice(delivery->account, "0046");
	assert_slice(delivery->line_card, "3");
	assert_false(slice_present(delivery->url));
	assert_false(slice_present(delivery->reference_id));
}

/* A zone is a panel's text: it cannot add to the URL. */
static void
test_url_escapes(void **state)
{
	const struct delivery *delivery = &decision.deliveries[0];

	(void)state;
	decide("2000", "E130", "01", "1&x=");
	assert_slice(delivery->url,
	    "https://v.example/m?act=A10042&zone=1%26x%3D");
	decide("2000", "E130", "01", "");
	assert_slice(delivery->url, "https://v.example/m?act=A10042&zone=000");
}

static void
test_no_event_and_own_event(void **state)
{
	struct signal signal = {
		.protocol = SIGNAL_PROTOCOL_DC09,
		.account = slice_from_string("1234"),
	};
	struct routing_request request = { .signal = &signal };

	(void)state;
	directory_thread_online();
	routing_decide(directory, &request, &scratch, &decision);
	assert_int_equal(decision.verdict, VERDICT_UNROUTED);
	assert_slice(decision.reason, "the signal has no event");
	assert_int_equal(decision.bridge_id, 1000);
	signal.protocol = SIGNAL_PROTOCOL_INTERNAL;
	routing_decide(directory, &request, &scratch, &decision);
	assert_int_equal(decision.verdict, VERDICT_UNROUTED);
	assert_slice(decision.reason, "the installation's own event");
	assert_int_equal(decision.bridge_id, 0);
	directory_thread_offline();
}

static void
put_site(const struct directory_site *site)
{
	struct directory_batch *batch = directory_batch_begin(directory);

	directory_put_site(batch, site->id, site);
	assert_int_equal(directory_batch_commit(batch), 0);
}

/* The clock of the receipt decides; everything is received at 88. */
static void
test_on_test(void **state)
{
	static const struct {
		int64_t until_us;
		bool forward;
		enum verdict verdict;
		bool marked;
	} tests[] = {
		{ 0, false, VERDICT_ROUTED, false },
		{ 88, false, VERDICT_ROUTED, false },
		{ 88, true, VERDICT_ROUTED, false },
		{ 89, false, VERDICT_ON_TEST, false },
		{ 89, true, VERDICT_ROUTED, true },
	};
	struct directory_site site = sites[SITE_PLAIN - 1];

	(void)state;
	for (size_t i = 0; i < COUNT(tests); i++) {
		site.on_test_until_us = tests[i].until_us;
		site.on_test_forward = tests[i].forward;
		put_site(&site);
		decide("1234", "E130", "01", "001");
		assert_row(decision.verdict == tests[i].verdict, i, "verdict");
		assert_row(decision.delivery_count ==
			(tests[i].verdict == VERDICT_ROUTED),
		    i, "deliveries");
		assert_row(decision.deliveries[0].test == tests[i].marked, i,
		    "marked");
	}
	put_site(&sites[SITE_PLAIN - 1]);
}

/* A platform that has two names for a customer opens it by the second. */
static void
test_url_reference(void **state)
{
	struct directory_batch *batch = directory_batch_begin(directory);
	struct directory_station station = stations[STATION_PLAIN - 1];

	(void)state;
	station.url_template = "https://c.example/?c=<reference>&a=<account>";
	directory_put_station(batch, station.id, &station);
	assert_int_equal(directory_batch_commit(batch), 0);
	decide("1234", "E130", "01", "001");
	assert_slice(decision.deliveries[0].url,
	    "https://c.example/?c=REF-9&a=A10042");
	decide("1235", "E130", "01", "001");
	assert_slice(decision.deliveries[0].url,
	    "https://c.example/?c=&a=A10043");
}

/* What the watch says of a bridge goes the way of what the bridge says: to its
 * site's station, through the library. */
static void
test_own_event_about_a_bridge(void **state)
{
	static const struct {
		uint64_t bridge_id;
		const char *code;
		enum verdict verdict;
	} cases[] = {
		{ 1000, "350", VERDICT_ROUTED },
		{ 1000, "602", VERDICT_SUPPRESSED }, /* off at the dealer */
		{ 99999, "350", VERDICT_UNREGISTERED },
	};
	struct signal signal = {
		.protocol = SIGNAL_PROTOCOL_INTERNAL,
		.event_count = 1,
		.events = { { .format = SIGNAL_FORMAT_CONTACT_ID,
		    .qualifier = SIGNAL_QUALIFIER_NEW,
		    .partition = slice_from_string("00"),
		    .zone = slice_from_string("000"),
		    .text = slice_from_string("not heard for 75 s") } },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		const struct routing_request request = { .signal = &signal,
			.bridge_id = cases[i].bridge_id };

		strcpy(signal.events[0].code, cases[i].code);
		directory_thread_online();
		routing_decide(directory, &request, &scratch, &decision);
		directory_thread_offline();
		assert_row(decision.verdict == cases[i].verdict, i,
		    cases[i].code);
		assert_row(decision.bridge_id == cases[i].bridge_id, i,
		    cases[i].code);
		if (decision.verdict != VERDICT_ROUTED)
			continue;
		assert_slice(decision.deliveries[0].account, "A10042");
		assert_string_equal(decision.deliveries[0].code, "350");
		assert_slice(decision.deliveries[0].text, "not heard for 75 s");
	}
}

/* Between receipt and decision the account may have gone to another bridge: the
 * one that sent it counts, and where that is gone nobody takes its place. */
static void
test_the_bridge_it_came_from(void **state)
{
	static const struct {
		uint64_t bridge_id;
		const char *account;
		enum verdict verdict;
		const char *delivered;
	} cases[] = {
		{ 1000, "1234", VERDICT_ROUTED, "A10042" },
		/* has another one's account now, has one that is nobody's */
		{ 1000, "1235", VERDICT_ROUTED, "A10042" },
		{ 1000, "9999", VERDICT_ROUTED, "A10042" },
		/* gone, and its account is another one's */
		{ 99999, "1235", VERDICT_UNREGISTERED, NULL },
		/* unknown then */
		{ 0, "1235", VERDICT_ROUTED, "A10043" },
	};
	struct signal signal = {
		.protocol = SIGNAL_PROTOCOL_DC09,
		.event_count = 1,
		.events = { { .format = SIGNAL_FORMAT_CONTACT_ID,
		    .qualifier = SIGNAL_QUALIFIER_NEW,
		    .code = "301" } },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		const struct routing_request request = { .signal = &signal,
			.listener = slice_from_string("panels"),
			.bridge_id = cases[i].bridge_id };

		signal.account = slice_from_string(cases[i].account);
		directory_thread_online();
		routing_decide(directory, &request, &scratch, &decision);
		directory_thread_offline();
		assert_row(decision.verdict == cases[i].verdict, i, "verdict");
		assert_row(decision.delivery_count ==
			(cases[i].delivered != NULL),
		    i, "deliveries");
		if (cases[i].delivered)
			assert_slice(decision.deliveries[0].account,
			    cases[i].delivered);
	}
}

/* Names as long as they like: the sentence is cut, and stays UTF-8. */
static void
test_long_names(void **state)
{
	char name[400];
	struct directory_site site = sites[SITE_INACTIVE - 1];

	(void)state;
	for (size_t i = 0; i + 2 < sizeof(name); i += 2)
		memcpy(name + i, "\xc3\xa9", 3);
	site.name = name;
	put_site(&site);
	decide("1236", "E130", "01", "001");
	assert_int_equal(decision.verdict, VERDICT_SITE_INACTIVE);
	assert_true(decision.reason.length <= 255);
	for (size_t i = 6; i + 1 < decision.reason.length; i += 2)
		assert_memory_equal(decision.reason.data + i, "\xc3\xa9", 2);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_table),
		cmocka_unit_test(test_codes_of_a_panels_own),
		cmocka_unit_test(test_whole_delivery),
		cmocka_unit_test(test_receiver_adds_the_prefix),
		cmocka_unit_test(test_url_escapes),
		cmocka_unit_test(test_no_event_and_own_event),
		cmocka_unit_test(test_on_test),
		cmocka_unit_test(test_url_reference),
		cmocka_unit_test(test_own_event_about_a_bridge),
		cmocka_unit_test(test_the_bridge_it_came_from),
		cmocka_unit_test(test_long_names),
	};

	return cmocka_run_group_tests_name("routing", tests, fill, empty);
}
