#include "ingress/awaiting.h"

#include <string.h>

#include "base/hash.h"
#include "ingress/datagram.h"
#include "ingress/frame.h"
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

	counter_add(&slot->counters.delivered_timeouts, 1);
	counter_add(&slot->counters.replies[INGRESS_REPLY_NONE], 1);
	log_limited(&slot->delivered_limit, LOG_WARN, "ingress",
	    "not-delivered-in-time",
	    "listener=%s peer=%s effect=\"not acknowledged: the panel will "
	    "repeat\"",
	    slot->config->name,
	    reply->session ? reply->session->peer : "datagram");
	drop(worker, reply);
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

struct awaiting_reply *
awaiting_prepare(struct worker *worker)
{
	struct awaiting *awaiting = &worker->awaiting;
	struct awaiting_reply *reply = pool_take(&awaiting->pool), *oldest;

	if (!reply && (oldest = find_oldest(worker))) {
		give_up(worker, oldest);
		reply = pool_take(&awaiting->pool);
	}
	if (reply)
		atomic_fetch_add_explicit(&awaiting->count, 1,
		    memory_order_relaxed);
	return reply;
}

void
awaiting_discard(struct worker *worker, struct awaiting_reply *reply)
{
	atomic_fetch_sub_explicit(&worker->awaiting.count, 1,
	    memory_order_relaxed);
	pool_give(&worker->awaiting.pool, reply);
}

void
awaiting_commit(const struct frame_origin *origin, struct awaiting_reply *reply,
    uint64_t lsn, const void *data, size_t length)
{
	struct awaiting_reply **at = place_of(&origin->worker->awaiting, lsn);
	struct session *session = origin->session;

	reply->lsn = lsn;
	reply->received_us = origin->worker->monotonic_us;
	reply->slot = origin->slot;
	reply->session = session;
	if (origin->address)
		reply->address = *origin->address;
	reply->length = (uint32_t)length;
	memcpy(reply->bytes, data, length);
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
	if (session)
		session_answered(session);
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
