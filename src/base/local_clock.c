#include "base/local_clock.h"

#include <glib.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

/* No clock is set forward and back within this. */
#define DAY_S 86400

struct local_clock {
	struct local_clock *next;
	GTimeZone *zone;
	char name[];
};

static struct local_clock *
read_clock(const char *name)
{
	size_t bytes = strlen(name) + 1;
	GTimeZone *zone = g_time_zone_new_identifier(name);
	struct local_clock *clock =
	    zone ? calloc(1, sizeof(*clock) + bytes) : NULL;

	if (clock) {
		clock->zone = zone;
		memcpy(clock->name, name, bytes);
	} else if (zone) {
		g_time_zone_unref(zone);
	}
	return clock;
}

const struct local_clock *
local_clock_find(const char *name)
{
	static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
	static struct local_clock *first;
	struct local_clock *clock;

	pthread_mutex_lock(&lock);
	for (clock = first; clock; clock = clock->next)
		if (strcmp(clock->name, name) == 0)
			break;
	if (!clock && (clock = read_clock(name))) {
		clock->next = first;
		first = clock;
	}
	pthread_mutex_unlock(&lock);
	return clock;
}

static int64_t
offset_at(const struct local_clock *clock, int64_t utc_s)
{
	gint interval = g_time_zone_find_interval(clock->zone,
	    G_TIME_TYPE_UNIVERSAL, utc_s);

	return g_time_zone_get_offset(clock->zone, interval);
}

int64_t
local_clock_from_utc(const struct local_clock *clock, int64_t utc_s)
{
	return utc_s + offset_at(clock, utc_s);
}

/* The moment in (early, late] at which the offset becomes another. */
static int64_t
find_change(const struct local_clock *clock, int64_t early, int64_t late)
{
	int64_t before = offset_at(clock, early);

	while (late - early > 1) {
		int64_t middle = early + (late - early) / 2;

		if (offset_at(clock, middle) == before)
			early = middle;
		else
			late = middle;
	}
	return late;
}

int64_t
local_clock_to_utc(const struct local_clock *clock, int64_t local_s)
{
	int64_t before = offset_at(clock, local_s - DAY_S);
	int64_t after = offset_at(clock, local_s + DAY_S);

	if (offset_at(clock, local_s - before) == before)
		return local_s - before; /* of two the first */
	if (offset_at(clock, local_s - after) == after)
		return local_s - after;
	return find_change(clock, local_s - DAY_S, local_s + DAY_S);
}
