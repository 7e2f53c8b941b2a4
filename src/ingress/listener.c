#include "ingress/listener.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/socket.h"
#include "ingress/datagram.h"
#include "ingress/session.h"
#include "ingress/worker.h"

#define ACCEPTS_PER_TURN 64

/* ---- made and freed by the main thread ------------------------------------ */

static int
bind_slot(struct slot *slot, struct err *err)
{
	const struct ingress_listener_config *config = slot->config;
	struct listener *listener = slot->listener;
	int type = config->transport == INGRESS_TCP ? SOCK_STREAM : SOCK_DGRAM;
	struct socket_address address;
	int result;

	result =
	    socket_address_make(config->address, listener->port, &address, err);
	if (result < 0)
		return result;
	result = socket_listen(&address, type, listener->slot_count > 1, err);
	if (result < 0)
		return result;
	slot->fd = result;
	listener->port = socket_local_port(slot->fd);
	if (type == SOCK_STREAM)
		socket_set_nodelay(slot->fd); /* accepted ones inherit it */
	else if (datagrams_open(&slot->datagrams) < 0)
		return err_set(err, -ENOMEM, "no memory for datagrams");
	return 0;
}

int
listener_open(struct listener **ret,
    const struct ingress_listener_config *config, struct worker **workers,
    unsigned worker_count, struct err *err)
{
	struct listener *listener = aligned_alloc(64,
	    (sizeof(*listener) + worker_count * sizeof(struct slot) + 63) / 64 *
		64);
	int result = 0;

	if (!listener)
		return err_set(err, -ENOMEM, "no memory for listener %s",
		    config->name);
	memset(listener, 0,
	    sizeof(*listener) + worker_count * sizeof(struct slot));
	listener->config = config;
	listener->port = config->port;
	listener->slot_count = worker_count;
	bad_frames_init(&listener->bad_frames);
	for (unsigned i = 0; i < worker_count; i++) {
		struct slot *slot = &listener->slots[i];

		slot->listener = listener;
		slot->worker = workers[i];
		slot->config = config;
		slot->name = slice_from_string(config->name);
		slot->fd = -1;
		TAILQ_INIT(&slot->sessions);
	}
	for (unsigned i = 0; i < worker_count && result == 0; i++)
		result = bind_slot(&listener->slots[i], err);
	if (result < 0) {
		err_prefix(err, result, "listener %s", config->name);
		listener_close(&listener);
		return result;
	}
	*ret = listener;
	return 0;
}

void
listener_close(struct listener **listener)
{
	struct listener *old = *listener;

	*listener = NULL;
	if (!old)
		return;
	for (unsigned i = 0; i < old->slot_count; i++) {
		if (old->slots[i].fd >= 0)
			close(old->slots[i].fd);
		datagrams_close(&old->slots[i].datagrams);
	}
	bad_frames_close(&old->bad_frames);
	free(old);
}

/* ---- accepting, on the worker --------------------------------------------- */

/* Out of descriptors: a connection that stays in the queue would wake us for
 * ever. Give up the reserve, take the connection and close it. */
static void
shed(struct slot *slot)
{
	struct worker *worker = slot->worker;
	int fd = -1;

	if (worker->reserve_fd >= 0) {
		close(worker->reserve_fd);
		fd = accept4(slot->fd, NULL, NULL, SOCK_CLOEXEC);
		counter_add(&slot->counters.refused, fd >= 0 ? 1 : 0);
		if (fd >= 0)
			close(fd);
	}
	worker->reserve_fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
	log_limited(&slot->shed_limit, LOG_ERROR, "ingress", "no-descriptors",
	    "listener=%s", slot->config->name);
	if (fd < 0) { /* another thread was quicker */
		event_del(&slot->event);
		slot->paused = true;
	}
}

static void
refuse(struct slot *slot, int fd)
{
	counter_add(&slot->counters.refused, 1);
	close(fd);
	log_limited(&slot->refused_limit, LOG_WARN, "ingress",
	    "too-many-sessions", "listener=%s max=%u", slot->config->name,
	    slot->config->max_sessions);
}

/* False: nothing more to accept now. */
static bool
accept_one(struct slot *slot)
{
	struct socket_address address = { .length = sizeof(address.storage) };
	int fd = accept4(slot->fd, &address.any, &address.length,
	    SOCK_NONBLOCK | SOCK_CLOEXEC);

	if (fd < 0 && (errno == EMFILE || errno == ENFILE)) {
		shed(slot);
		return false;
	}
	if (fd < 0)
		return errno == EINTR || errno == ECONNABORTED;
	if (atomic_load_explicit(&slot->listener->sessions,
		memory_order_relaxed) >= slot->config->max_sessions ||
	    session_open(slot, fd, &address) < 0)
		refuse(slot, fd);
	return true;
}

static void
on_connections(evutil_socket_t fd, short what, void *context)
{
	struct slot *slot = context;

	(void)fd;
	(void)what;
	for (unsigned i = 0; i < ACCEPTS_PER_TURN; i++)
		if (!accept_one(slot))
			break;
}

/* ---- the worker's side ---------------------------------------------------- */

void
slot_attach(struct slot *slot)
{
	struct worker *worker = slot->worker;

	slot->attached = true;
	TAILQ_INSERT_TAIL(&worker->slots, slot, by_worker);
	event_assign(&slot->event, worker->base, slot->fd, EV_READ | EV_PERSIST,
	    slot->datagrams ? datagrams_readable : on_connections, slot);
	if (!worker->failed && !worker->draining)
		event_add(&slot->event, NULL);
}

void
slot_quiesce(struct slot *slot)
{
	struct session *session;

	event_del(&slot->event);
	slot->paused = false;
	if (!slot->datagrams && slot->fd >= 0) {
		close(slot->fd);
		slot->fd = -1;
	}
	TAILQ_FOREACH(session, &slot->sessions, by_slot)
		session_update_reading(session);
}

void
slot_silence(struct slot *slot)
{
	slot_quiesce(slot);
	while (!TAILQ_EMPTY(&slot->sessions))
		session_close(TAILQ_FIRST(&slot->sessions));
	pending_forget_slot(&slot->worker->pending, slot);
	if (slot->fd >= 0)
		close(slot->fd);
	slot->fd = -1;
}

void
slot_detach(struct slot *slot)
{
	slot_silence(slot);
	TAILQ_REMOVE(&slot->worker->slots, slot, by_worker);
	slot->attached = false;
}

void
slot_configure(struct slot *slot, const struct ingress_listener_config *config)
{
	struct session *session;

	slot->config = config;
	slot->name = slice_from_string(config->name);
	TAILQ_FOREACH(session, &slot->sessions, by_slot)
		session_update_timeout(session);
}

void
slot_unpause(struct slot *slot)
{
	if (!slot->paused)
		return;
	slot->paused = false;
	event_add(&slot->event, NULL);
}
