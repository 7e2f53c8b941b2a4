/*
 * The newest stretch of the stream in memory: records are collected here,
 * written from here, and most readers, who follow closely, find them here
 * without asking the disk. A ring of whole blocks that is mapped twice in a row,
 * so that what runs over its end is still one piece.
 *
 *   ------|== may be read ==|== being written ==|== being collected ==|------
 *          floor_lsn         durable                                   lsn
 *
 * Its blocks are those of the file: where the stream stands at a block of the
 * segment it stands at a block here too (window_block_offset), and can be written
 * past the page cache.
 */
#ifndef JOURNAL_WINDOW_H
#define JOURNAL_WINDOW_H

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "journal/segment.h"

#define WINDOW_BYTES (16u << 20)

struct window {
	uint8_t *bytes;	      /* 2 * WINDOW_BYTES of addresses; NULL: closed */
	uint64_t shift;	      /* position 0 of the ring is lsn -shift */
	pthread_mutex_t lock; /* held while a reader copies */
	uint64_t floor_lsn;   /* what is below may be overwritten; lock */
};

/* floor_lsn: where the stream goes on; block_lsn: one that begins a block. */
int window_open(struct window *window, uint64_t floor_lsn, uint64_t block_lsn,
    struct err *err);
void window_close(struct window *window);

/* The place of an lsn; half of WINDOW_BYTES on either side of it can be reached
 * from there as far as the stream goes. */
static inline uint8_t *
window_at(const struct window *window, uint64_t lsn)
{
	return window->bytes + ((lsn + window->shift) & (WINDOW_BYTES - 1));
}

/* How far an lsn is behind the beginning of its block. */
static inline size_t
window_block_offset(const struct window *window, uint64_t lsn)
{
	return (lsn + window->shift) & (SEGMENT_BLOCK_BYTES - 1);
}

/* By the writer, before anything can be collected over what is below. */
void window_raise_floor(struct window *window, uint64_t floor_lsn);

/* Copy [lsn, lsn + length) of what is durable; false: it is not here any more.
 * Any thread. */
bool window_read(struct window *window, uint64_t lsn, void *out, size_t length);

#endif
