/*
 * What a table points at: a header and the public struct behind it, with its
 * strings and arrays, in one allocation. Immutable once a reader can see it,
 * except `next`, which only the writer looks at. Internal to src/directory.
 */
#ifndef DIRECTORY_OBJECT_H
#define DIRECTORY_OBJECT_H

#include "directory/directory.h"
#include "directory/names.h"

/* Which of the tables. In the snapshot file: never renumber. */
enum object_kind {
	OBJECT_ZONE_TYPE = 0,
	OBJECT_DEALER = 1,
	OBJECT_RECEIVER = 2,
	OBJECT_STATION = 3,
	OBJECT_SITE = 4,
	OBJECT_BRIDGE = 5,
	OBJECT_CHANNEL = 6,
	OBJECT_SCHEDULE = 7,
	OBJECT_DESTINATIONS = 8,
};
#define OBJECT_KINDS 9

struct object {
	struct object *next; /* in a batch, or waiting to be freed */
	uint32_t bytes;	     /* of the allocation, header included */
	uint8_t kind;	     /* enum object_kind */
	bool removal;	     /* nothing but the id: it goes away */
	uint64_t content[];  /* every struct but a zone type's begins with its
			      * id */
};

/* The public struct in an object. */
static inline const void *
object_content(const struct object *object)
{
	return object->content;
}

static inline uint64_t
object_id(const struct object *object)
{
	if (object->kind == OBJECT_ZONE_TYPE && !object->removal)
		return ((const struct directory_zone_type *)
			    object_content(object))
		    ->number;
	return object->content[0];
}

static inline const struct directory_bridge *
object_bridge(const struct object *object)
{
	return object_content(object);
}

/* While only the writer can see it. */
static inline void
object_set_slot(struct object *object, uint32_t slot)
{
	((struct directory_bridge *)(void *)object->content)->slot = slot;
}

typedef void *(*object_allocate_fn)(size_t bytes);

/* A copy of the public struct of that kind, whose id it has; NULL content: a
 * removal. Shared names are used in names. NULL when out of memory. */
struct object *object_create(enum object_kind kind, uint64_t id,
    const void *content, struct names *names, object_allocate_fn allocate);
void object_free(struct object *object, struct names *names);
/* The texts in names that it uses. */
size_t object_shared_bytes(const struct object *object);
/* Every object of a list linked by next. */
void object_free_list(struct object *list, struct names *names);

#endif
