#include "base/pool.h"

#include <stdlib.h>
#include <string.h>

struct chunk {
	struct chunk *next;
	max_align_t objects[];
};

void
pool_init(struct pool *pool, size_t object_bytes, size_t chunk_objects,
    size_t limit)
{
	size_t align = _Alignof(max_align_t);

	memset(pool, 0, sizeof(*pool));
	pool->object_bytes = (object_bytes + align - 1) / align * align;
	pool->chunk_objects = chunk_objects;
	pool->limit = limit;
}

static void
push(struct pool *pool, void *object)
{
	memcpy(object, &pool->free, sizeof(pool->free));
	pool->free = object;
}

static void
grow(struct pool *pool)
{
	size_t count = pool->chunk_objects;
	struct chunk *chunk;

	if (pool->limit > 0 && pool->made + count > pool->limit)
		count = pool->limit - pool->made;
	if (count == 0)
		return;
	chunk = malloc(sizeof(*chunk) + count * pool->object_bytes);
	if (!chunk)
		return;
	chunk->next = pool->chunks;
	pool->chunks = chunk;
	pool->made += count;
	for (size_t i = count; i-- > 0;)
		push(pool, (char *)chunk->objects + i * pool->object_bytes);
}

void *
pool_take(struct pool *pool)
{
	void *object;

	if (!pool->free)
		grow(pool);
	object = pool->free;
	if (!object)
		return NULL;
	memcpy(&pool->free, object, sizeof(pool->free));
	pool->used++;
	return memset(object, 0, pool->object_bytes);
}

void
pool_give(struct pool *pool, void *object)
{
	push(pool, object);
	pool->used--;
}

void
pool_close(struct pool *pool)
{
	struct chunk *chunk = pool->chunks, *next;

	for (; chunk; chunk = next) {
		next = chunk->next;
		free(chunk);
	}
	memset(pool, 0, sizeof(*pool));
}
