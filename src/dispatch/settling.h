/*
 * Signals whose sender is answered when they are settled (ACK_LEVEL_DELIVERED):
 * each of their events is decided, and each delivery that came of it has ended.
 * A function of the journal. Bounded: of too many the oldest is forgotten, and
 * then it is not known of any as old as that whether it is settled.
 */
#ifndef DISPATCH_SETTLING_H
#define DISPATCH_SETTLING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/queue.h>

#include "base/pool.h"
#include "signal/delivery.h"

#define SETTLING_MAX	 262144
#define SETTLING_PLACES	 65536 /* a power of two */
#define SETTLING_RESENDS 4     /* the latest ones of a signal are answered */

struct settling {
	TAILQ_ENTRY(settling) by_age;
	struct settling *next_by_lsn, *next_by_fingerprint; /* of its places */
	uint64_t lsn, fingerprint;
	int64_t latest_us; /* receipt of it, or of its latest resend */
	uint64_t resends[SETTLING_RESENDS]; /* the latest first; 0: none */
	uint32_t undecided;		    /* a bit for each event */
	uint8_t open[SIGNAL_EVENTS_MAX]; /* a bit for each of its deliveries */
};

/* A signal, or a resend of it, is settled: answer whoever waits for it. */
typedef void (*settling_fn)(void *context, uint64_t lsn);

struct settling_list {
	struct pool pool;
	TAILQ_HEAD(settling_queue, settling) by_age; /* the oldest first */
	struct settling **by_lsn, **by_fingerprint;
	size_t count;
	int64_t forgotten_us; /* the latest receipt of what was forgotten */
	settling_fn fn;	      /* NULL: nobody waits */
	void *context;
};

int settling_open(struct settling_list *list);
void settling_close(struct settling_list *list);

/* One of so many events was received; one that is there stays as it is. */
void settling_add(struct settling_list *list, uint64_t lsn,
    uint64_t fingerprint, int64_t received_us, unsigned events);
/* It turned out to be a resend of another one: it has nothing of its own to wait
 * for. */
void settling_remove(struct settling_list *list, uint64_t lsn);
/* The latest such message that is not settled, received before this lsn. NULL:
 * there is none. */
struct settling *settling_original(const struct settling_list *list,
    uint64_t fingerprint, uint64_t lsn);
/* This is a resend of it: answered with it. */
void settling_resend(struct settling *original, uint64_t lsn,
    int64_t received_us);
/* One received then that is not in the list is settled, if it ever was in. */
bool settling_knows(const struct settling_list *list, int64_t received_us);

/* What the journal says, in its order; of signals that are not in the list,
 * nothing happens. One that cannot be decided (VERDICT_PARKED) is never
 * settled. */
void settling_decided(struct settling_list *list,
    const struct decision *decision);
void settling_ended(struct settling_list *list, const struct outcome *outcome);
/* Tells fn. */
void settling_tell(const struct settling_list *list, uint64_t lsn);

/* UINT64_MAX: none. */
uint64_t settling_oldest(const struct settling_list *list);

#endif
