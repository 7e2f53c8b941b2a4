#include "dispatch/number.h"

#include <stdlib.h>
#include <string.h>

void
number_close(struct number_table *table)
{
	free(table->rows);
	memset(table, 0, sizeof(*table));
}

static int
grow(struct number_table *table)
{
	size_t size = table->size ? 2 * table->size : 16;
	struct number *rows = realloc(table->rows, size * sizeof(rows[0]));

	if (!rows)
		return -1;
	table->rows = rows;
	table->size = size;
	return 0;
}

struct number *
number_of(struct number_table *table, uint64_t receiver_id)
{
	size_t low = 0, high = table->count;

	while (low < high) {
		size_t middle = (low + high) / 2;

		if (table->rows[middle].receiver_id < receiver_id)
			low = middle + 1;
		else
			high = middle;
	}
	if (low < table->count && table->rows[low].receiver_id == receiver_id)
		return &table->rows[low];
	if (table->count == table->size && grow(table) < 0)
		return NULL;
	memmove(&table->rows[low + 1], &table->rows[low],
	    (table->count - low) * sizeof(table->rows[0]));
	table->rows[low] = (struct number){ receiver_id, 0 };
	table->count++;
	return &table->rows[low];
}
