/* Payloads: what goes in comes out, and no bytes crash a decoder. */
#include "unit/test.h"

#include <errno.h>
#include <stdlib.h>

#include "journal/record.h"

#define ROUNDS	     2000
#define PAYLOAD_SIZE 32768
#define TEXT_MAX     40

static unsigned seed = 20260115;
static char text_pool[1 << 16];

static unsigned
random_below(unsigned bound)
{
	return (unsigned)rand_r(&seed) % bound;
}

static uint64_t
random_u64(void)
{
	return (uint64_t)rand_r(&seed) << 40 ^ (uint64_t)rand_r(&seed) << 20 ^
	    (uint64_t)rand_r(&seed);
}

/* Absent, inside raw, or anywhere else. */
static struct slice
random_slice(struct slice raw)
{
	unsigned length = random_below(TEXT_MAX);

	switch (random_below(4)) {
	case 0:
		return SLICE_NONE;
	case 1:
		if (raw.data && raw.length > 0)
			return slice_part(raw,
			    random_below((unsigned)raw.length), length);
		break;
	default:
		break;
	}
	return slice_of(text_pool +
		random_below((unsigned)sizeof(text_pool) - TEXT_MAX),
	    length);
}

/* The formats of the next record: most have none of a panel's own. */
static enum signal_format last_format;

static void
draw_last_format(void)
{
	last_format = random_below(4) ? SIGNAL_FORMAT_SIA : SIGNAL_FORMAT_LAST;
}

static void
random_code(enum signal_format *format, enum signal_qualifier *qualifier,
    char code[SIGNAL_CODE_SIZE])
{
	static const enum signal_qualifier qualifiers[] = {
		SIGNAL_QUALIFIER_NONE, SIGNAL_QUALIFIER_NEW,
		SIGNAL_QUALIFIER_RESTORE, SIGNAL_QUALIFIER_STATUS
	};

	*format = (enum signal_format)random_below(last_format + 1u);
	*qualifier = qualifiers[random_below(COUNT(qualifiers))];
	memset(code, 0, SIGNAL_CODE_SIZE);
	for (unsigned i = 0; i < random_below(SIGNAL_CODE_SIZE); i++)
		code[i] = (char)('0' + random_below(40));
}

static bool
same(struct slice a, struct slice b)
{
	return slice_present(a) == slice_present(b) && slice_equal(a, b);
}

static void
random_event(struct slice raw, struct signal_event *event)
{
	random_code(&event->format, &event->qualifier, event->code);
	event->partition = random_slice(raw);
	event->zone = random_slice(raw);
	event->user = random_slice(raw);
	event->time = random_slice(raw);
	event->date = random_slice(raw);
	event->peripheral = random_slice(raw);
	event->text = random_slice(raw);
	event->area_text = random_slice(raw);
	event->block = "\0NO"[random_below(3)];
}

static bool
same_event(const struct signal_event *a, const struct signal_event *b)
{
	return a->format == b->format && a->qualifier == b->qualifier &&
	    memcmp(a->code, b->code, SIGNAL_CODE_SIZE) == 0 &&
	    same(a->partition, b->partition) && same(a->zone, b->zone) &&
	    same(a->user, b->user) && same(a->time, b->time) &&
	    same(a->date, b->date) && same(a->peripheral, b->peripheral) &&
	    same(a->text, b->text) && same(a->area_text, b->area_text) &&
	    a->block == b->block;
}

static void
random_signal(struct record_signal *record)
{
	struct signal *signal = &record->signal;

	draw_last_format();
	memset(record, 0, sizeof(*record));
	record->raw = random_slice(SLICE_NONE);
	record->listener = random_slice(record->raw);
	record->peer = random_slice(record->raw);
	record->sender = random_u64();
	record->fingerprint = random_u64();
	record->account_zeros = random_below(2);
	record->ack_level =
	    random_below(2) ? ACK_LEVEL_LOCAL : ACK_LEVEL_DELIVERED;
	record->bridge_id = random_below(2) ? random_u64() : 0;
	record->site_id = random_below(4) ? 0 : random_u64();
	signal->protocol =
	    (enum signal_protocol)random_below(SIGNAL_PROTOCOL_LAST + 1);
	signal->poll = random_below(2);
	signal->encrypted = random_below(2);
	signal->id = random_slice(record->raw);
	signal->sequence = random_slice(record->raw);
	signal->receiver = random_slice(record->raw);
	signal->line = random_slice(record->raw);
	signal->account = random_slice(record->raw);
	signal->data_account = random_slice(record->raw);
	signal->panel_time_us = (int64_t)random_u64();
	signal->body = random_slice(record->raw);
	signal->event_count = random_below(SIGNAL_EVENTS_MAX + 1);
	for (unsigned i = 0; i < signal->event_count; i++)
		random_event(record->raw, &signal->events[i]);
	signal->extended_count = random_below(SIGNAL_EXTENDED_MAX + 1);
	for (unsigned i = 0; i < signal->extended_count; i++) {
		signal->extended[i].id = (char)('A' + random_below(26));
		signal->extended[i].value = slice_of(text_pool + i, 5);
	}
}

static void
assert_same_signal(const struct record_signal *a, const struct record_signal *b)
{
	const struct signal *s = &a->signal, *t = &b->signal;

	assert_true(same(a->listener, b->listener));
	assert_true(same(a->peer, b->peer));
	assert_true(same(a->raw, b->raw));
	assert_true(a->sender == b->sender);
	assert_true(a->fingerprint == b->fingerprint);
	assert_int_equal(a->account_zeros, b->account_zeros);
	assert_int_equal(a->ack_level, b->ack_level);
	assert_true(a->bridge_id == b->bridge_id && a->site_id == b->site_id);
	assert_int_equal(s->protocol, t->protocol);
	assert_int_equal(s->poll, t->poll);
	assert_int_equal(s->encrypted, t->encrypted);
	assert_true(s->panel_time_us == t->panel_time_us);
	assert_true(same(s->id, t->id));
	assert_true(same(s->sequence, t->sequence));
	assert_true(same(s->receiver, t->receiver));
	assert_true(same(s->line, t->line));
	assert_true(same(s->account, t->account));
	assert_true(same(s->data_account, t->data_account));
	assert_true(same(s->body, t->body));
	assert_int_equal(s->event_count, t->event_count);
	for (unsigned i = 0; i < s->event_count; i++)
		assert_row(same_event(&s->events[i], &t->events[i]), i,
		    "event");
	assert_int_equal(s->extended_count, t->extended_count);
	for (unsigned i = 0; i < s->extended_count; i++)
		assert_row(s->extended[i].id == t->extended[i].id &&
			same(s->extended[i].value, t->extended[i].value),
		    i, "extended");
}

static void
signals_round_trip(void **state)
{
	static struct record_signal in, out;
	static char payload[PAYLOAD_SIZE];
	struct err err;

	(void)state;
	for (unsigned round = 0; round < ROUNDS; round++) {
		int length;

		random_signal(&in);
		length = record_signal_encode(&in, payload, sizeof(payload));
		assert_true(length > 0);
		memset(&out, 0x5a, sizeof(out));
		assert_int_equal(record_signal_decode(slice_of(payload,
							  (size_t)length),
				     &out, &err),
		    0);
		assert_same_signal(&in, &out);
		assert_int_equal(record_signal_encode(&in, payload,
				     (size_t)length - 1),
		    -EMSGSIZE);
	}
}

static void
fields_inside_the_frame_cost_no_copy(void **state)
{
	static struct record_signal in, out;
	char payload[1024];
	int length;

	(void)state;
	in.raw = slice_of(text_pool, 300);
	in.signal.body = slice_part(in.raw, 100, 200);
	length = record_signal_encode(&in, payload, sizeof(payload));
	assert_in_range(length, 300, 400);
	assert_int_equal(record_signal_decode(slice_of(payload, (size_t)length),
			     &out, NULL),
	    0);
	assert_ptr_equal(out.signal.body.data, out.raw.data + 100);
}

/* Only what its kind has: everything else is not written. */
static void
random_effect(struct effect *effect)
{
	*effect = (struct effect){ .kind = 1 + random_below(EFFECT_LAST) };
	switch (effect->kind) {
	case EFFECT_ARMING:
	case EFFECT_SCHEDULE:
	case EFFECT_ENTRY:
		effect->area =
		    (struct area){ random_below(AREA_LAST + 1), random_u64() };
		effect->at_us = (int64_t)random_u64();
		if (effect->kind == EFFECT_ENTRY)
			effect->until_us = (int64_t)random_u64();
		else
			effect->armed = random_below(2);
		return;
	case EFFECT_ZONE:
		effect->zone = random_u64();
		effect->alarm = random_below(ZONE_ALARM_SILENT + 1);
		effect->until_us = (int64_t)random_u64();
		effect->held_lsn = random_u64();
		effect->held_item = (uint16_t)random_below(32);
		return;
	case EFFECT_WAIT:
		effect->until_us = (int64_t)random_u64();
		return;
	case EFFECT_CAMERA:
	case EFFECT_IDLE:
	case EFFECT_ACTIVATION:
		effect->area =
		    (struct area){ random_below(AREA_LAST + 1), random_u64() };
		effect->on = random_below(2);
		effect->at_us = (int64_t)random_u64();
		return;
	case EFFECT_TEST:
	case EFFECT_ON_TEST:
		effect->on = random_below(2);
		effect->at_us = (int64_t)random_u64();
		return;
	}
}

static bool
same_effect(const struct effect *a, const struct effect *b)
{
	return a->kind == b->kind && a->area.kind == b->area.kind &&
	    a->area.number == b->area.number && a->armed == b->armed &&
	    a->on == b->on && a->at_us == b->at_us &&
	    a->until_us == b->until_us && a->zone == b->zone &&
	    a->alarm == b->alarm && a->held_lsn == b->held_lsn &&
	    a->held_item == b->held_item;
}

static struct position
random_position(void)
{
	return (struct position){ true,
		(int32_t)random_below(1800000001) - POSITION_LATITUDE_MAX_E7,
		POSITION_LONGITUDE_MAX_E7 - (int32_t)random_below(1800000001) };
}

static void
random_decision(struct decision *decision)
{
	bool places = random_below(2);

	draw_last_format();
	memset(decision, 0, sizeof(*decision));
	decision->signal_lsn = random_u64();
	decision->item = (uint16_t)random_below(33);
	decision->verdict = (enum verdict)(1 + random_below(VERDICT_LAST));
	decision->flags = random_below(8);
	decision->effect_count = random_below(EFFECTS_MAX + 1);
	for (unsigned i = 0; i < decision->effect_count; i++)
		random_effect(&decision->effects[i]);
	decision->reason = random_slice(SLICE_NONE);
	decision->dealer_id = random_u64();
	decision->site_id = random_u64();
	decision->bridge_id = random_u64();
	decision->channel_id = random_u64();
	decision->delivery_count = random_below(DECISION_DELIVERIES_MAX + 1);
	for (unsigned i = 0; i < decision->delivery_count; i++) {
		struct delivery *delivery = &decision->deliveries[i];

		delivery->receiver_id = random_u64();
		delivery->number = random_u64();
		random_code(&delivery->format, &delivery->qualifier,
		    delivery->code);
		delivery->account = random_slice(SLICE_NONE);
		delivery->partition = random_slice(SLICE_NONE);
		delivery->zone = random_slice(SLICE_NONE);
		delivery->user = random_slice(SLICE_NONE);
		delivery->text = random_slice(SLICE_NONE);
		delivery->zone_name = random_slice(SLICE_NONE);
		delivery->site_name = random_slice(SLICE_NONE);
		delivery->reference_id = random_slice(SLICE_NONE);
		delivery->url = random_slice(SLICE_NONE);
		delivery->line_card = random_slice(SLICE_NONE);
		delivery->occurred_us = (int64_t)random_u64();
		delivery->received_us = (int64_t)random_u64();
		delivery->test = random_below(2);
		if (places)
			delivery->position = random_position();
	}
}

static bool
same_delivery(const struct delivery *a, const struct delivery *b)
{
	return a->receiver_id == b->receiver_id && a->number == b->number &&
	    a->format == b->format && a->qualifier == b->qualifier &&
	    memcmp(a->code, b->code, SIGNAL_CODE_SIZE) == 0 &&
	    same(a->account, b->account) && same(a->partition, b->partition) &&
	    same(a->zone, b->zone) && same(a->user, b->user) &&
	    same(a->text, b->text) && same(a->zone_name, b->zone_name) &&
	    same(a->site_name, b->site_name) &&
	    same(a->reference_id, b->reference_id) && same(a->url, b->url) &&
	    same(a->line_card, b->line_card) &&
	    a->occurred_us == b->occurred_us &&
	    a->received_us == b->received_us && a->test == b->test &&
	    a->position.known == b->position.known &&
	    a->position.latitude_e7 == b->position.latitude_e7 &&
	    a->position.longitude_e7 == b->position.longitude_e7;
}

/* The lowest version that says all of it. */
static int
least_version(const struct decision *decision)
{
	for (unsigned i = 0; i < decision->delivery_count; i++)
		if (decision->deliveries[i].format > SIGNAL_FORMAT_SIA)
			return 4;
	if (decision->delivery_count > 0 &&
	    decision->deliveries[0].position.known)
		return 3;
	return decision->effect_count > 0 ? 2 : 1;
}

static void
decisions_round_trip(void **state)
{
	static struct decision in, out;
	static char payload[PAYLOAD_SIZE];

	(void)state;
	for (unsigned round = 0; round < ROUNDS; round++) {
		int length;

		random_decision(&in);
		length = record_decision_encode(&in, payload, sizeof(payload));
		assert_true(length > 0);
		memset(&out, 0x5a, sizeof(out));
		assert_int_equal(record_decision_decode(slice_of(payload,
							    (size_t)length),
				     &out, NULL),
		    0);
		assert_int_equal(payload[0], least_version(&in));
		assert_true(in.signal_lsn == out.signal_lsn);
		assert_int_equal(in.item, out.item);
		assert_int_equal(in.verdict, out.verdict);
		assert_int_equal(in.flags, out.flags);
		assert_true(same(in.reason, out.reason));
		assert_true(in.dealer_id == out.dealer_id &&
		    in.site_id == out.site_id &&
		    in.bridge_id == out.bridge_id &&
		    in.channel_id == out.channel_id);
		assert_int_equal(in.delivery_count, out.delivery_count);
		for (unsigned i = 0; i < in.delivery_count; i++)
			assert_row(same_delivery(&in.deliveries[i],
				       &out.deliveries[i]),
			    i, "delivery");
		assert_int_equal(in.effect_count, out.effect_count);
		for (unsigned i = 0; i < in.effect_count; i++)
			assert_row(same_effect(&in.effects[i], &out.effects[i]),
			    i, "effect");
	}
}

static void
outcomes_round_trip(void **state)
{
	char payload[256];

	(void)state;
	for (unsigned round = 0; round < ROUNDS; round++) {
		struct outcome in = { .decision_lsn = random_u64(),
			.index = (uint8_t)random_below(8),
			.state = (enum outcome_state)(1 + random_below(3)),
			.signal_lsn = random_u64(),
			.item = (uint16_t)random_below(33),
			.receiver_id = random_u64(),
			.attempts = random_below(1000),
			.repeated = random_below(2),
			.endpoint = random_slice(SLICE_NONE),
			.reason = random_slice(SLICE_NONE),
			.sent_as = random_below(2) ? slice_from_string("E130")
						   : SLICE_NONE };
		struct outcome out;
		int length =
		    record_outcome_encode(&in, payload, sizeof(payload));

		assert_true(length > 0);
		assert_int_equal(record_outcome_decode(slice_of(payload,
							   (size_t)length),
				     &out, NULL),
		    0);
		assert_true(in.decision_lsn == out.decision_lsn &&
		    in.index == out.index && in.state == out.state &&
		    in.signal_lsn == out.signal_lsn && in.item == out.item &&
		    in.receiver_id == out.receiver_id &&
		    in.attempts == out.attempts && in.repeated == out.repeated);
		assert_true(same(in.endpoint, out.endpoint));
		assert_true(same(in.reason, out.reason));
		assert_true(same(in.sent_as, out.sent_as));
		/* one that says nothing new is as it always was */
		assert_int_equal(payload[0], slice_present(in.sent_as) ? 2 : 1);
	}
}

/* Each outcome has one way to be written. */
static void
a_newer_outcome_says_what_is_new(void **state)
{
	const struct outcome in = { .state = OUTCOME_DELIVERED,
		.endpoint = SLICE_NONE,
		.reason = SLICE_NONE,
		.sent_as = SLICE_NONE };
	char payload[256];
	int length = record_outcome_encode(&in, payload, sizeof(payload) - 2);
	struct outcome out;
	struct err err = { "" };

	(void)state;
	assert_true(length > 0);
	payload[0] = 2;
	memset(payload + length, 0xff, 2); /* no slice */
	assert_int_equal(record_outcome_decode(slice_of(payload,
						   (size_t)length + 2),
			     &out, &err),
	    -EINVAL);
	assert_true(err.text[0] != '\0');
}

/* Version 3 has the same fields, and knew no such format. */
static void
a_panels_own_code_needs_its_version(void **state)
{
	static struct record_signal signal, read_signal;
	static struct decision decision, read_decision;
	char payload[1024];
	struct slice bytes = { payload, 0 };

	(void)state;
	signal.site_id = 7;
	signal.signal.event_count = 1;
	signal.signal.events[0].format = SIGNAL_FORMAT_CONTACT_ID;
	bytes.length =
	    (size_t)record_signal_encode(&signal, payload, sizeof(payload));
	assert_int_equal(payload[0], 3);
	signal.signal.events[0].format = SIGNAL_FORMAT_PULSE;
	bytes.length =
	    (size_t)record_signal_encode(&signal, payload, sizeof(payload));
	assert_int_equal(payload[0], 4);
	assert_int_equal(record_signal_decode(bytes, &read_signal, NULL), 0);
	assert_true(read_signal.site_id == 7);
	payload[0] = 3;
	assert_int_equal(record_signal_decode(bytes, &read_signal, NULL),
	    -EINVAL);
	decision.verdict = VERDICT_ROUTED;
	decision.delivery_count = 1;
	decision.deliveries[0].format = SIGNAL_FORMAT_ACRON;
	bytes.length =
	    (size_t)record_decision_encode(&decision, payload, sizeof(payload));
	assert_int_equal(payload[0], 4);
	assert_int_equal(record_decision_decode(bytes, &read_decision, NULL),
	    0);
	payload[0] = 3;
	assert_int_equal(record_decision_decode(bytes, &read_decision, NULL),
	    -EINVAL);
}

/* Sanitizers watch; a decoder may take or refuse, not stumble. */
static void
decoders_survive_anything(void **state)
{
	static struct record_signal signal;
	static struct decision decision;
	static char good[PAYLOAD_SIZE];
	struct outcome outcome;
	struct err err;

	(void)state;
	for (unsigned round = 0; round < ROUNDS; round++) {
		size_t length;
		char *bytes;

		random_signal(&signal);
		length =
		    (size_t)record_signal_encode(&signal, good, sizeof(good));
		if (round % 2)
			length = random_below((unsigned)length);
		bytes = malloc(length + 1);
		assert_non_null(bytes);
		memcpy(bytes, good, length);
		for (unsigned i = random_below(8); i > 0 && length > 0; i--)
			bytes[random_below((unsigned)length)] =
			    (char)random_below(256);
		record_signal_decode(slice_of(bytes, length), &signal, &err);
		record_decision_decode(slice_of(bytes, length), &decision,
		    &err);
		record_outcome_decode(slice_of(bytes, length), &outcome, &err);
		free(bytes);
	}
}

static void
event_ids(void **state)
{
	static const struct {
		const char *text;
		int result;
		uint64_t lsn;
		unsigned item;
	} rows[] = {
		{ "alpha-4096", 0, 4096, 0 },
		{ "north-2-18446744073709551615.31", 0, UINT64_MAX, 31 },
		{ "alpha", -EINVAL, 0, 0 },
		{ "-12", -EINVAL, 0, 0 },
		{ "alpha-", -EINVAL, 0, 0 },
		{ "alpha-12x", -EINVAL, 0, 0 },
		{ "alpha-12.", -EINVAL, 0, 0 },
		{ "alpha-12.70000", -EINVAL, 0, 0 },
		{ "alpha-18446744073709551616", -EINVAL, 0, 0 },
		{ "alpha- 12", -EINVAL, 0, 0 },
	};
	char text[RECORD_EVENT_ID_SIZE];

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		uint64_t lsn = 0;
		unsigned item = 0;

		assert_row(record_event_id_parse(rows[i].text, &lsn, &item) ==
			rows[i].result,
		    i, rows[i].text);
		assert_row(lsn == rows[i].lsn && item == rows[i].item, i,
		    rows[i].text);
	}
	assert_string_equal(record_event_id_format("alpha", 4096, 0, text),
	    "alpha-4096");
	assert_string_equal(record_event_id_format("a-b", 77, 3, text),
	    "a-b-77.3");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(signals_round_trip),
		cmocka_unit_test(fields_inside_the_frame_cost_no_copy),
		cmocka_unit_test(decisions_round_trip),
		cmocka_unit_test(outcomes_round_trip),
		cmocka_unit_test(a_newer_outcome_says_what_is_new),
		cmocka_unit_test(a_panels_own_code_needs_its_version),
		cmocka_unit_test(decoders_survive_anything),
		cmocka_unit_test(event_ids),
	};

	for (size_t i = 0; i < sizeof(text_pool); i++)
		text_pool[i] = (char)random_below(256);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
