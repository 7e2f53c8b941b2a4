#include "dispatch/flood.h"

#include <errno.h>
#include <stdlib.h>

#include "base/hash.h"

#define PLACES	  65536
#define WAYS	  4
#define MINUTE_US INT64_C(60000000)
#define CUT_MAX	  1024 /* bridges that run away at once */

int
flood_open(struct flood_table *table, uint32_t limit)
{
	*table = (struct flood_table){ .limit = limit };
	if (limit == 0)
		return 0;
	table->places = calloc(PLACES, sizeof(table->places[0]));
	table->cut = calloc(CUT_MAX, sizeof(table->cut[0]));
	if (!table->places || !table->cut) {
		flood_close(table);
		return -ENOMEM;
	}
	return 0;
}

void
flood_close(struct flood_table *table)
{
	free(table->places);
	free(table->cut);
	table->places = NULL;
	table->cut = NULL;
}

static struct flood *
find(const struct flood_table *table, uint64_t bridge_id)
{
	struct flood *ways;

	if (!table->places || bridge_id == 0)
		return NULL;
	ways = &table->places[hash_number(bridge_id) & (PLACES - WAYS)];
	for (unsigned i = 0; i < WAYS; i++)
		if (ways[i].bridge_id == bridge_id)
			return &ways[i];
	return NULL;
}

static bool
is_over(const struct flood *flood, int64_t at_us)
{
	return at_us >= flood->began_us + MINUTE_US ||
	    at_us < flood->began_us - MINUTE_US;
}

static int64_t
minute_of(int64_t at_us)
{
	return at_us - at_us % MINUTE_US;
}

/* A place that nobody needs any more. NULL: none. */
static struct flood *
make(struct flood_table *table, uint64_t bridge_id, int64_t at_us)
{
	struct flood *ways =
	    &table->places[hash_number(bridge_id) & (PLACES - WAYS)];

	for (unsigned i = 0; i < WAYS; i++)
		if (ways[i].bridge_id == 0 ||
		    (ways[i].cut == 0 && is_over(&ways[i], at_us)))
			return &ways[i];
	return NULL;
}

bool
flood_reached(const struct flood_table *table, uint64_t bridge_id,
    int64_t at_us)
{
	const struct flood *flood = find(table, bridge_id);

	return flood && !is_over(flood, at_us) &&
	    flood->raised >= table->limit &&
	    (flood->cut > 0 || table->cut_count < CUT_MAX);
}

void
flood_note(struct flood_table *table, uint64_t bridge_id, int64_t at_us,
    bool cut)
{
	struct flood *flood = find(table, bridge_id);

	if (!table->places || bridge_id == 0)
		return;
	/* what was cut is told before its minute is forgotten */
	if (!flood || (is_over(flood, at_us) && flood->cut == 0)) {
		if (!flood)
			flood = make(table, bridge_id, at_us);
		if (!flood)
			return;
		*flood = (struct flood){ .bridge_id = bridge_id,
			.began_us = minute_of(at_us) };
	}
	if (!cut) {
		flood->raised++;
		return;
	}
	if (flood->cut == 0) {
		if (table->cut_count == CUT_MAX)
			return;
		table->cut[table->cut_count++] = flood;
		flood->first_us = at_us;
	}
	flood->cut++;
	flood->last_us = at_us;
}

static bool
goes_before(const struct flood *a, const struct flood *b)
{
	if (a->began_us != b->began_us)
		return a->began_us < b->began_us;
	return a->bridge_id < b->bridge_id;
}

const struct flood *
flood_due(const struct flood_table *table, int64_t at_us)
{
	const struct flood *first = NULL;

	for (size_t i = 0; i < table->cut_count; i++)
		if (is_over(table->cut[i], at_us) &&
		    (!first || goes_before(table->cut[i], first)))
			first = table->cut[i];
	return first;
}

void
flood_told(struct flood_table *table, uint64_t bridge_id)
{
	for (size_t i = 0; i < table->cut_count; i++) {
		if (table->cut[i]->bridge_id != bridge_id)
			continue;
		table->cut[i]->cut = 0;
		table->cut[i] = table->cut[--table->cut_count];
		return;
	}
}

int64_t
flood_next_us(const struct flood_table *table)
{
	int64_t next_us = INT64_MAX;

	for (size_t i = 0; i < table->cut_count; i++)
		if (table->cut[i]->began_us + MINUTE_US < next_us)
			next_us = table->cut[i]->began_us + MINUTE_US;
	return next_us;
}

int64_t
flood_needed_us(const struct flood_table *table, int64_t now_us)
{
	int64_t needed_us = minute_of(now_us), next_us = flood_next_us(table);

	if (!table->places)
		return now_us;
	return next_us - MINUTE_US < needed_us ? next_us - MINUTE_US
					       : needed_us;
}
