#include "ingress/wheel.h"

#include <string.h>

void
wheel_init(struct wheel *wheel, int64_t now_us)
{
	wheel->tick = now_us / WHEEL_TICK_US;
	for (unsigned i = 0; i < WHEEL_BUCKETS; i++)
		TAILQ_INIT(&wheel->buckets[i]);
}

void
wheel_remove(struct wheel *wheel, struct wheel_entry *entry)
{
	if (entry->bucket == 0)
		return;
	TAILQ_REMOVE(&wheel->buckets[entry->bucket - 1], entry, link);
	entry->bucket = 0;
}

void
wheel_set(struct wheel *wheel, struct wheel_entry *entry, int64_t deadline_us)
{
	int64_t tick = deadline_us / WHEEL_TICK_US + 1;

	wheel_remove(wheel, entry);
	if (deadline_us == INT64_MAX)
		return;
	if (tick <= wheel->tick)
		tick = wheel->tick + 1;
	if (tick >= wheel->tick + WHEEL_BUCKETS)
		tick = wheel->tick + WHEEL_BUCKETS - 1;
	entry->bucket = (unsigned)(tick % WHEEL_BUCKETS) + 1;
	TAILQ_INSERT_TAIL(&wheel->buckets[entry->bucket - 1], entry, link);
}

static void
look_at_bucket(struct wheel *wheel, unsigned index, wheel_fn fn, void *context)
{
	struct wheel_bucket due = TAILQ_HEAD_INITIALIZER(due);
	struct wheel_entry *entry;

	TAILQ_CONCAT(&due, &wheel->buckets[index], link);
	while ((entry = TAILQ_FIRST(&due))) {
		TAILQ_REMOVE(&due, entry, link);
		entry->bucket = 0;
		fn(context, entry);
	}
}

void
wheel_advance(struct wheel *wheel, int64_t now_us, wheel_fn fn, void *context)
{
	int64_t tick = now_us / WHEEL_TICK_US;

	if (tick - wheel->tick > WHEEL_BUCKETS)
		wheel->tick = tick - WHEEL_BUCKETS;
	while (wheel->tick < tick) {
		wheel->tick++;
		look_at_bucket(wheel, (unsigned)(wheel->tick % WHEEL_BUCKETS),
		    fn, context);
	}
}
