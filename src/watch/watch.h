/*
 * Notices what nobody sends: a stepped wall clock, a slow disk, a journal that
 * fills up. What it finds enters the journal as a signal of its own
 * (SIGNAL_PROTOCOL_INTERNAL) and the log. Main loop only.
 */
#ifndef WATCH_WATCH_H
#define WATCH_WATCH_H

#include <event2/event.h>

#include "base/clock.h"
#include "base/err.h"
#include "journal/journal.h"

struct watch_config {
	int64_t clock_step_us; /* a larger step is an event: 1 s */
	int64_t slow_sync_us;  /* 2 s: an event */
	int64_t stuck_sync_us; /* 10 s: the watchdog is no longer fed */
	double space_warning;  /* 0.80 of the budget */
};

struct watch;
int watch_open(struct watch **ret, struct event_base *base,
    const struct watch_config *config, struct journal *journal,
    const struct clock *clock, struct err *err);
void watch_close(struct watch **watch);

/* Looks once, as the timer does four times a second. */
void watch_look(struct watch *watch);

/* The journal moves (or has nothing to do): the service may tell systemd that
 * it lives. */
bool watch_healthy(const struct watch *watch);

#endif
