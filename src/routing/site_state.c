#include "routing/site_state.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/hash.h"

#define PLACES_FIRST	  64
#define AREA_BYTES	  (1 + 8 + 1 + 8 + 8 + 8 + 8 + 8 + 8)
#define ZONE_BYTES	  (8 + 8 + 1 + 8 + 8 + 2)
#define SITE_BYTES	  (8 + 2 + 2)

#define AREA_COMMANDED	  1u
#define AREA_ARMED	  2u
#define AREA_TOLD	  4u
#define AREA_TOLD_ARMED	  8u
#define AREA_TEST_MISSING 16u
#define AREA_ON_TEST	  32u

/* ---- the table ---------------------------------------------------------------- */

/* The place of this site, or the empty one where it would stand. */
static struct site_state **
place_of(const struct site_states *states, uint64_t site_id)
{
	size_t at = hash_number(site_id) & (states->size - 1);

	while (states->places[at] && states->places[at]->site_id != site_id)
		at = (at + 1) & (states->size - 1);
	return &states->places[at];
}

static int
grow(struct site_states *states)
{
	struct site_states larger = {
		.size = states->size ? 2 * states->size : PLACES_FIRST,
		.count = states->count,
		.position_lsn = states->position_lsn,
	};

	larger.places = calloc(larger.size, sizeof(larger.places[0]));
	if (!larger.places)
		return -ENOMEM;
	for (size_t i = 0; i < states->size; i++)
		if (states->places[i])
			*place_of(&larger, states->places[i]->site_id) =
			    states->places[i];
	free(states->places);
	*states = larger;
	return 0;
}

static void
free_state(struct site_state *state)
{
	free(state->areas);
	free(state->zones);
	free(state);
}

void
site_states_close(struct site_states *states)
{
	for (size_t i = 0; i < states->size; i++)
		if (states->places[i])
			free_state(states->places[i]);
	free(states->places);
	*states = (struct site_states){ 0 };
}

const struct site_state *
site_states_find(const struct site_states *states, uint64_t site_id)
{
	return states->size > 0 ? *place_of(states, site_id) : NULL;
}

static struct site_state *
make_state(struct site_states *states, uint64_t site_id)
{
	struct site_state **place;

	if (2 * (states->count + 1) > states->size && grow(states) < 0)
		return NULL;
	place = place_of(states, site_id);
	if (*place)
		return *place;
	*place = calloc(1, sizeof(**place));
	if (*place) {
		(*place)->site_id = site_id;
		states->count++;
	}
	return *place;
}

/* Takes the site out and moves up those behind it that stood there only because
 * its place was taken. */
static void
forget_state(struct site_states *states, struct site_state *state)
{
	size_t mask = states->size - 1;
	size_t hole =
	    (size_t)(place_of(states, state->site_id) - states->places);

	free_state(state);
	states->places[hole] = NULL;
	states->count--;
	for (size_t at = (hole + 1) & mask; states->places[at];
	     at = (at + 1) & mask) {
		struct site_state *moved = states->places[at];

		states->places[at] = NULL;
		*place_of(states, moved->site_id) = moved;
	}
}

/* ---- areas and zones of one site ------------------------------------------------- */

const struct site_area *
site_state_area(const struct site_state *state, struct area area)
{
	for (unsigned i = 0; state && i < state->area_count; i++)
		if (state->areas[i].area.kind == area.kind &&
		    state->areas[i].area.number == area.number)
			return &state->areas[i];
	return NULL;
}

const struct site_zone *
site_state_zone(const struct site_state *state, uint64_t bridge_id,
    uint64_t zone)
{
	for (unsigned i = 0; state && i < state->zone_count; i++)
		if (state->zones[i].zone == zone &&
		    state->zones[i].bridge_id == bridge_id)
			return &state->zones[i];
	return NULL;
}

uint64_t
site_zone_key(struct slice zone)
{
	struct slice digits = slice_strip_zeros(zone);
	uint64_t key = 0;

	for (size_t i = 0; i < digits.length && i < 8; i++)
		key = key << 8 | (unsigned char)digits.data[i];
	return key;
}

/* Room for one more; NULL: no memory. */
static void *
make_room(void *array, uint16_t count, uint16_t *size, size_t element_bytes)
{
	size_t wanted = count < 2 ? 2 : 2 * (size_t)count;

	if (count < *size)
		return array;
	if (wanted > UINT16_MAX)
		return NULL;
	array = realloc(array, wanted * element_bytes);
	if (array)
		*size = (uint16_t)wanted;
	return array;
}

static struct site_area *
make_area(struct site_state *state, struct area area)
{
	struct site_area *found =
	    (struct site_area *)(uintptr_t)site_state_area(state, area);
	struct site_area *areas;

	if (found)
		return found;
	areas = make_room(state->areas, state->area_count, &state->area_size,
	    sizeof(*areas));
	if (!areas)
		return NULL;
	state->areas = areas;
	areas[state->area_count] = (struct site_area){ .area = area };
	return &areas[state->area_count++];
}

static struct site_zone *
make_zone(struct site_state *state, uint64_t bridge_id, uint64_t zone)
{
	struct site_zone *found =
	    (struct site_zone *)(uintptr_t)site_state_zone(state, bridge_id,
		zone);
	struct site_zone *zones;

	if (found)
		return found;
	zones = make_room(state->zones, state->zone_count, &state->zone_size,
	    sizeof(*zones));
	if (!zones)
		return NULL;
	state->zones = zones;
	zones[state->zone_count] =
	    (struct site_zone){ .bridge_id = bridge_id, .zone = zone };
	return &zones[state->zone_count++];
}

/* The last one takes its place: they stand in no order. */
static void
forget_zone(struct site_state *state, uint64_t bridge_id, uint64_t zone)
{
	struct site_zone *found =
	    (struct site_zone *)(uintptr_t)site_state_zone(state, bridge_id,
		zone);

	if (found)
		*found = state->zones[--state->zone_count];
}

/* ---- effects ------------------------------------------------------------------------ */

static bool
is_of_area(const struct effect *effect)
{
	return effect->kind != EFFECT_ZONE && effect->kind != EFFECT_WAIT;
}

int
site_states_reserve(struct site_states *states, const struct decision *decision)
{
	struct site_state *state;
	bool room = true;

	if (decision->effect_count == 0)
		return 0;
	state = make_state(states, decision->site_id);
	if (!state)
		return -ENOMEM;
	for (unsigned i = 0; i < decision->effect_count && room; i++) {
		const struct effect *effect = &decision->effects[i];

		if (is_of_area(effect))
			room = make_area(state, effect->area) != NULL;
		else if (effect->kind == EFFECT_ZONE)
			room = make_zone(state, decision->bridge_id,
				   effect->zone) != NULL;
	}
	return room ? 0 : -ENOMEM;
}

static void
apply_test(struct site_area *area, const struct effect *effect)
{
	area->missing_told = !effect->on;
	if (effect->on)
		area->last_at_us = effect->at_us;
}

static void
apply_area(struct site_area *area, const struct effect *effect, uint64_t order)
{
	switch (effect->kind) {
	case EFFECT_ARMING:
		area->commanded = true;
		area->armed = effect->armed;
		area->at_us = effect->at_us;
		area->order = order;
		return;
	case EFFECT_SCHEDULE:
		area->told = true;
		area->told_armed = effect->armed;
		area->told_at_us = effect->at_us;
		return;
	case EFFECT_ENTRY:
		area->entry_at_us = effect->at_us;
		area->entry_until_us = effect->until_us;
		return;
	case EFFECT_TEST:
		apply_test(area, effect);
		return;
	case EFFECT_ON_TEST:
		area->on_test_told = effect->on;
		return;
	case EFFECT_CAMERA:
	case EFFECT_ACTIVATION:
		area->last_at_us = effect->at_us;
		return;
	case EFFECT_IDLE:
		area->missing_told = effect->on;
		return;
	case EFFECT_ZONE:
	case EFFECT_WAIT:
		return;
	}
}

static void
apply_zone(struct site_state *state, const struct effect *effect,
    uint64_t bridge_id)
{
	struct site_zone *zone;

	if (effect->alarm == ZONE_ALARM_NONE) {
		forget_zone(state, bridge_id, effect->zone);
		return;
	}
	zone = make_zone(state, bridge_id, effect->zone);
	zone->alarm = effect->alarm;
	zone->until_us = effect->until_us;
	zone->held_lsn = effect->held_lsn;
	zone->held_item = effect->held_item;
}

void
site_states_apply(struct site_states *states, const struct decision *decision)
{
	struct site_state *state;

	if (decision->effect_count == 0)
		return;
	state = make_state(states, decision->site_id);
	for (unsigned i = 0; i < decision->effect_count; i++) {
		const struct effect *effect = &decision->effects[i];

		if (is_of_area(effect))
			apply_area(make_area(state, effect->area), effect,
			    decision->signal_lsn);
		else if (effect->kind == EFFECT_ZONE)
			apply_zone(state, effect, decision->bridge_id);
	}
	if (state->area_count == 0 && state->zone_count == 0)
		forget_state(states, state);
}

/* ---- checkpoint --------------------------------------------------------------------- */

size_t
site_states_bytes(const struct site_states *states)
{
	size_t bytes = 4;

	for (size_t i = 0; i < states->size; i++) {
		const struct site_state *state = states->places[i];

		if (state)
			bytes += SITE_BYTES +
			    state->area_count * (size_t)AREA_BYTES +
			    state->zone_count * (size_t)ZONE_BYTES;
	}
	return bytes;
}

static void
write_area(struct writer *w, const struct site_area *area)
{
	writer_u8(w, (uint8_t)area->area.kind);
	writer_u64(w, area->area.number);
	writer_u8(w,
	    (uint8_t)((area->commanded ? AREA_COMMANDED : 0) |
		(area->armed ? AREA_ARMED : 0) | (area->told ? AREA_TOLD : 0) |
		(area->told_armed ? AREA_TOLD_ARMED : 0) |
		(area->missing_told ? AREA_TEST_MISSING : 0) |
		(area->on_test_told ? AREA_ON_TEST : 0)));
	writer_u64(w, (uint64_t)area->at_us);
	writer_u64(w, area->order);
	writer_u64(w, (uint64_t)area->told_at_us);
	writer_u64(w, (uint64_t)area->entry_at_us);
	writer_u64(w, (uint64_t)area->entry_until_us);
	writer_u64(w, (uint64_t)area->last_at_us);
}

static void
write_zone(struct writer *w, const struct site_zone *zone)
{
	writer_u64(w, zone->bridge_id);
	writer_u64(w, zone->zone);
	writer_u8(w, (uint8_t)zone->alarm);
	writer_u64(w, (uint64_t)zone->until_us);
	writer_u64(w, zone->held_lsn);
	writer_u16(w, zone->held_item);
}

void
site_states_write(const struct site_states *states, struct writer *w)
{
	writer_u32(w, (uint32_t)states->count);
	for (size_t i = 0; i < states->size; i++) {
		const struct site_state *state = states->places[i];

		if (!state)
			continue;
		writer_u64(w, state->site_id);
		writer_u16(w, state->area_count);
		writer_u16(w, state->zone_count);
		for (unsigned j = 0; j < state->area_count; j++)
			write_area(w, &state->areas[j]);
		for (unsigned j = 0; j < state->zone_count; j++)
			write_zone(w, &state->zones[j]);
	}
}

static int
read_area(struct site_state *state, struct reader *r)
{
	unsigned kind = reader_u8(r), bits;
	struct area name = { (enum area_kind)kind, reader_u64(r) };
	struct site_area *area =
	    kind <= AREA_LAST ? make_area(state, name) : NULL;

	if (!area)
		return kind <= AREA_LAST ? -ENOMEM : -EBADMSG;
	bits = reader_u8(r);
	area->commanded = bits & AREA_COMMANDED;
	area->armed = bits & AREA_ARMED;
	area->told = bits & AREA_TOLD;
	area->told_armed = bits & AREA_TOLD_ARMED;
	area->at_us = (int64_t)reader_u64(r);
	area->order = reader_u64(r);
	area->told_at_us = (int64_t)reader_u64(r);
	area->entry_at_us = (int64_t)reader_u64(r);
	area->entry_until_us = (int64_t)reader_u64(r);
	area->last_at_us = (int64_t)reader_u64(r);
	area->missing_told = bits & AREA_TEST_MISSING;
	area->on_test_told = bits & AREA_ON_TEST;
	return r->failed ? -EBADMSG : 0;
}

static int
read_zone(struct site_state *state, struct reader *r)
{
	uint64_t bridge_id = reader_u64(r), key = reader_u64(r);
	struct site_zone *zone = make_zone(state, bridge_id, key);
	unsigned alarm;

	if (!zone)
		return -ENOMEM;
	alarm = reader_u8(r);
	zone->alarm = (enum zone_alarm)alarm;
	zone->until_us = (int64_t)reader_u64(r);
	zone->held_lsn = reader_u64(r);
	zone->held_item = reader_u16(r);
	return r->failed || alarm > ZONE_ALARM_SILENT ? -EBADMSG : 0;
}

static int
read_site(struct site_states *states, struct reader *r)
{
	struct site_state *state = make_state(states, reader_u64(r));
	unsigned areas = reader_u16(r), zones = reader_u16(r);
	int result = state ? 0 : -ENOMEM;

	for (unsigned i = 0; i < areas && result == 0; i++)
		result = read_area(state, r);
	for (unsigned i = 0; i < zones && result == 0; i++)
		result = read_zone(state, r);
	return r->failed ? -EBADMSG : result;
}

int
site_states_read(struct site_states *states, struct reader *r)
{
	uint32_t count = reader_u32(r);
	int result = 0;

	for (uint32_t i = 0; i < count && result == 0; i++)
		result = read_site(states, r);
	return r->failed ? -EBADMSG : result;
}
