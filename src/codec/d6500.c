#include "codec/d6500.h"

#include <errno.h>

#include "codec/automation.h"
#include "codec/contact_id.h"
#include "codec/sia.h"

#define TERMINATOR '\x14'

/* "7", "A" or "10": the character of the line; 0 when it is none. The letters
 * go on where the digits end: A is 10, W 32, X 33, Y anything above. */
static char
line_character(struct slice line)
{
	unsigned long number;

	if (line.length == 1 && *line.data >= 'A' && *line.data <= 'Y')
		return *line.data;
	if (slice_to_number(line, 10, &number) < 0)
		return 0;
	return number > 33 ? 'Y' : "0123456789ABCDEFGHIJKLMNOPQRSTUVWX"[number];
}

/* h, type, rr, l: what every message begins with. */
static void
write_start(struct writer *w, const struct d6500_settings *settings, char type,
    char line)
{
	if (settings->header_space)
		writer_u8(w, ' ');
	writer_u8(w, (uint8_t)type);
	automation_write_string(w, settings->receiver);
	writer_u8(w, (uint8_t)line);
}

static const char *
write_contact_id(struct writer *w, const struct delivery *delivery)
{
	struct automation_contact_id fields;
	const char *problem = automation_contact_id_fill(delivery, &fields);

	if (problem)
		return problem;
	writer_u8(w, ' ');
	if (!automation_write_aligned(w, delivery->account, 4, '0'))
		return "the account has more than 4 characters";
	automation_write_string(w, "18");
	writer_u8(w, (uint8_t)('0' + (int)delivery->qualifier));
	automation_write_string(w, delivery->code);
	automation_write_string(w, fields.partition);
	automation_write_string(w, fields.zone);
	return NULL;
}

static const char *
write_sia(struct writer *w, const struct delivery *delivery)
{
	struct delivery filled = *delivery;
	char account[D6500_ACCOUNT_MAX];
	struct writer a = writer_open(account, sizeof(account));
	size_t length = delivery->account.length;

	if (length > sizeof(account) ||
	    !automation_write_aligned(&a, delivery->account,
		length < 4 ? 4 : length, '0'))
		return "the account has more than 16 characters";
	filled.account = slice_of(account, writer_length(&a));
	return automation_write_sia_block(w, &filled, 4, 1);
}

int
d6500_encode(const struct d6500_settings *settings,
    const struct delivery *delivery, char *out, const char **ret_problem)
{
	struct writer w = writer_open(out, D6500_MESSAGE_MAX);
	bool sia = delivery->format == SIGNAL_FORMAT_SIA;
	char line = line_character(slice_present(delivery->line_card)
		? delivery->line_card
		: slice_from_string(settings->line));
	const char *problem = NULL;

	if (line == 0)
		problem = "the line is neither a number nor a letter to Y";
	else if (!automation_is_alphanumeric(delivery->account))
		problem = "the account is not letters and digits";
	write_start(&w, settings, sia ? 'S' : 'a', line);
	if (!problem)
		problem = sia ? write_sia(&w, delivery)
			      : write_contact_id(&w, delivery);
	writer_u8(&w, TERMINATOR);
	if (problem) {
		*ret_problem = problem;
		return -EINVAL;
	}
	return (int)writer_length(&w);
}

int
d6500_heartbeat_encode(const struct d6500_settings *settings, char *out)
{
	struct writer w = writer_open(out, D6500_MESSAGE_MAX);

	write_start(&w, settings, '1', '0');
	automation_write_string(&w, AUTOMATION_HEARTBEAT_TAIL);
	writer_u8(&w, TERMINATOR);
	return (int)writer_length(&w);
}

/* " aaaa18QXYZGGCCC" */
static bool
decode_contact_id(struct slice text, struct signal *ret)
{
	if (text.length != 16 || text.data[0] != ' ' ||
	    memcmp(text.data + 5, "18", 2) != 0)
		return false;
	ret->account = slice_part(text, 1, 4);
	ret->event_count = 1;
	return contact_id_event_decode(slice_part(text, 7, 9),
		   &ret->events[0]) == CODEC_OK;
}

/* "[#aaaa|EMMZZZZ/..]": E takes the place of the function letter. */
static bool
decode_sia(struct slice text, struct signal *ret)
{
	const char *problem, *bar;
	size_t length;

	if (text.length < 4 || memcmp(text.data, "[#", 2) != 0 ||
	    text.data[text.length - 1] != ']')
		return false;
	text = slice_part(text, 2, text.length - 3);
	bar = memchr(text.data, '|', text.length);
	if (!bar)
		return false;
	length = (size_t)(bar - text.data);
	ret->account = slice_of(text.data, length);
	return sia_decode(slice_part(text, length + 1, text.length), ret,
		   &problem) == CODEC_OK;
}

static bool
decode_message(struct slice message, struct signal *ret)
{
	struct slice rest = slice_part(message, 4, message.length);

	memset(ret, 0, offsetof(struct signal, events));
	ret->extended_count = 0;
	ret->id = slice_part(message, 0, 1);
	ret->receiver = slice_part(message, 1, 2);
	ret->line = slice_part(message, 3, 1);
	ret->body = message;
	if (rest.length == 0)
		return false;
	switch (message.data[0]) {
	case '1':
		ret->poll = slice_is(rest, AUTOMATION_HEARTBEAT_TAIL);
		return ret->poll;
	case 'a':
		return decode_contact_id(rest, ret);
	case 'S':
		return decode_sia(rest, ret);
	default:
		return false;
	}
}

enum codec_result
d6500_decode(const char *data, size_t length, size_t *ret_consumed,
    struct signal *ret)
{
	size_t limit = length < D6500_MESSAGE_MAX ? length : D6500_MESSAGE_MAX;
	const char *end = limit > 0 ? memchr(data, TERMINATOR, limit) : NULL;
	struct slice message;

	*ret_consumed = 0;
	if (!end && length < D6500_MESSAGE_MAX)
		return CODEC_MORE;
	*ret_consumed = end ? (size_t)(end - data) + 1 : limit;
	if (!end)
		return CODEC_BAD;
	message = slice_of(data, (size_t)(end - data));
	if (message.length > 0 && *message.data == ' ')
		message = slice_part(message, 1, message.length);
	return decode_message(message, ret) ? CODEC_OK : CODEC_BAD;
}
