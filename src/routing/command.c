/* Signals that arm or disarm: arming inputs of bridges, openings and closings
 * of panels, commands of users and partners, and what the schedule did. */
#include "base/array.h"
#include "routing/arming.h"
#include "routing/internal.h"
#include "signal/codes.h"

#define CODE_SCHEDULE "403"
#define CODE_INPUT    "409"

/* Contact ID events that open (E) and close (R). */
static const char open_close[][SIGNAL_CODE_SIZE] = { "400", "401", "402", "403",
	"407", "408", "409", "441", "442" };

struct command {
	char code[SIGNAL_CODE_SIZE];
	bool armed;
};

static enum signal_qualifier
turned(enum signal_qualifier qualifier)
{
	return qualifier == SIGNAL_QUALIFIER_NEW ? SIGNAL_QUALIFIER_RESTORE
						 : SIGNAL_QUALIFIER_NEW;
}

static bool
read_command(const struct route *route, struct command *ret)
{
	const struct signal_event *event = route->event;
	enum signal_qualifier qualifier = route->qualifier;

	if (!codes_contact_id(event->format, event->code, ret->code,
		&qualifier))
		return false;
	if (qualifier != SIGNAL_QUALIFIER_NEW &&
	    qualifier != SIGNAL_QUALIFIER_RESTORE)
		return false;
	ret->armed = qualifier == SIGNAL_QUALIFIER_RESTORE;
	for (size_t i = 0; i < COUNT(open_close); i++)
		if (memcmp(open_close[i], ret->code, SIGNAL_CODE_SIZE) == 0)
			return true;
	return false;
}

/* The partition that the signal names, where the site has such. */
static struct area
area_named(const struct route *route)
{
	unsigned long number = 0;

	if (route->site->has_partitions &&
	    slice_present(route->event->partition) &&
	    slice_to_number(route->event->partition, 10, &number) == 0 &&
	    number > 0 && number <= 99)
		return (struct area){ AREA_PARTITION, number };
	return (struct area){ AREA_SITE, 0 };
}

static void
add_command(struct route *route, enum effect_kind kind, struct area area,
    bool armed)
{
	int64_t told_us = route->request->signal->panel_time_us;
	struct effect *effect = route_add_effect(route, kind);

	effect->area = area;
	effect->armed = armed;
	/* a schedule says when it was; everybody else means now */
	effect->at_us = kind == EFFECT_SCHEDULE && told_us
	    ? told_us
	    : route->request->received_us;
}

/* An input, or whoever else tells its state again and again: only a change is
 * one. */
static enum route_command
take_change(struct route *route, struct area area, bool armed)
{
	const struct site_area *known = site_state_area(route->state, area);

	if (known && known->commanded && known->armed == armed)
		return ROUTE_COMMAND_UNCHANGED;
	add_command(route, EFFECT_ARMING, area, armed);
	return ROUTE_COMMAND_TAKEN;
}

static enum route_command
command_by_input(struct route *route, bool armed)
{
	switch (route->site->arming) {
	case DIRECTORY_ARMING_ALWAYS:
		return ROUTE_COMMAND_NONE;
	case DIRECTORY_ARMING_PANEL_PRIMARY:
		if (route->site->arming_bridge_id != route->bridge->id)
			return ROUTE_COMMAND_REFUSED;
		return take_change(route, (struct area){ AREA_SITE, 0 }, armed);
	case DIRECTORY_ARMING_PANEL_INDIVIDUAL:
		return take_change(route,
		    (struct area){ AREA_BRIDGE, route->bridge->id }, armed);
	case DIRECTORY_ARMING_PANEL_SIGNALS:
		return take_change(route, area_named(route), armed);
	case DIRECTORY_ARMING_VIDEO_SYSTEM:
	case DIRECTORY_ARMING_SCHEDULE:
	case DIRECTORY_ARMING_REMOTE_API:
		break;
	}
	return ROUTE_COMMAND_REFUSED;
}

static enum route_command
command_of_our_own(struct route *route, const struct command *command)
{
	struct area area = area_named(route);

	if (strcmp(command->code, CODE_SCHEDULE) == 0) {
		add_command(route, EFFECT_SCHEDULE, area, command->armed);
		return ROUTE_COMMAND_TAKEN;
	}
	if (!arming_by_command(route->site->arming))
		return ROUTE_COMMAND_REFUSED;
	add_command(route, EFFECT_ARMING, area, command->armed);
	return ROUTE_COMMAND_TAKEN;
}

enum route_command
route_take_command(struct route *route)
{
	bool ours =
	    route->request->signal->protocol == SIGNAL_PROTOCOL_INTERNAL;
	bool input = !ours && route->bridge->kind == DIRECTORY_BRIDGE &&
	    strcmp(route->event->code, CODE_INPUT) == 0;
	struct command command;

	if (!route->request->states)
		return ROUTE_COMMAND_NONE;
	if (input && route->bridge->arming_input_inverted)
		route->qualifier = turned(route->qualifier);
	if (!read_command(route, &command))
		return ROUTE_COMMAND_NONE;
	if (ours)
		return command_of_our_own(route, &command);
	if (input)
		return command_by_input(route, command.armed);
	if (route->site->arming == DIRECTORY_ARMING_PANEL_SIGNALS)
		add_command(route, EFFECT_ARMING, area_named(route),
		    command.armed);
	return ROUTE_COMMAND_NONE;
}

bool
route_end_command(struct route *route, enum route_command command)
{
	const char *method = directory_arming_name(route->site->arming);

	switch (command) {
	case ROUTE_COMMAND_NONE:
	case ROUTE_COMMAND_TAKEN:
		return true;
	case ROUTE_COMMAND_UNCHANGED:
		return route_end(route, VERDICT_REPEAT,
		    "the arming input of '%s' said so before: no change",
		    route->bridge->serial);
	case ROUTE_COMMAND_REFUSED:
		break;
	}
	return route_end(route, VERDICT_SUPPRESSED,
	    "refused: site '%s' is armed by another authority (%s)",
	    route->site->name, method);
}
