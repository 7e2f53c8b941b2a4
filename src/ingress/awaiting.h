/*
 * Replies that wait until their signal is settled (ACK_LEVEL_DELIVERED): found
 * by its lsn, in the order of receipt for each slot and each session, so that
 * none of them holds up another reply. One that waits for longer than its
 * listener's delivered_timeout is given up: nothing is sent, and the panel
 * repeats or takes its backup path. Bounded: of too many the oldest is given
 * up.
 */
#ifndef INGRESS_AWAITING_H
#define INGRESS_AWAITING_H

#include <event2/util.h>
#include <netinet/in.h>
#include <stdatomic.h>
#include <stdint.h>
#include <sys/queue.h>

#include "base/pool.h"
#include "codec/dc09.h"

#define AWAITING_MAX	65536 /* of a worker */
#define AWAITING_PLACES 16384 /* a power of two */

struct frame_origin;
struct session;
struct slot;
struct worker;

struct awaiting_reply {
	TAILQ_ENTRY(awaiting_reply) by_slot, by_session;
	struct awaiting_reply *next; /* of its place */
	uint64_t lsn;
	int64_t received_us; /* monotonic */
	struct slot *slot;
	struct session *session;     /* NULL: a datagram */
	struct sockaddr_in6 address; /* of a datagram; v4 fits too */
	size_t length;
	char *bytes; /* its own, or short_bytes */
	char short_bytes[DC09_REPLY_MAX];
};
TAILQ_HEAD(awaiting_queue, awaiting_reply);

struct awaiting {
	struct pool pool;
	/* prepared ones included; read by whoever tells what is settled */
	_Atomic uint32_t count;
	struct awaiting_reply *places[AWAITING_PLACES];
};

void awaiting_init(struct awaiting *awaiting);
void awaiting_close(struct awaiting *awaiting);

/* On the worker's thread. */

/* Room for one of this length, to be committed or discarded; before its record
 * is handed to the journal. NULL: no memory. */
struct awaiting_reply *awaiting_prepare(struct worker *worker, size_t length);
void awaiting_discard(struct worker *worker, struct awaiting_reply *reply);
/* The record has this lsn. data: of the length that was prepared. */
void awaiting_commit(const struct frame_origin *origin,
    struct awaiting_reply *reply, uint64_t lsn, const void *data);

/* Event callback of the worker's struct settled: send what is settled. */
void awaiting_settled(evutil_socket_t fd, short what, void *worker);
/* Give up what has waited for too long. */
void awaiting_expire(struct slot *slot);
/* Nobody is left to take them: a session closes, a listener goes, the journal
 * is dead. */
void awaiting_forget_session(struct session *session);
void awaiting_forget_slot(struct slot *slot);

#endif
