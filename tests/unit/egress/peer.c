#include "unit/egress/peer.h"

#include <errno.h>
#include <fcntl.h>
#include <openssl/ssl.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/socket.h"
#include "base/tls.h"
#include "codec/json_line.h"
#include "codec/xml_package.h"
#include "unit/test.h"

static void
say(struct peer *peer, const void *data, size_t length)
{
	if (peer->fd < 0)
		return;
	if (peer->line_fd >= 0) {
		assert_int_equal(write(peer->fd, data, length), length);
		return;
	}
	if (peer->tls) {
		assert_int_equal(tls_send(peer->tls, data, length), length);
		return;
	}
	assert_int_equal(sendto(peer->fd, data, length, MSG_NOSIGNAL,
			     peer->udp ? &peer->from.any : NULL,
			     peer->udp ? peer->from.length : 0),
	    length);
}

void
peer_say(struct peer *peer, const char *text)
{
	say(peer, text, strlen(text));
}

void
peer_hang_up(struct peer *peer)
{
	if (peer->readable)
		event_free(peer->readable);
	peer->readable = NULL;
	tls_end(&peer->tls);
	if (peer->fd >= 0)
		close(peer->fd);
	peer->fd = -1;
	peer->filled = 0;
}

static enum peer_action
next_action(struct peer *peer, bool heartbeat)
{
	unsigned turn = peer->turns;

	if (heartbeat)
		return peer->heartbeats;
	peer->turns++;
	return turn < peer->script_length ? peer->script[turn]
					  : peer->otherwise;
}

/* What is refused was not taken. */
static void
note_message(struct peer *peer, struct slice zone, enum peer_action action)
{
	unsigned long number = 0;

	if (action == PEER_NAK || action == PEER_DUH || action == PEER_TROUBLE)
		return;
	assert_int_equal(slice_to_number(zone, 10, &number), 0);
	assert_true(peer->messages < PEER_MESSAGES);
	peer->zones[peer->messages++] = (unsigned)number;
}

/* ---- Sur-Gard, Ademco 685, D6500 --------------------------------------------------------------- */

static void
answer_automation(struct peer *peer, enum peer_action action)
{
	switch (action) {
	case PEER_ACK:
	case PEER_ACK_CLOSE:
	case PEER_RSP:
	case PEER_DRIP:
		peer->acked++;
		say(peer, "\x06", 1);
		break;
	case PEER_NAK:
	case PEER_DUH:
	case PEER_TROUBLE:
		say(peer, "\x15", 1);
		break;
	case PEER_GARBAGE:
	case PEER_WRONG:
		say(peer, "x\x16\xff", 3);
		break;
	case PEER_SILENT:
	case PEER_CLOSE:
		break;
	}
	if (action == PEER_CLOSE || action == PEER_ACK_CLOSE)
		peer_hang_up(peer);
}

static size_t
take_automation(struct peer *peer)
{
	size_t used = 0;
	char *end;

	while (peer->fd >= 0 &&
	    (end = memchr(peer->in + used, peer->terminator,
		 peer->filled - used))) {
		size_t length = (size_t)(end - peer->in) - used;
		bool heartbeat = memchr(peer->in + used, '@', length);
		enum peer_action action = next_action(peer, heartbeat);

		assert_int_equal(slice_copy(slice_of(peer->in + used, length),
				     peer->last, sizeof(peer->last)),
		    0);
		if (heartbeat)
			peer->beats++;
		else
			note_message(peer,
			    slice_of(peer->last + length - peer->behind_zone -
				    3,
				3),
			    action);
		used += length + 1;
		answer_automation(peer, action);
	}
	return used;
}

/* ---- DC-09 -------------------------------------------------------------------- */

static void
say_wrong(struct peer *peer, const struct dc09_frame *frame, int64_t now_us)
{
	struct dc09_frame other = *frame;
	char out[DC09_REPLY_MAX];

	other.sequence = slice_from_string("7777");
	say(peer, out,
	    dc09_reply_encode(peer->crypto, DC09_REPLY_ACK, &other, &peer->key,
		false, now_us, out));
}

/* RSP: a receiver's message with the header of ours. */
static void
say_response(struct peer *peer, const struct dc09_frame *frame, int64_t now_us)
{
	unsigned long sequence = 0;
	struct dc09_message message = {
		.id = "RSP",
		.receiver = frame->receiver,
		.line = frame->line,
		.account = frame->account,
		.data = slice_from_string("#0000|x"),
	};
	char out[DC09_FRAME_MAX];
	int length;

	slice_to_number(frame->sequence, 10, &sequence);
	message.sequence = (unsigned)sequence;
	length = dc09_message_encode(peer->crypto, &message, NULL, now_us, out,
	    sizeof(out));
	assert_true(length > 0);
	say(peer, out, (size_t)length);
}

static void
answer_dc09(struct peer *peer, const struct dc09_frame *frame,
    enum peer_action action)
{
	int64_t now_us = clock_wall_us(&clock_system) + peer->clock_offset_us;
	bool refused = action == PEER_NAK || action == PEER_TROUBLE;
	enum dc09_reply kind = refused ? DC09_REPLY_NAK
	    : action == PEER_DUH       ? DC09_REPLY_DUH
				       : DC09_REPLY_ACK;
	char out[DC09_REPLY_MAX];
	size_t length = dc09_reply_encode(peer->crypto, kind, frame, &peer->key,
	    false, now_us, out);

	switch (action) {
	case PEER_ACK:
	case PEER_ACK_CLOSE:
		peer->acked++;
		say(peer, out, length);
		break;
	case PEER_NAK:
	case PEER_DUH:
	case PEER_TROUBLE:
		say(peer, out, length);
		break;
	case PEER_DRIP:
		peer->acked++;
		for (size_t i = 0; i < length; i++)
			say(peer, out + i, 1);
		break;
	case PEER_RSP:
		say_response(peer, frame, now_us);
		break;
	case PEER_GARBAGE:
		say(peer, "x\nzzzz0010\"ACK\"\r", 16);
		break;
	case PEER_WRONG:
		say_wrong(peer, frame, now_us);
		break;
	case PEER_SILENT:
	case PEER_CLOSE:
		break;
	}
	if (!peer->udp && (action == PEER_CLOSE || action == PEER_ACK_CLOSE))
		peer_hang_up(peer);
}

static void
note_extended(struct peer *peer, const struct signal *signal)
{
	size_t used = 0;

	peer->extended[0] = '\0';
	for (unsigned i = 0; i < signal->extended_count; i++)
		used += (size_t)snprintf(peer->extended + used,
		    sizeof(peer->extended) - used, "%c%.*s;",
		    signal->extended[i].id,
		    SLICE_ARG(signal->extended[i].value));
	assert_true(used < sizeof(peer->extended));
}

static void
take_dc09_frame(struct peer *peer, const struct dc09_frame *frame)
{
	static char plain[DC09_BODY_MAX];
	static struct signal signal;
	const struct dc09_window window = { 40, 20 };
	int64_t now_us = clock_wall_us(&clock_system) + peer->clock_offset_us;
	const char *reason = NULL;
	enum dc09_verdict verdict = dc09_decode(peer->crypto, frame, &peer->key,
	    window, 0, now_us, plain, &signal, &reason);
	enum peer_action action;

	if (verdict == DC09_NAK) {
		answer_dc09(peer, frame, PEER_NAK);
		return;
	}
	assert_int_equal(verdict, DC09_ACCEPT);
	action = next_action(peer, signal.poll);
	if (signal.poll) {
		peer->beats++;
	} else {
		assert_int_equal(signal.event_count, 1);
		note_message(peer, signal.events[0].zone, action);
		note_extended(peer, &signal);
		assert_int_equal(slice_copy(signal.account, peer->account,
				     sizeof(peer->account)),
		    0);
	}
	answer_dc09(peer, frame, action);
}

static size_t
take_dc09(struct peer *peer)
{
	size_t used = 0;

	while (peer->fd >= 0 && used < peer->filled) {
		struct dc09_frame frame;
		enum dc09_fault fault;
		size_t step = 0;
		enum codec_result result = dc09_frame_next(peer->in + used,
		    peer->filled - used, 0, &step, &frame, &fault);

		if (result == CODEC_MORE)
			break;
		assert_int_equal(result, CODEC_OK);
		take_dc09_frame(peer, &frame);
		used += step;
	}
	return used;
}

/* ---- XML package ------------------------------------------------------------- */

static void
answer_xml(struct peer *peer, struct slice id, enum peer_action action)
{
	bool refused =
	    action == PEER_NAK || action == PEER_DUH || action == PEER_TROUBLE;
	bool wrong = action == PEER_WRONG;
	char out[XML_ANSWER_MAX];
	size_t length = xml_answer_encode(!refused,
	    wrong ? slice_from_string("another-1-0-0") : id, out);

	switch (action) {
	case PEER_SILENT:
	case PEER_CLOSE:
		break;
	case PEER_GARBAGE:
		say(peer, "x<Acknowledged/>", 16);
		break;
	case PEER_ACK:
	case PEER_ACK_CLOSE:
	case PEER_RSP:
	case PEER_DRIP:
		peer->acked++;
		say(peer, out, length);
		break;
	case PEER_NAK:
	case PEER_DUH:
	case PEER_TROUBLE:
	case PEER_WRONG:
		say(peer, out, length);
		break;
	}
	if (action == PEER_CLOSE || action == PEER_ACK_CLOSE)
		peer_hang_up(peer);
}

/* A wrong passkey is refused. */
static bool
take_hello(struct peer *peer, struct slice message, char *plain)
{
	struct slice told = xml_hello_passkey(message, plain);

	if (!slice_present(told))
		return false;
	peer->hellos++;
	peer->proven = peer->passkey && slice_is(told, peer->passkey);
	answer_xml(peer, SLICE_NONE, peer->proven ? PEER_ACK : PEER_NAK);
	return true;
}

static size_t
take_xml(struct peer *peer)
{
	static char plain[XML_PACKAGE_MAX];
	static struct signal signal;
	size_t used = 0;

	while (peer->fd >= 0 && used < peer->filled) {
		size_t step = 0;
		enum peer_action action;
		enum codec_result result = xml_package_decode(peer->in + used,
		    peer->filled - used, &step, plain, &signal);

		if (result == CODEC_MORE)
			break;
		assert_int_equal(result, CODEC_OK);
		used += step;
		if (take_hello(peer, signal.body, plain))
			continue;
		assert_true(!peer->passkey || peer->proven);
		assert_int_equal(slice_copy(signal.body, peer->last,
				     sizeof(peer->last)),
		    0);
		action = next_action(peer, signal.poll);
		if (signal.poll)
			peer->beats++;
		else
			note_message(peer, signal.events[0].zone, action);
		answer_xml(peer, signal.sequence, action);
	}
	return used;
}

/* ---- JSON lines --------------------------------------------------------------- */

static void
answer_json(struct peer *peer, uint64_t sequence, enum peer_action action)
{
	bool refused =
	    action == PEER_NAK || action == PEER_DUH || action == PEER_TROUBLE;
	char out[JSON_ANSWER_MAX];
	int length =
	    json_answer_encode(refused ? JSON_ANSWER_NAK : JSON_ANSWER_ACK,
		action == PEER_WRONG ? 987654321 : sequence, "", out);

	switch (action) {
	case PEER_SILENT:
	case PEER_CLOSE:
		break;
	case PEER_GARBAGE:
		say(peer, "ack\nack x\nacknowledged 1\n", 25);
		break;
	case PEER_DRIP:
		peer->acked++;
		for (int i = 0; i < length; i++)
			say(peer, out + i, 1);
		break;
	case PEER_ACK:
	case PEER_ACK_CLOSE:
	case PEER_RSP:
		peer->acked++;
		say(peer, out, (size_t)length);
		break;
	case PEER_NAK:
	case PEER_DUH:
	case PEER_TROUBLE:
	case PEER_WRONG:
		say(peer, out, (size_t)length);
		break;
	}
	if (action == PEER_CLOSE || action == PEER_ACK_CLOSE)
		peer_hang_up(peer);
}

static size_t
take_json(struct peer *peer)
{
	size_t used = 0;
	char *end;

	while (peer->fd >= 0 &&
	    (end = memchr(peer->in + used, '\n', peer->filled - used))) {
		struct slice line =
		    slice_of(peer->in + used, (size_t)(end - peer->in) - used);
		enum peer_action action;
		uint64_t sequence;
		const char *zone;

		assert_true(json_line_sequence(line, &sequence));
		action = next_action(peer, json_line_is_heartbeat(line));
		if (sequence == 0) {
			peer->beats++;
		} else {
			assert_int_equal(slice_copy(line, peer->last,
					     sizeof(peer->last)),
			    0);
			zone = strstr(peer->last, "\"zone\":\"");
			assert_non_null(zone);
			note_message(peer, slice_of(zone + 8, 3), action);
		}
		used += line.length + 1;
		answer_json(peer, sequence, action);
	}
	return used;
}

/* ---- HTTP -------------------------------------------------------------------- */

static const char *
status_of(enum peer_action action)
{
	switch (action) {
	case PEER_NAK:
		return "422 Unprocessable\r\nContent-Length: 2\r\n\r\nno";
	case PEER_DUH:
		return "410 Gone\r\nContent-Length: 0\r\n\r\n";
	case PEER_TROUBLE:
		return "503 Unavailable\r\nContent-Length: 0\r\n\r\n";
	case PEER_RSP: /* until the connection's end */
		return "200 OK\r\n\r\nso be it";
	case PEER_ACK_CLOSE:
		return "204 No Content\r\nConnection: close\r\n\r\n";
	case PEER_ACK:
	case PEER_DRIP:
	case PEER_SILENT:
	case PEER_CLOSE:
	case PEER_GARBAGE:
	case PEER_WRONG:
		break;
	}
	return "200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n";
}

static void
answer_http(struct peer *peer, enum peer_action action)
{
	char out[256];
	size_t length;

	snprintf(out, sizeof(out), "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 %s",
	    status_of(action));
	length = strlen(out);
	peer->acked += action == PEER_ACK || action == PEER_ACK_CLOSE ||
	    action == PEER_DRIP || action == PEER_RSP;
	if (action == PEER_GARBAGE || action == PEER_WRONG)
		peer_say(peer, "200 OK\r\n\r\n");
	else if (action == PEER_DRIP)
		for (size_t i = 0; i < length; i++)
			say(peer, out + i, 1);
	else if (action != PEER_SILENT && action != PEER_CLOSE)
		say(peer, out, length);
	if (action == PEER_CLOSE || action == PEER_ACK_CLOSE ||
	    action == PEER_RSP)
		peer_hang_up(peer);
}

/* The length of the first request, 0 when there is no whole one; its parts are
 * kept. */
static size_t
keep_request(struct peer *peer)
{
	static const char key[] = "Content-Length: ";
	const char *end = memmem(peer->in, peer->filled, "\r\n\r\n", 4);
	const char *length_text =
	    memmem(peer->in, peer->filled, key, sizeof(key) - 1);
	size_t head, body;

	if (!end)
		return 0;
	assert_non_null(length_text);
	head = (size_t)(end - peer->in) + 4;
	body = strtoul(length_text + sizeof(key) - 1, NULL, 10);
	if (peer->filled < head + body)
		return 0;
	assert_int_equal(slice_copy(slice_of(peer->in, head), peer->head,
			     sizeof(peer->head)),
	    0);
	assert_int_equal(slice_copy(slice_of(peer->in + head, body), peer->last,
			     sizeof(peer->last)),
	    0);
	return head + body;
}

static struct slice
zone_in(const char *body)
{
	const char *zone = strstr(body, "\"zone\":\"");

	zone = zone ? zone + 8 : strstr(body, " zone=\"") + 7;
	return slice_of(zone, 3);
}

static size_t
take_http(struct peer *peer)
{
	size_t length = keep_request(peer);
	bool heartbeat = strstr(peer->last, "Heartbeat");
	enum peer_action action;

	if (length == 0)
		return 0;
	/* one at a time */
	assert_int_equal(length, peer->filled);
	action = next_action(peer, heartbeat);
	if (heartbeat)
		peer->beats++;
	else
		note_message(peer, zone_in(peer->last), action);
	answer_http(peer, action);
	return length;
}

/* ---- the socket -------------------------------------------------------------- */

/* False: nothing to take yet, or hung up. */
static bool
shake_hands(struct peer *peer)
{
	if (!SSL_is_init_finished(peer->tls) &&
	    tls_handshake(peer->tls) == TLS_FAILED)
		peer_hang_up(peer);
	return peer->tls && SSL_is_init_finished(peer->tls);
}

static ssize_t
receive(struct peer *peer)
{
	char *place = peer->in + peer->filled;
	size_t size = sizeof(peer->in) - peer->filled;
	bool more = false;
	ssize_t got;

	if (peer->line_fd >= 0)
		return read(peer->fd, place, size);
	if (!peer->tls)
		return recvfrom(peer->fd, place, size, 0, &peer->from.any,
		    &peer->from.length);
	got = tls_receive(peer->tls, place, size, &more);
	if (more)
		event_active(peer->readable, EV_READ, 0);
	return got;
}

static void
on_readable(evutil_socket_t fd, short what, void *context)
{
	struct peer *peer = context;
	ssize_t got;
	size_t used;

	(void)fd;
	(void)what;
	peer->from.length = sizeof(peer->from.storage);
	if (peer->mute) {
		event_del(peer->readable);
		return;
	}
	if (peer->tls && !shake_hands(peer))
		return;
	got = receive(peer);
	if (got <= 0) {
		if (got == 0 || errno != EAGAIN)
			peer_hang_up(peer);
		return;
	}
	peer->filled += (size_t)got;
	used = peer->dc09 ? take_dc09(peer)
	    : peer->http  ? take_http(peer)
	    : peer->xml	  ? take_xml(peer)
	    : peer->json  ? take_json(peer)
			  : take_automation(peer);
	if (peer->fd < 0)
		return;
	peer->filled = peer->udp ? 0 : peer->filled - used;
	memmove(peer->in, peer->in + used, peer->filled);
}

static void
watch(struct peer *peer, int fd)
{
	peer->fd = fd;
	peer->filled = 0;
	peer->proven = false;
	peer->readable =
	    event_new(peer->base, fd, EV_READ | EV_PERSIST, on_readable, peer);
	event_add(peer->readable, NULL);
	if (!peer->secure)
		return;
	peer->tls = SSL_new(peer->secure);
	assert_non_null(peer->tls);
	assert_int_equal(SSL_set_fd(peer->tls, fd), 1);
	SSL_set_accept_state(peer->tls);
}

static void
on_acceptable(evutil_socket_t listen_fd, short what, void *context)
{
	struct peer *peer = context;
	int fd = accept4(listen_fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);

	(void)what;
	assert_true(fd >= 0);
	peer->connects++;
	if (peer->refuse) {
		close(fd);
		return;
	}
	peer_hang_up(peer);
	watch(peer, fd);
}

void
peer_listen(struct peer *peer)
{
	struct socket_address address;
	struct err err;
	int fd;

	assert_int_equal(socket_address_make("127.0.0.1", peer->port, &address,
			     &err),
	    0);
	fd = socket_listen(&address, peer->udp ? SOCK_DGRAM : SOCK_STREAM,
	    false, &err);
	assert_true(fd >= 0);
	peer->port = socket_local_port(fd);
	if (peer->udp) {
		watch(peer, fd);
		return;
	}
	peer->listen_fd = fd;
	peer->acceptable = event_new(peer->base, fd, EV_READ | EV_PERSIST,
	    on_acceptable, peer);
	event_add(peer->acceptable, NULL);
}

void
peer_connect(struct peer *peer, uint16_t port)
{
	struct socket_address address;
	struct err err;
	int fd;

	assert_int_equal(socket_address_make("127.0.0.1", port, &address, &err),
	    0);
	fd = socket_connect(&address, SOCK_STREAM, &err);
	assert_true(fd >= 0);
	watch(peer, fd);
}

void
peer_stop(struct peer *peer)
{
	peer_hang_up(peer);
	if (peer->acceptable)
		event_free(peer->acceptable);
	peer->acceptable = NULL;
	if (peer->listen_fd >= 0)
		close(peer->listen_fd);
	peer->listen_fd = -1;
	if (peer->line_fd >= 0)
		close(peer->line_fd);
	peer->line_fd = -1;
}

const char *
peer_be_line(struct peer *peer)
{
	int fd = posix_openpt(O_RDWR | O_NOCTTY | O_NONBLOCK | O_CLOEXEC);

	peer_stop(peer);
	assert_true(fd >= 0);
	assert_int_equal(grantpt(fd), 0);
	assert_int_equal(unlockpt(fd), 0);
	/* a line without its other end cannot be read */
	peer->line_fd = open(ptsname(fd), O_RDWR | O_NOCTTY | O_CLOEXEC);
	assert_true(peer->line_fd >= 0);
	watch(peer, fd);
	return ptsname(fd);
}

void
peer_open(struct peer *peer, struct event_base *base, bool dc09, bool udp)
{
	struct err err;

	memset(peer, 0, sizeof(*peer));
	peer->base = base;
	peer->dc09 = dc09;
	peer->udp = udp;
	peer->terminator = '\x14';
	peer->listen_fd = peer->fd = peer->line_fd = -1;
	assert_int_equal(dc09_crypto_open(&peer->crypto, &err), 0);
}

void
peer_close(struct peer *peer)
{
	peer_stop(peer);
	dc09_crypto_close(&peer->crypto);
}

void
peer_script(struct peer *peer, const enum peer_action *script, unsigned length,
    enum peer_action otherwise)
{
	peer->script = script;
	peer->script_length = length;
	peer->otherwise = otherwise;
}
