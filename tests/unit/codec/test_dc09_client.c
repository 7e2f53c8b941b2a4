#include "unit/test.h"

#include <errno.h>

#include "codec/dc09.h"

#define NOW_US (1772366400ll * 1000000) /* 2026-03-01T12:00:00Z */

static const struct dc09_window window = { .past_s = 40, .future_s = 20 };

struct fixture {
	struct dc09_crypto *crypto;
	char plain[DC09_BODY_MAX / 2];
	char sent[DC09_FRAME_MAX];
	char reply[DC09_REPLY_MAX];
	struct dc09_frame frame;
	struct signal signal;
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
	dc09_crypto_close(&f->crypto);
	return 0;
}

static struct dc09_frame
next_frame(const char *data, int length)
{
	struct dc09_frame frame;
	enum dc09_fault fault;
	size_t consumed;

	assert_true(length > 0);
	assert_int_equal(dc09_frame_next(data, (size_t)length,
			     dc09_tolerance_default, &consumed, &frame, &fault),
	    CODEC_OK);
	assert_int_equal(consumed, length);
	return frame;
}

static const struct {
	const char *name;
	const char *key; /* NULL: clear */
	const char *id;
	const char *receiver;
	const char *line;
	const char *account;
	const char *data;
} messages[] = {
	{ "clear cid", NULL, "ADM-CID", NULL, NULL, "1234",
	    "#1234|1130 01 005" },
	{ "clear sia", NULL, "SIA-DCS", "1", "2", "ABCDEF",
	    "#ABCDEF|Nri1/BA5^Front gate^" },
	{ "clear poll", NULL, "NULL", NULL, "0", "0001", "" },
	{ "aes-128", "text:0123456789ABCDEF", "ADM-CID", "FF", NULL, "1234",
	    "#1234|3401 01 005" },
	{ "aes-192", "text:0123456789ABCDEF01234567", "SIA-DCS", NULL, NULL,
	    "1234", "#1234|Nri1/BA5" },
	{ "aes-256", "text:0123456789ABCDEF0123456789ABCDEF", "NULL", NULL,
	    NULL, "1234", "" },
};

/* Client -> receiver -> client, as both sides see it. */
static void
round_trip(void **state)
{
	struct fixture *f = *state;

	for (size_t i = 0; i < COUNT(messages); i++) {
		struct codec_key key = { .length = 0 };
		const char *why = NULL;
		struct dc09_message message = { .id = messages[i].id,
			.sequence = 42 + (unsigned)i,
			.receiver = slice_from_string(messages[i].receiver),
			.line = slice_from_string(messages[i].line),
			.account = slice_from_string(messages[i].account),
			.data = slice_from_string(messages[i].data) };
		int length;

		if (messages[i].key)
			assert_int_equal(
			    codec_key_parse(slice_from_string(messages[i].key),
				&key, &why),
			    0);
		length = dc09_message_encode(f->crypto, &message, &key, NOW_US,
		    f->sent, sizeof(f->sent));
		f->frame = next_frame(f->sent, length);
		assert_row(f->frame.encrypted == (messages[i].key != NULL), i,
		    messages[i].name);
		assert_row(dc09_decode(f->crypto, &f->frame, &key, window,
			       dc09_tolerance_default, NOW_US, f->plain,
			       &f->signal, &why) == DC09_ACCEPT,
		    i, messages[i].name);
		assert_slice(f->signal.account, messages[i].account);
		assert_row(f->signal.poll == (*messages[i].data == '\0'), i,
		    messages[i].name);
		length = (int)dc09_reply_encode(f->crypto, DC09_REPLY_ACK,
		    &f->frame, &key, false, NOW_US, f->reply);
		f->frame = next_frame(f->reply, length);
		assert_row(dc09_response_decode(f->crypto, &f->frame, &key,
			       f->plain, &f->signal, &why) == DC09_RESPONSE_ACK,
		    i, messages[i].name);
		assert_row(dc09_response_matches(&f->signal, &message), i,
		    messages[i].name);
		assert_row(f->signal.panel_time_us ==
			(messages[i].key ? NOW_US : 0),
		    i, messages[i].name);
		message.sequence++;
		assert_row(!dc09_response_matches(&f->signal, &message), i,
		    messages[i].name);
	}
}

static void
nak_tells_the_time(void **state)
{
	struct fixture *f = *state;
	const char *why;
	int length;

	f->frame = (struct dc09_frame){ .encrypted = true };
	length = (int)dc09_reply_encode(f->crypto, DC09_REPLY_NAK, &f->frame,
	    NULL, false, NOW_US, f->reply);
	assert_non_null(memmem(f->reply, (size_t)length,
	    "\"NAK\"0000R0L0A0[]_12:00:00,03-01-2026\r", 38));
	f->frame = next_frame(f->reply, length);
	assert_int_equal(dc09_response_decode(f->crypto, &f->frame, NULL,
			     f->plain, &f->signal, &why),
	    DC09_RESPONSE_NAK);
	assert_int_equal(f->signal.panel_time_us, NOW_US);
}

static void
events_encoded(void **state)
{
	static const struct {
		const char *name;
		struct signal_event event;
		const char *expected; /* NULL: refused */
	} rows[] = {
		{ "padded",
		    { .format = SIGNAL_FORMAT_CONTACT_ID,
			.qualifier = SIGNAL_QUALIFIER_NEW,
			.code = "130",
			.partition = { "1", 1 },
			.zone = { "5", 1 } },
		    "#1234|1130 01 005" },
		{ "leading zeros dropped",
		    { .format = SIGNAL_FORMAT_CONTACT_ID,
			.qualifier = SIGNAL_QUALIFIER_RESTORE,
			.code = "401",
			.zone = { "0017", 4 } },
		    "#1234|3401 00 017" },
		{ "zone too long",
		    { .format = SIGNAL_FORMAT_CONTACT_ID,
			.qualifier = SIGNAL_QUALIFIER_NEW,
			.code = "130",
			.zone = { "1234", 4 } },
		    NULL },
		{ "sia",
		    { .format = SIGNAL_FORMAT_SIA,
			.code = "BA",
			.partition = { "1", 1 },
			.zone = { "12", 2 },
			.text = { "a|b^c", 5 } },
		    "#1234|Nri1/BA12^a b c^" },
		{ "sia zone no number",
		    { .format = SIGNAL_FORMAT_SIA,
			.code = "BA",
			.zone = { "x/", 2 } },
		    NULL },
		{ "partition too long",
		    { .format = SIGNAL_FORMAT_CONTACT_ID,
			.qualifier = SIGNAL_QUALIFIER_NEW,
			.code = "130",
			.partition = { "123", 3 } },
		    NULL },
		{ "no qualifier",
		    { .format = SIGNAL_FORMAT_CONTACT_ID, .code = "130" },
		    NULL },
		{ "no code",
		    { .format = SIGNAL_FORMAT_CONTACT_ID,
			.qualifier = SIGNAL_QUALIFIER_NEW,
			.code = "1" },
		    NULL },
		{ "no format", { .code = "130" }, NULL },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		char out[64];
		const char *problem = NULL;
		int length = dc09_event_encode(&rows[i].event,
		    slice_from_string("1234"), out, sizeof(out), &problem);

		if (rows[i].expected) {
			assert_row(length > 0, i, rows[i].name);
			assert_slice(slice_of(out, (size_t)length),
			    rows[i].expected);
		} else {
			assert_row(length == -EINVAL && problem, i,
			    rows[i].name);
		}
	}
}

static void
an_event_that_does_not_fit(void **state)
{
	const struct signal_event event = { .format = SIGNAL_FORMAT_CONTACT_ID,
		.qualifier = SIGNAL_QUALIFIER_NEW,
		.code = "130" };
	const char *problem = NULL;
	char out[10];

	(void)state;
	assert_int_equal(dc09_event_encode(&event, slice_from_string("1234"),
			     out, sizeof(out), &problem),
	    -ENAMETOOLONG);
	assert_string_equal(problem, "too long");
}

static void
extended_data_arrives(void **state)
{
	const struct signal_extended extended[] = {
		{ .id = 'M', .value = { "001122334455", 12 } },
		{ .id = 'X', .value = { "093W43.555", 10 } },
	};
	const struct dc09_message message = { .id = "ADM-CID",
		.account = slice_from_string("1234"),
		.data = slice_from_string("#1234|1130 01 005"),
		.extended = extended,
		.extended_count = COUNT(extended) };
	struct fixture *f = *state;
	const char *why = "";
	int length = dc09_message_encode(f->crypto, &message, NULL, NOW_US,
	    f->sent, sizeof(f->sent));

	f->frame = next_frame(f->sent, length);
	assert_int_equal(dc09_decode(f->crypto, &f->frame, NULL, window,
			     dc09_tolerance_default, NOW_US, f->plain,
			     &f->signal, &why),
	    DC09_ACCEPT);
	assert_int_equal(f->signal.extended_count, COUNT(extended));
	assert_slice(f->signal.extended[0].value, "001122334455");
	assert_int_equal(f->signal.extended[1].id, 'X');
}

/* What is no reply, or opens with no key of ours, acknowledges nothing. */
static void
no_acknowledgement(void **state)
{
	const struct dc09_message message = { .id = "NULL",
		.account = slice_from_string("1234") };
	struct codec_key key = { .length = 16, .bytes = "0123456789ABCDEF" };
	struct fixture *f = *state;
	const char *why = "";
	int length = dc09_message_encode(f->crypto, &message, &key, NOW_US,
	    f->sent, sizeof(f->sent));

	f->frame = next_frame(f->sent, length);
	assert_int_equal(dc09_response_decode(f->crypto, &f->frame, &key,
			     f->plain, &f->signal, &why),
	    DC09_RESPONSE_OTHER);
	assert_string_equal(why, "not a reply");
	length = (int)dc09_reply_encode(f->crypto, DC09_REPLY_ACK, &f->frame,
	    &key, false, NOW_US, f->reply);
	f->frame = next_frame(f->reply, length);
	key.bytes[0]++;
	assert_int_equal(dc09_response_decode(f->crypto, &f->frame, &key,
			     f->plain, &f->signal, &why),
	    DC09_RESPONSE_OTHER);
	assert_string_equal(why, "cannot be opened with this key");
}

static void
too_small_a_buffer(void **state)
{
	struct fixture *f = *state;
	struct dc09_message message = { .id = "ADM-CID",
		.account = slice_from_string("1234"),
		.data = slice_from_string("#1234|1130 01 005") };
	int whole = dc09_message_encode(f->crypto, &message, NULL, NOW_US,
	    f->sent, sizeof(f->sent));

	for (int size = 0; size < whole; size++)
		assert_int_equal(dc09_message_encode(f->crypto, &message, NULL,
				     NOW_US, f->sent, (size_t)size),
		    -EMSGSIZE);
}

static const struct {
	int32_t latitude_e7, longitude_e7;
	const char *latitude, *longitude;
} places[] = {
	{ 0, 0, "00N00.00000", "000E00.00000" },
	{ 491111111, 61296296, "49N06.66667", "006E07.77778" },
	{ -338567844, -705693000, "33S51.40706", "070W34.15800" },
	{ 900000000, 1800000000, "90N00.00000", "180E00.00000" },
	{ -900000000, -1800000000, "90S00.00000", "180W00.00000" },
	/* never 60 minutes */
	{ 379999999, 99999999, "37N59.99999", "009E59.99999" },
	{ 1, -1, "00N00.00001", "000W00.00001" },
};

static void
positions(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(places); i++) {
		const struct position position = { true, places[i].latitude_e7,
			places[i].longitude_e7 };
		char latitude[DC09_DEGREES_SIZE], longitude[DC09_DEGREES_SIZE];

		dc09_position_format(&position, latitude, longitude);
		assert_string_equal(latitude, places[i].latitude);
		assert_string_equal(longitude, places[i].longitude);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(round_trip),
		cmocka_unit_test(nak_tells_the_time),
		cmocka_unit_test(events_encoded),
		cmocka_unit_test(an_event_that_does_not_fit),
		cmocka_unit_test(extended_data_arrives),
		cmocka_unit_test(positions),
		cmocka_unit_test(no_acknowledgement),
		cmocka_unit_test(too_small_a_buffer),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
