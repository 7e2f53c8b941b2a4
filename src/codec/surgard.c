#include "codec/surgard.h"

#include <errno.h>
#include <stdio.h>

#include "base/clock.h"
#include "codec/automation.h"
#include "codec/contact_id.h"
#include "codec/sia.h"
#include "codec/surgard_panel.h"

#define ACCOUNT_WIDTH 4 /* of Contact ID */
#define SPLIT_MAX     (ACCOUNT_WIDTH + 3)
#define CLOCK_LENGTH  14

/* Format digit, receiver, line: what every message begins with. */
static bool
write_start(struct writer *w, char format,
    const struct surgard_settings *settings, struct slice line_card)
{
	struct slice line = slice_present(line_card)
	    ? line_card
	    : slice_from_string(settings->line);

	writer_u8(w, (uint8_t)format);
	automation_write_string(w, settings->receiver);
	if (line.length > settings->line_digits)
		line = slice_strip_zeros(line);
	return automation_write_aligned(w, line, settings->line_digits, '0');
}

static const char *
write_contact_id(struct writer *w, const struct delivery *delivery)
{
	struct automation_contact_id fields;
	const char *problem = automation_contact_id_fill(delivery, &fields);

	if (problem)
		return problem;
	automation_write_string(w, " 18");
	if (!automation_write_aligned(w, delivery->account, 4, '0'))
		return "the account has more than 4 characters";
	writer_u8(w, (uint8_t)signal_qualifier_letter(delivery->qualifier));
	automation_write_string(w, delivery->code);
	automation_write_string(w, fields.partition);
	automation_write_string(w, fields.zone);
	return NULL;
}

static const char *
write_sia(struct writer *w, const struct delivery *delivery)
{
	automation_write_string(w, "    ");
	if (!automation_write_aligned(w, delivery->account, 6, ' '))
		return "the account has more than 6 characters";
	if (strlen(delivery->code) != 2)
		return "not a SIA code";
	automation_write_string(w, delivery->code);
	if (!automation_write_number(w, automation_zone_or_user(delivery), 4))
		return "the zone or user is no number of 4 digits";
	return NULL;
}

/* Its part in the line field and its part in the account's. */
static const char *
split_account(const struct surgard_settings *settings,
    struct delivery *delivery, char out[SPLIT_MAX])
{
	bool front = settings->account == SURGARD_ACCOUNT_SPLIT_FRONT;
	size_t line = settings->line_digits, length = delivery->account.length;
	size_t filled = length > ACCOUNT_WIDTH ? length : ACCOUNT_WIDTH;
	struct writer w = writer_open(out, ACCOUNT_WIDTH + line);

	if (slice_present(delivery->line_card))
		return "the line field has a part of the account: there is no "
		       "room for a line card";
	if (!automation_write_aligned(&w, delivery->account,
		front ? ACCOUNT_WIDTH + line : filled, '0') ||
	    w.failed)
		return "the account has no room, even with the line field";
	while (writer_length(&w) < ACCOUNT_WIDTH + line)
		writer_u8(&w, '0');
	delivery->line_card = slice_of(out + (front ? 0 : ACCOUNT_WIDTH), line);
	delivery->account = slice_of(out + (front ? line : 0), ACCOUNT_WIDTH);
	return NULL;
}

/* HH:MM:SS-dd/mm */
static void
write_clock(struct writer *w, int64_t wall_us)
{
	int64_t seconds = wall_us / 1000000, year;
	unsigned month, day, rest = (unsigned)(seconds % 86400);
	char text[32];

	clock_date_from_days(seconds / 86400, &year, &month, &day);
	snprintf(text, sizeof(text), "%02u:%02u:%02u-%02u/%02u", rest / 3600,
	    rest / 60 % 60, rest % 60, day % 100, month % 100);
	automation_write_string(w, text);
}

static const char *
write_body(struct writer *w, const struct surgard_settings *settings,
    const struct delivery *delivery)
{
	size_t after = settings->clock ? CLOCK_LENGTH + 1 : 1;

	if (signal_format_is_own(delivery->format))
		return surgard_panel_write(w, delivery);
	if (delivery->format != SIGNAL_FORMAT_SIA)
		return write_contact_id(w, delivery);
	return settings->sia_block
	    ? automation_write_sia_block(w, delivery, 0, after)
	    : write_sia(w, delivery);
}

static char
format_digit(const struct surgard_settings *settings, enum signal_format format)
{
	if (signal_format_is_own(format))
		return surgard_panel_digit(format);
	if (format != SIGNAL_FORMAT_SIA)
		return '5';
	return settings->sia_block ? 'S' : '3';
}

int
surgard_encode(const struct surgard_settings *settings,
    const struct delivery *delivery, char *out, const char **ret_problem)
{
	struct writer w = writer_open(out, SURGARD_MESSAGE_MAX);
	struct delivery sent = *delivery;
	const char *problem = NULL;
	char split[SPLIT_MAX];

	if (delivery->format == SIGNAL_FORMAT_NONE)
		problem = "an event of no format";
	else if (!automation_is_alphanumeric(delivery->account))
		problem = "the account is not letters and digits";
	else if (settings->account != SURGARD_ACCOUNT_WHOLE)
		problem = split_account(settings, &sent, split);
	if (!problem &&
	    !write_start(&w, format_digit(settings, sent.format), settings,
		sent.line_card))
		problem = "the line card has more digits than the line field";
	if (!problem)
		problem = write_body(&w, settings, &sent);
	if (settings->clock)
		write_clock(&w, delivery->received_us);
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
	automation_write_string(&w, AUTOMATION_HEARTBEAT_TAIL);
	writer_u8(&w, SURGARD_TERMINATOR);
	return (int)writer_length(&w);
}

/* " 18AAAAQXYZGGCCC": the account is what the last nine leave. */
static bool
decode_contact_id(struct slice text, struct signal *ret)
{
	text = slice_skip_spaces(text);
	if (text.length < 2 + 3 + 9 || text.length > 2 + 10 + 9 ||
	    (memcmp(text.data, "18", 2) != 0 &&
		memcmp(text.data, "98", 2) != 0))
		return false;
	ret->account = slice_part(text, 2, text.length - 11);
	ret->event_count = 1;
	return automation_is_alphanumeric(ret->account) &&
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
	ret->account = slice_skip_spaces(slice_part(text, 0, text.length - 6));
	if (!automation_is_alphanumeric(code) ||
	    !automation_is_alphanumeric(event.zone) ||
	    !automation_is_alphanumeric(ret->account) ||
	    ret->account.length > 10)
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

	text = slice_skip_spaces(text);
	if (text.length < 4 || memcmp(text.data, "[#", 2) != 0 ||
	    text.data[text.length - 1] != ']')
		return false;
	text = slice_part(text, 2, text.length - 3);
	bar = memchr(text.data, '|', text.length);
	if (!bar)
		return false;
	length = (size_t)(bar - text.data);
	ret->account = slice_of(text.data, length);
	return automation_is_alphanumeric(ret->account) &&
	    sia_decode(slice_part(text, length + 1, text.length), ret,
		&problem) == CODEC_OK;
}

/* Without HH:MM:SS-dd/mm behind it. */
static struct slice
strip_clock(struct slice message)
{
	static const char form[] = "dd:dd:dd-dd/dd";
	struct slice tail;

	if (message.length < CLOCK_LENGTH)
		return message;
	tail = slice_part(message, message.length - CLOCK_LENGTH, CLOCK_LENGTH);
	for (size_t i = 0; i < CLOCK_LENGTH; i++) {
		char c = tail.data[i];

		if (form[i] == 'd' ? c < '0' || c > '9' : c != form[i])
			return message;
	}
	return slice_part(message, 0, message.length - CLOCK_LENGTH);
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
	if (rest.length == 0 || !automation_is_alphanumeric(ret->receiver) ||
	    !automation_is_alphanumeric(ret->line))
		return false;
	switch (message.data[0]) {
	case '1':
		ret->poll = slice_is(slice_skip_spaces(rest), "@    ") ||
		    slice_is(slice_skip_spaces(rest), "@");
		return ret->poll || surgard_panel_decode('1', rest, ret);
	case '3':
		return decode_sia(rest, ret);
	case '5':
		return decode_contact_id(rest, ret);
	case '0':
	case 'S':
		return decode_sia_block(rest, ret);
	default:
		return surgard_panel_decode(message.data[0], rest, ret);
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
	return decode_message(strip_clock(message), line_digits, ret)
	    ? CODEC_OK
	    : CODEC_BAD;
}
