/* What may be sent now, and the answers to it or their absence. */
#include <errno.h>

#include "egress/internal.h"

/* Datagrams may overtake each other: one at a time keeps the order. A program
 * that runs for each signal has the whole wait for each, and so have a mail and
 * a request of HTTP. */
static unsigned
flight_limit(const struct link *link)
{
	switch (connect_transport(link)) {
	case DIRECTORY_TRANSPORT_UDP:
	case DIRECTORY_TRANSPORT_EACH:
	case DIRECTORY_TRANSPORT_SMTP:
	case DIRECTORY_TRANSPORT_SMTPS:
	case DIRECTORY_TRANSPORT_SMTP_CLEAR:
	case DIRECTORY_TRANSPORT_HTTP:
	case DIRECTORY_TRANSPORT_HTTPS:
		return 1;
	case DIRECTORY_TRANSPORT_TCP:
	case DIRECTORY_TRANSPORT_TLS:
	case DIRECTORY_TRANSPORT_RUN:
	case DIRECTORY_TRANSPORT_FILE:
	case DIRECTORY_TRANSPORT_SERIAL:
		break;
	}
	return link->ring_size;
}

/* What was sent twice on one connection goes alone, so that nothing behind it
 * can arrive first. */
static bool
may_send(struct link *link, const struct slot *slot)
{
	const struct slot *oldest = send_oldest(link);

	return !oldest ||
	    (link->sent < flight_limit(link) && slot->sent_here == 0 &&
		oldest->sent_here == 1);
}

/* Of the queue; a copy when there is nothing to deliver. */
static bool
take_next(struct link *link, struct slot *slot)
{
	const struct egress_reference *reference = queue_front(&link->queue);

	if (!reference)
		return shadow_take(link, slot);
	slot->reference = *reference;
	slot->ahead = queue_front_is_ahead(&link->queue);
	queue_pop(&link->queue);
	return true;
}

/* The first that waits in the ring, else the next one. */
static struct slot *
next_slot(struct link *link)
{
	struct slot *slot;

	for (unsigned i = 0; i < link->count && link->waiting > 0; i++) {
		slot = send_slot(link, i);
		if (slot->state == SLOT_WAITING)
			return may_send(link, slot) ? slot : NULL;
	}
	if (link->count == link->ring_size)
		return NULL;
	slot = send_slot(link, link->count);
	memset(slot, 0, sizeof(*slot));
	if (!may_send(link, slot) || !take_next(link, slot))
		return NULL;
	link->count++;
	link->waiting++;
	return slot;
}

/* What cannot be read now is not skipped: the link waits. */
static int
stall(struct link *link, const struct err *err)
{
	link->retry_us = link_now(link) + link->egress->config.reconnect_min_us;
	slice_copy(slice_from_string(err->text), link->problem,
	    sizeof(link->problem));
	log_limited(&link->limit, LOG_ERROR, "link", "load_failed",
	    "name=\"%s\" error=\"%s\"", link_name(link), err->text);
	return -EAGAIN;
}

/* Nobody holds the journal for copies. */
static int
lose_copy(struct link *link, struct slot *slot)
{
	shadow_lost(link);
	send_set_slot(link, slot, SLOT_TOLD);
	send_tell(link);
	return -ENODATA;
}

/* One that is refused or lost must not be overtaken by the next of its account:
 * so they are never unanswered together. */
static bool
account_is_in_flight(const struct link *link, const struct slot *slot)
{
	for (unsigned i = 0; i < link->count && link->sent > 0; i++) {
		const struct slot *other = send_slot(link, i);

		if (other->state == SLOT_SENT &&
		    strcmp(other->account, slot->account) == 0)
			return true;
	}
	return false;
}

/* 0; -EAGAIN: not now; -ENODATA: it was a copy, and is gone. */
static int
load(struct link *link, struct slot *slot, struct delivery *ret)
{
	const struct egress_callbacks *callbacks = &link->egress->callbacks;
	struct err err = { "" };

	if (slot->account[0] && account_is_in_flight(link, slot))
		return -EAGAIN;
	if (callbacks->load(callbacks->context, slot->reference, ret, &err) < 0)
		return slot->copy ? lose_copy(link, slot) : stall(link, &err);
	slice_copy(ret->account, slot->account, sizeof(slot->account));
	return account_is_in_flight(link, slot) ? -EAGAIN : 0;
}

static int
send_one(struct link *link, struct slot *slot)
{
	char *out = transport_room(&link->transport, OUTPUT_MESSAGE_MAX);
	const char *problem = "it cannot be expressed in this protocol";
	struct delivery delivery;
	struct err err;
	int length = out ? load(link, slot, &delivery) : -EAGAIN;

	if (length < 0)
		return length == -ENODATA ? 0 : length;
	slot->sent_as[0] = '\0';
	if (translate_delivery(link->settings, &delivery))
		translate_code_format(&delivery, slot->sent_as);
	length = link->output->encode(link, slot, &delivery, out, &problem);
	if (length == -ENOMEM) {
		err_set(&err, length, "out of memory for a message");
		return stall(link, &err);
	}
	if (length < 0) {
		send_end(link, slot, OUTCOME_PARKED, problem);
		return link->untold > 0 ? -EAGAIN : 0;
	}
	transport_commit(&link->transport, (size_t)length);
	send_set_slot(link, slot, SLOT_SENT);
	slot->attempts++;
	slot->tries++;
	slot->sent_here++;
	slot->sent_us = link->last_sent_us = link_now(link);
	link->beat_asked = false; /* a message tells as much */
	return 0;
}

/* When idle for long, before the first message after a loss, when a newer
 * connection asks whether this one still lives, and when the peer asks. */
static bool
beat_is_due(const struct link *link)
{
	int64_t every_us = link->settings->heartbeat_ms * INT64_C(1000);

	if (link->beat_sent || link->sent > 0)
		return false;
	return link->greet || link->prove || link->standby_fd >= 0 ||
	    link->beat_asked ||
	    (every_us > 0 && link_now(link) >= link->last_sent_us + every_us);
}

static void
send_beat(struct link *link)
{
	char *out = transport_room(&link->transport, OUTPUT_MESSAGE_MAX);
	int length = out ? link->output->heartbeat(link, out) : 0;

	link->last_sent_us = link_now(link);
	link->beat_asked = false;
	if (length < 0) /* not to be had: messages end with the reason */
		link->prove = false;
	if (length <= 0)
		return;
	transport_commit(&link->transport, (size_t)length);
	link->beat_sent = true;
	link->beat_us = link->last_sent_us;
}

void
send_pump(struct link *link)
{
	struct slot *slot;
	int code;

	if (link->state != LINK_UP || link->stop != STOP_NONE ||
	    link->untold > 0)
		return;
	if (link->retry_us > 0 && link_now(link) < link->retry_us)
		return;
	link->retry_us = 0;
	if ((link->greet || link->prove || link->standby_fd >= 0) &&
	    beat_is_due(link))
		send_beat(link);
	while (!link->beat_sent && !link->greet && !link->prove &&
	    (slot = next_slot(link)))
		if (send_one(link, slot) < 0)
			break;
	if (beat_is_due(link))
		send_beat(link);
	code = transport_flush(&link->transport);
	if (code < 0)
		link_fail(link, strerror(-code), false);
}

/* ---- answers and their absence --------------------------------------------------- */

static void
recovered(struct link *link)
{
	link->answers++;
	link->failed = link->gone = 0;
	link->backoff_us = 0;
	connect_drop_standby(link, "the present connection answers");
}

static void
beat_answered(struct link *link, enum answer answer)
{
	link->beat_sent = false;
	if (link->greet && answer == ANSWER_ACK) {
		link->greet = false;
	} else if (answer == ANSWER_ACK) {
		link->prove = false;
		recovered(link);
	} else {
		link->counters.naks += answer == ANSWER_NAK;
		link->lost = link->greet ? "our passkey was refused"
					 : "the heartbeat was refused";
	}
}

/* A message that alone is refused must not hold up those behind it. Whether it
 * is the message shows in what else the station acknowledged on this
 * connection, be it the heartbeat that proves it after a loss; without
 * heartbeats nothing ever will. One more is parked only after the next such
 * sign. */
static bool
park_refused(struct link *link, struct slot *slot)
{
	unsigned most = link->output->refusals_max;

	if (most == 0 || slot->refusals < most)
		return false;
	if (link->answers == 0 && link->settings->heartbeat_ms > 0) {
		link->lost = "a message was refused too often";
		return false;
	}
	log_limited(&link->limit, LOG_WARN, "link", "message_refused",
	    "name=\"%s\" endpoint=%s refusals=%u", link_name(link),
	    link->endpoint_text, slot->refusals);
	link->answers = 0;
	send_end(link, slot, OUTCOME_PARKED,
	    "the station refused it again and again (NAK)");
	return true;
}

static void
message_refused(struct link *link, struct slot *slot)
{
	link->counters.naks++;
	slot->refusals++;
	if (shadow_gives_up(link, slot)) {
		send_end(link, slot, OUTCOME_PARKED, "NAK");
		return;
	}
	if (!slot->copy && park_refused(link, slot))
		return;
	if (slot->tries > link->settings->retries)
		link->lost = "every sending of a message was refused";
	/* it may be the late refusal of another one */
	slot->maybe_arrived |= link->in_doubt;
	send_set_slot(link, slot, SLOT_WAITING);
}

/* It is the station, not the message: that waits. */
static void
station_refuses(struct link *link, struct slot *slot, enum answer answer,
    const char *reason)
{
	link->counters.naks++;
	slice_copy(slice_from_string(reason), link->peer_words,
	    sizeof(link->peer_words));
	link->lost = link->peer_words;
	link->gone += answer == ANSWER_GONE;
	/* behind what says "not now" the message may have been taken before */
	if (slot && answer == ANSWER_GONE)
		send_set_slot(link, slot, SLOT_WAITING);
}

void
send_answered(struct link *link, struct slot *slot, enum answer answer,
    const char *reason)
{
	if (answer == ANSWER_TROUBLE || answer == ANSWER_GONE) {
		station_refuses(link, slot, answer, reason);
		return;
	}
	if (!slot) {
		beat_answered(link, answer);
		return;
	}
	switch (answer) {
	case ANSWER_ACK:
		recovered(link);
		send_end(link, slot, OUTCOME_DELIVERED, NULL);
		break;
	case ANSWER_NAK:
		message_refused(link, slot);
		break;
	case ANSWER_REFUSED:
		recovered(link);
		send_end(link, slot, OUTCOME_PARKED, reason);
		break;
	case ANSWER_TROUBLE:
	case ANSWER_GONE:
		break; /* above */
	}
}

static int64_t
ack_wait_us(const struct link *link)
{
	return link->settings->ack_wait_ms * INT64_C(1000);
}

int64_t
send_deadline(const struct link *link)
{
	int64_t at = INT64_MAX;

	if (link->beat_sent)
		at = link->beat_us;
	for (unsigned i = 0; i < link->count && link->sent > 0; i++) {
		const struct slot *slot = send_slot(link, i);

		if (slot->state != SLOT_SENT)
			continue;
		if (slot->sent_us < at)
			at = slot->sent_us;
		break;
	}
	return at == INT64_MAX ? at : at + ack_wait_us(link);
}

/* False when the link itself is given up. */
static bool
slot_overdue(struct link *link, struct slot *slot)
{
	link->counters.timeouts++;
	slot->maybe_arrived = true;
	if (slot->tries > link->settings->retries) {
		link_fail(link, "messages are not acknowledged", true);
		return false;
	}
	if (connect_posts(link) ||
	    (link->output->anonymous_answers && link->sent > 1)) {
		link_reconnect(link, "an answer is missing");
		return false;
	}
	send_set_slot(link, slot, SLOT_WAITING);
	link->in_doubt = true;
	return true;
}

void
send_check_waits(struct link *link, int64_t now_us)
{
	int64_t sent_before_us = now_us - ack_wait_us(link);
	struct slot *slot;

	if (link->beat_sent && link->beat_us <= sent_before_us) {
		link->counters.timeouts++;
		link_fail(link, "the heartbeat is not acknowledged", true);
		return;
	}
	while ((slot = send_oldest(link)) && slot->sent_us <= sent_before_us)
		if (!slot_overdue(link, slot))
			return;
}
