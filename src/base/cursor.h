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

#include <endian.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "base/slice.h"

struct reader {
	const uint8_t *position;
	const uint8_t *end;
	bool failed;
};

static inline size_t
reader_left(const struct reader *r)
{
	return (size_t)(r->end - r->position);
}

static inline struct reader
reader_open(const void *data, size_t length)
{
	const uint8_t *start = data;

	return (struct reader){ start, start + length, false };
}

/* Inline: a record is some dozen numbers. */
static inline void
reader_take(struct reader *r, void *out, size_t length)
{
	if (r->failed || reader_left(r) < length) {
		r->failed = true;
		memset(out, 0, length);
		return;
	}
	memcpy(out, r->position, length);
	r->position += length;
}

static inline uint8_t
reader_u8(struct reader *r)
{
	uint8_t value;

	reader_take(r, &value, sizeof(value));
	return value;
}

static inline uint16_t
reader_u16(struct reader *r)
{
	uint16_t value;

	reader_take(r, &value, sizeof(value));
	return le16toh(value);
}

static inline uint32_t
reader_u32(struct reader *r)
{
	uint32_t value;

	reader_take(r, &value, sizeof(value));
	return le32toh(value);
}

static inline uint64_t
reader_u64(struct reader *r)
{
	uint64_t value;

	reader_take(r, &value, sizeof(value));
	return le64toh(value);
}

/* length bytes, borrowed from the buffer */
static inline struct slice
reader_bytes(struct reader *r, size_t length)
{
	struct slice s;

	if (r->failed || reader_left(r) < length) {
		r->failed = true;
		return SLICE_NONE;
	}
	s = slice_of(r->position, length);
	r->position += length;
	return s;
}

/* How writer_slice writes the length of one that is absent. */
#define CURSOR_SLICE_ABSENT 0xffffu

/* a slice written by writer_slice; absent stays absent */
static inline struct slice
reader_slice(struct reader *r)
{
	uint16_t length = reader_u16(r);

	return length == CURSOR_SLICE_ABSENT ? SLICE_NONE
					     : reader_bytes(r, length);
}

/* the same, copied into out as a string; too long is a failure */
void reader_string(struct reader *r, char *out, size_t out_size);

struct writer {
	uint8_t *start;
	uint8_t *position;
	uint8_t *end;
	bool failed;
};

static inline struct writer
writer_open(void *data, size_t size)
{
	uint8_t *start = data;

	return (struct writer){ start, start, start + size, false };
}

static inline void
writer_bytes(struct writer *w, const void *data, size_t length)
{
	if (w->failed || (size_t)(w->end - w->position) < length) {
		w->failed = true;
		return;
	}
	if (length > 0)
		memcpy(w->position, data, length);
	w->position += length;
}

static inline void
writer_u8(struct writer *w, uint8_t value)
{
	writer_bytes(w, &value, sizeof(value));
}

static inline void
writer_u16(struct writer *w, uint16_t value)
{
	value = htole16(value);
	writer_bytes(w, &value, sizeof(value));
}

static inline void
writer_u32(struct writer *w, uint32_t value)
{
	value = htole32(value);
	writer_bytes(w, &value, sizeof(value));
}

static inline void
writer_u64(struct writer *w, uint64_t value)
{
	value = htole64(value);
	writer_bytes(w, &value, sizeof(value));
}

/* u16 length + bytes; absent is length 0xffff; longer than 0xfffe fails */
static inline void
writer_slice(struct writer *w, struct slice s)
{
	if (!slice_present(s)) {
		writer_u16(w, CURSOR_SLICE_ABSENT);
		return;
	}
	if (s.length >= CURSOR_SLICE_ABSENT)
		w->failed = true;
	writer_u16(w, (uint16_t)s.length);
	writer_bytes(w, s.data, s.length);
}

void writer_string(struct writer *w, const char *string);
/* zeros up to the next multiple of alignment (a power of two) from start */
void writer_align(struct writer *w, size_t alignment);
static inline size_t
writer_length(const struct writer *w)
{
	return (size_t)(w->position - w->start);
}

#endif
