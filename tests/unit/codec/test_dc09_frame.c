/* Cutting frames out of a stream. */
#include "unit/test.h"

#include "unit/codec/frame.h"

#define READS_MAX 64

/* What one reading of a stream gave. */
struct read {
	enum codec_result result;
	enum dc09_fault fault;
	struct slice raw, id, sequence, receiver, line, account, content;
};

struct reading {
	unsigned count;
	struct read reads[READS_MAX];
};

/* All that stands in data; returns the bytes done with. */
static size_t
read_on(struct reading *reading, const char *data, size_t length,
    unsigned tolerate)
{
	size_t done = 0;

	for (;;) {
		struct read *read = &reading->reads[reading->count];
		struct dc09_frame frame = { .encrypted = false };
		size_t consumed;

		memset(read, 0, sizeof(*read));
		read->result = dc09_frame_next(data + done, length - done,
		    tolerate, &consumed, &frame, &read->fault);
		assert_true(consumed <= length - done);
		done += consumed;
		if (read->result == CODEC_MORE)
			return done;
		assert_true(consumed > 0);
		assert_true(++reading->count < READS_MAX);
		read->raw = frame.raw;
		read->id = frame.id;
		read->sequence = frame.sequence;
		read->receiver = frame.receiver;
		read->line = frame.line;
		read->account = frame.account;
		read->content = frame.content;
	}
}

static bool
same_slice(struct slice a, struct slice b)
{
	return slice_present(a) == slice_present(b) && slice_equal(a, b);
}

static bool
same_read(const struct read *a, const struct read *b)
{
	return a->result == b->result && a->fault == b->fault &&
	    same_slice(a->raw, b->raw) && same_slice(a->id, b->id) &&
	    same_slice(a->sequence, b->sequence) &&
	    same_slice(a->receiver, b->receiver) &&
	    same_slice(a->line, b->line) &&
	    same_slice(a->account, b->account) &&
	    same_slice(a->content, b->content);
}

static void
feed_byte_by_byte(void *context, const struct recorded *row)
{
	static struct reading whole, pieces;
	const unsigned tolerate = *(const unsigned *)context;
	size_t done = 0;

	whole.count = pieces.count = 0;
	read_on(&whole, row->frame, row->length, tolerate);
	for (size_t end = 1; end <= row->length; end++)
		done +=
		    read_on(&pieces, row->frame + done, end - done, tolerate);
	if (pieces.count != whole.count)
		fail_msg("%s: %u reads in pieces, %u at once", row->name,
		    pieces.count, whole.count);
	for (unsigned i = 0; i < whole.count; i++)
		assert_row(same_read(&whole.reads[i], &pieces.reads[i]), i,
		    row->name);
}

static void
byte_by_byte_equals_all_at_once(void **state)
{
	unsigned sets[] = { 0, dc09_tolerance_default,
		dc09_tolerance_default | DC09_TOLERATE_CRC_INCLUDES_CR,
		~(unsigned)DC09_TOLERATE_BAD_CRC, ~0u };

	(void)state;
	for (size_t i = 0; i < COUNT(sets); i++)
		assert_true(recorded_each(feed_byte_by_byte, &sets[i]) > 60);
}

static void
expect_nothing_whole(void *context, const struct recorded *row)
{
	struct dc09_frame frame;
	enum dc09_fault fault;
	size_t consumed;

	(void)context;
	if (dc09_frame_next(row->frame, row->length, dc09_tolerance_default,
		&consumed, &frame, &fault) != CODEC_OK)
		return;
	for (size_t n = 0; n < frame.raw.length; n++) {
		struct dc09_frame cut;
		size_t before = (size_t)(frame.raw.data - row->frame);

		if (dc09_frame_next(row->frame, before + n,
			dc09_tolerance_default, &consumed, &cut,
			&fault) != CODEC_MORE)
			fail_msg("%s cut to %zu bytes", row->name, n);
	}
}

static void
every_truncation_asks_for_more(void **state)
{
	(void)state;
	recorded_each(expect_nothing_whole, NULL);
}

/* A flip may leave the same frame (lower-case digits of the CRC); it never
 * makes another. */
static void
flip_every_bit(const char *name, const char *original, size_t length)
{
	static char data[DC09_FRAME_MAX];
	static struct reading reading;

	for (size_t bit = 0; bit < 8 * length; bit++) {
		memcpy(data, original, length);
		data[bit / 8] ^= (char)(1 << bit % 8);
		reading.count = 0;
		read_on(&reading, data, length, dc09_tolerance_default);
		for (unsigned i = 0; i < reading.count; i++) {
			const struct read *read = &reading.reads[i];
			bool same = read->raw.length == length &&
			    memcmp(read->raw.data + 9, original + 9,
				length - 9) == 0;

			if (read->result == CODEC_OK && !same)
				fail_msg("%s: bit %zu makes \"%.*s\"", name,
				    bit, SLICE_ARG(read->raw));
		}
	}
}

static void
flip_recorded(void *context, const struct recorded *row)
{
	struct dc09_frame frame;
	enum dc09_fault fault;
	size_t consumed;

	if (dc09_frame_next(row->frame, row->length, dc09_tolerance_default,
		&consumed, &frame, &fault) != CODEC_OK)
		return;
	flip_every_bit(row->name, frame.raw.data, frame.raw.length);
	++*(unsigned *)context;
}

static void
no_flipped_bit_makes_another_frame(void **state)
{
	unsigned flipped = 0;

	(void)state;
	recorded_each(flip_recorded, &flipped);
	assert_true(flipped > 40);
}

/* Every sequence, so that each awkward byte occurs in either place. */
static void
binary_crc_of_any_bytes(void **state)
{
	static const char awkward[] = { '\n', '\r', '"', '\0', '0' };
	unsigned seen[COUNT(awkward)][2] = { { 0 } };

	(void)state;
	for (unsigned sequence = 0; sequence < 10000; sequence++) {
		char body[64], data[128];
		struct dc09_frame frame;
		enum dc09_fault fault;
		size_t length, consumed;

		snprintf(body, sizeof(body), "\"NULL\"%04uL0#1234[]", sequence);
		length = frame_make(slice_from_string(body), true, data);
		assert_int_equal(dc09_frame_next(data, length,
				     dc09_tolerance_default, &consumed, &frame,
				     &fault),
		    CODEC_OK);
		assert_int_equal(consumed, length);
		assert_true(frame.binary_crc);
		assert_memory_equal(frame.sequence.data, body + 6, 4);
		for (size_t i = 0; i < COUNT(awkward); i++) {
			seen[i][0] += data[1] == awkward[i];
			seen[i][1] += data[2] == awkward[i];
		}
		assert_int_equal(dc09_frame_next(data, length, 0, &consumed,
				     &frame, &fault),
		    data[9] == '"' ? CODEC_OK : CODEC_BAD);
	}
	for (size_t i = 0; i < COUNT(awkward); i++)
		assert_row(seen[i][0] > 0 && seen[i][1] > 0, i, "never seen");
}

static const struct {
	const char *name;
	const char *body;
	unsigned tolerate;
	enum codec_result result;
	enum dc09_fault fault;
	const char *receiver, *line, *account; /* NULL: absent */
} headers[] = {
	{ "all fields", "\"NULL\"0001R12L34#5678[]", 0, CODEC_OK, 0, "12", "34",
	    "5678" },
	{ "no R", "\"NULL\"0001L34#5678[]", 0, CODEC_OK, 0, NULL, "34",
	    "5678" },
	{ "no account", "\"NULL\"0001R1L34[]", 0, CODEC_OK, 0, "1", "34",
	    NULL },
	{ "six digits", "\"NULL\"0001RFFFFFFLffffff#0[]", 0, CODEC_OK, 0,
	    "FFFFFF", "ffffff", "0" },
	{ "R ends at the L, not before", "\"NULL\"0001R579BDFL789ABC#12345A[]",
	    0, CODEC_OK, 0, "579BDF", "789ABC", "12345A" },
	{ "seven digits", "\"NULL\"0001R1234567L0#1[]", ~0u, CODEC_BAD,
	    DC09_FAULT_HEADER, NULL, NULL, NULL },
	{ "no L", "\"NULL\"0001#5678[]", DC09_TOLERATE_MISSING_LINE, CODEC_OK,
	    0, NULL, NULL, "5678" },
	{ "no L, strict", "\"NULL\"0001#5678[]",
	    ~(unsigned)(DC09_TOLERATE_MISSING_LINE | DC09_TOLERATE_BAD_CRC),
	    CODEC_BAD, DC09_FAULT_HEADER, NULL, NULL, NULL },
	{ "empty L", "\"NULL\"0001L#5678[]", DC09_TOLERATE_EMPTY_LINE, CODEC_OK,
	    0, NULL, "", "5678" },
	{ "empty L, strict", "\"NULL\"0001L#5678[]",
	    ~(unsigned)(DC09_TOLERATE_EMPTY_LINE | DC09_TOLERATE_BAD_CRC),
	    CODEC_BAD, DC09_FAULT_HEADER, NULL, NULL, NULL },
	{ "16 digits", "\"NULL\"0001L0#0123456789ABCDEF[]", 0, CODEC_OK, 0,
	    NULL, "0", "0123456789ABCDEF" },
	{ "17 digits", "\"NULL\"0001L0#0123456789ABCDEF0[]", 0, CODEC_OK, 0,
	    NULL, "0", "0123456789ABCDEF0" },
	{ "18 digits", "\"NULL\"0001L0#0123456789ABCDEF01[]", ~0u, CODEC_BAD,
	    DC09_FAULT_HEADER, NULL, NULL, NULL },
	{ "no digit", "\"NULL\"0001L0#[]", ~0u, CODEC_BAD, DC09_FAULT_HEADER,
	    NULL, NULL, NULL },
	{ "text account", "\"NULL\"0001L0#foc7688[]",
	    DC09_TOLERATE_TEXT_ACCOUNT, CODEC_OK, 0, NULL, "0", "foc7688" },
	{ "text account, strict", "\"NULL\"0001L0#foc7688[]",
	    ~(unsigned)(DC09_TOLERATE_TEXT_ACCOUNT | DC09_TOLERATE_BAD_CRC),
	    CODEC_BAD, DC09_FAULT_HEADER, NULL, NULL, NULL },
	{ "account with a space", "\"NULL\"0001L0#12 4[]", ~0u, CODEC_BAD,
	    DC09_FAULT_HEADER, NULL, NULL, NULL },
	{ "hex sequence", "\"NULL\"000BL0#1[]", DC09_TOLERATE_HEX_SEQUENCE,
	    CODEC_OK, 0, NULL, "0", "1" },
	{ "hex sequence, strict", "\"NULL\"000BL0#1[]",
	    ~(unsigned)(DC09_TOLERATE_HEX_SEQUENCE | DC09_TOLERATE_BAD_CRC),
	    CODEC_BAD, DC09_FAULT_HEADER, NULL, NULL, NULL },
	{ "short sequence", "\"NULL\"001L0#1[]", ~0u, CODEC_BAD,
	    DC09_FAULT_HEADER, NULL, NULL, NULL },
	{ "no id", "\"\"0001L0#1[]", ~0u, CODEC_BAD, DC09_FAULT_HEADER, NULL,
	    NULL, NULL },
	{ "only a star", "\"*\"0001L0#1[]", ~0u, CODEC_BAD, DC09_FAULT_HEADER,
	    NULL, NULL, NULL },
	{ "id without end", "\"NULL0001L0#1[]", ~0u, CODEC_BAD,
	    DC09_FAULT_HEADER, NULL, NULL, NULL },
	{ "no bracket", "\"NULL\"0001L0#1234", ~0u, CODEC_BAD,
	    DC09_FAULT_HEADER, NULL, NULL, NULL },
	{ "something behind the account", "\"NULL\"0001L0R1#1234[]", ~0u,
	    CODEC_BAD, DC09_FAULT_HEADER, NULL, NULL, NULL },
	{ "NAK, whose A0 is no line", "\"NAK\"0000R0L0A0[]", 0, CODEC_OK, 0,
	    "0", "0", NULL },
};

static void
header_fields(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(headers); i++) {
		const char *name = headers[i].name;
		struct dc09_frame frame = { .encrypted = false };
		enum dc09_fault fault = DC09_FAULT_NONE;
		char data[128];
		size_t consumed;
		size_t length =
		    frame_make(slice_from_string(headers[i].body), false, data);

		assert_row(dc09_frame_next(data, length, headers[i].tolerate,
			       &consumed, &frame, &fault) == headers[i].result,
		    i, name);
		assert_row(fault == headers[i].fault, i, name);
		if (headers[i].result != CODEC_OK)
			continue;
		assert_row(same_slice(frame.receiver,
			       slice_from_string(headers[i].receiver)),
		    i, name);
		assert_row(same_slice(frame.line,
			       slice_from_string(headers[i].line)),
		    i, name);
		assert_row(same_slice(frame.account,
			       slice_from_string(headers[i].account)),
		    i, name);
	}
}

static const struct {
	const char *name;
	const char *stream;
	unsigned tolerate;
	enum codec_result result;
	enum dc09_fault fault;
	size_t consumed;
} streams[] = {
	{ "nothing", "", 0, CODEC_MORE, 0, 0 },
	{ "junk", "GET / HTTP/1.1\r", 0, CODEC_MORE, 0, 15 },
	{ "junk and a beginning", "xyz\nA62A0012\"AC", 0, CODEC_MORE, 0, 3 },
	{ "no quote", "\nHost: example\r\n", 0, CODEC_BAD, DC09_FAULT_JUNK, 1 },
	{ "length not hexadecimal", "\nA62A001x\"ACK\"0001L0#7099[]\r", 0,
	    CODEC_BAD, DC09_FAULT_LENGTH, 1 },
	{ "length without its zero", "\nA62A1012\"ACK\"0001L0#7099[]\r", 0,
	    CODEC_BAD, DC09_FAULT_LENGTH, 1 },
	{ "length too short", "\nA62A0011\"ACK\"0001L0#7099[]\r", 0, CODEC_BAD,
	    DC09_FAULT_LENGTH, 1 },
	{ "length too long", "\nA62A0013\"ACK\"0001L0#7099[]\r", 0, CODEC_MORE,
	    0, 0 },
	{ "length zero", "\nA62A0000\"ACK\"0001L0#7099[]\r", 0, CODEC_BAD,
	    DC09_FAULT_LENGTH, 1 },
	{ "CRC not hexadecimal", "\nA6_A0012\"ACK\"0001L0#7099[]\r", 0,
	    CODEC_BAD, DC09_FAULT_CRC, 1 },
	{ "CRC wrong", "\nA62B0012\"ACK\"0001L0#7099[]\r",
	    ~(unsigned)DC09_TOLERATE_BAD_CRC, CODEC_BAD, DC09_FAULT_CRC, 1 },
	{ "CRC wrong, tolerated", "\nA62B0012\"ACK\"0001L0#7099[]\r",
	    DC09_TOLERATE_BAD_CRC, CODEC_OK, 0, 28 },
	{ "CRC 0000 and a wrong length, tolerated",
	    "\n00000001\"ACK\"0001L0#7099[]\r", DC09_TOLERATE_BAD_CRC, CODEC_OK,
	    0, 28 },
	{ "NUL behind the frame before", "\0\nA62A0012\"ACK\"0001L0#7099[]\r",
	    0, CODEC_OK, 0, 29 },
};

static void
stream_faults(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(streams); i++) {
		const char *name = streams[i].name;
		struct dc09_frame frame;
		enum dc09_fault fault = DC09_FAULT_NONE;
		size_t consumed;
		/* one row begins with a NUL */
		size_t length = streams[i].stream[0] || i == 0
		    ? strlen(streams[i].stream)
		    : 1 + strlen(streams[i].stream + 1);

		assert_row(dc09_frame_next(streams[i].stream, length,
			       streams[i].tolerate, &consumed, &frame,
			       &fault) == streams[i].result,
		    i, name);
		assert_row(fault == streams[i].fault, i, name);
		assert_row(consumed == streams[i].consumed, i, name);
	}
}

/* A broken frame costs no sound one behind it, or inside it. */
static void
finds_the_next_frame(void **state)
{
	static const char stream[] =
	    "\nA62A0FFF\nA62B0012\"ACK\"0001L0#7099[]\r"
	    "\nA62A0012\"ACK\"0001L0#7099[]\r";
	static struct reading reading;
	unsigned sound = 0;

	(void)state;
	reading.count = 0;
	read_on(&reading, stream, sizeof(stream) - 1, dc09_tolerance_default);
	for (unsigned i = 0; i < reading.count; i++)
		sound += reading.reads[i].result == CODEC_OK;
	assert_int_equal(sound, 1);
	assert_int_equal(reading.reads[reading.count - 1].result, CODEC_OK);
}

static void
longest_frame(void **state)
{
	static char body[DC09_BODY_MAX + 1], data[DC09_FRAME_MAX + 1];
	struct dc09_frame frame;
	enum dc09_fault fault;
	size_t consumed;
	size_t head = (size_t)snprintf(body, sizeof(body),
	    "\"SIA-DCS\"0001L0#1[#1|NBA1^");

	(void)state;
	memset(body + head, 'x', DC09_BODY_MAX - head);
	memcpy(body + DC09_BODY_MAX - 2, "^]", 2);
	assert_int_equal(frame_make(slice_of(body, DC09_BODY_MAX), false, data),
	    1 + 4 + 4 + DC09_BODY_MAX + 1);
	assert_int_equal(dc09_frame_next(data, 1 + 4 + 4 + DC09_BODY_MAX + 1, 0,
			     &consumed, &frame, &fault),
	    CODEC_OK);
	/* without an end none is waited for in vain */
	memset(data + 9, 'x', sizeof(data) - 9);
	data[9] = '"';
	assert_int_equal(dc09_frame_next(data, sizeof(data),
			     DC09_TOLERATE_BAD_CRC, &consumed, &frame, &fault),
	    CODEC_BAD);
}

static void
cr_counted_only_when_named(void **state)
{
	struct slice body = slice_from_string(
	    "\"ADM-CID\"0227R4F39L4F39#4F39[#4F39|3401 01 057]");
	struct dc09_frame frame;
	enum dc09_fault fault;
	char data[128];
	size_t consumed, length = frame_make_counting_cr(body, data);

	(void)state;
	assert_int_equal(dc09_frame_next(data, length,
			     DC09_TOLERATE_CRC_INCLUDES_CR, &consumed, &frame,
			     &fault),
	    CODEC_OK);
	assert_int_equal(consumed, length);
	assert_int_equal(frame.raw.length, length);
	assert_slice(frame.content, "#4F39|3401 01 057]");
	assert_int_equal(dc09_frame_next(data, length, dc09_tolerance_default,
			     &consumed, &frame, &fault),
	    CODEC_MORE); /* a CR after the CR would have to follow */
	data[length] = '\n';
	assert_int_equal(dc09_frame_next(data, length + 1,
			     dc09_tolerance_default, &consumed, &frame, &fault),
	    CODEC_BAD);
	/* with the tolerance the others are still read */
	length = frame_make(body, false, data);
	assert_int_equal(dc09_frame_next(data, length,
			     DC09_TOLERATE_CRC_INCLUDES_CR, &consumed, &frame,
			     &fault),
	    CODEC_OK);
}

static void
default_tolerances(void **state)
{
	static const struct {
		const char *name;
		bool by_default;
	} rows[] = {
		{ "binary_crc", true },
		{ "crc_includes_cr", false },
		{ "ignore_crc", false },
		{ "missing_line", true },
		{ "empty_line", true },
		{ "text_account", true },
		{ "no_pad_bar", true },
		{ "extra_field", true },
		{ "any_time", false },
		{ "account_zeros", false },
		{ "hex_sequence", true },
	};
	unsigned bit, all = 0;

	(void)state;
	for (unsigned i = 0; i < COUNT(rows); i++) {
		assert_string_equal(dc09_tolerance_name(i, &bit), rows[i].name);
		assert_int_equal(
		    dc09_tolerance_from_name(slice_from_string(rows[i].name)),
		    bit);
		assert_row(((dc09_tolerance_default & bit) != 0) ==
			rows[i].by_default,
		    i, rows[i].name);
		all |= bit;
	}
	assert_null(dc09_tolerance_name(COUNT(rows), &bit));
	assert_int_equal(dc09_tolerance_default & ~all, 0);
	assert_int_equal(dc09_tolerance_from_name(slice_from_string("any")), 0);
}

static void
fault_names(void **state)
{
	static const struct {
		enum dc09_fault fault;
		const char *name;
	} rows[] = {
		{ DC09_FAULT_NONE, "none" },
		{ DC09_FAULT_JUNK, "junk" },
		{ DC09_FAULT_LENGTH, "length" },
		{ DC09_FAULT_CRC, "crc" },
		{ DC09_FAULT_HEADER, "header" },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++)
		assert_row(strcmp(dc09_fault_name(rows[i].fault),
			       rows[i].name) == 0,
		    i, rows[i].name);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(byte_by_byte_equals_all_at_once),
		cmocka_unit_test(every_truncation_asks_for_more),
		cmocka_unit_test(no_flipped_bit_makes_another_frame),
		cmocka_unit_test(binary_crc_of_any_bytes),
		cmocka_unit_test(header_fields),
		cmocka_unit_test(stream_faults),
		cmocka_unit_test(finds_the_next_frame),
		cmocka_unit_test(longest_frame),
		cmocka_unit_test(cr_counted_only_when_named),
		cmocka_unit_test(default_tolerances),
		cmocka_unit_test(fault_names),
	};

	return cmocka_run_group_tests_name("codec/frame", tests, NULL, NULL);
}
