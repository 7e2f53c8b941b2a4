/*
 * Bytes to and from one peer, TCP, TLS, UDP or a serial line, above one
 * descriptor. Non-blocking; what does not fit into the socket waits in a small
 * buffer. Main loop only.
 *
 *   out:  0 |-- sent --| written |-- still to write --| filled |-- room --|
 */
#ifndef EGRESS_TRANSPORT_H
#define EGRESS_TRANSPORT_H

#include <event2/event.h>

#include <openssl/types.h>

#include "base/err.h"
#include "base/socket.h"

#define TRANSPORT_IN_BYTES  8192
#define TRANSPORT_OUT_BYTES 32768

struct transport_handler {
	/* The connection stands, its TLS too. */
	void (*connected)(void *context);
	/* Bytes came; returns how many are done with (all of a datagram). */
	size_t (*feed)(void *context, const char *data, size_t length);
	/* All that had come was fed. */
	void (*fed)(void *context);
	/* The connection is over. */
	void (*broken)(void *context, const char *reason);
	void *context;
};

struct transport {
	int fd; /* -1: closed */
	bool udp, serial, connecting;
	SSL *tls;     /* NULL: clear */
	bool shaking; /* connected, but its handshake is not over */
	struct event_base *base;
	struct event *readable, *writable;
	struct transport_handler handler;
	unsigned generation; /* which connection; a callback may change it */
	size_t in_filled, out_written, out_filled;
	char in[TRANSPORT_IN_BYTES];
	char out[TRANSPORT_OUT_BYTES];
};

void transport_init(struct transport *transport, struct event_base *base,
    const struct transport_handler *handler);
/* Begin to connect; `connected` or `broken` follows from the loop, unless the
 * caller closes it first: nothing here looks at the time. */
int transport_connect(struct transport *transport,
    const struct socket_address *address, bool udp, struct err *err);
/* Straight after that: with a handshake, and in TLS from then on. Takes tls. */
int transport_secure(struct transport *transport, SSL *tls, struct err *err);
/* Take over an accepted connection; it is up at once. 0 or -ENOMEM, fd is
 * closed then. */
int transport_adopt(struct transport *transport, int fd);
/* The same of a serial line (serial_open). */
int transport_adopt_serial(struct transport *transport, int fd);
bool transport_is_open(const struct transport *transport);
void transport_close(struct transport *transport);

/* Where the next message is written to: room for `size` bytes, or NULL until
 * more was sent. */
char *transport_room(struct transport *transport, size_t size);
/* `length` bytes were written there. A datagram leaves at once. */
void transport_commit(struct transport *transport, size_t length);
/* Some of what was committed is still to be sent. */
bool transport_is_writing(const struct transport *transport);
/* Send what was committed. 0 or -errno: the connection is over (`broken` is
 * not called). */
int transport_flush(struct transport *transport);

#endif
