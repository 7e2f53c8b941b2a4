#include "base/clock.h"

#include <errno.h>
#include <stdio.h>
#include <time.h>

static int64_t
read_us(clockid_t id)
{
	struct timespec now;

	clock_gettime(id, &now);
	return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

static int64_t
system_wall_us(const struct clock *clock)
{
	(void)clock;
	return read_us(CLOCK_REALTIME);
}

static int64_t
system_monotonic_us(const struct clock *clock)
{
	(void)clock;
	return read_us(CLOCK_MONOTONIC);
}

const struct clock clock_system = { system_wall_us, system_monotonic_us };

static int64_t
fake_wall_us(const struct clock *clock)
{
	return ((const struct clock_fake *)clock)->wall_us;
}

static int64_t
fake_monotonic_us(const struct clock *clock)
{
	return ((const struct clock_fake *)clock)->monotonic_us;
}

void
clock_fake_init(struct clock_fake *fake, int64_t wall_us)
{
	fake->clock = (struct clock){ fake_wall_us, fake_monotonic_us };
	fake->wall_us = wall_us;
	fake->monotonic_us = 1000000;
}

void
clock_fake_advance(struct clock_fake *fake, int64_t us)
{
	fake->wall_us += us;
	fake->monotonic_us += us;
}

/* H. Hinnant, "chrono-Compatible Low-Level Date Algorithms". */
int64_t
clock_days_from_date(int64_t year, unsigned month, unsigned day)
{
	int64_t era;
	unsigned year_of_era, day_of_year, day_of_era;

	year -= month <= 2;
	era = (year >= 0 ? year : year - 399) / 400;
	year_of_era = (unsigned)(year - era * 400);
	day_of_year =
	    (153 * (month + (month > 2 ? -3u : 9u)) + 2) / 5 + day - 1;
	day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 +
	    day_of_year;
	return era * 146097 + (int64_t)day_of_era - 719468;
}

void
clock_date_from_days(int64_t days, int64_t *year, unsigned *month,
    unsigned *day)
{
	int64_t era;
	unsigned day_of_era, year_of_era, day_of_year, shifted_month;

	days += 719468;
	era = (days >= 0 ? days : days - 146096) / 146097;
	day_of_era = (unsigned)(days - era * 146097);
	year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36524 -
			  day_of_era / 146096) /
	    365;
	day_of_year = day_of_era -
	    (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
	shifted_month = (5 * day_of_year + 2) / 153;
	*day = day_of_year - (153 * shifted_month + 2) / 5 + 1;
	*month = shifted_month < 10 ? shifted_month + 3 : shifted_month - 9;
	*year = (int64_t)year_of_era + era * 400 + (*month <= 2);
}

char *
clock_format(int64_t wall_us, char out[CLOCK_TEXT_SIZE])
{
	time_t seconds = (time_t)(wall_us / 1000000);
	struct tm utc;
	size_t length;

	gmtime_r(&seconds, &utc);
	length = strftime(out, CLOCK_TEXT_SIZE, "%Y-%m-%dT%H:%M:%S", &utc);
	snprintf(out + length, CLOCK_TEXT_SIZE - length, ".%03uZ",
	    (unsigned)(wall_us % 1000000 / 1000) % 1000u);
	return out;
}

/* Returns where the digits end. */
static const char *
fraction_us(const char *digits, int64_t *ret_us)
{
	int64_t scale = 100000;

	*ret_us = 0;
	for (; *digits >= '0' && *digits <= '9'; digits++, scale /= 10)
		*ret_us += (*digits - '0') * scale;
	return digits;
}

int
clock_parse(struct slice text, int64_t *ret_wall_us)
{
	char copy[CLOCK_TEXT_SIZE];
	int year, month, day, hour, minute, second, used = 0;
	int64_t micros = 0;
	const char *end;

	if (slice_copy(text, copy, sizeof(copy)) < 0 ||
	    sscanf(copy, "%4d-%2d-%2dT%2d:%2d:%2d%n", &year, &month, &day,
		&hour, &minute, &second, &used) != 6)
		return -EINVAL;
	end = copy + used;
	if (*end == '.')
		end = fraction_us(end + 1, &micros);
	if (strcmp(end, "Z") != 0 || month < 1 || month > 12 || day < 1 ||
	    day > 31 || hour < 0 || hour > 23 || minute < 0 || minute > 59 ||
	    second < 0 || second > 60)
		return -EINVAL;
	*ret_wall_us =
	    (clock_days_from_date(year, (unsigned)month, (unsigned)day) *
		    86400 +
		hour * 3600 + minute * 60 + second) *
		1000000 +
	    micros;
	return 0;
}
