/*
 * HTTP/1.1 (RFC 9110, 9112) as the bridge API speaks it, and no more: requests
 * with a Content-Length, read strictly so that nobody in between can see
 * another request than we do. Nothing here allocates.
 */
#ifndef CODEC_HTTP_H
#define CODEC_HTTP_H

#include <stdbool.h>

#include "codec/codec.h"

#define HTTP_HEAD_MAX	 8192
#define HTTP_BODY_MAX	 16384
#define HTTP_REQUEST_MAX (HTTP_HEAD_MAX + HTTP_BODY_MAX)
#define HTTP_FIELD_LINES 64

/* The fields that are looked at; each may come once. */
enum http_field {
	HTTP_HOST,
	HTTP_CONTENT_LENGTH,
	HTTP_CONTENT_TYPE,
	HTTP_TRANSFER_ENCODING,
	HTTP_CONNECTION,
	HTTP_EXPECT,
	HTTP_AUTHORIZATION,
	HTTP_IDEMPOTENCY_KEY,
	HTTP_SIGNATURE, /* X-Tocsin-Signature */
	HTTP_FIELDS
};

struct http_request {
	struct slice method;		  /* "POST" */
	struct slice target;		  /* "/v1/events", a query included */
	struct slice fields[HTTP_FIELDS]; /* SLICE_NONE: absent */
	bool keep_alive;
	bool awaits_continue; /* the body comes when we say so */
	size_t head_bytes;    /* 0: the head is not whole */
	struct slice body;
};

struct http_fault {
	unsigned status;    /* to be answered; 0: no HTTP, nothing is said */
	const char *reason; /* static text */
};

/*
 * The request that data begins with; its slices borrow data. CODEC_OK: it is
 * whole, head_bytes + body.length of it. CODEC_MORE: its head may be whole
 * already (head_bytes). CODEC_BAD: there is no telling where the next one
 * begins; the head's fields are not filled in.
 */
enum codec_result http_request_decode(struct slice data,
    struct http_request *ret, struct http_fault *ret_fault);

#define HTTP_REPLY_HEAD_MAX 512

struct http_reply {
	unsigned status;
	const char *content_type; /* NULL: no content */
	const char *allow;	  /* NULL: no such field */
	bool authenticate;	  /* tell how one proves who one is */
	unsigned retry_s;	  /* 0: nothing about when to try again */
	bool close;		  /* the connection ends with it */
	int64_t date_us;	  /* our clock */
	struct slice content;
};

/* Into out; the length, or -ENOBUFS. */
int http_reply_encode(const struct http_reply *reply, char *out,
    size_t out_size);
/* "Not Found"; of the statuses that we give. */
const char *http_status_text(unsigned status);

/* What tells a client to send its body. */
#define HTTP_CONTINUE "HTTP/1.1 100 Continue\r\n\r\n"

#endif
