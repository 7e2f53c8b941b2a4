/* What the station is told: its own account, the code, names, launch URL. */
#include <ctype.h>

#include "routing/internal.h"

#define ZONE_DIGITS 3

/* Bytes that a query string takes as they are. */
static bool
url_plain(unsigned char c)
{
	return isalnum(c) || c == '-' || c == '.' || c == '_' || c == '~';
}

struct url {
	char *position, *end;
	bool full;
};

static void
url_add(struct url *url, char c)
{
	if (url->position < url->end)
		*url->position++ = c;
	else
		url->full = true;
}

static void
url_add_value(struct url *url, struct slice value)
{
	static const char hex[] = "0123456789ABCDEF";

	for (size_t i = 0; i < value.length; i++) {
		unsigned char c = (unsigned char)value.data[i];

		if (url_plain(c)) {
			url_add(url, (char)c);
			continue;
		}
		url_add(url, '%');
		url_add(url, hex[c >> 4]);
		url_add(url, hex[c & 15]);
	}
}

/* Three digits where it has at most three; SLICE_NONE when it has no room. */
static struct slice
zone_digits(struct slice zone, char out[8])
{
	struct slice digits =
	    zone.length > 0 ? slice_strip_zeros(zone) : slice_from_string("0");
	size_t pad =
	    digits.length < ZONE_DIGITS ? ZONE_DIGITS - digits.length : 0;

	if (digits.length > 7)
		return SLICE_NONE;
	memset(out, '0', pad);
	memcpy(out + pad, digits.data, digits.length);
	return slice_of(out, pad + digits.length);
}

static bool
template_takes(const char **position, const char *name)
{
	size_t length = strlen(name);

	if (**position != '<' || strncmp(*position, name, length) != 0)
		return false;
	*position += length;
	return true;
}

/* SLICE_NONE when there is no template or the result has no room: the alarm
 * goes out without it. */
static struct slice
compose_url(const char *template, struct slice account, struct slice reference,
    struct slice zone, char *out, size_t out_size)
{
	struct url url = { out, out + out_size, false };
	char digits[8];
	struct slice number = zone_digits(zone, digits);

	if (template[0] == '\0')
		return SLICE_NONE;
	if (!slice_present(number))
		number = zone;
	while (*template) {
		if (template_takes(&template, "<account>"))
			url_add_value(&url, account);
		else if (template_takes(&template, "<zone>"))
			url_add_value(&url, number);
		else if (template_takes(&template, "<reference>"))
			url_add_value(&url, reference);
		else
			url_add(&url, *template ++);
	}
	if (url.full)
		return SLICE_NONE;
	return slice_of(out, (size_t)(url.position - out));
}

static struct slice
text_or_none(const char *text)
{
	return text[0] ? slice_from_string(text) : SLICE_NONE;
}

/* Contact ID has three digits for the zone, SIA any number: what changed its
 * format gets the digits, everything else goes as it came. */
static struct slice
delivered_zone(const struct route *route, unsigned index)
{
	const struct signal_event *event = route->event;
	struct slice zone;

	if (event->format != SIGNAL_FORMAT_SIA ||
	    route->format != SIGNAL_FORMAT_CONTACT_ID)
		return event->zone;
	zone = zone_digits(event->zone, route->scratch->zones[index]);
	return slice_present(zone) ? zone : event->zone;
}

static bool
compose_account(struct route *route, const struct route_target *target,
    unsigned index, struct slice *ret)
{
	const struct directory_station *station = target->station;
	const char *prefix =
	    station->receiver_adds_prefix ? "" : station->prefix;
	size_t prefix_length = strlen(prefix);
	size_t length = prefix_length + strlen(target->account);
	char *out = route->scratch->accounts[index];

	if (target->account[0] == '\0')
		return route_end(route, VERDICT_UNROUTED,
		    "site '%s' has no account number at station '%s'",
		    route->site->name, station->name);
	if (length >= DIRECTORY_EFFECTIVE_SIZE)
		return route_end(route, VERDICT_UNROUTED,
		    "account '%s' with prefix '%s' is longer than %u",
		    target->account, prefix, DIRECTORY_EFFECTIVE_SIZE - 1u);
	memcpy(out, prefix, prefix_length);
	memcpy(out + prefix_length, target->account, length - prefix_length);
	*ret = slice_of(out, length);
	return true;
}

bool
route_compose(struct route *route, const struct route_target *target)
{
	const struct directory_station *station = target->station;
	unsigned index = route->decision->delivery_count;
	struct delivery *delivery = &route->decision->deliveries[index];
	const struct signal_event *event = route->event;

	memset(delivery, 0, sizeof(*delivery));
	if (!compose_account(route, target, index, &delivery->account))
		return false;
	delivery->receiver_id = target->receiver->id;
	delivery->format = route->format;
	delivery->qualifier = route->qualifier;
	memcpy(delivery->code, route->code, sizeof(delivery->code));
	delivery->partition = event->partition;
	delivery->zone = delivered_zone(route, index);
	delivery->user = event->user;
	delivery->text = event->text;
	if (route->zone)
		delivery->zone_name = slice_from_string(route->zone->name);
	delivery->site_name = slice_from_string(route->site->name);
	delivery->position = route->site->position;
	delivery->reference_id = text_or_none(target->reference_id);
	delivery->url = compose_url(station->url_template, delivery->account,
	    slice_from_string(target->reference_id), event->zone,
	    route->scratch->urls[index], sizeof(route->scratch->urls[index]));
	delivery->test = route_on_test(route);
	delivery->line_card = text_or_none(station->line_card);
	delivery->occurred_us = route->request->signal->panel_time_us;
	delivery->received_us = route->request->received_us;
	route->decision->delivery_count++;
	return true;
}
