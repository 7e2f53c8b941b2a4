/*
 * Bounds-checked reading and writing of little-endian records with a sticky
 * error: a plain list of reads (or writes) and one check at the end. After the
 * first overrun every read gives 0 or SLICE_NONE and nothing more is written.
 *
 *   start          position             end
 *   |-- done -------|-- still to do -----|
 */
#ifndef BASE_CURSOR_H
#define BASE_CURSOR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/slice.h"

struct reader {
	const uint8_t *position;
	const uint8_t *end;
	bool failed;
};

struct reader reader_open(const void *data, size_t length);
uint8_t reader_u8(struct reader *r);
uint16_t reader_u16(struct reader *r);
uint32_t reader_u32(struct reader *r);
uint64_t reader_u64(struct reader *r);
/* length bytes, borrowed from the buffer */
struct slice reader_bytes(struct reader *r, size_t length);
/* a slice written by writer_slice; absent stays absent */
struct slice reader_slice(struct reader *r);
/* the same, copied into out as a string; too long is a failure */
void reader_string(struct reader *r, char *out, size_t out_size);
static inline size_t
reader_left(const struct reader *r)
{
	return (size_t)(r->end - r->position);
}

struct writer {
	uint8_t *start;
	uint8_t *position;
	uint8_t *end;
	bool failed;
};

struct writer writer_open(void *data, size_t size);
void writer_u8(struct writer *w, uint8_t value);
void writer_u16(struct writer *w, uint16_t value);
void writer_u32(struct writer *w, uint32_t value);
void writer_u64(struct writer *w, uint64_t value);
void writer_bytes(struct writer *w, const void *data, size_t length);
/* u16 length + bytes; absent is length 0xffff; longer than 0xfffe fails */
void writer_slice(struct writer *w, struct slice s);
void writer_string(struct writer *w, const char *string);
/* zeros up to the next multiple of alignment (a power of two) from start */
void writer_align(struct writer *w, size_t alignment);
static inline size_t
writer_length(const struct writer *w)
{
	return (size_t)(w->position - w->start);
}

#endif
