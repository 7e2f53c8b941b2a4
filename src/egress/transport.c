#include "egress/transport.h"

#include <errno.h>
#include <openssl/ssl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/tls.h"
#include "egress/serial.h"

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
	tls_end(&transport->tls);
	if (transport->fd >= 0 && transport->serial)
		serial_close(transport->fd);
	else if (transport->fd >= 0)
		close(transport->fd);
	transport->fd = -1;
	transport->connecting = transport->shaking = false;
	transport->serial = false;
	transport->in_filled = 0;
	transport->out_written = transport->out_filled = 0;
	transport->generation++;
}

static void
break_off(struct transport *transport, const char *what, int code)
{
	char reason[192];

	snprintf(reason, sizeof(reason), "%s%s%s", what, code ? ": " : "",
	    code ? strerror(code) : "");
	transport->handler.broken(transport->handler.context, reason);
}

/* ---- TLS or clear ----------------------------------------------------------- */

static ssize_t
receive(struct transport *transport, void *data, size_t size)
{
	bool more = false;
	ssize_t got;

	if (transport->serial)
		return read(transport->fd, data, size);
	if (!transport->tls)
		return recv(transport->fd, data, size, 0);
	got = tls_receive(transport->tls, data, size, &more);
	if (more)
		event_active(transport->readable, EV_READ, 0);
	return got;
}

static ssize_t
transmit(struct transport *transport, const void *data, size_t length)
{
	if (transport->serial)
		return write(transport->fd, data, length);
	return transport->tls ? tls_send(transport->tls, data, length)
			      : send(transport->fd, data, length, MSG_NOSIGNAL);
}

/* What came with the handshake's end the socket does not show any more. */
static void
stand(struct transport *transport)
{
	transport->connecting = transport->shaking = false;
	event_add(transport->readable, NULL);
	if (transport->tls && SSL_has_pending(transport->tls))
		event_active(transport->readable, EV_READ, 0);
	transport->handler.connected(transport->handler.context);
}

/* Where TLS itself is at fault, for the library's reason. */
static void
break_off_io(struct transport *transport, const char *what, int code)
{
	char reason[160];

	if (!transport->tls || code != EPROTO) {
		break_off(transport, what, code);
		return;
	}
	snprintf(reason, sizeof(reason), "%s: %s", what,
	    tls_failure(transport->tls));
	break_off(transport, reason, 0);
}

/* Either event brings it on. */
static void
shake_hands(struct transport *transport)
{
	char reason[160];

	transport->shaking = true;
	switch (tls_handshake(transport->tls)) {
	case TLS_DONE:
		stand(transport);
		break;
	case TLS_WANTS_READ:
		event_add(transport->readable, NULL);
		break;
	case TLS_WANTS_WRITE:
		event_del(transport->readable);
		event_add(transport->writable, NULL);
		break;
	case TLS_FAILED:
		snprintf(reason, sizeof(reason), "no TLS with the station: %s",
		    tls_failure(transport->tls));
		break_off(transport, reason, 0);
		break;
	}
}

/* The attempt's end; 0 or what it failed with. */
static int
connect_result(evutil_socket_t fd)
{
	int code = 0;
	socklen_t size = sizeof(code);

	getsockopt(fd, SOL_SOCKET, SO_ERROR, &code, &size);
	return code;
}

/* ---- events ----------------------------------------------------------------- */

static void
on_writable(evutil_socket_t fd, short what, void *context)
{
	struct transport *transport = context;
	int code = transport->connecting ? connect_result(fd) : 0;

	(void)what;
	if (code) {
		break_off(transport, "cannot connect", code);
		return;
	}
	if (transport->connecting) {
		if (transport->tls)
			shake_hands(transport);
		else
			stand(transport);
		return;
	}
	code = transport_flush(transport);
	if (code < 0)
		break_off_io(transport, "cannot send", -code);
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
	ssize_t got;

	(void)fd;
	(void)what;
	if (transport->connecting) {
		shake_hands(transport);
		return;
	}
	got = receive(transport, transport->in + transport->in_filled,
	    sizeof(transport->in) - transport->in_filled);
	if (got < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (got < 0) {
		break_off_io(transport, "cannot receive", errno);
		return;
	}
	if (got == 0 && !transport->udp) {
		break_off(transport,
		    transport->serial ? "the line has gone"
				      : "the peer closed the connection",
		    0);
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
transport_secure(struct transport *transport, SSL *tls, struct err *err)
{
	transport->tls = tls;
	if (SSL_set_fd(tls, transport->fd) != 1) {
		transport_close(transport);
		return err_set(err, -ENOMEM, "no memory for TLS");
	}
	SSL_set_connect_state(tls);
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

int
transport_adopt_serial(struct transport *transport, int fd)
{
	int code = transport_adopt(transport, fd);

	transport->serial = code == 0;
	return code;
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

bool
transport_is_writing(const struct transport *transport)
{
	return transport->out_written < transport->out_filled;
}

int
transport_flush(struct transport *transport)
{
	size_t left = transport->out_filled - transport->out_written;
	ssize_t sent;

	if (left == 0)
		return 0;
	sent =
	    transmit(transport, transport->out + transport->out_written, left);
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
