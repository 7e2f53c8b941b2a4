/*
 * A borrowed run of bytes: where it starts and how long it is. Never owns,
 * never NUL-terminated. data == NULL means "absent", which is not the same as
 * present and empty (length 0): wire formats tell the two apart.
 */
#ifndef BASE_SLICE_H
#define BASE_SLICE_H

#include <stdbool.h>
#include <stddef.h>
#include <string.h>

struct slice {
	const char *data;
	size_t length;
};

#define SLICE_NONE ((struct slice){ NULL, 0 })
/* for printf("%.*s", SLICE_ARG(s)) */
#define SLICE_ARG(s) (int)(s).length, (s).data ? (s).data : ""

static inline struct slice
slice_of(const void *data, size_t length)
{
	return (struct slice){ data, length };
}

/* borrows the string; NULL gives SLICE_NONE */
static inline struct slice
slice_from_string(const char *string)
{
	return (struct slice){ string, string ? strlen(string) : 0 };
}

static inline bool
slice_present(struct slice s)
{
	return s.data != NULL;
}

static inline bool
slice_equal(struct slice a, struct slice b)
{
	return a.length == b.length &&
	    (a.length == 0 || memcmp(a.data, b.data, a.length) == 0);
}

static inline bool
slice_is(struct slice s, const char *string)
{
	return slice_equal(s, slice_from_string(string));
}

/* The part from offset on, at most length bytes; cut to what there is. */
static inline struct slice
slice_part(struct slice s, size_t offset, size_t length)
{
	if (offset > s.length)
		offset = s.length;
	if (length > s.length - offset)
		length = s.length - offset;
	return slice_of(s.data ? s.data + offset : NULL, length);
}

/* Without leading '0's; of an all-zero text one '0' stays. */
struct slice slice_strip_zeros(struct slice s);

struct slice slice_skip_spaces(struct slice s);

/*
 * Copy into out as a NUL-terminated string. Returns 0, or -ENAMETOOLONG when
 * it does not fit (out is then ""): nothing is ever cut.
 */
int slice_copy(struct slice s, char *out, size_t out_size);

/* Whole text as an unsigned decimal or hexadecimal number; 0 or -EINVAL. */
int slice_to_number(struct slice s, int base, unsigned long *ret);

#endif
