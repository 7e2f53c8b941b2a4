#include "base/unit.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/array.h"

struct unit {
	const char *name;
	uint64_t factor;
};

/* smallest first */
static const struct unit durations[] = {
	{ "us", 1 },
	{ "ms", 1000 },
	{ "s", 1000000 },
	{ "min", 60000000 },
	{ "h", 3600000000 },
	{ "d", 86400000000 },
};

static const struct unit sizes[] = {
	{ "B", 1 },
	{ "KiB", 1ull << 10 },
	{ "MiB", 1ull << 20 },
	{ "GiB", 1ull << 30 },
	{ "TiB", 1ull << 40 },
};

static int
parse(const char *text, const struct unit *units, size_t count, uint64_t *ret)
{
	uint64_t value = 0;
	const char *p = text;

	for (; *p >= '0' && *p <= '9'; p++)
		if (__builtin_mul_overflow(value, 10u, &value) ||
		    __builtin_add_overflow(value, (uint64_t)(*p - '0'), &value))
			return -ERANGE;
	if (p == text)
		return -EINVAL;
	if (!*p && value == 0) {
		*ret = 0;
		return 0;
	}
	for (size_t i = 0; i < count; i++) {
		if (strcmp(units[i].name, p) != 0)
			continue;
		if (__builtin_mul_overflow(value, units[i].factor, ret) ||
		    *ret > INT64_MAX)
			return -ERANGE;
		return 0;
	}
	return -EINVAL;
}

static char *
format(uint64_t value, const struct unit *units, size_t count,
    char out[UNIT_TEXT_SIZE])
{
	size_t i = count - 1;

	while (i > 0 && (value == 0 || value % units[i].factor != 0))
		i--;
	if (value == 0)
		snprintf(out, UNIT_TEXT_SIZE, "0");
	else
		snprintf(out, UNIT_TEXT_SIZE, "%" PRIu64 "%s",
		    value / units[i].factor, units[i].name);
	return out;
}

int
unit_parse_duration(const char *text, int64_t *ret_us)
{
	uint64_t us;
	int result = parse(text, durations, COUNT(durations), &us);

	if (result == 0)
		*ret_us = (int64_t)us;
	return result;
}

int
unit_parse_size(const char *text, uint64_t *ret_bytes)
{
	return parse(text, sizes, COUNT(sizes), ret_bytes);
}

char *
unit_format_duration(int64_t us, char out[UNIT_TEXT_SIZE])
{
	return format((uint64_t)us, durations, COUNT(durations), out);
}

char *
unit_format_size(uint64_t bytes, char out[UNIT_TEXT_SIZE])
{
	return format(bytes, sizes, COUNT(sizes), out);
}
