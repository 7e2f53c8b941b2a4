#include "codec/dc09_wire.h"

#include "base/clock.h"
#include "base/text.h"
#include "codec/crc16.h"

static void
write_decimal(struct writer *w, unsigned value, unsigned digits)
{
	char text[8];

	for (unsigned i = digits; i-- > 0; value /= 10)
		text[i] = (char)('0' + value % 10);
	writer_bytes(w, text, digits);
}

void
dc09_timestamp_write(struct writer *w, int64_t now_us)
{
	int64_t seconds = now_us / 1000000, year;
	unsigned month, day, rest = (unsigned)(seconds % 86400);

	clock_date_from_days(seconds / 86400, &year, &month, &day);
	write_decimal(w, rest / 3600, 2);
	writer_u8(w, ':');
	write_decimal(w, rest / 60 % 60, 2);
	writer_u8(w, ':');
	write_decimal(w, rest % 60, 2);
	writer_u8(w, ',');
	write_decimal(w, month, 2);
	writer_u8(w, '-');
	write_decimal(w, day, 2);
	writer_u8(w, '-');
	write_decimal(w, (unsigned)year, 4);
}

static void
hex_word(unsigned word, char out[4])
{
	static const char digits[] = "0123456789ABCDEF";

	for (int i = 4; i-- > 0; word >>= 4)
		out[i] = digits[word & 0xf];
}

size_t
dc09_frame_close(char *out, size_t body_length, bool binary_crc)
{
	char *body = out + DC09_PREFIX_MAX;
	uint16_t crc = crc16(body, body_length);
	char *length_word = out + 5;

	out[0] = '\n';
	if (binary_crc) {
		out[1] = (char)(crc >> 8);
		out[2] = (char)crc;
		length_word = out + 3;
		memmove(out + 7, body, body_length);
		body = out + 7;
	} else {
		hex_word(crc, out + 1);
	}
	hex_word((unsigned)body_length, length_word);
	body[body_length] = '\r';
	return (size_t)(body + body_length + 1 - out);
}

static void
write_string(struct writer *w, const char *string)
{
	writer_bytes(w, string, strlen(string));
}

static void
write_field(struct writer *w, char letter, struct slice value)
{
	if (!slice_present(value))
		return;
	writer_u8(w, (uint8_t)letter);
	writer_bytes(w, value.data, value.length);
}

/* Byte for byte as it came: panels compare it. */
static void
write_echo(struct writer *w, const struct dc09_frame *frame)
{
	writer_bytes(w, frame->sequence.data, frame->sequence.length);
	write_field(w, 'R', frame->receiver);
	write_field(w, 'L', frame->line);
	write_field(w, '#', frame->account);
}

static void
write_timestamp(struct writer *w, int64_t now_us)
{
	writer_u8(w, '_');
	dc09_timestamp_write(w, now_us);
}

static bool
write_ack(struct writer *w, struct dc09_crypto *crypto,
    const struct dc09_frame *frame, const struct codec_key *key, bool timestamp,
    int64_t now_us)
{
	char region[2 + DC09_TIMESTAMP_LENGTH];
	struct writer r = writer_open(region, sizeof(region));

	write_string(w, frame->encrypted ? "\"*ACK\"" : "\"ACK\"");
	write_echo(w, frame);
	if (!frame->encrypted) {
		write_string(w, "[]");
		if (timestamp)
			write_timestamp(w, now_us);
		return true;
	}
	if (!key || key->length == 0)
		return false;
	writer_u8(&r, ']');
	write_timestamp(&r, now_us);
	writer_u8(w, '[');
	return dc09_region_write(crypto, key,
	    slice_of(region, writer_length(&r)), w);
}

size_t
dc09_reply_encode(struct dc09_crypto *crypto, enum dc09_reply kind,
    const struct dc09_frame *frame, const struct codec_key *key, bool timestamp,
    int64_t now_us, char *out)
{
	/* one byte stays for the CR */
	struct writer w = writer_open(out + DC09_PREFIX_MAX,
	    DC09_REPLY_MAX - DC09_PREFIX_MAX - 1);

	switch (kind) {
	case DC09_REPLY_ACK:
		if (!write_ack(&w, crypto, frame, key, timestamp, now_us))
			return 0;
		break;
	case DC09_REPLY_NAK:
		write_string(&w, "\"NAK\"0000R0L0A0[]");
		write_timestamp(&w, now_us);
		break;
	case DC09_REPLY_DUH:
		write_string(&w, "\"DUH\"");
		write_echo(&w, frame);
		write_string(&w, "[]");
		if (timestamp)
			write_timestamp(&w, now_us);
		break;
	}
	if (w.failed)
		return 0;
	return dc09_frame_close(out, writer_length(&w), frame->binary_crc);
}
