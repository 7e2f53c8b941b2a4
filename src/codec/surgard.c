#include "codec/surgard.h"

#include <errno.h>

#include "base/cursor.h"
#include "codec/contact_id.h"
#include "codec/sia.h"

#define HEARTBEAT_TAIL "           @    "

static void
write_string(struct writer *w, const char *string)
{
	writer_bytes(w, string, strlen(string));
}

static void
write_repeated(struct writer *w, char c, size_t count)
{
	while (count-- > 0)
		writer_u8(w, (uint8_t)c);
}

/* Right-aligned in width; false when it does not fit. */
static bool
write_aligned(struct writer *w, struct slice value, size_t width, char fill)
{
	if (value.length > width)
		return false;
	write_repeated(w, fill, width - value.length);
	if (value.length > 0)
		writer_bytes(w, value.data, value.length);
	return true;
}

static bool
is_alphanumeric(struct slice s)
{
	for (size_t i = 0; i < s.length; i++) {
		char c = s.data[i];

		if (!(c >= '0' && c <= '9') && !(c >= 'A' && c <= 'Z') &&
		    !(c >= 'a' && c <= 'z'))
			return false;
	}
	return s.length > 0;
}

/* Format digit, receiver, line: what every message begins with. */
static bool
write_start(struct writer *w, char format,
    const struct surgard_settings *settings, struct slice line_card)
{
	struct slice line = slice_present(line_card)
	    ? line_card
	    : slice_from_string(settings->line);

	writer_u8(w, (uint8_t)format);
	write_string(w, settings->receiver);
	if (line.length > settings->line_digits)
		line = slice_strip_zeros(line);
	return write_aligned(w, line, settings->line_digits, '0');
}

/* The one number of a message: a zone, or who opened and closed. */
static struct slice
zone_or_user(const struct delivery *delivery)
{
	return slice_present(delivery->zone) ? delivery->zone : delivery->user;
}

static const char *
write_contact_id(struct writer *w, const struct delivery *delivery)
{
	char qualifier = signal_qualifier_letter(delivery->qualifier);

	if (qualifier == 0 || strlen(delivery->code) != 3)
		return "not a Contact ID event";
	write_string(w, " 18");
	if (!write_aligned(w, delivery->account, 4, '0'))
		return "the account has more than 4 characters";
	writer_u8(w, (uint8_t)qualifier);
	write_string(w, delivery->code);
	if (!write_aligned(w, slice_strip_zeros(delivery->partition), 2, '0'))
		return "the partition has more than 2 digits";
	if (!write_aligned(w, slice_strip_zeros(zone_or_user(delivery)), 3,
		'0'))
		return "the zone or user has more than 3 digits";
	return NULL;
}

static const char *
write_sia(struct writer *w, const struct delivery *delivery)
{
	write_string(w, "    ");
	if (!write_aligned(w, delivery->account, 6, ' '))
		return "the account has more than 6 characters";
	if (strlen(delivery->code) != 2)
		return "not a SIA code";
	write_string(w, delivery->code);
	if (!write_aligned(w, slice_strip_zeros(zone_or_user(delivery)), 4,
		'0'))
		return "the zone or user has more than 4 digits";
	return NULL;
}

/* The text goes along only where it has room whole: a remark never holds up
 * its event. */
static const char *
write_sia_block(struct writer *w, const struct delivery *delivery)
{
	struct signal_event event = { .format = SIGNAL_FORMAT_SIA,
		.block = 'N',
		.partition = delivery->partition,
		.zone = delivery->zone,
		.user = delivery->user,
		.text = delivery->text };
	const char *problem = NULL;
	int length;

	memcpy(event.code, delivery->code, sizeof(event.code));
	write_string(w, "[#");
	writer_bytes(w, delivery->account.data, delivery->account.length);
	write_string(w, "|");
	for (int attempt = 0; attempt < 2; attempt++) {
		/* ']' and DC4 have to follow */
		length = (int)(w->end - w->position) - 2;
		length = sia_encode(&event, (char *)w->position,
		    length > 0 ? (size_t)length : 0, &problem);
		if (length != -ENAMETOOLONG)
			break;
		event.text = SLICE_NONE;
	}
	if (length < 0)
		return problem;
	w->position += length;
	write_string(w, "]");
	return NULL;
}

int
surgard_encode(const struct surgard_settings *settings,
    const struct delivery *delivery, char *out, const char **ret_problem)
{
	struct writer w = writer_open(out, SURGARD_MESSAGE_MAX);
	bool sia = delivery->format == SIGNAL_FORMAT_SIA;
	const char *problem;
	char format = '5';

	if (sia)
		format = settings->sia_block ? 'S' : '3';
	if (delivery->format == SIGNAL_FORMAT_NONE)
		problem = "an event of no format";
	else if (!is_alphanumeric(delivery->account))
		problem = "the account is not letters and digits";
	else if (!write_start(&w, format, settings, delivery->line_card))
		problem = "the line card has more digits than the line field";
	else if (!sia)
		problem = write_contact_id(&w, delivery);
	else if (settings->sia_block)
		problem = write_sia_block(&w, delivery);
	else
		problem = write_sia(&w, delivery);
	writer_u8(&w, SURGARD_TERMINATOR);
	if (!problem && w.failed)
		problem = "too long";
	if (problem) {
		*ret_problem = problem;
		return -EINVAL;
	}
	return (int)writer_length(&w);
}

int
surgard_heartbeat_encode(const struct surgard_settings *settings, char *out)
{
	struct writer w = writer_open(out, SURGARD_MESSAGE_MAX);

	write_start(&w, '1', settings, SLICE_NONE);
	write_string(&w, HEARTBEAT_TAIL);
	writer_u8(&w, SURGARD_TERMINATOR);
	return (int)writer_length(&w);
}

static struct slice
skip_spaces(struct slice s)
{
	while (s.length > 0 && s.data[0] == ' ')
		s = slice_part(s, 1, s.length);
	return s;
}

/* " 18AAAAQXYZGGCCC": the account is what the last nine leave. */
static bool
decode_contact_id(struct slice text, struct signal *ret)
{
	text = skip_spaces(text);
	if (text.length < 2 + 3 + 9 || text.length > 2 + 10 + 9 ||
	    (memcmp(text.data, "18", 2) != 0 &&
		memcmp(text.data, "98", 2) != 0))
		return false;
	ret->account = slice_part(text, 2, text.length - 11);
	ret->event_count = 1;
	return is_alphanumeric(ret->account) &&
	    contact_id_event_decode(slice_part(text, text.length - 9, 9),
		&ret->events[0]) == CODEC_OK;
}

/* "ssssAAAAAAXXYYYY" */
static bool
decode_sia(struct slice text, struct signal *ret)
{
	struct signal_event event = { .format = SIGNAL_FORMAT_SIA,
		.block = 'N' };
	struct slice code;

	if (text.length < 7)
		return false;
	event.zone = slice_part(text, text.length - 4, 4);
	code = slice_part(text, text.length - 6, 2);
	ret->account = skip_spaces(slice_part(text, 0, text.length - 6));
	if (!is_alphanumeric(code) || !is_alphanumeric(event.zone) ||
	    !is_alphanumeric(ret->account) || ret->account.length > 10)
		return false;
	memcpy(event.code, code.data, 2);
	ret->events[0] = event;
	ret->event_count = 1;
	return true;
}

/* "[#AAAA|Nri1/BA05]" */
static bool
decode_sia_block(struct slice text, struct signal *ret)
{
	const char *problem, *bar;
	size_t length;

	text = skip_spaces(text);
	if (text.length < 4 || memcmp(text.data, "[#", 2) != 0 ||
	    text.data[text.length - 1] != ']')
		return false;
	text = slice_part(text, 2, text.length - 3);
	bar = memchr(text.data, '|', text.length);
	if (!bar)
		return false;
	length = (size_t)(bar - text.data);
	ret->account = slice_of(text.data, length);
	return is_alphanumeric(ret->account) &&
	    sia_decode(slice_part(text, length + 1, text.length), ret,
		&problem) == CODEC_OK;
}

static bool
decode_message(struct slice message, unsigned line_digits, struct signal *ret)
{
	struct slice rest =
	    slice_part(message, 3 + line_digits, message.length);

	memset(ret, 0, offsetof(struct signal, events));
	ret->extended_count = 0;
	ret->protocol = SIGNAL_PROTOCOL_SURGARD;
	ret->id = slice_part(message, 0, 1);
	ret->receiver = slice_part(message, 1, 2);
	ret->line = slice_part(message, 3, line_digits);
	ret->body = message;
	if (rest.length == 0 || !is_alphanumeric(ret->receiver) ||
	    !is_alphanumeric(ret->line))
		return false;
	switch (message.data[0]) {
	case '1':
		ret->poll = slice_is(skip_spaces(rest), "@    ") ||
		    slice_is(skip_spaces(rest), "@");
		return ret->poll;
	case '3':
		return decode_sia(rest, ret);
	case '5':
		return decode_contact_id(rest, ret);
	case '0':
	case 'S':
		return decode_sia_block(rest, ret);
	default:
		return false;
	}
}

enum codec_result
surgard_decode(const char *data, size_t length, unsigned line_digits,
    size_t *ret_consumed, struct signal *ret)
{
	size_t limit =
	    length < SURGARD_MESSAGE_MAX ? length : SURGARD_MESSAGE_MAX;
	const char *end =
	    limit > 0 ? memchr(data, SURGARD_TERMINATOR, limit) : NULL;
	struct slice message;

	*ret_consumed = 0;
	if (!end && length < SURGARD_MESSAGE_MAX)
		return CODEC_MORE;
	*ret_consumed = end ? (size_t)(end - data) + 1 : limit;
	if (!end)
		return CODEC_BAD;
	/* line breaks of a terminal server before the message */
	message = slice_of(data, (size_t)(end - data));
	while (message.length > 0 &&
	    (*message.data == '\r' || *message.data == '\n'))
		message = slice_part(message, 1, message.length);
	return decode_message(message, line_digits, ret) ? CODEC_OK : CODEC_BAD;
}
