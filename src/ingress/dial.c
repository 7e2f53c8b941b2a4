#include "ingress/dial.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "base/socket.h"
#include "ingress/listener.h"
#include "ingress/session.h"
#include "ingress/worker.h"

#define RETRY_US  5000000 /* between the beginnings of two attempts */
#define TIMEOUT_S 10

static void
give_up(struct slot *slot, const char *reason)
{
	const struct ingress_listener_config *config = slot->config;

	if (slot->fd >= 0)
		close(slot->fd);
	slot->fd = -1;
	log_limited(&slot->dial_limit, LOG_WARN, "ingress", "not-connected",
	    "listener=%s address=%s port=%u reason=\"%s\"", config->name,
	    config->address, config->port, reason);
}

static void
on_connected(evutil_socket_t fd, short what, void *context)
{
	struct slot *slot = context;
	struct socket_address address = { .length = sizeof(address.storage) };
	socklen_t length = sizeof(int);
	int error = 0;

	if (what & EV_TIMEOUT)
		error = ETIMEDOUT;
	else
		getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &length);
	if (error == 0 && getpeername(fd, &address.any, &address.length) < 0)
		error = errno;
	if (error == 0)
		error = -session_open(slot, fd, &address);
	if (error != 0)
		give_up(slot, strerror(error));
	else
		slot->fd = -1; /* the session's */
}

static void
dial(struct slot *slot)
{
	static const struct timeval timeout = { .tv_sec = TIMEOUT_S };
	struct socket_address address;
	struct err err;
	int fd = socket_address_make(slot->config->address, slot->config->port,
	    &address, &err);

	if (fd == 0)
		fd = socket_connect(&address, SOCK_STREAM, &err);
	if (fd < 0) {
		give_up(slot, err.text);
		return;
	}
	slot->fd = fd;
	event_assign(&slot->event, slot->worker->base, fd, EV_WRITE,
	    on_connected, slot);
	event_add(&slot->event, &timeout);
}

void
dial_tick(struct slot *slot)
{
	const struct worker *worker = slot->worker;

	if (slot->config->transport != INGRESS_TCP_CONNECT ||
	    worker->index != 0 || worker->failed || worker->draining ||
	    slot->fd >= 0 || !TAILQ_EMPTY(&slot->sessions) ||
	    worker->monotonic_us < slot->dial_at_us)
		return;
	slot->dial_at_us = worker->monotonic_us + RETRY_US;
	dial(slot);
}
