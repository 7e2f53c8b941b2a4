#include "ingress/buffer.h"

#include <errno.h>
#include <string.h>

static const struct {
	uint32_t bytes;
	unsigned chunk_objects;
} sizes[BUFFER_SIZES] = {
	{ 1024, 64 },
	{ 8 * 1024, 16 },
	{ BUFFER_MAX, 1 },
};

void
buffer_pools_init(struct buffer_pools *pools)
{
	for (unsigned i = 0; i < BUFFER_SIZES; i++)
		pool_init(&pools->pools[i], sizes[i].bytes,
		    sizes[i].chunk_objects, 0);
}

void
buffer_pools_close(struct buffer_pools *pools)
{
	for (unsigned i = 0; i < BUFFER_SIZES; i++)
		pool_close(&pools->pools[i]);
}

/* Move into the smallest size that holds this many more bytes. */
static int
grow(struct buffer_pools *pools, struct buffer *buffer, size_t more)
{
	size_t needed = buffer->length + more;
	uint8_t size = 0;
	char *data;

	while (size < BUFFER_SIZES && sizes[size].bytes < needed)
		size++;
	if (size == BUFFER_SIZES)
		return -ENOBUFS;
	data = pool_take(&pools->pools[size]);
	if (!data)
		return -ENOBUFS;
	if (buffer->data) {
		memcpy(data, buffer->data + buffer->start, buffer->length);
		pool_give(&pools->pools[buffer->size], buffer->data);
	}
	buffer->data = data;
	buffer->start = 0;
	buffer->size = size;
	return 0;
}

int
buffer_append(struct buffer_pools *pools, struct buffer *buffer,
    const void *data, size_t length)
{
	uint32_t end = buffer->start + buffer->length;

	if (length == 0)
		return 0;
	if ((!buffer->data || sizes[buffer->size].bytes - end < length) &&
	    grow(pools, buffer, length) < 0)
		return -ENOBUFS;
	memcpy(buffer->data + buffer->start + buffer->length, data, length);
	buffer->length += (uint32_t)length;
	return 0;
}

void
buffer_consume(struct buffer_pools *pools, struct buffer *buffer, size_t length)
{
	if (length >= buffer->length) {
		buffer_clear(pools, buffer);
		return;
	}
	buffer->start += (uint32_t)length;
	buffer->length -= (uint32_t)length;
}

void
buffer_clear(struct buffer_pools *pools, struct buffer *buffer)
{
	if (buffer->data)
		pool_give(&pools->pools[buffer->size], buffer->data);
	memset(buffer, 0, sizeof(*buffer));
}
