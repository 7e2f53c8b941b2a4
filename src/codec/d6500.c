#include "codec/d6500.h"

#include "codec/contact_id.h"
#include "codec/sia.h"

#define TERMINATOR '\x14'
#define LINK_TEST  "           @    "

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
		ret->poll = slice_is(rest, LINK_TEST);
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
