#include "dispatch/settling.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/hash.h"

#define CHUNK_OBJECTS 256

int
settling_open(struct settling_list *list)
{
	TAILQ_INIT(&list->by_age);
	pool_init(&list->pool, sizeof(struct settling), CHUNK_OBJECTS,
	    SETTLING_MAX);
	list->by_lsn = calloc(SETTLING_PLACES, sizeof(list->by_lsn[0]));
	list->by_fingerprint =
	    calloc(SETTLING_PLACES, sizeof(list->by_fingerprint[0]));
	list->forgotten_us = INT64_MIN;
	return list->by_lsn && list->by_fingerprint ? 0 : -ENOMEM;
}

void
settling_close(struct settling_list *list)
{
	pool_close(&list->pool);
	free(list->by_lsn);
	free(list->by_fingerprint);
	memset(list, 0, sizeof(*list));
}

static struct settling **
place_of_lsn(const struct settling_list *list, uint64_t lsn)
{
	return &list->by_lsn[hash_number(lsn) & (SETTLING_PLACES - 1)];
}

static struct settling **
place_of_fingerprint(const struct settling_list *list, uint64_t fingerprint)
{
	return &list->by_fingerprint[fingerprint & (SETTLING_PLACES - 1)];
}

static struct settling *
find(const struct settling_list *list, uint64_t lsn)
{
	struct settling *settling = *place_of_lsn(list, lsn);

	while (settling && settling->lsn != lsn)
		settling = settling->next_by_lsn;
	return settling;
}

static void
take_out(struct settling_list *list, struct settling *settling)
{
	struct settling **at = place_of_lsn(list, settling->lsn);

	while (*at != settling)
		at = &(*at)->next_by_lsn;
	*at = settling->next_by_lsn;
	at = place_of_fingerprint(list, settling->fingerprint);
	while (*at != settling)
		at = &(*at)->next_by_fingerprint;
	*at = settling->next_by_fingerprint;
	TAILQ_REMOVE(&list->by_age, settling, by_age);
	list->count--;
	pool_give(&list->pool, settling);
}

static void
note_forgotten(struct settling_list *list, int64_t received_us)
{
	if (received_us > list->forgotten_us)
		list->forgotten_us = received_us;
}

static void
forget(struct settling_list *list, struct settling *settling)
{
	note_forgotten(list, settling->latest_us);
	take_out(list, settling);
}

/* NULL: no memory, and nothing to forget in its place. */
static struct settling *
make_room(struct settling_list *list)
{
	struct settling *settling = pool_take(&list->pool);

	if (settling || TAILQ_EMPTY(&list->by_age))
		return settling;
	forget(list, TAILQ_FIRST(&list->by_age));
	return pool_take(&list->pool);
}

void
settling_add(struct settling_list *list, uint64_t lsn, uint64_t fingerprint,
    int64_t received_us, unsigned events)
{
	struct settling **by_lsn = place_of_lsn(list, lsn);
	struct settling **by_fingerprint =
	    place_of_fingerprint(list, fingerprint);
	struct settling *settling;

	if (find(list, lsn))
		return;
	settling = make_room(list);
	if (!settling) {
		note_forgotten(list, received_us);
		return;
	}
	settling->lsn = lsn;
	settling->fingerprint = fingerprint;
	settling->latest_us = received_us;
	settling->undecided = (uint32_t)((UINT64_C(1) << events) - 1);
	settling->next_by_lsn = *by_lsn;
	*by_lsn = settling;
	settling->next_by_fingerprint = *by_fingerprint;
	*by_fingerprint = settling;
	TAILQ_INSERT_TAIL(&list->by_age, settling, by_age);
	list->count++;
}

struct settling *
settling_original(const struct settling_list *list, uint64_t fingerprint,
    uint64_t lsn)
{
	struct settling *latest = NULL;

	if (list->count == 0)
		return NULL;
	for (struct settling *settling =
		 *place_of_fingerprint(list, fingerprint);
	     settling; settling = settling->next_by_fingerprint)
		if (settling->fingerprint == fingerprint &&
		    settling->lsn < lsn &&
		    (!latest || settling->lsn > latest->lsn))
			latest = settling;
	return latest;
}

static void
note_resend(struct settling *original, int64_t received_us)
{
	if (received_us > original->latest_us)
		original->latest_us = received_us;
}

void
settling_resend(struct settling *original, uint64_t lsn, int64_t received_us)
{
	note_resend(original, received_us);
	memmove(original->resends + 1, original->resends,
	    sizeof(original->resends) - sizeof(original->resends[0]));
	original->resends[0] = lsn;
}

void
settling_remove(struct settling_list *list, uint64_t lsn)
{
	struct settling *settling = find(list, lsn), *original;

	if (!settling)
		return;
	original =
	    settling_original(list, settling->fingerprint, settling->lsn);
	if (original)
		note_resend(original, settling->latest_us);
	take_out(list, settling);
}

bool
settling_knows(const struct settling_list *list, int64_t received_us)
{
	return received_us > list->forgotten_us;
}

void
settling_tell(const struct settling_list *list, uint64_t lsn)
{
	if (list->fn)
		list->fn(list->context, lsn);
}

static bool
is_settled(const struct settling *settling)
{
	static const uint8_t nothing[SIGNAL_EVENTS_MAX];

	return settling->undecided == 0 &&
	    memcmp(settling->open, nothing, sizeof(nothing)) == 0;
}

static void
settle(struct settling_list *list, struct settling *settling)
{
	if (!is_settled(settling))
		return;
	settling_tell(list, settling->lsn);
	for (unsigned i = 0; i < SETTLING_RESENDS && settling->resends[i]; i++)
		settling_tell(list, settling->resends[i]);
	take_out(list, settling);
}

void
settling_decided(struct settling_list *list, const struct decision *decision)
{
	struct settling *settling =
	    list->count > 0 ? find(list, decision->signal_lsn) : NULL;

	if (!settling || decision->item >= SIGNAL_EVENTS_MAX ||
	    decision->verdict == VERDICT_WAITING)
		return;
	if (decision->verdict == VERDICT_PARKED) {
		forget(list, settling);
		return;
	}
	settling->undecided &= ~(UINT32_C(1) << decision->item);
	settling->open[decision->item] =
	    (uint8_t)((1u << decision->delivery_count) - 1);
	settle(list, settling);
}

void
settling_ended(struct settling_list *list, const struct outcome *outcome)
{
	struct settling *settling =
	    list->count > 0 ? find(list, outcome->signal_lsn) : NULL;

	if (!settling || outcome->item >= SIGNAL_EVENTS_MAX ||
	    outcome->index >= DECISION_DELIVERIES_MAX ||
	    (outcome->state != OUTCOME_DELIVERED &&
		outcome->state != OUTCOME_SKIPPED))
		return;
	settling->open[outcome->item] &= (uint8_t) ~(1u << outcome->index);
	settle(list, settling);
}

uint64_t
settling_oldest(const struct settling_list *list)
{
	const struct settling *first = TAILQ_FIRST(&list->by_age);

	return first ? first->lsn : UINT64_MAX;
}
