/*
 * Open addressing over pointers, one writer, readers that never lock. A slot
 * is empty, removed, or points at an object; the table does not know what is
 * in it: a reader walks the slots a hash leads to and compares by itself.
 *
 *	walk = table_walk(table, hash);
 *	while ((object = table_next(&walk)))
 *		if (it is the one) ...
 *
 * Beside each slot stands a byte of its object's hash, so that a walk does not
 * have to touch the objects it only passes. It is written before the slot and
 * never again: a slot is used for one hash as long as the array lives.
 *
 * Growing makes a new array and puts it in the old one's place; the old one
 * is handed to the caller, who frees it when no reader can be in it.
 */
#ifndef DIRECTORY_TABLE_H
#define DIRECTORY_TABLE_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct object;
typedef _Atomic(struct object *) table_slot;

struct table_array {
	struct table_array *next_retired;
	size_t count; /* of the slots, below 2^32 */
	table_slot slots[];
};

struct table {
	_Atomic(struct table_array *) array;
	size_t count; /* objects in it; this and the rest: the writer's */
	size_t used;  /* count and the removed, which fill slots too */
};

/* Not a place: an object was here, look further. */
extern struct object table_removed;

struct table_walk {
	struct table_array *array;
	size_t position;
	uint8_t tag;
};

/* Behind the slots. */
static inline _Atomic uint8_t *
table_tags(struct table_array *array)
{
	return (_Atomic uint8_t *)&array->slots[array->count];
}

static inline uint8_t
table_tag(uint64_t hash)
{
	return (uint8_t)hash; /* positions come from the high bits */
}

static inline size_t
table_position(const struct table_array *array, uint64_t hash)
{
	return (size_t)((hash >> 32) * array->count >> 32);
}

static inline size_t
table_behind(const struct table_array *array, size_t position)
{
	return position + 1 == array->count ? 0 : position + 1;
}

static inline struct table_walk
table_walk(const struct table *table, uint64_t hash)
{
	struct table_array *array =
	    atomic_load_explicit(&table->array, memory_order_acquire);

	return (struct table_walk){ array,
		array ? table_position(array, hash) : 0, table_tag(hash) };
}

/* The next object this hash may mean; NULL: no further one. */
static inline struct object *
table_next(struct table_walk *walk)
{
	while (walk->array) {
		size_t position = walk->position;
		struct object *object =
		    atomic_load_explicit(&walk->array->slots[position],
			memory_order_acquire);

		if (!object)
			return NULL;
		walk->position = table_behind(walk->array, position);
		if (object != &table_removed &&
		    atomic_load_explicit(&table_tags(walk->array)[position],
			memory_order_relaxed) == walk->tag)
			return object;
	}
	return NULL;
}

/* What is at this place, NULL: nothing; false: there is no such place. For who
 * looks at every object over a time in which the table may change. */
bool table_at(const struct table *table, size_t position, struct object **ret);

/* ---- the writer's side ---- */

typedef uint64_t (*table_hash_fn)(const void *context,
    const struct object *object);

/*
 * Make room for so many more objects: after it table_insert cannot fail. 0, or
 * -ENOMEM with nothing changed. An array that was replaced is put at the front
 * of *retired.
 */
int table_reserve(struct table *table, size_t more, table_hash_fn hash,
    const void *context, void *(*allocate)(size_t),
    struct table_array **retired);
void table_insert(struct table *table, uint64_t hash, struct object *object);
/* The object must be in the table under this hash. */
void table_remove(struct table *table, uint64_t hash, struct object *object);
void table_replace(struct table *table, uint64_t hash, struct object *before,
    struct object *after);

/* Every object, in no order. */
typedef void (*table_each_fn)(void *context, struct object *object);
void table_each(const struct table *table, table_each_fn fn, void *context);

size_t table_bytes(const struct table *table);
/* Frees the array, not the objects. No reader may be left. */
void table_close(struct table *table);

#endif
