/* sender -> bridge -> site -> station -> receiver, and the event's own code. */
#include "routing/routing.h"

#include <stdarg.h>

#include "base/text.h"
#include "routing/internal.h"
#include "signal/codes.h"

/* Names and wire bytes of any kind end up in the sentence, and it may have
 * been cut: what is not UTF-8 becomes '?'. */
static void
clean_text(char *text)
{
	size_t length = strlen(text);

	for (size_t i = 0; i < length;) {
		size_t step = (unsigned char)text[i] < 0x80
		    ? 1
		    : text_utf8_length(text + i, length - i);

		if (step == 0) {
			text[i] = '?';
			step = 1;
		}
		i += step;
	}
}

/* The sentence while it is written; what has no room is cut. */
struct sentence {
	char *position, *end;
};

static void
sentence_add(struct sentence *sentence, const char *text, size_t length)
{
	size_t room = (size_t)(sentence->end - sentence->position);

	if (length > room)
		length = room;
	memcpy(sentence->position, text, length);
	sentence->position += length;
}

static void
sentence_add_number(struct sentence *sentence, unsigned number)
{
	char digits[10];
	size_t at = sizeof(digits);

	do {
		digits[--at] = (char)('0' + number % 10);
		number /= 10;
	} while (number > 0);
	sentence_add(sentence, digits + at, sizeof(digits) - at);
}

/* What a '%' stands for: %s, %.*s and %u, nothing else; vsnprintf took a
 * quarter of the time of a decision. Returns what follows it. */
__attribute__((format(printf, 2, 0))) static const char *
sentence_add_value(struct sentence *sentence, const char *format, va_list *from)
{
	if (*format == 'u') {
		sentence_add_number(sentence, va_arg(*from, unsigned));
	} else if (*format == '.') {
		int length = va_arg(*from, int);

		format += 2;
		sentence_add(sentence, va_arg(*from, const char *),
		    (size_t)length);
	} else {
		const char *text = va_arg(*from, const char *);

		sentence_add(sentence, text, strlen(text));
	}
	return format + 1;
}

/* said: what is there already and stays */
__attribute__((format(printf, 3, 0))) static void
say(struct route *route, size_t said, const char *format, va_list arguments)
{
	char *text = route->scratch->reason;
	struct sentence sentence = { text + said,
		text + sizeof(route->scratch->reason) - 1 };
	va_list values;

	va_copy(values, arguments);
	while (*format) {
		size_t plain = (size_t)(strchrnul(format, '%') - format);

		sentence_add(&sentence, format, plain);
		format += plain;
		if (*format)
			format =
			    sentence_add_value(&sentence, format + 1, &values);
	}
	va_end(values);
	*sentence.position = '\0';
	route->decision->reason =
	    slice_of(text, (size_t)(sentence.position - text));
	if (!text_is_ascii(route->decision->reason))
		clean_text(text);
}

void
route_say(struct route *route, const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	say(route, 0, format, arguments);
	va_end(arguments);
}

void
route_say_more(struct route *route, const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	say(route, route->decision->reason.length, format, arguments);
	va_end(arguments);
}

bool
route_end(struct route *route, enum verdict verdict, const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	say(route, 0, format, arguments);
	va_end(arguments);
	route->decision->verdict = verdict;
	return false;
}

void
route_wait(struct route *route, const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	say(route, 0, format, arguments);
	va_end(arguments);
	memcpy(route->scratch->waiting, route->scratch->reason,
	    sizeof(route->scratch->waiting));
	route->waits = true;
}

struct effect *
route_add_effect(struct route *route, enum effect_kind kind)
{
	struct decision *decision = route->decision;
	struct effect *effect;

	/* an entry delay has the most, three, and the camera that saw it: no
	 * event is two things at once */
	if (decision->effect_count == EFFECTS_MAX)
		decision->effect_count--;
	effect = &decision->effects[decision->effect_count++];
	*effect = (struct effect){ .kind = kind };
	return effect;
}

bool
route_keep_waiting(struct route *route)
{
	route->decision->effect_count = 0;
	return route_end(route, VERDICT_WAITING, "it still waits");
}

/* Of a signal whose bridge was found when it was received, or that is about
 * one. What has its account by now may be another customer's. */
static bool
find_recorded(struct route *route)
{
	uint64_t id = route->request->bridge_id;

	route->decision->bridge_id = id;
	route->bridge = directory_bridge_by_id(route->directory, id);
	return route->bridge ||
	    route_end(route, VERDICT_UNREGISTERED,
		"the bridge of this signal is not known any more");
}

static bool
find_sender(struct route *route)
{
	const struct routing_request *request = route->request;
	const struct signal *signal = request->signal;

	if (request->bridge_id)
		return find_recorded(route);
	if (signal->protocol == SIGNAL_PROTOCOL_INTERNAL && request->site_id)
		return true; /* about the site itself */
	if (signal->protocol == SIGNAL_PROTOCOL_INTERNAL)
		return route_end(route, VERDICT_UNROUTED,
		    "the installation's own event");
	route->bridge = directory_bridge_by_sender(route->directory,
	    request->listener, signal->receiver, signal->line, signal->account,
	    request->account_zeros);
	if (!route->bridge)
		return route_end(route, VERDICT_UNKNOWN_ACCOUNT,
		    "nobody signals with account '%.*s' by listener '%.*s'",
		    SLICE_ARG(signal->account), SLICE_ARG(request->listener));
	route->decision->bridge_id = route->bridge->id;
	return true;
}

bool
route_on_test(const struct route *route)
{
	return route->site->on_test_until_us > route->request->received_us;
}

static bool
is_panel(const struct route *route)
{
	return route->bridge && route->bridge->kind == DIRECTORY_PANEL;
}

static bool
find_site(struct route *route)
{
	const struct directory_bridge *bridge = route->bridge;
	uint64_t id =
	    route->request->site_id ? route->request->site_id : bridge->site_id;

	if (id)
		route->site = directory_site_by_id(route->directory, id);
	if (!route->site && !bridge)
		return route_end(route, VERDICT_UNREGISTERED,
		    "the site of this signal is not known any more");
	if (!route->site)
		return route_end(route, VERDICT_UNREGISTERED,
		    "%s '%s' belongs to no site",
		    is_panel(route) ? "panel" : "bridge", bridge->serial);
	route->decision->site_id = route->site->id;
	route->decision->dealer_id = route->site->dealer_id;
	route->dealer =
	    directory_dealer_by_id(route->directory, route->site->dealer_id);
	if (route->request->states)
		route->state =
		    site_states_find(route->request->states, route->site->id);
	return true;
}

/* That a site is on test is what its station must know. */
static bool
tells_of_test(const struct route *route)
{
	return route->request->signal->protocol == SIGNAL_PROTOCOL_INTERNAL &&
	    strcmp(route->event->code, ROUTE_CODE_ON_TEST) == 0;
}

static bool
serve_site(struct route *route)
{
	if (route->site->state == DIRECTORY_SITE_INACTIVE)
		return route_end(route, VERDICT_SITE_INACTIVE,
		    "site '%s' is deactivated", route->site->name);
	if (route_on_test(route) && !route->site->on_test_forward &&
	    !tells_of_test(route))
		return route_end(route, VERDICT_ON_TEST,
		    "site '%s' is on test: held back", route->site->name);
	return true;
}

static bool
find_station(struct route *route)
{
	const struct directory_site *site = route->site;

	if (site->station_id)
		route->station =
		    directory_station_by_id(route->directory, site->station_id);
	if (!route->station)
		return route_end(route, VERDICT_UNROUTED,
		    "site '%s' names no station", site->name);
	if (route->station->receiver_id)
		route->receiver = directory_receiver_by_id(route->directory,
		    route->station->receiver_id);
	if (!route->receiver)
		return route_end(route, VERDICT_NO_RECEIVER,
		    "station record '%s' has no receiver",
		    route->station->name);
	return true;
}

static const struct signal_event *
received_event(const struct route *route)
{
	return &route->request->signal->events[route->request->item];
}

/* As the library names the code that was received. */
static const char *
inbound_name(struct route *route)
{
	const struct signal_event *event = received_event(route);

	return codes_inbound_format(event->format, event->code, route->inbound);
}

static void
resolve_code(struct route *route, struct routing_effective *ret)
{
	routing_resolve_inbound(inbound_name(route),
	    route->dealer ? &route->dealer->library : NULL,
	    &route->site->library, ret);
}

/* Of a panel's own code only the library may say what it stands for. Contact ID
 * has the panel's qualifier, where its format has any; SIA has it in the code. */
static void
take_meaning(struct route *route)
{
	struct routing_effective *meaning = &route->meaning;
	struct signal_event *meant = &route->meant;

	if (!signal_format_is_own(route->event->format))
		return;
	resolve_code(route, meaning);
	if (!meaning->enabled || meaning->code_level == ROUTING_LEVEL_BUILT_IN)
		return;
	*meant = *route->event;
	memset(meant->code, 0, sizeof(meant->code));
	slice_copy(slice_from_string(meaning->code), meant->code,
	    sizeof(meant->code));
	meant->format = strlen(meaning->code) == 3 ? SIGNAL_FORMAT_CONTACT_ID
						   : SIGNAL_FORMAT_SIA;
	if (meant->format == SIGNAL_FORMAT_SIA)
		meant->qualifier = SIGNAL_QUALIFIER_NONE;
	else if (meant->qualifier == SIGNAL_QUALIFIER_NONE)
		meant->qualifier = SIGNAL_QUALIFIER_NEW;
	route->event = meant;
}

/* Which channel speaks, where the alarm library asks for one. */
static void
find_zone(struct route *route)
{
	struct decision *decision = route->decision;

	if (is_panel(route)) {
		decision->flags |= DECISION_PASS_THROUGH;
		return;
	}
	if (!route->bridge || !codes_is_zone_alarm(route->event))
		return;
	if (slice_present(route->event->zone))
		route->zone =
		    directory_zone_find(route->bridge, route->event->zone);
	if (route->zone)
		decision->channel_id = route->zone->channel_id;
	else
		decision->flags |= DECISION_UNMAPPED_ZONE;
}

/* The restore follows its alarm: the code changes, the qualifier stays. */
static void
take_code(struct route *route, const char *code)
{
	enum signal_format format =
	    strlen(code) == 3 ? SIGNAL_FORMAT_CONTACT_ID : SIGNAL_FORMAT_SIA;
	char mapped[SIGNAL_CODE_SIZE];

	if (format == SIGNAL_FORMAT_CONTACT_ID &&
	    route->format == SIGNAL_FORMAT_SIA &&
	    !codes_contact_id_from_sia(route->event->code, mapped,
		&route->qualifier))
		route->qualifier = SIGNAL_QUALIFIER_NEW;
	route->format = format;
	slice_copy(slice_from_string(code), route->code, sizeof(route->code));
}

static bool
decide_channel(struct route *route)
{
	const struct directory_zone *zone = route->zone;
	const struct directory_zone_type *type =
	    directory_zone_type_by_number(route->directory, zone->zone_type);
	struct routing_effective effective;

	if (!type) {
		route_say(route,
		    "channel '%s' has zone type %u, which is not known: code %s as received",
		    zone->name, zone->zone_type, route->code);
		return true;
	}
	routing_resolve(type, route->dealer ? &route->dealer->library : NULL,
	    &route->site->library, zone, &effective);
	if (!effective.enabled)
		return route_end(route, VERDICT_SUPPRESSED,
		    "zone %.*s is channel '%s' (%s): disabled by %s",
		    SLICE_ARG(route->event->zone), zone->name, type->name,
		    routing_level_name(effective.enabled_level));
	take_code(route, effective.code);
	route_say(route, "zone %.*s is channel '%s' (%s): code %s from %s",
	    SLICE_ARG(route->event->zone), zone->name, type->name,
	    effective.code, routing_level_name(effective.code_level));
	return true;
}

static bool
is_meant(const struct route *route)
{
	return route->event == &route->meant;
}

/* NULL: an event that the panel says, or no system event. What the library says a
 * code stands for is not looked up once more. */
static const struct system_event *
system_event_of(const struct route *route)
{
	const struct signal_event *event = route->event;
	bool ours =
	    route->request->signal->protocol == SIGNAL_PROTOCOL_INTERNAL;

	if (is_meant(route) || (!ours && is_panel(route)))
		return NULL;
	switch (route->qualifier) {
	case SIGNAL_QUALIFIER_NEW:
		return system_event_by_code('E', event->code);
	case SIGNAL_QUALIFIER_RESTORE:
		return system_event_by_code('R', event->code);
	case SIGNAL_QUALIFIER_STATUS:
	case SIGNAL_QUALIFIER_NONE:
		break;
	}
	return NULL;
}

/* The library of the camera that the event is about. */
static const struct directory_library *
library_of_camera(const struct route *route, const struct system_event *event)
{
	const struct directory_zone *zone = NULL;
	const struct directory_channel *channel = NULL;

	if (event->of_camera && slice_present(route->event->zone))
		zone = directory_zone_find(route->bridge, route->event->zone);
	if (zone)
		channel =
		    directory_channel_by_id(route->directory, zone->channel_id);
	return channel ? &channel->library : NULL;
}

static void
say_meaning(struct route *route)
{
	if (is_meant(route))
		route_say_more(route, "; it came as %s, which is %s by %s",
		    inbound_name(route), route->meaning.code,
		    routing_level_name(route->meaning.code_level));
}

/* By what the library says of the code; whose it is, for the sentence. */
static bool
decide_by_row(struct route *route, const char *whose, const char *received,
    const struct routing_effective *effective)
{
	if (!effective->enabled)
		return route_end(route, VERDICT_SUPPRESSED,
		    "%scode %s: disabled by %s", whose, received,
		    routing_level_name(effective->enabled_level));
	if (effective->code_level == ROUTING_LEVEL_BUILT_IN) {
		route_say(route, "%scode %s passes as received", whose,
		    received);
		return true;
	}
	take_code(route, effective->code);
	route_say(route, "%scode %s: code %s from %s", whose, received,
	    effective->code, routing_level_name(effective->code_level));
	return true;
}

static bool
decide_inbound(struct route *route)
{
	const struct system_event *event = system_event_of(route);
	struct routing_effective effective;

	if (!event) {
		resolve_code(route, &effective);
		return decide_by_row(route,
		    is_panel(route) ? "panel's own " : "", inbound_name(route),
		    &effective);
	}
	routing_resolve_system_event(event,
	    route->dealer ? &route->dealer->library : NULL,
	    &route->site->library, library_of_camera(route, event), &effective);
	return decide_by_row(route, "", route->event->code, &effective);
}

static bool
decide_code(struct route *route)
{
	const struct signal_event *event = route->event;
	bool decided = true;

	route->format = event->format;
	memcpy(route->code, event->code, sizeof(route->code));
	if (route->zone)
		decided = decide_channel(route);
	else if (route->decision->flags & DECISION_UNMAPPED_ZONE)
		route_say(route,
		    "no channel knows zone '%.*s': code %s as received",
		    SLICE_ARG(event->zone), event->code);
	else
		return decide_inbound(route);
	say_meaning(route);
	return decided;
}

/* NULL: the signal has none. */
static const struct signal_event *
event_of(const struct routing_request *request)
{
	return request->item < request->signal->event_count
	    ? &request->signal->events[request->item]
	    : NULL;
}

/* To the site's own station and to further ones. False: to none, and the
 * verdict says why. */
static bool
compose_all(struct route *route)
{
	const struct route_target own = { route->station, route->receiver,
		route->site->account, route->site->reference_id };

	if (route->receiver)
		route_compose(route, &own);
	route_further(route);
	if (route->decision->delivery_count == 0 && !route->receiver)
		find_station(route); /* says again why not */
	return route->decision->delivery_count > 0;
}

static bool
may_pass(struct route *route)
{
	if (!route->request->runaway ||
	    codes_is_life_safety(route->format, route->code))
		return true;
	route->decision->flags |= DECISION_RUNAWAY;
	return route_end(route, VERDICT_SUPPRESSED,
	    "'%s' runs away: cut, and told in one event when the minute is over",
	    route->bridge->serial);
}

/* False: what was decided about it stands. */
static bool
send_out(struct route *route)
{
	if (decide_code(route) && may_pass(route) && compose_all(route))
		return true;
	route_silence(route);
	return false;
}

static bool
has_station(struct route *route)
{
	bool own = find_station(route);

	return own ||
	    directory_destinations_by_site(route->directory, route->site->id);
}

static void
decide_once(struct route *route)
{
	enum route_command command;

	if (!find_sender(route) || !find_site(route))
		return;
	route->event = event_of(route->request);
	if (!route->event) {
		route_end(route, VERDICT_UNROUTED, "the signal has no event");
		return;
	}
	if (route->event->format == SIGNAL_FORMAT_NONE) {
		route_end(route, VERDICT_SUPPRESSED,
		    "the number of a caller, no event");
		return;
	}
	take_meaning(route);
	route->qualifier = route->event->qualifier;
	command = route_take_command(route);
	route_note_test(route);
	find_zone(route);
	route_note_absence(route);
	if (!serve_site(route) || !route_end_command(route, command) ||
	    !route_end_test(route) || !route_end_absence(route))
		return;
	if (!has_station(route) || (route->zone && !route_behave(route)) ||
	    !send_out(route))
		return;
	route->decision->verdict =
	    route->waits ? VERDICT_WAITING : VERDICT_ROUTED;
	if (!route->waits)
		return;
	route->decision->delivery_count = 0;
	route->decision->reason = slice_from_string(route->scratch->waiting);
}

void
routing_decide(const struct directory *directory,
    const struct routing_request *request, struct routing_scratch *scratch,
    struct decision *ret)
{
	uint32_t generation;

	do {
		struct route route = {
			.directory = directory,
			.request = request,
			.scratch = scratch,
			.decision = ret,
		};

		decision_begin(ret);
		ret->item = (uint16_t)request->item;
		ret->signal_lsn = request->signal_lsn;
		ret->site_id = request->site_id;
		ret->flags = request->concluded_us > 0 ? DECISION_CONCLUDES : 0;
		generation = directory_read_begin(directory);
		decide_once(&route);
	} while (directory_read_retry(directory, generation));
}
