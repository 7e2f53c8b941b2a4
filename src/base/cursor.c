#include "base/cursor.h"

#define SLICE_ABSENT 0xffffu

struct reader
reader_open(const void *data, size_t length)
{
	const uint8_t *start = data;

	return (struct reader){ start, start + length, false };
}

struct slice
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

struct slice
reader_slice(struct reader *r)
{
	uint16_t length = reader_u16(r);

	return length == SLICE_ABSENT ? SLICE_NONE : reader_bytes(r, length);
}

void
reader_string(struct reader *r, char *out, size_t out_size)
{
	if (slice_copy(reader_slice(r), out, out_size) < 0)
		r->failed = true;
}

struct writer
writer_open(void *data, size_t size)
{
	uint8_t *start = data;

	return (struct writer){ start, start, start + size, false };
}

void
writer_slice(struct writer *w, struct slice s)
{
	if (!slice_present(s)) {
		writer_u16(w, SLICE_ABSENT);
		return;
	}
	if (s.length >= SLICE_ABSENT)
		w->failed = true;
	writer_u16(w, (uint16_t)s.length);
	writer_bytes(w, s.data, s.length);
}

void
writer_string(struct writer *w, const char *string)
{
	writer_slice(w, slice_from_string(string));
}

void
writer_align(struct writer *w, size_t alignment)
{
	static const uint8_t zeros[64];

	writer_bytes(w, zeros, -writer_length(w) & (alignment - 1));
}
