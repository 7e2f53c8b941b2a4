#include "dispatch/parked.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

void
parked_close(struct parked_list *list)
{
	free(list->entries);
	memset(list, 0, sizeof(*list));
}

/* Where the delivery stands, or would. */
static size_t
place_of(const struct parked_list *list, uint64_t decision_lsn, unsigned index)
{
	size_t low = 0, high = list->count;

	while (low < high) {
		size_t middle = (low + high) / 2;
		const struct parked_entry *entry = &list->entries[middle];

		if (entry->decision_lsn < decision_lsn ||
		    (entry->decision_lsn == decision_lsn &&
			entry->index < index))
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

static bool
stands_at(const struct parked_list *list, size_t place, uint64_t decision_lsn,
    unsigned index)
{
	return place < list->count &&
	    list->entries[place].decision_lsn == decision_lsn &&
	    list->entries[place].index == index;
}

static int
grow(struct parked_list *list)
{
	size_t size = list->size ? 2 * list->size : 64;
	struct parked_entry *entries =
	    realloc(list->entries, size * sizeof(entries[0]));

	if (!entries)
		return -ENOMEM;
	list->entries = entries;
	list->size = size;
	return 0;
}

int
parked_put(struct parked_list *list, const struct parked_entry *entry)
{
	size_t place = place_of(list, entry->decision_lsn, entry->index);

	if (stands_at(list, place, entry->decision_lsn, entry->index)) {
		list->requeued -= list->entries[place].requeued;
	} else {
		if (list->count == list->size && grow(list) < 0)
			return -ENOMEM;
		memmove(&list->entries[place + 1], &list->entries[place],
		    (list->count - place) * sizeof(list->entries[0]));
		list->count++;
	}
	list->entries[place] = *entry;
	list->requeued += entry->requeued;
	return 0;
}

void
parked_remove(struct parked_list *list, uint64_t decision_lsn, unsigned index)
{
	size_t place = place_of(list, decision_lsn, index);

	if (!stands_at(list, place, decision_lsn, index))
		return;
	list->requeued -= list->entries[place].requeued;
	list->count--;
	memmove(&list->entries[place], &list->entries[place + 1],
	    (list->count - place) * sizeof(list->entries[0]));
}

uint64_t
parked_oldest(const struct parked_list *list)
{
	return list->count > 0 ? list->entries[0].decision_lsn : UINT64_MAX;
}
