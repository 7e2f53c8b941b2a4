#include "dispatch/waiting.h"

#include <errno.h>
#include <stdlib.h>

#include "base/hash.h"

#define PLACES_FIRST 256

/* ---- the heap ------------------------------------------------------------------- */

static bool
goes_before(const struct waiting *a, const struct waiting *b)
{
	if (a->due_us != b->due_us)
		return a->due_us < b->due_us;
	/* an alarm before its restore, which is a later signal */
	if (a->signal_lsn != b->signal_lsn)
		return a->signal_lsn < b->signal_lsn;
	return a->item < b->item;
}

static void
stand_at(struct waiting_list *list, struct waiting *waiting, size_t place)
{
	list->heap[place] = waiting;
	waiting->place = place;
}

static void
rise(struct waiting_list *list, struct waiting *waiting, size_t place)
{
	while (place > 1 && goes_before(waiting, list->heap[place / 2])) {
		stand_at(list, list->heap[place / 2], place);
		place /= 2;
	}
	stand_at(list, waiting, place);
}

static void
sink(struct waiting_list *list, struct waiting *waiting, size_t place)
{
	for (;;) {
		size_t child = 2 * place;

		if (child < list->heap_count &&
		    goes_before(list->heap[child + 1], list->heap[child]))
			child++;
		if (child > list->heap_count ||
		    !goes_before(list->heap[child], waiting))
			break;
		stand_at(list, list->heap[child], place);
		place = child;
	}
	stand_at(list, waiting, place);
}

static void
heap_take_out(struct waiting_list *list, struct waiting *waiting)
{
	size_t place = waiting->place;
	struct waiting *last = list->heap[list->heap_count--];

	waiting->place = 0;
	if (last == waiting)
		return;
	rise(list, last, place);
	sink(list, last, last->place);
}

static int
heap_reserve(struct waiting_list *list)
{
	size_t size = list->heap_size ? 2 * list->heap_size : PLACES_FIRST;
	struct waiting **heap;

	/* settling ones may come back: room for all of them */
	if (list->count + 2 < list->heap_size)
		return 0;
	heap = realloc(list->heap, size * sizeof(heap[0]));
	if (!heap)
		return -ENOMEM;
	list->heap = heap;
	list->heap_size = size;
	return 0;
}

/* ---- by site ----------------------------------------------------------------------- */

static struct waiting **
chain_of(const struct waiting_list *list, uint64_t site_id)
{
	return &list->places[hash_number(site_id) & (list->size - 1)];
}

/* At its end: an alarm stands before its restore. */
static void
chain(struct waiting_list *list, struct waiting *waiting)
{
	struct waiting **end = chain_of(list, waiting->site_id);

	while (*end)
		end = &(*end)->next;
	waiting->next = NULL;
	*end = waiting;
}

static int
grow(struct waiting_list *list)
{
	size_t size = list->size ? 2 * list->size : PLACES_FIRST;
	struct waiting **places = calloc(size, sizeof(places[0]));
	struct waiting *waiting;

	if (!places)
		return -ENOMEM;
	free(list->places);
	list->places = places;
	list->size = size;
	TAILQ_FOREACH(waiting, &list->by_age, by_age)
		chain(list, waiting);
	return 0;
}

struct waiting *
waiting_of_site(const struct waiting_list *list, uint64_t site_id,
    const struct waiting *before)
{
	struct waiting *waiting =
	    before ? before->next : *chain_of(list, site_id);

	while (waiting && waiting->site_id != site_id)
		waiting = waiting->next;
	return waiting;
}

struct waiting *
waiting_find(const struct waiting_list *list, uint64_t site_id,
    uint64_t signal_lsn, unsigned item)
{
	struct waiting *waiting = waiting_of_site(list, site_id, NULL);

	while (waiting &&
	    (waiting->signal_lsn != signal_lsn || waiting->item != item))
		waiting = waiting_of_site(list, site_id, waiting);
	return waiting;
}

/* ---- life --------------------------------------------------------------------------- */

int
waiting_open(struct waiting_list *list)
{
	TAILQ_INIT(&list->by_age);
	return grow(list);
}

void
waiting_close(struct waiting_list *list)
{
	struct waiting *waiting;

	while (list->places && (waiting = TAILQ_FIRST(&list->by_age)))
		waiting_remove(list, waiting);
	free(list->places);
	free(list->heap);
	free(list->spare);
	list->spare = NULL;
	list->places = NULL;
	list->heap = NULL;
}

int
waiting_reserve(struct waiting_list *list)
{
	if (!list->spare)
		list->spare = malloc(sizeof(*list->spare));
	if (!list->spare || (list->count >= list->size && grow(list) < 0))
		return -ENOMEM;
	return heap_reserve(list);
}

static void
push(struct waiting_list *list, struct waiting *waiting)
{
	rise(list, waiting, ++list->heap_count);
}

void
waiting_put(struct waiting_list *list, const struct waiting *waiting)
{
	struct waiting *found = waiting_find(list, waiting->site_id,
	    waiting->signal_lsn, waiting->item);

	if (found) {
		if (found->place)
			heap_take_out(list, found);
		found->deadline_us = waiting->deadline_us;
		found->due_us = waiting->due_us;
		push(list, found);
		return;
	}
	found = list->spare;
	list->spare = NULL;
	*found = *waiting;
	TAILQ_INSERT_TAIL(&list->by_age, found, by_age);
	list->count++;
	chain(list, found);
	push(list, found);
}

void
waiting_settle(struct waiting_list *list, struct waiting *waiting)
{
	if (waiting->place)
		heap_take_out(list, waiting);
}

void
waiting_remove(struct waiting_list *list, struct waiting *waiting)
{
	struct waiting **at = chain_of(list, waiting->site_id);

	waiting_settle(list, waiting);
	while (*at != waiting)
		at = &(*at)->next;
	*at = waiting->next;
	TAILQ_REMOVE(&list->by_age, waiting, by_age);
	list->count--;
	free(waiting);
}

uint64_t
waiting_oldest(const struct waiting_list *list)
{
	const struct waiting *first = TAILQ_FIRST(&list->by_age);

	return first ? first->signal_lsn : UINT64_MAX;
}
