#include "load/frame.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "codec/crc16.h"

/* Bytes encoded once, and where the changing ones stand (0: not there). */
struct pattern {
	char bytes[FRAME_MAX];
	size_t length;
	size_t quote; /* the CRC runs from here up to before CR */
	size_t sequence;
	size_t account;
	size_t data_account;
	size_t qualifier;
	size_t code;
	size_t partition;
	size_t zone;
};

struct frame_maker {
	struct frame_settings settings;
	struct dc09_crypto *crypto;
	bool encrypted;
	struct pattern signal;
	struct pattern signal_ack;
	struct pattern null;
	struct pattern null_ack;
	char plain[DC09_BODY_MAX / 2];
};

/* The digits that change from message to message, as text. */
struct digits {
	char account[ACCOUNT_DIGITS_MAX];
	char data[64];
	int data_length;
};

static void
write_number(char *out, unsigned digits, unsigned number)
{
	while (digits-- > 0) {
		out[digits] = (char)('0' + number % 10);
		number /= 10;
	}
}

static char
qualifier_digit(char qualifier)
{
	return qualifier == 'R' ? '3' : '1';
}

/* "#acct|1130 01 005" or "#acct|Nri01/BA0005" */
static void
write_data(struct frame_maker *maker, const struct frame_message *message,
    struct digits *digits)
{
	const struct plan *plan = maker->settings.plan;
	int width = (int)maker->settings.accounts->width;
	struct plan_signal s;

	account_range_write(maker->settings.accounts, message->account,
	    digits->account);
	digits->data_length = 0;
	if (message->link_test)
		return;
	plan_signal(plan, message->n, &s);
	if (plan->format == SIGNAL_FORMAT_SIA)
		digits->data_length = snprintf(digits->data,
		    sizeof(digits->data), "#%.*s|Nri%02u/%s%04u", width,
		    digits->account, s.partition, s.code, s.zone);
	else
		digits->data_length = snprintf(digits->data,
		    sizeof(digits->data), "#%.*s|%c%s %02u %03u", width,
		    digits->account, qualifier_digit(s.qualifier), s.code,
		    s.partition, s.zone);
}

/* The message as the codec knows it; borrows digits. */
static struct dc09_message
codec_message(struct frame_maker *maker, const struct frame_message *message,
    const struct digits *digits)
{
	const struct frame_settings *settings = &maker->settings;
	const char *event =
	    settings->plan->format == SIGNAL_FORMAT_SIA ? "SIA-DCS" : "ADM-CID";

	return (struct dc09_message){
		.id = message->link_test ? "NULL" : event,
		.sequence = message->sequence,
		.receiver = settings->receiver,
		.line = settings->line,
		.account = slice_of(digits->account, settings->accounts->width),
		.data = slice_of(digits->data, (size_t)digits->data_length),
	};
}

static int
encode(struct frame_maker *maker, const struct frame_message *message,
    int64_t now_us, char *out)
{
	const struct codec_key *key =
	    maker->encrypted ? &maker->settings.key : NULL;
	struct digits digits;
	struct dc09_message m;

	write_data(maker, message, &digits);
	m = codec_message(maker, message, &digits);
	return dc09_message_encode(maker->crypto, &m, key, now_us, out,
	    FRAME_MAX);
}

/* Where the header's changing fields stand; also true for a reply. */
static void
find_header(struct pattern *pattern)
{
	char *start = pattern->bytes;
	char *quote = memchr(start, '"', pattern->length);
	char *end_quote = strchr(quote + 1, '"');

	pattern->quote = (size_t)(quote - start);
	pattern->sequence = (size_t)(end_quote - start) + 1;
	pattern->account = (size_t)(strchr(end_quote, '#') - start) + 1;
}

/* Where the data's fields stand, from the two forms in write_data. */
static void
find_data(struct pattern *pattern, enum signal_format format)
{
	const char *bracket = strchr(pattern->bytes, '[');
	size_t at = (size_t)(strchr(bracket, '|') - pattern->bytes) + 1;

	pattern->data_account = (size_t)(bracket - pattern->bytes) + 2;
	if (format == SIGNAL_FORMAT_SIA) {
		pattern->partition = at + sizeof("Nri") - 1;
		pattern->code = at + sizeof("Nri01/") - 1;
		pattern->zone = at + sizeof("Nri01/BA") - 1;
	} else {
		pattern->qualifier = at;
		pattern->code = at + 1;
		pattern->partition = at + sizeof("1130 ") - 1;
		pattern->zone = at + sizeof("1130 01 ") - 1;
	}
}

static int
make_ack_pattern(struct frame_maker *maker, const struct pattern *request,
    struct pattern *ret)
{
	struct dc09_frame frame;
	enum dc09_fault fault;
	size_t consumed;

	if (dc09_frame_next(request->bytes, request->length, 0, &consumed,
		&frame, &fault) != CODEC_OK)
		return -EINVAL;
	ret->length = dc09_reply_encode(maker->crypto, DC09_REPLY_ACK, &frame,
	    NULL, false, 0, ret->bytes);
	if (ret->length == 0)
		return -EMSGSIZE;
	find_header(ret);
	return 0;
}

static int
make_patterns(struct frame_maker *maker, bool link_test, struct pattern *ret,
    struct pattern *ret_ack)
{
	struct frame_message first = { .sequence = 1, .link_test = link_test };
	int length = encode(maker, &first, 0, ret->bytes);

	if (length < 0)
		return length;
	ret->length = (size_t)length;
	if (maker->encrypted)
		return 0;
	find_header(ret);
	if (!link_test)
		find_data(ret, maker->settings.plan->format);
	return make_ack_pattern(maker, ret, ret_ack);
}

int
frame_maker_open(struct frame_maker **ret,
    const struct frame_settings *settings, struct err *err)
{
	struct frame_maker *maker = calloc(1, sizeof(*maker));
	int result;

	if (!maker)
		return err_set(err, -ENOMEM, "out of memory");
	maker->settings = *settings;
	maker->encrypted = settings->key.length > 0;
	result = dc09_crypto_open(&maker->crypto, err);
	if (result < 0)
		goto out;
	result =
	    make_patterns(maker, false, &maker->signal, &maker->signal_ack);
	if (result == 0)
		result =
		    make_patterns(maker, true, &maker->null, &maker->null_ack);
	if (result < 0)
		err_set(err, result, "this message does not fit into DC-09");
out:
	if (result < 0)
		frame_maker_close(&maker);
	else
		*ret = maker;
	return result;
}

void
frame_maker_close(struct frame_maker **maker)
{
	if (!*maker)
		return;
	dc09_crypto_close(&(*maker)->crypto);
	free(*maker);
	*maker = NULL;
}

static void
write_crc(const struct pattern *pattern, char *out)
{
	uint16_t crc =
	    crc16(out + pattern->quote, pattern->length - pattern->quote - 1);

	for (int i = 4; i >= 1; i--, crc >>= 4)
		out[i] = "0123456789ABCDEF"[crc & 15];
}

static void
write_header(const struct frame_maker *maker, const struct pattern *pattern,
    const struct frame_message *message, char *out)
{
	memcpy(out, pattern->bytes, pattern->length);
	write_number(out + pattern->sequence, 4, message->sequence);
	account_range_write(maker->settings.accounts, message->account,
	    out + pattern->account);
}

static void
write_event(const struct frame_maker *maker, const struct pattern *pattern,
    const struct frame_message *message, char *out)
{
	const struct plan *plan = maker->settings.plan;
	bool sia = plan->format == SIGNAL_FORMAT_SIA;
	struct plan_signal s;

	plan_signal(plan, message->n, &s);
	memcpy(out + pattern->data_account, out + pattern->account,
	    maker->settings.accounts->width);
	if (!sia)
		out[pattern->qualifier] = qualifier_digit(s.qualifier);
	memcpy(out + pattern->code, s.code, sia ? 2 : 3);
	write_number(out + pattern->partition, 2, s.partition);
	write_number(out + pattern->zone, sia ? 4 : 3, s.zone);
}

size_t
frame_make(struct frame_maker *maker, const struct frame_message *message,
    int64_t now_us, char *out)
{
	const struct pattern *pattern =
	    message->link_test ? &maker->null : &maker->signal;

	if (maker->encrypted) {
		int length = encode(maker, message, now_us, out);

		return length > 0 ? (size_t)length : 0;
	}
	write_header(maker, pattern, message, out);
	if (!message->link_test)
		write_event(maker, pattern, message, out);
	write_crc(pattern, out);
	return pattern->length;
}

size_t
frame_is_ack(struct frame_maker *maker, const struct frame_message *message,
    const char *data, size_t length)
{
	const struct pattern *pattern =
	    message->link_test ? &maker->null_ack : &maker->signal_ack;
	char expected[FRAME_MAX];

	if (maker->encrypted || length < pattern->length)
		return 0;
	write_header(maker, pattern, message, expected);
	write_crc(pattern, expected);
	return memcmp(expected, data, pattern->length) == 0 ? pattern->length
							    : 0;
}

enum codec_result
frame_read_reply(struct frame_maker *maker, const char *data, size_t length,
    size_t *ret_consumed, enum dc09_response *ret, struct signal *ret_signal)
{
	struct dc09_frame frame;
	enum dc09_fault fault;
	const char *reason;
	enum codec_result result = dc09_frame_next(data, length,
	    dc09_tolerance_default, ret_consumed, &frame, &fault);

	if (result == CODEC_OK)
		*ret = dc09_response_decode(maker->crypto, &frame,
		    &maker->settings.key, maker->plain, ret_signal, &reason);
	return result;
}

bool
frame_matches(struct frame_maker *maker, const struct frame_message *message,
    const struct signal *reply)
{
	struct digits digits;
	struct dc09_message m;

	write_data(maker, message, &digits);
	m = codec_message(maker, message, &digits);
	return dc09_response_matches(reply, &m);
}
