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
		const char *host = from[i].host;

		pack_text(packing, &host);
		if (to)
			to[i].host = host;
	}
	receiver->endpoints = to;
	pack_text(packing, &receiver->name);
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

static void
pack_bridge(struct packing *packing, struct directory_bridge *bridge)
{
	size_t count = bridge->zone_count;
	const struct directory_zone *from = bridge->zones;
	struct directory_zone *to;

	/* first what a look-up compares, close to the struct itself */
	pack_string(packing, &bridge->account);
	pack_string(packing, &bridge->receiver);
	pack_string(packing, &bridge->line);
	pack_string(packing, &bridge->listener);
	to = (struct directory_zone *)(uintptr_t)pack_bytes(packing,
	    count ? from : NULL, count * sizeof(*from),
	    _Alignof(struct directory_zone));
	for (size_t i = 0; i < count; i++) {
		const char *zone = from[i].zone, *name = from[i].name;

		pack_text(packing, &zone);
		pack_text(packing, &name);
		if (to) {
			to[i].zone = zone;
			to[i].name = name;
		}
	}
	pack_text(packing, &bridge->serial);
	for (size_t i = 0; i < DIRECTORY_PATHS; i++)
		pack_string(packing, &bridge->paths[i].listener);
	bridge->zones = to;
	if (to)
		qsort(to, count, sizeof(*to), compare_zones);
}

union content {
	struct directory_zone_type zone_type;
	struct directory_dealer dealer;
	struct directory_receiver receiver;
	struct directory_station station;
	struct directory_site site;
	struct directory_bridge bridge;
};

static const size_t content_bytes[OBJECT_KINDS] = {
	[OBJECT_ZONE_TYPE] = sizeof(struct directory_zone_type),
	[OBJECT_DEALER] = sizeof(struct directory_dealer),
	[OBJECT_RECEIVER] = sizeof(struct directory_receiver),
	[OBJECT_STATION] = sizeof(struct directory_station),
	[OBJECT_SITE] = sizeof(struct directory_site),
	[OBJECT_BRIDGE] = sizeof(struct directory_bridge),
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
	}
	return packing.used;
}

struct object *
object_create(enum object_kind kind, uint64_t id, const void *content,
    object_allocate_fn allocate)
{
	union content copy;
	size_t bytes = sizeof(struct object);
	struct object *object;

	if (content) {
		memcpy(&copy, content, content_bytes[kind]);
		bytes += pack(kind, &copy, NULL);
	}
	object = allocate(bytes);
	if (!object)
		return NULL;
	*object = (struct object){ .id = id,
		.bytes = (uint32_t)bytes,
		.kind = (uint16_t)kind,
		.removal = !content };
	if (content) {
		memcpy(&copy, content, content_bytes[kind]);
		pack(kind, &copy, (char *)object->content);
		memcpy(object->content, &copy, content_bytes[kind]);
	}
	return object;
}

void
object_free_list(struct object *list)
{
	while (list) {
		struct object *next = list->next;

		free(list);
		list = next;
	}
}
