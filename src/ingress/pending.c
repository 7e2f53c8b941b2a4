#include "ingress/pending.h"

#include <string.h>

#define CHUNK_BYTES   (64 * 1024)
#define CHUNK_OBJECTS 4
#define CHUNKS_MAX    1024 /* 64 MiB a worker: about 450 000 replies */

struct pending_chunk {
	struct pending_chunk *next;
	uint32_t start, end; /* of the replies in bytes */
	_Alignas(8) char bytes[CHUNK_BYTES - 16];
};

_Static_assert(sizeof(struct pending_chunk) == CHUNK_BYTES,
    "a chunk is one power of two");

static size_t
reply_bytes(size_t length)
{
	return (sizeof(struct pending_reply) + length + 7) & ~(size_t)7;
}

static struct pending_reply *
reply_at(struct pending_chunk *chunk, uint32_t offset)
{
	return (struct pending_reply *)(void *)(chunk->bytes + offset);
}

void
pending_init(struct pending *pending)
{
	memset(pending, 0, sizeof(*pending));
	pool_init(&pending->chunks, sizeof(struct pending_chunk), CHUNK_OBJECTS,
	    CHUNKS_MAX);
}

void
pending_close(struct pending *pending)
{
	pool_close(&pending->chunks);
	memset(pending, 0, sizeof(*pending));
}

struct pending_reply *
pending_prepare(struct pending *pending, size_t length)
{
	struct pending_chunk *chunk = pending->tail;

	if (chunk && sizeof(chunk->bytes) - chunk->end >= reply_bytes(length))
		return reply_at(chunk, chunk->end);
	chunk = pool_take(&pending->chunks);
	if (!chunk)
		return NULL;
	if (pending->tail)
		pending->tail->next = chunk;
	else
		pending->head = chunk;
	pending->tail = chunk;
	return reply_at(chunk, 0);
}

void
pending_commit(struct pending *pending, struct pending_reply *reply,
    size_t length)
{
	reply->length = (uint32_t)length;
	pending->tail->end += (uint32_t)reply_bytes(length);
	pending->count++;
}

struct pending_reply *
pending_head(struct pending *pending)
{
	struct pending_chunk *chunk = pending->head;

	while (chunk && chunk->start == chunk->end) {
		if (!chunk->next) {
			chunk->start = chunk->end = 0;
			return NULL;
		}
		pending->head = chunk->next;
		pool_give(&pending->chunks, chunk);
		chunk = pending->head;
	}
	return chunk ? reply_at(chunk, chunk->start) : NULL;
}

void
pending_pop(struct pending *pending)
{
	struct pending_chunk *chunk = pending->head;

	chunk->start +=
	    (uint32_t)reply_bytes(reply_at(chunk, chunk->start)->length);
	pending->count--;
}

void
pending_forget_slot(struct pending *pending, const struct slot *slot)
{
	struct pending_chunk *chunk;

	for (chunk = pending->head; chunk; chunk = chunk->next)
		for (uint32_t at = chunk->start; at < chunk->end;) {
			struct pending_reply *reply = reply_at(chunk, at);

			if (reply->slot == slot)
				reply->slot = NULL;
			at += (uint32_t)reply_bytes(reply->length);
		}
}
