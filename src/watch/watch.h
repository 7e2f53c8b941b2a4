/*
 * Notices what nobody sends: a stepped wall clock, a slow disk, a journal that
 * fills up, a bridge that is silent for too long (watch/supervision.h), a link
 * or the database that is away (watch/outage.h), a schedule that armed a site
 * (watch/schedules.h), a test that did not come (watch/site_tests.h), a camera
 * that sees nothing (watch/cameras.h), a site that nobody activated
 * (watch/activations.h), what was turned away (watch/refusals.h). What it finds
 * enters the journal as a signal of its own (SIGNAL_PROTOCOL_INTERNAL) and the
 * log. Main loop only.
 */
#ifndef WATCH_WATCH_H
#define WATCH_WATCH_H

#include <event2/event.h>

#include "base/clock.h"
#include "base/err.h"
#include "journal/journal.h"
#include "routing/site_state.h"
#include "watch/refusals.h"
#include "watch/supervision.h"

struct watch_config {
	int64_t clock_step_us;	     /* a larger step is an event: 1 s */
	int64_t slow_sync_us;	     /* 2 s: an event */
	int64_t stuck_sync_us;	     /* 10 s: the watchdog is no longer fed */
	double space_warning;	     /* 0.80 of the budget */
	int64_t outage_after_us;     /* a link or the database is away: 30 s */
	const char *state_directory; /* of the supervision's checkpoint */
	int64_t checkpoint_us;
	unsigned mass_loss_least; /* bridges lost within a minute, and */
	double mass_loss_share;	  /* of all, are one incident */
};

struct watch;
/* What it looks at; all but the journal may be NULL. */
struct watched {
	struct journal *journal;
	struct directory *directory;	 /* NULL: no bridge is supervised */
	const struct site_states *sites; /* NULL: no schedule is reported */
	/* asked before silent bridges are told; NULL: always fast */
	enum supervision_pace (*pace)(void *context);
	void *context;
};
int watch_open(struct watch **ret, struct event_base *base,
    const struct watch_config *config, const struct watched *watched,
    const struct clock *clock, struct err *err);
void watch_close(struct watch **watch);

/* Looks once, as the timer does four times a second. */
void watch_look(struct watch *watch);

/* How something is that we need and do not own, again and again: outages_report
 * (watch/outage.h). */
void watch_report(struct watch *watch, const char *what, const char *name,
    bool works);
/* What is turned away, again and again: refusal_watch_report. */
void watch_refused(struct watch *watch, const struct watch_refusal *refusal);
/* NULL without a directory. */
const struct supervision *watch_supervision(const struct watch *watch);

/* The journal moves (or has nothing to do): the service may tell systemd that
 * it lives. */
bool watch_healthy(const struct watch *watch);

#endif
