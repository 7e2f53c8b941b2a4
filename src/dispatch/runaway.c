/* Bridges that run away: what was cut is told in one event. */
#include <inttypes.h>
#include <stdio.h>

#include "dispatch/internal.h"
#include "journal/own_signal.h"

/* Contact ID: system trouble. */
#define CODE_RUNAWAY "300"

void
runaway_note(struct dispatch *dispatch, const struct decision *decision,
    int64_t received_us)
{
	bool cut = decision->flags & DECISION_RUNAWAY;

	/* what waited was counted when it came */
	if (!(decision->flags & DECISION_CONCLUDES) &&
	    (cut || decision->verdict == VERDICT_ROUTED ||
		decision->verdict == VERDICT_WAITING))
		flood_note(&dispatch->floods, decision->bridge_id, received_us,
		    cut);
}

bool
runaway_is_summary(const struct record_signal *record)
{
	return record->signal.protocol == SIGNAL_PROTOCOL_INTERNAL &&
	    record->bridge_id &&
	    strcmp(record->signal.events[0].code, CODE_RUNAWAY) == 0;
}

static int
tell(struct dispatch *dispatch, const struct flood *flood)
{
	char first[CLOCK_TEXT_SIZE], last[CLOCK_TEXT_SIZE], text[160];
	const struct own_signal signal = { .code = CODE_RUNAWAY,
		.begins = true,
		.bridge_id = flood->bridge_id,
		.zone = "000",
		.text = text };
	uint64_t lsn;

	snprintf(text, sizeof(text),
	    "%u events after the first %u of a minute were cut, from %s until %s",
	    flood->cut, flood->raised, clock_format(flood->first_us, first),
	    clock_format(flood->last_us, last));
	return own_signal_collect(dispatch->journal, dispatch->clock, &signal,
	    &lsn);
}

void
runaway_tell(struct dispatch *dispatch, int64_t at_us)
{
	const struct flood *flood;

	while ((flood = flood_due(&dispatch->floods, at_us)) &&
	    tell(dispatch, flood) == 0) {
		log_write(LOG_WARN, "dispatch", "runaway",
		    "bridge=%" PRIu64 " raised=%u cut=%u", flood->bridge_id,
		    flood->raised, flood->cut);
		flood_told(&dispatch->floods, flood->bridge_id);
	}
}
