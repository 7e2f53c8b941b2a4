#include "codec/dc09.h"

#include "codec/crc16.h"

/* Bytes before the opening quote: LF crc 0LLL. */
#define PREFIX_TEXT   9
#define PREFIX_BINARY 7

#define ID_MAX	      17 /* with the '*' */
#define NUMBER_MAX    6
#define ACCOUNT_MAX   17
#define SEQUENCE_LEN  4

const unsigned dc09_tolerance_default = DC09_TOLERATE_BINARY_CRC |
    DC09_TOLERATE_MISSING_LINE | DC09_TOLERATE_EMPTY_LINE |
    DC09_TOLERATE_TEXT_ACCOUNT | DC09_TOLERATE_NO_PAD_BAR |
    DC09_TOLERATE_EXTRA_FIELD | DC09_TOLERATE_HEX_SEQUENCE;

/* The first name of a bit is its name; further ones come from recordings. */
static const struct {
	const char *name;
	unsigned bit;
} tolerances[] = {
	{ "binary_crc", DC09_TOLERATE_BINARY_CRC },
	{ "crc_includes_cr", DC09_TOLERATE_CRC_INCLUDES_CR },
	{ "ignore_crc", DC09_TOLERATE_BAD_CRC },
	{ "missing_line", DC09_TOLERATE_MISSING_LINE },
	{ "empty_line", DC09_TOLERATE_EMPTY_LINE },
	{ "text_account", DC09_TOLERATE_TEXT_ACCOUNT },
	{ "no_pad_bar", DC09_TOLERATE_NO_PAD_BAR },
	{ "extra_field", DC09_TOLERATE_EXTRA_FIELD },
	{ "any_time", DC09_TOLERATE_TIME },
	{ "account_zeros", DC09_TOLERATE_ACCOUNT_ZEROS },
	{ "hex_sequence", DC09_TOLERATE_HEX_SEQUENCE },
	/* by their long names, as recordings call them */
	{ "crc_and_length_include_CR", DC09_TOLERATE_CRC_INCLUDES_CR },
	{ "missing_L_field", DC09_TOLERATE_MISSING_LINE },
	{ "empty_L_field", DC09_TOLERATE_EMPTY_LINE },
	{ "no_pipe_after_pad", DC09_TOLERATE_NO_PAD_BAR },
	{ "extra_field_0_before_event_block", DC09_TOLERATE_EXTRA_FIELD },
	{ "timestamp_in_local_time", DC09_TOLERATE_TIME },
};
#define TOLERANCES_NAMED 11

const char *
dc09_tolerance_name(unsigned index, unsigned *ret_bit)
{
	if (index >= TOLERANCES_NAMED)
		return NULL;
	*ret_bit = tolerances[index].bit;
	return tolerances[index].name;
}

unsigned
dc09_tolerance_from_name(struct slice name)
{
	for (size_t i = 0; i < sizeof(tolerances) / sizeof(tolerances[0]); i++)
		if (slice_is(name, tolerances[i].name))
			return tolerances[i].bit;
	return 0;
}

const char *
dc09_fault_name(enum dc09_fault fault)
{
	switch (fault) {
	case DC09_FAULT_NONE:
		return "none";
	case DC09_FAULT_JUNK:
		return "junk";
	case DC09_FAULT_LENGTH:
		return "length";
	case DC09_FAULT_CRC:
		return "crc";
	case DC09_FAULT_HEADER:
		return "header";
	}
	return "unknown";
}

static int
hex_value(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	return -1;
}

/* Four hexadecimal digits, or -1. */
static int
hex_word(const char *p)
{
	int word = 0;

	for (int i = 0; i < 4; i++) {
		int value = hex_value(p[i]);

		if (value < 0)
			return -1;
		word = word << 4 | value;
	}
	return word;
}

static int
length_word(const char *p)
{
	return p[0] == '0' ? hex_word(p) : -1;
}

/* The frame's outside: where its body lies and what its sender computed. */
struct envelope {
	size_t prefix; /* bytes before the body */
	int crc;       /* -1: not a number (only with the tolerance) */
	int length;    /* as announced */
};

/*
 * Is data[0] == LF the beginning of a frame? The quote tells the two forms
 * apart: where one has it the other has a hexadecimal digit of its length.
 */
static enum codec_result
read_envelope(const char *data, size_t length, unsigned tolerate,
    struct envelope *ret, enum dc09_fault *ret_fault)
{
	if (length <= PREFIX_BINARY)
		return CODEC_MORE;
	if (data[PREFIX_BINARY] == '"' &&
	    (tolerate & DC09_TOLERATE_BINARY_CRC)) {
		ret->prefix = PREFIX_BINARY;
		ret->crc = (uint8_t)data[1] << 8 | (uint8_t)data[2];
	} else {
		if (length <= PREFIX_TEXT)
			return CODEC_MORE;
		if (data[PREFIX_TEXT] != '"') {
			*ret_fault = DC09_FAULT_JUNK;
			return CODEC_BAD;
		}
		ret->prefix = PREFIX_TEXT;
		ret->crc = hex_word(data + 1);
	}
	ret->length = length_word(data + ret->prefix - 4);
	if (ret->length < 1 && !(tolerate & DC09_TOLERATE_BAD_CRC)) {
		*ret_fault = DC09_FAULT_LENGTH;
		return CODEC_BAD;
	}
	if (ret->crc < 0 && !(tolerate & DC09_TOLERATE_BAD_CRC)) {
		*ret_fault = DC09_FAULT_CRC;
		return CODEC_BAD;
	}
	return CODEC_OK;
}

/* Where the sender counted wrong the first CR ends the frame. */
static enum codec_result
find_body_by_cr(const struct envelope *envelope, const char *data,
    size_t length, size_t *ret_body, enum dc09_fault *ret_fault)
{
	const char *body = data + envelope->prefix;
	size_t left = length - envelope->prefix;
	const char *cr = memchr(body, '\r', left);

	if (cr && cr - body <= DC09_BODY_MAX) {
		*ret_body = (size_t)(cr - body);
		return CODEC_OK;
	}
	if (!cr && left <= DC09_BODY_MAX)
		return CODEC_MORE;
	*ret_fault = DC09_FAULT_LENGTH;
	return CODEC_BAD;
}

/* How long the body is, judged by length and CRC. */
static enum codec_result
find_body(const struct envelope *envelope, const char *data, size_t length,
    unsigned tolerate, size_t *ret_body, enum dc09_fault *ret_fault)
{
	const char *body = data + envelope->prefix;
	size_t left = length - envelope->prefix;
	size_t announced = (size_t)envelope->length;

	if (tolerate & DC09_TOLERATE_BAD_CRC)
		return find_body_by_cr(envelope, data, length, ret_body,
		    ret_fault);
	if (left < announced)
		return CODEC_MORE;
	if ((tolerate & DC09_TOLERATE_CRC_INCLUDES_CR) &&
	    body[announced - 1] == '\r' &&
	    crc16(body, announced) == envelope->crc) {
		*ret_body = announced - 1;
		return CODEC_OK;
	}
	if (left == announced)
		return CODEC_MORE;
	if (body[announced] != '\r') {
		*ret_fault = DC09_FAULT_LENGTH;
		return CODEC_BAD;
	}
	if (crc16(body, announced) != envelope->crc) {
		*ret_fault = DC09_FAULT_CRC;
		return CODEC_BAD;
	}
	*ret_body = announced;
	return CODEC_OK;
}

/* Hexadecimal digits after a letter: "R579BD". False: too many. */
static bool
take_number(struct slice *header, char letter, struct slice *ret)
{
	size_t digits = 0;

	*ret = SLICE_NONE;
	if (header->length == 0 || header->data[0] != letter)
		return true;
	while (digits + 1 < header->length &&
	    hex_value(header->data[digits + 1]) >= 0)
		digits++;
	*ret = slice_of(header->data + 1, digits);
	*header = slice_part(*header, digits + 1, header->length);
	return digits <= NUMBER_MAX;
}

static bool
take_id(struct slice *header, struct slice *ret)
{
	const char *end = memchr(header->data + 1, '"', header->length - 1);

	if (!end)
		return false;
	*ret = slice_of(header->data + 1, (size_t)(end - header->data) - 1);
	*header = slice_part(*header, ret->length + 2, header->length);
	if (ret->length == 0 || ret->length > ID_MAX || slice_is(*ret, "*"))
		return false;
	for (size_t i = 0; i < ret->length; i++)
		if (ret->data[i] <= ' ' || ret->data[i] > '~')
			return false;
	return true;
}

static bool
take_sequence(struct slice *header, unsigned tolerate, struct slice *ret)
{
	*ret = slice_part(*header, 0, SEQUENCE_LEN);
	if (ret->length < SEQUENCE_LEN)
		return false;
	for (size_t i = 0; i < SEQUENCE_LEN; i++) {
		int value = hex_value(ret->data[i]);

		if (value < 0 ||
		    (value > 9 && !(tolerate & DC09_TOLERATE_HEX_SEQUENCE)))
			return false;
	}
	*header = slice_part(*header, SEQUENCE_LEN, header->length);
	return true;
}

static bool
account_valid(struct slice account, unsigned tolerate)
{
	if (account.length == 0 || account.length > ACCOUNT_MAX)
		return false;
	for (size_t i = 0; i < account.length; i++) {
		char c = account.data[i];

		if (hex_value(c) >= 0)
			continue;
		if (!(tolerate & DC09_TOLERATE_TEXT_ACCOUNT) || c <= ' ' ||
		    c > '~' || strchr("\"|]#", c))
			return false;
	}
	return true;
}

/* What is left of the header after id and sequence: [Rrcvr] Lpref [#acct]. */
static bool
take_addresses(struct slice header, unsigned tolerate, struct dc09_frame *ret)
{
	/* a NAK ends in "A0", which is no digit of its L (DC-09, responses) */
	if (slice_is(ret->id, "NAK") && header.length >= 2 &&
	    memcmp(header.data + header.length - 2, "A0", 2) == 0)
		header.length -= 2;
	if (!take_number(&header, 'R', &ret->receiver) ||
	    !take_number(&header, 'L', &ret->line))
		return false;
	if (!slice_present(ret->line) &&
	    !(tolerate & DC09_TOLERATE_MISSING_LINE))
		return false;
	if (slice_present(ret->line) && ret->line.length == 0 &&
	    !(tolerate & DC09_TOLERATE_EMPTY_LINE))
		return false;
	if (header.length == 0)
		return true;
	ret->account = slice_part(header, 1, header.length);
	return header.data[0] == '#' && account_valid(ret->account, tolerate);
}

static bool
read_header(struct slice body, unsigned tolerate, struct dc09_frame *ret)
{
	const char *bracket = memchr(body.data, '[', body.length);
	struct slice header;

	if (!bracket)
		return false;
	header = slice_part(body, 0, (size_t)(bracket - body.data));
	ret->content = slice_part(body, header.length + 1, body.length);
	if (!take_id(&header, &ret->id) ||
	    !take_sequence(&header, tolerate, &ret->sequence))
		return false;
	ret->encrypted = ret->id.data[0] == '*';
	return take_addresses(header, tolerate, ret);
}

/* The frame whose LF is data[0]. */
static enum codec_result
read_frame(const char *data, size_t length, unsigned tolerate,
    struct dc09_frame *ret, enum dc09_fault *ret_fault)
{
	struct dc09_frame frame = { .encrypted = false };
	struct envelope envelope;
	enum codec_result result;
	size_t body;

	result = read_envelope(data, length, tolerate, &envelope, ret_fault);
	if (result != CODEC_OK)
		return result;
	result = find_body(&envelope, data, length, tolerate, &body, ret_fault);
	if (result != CODEC_OK)
		return result;
	if (!read_header(slice_of(data + envelope.prefix, body), tolerate,
		&frame)) {
		*ret_fault = DC09_FAULT_HEADER;
		return CODEC_BAD;
	}
	frame.raw = slice_of(data, envelope.prefix + body + 1);
	frame.binary_crc = envelope.prefix == PREFIX_BINARY;
	*ret = frame;
	return CODEC_OK;
}

enum codec_result
dc09_frame_next(const char *data, size_t length, unsigned tolerate,
    size_t *ret_consumed, struct dc09_frame *ret, enum dc09_fault *ret_fault)
{
	const char *lf = length > 0 ? memchr(data, '\n', length) : NULL;
	size_t junk = lf ? (size_t)(lf - data) : length;
	enum codec_result result;

	*ret_consumed = junk;
	if (!lf)
		return CODEC_MORE;
	result = read_frame(lf, length - junk, tolerate, ret, ret_fault);
	if (result == CODEC_OK)
		*ret_consumed += ret->raw.length;
	if (result == CODEC_BAD)
		*ret_consumed += 1; /* a frame may begin inside this one */
	return result;
}
