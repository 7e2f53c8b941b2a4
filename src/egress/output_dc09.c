/*
 * DC-09 towards another receiver (docs/PROTOCOLS.md, DC-09 client): TCP or
 * UDP, clear or encrypted. An answer names sequence, R, L and account of what
 * it answers, except NAK, which brings the receiver's clock instead.
 */
#include <errno.h>
#include <stdio.h>

#include "egress/internal.h"

#define ACCOUNT_DIGITS	  16 /* where the receiver says nothing else */
#define SEQUENCES	  9999
#define EXTENDED_MAX	  6
#define EXTENDED_BYTES	  256 /* of I, S and V */
#define HEARTBEAT_ACCOUNT "0000"

static const char *
number_or_none(const char *number)
{
	return number[0] ? number : NULL;
}

/* What the answer to this slot (NULL: the heartbeat) must name. */
static struct dc09_message
message_of(const struct link *link, const struct slot *slot)
{
	const struct directory_receiver *receiver = link->settings;
	const char *line = slot ? slot->line : receiver->line_number;

	return (struct dc09_message){
		.id = "NULL",
		.sequence = slot ? slot->sequence : 0,
		.receiver =
		    slice_from_string(number_or_none(receiver
							 ->receiver_number)),
		.line = slice_from_string(number_or_none(line)),
		.account =
		    slice_from_string(slot ? slot->account : HEARTBEAT_ACCOUNT),
		.timestamp = receiver->key_length > 0,
	};
}

static struct codec_key
key_of(const struct directory_receiver *receiver)
{
	struct codec_key key = { .length = receiver->key_length };

	memcpy(key.bytes, receiver->key, sizeof(key.bytes));
	return key;
}

static int
encode_message(struct link *link, const struct dc09_message *message, char *out)
{
	struct codec_key key = key_of(link->settings);
	int64_t now_us =
	    clock_wall_us(link->egress->clock) + link->clock_offset_us;

	return dc09_message_encode(link->egress->crypto, message,
	    key.length > 0 ? &key : NULL, now_us, out, OUTPUT_MESSAGE_MAX);
}

/* "10:30:01,01-15-2026", "" when the panel told no time. */
static void
format_time(int64_t wall_us, char out[24])
{
	int64_t seconds = wall_us / 1000000, year;
	unsigned month, day, rest = (unsigned)(seconds % 86400);

	out[0] = '\0';
	if (wall_us <= 0)
		return;
	clock_date_from_days(seconds / 86400, &year, &month, &day);
	snprintf(out, 24, "%02u:%02u:%02u,%02u-%02u-%04u", rest / 3600,
	    rest / 60 % 60, rest % 60, month % 100, day % 100,
	    (unsigned)year % 10000);
}

/* Extras that could break the frame are left out; the alarm goes. */
static bool
extended_takes(struct slice value)
{
	if (value.length == 0 || value.length > EXTENDED_BYTES)
		return false;
	for (size_t i = 0; i < value.length; i++)
		if ((unsigned char)value.data[i] < 0x20 ||
		    strchr("[]|", value.data[i]))
			return false;
	return true;
}

/* What extended data borrow. */
struct extended_texts {
	char time[24];
	char latitude[DC09_DEGREES_SIZE], longitude[DC09_DEGREES_SIZE];
};

static void
fill_texts(const struct delivery *delivery, struct extended_texts *texts)
{
	*texts = (struct extended_texts){ 0 };
	format_time(delivery->occurred_us, texts->time);
	if (delivery->position.known)
		dc09_position_format(&delivery->position, texts->latitude,
		    texts->longitude);
}

static unsigned
fill_extended(const struct delivery *delivery,
    const struct extended_texts *texts,
    struct signal_extended extended[EXTENDED_MAX])
{
	const struct signal_extended wanted[EXTENDED_MAX] = {
		{ 'H', slice_from_string(texts->time) },
		{ 'I', delivery->zone_name },
		{ 'S', delivery->site_name },
		{ 'V', delivery->url },
		{ 'X', slice_from_string(texts->longitude) },
		{ 'Y', slice_from_string(texts->latitude) },
	};
	unsigned count = 0;

	for (unsigned i = 0; i < EXTENDED_MAX; i++)
		if (extended_takes(wanted[i].value))
			extended[count++] = wanted[i];
	return count;
}

/* The slot keeps what its answer will name beside the account. */
static int
note_identity(struct link *link, struct slot *slot,
    const struct delivery *delivery, const char **ret_problem)
{
	const struct directory_receiver *receiver = link->settings;
	struct slice line = slice_present(delivery->line_card)
	    ? delivery->line_card
	    : slice_from_string(receiver->line_number);
	size_t digits = receiver->account_digits > 0 ? receiver->account_digits
						     : ACCOUNT_DIGITS;

	slot->sequence = (unsigned)(1 + (delivery->number - 1) % SEQUENCES);
	if (delivery->account.length > digits) {
		*ret_problem = "the account is longer than this receiver takes";
		return -EINVAL;
	}
	if (slice_copy(line, slot->line, sizeof(slot->line)) < 0) {
		*ret_problem = "DC-09 has six digits for the line";
		return -EINVAL;
	}
	return 0;
}

static int
dc09_output_encode(struct link *link, struct slot *slot,
    const struct delivery *delivery, char *out, const char **ret_problem)
{
	const struct signal_event event = {
		.format = delivery->format,
		.qualifier = delivery->qualifier,
		.code = { delivery->code[0], delivery->code[1],
		    delivery->code[2], '\0' },
		.partition = delivery->partition,
		.zone = delivery->zone,
		.user = delivery->user,
		.text = delivery->text,
	};
	struct signal_extended extended[EXTENDED_MAX];
	struct dc09_message message;
	struct extended_texts texts;
	char data[DC09_BODY_MAX];
	int length;

	if (note_identity(link, slot, delivery, ret_problem) < 0)
		return -EINVAL;
	length = dc09_event_encode(&event, delivery->account, data,
	    sizeof(data), ret_problem);
	if (length < 0)
		return -EINVAL;
	message = message_of(link, slot);
	message.id = event.format == SIGNAL_FORMAT_SIA ? "SIA-DCS" : "ADM-CID";
	message.data = slice_of(data, (size_t)length);
	fill_texts(delivery, &texts);
	message.extended_count = fill_extended(delivery, &texts, extended);
	message.extended = extended;
	length = encode_message(link, &message, out);
	if (length < 0) {
		message.extended_count = 0; /* the alarm itself may have room */
		length = encode_message(link, &message, out);
	}
	if (length < 0) {
		*ret_problem = "a DC-09 frame has no room for it";
		return -EINVAL;
	}
	return length;
}

static int
dc09_output_heartbeat(struct link *link, char *out)
{
	struct dc09_message message = message_of(link, NULL);

	return encode_message(link, &message, out);
}

/* ---- answers ------------------------------------------------------------------- */

/* A late answer still counts: it names its message. */
static struct slot *
answered_slot(struct link *link, const struct signal *response)
{
	for (unsigned i = 0; i < link->count; i++) {
		struct slot *slot = send_slot(link, i);
		struct dc09_message message;

		if (slot->state != SLOT_SENT &&
		    (slot->state != SLOT_WAITING || slot->sent_here == 0))
			continue;
		message = message_of(link, slot);
		if (dc09_response_matches(response, &message))
			return slot;
	}
	return NULL;
}

static void
take_match(struct link *link, const struct signal *response, enum answer answer)
{
	struct slot *slot = answered_slot(link, response);
	struct dc09_message beat = message_of(link, NULL);

	if (slot)
		send_answered(link, slot, answer,
		    "the receiver answered DUH: it cannot process the message");
	else if (link->beat_sent && dc09_response_matches(response, &beat))
		send_answered(link, NULL, answer, NULL);
}

static void
take_nak(struct link *link, const struct signal *response)
{
	struct slot *oldest = send_oldest(link);

	if (response->panel_time_us != 0)
		link->clock_offset_us = response->panel_time_us -
		    clock_wall_us(link->egress->clock);
	if (oldest)
		send_answered(link, oldest, ANSWER_NAK, NULL);
	else if (link->beat_sent)
		send_answered(link, NULL, ANSWER_NAK, NULL);
}

/* ACK and RSP come as encrypted as we speak: a clear one proves nothing. */
static void
take_frame(struct link *link, const struct dc09_frame *frame)
{
	struct egress *egress = link->egress;
	struct codec_key key = key_of(link->settings);
	bool trusted = frame->encrypted || key.length == 0;
	const char *reason;

	switch (dc09_response_decode(egress->crypto, frame,
	    key.length > 0 ? &key : NULL, egress->plain, &egress->response,
	    &reason)) {
	case DC09_RESPONSE_ACK:
	case DC09_RESPONSE_RSP:
		if (trusted)
			take_match(link, &egress->response, ANSWER_ACK);
		break;
	case DC09_RESPONSE_DUH:
		take_match(link, &egress->response, ANSWER_REFUSED);
		break;
	case DC09_RESPONSE_NAK:
		take_nak(link, &egress->response);
		break;
	case DC09_RESPONSE_OTHER:
		break;
	}
}

static size_t
dc09_output_feed(struct link *link, const char *data, size_t length)
{
	size_t used = 0;

	while (used < length && !link->lost) {
		struct dc09_frame frame;
		enum dc09_fault fault;
		size_t step = 0;
		enum codec_result result =
		    dc09_frame_next(data + used, length - used,
			dc09_tolerance_default, &step, &frame, &fault);

		used += step;
		if (result == CODEC_MORE)
			break;
		if (result == CODEC_OK)
			take_frame(link, &frame);
	}
	return used;
}

const struct output output_dc09 = {
	.protocol = DIRECTORY_PROTOCOL_DC09,
	.name = "dc09",
	.encode = dc09_output_encode,
	.heartbeat = dc09_output_heartbeat,
	.feed = dc09_output_feed,
};
