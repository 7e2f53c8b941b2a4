/*
 * What is remembered of sites between signals: who armed them, which entry
 * delays run, what their zones have raised. Changed by the effects of decisions
 * alone, so the journal rebuilds it. A site of which nothing is remembered
 * has no entry. One thread.
 */
#ifndef ROUTING_SITE_STATE_H
#define ROUTING_SITE_STATE_H

#include <stddef.h>

#include "base/cursor.h"
#include "base/slice.h"
#include "signal/delivery.h"

/* Something that can be armed. */
struct site_area {
	struct area area;
	bool commanded; /* somebody armed or disarmed it */
	bool armed;	/* that is what they did */
	int64_t at_us;
	uint64_t order; /* which of two commands came later: the signal's lsn */
	/* what its schedule was last told to have done */
	bool told, told_armed;
	int64_t told_at_us;
	/* the entry delay that began last; 0: none did */
	int64_t entry_at_us, entry_until_us;
	/* of the whole site its last test, of a camera what it has seen last, 0:
	 * none is known; that the next one is missing was told. Of an activation
	 * the end that was told */
	int64_t last_at_us;
	bool missing_told;
	bool on_test_told; /* of the whole site only */
};

struct site_zone {
	uint64_t bridge_id, zone;
	enum zone_alarm alarm;
	/* RAISED: of the repeat filter; WAITING: of the entry delay */
	int64_t until_us;
	uint64_t held_lsn; /* the restore held back; 0: none */
	uint16_t held_item;
};

struct site_state {
	uint64_t site_id;
	uint16_t area_count, zone_count, area_size, zone_size;
	struct site_area *areas;
	struct site_zone *zones;
};

struct site_states {
	struct site_state **places; /* open addressing by site id */
	size_t size, count;
	/* every signal before this one has been decided */
	uint64_t position_lsn;
};

void site_states_close(struct site_states *states);
/* NULL: nothing is remembered. Valid until the next change. */
const struct site_state *site_states_find(const struct site_states *states,
    uint64_t site_id);
/* NULL when there is none; state may be NULL. */
const struct site_area *site_state_area(const struct site_state *state,
    struct area area);
const struct site_zone *site_state_zone(const struct site_state *state,
    uint64_t bridge_id, uint64_t zone);

/* Zone text (at most 7 digits or letters, leading zeros do not count) as a
 * number. */
uint64_t site_zone_key(struct slice zone);

/* Room for what the decision changes, so that applying it cannot fail. 0 or
 * -ENOMEM. */
int site_states_reserve(struct site_states *states,
    const struct decision *decision);
/* Change it, in the order of the effects; after site_states_reserve. */
void site_states_apply(struct site_states *states,
    const struct decision *decision);

/* As bytes, for a checkpoint. */
size_t site_states_bytes(const struct site_states *states);
void site_states_write(const struct site_states *states, struct writer *w);
/* 0, -ENOMEM, or -EBADMSG. */
int site_states_read(struct site_states *states, struct reader *r);

#endif
