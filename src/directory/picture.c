#include "directory/picture.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/array.h"

static uint64_t
hash_id(const void *context, const struct object *object)
{
	(void)context;
	return hash_number(object_id(object));
}

/* ---- senders ---- */

struct hashes {
	uint64_t listener, receiver, line, account;
};

static uint64_t
hash_slice(const struct picture *picture, struct slice s)
{
	return hash_bytes(&picture->key, s.data ? s.data : "", s.length);
}

static uint64_t
mix(const struct hashes *hashes, unsigned set)
{
	uint64_t hash = hashes->account + set;

	/* another rotation each, so that no two names can be exchanged */
	if (set & SENDER_LISTENER)
		hash ^= hashes->listener << 7 | hashes->listener >> 57;
	if (set & SENDER_LINE)
		hash ^= hashes->line << 17 | hashes->line >> 47;
	if (set & SENDER_RECEIVER)
		hash ^= hashes->receiver << 29 | hashes->receiver >> 35;
	return hash_number(hash);
}

/* Only what some set in use needs. */
static struct hashes
hash_sender(const struct picture *picture, const struct sender *sender,
    unsigned needed)
{
	struct hashes hashes = { .account = hash_slice(picture,
				     slice_strip_zeros(sender->account)) };

	if (needed & SENDER_LISTENER)
		hashes.listener = hash_slice(picture, sender->listener);
	if (needed & SENDER_LINE)
		hashes.line = hash_slice(picture, sender->line);
	if (needed & SENDER_RECEIVER)
		hashes.receiver = hash_slice(picture, sender->receiver);
	return hashes;
}

static unsigned
set_of(const struct directory_bridge *bridge)
{
	return (bridge->listener ? SENDER_LISTENER : 0u) |
	    (bridge->line ? SENDER_LINE : 0u) |
	    (bridge->receiver ? SENDER_RECEIVER : 0u);
}

static struct sender
sender_of(const struct directory_bridge *bridge)
{
	return (struct sender){
		.listener = slice_from_string(bridge->listener),
		.receiver = slice_from_string(bridge->receiver),
		.line = slice_from_string(bridge->line),
		.account = slice_from_string(bridge->account),
	};
}

static uint64_t
hash_bridge(const struct picture *picture,
    const struct directory_bridge *bridge)
{
	struct sender sender = sender_of(bridge);
	unsigned set = set_of(bridge);
	struct hashes hashes = hash_sender(picture, &sender, set);

	return mix(&hashes, set);
}

static bool
is_text(const char *text, struct slice s)
{
	return strnlen(text, s.length + 1) == s.length &&
	    memcmp(text, s.data, s.length) == 0;
}

/* stripped: accounts are compared without their leading zeros. */
static bool
is_account(const struct directory_bridge *bridge, struct slice account,
    bool stripped)
{
	struct slice own = slice_from_string(bridge->account);

	if (stripped)
		return slice_equal(slice_strip_zeros(own),
		    slice_strip_zeros(account));
	return slice_equal(own, account);
}

static bool
is_from(const struct directory_bridge *bridge, unsigned set,
    const struct sender *sender, bool stripped)
{
	return set_of(bridge) == set &&
	    is_account(bridge, sender->account, stripped) &&
	    (!(set & SENDER_LISTENER) ||
		is_text(bridge->listener, sender->listener)) &&
	    (!(set & SENDER_LINE) || is_text(bridge->line, sender->line)) &&
	    (!(set & SENDER_RECEIVER) ||
		is_text(bridge->receiver, sender->receiver));
}

/* The first, and whether there is another. */
static const struct directory_bridge *
find_in_set(const struct sender_index *index, uint64_t hash, unsigned set,
    const struct sender *sender, bool stripped, bool *ret_more)
{
	const _Atomic bool *equals =
	    stripped ? &index->equals_stripped : &index->equals;
	struct table_walk walk = table_walk(&index->table, hash);
	const struct directory_bridge *found = NULL;
	struct object *object;

	*ret_more = false;
	while ((object = table_next(&walk)) != NULL) {
		const struct directory_bridge *bridge = object_bridge(object);

		if (!is_from(bridge, set, sender, stripped))
			continue;
		if (found) {
			*ret_more = true;
			break;
		}
		found = bridge;
		if (!atomic_load_explicit(equals, memory_order_relaxed))
			break;
	}
	return found;
}

/* A name that the sender did not give equals nothing. */
static unsigned
names_given(const struct sender *sender)
{
	return (slice_present(sender->listener) ? SENDER_LISTENER : 0u) |
	    (slice_present(sender->line) ? SENDER_LINE : 0u) |
	    (slice_present(sender->receiver) ? SENDER_RECEIVER : 0u);
}

static const struct directory_bridge *
find_in_index(const struct picture *picture, const struct sender *sender,
    bool stripped)
{
	const struct sender_index *index = &picture->by_sender;
	/* more names first; among equally many the receiver, then the line */
	static const uint8_t order[SENDER_SETS] = {
		SENDER_RECEIVER | SENDER_LINE | SENDER_LISTENER,
		SENDER_RECEIVER | SENDER_LINE,
		SENDER_RECEIVER | SENDER_LISTENER,
		SENDER_LINE | SENDER_LISTENER,
		SENDER_RECEIVER,
		SENDER_LINE,
		SENDER_LISTENER,
		0,
	};
	unsigned sets =
	    atomic_load_explicit(&index->sets, memory_order_acquire);
	unsigned given = names_given(sender), needed = 0;
	struct hashes hashes;

	for (unsigned set = 1; set < SENDER_SETS; set++)
		needed |= sets & 1u << set ? set : 0;
	hashes = hash_sender(picture, sender, needed & given);
	for (size_t i = 0; i < COUNT(order); i++) {
		const struct directory_bridge *bridge;
		bool more;

		if (!(sets & 1u << order[i]) || (order[i] & ~given))
			continue;
		bridge = find_in_set(index, mix(&hashes, order[i]), order[i],
		    sender, stripped, &more);
		if (bridge)
			return more ? NULL : bridge;
	}
	return NULL;
}

const struct directory_bridge *
picture_find_sender(const struct picture *picture, const struct sender *sender,
    bool zeros)
{
	const struct directory_bridge *bridge =
	    find_in_index(picture, sender, false);

	return bridge || !zeros ? bridge : find_in_index(picture, sender, true);
}

static void
index_count(struct sender_index *index, unsigned set, int change)
{
	uint8_t sets = atomic_load_explicit(&index->sets, memory_order_relaxed);

	index->set_counts[set] += (size_t)change;
	if (index->set_counts[set] > 0)
		sets |= (uint8_t)(1u << set);
	else
		sets &= (uint8_t) ~(1u << set);
	atomic_store_explicit(&index->sets, sets, memory_order_release);
}

static void
index_add(const struct picture *picture, struct sender_index *index,
    struct object *object)
{
	const struct directory_bridge *bridge = object_bridge(object);
	uint64_t hash = hash_bridge(picture, bridge);
	struct sender sender = sender_of(bridge);
	bool more;

	if (find_in_set(index, hash, set_of(bridge), &sender, false, &more))
		atomic_store_explicit(&index->equals, true,
		    memory_order_relaxed);
	if (find_in_set(index, hash, set_of(bridge), &sender, true, &more))
		atomic_store_explicit(&index->equals_stripped, true,
		    memory_order_relaxed);
	table_insert(&index->table, hash, object);
	index_count(index, set_of(bridge), 1);
}

static void
index_take(const struct picture *picture, struct sender_index *index,
    struct object *object)
{
	const struct directory_bridge *bridge = object_bridge(object);

	table_remove(&index->table, hash_bridge(picture, bridge), object);
	index_count(index, set_of(bridge), -1);
}

/* The same sender as before: the slot is never empty in between. */
static bool
index_replace(const struct picture *picture, struct sender_index *index,
    struct object *before, struct object *after)
{
	const struct directory_bridge *bridge = object_bridge(after);
	struct sender sender = sender_of(object_bridge(before));

	if (!is_from(bridge, set_of(object_bridge(before)), &sender, false))
		return false;
	table_replace(&index->table, hash_bridge(picture, bridge), before,
	    after);
	return true;
}

static uint64_t
hash_by_sender(const void *context, const struct object *object)
{
	return hash_bridge(context, object_bridge(object));
}

/* ---- the whole ---- */

const struct object *
picture_find(const struct picture *picture, enum object_kind kind, uint64_t id)
{
	struct table_walk walk =
	    table_walk(&picture->by_id[kind], hash_number(id));
	const struct object *object;

	while ((object = table_next(&walk)) != NULL)
		if (object_id(object) == id)
			break;
	return object;
}

struct picture *
picture_create(object_allocate_fn allocate)
{
	struct picture *picture = allocate(sizeof(*picture));

	if (!picture)
		return NULL;
	memset(picture, 0, sizeof(*picture));
	hash_key_random(&picture->key);
	picture->allocate = allocate;
	return picture;
}

static void
collect_receiver(void *context, struct object *object)
{
	struct receiver_list *list = context;

	list->items[list->count++] = object_content(object);
}

static int
compare_receivers(const void *a, const void *b)
{
	const struct directory_receiver *const *left = a, *const *right = b;

	return ((*left)->id > (*right)->id) - ((*left)->id < (*right)->id);
}

struct receiver_list *
picture_receiver_list_reserve(const struct picture *picture, size_t more)
{
	size_t count = picture->by_id[OBJECT_RECEIVER].count + more;
	struct receiver_list *list =
	    picture->allocate(sizeof(*list) + count * sizeof(list->items[0]));

	if (list)
		list->count = 0;
	return list;
}

struct receiver_list *
picture_receiver_list_replace(struct picture *picture,
    struct receiver_list *list)
{
	table_each(&picture->by_id[OBJECT_RECEIVER], collect_receiver, list);
	qsort(list->items, list->count, sizeof(list->items[0]),
	    compare_receivers);
	return atomic_exchange_explicit(&picture->receivers, list,
	    memory_order_acq_rel);
}

static void
free_object(void *names, struct object *object)
{
	object_free(object, names);
}

void
picture_close(struct picture **picture_in, struct names *names)
{
	struct picture *picture = *picture_in;

	*picture_in = NULL;
	if (!picture)
		return;
	table_close(&picture->by_sender.table);
	for (int kind = 0; kind < OBJECT_KINDS; kind++) {
		table_each(&picture->by_id[kind], free_object, names);
		table_close(&picture->by_id[kind]);
	}
	free(atomic_load(&picture->receivers));
	free(picture);
}

void
retired_free(struct retired *retired, struct names *names)
{
	object_free_list(retired->objects, names);
	while (retired->arrays) {
		struct table_array *next = retired->arrays->next_retired;

		free(retired->arrays);
		retired->arrays = next;
	}
	retired->objects = NULL;
}

int
picture_reserve(struct picture *picture, const size_t more[OBJECT_KINDS],
    struct retired *retired)
{
	int result = 0;

	for (int kind = 0; kind < OBJECT_KINDS && result == 0; kind++)
		result = table_reserve(&picture->by_id[kind], more[kind],
		    hash_id, NULL, picture->allocate, &retired->arrays);
	if (result == 0)
		result = table_reserve(&picture->by_sender.table,
		    more[OBJECT_BRIDGE], hash_by_sender, picture,
		    picture->allocate, &retired->arrays);
	return result;
}

/* A bridge without an account cannot be a sender. */
static bool
is_sender(const struct object *object)
{
	return object && object->kind == OBJECT_BRIDGE && !object->removal &&
	    object_bridge(object)->account;
}

static void
apply_sender(struct picture *picture, struct object *before,
    struct object *after)
{
	struct sender_index *index = &picture->by_sender;

	before = is_sender(before) ? before : NULL;
	after = is_sender(after) ? after : NULL;
	if (before && after && index_replace(picture, index, before, after))
		return;
	if (before)
		index_take(picture, index, before);
	if (after)
		index_add(picture, index, after);
}

static void
retire(struct retired *retired, struct object *object)
{
	object->next = retired->objects;
	retired->objects = object;
}

bool
picture_apply(struct picture *picture, struct object *object,
    struct retired *retired)
{
	struct table *table = &picture->by_id[object->kind];
	uint64_t id = object_id(object), hash = hash_number(id);
	struct object *old = (struct object *)(uintptr_t)picture_find(picture,
	    (enum object_kind)object->kind, id);

	apply_sender(picture, old, object);
	if (object->removal && old)
		table_remove(table, hash, old);
	else if (old)
		table_replace(table, hash, old, object);
	else if (!object->removal)
		table_insert(table, hash, object);
	if (old) {
		picture->bytes -= old->bytes;
		retire(retired, old);
	}
	if (object->removal)
		retire(retired, object);
	else
		picture->bytes += object->bytes;
	return old || !object->removal;
}

size_t
picture_bytes(const struct picture *picture)
{
	size_t bytes = sizeof(*picture) + picture->bytes +
	    table_bytes(&picture->by_sender.table);

	for (int kind = 0; kind < OBJECT_KINDS; kind++)
		bytes += table_bytes(&picture->by_id[kind]);
	return bytes;
}
