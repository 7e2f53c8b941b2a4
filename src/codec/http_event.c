#include "codec/http_event.h"

#include <jansson.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"

#define DIGITS "0123456789"
#define HEX    DIGITS "ABCDEF"
#define UPPER  "ABCDEFGHIJKLMNOPQRSTUVWXYZ"

#define CODES  (HTTP_EVENT_CONTACT_ID | HTTP_EVENT_SIA)
#define PLACES (HTTP_EVENT_ZONE | CODES)
#define ALL    (HTTP_EVENT_INPUT | PLACES)

enum field {
	FIELD_STATE,
	FIELD_ARMING_INPUT,
	FIELD_QUALIFIER,
	FIELD_CODE,
	FIELD_SIA,
	FIELD_ZONE,
	FIELD_PARTITION,
	FIELD_USER,
	FIELD_TEXT,
	FIELDS
};

const struct http_event_field http_event_fields[] = {
	[FIELD_STATE] = { "state", HTTP_EVENT_ZONE, HTTP_EVENT_ZONE,
	    HTTP_EVENT_ZONE, { "alarm", "restore" },
	    .help = "What the zone says; the alarm library has its code" },
	[FIELD_ARMING_INPUT] = { "arming_input", HTTP_EVENT_INPUT,
	    HTTP_EVENT_INPUT, HTTP_EVENT_INPUT, { "closed", "open" },
	    .help =
		"The bridge's arming input; closed arms, unless it is inverted" },
	[FIELD_QUALIFIER] = { "qualifier", HTTP_EVENT_CONTACT_ID, 0,
	    HTTP_EVENT_CONTACT_ID, { "E", "R", "P" },
	    .help =
		"Of a Contact ID event: new or opening, restore or closing, still "
		"present" },
	[FIELD_CODE] = { "code", HTTP_EVENT_CONTACT_ID, HTTP_EVENT_CONTACT_ID,
	    HTTP_EVENT_CONTACT_ID, { NULL }, DIGITS "BCDEF", 3, 3,
	    "^[0-9B-F]{3}$", "Contact ID event, as 130" },
	[FIELD_SIA] = { "sia", HTTP_EVENT_SIA, HTTP_EVENT_SIA, HTTP_EVENT_SIA,
	    { NULL }, UPPER, 2, 2, "^[A-Z]{2}$", "SIA event code, as BA" },
	[FIELD_ZONE] = { "zone", PLACES, 0, HTTP_EVENT_ZONE, { NULL }, HEX, 1,
	    6, "^[0-9A-F]{1,6}$", "Zone number" },
	[FIELD_PARTITION] = { "partition", PLACES, 0, 0, { NULL }, HEX, 1, 2,
	    "^[0-9A-F]{1,2}$", "Partition or area" },
	[FIELD_USER] = { "user", CODES, 0, 0, { NULL }, DIGITS, 1, 6,
	    "^[0-9]{1,6}$", "Who opened, closed or cancelled" },
	/* a decision has it once for each station */
	[FIELD_TEXT] = { "text", ALL, .max = 256,
	    .help =
		"A remark for the operator, where the station's protocol has room" },
	[FIELDS] = { NULL },
};

/* ---- one field ----------------------------------------------------------------- */

static bool
is_choice(const struct http_event_field *field, const char *value)
{
	for (unsigned i = 0; field->choices[i]; i++)
		if (strcmp(field->choices[i], value) == 0)
			return true;
	return false;
}

/* Of valid UTF-8: what is no continuation. */
static size_t
count_characters(const char *text)
{
	size_t count = 0;

	for (; *text; text++)
		count += ((unsigned char)*text & 0xc0) != 0x80;
	return count;
}

static bool
is_right(const struct http_event_field *field, const char *value)
{
	size_t length = count_characters(value);

	if (field->choices[0])
		return is_choice(field, value);
	if (length < field->min || length > field->max)
		return false;
	return !field->characters ||
	    strspn(value, field->characters) == strlen(value);
}

static const struct http_event_field *
field_named(const char *name)
{
	for (unsigned i = 0; i < FIELDS; i++)
		if (strcmp(http_event_fields[i].name, name) == 0)
			return &http_event_fields[i];
	return NULL;
}

static void
say_choices(const struct http_event_field *field,
    char out[HTTP_EVENT_REASON_SIZE])
{
	int at =
	    snprintf(out, HTTP_EVENT_REASON_SIZE, "%s is none of", field->name);

	for (unsigned i = 0; field->choices[i]; i++)
		at += snprintf(out + at, HTTP_EVENT_REASON_SIZE - (size_t)at,
		    "%s %s", i > 0 ? "," : "", field->choices[i]);
}

/* ---- one event ------------------------------------------------------------------ */

/* The fields of an event by their rows; "" says nothing, like one that is not
 * there. */
struct said {
	const char *values[FIELDS];
};

static bool
refuse(char out[HTTP_EVENT_REASON_SIZE], const char *field, const char *problem)
{
	snprintf(out, HTTP_EVENT_REASON_SIZE, "%.32s %s", field, problem);
	return false;
}

static bool
read_field(const char *name, const json_t *value, struct said *ret,
    char reason[HTTP_EVENT_REASON_SIZE])
{
	const struct http_event_field *field = field_named(name);
	const char *text = json_string_value(value);

	if (!field)
		return refuse(reason, name, "is no field of an event");
	if (json_is_null(value))
		return true;
	if (!text)
		return refuse(reason, name, "is no string");
	if (is_right(field, text)) {
		ret->values[field - http_event_fields] = text;
		return true;
	}
	if (field->choices[0])
		say_choices(field, reason);
	else if (!field->pattern)
		snprintf(reason, HTTP_EVENT_REASON_SIZE,
		    "%s has more than %u characters", name, field->max);
	else
		snprintf(reason, HTTP_EVENT_REASON_SIZE, "%s does not match %s",
		    name, field->pattern);
	return false;
}

static bool
read_fields(json_t *object, struct said *ret,
    char reason[HTTP_EVENT_REASON_SIZE])
{
	const char *name;
	json_t *value;

	json_object_foreach(object, name,
	    value) if (!read_field(name, value, ret, reason)) return false;
	return true;
}

/* What it is about, when exactly one field says so and the others fit. */
static bool
find_kind(const struct said *said, enum http_event_kind *ret,
    char reason[HTTP_EVENT_REASON_SIZE])
{
	unsigned kind = 0;

	for (unsigned i = 0; i < FIELDS; i++) {
		unsigned decides =
		    said->values[i] ? http_event_fields[i].decides : 0;

		if (decides && kind)
			return refuse(reason, http_event_fields[i].name,
			    "is a second event in one");
		kind |= decides;
	}
	if (!kind)
		return refuse(reason, "state,",
		    "arming_input, code or sia is needed");
	for (unsigned i = 0; i < FIELDS; i++) {
		const struct http_event_field *field = &http_event_fields[i];

		if (said->values[i] && !(field->kinds & kind))
			return refuse(reason, field->name,
			    "does not belong to such an event");
		if (!said->values[i] && (field->needed_by & kind))
			return refuse(reason, field->name, "is needed");
	}
	*ret = (enum http_event_kind)kind;
	return true;
}

static void
set_code(struct signal_event *event, enum signal_format format,
    enum signal_qualifier qualifier, const char *code)
{
	event->format = format;
	event->qualifier = qualifier;
	/* every code that a field takes fits */
	snprintf(event->code, sizeof(event->code), "%s", code);
}

static void
set_codes(struct signal_event *event, enum http_event_kind kind,
    const struct said *said)
{
	const char *const *values = said->values;

	switch (kind) {
	case HTTP_EVENT_ZONE:
		set_code(event, SIGNAL_FORMAT_CONTACT_ID,
		    values[FIELD_STATE][0] == 'a' ? SIGNAL_QUALIFIER_NEW
						  : SIGNAL_QUALIFIER_RESTORE,
		    HTTP_EVENT_ZONE_CODE);
		break;
	case HTTP_EVENT_INPUT:
		set_code(event, SIGNAL_FORMAT_CONTACT_ID,
		    values[FIELD_ARMING_INPUT][0] == 'o'
			? SIGNAL_QUALIFIER_NEW
			: SIGNAL_QUALIFIER_RESTORE,
		    HTTP_EVENT_INPUT_CODE);
		break;
	case HTTP_EVENT_CONTACT_ID:
		set_code(event, SIGNAL_FORMAT_CONTACT_ID,
		    signal_qualifier_from_char(values[FIELD_QUALIFIER][0]),
		    values[FIELD_CODE]);
		break;
	case HTTP_EVENT_SIA:
		set_code(event, SIGNAL_FORMAT_SIA, SIGNAL_QUALIFIER_NONE,
		    values[FIELD_SIA]);
		event->block = 'N';
		break;
	}
}

static bool
read_event(json_t *object, struct signal_event *ret,
    char reason[HTTP_EVENT_REASON_SIZE])
{
	struct said said = { { NULL } };
	enum http_event_kind kind = HTTP_EVENT_ZONE;

	if (!json_is_object(object))
		return refuse(reason, "an event", "is an object");
	if (!read_fields(object, &said, reason) ||
	    !find_kind(&said, &kind, reason))
		return false;
	memset(ret, 0, sizeof(*ret));
	set_codes(ret, kind, &said);
	ret->zone = slice_from_string(said.values[FIELD_ZONE]);
	ret->partition = slice_from_string(said.values[FIELD_PARTITION]);
	ret->user = slice_from_string(said.values[FIELD_USER]);
	ret->text = slice_from_string(said.values[FIELD_TEXT]);
	return true;
}

/* ---- a request ------------------------------------------------------------------ */

static void
take_event(json_t *object, struct signal *signal, struct http_events *ret)
{
	unsigned place = ret->count++;
	struct signal_event *event = &signal->events[signal->event_count];

	if (read_event(object, event, ret->reasons[place]))
		signal->event_count++;
	else
		ret->refused[place] = true;
}

/* When all of it happened; it goes out of the object. */
static bool
take_time(json_t *object, struct signal *signal, char *problem)
{
	const json_t *value = json_object_get(object, "occurred_at");
	const char *text = json_string_value(value);

	if (!value)
		return true;
	if (!text ||
	    clock_parse(slice_from_string(text), &signal->panel_time_us) < 0)
		return refuse(problem, "occurred_at",
		    "is no time as 2026-01-15T10:30:00Z");
	json_object_del(object, "occurred_at");
	return true;
}

static bool
take_events(json_t *object, struct signal *signal, struct http_events *ret,
    char *problem)
{
	json_t *events = json_object_get(object, "events");

	if (!events) {
		take_event(object, signal, ret);
		return true;
	}
	if (json_object_size(object) > 1)
		return refuse(problem, "events",
		    "has only occurred_at beside it");
	if (!json_is_array(events) || json_array_size(events) == 0 ||
	    json_array_size(events) > SIGNAL_EVENTS_MAX)
		return refuse(problem, "events", "is no list of 1 to 32");
	for (size_t i = 0; i < json_array_size(events); i++)
		take_event(json_array_get(events, i), signal, ret);
	return true;
}

static bool
read_request(json_t *root, struct signal *signal, struct http_events *ret,
    char *problem)
{
	if (!json_is_object(root))
		return refuse(problem, "the body", "is no object");
	return take_time(root, signal, problem) &&
	    take_events(root, signal, ret, problem);
}

enum codec_result
http_events_decode(struct slice body, struct signal *signal,
    struct http_events *ret, char ret_problem[HTTP_EVENT_REASON_SIZE])
{
	json_error_t error;
	json_t *root =
	    json_loadb(body.data, body.length, JSON_REJECT_DUPLICATES, &error);

	memset(signal, 0, offsetof(struct signal, events));
	signal->extended_count = 0;
	memset(ret, 0, sizeof(*ret));
	if (!root) {
		snprintf(ret_problem, HTTP_EVENT_REASON_SIZE,
		    "no JSON: line %d, column %d: %.60s", error.line,
		    error.column, error.text);
		return CODEC_BAD;
	}
	ret->content = root;
	if (read_request(root, signal, ret, ret_problem))
		return CODEC_OK;
	http_events_close(ret);
	return CODEC_BAD;
}

void
http_events_close(struct http_events *events)
{
	json_decref(events->content);
	events->content = NULL;
}
