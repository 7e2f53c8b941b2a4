/*
 * Live views: requests whose answer goes on (Server-Sent Events) with the
 * signals that tocsind tells. What a user may see of them is asked of
 * PostgreSQL for each batch, with the request's session and parameters, as for
 * any other request: a session that ends, or a site that changes hands, ends or
 * changes the view with the next batch. A view begins when every signal from
 * then on is told: who sees it open misses none. Main thread.
 */
#ifndef PORTAL_STREAM_H
#define PORTAL_STREAM_H

#include <event2/event.h>

#include "base/err.h"
#include "base/slice.h"
#include "portal/exchange.h"

#define STREAMS_MAX	   128
#define STREAMS_A_USER_MAX 16

struct streams;

/* What the streams need of whoever serves. */
struct stream_server {
	void *context;
	/* As work_take. */
	bool (*take)(void *context, struct exchange *exchange);
	/* Sends the answer of an exchange that became no stream. Takes it. */
	void (*finish)(void *context, struct exchange *exchange);
	/* Headers that every answer has. */
	void (*add_headers)(void *context, struct evhttp_request *request);
	/* Whether there are any streams. True: each signal from now on comes. */
	bool (*follow)(void *context, bool wanted);
};

/* 0 or -errno. */
int streams_open(struct event_base *base, const struct stream_server *server,
    struct streams **ret, struct err *err);
/* After the HTTP server and the workers. */
void streams_close(struct streams **streams);

/* The request of a route that is a stream, prepared. Takes the exchange. */
void streams_begin(struct streams *streams, struct exchange *exchange);
/* A batch is back from a worker: an exchange whose stream is set. Takes it. */
void streams_done(struct streams *streams, struct exchange *exchange);

/* A signal; text.data NULL: some may be missing. */
void streams_signal(struct streams *streams, struct slice text);

#endif
