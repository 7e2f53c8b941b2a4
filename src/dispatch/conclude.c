/* Events that wait -> their second decision. */
#include <errno.h>

#include "dispatch/internal.h"

/* A wall clock that is further away than this was set. */
#define CLOCK_SET_US 10000

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

/* The first that waits, as at the end of its wait. */
static int
conclude_first(struct dispatch *dispatch, uint64_t oldest_lsn)
{
	struct waiting *first = waiting_first(&dispatch->waiting);

	if (dispatch->conclusions_left == 0)
		return -EAGAIN;
	dispatch->conclusions_left--;
	return conclude(dispatch, first, first->deadline_us, oldest_lsn);
}

int
conclude_before(struct dispatch *dispatch, const struct journal_entry *entry)
{
	struct waiting *first;
	int result = 0;

	while (result == 0 && (first = waiting_first(&dispatch->waiting)) &&
	    first->deadline_us <= entry->received_wall_us)
		result = conclude_first(dispatch, entry->lsn);
	return result;
}

/* All that was received until this time is decided. What is appended and not
 * durable yet may be the signal that disarms in the last moment. */
static bool
is_decided_until(struct dispatch *dispatch, int64_t due_us)
{
	struct journal_status status;

	if (dispatch->due_at_us < due_us) {
		journal_status(dispatch->journal, &status);
		dispatch->due_lsn = status.appended_lsn;
		dispatch->due_at_us = clock_monotonic_us(dispatch->clock);
	}
	return dispatch->undecided.count == 0 &&
	    journal_cursor_position(dispatch->cursor) >= dispatch->due_lsn;
}

int
conclude_due(struct dispatch *dispatch)
{
	int64_t now_us = clock_monotonic_us(dispatch->clock);
	struct waiting *first;
	int result = 0;

	while (result == 0 && (first = waiting_first(&dispatch->waiting)) &&
	    first->due_us <= now_us &&
	    is_decided_until(dispatch, first->due_us))
		result = conclude_first(dispatch,
		    journal_cursor_position(dispatch->cursor));
	return result;
}

/* It waits, for longer than until this signal, and was not asked for it yet. */
static bool
may_be_early(const struct waiting *waiting, const struct undecided *signal)
{
	return waiting->place && signal->received_us < waiting->deadline_us &&
	    waiting->asked_lsn != signal->lsn;
}

int
conclude_early(struct dispatch *dispatch, const struct undecided *signal)
{
	struct waiting *waiting = NULL;
	int result = 0;

	while (result == 0 &&
	    (waiting = waiting_of_site(&dispatch->waiting,
		 signal->armed_site_id, waiting))) {
		if (!may_be_early(waiting, signal))
			continue;
		if (dispatch->conclusions_left == 0)
			return -EAGAIN;
		dispatch->conclusions_left--;
		result = conclude(dispatch, waiting, signal->received_us,
		    signal->lsn);
		if (result == 0)
			waiting->asked_lsn = signal->lsn;
	}
	return result;
}

/* By the monotonic clock. */
static int64_t
due_of(struct dispatch *dispatch, int64_t deadline_us, int64_t longest_us)
{
	int64_t now_us = clock_monotonic_us(dispatch->clock);
	int64_t offset_us = now_us - clock_wall_us(dispatch->clock);
	int64_t slew_us = offset_us - dispatch->clock_offset_us;

	if (slew_us > CLOCK_SET_US || slew_us < -CLOCK_SET_US)
		dispatch->clock_offset_us = offset_us;
	deadline_us += dispatch->clock_offset_us;
	/* a wall clock that was set must not make it wait for longer */
	return deadline_us < now_us + longest_us ? deadline_us
						 : now_us + longest_us;
}

void
conclude_later(struct dispatch *dispatch, const struct decision *decision,
    int64_t received_us)
{
	struct waiting waiting = {
		.signal_lsn = decision->signal_lsn,
		.item = decision->item,
		.site_id = decision->site_id,
		.received_us = received_us,
	};

	for (unsigned i = 0; i < decision->effect_count; i++)
		if (decision->effects[i].kind == EFFECT_WAIT)
			waiting.deadline_us = decision->effects[i].until_us;
	waiting.due_us = due_of(dispatch, waiting.deadline_us,
	    waiting.deadline_us - received_us);
	waiting_put(&dispatch->waiting, &waiting);
}
