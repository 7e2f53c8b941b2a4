/*
 * Bytes that must outlive a turn: the beginning of a frame whose rest is still
 * to come, replies that the peer's window has no room for. Taken from pools of
 * three sizes when the first byte arrives, given back with the last one, so
 * that an idle session holds none.
 *
 *   data      start            start + length     capacity
 *   |-- done --|-- still here ---|-- room ----------|
 */
#ifndef INGRESS_BUFFER_H
#define INGRESS_BUFFER_H

#include <stdint.h>

#include "base/pool.h"
#include "base/slice.h"

#define BUFFER_SIZES 3
#define BUFFER_MAX   (128 * 1024)

struct buffer_pools {
	struct pool pools[BUFFER_SIZES];
};
void buffer_pools_init(struct buffer_pools *pools);
void buffer_pools_close(struct buffer_pools *pools);

/* Zeroed: empty. */
struct buffer {
	char *data;
	uint32_t start;
	uint32_t length;
	uint8_t size; /* which pool data came from */
};

/* 0, or -ENOBUFS when it would pass BUFFER_MAX or memory is short: nothing
 * was added then. */
int buffer_append(struct buffer_pools *pools, struct buffer *buffer,
    const void *data, size_t length);
/* Forget the first bytes. */
void buffer_consume(struct buffer_pools *pools, struct buffer *buffer,
    size_t length);
void buffer_clear(struct buffer_pools *pools, struct buffer *buffer);

static inline struct slice
buffer_content(const struct buffer *buffer)
{
	return buffer->data
	    ? slice_of(buffer->data + buffer->start, buffer->length)
	    : slice_of(NULL, 0);
}

#endif
