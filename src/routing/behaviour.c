/*
 * What a zone's event comes to by the behaviour of its type: raised now, later,
 * or not at all. Reads what is remembered of the site, and says in the
 * decision's effects what is to be remembered.
 *
 *	trip   ->  disarmed, exit delay: silent
 *	       ->  inside the repeat filter: repeat
 *	       ->  entry delay: waits, then raised or cancelled
 *	       ->  raised; the repeat filter begins
 *	restore -> as its alarm: after it, and not before its filter ends
 */
#include <stdio.h>

#include "routing/arming.h"
#include "routing/internal.h"
#include "signal/codes.h"

#define SECOND_US 1000000

/* What is known of the zone and its site at one moment. */
struct zone_view {
	const struct directory_zone_type *type;
	const struct site_zone *memory; /* NULL: nothing */
	uint64_t key;
	struct arming arming;
	int64_t filter_us; /* 0: none */
};

static bool
is_restore(const struct signal_event *event)
{
	char code[SIGNAL_CODE_SIZE];
	enum signal_qualifier qualifier = event->qualifier;

	return codes_contact_id(event->format, event->code, code, &qualifier) &&
	    qualifier == SIGNAL_QUALIFIER_RESTORE;
}

static void
remember(struct route *route, const struct zone_view *view,
    enum zone_alarm alarm, int64_t until_us)
{
	struct effect *effect;

	/* nothing is to be kept where nothing was */
	if (alarm == ZONE_ALARM_NONE && !view->memory)
		return;
	effect = route_add_effect(route, EFFECT_ZONE);
	effect->zone = view->key;
	effect->alarm = alarm;
	effect->until_us = until_us;
	/* a restore that came while its alarm waited follows it; a new trip
	 * takes the place of what was held back */
	if (route->request->concluded_us > 0 && view->memory) {
		effect->held_lsn = view->memory->held_lsn;
		effect->held_item = view->memory->held_item;
	}
}

static void
hold_restore(struct route *route, const struct zone_view *view)
{
	struct effect *effect = route_add_effect(route, EFFECT_ZONE);

	effect->zone = view->key;
	effect->alarm = view->memory->alarm;
	effect->until_us = view->memory->until_us;
	effect->held_lsn = route->request->signal_lsn;
	effect->held_item = (uint16_t)route->request->item;
}

static void
wait_until(struct route *route, int64_t until_us)
{
	route_add_effect(route, EFFECT_WAIT)->until_us = until_us;
}

static int64_t
seconds_us(uint16_t own_s, uint16_t site_s)
{
	return SECOND_US *
	    (int64_t)(own_s == DIRECTORY_SECONDS_INHERIT ? site_s : own_s);
}

static struct arming
arming_at(const struct route *route, int64_t at_us)
{
	const struct arming_question question = {
		.site = route->site,
		.schedule = directory_schedule_by_site(route->directory,
		    route->site->id),
		.state = route->state,
		.bridge_id = route->bridge->id,
		.partition = route->zone->partition,
		.at_us = at_us,
	};

	return arming_of(&question);
}

/* "12:03:44", UTC. */
static const char *
time_of_day(int64_t at_us, char out[CLOCK_TEXT_SIZE])
{
	clock_format(at_us, out);
	out[19] = '\0';
	return out + 11;
}

/* ---- alarms ------------------------------------------------------------------- */

static bool
stay_silent(struct route *route, const struct zone_view *view)
{
	remember(route, view, ZONE_ALARM_SILENT, 0);
	return false;
}

static bool
raise(struct route *route, const struct zone_view *view, int64_t from_us)
{
	if (view->filter_us > 0 ||
	    route->site->arming != DIRECTORY_ARMING_ALWAYS)
		remember(route, view, ZONE_ALARM_RAISED,
		    from_us + view->filter_us);
	return true;
}

/* Another trip of a zone whose alarm is raised or waits. */
static bool
repeat(struct route *route, const struct zone_view *view)
{
	bool waits = view->memory->alarm == ZONE_ALARM_WAITING;

	/* the restore that was held back was not the last one */
	if (view->memory->held_lsn)
		remember(route, view, view->memory->alarm,
		    view->memory->until_us);
	return route_end(route, VERDICT_REPEAT,
	    waits ? "channel '%s' tripped before, its entry delay runs"
		  : "channel '%s' tripped before, inside its repeat filter",
	    route->zone->name);
}

static bool
is_repeat(const struct zone_view *view, int64_t at_us)
{
	const struct site_zone *memory = view->memory;

	return memory && at_us < memory->until_us &&
	    (memory->alarm == ZONE_ALARM_RAISED ||
		memory->alarm == ZONE_ALARM_WAITING);
}

/* The end of the entry delay that runs in the zone's area; 0: none does. */
static int64_t
entry_end_us(const struct route *route, const struct zone_view *view,
    int64_t at_us)
{
	const struct site_area *area =
	    site_state_area(route->state, view->arming.area);

	if (!area || at_us >= area->entry_until_us ||
	    area->entry_at_us < view->arming.since_us)
		return 0;
	return area->entry_until_us;
}

static bool
begin_entry(struct route *route, const struct zone_view *view, int64_t at_us)
{
	int64_t delay_us = seconds_us(route->bridge->entry_delay_s,
	    route->site->entry_delay_s);
	struct effect *effect;
	char time[CLOCK_TEXT_SIZE];

	if (delay_us == 0)
		return raise(route, view, at_us);
	effect = route_add_effect(route, EFFECT_ENTRY);
	effect->area = view->arming.area;
	effect->at_us = at_us;
	effect->until_us = at_us + delay_us;
	remember(route, view, ZONE_ALARM_WAITING, at_us + delay_us);
	wait_until(route, at_us + delay_us);
	route_wait(route,
	    "channel '%s' (%s) begins the entry delay: raised at %s unless disarmed",
	    route->zone->name, view->type->name,
	    time_of_day(at_us + delay_us, time));
	return true;
}

/* Armed, and no exit delay holds it back. */
static bool
trip(struct route *route, const struct zone_view *view, int64_t at_us)
{
	int64_t end_us = entry_end_us(route, view, at_us);
	char time[CLOCK_TEXT_SIZE];

	if (view->type->delayed && end_us > 0) {
		route_end(route, VERDICT_SUPPRESSED,
		    "channel '%s' (%s): an entry delay runs already, its first event will be raised",
		    route->zone->name, view->type->name);
		return stay_silent(route, view);
	}
	if (view->type->delayed)
		return begin_entry(route, view, at_us);
	if (!view->type->follows || end_us == 0)
		return raise(route, view, at_us);
	remember(route, view, ZONE_ALARM_WAITING, end_us);
	wait_until(route, end_us);
	route_wait(route,
	    "channel '%s' (%s) follows an entry delay: raised at %s unless disarmed",
	    route->zone->name, view->type->name, time_of_day(end_us, time));
	return true;
}

static bool
in_exit_delay(const struct route *route, const struct zone_view *view,
    int64_t at_us)
{
	int64_t delay_us =
	    seconds_us(route->bridge->exit_delay_s, route->site->exit_delay_s);

	return (view->type->delayed || view->type->follows) &&
	    view->arming.known && at_us < view->arming.since_us + delay_us;
}

static bool
decide_alarm(struct route *route, struct zone_view *view)
{
	int64_t at_us = route->request->received_us;
	char time[CLOCK_TEXT_SIZE];

	if (is_repeat(view, at_us))
		return repeat(route, view);
	if (view->type->when_disarmed)
		return raise(route, view, at_us);
	if (route->site->has_partitions && route->zone->partition == 0) {
		route_end(route, VERDICT_SUPPRESSED,
		    "channel '%s' is in no partition of site '%s'",
		    route->zone->name, route->site->name);
		return stay_silent(route, view);
	}
	if (route->site->arming == DIRECTORY_ARMING_ALWAYS)
		return raise(route, view, at_us);
	view->arming = arming_at(route, at_us);
	if (!view->arming.armed) {
		route_end(route, VERDICT_SUPPRESSED,
		    "channel '%s' (%s): disarmed since %s", route->zone->name,
		    view->type->name, time_of_day(view->arming.since_us, time));
		return stay_silent(route, view);
	}
	if (in_exit_delay(route, view, at_us)) {
		route_end(route, VERDICT_SUPPRESSED,
		    "channel '%s' (%s): the exit delay runs, armed since %s",
		    route->zone->name, view->type->name,
		    time_of_day(view->arming.since_us, time));
		return stay_silent(route, view);
	}
	return trip(route, view, at_us);
}

/* Its entry delay is over, or it was disarmed meanwhile. */
static bool
conclude_alarm(struct route *route, struct zone_view *view)
{
	const struct routing_request *request = route->request;
	struct arming arming = arming_at(route, request->concluded_us);
	char time[CLOCK_TEXT_SIZE];

	/* since then it may have been disarmed and armed again */
	if (!arming.armed ||
	    (arming.known && arming.since_us > request->received_us)) {
		route_end(route, VERDICT_CANCELLED,
		    "channel '%s': disarmed during the entry delay, at %s",
		    route->zone->name, time_of_day(arming.since_us, time));
		/* the zone may wait for a later trip's by now */
		return view->memory &&
		    view->memory->until_us == request->waited_until_us &&
		    stay_silent(route, view);
	}
	if (request->concluded_us < request->waited_until_us)
		return route_keep_waiting(route);
	return raise(route, view, request->received_us);
}

/* ---- restores ------------------------------------------------------------------- */

static bool
wait_for_alarm(struct route *route, const struct zone_view *view)
{
	char time[CLOCK_TEXT_SIZE];

	hold_restore(route, view);
	wait_until(route, view->memory->until_us);
	route_wait(route,
	    view->memory->alarm == ZONE_ALARM_WAITING
		? "the restore of channel '%s' follows its alarm, which waits until %s"
		: "the last restore of channel '%s' inside its repeat filter is raised at %s",
	    route->zone->name, time_of_day(view->memory->until_us, time));
	return true;
}

static bool
end_alarm(struct route *route, const struct zone_view *view)
{
	remember(route, view, ZONE_ALARM_NONE, 0);
	return true;
}

static bool
restore_silently(struct route *route, const struct zone_view *view,
    enum verdict verdict)
{
	route_end(route, verdict, "the alarm of channel '%s' was not raised",
	    route->zone->name);
	remember(route, view, ZONE_ALARM_NONE, 0);
	return false;
}

static bool
decide_restore(struct route *route, struct zone_view *view)
{
	int64_t at_us = route->request->received_us;

	if (!view->memory) {
		/* its alarm is not known any more, or was not remembered */
		if (view->type->when_disarmed || arming_at(route, at_us).armed)
			return true;
		return restore_silently(route, view, VERDICT_SUPPRESSED);
	}
	if (view->memory->alarm == ZONE_ALARM_SILENT)
		return restore_silently(route, view, VERDICT_SUPPRESSED);
	if (at_us < view->memory->until_us)
		return wait_for_alarm(route, view);
	return end_alarm(route, view);
}

static bool
conclude_restore(struct route *route, struct zone_view *view)
{
	const struct routing_request *request = route->request;
	const struct site_zone *memory = view->memory;

	if (!memory || memory->held_lsn != request->signal_lsn ||
	    memory->held_item != request->item)
		return route_end(route, VERDICT_REPEAT,
		    "channel '%s' tripped or restored again inside its repeat filter",
		    route->zone->name);
	if (memory->alarm == ZONE_ALARM_SILENT)
		return restore_silently(route, view, VERDICT_CANCELLED);
	if (request->concluded_us < request->waited_until_us)
		return route_keep_waiting(route);
	/* its alarm was raised meanwhile, and has a filter of its own */
	if (request->concluded_us < memory->until_us)
		return wait_for_alarm(route, view);
	/* the alarm is concluded before its restore: it did not go out */
	if (memory->alarm == ZONE_ALARM_WAITING)
		return restore_silently(route, view, VERDICT_CANCELLED);
	return end_alarm(route, view);
}

/* ---- what routing calls ------------------------------------------------------------ */

bool
route_behave(struct route *route)
{
	const struct routing_request *request = route->request;
	const struct directory_site *site = route->site;
	struct zone_view view = {
		.type = directory_zone_type_by_number(route->directory,
		    route->zone->zone_type),
		.key = site_zone_key(route->event->zone),
		.filter_us = seconds_us(route->zone->repeat_filter_s,
		    site->repeat_filter_s),
	};
	bool restore = is_restore(route->event);

	/* a type that this version does not know passes, and "still present"
	 * is neither alarm nor restore */
	if (!request->states || !view.type ||
	    route->event->qualifier == SIGNAL_QUALIFIER_STATUS)
		return true;
	view.memory =
	    site_state_zone(route->state, route->bridge->id, view.key);
	if (view.memory && view.memory->alarm == ZONE_ALARM_NONE)
		view.memory = NULL;
	if (request->concluded_us > 0)
		return restore ? conclude_restore(route, &view)
			       : conclude_alarm(route, &view);
	return restore ? decide_restore(route, &view)
		       : decide_alarm(route, &view);
}

/* It does not go out after all: its zone is as if it had stayed silent. */
void
route_silence(struct route *route)
{
	struct decision *decision = route->decision;

	for (unsigned i = 0; i < decision->effect_count;) {
		struct effect *effect = &decision->effects[i];

		if (effect->kind == EFFECT_WAIT) {
			*effect = decision->effects[--decision->effect_count];
			continue;
		}
		if (effect->kind == EFFECT_ZONE &&
		    effect->alarm != ZONE_ALARM_NONE)
			effect->alarm = ZONE_ALARM_SILENT;
		i++;
	}
}
