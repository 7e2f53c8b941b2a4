/*
 * Events as bridges say them over HTTP, in JSON (docs/PROTOCOLS.md, HTTP bridge
 * API): one, or several as {"events": [..]}. One that makes no sense is refused
 * by itself, and says which of its fields is wrong; the others are taken.
 */
#ifndef CODEC_HTTP_EVENT_H
#define CODEC_HTTP_EVENT_H

#include "codec/codec.h"
#include "signal/signal.h"

struct json; /* base/json.h, which clashes with the parser's own names */

/* What an event is about; each has fields of its own. */
enum http_event_kind {
	HTTP_EVENT_ZONE = 1 << 0,	/* a channel: zone, state */
	HTTP_EVENT_INPUT = 1 << 1,	/* the bridge's arming input */
	HTTP_EVENT_CONTACT_ID = 1 << 2, /* qualifier, code */
	HTTP_EVENT_SIA = 1 << 3,	/* sia */
};

/* Code of an event that is told by its zone alone. The alarm library has the
 * zone's own; this is what goes out for a zone that nobody knows. */
#define HTTP_EVENT_ZONE_CODE "140"
/* Of the arming input: closed closes. */
#define HTTP_EVENT_INPUT_CODE "409"

/* What a field of an event may hold: the check and its description are one. */
struct http_event_field {
	const char *name;
	unsigned kinds;		/* enum http_event_kind that may have it */
	unsigned decides;	/* the kind that it makes an event; 0 */
	unsigned needed_by;	/* kinds that must have it */
	const char *choices[4]; /* NULL behind the last; none: characters */
	const char *characters; /* of which it consists; NULL: any text */
	unsigned min, max;	/* how many of them */
	const char *pattern; /* the same as a regular expression; NULL: any */
	const char *help;
};
/* A row without a name is the last. */
extern const struct http_event_field http_event_fields[];

#define HTTP_EVENT_REASON_SIZE 128

struct http_events {
	unsigned count;			 /* that were said */
	bool refused[SIGNAL_EVENTS_MAX]; /* by their place */
	char reasons[SIGNAL_EVENTS_MAX][HTTP_EVENT_REASON_SIZE];
	void *content; /* what the signal's slices borrow */
};

/*
 * CODEC_OK: the signal has the events that are taken, in their order (none, when
 * all are refused), and panel_time_us; its slices borrow ret until
 * http_events_close. CODEC_BAD with the sentence: nothing can be told apart.
 */
enum codec_result http_events_decode(struct slice body, struct signal *signal,
    struct http_events *ret, char ret_problem[HTTP_EVENT_REASON_SIZE]);
void http_events_close(struct http_events *events);

/* {"results": [..]}: what became of each, once that is so. A function of the
 * body alone: it says the same when the request comes again. */
void http_events_results(const struct http_events *events, struct json *json);

/* The API as an OpenAPI 3.1 document. */
void http_event_openapi(struct json *json);

#endif
