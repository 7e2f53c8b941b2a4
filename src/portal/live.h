/*
 * What tocsind says, over its socket for the portal: the last answer to each of
 * a few questions that are asked again and again, whoever looks, and each
 * signal as it happens. So tocsind's work is the same with one user of the
 * portal or a flood of them. Main thread.
 */
#ifndef PORTAL_LIVE_H
#define PORTAL_LIVE_H

#include <event2/event.h>

#include "base/err.h"
#include "base/slice.h"

/* JSON arrays of objects, as tocsind names their members. */
enum live_answer {
	LIVE_NOTHING, /* none is wanted */
	LIVE_STATUS,
	LIVE_LINKS,
	LIVE_PARKED,  /* the first LIVE_PARKED_MAX */
	LIVE_OFFLINE, /* bridges, the first LIVE_OFFLINE_MAX */
	LIVE_RATES,   /* the samples of the last quarter of an hour */
};
#define LIVE_ANSWERS	 (LIVE_RATES + 1)
#define LIVE_PARKED_MAX	 500
#define LIVE_OFFLINE_MAX 1000

struct live;

/* A line of tail without its end; text.data NULL: some may be missing, as the
 * connection was lost. */
typedef void (*live_signal_fn)(void *context, struct slice text);

/* Borrows socket. 0 or -errno; a tocsind that is away is waited for. */
int live_open(struct event_base *base, const char *socket, live_signal_fn fn,
    void *context, struct live **ret, struct err *err);
void live_close(struct live **live);

/* Borrowed until the loop goes on; NULL: tocsind does not answer, and
 * live_problem says why. */
const char *live_answer(struct live *live, enum live_answer answer);
const char *live_problem(const struct live *live);

/* Whether anybody wants signals: only then tocsind is asked for them. True: each
 * that happens from now on is told. */
bool live_follow(struct live *live, bool wanted);

#endif
