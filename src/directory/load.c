#include "directory/load.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "base/log.h"
#include "base/text.h"
#include "signal/system_events.h"

#define IDS_PER_QUERY  5000
#define INTERVAL_MAX_S 3024000 /* 35 days */

/*
 * An object is read together with its rows of another view (endpoints, zones,
 * library) in one ordered COPY: its own columns come again with each of them,
 * and the others are NULL when there is none.
 */
struct query {
	const char *name;
	const char *columns;
	const char *from;
	const char *id;	   /* ordered and selected by it */
	const char *order; /* within the object */
	int own_fields, more_fields;
};

#define LIBRARY_COLUMNS                                                        \
 "l.zone_type, l.inbound_code, l.enabled, l.code, l.system_event"
#define LIBRARY_ORDER ", l.zone_type, l.inbound_code, l.system_event"

static const struct query queries[OBJECT_KINDS] = {
	[OBJECT_ZONE_TYPE] = { "zone_type",
	    "o.number, o.enabled, o.code, o.name, o.when_disarmed, o.delayed, "
	    "o.follows",
	    "tocsin.directory_zone_type o", "o.number", "", 7, 0 },
	[OBJECT_DEALER] = { "dealer", "o.id, o.name, " LIBRARY_COLUMNS,
	    "tocsin.directory_dealer o LEFT JOIN tocsin.directory_library l "
	    "ON l.owner = 'dealer' AND l.owner_id = o.id",
	    "o.id", LIBRARY_ORDER, 2, 5 },
	[OBJECT_RECEIVER] = { "receiver",
	    "o.id, o.name, o.protocol, o.listen, o.paused, o.receiver_number, "
	    "o.line_number, o.line_digits, o.sia_block, o.clock, "
	    "o.header_space, o.account_policy, o.translation, o.account_digits, "
	    "o.heartbeat_ms, o.ack_wait_ms, o.retries, o.in_flight, o.key, "
	    "o.passkey_sealed, coalesce(c.codes, ''), o.shadow_of, "
	    "e.transport, e.host, e.port, e.tls_name, e.tls_ca, "
	    "e.tls_certificate, e.path",
	    "tocsin.directory_receiver o LEFT JOIN tocsin.directory_endpoint e "
	    "ON e.receiver_id = o.id "
	    "LEFT JOIN tocsin.directory_receiver_code c "
	    "ON c.receiver_id = o.id",
	    "o.id", ", e.position", 22, 7 },
	[OBJECT_STATION] = { "station",
	    "o.id, o.dealer_id, o.receiver_id, o.name, o.prefix, "
	    "o.receiver_adds_prefix, o.line_card, o.url_template",
	    "tocsin.directory_station o", "o.id", "", 8, 0 },
	[OBJECT_SITE] = { "site",
	    "o.id, o.dealer_id, o.station_id, o.state, o.name, o.account, "
	    "o.reference_id, o.on_test_until_us, o.on_test_forward, "
	    "o.has_partitions, o.arming_method, o.arming_bridge_id, "
	    "o.entry_delay_s, o.exit_delay_s, o.repeat_filter_s, "
	    "o.test_interval_s, o.ack_level, o.activation_ends_us, "
	    "o.latitude_e7, o.longitude_e7, " LIBRARY_COLUMNS,
	    "tocsin.directory_site o LEFT JOIN tocsin.directory_library l "
	    "ON l.owner = 'site' AND l.owner_id = o.id",
	    "o.id", LIBRARY_ORDER, 20, 5 },
	[OBJECT_BRIDGE] = { "bridge",
	    "o.id, o.site_id, o.kind, o.serial, o.account, o.receiver, o.line, "
	    "o.listener, o.key, o.cipher_required, o.primary_interval_s, "
	    "o.primary_margin_s, o.primary_listener, o.backup_interval_s, "
	    "o.backup_margin_s, o.backup_listener, o.number, o.entry_delay_s, "
	    "o.exit_delay_s, o.arming_input_inverted, o.previous_key, "
	    "o.previous_key_until_us, o.tls_required, o.time_window_past_s, "
	    "o.time_window_future_s, o.mac, o.bearer_key_hash, "
	    "o.previous_bearer_key_hash, o.previous_bearer_key_until_us, "
	    "z.zone, z.channel_id, z.zone_type, z.enabled, z.code, z.name, "
	    "z.repeat_filter_s, z.partition, z.idle_days",
	    "tocsin.directory_bridge o LEFT JOIN tocsin.directory_zone z "
	    "ON z.bridge_id = o.id",
	    "o.id", "", 29, 9 },
	[OBJECT_CHANNEL] = { "channel", "o.id, " LIBRARY_COLUMNS,
	    "tocsin.directory_channel o LEFT JOIN tocsin.directory_library l "
	    "ON l.owner = 'channel' AND l.owner_id = o.id",
	    "o.id", LIBRARY_ORDER, 1, 5 },
	[OBJECT_SCHEDULE] = { "schedule",
	    "o.id, o.timezone, s.begin_s, s.end_s, s.partition, s.exception, "
	    "s.armed",
	    "tocsin.directory_schedule o LEFT JOIN LATERAL (SELECT * "
	    "FROM tocsin.directory_schedule_span r WHERE r.site_id = o.id) s "
	    "ON true",
	    "o.id", "", 2, 5 },
	[OBJECT_DESTINATIONS] = { "destinations",
	    "o.id, o.timezone, d.destination_id, d.station_id, d.account, "
	    "d.reference_id, d.prefixes, d.partition, d.weekdays, "
	    "d.from_minute, d.until_minute",
	    "tocsin.directory_destinations o "
	    "LEFT JOIN tocsin.directory_destination d ON d.site_id = o.id",
	    "o.id", ", d.destination_id", 2, 9 },
};

/* One line of the COPY, kept until its object is complete. */
struct row {
	struct row *next;
	char *fields[];
};

struct gathering {
	struct load *load;
	enum object_kind kind;
	struct row *first, **last;
	/* ids that were asked for and have not come yet; NULL: all of them */
	const uint64_t *ids;
	size_t id_count;
};

/* ---- fields ---- */

/* A plain list of reads and one check at the end. */
struct fields {
	char **position;
	bool failed;
};

static const char *
read_nullable(struct fields *fields)
{
	return *fields->position++;
}

static const char *
read_text(struct fields *fields)
{
	const char *text = read_nullable(fields);

	if (!text)
		fields->failed = true;
	return text ? text : "";
}

static uint64_t
read_number(struct fields *fields, uint64_t max)
{
	unsigned long value = 0;

	if (slice_to_number(slice_from_string(read_text(fields)), 10, &value) <
		0 ||
	    value > max)
		fields->failed = true;
	return value;
}

static uint16_t
read_seconds(struct fields *fields)
{
	if (!*fields->position) {
		fields->position++;
		return DIRECTORY_SECONDS_INHERIT;
	}
	return (uint16_t)read_number(fields, DIRECTORY_SECONDS_INHERIT - 1);
}

/* With a sign. */
static int32_t
read_degrees_e7(struct fields *fields, int32_t max)
{
	const char *text = *fields->position;
	bool negative = text && *text == '-';
	int32_t value;

	if (negative)
		(*fields->position)++;
	value = (int32_t)read_number(fields, (uint64_t)max);
	return negative ? -value : value;
}

static void
read_position(struct fields *fields, struct position *ret)
{
	if (!*fields->position) { /* both or none */
		fields->position += 2;
		return;
	}
	ret->known = true;
	ret->latitude_e7 = read_degrees_e7(fields, POSITION_LATITUDE_MAX_E7);
	ret->longitude_e7 = read_degrees_e7(fields, POSITION_LONGITUDE_MAX_E7);
}

static bool
read_boolean(struct fields *fields)
{
	const char *text = read_text(fields);

	if (strcmp(text, "t") != 0 && strcmp(text, "f") != 0)
		fields->failed = true;
	return text[0] == 't';
}

static int8_t
read_tristate(struct fields *fields)
{
	if (!*fields->position) {
		fields->position++;
		return DIRECTORY_INHERIT;
	}
	return read_boolean(fields) ? DIRECTORY_YES : DIRECTORY_NO;
}

static void
read_string(struct fields *fields, char *out, size_t out_size)
{
	if (slice_copy(slice_from_string(read_text(fields)), out, out_size) < 0)
		fields->failed = true;
}

/* One of these names, NULL behind the last; its index. */
static unsigned
read_choice(struct fields *fields, const char *const *names)
{
	const char *text = read_text(fields);

	for (unsigned i = 0; names[i]; i++)
		if (strcmp(text, names[i]) == 0)
			return i;
	fields->failed = true;
	return 0;
}

/* A sealed secret, "\x<hex>" or NULL, into out. what: "receiver.key". False:
 * there is one that does not open. */
static bool
read_sealed(struct load *load, struct fields *fields, const char *what,
    uint64_t id, void *out, size_t size, size_t *ret_length)
{
	const char *text = read_nullable(fields);
	uint8_t blob[DIRECTORY_PASSKEY_SIZE + SEAL_OVERHEAD];
	char context[SEAL_CONTEXT_SIZE];
	int length, opened = -EBADMSG;

	*ret_length = 0;
	if (!text)
		return true;
	snprintf(context, sizeof(context), "%s:%" PRIu64, what, id);
	length = strncmp(text, "\\x", 2) == 0
	    ? text_hex_decode(slice_from_string(text + 2), blob, sizeof(blob))
	    : -EINVAL;
	if (length > 0 && load->master)
		opened = seal_open(load->master, context,
		    slice_of(blob, (size_t)length), out, size);
	if (opened < 0) {
		load->unopened++;
		log_write(LOG_ERROR, "directory", "key_not_opened",
		    "secret=%s:%" PRIu64 " error=\"%s\"", what, id,
		    load->master
			? "the master key does not open this sealed key"
			: "a sealed key and no master key file");
		return false;
	}
	*ret_length = (size_t)opened;
	return true;
}

static bool
read_key(struct load *load, struct fields *fields, const char *what,
    uint64_t id, uint8_t key[32], uint8_t *ret_length)
{
	size_t length = 0;
	bool good = read_sealed(load, fields, what, id, key, 32, &length);

	*ret_length = (uint8_t)length;
	return good;
}

/* "\x<hex>", or NULL: there is none. */
static const uint8_t *
read_hash(struct fields *fields, uint8_t hash[DIRECTORY_HASH_SIZE])
{
	const char *text = read_nullable(fields);

	if (!text)
		return NULL;
	if (strncmp(text, "\\x", 2) != 0 ||
	    text_hex_decode(slice_from_string(text + 2), hash,
		DIRECTORY_HASH_SIZE) != DIRECTORY_HASH_SIZE)
		fields->failed = true;
	return hash;
}

/* ---- objects ---- */

/* The rows that carry something of the other view. */
static size_t
count_more(const struct gathering *g)
{
	int own = queries[g->kind].own_fields;
	size_t count = 0;

	for (const struct row *row = g->first; row; row = row->next)
		count += row->fields[own] != NULL;
	return count;
}

static struct fields
own_fields(const struct gathering *g)
{
	return (struct fields){ g->first->fields, false };
}

static struct fields
more_fields(const struct gathering *g, const struct row *row)
{
	return (struct fields){ (char **)(uintptr_t)(row->fields +
				    queries[g->kind].own_fields),
		false };
}

static int
put_zone_type(const struct gathering *g)
{
	struct fields fields = own_fields(g);
	struct directory_zone_type type = { 0 };

	type.number = (uint16_t)read_number(&fields, UINT16_MAX);
	type.enabled = read_boolean(&fields);
	read_string(&fields, type.code, sizeof(type.code));
	type.name = read_text(&fields);
	type.when_disarmed = read_boolean(&fields);
	type.delayed = read_boolean(&fields);
	type.follows = read_boolean(&fields);
	return fields.failed
	    ? -EPROTO
	    : directory_put_zone_type(g->load->batch, type.number, &type);
}

/* One that this build does not know is about nothing it will ever say. */
static void
read_system_event(struct fields *fields, struct directory_library_row *row)
{
	const char *name = read_text(fields);
	const struct system_event *event = system_event_by_name(name);

	if (!event && *name)
		row->qualifier = '?';
	if (!event)
		return;
	row->qualifier = event->qualifier;
	strcpy(row->inbound_code, event->code);
}

static int
read_library(const struct gathering *g, struct directory_library *ret)
{
	size_t count = count_more(g), i = 0;
	struct directory_library_row *rows =
	    calloc(count ? count : 1, sizeof(*rows));
	bool failed = count > UINT16_MAX;

	if (!rows)
		return -ENOMEM;
	for (const struct row *row = g->first; row && i < count;
	     row = row->next, i++) {
		struct fields fields = more_fields(g, row);

		rows[i].zone_type = (uint16_t)read_number(&fields, UINT16_MAX);
		read_string(&fields, rows[i].inbound_code,
		    sizeof(rows[i].inbound_code));
		rows[i].enabled = read_tristate(&fields);
		read_string(&fields, rows[i].code, sizeof(rows[i].code));
		read_system_event(&fields, &rows[i]);
		failed |= fields.failed;
	}
	*ret = (struct directory_library){ (uint16_t)count, rows };
	return failed ? -EPROTO : 0;
}

static void
free_library(struct directory_library *library)
{
	free((void *)(uintptr_t)library->rows);
}

static int
put_dealer(const struct gathering *g)
{
	struct fields fields = own_fields(g);
	struct directory_dealer dealer = { 0 };
	int result;

	dealer.id = read_number(&fields, UINT64_MAX);
	dealer.name = read_text(&fields);
	result = read_library(g, &dealer.library);
	if (result == 0)
		result = fields.failed
		    ? -EPROTO
		    : directory_put_dealer(g->load->batch, dealer.id, &dealer);
	free_library(&dealer.library);
	return result;
}

static int
put_channel(const struct gathering *g)
{
	struct fields fields = own_fields(g);
	struct directory_channel channel = { 0 };
	int result;

	channel.id = read_number(&fields, UINT64_MAX);
	result = read_library(g, &channel.library);
	if (result == 0)
		result = fields.failed ? -EPROTO
				       : directory_put_channel(g->load->batch,
					     channel.id, &channel);
	free_library(&channel.library);
	return result;
}

static int
read_endpoints(const struct gathering *g, struct directory_receiver *receiver)
{
	static const char *const transports[] = { "tcp", "udp", "tls", "run",
		"each", "file", "smtp", "smtps", "smtp-clear", "serial", "http",
		"https", NULL };
	size_t count = count_more(g), i = 0;
	struct directory_endpoint *endpoints =
	    calloc(count ? count : 1, sizeof(*endpoints));
	bool failed = count > UINT8_MAX;

	if (!endpoints)
		return -ENOMEM;
	for (const struct row *row = g->first; row && i < count;
	     row = row->next, i++) {
		struct fields fields = more_fields(g, row);

		endpoints[i].transport =
		    (enum directory_transport)read_choice(&fields, transports);
		endpoints[i].host = read_text(&fields);
		endpoints[i].port = (uint16_t)read_number(&fields, UINT16_MAX);
		endpoints[i].tls_name = read_text(&fields);
		endpoints[i].tls_ca = read_text(&fields);
		endpoints[i].tls_certificate = read_text(&fields);
		endpoints[i].path = read_text(&fields);
		failed |= fields.failed;
	}
	receiver->endpoint_count = (uint8_t)count;
	receiver->endpoints = endpoints;
	return failed ? -EPROTO : 0;
}

static bool
read_passkey(struct load *load, struct fields *fields,
    struct directory_receiver *receiver)
{
	size_t length;
	bool good = read_sealed(load, fields, "receiver.passkey", receiver->id,
	    receiver->passkey, sizeof(receiver->passkey) - 1, &length);

	receiver->passkey[length] = '\0';
	return good;
}

static bool
read_receiver(const struct gathering *g, struct directory_receiver *receiver)
{
	static const char *const protocols[] = { "surgard", "dc09", "ademco685",
		"d6500", "xml", "json", "mail", "webhook", NULL };
	static const char *const policies[] = { "refuse", "split_front",
		"split_back", NULL };
	static const char *const translations[] = { "none", "contact_id", "sia",
		NULL };
	struct fields fields = own_fields(g);

	receiver->id = read_number(&fields, UINT64_MAX);
	receiver->name = read_text(&fields);
	receiver->protocol =
	    (enum directory_protocol)(DIRECTORY_PROTOCOL_SURGARD +
		read_choice(&fields, protocols));
	receiver->listen = read_boolean(&fields);
	receiver->paused = read_boolean(&fields);
	read_string(&fields, receiver->receiver_number,
	    sizeof(receiver->receiver_number));
	read_string(&fields, receiver->line_number,
	    sizeof(receiver->line_number));
	receiver->line_digits = (uint8_t)read_number(&fields, UINT8_MAX);
	receiver->sia_block = read_boolean(&fields);
	receiver->clock = read_boolean(&fields);
	receiver->header_space = read_boolean(&fields);
	receiver->account_policy =
	    (enum directory_account_policy)read_choice(&fields, policies);
	receiver->translation =
	    (enum directory_translation)read_choice(&fields, translations);
	receiver->account_digits = (uint8_t)read_number(&fields, UINT8_MAX);
	receiver->heartbeat_ms = (uint32_t)read_number(&fields, UINT32_MAX);
	receiver->ack_wait_ms = (uint32_t)read_number(&fields, UINT32_MAX);
	receiver->retries = (uint8_t)read_number(&fields, UINT8_MAX);
	receiver->in_flight = (uint16_t)read_number(&fields, UINT16_MAX);
	/* without its key we would tell the station everything in clear */
	if (!fields.failed &&
	    !read_key(g->load, &fields, "receiver.key", receiver->id,
		receiver->key, &receiver->key_length))
		receiver->paused = true;
	if (!fields.failed && !read_passkey(g->load, &fields, receiver))
		receiver->paused = true;
	receiver->codes = read_text(&fields);
	receiver->shadow_of = read_number(&fields, UINT64_MAX);
	return !fields.failed;
}

static int
put_receiver(const struct gathering *g)
{
	struct directory_receiver receiver = { 0 };
	bool good = read_receiver(g, &receiver);
	int result = read_endpoints(g, &receiver);

	if (result == 0)
		result = good ? directory_put_receiver(g->load->batch,
				    receiver.id, &receiver)
			      : -EPROTO;
	free((void *)(uintptr_t)receiver.endpoints);
	explicit_bzero(receiver.key, sizeof(receiver.key));
	explicit_bzero(receiver.passkey, sizeof(receiver.passkey));
	return result;
}

static int
put_station(const struct gathering *g)
{
	struct fields fields = own_fields(g);
	struct directory_station station = { 0 };

	station.id = read_number(&fields, UINT64_MAX);
	station.dealer_id = read_number(&fields, UINT64_MAX);
	station.receiver_id = read_number(&fields, UINT64_MAX);
	station.name = read_text(&fields);
	station.prefix = read_text(&fields);
	station.receiver_adds_prefix = read_boolean(&fields);
	station.line_card = read_text(&fields);
	station.url_template = read_text(&fields);
	return fields.failed
	    ? -EPROTO
	    : directory_put_station(g->load->batch, station.id, &station);
}

static void
read_arming(struct fields *fields, struct directory_site *site)
{
	static const char *const methods[] = { "always", "panel_primary",
		"panel_individual", "video_system", "schedule", "panel_signals",
		"remote_api", NULL };

	site->has_partitions = read_boolean(fields);
	site->arming = (enum directory_arming)read_choice(fields, methods);
	site->arming_bridge_id = read_number(fields, UINT64_MAX);
	site->entry_delay_s = read_seconds(fields);
	site->exit_delay_s = read_seconds(fields);
	site->repeat_filter_s = read_seconds(fields);
	site->test_interval_s = (uint32_t)read_number(fields, INTERVAL_MAX_S);
}

static enum ack_level
read_ack_level(struct fields *fields)
{
	static const char *const levels[] = { [ACK_LEVEL_INHERIT] = "inherit",
		[ACK_LEVEL_LOCAL] = "local",
		[ACK_LEVEL_DELIVERED] = "delivered",
		NULL };

	return (enum ack_level)read_choice(fields, levels);
}

static int
put_site(const struct gathering *g)
{
	static const char *const states[] = { "active", "inactive", NULL };
	struct fields fields = own_fields(g);
	struct directory_site site = { 0 };
	int result;

	site.id = read_number(&fields, UINT64_MAX);
	site.dealer_id = read_number(&fields, UINT64_MAX);
	site.station_id = read_number(&fields, UINT64_MAX);
	site.state = read_choice(&fields, states) ? DIRECTORY_SITE_INACTIVE
						  : DIRECTORY_SITE_ACTIVE;
	site.name = read_text(&fields);
	site.account = read_text(&fields);
	site.reference_id = read_text(&fields);
	site.on_test_until_us = (int64_t)read_number(&fields, INT64_MAX);
	site.on_test_forward = read_boolean(&fields);
	read_arming(&fields, &site);
	site.ack_level = read_ack_level(&fields);
	site.activation_ends_us = (int64_t)read_number(&fields, INT64_MAX);
	read_position(&fields, &site.position);
	result = read_library(g, &site.library);
	if (result == 0)
		result = fields.failed
		    ? -EPROTO
		    : directory_put_site(g->load->batch, site.id, &site);
	free_library(&site.library);
	return result;
}

static int
read_zones(const struct gathering *g, struct directory_bridge *bridge)
{
	size_t count = count_more(g), i = 0;
	struct directory_zone *zones =
	    calloc(count ? count : 1, sizeof(*zones));
	bool failed = count > UINT16_MAX;

	if (!zones)
		return -ENOMEM;
	for (const struct row *row = g->first; row && i < count;
	     row = row->next, i++) {
		struct fields fields = more_fields(g, row);

		read_string(&fields, zones[i].zone, sizeof(zones[i].zone));
		zones[i].channel_id = read_number(&fields, UINT64_MAX);
		zones[i].zone_type = (uint16_t)read_number(&fields, UINT16_MAX);
		zones[i].enabled = read_tristate(&fields);
		read_string(&fields, zones[i].code, sizeof(zones[i].code));
		zones[i].name = read_text(&fields);
		zones[i].repeat_filter_s = read_seconds(&fields);
		zones[i].partition = (uint8_t)read_number(&fields, UINT8_MAX);
		zones[i].idle_days = (uint16_t)read_number(&fields, UINT16_MAX);
		failed |= fields.failed;
	}
	bridge->zone_count = (uint16_t)count;
	bridge->zones = zones;
	return failed ? -EPROTO : 0;
}

static void
read_path(struct fields *fields, struct directory_path *path)
{
	path->interval_s = (uint32_t)read_number(fields, INTERVAL_MAX_S);
	path->margin_s = (uint32_t)read_number(fields, INTERVAL_MAX_S);
	path->listener = read_nullable(fields);
}

/* What a bridge points at, meanwhile. */
struct bridge_parts {
	uint8_t key[DIRECTORY_KEY_SIZE], mac[DIRECTORY_MAC_SIZE];
	uint8_t bearer_hash[DIRECTORY_HASH_SIZE];
	struct directory_previous_key previous_key;
	struct directory_previous_bearer previous_bearer;
	struct directory_time_window time_window;
	struct directory_path paths[DIRECTORY_PATHS];
};

static void
read_previous_key(const struct gathering *g, struct fields *fields,
    struct directory_bridge *bridge, struct directory_previous_key *previous)
{
	bool opened = read_key(g->load, fields, "bridge.key", bridge->id,
	    previous->bytes, &previous->length);

	previous->until_us = (int64_t)read_number(fields, INT64_MAX);
	if (opened && previous->length > 0)
		bridge->previous_key = previous;
}

static void
read_previous_bearer(struct fields *fields, struct directory_bridge *bridge,
    struct directory_previous_bearer *previous)
{
	bool known = read_hash(fields, previous->hash);

	previous->until_us = (int64_t)read_number(fields, INT64_MAX);
	if (known)
		bridge->previous_bearer = previous;
}

static void
read_time_window(struct fields *fields, struct directory_bridge *bridge,
    struct directory_time_window *window)
{
	if (!*fields->position) { /* both or none */
		fields->position += 2;
		return;
	}
	window->past_s = (uint32_t)read_number(fields, UINT32_MAX);
	window->future_s = (uint32_t)read_number(fields, UINT32_MAX);
	bridge->time_window = window;
}

static void
read_mac(struct fields *fields, struct directory_bridge *bridge,
    uint8_t mac[DIRECTORY_MAC_SIZE])
{
	const char *text = read_nullable(fields);

	if (!text)
		return;
	if (text_hex_decode(slice_from_string(text), mac, DIRECTORY_MAC_SIZE) !=
	    DIRECTORY_MAC_SIZE)
		fields->failed = true;
	bridge->mac = mac;
}

static bool
read_bridge(const struct gathering *g, struct directory_bridge *bridge,
    struct bridge_parts *parts)
{
	static const char *const kinds[] = { "bridge", "panel", NULL };
	struct fields fields = own_fields(g);

	bridge->id = read_number(&fields, UINT64_MAX);
	bridge->site_id = read_number(&fields, UINT64_MAX);
	bridge->kind =
	    read_choice(&fields, kinds) ? DIRECTORY_PANEL : DIRECTORY_BRIDGE;
	bridge->serial = read_text(&fields);
	bridge->account = read_nullable(&fields);
	bridge->receiver = read_nullable(&fields);
	bridge->line = read_nullable(&fields);
	bridge->listener = read_nullable(&fields);
	/* the panel is not understood then, and takes its backup path */
	if (!read_key(g->load, &fields, "bridge.key", bridge->id, parts->key,
		&bridge->key_length))
		bridge->key_length = 0;
	bridge->key = parts->key;
	bridge->cipher_required = read_boolean(&fields);
	for (unsigned i = 0; i < DIRECTORY_PATHS; i++)
		read_path(&fields, &parts->paths[i]);
	bridge->paths = parts->paths;
	bridge->number = (uint16_t)read_number(&fields, UINT16_MAX);
	bridge->entry_delay_s = read_seconds(&fields);
	bridge->exit_delay_s = read_seconds(&fields);
	bridge->arming_input_inverted = read_boolean(&fields);
	read_previous_key(g, &fields, bridge, &parts->previous_key);
	bridge->tls_required = read_boolean(&fields);
	read_time_window(&fields, bridge, &parts->time_window);
	read_mac(&fields, bridge, parts->mac);
	bridge->bearer_hash = read_hash(&fields, parts->bearer_hash);
	read_previous_bearer(&fields, bridge, &parts->previous_bearer);
	return !fields.failed;
}

static int
put_bridge(const struct gathering *g)
{
	struct bridge_parts parts;
	struct directory_bridge bridge = { 0 };
	bool good = read_bridge(g, &bridge, &parts);
	int result = read_zones(g, &bridge);

	if (result == 0)
		result = good
		    ? directory_put_bridge(g->load->batch, bridge.id, &bridge)
		    : -EPROTO;
	free((void *)(uintptr_t)bridge.zones);
	explicit_bzero(&parts, sizeof(parts));
	return result;
}

static int
read_spans(const struct gathering *g, struct directory_schedule *schedule)
{
	size_t count = count_more(g), i = 0;
	struct directory_span *spans =
	    calloc(count ? count : 1, sizeof(*spans));
	bool failed = count > UINT16_MAX;

	if (!spans)
		return -ENOMEM;
	for (const struct row *row = g->first; row && i < count;
	     row = row->next, i++) {
		struct fields fields = more_fields(g, row);

		spans[i].begin_s = (int64_t)read_number(&fields, INT64_MAX);
		spans[i].end_s = (int64_t)read_number(&fields, INT64_MAX);
		spans[i].partition = (uint8_t)read_number(&fields, UINT8_MAX);
		spans[i].exception = read_boolean(&fields);
		spans[i].armed = read_boolean(&fields);
		failed |= fields.failed;
	}
	schedule->span_count = (uint16_t)count;
	schedule->spans = spans;
	return failed ? -EPROTO : 0;
}

static int
put_schedule(const struct gathering *g)
{
	struct fields fields = own_fields(g);
	struct directory_schedule schedule = { 0 };
	int result;

	schedule.id = read_number(&fields, UINT64_MAX);
	schedule.timezone = read_text(&fields);
	schedule.clock = local_clock_find(schedule.timezone);
	if (!schedule.clock)
		log_write(LOG_ERROR, "directory", "timezone_unknown",
		    "site=%" PRIu64 " timezone=%s effect=\"counts as armed\"",
		    schedule.id, schedule.timezone);
	result = read_spans(g, &schedule);
	if (result == 0)
		result = fields.failed ? -EPROTO
				       : directory_put_schedule(g->load->batch,
					     schedule.id, &schedule);
	free((void *)(uintptr_t)schedule.spans);
	return result;
}

static int
read_rules(const struct gathering *g,
    struct directory_destinations *destinations)
{
	size_t count = count_more(g), i = 0;
	struct directory_destination *rules =
	    calloc(count ? count : 1, sizeof(*rules));
	bool failed = count > UINT16_MAX;

	if (!rules)
		return -ENOMEM;
	for (const struct row *row = g->first; row && i < count;
	     row = row->next, i++) {
		struct fields fields = more_fields(g, row);

		rules[i].id = read_number(&fields, UINT64_MAX);
		rules[i].station_id = read_number(&fields, UINT64_MAX);
		rules[i].account = read_text(&fields);
		rules[i].reference_id = read_text(&fields);
		rules[i].prefixes = read_text(&fields);
		rules[i].partition = (uint8_t)read_number(&fields, UINT8_MAX);
		rules[i].weekdays = (uint8_t)read_number(&fields, UINT8_MAX);
		rules[i].from_minute =
		    (uint16_t)read_number(&fields, UINT16_MAX);
		rules[i].until_minute =
		    (uint16_t)read_number(&fields, UINT16_MAX);
		failed |= fields.failed;
	}
	destinations->count = (uint16_t)count;
	destinations->rules = rules;
	return failed ? -EPROTO : 0;
}

static int
put_destinations(const struct gathering *g)
{
	struct fields fields = own_fields(g);
	struct directory_destinations destinations = { 0 };
	int result;

	destinations.id = read_number(&fields, UINT64_MAX);
	destinations.timezone = read_text(&fields);
	destinations.clock = local_clock_find(destinations.timezone);
	result = read_rules(g, &destinations);
	if (result == 0)
		result = fields.failed
		    ? -EPROTO
		    : directory_put_destinations(g->load->batch,
			  destinations.id, &destinations);
	free((void *)(uintptr_t)destinations.rules);
	return result;
}

static int
put_removal(struct directory_batch *batch, enum object_kind kind, uint64_t id)
{
	switch (kind) {
	case OBJECT_ZONE_TYPE:
		return directory_put_zone_type(batch, (unsigned)id, NULL);
	case OBJECT_DEALER:
		return directory_put_dealer(batch, id, NULL);
	case OBJECT_RECEIVER:
		return directory_put_receiver(batch, id, NULL);
	case OBJECT_STATION:
		return directory_put_station(batch, id, NULL);
	case OBJECT_SITE:
		return directory_put_site(batch, id, NULL);
	case OBJECT_BRIDGE:
		return directory_put_bridge(batch, id, NULL);
	case OBJECT_CHANNEL:
		return directory_put_channel(batch, id, NULL);
	case OBJECT_SCHEDULE:
		return directory_put_schedule(batch, id, NULL);
	case OBJECT_DESTINATIONS:
		return directory_put_destinations(batch, id, NULL);
	}
	return -EINVAL;
}

static int (*const puts_by_kind[OBJECT_KINDS])(const struct gathering *) = {
	[OBJECT_ZONE_TYPE] = put_zone_type,
	[OBJECT_DEALER] = put_dealer,
	[OBJECT_RECEIVER] = put_receiver,
	[OBJECT_STATION] = put_station,
	[OBJECT_SITE] = put_site,
	[OBJECT_BRIDGE] = put_bridge,
	[OBJECT_CHANNEL] = put_channel,
	[OBJECT_SCHEDULE] = put_schedule,
	[OBJECT_DESTINATIONS] = put_destinations,
};

/* ---- from rows to objects ---- */

static void
forget_rows(struct gathering *g)
{
	while (g->first) {
		struct row *next = g->first->next;

		free(g->first);
		g->first = next;
	}
	g->last = &g->first;
}

static int
compare_with_id(uint64_t id, const char *text)
{
	uint64_t other = strtoull(text, NULL, 10);

	return (id > other) - (id < other);
}

/* Ids below the one that came do not exist any more. */
static int
remove_missing(struct gathering *g, const char *came)
{
	while (g->id_count > 0) {
		int order = came ? compare_with_id(*g->ids, came) : -1;
		int result;

		if (order > 0)
			return 0;
		if (order < 0) {
			result = put_removal(g->load->batch, g->kind, *g->ids);
			if (result < 0)
				return result;
		}
		g->ids++;
		g->id_count--;
		if (order == 0)
			return 0;
	}
	return 0;
}

/* The object whose rows are here is complete. */
static int
finish_object(struct gathering *g, struct err *err)
{
	int result;

	if (!g->first)
		return 0;
	result = remove_missing(g, g->first->fields[0]);
	if (result == 0)
		result = puts_by_kind[g->kind](g);
	if (result == -EPROTO) {
		/* one bad row must not keep all others from their alarms */
		log_write(LOG_ERROR, "directory", "object_left_out",
		    "%s=%s error=\"a column holds what this version cannot "
		    "represent\"",
		    queries[g->kind].name, g->first->fields[0]);
		g->load->refused++;
		result = put_removal(g->load->batch, g->kind,
		    strtoull(g->first->fields[0], NULL, 10));
	}
	forget_rows(g);
	return result < 0 ? err_set(err, result, "out of memory") : 0;
}

static struct row *
copy_row(int count, char **fields)
{
	size_t bytes = sizeof(struct row) + (size_t)count * sizeof(char *);
	size_t length = 0;
	struct row *row;
	char *text;

	for (int i = 0; i < count; i++)
		length += fields[i] ? strlen(fields[i]) + 1 : 0;
	row = malloc(bytes + length);
	if (!row)
		return NULL;
	row->next = NULL;
	text = (char *)row + bytes;
	for (int i = 0; i < count; i++) {
		row->fields[i] = fields[i] ? text : NULL;
		if (fields[i])
			text = stpcpy(text, fields[i]) + 1;
	}
	return row;
}

static int
gather_row(void *context, int count, char **fields, struct err *err)
{
	struct gathering *g = context;
	struct row *row;
	int result = 0;

	if (!fields[0])
		return err_set(err, -EPROTO, "tocsin.directory_%s: id is NULL",
		    queries[g->kind].name);
	if (g->first && strcmp(g->first->fields[0], fields[0]) != 0)
		result = finish_object(g, err);
	if (result < 0)
		return result;
	row = copy_row(count, fields);
	if (!row)
		return err_set(err, -ENOMEM, "out of memory");
	*g->last = row;
	g->last = &row->next;
	return 0;
}

/* condition: "" or "WHERE ..." */
static int
run_query(struct gathering *g, const char *condition, struct err *err)
{
	const struct query *query = &queries[g->kind];
	char *sql;
	int result;

	g->last = &g->first;
	if (asprintf(&sql,
		"COPY (SELECT %s FROM %s %s ORDER BY %s%s) TO STDOUT",
		query->columns, query->from, condition, query->id,
		query->order) < 0)
		return err_set(err, -ENOMEM, "out of memory");
	result = db_copy_out(g->load->db, sql,
	    query->own_fields + query->more_fields, gather_row, g, err);
	free(sql);
	if (result == 0)
		result = finish_object(g, err);
	if (result == 0)
		result = remove_missing(g, NULL);
	forget_rows(g);
	return result;
}

int
load_all(struct load *load, struct err *err)
{
	int result = 0;

	for (int kind = 0; kind < OBJECT_KINDS && result == 0; kind++) {
		struct gathering g = { .load = load,
			.kind = (enum object_kind)kind };

		result = run_query(&g, "", err);
	}
	return result;
}

/* "WHERE o.id = ANY ('{1,2}')" */
static char *
make_condition(const char *id, const uint64_t *ids, size_t count)
{
	const size_t number = sizeof("18446744073709551615,") - 1;
	char *text = malloc(64 + count * number);
	char *out = text;

	if (!text)
		return NULL;
	out += sprintf(out, "WHERE %s = ANY ('{", id);
	for (size_t i = 0; i < count; i++)
		out += sprintf(out, "%s%" PRIu64, i ? "," : "", ids[i]);
	sprintf(out, "}')");
	return text;
}

int
load_some(struct load *load, enum object_kind kind, const uint64_t *ids,
    size_t count, struct err *err)
{
	for (size_t done = 0; done < count; done += IDS_PER_QUERY) {
		size_t n =
		    count - done < IDS_PER_QUERY ? count - done : IDS_PER_QUERY;
		struct gathering g = { .load = load,
			.kind = kind,
			.ids = ids + done,
			.id_count = n };
		char *condition =
		    make_condition(queries[kind].id, ids + done, n);
		int result = condition ? run_query(&g, condition, err)
				       : err_set(err, -ENOMEM, "out of memory");

		free(condition);
		if (result < 0)
			return result;
	}
	return 0;
}

int
load_kind_from_name(const char *name)
{
	for (int kind = 0; kind < OBJECT_KINDS; kind++)
		if (strcmp(queries[kind].name, name) == 0)
			return kind;
	return -1;
}
