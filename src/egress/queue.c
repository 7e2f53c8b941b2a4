#include "egress/queue.h"

#include <errno.h>
#include <stdlib.h>

#define CHUNK_REFERENCES 255

struct queue_chunk {
	struct queue_chunk *next;
	struct egress_reference references[CHUNK_REFERENCES];
};

static int
add_chunk(struct queue *queue)
{
	struct queue_chunk *chunk = queue->spare;

	queue->spare = NULL;
	if (!chunk)
		chunk = malloc(sizeof(*chunk));
	if (!chunk)
		return -ENOMEM;
	chunk->next = NULL;
	if (queue->last)
		queue->last->next = chunk;
	else
		queue->first = chunk;
	queue->last = chunk;
	queue->tail = 0;
	return 0;
}

int
queue_push(struct queue *queue, struct egress_reference reference)
{
	if ((!queue->last || queue->tail == CHUNK_REFERENCES) &&
	    add_chunk(queue) < 0)
		return -ENOMEM;
	queue->last->references[queue->tail++] = reference;
	queue->length++;
	return 0;
}

const struct egress_reference *
queue_front(const struct queue *queue)
{
	return queue->length > 0 ? &queue->first->references[queue->head]
				 : NULL;
}

static void
drop_first_chunk(struct queue *queue)
{
	struct queue_chunk *chunk = queue->first;

	queue->first = chunk->next;
	if (!queue->first)
		queue->last = NULL;
	queue->head = 0;
	free(queue->spare);
	queue->spare = chunk;
}

void
queue_pop(struct queue *queue)
{
	queue->head++;
	queue->length--;
	if (queue->head == CHUNK_REFERENCES || queue->length == 0)
		drop_first_chunk(queue);
}

void
queue_close(struct queue *queue)
{
	while (queue->first)
		drop_first_chunk(queue);
	free(queue->spare);
	memset(queue, 0, sizeof(*queue));
}
