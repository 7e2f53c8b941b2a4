#include "egress/transport.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

void
transport_init(struct transport *transport, struct event_base *base,
    const struct transport_handler *handler)
{
	transport->fd = -1;
	transport->base = base;
	transport->handler = *handler;
}

bool
transport_is_open(const struct transport *transport)
{
	return transport->fd >= 0;
}

void
transport_close(struct transport *transport)
{
	if (transport->readable)
		event_free(transport->readable);
	if (transport->writable)
		event_free(transport->writable);
	transport->readable = transport->writable = NULL;
	if (transport->fd >= 0)
		close(transport->fd);
	transport->fd = -1;
	transport->connecting = false;
	transport->in_filled = 0;
	transport->out_written = transport->out_filled = 0;
	transport->generation++;
}

static void
break_off(struct transport *transport, const char *what, int code)
{
	char reason[128];

	snprintf(reason, sizeof(reason), "%s%s%s", what, code ? ": " : "",
	    code ? strerror(code) : "");
	transport->handler.broken(transport->handler.context, reason);
}

static void
on_writable(evutil_socket_t fd, short what, void *context)
{
	struct transport *transport = context;
	int code = 0;

	(void)what;
	if (transport->connecting) {
		socklen_t size = sizeof(code);

		getsockopt(fd, SOL_SOCKET, SO_ERROR, &code, &size);
		if (code) {
			break_off(transport, "cannot connect", code);
			return;
		}
		transport->connecting = false;
		event_add(transport->readable, NULL);
		transport->handler.connected(transport->handler.context);
		return;
	}
	code = transport_flush(transport);
	if (code < 0)
		break_off(transport, "cannot send", -code);
	else
		transport->handler.fed(transport->handler.context);
}

/* Hand over what is there; false when a callback ended the connection. */
static bool
feed(struct transport *transport)
{
	unsigned generation = transport->generation;
	size_t used = transport->handler.feed(transport->handler.context,
	    transport->in, transport->in_filled);

	if (transport->generation != generation)
		return false;
	transport->in_filled -= used;
	memmove(transport->in, transport->in + used, transport->in_filled);
	if (transport->in_filled == sizeof(transport->in)) {
		break_off(transport, "the peer's answers have no end", 0);
		return false;
	}
	return true;
}

static void
on_readable(evutil_socket_t fd, short what, void *context)
{
	struct transport *transport = context;
	ssize_t got = recv(fd, transport->in + transport->in_filled,
	    sizeof(transport->in) - transport->in_filled, 0);

	(void)what;
	if (got < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (got < 0) {
		break_off(transport, "cannot receive", errno);
		return;
	}
	if (got == 0 && !transport->udp) {
		break_off(transport, "the peer closed the connection", 0);
		return;
	}
	transport->in_filled += (size_t)got;
	if (feed(transport))
		transport->handler.fed(transport->handler.context);
}

static int
watch(struct transport *transport, int fd)
{
	transport->fd = fd;
	transport->readable = event_new(transport->base, fd,
	    EV_READ | EV_PERSIST, on_readable, transport);
	transport->writable =
	    event_new(transport->base, fd, EV_WRITE, on_writable, transport);
	if (transport->readable && transport->writable)
		return 0;
	transport_close(transport);
	return -ENOMEM;
}

int
transport_connect(struct transport *transport,
    const struct socket_address *address, bool udp, struct err *err)
{
	int fd = socket_connect(address, udp ? SOCK_DGRAM : SOCK_STREAM, err);

	if (fd < 0)
		return fd;
	if (watch(transport, fd) < 0)
		return err_set(err, -ENOMEM, "out of memory");
	transport->udp = udp;
	transport->connecting = true;
	event_add(transport->writable, NULL);
	return 0;
}

int
transport_adopt(struct transport *transport, int fd)
{
	if (watch(transport, fd) < 0)
		return -ENOMEM;
	transport->udp = false;
	event_add(transport->readable, NULL);
	return 0;
}

char *
transport_room(struct transport *transport, size_t size)
{
	size_t left = transport->out_filled - transport->out_written;

	if (transport->udp && left > 0)
		return NULL;
	if (sizeof(transport->out) - transport->out_filled < size) {
		memmove(transport->out, transport->out + transport->out_written,
		    left);
		transport->out_written = 0;
		transport->out_filled = left;
	}
	if (sizeof(transport->out) - transport->out_filled < size)
		return NULL;
	return transport->out + transport->out_filled;
}

void
transport_commit(struct transport *transport, size_t length)
{
	transport->out_filled += length;
}

int
transport_flush(struct transport *transport)
{
	size_t left = transport->out_filled - transport->out_written;
	ssize_t sent;

	if (left == 0)
		return 0;
	sent = send(transport->fd, transport->out + transport->out_written,
	    left, MSG_NOSIGNAL);
	if (sent < 0 && errno != EAGAIN && errno != EINTR)
		return -errno;
	if (sent > 0)
		transport->out_written += (size_t)sent;
	if (transport->out_written == transport->out_filled)
		transport->out_written = transport->out_filled = 0;
	else
		event_add(transport->writable, NULL);
	return 0;
}
