/* What a bridge must do to be believed: the right key of the two while one is
 * rolled, encryption, TLS, its own time window, its own MAC. */
#include "rig.h"

#define HOUR_US 3600000000ll

static const struct codec_key new_key = { "the-new-key-16by", 16 };
static const struct codec_key old_key = { "an-older-key-of-24-bytes", 24 };
static const struct codec_key other_key = { "another-key-16by", 16 };

static const struct directory_time_window wide = { 7200, 300 };
static const uint8_t mac[] = { 0x02, 0x00, 0x5e, 0x00, 0x53, 0x0a };

static void
put_bridges(struct rig *rig)
{
	struct directory_previous_key previous = {
		.until_us = clock_wall_us(&rig->clock.clock) + HOUR_US,
		.length = (uint8_t)old_key.length,
	};
	struct directory_bridge bridge = { .site_id = 1,
		.key = new_key.bytes,
		.key_length = (uint8_t)new_key.length };

	memcpy(previous.bytes, old_key.bytes, old_key.length);
	bridge.id = 11;
	bridge.account = "AA11";
	bridge.previous_key = &previous;
	rig_put_bridge(rig, &bridge);
	bridge.previous_key = NULL;
	bridge.id = 12;
	bridge.account = "AA12";
	bridge.tls_required = true;
	rig_put_bridge(rig, &bridge);
	bridge.tls_required = false;
	bridge.id = 13;
	bridge.account = "AA13";
	bridge.time_window = &wide;
	rig_put_bridge(rig, &bridge);
	bridge.time_window = NULL;
	bridge.id = 14;
	bridge.account = "AA14";
	bridge.mac = mac;
	rig_put_bridge(rig, &bridge);
}

static int
open_rig(void **state)
{
	static struct rig rig;
	struct ingress_listener_config listeners[] = { rig_listener,
		rig_listener, rig_listener };

	listeners[1].name = "silent";
	listeners[1].silent = true;
	listeners[2].name = "udp";
	listeners[2].transport = INGRESS_UDP;
	rig_open(&rig, listeners, COUNT(listeners), RIG_BUDGET);
	put_bridges(&rig);
	*state = &rig;
	return 0;
}

static int
close_rig(void **state)
{
	rig_close(*state);
	return 0;
}

#define ACCEPTED INGRESS_REFUSALS

struct row {
	const char *name;
	struct panel panel;
	const char *more; /* behind the event */
	enum dc09_response answer;
	enum ingress_refusal cause; /* ACCEPTED: none */
};

static uint64_t
refused(struct rig *rig, const char *listener, enum ingress_refusal cause)
{
	return cause == ACCEPTED ? 0
				 : rig_status(rig, listener).refusals[cause];
}

static size_t
make_frame(struct rig *rig, const struct row *row, unsigned sequence,
    char out[DC09_FRAME_MAX])
{
	char data[128];

	snprintf(data, sizeof(data), "#%s|1130 01 %03u%s", row->panel.account,
	    sequence, row->more ? row->more : "");
	return rig_frame(rig, &row->panel, sequence, "ADM-CID", data, out);
}

/* Each is answered as it should be, counted once, and journalled only when it
 * was accepted. */
static void
try_rows(struct rig *rig, const char *listener, bool datagrams,
    const struct row *rows, size_t count)
{
	int fd = datagrams ? rig_connect_udp(rig, listener)
			   : rig_connect(rig, listener);

	for (size_t i = 0; i < count; i++) {
		uint64_t before = refused(rig, listener, rows[i].cause);
		unsigned records = rig_count_records(rig);
		bool accepted = rows[i].cause == ACCEPTED;
		char frame[DC09_FRAME_MAX];

		rig_send(fd, frame,
		    make_frame(rig, &rows[i], (unsigned)i + 1, frame));
		rig_expect_key(rig, fd,
		    accepted && rows[i].panel.key ? rows[i].panel.key : NULL,
		    rows[i].answer,
		    rows[i].answer == DC09_RESPONSE_NAK ? 0 : (unsigned)i + 1);
		assert_row(refused(rig, listener, rows[i].cause) ==
			before + !accepted,
		    i, rows[i].name);
		assert_row(rig_count_records(rig) == records + accepted, i,
		    rows[i].name);
	}
	close(fd);
}

static void
test_a_rolled_key(void **state)
{
	static const struct row within[] = {
		{ "the new one", { "AA11", &new_key, 0, true }, NULL,
		    DC09_RESPONSE_ACK, ACCEPTED },
		{ "the old one", { "AA11", &old_key, 0, true }, NULL,
		    DC09_RESPONSE_ACK, ACCEPTED },
		{ "neither", { "AA11", &other_key, 0, true }, NULL,
		    DC09_RESPONSE_DUH, INGRESS_REFUSED_WRONG_KEY },
		{ "of a bridge that has none", { "AA12", &old_key, 0, true },
		    NULL, DC09_RESPONSE_DUH, INGRESS_REFUSED_NO_TLS },
		{ "of another bridge", { "AA13", &old_key, 0, true }, NULL,
		    DC09_RESPONSE_DUH, INGRESS_REFUSED_WRONG_KEY },
		{ "the old one, replayed",
		    { "AA11", &old_key, 100000000, true }, NULL,
		    DC09_RESPONSE_NAK, INGRESS_REFUSED_TIME_WINDOW },
	};
	static const struct row after[] = {
		{ "the new one", { "AA11", &new_key, 0, true }, NULL,
		    DC09_RESPONSE_ACK, ACCEPTED },
		{ "the old one", { "AA11", &old_key, 0, true }, NULL,
		    DC09_RESPONSE_DUH, INGRESS_REFUSED_OLD_KEY },
		{ "neither", { "AA11", &other_key, 0, true }, NULL,
		    DC09_RESPONSE_DUH, INGRESS_REFUSED_WRONG_KEY },
		{ "the old one, replayed",
		    { "AA11", &old_key, 100000000, true }, NULL,
		    DC09_RESPONSE_DUH, INGRESS_REFUSED_OLD_KEY },
	};
	struct rig *rig = *state;

	try_rows(rig, "panels", false, within, COUNT(within));
	assert_int_equal(rig_status(rig, "panels").previous_key, 1);
	atomic_fetch_add(&rig->clock.ahead_us, HOUR_US + 1000000);
	try_rows(rig, "panels", false, after, COUNT(after));
	assert_int_equal(rig_status(rig, "panels").previous_key, 1);
}

static void
test_tls_is_required(void **state)
{
	static const struct row rows[] = {
		{ "encrypted", { "AA12", &new_key, 0, true }, NULL,
		    DC09_RESPONSE_DUH, INGRESS_REFUSED_NO_TLS },
		{ "clear", { "AA12", NULL, 0, false }, NULL, DC09_RESPONSE_DUH,
		    INGRESS_REFUSED_NO_TLS },
	};

	try_rows(*state, "panels", false, rows, COUNT(rows));
	try_rows(*state, "udp", true, rows, COUNT(rows));
}

static void
test_a_time_window_of_its_own(void **state)
{
	static const struct row rows[] = {
		{ "an hour old", { "AA13", &new_key, HOUR_US, true }, NULL,
		    DC09_RESPONSE_ACK, ACCEPTED },
		{ "three hours old", { "AA13", &new_key, 3 * HOUR_US, true },
		    NULL, DC09_RESPONSE_NAK, INGRESS_REFUSED_TIME_WINDOW },
		{ "ahead", { "AA13", &new_key, -200000000, true }, NULL,
		    DC09_RESPONSE_ACK, ACCEPTED },
		{ "an hour ahead", { "AA13", &new_key, -HOUR_US, true }, NULL,
		    DC09_RESPONSE_NAK, INGRESS_REFUSED_TIME_WINDOW },
		{ "the listener's for others",
		    { "AA14", &new_key, HOUR_US, true }, NULL,
		    DC09_RESPONSE_NAK, INGRESS_REFUSED_TIME_WINDOW },
	};

	try_rows(*state, "panels", false, rows, COUNT(rows));
}

static void
test_another_mac(void **state)
{
	static const struct row rows[] = {
		{ "its own", { "AA14", &new_key, 0, true }, "][M02005E00530A",
		    DC09_RESPONSE_ACK, ACCEPTED },
		{ "in small letters", { "AA14", &new_key, 0, true },
		    "][M02005e00530a", DC09_RESPONSE_ACK, ACCEPTED },
		{ "none", { "AA14", &new_key, 0, true }, NULL,
		    DC09_RESPONSE_ACK, ACCEPTED },
		{ "another's", { "AA14", &new_key, 0, true }, "][M02005E00530B",
		    DC09_RESPONSE_DUH, INGRESS_REFUSED_OTHER_MAC },
		{ "both", { "AA14", &new_key, 0, true },
		    "][M02005E00530A][M02005E00530B", DC09_RESPONSE_DUH,
		    INGRESS_REFUSED_OTHER_MAC },
		{ "cut", { "AA14", &new_key, 0, true }, "][M02005E0053",
		    DC09_RESPONSE_DUH, INGRESS_REFUSED_OTHER_MAC },
		{ "another's in clear", { "AA14", NULL, 0, false },
		    "][M02005E00530B", DC09_RESPONSE_DUH,
		    INGRESS_REFUSED_OTHER_MAC },
		{ "of a bridge whose MAC nobody knows",
		    { "AA13", &new_key, 0, true }, "][M02005E00530B",
		    DC09_RESPONSE_ACK, ACCEPTED },
	};

	try_rows(*state, "panels", false, rows, COUNT(rows));
}

static void
test_a_silent_listener_says_nothing(void **state)
{
	static const struct row rows[] = {
		{ "key", { "AA11", &old_key, 0, true }, NULL, DC09_RESPONSE_DUH,
		    INGRESS_REFUSED_OLD_KEY },
		{ "TLS", { "AA12", &new_key, 0, true }, NULL, DC09_RESPONSE_DUH,
		    INGRESS_REFUSED_NO_TLS },
		{ "MAC", { "AA14", &new_key, 0, true }, "][M02005E00530B",
		    DC09_RESPONSE_DUH, INGRESS_REFUSED_OTHER_MAC },
	};
	struct rig *rig = *state;
	int fd = rig_connect(rig, "silent");

	atomic_fetch_add(&rig->clock.ahead_us, HOUR_US + 1000000);
	for (size_t i = 0; i < COUNT(rows); i++) {
		char frame[DC09_FRAME_MAX];

		rig_send(fd, frame,
		    make_frame(rig, &rows[i], (unsigned)i + 1, frame));
	}
	/* the first answer is to what comes behind them */
	rig_send_poll(rig, fd, "1234", 9);
	rig_expect(rig, fd, DC09_RESPONSE_ACK, 9);
	for (size_t i = 0; i < COUNT(rows); i++)
		assert_row(refused(rig, "silent", rows[i].cause) == 1, i,
		    rows[i].name);
	close(fd);
}

#define TEST(function)                                                         \
 cmocka_unit_test_setup_teardown(function, open_rig, close_rig)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_a_rolled_key),
		TEST(test_tls_is_required),
		TEST(test_a_time_window_of_its_own),
		TEST(test_another_mac),
		TEST(test_a_silent_listener_says_nothing),
	};

	return cmocka_run_group_tests_name("ingress/policy", tests, NULL, NULL);
}
