#include "watch/timer_wheel.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* A link is the number of an entry, or of a list with this bit. */
#define LIST	     UINT32_C(0x80000000)
#define LIST_DUE     (LIST | TIMER_WHEEL_BUCKETS)
#define LIST_WAITING (LIST | (TIMER_WHEEL_BUCKETS + 1))

static uint32_t *
next_of(struct timer_wheel *wheel, uint32_t link)
{
	return link & LIST ? &wheel->lists[link & ~LIST].next
			   : &wheel->entries[link].next;
}

static uint32_t *
previous_of(struct timer_wheel *wheel, uint32_t link)
{
	return link & LIST ? &wheel->lists[link & ~LIST].previous
			   : &wheel->entries[link].previous;
}

static void
append(struct timer_wheel *wheel, uint32_t list, uint32_t slot)
{
	uint32_t last = *previous_of(wheel, list);

	wheel->entries[slot].next = list;
	wheel->entries[slot].previous = last;
	*next_of(wheel, last) = slot;
	*previous_of(wheel, list) = slot;
}

/* Everything of one list to the end of another. */
static void
splice(struct timer_wheel *wheel, uint32_t from, uint32_t to)
{
	uint32_t first = *next_of(wheel, from), last;

	if (first == from)
		return;
	last = *previous_of(wheel, from);
	*next_of(wheel, *previous_of(wheel, to)) = first;
	*previous_of(wheel, first) = *previous_of(wheel, to);
	*next_of(wheel, last) = to;
	*previous_of(wheel, to) = last;
	*next_of(wheel, from) = *previous_of(wheel, from) = from;
}

static uint32_t
take_first(struct timer_wheel *wheel, uint32_t list)
{
	uint32_t slot = *next_of(wheel, list);

	if (slot == list)
		return 0;
	timer_wheel_remove(wheel, slot);
	return slot;
}

static uint64_t
tick_of(int64_t us)
{
	return us > 0 ? (uint64_t)us / TIMER_WHEEL_TICK_US : 0;
}

void
timer_wheel_open(struct timer_wheel *wheel, int64_t now_us)
{
	memset(wheel, 0, sizeof(*wheel));
	wheel->tick = tick_of(now_us);
	for (uint32_t i = 0; i < TIMER_WHEEL_BUCKETS + 2; i++)
		wheel->lists[i].next = wheel->lists[i].previous = LIST | i;
}

void
timer_wheel_close(struct timer_wheel *wheel)
{
	free(wheel->entries);
	wheel->entries = NULL;
	wheel->size = 0;
}

int
timer_wheel_reserve(struct timer_wheel *wheel, uint32_t slots)
{
	/* some more, so that one bridge after the other is no copy each */
	uint32_t size = slots + 1 + slots / 8;
	struct timer_wheel_entry *entries;

	if (slots < wheel->size)
		return 0;
	entries = realloc(wheel->entries, size * sizeof(*entries));
	if (!entries)
		return -ENOMEM;
	memset(entries + wheel->size, 0,
	    (size - wheel->size) * sizeof(*entries));
	wheel->entries = entries;
	wheel->size = size;
	return 0;
}

void
timer_wheel_set(struct timer_wheel *wheel, uint32_t slot, int64_t deadline_us)
{
	uint64_t tick = tick_of(deadline_us + TIMER_WHEEL_TICK_US - 1);

	if (tick <= wheel->tick)
		tick = wheel->tick + 1;
	if (tick > wheel->tick + TIMER_WHEEL_BUCKETS)
		tick = wheel->tick + TIMER_WHEEL_BUCKETS;
	timer_wheel_remove(wheel, slot);
	append(wheel, LIST | (uint32_t)(tick % TIMER_WHEEL_BUCKETS), slot);
}

void
timer_wheel_wait(struct timer_wheel *wheel, uint32_t slot)
{
	timer_wheel_remove(wheel, slot);
	append(wheel, LIST_WAITING, slot);
}

void
timer_wheel_remove(struct timer_wheel *wheel, uint32_t slot)
{
	struct timer_wheel_entry *entry = &wheel->entries[slot];

	if (entry->next == 0)
		return;
	*next_of(wheel, entry->previous) = entry->next;
	*previous_of(wheel, entry->next) = entry->previous;
	entry->next = entry->previous = 0;
}

void
timer_wheel_advance(struct timer_wheel *wheel, int64_t now_us)
{
	uint64_t now = tick_of(now_us);

	/* after a long stop once round is enough */
	if (now > wheel->tick + TIMER_WHEEL_BUCKETS)
		wheel->tick = now - TIMER_WHEEL_BUCKETS;
	while (wheel->tick < now) {
		wheel->tick++;
		splice(wheel,
		    LIST | (uint32_t)(wheel->tick % TIMER_WHEEL_BUCKETS),
		    LIST_DUE);
	}
}

uint32_t
timer_wheel_next_due(struct timer_wheel *wheel)
{
	return take_first(wheel, LIST_DUE);
}

uint32_t
timer_wheel_next_waiting(struct timer_wheel *wheel)
{
	return take_first(wheel, LIST_WAITING);
}

bool
timer_wheel_is_due(const struct timer_wheel *wheel)
{
	return wheel->lists[TIMER_WHEEL_BUCKETS].next != LIST_DUE;
}
