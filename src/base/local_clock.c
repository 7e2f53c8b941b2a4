#include "base/local_clock.h"

#include <errno.h>
#include <glib.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

/* No clock is set forward and back within this. */
#define DAY_S 86400
/* What schedules ask about: 2020 to 2060. */
#define TABLE_BEGINS_S INT64_C(1577836800)
#define TABLE_ENDS_S   INT64_C(2840140800)

/* From then on the clock is so far ahead of UTC. */
struct offset {
	int64_t from_s, offset_s;
};

struct local_clock {
	struct local_clock *next;
	GTimeZone *zone;
	/* From TABLE_BEGINS_S on, in their order; never changed once the clock can
   * be found. GLib finds the same, but goes
	 * through all changes since 1900. */
	struct offset *offsets;
	size_t offset_count;
	char name[];
};

/* ---- offsets
 * ------------------------------------------------------------------------- */

static int64_t
ask_offset(const struct local_clock *clock, int64_t utc_s)
{
	gint interval = g_time_zone_find_interval(clock->zone,
	    G_TIME_TYPE_UNIVERSAL, utc_s);

	return g_time_zone_get_offset(clock->zone, interval);
}

static int64_t
offset_at(const struct local_clock *clock, int64_t utc_s)
{
	size_t low = 0, high = clock->offset_count;

	if (utc_s < TABLE_BEGINS_S || utc_s >= TABLE_ENDS_S)
		return ask_offset(clock, utc_s);
	while (high - low > 1) {
		size_t middle = (low + high) / 2;

		if (clock->offsets[middle].from_s <= utc_s)
			low = middle;
		else
			high = middle;
	}
	return clock->offsets[low].offset_s;
}

/* The moment in (early, late] at which the offset becomes another. */
static int64_t
find_change(const struct local_clock *clock, int64_t early, int64_t late)
{
	int64_t before = ask_offset(clock, early);

	while (late - early > 1) {
		int64_t middle = early + (late - early) / 2;

		if (ask_offset(clock, middle) == before)
			early = middle;
		else
			late = middle;
	}
	return late;
}

/* ---- clocks
 * -------------------------------------------------------------------------- */

static int
add_offset(struct local_clock *clock, int64_t from_s, int64_t offset_s)
{
	size_t count = clock->offset_count;
	struct offset *offsets = clock->offsets;

	if ((count & (count - 1)) == 0) {
		offsets = realloc(offsets,
		    (count ? 2 * count : 1) * sizeof(offsets[0]));
		if (!offsets)
			return -ENOMEM;
		clock->offsets = offsets;
	}
	offsets[clock->offset_count++] = (struct offset){ from_s, offset_s };
	return 0;
}

static int
read_offsets(struct local_clock *clock)
{
	int64_t offset_s = ask_offset(clock, TABLE_BEGINS_S);
	int result = add_offset(clock, TABLE_BEGINS_S, offset_s);

	for (int64_t day_s = TABLE_BEGINS_S;
	     day_s < TABLE_ENDS_S && result == 0; day_s += DAY_S) {
		int64_t next_s = ask_offset(clock, day_s + DAY_S);

		if (next_s == offset_s)
			continue;
		offset_s = next_s;
		result = add_offset(clock,
		    find_change(clock, day_s, day_s + DAY_S), offset_s);
	}
	return result;
}

static void
free_clock(struct local_clock *clock)
{
	g_time_zone_unref(clock->zone);
	free(clock->offsets);
	free(clock);
}

static struct local_clock *
read_clock(const char *name)
{
	size_t bytes = strlen(name) + 1;
	GTimeZone *zone = g_time_zone_new_identifier(name);
	struct local_clock *clock =
	    zone ? calloc(1, sizeof(*clock) + bytes) : NULL;

	if (!clock) {
		if (zone)
			g_time_zone_unref(zone);
		return NULL;
	}
	clock->zone = zone;
	memcpy(clock->name, name, bytes);
	if (read_offsets(clock) < 0) {
		free_clock(clock);
		return NULL;
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

int64_t
local_clock_from_utc(const struct local_clock *clock, int64_t utc_s)
{
	return utc_s + offset_at(clock, utc_s);
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
