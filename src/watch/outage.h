/*
 * What the installation needs and does not own: links to stations, the database.
 * Whoever knows tells how each is, again and again; one that was away for long
 * enough is told once, and once when it is back. Main loop only.
 */
#ifndef WATCH_OUTAGE_H
#define WATCH_OUTAGE_H

#include "base/clock.h"
#include "journal/journal.h"

struct outages;

/* after_us: how long something is away before that is an event. NULL: no
 * memory. */
struct outages *outages_open(struct journal *journal, const struct clock *clock,
    int64_t after_us);
void outages_close(struct outages **outages);

/*
 * what: "link" or "database", which has the Contact ID event code; name: which
 * of them. One that is not mentioned for some seconds is needed no more. Without
 * memory for another one it is not watched.
 */
void outages_report(struct outages *outages, const char *what, const char *name,
    bool works);
/* Journal what is due; what has no room now is tried again. */
void outages_tell(struct outages *outages);

#endif
