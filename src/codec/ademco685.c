#include "codec/ademco685.h"

#include "codec/contact_id.h"

/* "1234 18 QXYZ GG FCCC" */
static bool
decode_contact_id(struct slice text, struct signal *ret)
{
	char compact[9];
	struct signal_event *event = &ret->events[0];

	if (text.length != 20 || memcmp(text.data + 4, " 18 ", 4) != 0 ||
	    text.data[12] != ' ' || text.data[15] != ' ' ||
	    (text.data[16] != 'C' && text.data[16] != 'U'))
		return false;
	memcpy(compact, text.data + 8, 4);
	memcpy(compact + 4, text.data + 13, 2);
	memcpy(compact + 6, text.data + 17, 3);
	if (contact_id_event_decode(slice_of(compact, sizeof(compact)),
		event) != CODEC_OK)
		return false;
	ret->account = slice_part(text, 0, 4);
	event->partition = slice_part(text, 13, 2);
	event->zone = slice_part(text, 17, 3);
	if (text.data[16] == 'U')
		event->user = event->zone;
	ret->event_count = 1;
	return true;
}

/* message: between LF and CR */
static bool
decode_message(struct slice message, struct signal *ret)
{
	struct slice rest = slice_part(message, 3, message.length);

	memset(ret, 0, offsetof(struct signal, events));
	ret->extended_count = 0;
	if (message.length < 4 || message.data[2] != ' ')
		return false;
	ret->receiver = slice_part(message, 0, 1);
	ret->line = slice_part(message, 1, 1);
	ret->body = message;
	if (slice_is(rest, "OKAY @") || slice_is(rest, "OKAY @ ")) {
		ret->poll = true;
		return true;
	}
	return decode_contact_id(rest, ret);
}

enum codec_result
ademco685_decode(const char *data, size_t length, size_t *ret_consumed,
    struct signal *ret)
{
	const char *lf = length > 0 ? memchr(data, '\n', length) : NULL;
	size_t junk = lf ? (size_t)(lf - data) : length;
	const char *cr = lf ? memchr(lf, '\r', length - junk) : NULL;

	*ret_consumed = junk;
	if (!cr && length - junk < ADEMCO685_MESSAGE_MAX)
		return CODEC_MORE;
	if (!cr || cr - lf >= ADEMCO685_MESSAGE_MAX) {
		*ret_consumed = junk + 1;
		return CODEC_BAD;
	}
	*ret_consumed = (size_t)(cr - data) + 1;
	return decode_message(slice_of(lf + 1, (size_t)(cr - lf) - 1), ret)
	    ? CODEC_OK
	    : CODEC_BAD;
}
