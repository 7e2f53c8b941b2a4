/* What JSON objects say: JSON lines and webhooks. One thread. */
#ifndef STATION_JSON_EVENT_H
#define STATION_JSON_EVENT_H

#include <jansson.h>

#include "signal/signal.h"

/* Both borrow the object. False: it is none of ours. signal.sequence is its
 * id; a heartbeat is a poll. */
bool json_event_read_line(const json_t *object, struct signal *ret);
bool json_event_read_webhook(const json_t *object, struct signal *ret);
/* NULL: no JSON object. */
json_t *json_event_parse(struct slice text);

#endif
