#include "base/slice.h"

#include <errno.h>

struct slice
slice_strip_zeros(struct slice s)
{
	while (s.length > 1 && s.data[0] == '0')
		s = slice_part(s, 1, s.length - 1);
	return s;
}

struct slice
slice_skip_spaces(struct slice s)
{
	while (s.length > 0 && s.data[0] == ' ')
		s = slice_part(s, 1, s.length);
	return s;
}

int
slice_copy(struct slice s, char *out, size_t out_size)
{
	out[0] = '\0';
	if (s.length >= out_size)
		return -ENAMETOOLONG;
	if (s.length > 0)
		memcpy(out, s.data, s.length);
	out[s.length] = '\0';
	return 0;
}

static int
digit_value(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	return 99;
}

int
slice_to_number(struct slice s, int base, unsigned long *ret)
{
	unsigned long value = 0;

	if (s.length == 0)
		return -EINVAL;
	for (size_t i = 0; i < s.length; i++) {
		int digit = digit_value(s.data[i]);

		if (digit >= base ||
		    __builtin_mul_overflow(value, (unsigned long)base,
			&value) ||
		    __builtin_add_overflow(value, (unsigned long)digit, &value))
			return -EINVAL;
	}
	*ret = value;
	return 0;
}
