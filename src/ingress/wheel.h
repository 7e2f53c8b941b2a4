/*
 * Coarse timeouts of many sessions on one timer: a session sits in the bucket
 * of the tick at which its deadline has to be looked at, and moves on when it
 * turns out to have been busy meanwhile. Traffic costs nothing here. A
 * deadline past the horizon is looked at there.
 */
#ifndef INGRESS_WHEEL_H
#define INGRESS_WHEEL_H

#include <stdint.h>
#include <sys/queue.h>

#define WHEEL_TICK_US 100000
#define WHEEL_BUCKETS 1024

struct wheel_entry {
	TAILQ_ENTRY(wheel_entry) link;
	unsigned bucket; /* + 1; 0: not in the wheel */
};
TAILQ_HEAD(wheel_bucket, wheel_entry);

struct wheel {
	int64_t tick; /* the last one that was looked at */
	struct wheel_bucket buckets[WHEEL_BUCKETS];
};

void wheel_init(struct wheel *wheel, int64_t now_us);
/* Moves an entry that is already in the wheel. INT64_MAX: never, so out. */
void wheel_set(struct wheel *wheel, struct wheel_entry *entry,
    int64_t deadline_us);
void wheel_remove(struct wheel *wheel, struct wheel_entry *entry);

/* Calls fn for each entry whose tick has come; it was taken out before, fn
 * sets it again or lets it go. */
typedef void (*wheel_fn)(void *context, struct wheel_entry *entry);
void wheel_advance(struct wheel *wheel, int64_t now_us, wheel_fn fn,
    void *context);

#endif
