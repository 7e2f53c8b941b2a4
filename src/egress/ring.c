/* The messages in flight: a ring in order, and how each of them ends. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "egress/internal.h"

/* More unacknowledged messages than this help no station. */
#define IN_FLIGHT_MAX 1024

struct slot *
send_slot(const struct link *link, unsigned index)
{
	return &link->ring[(link->first + index) % link->ring_size];
}

struct slot *
send_oldest(struct link *link)
{
	for (unsigned i = 0; i < link->count && link->sent > 0; i++) {
		struct slot *slot = send_slot(link, i);

		if (slot->state == SLOT_SENT)
			return slot;
	}
	return NULL;
}

void
send_format_id(const struct link *link, const struct slot *slot,
    char out[EGRESS_ID_SIZE])
{
	snprintf(out, EGRESS_ID_SIZE, "%s-%" PRIu64 "-%u-%" PRId64,
	    link->egress->config.node, slot->reference.decision_lsn,
	    slot->reference.index, slot->received_us);
}

/* A smaller ring must still hold what is in flight. */
int
send_resize(struct link *link, unsigned size)
{
	struct slot *ring;

	if (size < 1)
		size = 1;
	if (size > IN_FLIGHT_MAX)
		size = IN_FLIGHT_MAX;
	if (size < link->count)
		size = link->count;
	if (size == link->ring_size)
		return 0;
	ring = calloc(size, sizeof(ring[0]));
	if (!ring)
		return -ENOMEM;
	for (unsigned i = 0; i < link->count; i++)
		ring[i] = *send_slot(link, i);
	free(link->ring);
	link->ring = ring;
	link->ring_size = size;
	link->first = 0;
	return 0;
}

void
send_set_slot(struct link *link, struct slot *slot, enum slot_state state)
{
	link->sent -= slot->state == SLOT_SENT;
	link->waiting -= slot->state == SLOT_WAITING;
	link->untold -= slot->state == SLOT_ENDED;
	slot->state = state;
	link->sent += state == SLOT_SENT;
	link->waiting += state == SLOT_WAITING;
	link->untold += state == SLOT_ENDED;
}

/* ---- how a message ends -------------------------------------------------------- */

static bool
tell_delivery(struct link *link, struct slot *slot)
{
	const struct egress_callbacks *callbacks = &link->egress->callbacks;
	const struct egress_result result = {
		.reference = slot->reference,
		.receiver_id = link->receiver_id,
		.state = slot->outcome,
		.attempts = slot->attempts,
		.repeated = slot->reference.repeated ||
		    (slot->maybe_arrived && slot->attempts > 1),
		.endpoint = slice_from_string(link->endpoint_text),
		.reason =
		    slice_from_string(slot->reason[0] ? slot->reason : NULL),
		.sent_as =
		    slice_from_string(slot->sent_as[0] ? slot->sent_as : NULL),
		.queued_us = link_waited_us(link, slot->reference),
	};

	if (callbacks->done(callbacks->context, &result) < 0)
		return false;
	if (result.state == OUTCOME_DELIVERED)
		link->counters.delivered++;
	else
		link->counters.parked++;
	link->counters.repeated += result.repeated;
	shadow_copy(link, slot);
	return true;
}

static bool
tell(struct link *link, struct slot *slot)
{
	if (slot->copy)
		shadow_compare(link, slot);
	else if (!tell_delivery(link, slot))
		return false;
	send_set_slot(link, slot, SLOT_TOLD);
	return true;
}

static void
forget_told(struct link *link)
{
	while (link->count > 0 && send_slot(link, 0)->state == SLOT_TOLD) {
		link->first = (link->first + 1) % link->ring_size;
		link->count--;
	}
}

void
send_tell(struct link *link)
{
	for (unsigned i = 0; i < link->count && link->untold > 0; i++) {
		struct slot *slot = send_slot(link, i);

		if (slot->state == SLOT_ENDED && !tell(link, slot))
			break;
	}
	forget_told(link);
}

static void
end_slot(struct link *link, struct slot *slot, enum outcome_state outcome,
    const char *reason)
{
	slot->outcome = outcome;
	snprintf(slot->reason, sizeof(slot->reason), "%s",
	    reason ? reason : "");
	send_set_slot(link, slot, SLOT_ENDED);
}

void
send_end(struct link *link, struct slot *slot, enum outcome_state outcome,
    const char *reason)
{
	end_slot(link, slot, outcome, reason);
	send_tell(link);
}

/* A copy is sent no more often than is worth comparing. */
static void
give_up_copy(struct link *link, struct slot *slot)
{
	slot->unanswered = slot->refusals == 0;
	end_slot(link, slot, OUTCOME_PARKED,
	    slot->unanswered ? "no answer" : "NAK");
}

void
send_rewind(struct link *link, bool lost)
{
	link->beat_sent = false;
	for (unsigned i = 0; i < link->count; i++) {
		struct slot *slot = send_slot(link, i);

		slot->sent_here = 0;
		if (lost)
			slot->tries = 0;
		if (slot->state != SLOT_SENT)
			continue;
		slot->maybe_arrived = true;
		send_set_slot(link, slot, SLOT_WAITING);
		if (shadow_gives_up(link, slot))
			give_up_copy(link, slot);
	}
	send_tell(link);
}
