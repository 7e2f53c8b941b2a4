#include "ingress/reply.h"

#include <errno.h>
#include <string.h>

#include "base/array.h"
#include "ingress/datagram.h"
#include "ingress/http_input.h"
#include "ingress/session.h"
#include "ingress/worker.h"

const double ingress_ack_bounds_s[15] = { 0.0005, 0.001, 0.002, 0.005, 0.01,
	0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 30 };

/* The same in microseconds: no floating point per frame. */
static const int64_t bounds_us[COUNT(ingress_ack_bounds_s)] = { 500, 1000, 2000,
	5000, 10000, 20000, 50000, 100000, 200000, 500000, 1000000, 2000000,
	5000000, 10000000, 30000000 };

struct pending_reply *
reply_prepare(const struct frame_origin *origin, size_t length)
{
	return pending_prepare(&origin->worker->pending, length);
}

static void
commit(const struct frame_origin *origin, struct pending_reply *reply,
    enum ingress_reply_kind kind, uint64_t lsn, const void *data, size_t length)
{
	reply->lsn = lsn;
	reply->received_us = origin->worker->monotonic_us;
	reply->session = origin->session;
	reply->slot = origin->session ? NULL : origin->slot;
	if (origin->address)
		reply->address = *origin->address;
	reply->kind = kind;
	memcpy(reply->bytes, data, length);
	pending_commit(&origin->worker->pending, reply, length);
	if (origin->session)
		origin->session->in_flight++;
}

void
reply_commit(const struct frame_origin *origin, struct pending_reply *reply,
    uint64_t lsn, const void *data, size_t length)
{
	commit(origin, reply, INGRESS_REPLY_ACK, lsn, data, length);
}

static void
count_latency(struct listener_counters *counters, int64_t us)
{
	unsigned i = 0;

	while (i < COUNT(bounds_us) && us > bounds_us[i])
		i++;
	counter_add(&counters->ack_buckets[i], 1);
	counter_add(&counters->ack_sum_us, us > 0 ? (uint64_t)us : 0);
}

int
reply_now(const struct frame_origin *origin, enum ingress_reply_kind kind,
    const void *data, size_t length)
{
	struct pending_reply *reply;

	if (origin->session &&
	    origin->session->in_flight > origin->session->awaited) {
		reply = reply_prepare(origin, length);
		if (!reply)
			return -EAGAIN;
		commit(origin, reply, kind, 0, data, length);
		return 0;
	}
	counter_add(&origin->slot->counters.replies[kind], 1);
	if (origin->session)
		session_send(origin->session, data, length);
	else
		datagrams_send(origin->slot, origin->address, data, length);
	return 0;
}

/* Hand one out; the slot is NULL where there is nobody left to take it. */
static void
send_reply(struct worker *worker, const struct pending_reply *reply,
    struct slot *slot)
{
	if (!slot)
		return;
	counter_add(&slot->counters.replies[reply->kind], 1);
	if (reply->lsn != 0)
		count_latency(&slot->counters,
		    worker->monotonic_us - reply->received_us);
	if (reply->session)
		session_send(reply->session, reply->bytes, reply->length);
	else
		datagrams_send(slot, &reply->address, reply->bytes,
		    reply->length);
}

void
reply_release(struct worker *worker, uint64_t durable)
{
	struct pending_reply *reply;

	while ((reply = pending_head(&worker->pending)) &&
	    (reply->lsn == 0 || reply->lsn < durable)) {
		struct session *session = reply->session;

		send_reply(worker, reply,
		    session ? session->slot : reply->slot);
		pending_pop(&worker->pending);
		if (session)
			session_answered(session);
	}
}

void
reply_drop_all(struct worker *worker)
{
	struct pending_reply *reply;

	while ((reply = pending_head(&worker->pending))) {
		struct session *session = reply->session;

		pending_pop(&worker->pending);
		if (!session)
			continue;
		/* the next answer would be taken for this one's */
		if (session->slot &&
		    session->slot->config->protocol == INGRESS_HTTP)
			http_input_drop(session);
		session_answered(session);
	}
}
