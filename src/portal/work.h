/*
 * Threads that wait for PostgreSQL so that the main loop need not: each with a
 * connection of its own, behind a bounded queue.
 */
#ifndef PORTAL_WORK_H
#define PORTAL_WORK_H

#include <event2/event.h>
#include <stdbool.h>

#include "base/err.h"
#include "portal/exchange.h"

#define WORK_THREADS_MAX 16

struct work;

/* done is called in the base's thread with each exchange that work took. 0 or
 * -errno. */
typedef void (*work_done_fn)(struct exchange *exchange);
int work_open(struct event_base *base, const char *conninfo, unsigned threads,
    unsigned queue_max, work_done_fn done, struct work **ret, struct err *err);
/* Lets what is under way be interrupted; what was not done is freed. */
void work_close(struct work **work);

/* false: the queue is full, the exchange stays the caller's. */
bool work_take(struct work *work, struct exchange *exchange);

#endif
