/*
 * HTTP above a link's connection, for outputs that post their messages: the
 * status of an answer is what the station says. An answer names no message, so
 * one is under way at a time. docs/PROTOCOLS.md, HTTP.
 */
#ifndef EGRESS_HTTP_H
#define EGRESS_HTTP_H

#include "egress/internal.h"

_Static_assert(HTTP_POST_HEAD_MAX < OUTPUT_MESSAGE_MAX, "room for a head");
#define HTTP_BODY_ROOM (OUTPUT_MESSAGE_MAX - HTTP_POST_HEAD_MAX)

/* What goes with a body; NULL: no such header. */
struct http_content {
	const char *type;
	const char *bearer, *idempotency_key, *signature;
};

/* In out the body stands from HTTP_POST_HEAD_MAX on. The length of the request
 * to the endpoint in use, or -EINVAL with *ret_problem. */
int http_encode(const struct link *link, const struct http_content *content,
    size_t body_bytes, char *out, const char **ret_problem);
/* For output.feed. */
size_t http_feed(struct link *link, const char *data, size_t length);

#endif
