/*
 * One whole picture: a table per kind, and the bridges again by how they
 * signal. The writer changes it in place or puts another in its place.
 * Internal to src/directory.
 */
#ifndef DIRECTORY_PICTURE_H
#define DIRECTORY_PICTURE_H

#include "base/hash.h"
#include "directory/object.h"
#include "directory/table.h"

/* What a bridge names beside its account; a set of these is a number below
 * SENDER_SETS. */
enum sender_name {
	SENDER_LISTENER = 1,
	SENDER_LINE = 2,
	SENDER_RECEIVER = 4,
};
#define SENDER_SETS 8

/* Bridges by account without leading zeros and by what else they name. Which
 * sets of names occur at all is known, so that a look-up tries only those. */
struct sender_index {
	struct table table;
	_Atomic uint8_t sets; /* bit N: bridges with the set N exist */
	size_t set_counts[SENDER_SETS]; /* the writer's */
	/* Some bridge has or had an equal one, with accounts as they are and
	 * without their zeros: look-ups must look for a second. Stays until
	 * the next full load. */
	_Atomic bool equals, equals_stripped;
};

/* In id order. */
struct receiver_list {
	size_t count;
	const struct directory_receiver *items[];
};

struct picture {
	struct hash_key key; /* of account texts: strangers choose them */
	object_allocate_fn allocate;
	struct table by_id[OBJECT_KINDS];
	struct sender_index by_sender;
	_Atomic(struct receiver_list *) receivers; /* NULL: none */
	size_t bytes; /* of the objects in it; the writer's */
};

/* What the writer took out and no reader may hold any more before it is
 * freed. */
struct retired {
	struct object *objects;
	struct table_array *arrays;
};
void retired_free(struct retired *retired, struct names *names);

struct picture *picture_create(object_allocate_fn allocate);
/* With every object in it. */
void picture_close(struct picture **picture, struct names *names);

/* ---- any thread ---- */

const struct object *picture_find(const struct picture *picture,
    enum object_kind kind, uint64_t id);
struct sender {
	struct slice listener, receiver, line, account;
};
/* NULL: nobody, or more than one. */
const struct directory_bridge *picture_find_sender(const struct picture
						       *picture,
    const struct sender *sender, bool zeros);

/* ---- the writer ---- */

/* Room for so many more of each kind; 0, or -ENOMEM with nothing changed. */
int picture_reserve(struct picture *picture, const size_t more[OBJECT_KINDS],
    struct retired *retired);
/* Takes the object: in the place of the one with its id, or new; or, for a
 * removal, takes out. What goes is put into *retired. Cannot fail after
 * picture_reserve. Returns whether the picture is another now. */
bool picture_apply(struct picture *picture, struct object *object,
    struct retired *retired);
/* The list of receivers is made anew when one changed: room for it first
 * (NULL: out of memory), then filled and put in the place of the one that is
 * returned. */
struct receiver_list *picture_receiver_list_reserve(const struct picture
							*picture,
    size_t more);
struct receiver_list *picture_receiver_list_replace(struct picture *picture,
    struct receiver_list *list);
size_t picture_bytes(const struct picture *picture);

#endif
