/*
 * A hashed timer wheel over slot numbers: an entry sits in the bucket of the
 * tick at which it is to be looked at. Coarse, lazy, 16 bytes an entry: who
 * is heard meanwhile does not touch it; it is found to have been heard when
 * its tick comes, and set again. A deadline past the horizon is looked at
 * there.
 *
 *	buckets  |  |  |  |  |  |      a ring of lists, linked by number;
 *	           ^ tick              entry 0 is no slot: "in no list"
 */
#ifndef WATCH_TIMER_WHEEL_H
#define WATCH_TIMER_WHEEL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define TIMER_WHEEL_TICK_US 250000
#define TIMER_WHEEL_BUCKETS 4096

struct timer_wheel_entry {
	uint32_t next, previous; /* the wheel's */
	/* whose it is, see supervision.c */
	uint32_t since;
	uint8_t generation, told, state, paths;
};

struct timer_wheel_list {
	uint32_t next, previous;
};

struct timer_wheel {
	struct timer_wheel_entry *entries; /* by slot */
	uint32_t size;
	uint64_t tick; /* the last one whose bucket was taken */
	/* a bucket each, then what is due, then what waits */
	struct timer_wheel_list lists[TIMER_WHEEL_BUCKETS + 2];
};

void timer_wheel_open(struct timer_wheel *wheel, int64_t now_us);
void timer_wheel_close(struct timer_wheel *wheel);
/* Entries 1 .. slots can be used; 0 or -ENOMEM. They may move. */
int timer_wheel_reserve(struct timer_wheel *wheel, uint32_t slots);

/* Not before this time, and within a tick after it. Moves an entry that is in
 * a list already. */
void timer_wheel_set(struct timer_wheel *wheel, uint32_t slot,
    int64_t deadline_us);
/* To the end of those that wait for something else than time. */
void timer_wheel_wait(struct timer_wheel *wheel, uint32_t slot);
void timer_wheel_remove(struct timer_wheel *wheel, uint32_t slot);

/* Make due what is due; what was so before comes first. */
void timer_wheel_advance(struct timer_wheel *wheel, int64_t now_us);
/* Take one out: of those due, of those that wait. 0: none is left. */
uint32_t timer_wheel_next_due(struct timer_wheel *wheel);
uint32_t timer_wheel_next_waiting(struct timer_wheel *wheel);
bool timer_wheel_is_due(const struct timer_wheel *wheel);

#endif
