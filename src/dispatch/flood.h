/*
 * Bridges that run away: how many events of each were raised within a minute of
 * the clock. From the limit on they are cut, and when the minute is over one
 * event tells how many. A function of the journal's decisions since that minute
 * began, so a replay may begin with any one before.
 *
 * Bounded: of so many bridges that are busy at once that there is no place,
 * some are not counted, and so not cut.
 */
#ifndef DISPATCH_FLOOD_H
#define DISPATCH_FLOOD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct flood {
	uint64_t bridge_id;	   /* 0: free */
	int64_t began_us;	   /* the minute */
	int64_t first_us, last_us; /* that was cut */
	uint32_t raised, cut;
};

struct flood_table {
	struct flood *places; /* NULL: no limit */
	uint32_t limit;
	/* those of which some was cut and not told yet */
	struct flood **cut;
	size_t cut_count;
};

/* limit 0: nothing is counted. 0 or -ENOMEM. */
int flood_open(struct flood_table *table, uint32_t limit);
void flood_close(struct flood_table *table);

/* As many of this bridge were raised as may be. */
bool flood_reached(const struct flood_table *table, uint64_t bridge_id,
    int64_t at_us);
/* An event of it was raised, or cut. */
void flood_note(struct flood_table *table, uint64_t bridge_id, int64_t at_us,
    bool cut);
/* The first, by minute and bridge, whose minute is over at this time and that is
 * to be told. NULL: none. */
const struct flood *flood_due(const struct flood_table *table, int64_t at_us);
void flood_told(struct flood_table *table, uint64_t bridge_id);
/* When the first of them is; INT64_MAX: there is none. */
int64_t flood_next_us(const struct flood_table *table);
/* A replay that begins with this time counts the present minute whole, and what
 * is to be told. */
int64_t flood_needed_us(const struct flood_table *table, int64_t now_us);

#endif
