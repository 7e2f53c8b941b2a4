/*
 * The webhook (docs/PROTOCOLS.md, Webhook): its body, one JSON object with the
 * facts and names of the XML package, and its signature, both ways:
 *
 *	t=UNIX,v1=HEX
 *
 * where HEX is the HMAC-SHA256 of "UNIX.BODY" under the receiver's passkey.
 */
#ifndef CODEC_WEBHOOK_H
#define CODEC_WEBHOOK_H

#include <stdbool.h>
#include <stdint.h>

#include "codec/event_json.h"

#define WEBHOOK_BODY_MAX       16384
#define WEBHOOK_SIGNATURE_SIZE 96

/* The body, less than WEBHOOK_BODY_MAX bytes; as event_json_write. No sequence
 * is told. */
int webhook_write(const struct event_json_settings *settings,
    const struct delivery *delivery, struct json *json,
    const char **ret_problem);
/* The body of "are you there?". */
#define WEBHOOK_HEARTBEAT "{\"version\":1,\"Heartbeat\":true}"

/* wall_us: not before 1970. */
void webhook_sign(struct slice passkey, int64_t wall_us, struct slice body,
    char out[WEBHOOK_SIGNATURE_SIZE]);
/* Whether it is the body's, made at *ret_time_s; how old it may be is for the
 * caller to say. */
bool webhook_is_signed(struct slice passkey, struct slice signature,
    struct slice body, int64_t *ret_time_s);

#endif
