/*
 * What Tocsin is measured against: a bare libevent loop that checks each
 * DC-09 frame's CRC, appends the frame to a file, does one fdatasync per turn
 * of the loop and only then replies ACK. One thread, TCP and UDP on one port;
 * no directory, no routing, nothing else. It uses the codec for framing and
 * replies, as Tocsin does, and the same socket calls. An encrypted frame is
 * decrypted and its time window checked, when a key is given.
 *
 *   reference FILE [KEY]      prints "listening 127.0.0.1:PORT", runs until
 *                             SIGTERM
 */
#include <errno.h>
#include <event2/event.h>
#include <event2/listener.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/exit.h"
#include "base/socket.h"
#include "codec/dc09.h"

#define IN_BYTES       16384
#define OUT_BYTES      65536
#define FILE_BYTES     (32 << 20) /* gathered in one turn at most */
#define DATAGRAMS_MAX  64
#define DATAGRAM_BYTES 4200

/* replies of one turn are sent when the file is on the disk */
struct client {
	struct client *next_waiting;
	struct event *event;
	int fd;
	bool waiting;
	bool closed;
	size_t in_length, out_length;
	char in[IN_BYTES];
	char out[OUT_BYTES];
};

struct datagram {
	struct socket_address sender;
	size_t length;
	char reply[DC09_REPLY_MAX];
};

struct server {
	struct event_base *base;
	struct dc09_crypto *crypto;
	struct codec_key key;
	int file, udp;
	size_t gathered;
	char *data;
	struct client *waiting;
	struct datagram *datagrams;
	unsigned datagram_count;
	bool stop;
	char plain[DC09_BODY_MAX / 2];
};

/* Gather the frame for the file and make its reply; 0: no reply. */
static size_t
take_frame(struct server *server, const struct dc09_frame *frame, char *reply)
{
	const struct dc09_window window = { 40, 20 };
	int64_t now_us = clock_wall_us(&clock_system);
	enum dc09_reply kind = DC09_REPLY_ACK;
	struct signal signal;
	const char *reason;

	if (frame->encrypted) {
		enum dc09_verdict verdict = dc09_decode(server->crypto, frame,
		    &server->key, window, dc09_tolerance_default, now_us,
		    server->plain, &signal, &reason);

		if (verdict == DC09_DUH)
			kind = DC09_REPLY_DUH;
		else if (verdict == DC09_NAK)
			kind = DC09_REPLY_NAK;
	}
	memcpy(server->data + server->gathered, frame->raw.data,
	    frame->raw.length);
	server->gathered += frame->raw.length;
	return dc09_reply_encode(server->crypto, kind, frame, &server->key,
	    false, now_us, reply);
}

static void
wait_for_sync(struct server *server, struct client *client)
{
	if (client->waiting)
		return;
	client->waiting = true;
	client->next_waiting = server->waiting;
	server->waiting = client;
}

static void
parse(struct server *server, struct client *client)
{
	size_t done = 0;
	bool whole = true; /* all of it was looked at */

	while (done < client->in_length &&
	    client->out_length + DC09_REPLY_MAX <= OUT_BYTES &&
	    server->gathered + DC09_FRAME_MAX <= FILE_BYTES) {
		struct dc09_frame frame;
		enum dc09_fault fault;
		size_t used = 0;
		enum codec_result result =
		    dc09_frame_next(client->in + done, client->in_length - done,
			dc09_tolerance_default, &used, &frame, &fault);

		if (result == CODEC_OK)
			client->out_length += take_frame(server, &frame,
			    client->out + client->out_length);
		done += used;
		whole = result == CODEC_MORE || done == client->in_length;
		if (result == CODEC_MORE)
			break;
	}
	memmove(client->in, client->in + done, client->in_length - done);
	client->in_length -= done;
	if (client->out_length > 0 || client->closed || !whole)
		wait_for_sync(server, client);
}

static struct server *the_server; /* for the callbacks of clients */

static void
on_readable(evutil_socket_t fd, short what, void *context)
{
	struct client *client = context;
	ssize_t n = recv(fd, client->in + client->in_length,
	    IN_BYTES - client->in_length, 0);

	(void)what;
	if (n < 0 && errno == EAGAIN)
		return;
	if (n <= 0) {
		client->closed = true;
		event_del(client->event);
	} else {
		client->in_length += (size_t)n;
	}
	parse(the_server, client);
}

static void
on_accept(struct evconnlistener *listener, evutil_socket_t fd,
    struct sockaddr *address, int length, void *context)
{
	struct server *server = context;
	struct client *client = calloc(1, sizeof(*client));

	(void)listener;
	(void)address;
	(void)length;
	if (!client) {
		close(fd);
		return;
	}
	socket_set_nodelay(fd);
	client->fd = fd;
	client->event = event_new(server->base, fd, EV_READ | EV_PERSIST,
	    on_readable, client);
	if (!client->event || event_add(client->event, NULL) < 0)
		client->closed = true;
	if (client->closed)
		wait_for_sync(server, client);
}

static void
on_datagrams(evutil_socket_t fd, short what, void *context)
{
	struct server *server = context;
	char in[DATAGRAM_BYTES];

	(void)what;
	while (server->datagram_count < DATAGRAMS_MAX &&
	    server->gathered + DC09_FRAME_MAX <= FILE_BYTES) {
		struct datagram *d = &server->datagrams[server->datagram_count];
		struct dc09_frame frame;
		enum dc09_fault fault;
		size_t used;
		ssize_t n;

		d->sender.length = sizeof(d->sender.storage);
		n = recvfrom(fd, in, sizeof(in), MSG_DONTWAIT, &d->sender.any,
		    &d->sender.length);
		if (n <= 0)
			return;
		if (dc09_frame_next(in, (size_t)n, dc09_tolerance_default,
			&used, &frame, &fault) != CODEC_OK)
			continue;
		d->length = take_frame(server, &frame, d->reply);
		server->datagram_count++;
	}
}

/* Everything gathered in this turn is on the disk. */
static bool
make_durable(struct server *server)
{
	size_t done = 0;

	while (done < server->gathered) {
		ssize_t n = write(server->file, server->data + done,
		    server->gathered - done);

		if (n < 0)
			return false;
		done += (size_t)n;
	}
	if (done > 0 && fdatasync(server->file) < 0)
		return false;
	server->gathered = 0;
	return true;
}

static void
free_client(struct client *client)
{
	if (client->event)
		event_free(client->event);
	close(client->fd);
	free(client);
}

static void
send_replies(struct server *server)
{
	struct client *client;

	for (unsigned i = 0; i < server->datagram_count; i++) {
		const struct datagram *d = &server->datagrams[i];

		sendto(server->udp, d->reply, d->length, MSG_NOSIGNAL,
		    &d->sender.any, d->sender.length);
	}
	server->datagram_count = 0;
	client = server->waiting;
	server->waiting = NULL;
	while (client) {
		struct client *next = client->next_waiting;

		client->waiting = false;
		/* a peer that does not read its few replies is dropped */
		if (client->out_length > 0 &&
		    send(client->fd, client->out, client->out_length,
			MSG_NOSIGNAL) != (ssize_t)client->out_length)
			client->closed = true;
		client->out_length = 0;
		if (client->closed)
			free_client(client);
		else if (client->in_length > 0)
			parse(server, client);
		client = next;
	}
}

static void
on_stop(evutil_socket_t number, short what, void *context)
{
	struct server *server = context;

	(void)number;
	(void)what;
	server->stop = true;
}

static int
open_server(struct server *server, const char *path, struct err *err)
{
	struct socket_address address;
	struct event *event;
	int tcp;

	server->file = open(path,
	    O_WRONLY | O_CREAT | O_TRUNC | O_APPEND | O_CLOEXEC, 0644);
	if (server->file < 0)
		return err_set_errno(err, "cannot create %s", path);
	socket_address_make("127.0.0.1", 0, &address, err);
	tcp = socket_listen(&address, SOCK_STREAM, false, err);
	if (tcp < 0)
		return tcp;
	address.v4.sin_port = htons(socket_local_port(tcp));
	server->udp = socket_listen(&address, SOCK_DGRAM, false, err);
	if (server->udp < 0)
		return server->udp;
	server->base = event_base_new();
	server->data = malloc(FILE_BYTES);
	server->datagrams = calloc(DATAGRAMS_MAX, sizeof(*server->datagrams));
	if (!server->base || !server->data || !server->datagrams ||
	    !evconnlistener_new(server->base, on_accept, server,
		LEV_OPT_CLOSE_ON_EXEC, 0, tcp))
		return err_set(err, -ENOMEM, "out of memory");
	event = event_new(server->base, server->udp, EV_READ | EV_PERSIST,
	    on_datagrams, server);
	event_add(event, NULL);
	event = evsignal_new(server->base, SIGTERM, on_stop, server);
	event_add(event, NULL);
	printf("listening 127.0.0.1:%u\n", ntohs(address.v4.sin_port));
	fflush(stdout);
	return dc09_crypto_open(&server->crypto, err);
}

int
main(int argc, char **argv)
{
	static struct server server;
	struct rlimit limit;
	const char *problem;
	struct err err;

	if (argc < 2 || argc > 3) {
		fprintf(stderr, "usage: reference FILE [KEY]\n");
		return EXIT_STATUS_USAGE;
	}
	if (argc == 3 &&
	    codec_key_parse(slice_from_string(argv[2]), &server.key, &problem) <
		0) {
		fprintf(stderr, "reference: %s\n", problem);
		return EXIT_STATUS_USAGE;
	}
	getrlimit(RLIMIT_NOFILE, &limit);
	limit.rlim_cur = limit.rlim_max;
	setrlimit(RLIMIT_NOFILE, &limit);
	the_server = &server;
	if (open_server(&server, argv[1], &err) < 0) {
		fprintf(stderr, "reference: %s\n", err.text);
		return EXIT_STATUS_UNAVAILABLE;
	}
	while (!server.stop) {
		event_base_loop(server.base,
		    server.waiting ? EVLOOP_NONBLOCK : EVLOOP_ONCE);
		if (!make_durable(&server)) {
			fprintf(stderr, "reference: the disk failed\n");
			return EXIT_STATUS_CANNOT_CREATE;
		}
		send_replies(&server);
	}
	return EXIT_STATUS_OK;
}
