/*
 * The TLS of one connection, over its session's socket and events. Reading
 * and writing look like recv() and send(). The library may hold bytes that the
 * socket no longer shows: such a session is read on in the next turn.
 *
 * A handshake costs a signature and tens of KiB: a listener has so many places
 * for them. A connection asks for one with the first bytes of a hello, not
 * before; while all are taken it waits, unread, in the order of asking. Who is
 * alone of its address has a line of its own, and one of an address with more
 * places makes room for it.
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

TAILQ_HEAD(tls_list, tls_session);
struct tls_session {
	struct session *session;
	SSL *ssl;	  /* NULL: has no place yet */
	int64_t begun_us; /* has its place; later by what it waited for us */
	int64_t ready_us; /* waits for its step since then */
	bool asked;	  /* for a place: its address's count has it */
	bool established; /* frames may come */
	bool unread;	  /* in the worker's list */
	/* The accounts that the client's certificate names, each ended by a
	 * NUL; NULL: any. */
	char *accounts;
	size_t accounts_length;
	/* until established: the slot's list of those that wait for their
	 * peer, or for a place, or one of the worker's of those that are ready
	 * for a step; NULL: it has said nothing yet */
	struct tls_list *in;
	TAILQ_ENTRY(tls_session) by_handshake;
	TAILQ_ENTRY(tls_session) by_unread;
};

/* session->tls. -ENOMEM. */
int tls_session_open(struct session *session);
/* Says goodbye where that is possible; the descriptor stays open. */
void tls_session_close(struct session *session);

/* The socket is ready: a step is taken at the end of this turn or a later one,
 * and the socket is not looked at until then. */
void tls_session_handshake(struct session *session);

/* It has something to read, and waits for its step or a place. */
bool tls_session_is_held(const struct session *session);

/* As recv() and send() without blocking. */
ssize_t tls_session_read(struct session *session, void *data, size_t size);
ssize_t tls_session_write(struct session *session, const void *data,
    size_t length);
/* Reading is allowed again: what the library holds wants to be read. */
void tls_session_read_on(struct session *session);

/* May this connection speak for the account? */
bool tls_session_may_say(const struct tls_session *tls, struct slice account);

/* The worker's end of turn. */
void tls_session_end_turn(struct worker *worker);

void tls_session_show(const struct tls_session *tls, struct json *json);

#endif
