/* What the API says of itself: from the same table as its checks. */
#include "config.h"

#include <stdio.h>
#include <string.h>

#include "base/array.h"
#include "base/json.h"
#include "codec/http.h"
#include "codec/http_event.h"

void
http_events_results(const struct http_events *events, struct json *json)
{
	json_object_begin(json, NULL);
	json_array_begin(json, "results");
	for (unsigned i = 0; i < events->count; i++) {
		json_object_begin(json, NULL);
		json_string(json, "status",
		    events->refused[i] ? "refused" : "accepted");
		if (events->refused[i])
			json_string(json, "reason", events->reasons[i]);
		json_object_end(json);
	}
	json_array_end(json);
	json_object_end(json);
}

/* ---- schemas --------------------------------------------------------------------- */

static const struct {
	enum http_event_kind kind;
	const char *name, *title;
} kinds[] = {
	{ HTTP_EVENT_ZONE, "ZoneEvent", "By a zone of the bridge" },
	{ HTTP_EVENT_INPUT, "InputEvent", "The bridge's arming input" },
	{ HTTP_EVENT_CONTACT_ID, "ContactIdEvent", "By Contact ID" },
	{ HTTP_EVENT_SIA, "SiaEvent", "By SIA" },
};

#define OCCURRED_AT                                                            \
 "{\"type\":\"string\",\"format\":\"date-time\",\"pattern\":\"Z$\","           \
 "\"description\":\"When it happened, UTC; now otherwise\"}"

/* null says the same as nothing, where nothing would do. */
static void
write_field(struct json *json, const struct http_event_field *field,
    bool needed)
{
	json_object_begin(json, field->name);
	if (needed) {
		json_string(json, "type", "string");
	} else {
		json_array_begin(json, "type");
		json_string(json, NULL, "string");
		json_string(json, NULL, "null");
		json_array_end(json);
	}
	if (field->choices[0]) {
		json_array_begin(json, "enum");
		for (unsigned i = 0; field->choices[i]; i++)
			json_string(json, NULL, field->choices[i]);
		json_array_end(json);
	}
	if (field->pattern)
		json_string(json, "pattern", field->pattern);
	else if (field->max > 0)
		json_unsigned(json, "maxLength", field->max);
	json_string(json, "description", field->help);
	json_object_end(json);
}

static void
write_kind(struct json *json, unsigned index)
{
	const struct http_event_field *field;

	json_object_begin(json, kinds[index].name);
	json_string(json, "title", kinds[index].title);
	json_string(json, "type", "object");
	json_boolean(json, "additionalProperties", false);
	json_object_begin(json, "properties");
	for (field = http_event_fields; field->name; field++)
		if (field->kinds & kinds[index].kind)
			write_field(json, field,
			    field->needed_by & kinds[index].kind);
	json_raw(json, "occurred_at", OCCURRED_AT);
	json_object_end(json);
	json_array_begin(json, "required");
	for (field = http_event_fields; field->name; field++)
		if (field->needed_by & kinds[index].kind)
			json_string(json, NULL, field->name);
	json_array_end(json);
	json_object_end(json);
}

static void
write_event(struct json *json)
{
	json_object_begin(json, "Event");
	json_array_begin(json, "oneOf");
	for (unsigned i = 0; i < COUNT(kinds); i++) {
		json_object_begin(json, NULL);
		json_format(json, "$ref", "#/components/schemas/%s",
		    kinds[i].name);
		json_object_end(json);
	}
	json_array_end(json);
	json_object_end(json);
}

static void
write_schemas(struct json *json)
{
	json_object_begin(json, "schemas");
	for (unsigned i = 0; i < COUNT(kinds); i++)
		write_kind(json, i);
	write_event(json);
	json_raw(json, "Events",
	    "{\"type\":\"object\",\"additionalProperties\":false,\"required\":"
	    "[\"events\"],\"properties\":{\"events\":{\"type\":\"array\","
	    "\"minItems\":1,\"maxItems\":32,\"items\":{\"type\":\"object\"},"
	    "\"description\":\"Each an Event without occurred_at; one that is "
	    "none is refused by itself\"},\"occurred_at\":" OCCURRED_AT "}}");
	json_raw(json, "Results",
	    "{\"type\":\"object\",\"additionalProperties\":false,\"required\":"
	    "[\"results\"],\"properties\":{\"results\":{\"type\":\"array\","
	    "\"description\":\"In the order of the events\",\"items\":"
	    "{\"type\":\"object\",\"additionalProperties\":false,\"required\":"
	    "[\"status\"],\"properties\":{\"status\":{\"type\":\"string\","
	    "\"enum\":[\"accepted\",\"refused\"]},\"reason\":{\"type\":"
	    "\"string\",\"description\":\"Which field, and what is wrong\"}}}}"
	    "}}");
	json_raw(json, "Problem",
	    "{\"type\":\"object\",\"required\":[\"type\",\"title\",\"status\","
	    "\"detail\"],\"properties\":{\"type\":{\"type\":\"string\"},"
	    "\"title\":{\"type\":\"string\"},\"status\":{\"type\":\"integer\"},"
	    "\"detail\":{\"type\":\"string\"}}}");
	json_object_end(json);
}

/* ---- operations ------------------------------------------------------------------- */

struct answer {
	unsigned status;
	const char *schema; /* NULL: no content */
	const char *text;
};

static const struct answer event_answers[] = {
	{ 200, "Results", "Each event is on stable storage" },
	{ 207, "Results",
	    "Those that are accepted are on stable storage; the others say why "
	    "not" },
	{ 422, "Results", "No event is accepted" },
	{ 400, "Problem", "No JSON, or no events" },
	{ 401, "Problem", "No key, or another one" },
	{ 403, "Problem", "This bridge may not say that here" },
	{ 413, "Problem", "The body is too long" },
	{ 415, "Problem", "Not application/json" },
	{ 503, "Problem",
	    "Nothing can be promised now: again, with the same key" },
	{ 0, NULL, NULL },
};

static const struct answer heartbeat_answers[] = {
	{ 204, NULL, "Heard" },
	{ 401, "Problem", "No key, or another one" },
	{ 403, "Problem", "This bridge may not say that here" },
	{ 503, "Problem", "Again later" },
	{ 0, NULL, NULL },
};

static const struct answer document_answers[] = {
	{ 200, "", "This document" },
	{ 0, NULL, NULL },
};

static void
write_answers(struct json *json, const struct answer *answers)
{
	json_object_begin(json, "responses");
	for (; answers->status; answers++) {
		char status[16];
		bool problem =
		    answers->schema && strcmp(answers->schema, "Problem") == 0;

		snprintf(status, sizeof(status), "%u", answers->status);
		json_object_begin(json, status);
		json_string(json, "description", answers->text);
		if (answers->schema) {
			json_object_begin(json, "content");
			json_object_begin(json,
			    problem ? "application/problem+json"
				    : "application/json");
			json_object_begin(json, "schema");
			if (answers->schema[0])
				json_format(json, "$ref",
				    "#/components/schemas/%s", answers->schema);
			json_object_end(json);
			json_object_end(json);
			json_object_end(json);
		}
		json_object_end(json);
	}
	json_object_end(json);
}

#define SECURITY "[{\"bearer\":[]},{\"signature\":[]}]"

static void
write_events(struct json *json)
{
	json_object_begin(json, "/v1/events");
	json_object_begin(json, "post");
	json_string(json, "operationId", "events");
	json_string(json, "summary",
	    "One event, or up to 32; answered when what is accepted is on "
	    "stable storage");
	json_raw(json, "security", SECURITY);
	json_raw(json, "parameters",
	    "[{\"name\":\"Idempotency-Key\",\"in\":\"header\",\"required\":"
	    "false,\"schema\":{\"type\":\"string\",\"pattern\":"
	    "\"^[!-~]{1,64}$\"},\"description\":\"The same key with the same "
	    "body is delivered once and answered alike. Without one each "
	    "request is an event of its own\"}]");
	json_raw(json, "requestBody",
	    "{\"required\":true,\"content\":{\"application/json\":{\"schema\":"
	    "{\"oneOf\":[{\"$ref\":\"#/components/schemas/Event\"},"
	    "{\"$ref\":\"#/components/schemas/Events\"}]}}}}");
	write_answers(json, event_answers);
	json_object_end(json);
	json_object_end(json);
}

static void
write_heartbeat(struct json *json)
{
	json_object_begin(json, "/v1/heartbeat");
	json_object_begin(json, "post");
	json_string(json, "operationId", "heartbeat");
	json_string(json, "summary",
	    "The bridge lives; events say so too. Nothing is stored");
	json_raw(json, "security", SECURITY);
	write_answers(json, heartbeat_answers);
	json_object_end(json);
	json_object_end(json);
}

static void
write_document(struct json *json)
{
	json_object_begin(json, "/v1/openapi.json");
	json_object_begin(json, "get");
	json_string(json, "operationId", "openapi");
	json_string(json, "summary", "This document");
	write_answers(json, document_answers);
	json_object_end(json);
	json_object_end(json);
}

static void
write_security(struct json *json)
{
	json_object_begin(json, "securitySchemes");
	json_raw(json, "bearer",
	    "{\"type\":\"http\",\"scheme\":\"bearer\",\"description\":"
	    "\"tocsinctl bridge bearer-key makes one for each bridge\"}");
	json_raw(json, "signature",
	    "{\"type\":\"apiKey\",\"in\":\"header\",\"name\":"
	    "\"X-Tocsin-Signature\",\"description\":\"bridge=ID,t=UNIX,v1=HEX: "
	    "HMAC-SHA256 with the bridge's key over t, method, target, "
	    "Idempotency-Key (or nothing) and body, with a line feed between "
	    "each two\"}");
	json_object_end(json);
}

void
http_event_openapi(struct json *json)
{
	json_object_begin(json, NULL);
	json_string(json, "openapi", "3.1.0");
	json_object_begin(json, "info");
	json_string(json, "title", "Tocsin bridge API");
	json_string(json, "version", PACKAGE_VERSION);
	json_object_end(json);
	json_object_begin(json, "paths");
	write_events(json);
	write_heartbeat(json);
	write_document(json);
	json_object_end(json);
	json_object_begin(json, "components");
	write_schemas(json);
	write_security(json);
	json_object_end(json);
	json_object_end(json);
}
