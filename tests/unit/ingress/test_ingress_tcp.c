/* What panels say over TCP, and what they hear. */
#include "rig.h"

#include <errno.h>
#include <sys/socket.h>

static const struct codec_key listener_key = { "listener-key-16b", 16 };
static const struct codec_key own_key = { "own-key-of-32-bytes-0123456789ab",
	32 };
static const struct codec_key wrong_key = { "a-wrong-key-16by", 16 };

static struct ingress_listener_config
listener_with(const char *name, enum ingress_unknown unknown)
{
	struct ingress_listener_config config = rig_listener;

	config.name = name;
	config.unknown_account = unknown;
	config.tolerate = dc09_tolerance_default | DC09_TOLERATE_BINARY_CRC;
	return config;
}

static int
open_rig(void **state)
{
	static struct rig rig;
	struct ingress_listener_config listeners[] = {
		listener_with("panels", INGRESS_UNKNOWN_ACK_AND_LOG),
		listener_with("strict", INGRESS_UNKNOWN_DUH),
		listener_with("silent", INGRESS_UNKNOWN_IGNORE),
		listener_with("secret", INGRESS_UNKNOWN_ACK_AND_LOG),
	};
	const struct directory_bridge keyed = { .id = 2,
		.site_id = 2,
		.kind = DIRECTORY_BRIDGE,
		.serial = "B2",
		.account = "AAAA",
		.key = own_key.bytes,
		.key_length = own_key.length,
		.cipher_required = true };

	listeners[3].key = listener_key;
	rig_open(&rig, listeners, COUNT(listeners), RIG_BUDGET);
	rig_put_bridge(&rig, &keyed);
	*state = &rig;
	return 0;
}

static int
close_rig(void **state)
{
	rig_close(*state);
	return 0;
}

static void
test_one_event(void **state)
{
	struct rig *rig = *state;
	int fd = rig_connect(rig, "panels");

	rig_send_event(rig, fd, "1234", 17);
	rig_expect(rig, fd, DC09_RESPONSE_ACK, 17);
	assert_int_equal(rig_count_records(rig), 1);
	assert_int_equal(rig_status(rig, "panels").signals, 1);
	assert_int_equal(rig_status(rig, "panels").replies[INGRESS_REPLY_ACK],
	    1);
	close(fd);
}

struct seen {
	struct record_signal record;
	char listener[32], peer[64], account[32], sequence[8], raw[256];
};

static void
see(void *context, const struct record_signal *record)
{
	struct seen *seen = context;

	seen->record = *record;
	slice_copy(record->listener, seen->listener, sizeof(seen->listener));
	slice_copy(record->peer, seen->peer, sizeof(seen->peer));
	slice_copy(record->signal.account, seen->account,
	    sizeof(seen->account));
	slice_copy(record->signal.sequence, seen->sequence,
	    sizeof(seen->sequence));
	slice_copy(record->raw, seen->raw, sizeof(seen->raw));
}

static void
test_record_says_what_came(void **state)
{
	struct socket_address own = { .length = sizeof(own.storage) };
	struct rig *rig = *state;
	char frame[DC09_FRAME_MAX], peer[SOCKET_ADDRESS_TEXT];
	struct seen seen;
	int fd = rig_connect(rig, "panels");
	size_t length =
	    rig_event(rig, &(struct panel){ .account = "1234" }, 42, frame);

	rig_send(fd, frame, length);
	rig_expect(rig, fd, DC09_RESPONSE_ACK, 42);
	getsockname(fd, &own.any, &own.length);
	rig_each_record(rig, see, &seen);
	assert_string_equal(seen.listener, "panels");
	assert_string_equal(seen.peer, socket_address_format(&own, peer));
	assert_string_equal(seen.account, "1234");
	assert_string_equal(seen.sequence, "0042");
	assert_int_equal(strlen(seen.raw), length);
	assert_memory_equal(seen.raw, frame, length);
	assert_int_equal(seen.record.signal.event_count, 1);
	assert_string_equal(seen.record.signal.events[0].code, "130");
	close(fd);
}

static void
test_several_frames_in_one_segment(void **state)
{
	static char burst[20 * DC09_FRAME_MAX];
	struct rig *rig = *state;
	int fd = rig_connect(rig, "panels");
	size_t length = 0;

	for (unsigned i = 1; i <= 20; i++)
		length += rig_event(rig, &(struct panel){ .account = "1234" },
		    i, burst + length);
	rig_send(fd, burst, length);
	for (unsigned i = 1; i <= 20; i++)
		rig_expect(rig, fd, DC09_RESPONSE_ACK, i);
	assert_int_equal(rig_count_records(rig), 20);
	close(fd);
}

static void
test_byte_by_byte(void **state)
{
	struct rig *rig = *state;
	char frame[DC09_FRAME_MAX];
	int fd = rig_connect(rig, "panels");
	size_t length =
	    rig_event(rig, &(struct panel){ .account = "1234" }, 5, frame);

	/* in between, another connection shows that the byte was read */
	for (size_t i = 0; i < length; i++) {
		int other = rig_connect(rig, "panels");

		rig_send(fd, frame + i, 1);
		rig_send_poll(rig, other, "1234", 1);
		rig_expect(rig, other, DC09_RESPONSE_ACK, 1);
		close(other);
	}
	rig_expect(rig, fd, DC09_RESPONSE_ACK, 5);
	assert_int_equal(rig_count_records(rig), 1);
	close(fd);
}

static void
test_many_messages_on_one_connection(void **state)
{
	struct rig *rig = *state;
	int fd = rig_connect(rig, "panels");

	for (unsigned i = 1; i <= 300; i++) {
		rig_send_event(rig, fd, "1234", i);
		rig_expect(rig, fd, DC09_RESPONSE_ACK, i);
	}
	assert_int_equal(rig_count_records(rig), 300);
	assert_int_equal(rig_status(rig, "panels").sessions_now, 1);
	close(fd);
}

/* Polls promise nothing, yet they queue behind the events before them. */
static void
test_replies_in_order(void **state)
{
	static char burst[40 * 256];
	struct rig *rig = *state;
	const struct panel panel = { .account = "1234" };
	char frame[DC09_FRAME_MAX];
	int fd = rig_connect(rig, "panels");
	size_t length = 0;

	for (unsigned i = 1; i <= 40; i++) {
		size_t n = i % 3 == 1 ? rig_event(rig, &panel, i, frame)
				      : rig_poll(rig, &panel, i, frame);

		memcpy(burst + length, frame, n);
		length += n;
	}
	rig_send(fd, burst, length);
	for (unsigned i = 1; i <= 40; i++)
		rig_expect(rig, fd, DC09_RESPONSE_ACK, i);
	assert_int_equal(rig_count_records(rig), 14);
	assert_int_equal(rig_status(rig, "panels").polls, 26);
	close(fd);
}

static void
test_polls_are_not_journalled(void **state)
{
	struct rig *rig = *state;
	int fd = rig_connect(rig, "panels");

	rig_send_poll(rig, fd, "1234", 0);
	rig_expect(rig, fd, DC09_RESPONSE_ACK, 0);
	assert_int_equal(rig_count_records(rig), 0);
	close(fd);
}

static void
test_bad_crc_is_not_answered(void **state)
{
	struct rig *rig = *state;
	char frame[DC09_FRAME_MAX];
	struct json json = { 0 };
	int fd = rig_connect(rig, "panels");
	size_t length =
	    rig_event(rig, &(struct panel){ .account = "1234" }, 5, frame);

	frame[length - 3] ^= 1;
	rig_send(fd, frame, length);
	rig_send_poll(rig, fd, "1234", 6);
	rig_expect(rig, fd, DC09_RESPONSE_ACK, 6);
	assert_int_equal(rig_status(rig, "panels").faults[DC09_FAULT_CRC], 1);
	assert_int_equal(rig_count_records(rig), 0);
	json_array_begin(&json, NULL);
	ingress_show_errors(rig->ingress, &json);
	json_array_end(&json);
	assert_non_null(strstr(json_text(&json), "\"peer\":\"127.0.0.1:"));
	json_close(&json);
	close(fd);
}

static void
test_binary_crc_is_answered_in_kind(void **state)
{
	struct rig *rig = *state;
	char frame[DC09_FRAME_MAX], reply[64];
	unsigned long crc;
	int fd = rig_connect(rig, "panels");
	size_t length =
	    rig_event(rig, &(struct panel){ .account = "1234" }, 5, frame);

	slice_to_number(slice_of(frame + 1, 4), 16, &crc);
	frame[3] = (char)(crc >> 8);
	frame[4] = (char)crc;
	frame[2] = '\n';
	rig_send(fd, frame + 2, length - 2);
	/* LF, 2 bytes, 0LLL, then the quote */
	assert_int_equal(recv(fd, reply, 8, MSG_WAITALL | MSG_PEEK), 8);
	assert_memory_equal(reply + 3, "00", 2);
	assert_int_equal(reply[7], '"');
	rig_expect(rig, fd, DC09_RESPONSE_ACK, 5);
	close(fd);
}

static void
test_keys(void **state)
{
	static const struct {
		const char *name, *listener, *account;
		const struct codec_key *key;
		enum dc09_response expected;
		int64_t late_us;
	} rows[] = {
		{ "listener's", "secret", "1234", &listener_key,
		    DC09_RESPONSE_ACK, 0 },
		{ "own", "panels", "AAAA", &own_key, DC09_RESPONSE_ACK, 0 },
		{ "own before listener's", "secret", "AAAA", &own_key,
		    DC09_RESPONSE_ACK, 0 },
		{ "listener's despite own", "secret", "AAAA", &listener_key,
		    DC09_RESPONSE_DUH, 0 },
		{ "wrong", "secret", "1234", &wrong_key, DC09_RESPONSE_DUH, 0 },
		{ "none known", "panels", "1234", &listener_key,
		    DC09_RESPONSE_DUH, 0 },
		{ "clear where it must encrypt", "panels", "AAAA", NULL,
		    DC09_RESPONSE_DUH, 0 },
		{ "clear where it may", "secret", "1234", NULL,
		    DC09_RESPONSE_ACK, 0 },
		{ "old", "secret", "1234", &listener_key, DC09_RESPONSE_NAK,
		    3600000000 },
		{ "from the future", "secret", "1234", &listener_key,
		    DC09_RESPONSE_NAK, -3600000000 },
	};
	struct rig *rig = *state;
	unsigned taken = 0;

	for (size_t i = 0; i < COUNT(rows); i++) {
		const struct panel panel = { .account = rows[i].account,
			.key = rows[i].key,
			.late_us = rows[i].late_us };
		int fd = rig_connect(rig, rows[i].listener);
		char frame[DC09_FRAME_MAX];
		size_t length = rig_event(rig, &panel, 9, frame);

		rig_send(fd, frame, length);
		rig_expect_key(rig, fd, rows[i].key, rows[i].expected,
		    rows[i].expected == DC09_RESPONSE_NAK ? 0 : 9);
		taken += rows[i].expected == DC09_RESPONSE_ACK;
		assert_row(rig_count_records(rig) == taken, i, rows[i].name);
		close(fd);
	}
}

static void
test_unknown_accounts(void **state)
{
	struct rig *rig = *state;
	int ack = rig_connect(rig, "panels"), duh = rig_connect(rig, "strict"),
	    silent = rig_connect(rig, "silent");

	rig_send_event(rig, ack, "9999", 1);
	rig_expect(rig, ack, DC09_RESPONSE_ACK, 1);
	assert_int_equal(rig_count_records(rig), 1);
	rig_send_event(rig, duh, "9999", 2);
	rig_expect(rig, duh, DC09_RESPONSE_DUH, 2);
	rig_send_event(rig, silent, "9999", 3);
	rig_send_event(rig, silent, "1234", 4);
	rig_expect(rig, silent, DC09_RESPONSE_ACK, 4);
	assert_int_equal(rig_count_records(rig), 2);
	assert_int_equal(rig_status(rig, "silent").replies[INGRESS_REPLY_NONE],
	    1);
	close(ack);
	close(duh);
	close(silent);
}

/* Two receivers that hear each other must not go on for ever: whatever the
 * account's policy is, a reply gets none. */
static void
test_replies_are_not_answered(void **state)
{
	static const char *const replies[] = {
		"\nA62A0012\"ACK\"0001L0#7099[]\r",
		"\n3D430025\"NAK\"0001R0L0A0[]_16:09:09,04-14-2015\r",
		"\n14140023\"DUH\"0045RC0FFDL1234#080027E62A64[]\r",
		"\nFE8F0055\"RSP\"0045RC0FFDL1234#080027E62A64"
		"[#080027E62A64|NHB0003][X115000]_15:15:25,06-22-2015\r",
		"\nE34C0062\"*ACK\"0001R5678L1234#080027E62A64"
		"[14F088FF5DCB19D1908069507EAB97C7"
		"CDB20F1C6EFA550BB59864D54B2DFA1C\r",
	};
	static const char *const listeners[] = { "panels", "strict", "silent",
		"secret" };
	struct rig *rig = *state;

	for (size_t i = 0; i < COUNT(listeners); i++) {
		int fd = rig_connect(rig, listeners[i]);

		for (size_t k = 0; k < COUNT(replies); k++)
			rig_send(fd, replies[k], strlen(replies[k]));
		/* the first answer is the one to what comes after them */
		rig_send_event(rig, fd, "1234", 4);
		rig_expect(rig, fd, DC09_RESPONSE_ACK, 4);
		assert_row(rig_status(rig, listeners[i])
			       .replies[INGRESS_REPLY_NONE] == COUNT(replies),
		    i, listeners[i]);
		close(fd);
	}
	assert_int_equal(rig_count_records(rig), COUNT(listeners));
}

struct prints {
	unsigned count;
	uint64_t sender[16], fingerprint[16];
};

static void
collect_prints(void *context, const struct record_signal *record)
{
	struct prints *prints = context;

	prints->sender[prints->count] = record->sender;
	prints->fingerprint[prints->count++] = record->fingerprint;
}

/* What dispatch will take for a repeat, and what not. */
static void
test_fingerprints(void **state)
{
	static const struct {
		const char *account;
		unsigned sequence;
		int64_t late_us;
		bool timestamp;
	} sent[] = {
		{ "1234", 7, 0, false },       /* 0 */
		{ "1234", 7, 0, false },       /* 1: a repeat of 0 */
		{ "1234", 7, 5000000, true },  /* 2: so is this */
		{ "1234", 8, 0, false },       /* 3: another sequence */
		{ "1235", 7, 0, false },       /* 4: another sender */
		{ "1234", 0, 10000000, true }, /* 5: fixed sequence */
		{ "1234", 0, 20000000, true }, /* 6: at another time */
		{ "1234", 0, 0, false },       /* 7: without any time */
		{ "1234", 0, 0, false },       /* 8: a repeat of 7 */
	};
	static const struct {
		unsigned a, b;
		bool alike;
	} pairs[] = { { 0, 1, true }, { 0, 2, true }, { 0, 3, false },
		{ 0, 4, false }, { 5, 6, false }, { 5, 7, false },
		{ 7, 8, true } };
	struct prints prints = { 0 };
	struct rig *rig = *state;
	int fd = rig_connect(rig, "panels");

	for (size_t i = 0; i < COUNT(sent); i++) {
		const struct panel panel = { .account = sent[i].account,
			.late_us = sent[i].late_us,
			.timestamp = sent[i].timestamp };
		char frame[DC09_FRAME_MAX];

		rig_send(fd, frame,
		    rig_event(rig, &panel, sent[i].sequence, frame));
		rig_expect(rig, fd, DC09_RESPONSE_ACK, sent[i].sequence);
	}
	rig_each_record(rig, collect_prints, &prints);
	assert_int_equal(prints.count, COUNT(sent));
	for (size_t i = 0; i < COUNT(pairs); i++)
		assert_row((prints.fingerprint[pairs[i].a] ==
			       prints.fingerprint[pairs[i].b]) ==
			pairs[i].alike,
		    i, "fingerprint");
	assert_true(prints.sender[0] == prints.sender[3]);
	assert_true(prints.sender[0] != prints.sender[4]);
	close(fd);
}

/* One bridge on its second path repeats itself; two bridges that call
 * themselves alike, each by its own listener, never do. */
static void
test_who_repeats_across_listeners(void **state)
{
	static const char *const listeners[] = { "panels", "strict" };
	static const char *const accounts[] = { "1234", "7777" };
	struct prints prints = { 0 };
	struct rig *rig = *state;

	for (unsigned i = 0; i < COUNT(listeners); i++) {
		const struct directory_bridge bridge = { .id = 10 + i,
			.site_id = 10 + i,
			.kind = DIRECTORY_BRIDGE,
			.serial = "B",
			.account = "7777",
			.listener = listeners[i] };
		int fd;

		rig_put_bridge(rig, &bridge);
		fd = rig_connect(rig, listeners[i]);
		for (unsigned j = 0; j < COUNT(accounts); j++) {
			rig_send_event(rig, fd, accounts[j], 7);
			rig_expect(rig, fd, DC09_RESPONSE_ACK, 7);
		}
		close(fd);
	}
	rig_each_record(rig, collect_prints, &prints);
	assert_int_equal(prints.count, 4);
	assert_true(prints.sender[0] == prints.sender[2]);
	assert_true(prints.fingerprint[0] == prints.fingerprint[2]);
	assert_true(prints.sender[1] != prints.sender[3]);
	assert_true(prints.fingerprint[1] != prints.fingerprint[3]);
}

/* A link test or an event that is understood is a sign of life; what is not
 * understood might come from anybody. */
struct sign {
	const char *name, *listener;
	uint64_t bridge;
	struct panel panel;
	bool poll, damaged;
	enum dc09_response reply;
	bool moves;
};

/* A damaged frame has no reply: what follows it has one. */
static void
say(struct rig *rig, const struct sign *sign, int fd, unsigned sequence)
{
	char frame[DC09_FRAME_MAX];
	size_t length = sign->poll
	    ? rig_poll(rig, &sign->panel, sequence, frame)
	    : rig_event(rig, &sign->panel, sequence, frame);

	if (sign->damaged)
		frame[length / 2] ^= 1;
	rig_send(fd, frame, length);
	if (sign->damaged)
		rig_send_event(rig, fd, "9999", sequence);
	rig_expect_key(rig, fd,
	    sign->reply == DC09_RESPONSE_ACK ? sign->panel.key : NULL,
	    sign->reply, sign->reply == DC09_RESPONSE_NAK ? 0 : sequence);
}

static void
test_what_is_a_sign_of_life(void **state)
{
	static const struct sign rows[] = {
		{ "link test", "panels", 1, { .account = "1234" }, true, false,
		    DC09_RESPONSE_ACK, true },
		{ "event", "panels", 1, { .account = "1234" }, false, false,
		    DC09_RESPONSE_ACK, true },
		{ "by another listener", "strict", 1, { .account = "1234" },
		    true, false, DC09_RESPONSE_ACK, true },
		{ "bad CRC", "panels", 1, { .account = "1234" }, true, true,
		    DC09_RESPONSE_ACK, false },
		{ "somebody else", "panels", 1, { .account = "9999" }, false,
		    false, DC09_RESPONSE_ACK, false },
		{ "its key", "panels", 2,
		    { .account = "AAAA", .key = &own_key }, true, false,
		    DC09_RESPONSE_ACK, true },
		{ "a wrong key", "panels", 2,
		    { .account = "AAAA", .key = &wrong_key }, true, false,
		    DC09_RESPONSE_DUH, false },
		{ "clear where it must encrypt", "panels", 2,
		    { .account = "AAAA" }, false, false, DC09_RESPONSE_DUH,
		    false },
		{ "recorded an hour ago", "panels", 2,
		    { .account = "AAAA",
			.key = &own_key,
			.late_us = 3600000000 },
		    true, false, DC09_RESPONSE_NAK, false },
	};
	struct rig *rig = *state;
	struct presence_status before, after;

	for (size_t i = 0; i < COUNT(rows); i++) {
		int fd = rig_connect(rig, rows[i].listener);
		bool known = rig_presence(rig, rows[i].bridge, &before);
		bool moved;

		atomic_fetch_add(&rig->clock.ahead_us, 5000000);
		say(rig, &rows[i], fd, (unsigned)i + 1);
		moved = rig_presence(rig, rows[i].bridge, &after) &&
		    (!known ||
			after.paths[0].seen_us >=
			    before.paths[0].seen_us + 5000000);
		assert_row(moved == rows[i].moves, i, rows[i].name);
		if (moved)
			assert_string_equal(after.paths[0].listener,
			    rows[i].listener);
		close(fd);
	}
	assert_true(rig_presence(rig, 1, &after));
	assert_int_equal(after.path_count, 2);
}

static void
test_half_closed_peer_gets_its_reply(void **state)
{
	struct rig *rig = *state;
	int fd = rig_connect(rig, "panels");

	rig_disk_hold(rig);
	rig_send_event(rig, fd, "1234", 3);
	rig_disk_wait_held(rig);
	shutdown(fd, SHUT_WR);
	rig_disk_release(rig);
	rig_expect(rig, fd, DC09_RESPONSE_ACK, 3);
	rig_expect_closed(fd);
	close(fd);
}

#define TEST(function)                                                         \
 cmocka_unit_test_setup_teardown(function, open_rig, close_rig)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_one_event),
		TEST(test_record_says_what_came),
		TEST(test_several_frames_in_one_segment),
		TEST(test_byte_by_byte),
		TEST(test_many_messages_on_one_connection),
		TEST(test_replies_in_order),
		TEST(test_polls_are_not_journalled),
		TEST(test_bad_crc_is_not_answered),
		TEST(test_binary_crc_is_answered_in_kind),
		TEST(test_keys),
		TEST(test_unknown_accounts),
		TEST(test_replies_are_not_answered),
		TEST(test_fingerprints),
		TEST(test_who_repeats_across_listeners),
		TEST(test_what_is_a_sign_of_life),
		TEST(test_half_closed_peer_gets_its_reply),
	};

	return cmocka_run_group_tests_name("ingress/tcp", tests, NULL, NULL);
}
