/*
 * HTTP/1.1 from the client's side: a POST, and the answers to it. An answer's
 * status is all that is wanted; the other fields and the body, however long, are
 * read over. Nothing here allocates.
 */
#ifndef CODEC_HTTP_CLIENT_H
#define CODEC_HTTP_CLIENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define HTTP_POST_HEAD_MAX 2048 /* in front of the body */

struct http_post {
	const char *host; /* for the Host header, without the port */
	uint16_t port;
	bool tls; /* for the usual port, which is not written */
	const char *path;
	const char *content_type;
	/* NULL: no such header */
	const char *bearer, *idempotency_key, *signature;
};

/* In out the body stands from HTTP_POST_HEAD_MAX on; the head is put before it
 * and both are moved to its beginning. The length of the whole, 0 when the head
 * has no room or a value would break its line. */
size_t http_post_encode(const struct http_post *post, char *out,
    size_t body_bytes);

enum http_answer_part {
	HTTP_ANSWER_HEAD,
	HTTP_ANSWER_BODY,
	HTTP_ANSWER_CHUNK_SIZE,
	HTTP_ANSWER_CHUNK,
	HTTP_ANSWER_CHUNK_END,
	HTTP_ANSWER_TRAILER,
};

/* A stream of answers. */
struct http_answers {
	enum http_answer_part next;
	uint64_t left; /* of a body or chunk */

	bool found;
	unsigned status; /* of the last answer */
	bool last;	 /* nothing can follow that on this connection */
};

void http_answers_begin(struct http_answers *answers);
/*
 * Reads on until the head of an answer is complete (`found`; not of interim
 * ones) or more bytes are needed. How many were used; the others come again,
 * with more behind them. -EBADMSG: this is no HTTP.
 */
int http_answers_next(struct http_answers *answers, const char *data,
    size_t length);

#endif
