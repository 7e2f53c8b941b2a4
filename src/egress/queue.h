/*
 * References waiting for one receiver, in chunks that are freed as they drain,
 * so that an outage of days costs 16 bytes a signal and a quiet link nothing.
 * One emptied chunk is kept, so the steady state allocates nothing.
 *
 * Life safety goes first, between accounts only:
 *
 *   pushed --> ordinary ---------------------------------> taken
 *         \        | (of the same accounts)              /
 *          -> coming -----------------> urgent ----------
 *
 * An urgent one, and what follows it of its account, is `coming` until the next
 * is taken; then all that the ordinary lane holds of those accounts goes before
 * it. So an account's order is never changed: what the urgent lane holds of it
 * was pushed before what the ordinary one does, and that is not taken meanwhile.
 * Accounts are told apart by a few bits of their hash: one that looks the same
 * goes along, in its order.
 *
 * In a long backlog they come a little later each time, since the whole lane is
 * read for that.
 */
#ifndef EGRESS_QUEUE_H
#define EGRESS_QUEUE_H

#include <stdbool.h>
#include <stddef.h>

#include "egress/egress.h"

/* The ordinary lane gets a turn after so many urgent ones. */
#define QUEUE_URGENT_RUN 7

struct queue_chunk;

struct queue_lane {
	struct queue_chunk *first, *last;
	size_t head;   /* of first: next to take */
	size_t tail;   /* of last: next to fill */
	size_t length; /* references in all */
};

struct queue {
	struct queue_lane ordinary, coming, urgent;
	struct queue_lane *next; /* where the one in front is */
	uint64_t coming_accounts[EGRESS_ACCOUNTS / 64]; /* a bit each */
	/* of each account how many the urgent lane holds; NULL: it never held
	 * any */
	uint32_t *urgent_counts;
	uint64_t floor_lsn; /* none in coming or urgent is below */
	size_t unpaid;	    /* references read to let some come */
	unsigned run;	    /* urgent ones taken in a row */
	struct queue_chunk *spare;
	size_t length; /* references in all */
};

/* Zero-initialise to begin. 0 or -ENOMEM. */
int queue_push(struct queue *queue, struct egress_reference reference,
    bool urgent);
/* The next to be taken; NULL when empty; borrowed until the next call. */
const struct egress_reference *queue_front(struct queue *queue);
/* Take it. Only after queue_front, which was not NULL. */
void queue_pop(struct queue *queue);
/* The one in front goes before what others have waiting, or may: it is urgent or
 * taken along. Likewise. */
bool queue_front_is_ahead(const struct queue *queue);
/* Some are urgent, or taken along. */
bool queue_has_ahead(const struct queue *queue);
/* None has a decision_lsn below, and all in the same chunk as one that has it may
 * be gone; UINT64_MAX: it is empty. What an operator put back is not counted. */
uint64_t queue_floor(const struct queue *queue);
/* The first of each lane, one of them nearly the longest here: fn for each. */
typedef void (*queue_first_fn)(void *context,
    const struct egress_reference *reference);
void queue_each_first(const struct queue *queue, queue_first_fn fn,
    void *context);
void queue_close(struct queue *queue);

#endif
