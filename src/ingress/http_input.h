/*
 * The bridge API (docs/PROTOCOLS.md): events and heartbeats of bridges as HTTP
 * requests on a session. The answer to an event waits for its record like every
 * other; the answers of a session leave in the order of its requests.
 */
#ifndef INGRESS_HTTP_INPUT_H
#define INGRESS_HTTP_INPUT_H

#include "codec/http.h"
#include "ingress/frame.h"

/* One whole request: 0, or -EAGAIN as frame_handle. It may finish the session. */
int http_input_handle(const struct frame_origin *origin,
    const struct http_request *request);
/* The head is here and the body is not: say so where that is waited for. */
void http_input_await_body(const struct frame_origin *origin,
    const struct http_request *request);
/* What made no request: answered where it was HTTP; the session finishes. */
void http_input_bad(const struct frame_origin *origin,
    const struct http_fault *fault, struct slice bytes);
/* An answer was owed and cannot be given: nothing was promised. */
void http_input_drop(struct session *session);

#endif
