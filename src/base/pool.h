/*
 * Objects of one size from chunks that are never given back before
 * pool_close: steady state allocates nothing. Bounded: at most `limit` objects
 * exist (0: no bound). One thread.
 */
#ifndef BASE_POOL_H
#define BASE_POOL_H

#include <stddef.h>

struct pool {
	size_t object_bytes;
	size_t chunk_objects;
	size_t limit;
	size_t used; /* objects handed out now */
	size_t made;
	void *free; /* first free object; its first word points on */
	void *chunks;
};

void pool_init(struct pool *pool, size_t object_bytes, size_t chunk_objects,
    size_t limit);
/* Zeroed object, or NULL at the limit or out of memory. */
void *pool_take(struct pool *pool);
void pool_give(struct pool *pool, void *object);
/* Frees every chunk; objects still out die with it. Accepts a zeroed pool. */
void pool_close(struct pool *pool);

#endif
