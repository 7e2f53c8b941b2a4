#include "journal/record.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cursor.h"

#define RECORD_VERSION	       1u
#define SIGNAL_VERSION_BRIDGE  2u
#define SIGNAL_VERSION_SITE    3u
#define SIGNAL_VERSION_OWN     4u      /* codes of a panel's own */
#define RECORD_VERSION_EFFECTS 2u      /* of a decision */
#define RECORD_VERSION_PLACES  3u      /* of a decision */
#define RECORD_VERSION_OWN     4u      /* of a decision */
#define RECORD_VERSION_SENT_AS 2u      /* of an outcome */
#define PIECE_INLINE	       0xffffu /* the bytes follow */
#define SIGNAL_PIECES	       7
#define EVENT_PIECES	       8

enum signal_bit {
	SIGNAL_BIT_POLL = 1 << 0,
	SIGNAL_BIT_ENCRYPTED = 1 << 1,
	SIGNAL_BIT_ACCOUNT_ZEROS = 1 << 2,
	SIGNAL_BIT_ACK_DELIVERED = 1 << 3,
};

/* Two numbers of 16 bits, in one go: a signal has some twenty of them. */
static uint32_t
piece_head(size_t offset, size_t length)
{
	return (uint32_t)(uint16_t)offset | (uint32_t)length << 16;
}

/* A slice that lies inside the raw frame is an offset and a length. */
static void
write_piece(struct writer *w, struct slice raw, struct slice piece)
{
	uintptr_t start = (uintptr_t)raw.data, at = (uintptr_t)piece.data;

	if (piece.length >= PIECE_INLINE)
		w->failed = true;
	if (raw.data && raw.length < PIECE_INLINE && at >= start &&
	    at + piece.length <= start + raw.length) {
		writer_u32(w, piece_head(at - start, piece.length));
		return;
	}
	writer_u32(w, piece_head(PIECE_INLINE, piece.length));
	writer_bytes(w, piece.data, piece.length);
}

static struct slice
read_piece(struct reader *r, struct slice raw)
{
	uint32_t head = reader_u32(r), offset = head & 0xffff,
		 length = head >> 16;

	if (offset == PIECE_INLINE)
		return reader_bytes(r, length);
	if (!raw.data || offset + length > raw.length) {
		r->failed = true;
		return SLICE_NONE;
	}
	return slice_of(raw.data + offset, length);
}

/* A bit for each that is present, then those. */
static void
write_pieces(struct writer *w, struct slice raw, const struct slice *pieces,
    unsigned count)
{
	unsigned mask = 0;

	for (unsigned i = 0; i < count; i++)
		mask |= slice_present(pieces[i]) ? 1u << i : 0;
	writer_u8(w, (uint8_t)mask);
	for (unsigned i = 0; i < count; i++)
		if (slice_present(pieces[i]))
			write_piece(w, raw, pieces[i]);
}

static void
read_pieces(struct reader *r, struct slice raw, struct slice *pieces,
    unsigned count)
{
	unsigned mask = reader_u8(r);

	if (mask >> count != 0)
		r->failed = true;
	for (unsigned i = 0; i < count; i++)
		pieces[i] = mask & 1u << i ? read_piece(r, raw) : SLICE_NONE;
}

static void
write_event(struct writer *w, struct slice raw,
    const struct signal_event *event)
{
	const struct slice pieces[EVENT_PIECES] = { event->partition,
		event->zone, event->user, event->time, event->date,
		event->peripheral, event->text, event->area_text };

	writer_u8(w, (uint8_t)event->format);
	writer_u8(w, (uint8_t)event->qualifier);
	writer_bytes(w, event->code, SIGNAL_CODE_SIZE);
	writer_u8(w, (uint8_t)event->block);
	write_pieces(w, raw, pieces, EVENT_PIECES);
}

/* Format, qualifier and code stand alike in events and deliveries. own: the
 * payload is of a version that may have codes of a panel's own. */
static void
read_code(struct reader *r, bool own, enum signal_format *format,
    enum signal_qualifier *qualifier, char code[SIGNAL_CODE_SIZE])
{
	unsigned format_byte = reader_u8(r), qualifier_byte = reader_u8(r);
	struct slice bytes = reader_bytes(r, SIGNAL_CODE_SIZE);

	if (format_byte > SIGNAL_FORMAT_LAST ||
	    (signal_format_is_own((enum signal_format)format_byte) && !own) ||
	    (qualifier_byte != SIGNAL_QUALIFIER_NONE &&
		qualifier_byte != SIGNAL_QUALIFIER_NEW &&
		qualifier_byte != SIGNAL_QUALIFIER_RESTORE &&
		qualifier_byte != SIGNAL_QUALIFIER_STATUS))
		r->failed = true;
	*format = (enum signal_format)format_byte;
	*qualifier = (enum signal_qualifier)qualifier_byte;
	memset(code, 0, SIGNAL_CODE_SIZE);
	if (!slice_present(bytes))
		return;
	memcpy(code, bytes.data, SIGNAL_CODE_SIZE);
	if (code[SIGNAL_CODE_SIZE - 1] != '\0')
		r->failed = true;
}

static void
read_event(struct reader *r, struct slice raw, bool own,
    struct signal_event *ret)
{
	struct slice pieces[EVENT_PIECES];

	read_code(r, own, &ret->format, &ret->qualifier, ret->code);
	ret->block = (char)reader_u8(r);
	read_pieces(r, raw, pieces, EVENT_PIECES);
	ret->partition = pieces[0];
	ret->zone = pieces[1];
	ret->user = pieces[2];
	ret->time = pieces[3];
	ret->date = pieces[4];
	ret->peripheral = pieces[5];
	ret->text = pieces[6];
	ret->area_text = pieces[7];
}

static void
write_signal(struct writer *w, struct slice raw, const struct signal *signal)
{
	const struct slice pieces[SIGNAL_PIECES] = { signal->id,
		signal->sequence, signal->receiver, signal->line,
		signal->account, signal->data_account, signal->body };

	writer_u64(w, (uint64_t)signal->panel_time_us);
	write_pieces(w, raw, pieces, SIGNAL_PIECES);
	writer_u8(w, (uint8_t)signal->event_count);
	for (unsigned i = 0; i < signal->event_count; i++)
		write_event(w, raw, &signal->events[i]);
	writer_u8(w, (uint8_t)signal->extended_count);
	for (unsigned i = 0; i < signal->extended_count; i++) {
		writer_u8(w, (uint8_t)signal->extended[i].id);
		write_piece(w, raw, signal->extended[i].value);
	}
}

static void
read_signal(struct reader *r, struct slice raw, bool own, struct signal *ret)
{
	struct slice pieces[SIGNAL_PIECES];

	ret->panel_time_us = (int64_t)reader_u64(r);
	read_pieces(r, raw, pieces, SIGNAL_PIECES);
	ret->id = pieces[0];
	ret->sequence = pieces[1];
	ret->receiver = pieces[2];
	ret->line = pieces[3];
	ret->account = pieces[4];
	ret->data_account = pieces[5];
	ret->body = pieces[6];
	ret->event_count = reader_u8(r);
	if (ret->event_count > SIGNAL_EVENTS_MAX) {
		r->failed = true;
		return;
	}
	for (unsigned i = 0; i < ret->event_count; i++)
		read_event(r, raw, own, &ret->events[i]);
	ret->extended_count = reader_u8(r);
	if (ret->extended_count > SIGNAL_EXTENDED_MAX) {
		r->failed = true;
		return;
	}
	for (unsigned i = 0; i < ret->extended_count; i++) {
		ret->extended[i].id = (char)reader_u8(r);
		ret->extended[i].value = read_piece(r, raw);
	}
}

static int
written(const struct writer *w)
{
	return w->failed ? -EMSGSIZE : (int)writer_length(w);
}

/* Every payload is one version byte and its fields, and nothing behind. */
static int
check_read(const struct reader *r, unsigned version, unsigned newest,
    const char *what, struct err *err)
{
	if (version < 1 || version > newest)
		return err_set(err, -EINVAL,
		    "%s payload of version %u, this program reads %u", what,
		    version, newest);
	if (r->failed)
		return err_set(err, -EINVAL,
		    "%s payload is cut short or holds a value out of range",
		    what);
	if (reader_left(r) > 0)
		return err_set(err, -EINVAL,
		    "%s payload has %zu bytes too many", what, reader_left(r));
	return 0;
}

/* The least that says it: most records have no more to say. */
static unsigned
signal_version(const struct record_signal *record)
{
	const struct signal *signal = &record->signal;

	for (unsigned i = 0; i < signal->event_count; i++)
		if (signal_format_is_own(signal->events[i].format))
			return SIGNAL_VERSION_OWN;
	if (record->site_id)
		return SIGNAL_VERSION_SITE;
	return record->bridge_id ? SIGNAL_VERSION_BRIDGE : RECORD_VERSION;
}

int
record_signal_encode(const struct record_signal *record, void *out,
    size_t out_size)
{
	struct writer w = writer_open(out, out_size);
	const struct signal *signal = &record->signal;
	unsigned version;

	if (signal->event_count > SIGNAL_EVENTS_MAX ||
	    signal->extended_count > SIGNAL_EXTENDED_MAX)
		return -EMSGSIZE;
	version = signal_version(record);
	writer_u8(&w, (uint8_t)version);
	writer_u8(&w, (uint8_t)signal->protocol);
	writer_u8(&w,
	    (uint8_t)((signal->poll ? SIGNAL_BIT_POLL : 0) |
		(signal->encrypted ? SIGNAL_BIT_ENCRYPTED : 0) |
		(record->account_zeros ? SIGNAL_BIT_ACCOUNT_ZEROS : 0) |
		(record->ack_level == ACK_LEVEL_DELIVERED
			? SIGNAL_BIT_ACK_DELIVERED
			: 0)));
	writer_u64(&w, record->sender);
	writer_u64(&w, record->fingerprint);
	writer_slice(&w, record->listener);
	writer_slice(&w, record->peer);
	writer_slice(&w, record->raw);
	write_signal(&w, record->raw, signal);
	if (version >= SIGNAL_VERSION_BRIDGE)
		writer_u64(&w, record->bridge_id);
	if (version >= SIGNAL_VERSION_SITE)
		writer_u64(&w, record->site_id);
	return written(&w);
}

uint64_t
record_signal_sender(struct slice payload)
{
	struct reader r = reader_open(payload.data, payload.length);

	reader_u8(&r); /* version, protocol, bits */
	reader_u8(&r);
	reader_u8(&r);
	return reader_u64(&r);
}

int
record_signal_decode(struct slice payload, struct record_signal *ret,
    struct err *err)
{
	struct reader r = reader_open(payload.data, payload.length);
	unsigned version = reader_u8(&r), protocol = reader_u8(&r);
	unsigned bits = reader_u8(&r);

	if (protocol > SIGNAL_PROTOCOL_LAST)
		r.failed = true;
	ret->signal.protocol = (enum signal_protocol)protocol;
	ret->signal.poll = bits & SIGNAL_BIT_POLL;
	ret->signal.encrypted = bits & SIGNAL_BIT_ENCRYPTED;
	ret->account_zeros = bits & SIGNAL_BIT_ACCOUNT_ZEROS;
	ret->ack_level = bits & SIGNAL_BIT_ACK_DELIVERED ? ACK_LEVEL_DELIVERED
							 : ACK_LEVEL_LOCAL;
	ret->sender = reader_u64(&r);
	ret->fingerprint = reader_u64(&r);
	ret->listener = reader_slice(&r);
	ret->peer = reader_slice(&r);
	ret->raw = reader_slice(&r);
	read_signal(&r, ret->raw, version >= SIGNAL_VERSION_OWN, &ret->signal);
	ret->bridge_id = version >= SIGNAL_VERSION_BRIDGE ? reader_u64(&r) : 0;
	ret->site_id = version >= SIGNAL_VERSION_SITE ? reader_u64(&r) : 0;
	return check_read(&r, version, SIGNAL_VERSION_OWN, "signal", err);
}

static void
write_delivery(struct writer *w, const struct delivery *delivery)
{
	writer_u64(w, delivery->receiver_id);
	writer_u64(w, delivery->number);
	writer_u8(w, (uint8_t)delivery->format);
	writer_u8(w, (uint8_t)delivery->qualifier);
	writer_bytes(w, delivery->code, SIGNAL_CODE_SIZE);
	writer_slice(w, delivery->account);
	writer_slice(w, delivery->partition);
	writer_slice(w, delivery->zone);
	writer_slice(w, delivery->user);
	writer_slice(w, delivery->text);
	writer_slice(w, delivery->zone_name);
	writer_slice(w, delivery->site_name);
	writer_slice(w, delivery->reference_id);
	writer_slice(w, delivery->url);
	writer_slice(w, delivery->line_card);
	writer_u64(w, (uint64_t)delivery->occurred_us);
	writer_u64(w, (uint64_t)delivery->received_us);
	writer_u8(w, delivery->test);
}

static void
read_delivery(struct reader *r, bool own, struct delivery *ret)
{
	ret->receiver_id = reader_u64(r);
	ret->number = reader_u64(r);
	read_code(r, own, &ret->format, &ret->qualifier, ret->code);
	ret->account = reader_slice(r);
	ret->partition = reader_slice(r);
	ret->zone = reader_slice(r);
	ret->user = reader_slice(r);
	ret->text = reader_slice(r);
	ret->zone_name = reader_slice(r);
	ret->site_name = reader_slice(r);
	ret->reference_id = reader_slice(r);
	ret->url = reader_slice(r);
	ret->line_card = reader_slice(r);
	ret->occurred_us = (int64_t)reader_u64(r);
	ret->received_us = (int64_t)reader_u64(r);
	ret->test = reader_u8(r) != 0;
}

static void
write_area(struct writer *w, const struct area *area)
{
	writer_u8(w, (uint8_t)area->kind);
	writer_u64(w, area->number);
}

static struct area
read_area(struct reader *r)
{
	unsigned kind = reader_u8(r);
	struct area area = { (enum area_kind)kind, reader_u64(r) };

	if (kind > AREA_LAST)
		r->failed = true;
	return area;
}

static void
write_effect(struct writer *w, const struct effect *effect)
{
	writer_u8(w, (uint8_t)effect->kind);
	switch (effect->kind) {
	case EFFECT_ARMING:
	case EFFECT_SCHEDULE:
		write_area(w, &effect->area);
		writer_u8(w, effect->armed);
		writer_u64(w, (uint64_t)effect->at_us);
		return;
	case EFFECT_ENTRY:
		write_area(w, &effect->area);
		writer_u64(w, (uint64_t)effect->at_us);
		writer_u64(w, (uint64_t)effect->until_us);
		return;
	case EFFECT_ZONE:
		writer_u64(w, effect->zone);
		writer_u8(w, (uint8_t)effect->alarm);
		writer_u64(w, (uint64_t)effect->until_us);
		writer_u64(w, effect->held_lsn);
		writer_u16(w, effect->held_item);
		return;
	case EFFECT_WAIT:
		writer_u64(w, (uint64_t)effect->until_us);
		return;
	case EFFECT_TEST:
	case EFFECT_ON_TEST:
		writer_u8(w, effect->on);
		writer_u64(w, (uint64_t)effect->at_us);
		return;
	case EFFECT_CAMERA:
	case EFFECT_IDLE:
	case EFFECT_ACTIVATION:
		write_area(w, &effect->area);
		writer_u8(w, effect->on);
		writer_u64(w, (uint64_t)effect->at_us);
		return;
	}
	w->failed = true;
}

static void
read_zone_effect(struct reader *r, struct effect *ret)
{
	unsigned alarm;

	ret->zone = reader_u64(r);
	alarm = reader_u8(r);
	if (alarm > ZONE_ALARM_SILENT)
		r->failed = true;
	ret->alarm = (enum zone_alarm)alarm;
	ret->until_us = (int64_t)reader_u64(r);
	ret->held_lsn = reader_u64(r);
	ret->held_item = reader_u16(r);
}

static void
read_effect(struct reader *r, struct effect *ret)
{
	*ret = (struct effect){ .kind = (enum effect_kind)reader_u8(r) };
	switch (ret->kind) {
	case EFFECT_ARMING:
	case EFFECT_SCHEDULE:
		ret->area = read_area(r);
		ret->armed = reader_u8(r) != 0;
		ret->at_us = (int64_t)reader_u64(r);
		return;
	case EFFECT_ENTRY:
		ret->area = read_area(r);
		ret->at_us = (int64_t)reader_u64(r);
		ret->until_us = (int64_t)reader_u64(r);
		return;
	case EFFECT_ZONE:
		read_zone_effect(r, ret);
		return;
	case EFFECT_WAIT:
		ret->until_us = (int64_t)reader_u64(r);
		return;
	case EFFECT_TEST:
	case EFFECT_ON_TEST:
		ret->on = reader_u8(r) != 0;
		ret->at_us = (int64_t)reader_u64(r);
		return;
	case EFFECT_CAMERA:
	case EFFECT_IDLE:
	case EFFECT_ACTIVATION:
		ret->area = read_area(r);
		ret->on = reader_u8(r) != 0;
		ret->at_us = (int64_t)reader_u64(r);
		return;
	}
	r->failed = true;
}

static void
read_effects(struct reader *r, struct decision *ret)
{
	ret->effect_count = reader_u8(r);
	if (ret->effect_count > EFFECTS_MAX) {
		ret->effect_count = 0;
		r->failed = true;
	}
	for (unsigned i = 0; i < ret->effect_count; i++)
		read_effect(r, &ret->effects[i]);
}

/* Of each delivery, behind everything else. */
static void
write_positions(struct writer *w, const struct decision *decision)
{
	for (unsigned i = 0; i < decision->delivery_count; i++) {
		const struct position *position =
		    &decision->deliveries[i].position;

		writer_u8(w, position->known);
		writer_u32(w, (uint32_t)position->latitude_e7);
		writer_u32(w, (uint32_t)position->longitude_e7);
	}
}

static bool
is_within(int32_t value, int32_t max)
{
	return value >= -max && value <= max;
}

static void
read_positions(struct reader *r, unsigned version, struct decision *ret)
{
	for (unsigned i = 0; i < ret->delivery_count; i++) {
		struct position *position = &ret->deliveries[i].position;

		*position = (struct position){ 0 };
		if (version < RECORD_VERSION_PLACES)
			continue;
		position->known = reader_u8(r) != 0;
		position->latitude_e7 = (int32_t)reader_u32(r);
		position->longitude_e7 = (int32_t)reader_u32(r);
		if (!is_within(position->latitude_e7,
			POSITION_LATITUDE_MAX_E7) ||
		    !is_within(position->longitude_e7,
			POSITION_LONGITUDE_MAX_E7))
			r->failed = true;
	}
}

/* The oldest that says all of it. */
static unsigned
decision_version(const struct decision *decision)
{
	bool places = false;

	for (unsigned i = 0; i < decision->delivery_count; i++) {
		if (signal_format_is_own(decision->deliveries[i].format))
			return RECORD_VERSION_OWN;
		places |= decision->deliveries[i].position.known;
	}
	if (places)
		return RECORD_VERSION_PLACES;
	return decision->effect_count > 0 ? RECORD_VERSION_EFFECTS
					  : RECORD_VERSION;
}

int
record_decision_encode(const struct decision *decision, void *out,
    size_t out_size)
{
	struct writer w = writer_open(out, out_size);
	unsigned version;

	if (decision->delivery_count > DECISION_DELIVERIES_MAX ||
	    decision->effect_count > EFFECTS_MAX)
		return -EMSGSIZE;
	version = decision_version(decision);
	writer_u8(&w, (uint8_t)version);
	writer_u64(&w, decision->signal_lsn);
	writer_u16(&w, decision->item);
	writer_u8(&w, (uint8_t)decision->verdict);
	writer_u32(&w, decision->flags);
	writer_slice(&w, decision->reason);
	writer_u64(&w, decision->dealer_id);
	writer_u64(&w, decision->site_id);
	writer_u64(&w, decision->bridge_id);
	writer_u64(&w, decision->channel_id);
	writer_u8(&w, (uint8_t)decision->delivery_count);
	for (unsigned i = 0; i < decision->delivery_count; i++)
		write_delivery(&w, &decision->deliveries[i]);
	if (version >= RECORD_VERSION_EFFECTS)
		writer_u8(&w, (uint8_t)decision->effect_count);
	for (unsigned i = 0; i < decision->effect_count; i++)
		write_effect(&w, &decision->effects[i]);
	if (version >= RECORD_VERSION_PLACES)
		write_positions(&w, decision);
	return written(&w);
}

int
record_decision_decode(struct slice payload, struct decision *ret,
    struct err *err)
{
	struct reader r = reader_open(payload.data, payload.length);
	unsigned version = reader_u8(&r), verdict;

	ret->signal_lsn = reader_u64(&r);
	ret->item = reader_u16(&r);
	verdict = reader_u8(&r);
	if (verdict < VERDICT_ROUTED || verdict > VERDICT_LAST)
		r.failed = true;
	ret->verdict = (enum verdict)verdict;
	ret->flags = reader_u32(&r);
	ret->reason = reader_slice(&r);
	ret->dealer_id = reader_u64(&r);
	ret->site_id = reader_u64(&r);
	ret->bridge_id = reader_u64(&r);
	ret->channel_id = reader_u64(&r);
	ret->delivery_count = reader_u8(&r);
	if (ret->delivery_count > DECISION_DELIVERIES_MAX) {
		ret->delivery_count = 0;
		r.failed = true;
	}
	for (unsigned i = 0; i < ret->delivery_count; i++)
		read_delivery(&r, version >= RECORD_VERSION_OWN,
		    &ret->deliveries[i]);
	ret->effect_count = 0;
	if (version >= RECORD_VERSION_EFFECTS)
		read_effects(&r, ret);
	read_positions(&r, version, ret);
	return check_read(&r, version, RECORD_VERSION_OWN, "decision", err);
}

int
record_outcome_encode(const struct outcome *outcome, void *out, size_t out_size)
{
	struct writer w = writer_open(out, out_size);

	writer_u8(&w,
	    slice_present(outcome->sent_as) ? RECORD_VERSION_SENT_AS
					    : RECORD_VERSION);
	writer_u64(&w, outcome->decision_lsn);
	writer_u8(&w, outcome->index);
	writer_u8(&w, (uint8_t)outcome->state);
	writer_u64(&w, outcome->signal_lsn);
	writer_u16(&w, outcome->item);
	writer_u64(&w, outcome->receiver_id);
	writer_u32(&w, outcome->attempts);
	writer_u8(&w, outcome->repeated);
	writer_slice(&w, outcome->endpoint);
	writer_slice(&w, outcome->reason);
	if (slice_present(outcome->sent_as))
		writer_slice(&w, outcome->sent_as);
	return written(&w);
}

int
record_outcome_decode(struct slice payload, struct outcome *ret,
    struct err *err)
{
	struct reader r = reader_open(payload.data, payload.length);
	unsigned version = reader_u8(&r), state;

	ret->decision_lsn = reader_u64(&r);
	ret->index = reader_u8(&r);
	state = reader_u8(&r);
	if (state < OUTCOME_DELIVERED || state > OUTCOME_SKIPPED)
		r.failed = true;
	ret->state = (enum outcome_state)state;
	ret->signal_lsn = reader_u64(&r);
	ret->item = reader_u16(&r);
	ret->receiver_id = reader_u64(&r);
	ret->attempts = reader_u32(&r);
	ret->repeated = reader_u8(&r) != 0;
	ret->endpoint = reader_slice(&r);
	ret->reason = reader_slice(&r);
	ret->sent_as =
	    version >= RECORD_VERSION_SENT_AS ? reader_slice(&r) : SLICE_NONE;
	if (version >= RECORD_VERSION_SENT_AS && !slice_present(ret->sent_as))
		r.failed = true; /* nobody writes that */
	return check_read(&r, version, RECORD_VERSION_SENT_AS, "outcome", err);
}

char *
record_event_id_format(const char *node, uint64_t lsn, unsigned item,
    char out[RECORD_EVENT_ID_SIZE])
{
	int length =
	    snprintf(out, RECORD_EVENT_ID_SIZE, "%.63s-%" PRIu64, node, lsn);

	if (item > 0)
		snprintf(out + length, RECORD_EVENT_ID_SIZE - (size_t)length,
		    ".%u", item);
	return out;
}

static int
parse_number(const char **text, uint64_t maximum, uint64_t *ret)
{
	char *end;

	if (**text < '0' || **text > '9')
		return -EINVAL;
	errno = 0;
	*ret = strtoull(*text, &end, 10);
	*text = end;
	return errno == 0 && *ret <= maximum ? 0 : -EINVAL;
}

int
record_event_id_parse(const char *text, uint64_t *ret_lsn, unsigned *ret_item)
{
	const char *dash = strrchr(text, '-');
	uint64_t lsn, item = 0;

	if (!dash || dash == text)
		return -EINVAL;
	text = dash + 1;
	if (parse_number(&text, UINT64_MAX, &lsn) < 0)
		return -EINVAL;
	if (*text == '.') {
		text++;
		if (parse_number(&text, UINT16_MAX, &item) < 0)
			return -EINVAL;
	}
	if (*text != '\0')
		return -EINVAL;
	*ret_lsn = lsn;
	*ret_item = (unsigned)item;
	return 0;
}
