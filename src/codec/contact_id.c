#include "codec/contact_id.h"

/* The value of a DTMF digit in the checksum: 0 (and A, the same tone) counts
 * 10; -1 when it is none (docs/PROTOCOLS.md, Contact ID). */
static int
digit_value(char c)
{
	if (c >= '1' && c <= '9')
		return c - '0';
	if (c == '0')
		return 10;
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	return -1;
}

/* As the tables spell it: A is the tone of 0. */
static char
digit_normal(char c)
{
	if (c >= 'a')
		c = (char)(c - 'a' + 'A');
	return c == 'A' ? '0' : c;
}

char
contact_id_checksum(const char digits[15])
{
	int sum = 0;

	for (int i = 0; i < 15; i++) {
		int value = digit_value(digits[i]);

		if (value < 0)
			return 0;
		sum += value;
	}
	return "?1234567890BCDEF"[15 - sum % 15];
}

/* The next n digits after spaces, all in one piece; SLICE_NONE when not. */
static struct slice
take_group(struct slice *text, size_t n)
{
	struct slice group;
	size_t skip = 0;

	while (skip < text->length && text->data[skip] == ' ')
		skip++;
	group = slice_part(*text, skip, n);
	if (group.length < n)
		return SLICE_NONE;
	for (size_t i = 0; i < n; i++)
		if (digit_value(group.data[i]) < 0)
			return SLICE_NONE;
	*text = slice_part(*text, skip + n, text->length);
	return group;
}

static struct slice
skip_any(struct slice text, const char *skipped)
{
	while (text.length > 0 && strchr(skipped, *text.data) && *text.data)
		text = slice_part(text, 1, text.length);
	return text;
}

/* The digits from here on, spaces between them not counted; R and P may stand
 * where the qualifier does. */
static unsigned
count_digits(struct slice text)
{
	unsigned count = 0;

	for (size_t i = 0; i < text.length; i++) {
		char c = text.data[i];
		bool letter =
		    (count == 0 || count == 2) && (c == 'R' || c == 'P');

		if (letter || digit_value(c) >= 0)
			count++;
		else if (c != ' ')
			break;
	}
	return count;
}

static bool
message_type_valid(struct slice type)
{
	return slice_is(type, "18") || slice_is(type, "98");
}

enum codec_result
contact_id_event_decode(struct slice text, struct signal_event *ret)
{
	struct signal_event event = { .format = SIGNAL_FORMAT_CONTACT_ID };
	struct slice code;
	unsigned digits;

	text = skip_any(text, "| ");
	digits = count_digits(text);
	if (digits == 11) {
		if (!message_type_valid(take_group(&text, 2)))
			return CODEC_BAD;
		text = skip_any(text, " ");
	} else if (digits != 9) {
		return CODEC_BAD;
	}
	event.qualifier = signal_qualifier_from_char(*text.data);
	text = slice_part(text, 1, text.length);
	code = take_group(&text, 3);
	event.partition = take_group(&text, 2);
	event.zone = take_group(&text, 3);
	if (event.qualifier == SIGNAL_QUALIFIER_NONE || !slice_present(code) ||
	    !slice_present(event.partition) || !slice_present(event.zone))
		return CODEC_BAD;
	for (size_t i = 0; i < code.length; i++)
		event.code[i] = digit_normal(code.data[i]);
	text = skip_any(text, " |^");
	while (text.length > 0 && text.data[text.length - 1] == '^')
		text.length--;
	if (text.length > 0)
		event.text = text;
	*ret = event;
	return CODEC_OK;
}

enum codec_result
contact_id_decode(struct slice digits, struct signal *ret,
    const char **ret_problem)
{
	char wanted;

	if (digits.length != CONTACT_ID_DIGITS) {
		*ret_problem = "not 16 digits";
		return CODEC_BAD;
	}
	wanted = contact_id_checksum(digits.data);
	if (wanted == 0 || digit_value(digits.data[15]) < 0) {
		*ret_problem = "a character that is no digit";
		return CODEC_BAD;
	}
	if (digit_normal(digits.data[15]) != wanted) {
		*ret_problem = "checksum wrong";
		return CODEC_BAD;
	}
	if (!message_type_valid(slice_part(digits, 4, 2))) {
		*ret_problem = "message type is neither 18 nor 98";
		return CODEC_BAD;
	}
	memset(ret, 0, offsetof(struct signal, events));
	ret->extended_count = 0;
	if (contact_id_event_decode(slice_part(digits, 6, 9),
		&ret->events[0]) != CODEC_OK) {
		*ret_problem = "qualifier is none of 1, 3, 6";
		return CODEC_BAD;
	}
	ret->protocol = SIGNAL_PROTOCOL_DIALER;
	ret->account = slice_part(digits, 0, 4);
	ret->body = digits;
	ret->event_count = 1;
	return CODEC_OK;
}

static bool
decode_line(struct slice line, struct signal *ret)
{
	const char *space = memchr(line.data, ' ', line.length);
	size_t digits = space ? (size_t)(space - line.data) : line.length;
	struct slice key = slice_part(line, digits + 1, line.length);
	const char *problem;

	if (contact_id_decode(slice_part(line, 0, digits), ret, &problem) !=
	    CODEC_OK)
		return false;
	for (size_t i = 0; i < key.length; i++)
		if (key.data[i] <= ' ' || key.data[i] > '~')
			return false;
	if (space)
		ret->sequence = key;
	return !space || key.length > 0;
}

enum codec_result
contact_id_line_decode(const char *data, size_t length, size_t *ret_consumed,
    struct signal *ret)
{
	size_t limit =
	    length < CONTACT_ID_LINE_MAX ? length : CONTACT_ID_LINE_MAX;
	const char *end = limit > 0 ? memchr(data, '\n', limit) : NULL;
	struct slice line;

	*ret_consumed = 0;
	if (!end && length < CONTACT_ID_LINE_MAX)
		return CODEC_MORE;
	*ret_consumed = end ? (size_t)(end - data) + 1 : limit;
	if (!end)
		return CODEC_BAD;
	line = slice_of(data, (size_t)(end - data));
	if (line.length > 0 && line.data[line.length - 1] == '\r')
		line.length--;
	if (line.length > 0)
		return decode_line(line, ret) ? CODEC_OK : CODEC_BAD;
	memset(ret, 0, offsetof(struct signal, events));
	ret->extended_count = 0;
	ret->poll = true;
	return CODEC_OK;
}
