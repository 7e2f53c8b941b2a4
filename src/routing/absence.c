/* What is watched of a site besides its tests: cameras that see nothing, an
 * activation that ends without a bridge. */
#include "routing/internal.h"

#define CODE_IDLE	"391"
#define CODE_ACTIVATION "628"

static bool
is_ours(const struct route *route, const char *code)
{
	return route->request->signal->protocol == SIGNAL_PROTOCOL_INTERNAL &&
	    strcmp(route->event->code, code) == 0;
}

static struct area
camera_of(const struct directory_zone *zone)
{
	return (struct area){ AREA_CAMERA, zone->channel_id };
}

static struct effect *
add(struct route *route, enum effect_kind kind, struct area area)
{
	struct effect *effect = route_add_effect(route, kind);

	effect->area = area;
	effect->at_us = route->request->received_us;
	return effect;
}

/* Once in a while is enough: a camera may see something each second. */
static void
note_seen(struct route *route)
{
	const struct directory_zone *zone = route->zone;
	int64_t since_us = ROUTING_CAMERA_GRAIN_US;
	const struct site_area *memory;

	if (!zone || zone->idle_days == 0 || route->request->concluded_us > 0)
		return;
	memory = site_state_area(route->state, camera_of(zone));
	if (memory)
		since_us = route->request->received_us - memory->last_at_us;
	if (since_us >= ROUTING_CAMERA_GRAIN_US || since_us < 0)
		add(route, EFFECT_CAMERA, camera_of(zone));
}

static void
note_idle(struct route *route)
{
	bool idle = route->event->qualifier == SIGNAL_QUALIFIER_NEW;
	const struct directory_zone *zone = NULL;
	const struct site_area *memory;

	if (route->bridge && slice_present(route->event->zone))
		zone = directory_zone_find(route->bridge, route->event->zone);
	if (!zone)
		return;
	memory = site_state_area(route->state, camera_of(zone));
	if (idle || (memory && memory->missing_told))
		add(route, EFFECT_IDLE, camera_of(zone))->on = idle;
	else
		add(route, EFFECT_CAMERA, camera_of(zone));
}

static void
note_activation(struct route *route)
{
	int64_t end_us = route->request->signal->panel_time_us;
	struct effect *effect =
	    add(route, EFFECT_ACTIVATION, (struct area){ AREA_ACTIVATION, 0 });

	if (end_us)
		effect->at_us = end_us;
}

void
route_note_absence(struct route *route)
{
	if (!route->request->states)
		return;
	if (is_ours(route, CODE_IDLE))
		note_idle(route);
	else if (is_ours(route, CODE_ACTIVATION))
		note_activation(route);
	else
		note_seen(route);
}

/* It only says from when on an event of a camera is awaited. */
static bool
begins_watch(const struct route *route)
{
	const struct decision *decision = route->decision;

	return is_ours(route, CODE_IDLE) &&
	    route->event->qualifier == SIGNAL_QUALIFIER_RESTORE &&
	    (decision->effect_count == 0 ||
		decision->effects[0].kind != EFFECT_IDLE);
}

bool
route_end_absence(struct route *route)
{
	if (!is_ours(route, CODE_ACTIVATION) && !begins_watch(route))
		return true;
	return route_end(route, VERDICT_SUPPRESSED, "not for the station: %.*s",
	    SLICE_ARG(route->event->text));
}
