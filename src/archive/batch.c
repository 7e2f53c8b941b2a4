#include "archive/batch.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>

#include "base/text.h"

#define TEXT_BYTES (3 * 4096) /* UTF-8 of the longest frame */

void
archive_batch_reset(struct archive_batch *batch, uint64_t begin_lsn)
{
	batch->events.length = 0;
	batch->conclusions.length = 0;
	batch->deliveries.length = 0;
	batch->outcomes.length = 0;
	batch->records = 0;
	batch->event_count = 0;
	batch->conclusion_count = 0;
	batch->delivery_count = 0;
	batch->outcome_count = 0;
	batch->begin_lsn = begin_lsn;
	batch->end_lsn = begin_lsn;
	batch->first_lsn = 0;
	batch->decided_lsn = 0;
	batch->oldest_us = INT64_MAX;
	batch->newest_us = INT64_MIN;
	batch->first_us = 0;
}

void
archive_batch_close(struct archive_batch *batch)
{
	db_copy_close(&batch->events);
	db_copy_close(&batch->conclusions);
	db_copy_close(&batch->deliveries);
	db_copy_close(&batch->outcomes);
}

/* ---- fields ------------------------------------------------------------------ */

static void
put_string(struct db_copy *copy, const char *text)
{
	db_copy_field(copy, text, strlen(text));
}

static void
put_number(struct db_copy *copy, uint64_t value)
{
	char text[24];

	snprintf(text, sizeof(text), "%" PRIu64, value);
	put_string(copy, text);
}

/* 0 is "none": NULL */
static void
put_id(struct db_copy *copy, uint64_t id)
{
	if (id == 0)
		db_copy_null(copy);
	else
		put_number(copy, id);
}

static void
put_boolean(struct db_copy *copy, bool value)
{
	put_string(copy, value ? "t" : "f");
}

static void
put_time(struct db_copy *copy, int64_t wall_us)
{
	int64_t days = wall_us / 86400000000, rest = wall_us % 86400000000;
	int64_t year;
	unsigned month, day;
	char text[48];

	if (wall_us == 0) {
		db_copy_null(copy);
		return;
	}
	if (rest < 0) {
		days--;
		rest += 86400000000;
	}
	clock_date_from_days(days, &year, &month, &day);
	snprintf(text, sizeof(text), "%04lld-%02u-%02u %02d:%02d:%02d.%06d+00",
	    (long long)year, month, day, (int)(rest / 3600000000),
	    (int)(rest / 60000000 % 60), (int)(rest / 1000000 % 60),
	    (int)(rest % 1000000));
	put_string(copy, text);
}

/* What a panel sent as text: made UTF-8; a NUL, which PostgreSQL cannot hold,
 * becomes a space (the raw frame keeps it). */
static void
put_text(struct db_copy *copy, struct slice text)
{
	char utf8[TEXT_BYTES];
	int length;

	if (!slice_present(text)) {
		db_copy_null(copy);
		return;
	}
	length = text_to_utf8(text, utf8, sizeof(utf8));
	for (int i = 0; i < length; i++)
		if (utf8[i] == '\0')
			utf8[i] = ' ';
	db_copy_field(copy, utf8, length > 0 ? (size_t)length : 0);
}

static void
put_bytes(struct db_copy *copy, struct slice bytes)
{
	char hex[2 + 2 * 8192 + 1] = "\\x";

	if (bytes.length > 8192)
		bytes.length = 8192; /* no frame is that long */
	text_hex_encode(bytes.data, bytes.length, hex + 2);
	put_string(copy, hex);
}

static void
put_qualifier(struct db_copy *copy, enum signal_qualifier qualifier)
{
	char letter = signal_qualifier_letter(qualifier);

	if (letter)
		db_copy_field(copy, &letter, 1);
	else
		db_copy_null(copy);
}

static void
put_code(struct db_copy *copy, const char *code)
{
	if (*code)
		put_string(copy, code);
	else
		db_copy_null(copy);
}

/* ---- rows ---------------------------------------------------------------------- */

static void
put_event_fields(struct db_copy *copy, const struct signal_event *event)
{
	put_string(copy, signal_format_name(event->format));
	put_code(copy, event->code);
	put_qualifier(copy, event->qualifier);
	put_text(copy, event->partition);
	put_text(copy, event->zone);
	put_text(copy, event->user);
	put_text(copy, event->text);
}

static void
put_event(struct archive_batch *batch, const char *node,
    const struct journal_entry *decided, const struct journal_entry *received)
{
	static const struct signal_event nothing;
	const struct decision *decision = &batch->decision;
	const struct record_signal *record = &batch->signal;
	const struct signal *signal = &record->signal;
	struct db_copy *copy = &batch->events;

	put_string(copy, node);
	put_number(copy, decision->signal_lsn);
	put_number(copy, decision->item);
	put_number(copy, received->boot);
	put_time(copy, received->received_wall_us);
	put_text(copy, record->listener);
	put_text(copy, record->peer);
	put_string(copy, signal_protocol_name(signal->protocol));
	put_text(copy, signal->receiver);
	put_text(copy, signal->line);
	put_text(copy, signal->account);
	put_text(copy, signal->sequence);
	put_boolean(copy, signal->encrypted);
	put_event_fields(copy,
	    decision->item < signal->event_count
		? &signal->events[decision->item]
		: &nothing);
	put_time(copy, signal->panel_time_us);
	put_bytes(copy, record->raw);
	put_id(copy, decision->dealer_id);
	put_id(copy, decision->site_id);
	put_id(copy, decision->bridge_id);
	put_id(copy, decision->channel_id);
	put_string(copy, verdict_name(decision->verdict));
	put_text(copy, decision->reason);
	put_number(copy, decision->flags);
	put_number(copy, decided->lsn);
	put_number(copy, decision->delivery_count);
	put_string(copy, ack_level_name(record->ack_level));
	db_copy_end_row(copy);
	batch->event_count++;
}

/* Of an event that stands in history already: it waited. */
static void
put_conclusion(struct archive_batch *batch, const char *node,
    const struct journal_entry *decided)
{
	const struct decision *decision = &batch->decision;
	struct db_copy *copy = &batch->conclusions;

	put_string(copy, node);
	put_number(copy, decision->signal_lsn);
	put_number(copy, decision->item);
	put_time(copy, decided->received_wall_us);
	put_string(copy, verdict_name(decision->verdict));
	put_text(copy, decision->reason);
	put_number(copy, decision->flags);
	put_number(copy, decided->lsn);
	put_number(copy, decision->delivery_count);
	db_copy_end_row(copy);
	batch->conclusion_count++;
}

static void
put_delivery(struct archive_batch *batch, const char *node,
    const struct journal_entry *decided, unsigned index)
{
	const struct decision *decision = &batch->decision;
	const struct delivery *delivery = &decision->deliveries[index];
	struct db_copy *copy = &batch->deliveries;

	put_string(copy, node);
	put_number(copy, decided->lsn);
	put_number(copy, index);
	put_number(copy, decision->signal_lsn);
	put_number(copy, decision->item);
	put_time(copy, decided->received_wall_us);
	put_number(copy, delivery->receiver_id);
	put_number(copy, delivery->number);
	put_text(copy, delivery->account);
	put_string(copy, signal_format_name(delivery->format));
	put_code(copy, delivery->code);
	put_qualifier(copy, delivery->qualifier);
	put_text(copy, delivery->partition);
	put_text(copy, delivery->zone);
	db_copy_end_row(copy);
	batch->delivery_count++;
}

static void
put_outcome(struct archive_batch *batch, const char *node,
    const struct journal_entry *entry, const struct outcome *outcome)
{
	struct db_copy *copy = &batch->outcomes;

	put_string(copy, node);
	put_number(copy, entry->lsn);
	put_number(copy, outcome->decision_lsn);
	put_number(copy, outcome->index);
	put_number(copy, outcome->signal_lsn);
	put_number(copy, outcome->item);
	put_number(copy, outcome->receiver_id);
	put_string(copy, outcome_state_name(outcome->state));
	put_number(copy, outcome->attempts);
	put_boolean(copy, outcome->repeated);
	put_text(copy, outcome->endpoint);
	put_text(copy, outcome->reason);
	put_time(copy, entry->received_wall_us);
	db_copy_end_row(copy);
	batch->outcome_count++;
}

/* ---- records -------------------------------------------------------------------- */

/* With what its signal said. */
static int
add_event(struct archive_batch *batch, struct journal *journal,
    const struct journal_entry *entry, struct err *err)
{
	struct journal_entry received;

	if (journal_read(journal, batch->decision.signal_lsn, batch->buffer,
		&received, err) < 0 ||
	    record_signal_decode(received.payload, &batch->signal, err) < 0)
		return -EINVAL;
	put_event(batch, journal_node(journal), entry, &received);
	batch->decided_lsn = batch->decision.signal_lsn;
	return 0;
}

static int
add_decision(struct archive_batch *batch, struct journal *journal,
    const struct journal_entry *entry, struct err *err)
{
	const struct decision *decision = &batch->decision;
	int result = 0;

	if (record_decision_decode(entry->payload, &batch->decision, err) < 0)
		return -EINVAL;
	if (decision->flags & DECISION_CONCLUDES)
		put_conclusion(batch, journal_node(journal), entry);
	else
		result = add_event(batch, journal, entry, err);
	if (result < 0)
		return result;
	for (unsigned i = 0; i < decision->delivery_count; i++)
		put_delivery(batch, journal_node(journal), entry, i);
	return 0;
}

static int
add_outcome(struct archive_batch *batch, struct journal *journal,
    const struct journal_entry *entry, struct err *err)
{
	struct outcome outcome;

	if (record_outcome_decode(entry->payload, &outcome, err) < 0)
		return -EINVAL;
	put_outcome(batch, journal_node(journal), entry, &outcome);
	return 0;
}

static void
note_time(struct archive_batch *batch, int64_t wall_us)
{
	if (batch->first_us == 0)
		batch->first_us = wall_us;
	if (wall_us < batch->oldest_us)
		batch->oldest_us = wall_us;
	if (wall_us > batch->newest_us)
		batch->newest_us = wall_us;
}

int
archive_batch_add(struct archive_batch *batch, struct journal *journal,
    const struct journal_entry *entry, struct err *err)
{
	int result = 0;

	switch (entry->kind) {
	case JOURNAL_BOOT:
	case JOURNAL_SIGNAL:
		break; /* a signal is stored with its decision */
	case JOURNAL_DECISION:
		result = add_decision(batch, journal, entry, err);
		note_time(batch, entry->received_wall_us);
		break;
	case JOURNAL_OUTCOME:
		result = add_outcome(batch, journal, entry, err);
		note_time(batch, entry->received_wall_us);
		break;
	}
	if (batch->events.failed || batch->conclusions.failed ||
	    batch->deliveries.failed || batch->outcomes.failed)
		return err_set(err, -ENOMEM, "no memory for an archive batch");
	if (result < 0)
		return result;
	if (batch->records++ == 0)
		batch->first_lsn = entry->lsn;
	batch->end_lsn = entry->next_lsn;
	return 0;
}
