#include "base/cursor.h"

#include <endian.h>

#define SLICE_ABSENT 0xffffu

struct reader
reader_open(const void *data, size_t length)
{
	const uint8_t *start = data;

	return (struct reader){ start, start + length, false };
}

static bool
take(struct reader *r, void *out, size_t length)
{
	if (r->failed || reader_left(r) < length) {
		r->failed = true;
		memset(out, 0, length);
		return false;
	}
	memcpy(out, r->position, length);
	r->position += length;
	return true;
}

uint8_t
reader_u8(struct reader *r)
{
	uint8_t value;

	take(r, &value, sizeof(value));
	return value;
}

uint16_t
reader_u16(struct reader *r)
{
	uint16_t value;

	take(r, &value, sizeof(value));
	return le16toh(value);
}

uint32_t
reader_u32(struct reader *r)
{
	uint32_t value;

	take(r, &value, sizeof(value));
	return le32toh(value);
}

uint64_t
reader_u64(struct reader *r)
{
	uint64_t value;

	take(r, &value, sizeof(value));
	return le64toh(value);
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

void
writer_u8(struct writer *w, uint8_t value)
{
	writer_bytes(w, &value, sizeof(value));
}

void
writer_u16(struct writer *w, uint16_t value)
{
	value = htole16(value);
	writer_bytes(w, &value, sizeof(value));
}

void
writer_u32(struct writer *w, uint32_t value)
{
	value = htole32(value);
	writer_bytes(w, &value, sizeof(value));
}

void
writer_u64(struct writer *w, uint64_t value)
{
	value = htole64(value);
	writer_bytes(w, &value, sizeof(value));
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
