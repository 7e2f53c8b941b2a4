#include <errno.h>
#include <openssl/ssl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/tls.h"
#include "station/station_internal.h"

static void parse(struct link *link);

static void
free_event(struct event *event)
{
	if (event)
		event_free(event);
}

void
link_close(struct link *link)
{
	struct station *station = link->station;
	static const struct timeval soon = { 0, 200000 };

	LIST_REMOVE(link, entry);
	free_event(link->readable);
	free_event(link->writable);
	free_event(link->timer);
	tls_end(&link->tls);
	close(link->fd);
	free(link);
	if (station->reconnect)
		event_add(station->reconnect, &soon);
}

/* One place changes the state, and what is listened for. */
static void
set_state(struct link *link, enum link_state state)
{
	struct timeval delay = {
		link->station->options->delay_us / 1000000,
		link->station->options->delay_us % 1000000,
	};

	link->state = state;
	event_del(link->readable);
	event_del(link->writable);
	switch (state) {
	case LINK_READING:
		event_add(link->readable, NULL);
		if (link->tls && SSL_has_pending(link->tls))
			event_active(link->readable, EV_READ, 0);
		break;
	case LINK_SHAKING:
		event_add(link->readable, NULL);
		break;
	case LINK_CONNECTING:
	case LINK_WRITING:
		event_add(link->writable, NULL);
		break;
	case LINK_DELAYED:
		event_add(link->timer, &delay);
		break;
	case LINK_HALF_OPEN:
		break;
	}
}

static ssize_t
transmit(struct link *link, const void *data, size_t length)
{
	return link->tls ? tls_send(link->tls, data, length)
			 : send(link->fd, data, length, MSG_NOSIGNAL);
}

static ssize_t
receive(struct link *link, void *data, size_t size)
{
	bool more = false;
	ssize_t n = link->tls ? tls_receive(link->tls, data, size, &more)
			      : recv(link->fd, data, size, 0);

	if (more)
		event_active(link->readable, EV_READ, 0);
	return n;
}

static void
shake_hands(struct link *link)
{
	switch (tls_handshake(link->tls)) {
	case TLS_DONE:
		set_state(link, LINK_READING);
		break;
	case TLS_WANTS_READ:
		set_state(link, LINK_SHAKING);
		break;
	case TLS_WANTS_WRITE:
		set_state(link, LINK_SHAKING);
		event_add(link->writable, NULL);
		break;
	case TLS_FAILED:
		link_close(link);
		break;
	}
}

/* Send what is gathered, at most `most` bytes. False: the link is gone. */
static bool
flush(struct link *link, size_t most)
{
	while (link->out_done < link->out_length && most > 0) {
		size_t length = link->out_length - link->out_done;
		ssize_t n = transmit(link, link->out + link->out_done,
		    length < most ? length : most);

		if (n < 0 && errno == EAGAIN) {
			set_state(link, LINK_WRITING);
			return true;
		}
		if (n < 0) {
			link_close(link);
			return false;
		}
		link->out_done += (size_t)n;
		most -= (size_t)n;
	}
	if (link->out_done < link->out_length)
		return true;
	link->out_done = link->out_length = 0;
	link->drip = false;
	if (link->close_after) {
		link_close(link);
		return false;
	}
	return true;
}

/* Everything parsed so far: written down, then answered. False: gone. */
static bool
answer_all(struct link *link)
{
	if (!station_flush(link->station)) {
		link_close(link);
		return false;
	}
	if (!flush(link, SIZE_MAX))
		return false;
	if (station_is_done(link->station))
		station_end(link->station);
	return true;
}

/* False: nothing more is parsed now, the link may be gone. */
static bool
apply_answer(struct link *link, const struct answer *answer)
{
	switch (answer->fault) {
	case STATION_FAULT_NONE:
	case STATION_FAULT_NO_ACK:
	case STATION_FAULT_NAK:
	case STATION_FAULT_WRONG_ACK:
	case STATION_FAULT_SLOW_TLS:
	case STATION_FAULT_5XX:
	case STATION_FAULT_410:
		memcpy(link->out + link->out_length, answer->bytes,
		    answer->length);
		link->out_length += answer->length;
		return true;
	case STATION_FAULT_HALF_OPEN:
		if (answer_all(link))
			set_state(link, LINK_HALF_OPEN);
		return false;
	case STATION_FAULT_CLOSE_EACH:
		memcpy(link->out + link->out_length, answer->bytes,
		    answer->length);
		link->out_length += answer->length;
		link->close_after = true;
		answer_all(link);
		return false;
	case STATION_FAULT_SLOW:
	case STATION_FAULT_DRIP:
		if (!answer_all(link))
			return false;
		memcpy(link->out + link->out_length, answer->bytes,
		    answer->length);
		link->out_length += answer->length;
		link->drip = answer->fault == STATION_FAULT_DRIP;
		set_state(link, LINK_DELAYED);
		return false;
	}
	return true;
}

/* Before its Hello, a link that has to say one is refused all else. */
static void
demand_hello(struct link *link, struct message *message)
{
	const struct station_options *o = link->station->options;

	link->proven |= message->kind == MESSAGE_HELLO;
	if (!o->passkey || o->http || link->proven)
		return;
	message->kind = MESSAGE_REFUSED;
	memcpy(message->ack, message->nak, message->nak_length);
	message->ack_length = message->nak_length;
}

/* Messages in the buffer, until one is missing bytes or a fault stops us. */
static void
parse(struct link *link)
{
	int64_t now_us = clock_wall_us(&clock_system);
	enum codec_result result = CODEC_OK;
	size_t done = 0;
	bool going = true;

	while (going && done < link->in_length &&
	    link->out_length + DC09_REPLY_MAX <= sizeof(link->out)) {
		struct message message;
		struct answer answer;
		size_t used = 0;

		result = protocol_next(link->station->protocol, link->in + done,
		    link->in_length - done, now_us, &used, &message);
		done += used;
		if (result == CODEC_MORE)
			break;
		if (result == CODEC_BAD) {
			link->station->stats.bad_bytes += used;
			continue;
		}
		demand_hello(link, &message);
		answer = station_take(link->station, &message, now_us);
		if (answer.fault > STATION_FAULT_WRONG_ACK) {
			memmove(link->in, link->in + done,
			    link->in_length - done);
			link->in_length -= done;
			done = 0;
		}
		going = apply_answer(link, &answer);
	}
	if (!going)
		return;
	memmove(link->in, link->in + done, link->in_length - done);
	link->in_length -= done;
	if (answer_all(link) && link->state == LINK_READING &&
	    result != CODEC_MORE && link->in_length > 0)
		parse(link);
}

static void
on_readable(evutil_socket_t fd, short what, void *context)
{
	struct link *link = context;
	ssize_t n;

	(void)fd;
	(void)what;
	if (link->state == LINK_SHAKING) {
		shake_hands(link);
		return;
	}
	if (link->state != LINK_READING)
		return;
	n = receive(link, link->in + link->in_length,
	    sizeof(link->in) - link->in_length);
	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (n <= 0) {
		link_close(link);
		return;
	}
	link->in_length += (size_t)n;
	parse(link);
}

static void
on_writable(evutil_socket_t fd, short what, void *context)
{
	struct link *link = context;
	int error = 0;
	socklen_t length = sizeof(error);

	(void)what;
	if (link->state == LINK_CONNECTING) {
		getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &length);
		if (error != 0) {
			link_close(link);
			return;
		}
		link->station->stats.connections++;
		set_state(link, LINK_READING);
		return;
	}
	if (link->state == LINK_SHAKING) {
		shake_hands(link);
		return;
	}
	set_state(link, LINK_READING);
	if (answer_all(link) && link->state == LINK_READING)
		parse(link);
}

/* The delay is over: the handshake, the whole reply, or its next byte. */
static void
on_timer(evutil_socket_t fd, short what, void *context)
{
	struct link *link = context;

	(void)fd;
	(void)what;
	if (link->tls && !SSL_is_init_finished(link->tls)) {
		shake_hands(link);
		return;
	}
	set_state(link, LINK_READING);
	if (!flush(link, link->drip ? 1 : SIZE_MAX))
		return;
	if (link->state != LINK_READING)
		return;
	if (link->out_done < link->out_length) {
		set_state(link, LINK_DELAYED);
		return;
	}
	if (station_is_done(link->station))
		station_end(link->station);
	parse(link);
}

static bool
secure(struct link *link)
{
	link->tls = SSL_new(link->station->tls);
	if (!link->tls || SSL_set_fd(link->tls, link->fd) != 1)
		return false;
	SSL_set_accept_state(link->tls);
	return true;
}

/* Where a new connection begins. */
static enum link_state
first_state(struct station *station, bool connecting)
{
	if (connecting)
		return LINK_CONNECTING;
	if (!station->tls)
		return LINK_READING;
	return station_delays_tls(station) ? LINK_DELAYED : LINK_SHAKING;
}

bool
link_open(struct station *station, int fd, bool connecting)
{
	struct link *link = calloc(1, sizeof(*link));

	if (!link) {
		close(fd);
		return false;
	}
	link->station = station;
	link->fd = fd;
	LIST_INSERT_HEAD(&station->links, link, entry);
	link->readable = event_new(station->base, fd, EV_READ | EV_PERSIST,
	    on_readable, link);
	link->writable =
	    event_new(station->base, fd, EV_WRITE, on_writable, link);
	link->timer = evtimer_new(station->base, on_timer, link);
	if (!link->readable || !link->writable || !link->timer ||
	    (station->tls && !secure(link))) {
		link_close(link);
		return false;
	}
	if (!connecting)
		station->stats.connections++;
	set_state(link, first_state(station, connecting));
	return true;
}
