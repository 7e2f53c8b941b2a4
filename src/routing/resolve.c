/* The alarm library: which level decides enabled, which decides the code. */
#include "routing/routing.h"

#define LEVELS (ROUTING_LEVEL_BUILT_IN + 1)

/* What one level says; code "" and DIRECTORY_INHERIT: look at the next. */
struct level_value {
	int8_t enabled;
	const char *code;
};
static const struct level_value level_silent = { DIRECTORY_INHERIT, "" };

const char *
routing_level_name(enum routing_level level)
{
	switch (level) {
	case ROUTING_LEVEL_CHANNEL:
		return "channel";
	case ROUTING_LEVEL_SITE:
		return "site";
	case ROUTING_LEVEL_DEALER:
		return "dealer";
	case ROUTING_LEVEL_BUILT_IN:
		break;
	}
	return "built-in";
}

/* The row about a zone type, or about a code; NULL: there is none. */
static const struct directory_library_row *
find_row(const struct directory_library *library, unsigned zone_type,
    char qualifier, const char *code)
{
	for (unsigned i = 0; library && i < library->count; i++) {
		const struct directory_library_row *row = &library->rows[i];

		if (row->zone_type == zone_type &&
		    (zone_type != 0 ||
			(row->qualifier == qualifier &&
			    strcmp(row->inbound_code, code) == 0)))
			return row;
	}
	return NULL;
}

static struct level_value
library_value(const struct directory_library *library, unsigned zone_type,
    const char *inbound_code)
{
	const struct directory_library_row *row =
	    find_row(library, zone_type, '\0', inbound_code);

	return row ? (struct level_value){ row->enabled, row->code }
		   : level_silent;
}

/* What another row of the same level adds to what was said before it. */
static void
add_row(struct level_value *value, const struct directory_library *library,
    char qualifier, const char *code)
{
	const struct directory_library_row *row =
	    find_row(library, 0, qualifier, code);

	if (!row)
		return;
	if (value->enabled == DIRECTORY_INHERIT)
		value->enabled = row->enabled;
	if (value->code[0] == '\0')
		value->code = row->code;
}

/* R of 4xx is a closing, not the restore of an alarm. */
static bool
follows_alarm(char qualifier, const char *code)
{
	return qualifier == 'R' && code[0] != '4';
}

static struct level_value
event_value(const struct directory_library *library, char qualifier,
    const char *code)
{
	struct level_value value = level_silent;

	add_row(&value, library, qualifier, code);
	if (follows_alarm(qualifier, code))
		add_row(&value, library, 'E', code);
	add_row(&value, library, '\0', code);
	return value;
}

/* The built-in level is never silent, so both values are found. */
static void
resolve_levels(const struct level_value values[LEVELS],
    struct routing_effective *ret)
{
	int enabled = 0, code = 0;

	while (enabled < ROUTING_LEVEL_BUILT_IN &&
	    values[enabled].enabled == DIRECTORY_INHERIT)
		enabled++;
	while (code < ROUTING_LEVEL_BUILT_IN && values[code].code[0] == '\0')
		code++;
	ret->enabled = values[enabled].enabled != DIRECTORY_NO;
	ret->enabled_level = (enum routing_level)enabled;
	slice_copy(slice_from_string(values[code].code), ret->code,
	    sizeof(ret->code));
	ret->code_level = (enum routing_level)code;
}

void
routing_resolve(const struct directory_zone_type *built_in,
    const struct directory_library *dealer,
    const struct directory_library *site, const struct directory_zone *zone,
    struct routing_effective *ret)
{
	const struct level_value values[LEVELS] = {
		[ROUTING_LEVEL_CHANNEL] = zone
		    ? (struct level_value){ zone->enabled, zone->code }
		    : level_silent,
		[ROUTING_LEVEL_SITE] =
		    library_value(site, built_in->number, NULL),
		[ROUTING_LEVEL_DEALER] =
		    library_value(dealer, built_in->number, NULL),
		[ROUTING_LEVEL_BUILT_IN] = { built_in->enabled ? DIRECTORY_YES
							       : DIRECTORY_NO,
		    built_in->code },
	};

	resolve_levels(values, ret);
}

void
routing_resolve_inbound(const char *code,
    const struct directory_library *dealer,
    const struct directory_library *site, struct routing_effective *ret)
{
	const struct level_value values[LEVELS] = {
		[ROUTING_LEVEL_CHANNEL] = level_silent,
		[ROUTING_LEVEL_SITE] = library_value(site, 0, code),
		[ROUTING_LEVEL_DEALER] = library_value(dealer, 0, code),
		[ROUTING_LEVEL_BUILT_IN] = { DIRECTORY_YES, code },
	};

	resolve_levels(values, ret);
}

void
routing_resolve_system_event(const struct system_event *event,
    const struct directory_library *dealer,
    const struct directory_library *site,
    const struct directory_library *channel, struct routing_effective *ret)
{
	const struct level_value values[LEVELS] = {
		[ROUTING_LEVEL_CHANNEL] =
		    event_value(channel, event->qualifier, event->code),
		[ROUTING_LEVEL_SITE] =
		    event_value(site, event->qualifier, event->code),
		[ROUTING_LEVEL_DEALER] =
		    event_value(dealer, event->qualifier, event->code),
		[ROUTING_LEVEL_BUILT_IN] = { DIRECTORY_YES, event->code },
	};

	resolve_levels(values, ret);
}
