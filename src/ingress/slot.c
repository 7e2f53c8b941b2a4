#include "ingress/slot.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "base/socket.h"
#include "ingress/datagram.h"
#include "ingress/listener.h"
#include "ingress/session.h"
#include "ingress/spool.h"
#include "ingress/worker.h"

/* Strangers come by hundreds: they wait between turns for those that are here. */
#define ACCEPTS_PER_TURN 4

/* ---- accepting ------------------------------------------------------------ */

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
		if (fd >= 0) {
			refusal_add(slot,
			    &(struct refusal){
				.cause = INGRESS_REFUSED_NO_DESCRIPTORS,
				.peer = "",
				.reason = "out of file descriptors" });
			close(fd);
		}
	}
	worker->reserve_fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
	if (fd < 0) { /* another thread was quicker */
		event_del(&slot->event);
		slot->paused = true;
	}
}

/* error: why; of admit. */
static void
refuse(struct slot *slot, int fd, const struct socket_address *address,
    int error)
{
	char peer[SOCKET_ADDRESS_TEXT];
	struct refusal refusal = {
		.cause = INGRESS_REFUSED_OVER_LIMIT,
		.peer = peer,
		.reason = "as many connections as max_sessions allows",
	};

	if (error == -ENOMEM) {
		refusal.reason = "no memory for a connection";
	} else if (error == -EUSERS) {
		refusal.cause = INGRESS_REFUSED_OVER_SOURCE_LIMIT;
		refusal.reason =
		    "as many connections as max_source_sessions allows";
	} else if (error == -EBUSY) {
		refusal.cause = INGRESS_REFUSED_OVER_HANDSHAKE_LIMIT;
		refusal.reason =
		    "as many handshakes as max_source_handshakes allows";
	}
	socket_address_format(address, peer);
	refusal_add(slot, &refusal);
	close(fd);
}

/* A stranger, who has said no sound frame: one of the address that has most
 * connections, and more than the newcomer's would; else the eldest that is
 * silent. NULL: none among the first. */
static struct session *
find_victim(const struct slot *slot, const struct socket_address *newcomer)
{
	struct sources *sources = &slot->listener->sources;
	const struct presence_peer from = presence_peer_of(&newcomer->v6);
	struct session *session, *victim = NULL, *silent = NULL;
	unsigned looked = 0;
	uint32_t count,
	    most = sources_count(sources, from.address, SOURCE_SESSIONS, 0) + 1;

	TAILQ_FOREACH(session, &slot->strangers, by_age) {
		count = sources_count(sources, session->from.address,
		    SOURCE_SESSIONS, 0);
		if (count > most) {
			most = count;
			victim = session;
		}
		if (!silent && session_is_silent(session))
			silent = session;
		if (++looked == SLOT_LOOKED_AT)
			break;
	}
	return victim ? victim : silent;
}

/* 0 or as session_open. Where all are taken a stranger makes room. */
static int
admit(struct slot *slot, int fd, const struct socket_address *address)
{
	struct session *victim = NULL;
	int result;

	worker_read_clock(slot->worker);
	if (atomic_load_explicit(&slot->listener->sessions,
		memory_order_relaxed) >= slot->config->max_sessions) {
		victim = find_victim(slot, address);
		if (!victim)
			return -ENOSPC;
	}
	result = session_open(slot, fd, address);
	if (result == 0 && victim)
		session_give_up(victim, "others need its place");
	return result;
}

/* False: nothing more to accept now. */
static bool
accept_one(struct slot *slot)
{
	struct socket_address address = { .length = sizeof(address.storage) };
	int fd, result;

	fd = accept4(slot->fd, &address.any, &address.length,
	    SOCK_NONBLOCK | SOCK_CLOEXEC);
	if (fd < 0 && (errno == EMFILE || errno == ENFILE)) {
		shed(slot);
		return false;
	}
	if (fd < 0)
		return errno == EINTR || errno == ECONNABORTED;
	result = admit(slot, fd, &address);
	if (result < 0)
		refuse(slot, fd, &address, result);
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

/* ---- life ----------------------------------------------------------------- */

void
slot_attach(struct slot *slot)
{
	struct worker *worker = slot->worker;

	slot->attached = true;
	TAILQ_INSERT_TAIL(&worker->slots, slot, by_worker);
	event_assign(&slot->event, worker->base, slot->fd, EV_READ | EV_PERSIST,
	    slot->datagrams ? datagrams_readable : on_connections, slot);
	if (slot->fd >= 0 && !worker->failed && !worker->draining)
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

static void
close_sessions(struct slot *slot)
{
	while (!TAILQ_EMPTY(&slot->sessions))
		session_close(TAILQ_FIRST(&slot->sessions));
}

void
slot_silence(struct slot *slot)
{
	slot_quiesce(slot);
	spool_close(&slot->spool);
	close_sessions(slot);
	pending_forget_slot(&slot->worker->pending, slot);
	awaiting_forget_slot(slot);
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
slot_configure(struct slot *slot, const struct ingress_listener_config *config,
    SSL_CTX *tls)
{
	struct session *session;

	if (slot->config->transport != config->transport ||
	    slot->config->protocol != config->protocol)
		close_sessions(slot);
	slot->config = config;
	slot->tls = tls;
	slot->name = slice_from_string(config->name);
	slot->number =
	    presence_listener(directory_presence(slot->worker->directory),
		config->name);
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
