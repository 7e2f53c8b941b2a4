/*
 * A worker's share of a listener: its socket, sessions and counters. The
 * listener's owner makes it; the worker has it from slot_attach to
 * slot_detach (worker_call), so that it has one owner at a time.
 */
#ifndef INGRESS_SLOT_H
#define INGRESS_SLOT_H

#include <event2/event_struct.h>
#include <stdatomic.h>
#include <sys/queue.h>

#include "base/log.h"
#include "ingress/awaiting.h"
#include "ingress/ingress.h"
#include "ingress/tls_session.h"

struct datagrams;
struct listener;
struct session;
struct spool;
struct worker;

/* Written by one worker, read by anyone: relaxed, never read back for a
 * decision. */
typedef _Atomic uint64_t counter;

static inline void
counter_add(counter *c, uint64_t n)
{
	atomic_store_explicit(c,
	    atomic_load_explicit(c, memory_order_relaxed) + n,
	    memory_order_relaxed);
}

static inline uint64_t
counter_read(const counter *c)
{
	return atomic_load_explicit(c, memory_order_relaxed);
}

struct listener_counters {
	counter signals, polls, replies[INGRESS_REPLY_KINDS], faults[8];
	counter sessions_total, timeouts, handshakes, previous_key;
	counter refusals[INGRESS_REFUSALS];
	counter ack_buckets[16], ack_sum_us;
	counter awaiting, delivered_timeouts;
};

TAILQ_HEAD(session_list, session);
TAILQ_HEAD(slot_list, slot);

/* Of those who wait longest, for one to make room. */
#define SLOT_LOOKED_AT 32

struct slot {
	_Alignas(64) struct listener *listener; /* workers share no line */
	struct worker *worker;
	const struct ingress_listener_config *config; /* the settings' */
	struct slice name;			      /* config's */
	SSL_CTX *tls;	 /* of new connections, the settings'; NULL: clear */
	unsigned number; /* of that name, in the presence of bridges */
	int fd;		 /* -1: closed */
	bool attached;	 /* the worker has it */
	bool paused;	 /* out of descriptors: until the next tick */
	struct awaiting_queue awaiting; /* the oldest first */
	struct log_limit delivered_limit;
	struct event event;
	struct spool *spool; /* of INGRESS_DIRECTORY */
	int64_t dial_at_us;  /* of INGRESS_TCP_CONNECT: not before */
	TAILQ_ENTRY(slot) by_worker;
	struct session_list sessions;
	struct session_list strangers; /* not sound yet, the eldest first */
	struct tls_list handshakes; /* who waits longest for its peer first */
	/* for a place, in the order of asking; alone: of their address */
	struct tls_list queued, queued_alone;
	uint32_t handshake_count;    /* places that are taken */
	struct datagrams *datagrams; /* UDP only */
	struct log_limit journal_limit, dial_limit, spool_limit, key_limit;
	struct log_limit refusal_limits[INGRESS_REFUSALS];
	struct listener_counters counters;
};

/* Begin to accept or receive. */
void slot_attach(struct slot *slot);
/* Stop accepting and receiving; sessions stay, replies may still be sent. */
void slot_quiesce(struct slot *slot);
/* Sessions and socket go at once; the slot stays. */
void slot_silence(struct slot *slot);
/* The same, and the worker forgets the slot. */
void slot_detach(struct slot *slot);
/* Take new settings: names, keys, limits, timeouts, certificates. Sessions
 * stay, unless they are clear and TLS is spoken now, or the reverse. */
void slot_configure(struct slot *slot,
    const struct ingress_listener_config *config, SSL_CTX *tls);
/* Accept again after a pause. */
void slot_unpause(struct slot *slot);

#endif
