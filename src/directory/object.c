#include "directory/object.h"

#include <stdlib.h>
#include <string.h>

/*
 * Each kind is copied by one function that runs twice: first with room at
 * NULL, which only counts, then into the allocation.
 */
struct packing {
	char *room;
	size_t used;
};

static const void *
pack_bytes(struct packing *packing, const void *data, size_t length,
    size_t alignment)
{
	char *out = NULL;

	packing->used = (packing->used + alignment - 1) & ~(alignment - 1);
	if (packing->room && data) {
		out = packing->room + packing->used;
		memcpy(out, data, length);
	}
	packing->used += data ? length : 0;
	return out;
}

/* NULL stays NULL. */
static void
pack_string(struct packing *packing, const char **string)
{
	*string =
	    pack_bytes(packing, *string, *string ? strlen(*string) + 1 : 0, 1);
}

/* NULL becomes "": readers need not ask. */
static void
pack_text(struct packing *packing, const char **string)
{
	if (!*string)
		*string = "";
	pack_string(packing, string);
}

static void
pack_library(struct packing *packing, struct directory_library *library)
{
	size_t bytes = library->count * sizeof(*library->rows);

	library->rows = pack_bytes(packing, bytes ? library->rows : NULL, bytes,
	    _Alignof(struct directory_library_row));
}

static void
pack_zone_type(struct packing *packing, struct directory_zone_type *type)
{
	pack_text(packing, &type->name);
}

static void
pack_dealer(struct packing *packing, struct directory_dealer *dealer)
{
	pack_library(packing, &dealer->library);
	pack_text(packing, &dealer->name);
}

static void
pack_receiver(struct packing *packing, struct directory_receiver *receiver)
{
	size_t count = receiver->endpoint_count;
	const struct directory_endpoint *from = receiver->endpoints;
	struct directory_endpoint *to =
	    (struct directory_endpoint *)(uintptr_t)pack_bytes(packing,
		count ? from : NULL, count * sizeof(*from),
		_Alignof(struct directory_endpoint));

	for (size_t i = 0; i < count; i++) {
		struct directory_endpoint endpoint = from[i];

		pack_text(packing, &endpoint.host);
		pack_text(packing, &endpoint.tls_name);
		pack_text(packing, &endpoint.tls_ca);
		pack_text(packing, &endpoint.tls_certificate);
		pack_text(packing, &endpoint.path);
		if (to)
			to[i] = endpoint;
	}
	receiver->endpoints = to;
	pack_text(packing, &receiver->name);
	pack_text(packing, &receiver->codes);
}

static void
pack_station(struct packing *packing, struct directory_station *station)
{
	pack_text(packing, &station->name);
	pack_text(packing, &station->prefix);
	pack_text(packing, &station->line_card);
	pack_text(packing, &station->url_template);
}

static void
pack_site(struct packing *packing, struct directory_site *site)
{
	pack_library(packing, &site->library);
	pack_text(packing, &site->name);
	pack_text(packing, &site->account);
	pack_text(packing, &site->reference_id);
}

static void
pack_channel(struct packing *packing, struct directory_channel *channel)
{
	pack_library(packing, &channel->library);
}

/* By what a look-up walks along. */
static int
compare_spans(const void *a, const void *b)
{
	const struct directory_span *left = a, *right = b;

	if (left->partition != right->partition)
		return left->partition < right->partition ? -1 : 1;
	if (left->exception != right->exception)
		return left->exception ? 1 : -1;
	return (left->begin_s > right->begin_s) -
	    (left->begin_s < right->begin_s);
}

static void
pack_schedule(struct packing *packing, struct directory_schedule *schedule)
{
	size_t count = schedule->span_count;
	struct directory_span *spans =
	    (struct directory_span *)(uintptr_t)pack_bytes(packing,
		count ? schedule->spans : NULL, count * sizeof(*spans),
		_Alignof(struct directory_span));

	schedule->spans = spans;
	if (spans)
		qsort(spans, count, sizeof(*spans), compare_spans);
	pack_text(packing, &schedule->timezone);
}

static void
pack_destinations(struct packing *packing,
    struct directory_destinations *destinations)
{
	size_t count = destinations->count;
	struct directory_destination *rules =
	    (struct directory_destination *)(uintptr_t)pack_bytes(packing,
		count ? destinations->rules : NULL,
		count * sizeof(destinations->rules[0]),
		_Alignof(struct directory_destination));

	for (size_t i = 0; i < count; i++) {
		struct directory_destination rule = destinations->rules[i];

		pack_text(packing, &rule.account);
		pack_text(packing, &rule.reference_id);
		pack_text(packing, &rule.prefixes);
		if (rules)
			rules[i] = rule;
	}
	destinations->rules = rules;
	pack_text(packing, &destinations->timezone);
}

static const char *
zone_digits(const char *zone)
{
	return slice_strip_zeros(slice_from_string(zone)).data;
}

static int
compare_zones(const void *a, const void *b)
{
	const struct directory_zone *left = a, *right = b;
	int order = strcmp(zone_digits(left->zone), zone_digits(right->zone));

	if (order != 0)
		return order;
	return (left->channel_id > right->channel_id) -
	    (left->channel_id < right->channel_id);
}

static const struct directory_path no_paths[DIRECTORY_PATHS];

static bool
is_supervised(const struct directory_bridge *bridge)
{
	return bridge->paths &&
	    memcmp(bridge->paths, no_paths, sizeof(no_paths)) != 0;
}

/* What few bridges have takes no room in the others. The names in zones and
 * paths are shared afterwards. */
static void
pack_bridge(struct packing *packing, struct directory_bridge *bridge)
{
	size_t count = bridge->zone_count;
	struct directory_zone *zones;

	/* first what a look-up compares, close to the struct itself */
	pack_string(packing, &bridge->account);
	pack_string(packing, &bridge->receiver);
	pack_string(packing, &bridge->line);
	bridge->key = pack_bytes(packing,
	    bridge->key_length ? bridge->key : NULL, bridge->key_length, 1);
	bridge->mac = pack_bytes(packing, bridge->mac, DIRECTORY_MAC_SIZE, 1);
	bridge->bearer_hash = pack_bytes(packing, bridge->bearer_hash,
	    bridge->bearer_hash ? DIRECTORY_HASH_SIZE : 0, 1);
	pack_text(packing, &bridge->serial);
	zones = (struct directory_zone *)(uintptr_t)pack_bytes(packing,
	    count ? bridge->zones : NULL, count * sizeof(*zones),
	    _Alignof(struct directory_zone));
	bridge->zones = zones;
	for (size_t i = 0; zones && i < count; i++)
		if (!zones[i].name)
			zones[i].name = "";
	if (zones)
		qsort(zones, count, sizeof(*zones), compare_zones);
	bridge->previous_key = pack_bytes(packing, bridge->previous_key,
	    sizeof(*bridge->previous_key),
	    _Alignof(struct directory_previous_key));
	bridge->previous_bearer = pack_bytes(packing, bridge->previous_bearer,
	    sizeof(*bridge->previous_bearer),
	    _Alignof(struct directory_previous_bearer));
	bridge->time_window = pack_bytes(packing, bridge->time_window,
	    sizeof(*bridge->time_window),
	    _Alignof(struct directory_time_window));
	if (is_supervised(bridge))
		bridge->paths = pack_bytes(packing, bridge->paths,
		    sizeof(no_paths), _Alignof(struct directory_path));
	else
		bridge->paths = no_paths;
}

union content {
	struct directory_zone_type zone_type;
	struct directory_dealer dealer;
	struct directory_receiver receiver;
	struct directory_station station;
	struct directory_site site;
	struct directory_bridge bridge;
	struct directory_channel channel;
	struct directory_schedule schedule;
	struct directory_destinations destinations;
};

static const size_t content_bytes[OBJECT_KINDS] = {
	[OBJECT_ZONE_TYPE] = sizeof(struct directory_zone_type),
	[OBJECT_DEALER] = sizeof(struct directory_dealer),
	[OBJECT_RECEIVER] = sizeof(struct directory_receiver),
	[OBJECT_STATION] = sizeof(struct directory_station),
	[OBJECT_SITE] = sizeof(struct directory_site),
	[OBJECT_BRIDGE] = sizeof(struct directory_bridge),
	[OBJECT_CHANNEL] = sizeof(struct directory_channel),
	[OBJECT_SCHEDULE] = sizeof(struct directory_schedule),
	[OBJECT_DESTINATIONS] = sizeof(struct directory_destinations),
};

/* Packs what *content points at and makes it point at the copies. */
static size_t
pack(enum object_kind kind, union content *content, char *room)
{
	struct packing packing = { room, content_bytes[kind] };

	switch (kind) {
	case OBJECT_ZONE_TYPE:
		pack_zone_type(&packing, &content->zone_type);
		break;
	case OBJECT_DEALER:
		pack_dealer(&packing, &content->dealer);
		break;
	case OBJECT_RECEIVER:
		pack_receiver(&packing, &content->receiver);
		break;
	case OBJECT_STATION:
		pack_station(&packing, &content->station);
		break;
	case OBJECT_SITE:
		pack_site(&packing, &content->site);
		break;
	case OBJECT_BRIDGE:
		pack_bridge(&packing, &content->bridge);
		break;
	case OBJECT_CHANNEL:
		pack_channel(&packing, &content->channel);
		break;
	case OBJECT_SCHEDULE:
		pack_schedule(&packing, &content->schedule);
		break;
	case OBJECT_DESTINATIONS:
		pack_destinations(&packing, &content->destinations);
		break;
	}
	return packing.used;
}

/* ---- shared names ---- */

/* Calls fn for each place in the object where a shared name stands; stops at
 * the first false. */
typedef bool (*name_fn)(void *context, const char **name);

static bool
each_name(struct object *object, name_fn fn, void *context)
{
	struct directory_bridge *bridge = (void *)object->content;
	struct directory_zone *zones;
	struct directory_path *paths;
	bool going = true;

	if (object->kind != OBJECT_BRIDGE || object->removal)
		return true;
	zones = (struct directory_zone *)(uintptr_t)bridge->zones;
	paths = (struct directory_path *)(uintptr_t)bridge->paths;
	going = fn(context, &bridge->listener);
	for (size_t i = 0; going && i < bridge->zone_count; i++)
		going = fn(context, &zones[i].name);
	for (size_t i = 0; going && paths != no_paths && i < DIRECTORY_PATHS;
	     i++)
		going = fn(context, &paths[i].listener);
	return going;
}

struct sharing {
	struct names *names;
	object_allocate_fn allocate;
	size_t taken;
};

static bool
take_name(void *context, const char **name)
{
	struct sharing *sharing = context;

	if (*name)
		*name = names_take(sharing->names, *name, sharing->allocate);
	else
		return true;
	sharing->taken += *name != NULL;
	return *name != NULL;
}

static bool
release_name(void *context, const char **name)
{
	names_release(context, *name);
	return true;
}

/* Only those that were taken before memory was out. */
static bool
give_back(void *context, const char **name)
{
	struct sharing *sharing = context;

	if (*name && sharing->taken == 0)
		return false;
	names_release(sharing->names, *name);
	sharing->taken -= *name != NULL;
	return true;
}

static bool
share_names(struct object *object, struct names *names,
    object_allocate_fn allocate)
{
	struct sharing sharing = { names, allocate, 0 };

	if (each_name(object, take_name, &sharing))
		return true;
	each_name(object, give_back, &sharing);
	return false;
}

static bool
count_name(void *context, const char **name)
{
	size_t *bytes = context;

	*bytes += *name ? strlen(*name) + 1 : 0;
	return true;
}

size_t
object_shared_bytes(const struct object *object)
{
	size_t bytes = 0;

	each_name((struct object *)(uintptr_t)object, count_name, &bytes);
	return bytes;
}

/* ---- objects ---- */

static struct object *
create_removal(enum object_kind kind, uint64_t id, object_allocate_fn allocate)
{
	size_t bytes = sizeof(struct object) + sizeof(id);
	struct object *object = allocate(bytes);

	if (!object)
		return NULL;
	*object = (struct object){
		.bytes = (uint32_t)bytes, .kind = (uint8_t)kind, .removal = true
	};
	object->content[0] = id;
	return object;
}

struct object *
object_create(enum object_kind kind, uint64_t id, const void *content,
    struct names *names, object_allocate_fn allocate)
{
	union content copy;
	size_t bytes = sizeof(struct object);
	struct object *object;

	if (!content)
		return create_removal(kind, id, allocate);
	memcpy(&copy, content, content_bytes[kind]);
	bytes += pack(kind, &copy, NULL);
	object = allocate(bytes);
	if (!object)
		return NULL;
	*object =
	    (struct object){ .bytes = (uint32_t)bytes, .kind = (uint8_t)kind };
	memcpy(&copy, content, content_bytes[kind]);
	pack(kind, &copy, (char *)object->content);
	memcpy(object->content, &copy, content_bytes[kind]);
	if (!share_names(object, names, allocate)) {
		free(object);
		return NULL;
	}
	return object;
}

void
object_free(struct object *object, struct names *names)
{
	each_name(object, release_name, names);
	free(object);
}

void
object_free_list(struct object *list, struct names *names)
{
	while (list) {
		struct object *next = list->next;

		object_free(list, names);
		list = next;
	}
}
