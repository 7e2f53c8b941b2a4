#include "egress/shadow.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>

#include "egress/internal.h"

enum shadow_answer {
	SHADOW_ACKNOWLEDGED,
	SHADOW_REFUSED,
	SHADOW_SILENT,	   /* sent, never answered */
	SHADOW_UNSENDABLE, /* its protocol cannot say it */
};
#define SHADOW_ANSWERS (SHADOW_UNSENDABLE + 1)

static const char *const answer_names[] = {
	[SHADOW_ACKNOWLEDGED] = "acknowledged",
	[SHADOW_REFUSED] = "refused",
	[SHADOW_SILENT] = "unanswered",
	[SHADOW_UNSENDABLE] = "unsendable",
};

struct copy {
	struct egress_reference reference;
	enum outcome_state outcome; /* of the delivery */
};

/* Where the two stations differ. */
struct difference {
	char event[EGRESS_EVENT_SIZE];
	char account[DIRECTORY_EFFECTIVE_SIZE];
	char code[CODES_TEXT_SIZE];
	char zone[16];
	int64_t received_us;
	enum outcome_state outcome; /* of the delivery */
	enum shadow_answer answer;
	char reason[96]; /* of the shadow's answer; "": none */
};

struct shadow {
	uint64_t of; /* receiver */
	struct copy copies[SHADOW_COPIES];
	size_t first, count;
	uint64_t copied, lost, same, different;
	uint64_t answers[SHADOW_ANSWERS];
	struct difference differences[SHADOW_DIFFERENCES]; /* a ring */
};

/* ---- being one --------------------------------------------------------------- */

/* Copies on their way would count as another's. */
static void
forget_ring(struct link *link)
{
	for (unsigned i = 0; i < link->count; i++) {
		struct slot *slot = send_slot(link, i);

		if (slot->copy)
			send_set_slot(link, slot, SLOT_TOLD);
	}
	send_tell(link);
}

static void
end(struct link *link)
{
	size_t waiting = link->shadow ? link->shadow->count : 0;

	if (waiting > 0)
		log_write(LOG_NOTICE, "link", "copies_forgotten",
		    "name=\"%s\" copies=%zu", link_name(link), waiting);
	forget_ring(link);
	shadow_close(&link->shadow);
}

int
shadow_apply(struct link *link)
{
	uint64_t of =
	    link->settings && !link->removed ? link->settings->shadow_of : 0;

	if (link->shadow && link->shadow->of == of)
		return 0;
	end(link);
	if (of == 0)
		return 0;
	link->shadow = calloc(1, sizeof(*link->shadow));
	if (!link->shadow)
		return -ENOMEM;
	link->shadow->of = of;
	return 0;
}

void
shadow_close(struct shadow **shadow)
{
	free(*shadow);
	*shadow = NULL;
}

/* ---- copies -------------------------------------------------------------------- */

static void
add(struct link *link, const struct copy *copy)
{
	struct shadow *shadow = link->shadow;

	if (shadow->count == SHADOW_COPIES) {
		shadow->first = (shadow->first + 1) % SHADOW_COPIES;
		shadow->count--;
		shadow_lost(link);
	}
	shadow->copies[(shadow->first + shadow->count) % SHADOW_COPIES] = *copy;
	shadow->count++;
	shadow->copied++;
	if (link->count < link->ring_size)
		link_kick(link);
}

void
shadow_copy(struct link *link, const struct slot *slot)
{
	struct copy copy = {
		.reference = slot->reference,
		.outcome = slot->outcome,
	};

	copy.reference.repeated = 0;
	copy.reference.queued = link_tick(link);
	for (size_t i = 0; i < link->egress->count; i++) {
		struct link *other = link->egress->links[i];

		if (other->shadow && other->shadow->of == link->receiver_id)
			add(other, &copy);
	}
}

bool
shadow_take(struct link *link, struct slot *slot)
{
	struct shadow *shadow = link->shadow;

	if (!shadow || shadow->count == 0)
		return false;
	slot->reference = shadow->copies[shadow->first].reference;
	slot->copy = true;
	slot->original = shadow->copies[shadow->first].outcome;
	shadow->first = (shadow->first + 1) % SHADOW_COPIES;
	shadow->count--;
	return true;
}

bool
shadow_gives_up(const struct link *link, const struct slot *slot)
{
	return slot->copy && slot->attempts > link->settings->retries;
}

void
shadow_lost(struct link *link)
{
	link->shadow->lost++;
	log_limited(&link->limit, LOG_WARN, "link", "copy_lost",
	    "name=\"%s\" lost=%" PRIu64, link_name(link), link->shadow->lost);
}

/* ---- comparing ------------------------------------------------------------------ */

static enum shadow_answer
answer_of(const struct slot *slot)
{
	if (slot->outcome == OUTCOME_DELIVERED)
		return SHADOW_ACKNOWLEDGED;
	if (slot->attempts == 0)
		return SHADOW_UNSENDABLE;
	return slot->unanswered ? SHADOW_SILENT : SHADOW_REFUSED;
}

/* Its facts may be gone with the journal. */
static void
describe(const struct link *link, const struct slot *slot,
    struct difference *ret)
{
	const struct egress_callbacks *callbacks = &link->egress->callbacks;
	struct delivery delivery;
	struct err err;

	if (callbacks->load(callbacks->context, slot->reference, &delivery,
		&err) < 0)
		return;
	slice_copy(delivery.account, ret->account, sizeof(ret->account));
	slice_copy(slice_part(delivery.zone, 0, sizeof(ret->zone) - 1),
	    ret->zone, sizeof(ret->zone));
	translate_code_format(&delivery, ret->code);
	ret->received_us = delivery.received_us;
	if (callbacks->event)
		callbacks->event(callbacks->context, slot->reference,
		    ret->event);
}

static void
note_difference(struct link *link, const struct slot *slot,
    enum shadow_answer answer)
{
	struct shadow *shadow = link->shadow;
	struct difference *difference =
	    &shadow->differences[shadow->different % SHADOW_DIFFERENCES];

	*difference = (struct difference){
		.outcome = slot->original,
		.answer = answer,
	};
	describe(link, slot, difference);
	slice_copy(slice_from_string(slot->reason), difference->reason,
	    sizeof(difference->reason));
	shadow->different++;
	log_limited(&link->limit, LOG_NOTICE, "link", "shadow_differs",
	    "name=\"%s\" event=%s station=%s shadow=%s", link_name(link),
	    difference->event, outcome_state_name(slot->original),
	    answer_names[answer]);
}

void
shadow_compare(struct link *link, const struct slot *slot)
{
	enum shadow_answer answer = answer_of(slot);

	link->shadow->answers[answer]++;
	if ((slot->original == OUTCOME_DELIVERED) ==
	    (answer == SHADOW_ACKNOWLEDGED))
		link->shadow->same++;
	else
		note_difference(link, slot, answer);
}

uint64_t
shadow_of(const struct link *link)
{
	return link->shadow->of;
}

/* ---- what operators see --------------------------------------------------------- */

size_t
shadow_waiting(const struct link *link)
{
	return link->shadow ? link->shadow->count : 0;
}

const struct egress_reference *
shadow_front(const struct link *link)
{
	return shadow_waiting(link) > 0
	    ? &link->shadow->copies[link->shadow->first].reference
	    : NULL;
}

void
shadow_status(const struct link *link, struct egress_shadow_status *ret)
{
	const struct shadow *shadow = link->shadow;

	ret->copied = shadow->copied;
	ret->lost = shadow->lost;
	ret->same = shadow->same;
	ret->different = shadow->different;
}

void
shadow_show(const struct link *link, struct json *json)
{
	const struct shadow *shadow = link->shadow;

	json_unsigned(json, "copied", shadow->copied);
	json_unsigned(json, "lost", shadow->lost);
	json_unsigned(json, "same", shadow->same);
	json_unsigned(json, "different", shadow->different);
	for (unsigned i = 0; i < SHADOW_ANSWERS; i++)
		json_unsigned(json, answer_names[i], shadow->answers[i]);
}

static void
show_difference(const struct difference *difference, struct json *json)
{
	json_object_begin(json, NULL);
	json_string(json, "event", difference->event);
	json_string(json, "account", difference->account);
	json_string(json, "code", difference->code);
	json_string(json, "zone", difference->zone);
	if (difference->received_us > 0)
		json_time(json, "received_at", difference->received_us);
	json_string(json, "station", outcome_state_name(difference->outcome));
	json_string(json, "shadow", answer_names[difference->answer]);
	json_string(json, "reason", difference->reason);
	json_object_end(json);
}

void
shadow_show_differences(const struct link *link, struct json *json)
{
	const struct shadow *shadow = link->shadow;
	uint64_t kept = shadow->different < SHADOW_DIFFERENCES
	    ? shadow->different
	    : SHADOW_DIFFERENCES;

	for (uint64_t i = shadow->different - kept; i < shadow->different; i++)
		show_difference(&shadow->differences[i % SHADOW_DIFFERENCES],
		    json);
}
