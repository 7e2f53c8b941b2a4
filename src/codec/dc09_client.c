#include "codec/dc09_wire.h"

#include <errno.h>
#include <stdio.h>

#include "codec/sia.h"

static void
write_string(struct writer *w, const char *string)
{
	writer_bytes(w, string, strlen(string));
}

/* Digits padded with zeros to width; absent gives all zeros. False when there
 * are more than fit. */
static bool
write_padded(struct writer *w, struct slice digits, size_t width)
{
	digits = slice_strip_zeros(digits);
	if (digits.length > width)
		return false;
	for (size_t i = digits.length; i < width; i++)
		writer_u8(w, '0');
	writer_bytes(w, digits.data, digits.length);
	return true;
}

static int
write_contact_id(struct writer *w, const struct signal_event *event,
    const char **ret_problem)
{
	struct slice zone =
	    slice_present(event->zone) ? event->zone : event->user;

	if (event->qualifier == SIGNAL_QUALIFIER_NONE ||
	    strlen(event->code) != 3) {
		*ret_problem = "not a Contact ID event";
		return -EINVAL;
	}
	writer_u8(w, (uint8_t)('0' + (int)event->qualifier));
	write_string(w, event->code);
	writer_u8(w, ' ');
	if (!write_padded(w, event->partition, 2)) {
		*ret_problem = "a partition of more than 2 digits";
		return -EINVAL;
	}
	writer_u8(w, ' ');
	if (!write_padded(w, zone, 3)) {
		*ret_problem = "a zone of more than 3 digits";
		return -EINVAL;
	}
	return 0;
}

static int
write_sia(struct writer *w, const struct signal_event *event,
    const char **ret_problem)
{
	int length = sia_encode(event, (char *)w->position,
	    (size_t)(w->end - w->position), ret_problem);

	if (length > 0)
		w->position += length;
	return length < 0 ? length : 0;
}

int
dc09_event_encode(const struct signal_event *event, struct slice account,
    char *out, size_t out_size, const char **ret_problem)
{
	struct writer w = writer_open(out, out_size);
	int result = -EINVAL;

	writer_u8(&w, '#');
	writer_bytes(&w, account.data, account.length);
	writer_u8(&w, '|');
	switch (event->format) {
	case SIGNAL_FORMAT_CONTACT_ID:
		result = write_contact_id(&w, event, ret_problem);
		break;
	case SIGNAL_FORMAT_SIA:
		result = write_sia(&w, event, ret_problem);
		break;
	case SIGNAL_FORMAT_PULSE:
	case SIGNAL_FORMAT_BFSK:
	case SIGNAL_FORMAT_HIGH_SPEED:
	case SIGNAL_FORMAT_ACRON:
		*ret_problem = CODEC_OWN_CODE;
		break;
	case SIGNAL_FORMAT_NONE:
		*ret_problem = "an event of no format";
		break;
	}
	if (result < 0)
		return result;
	if (w.failed) {
		*ret_problem = "too long";
		return -ENAMETOOLONG;
	}
	return (int)writer_length(&w);
}

/* 1e-7 degrees into degrees and minutes with five places, rounded as a whole:
 * there are no 60 minutes. */
static void
format_degrees(int32_t value_e7, int width, const char *directions,
    char out[DC09_DEGREES_SIZE])
{
	const unsigned degree = 60 * 100000;
	uint64_t size =
	    (uint64_t)(value_e7 < 0 ? -(int64_t)value_e7 : value_e7);
	unsigned units = (unsigned)((size * degree + 5000000) / 10000000);

	snprintf(out, DC09_DEGREES_SIZE, "%0*u%c%02u.%05u", width,
	    units / degree % 1000, directions[value_e7 < 0],
	    units % degree / 100000, units % 100000);
}

void
dc09_position_format(const struct position *position,
    char latitude[DC09_DEGREES_SIZE], char longitude[DC09_DEGREES_SIZE])
{
	format_degrees(position->latitude_e7, 2, "NS", latitude);
	format_degrees(position->longitude_e7, 3, "EW", longitude);
}

static void
write_header(struct writer *w, const struct dc09_message *message,
    bool encrypted)
{
	char sequence[5];

	write_string(w, encrypted ? "\"*" : "\"");
	write_string(w, message->id);
	snprintf(sequence, sizeof(sequence), "%04u", message->sequence % 10000);
	write_string(w, "\"");
	write_string(w, sequence);
	if (slice_present(message->receiver)) {
		write_string(w, "R");
		writer_bytes(w, message->receiver.data,
		    message->receiver.length);
	}
	write_string(w, "L");
	if (slice_present(message->line))
		writer_bytes(w, message->line.data, message->line.length);
	else
		write_string(w, "0");
	if (slice_present(message->account)) {
		write_string(w, "#");
		writer_bytes(w, message->account.data, message->account.length);
	}
	write_string(w, "[");
}

static void
write_content(struct writer *w, const struct dc09_message *message,
    bool timestamp, int64_t now_us)
{
	writer_bytes(w, message->data.data, message->data.length);
	write_string(w, "]");
	for (unsigned i = 0; i < message->extended_count; i++) {
		const struct signal_extended *x = &message->extended[i];

		write_string(w, "[");
		writer_u8(w, (uint8_t)x->id);
		writer_bytes(w, x->value.data, x->value.length);
		write_string(w, "]");
	}
	if (timestamp) {
		write_string(w, "_");
		dc09_timestamp_write(w, now_us);
	}
}

int
dc09_message_encode(struct dc09_crypto *crypto,
    const struct dc09_message *message, const struct codec_key *key,
    int64_t now_us, char *out, size_t out_size)
{
	bool encrypted = key && key->length > 0;
	struct writer w;
	size_t room;

	if (out_size < DC09_PREFIX_MAX + 1)
		return -EMSGSIZE;
	room = out_size - DC09_PREFIX_MAX - 1;
	w = writer_open(out + DC09_PREFIX_MAX,
	    room < DC09_BODY_MAX ? room : DC09_BODY_MAX);
	write_header(&w, message, encrypted);
	if (encrypted) {
		char region[DC09_BODY_MAX / 2];
		struct writer r = writer_open(region, sizeof(region));

		write_content(&r, message, true, now_us);
		if (r.failed || w.failed ||
		    !dc09_region_write(crypto, key,
			slice_of(region, writer_length(&r)), &w))
			return -EMSGSIZE;
	} else {
		write_content(&w, message, message->timestamp, now_us);
	}
	if (w.failed)
		return -EMSGSIZE;
	return (int)dc09_frame_close(out, writer_length(&w), false);
}

static enum dc09_response
response_kind(struct slice id)
{
	static const struct {
		struct slice id;
		enum dc09_response kind;
	} kinds[] = {
		{ { "ACK", 3 }, DC09_RESPONSE_ACK },
		{ { "*ACK", 4 }, DC09_RESPONSE_ACK },
		{ { "NAK", 3 }, DC09_RESPONSE_NAK },
		{ { "DUH", 3 }, DC09_RESPONSE_DUH },
		{ { "RSP", 3 }, DC09_RESPONSE_RSP },
		{ { "*RSP", 4 }, DC09_RESPONSE_RSP },
	};

	if (id.length > 4)
		return DC09_RESPONSE_OTHER; /* asked of each frame received */
	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
		if (slice_equal(id, kinds[i].id))
			return kinds[i].kind;
	return DC09_RESPONSE_OTHER;
}

bool
dc09_frame_is_reply(const struct dc09_frame *frame)
{
	/* also the encrypted NAK and DUH that no receiver should send */
	struct slice id =
	    slice_part(frame->id, frame->encrypted, frame->id.length);

	return response_kind(id) != DC09_RESPONSE_OTHER;
}

enum dc09_response
dc09_response_decode(struct dc09_crypto *crypto, const struct dc09_frame *frame,
    const struct codec_key *key, char *plain, struct signal *ret,
    const char **ret_reason)
{
	enum dc09_response kind = response_kind(frame->id);
	struct dc09_content content;
	struct slice data;

	dc09_signal_begin(frame, ret);
	if (kind == DC09_RESPONSE_OTHER) {
		*ret_reason = "not a reply";
		return kind;
	}
	if (dc09_content_open(crypto, frame, key, DC09_TOLERATE_NO_PAD_BAR,
		plain, &content) != DC09_OPENED) {
		*ret_reason = "cannot be opened with this key";
		return DC09_RESPONSE_OTHER;
	}
	ret->body = content.body;
	if (slice_present(content.timestamp))
		dc09_timestamp_decode(content.timestamp, &ret->panel_time_us);
	data = dc09_data_account(content.data, &ret->data_account);
	/* what an RSP carries does not change that it acknowledges */
	if (data.length > 0 && sia_decode(data, ret, ret_reason) != CODEC_OK)
		ret->event_count = 0;
	dc09_extended_decode(content.extended, ret, ret_reason);
	return kind;
}

bool
dc09_response_matches(const struct signal *response,
    const struct dc09_message *message)
{
	struct slice line = slice_present(message->line)
	    ? message->line
	    : slice_from_string("0");
	char sequence[5];

	snprintf(sequence, sizeof(sequence), "%04u", message->sequence % 10000);
	return slice_is(response->sequence, sequence) &&
	    slice_present(response->receiver) ==
	    slice_present(message->receiver) &&
	    slice_equal(response->receiver, message->receiver) &&
	    slice_equal(response->line, line) &&
	    slice_equal(response->account, message->account);
}
