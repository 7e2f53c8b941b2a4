#include "dispatch/open_list.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define COMPACT_AT 65536

void
open_list_close(struct open_list *list)
{
	free(list->entries);
	memset(list, 0, sizeof(*list));
}

static void
compact(struct open_list *list)
{
	size_t kept = 0;

	for (size_t i = 0; i < list->count; i++)
		if (list->entries[i].state != OPEN_FINISHED)
			list->entries[kept++] = list->entries[i];
	list->count = kept;
	list->finished = 0;
}

int
open_list_add(struct open_list *list, const struct open_entry *entry)
{
	if (list->finished > COMPACT_AT && list->finished > list->count / 2)
		compact(list);
	if (list->count == list->size) {
		size_t size = list->size ? 2 * list->size : 1024;
		struct open_entry *entries =
		    realloc(list->entries, size * sizeof(entries[0]));

		if (!entries)
			return -ENOMEM;
		list->entries = entries;
		list->size = size;
	}
	list->entries[list->count++] = *entry;
	return 0;
}

struct open_entry *
open_list_find(struct open_list *list, uint64_t decision_lsn, unsigned index)
{
	size_t low = 0, high = list->count;

	while (low < high) {
		size_t middle = (low + high) / 2;

		if (list->entries[middle].decision_lsn < decision_lsn)
			low = middle + 1;
		else
			high = middle;
	}
	for (; low < list->count &&
	     list->entries[low].decision_lsn == decision_lsn;
	     low++)
		if (list->entries[low].index == index)
			return list->entries[low].state == OPEN_FINISHED
			    ? NULL
			    : &list->entries[low];
	return NULL;
}

void
open_list_apply(struct open_list *list, const struct outcome *outcome,
    uint64_t outcome_lsn)
{
	struct open_entry *entry =
	    open_list_find(list, outcome->decision_lsn, outcome->index);

	if (!entry)
		return;
	switch (outcome->state) {
	case OUTCOME_DELIVERED:
	case OUTCOME_SKIPPED:
		entry->state = OPEN_FINISHED;
		list->finished++;
		return;
	case OUTCOME_PARKED:
		entry->state = OPEN_PARKED;
		entry->outcome_lsn = outcome_lsn;
		return;
	case OUTCOME_REQUEUED:
		entry->state = OPEN_WAITING;
		entry->outcome_lsn = outcome_lsn;
		return;
	}
}

/* What was put back goes out behind what was not yet sent. */
static uint64_t
sending_order(const struct open_entry *entry)
{
	return entry->state == OPEN_WAITING && entry->outcome_lsn > 0
	    ? entry->outcome_lsn
	    : entry->decision_lsn;
}

static int
compare_sending_order(const void *left, const void *right)
{
	const struct open_entry *a = left, *b = right;
	uint64_t order_a = sending_order(a), order_b = sending_order(b);

	if (order_a != order_b)
		return order_a < order_b ? -1 : 1;
	return (int)a->index - (int)b->index;
}

void
open_list_settle(struct open_list *list)
{
	compact(list);
	if (list->count > 0)
		qsort(list->entries, list->count, sizeof(list->entries[0]),
		    compare_sending_order);
}
