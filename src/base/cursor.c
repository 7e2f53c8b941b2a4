#include "base/cursor.h"

void
reader_string(struct reader *r, char *out, size_t out_size)
{
	if (slice_copy(reader_slice(r), out, out_size) < 0)
		r->failed = true;
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
