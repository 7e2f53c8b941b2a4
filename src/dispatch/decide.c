/* One signal -> its decisions, appended to the journal. */
#include <errno.h>
#include <stdlib.h>

#include "dispatch/internal.h"

#define UNDECIDED_INITIAL 1024

static int
grow(struct undecided_queue *queue, size_t size)
{
	struct undecided *ring = calloc(size, sizeof(ring[0]));

	if (!ring)
		return -ENOMEM;
	for (size_t i = 0; i < queue->count; i++)
		ring[i] = queue->ring[(queue->head + i) % queue->size];
	free(queue->ring);
	queue->ring = ring;
	queue->size = size;
	queue->head = 0;
	return 0;
}

int
undecided_open(struct undecided_queue *queue)
{
	return grow(queue, UNDECIDED_INITIAL);
}

int
undecided_push(struct undecided_queue *queue, const struct undecided *signal)
{
	if (queue->count == queue->size && grow(queue, 2 * queue->size) < 0)
		return -ENOMEM;
	queue->ring[(queue->head + queue->count++) % queue->size] = *signal;
	return 0;
}

struct undecided *
undecided_find(struct undecided_queue *queue, uint64_t lsn)
{
	size_t low = 0, high = queue->count;

	while (low < high) {
		size_t middle = (low + high) / 2;
		struct undecided *signal =
		    &queue->ring[(queue->head + middle) % queue->size];

		if (signal->lsn == lsn)
			return signal;
		if (signal->lsn < lsn)
			low = middle + 1;
		else
			high = middle;
	}
	return NULL;
}

struct undecided *
undecided_front(struct undecided_queue *queue)
{
	return queue->count > 0 ? &queue->ring[queue->head] : NULL;
}

void
undecided_pop(struct undecided_queue *queue)
{
	queue->head = (queue->head + 1) % queue->size;
	queue->count--;
}

void
undecided_describe(struct undecided *signal, const struct record_signal *record)
{
	unsigned events = record->signal.event_count;

	signal->sender = record->sender;
	signal->fingerprint = record->fingerprint;
	signal->awaited = record->ack_level == ACK_LEVEL_DELIVERED;
	signal->items = (uint16_t)(events > 0 ? events : 1);
}

/* Its checksum holds, but this build cannot read it. */
void
decide_unreadable(struct decision *decision, const struct err *err)
{
	decision_begin(decision);
	decision->verdict = VERDICT_PARKED;
	decision->reason = slice_from_string(err->text);
}

static void
decide_repeat(struct decision *decision)
{
	decision_begin(decision);
	decision->verdict = VERDICT_REPEAT;
	decision->reason = slice_from_string(
	    "the same message from the same sender, already taken");
}

/* Others of that verdict are of a site: its filter left out one event. */
bool
decide_is_repeat(const struct decision *decision)
{
	return decision->verdict == VERDICT_REPEAT && decision->site_id == 0;
}

static void
decide_item(struct dispatch *dispatch, const struct undecided *signal)
{
	struct routing_request request = {
		.signal = &dispatch->signal.signal,
		.item = signal->next_item,
		.listener = dispatch->signal.listener,
		.account_zeros = dispatch->signal.account_zeros,
		.bridge_id = dispatch->signal.bridge_id,
		/* nobody outside may say whose signal it is */
		.site_id =
		    dispatch->signal.signal.protocol == SIGNAL_PROTOCOL_INTERNAL
		    ? dispatch->signal.site_id
		    : 0,
		.received_us = signal->received_us,
		.signal_lsn = signal->lsn,
		.states = &dispatch->sites,
		.runaway = dispatch->signal.signal.protocol !=
			SIGNAL_PROTOCOL_INTERNAL &&
		    flood_reached(&dispatch->floods, dispatch->signal.bridge_id,
			signal->received_us),
	};

	if (signal->repeat)
		decide_repeat(&dispatch->decision);
	else
		routing_decide(dispatch->directory, &request,
		    &dispatch->scratch, &dispatch->decision);
}

/* Running numbers are taken only once the record is in the journal. */
static int
number_deliveries(struct dispatch *dispatch, struct decision *decision)
{
	for (unsigned i = 0; i < decision->delivery_count; i++) {
		struct delivery *delivery = &decision->deliveries[i];
		struct number *number =
		    number_of(&dispatch->numbers, delivery->receiver_id);

		if (!number)
			return -ENOMEM;
		delivery->number = number->last + 1;
		for (unsigned j = 0; j < i; j++)
			if (decision->deliveries[j].receiver_id ==
			    delivery->receiver_id)
				delivery->number =
				    decision->deliveries[j].number + 1;
	}
	return 0;
}

static void
keep_numbers(struct dispatch *dispatch, const struct decision *decision)
{
	for (unsigned i = 0; i < decision->delivery_count; i++) {
		const struct delivery *delivery = &decision->deliveries[i];
		struct number *number =
		    number_of(&dispatch->numbers, delivery->receiver_id);

		if (number && number->last < delivery->number)
			number->last = delivery->number;
	}
}

static int
append_decision(struct dispatch *dispatch, const struct journal_entry *stamp,
    struct decision *decision)
{
	struct err err = { "the decision is larger than a record may be" };
	uint64_t lsn;
	int length, result;

	length = record_decision_encode(decision, dispatch->payload,
	    sizeof(dispatch->payload));
	if (length < 0) {
		uint64_t signal_lsn = decision->signal_lsn;
		uint16_t item = decision->item;

		unsigned flags = decision->flags & DECISION_CONCLUDES;
		uint64_t site_id = decision->site_id;

		decide_unreadable(decision, &err);
		decision->signal_lsn = signal_lsn;
		decision->item = item;
		decision->flags = flags;
		decision->site_id = site_id;
		length = record_decision_encode(decision, dispatch->payload,
		    sizeof(dispatch->payload));
	}
	result = journal_collect(dispatch->journal, JOURNAL_DECISION,
	    stamp->received_wall_us, stamp->received_monotonic_us,
	    slice_of(dispatch->payload, (size_t)length), &lsn);
	if (result < 0)
		return result;
	/* signals are decided in order: with nothing on its way this one is the
	 * oldest whose decision a power cut could take */
	if (!dispatch_awaits_decisions(dispatch))
		dispatch->confirmed_signal_lsn = stamp->lsn;
	dispatch->appended_decision_lsn = lsn;
	return 0;
}

bool
decide_has_effect(const struct decision *decision, enum effect_kind kind)
{
	for (unsigned i = 0; i < decision->effect_count; i++)
		if (decision->effects[i].kind == kind)
			return true;
	return false;
}

int
decide_commit(struct dispatch *dispatch, const struct journal_entry *stamp,
    struct decision *decision)
{
	bool waits = decide_has_effect(decision, EFFECT_WAIT);
	int result = number_deliveries(dispatch, decision);

	if (result == 0)
		result = site_states_reserve(&dispatch->sites, decision);
	if (result == 0 && waits)
		result = waiting_reserve(&dispatch->waiting);
	if (result == 0)
		result = append_decision(dispatch, stamp, decision);
	if (result < 0)
		return result == -ENOMEM ? result : -EAGAIN;
	keep_numbers(dispatch, decision);
	site_states_apply(&dispatch->sites, decision);
	if (decision->effect_count > 0 &&
	    dispatch->appended_decision_lsn < dispatch->fresh_lsn)
		dispatch->fresh_lsn = dispatch->appended_decision_lsn;
	return 0;
}

/* One of the signal's events. */
static int
commit_item(struct dispatch *dispatch, const struct journal_entry *entry,
    struct undecided *signal, struct decision *decision)
{
	int result;

	decision->signal_lsn = entry->lsn;
	decision->item = signal->next_item;
	result = decide_commit(dispatch, entry, decision);
	if (result < 0)
		return result;
	dispatch->status.decided++;
	runaway_note(dispatch, decision, signal->received_us);
	if (decide_has_effect(decision, EFFECT_WAIT))
		conclude_later(dispatch, decision, signal->received_us);
	if (decide_has_effect(decision, EFFECT_ARMING))
		signal->armed_site_id = decision->site_id;
	return 0;
}

int
decide_signal(struct dispatch *dispatch, const struct journal_entry *entry,
    struct undecided *signal)
{
	struct decision *decision = &dispatch->decision;
	struct err err;
	bool readable;
	int result = conclude_before(dispatch, entry);

	if (result < 0)
		return result;
	runaway_tell(dispatch, entry->received_wall_us);
	readable =
	    record_signal_decode(entry->payload, &dispatch->signal, &err) == 0;

	if (readable && !signal->judged) {
		undecided_describe(signal, &dispatch->signal);
		signal->repeat = settle_judge(dispatch, signal);
		signal->judged = true;
	}
	if (signal->items == 0)
		signal->items = 1;
	for (; signal->next_item < signal->items; signal->next_item++) {
		if (readable)
			decide_item(dispatch, signal);
		else
			decide_unreadable(decision, &err);
		result = commit_item(dispatch, entry, signal, decision);
		if (result < 0)
			return result;
	}
	return signal->armed_site_id ? conclude_early(dispatch, signal) : 0;
}
