#include "ingress/intake.h"

#include <errno.h>
#include <string.h>

#include "base/cursor.h"
#include "directory/presence.h"
#include "ingress/reply.h"
#include "ingress/session.h"
#include "ingress/worker.h"

/* A fixed sequence says nothing: the panel's own time, where it gave one,
 * tells two alike events from one repeated. */
static bool
sequence_is_fixed(const struct signal *signal)
{
	return slice_is(signal->sequence, "0000") && signal->panel_time_us != 0;
}

/* Requests of one bridge overlap, and may all come again after a restart: more
 * than the memory of repeats keeps of one sender. By its key each request goes
 * to one of so many. */
#define HTTP_SHARES 64

static uint8_t
share_of(const struct worker *worker, struct slice key)
{
	return hash_bytes(worker->hash_key, key.data, key.length) % HTTP_SHARES;
}

/* A bridge may signal through several listeners, and two bridges alike through
 * one listener each: who it is, not what it calls itself, where that is known. */
static void
hash_identity(struct worker *worker, struct intake *intake)
{
	const struct directory_bridge *bridge = intake->bridge;
	struct record_signal *record = &intake->record;
	const struct signal *signal = &record->signal;
	char *space = worker->hash_input;
	struct writer w = writer_open(space, sizeof(worker->hash_input));

	writer_u64(&w, bridge ? bridge->id : 0);
	writer_slice(&w, bridge ? SLICE_NONE : record->listener);
	writer_slice(&w, signal->receiver);
	writer_slice(&w, signal->line);
	writer_slice(&w, signal->account);
	if (signal->protocol == SIGNAL_PROTOCOL_HTTP)
		writer_u8(&w, share_of(worker, signal->sequence));
	record->sender = hash_bytes(worker->hash_key, space, writer_length(&w));
	writer_slice(&w, signal->sequence);
	writer_slice(&w, signal->body);
	if (sequence_is_fixed(signal))
		writer_u64(&w, (uint64_t)signal->panel_time_us);
	if (intake->occurrence != 0)
		writer_u64(&w, intake->occurrence);
	record->fingerprint =
	    hash_bytes(worker->hash_key, space, writer_length(&w));
}

static int
encode_record(const struct frame_origin *origin, struct intake *intake)
{
	struct worker *worker = origin->worker;
	struct record_signal *record = &intake->record;

	record->listener = origin->slot->name;
	record->peer = slice_from_string(origin->peer);
	record->account_zeros =
	    origin->slot->config->tolerate & DC09_TOLERATE_ACCOUNT_ZEROS;
	record->bridge_id = intake->bridge ? intake->bridge->id : 0;
	record->site_id = 0;
	record->raw = intake->raw;
	hash_identity(worker, intake);
	return record_signal_encode(record, worker->record,
	    sizeof(worker->record));
}

/* The journal did not take it. */
static int
not_taken(const struct frame_origin *origin, int error)
{
	struct worker *worker = origin->worker;

	if (error == -EAGAIN) {
		worker->full = true;
		return -EAGAIN;
	}
	log_limited(&origin->slot->journal_limit, LOG_ERROR, "ingress",
	    "not-acknowledged", "listener=%s peer=%s error=\"%s\"",
	    origin->slot->config->name, origin->peer, strerror(-error));
	if (error == -EIO)
		worker_fail(worker);
	return -ENOSPC;
}

static int
collect(struct worker *worker, size_t length, uint64_t *ret_lsn)
{
	return journal_collect(worker->journal, JOURNAL_SIGNAL, worker->wall_us,
	    worker->monotonic_us, slice_of(worker->record, length), ret_lsn);
}

/* Answered once it is durable. */
static int
take_local(const struct frame_origin *origin, struct slice answer,
    size_t length)
{
	struct pending_reply *reply = reply_prepare(origin, answer.length);
	uint64_t lsn;
	int result = reply ? collect(origin->worker, length, &lsn) : -EAGAIN;

	if (result == 0)
		reply_commit(origin, reply, lsn, answer.data, answer.length);
	return result;
}

/* Answered once it is settled. */
static int
take_awaiting(const struct frame_origin *origin, struct slice answer,
    size_t length)
{
	struct awaiting_reply *reply =
	    awaiting_prepare(origin->worker, answer.length);
	uint64_t lsn;
	int result = reply ? collect(origin->worker, length, &lsn) : -ENOMEM;

	if (result == 0)
		awaiting_commit(origin, reply, lsn, answer.data);
	else if (reply)
		awaiting_discard(origin->worker, reply);
	return result;
}

/* The site's, where it has one; else the listener's. */
static enum ack_level
level_of(const struct frame_origin *origin,
    const struct directory_bridge *bridge)
{
	const struct directory_site *site = NULL;

	if (bridge && bridge->site_id != 0)
		site = directory_site_by_id(origin->worker->directory,
		    bridge->site_id);
	return site && site->ack_level != ACK_LEVEL_INHERIT
	    ? site->ack_level
	    : origin->slot->config->ack_level;
}

int
intake_take(const struct frame_origin *origin, struct intake *intake)
{
	enum ack_level level = level_of(origin, intake->bridge);
	int length, result;

	intake->record.ack_level = level;
	length = encode_record(origin, intake);
	if (length < 0)
		return length;
	result = level == ACK_LEVEL_DELIVERED
	    ? take_awaiting(origin, intake->reply, (size_t)length)
	    : take_local(origin, intake->reply, (size_t)length);
	if (result < 0)
		return not_taken(origin, result);
	counter_add(&origin->slot->counters.signals, 1);
	return 0;
}

void
intake_note_presence(const struct frame_origin *origin,
    const struct directory_bridge *bridge)
{
	const struct worker *worker = origin->worker;
	struct presence_peer datagram;
	const struct presence_peer *peer = &datagram;

	if (origin->session)
		peer = &origin->session->from;
	else
		datagram = presence_peer_of(origin->address);
	presence_seen(directory_presence(worker->directory), bridge->slot,
	    origin->slot->number, peer, worker->monotonic_us);
}
