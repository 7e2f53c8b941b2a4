#include "directory/table.h"

#include <assert.h>
#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "directory/object.h"

#define SLOTS_MIN 16

struct object table_removed;

static struct table_array *
writers_array(const struct table *table)
{
	return atomic_load_explicit(&table->array, memory_order_relaxed);
}

static table_slot *
find_slot(struct table_array *array, uint64_t hash, const struct object *object)
{
	for (size_t i = table_position(array, hash);;
	     i = table_behind(array, i)) {
		struct object *here = atomic_load_explicit(&array->slots[i],
		    memory_order_relaxed);

		if (here == object)
			return &array->slots[i];
		/* an empty slot ends every run: it cannot be missing */
		assert(here);
	}
}

/* Into the first empty slot of the hash. */
static void
put(struct table_array *array, uint64_t hash, struct object *object,
    memory_order order)
{
	table_slot *slot = find_slot(array, hash, NULL);

	atomic_store_explicit(&table_tags(array)[slot - array->slots],
	    table_tag(hash), memory_order_relaxed);
	atomic_store_explicit(slot, object, order);
}

static size_t
array_bytes(size_t slots)
{
	return sizeof(struct table_array) +
	    slots * (sizeof(table_slot) + sizeof(uint8_t));
}

/* At most three quarters full, so that a walk soon meets an empty slot; with
 * room for some more, so that it does not grow again at once. */
static size_t
slots_for(size_t objects)
{
	return SLOTS_MIN + objects / 2 * 3;
}

static bool
has_room(const struct table *table, const struct table_array *array,
    size_t more)
{
	return array && table->used + more <= array->count / 4 * 3;
}

int
table_reserve(struct table *table, size_t more, table_hash_fn hash,
    const void *context, void *(*allocate)(size_t),
    struct table_array **retired)
{
	struct table_array *old = writers_array(table), *grown;
	size_t slots;

	if (has_room(table, old, more))
		return 0;
	slots = slots_for(table->count + more);
	grown = allocate(array_bytes(slots));
	if (!grown)
		return -ENOMEM;
	memset(grown, 0, array_bytes(slots));
	grown->count = slots;
	for (size_t i = 0; old && i < old->count; i++) {
		struct object *object =
		    atomic_load_explicit(&old->slots[i], memory_order_relaxed);

		if (object && object != &table_removed)
			put(grown, hash(context, object), object,
			    memory_order_relaxed);
	}
	table->used = table->count;
	atomic_store_explicit(&table->array, grown, memory_order_release);
	if (old) {
		old->next_retired = *retired;
		*retired = old;
	}
	return 0;
}

void
table_insert(struct table *table, uint64_t hash, struct object *object)
{
	put(writers_array(table), hash, object, memory_order_release);
	table->count++;
	table->used++;
}

void
table_remove(struct table *table, uint64_t hash, struct object *object)
{
	atomic_store_explicit(find_slot(writers_array(table), hash, object),
	    &table_removed, memory_order_release);
	table->count--;
}

void
table_replace(struct table *table, uint64_t hash, struct object *before,
    struct object *after)
{
	atomic_store_explicit(find_slot(writers_array(table), hash, before),
	    after, memory_order_release);
}

void
table_each(const struct table *table, table_each_fn fn, void *context)
{
	struct table_array *array =
	    atomic_load_explicit(&table->array, memory_order_acquire);

	for (size_t i = 0; array && i < array->count; i++) {
		struct object *object = atomic_load_explicit(&array->slots[i],
		    memory_order_acquire);

		if (object && object != &table_removed)
			fn(context, object);
	}
}

size_t
table_bytes(const struct table *table)
{
	struct table_array *array = writers_array(table);

	return array ? array_bytes(array->count) : 0;
}

void
table_close(struct table *table)
{
	free(writers_array(table));
	atomic_store_explicit(&table->array, NULL, memory_order_relaxed);
	table->count = table->used = 0;
}

bool
table_at(const struct table *table, size_t position, struct object **ret)
{
	struct table_array *array =
	    atomic_load_explicit(&table->array, memory_order_acquire);
	struct object *object;

	if (!array || position >= array->count)
		return false;
	object =
	    atomic_load_explicit(&array->slots[position], memory_order_acquire);
	*ret = object == &table_removed ? NULL : object;
	return true;
}
