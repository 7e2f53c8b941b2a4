/*
 * Who says it: a bridge proves by each request that it has its key, by bearer
 *
 *	Authorization: Bearer tb-BRIDGE-SECRET
 *
 * or without telling it, by HMAC-SHA256 with the bridge's own key
 *
 *	X-Tocsin-Signature: bridge=BRIDGE,t=UNIX,v1=HEX
 *
 * over "t LF method LF target LF idempotency key LF body". Who is not known
 * is refused after the same work as who has another key.
 */
#ifndef INGRESS_HTTP_KEY_H
#define INGRESS_HTTP_KEY_H

#include "codec/http.h"
#include "ingress/frame.h"

struct http_proof {
	const struct directory_bridge *bridge; /* NULL: refused */
	struct slice claimed; /* its id as said; SLICE_NONE: it said none */
	/* with a key before the last roll: until when it is accepted; or 0 */
	int64_t previous_until_us;
	char signature[65]; /* of this request alone, a text; "": bearer */
	enum ingress_refusal cause;
	const char *reason; /* static text */
};

/* The worker is online in the directory. Everything borrows the request. */
struct http_proof http_key_prove(const struct frame_origin *origin,
    const struct http_request *request);

#endif
