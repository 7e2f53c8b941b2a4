/*
 * Time through a seam: production reads the kernel, tests set it. Timers run
 * on the monotonic clock; the wall clock only stamps. Any thread.
 */
#ifndef BASE_CLOCK_H
#define BASE_CLOCK_H

#include <stdint.h>

#include "base/slice.h"

struct clock {
	int64_t (*wall_us)(const struct clock *); /* since 1970, UTC */
	int64_t (*monotonic_us)(const struct clock *);
};

extern const struct clock clock_system;

static inline int64_t
clock_wall_us(const struct clock *clock)
{
	return clock->wall_us(clock);
}

static inline int64_t
clock_monotonic_us(const struct clock *clock)
{
	return clock->monotonic_us(clock);
}

/* A clock that stands where it is put. */
struct clock_fake {
	struct clock clock; /* first: a clock_fake is a clock */
	int64_t wall_us;
	int64_t monotonic_us;
};
void clock_fake_init(struct clock_fake *fake, int64_t wall_us);
void clock_fake_advance(struct clock_fake *fake, int64_t us);

#define CLOCK_TEXT_SIZE 32

/* "2026-01-15T10:30:01.204Z" (milliseconds); out is returned. */
char *clock_format(int64_t wall_us, char out[CLOCK_TEXT_SIZE]);

/* "2026-01-15T10:30:01Z", the fraction optional; 0 or -EINVAL. */
int clock_parse(struct slice text, int64_t *ret_wall_us);

/* Days since 1970-01-01 of a proleptic Gregorian date, and back. */
int64_t clock_days_from_date(int64_t year, unsigned month, unsigned day);
void clock_date_from_days(int64_t days, int64_t *year, unsigned *month,
    unsigned *day);

#endif
