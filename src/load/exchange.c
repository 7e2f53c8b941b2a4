#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "load/generator_internal.h"
#include "load/ledger.h"

#define DATAGRAM_WAIT_MS 100

static bool
keep_unsent(struct panel *panel, const char *data, size_t length)
{
	if (!panel->unsent)
		panel->unsent = malloc(BUFFER_BYTES);
	if (!panel->unsent)
		return false;
	memmove(panel->unsent, data, length);
	panel->unsent_length = length;
	return true;
}

/* As much as the socket takes; the rest is kept for later. False: lost. */
static bool
send_stream(struct panel *panel, const char *data, size_t length)
{
	ssize_t n = secure_send(panel, data, length);

	if (n < 0 && errno != EAGAIN && errno != EINTR)
		return false;
	if (n < 0)
		n = 0;
	if ((size_t)n < length)
		return keep_unsent(panel, data + n, length - (size_t)n);
	panel->unsent_length = 0;
	return true;
}

/* One datagram per frame. A refusal by the other host is no loss of the
 * "connection": the message is repeated after its time-out. */
static void
send_datagrams(struct generator *g, struct panel *panel)
{
	struct mmsghdr messages[BATCH_MAX] = { 0 };
	struct iovec parts[BATCH_MAX];
	char *position = g->out;
	unsigned done = 0;

	for (unsigned i = 0; i < g->frame_count; i++) {
		parts[i].iov_base = position;
		parts[i].iov_len = g->frame_lengths[i];
		messages[i].msg_hdr.msg_iov = &parts[i];
		messages[i].msg_hdr.msg_iovlen = 1;
		position += g->frame_lengths[i];
	}
	while (done < g->frame_count) {
		int n = sendmmsg(panel->fd, messages + done,
		    g->frame_count - done, MSG_NOSIGNAL);

		if (n > 0) {
			done += (unsigned)n;
		} else if (errno == EAGAIN) {
			struct pollfd wait = { panel->fd, POLLOUT, 0 };

			if (poll(&wait, 1, DATAGRAM_WAIT_MS) <= 0)
				return;
		} else if (errno != EINTR && errno != ECONNREFUSED) {
			return;
		}
	}
}

static bool
flush_out(struct generator *g, struct panel *panel)
{
	bool good = true;

	if (g->out_length > 0 && g->options->udp)
		send_datagrams(g, panel);
	else if (g->out_length > 0)
		good = send_stream(panel, g->out, g->out_length);
	g->out_length = 0;
	g->frame_count = 0;
	return good;
}

static void
add_frame(struct generator *g, struct panel *panel, struct flight *flight)
{
	size_t length = frame_make(g->maker, &flight->message,
	    g->now_us + g->wall_offset_us + panel->clock_offset_us,
	    g->out + g->out_length);

	if (g->options->udp)
		g->frame_lengths[g->frame_count++] = length;
	g->out_length += length;
	flight->tries++;
	flight->waiting = false;
	flight->deadline_us = g->now_us + g->options->timeout_us;
}

static bool
out_is_full(const struct generator *g)
{
	return g->out_length > BUFFER_BYTES - FRAME_MAX ||
	    (g->options->udp && g->frame_count == BATCH_MAX);
}

static bool
link_test_due(const struct generator *g, const struct panel *panel)
{
	return g->options->null_every > 0 &&
	    panel->since_link_test >= g->options->null_every;
}

/* What the run is about, not what comes between. */
static bool
counts(const struct generator *g, const struct flight *flight)
{
	return g->options->link_tests || !flight->message.link_test;
}

static void
begin_flight(struct generator *g, struct panel *panel, struct flight *flight)
{
	flight->first_us = g->now_us;
	g->open_flights++;
	if (!counts(g, flight)) {
		g->stats.link_tests++;
	} else {
		flight->id =
		    g->settings.id_offset + g->settings.id_step * g->stats.sent;
		g->stats.sent++;
	}
	add_frame(g, panel, flight);
}

/* What has to be sent again, oldest first. False: the connection is lost. */
static bool
send_again(struct generator *g, struct panel *panel)
{
	for (uint64_t n = panel->head; n != panel->tail; n++) {
		struct flight *flight = panel_flight(panel, n);

		if (!flight->waiting || flight->done)
			continue;
		if (out_is_full(g) &&
		    (!flush_out(g, panel) || panel->unsent_length > 0))
			return panel->unsent_length > 0;
		add_frame(g, panel, flight);
		g->stats.resent++;
	}
	return true;
}

static uint64_t
send_new(struct generator *g, struct panel *panel, uint64_t limit, bool *good)
{
	struct flight *flight;
	uint64_t made = 0;

	while (*good && panel_has_room(panel) && panel->unsent_length == 0) {
		if (out_is_full(g)) {
			*good = flush_out(g, panel);
			continue;
		}
		if (link_test_due(g, panel)) {
			begin_flight(g, panel, panel_next_link_test(panel));
			continue;
		}
		if (made == limit || !generator_may_send(g))
			break;
		flight = panel_next_signal(panel, g->options->panels);
		flight->message.link_test = g->options->link_tests;
		begin_flight(g, panel, flight);
		made++;
	}
	return made;
}

uint64_t
exchange_send(struct generator *g, struct panel *panel, uint64_t limit)
{
	uint64_t made = 0;
	bool good;

	if (panel->state != PANEL_OPEN || panel->unsent_length > 0)
		return 0;
	good = send_again(g, panel);
	if (good)
		made = send_new(g, panel, limit, &good);
	if (good)
		good = flush_out(g, panel);
	g->out_length = 0;
	g->frame_count = 0;
	if (!good)
		connection_lost(g, panel);
	return made;
}

void
exchange_flush_unsent(struct generator *g, struct panel *panel)
{
	if (panel->unsent_length > 0 &&
	    !send_stream(panel, panel->unsent, panel->unsent_length))
		connection_lost(g, panel);
}

/* ---- replies --------------------------------------------------------------- */

static void
finish(struct generator *g, struct panel *panel, struct flight *flight)
{
	g->open_flights--;
	panel_finish(panel, flight);
}

static void
write_ledger(struct generator *g, const struct flight *flight, int64_t ack_us)
{
	if (!flight->message.link_test &&
	    ledger_add(g->settings.ledger, &g->options->plan,
		&g->options->accounts, &flight->message, ack_us,
		flight->id) < 0)
		generator_fail(g, -ENOMEM, "out of memory for the ledger");
}

void
exchange_give_up(struct generator *g, struct panel *panel,
    struct flight *flight)
{
	if (counts(g, flight))
		g->stats.unacknowledged++;
	write_ledger(g, flight, 0);
	finish(g, panel, flight);
}

static void
acknowledge(struct generator *g, struct panel *panel, struct flight *flight)
{
	histogram_add(&g->stats.latency, g->now_us - flight->first_us);
	if (!counts(g, flight))
		g->stats.link_tests_acknowledged++;
	else
		g->stats.acknowledged++;
	g->last_ack_us = g->now_us;
	panel->backoff_us = 0;
	panel->answered = true;
	write_ledger(g, flight, g->now_us + g->wall_offset_us);
	finish(g, panel, flight);
}

/* The receiver finds our clock wrong: take its time and send the oldest
 * message again, as long as it has tries left at all. */
static void
take_nak(struct generator *g, struct panel *panel, const struct signal *reply)
{
	struct flight *flight = panel_flight(panel, panel->head);

	g->stats.naks++;
	if (reply->panel_time_us != 0)
		panel->clock_offset_us =
		    reply->panel_time_us - (g->now_us + g->wall_offset_us);
	if (panel->head != panel->tail && flight->tries < g->options->tries)
		flight->waiting = true;
}

static void
take_reply(struct generator *g, struct panel *panel, enum dc09_response kind,
    const struct signal *reply)
{
	struct flight *flight = NULL;

	switch (kind) {
	case DC09_RESPONSE_ACK:
	case DC09_RESPONSE_RSP:
		flight = panel_find(panel, g->maker, reply);
		if (flight)
			acknowledge(g, panel, flight);
		break;
	case DC09_RESPONSE_DUH:
		flight = panel_find(panel, g->maker, reply);
		if (flight) {
			g->stats.refused++;
			exchange_give_up(g, panel, flight);
		}
		break;
	case DC09_RESPONSE_NAK:
		take_nak(g, panel, reply);
		return;
	case DC09_RESPONSE_OTHER:
		break;
	}
	if (!flight)
		g->stats.unexpected_replies++;
}

/* Replies in data; returns the bytes that are done with. */
static size_t
parse(struct generator *g, struct panel *panel, const char *data, size_t length)
{
	size_t done = 0;

	while (done < length) {
		struct flight *flight = panel_flight(panel, panel->head);
		enum dc09_response kind;
		struct signal reply;
		size_t used = 0;

		if (panel->head != panel->tail)
			used = frame_is_ack(g->maker, &flight->message,
			    data + done, length - done);
		if (used > 0) {
			acknowledge(g, panel, flight);
			done += used;
			continue;
		}
		switch (frame_read_reply(g->maker, data + done, length - done,
		    &used, &kind, &reply)) {
		case CODEC_OK:
			take_reply(g, panel, kind, &reply);
			break;
		case CODEC_BAD:
			g->stats.bad_replies++;
			break;
		case CODEC_MORE:
			return done + used;
		}
		done += used;
	}
	return done;
}

static bool
keep_partial(struct panel *panel, const char *data, size_t length)
{
	if (length > 0 && !panel->partial)
		panel->partial = malloc(BUFFER_BYTES);
	if (length > 0 && !panel->partial)
		return false;
	if (length > 0)
		memcpy(panel->partial, data, length);
	panel->partial_length = length;
	return true;
}

enum receive_result {
	RECEIVE_FULL,	 /* there may be more at once */
	RECEIVE_PART,	 /* less than there was room for */
	RECEIVE_NOTHING, /* now */
	RECEIVE_END,	 /* closed, or broken */
};

static enum receive_result
receive_stream(struct generator *g, struct panel *panel)
{
	size_t have = panel->partial_length, done;
	ssize_t n;

	if (have > 0)
		memcpy(g->in, panel->partial, have);
	n = secure_receive(panel, g->in + have, sizeof(g->in) - have);
	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return RECEIVE_NOTHING;
	if (n <= 0)
		return RECEIVE_END;
	have += (size_t)n;
	done = parse(g, panel, g->in, have);
	if (!keep_partial(panel, g->in + done, have - done))
		return RECEIVE_END;
	/* a record may end before what has arrived */
	return have == sizeof(g->in) || panel->ssl ? RECEIVE_FULL
						   : RECEIVE_PART;
}

static void
receive_datagrams(struct generator *g, struct panel *panel)
{
	struct mmsghdr messages[BATCH_MAX];
	struct iovec parts[BATCH_MAX];
	const size_t each = BUFFER_BYTES / BATCH_MAX;
	int n;

	do {
		memset(messages, 0, sizeof(messages));
		for (unsigned i = 0; i < BATCH_MAX; i++) {
			parts[i].iov_base = g->in + i * each;
			parts[i].iov_len = each;
			messages[i].msg_hdr.msg_iov = &parts[i];
			messages[i].msg_hdr.msg_iovlen = 1;
		}
		n = recvmmsg(panel->fd, messages, BATCH_MAX, MSG_DONTWAIT,
		    NULL);
		for (int i = 0; i < n; i++)
			parse(g, panel, g->in + (size_t)i * each,
			    messages[i].msg_len);
	} while (n == BATCH_MAX);
}

void
exchange_receive(struct generator *g, struct panel *panel, bool until_end)
{
	enum receive_result result;

	if (g->options->udp) {
		receive_datagrams(g, panel);
		return;
	}
	do
		result = receive_stream(g, panel);
	while (result == RECEIVE_FULL || (until_end && result == RECEIVE_PART));
	if (result == RECEIVE_END)
		connection_lost(g, panel);
	else if (g->options->reconnect && panel->head == panel->tail &&
	    panel->answered)
		connection_renew(g, panel);
}
