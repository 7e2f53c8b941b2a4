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

/* The row about a zone type, or about an inbound code (zone_type 0). */
static struct level_value
library_value(const struct directory_library *library, unsigned zone_type,
    const char *inbound_code)
{
	if (!library)
		return level_silent;
	for (unsigned i = 0; i < library->count; i++) {
		const struct directory_library_row *row = &library->rows[i];

		if (row->zone_type != zone_type)
			continue;
		if (zone_type == 0 && strcmp(row->inbound_code, inbound_code))
			continue;
		return (struct level_value){ row->enabled, row->code };
	}
	return level_silent;
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
