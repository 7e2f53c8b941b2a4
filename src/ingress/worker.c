#include "ingress/worker.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

#include "base/array.h"
#include "ingress/datagram.h"
#include "ingress/dial.h"
#include "ingress/spool.h"

#define SESSIONS_PER_CHUNK 64
#define HEALTH_INTERVAL_US 1000000
/* With so many replies waiting for the journal, and for how long. */
#define GATHER_REPLIES 8
#define GATHER_US      100

struct worker_call {
	worker_fn fn;
	void *context;
	bool done;
};

/* ---- calls from the main thread ------------------------------------------- */

void
worker_call(struct worker *worker, worker_fn fn, void *context)
{
	struct worker_call call = { fn, context, false };

	if (!worker->running) {
		fn(worker, context);
		return;
	}
	pthread_mutex_lock(&worker->lock);
	worker->call = &call;
	eventfd_write(worker->call_fd, 1);
	while (!call.done)
		pthread_cond_wait(&worker->answered, &worker->lock);
	pthread_mutex_unlock(&worker->lock);
}

static void
on_call(evutil_socket_t fd, short what, void *context)
{
	struct worker *worker = context;
	struct worker_call *call;
	eventfd_t value;

	(void)what;
	if (eventfd_read(fd, &value) < 0)
		return;
	pthread_mutex_lock(&worker->lock);
	call = worker->call;
	worker->call = NULL;
	pthread_mutex_unlock(&worker->lock);
	if (!call)
		return;
	worker_read_clock(worker);
	call->fn(worker, call->context);
	pthread_mutex_lock(&worker->lock);
	call->done = true;
	pthread_cond_broadcast(&worker->answered);
	pthread_mutex_unlock(&worker->lock);
}

void
worker_settled(struct worker *worker, uint64_t lsn)
{
	/* a reply is counted before its record has an lsn */
	if (atomic_load_explicit(&worker->awaiting.count,
		memory_order_relaxed) > 0)
		settled_put(&worker->settled, lsn);
}

static bool
nothing_to_send(const struct worker *worker)
{
	return worker->pending.count == 0 && worker->writing == 0;
}

static void
tell_drained(struct worker *worker)
{
	pthread_mutex_lock(&worker->lock);
	worker->drained = true;
	pthread_cond_broadcast(&worker->answered);
	pthread_mutex_unlock(&worker->lock);
}

bool
worker_wait_drained(struct worker *worker, int64_t deadline_us)
{
	struct timespec until = { .tv_sec = deadline_us / 1000000,
		.tv_nsec = deadline_us % 1000000 * 1000 };
	bool drained;

	pthread_mutex_lock(&worker->lock);
	while (!worker->drained &&
	    pthread_cond_timedwait(&worker->answered, &worker->lock, &until) ==
		0)
		;
	drained = worker->drained;
	pthread_mutex_unlock(&worker->lock);
	return drained;
}

/* ---- the turn ----------------------------------------------------------------- */

void
worker_read_clock(struct worker *worker)
{
	if (worker->clock_read)
		return;
	worker->clock_read = true;
	worker->wall_us = clock_wall_us(worker->clock);
	worker->monotonic_us = clock_monotonic_us(worker->clock);
}

void
worker_go_online(struct worker *worker)
{
	if (worker->online)
		return;
	directory_thread_online();
	worker->online = true;
}

static void
on_timeout(void *context, struct wheel_entry *entry)
{
	(void)context;
	session_timeout((struct session *)(void *)((char *)entry -
	    offsetof(struct session, timeout)));
}

static void
on_tick(evutil_socket_t fd, short what, void *context)
{
	struct worker *worker = context;
	struct slot *slot;

	(void)fd;
	(void)what;
	worker_read_clock(worker);
	wheel_advance(&worker->wheel, worker->monotonic_us, on_timeout, NULL);
	if (!worker->failed && !worker->draining)
		session_unthrottle_due(worker);
	TAILQ_FOREACH(slot, &worker->slots, by_worker) {
		slot_unpause(slot);
		awaiting_expire(slot);
		dial_tick(slot);
		spool_tick(slot);
	}
	if (!worker->failed &&
	    worker->monotonic_us - worker->checked_us >= HEALTH_INTERVAL_US)
		worker_check_journal(worker);
}

void
worker_flush(struct worker *worker)
{
	struct session *session;
	struct slot *slot;

	while ((session = TAILQ_FIRST(&worker->dirty))) {
		TAILQ_REMOVE(&worker->dirty, session, by_turn);
		session->dirty = false;
		session_flush(session);
	}
	TAILQ_FOREACH(slot, &worker->slots, by_worker)
		if (slot->datagrams)
			datagrams_flush(slot);
}

/* The more sessions have much to say, the less of it in a turn: who has one
 * frame waits for a turn. */
static void
share_out(struct worker *worker)
{
	size_t share =
	    WORKER_READ_BYTES / (worker->greedy > 0 ? worker->greedy : 1);

	worker->greedy = 0;
	worker->read_share =
	    share > WORKER_READ_LEAST ? share : WORKER_READ_LEAST;
}

static void
end_turn(struct worker *worker)
{
	struct session *session;

	journal_wake(worker->journal); /* it syncs while we send */
	worker_flush(worker);
	tls_session_end_turn(worker);
	share_out(worker);
	if (worker->online)
		directory_thread_offline();
	worker->online = false;
	worker->clock_read = false;
	while ((session = TAILQ_FIRST(&worker->closed))) {
		TAILQ_REMOVE(&worker->closed, session, by_turn);
		session_free(session);
	}
	if (worker->draining && nothing_to_send(worker))
		tell_drained(worker);
}

void
worker_turn(struct worker *worker, int flags)
{
	if (event_base_loop(worker->base, flags) < 0)
		abort(); /* no way to serve, and none to say why */
	end_turn(worker);
}

/* While the journal syncs, what arrives can only join the next batch: wait for
 * more of it, or for the sync, instead of waking up for each frame. */
static void
gather(struct worker *worker)
{
	struct pollfd wait[] = { { worker->durable_fd, POLLIN, 0 },
		{ worker->call_fd, POLLIN, 0 } };
	const struct timespec moment = { .tv_nsec = GATHER_US * 1000 };

	if (worker->pending.count >= GATHER_REPLIES)
		ppoll(wait, COUNT(wait), &moment, NULL);
}

static void *
run(void *context)
{
	struct worker *worker = context;

	pthread_setname_np(pthread_self(), "ingress");
	directory_thread_register();
	directory_thread_offline();
	while (!worker->stopping) {
		gather(worker);
		worker_turn(worker, EVLOOP_ONCE);
	}
	directory_thread_unregister();
	return NULL;
}

/* ---- life ----------------------------------------------------------------------- */

static int
open_events(struct worker *worker, struct err *err)
{
	const struct timeval tick = { .tv_usec = WHEEL_TICK_US };
	struct event_config *config = event_config_new();

	if (!config)
		return err_set(err, -ENOMEM, "no memory for a worker");
	event_config_set_flag(config, EVENT_BASE_FLAG_NOLOCK);
	worker->base = event_base_new_with_config(config);
	event_config_free(config);
	if (!worker->base)
		return err_set(err, -ENOMEM, "no event base for a worker");
	worker->durable_fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
	worker->call_fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
	worker->reserve_fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
	if (settled_open(&worker->settled) < 0 || worker->durable_fd < 0 ||
	    worker->call_fd < 0)
		return err_set_errno(err, "no eventfd for a worker");
	worker->durable_event = event_new(worker->base, worker->durable_fd,
	    EV_READ | EV_PERSIST, worker_durable, worker);
	worker->call_event = event_new(worker->base, worker->call_fd,
	    EV_READ | EV_PERSIST, on_call, worker);
	worker->tick_event =
	    event_new(worker->base, -1, EV_PERSIST, on_tick, worker);
	worker->settled_event =
	    event_new(worker->base, worker->settled.event_fd,
		EV_READ | EV_PERSIST, awaiting_settled, worker);
	if (!worker->durable_event || !worker->call_event ||
	    !worker->tick_event || !worker->settled_event ||
	    event_add(worker->durable_event, NULL) < 0 ||
	    event_add(worker->call_event, NULL) < 0 ||
	    event_add(worker->settled_event, NULL) < 0 ||
	    event_add(worker->tick_event, &tick) < 0)
		return err_set(err, -ENOMEM, "no events for a worker");
	return 0;
}

static void
init_sync(struct worker *worker)
{
	pthread_condattr_t attributes;

	pthread_mutex_init(&worker->lock, NULL);
	pthread_condattr_init(&attributes);
	pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
	pthread_cond_init(&worker->answered, &attributes);
	pthread_condattr_destroy(&attributes);
}

int
worker_open(struct worker **ret, const struct worker_setup *setup,
    struct err *err)
{
	struct worker *worker = calloc(1, sizeof(*worker));
	int result;

	if (!worker)
		return err_set(err, -ENOMEM, "no memory for a worker");
	worker->index = setup->index;
	worker->journal = setup->journal;
	worker->directory = setup->directory;
	worker->clock = setup->clock;
	worker->hash_key = journal_hash_key(setup->journal);
	worker->durable_fd = worker->call_fd = worker->reserve_fd = -1;
	worker->settled.event_fd = -1;
	init_sync(worker);
	TAILQ_INIT(&worker->slots);
	TAILQ_INIT(&worker->dirty);
	TAILQ_INIT(&worker->stalled);
	TAILQ_INIT(&worker->throttled);
	TAILQ_INIT(&worker->closed);
	TAILQ_INIT(&worker->unread);
	TAILQ_INIT(&worker->ready);
	TAILQ_INIT(&worker->ready_alone);
	worker->read_share = WORKER_READ_BYTES;
	pool_init(&worker->sessions, sizeof(struct session), SESSIONS_PER_CHUNK,
	    0);
	buffer_pools_init(&worker->buffers);
	pending_init(&worker->pending);
	awaiting_init(&worker->awaiting);
	wheel_init(&worker->wheel, clock_monotonic_us(setup->clock));
	result = open_events(worker, err);
	if (result == 0)
		result = dc09_crypto_open(&worker->crypto, err);
	if (result == 0) {
		result = journal_subscribe(worker->journal, worker->durable_fd);
		if (result < 0)
			err_set(err, result, "cannot subscribe to the journal");
	}
	if (result < 0) {
		worker_close(&worker);
		return result;
	}
	*ret = worker;
	return 0;
}

int
worker_start(struct worker *worker, struct err *err)
{
	int result = -pthread_create(&worker->thread, NULL, run, worker);

	if (result < 0)
		return err_set(err, result, "cannot start a worker: %s",
		    strerror(-result));
	worker->running = true;
	return 0;
}

static void
stop(struct worker *worker, void *context)
{
	(void)context;
	worker->stopping = true;
}

static void
close_events(struct worker *worker)
{
	if (worker->durable_event)
		event_free(worker->durable_event);
	if (worker->call_event)
		event_free(worker->call_event);
	if (worker->tick_event)
		event_free(worker->tick_event);
	if (worker->settled_event)
		event_free(worker->settled_event);
	if (worker->base)
		event_base_free(worker->base);
	if (worker->durable_fd >= 0)
		close(worker->durable_fd);
	if (worker->call_fd >= 0)
		close(worker->call_fd);
	if (worker->reserve_fd >= 0)
		close(worker->reserve_fd);
}

void
worker_close(struct worker **worker)
{
	struct worker *old = *worker;

	*worker = NULL;
	if (!old)
		return;
	if (old->running) {
		worker_call(old, stop, NULL);
		pthread_join(old->thread, NULL);
	}
	dc09_crypto_close(&old->crypto);
	close_events(old);
	settled_close(&old->settled);
	pending_close(&old->pending);
	awaiting_close(&old->awaiting);
	buffer_pools_close(&old->buffers);
	pool_close(&old->sessions);
	pthread_cond_destroy(&old->answered);
	pthread_mutex_destroy(&old->lock);
	free(old);
}
