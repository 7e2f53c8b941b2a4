#include "ingress/awaiting.h"

#include <stdlib.h>
#include <string.h>

#include "base/hash.h"
#include "ingress/datagram.h"
#include "ingress/frame.h"
#include "ingress/http_input.h"
#include "ingress/reply.h"
#include "ingress/session.h"
#include "ingress/worker.h"

#define CHUNK_OBJECTS 64

void
awaiting_init(struct awaiting *awaiting)
{
	pool_init(&awaiting->pool, sizeof(struct awaiting_reply), CHUNK_OBJECTS,
	    AWAITING_MAX);
}

void
awaiting_close(struct awaiting *awaiting)
{
	pool_close(&awaiting->pool);
}

static struct awaiting_reply **
place_of(struct awaiting *awaiting, uint64_t lsn)
{
	return &awaiting->places[hash_number(lsn) & (AWAITING_PLACES - 1)];
}

static struct awaiting_reply *
find(struct awaiting *awaiting, uint64_t lsn)
{
	struct awaiting_reply *reply = *place_of(awaiting, lsn);

	while (reply && reply->lsn != lsn)
		reply = reply->next;
	return reply;
}

/* From everywhere but its session's count of what it is owed. */
static void
take_out(struct worker *worker, struct awaiting_reply *reply)
{
	struct awaiting_reply **at = place_of(&worker->awaiting, reply->lsn);

	while (*at != reply)
		at = &(*at)->next;
	*at = reply->next;
	TAILQ_REMOVE(&reply->slot->awaiting, reply, by_slot);
	counter_add(&reply->slot->counters.awaiting, (uint64_t)-1);
	if (!reply->session)
		return;
	TAILQ_REMOVE(&reply->session->awaiting, reply, by_session);
	reply->session->awaited--;
}

static void
drop(struct worker *worker, struct awaiting_reply *reply)
{
	struct session *session = reply->session;

	take_out(worker, reply);
	awaiting_discard(worker, reply);
	if (session)
		session_answered(session);
}

static void
give_up(struct worker *worker, struct awaiting_reply *reply)
{
	struct slot *slot = reply->slot;
	struct session *session = reply->session;

	counter_add(&slot->counters.delivered_timeouts, 1);
	counter_add(&slot->counters.replies[INGRESS_REPLY_NONE], 1);
	log_limited(&slot->delivered_limit, LOG_WARN, "ingress",
	    "not-delivered-in-time",
	    "listener=%s peer=%s effect=\"not acknowledged: the panel will "
	    "repeat\"",
	    slot->config->name, session ? session->peer : "datagram");
	take_out(worker, reply);
	awaiting_discard(worker, reply);
	if (!session)
		return;
	/* the next answer would be taken for this one's */
	if (slot->config->protocol == INGRESS_HTTP)
		http_input_drop(session);
	session_answered(session);
}

/* The one that waits longest, of all listeners; NULL: none waits. */
static struct awaiting_reply *
find_oldest(const struct worker *worker)
{
	struct awaiting_reply *oldest = NULL, *first;
	const struct slot *slot;

	TAILQ_FOREACH(slot, &worker->slots, by_worker) {
		first = TAILQ_FIRST(&slot->awaiting);
		if (first &&
		    (!oldest || first->received_us < oldest->received_us))
			oldest = first;
	}
	return oldest;
}

static struct awaiting_reply *
make_room(struct worker *worker)
{
	struct pool *pool = &worker->awaiting.pool;
	struct awaiting_reply *reply = pool_take(pool), *oldest;

	if (!reply && (oldest = find_oldest(worker))) {
		give_up(worker, oldest);
		reply = pool_take(pool);
	}
	return reply;
}

struct awaiting_reply *
awaiting_prepare(struct worker *worker, size_t length)
{
	struct awaiting_reply *reply = make_room(worker);

	if (!reply)
		return NULL;
	atomic_fetch_add_explicit(&worker->awaiting.count, 1,
	    memory_order_relaxed);
	reply->length = length;
	reply->bytes = length <= sizeof(reply->short_bytes) ? reply->short_bytes
							    : malloc(length);
	if (!reply->bytes) {
		awaiting_discard(worker, reply);
		return NULL;
	}
	return reply;
}

void
awaiting_discard(struct worker *worker, struct awaiting_reply *reply)
{
	atomic_fetch_sub_explicit(&worker->awaiting.count, 1,
	    memory_order_relaxed);
	if (reply->bytes != reply->short_bytes)
		free(reply->bytes);
	pool_give(&worker->awaiting.pool, reply);
}

void
awaiting_commit(const struct frame_origin *origin, struct awaiting_reply *reply,
    uint64_t lsn, const void *data)
{
	struct awaiting_reply **at = place_of(&origin->worker->awaiting, lsn);
	struct session *session = origin->session;

	reply->lsn = lsn;
	reply->received_us = origin->worker->monotonic_us;
	reply->slot = origin->slot;
	reply->session = session;
	if (origin->address)
		reply->address = *origin->address;
	memcpy(reply->bytes, data, reply->length);
	reply->next = *at;
	*at = reply;
	TAILQ_INSERT_TAIL(&origin->slot->awaiting, reply, by_slot);
	counter_add(&origin->slot->counters.awaiting, 1);
	if (!session)
		return;
	TAILQ_INSERT_TAIL(&session->awaiting, reply, by_session);
	session->awaited++;
	session->in_flight++;
}

static void
send_reply(struct worker *worker, struct awaiting_reply *reply)
{
	struct slot *slot = reply->slot;
	struct session *session = reply->session;

	counter_add(&slot->counters.replies[INGRESS_REPLY_ACK], 1);
	take_out(worker, reply);
	if (session)
		session_send(session, reply->bytes, reply->length);
	else
		datagrams_send(slot, &reply->address, reply->bytes,
		    reply->length);
	awaiting_discard(worker, reply);
	if (!session)
		return;
	session_answered(session);
	session_go_on(session);
}

void
awaiting_settled(evutil_socket_t fd, short what, void *context)
{
	struct worker *worker = context;
	struct awaiting_reply *reply;
	const uint64_t *lsns;
	unsigned count = settled_take(&worker->settled, &lsns);

	(void)fd;
	(void)what;
	worker_read_clock(worker);
	/* what was received before a settled signal is durable too, and may have
	 * to be answered first */
	reply_release(worker, journal_durable(worker->journal));
	for (unsigned i = 0; i < count; i++)
		if ((reply = find(&worker->awaiting, lsns[i])))
			send_reply(worker, reply);
}

void
awaiting_expire(struct slot *slot)
{
	struct worker *worker = slot->worker;
	struct awaiting_reply *reply;

	while ((reply = TAILQ_FIRST(&slot->awaiting)) &&
	    worker->monotonic_us - reply->received_us >=
		slot->config->delivered_timeout_us)
		give_up(worker, reply);
}

void
awaiting_forget_session(struct session *session)
{
	struct awaiting_reply *reply;

	while ((reply = TAILQ_FIRST(&session->awaiting)))
		drop(session->worker, reply);
}

void
awaiting_forget_slot(struct slot *slot)
{
	struct awaiting_reply *reply;

	while ((reply = TAILQ_FIRST(&slot->awaiting)))
		drop(slot->worker, reply);
}
