/* Rebuilding dispatch's state from the journal at start. */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>

#include "base/hash.h"
#include "dispatch/internal.h"

struct replay {
	struct dispatch *dispatch;
	struct open_list open;
	struct mark *marks;
	unsigned mark_count;
	uint64_t records;
	uint64_t from_lsn; /* where it begins */
	uint8_t *ahead;	   /* bits: accounts that had urgent ones */
};

/* Urgent deliveries have taken along what was in front of them of their account,
 * and what followed while they waited: of such accounts anything may have been
 * on its way. Two that share a bit are marked both. */
#define AHEAD_BITS (UINT32_C(1) << 20)

static uint32_t
ahead_bit(const struct open_entry *entry)
{
	return (uint32_t)hash_number(entry->receiver_id * EGRESS_ACCOUNTS +
		   entry->account % EGRESS_ACCOUNTS) %
	    AHEAD_BITS;
}

static void
note_ahead(struct replay *replay, const struct open_entry *entry)
{
	uint32_t bit = ahead_bit(entry);

	replay->ahead[bit / 8] |= (uint8_t)(1 << bit % 8);
}

static bool
is_ahead(const struct replay *replay, const struct open_entry *entry)
{
	uint32_t bit = ahead_bit(entry);

	return !entry->urgent && replay->ahead[bit / 8] >> bit % 8 & 1;
}

static int
replay_signal(struct replay *replay, const struct journal_entry *entry,
    struct err *err)
{
	struct dispatch *dispatch = replay->dispatch;
	struct undecided signal = {
		.lsn = entry->lsn,
		.received_us = entry->received_wall_us,
		.items = 1,
	};

	if (record_signal_decode(entry->payload, &dispatch->signal, err) == 0) {
		undecided_describe(&signal, &dispatch->signal);
		if (signal.awaited)
			settling_add(&dispatch->settling, signal.lsn,
			    signal.fingerprint, signal.received_us,
			    signal.items);
		if (runaway_is_summary(&dispatch->signal))
			flood_told(&dispatch->floods,
			    dispatch->signal.bridge_id);
	}
	dispatch_place_stone(dispatch, entry);
	return undecided_push(&dispatch->undecided, &signal);
}

/* Decisions come in the order of their signals, so normally this one's stands
 * first; one before it that never gets a decision lost it in a damaged stretch
 * and is decided again. The last one stays: it may have armed a site, and not all
 * that waits there may have been concluded for that. */
static void
settle_signal(struct dispatch *dispatch, const struct decision *decision)
{
	struct undecided_queue *queue = &dispatch->undecided;
	struct undecided *signal;

	while ((signal = undecided_front(queue)) && signal->decided &&
	    signal->lsn < decision->signal_lsn)
		undecided_pop(queue);
	signal = undecided_find(queue, decision->signal_lsn);
	if (!signal)
		return;
	if (!signal->judged)
		repeat_seen(&dispatch->repeats, signal->sender,
		    signal->fingerprint,
		    (struct repeat_sighting){
			signal->received_us, signal->awaited },
		    NULL);
	signal->next_item = (uint16_t)(decision->item + 1);
	signal->judged = true;
	signal->repeat = decide_is_repeat(decision);
	if (decide_has_effect(decision, EFFECT_ARMING))
		signal->armed_site_id = decision->site_id;
	signal->decided = signal->next_item >= signal->items;
}

static int
replay_effects(struct dispatch *dispatch, const struct journal_entry *entry,
    const struct decision *decision)
{
	struct waiting *waiting;

	if (site_states_reserve(&dispatch->sites, decision) < 0 ||
	    waiting_reserve(&dispatch->waiting) < 0)
		return -ENOMEM;
	site_states_apply(&dispatch->sites, decision);
	if (decision->effect_count > 0 && entry->lsn < dispatch->fresh_lsn)
		dispatch->fresh_lsn = entry->lsn;
	waiting = waiting_find(&dispatch->waiting, decision->site_id,
	    decision->signal_lsn, decision->item);
	if (decision->verdict == VERDICT_WAITING)
		conclude_later(dispatch, decision,
		    waiting ? waiting->received_us : entry->received_wall_us);
	else if (waiting)
		waiting_remove(&dispatch->waiting, waiting);
	return 0;
}

static int
replay_delivery(struct replay *replay, const struct journal_entry *entry,
    const struct decision *decision, unsigned index)
{
	const struct delivery *delivery = &decision->deliveries[index];
	struct number *number =
	    number_of(&replay->dispatch->numbers, delivery->receiver_id);
	bool urgent;
	const struct egress_reference reference =
	    dispatch_reference(replay->dispatch, entry->lsn, index, delivery,
		&urgent);
	struct open_entry open = {
		.decision_lsn = entry->lsn,
		.receiver_id = delivery->receiver_id,
		.signal_lsn = decision->signal_lsn,
		.account = reference.account,
		.item = decision->item,
		.index = index & 127,
		.urgent = urgent,
	};

	if (!number || open_list_add(&replay->open, &open) < 0)
		return -ENOMEM;
	if (number->last < delivery->number)
		number->last = delivery->number;
	if (urgent)
		note_ahead(replay, &open);
	return 0;
}

static int
replay_decision(struct replay *replay, const struct journal_entry *entry,
    struct err *err)
{
	struct dispatch *dispatch = replay->dispatch;
	struct decision *decision = &dispatch->decision;

	if (record_decision_decode(entry->payload, decision, err) < 0)
		return -EINVAL;
	if (!(decision->flags & DECISION_CONCLUDES))
		settle_signal(dispatch, decision);
	if (decide_is_repeat(decision))
		settling_remove(&dispatch->settling, decision->signal_lsn);
	else
		settling_decided(&dispatch->settling, decision);
	runaway_note(dispatch, decision, entry->received_wall_us);
	if (replay_effects(dispatch, entry, decision) < 0)
		return err_set(err, -ENOMEM, "no memory to replay the journal");
	for (unsigned i = 0; i < decision->delivery_count; i++)
		if (replay_delivery(replay, entry, decision, i) < 0)
			return err_set(err, -ENOMEM,
			    "no memory to replay the journal");
	return 0;
}

static int
replay_outcome(struct replay *replay, const struct journal_entry *entry,
    struct err *err)
{
	struct outcome outcome;

	if (record_outcome_decode(entry->payload, &outcome, err) < 0)
		return -EINVAL;
	open_list_apply(&replay->open, &outcome, entry->lsn);
	settling_ended(&replay->dispatch->settling, &outcome);
	return 0;
}

static int
replay_entry(struct replay *replay, const struct journal_entry *entry,
    struct err *err)
{
	replay->records++;
	switch (entry->kind) {
	case JOURNAL_BOOT:
		return 0;
	case JOURNAL_SIGNAL:
		return replay_signal(replay, entry, err);
	case JOURNAL_DECISION:
		return replay_decision(replay, entry, err);
	case JOURNAL_OUTCOME:
		return replay_outcome(replay, entry, err);
	}
	return 0;
}

static int
replay_journal(struct replay *replay, struct err *err)
{
	struct dispatch *dispatch = replay->dispatch;
	struct journal_status status;
	struct journal_entry entry;
	struct checkpoint checkpoint = { .numbers = &dispatch->numbers,
		.sites = &dispatch->sites };
	char path[512];
	uint64_t from;
	int result;

	dispatch_state_path(dispatch, "checkpoint", path, sizeof(path));
	result = checkpoint_read(path, journal_hash_key(dispatch->journal),
	    &checkpoint);
	if (result == -ENOMEM)
		return err_set(err, result, "no memory for %s", path);
	if (result == -EBADMSG)
		log_write(LOG_WARN, "dispatch", "checkpoint_not_used",
		    "file=%s effect=\"sites are known from the journal alone\"",
		    path);
	from = checkpoint.replay_from_lsn;
	journal_status(dispatch->journal, &status);
	if (from < status.oldest_lsn || from > status.durable_lsn)
		from = 0;
	if (checkpoint.newest_lsn >= status.durable_lsn) {
		/* the journal was put back from a copy */
		site_states_close(&dispatch->sites);
		from = 0;
		log_write(LOG_WARN, "dispatch", "checkpoint_ahead",
		    "file=%s effect=\"sites are known from the journal alone\"",
		    path);
	}
	replay->from_lsn = from;
	result = journal_cursor_open(&dispatch->cursor, dispatch->journal, from,
	    err);
	if (result < 0)
		return result;
	while ((result = journal_cursor_next(dispatch->cursor, &entry, err)) ==
	    1) {
		result = replay_entry(replay, &entry, err);
		if (result < 0)
			break;
	}
	return result;
}

/* ---- what is still open goes out again ---------------------------------------- */

static int
finish_marked(struct dispatch *dispatch, const struct open_entry *entry)
{
	struct outcome outcome = {
		.decision_lsn = entry->decision_lsn,
		.index = entry->index,
		.state = OUTCOME_DELIVERED,
		.signal_lsn = entry->signal_lsn,
		.item = entry->item,
		.receiver_id = entry->receiver_id,
		.attempts = 1,
		.reason =
		    slice_from_string("acknowledged just before the restart"),
	};
	uint64_t lsn;

	return dispatch_append_outcome(dispatch, &outcome, &lsn);
}

/* Of each receiver how many were put back so far. */
struct reopened {
	struct number_table ordinary, urgent;
};

/* Of each receiver as many as it takes unacknowledged, the first of those that
 * go their ordinary way and the first urgent ones, may have been on their way
 * when the process ended, and of accounts with urgent ones anything: the next
 * replay has to see those too, for as long as some of it is undelivered. */
static bool
maybe_in_flight(struct replay *replay, struct reopened *reopened,
    const struct open_entry *entry)
{
	const struct directory_receiver *receiver =
	    directory_receiver_by_id(replay->dispatch->directory,
		entry->receiver_id);
	unsigned in_flight = receiver ? receiver->in_flight : 1;
	struct number *number;

	if (is_ahead(replay, entry)) {
		replay->dispatch->doubted_from_lsn = replay->from_lsn;
		replay->dispatch->doubted_to_lsn =
		    journal_cursor_position(replay->dispatch->cursor);
		return true;
	}
	number =
	    number_of(entry->urgent ? &reopened->urgent : &reopened->ordinary,
		entry->receiver_id);
	return number && number->last++ < in_flight;
}

static int
put_parked(struct dispatch *dispatch, const struct open_entry *entry)
{
	struct parked_entry parked = {
		.decision_lsn = entry->decision_lsn,
		.signal_lsn = entry->signal_lsn,
		.receiver_id = entry->receiver_id,
		.outcome_lsn = entry->outcome_lsn,
		.item = entry->item,
		.index = entry->index,
		.requeued = entry->state == OPEN_WAITING,
	};

	return parked_put(&dispatch->parked, &parked);
}

static int
reopen(struct replay *replay, const struct open_entry *entry,
    struct reopened *reopened)
{
	struct dispatch *dispatch = replay->dispatch;
	struct egress_reference reference = {
		.decision_lsn = entry->decision_lsn,
		.index = entry->index & 15,
		.account = entry->account,
	};

	if (entry->state == OPEN_PARKED)
		return put_parked(dispatch, entry);
	if (mark_among(replay->marks, replay->mark_count, entry->decision_lsn,
		entry->index) &&
	    finish_marked(dispatch, entry) == 0)
		return 0;
	if (entry->outcome_lsn > 0 && put_parked(dispatch, entry) < 0)
		return -ENOMEM;
	reference.repeated = maybe_in_flight(replay, reopened, entry);
	return egress_enqueue(dispatch->egress, entry->receiver_id, reference,
	    entry->urgent);
}

static int
reopen_all(struct replay *replay, struct err *err)
{
	struct reopened reopened = { 0 };
	int result = 0;

	open_list_settle(&replay->open);
	directory_thread_online();
	for (size_t i = 0; i < replay->open.count && result == 0; i++)
		result = reopen(replay, &replay->open.entries[i], &reopened);
	directory_thread_offline();
	number_close(&reopened.ordinary);
	number_close(&reopened.urgent);
	if (result < 0)
		return err_set(err, result,
		    "cannot queue what the journal holds undelivered");
	return 0;
}

int
replay_run(struct dispatch *dispatch, struct err *err)
{
	struct replay replay = { .dispatch = dispatch,
		.ahead = calloc(AHEAD_BITS / 8, 1) };
	int64_t began_us = clock_monotonic_us(dispatch->clock);
	char path[512];
	int result;

	if (!replay.ahead)
		return err_set(err, -ENOMEM, "no memory to replay the journal");
	dispatch_state_path(dispatch, "acknowledged", path, sizeof(path));
	result = mark_open(&dispatch->marks, path,
	    journal_hash_key(dispatch->journal), &replay.marks,
	    &replay.mark_count, err);
	if (result == 0)
		result = replay_journal(&replay, err);
	if (result == 0 &&
	    (result =
		    mark_cut(&dispatch->marks, replay.marks, &replay.mark_count,
			journal_cursor_position(dispatch->cursor))) < 0)
		err_set(err, result, "cannot empty %s", path);
	if (result == 0)
		result = reopen_all(&replay, err);
	if (result == 0)
		log_write(LOG_INFO, "dispatch", "replayed",
		    "records=%" PRIu64 " undecided=%zu open=%zu parked=%zu "
		    "ms=%" PRId64,
		    replay.records, dispatch->undecided.count,
		    replay.open.count, dispatch->parked.count,
		    (clock_monotonic_us(dispatch->clock) - began_us) / 1000);
	open_list_close(&replay.open);
	free(replay.marks);
	free(replay.ahead);
	return result < 0 ? result : 0;
}
