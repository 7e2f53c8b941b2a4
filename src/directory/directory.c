#include "directory/directory.h"

#include <errno.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <urcu/urcu-qsbr.h>

#include "base/seal.h"
#include "directory/follow.h"
#include "directory/private.h"

/*
 * liburcu is not built with ThreadSanitizer, which therefore cannot see that a
 * grace period lies between a reader's last look and the free. Tell it; the
 * address is only a name.
 */
#if defined(__SANITIZE_THREAD__)
# define HAVE_THREAD_SANITIZER 1
#elif defined(__has_feature)
# if __has_feature(thread_sanitizer)
#  define HAVE_THREAD_SANITIZER 1
# endif
#endif
#ifdef HAVE_THREAD_SANITIZER
# include <sanitizer/tsan_interface.h>
static char grace_period;
# define GRACE_RELEASE() __tsan_release(&grace_period)
# define GRACE_ACQUIRE() __tsan_acquire(&grace_period)
#else
# define GRACE_RELEASE() ((void)0)
# define GRACE_ACQUIRE() ((void)0)
#endif

void
directory_thread_register(void)
{
	urcu_qsbr_register_thread();
	urcu_qsbr_thread_offline();
}

void
directory_thread_unregister(void)
{
	GRACE_RELEASE();
	urcu_qsbr_unregister_thread();
}

void
directory_thread_online(void)
{
	urcu_qsbr_thread_online();
}

void
directory_thread_offline(void)
{
	GRACE_RELEASE();
	urcu_qsbr_thread_offline();
}

void
directory_wait_for_readers(void)
{
	/* a caller that is itself online counts as having looked away */
	GRACE_RELEASE();
	urcu_qsbr_synchronize_rcu();
	GRACE_ACQUIRE();
}

uint32_t
directory_read_begin(const struct directory *directory)
{
	for (;;) {
		uint32_t generation =
		    atomic_load_explicit(&directory->generation,
			memory_order_acquire);

		if (!(generation & 1))
			return generation;
		sched_yield();
	}
}

bool
directory_read_retry(const struct directory *directory, uint32_t generation)
{
	/* what was looked up came through acquiring loads: this one is later */
	return atomic_load_explicit(&directory->generation,
		   memory_order_acquire) != generation;
}

const struct directory_bridge *
directory_bridge_by_sender(const struct directory *directory,
    struct slice listener, struct slice receiver, struct slice line,
    struct slice account, bool zeros)
{
	const struct sender sender = { listener, receiver, line, account };
	const struct directory_bridge *bridge;
	uint32_t generation;

	if (!slice_present(account))
		return NULL;
	/* a bridge on its way from one account to another is never nowhere */
	do {
		generation = directory_read_begin(directory);
		bridge = picture_find_sender(directory_picture(directory),
		    &sender, zeros);
	} while (directory_read_retry(directory, generation));
	return bridge;
}

static const void *
find(const struct directory *directory, enum object_kind kind, uint64_t id)
{
	const struct object *object =
	    picture_find(directory_picture(directory), kind, id);

	return object ? object_content(object) : NULL;
}

const struct directory_bridge *
directory_bridge_by_id(const struct directory *directory, uint64_t id)
{
	return find(directory, OBJECT_BRIDGE, id);
}

const struct directory_site *
directory_site_by_id(const struct directory *directory, uint64_t id)
{
	return find(directory, OBJECT_SITE, id);
}

const struct directory_station *
directory_station_by_id(const struct directory *directory, uint64_t id)
{
	return find(directory, OBJECT_STATION, id);
}

const struct directory_receiver *
directory_receiver_by_id(const struct directory *directory, uint64_t id)
{
	return find(directory, OBJECT_RECEIVER, id);
}

const struct directory_channel *
directory_channel_by_id(const struct directory *directory, uint64_t id)
{
	return find(directory, OBJECT_CHANNEL, id);
}

const struct directory_schedule *
directory_schedule_by_site(const struct directory *directory, uint64_t site_id)
{
	return find(directory, OBJECT_SCHEDULE, site_id);
}

const struct directory_destinations *
directory_destinations_by_site(const struct directory *directory,
    uint64_t site_id)
{
	return find(directory, OBJECT_DESTINATIONS, site_id);
}

const struct directory_dealer *
directory_dealer_by_id(const struct directory *directory, uint64_t id)
{
	return find(directory, OBJECT_DEALER, id);
}

const struct directory_zone_type *
directory_zone_type_by_number(const struct directory *directory,
    unsigned number)
{
	return find(directory, OBJECT_ZONE_TYPE, number);
}

static int
compare_zone(const struct directory_zone *zone, struct slice digits)
{
	struct slice own = slice_strip_zeros(slice_from_string(zone->zone));
	size_t length = own.length < digits.length ? own.length : digits.length;
	int order = length ? memcmp(own.data, digits.data, length) : 0;

	if (order != 0)
		return order;
	return (own.length > digits.length) - (own.length < digits.length);
}

const struct directory_zone *
directory_zone_find(const struct directory_bridge *bridge, struct slice zone)
{
	struct slice digits = slice_strip_zeros(zone);
	size_t low = 0, high = bridge->zone_count;

	if (digits.length == 0)
		return NULL;
	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (compare_zone(&bridge->zones[middle], digits) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	if (low < bridge->zone_count &&
	    compare_zone(&bridge->zones[low], digits) == 0)
		return &bridge->zones[low];
	return NULL;
}

void
directory_receivers_each(const struct directory *directory,
    directory_receiver_fn fn, void *context)
{
	const struct receiver_list *list =
	    atomic_load_explicit(&directory_picture(directory)->receivers,
		memory_order_acquire);

	for (size_t i = 0; list && i < list->count; i++)
		fn(context, list->items[i]);
}

/* Places of a table that are looked at in one go. */
#define SCHEDULES_AT_ONCE 1024
#define SITES_AT_ONCE	  8192
#define BRIDGES_AT_ONCE	  4096

/* The next object of this kind, NULL behind the last of this go. */
static const void *
next_of_some(const struct directory *directory, enum object_kind kind,
    size_t *position, size_t end)
{
	const struct table *table = &directory_picture(directory)->by_id[kind];
	struct object *object = NULL;

	while (!object && *position < end) {
		if (!table_at(table, *position, &object)) {
			*position = 0;
			return NULL;
		}
		++*position;
	}
	return object ? object_content(object) : NULL;
}

void
directory_schedules_some(const struct directory *directory, size_t *position,
    directory_schedule_fn fn, void *context)
{
	size_t end = *position + SCHEDULES_AT_ONCE;
	const struct directory_schedule *schedule;

	while ((schedule =
		    next_of_some(directory, OBJECT_SCHEDULE, position, end)))
		fn(context, schedule);
}

void
directory_sites_some(const struct directory *directory, size_t *position,
    directory_site_fn fn, void *context)
{
	size_t end = *position + SITES_AT_ONCE;
	const struct directory_site *site;

	while ((site = next_of_some(directory, OBJECT_SITE, position, end)))
		fn(context, site);
}

void
directory_bridges_some(const struct directory *directory, size_t *position,
    directory_bridge_fn fn, void *context)
{
	size_t end = *position + BRIDGES_AT_ONCE;
	const struct directory_bridge *bridge;

	while ((bridge = next_of_some(directory, OBJECT_BRIDGE, position, end)))
		fn(context, bridge);
}

const char *
directory_arming_name(enum directory_arming arming)
{
	static const char *const names[] = { "always", "panel_primary",
		"panel_individual", "video_system", "schedule", "panel_signals",
		"remote_api" };

	return (size_t)arming < sizeof(names) / sizeof(names[0]) ? names[arming]
								 : "unknown";
}

struct presence *
directory_presence(struct directory *directory)
{
	return directory->presence;
}

int
directory_create(struct directory **ret, struct err *err)
{
	struct directory *directory = calloc(1, sizeof(*directory));
	struct picture *picture = picture_create(malloc);
	struct names *names = names_create(malloc);
	struct presence *presence = presence_create();

	if (!directory || !picture || !names || !presence) {
		free(directory);
		picture_close(&picture, names);
		names_close(&names);
		presence_close(&presence);
		return err_set(err, -ENOMEM, "out of memory");
	}
	directory->allocate = malloc;
	directory->names = names;
	directory->presence = presence;
	atomic_store(&directory->picture, picture);
	pthread_mutex_init(&directory->lock, NULL);
	*ret = directory;
	return 0;
}

int
directory_open(struct directory **ret, const struct directory_config *config,
    const struct io *io, const struct clock *clock, struct err *err)
{
	struct directory *directory;
	int result = directory_create(&directory, err);

	if (result < 0)
		return result;
	result = follower_open(&directory->follower, directory, config, io,
	    clock, err);
	if (result < 0)
		directory_close(&directory);
	else
		*ret = directory;
	return result;
}

void
directory_reload(struct directory *directory)
{
	if (directory->follower)
		follower_reload(directory->follower);
}

int
directory_seal(const struct directory *directory, const char *context,
    struct slice secret, void *out, size_t out_size)
{
	const struct seal_master *master =
	    directory->follower ? follower_master(directory->follower) : NULL;

	return master ? seal_close(master, context, secret, out, out_size)
		      : -ENOKEY;
}

void
directory_close(struct directory **directory_in)
{
	struct directory *directory = *directory_in;
	struct picture *picture;

	*directory_in = NULL;
	if (!directory)
		return;
	follower_close(&directory->follower);
	picture = directory_picture(directory);
	picture_close(&picture, directory->names);
	names_close(&directory->names);
	presence_close(&directory->presence);
	pthread_mutex_destroy(&directory->lock);
	free(directory);
}

int
directory_subscribe(struct directory *directory, int event_fd)
{
	int result = -ENOSPC;

	pthread_mutex_lock(&directory->lock);
	if (directory->subscriber_count < DIRECTORY_SUBSCRIBERS_MAX) {
		directory->subscribers[directory->subscriber_count++] =
		    event_fd;
		result = 0;
	}
	pthread_mutex_unlock(&directory->lock);
	return result;
}

void
directory_status(struct directory *directory, struct directory_status *ret)
{
	pthread_mutex_lock(&directory->lock);
	*ret = directory->status;
	pthread_mutex_unlock(&directory->lock);
}
