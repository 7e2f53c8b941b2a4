/* Opening frames and answering them. */
#include "unit/test.h"

#include "base/cursor.h"
#include "codec/dc09_wire.h"
#include "unit/codec/frame.h"

#define NOW_US (1772366400ll * 1000000) /* 2026-03-01T12:00:00Z */
#define NOW    "_12:00:00,03-01-2026"

static const struct dc09_window window = { .past_s = 40, .future_s = 20 };
static const struct codec_key key = { "0123456789ABCDEF", 16 };
static const struct codec_key other_key = { "0123456789ABCDEG", 16 };

struct fixture {
	struct dc09_crypto *crypto;
	char data[DC09_FRAME_MAX];
	char plain[DC09_BODY_MAX / 2];
	char reply[DC09_REPLY_MAX];
	struct dc09_frame frame;
	struct signal signal;
	const char *reason;
};

static int
setup(void **state)
{
	static struct fixture fixture;
	struct err err;

	*state = &fixture;
	return dc09_crypto_open(&fixture.crypto, &err);
}

static int
teardown(void **state)
{
	struct fixture *f = *state;

	dc09_crypto_close(&f->crypto);
	return 0;
}

static void
cut_frame(struct fixture *f, size_t length)
{
	enum dc09_fault fault;
	size_t consumed;

	assert_int_equal(dc09_frame_next(f->data, length,
			     dc09_tolerance_default, &consumed, &f->frame,
			     &fault),
	    CODEC_OK);
	assert_int_equal(consumed, length);
}

static void
clear_frame(struct fixture *f, const char *body)
{
	cut_frame(f, frame_make(slice_from_string(body), false, f->data));
}

/* header: up to before '['; plain: pad and all, a multiple of 16 */
static void
sealed_frame(struct fixture *f, const char *header, struct slice plain)
{
	static const char digits[] = "0123456789ABCDEF";
	static char body[DC09_BODY_MAX];
	uint8_t sealed[DC09_BODY_MAX / 2];
	size_t length = (size_t)snprintf(body, sizeof(body), "%s[", header);

	assert_int_equal(plain.length % 16, 0);
	assert_true(dc09_crypto_encrypt(f->crypto, &key, plain.data,
	    plain.length, sealed));
	for (size_t i = 0; i < plain.length; i++) {
		body[length++] = digits[sealed[i] >> 4];
		body[length++] = digits[sealed[i] & 0xf];
	}
	cut_frame(f, frame_make(slice_of(body, length), false, f->data));
}

static enum dc09_verdict
open_with(struct fixture *f, const struct codec_key *with, unsigned tolerate,
    int64_t now_us)
{
	f->reason = NULL;
	return dc09_decode(f->crypto, &f->frame, with, window, tolerate, now_us,
	    f->plain, &f->signal, &f->reason);
}

static enum dc09_verdict
open_clear(struct fixture *f, const char *body)
{
	clear_frame(f, body);
	return open_with(f, NULL, dc09_tolerance_default, NOW_US);
}

/* ---- encryption ------------------------------------------------------------ */

/* With the pad that bar and rest need; returns its length. */
static size_t
seal_padded(struct fixture *f, const char *bar, const char *rest,
    const char *id)
{
	size_t pad = 16 - (strlen(bar) + strlen(rest)) % 16;
	char plain[256], header[64];

	memset(plain, 'p', pad);
	snprintf(plain + pad, sizeof(plain) - pad, "%s%s", bar, rest);
	snprintf(header, sizeof(header), "\"%s\"0042L0#1234", id);
	sealed_frame(f, header, slice_of(plain, strlen(plain)));
	return pad;
}

/* A text of every length, so that each length of the pad occurs. */
static void
pads_of_one_to_sixteen_bytes(void **state)
{
	struct fixture *f = *state;
	unsigned seen = 0;

	for (size_t text = 1; text <= 16; text++) {
		char rest[128];
		size_t pad;

		snprintf(rest, sizeof(rest), "#1234|Nri1/BA5^%.*s^]" NOW,
		    (int)text, "abcdefghijklmnop");
		pad = seal_padded(f, "|", rest, "*SIA-DCS");
		seen |= 1u << pad;
		assert_row(open_with(f, &key, 0, NOW_US) == DC09_ACCEPT, pad,
		    "pad");
		assert_slice(f->signal.data_account, "1234");
		assert_int_equal(f->signal.event_count, 1);
		assert_slice(f->signal.events[0].zone, "5");
		assert_int_equal(f->signal.panel_time_us, NOW_US);
	}
	assert_int_equal(seen, 0x1fffe);
}

/* What the pad is made of, and that it is there in full when none is needed. */
static void
pad_is_written_by_the_rules(void **state)
{
	struct fixture *f = *state;

	for (size_t region = 0; region < 64; region++) {
		uint8_t pad[32];
		struct writer w = writer_open(pad, sizeof(pad));

		for (unsigned again = 0; again < 50; again++) {
			w = writer_open(pad, sizeof(pad));
			assert_true(dc09_crypto_pad(f->crypto, region, &w));
			assert_null(memchr(pad, '|', writer_length(&w)));
			assert_null(memchr(pad, '[', writer_length(&w)));
			assert_null(memchr(pad, ']', writer_length(&w)));
		}
		assert_int_equal(writer_length(&w), 16 - region % 16);
	}
}

static const struct {
	const char *name;
	const char *id;
	const char *bar;
	const char *rest;
	const struct codec_key *key;
	unsigned tolerate;
	enum dc09_verdict verdict;
} sealed[] = {
	{ "poll", "*NULL", "|", "]" NOW, &key, 0, DC09_ACCEPT },
	{ "poll without a bar", "*NULL", "", "]" NOW, &key,
	    DC09_TOLERATE_NO_PAD_BAR, DC09_ACCEPT },
	{ "the same, strict", "*NULL", "", "]" NOW, &key, 0, DC09_UNREADABLE },
	{ "event without a bar", "*ADM-CID", "", "#1234|1130 01 005]" NOW, &key,
	    DC09_TOLERATE_NO_PAD_BAR, DC09_ACCEPT },
	{ "no key", "*NULL", "|", "]" NOW, NULL, ~0u, DC09_UNREADABLE },
	{ "wrong key", "*NULL", "|", "]" NOW, &other_key, ~0u,
	    DC09_UNREADABLE },
	{ "wrong key, event", "*ADM-CID", "|", "#1234|1130 01 005]" NOW,
	    &other_key, ~0u, DC09_UNREADABLE },
	{ "event without a timestamp", "*ADM-CID", "|", "#1234|1130 01 005]",
	    &key, 0, DC09_NAK },
	{ "the same, any time", "*ADM-CID", "|", "#1234|1130 01 005]", &key,
	    DC09_TOLERATE_TIME, DC09_ACCEPT },
	/* nothing shows that the key is the right one */
	{ "poll without a timestamp", "*NULL", "|", "]", &key,
	    DC09_TOLERATE_TIME, DC09_UNREADABLE },
	{ "no bar and no timestamp", "*NULL", "", "]", &key,
	    DC09_TOLERATE_TIME | DC09_TOLERATE_NO_PAD_BAR, DC09_UNREADABLE },
	{ "no timestamp behind the data", "*NULL", "|", "]_what?!?", &key,
	    DC09_TOLERATE_TIME, DC09_UNREADABLE },
	{ "40 s late", "*NULL", "|", "]_11:59:20,03-01-2026", &key, 0,
	    DC09_ACCEPT },
	{ "41 s late", "*NULL", "|", "]_11:59:19,03-01-2026", &key, 0,
	    DC09_NAK },
	{ "20 s ahead", "*NULL", "|", "]_12:00:20,03-01-2026", &key, 0,
	    DC09_ACCEPT },
	{ "21 s ahead", "*NULL", "|", "]_12:00:21,03-01-2026", &key, 0,
	    DC09_NAK },
	{ "a year late, any time", "*NULL", "|", "]_12:00:21,03-01-2025", &key,
	    DC09_TOLERATE_TIME, DC09_ACCEPT },
	{ "too late and no event data", "*ADM-CID", "|",
	    "]_11:59:19,03-01-2026", &key, 0, DC09_NAK },
};

static void
encrypted_verdicts(void **state)
{
	struct fixture *f = *state;

	for (size_t i = 0; i < COUNT(sealed); i++) {
		seal_padded(f, sealed[i].bar, sealed[i].rest, sealed[i].id);
		assert_row(open_with(f, sealed[i].key, sealed[i].tolerate,
			       NOW_US) == sealed[i].verdict,
		    i, sealed[i].name);
		assert_row((f->reason == NULL) ==
			(sealed[i].verdict == DC09_ACCEPT),
		    i, sealed[i].name);
		assert_slice(f->signal.account, "1234");
	}
}

/* Seconds count, not what is left of them. */
static void
window_in_whole_seconds(void **state)
{
	struct fixture *f = *state;

	seal_padded(f, "|", "]_11:59:20,03-01-2026", "*NULL");
	assert_int_equal(open_with(f, &key, 0, NOW_US + 999999), DC09_ACCEPT);
	assert_int_equal(open_with(f, &key, 0, NOW_US + 1000000), DC09_NAK);
}

/* No ciphertext at all, or one with a flipped bit, is never accepted. */
static void
broken_ciphertext(void **state)
{
	static const char *const contents[] = { "", "0", "00", "xyz", "]",
		"00112233445566778899AABBCCDDEE",
		"00112233445566778899AABBCCDDEEFF]",
		"00112233445566778899AABBCCDDEEFG" };
	struct fixture *f = *state;
	char body[256];

	for (size_t i = 0; i < COUNT(contents); i++) {
		snprintf(body, sizeof(body), "\"*NULL\"0001L0#1234[%s",
		    contents[i]);
		clear_frame(f, body);
		assert_row(open_with(f, &key, ~0u, NOW_US) == DC09_UNREADABLE,
		    i, contents[i]);
	}
}

/* A key with one bit changed must not open anything, not even as a poll. */
static void
wrong_keys(void **state)
{
	struct fixture *f = *state;

	seal_padded(f, "|", "]" NOW, "*NULL");
	for (unsigned trial = 0; trial < 20000; trial++) {
		struct codec_key wrong = key;

		wrong.bytes[trial % 13] ^= (uint8_t)(1 + trial % 255);
		wrong.bytes[14] = (uint8_t)(trial >> 8);
		assert_int_equal(open_with(f, &wrong, ~0u, NOW_US),
		    DC09_UNREADABLE);
	}
}

/* ---- what the data says ---------------------------------------------------- */

static const struct {
	const char *name;
	const char *body;
	enum dc09_verdict verdict;
	unsigned events;
	const char *data_account; /* NULL: none */
} clear[] = {
	{ "poll", "\"NULL\"0000L0#1234[]", DC09_ACCEPT, 0, NULL },
	{ "poll with data", "\"NULL\"0000L0#1234[#0000|0000 00 000]",
	    DC09_ACCEPT, 0, "0000" },
	{ "poll with extended data", "\"XNM\"0000L0#1234[][C5]", DC09_ACCEPT, 0,
	    NULL },
	{ "long ago, but clear", "\"NULL\"0000L0#1234[]_12:00:00,01-01-1999",
	    DC09_ACCEPT, 0, NULL },
	{ "time unreadable, but clear", "\"NULL\"0000L0#1234[]_yesterday",
	    DC09_ACCEPT, 0, NULL },
	{ "brackets open", "\"NULL\"0000L0#1234[", DC09_DUH, 0, NULL },
	{ "junk for a time", "\"NULL\"0000L0#1234[]12:00", DC09_DUH, 0, NULL },
	{ "unknown id", "\"SCN-S8\"0001L0#1234[#1234|x]", DC09_DUH, 0, "1234" },
	{ "no data", "\"ADM-CID\"0001L0#1234[]", DC09_DUH, 0, NULL },
	{ "only an account", "\"ADM-CID\"0001L0#1234[#1234]", DC09_DUH, 0,
	    "1234" },
	{ "an event", "\"ADM-CID\"0001L0#1234[#1234|1130 01 005]", DC09_ACCEPT,
	    1, "1234" },
	{ "no account", "\"ADM-CID\"0001L0#AAAA[1130 01 005]", DC09_ACCEPT, 1,
	    NULL },
	{ "another account", "\"ADM-CID\"0001L0#AAAA[#00AAAA|1130 01 005]",
	    DC09_ACCEPT, 1, "00AAAA" },
	{ "empty account", "\"SIA-DCS\"0001L0#AAAA[|Nri1/BA5]", DC09_ACCEPT, 1,
	    NULL },
	{ "extra field", "\"SIA-DCS\"0001L0#1234[#1234|0|NRP]", DC09_ACCEPT, 1,
	    "1234" },
	{ "event that is none", "\"ADM-CID\"0001L0#1234[#1234|2130 01 005]",
	    DC09_DUH, 0, "1234" },
	{ "reply", "\"ACK\"0001L0#1234[]", DC09_IGNORE, 0, NULL },
	{ "reply", "\"NAK\"0000R0L0A0[]" NOW, DC09_IGNORE, 0, NULL },
	{ "reply", "\"DUH\"0001L0#1234[]", DC09_IGNORE, 0, NULL },
	{ "reply", "\"RSP\"0001L0#1234[]", DC09_IGNORE, 0, NULL },
	{ "reply, without a key", "\"*ACK\"0001L0#1234[00", DC09_IGNORE, 0,
	    NULL },
	{ "reply, without a key", "\"*RSP\"0001L0#1234[00", DC09_IGNORE, 0,
	    NULL },
	{ "reply that nobody sends", "\"*DUH\"0001L0#1234[00", DC09_IGNORE, 0,
	    NULL },
	{ "no reply", "\"ACKX\"0001L0#1234[]", DC09_DUH, 0, NULL },
};

static void
clear_verdicts(void **state)
{
	struct fixture *f = *state;

	for (size_t i = 0; i < COUNT(clear); i++) {
		const char *name = clear[i].name;

		assert_row(open_clear(f, clear[i].body) == clear[i].verdict, i,
		    name);
		assert_row((f->reason == NULL) ==
			(clear[i].verdict == DC09_ACCEPT),
		    i, name);
		assert_row(dc09_frame_is_reply(&f->frame) ==
			(clear[i].verdict == DC09_IGNORE),
		    i, name);
		assert_row(f->signal.event_count == clear[i].events, i, name);
		if (clear[i].data_account)
			assert_slice(f->signal.data_account,
			    clear[i].data_account);
		else
			assert_row(!slice_present(f->signal.data_account), i,
			    name);
	}
}

static size_t
append(char *body, size_t size, size_t length, const char *what, unsigned times)
{
	while (times-- > 0)
		length +=
		    (size_t)snprintf(body + length, size - length, "%s", what);
	return length;
}

/* One more than the maximum is refused whole; up to it nothing is cut. */
static void
events_limit(void **state)
{
	struct fixture *f = *state;

	for (unsigned n = SIGNAL_EVENTS_MAX - 1; n <= SIGNAL_EVENTS_MAX + 1;
	     n++) {
		char body[1024];
		size_t length = append(body, sizeof(body), 0,
		    "\"SIA-DCS\"0001L0#1[#1|N", 1);

		length = append(body, sizeof(body), length, "BA1/", n);
		append(body, sizeof(body), length, "]", 1);
		if (n <= SIGNAL_EVENTS_MAX) {
			assert_int_equal(open_clear(f, body), DC09_ACCEPT);
			assert_int_equal(f->signal.event_count, n);
		} else {
			assert_int_equal(open_clear(f, body), DC09_DUH);
		}
	}
}

static void
extended_limit(void **state)
{
	struct fixture *f = *state;

	for (unsigned n = SIGNAL_EXTENDED_MAX - 1; n <= SIGNAL_EXTENDED_MAX + 1;
	     n++) {
		char body[1024];
		size_t length = append(body, sizeof(body), 0,
		    "\"SIA-DCS\"0001L0#1[#1|NBA1]", 1);

		length = append(body, sizeof(body), length, "[IText]", n);
		append(body, sizeof(body), length, NOW, 1);
		if (n <= SIGNAL_EXTENDED_MAX) {
			assert_int_equal(open_clear(f, body), DC09_ACCEPT);
			assert_int_equal(f->signal.extended_count, n);
			assert_int_equal(f->signal.panel_time_us, NOW_US);
		} else {
			assert_int_equal(open_clear(f, body), DC09_DUH);
		}
	}
}

/* Order, repeats, unknown ids, an account of their own, brackets in a text. */
static void
extended_data(void **state)
{
	static const struct {
		char id;
		const char *value;
	} expected[] = { { 'I', "T\xe9st [1]" }, { 'I', "again" },
		{ 'E', "115000" }, { 'M', "https://x/" }, { 'X', "" },
		{ 'L', "last" } };
	struct fixture *f = *state;

	assert_int_equal(open_clear(f,
			     "\"ADM-CID\"0001L0#1[#1|1130 01 005][IT\xe9st [1]]"
			     "[Iagain][E115000][#1|Mhttps://x/][X][][Llast]"),
	    DC09_ACCEPT);
	assert_int_equal(f->signal.extended_count, COUNT(expected));
	for (size_t i = 0; i < COUNT(expected); i++) {
		assert_row(f->signal.extended[i].id == expected[i].id, i,
		    expected[i].value);
		assert_slice(f->signal.extended[i].value, expected[i].value);
	}
	assert_slice(signal_extended_value(&f->signal, 'I'), "T\xe9st [1]");
	assert_false(slice_present(signal_extended_value(&f->signal, 'Z')));
}

/* ---- replies --------------------------------------------------------------- */

static const struct {
	const char *name;
	const char *body;
	enum dc09_reply kind;
	bool timestamp;
	const char *reply;
} replies[] = {
	{ "all fields", "\"NULL\"0001R0aL0B#00fF[]", DC09_REPLY_ACK, false,
	    "\"ACK\"0001R0aL0B#00fF[]" },
	{ "no R", "\"NULL\"0001L0#1234[]", DC09_REPLY_ACK, false,
	    "\"ACK\"0001L0#1234[]" },
	{ "no L", "\"NULL\"0001#1234[]", DC09_REPLY_ACK, false,
	    "\"ACK\"0001#1234[]" },
	{ "empty L", "\"NULL\"000bL#1234[]", DC09_REPLY_ACK, false,
	    "\"ACK\"000bL#1234[]" },
	{ "no account", "\"NULL\"0001L0[]", DC09_REPLY_ACK, false,
	    "\"ACK\"0001L0[]" },
	{ "with the time", "\"NULL\"0001L0#1[]", DC09_REPLY_ACK, true,
	    "\"ACK\"0001L0#1[]" NOW },
	{ "DUH", "\"NULL\"0001R1L0#1[]", DC09_REPLY_DUH, false,
	    "\"DUH\"0001R1L0#1[]" },
	{ "DUH to what was encrypted", "\"*NULL\"0001R1L0#1[00", DC09_REPLY_DUH,
	    false, "\"DUH\"0001R1L0#1[]" },
	{ "DUH with the time", "\"NULL\"0001R1L0#1[]", DC09_REPLY_DUH, true,
	    "\"DUH\"0001R1L0#1[]" NOW },
	{ "NAK", "\"*NULL\"0001R1L2#1[00", DC09_REPLY_NAK, false,
	    "\"NAK\"0000R0L0A0[]" NOW },
};

static void
reply_bytes(void **state)
{
	struct fixture *f = *state;

	for (size_t i = 0; i < COUNT(replies); i++)
		for (int binary = 0; binary < 2; binary++) {
			char expected[DC09_REPLY_MAX];
			size_t length, want;

			cut_frame(f,
			    frame_make(slice_from_string(replies[i].body),
				binary, f->data));
			want = frame_make(slice_from_string(replies[i].reply),
			    binary, expected);
			length = dc09_reply_encode(f->crypto, replies[i].kind,
			    &f->frame, NULL, replies[i].timestamp, NOW_US,
			    f->reply);
			assert_row(length == want &&
				memcmp(f->reply, expected, want) == 0,
			    i, replies[i].name);
		}
}

/* The recordings' own replies, byte for byte, are held by check-vectors; this
 * one looks into the ciphertext. */
static void
encrypted_ack(void **state)
{
	struct fixture *f = *state;
	struct dc09_content content;
	char first[DC09_REPLY_MAX];
	size_t length;

	seal_padded(f, "|", "]" NOW, "*NULL");
	assert_int_equal(dc09_reply_encode(f->crypto, DC09_REPLY_ACK, &f->frame,
			     NULL, false, NOW_US, f->reply),
	    0);
	dc09_reply_encode(f->crypto, DC09_REPLY_ACK, &f->frame, &key, false,
	    NOW_US, first);
	length = dc09_reply_encode(f->crypto, DC09_REPLY_ACK, &f->frame, &key,
	    false, NOW_US, f->reply);
	/* pad, bar, bracket and time are two blocks; never the same twice */
	assert_int_equal(length, 9 + strlen("\"*ACK\"0042L0#1234[") + 64 + 1);
	assert_memory_not_equal(first, f->reply, length);
	assert_null(memchr(f->reply, ']', length));
	memcpy(f->data, f->reply, length);
	cut_frame(f, length);
	assert_slice(f->frame.id, "*ACK");
	assert_int_equal(dc09_content_open(f->crypto, &f->frame, &key, 0,
			     f->plain, &content),
	    DC09_OPENED);
	assert_ptr_equal(memchr(f->plain, '|', 32), f->plain + 10);
	assert_slice(content.body, "]");
	assert_slice(content.timestamp, &NOW[1]);
}

static void
nak_without_a_time(void **state)
{
	struct fixture *f = *state;
	const char *why;

	clear_frame(f, "\"NAK\"0000R0L0A0[]");
	f->signal.panel_time_us = 1;
	assert_int_equal(dc09_response_decode(f->crypto, &f->frame, &key,
			     f->plain, &f->signal, &why),
	    DC09_RESPONSE_NAK);
	assert_int_equal(f->signal.panel_time_us, 0);
}

static const struct {
	const char *text;
	int64_t seconds; /* -1: none */
} times[] = {
	{ "00:00:00,01-01-1970", 0 },
	{ "12:00:00,03-01-2026", NOW_US / 1000000 },
	{ "23:59:59,02-29-2024", 1709251199 },
	{ "24:00:00,03-01-2026", -1 },
	{ "12:60:00,03-01-2026", -1 },
	{ "12:00:61,03-01-2026", -1 },
	{ "12:00:00,13-01-2026", -1 },
	{ "12:00:00,00-01-2026", -1 },
	{ "12:00:00,03-00-2026", -1 },
	{ "12:00:00,03-32-2026", -1 },
	{ "12:00:00,03-01-026", -1 },
	{ "12:00:00 03-01-2026", -1 },
	{ "1x:00:00,03-01-2026", -1 },
	{ "", -1 },
};

static void
timestamps(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(times); i++) {
		int64_t us = -2;
		int result =
		    dc09_timestamp_decode(slice_from_string(times[i].text),
			&us);

		assert_row((result == 0) == (times[i].seconds >= 0), i,
		    times[i].text);
		assert_row(us ==
			(result == 0 ? times[i].seconds * 1000000 : -2),
		    i, times[i].text);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(pads_of_one_to_sixteen_bytes),
		cmocka_unit_test(pad_is_written_by_the_rules),
		cmocka_unit_test(encrypted_verdicts),
		cmocka_unit_test(window_in_whole_seconds),
		cmocka_unit_test(broken_ciphertext),
		cmocka_unit_test(wrong_keys),
		cmocka_unit_test(clear_verdicts),
		cmocka_unit_test(events_limit),
		cmocka_unit_test(extended_limit),
		cmocka_unit_test(extended_data),
		cmocka_unit_test(reply_bytes),
		cmocka_unit_test(encrypted_ack),
		cmocka_unit_test(nak_without_a_time),
		cmocka_unit_test(timestamps),
	};

	return cmocka_run_group_tests_name("codec/decode", tests, setup,
	    teardown);
}
