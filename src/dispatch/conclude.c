/* Events that wait -> their second decision. */
#include <errno.h>

#include "dispatch/internal.h"

/* The event's signal, and the decision as at this moment. */
static void
decide_again(struct dispatch *dispatch, const struct waiting *waiting,
    int64_t at_us)
{
	struct decision *decision = &dispatch->decision;
	struct journal_entry entry;
	struct routing_request request;
	struct err err = { "" };

	if (journal_read(dispatch->journal, waiting->signal_lsn,
		dispatch->conclude_buffer, &entry, &err) < 0 ||
	    record_signal_decode(entry.payload, &dispatch->signal, &err) < 0) {
		decide_unreadable(decision, &err);
		decision->flags = DECISION_CONCLUDES;
		decision->site_id = waiting->site_id;
		return;
	}
	request = (struct routing_request){
		.signal = &dispatch->signal.signal,
		.item = waiting->item,
		.listener = dispatch->signal.listener,
		.account_zeros = dispatch->signal.account_zeros,
		.bridge_id = dispatch->signal.bridge_id,
		.site_id = waiting->site_id,
		.received_us = waiting->received_us,
		.signal_lsn = waiting->signal_lsn,
		.states = &dispatch->sites,
		.concluded_us = at_us,
		.waited_until_us = waiting->deadline_us,
	};
	routing_decide(dispatch->directory, &request, &dispatch->scratch,
	    decision);
}

static int
conclude(struct dispatch *dispatch, struct waiting *waiting, int64_t at_us,
    uint64_t oldest_lsn)
{
	struct decision *decision = &dispatch->decision;
	const struct journal_entry stamp = {
		.lsn = oldest_lsn,
		.received_wall_us = clock_wall_us(dispatch->clock),
		.received_monotonic_us = clock_monotonic_us(dispatch->clock),
	};
	int result;

	decide_again(dispatch, waiting, at_us);
	if (decision->verdict == VERDICT_WAITING && decision->effect_count == 0)
		return 0;
	decision->signal_lsn = waiting->signal_lsn;
	decision->item = waiting->item;
	result = decide_commit(dispatch, &stamp, decision);
	if (result < 0)
		return result;
	if (decision->verdict == VERDICT_WAITING)
		conclude_later(dispatch, decision, waiting->received_us);
	else
		waiting_settle(&dispatch->waiting, waiting);
	return 0;
}

int
conclude_before(struct dispatch *dispatch, const struct journal_entry *entry)
{
	struct waiting *first;
	int result = 0;

	while (result == 0 && (first = waiting_first(&dispatch->waiting)) &&
	    first->deadline_us < entry->received_wall_us)
		result =
		    conclude(dispatch, first, first->deadline_us, entry->lsn);
	return result;
}

/* Decisions up to here cannot be taken by a power cut that leaves the decision
 * that is appended now. */
static uint64_t
oldest_undecided(const struct dispatch *dispatch)
{
	return dispatch->undecided.count > 0
	    ? dispatch->undecided.ring[dispatch->undecided.head].lsn
	    : journal_cursor_position(dispatch->cursor);
}

int
conclude_due(struct dispatch *dispatch)
{
	int64_t now_us = clock_monotonic_us(dispatch->clock);
	struct waiting *first;
	int result = 0;

	while (result == 0 && (first = waiting_first(&dispatch->waiting)) &&
	    first->due_us <= now_us)
		result = conclude(dispatch, first, first->deadline_us,
		    oldest_undecided(dispatch));
	return result;
}

void
conclude_early(struct dispatch *dispatch, uint64_t site_id, int64_t at_us,
    uint64_t oldest_lsn)
{
	struct waiting *waiting = NULL;

	while ((waiting =
		    waiting_of_site(&dispatch->waiting, site_id, waiting)))
		if (waiting->place && at_us < waiting->deadline_us &&
		    conclude(dispatch, waiting, at_us, oldest_lsn) < 0)
			return;
}

void
conclude_later(struct dispatch *dispatch, const struct decision *decision,
    int64_t received_us)
{
	int64_t now_us = clock_wall_us(dispatch->clock), rest_us;
	struct waiting waiting = {
		.signal_lsn = decision->signal_lsn,
		.item = decision->item,
		.site_id = decision->site_id,
		.received_us = received_us,
	};

	for (unsigned i = 0; i < decision->effect_count; i++)
		if (decision->effects[i].kind == EFFECT_WAIT)
			waiting.deadline_us = decision->effects[i].until_us;
	/* a wall clock that was set must not make it wait for longer */
	rest_us = waiting.deadline_us - now_us;
	if (rest_us > waiting.deadline_us - received_us)
		rest_us = waiting.deadline_us - received_us;
	if (rest_us < 0)
		rest_us = 0;
	waiting.due_us = clock_monotonic_us(dispatch->clock) + rest_us;
	waiting_put(&dispatch->waiting, &waiting);
}
