/*
 * The TLS of one connection, over its session's socket and events. Reading
 * and writing look like recv() and send(). The library may hold bytes that the
 * socket no longer shows: such a session is read on in the next turn.
 */
#ifndef INGRESS_TLS_SESSION_H
#define INGRESS_TLS_SESSION_H

#include <openssl/types.h>
#include <stdbool.h>
#include <sys/queue.h>
#include <sys/types.h>

#include "base/json.h"
#include "base/slice.h"

struct session;
struct slot;
struct worker;

/* Steps of handshakes, a signature each, that a worker takes at the end of a
 * turn, when it has answered and the journal syncs: connections that are served
 * wait no longer than for these. */
#define TLS_HANDSHAKES_PER_TURN 1

struct tls_session {
	struct session *session;
	SSL *ssl;
	bool begun;	  /* the first bytes were those of TLS */
	bool established; /* frames may come */
	bool ready;	  /* for a step of its handshake */
	bool unread;	  /* in the worker's list */
	/* The accounts that the client's certificate names, each ended by a
	 * NUL; NULL: any. */
	char *accounts;
	size_t accounts_length;
	/* until established: in the slot's list of those that wait for their
	 * peer, or in the worker's of those that are ready for a step */
	TAILQ_ENTRY(tls_session) by_handshake;
	TAILQ_ENTRY(tls_session) by_unread;
};
TAILQ_HEAD(tls_list, tls_session);

/* session->tls. -ENOMEM. */
int tls_session_open(struct session *session);
/* Says goodbye where that is possible; the descriptor stays open. */
void tls_session_close(struct session *session);

/* The socket is ready: a step is taken at the end of this turn or a later one,
 * and the socket is not looked at until then. */
void tls_session_handshake(struct session *session);

/* As recv() and send() without blocking. */
ssize_t tls_session_read(struct session *session, void *data, size_t size);
ssize_t tls_session_write(struct session *session, const void *data,
    size_t length);
/* Reading is allowed again: what the library holds wants to be read. */
void tls_session_read_on(struct session *session);

/* May this connection speak for the account? */
bool tls_session_may_say(const struct tls_session *tls, struct slice account);

/* One more handshake may begin on this listener; the one that has waited
 * longest for its peer, a second at least, goes for it where there are too
 * many. */
bool tls_session_has_room(struct slot *slot);

/* The worker's end of turn. */
void tls_session_end_turn(struct worker *worker);

void tls_session_show(const struct tls_session *tls, struct json *json);

#endif
