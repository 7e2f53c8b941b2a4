/*
 * References waiting for one receiver: a FIFO in chunks that are freed as they
 * drain, so that an outage of days costs 16 bytes a signal and a quiet link
 * nothing. One emptied chunk is kept, so the steady state allocates nothing.
 */
#ifndef EGRESS_QUEUE_H
#define EGRESS_QUEUE_H

#include <stddef.h>

#include "egress/egress.h"

struct queue_chunk;

struct queue {
	struct queue_chunk *first, *last;
	struct queue_chunk *spare;
	size_t head;   /* of first: next to take */
	size_t tail;   /* of last: next to fill */
	size_t length; /* references in all */
};

/* Zero-initialise to begin. 0 or -ENOMEM. */
int queue_push(struct queue *queue, struct egress_reference reference);
/* NULL when empty; borrowed until the next call. */
const struct egress_reference *queue_front(const struct queue *queue);
/* Not on an empty one. */
void queue_pop(struct queue *queue);
void queue_close(struct queue *queue);

#endif
