/*
 * Replies that are built but not allowed out yet, oldest first: each waits for
 * its record to be durable, or (lsn 0) only for those before it. A queue of
 * fixed chunks: nothing moves, nothing is allocated in the steady state.
 *
 *   head chunk                        tail chunk
 *   |.gone.| reply | reply | reply |-->| reply | reply |... room ...|
 */
#ifndef INGRESS_PENDING_H
#define INGRESS_PENDING_H

#include <netinet/in.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/pool.h"
#include "ingress/ingress.h"

struct session;
struct slot;

struct pending_reply {
	uint64_t lsn; /* 0: nothing of its own to wait for */
	int64_t received_us;
	struct session *session; /* NULL: a datagram */
	struct slot *slot; /* of a datagram; NULL: the listener has gone */
	struct sockaddr_in6 address; /* of a datagram; v4 fits too */
	enum ingress_reply_kind kind;
	uint32_t length;
	char bytes[];
};

struct pending_chunk;
struct pending {
	struct pool chunks;
	struct pending_chunk *head, *tail;
	uint64_t count;
};

void pending_init(struct pending *pending);
void pending_close(struct pending *pending);

/*
 * Room for one reply of this length at the end, to be filled in and committed.
 * NULL when the queue has reached its bound (or memory is short): nothing may
 * be journalled then that would have to be answered.
 */
struct pending_reply *pending_prepare(struct pending *pending, size_t length);
void pending_commit(struct pending *pending, struct pending_reply *reply,
    size_t length);

/* The oldest, NULL when there is none. */
struct pending_reply *pending_head(struct pending *pending);
void pending_pop(struct pending *pending);

/* A listener goes: forget it in every datagram's reply. */
void pending_forget_slot(struct pending *pending, const struct slot *slot);

#endif
