/*
 * What the listeners turn away, as far as an operator must know of it: told as
 * an event when it begins and when none has come for ten minutes, and between
 * only when it is another account's, once a minute at most. So a flood leaves
 * a handful of records, however long it lasts.
 */
#ifndef WATCH_REFUSALS_H
#define WATCH_REFUSALS_H

#include <stdint.h>

#include "base/clock.h"
#include "journal/journal.h"

struct watch_refusal {
	const char *listener;
	const char *cause;	    /* its name; lasts */
	const char *text;	    /* what was refused, in words */
	const char *peer, *account; /* of the last one; "": unknown */
	uint64_t count;		    /* since the listener began */
};

struct refusal_watch;

/* NULL: no memory. */
struct refusal_watch *refusal_watch_open(struct journal *journal,
    const struct clock *clock);
void refusal_watch_close(struct refusal_watch **watch);

/* How it stands, again and again. */
void refusal_watch_report(struct refusal_watch *watch,
    const struct watch_refusal *refusal);
/* What is to be told goes into the journal; without room: the next time. */
void refusal_watch_tell(struct refusal_watch *watch);

#endif
