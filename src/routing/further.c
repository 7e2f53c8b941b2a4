/* Further stations of a site: which of them get an event, by their rules. */
#include "routing/internal.h"
#include "signal/codes.h"

#define DAY_MIN 1440

/* What the rules ask about. */
struct occasion {
	char code[SIGNAL_CODE_SIZE]; /* Contact ID event, as it goes out */
	unsigned long partition;     /* 0: none */
	unsigned minute;	     /* of the day, by the site's clock */
	unsigned weekday;	     /* 0 Monday */
};

static struct occasion
occasion_of(const struct route *route, const struct local_clock *clock)
{
	struct occasion occasion = { .code = "" };
	enum signal_qualifier qualifier;
	int64_t utc_s = route->request->received_us / 1000000;
	int64_t local_min =
	    (clock ? local_clock_from_utc(clock, utc_s) : utc_s) / 60;

	codes_contact_id(route->format, route->code, occasion.code, &qualifier);
	if (route->zone)
		occasion.partition = route->zone->partition;
	else if (slice_present(route->event->partition) &&
	    slice_to_number(route->event->partition, 10, &occasion.partition) <
		0)
		occasion.partition = 0;
	occasion.minute = (unsigned)(local_min % DAY_MIN);
	/* 1970-01-01 was a Thursday */
	occasion.weekday = (unsigned)((local_min / DAY_MIN + 3) % 7);
	return occasion;
}

/* Begins with one of "10,11". */
static bool
is_of_class(const char *code, const char *prefixes)
{
	if (*prefixes == '\0')
		return true;
	while (*prefixes) {
		size_t length = strcspn(prefixes, ",");

		if (strncmp(code, prefixes, length) == 0)
			return true;
		prefixes += length + (prefixes[length] == ',');
	}
	return false;
}

static bool
is_in_time(const struct directory_destination *rule,
    const struct occasion *occasion)
{
	unsigned from = rule->from_minute, until = rule->until_minute;
	unsigned minute = occasion->minute;
	unsigned today = 1u << occasion->weekday;
	unsigned yesterday = 1u << (occasion->weekday + 6) % 7;

	if (from == until)
		return rule->weekdays & today;
	if (from < until)
		return (rule->weekdays & today) && minute >= from &&
		    minute < until;
	/* over midnight: it belongs to the day in which it began */
	return (minute >= from && (rule->weekdays & today)) ||
	    (minute < until && (rule->weekdays & yesterday));
}

static bool
fits(const struct directory_destination *rule, const struct occasion *occasion)
{
	return is_of_class(occasion->code, rule->prefixes) &&
	    (rule->partition == 0 || rule->partition == occasion->partition) &&
	    is_in_time(rule, occasion);
}

static void
add(struct route *route, const struct directory_destination *rule)
{
	struct route_target target = { .account = rule->account,
		.reference_id = rule->reference_id };
	enum verdict verdict = route->decision->verdict;

	target.station =
	    directory_station_by_id(route->directory, rule->station_id);
	if (target.station)
		target.receiver = directory_receiver_by_id(route->directory,
		    target.station->receiver_id);
	if (!target.receiver) {
		route_say_more(route, "; further station '%s' has no receiver",
		    target.station ? target.station->name : "?");
	} else if (route->decision->delivery_count < DECISION_DELIVERIES_MAX &&
	    route_compose(route, &target)) {
		route_say_more(route, "; also to '%s'", target.station->name);
		return;
	}
	/* that one of several could not be does not end it */
	route->decision->verdict = verdict;
}

void
route_further(struct route *route)
{
	const struct directory_destinations *destinations =
	    directory_destinations_by_site(route->directory, route->site->id);
	struct occasion occasion;
	uint64_t added = 0;

	if (!destinations)
		return;
	occasion = occasion_of(route, destinations->clock);
	for (unsigned i = 0; i < destinations->count; i++) {
		const struct directory_destination *rule =
		    &destinations->rules[i];

		if (rule->id == added || !fits(rule, &occasion))
			continue;
		added = rule->id;
		add(route, rule);
	}
}
