#include "directory/snapshot.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/crc32c.h"
#include "base/cursor.h"

#define SNAPSHOT_MAGIC	     "TOCSNAP\n"
#define SNAPSHOT_VERSION     19
#define SNAPSHOT_SEALED	     1u
#define SNAPSHOT_HEADER_SIZE 120
#define RECORD_HEADER_SIZE   5
#define RECORD_MAX	     (64u * 1024 * 1024)
#define BUFFER_SIZE	     (1024u * 1024)

struct header {
	uint32_t flags;
	uint64_t body_bytes;
	int64_t wall_us;
	uint64_t counts[OBJECT_KINDS];
	uint32_t body_crc;
};

/* ---- writing ---- */

struct output {
	const struct io *io;
	const struct seal_master *master;
	int fd;
	off_t offset; /* in the file, where the buffer goes */
	uint8_t *buffer;
	size_t size, used;
	struct header header;
	int result; /* sticky -errno */
};

static void
output_flush(struct output *output)
{
	if (output->result < 0)
		return;
	output->header.body_crc =
	    crc32c(output->header.body_crc, output->buffer, output->used);
	output->header.body_bytes += output->used;
	output->result = io_write_all(output->io, output->fd, output->buffer,
	    output->used, output->offset);
	output->offset += (off_t)output->used;
	output->used = 0;
}

static void
write_secret(struct writer *w, const struct seal_master *master,
    const char *what, uint64_t id, struct slice secret)
{
	uint8_t sealed[DIRECTORY_PASSKEY_SIZE + SEAL_OVERHEAD];
	char context[SEAL_CONTEXT_SIZE];
	int sealed_length;

	if (secret.length == 0 || !master) {
		writer_slice(w, secret);
		return;
	}
	snprintf(context, sizeof(context), "%s:%" PRIu64, what, id);
	sealed_length =
	    seal_close(master, context, secret, sealed, sizeof(sealed));
	if (sealed_length < 0)
		w->failed = true;
	else
		writer_slice(w, slice_of(sealed, (size_t)sealed_length));
}

static void
write_library(struct writer *w, const struct directory_library *library)
{
	writer_u16(w, library->count);
	for (unsigned i = 0; i < library->count; i++) {
		const struct directory_library_row *row = &library->rows[i];

		writer_u16(w, row->zone_type);
		writer_u8(w, (uint8_t)row->qualifier);
		writer_string(w, row->inbound_code);
		writer_u8(w, (uint8_t)row->enabled);
		writer_string(w, row->code);
	}
}

static void
write_zone_type(struct writer *w, const struct directory_zone_type *type)
{
	writer_u8(w, type->enabled);
	writer_string(w, type->code);
	writer_string(w, type->name);
	writer_u8(w, type->when_disarmed);
	writer_u8(w, type->delayed);
	writer_u8(w, type->follows);
}

static void
write_dealer(struct writer *w, const struct directory_dealer *dealer)
{
	writer_string(w, dealer->name);
	write_library(w, &dealer->library);
}

static void
write_endpoint(struct writer *w, const struct directory_endpoint *endpoint)
{
	writer_string(w, endpoint->host);
	writer_u16(w, endpoint->port);
	writer_u8(w, (uint8_t)endpoint->transport);
	writer_string(w, endpoint->tls_name);
	writer_string(w, endpoint->tls_ca);
	writer_string(w, endpoint->tls_certificate);
	writer_string(w, endpoint->path);
}

static void
write_receiver(struct writer *w, const struct directory_receiver *receiver,
    const struct seal_master *master)
{
	writer_string(w, receiver->name);
	writer_u8(w, (uint8_t)receiver->protocol);
	writer_u8(w, receiver->listen);
	writer_u8(w, receiver->paused);
	writer_string(w, receiver->receiver_number);
	writer_string(w, receiver->line_number);
	writer_u8(w, receiver->line_digits);
	writer_u8(w, receiver->sia_block);
	writer_u8(w, receiver->clock);
	writer_u8(w, receiver->header_space);
	writer_u8(w, (uint8_t)receiver->account_policy);
	writer_u8(w, (uint8_t)receiver->translation);
	writer_string(w, receiver->codes);
	writer_u64(w, receiver->shadow_of);
	writer_u8(w, receiver->account_digits);
	writer_u32(w, receiver->heartbeat_ms);
	writer_u32(w, receiver->ack_wait_ms);
	writer_u8(w, receiver->retries);
	writer_u16(w, receiver->in_flight);
	write_secret(w, master, "receiver.key", receiver->id,
	    slice_of(receiver->key, receiver->key_length));
	write_secret(w, master, "receiver.passkey", receiver->id,
	    slice_from_string(receiver->passkey));
	writer_u8(w, receiver->endpoint_count);
	for (unsigned i = 0; i < receiver->endpoint_count; i++)
		write_endpoint(w, &receiver->endpoints[i]);
}

static void
write_station(struct writer *w, const struct directory_station *station)
{
	writer_u64(w, station->dealer_id);
	writer_u64(w, station->receiver_id);
	writer_string(w, station->name);
	writer_string(w, station->prefix);
	writer_u8(w, station->receiver_adds_prefix);
	writer_string(w, station->line_card);
	writer_string(w, station->url_template);
}

static void
write_site(struct writer *w, const struct directory_site *site)
{
	writer_u64(w, site->dealer_id);
	writer_u64(w, site->station_id);
	writer_u8(w, (uint8_t)site->state);
	writer_string(w, site->name);
	writer_string(w, site->account);
	writer_string(w, site->reference_id);
	writer_u64(w, (uint64_t)site->on_test_until_us);
	writer_u8(w, site->on_test_forward);
	writer_u8(w, site->has_partitions);
	writer_u8(w, (uint8_t)site->arming);
	writer_u64(w, site->arming_bridge_id);
	writer_u16(w, site->entry_delay_s);
	writer_u16(w, site->exit_delay_s);
	writer_u16(w, site->repeat_filter_s);
	writer_u32(w, site->test_interval_s);
	writer_u8(w, (uint8_t)site->ack_level);
	writer_u64(w, (uint64_t)site->activation_ends_us);
	writer_u8(w, site->position.known);
	writer_u32(w, (uint32_t)site->position.latitude_e7);
	writer_u32(w, (uint32_t)site->position.longitude_e7);
	write_library(w, &site->library);
}

static void
write_channel(struct writer *w, const struct directory_channel *channel)
{
	write_library(w, &channel->library);
}

static void
write_schedule(struct writer *w, const struct directory_schedule *schedule)
{
	writer_string(w, schedule->timezone);
	writer_u16(w, schedule->span_count);
	for (unsigned i = 0; i < schedule->span_count; i++) {
		const struct directory_span *span = &schedule->spans[i];

		writer_u64(w, (uint64_t)span->begin_s);
		writer_u64(w, (uint64_t)span->end_s);
		writer_u8(w, span->partition);
		writer_u8(w, span->exception);
		writer_u8(w, span->armed);
	}
}

static void
write_destinations(struct writer *w,
    const struct directory_destinations *destinations)
{
	writer_string(w, destinations->timezone);
	writer_u16(w, destinations->count);
	for (unsigned i = 0; i < destinations->count; i++) {
		const struct directory_destination *rule =
		    &destinations->rules[i];

		writer_u64(w, rule->id);
		writer_u64(w, rule->station_id);
		writer_string(w, rule->account);
		writer_string(w, rule->reference_id);
		writer_string(w, rule->prefixes);
		writer_u8(w, rule->partition);
		writer_u8(w, rule->weekdays);
		writer_u16(w, rule->from_minute);
		writer_u16(w, rule->until_minute);
	}
}

/* What it must do to be believed, beside its key. */
static void
write_policy(struct writer *w, const struct directory_bridge *bridge,
    const struct seal_master *master)
{
	static const struct directory_previous_key none;
	const struct directory_previous_key *previous =
	    bridge->previous_key ? bridge->previous_key : &none;
	const struct directory_time_window *window = bridge->time_window;

	write_secret(w, master, "bridge.key", bridge->id,
	    slice_of(previous->bytes, previous->length));
	writer_u64(w, (uint64_t)previous->until_us);
	writer_u8(w, bridge->tls_required);
	writer_u8(w, window != NULL);
	if (window) {
		writer_u32(w, window->past_s);
		writer_u32(w, window->future_s);
	}
	writer_slice(w,
	    slice_of(bridge->mac, bridge->mac ? DIRECTORY_MAC_SIZE : 0));
}

/* Its keys of the bridge API. */
static void
write_bearers(struct writer *w, const struct directory_bridge *bridge)
{
	const struct directory_previous_bearer *previous =
	    bridge->previous_bearer;

	writer_slice(w,
	    slice_of(bridge->bearer_hash,
		bridge->bearer_hash ? DIRECTORY_HASH_SIZE : 0));
	writer_slice(w,
	    previous ? slice_of(previous->hash, sizeof(previous->hash))
		     : SLICE_NONE);
	writer_u64(w, previous ? (uint64_t)previous->until_us : 0);
}

static void
write_bridge(struct writer *w, const struct directory_bridge *bridge,
    const struct seal_master *master)
{
	writer_u64(w, bridge->site_id);
	writer_u8(w, bridge->kind);
	writer_string(w, bridge->serial);
	writer_slice(w, slice_from_string(bridge->account));
	writer_slice(w, slice_from_string(bridge->receiver));
	writer_slice(w, slice_from_string(bridge->line));
	writer_slice(w, slice_from_string(bridge->listener));
	write_secret(w, master, "bridge.key", bridge->id,
	    slice_of(bridge->key, bridge->key_length));
	write_bearers(w, bridge);
	writer_u8(w, bridge->cipher_required);
	write_policy(w, bridge, master);
	writer_u16(w, bridge->number);
	writer_u8(w, bridge->arming_input_inverted);
	writer_u16(w, bridge->entry_delay_s);
	writer_u16(w, bridge->exit_delay_s);
	for (unsigned i = 0; i < DIRECTORY_PATHS; i++) {
		writer_u32(w, bridge->paths[i].interval_s);
		writer_u32(w, bridge->paths[i].margin_s);
		writer_slice(w, slice_from_string(bridge->paths[i].listener));
	}
	writer_u16(w, bridge->zone_count);
	for (unsigned i = 0; i < bridge->zone_count; i++) {
		const struct directory_zone *zone = &bridge->zones[i];

		writer_string(w, zone->zone);
		writer_u64(w, zone->channel_id);
		writer_u16(w, zone->zone_type);
		writer_u8(w, (uint8_t)zone->enabled);
		writer_string(w, zone->code);
		writer_string(w, zone->name);
		writer_u8(w, zone->partition);
		writer_u16(w, zone->repeat_filter_s);
		writer_u16(w, zone->idle_days);
	}
}

static void
write_content(struct writer *w, const struct object *object,
    const struct seal_master *master)
{
	const void *content = object_content(object);

	writer_u64(w, object_id(object));
	switch ((enum object_kind)object->kind) {
	case OBJECT_ZONE_TYPE:
		write_zone_type(w, content);
		break;
	case OBJECT_DEALER:
		write_dealer(w, content);
		break;
	case OBJECT_RECEIVER:
		write_receiver(w, content, master);
		break;
	case OBJECT_STATION:
		write_station(w, content);
		break;
	case OBJECT_SITE:
		write_site(w, content);
		break;
	case OBJECT_BRIDGE:
		write_bridge(w, content, master);
		break;
	case OBJECT_CHANNEL:
		write_channel(w, content);
		break;
	case OBJECT_SCHEDULE:
		write_schedule(w, content);
		break;
	case OBJECT_DESTINATIONS:
		write_destinations(w, content);
		break;
	}
}

/* A record is never longer than its object in memory with what it shares,
 * except for a key's seal and the lengths of its texts: twice is always
 * enough. */
static bool
make_room(struct output *output, size_t bytes)
{
	uint8_t *buffer;

	if (output->size - output->used >= bytes)
		return true;
	output_flush(output);
	if (output->result == 0 && output->size < bytes) {
		buffer = realloc(output->buffer, bytes);
		if (!buffer) {
			output->result = -ENOMEM;
			return false;
		}
		output->buffer = buffer;
		output->size = bytes;
	}
	return output->result == 0;
}

static void
write_object(struct output *output, const struct object *object)
{
	size_t room = 2 * (object->bytes + object_shared_bytes(object)) + 256;
	struct writer head, body;
	size_t length;

	if (output->result < 0 || !make_room(output, room))
		return;
	head = writer_open(output->buffer + output->used, RECORD_HEADER_SIZE);
	body = writer_open(head.end, room - RECORD_HEADER_SIZE);
	write_content(&body, object, output->master);
	length = writer_length(&body);
	writer_u8(&head, (uint8_t)object->kind);
	writer_u32(&head, (uint32_t)length);
	if (body.failed || head.failed || length > RECORD_MAX)
		output->result = -EOVERFLOW;
	output->used += RECORD_HEADER_SIZE + length;
	output->header.counts[object->kind]++;
}

static void
write_header(struct output *output)
{
	uint8_t bytes[SNAPSHOT_HEADER_SIZE] = { 0 };
	struct writer w = writer_open(bytes, sizeof(bytes));
	const struct header *header = &output->header;

	writer_bytes(&w, SNAPSHOT_MAGIC, 8);
	writer_u32(&w, SNAPSHOT_VERSION);
	writer_u32(&w, header->flags);
	writer_u64(&w, header->body_bytes);
	writer_u64(&w, (uint64_t)header->wall_us);
	for (int kind = 0; kind < OBJECT_KINDS; kind++)
		writer_u64(&w, header->counts[kind]);
	writer_u32(&w, header->body_crc);
	writer_u64(&w, 0);
	writer_u32(&w, crc32c(0, bytes, writer_length(&w)));
	if (output->result == 0)
		output->result = io_write_all(output->io, output->fd, bytes,
		    sizeof(bytes), 0);
}

static int
write_file(struct output *output, const char *path,
    const struct snapshot_content *content)
{
	int closed;

	output->fd = output->io->open(output->io, path,
	    O_WRONLY | O_CREAT | O_TRUNC, 0600);
	if (output->fd < 0)
		return output->fd;
	for (size_t i = 0; i < content->count; i++)
		write_object(output, content->objects[i]);
	output_flush(output);
	write_header(output);
	if (output->result == 0)
		output->result = output->io->fsync(output->io, output->fd);
	closed = output->io->close(output->io, output->fd);
	return output->result < 0 ? output->result : closed;
}

static int
sync_directory_of(const struct io *io, const char *path)
{
	char directory[PATH_MAX];
	const char *slash = strrchr(path, '/');

	snprintf(directory, sizeof(directory), "%.*s",
	    slash ? (int)(slash - path) : 1, slash ? path : ".");
	return io_sync_directory(io, directory[0] ? directory : "/");
}

static void
collect(void *context, struct object *object)
{
	struct snapshot_content *content = context;

	content->objects[content->count++] = object;
}

struct snapshot_content *
snapshot_collect(const struct picture *picture, object_allocate_fn allocate)
{
	struct snapshot_content *content;
	size_t count = 0;

	for (int kind = 0; kind < OBJECT_KINDS; kind++)
		count += picture->by_id[kind].count;
	content =
	    allocate(sizeof(*content) + count * sizeof(content->objects[0]));
	if (!content)
		return NULL;
	content->count = 0;
	for (int kind = 0; kind < OBJECT_KINDS; kind++)
		table_each(&picture->by_id[kind], collect, content);
	return content;
}

int
snapshot_write(const struct io *io, const char *path,
    const struct snapshot_content *content, const struct seal_master *master,
    int64_t wall_us, struct err *err)
{
	struct output output = { .io = io,
		.master = master,
		.offset = SNAPSHOT_HEADER_SIZE,
		.size = BUFFER_SIZE,
		.header = { .flags = master ? SNAPSHOT_SEALED : 0,
		    .wall_us = wall_us } };
	char temporary[PATH_MAX];
	int result;

	if (snprintf(temporary, sizeof(temporary), "%s.new", path) >=
	    (int)sizeof(temporary))
		return err_set(err, -ENAMETOOLONG, "%s: name too long", path);
	output.buffer = malloc(output.size);
	if (!output.buffer)
		return err_set(err, -ENOMEM, "out of memory");
	result = write_file(&output, temporary, content);
	if (result == 0)
		result = io->rename(io, temporary, path);
	if (result < 0)
		io->unlink(io, temporary);
	else
		result = sync_directory_of(io, path);
	explicit_bzero(output.buffer, output.size);
	free(output.buffer);
	return result < 0 ? err_set(err, result, "%s: cannot write: %s", path,
				strerror(-result))
			  : 0;
}

/* ---- reading ---- */

struct input {
	const struct io *io;
	const char *path;
	int fd;
	const struct seal_master *master;
	struct directory_batch *batch;
	struct header header;
	uint64_t left; /* bytes of the body not read from the file yet */
	off_t offset;
	uint32_t crc;
	uint8_t *buffer;
	size_t size, start, end; /* unread: start..end */
	uint64_t counts[OBJECT_KINDS];
};

static int
damaged(const struct input *input, const char *what, struct err *err)
{
	return err_set(err, -EBADMSG, "%s: %s: not used", input->path, what);
}

/* Exactly so many bytes at the offset; 0, -EBADMSG at the end, -errno. */
static int
read_exactly(const struct input *input, void *out, size_t length, off_t offset,
    struct err *err)
{
	uint8_t *to = out;

	while (length > 0) {
		ssize_t n =
		    input->io->pread(input->io, input->fd, to, length, offset);

		if (n == -EINTR)
			continue;
		if (n < 0)
			return err_set(err, (int)n, "%s: cannot read: %s",
			    input->path, strerror((int)-n));
		if (n == 0)
			return damaged(input, "the snapshot is cut short", err);
		to += n;
		offset += n;
		length -= (size_t)n;
	}
	return 0;
}

static int
read_header(struct input *input, struct err *err)
{
	uint8_t bytes[SNAPSHOT_HEADER_SIZE];
	struct reader r = reader_open(bytes, sizeof(bytes));
	struct header *header = &input->header;
	int result = read_exactly(input, bytes, sizeof(bytes), 0, err);
	uint32_t version;

	if (result < 0)
		return result;
	if (memcmp(reader_bytes(&r, 8).data, SNAPSHOT_MAGIC, 8) != 0)
		return damaged(input, "this is not a directory snapshot", err);
	version = reader_u32(&r);
	header->flags = reader_u32(&r);
	header->body_bytes = reader_u64(&r);
	header->wall_us = (int64_t)reader_u64(&r);
	for (int kind = 0; kind < OBJECT_KINDS; kind++)
		header->counts[kind] = reader_u64(&r);
	header->body_crc = reader_u32(&r);
	reader_u64(&r);
	if (reader_u32(&r) != crc32c(0, bytes, sizeof(bytes) - 4))
		return damaged(input, "the snapshot's header is damaged", err);
	if (version != SNAPSHOT_VERSION)
		return damaged(input, "the snapshot has another version", err);
	if (header->flags & SNAPSHOT_SEALED && !input->master)
		return damaged(input,
		    "the snapshot's keys are sealed and there is no master "
		    "key file",
		    err);
	input->left = header->body_bytes;
	input->offset = SNAPSHOT_HEADER_SIZE;
	return 0;
}

/* At least so many unread bytes in the buffer. */
static int
fill(struct input *input, size_t bytes, struct err *err)
{
	size_t have = input->end - input->start, more;
	int result;

	if (have >= bytes)
		return 0;
	if (bytes - have > input->left)
		return damaged(input, "the snapshot's records are damaged",
		    err);
	if (bytes > input->size) {
		uint8_t *buffer = realloc(input->buffer, bytes);

		if (!buffer)
			return err_set(err, -ENOMEM, "out of memory");
		input->buffer = buffer;
		input->size = bytes;
	}
	memmove(input->buffer, input->buffer + input->start, have);
	more = input->size - have;
	if (more > input->left)
		more = (size_t)input->left;
	result =
	    read_exactly(input, input->buffer + have, more, input->offset, err);
	if (result < 0)
		return result;
	input->crc = crc32c(input->crc, input->buffer + have, more);
	input->offset += (off_t)more;
	input->left -= more;
	input->start = 0;
	input->end = have + more;
	return 0;
}

/*
 * Texts stay where they are: each is followed by the low byte of the next
 * number, so they cannot be ended in place; they are copied into the object's
 * scratch, which is as large as its record.
 */
struct content_reader {
	struct reader r;
	char *scratch;
	const struct input *input;
};

static const char *
read_nullable(struct content_reader *c)
{
	struct slice s = reader_slice(&c->r);
	char *text = c->scratch;

	if (!slice_present(s))
		return NULL;
	memcpy(text, s.data, s.length);
	text[s.length] = '\0';
	c->scratch += s.length + 1;
	return text;
}

static const char *
read_text(struct content_reader *c)
{
	const char *text = read_nullable(c);

	return text ? text : "";
}

/* Its length. */
static size_t
read_secret(struct content_reader *c, const char *what, uint64_t id, void *out,
    size_t size)
{
	struct slice s = reader_slice(&c->r);
	char context[SEAL_CONTEXT_SIZE];
	int length = (int)s.length;

	snprintf(context, sizeof(context), "%s:%" PRIu64, what, id);
	if (s.length > 0 && c->input->header.flags & SNAPSHOT_SEALED)
		length = seal_open(c->input->master, context, s, out, size);
	else if (s.length <= size)
		memcpy(out, s.data ? s.data : "", s.length);
	if (length >= 0 && (size_t)length <= size)
		return (size_t)length;
	c->r.failed = true;
	return 0;
}

/* Room for count elements; none for a count that the record cannot hold. */
static void *
read_array(struct content_reader *c, size_t count, size_t element_bytes,
    size_t least_bytes)
{
	void *array = NULL;

	if (count * least_bytes <= reader_left(&c->r))
		array = calloc(count ? count : 1, element_bytes);
	if (!array)
		c->r.failed = true;
	return array;
}

static struct directory_library
read_library(struct content_reader *c, void **ret_array)
{
	uint16_t count = reader_u16(&c->r);
	struct directory_library_row *rows =
	    read_array(c, count, sizeof(*rows), 8);

	*ret_array = rows;
	for (unsigned i = 0; rows && i < count; i++) {
		rows[i].zone_type = reader_u16(&c->r);
		rows[i].qualifier = (char)reader_u8(&c->r);
		reader_string(&c->r, rows[i].inbound_code,
		    sizeof(rows[i].inbound_code));
		rows[i].enabled = (int8_t)reader_u8(&c->r);
		reader_string(&c->r, rows[i].code, sizeof(rows[i].code));
	}
	return (struct directory_library){ rows ? count : 0, rows };
}

static int
read_zone_type(struct content_reader *c, uint64_t id,
    struct directory_batch *batch)
{
	struct directory_zone_type type = { .number = (uint16_t)id };

	type.enabled = reader_u8(&c->r);
	reader_string(&c->r, type.code, sizeof(type.code));
	type.name = read_text(c);
	type.when_disarmed = reader_u8(&c->r);
	type.delayed = reader_u8(&c->r);
	type.follows = reader_u8(&c->r);
	return c->r.failed
	    ? -EBADMSG
	    : directory_put_zone_type(batch, (unsigned)id, &type);
}

static int
read_dealer(struct content_reader *c, uint64_t id,
    struct directory_batch *batch, void **ret_array)
{
	struct directory_dealer dealer = { .id = id };

	dealer.name = read_text(c);
	dealer.library = read_library(c, ret_array);
	return c->r.failed ? -EBADMSG
			   : directory_put_dealer(batch, id, &dealer);
}

static int
read_channel(struct content_reader *c, uint64_t id,
    struct directory_batch *batch, void **ret_array)
{
	struct directory_channel channel = { .id = id };

	channel.library = read_library(c, ret_array);
	return c->r.failed ? -EBADMSG
			   : directory_put_channel(batch, id, &channel);
}

static int
read_schedule(struct content_reader *c, uint64_t site_id,
    struct directory_batch *batch, void **ret_array)
{
	struct directory_schedule schedule = { .id = site_id };
	struct directory_span *spans;
	uint16_t count;

	schedule.timezone = read_text(c);
	schedule.clock = local_clock_find(schedule.timezone);
	count = reader_u16(&c->r);
	*ret_array = spans = read_array(c, count, sizeof(*spans), 19);
	for (unsigned i = 0; spans && i < count; i++) {
		spans[i].begin_s = (int64_t)reader_u64(&c->r);
		spans[i].end_s = (int64_t)reader_u64(&c->r);
		spans[i].partition = reader_u8(&c->r);
		spans[i].exception = reader_u8(&c->r);
		spans[i].armed = reader_u8(&c->r);
	}
	schedule.spans = spans;
	schedule.span_count = spans ? count : 0;
	return c->r.failed ? -EBADMSG
			   : directory_put_schedule(batch, site_id, &schedule);
}

static int
read_destinations(struct content_reader *c, uint64_t site_id,
    struct directory_batch *batch, void **ret_array)
{
	struct directory_destinations destinations = { .id = site_id };
	struct directory_destination *rules;
	uint16_t count;

	destinations.timezone = read_text(c);
	destinations.clock = local_clock_find(destinations.timezone);
	count = reader_u16(&c->r);
	*ret_array = rules = read_array(c, count, sizeof(*rules), 28);
	for (unsigned i = 0; rules && i < count; i++) {
		rules[i].id = reader_u64(&c->r);
		rules[i].station_id = reader_u64(&c->r);
		rules[i].account = read_text(c);
		rules[i].reference_id = read_text(c);
		rules[i].prefixes = read_text(c);
		rules[i].partition = reader_u8(&c->r);
		rules[i].weekdays = reader_u8(&c->r);
		rules[i].from_minute = reader_u16(&c->r);
		rules[i].until_minute = reader_u16(&c->r);
	}
	destinations.rules = rules;
	destinations.count = rules ? count : 0;
	return c->r.failed
	    ? -EBADMSG
	    : directory_put_destinations(batch, site_id, &destinations);
}

static void
read_endpoints(struct content_reader *c, struct directory_receiver *receiver,
    void **ret_array)
{
	uint8_t count = reader_u8(&c->r);
	struct directory_endpoint *endpoints =
	    read_array(c, count, sizeof(*endpoints), 13);

	*ret_array = endpoints;
	for (unsigned i = 0; endpoints && i < count; i++) {
		endpoints[i].host = read_text(c);
		endpoints[i].port = reader_u16(&c->r);
		endpoints[i].transport =
		    (enum directory_transport)reader_u8(&c->r);
		endpoints[i].tls_name = read_text(c);
		endpoints[i].tls_ca = read_text(c);
		endpoints[i].tls_certificate = read_text(c);
		endpoints[i].path = read_text(c);
	}
	receiver->endpoints = endpoints;
	receiver->endpoint_count = endpoints ? count : 0;
}

static int
read_receiver(struct content_reader *c, uint64_t id,
    struct directory_batch *batch, void **ret_array)
{
	struct directory_receiver receiver = { .id = id };
	struct reader *r = &c->r;
	int result;

	receiver.name = read_text(c);
	receiver.protocol = (enum directory_protocol)reader_u8(r);
	receiver.listen = reader_u8(r);
	receiver.paused = reader_u8(r);
	reader_string(r, receiver.receiver_number,
	    sizeof(receiver.receiver_number));
	reader_string(r, receiver.line_number, sizeof(receiver.line_number));
	receiver.line_digits = reader_u8(r);
	receiver.sia_block = reader_u8(r);
	receiver.clock = reader_u8(r);
	receiver.header_space = reader_u8(r);
	receiver.account_policy = (enum directory_account_policy)reader_u8(r);
	receiver.translation = (enum directory_translation)reader_u8(r);
	receiver.codes = read_text(c);
	receiver.shadow_of = reader_u64(r);
	receiver.account_digits = reader_u8(r);
	receiver.heartbeat_ms = reader_u32(r);
	receiver.ack_wait_ms = reader_u32(r);
	receiver.retries = reader_u8(r);
	receiver.in_flight = reader_u16(r);
	receiver.key_length = (uint8_t)read_secret(c, "receiver.key", id,
	    receiver.key, sizeof(receiver.key));
	read_secret(c, "receiver.passkey", id, receiver.passkey,
	    sizeof(receiver.passkey) - 1);
	read_endpoints(c, &receiver, ret_array);
	result =
	    r->failed ? -EBADMSG : directory_put_receiver(batch, id, &receiver);
	explicit_bzero(receiver.key, sizeof(receiver.key));
	explicit_bzero(receiver.passkey, sizeof(receiver.passkey));
	return result;
}

static int
read_station(struct content_reader *c, uint64_t id,
    struct directory_batch *batch)
{
	struct directory_station station = { .id = id };

	station.dealer_id = reader_u64(&c->r);
	station.receiver_id = reader_u64(&c->r);
	station.name = read_text(c);
	station.prefix = read_text(c);
	station.receiver_adds_prefix = reader_u8(&c->r);
	station.line_card = read_text(c);
	station.url_template = read_text(c);
	return c->r.failed ? -EBADMSG
			   : directory_put_station(batch, id, &station);
}

static enum ack_level
read_ack_level(struct content_reader *c)
{
	unsigned level = reader_u8(&c->r);

	if (level > ACK_LEVEL_DELIVERED)
		c->r.failed = true;
	return (enum ack_level)level;
}

static int
read_site(struct content_reader *c, uint64_t id, struct directory_batch *batch,
    void **ret_array)
{
	struct directory_site site = { .id = id };

	site.dealer_id = reader_u64(&c->r);
	site.station_id = reader_u64(&c->r);
	site.state = (enum directory_site_state)reader_u8(&c->r);
	site.name = read_text(c);
	site.account = read_text(c);
	site.reference_id = read_text(c);
	site.on_test_until_us = (int64_t)reader_u64(&c->r);
	site.on_test_forward = reader_u8(&c->r) != 0;
	site.has_partitions = reader_u8(&c->r) != 0;
	site.arming = (enum directory_arming)reader_u8(&c->r);
	site.arming_bridge_id = reader_u64(&c->r);
	site.entry_delay_s = reader_u16(&c->r);
	site.exit_delay_s = reader_u16(&c->r);
	site.repeat_filter_s = reader_u16(&c->r);
	site.test_interval_s = reader_u32(&c->r);
	site.ack_level = read_ack_level(c);
	site.activation_ends_us = (int64_t)reader_u64(&c->r);
	site.position.known = reader_u8(&c->r) != 0;
	site.position.latitude_e7 = (int32_t)reader_u32(&c->r);
	site.position.longitude_e7 = (int32_t)reader_u32(&c->r);
	site.library = read_library(c, ret_array);
	return c->r.failed ? -EBADMSG : directory_put_site(batch, id, &site);
}

static void
read_zones(struct content_reader *c, struct directory_bridge *bridge,
    void **ret_array)
{
	uint16_t count = reader_u16(&c->r);
	struct directory_zone *zones = read_array(c, count, sizeof(*zones), 20);

	*ret_array = zones;
	for (unsigned i = 0; zones && i < count; i++) {
		reader_string(&c->r, zones[i].zone, sizeof(zones[i].zone));
		zones[i].channel_id = reader_u64(&c->r);
		zones[i].zone_type = reader_u16(&c->r);
		zones[i].enabled = (int8_t)reader_u8(&c->r);
		reader_string(&c->r, zones[i].code, sizeof(zones[i].code));
		zones[i].name = read_text(c);
		zones[i].partition = reader_u8(&c->r);
		zones[i].repeat_filter_s = reader_u16(&c->r);
		zones[i].idle_days = reader_u16(&c->r);
	}
	bridge->zones = zones;
	bridge->zone_count = zones ? count : 0;
}

/* What a bridge points at, meanwhile. */
struct bridge_parts {
	uint8_t key[DIRECTORY_KEY_SIZE], mac[DIRECTORY_MAC_SIZE];
	struct directory_previous_key previous_key;
	struct directory_previous_bearer previous_bearer;
	struct directory_time_window time_window;
	struct directory_path paths[DIRECTORY_PATHS];
};

static void
read_policy(struct content_reader *c, struct directory_bridge *bridge,
    struct bridge_parts *parts)
{
	struct slice mac;

	parts->previous_key.length =
	    (uint8_t)read_secret(c, "bridge.key", bridge->id,
		parts->previous_key.bytes, sizeof(parts->previous_key.bytes));
	parts->previous_key.until_us = (int64_t)reader_u64(&c->r);
	if (parts->previous_key.length > 0)
		bridge->previous_key = &parts->previous_key;
	bridge->tls_required = reader_u8(&c->r);
	if (reader_u8(&c->r)) {
		parts->time_window.past_s = reader_u32(&c->r);
		parts->time_window.future_s = reader_u32(&c->r);
		bridge->time_window = &parts->time_window;
	}
	mac = reader_slice(&c->r);
	if (mac.length == DIRECTORY_MAC_SIZE)
		bridge->mac = memcpy(parts->mac, mac.data, sizeof(parts->mac));
	else if (mac.length != 0)
		c->r.failed = true;
}

static const uint8_t *
read_hash(struct content_reader *c)
{
	struct slice hash = reader_slice(&c->r);

	if (slice_present(hash) && hash.length != DIRECTORY_HASH_SIZE)
		c->r.failed = true;
	return (const uint8_t *)hash.data;
}

static void
read_bearers(struct content_reader *c, struct directory_bridge *bridge,
    struct directory_previous_bearer *previous)
{
	const uint8_t *hash;

	bridge->bearer_hash = read_hash(c);
	hash = read_hash(c);
	previous->until_us = (int64_t)reader_u64(&c->r);
	if (hash && !c->r.failed) {
		memcpy(previous->hash, hash, sizeof(previous->hash));
		bridge->previous_bearer = previous;
	}
}

static int
read_bridge(struct content_reader *c, uint64_t id,
    struct directory_batch *batch, void **ret_array)
{
	struct bridge_parts parts;
	struct directory_path *paths = parts.paths;
	struct directory_bridge bridge = {
		.id = id, .key = parts.key, .paths = paths
	};
	int result;

	bridge.site_id = reader_u64(&c->r);
	bridge.kind = reader_u8(&c->r);
	bridge.serial = read_text(c);
	bridge.account = read_nullable(c);
	bridge.receiver = read_nullable(c);
	bridge.line = read_nullable(c);
	bridge.listener = read_nullable(c);
	bridge.key_length = (uint8_t)read_secret(c, "bridge.key", id, parts.key,
	    sizeof(parts.key));
	read_bearers(c, &bridge, &parts.previous_bearer);
	bridge.cipher_required = reader_u8(&c->r);
	read_policy(c, &bridge, &parts);
	bridge.number = reader_u16(&c->r);
	bridge.arming_input_inverted = reader_u8(&c->r);
	bridge.entry_delay_s = reader_u16(&c->r);
	bridge.exit_delay_s = reader_u16(&c->r);
	for (unsigned i = 0; i < DIRECTORY_PATHS; i++) {
		paths[i].interval_s = reader_u32(&c->r);
		paths[i].margin_s = reader_u32(&c->r);
		paths[i].listener = read_nullable(c);
	}
	read_zones(c, &bridge, ret_array);
	result =
	    c->r.failed ? -EBADMSG : directory_put_bridge(batch, id, &bridge);
	explicit_bzero(&parts, sizeof(parts));
	return result;
}

static int
read_content(struct content_reader *c, enum object_kind kind,
    struct directory_batch *batch, void **ret_array)
{
	uint64_t id = reader_u64(&c->r);

	switch (kind) {
	case OBJECT_ZONE_TYPE:
		return read_zone_type(c, id, batch);
	case OBJECT_DEALER:
		return read_dealer(c, id, batch, ret_array);
	case OBJECT_RECEIVER:
		return read_receiver(c, id, batch, ret_array);
	case OBJECT_STATION:
		return read_station(c, id, batch);
	case OBJECT_SITE:
		return read_site(c, id, batch, ret_array);
	case OBJECT_BRIDGE:
		return read_bridge(c, id, batch, ret_array);
	case OBJECT_CHANNEL:
		return read_channel(c, id, batch, ret_array);
	case OBJECT_SCHEDULE:
		return read_schedule(c, id, batch, ret_array);
	case OBJECT_DESTINATIONS:
		return read_destinations(c, id, batch, ret_array);
	}
	return -EBADMSG;
}

/* One record, which is in the buffer whole. */
static int
read_record(struct input *input, enum object_kind kind, size_t length,
    char *scratch)
{
	struct content_reader c = { .scratch = scratch, .input = input };
	void *array = NULL;
	int result;

	c.r = reader_open(input->buffer + input->start, length);
	result = read_content(&c, kind, input->batch, &array);
	free(array);
	input->start += length;
	if (result == 0 && (c.r.failed || reader_left(&c.r) > 0))
		result = -EBADMSG;
	return result;
}

static int
read_next(struct input *input, struct err *err)
{
	struct reader r;
	uint32_t length;
	uint8_t kind;
	char *scratch;
	int result = fill(input, RECORD_HEADER_SIZE, err);

	if (result < 0)
		return result;
	r = reader_open(input->buffer + input->start, RECORD_HEADER_SIZE);
	kind = reader_u8(&r);
	length = reader_u32(&r);
	if (kind >= OBJECT_KINDS || length > RECORD_MAX)
		return damaged(input, "the snapshot's records are damaged",
		    err);
	input->start += RECORD_HEADER_SIZE;
	result = fill(input, length, err);
	if (result < 0)
		return result;
	scratch = malloc((size_t)length + 1);
	if (!scratch)
		return err_set(err, -ENOMEM, "out of memory");
	result = read_record(input, (enum object_kind)kind, length, scratch);
	free(scratch);
	input->counts[kind]++;
	if (result == -EBADMSG)
		return damaged(input,
		    input->header.flags & SNAPSHOT_SEALED
			? "the snapshot's records are damaged or the master key "
			  "is another"
			: "the snapshot's records are damaged",
		    err);
	return result < 0 ? err_set(err, result, "out of memory") : 0;
}

static int
read_body(struct input *input, struct err *err)
{
	int result = 0;
	uint8_t extra;

	while (result == 0 && (input->left > 0 || input->start < input->end))
		result = read_next(input, err);
	if (result < 0)
		return result;
	if (input->crc != input->header.body_crc ||
	    memcmp(input->counts, input->header.counts,
		sizeof(input->counts)) != 0)
		return damaged(input, "the snapshot's checksum is wrong", err);
	if (read_exactly(input, &extra, 1, input->offset, NULL) == 0)
		return damaged(input, "the snapshot has bytes behind its end",
		    err);
	return 0;
}

int
snapshot_read(const struct io *io, const char *path,
    struct directory_batch *batch, const struct seal_master *master,
    int64_t *ret_wall_us, struct err *err)
{
	struct input input = { .io = io,
		.path = path,
		.master = master,
		.batch = batch,
		.size = BUFFER_SIZE };
	int result;

	input.fd = io->open(io, path, O_RDONLY, 0);
	if (input.fd < 0)
		return err_set(err, input.fd, "%s: %s", path,
		    strerror(-input.fd));
	input.buffer = malloc(input.size);
	result = input.buffer ? read_header(&input, err)
			      : err_set(err, -ENOMEM, "out of memory");
	if (result == 0)
		result = read_body(&input, err);
	if (result == 0)
		*ret_wall_us = input.header.wall_us;
	if (input.buffer)
		explicit_bzero(input.buffer, input.size);
	free(input.buffer);
	io->close(io, input.fd);
	return result;
}
