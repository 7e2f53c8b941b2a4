/*
 * A delivery as one JSON object, whose members have the names that its format
 * gives them: JSON lines, webhooks. Always UTF-8. Pure.
 */
#ifndef CODEC_EVENT_JSON_H
#define CODEC_EVENT_JSON_H

#include "signal/delivery.h"

struct json; /* base/json.h */

/* Of its members; those of the event are the same everywhere. */
struct event_json_form {
	const char *id, *receiver, *line, *account, *reference_id, *zone_name,
	    *site_name, *text, *text_omitted, *occurred_at, *received_at, *url,
	    *test;
	const char *event;   /* an object of its own; NULL: among the others */
	const char *no_room; /* the problem of one that is too long */
};

struct event_json_settings {
	const char *id;	   /* of this delivery, the same whenever it is sent */
	uint64_t sequence; /* of the receiver; 0: not told */
	const char *receiver, *line;
	/* of the other kind, "E130" or "BA"; NULL or "": the code table's */
	const char *other_code;
};

/*
 * The object, without a line break, into json (which is reset); 0, or -EINVAL
 * with *ret_problem (static). A panel's text without which it has less than
 * `most` bytes is left out and marked so.
 */
int event_json_write(const struct event_json_form *form,
    const struct event_json_settings *settings, const struct delivery *delivery,
    size_t most, struct json *json, const char **ret_problem);

#endif
