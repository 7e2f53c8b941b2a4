#include "watch/told.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/hash.h"

#define PLACES_MIN 64

void
told_close(struct told_table *table)
{
	free(table->places);
	memset(table, 0, sizeof(*table));
}

/* Its place, or the one it would have. */
static struct told *
find(const struct told_table *table, uint64_t bridge_id)
{
	size_t i = hash_number(bridge_id) & (table->size - 1);

	while (table->places[i].bridge_id != 0 &&
	    table->places[i].bridge_id != bridge_id)
		i = (i + 1) & (table->size - 1);
	return &table->places[i];
}

static int
grow(struct told_table *table)
{
	struct told_table grown = {
		.size = table->size ? 2 * table->size : PLACES_MIN,
		.used = table->used,
	};

	grown.places = calloc(grown.size, sizeof(*grown.places));
	if (!grown.places)
		return -ENOMEM;
	for (size_t i = 0; i < table->size; i++)
		if (table->places[i].bridge_id != 0)
			*find(&grown, table->places[i].bridge_id) =
			    table->places[i];
	free(table->places);
	*table = grown;
	return 0;
}

uint8_t
told_get(const struct told_table *table, uint64_t bridge_id)
{
	return table->size > 0 ? find(table, bridge_id)->bits : 0;
}

int
told_put(struct told_table *table, uint64_t bridge_id, uint8_t bits)
{
	struct told *place;

	if (bits == 0 && told_get(table, bridge_id) == 0)
		return 0;
	if (2 * (table->used + 1) > table->size && grow(table) < 0)
		return -ENOMEM;
	place = find(table, bridge_id);
	table->used += place->bridge_id == 0;
	*place = (struct told){ bridge_id, bits };
	return 0;
}
