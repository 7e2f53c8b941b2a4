/*
 * A worker: a thread with its own event base, the slots of all listeners, and
 * their sessions. One turn of its loop:
 *
 *   gather -> wait
 *        -> callbacks: read, parse, append to the journal, release replies
 *        -> end of turn: one send per session, leave the directory, free
 *
 * Whatever is marked for flushing or freeing in a callback is flushed and
 * freed at the end of the turn, never earlier.
 */
#ifndef INGRESS_WORKER_H
#define INGRESS_WORKER_H

#include <event2/event.h>
#include <pthread.h>
#include <stdbool.h>

#include "codec/http.h"
#include "ingress/awaiting.h"
#include "ingress/buffer.h"
#include "ingress/ingress.h"
#include "ingress/listener.h"
#include "ingress/pending.h"
#include "ingress/session.h"
#include "ingress/settled.h"
#include "ingress/wheel.h"

/* What one recv() takes at most, so what a session may do in a turn: those that
 * have more than that to say share it, down to so little. */
#define WORKER_READ_BYTES (4 * 1024)
#define WORKER_READ_LEAST 512

struct worker_call;

struct worker {
	unsigned index;
	struct journal *journal;
	struct directory *directory;
	const struct clock *clock;
	const struct hash_key *hash_key;

	pthread_t thread;
	bool running; /* the thread exists */
	bool stopping;
	struct event_base *base;
	struct event *durable_event, *call_event, *tick_event, *settled_event;
	int durable_fd, call_fd;
	int reserve_fd; /* given up to refuse a connection when out of others */

	/* the present call from the main thread */
	pthread_mutex_t lock;
	pthread_cond_t answered;
	struct worker_call *call;
	bool drained; /* draining and nothing is left to send */

	struct settled settled;

	struct dc09_crypto *crypto;
	struct pool sessions;
	struct buffer_pools buffers;
	struct pending pending;
	struct awaiting awaiting;
	struct wheel wheel;
	struct slot_list slots;
	struct session_list dirty;     /* have something to send */
	struct session_list stalled;   /* wait for room in the journal */
	struct session_list throttled; /* wait for their address's time */
	struct session_list closed;    /* freed at the end of the turn */
	size_t read_share;	       /* of each session, this turn */
	unsigned greedy;	       /* sessions that took it all */
	struct tls_list unread;	       /* read on at the end of the turn */
	/* shake hands, the eldest first; alone: the only ones of their address */
	struct tls_list ready, ready_alone;
	bool alone_last;  /* the last step was one of those */
	unsigned writing; /* sessions whose peer's window is full */
	uint64_t durable; /* the last one released up to */
	bool full;	  /* the journal takes nothing until the next signal */
	bool failed;	  /* the journal is dead: nothing is answered */
	bool mute;	  /* a sync hangs: nothing is answered */
	bool draining;
	int64_t checked_us; /* when the journal's health was last looked at */

	bool online;	 /* in the directory, this turn */
	bool clock_read; /* wall_us and monotonic_us are of this turn */
	int64_t wall_us, monotonic_us;

	char scratch[BUFFER_MAX + WORKER_READ_BYTES];
	char plain[DC09_BODY_MAX];
	char hash_input[HTTP_BODY_MAX + 1024];
	char record[JOURNAL_PAYLOAD_MAX];
};

struct worker_setup {
	unsigned index;
	struct journal *journal;
	struct directory *directory;
	const struct clock *clock;
};
/* Everything but the thread; subscribes to the journal. */
int worker_open(struct worker **ret, const struct worker_setup *setup,
    struct err *err);
int worker_start(struct worker *worker, struct err *err);
/* One turn; flags as event_base_loop. By the worker's thread, or by whoever has
 * a worker that was never started. */
void worker_turn(struct worker *worker, int flags);
/* Ends the thread. Slots are detached by their listener's owner before. */
void worker_close(struct worker **worker);

/*
 * Have fn run on the worker's thread and wait for it (called in place while
 * there is no thread). One caller at a time; fn must not wait for anything.
 */
typedef void (*worker_fn)(struct worker *worker, void *context);
void worker_call(struct worker *worker, worker_fn fn, void *context);

/* Any thread: this signal is settled. */
void worker_settled(struct worker *worker, uint64_t lsn);

/* Wait until a draining worker has sent everything that may go out without a
 * station, until the deadline (CLOCK_MONOTONIC). False: it has not. */
bool worker_wait_drained(struct worker *worker, int64_t deadline_us);

/* ---- on the worker's thread ------------------------------------------------ */

/* Reads the clock once a turn. */
void worker_read_clock(struct worker *worker);
/* Enter the directory's reader side until the end of the turn. */
void worker_go_online(struct worker *worker);
/* Send what may go out. */
void worker_flush(struct worker *worker);

/* Event callback of the journal's eventfd. */
void worker_durable(evutil_socket_t fd, short what, void *worker);
/* Is it alive, does a sync hang? */
void worker_check_journal(struct worker *worker);
/* The journal failed for good: send what was durable, drop what is owed, stop
 * listening, close. */
void worker_fail(struct worker *worker);

#endif
