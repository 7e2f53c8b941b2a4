/*
 * Changes that are put in place together: collected as finished objects, then
 * applied between two even generations with nothing left that could fail.
 */
#include <assert.h>
#include <errno.h>
#include <malloc.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "directory/private.h"

struct directory_batch {
	struct directory *directory;
	struct object *first, **last;
	size_t count;		   /* objects and removals in the list */
	size_t puts[OBJECT_KINDS]; /* without the removals */
	struct picture *before;	   /* what this one replaces; NULL: nothing */
	bool receivers_change;
	bool replace_all;
	bool failed; /* out of memory on the way */
};

struct directory_batch *
directory_batch_begin(struct directory *directory)
{
	struct directory_batch *batch = directory->allocate(sizeof(*batch));

	if (!batch)
		return NULL;
	memset(batch, 0, sizeof(*batch));
	batch->directory = directory;
	batch->last = &batch->first;
	return batch;
}

static int
put(struct directory_batch *batch, enum object_kind kind, uint64_t id,
    const void *content)
{
	struct object *object;

	if (!batch)
		return -ENOMEM;
	object = object_create(kind, id, content, batch->directory->names,
	    batch->directory->allocate);
	if (!object) {
		batch->failed = true;
		return -ENOMEM;
	}
	*batch->last = object;
	batch->last = &object->next;
	batch->count++;
	batch->puts[kind] += content != NULL;
	batch->receivers_change |= kind == OBJECT_RECEIVER;
	return 0;
}

int
directory_put_dealer(struct directory_batch *batch, uint64_t id,
    const struct directory_dealer *dealer)
{
	return put(batch, OBJECT_DEALER, id, dealer);
}

int
directory_put_receiver(struct directory_batch *batch, uint64_t id,
    const struct directory_receiver *receiver)
{
	return put(batch, OBJECT_RECEIVER, id, receiver);
}

int
directory_put_station(struct directory_batch *batch, uint64_t id,
    const struct directory_station *station)
{
	return put(batch, OBJECT_STATION, id, station);
}

int
directory_put_channel(struct directory_batch *batch, uint64_t id,
    const struct directory_channel *channel)
{
	return put(batch, OBJECT_CHANNEL, id, channel);
}

int
directory_put_schedule(struct directory_batch *batch, uint64_t site_id,
    const struct directory_schedule *schedule)
{
	return put(batch, OBJECT_SCHEDULE, site_id, schedule);
}

int
directory_put_destinations(struct directory_batch *batch, uint64_t site_id,
    const struct directory_destinations *destinations)
{
	return put(batch, OBJECT_DESTINATIONS, site_id, destinations);
}

int
directory_put_site(struct directory_batch *batch, uint64_t id,
    const struct directory_site *site)
{
	return put(batch, OBJECT_SITE, id, site);
}

int
directory_put_bridge(struct directory_batch *batch, uint64_t id,
    const struct directory_bridge *bridge)
{
	return put(batch, OBJECT_BRIDGE, id, bridge);
}

int
directory_put_zone_type(struct directory_batch *batch, unsigned number,
    const struct directory_zone_type *type)
{
	return put(batch, OBJECT_ZONE_TYPE, number, type);
}

void
directory_batch_replace_all(struct directory_batch *batch)
{
	if (batch)
		batch->replace_all = true;
}

void
directory_batch_abandon(struct directory_batch *batch)
{
	if (!batch)
		return;
	object_free_list(batch->first, batch->directory->names);
	free(batch);
}

/* ---- slots of bridges ---- */

static const struct directory_bridge *
find_bridge(const struct picture *picture, uint64_t id)
{
	const struct object *object =
	    picture ? picture_find(picture, OBJECT_BRIDGE, id) : NULL;

	return object ? object_bridge(object) : NULL;
}

/* Room for all that may need one. */
static int
reserve_slots(struct directory_batch *batch, const struct picture *known)
{
	size_t more = 0;

	for (const struct object *object = batch->first; object;
	     object = object->next)
		if (object->kind == OBJECT_BRIDGE)
			more += object->removal ||
			    !find_bridge(known, object_id(object));
	return presence_reserve(batch->directory->presence, more,
	    batch->directory->allocate);
}

/* The one that its id has, or a new one. */
static void
give_slot(struct directory_batch *batch, const struct picture *picture,
    struct object *object)
{
	const struct directory_bridge *known;

	if (object->kind != OBJECT_BRIDGE || object->removal)
		return;
	known = find_bridge(picture, object_id(object));
	if (!known)
		known = find_bridge(batch->before, object_id(object));
	object_set_slot(object,
	    known
		? known->slot
		: presence_take(batch->directory->presence, object_id(object)));
}

/* Of a bridge that no reader holds any more, unless it lives on as another
 * object. */
static void
release_slot(void *context, struct object *object)
{
	struct directory *directory = context;
	const struct directory_bridge *bridge, *now;

	if (object->kind != OBJECT_BRIDGE || object->removal)
		return;
	bridge = object_bridge(object);
	now = find_bridge(directory_picture(directory), object_id(object));
	if (!now || now->slot != bridge->slot)
		presence_release(directory->presence, bridge->slot,
		    object_id(object));
}

static void
release_slots(struct directory *directory, struct object *list)
{
	for (struct object *object = list; object; object = object->next)
		release_slot(directory, object);
}

/* ---- marks for who supervises them ---- */

static bool
is_path_alike(const struct directory_path *a, const struct directory_path *b)
{
	return a->interval_s == b->interval_s && a->margin_s == b->margin_s &&
	    slice_equal(slice_from_string(a->listener),
		slice_from_string(b->listener));
}

static bool
is_supervised_alike(const struct directory_bridge *a,
    const struct directory_bridge *b)
{
	for (unsigned i = 0; i < DIRECTORY_PATHS; i++)
		if (!is_path_alike(&a->paths[i], &b->paths[i]))
			return false;
	return true;
}

/* This bridge can be seen now, in the place of what was before. */
static void
mark_change(struct presence *presence, const struct directory_bridge *bridge,
    const struct directory_bridge *before)
{
	bool moved = before && before->slot == bridge->slot &&
	    before->site_id != bridge->site_id;

	if (moved)
		presence_renew(presence, bridge->slot);
	if (moved || !before || before->slot != bridge->slot ||
	    !is_supervised_alike(bridge, before))
		presence_mark(presence, bridge->slot);
}

/* A whole picture took the place of batch->before. */
static void
mark_replaced(void *context, struct object *object)
{
	const struct directory_batch *batch = context;

	mark_change(batch->directory->presence, object_bridge(object),
	    find_bridge(batch->before, object_id(object)));
}

/* ---- commit ---- */

/* One object; a bridge is marked once it can be seen. */
static bool
apply_one(struct directory_batch *batch, struct picture *picture,
    struct object *object, struct retired *retired)
{
	bool bridge = object->kind == OBJECT_BRIDGE;
	const struct directory_bridge *before =
	    bridge ? find_bridge(picture, object_id(object)) : NULL;
	bool changed;

	give_slot(batch, picture, object);
	changed = picture_apply(picture, object, retired);
	if (bridge && !object->removal && !batch->before)
		mark_change(batch->directory->presence, object_bridge(object),
		    before);
	return changed;
}

/* The picture takes every object of the batch. */
static size_t
apply_all(struct directory_batch *batch, struct picture *picture,
    struct retired *retired)
{
	struct object *object = batch->first;
	size_t changes = 0;

	batch->first = NULL;
	while (object) {
		struct object *next = object->next;

		changes += apply_one(batch, picture, object, retired);
		object = next;
	}
	return changes;
}

static void
begin_change(struct directory *directory)
{
	uint32_t generation =
	    atomic_load_explicit(&directory->generation, memory_order_relaxed);

	/* every later store to a slot is a release: whoever sees one of them
	 * sees this too */
	atomic_store_explicit(&directory->generation, generation + 1,
	    memory_order_relaxed);
}

static void
end_change(struct directory *directory)
{
	uint32_t generation =
	    atomic_load_explicit(&directory->generation, memory_order_relaxed);

	atomic_store_explicit(&directory->generation, generation + 1,
	    memory_order_release);
}

void
directory_hold(struct directory *directory)
{
	directory->holding = true;
}

void
directory_let_go(struct directory *directory)
{
	directory->holding = false;
	object_free_list(directory->held, directory->names);
	directory->held = NULL;
}

static void
hold_back(struct directory *directory, struct retired *retired)
{
	while (retired->objects) {
		struct object *object = retired->objects;

		retired->objects = object->next;
		object->next = directory->held;
		directory->held = object;
	}
}

/* Something went: let no reader hold it, then free it. */
static void
reclaim(struct directory *directory, struct retired *retired,
    struct receiver_list *receivers)
{
	if (!retired->objects && !retired->arrays && !receivers)
		return;
	directory_wait_for_readers();
	release_slots(directory, retired->objects);
	if (directory->holding)
		hold_back(directory, retired);
	retired_free(retired, directory->names);
	free(receivers);
}

static int
commit_changes(struct directory_batch *batch, size_t *ret_changes)
{
	struct directory *directory = batch->directory;
	struct picture *picture = directory_picture(directory);
	struct receiver_list *list = NULL;
	struct retired retired = { NULL, NULL };

	if (batch->receivers_change)
		list = picture_receiver_list_reserve(picture,
		    batch->puts[OBJECT_RECEIVER]);
	if ((batch->receivers_change && !list) ||
	    picture_reserve(picture, batch->puts, &retired) < 0 ||
	    reserve_slots(batch, picture) < 0) {
		reclaim(directory, &retired, list);
		return -ENOMEM;
	}
	begin_change(directory);
	*ret_changes = apply_all(batch, picture, &retired);
	if (list)
		list = picture_receiver_list_replace(picture, list);
	end_change(directory);
	reclaim(directory, &retired, list);
	return 0;
}

/* A picture of its own, exchanged for the old one in one step. */
static int
commit_replacement(struct directory_batch *batch, size_t *ret_changes)
{
	struct directory *directory = batch->directory;
	struct picture *old = directory_picture(directory);
	struct picture *picture = picture_create(directory->allocate);
	struct receiver_list *list = NULL;
	struct retired retired = { NULL, NULL };
	int result = picture ? reserve_slots(batch, old) : -ENOMEM;

	assert(!directory->holding);
	if (result == 0) {
		result = picture_reserve(picture, batch->puts, &retired);
		list = picture_receiver_list_reserve(picture,
		    batch->puts[OBJECT_RECEIVER]);
	}
	if (result < 0 || !list) {
		free(list);
		picture_close(&picture, directory->names);
		return -ENOMEM;
	}
	batch->before = old;
	*ret_changes = apply_all(batch, picture, &retired);
	picture_receiver_list_replace(picture, list);
	begin_change(directory);
	atomic_store_explicit(&directory->picture, picture,
	    memory_order_release);
	end_change(directory);
	table_each(&picture->by_id[OBJECT_BRIDGE], mark_replaced, batch);
	directory_wait_for_readers();
	release_slots(directory, retired.objects);
	table_each(&old->by_id[OBJECT_BRIDGE], release_slot, directory);
	retired_free(&retired, directory->names);
	picture_close(&old, directory->names);
	/* the old picture lay between what stays: give its pages back */
	malloc_trim(0);
	return 0;
}

static void
tell_subscribers(struct directory *directory)
{
	const uint64_t one = 1;

	/* a counter that is full says "something changed" just as well */
	for (unsigned i = 0; i < directory->subscriber_count; i++)
		if (write(directory->subscribers[i], &one, sizeof(one)) < 0)
			continue;
}

static void
publish(struct directory *directory, size_t changes)
{
	const struct picture *picture = directory_picture(directory);
	struct directory_status *status = &directory->status;

	pthread_mutex_lock(&directory->lock);
	status->dealers = picture->by_id[OBJECT_DEALER].count;
	status->stations = picture->by_id[OBJECT_STATION].count;
	status->receivers = picture->by_id[OBJECT_RECEIVER].count;
	status->sites = picture->by_id[OBJECT_SITE].count;
	status->bridges = picture->by_id[OBJECT_BRIDGE].count;
	status->bytes = picture_bytes(picture) + names_bytes(directory->names) +
	    presence_bytes(directory->presence);
	status->changes += changes;
	tell_subscribers(directory);
	pthread_mutex_unlock(&directory->lock);
}

int
directory_batch_commit(struct directory_batch *batch)
{
	size_t changes = 0;
	int result;

	if (!batch)
		return -ENOMEM;
	if (batch->failed)
		result = -ENOMEM;
	else if (batch->replace_all)
		result = commit_replacement(batch, &changes);
	else
		result = commit_changes(batch, &changes);
	if (result == 0 && (changes > 0 || batch->replace_all))
		publish(batch->directory, batch->replace_all ? 0 : changes);
	directory_batch_abandon(batch);
	return result;
}
