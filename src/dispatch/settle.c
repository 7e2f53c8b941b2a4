/* Is a signal one that was taken already, and when is its sender answered? */
#include "dispatch/internal.h"

/* Whether what it repeats is settled cannot be told: it is when everything
 * older is. Of too many the latest are not answered. */
static void
fence_put(struct dispatch *dispatch, uint64_t lsn)
{
	struct fence_queue *fences = &dispatch->fences;

	if (fences->count == FENCES)
		return;
	fences->ring[(fences->head + fences->count++) % FENCES] =
	    (struct fence){ lsn, dispatch->appended_decision_lsn, 0 };
}

static void
await_original(struct dispatch *dispatch, const struct undecided *signal,
    struct settling *original, struct repeat_sighting first)
{
	struct settling_list *list = &dispatch->settling;

	settling_remove(list, signal->lsn); /* a replay could not know */
	if (original)
		settling_resend(original, signal->lsn, signal->received_us);
	else if (!first.awaited)
		fence_put(dispatch, signal->lsn);
	else if (settling_knows(list, first.received_us))
		settling_tell(list, signal->lsn);
}

/* Who waits for what is not settled sends again and again, for longer than the
 * window. After a pause it is another message that reads alike, as a sequence
 * begins anew. */
static bool
is_still_sent(const struct dispatch *dispatch, const struct settling *original,
    int64_t received_us)
{
	int64_t pause_us = received_us - original->latest_us;

	return pause_us <= dispatch->config.repeat_window_us &&
	    pause_us >= -dispatch->config.repeat_window_us;
}

bool
settle_judge(struct dispatch *dispatch, const struct undecided *signal)
{
	struct repeat_sighting now = { signal->received_us, signal->awaited };
	struct repeat_sighting first = now;
	bool repeat = repeat_seen(&dispatch->repeats, signal->sender,
	    signal->fingerprint, now, &first);
	struct settling *original;

	if (!signal->awaited)
		return repeat;
	original = settling_original(&dispatch->settling, signal->fingerprint,
	    signal->lsn);
	if (repeat ||
	    (original &&
		is_still_sent(dispatch, original, signal->received_us))) {
		await_original(dispatch, signal, original, first);
		return true;
	}
	settling_add(&dispatch->settling, signal->lsn, signal->fingerprint,
	    signal->received_us, signal->items);
	return false;
}

/* Every older signal is decided for good, and that was read back: what is in
 * the journal up to here has all their deliveries. */
static bool
is_decided(const struct dispatch *dispatch, const struct fence *fence)
{
	return waiting_oldest(&dispatch->waiting) > fence->lsn &&
	    journal_cursor_position(dispatch->cursor) > fence->decision_lsn;
}

static bool
is_passed(struct dispatch *dispatch, struct fence *fence)
{
	if (fence->end_lsn == 0 && is_decided(dispatch, fence))
		fence->end_lsn = journal_cursor_position(dispatch->cursor);
	return fence->end_lsn > 0 &&
	    parked_oldest(&dispatch->parked) >= fence->end_lsn &&
	    egress_oldest(dispatch->egress) >= fence->end_lsn;
}

void
settle_pass_fences(struct dispatch *dispatch)
{
	struct fence_queue *fences = &dispatch->fences;

	while (fences->count > 0 &&
	    is_passed(dispatch, &fences->ring[fences->head])) {
		settling_tell(&dispatch->settling,
		    fences->ring[fences->head].lsn);
		fences->head = (fences->head + 1) % FENCES;
		fences->count--;
	}
}
