/*
 * Tells what schedules did: a site or partition that its schedule has armed
 * (R403) or disarmed (E403). The state itself is a function of schedule and
 * time (routing/arming.h); this is the report of it, a signal of our own, told
 * once over restarts, as what was told stands in the site's state.
 *
 * All schedules are looked at in turn, a few in each look, and those that will
 * change before their next turn once more when they do. Main loop only.
 */
#ifndef WATCH_SCHEDULES_H
#define WATCH_SCHEDULES_H

#include "base/clock.h"
#include "directory/directory.h"
#include "journal/journal.h"
#include "routing/site_state.h"

struct schedules;
/* Keeps them all. NULL: no memory. */
struct schedules *schedules_open(struct journal *journal,
    const struct directory *directory, const struct site_states *sites,
    const struct clock *clock);
void schedules_close(struct schedules **schedules);

/* A bounded look; several times a second. The thread is registered with the
 * directory and offline. */
void schedules_look(struct schedules *schedules);

#endif
