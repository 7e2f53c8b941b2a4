/*
 * One request of the API, from when it was read until its answer is sent. The
 * main thread fills it and sends the answer; between, one worker owns it.
 */
#ifndef PORTAL_EXCHANGE_H
#define PORTAL_EXCHANGE_H

#include <event2/http.h>
#include <event2/keyvalq_struct.h>
#include <stdbool.h>
#include <stdint.h>

#include "control/protocol.h"
#include "portal/route.h"
#include "portal/token.h"

#define EXCHANGE_SOURCE_SIZE  64
#define EXCHANGE_VERSION_SIZE 40    /* a hash, quoted */
#define EXCHANGE_LIFETIME_S   43200 /* of a session */

struct json;
struct geocoder;
struct seal_master;
struct stream;

enum exchange_credential {
	EXCHANGE_NOBODY,
	EXCHANGE_SESSION, /* the cookie */
	EXCHANGE_KEY,	  /* Authorization: Bearer */
};

struct exchange {
	struct evhttp_request *request; /* main thread; NULL: it hung up */
	struct exchange *next;
	void *server;
	const struct seal_master *master; /* NULL: none is configured */
	const struct geocoder *geocoder;
	struct stream *stream; /* whose batch this is; NULL: no stream's */

	/* what is asked */
	const struct route *route;
	char *path; /* owned; path_values borrow it */
	struct slice path_values[ROUTE_PATH_VALUES_MAX];
	struct evkeyvalq query;
	char *body; /* owned, NUL-terminated */
	size_t body_length;
	char if_match[EXCHANGE_VERSION_SIZE];
	char source[EXCHANGE_SOURCE_SIZE];
	enum exchange_credential credential;
	char token[TOKEN_TEXT_SIZE];
	char csrf[TOKEN_TEXT_SIZE]; /* the header; "" none */
	char *live;	     /* owned: what tocsind says; NULL: not asked */
	const char *tocsind; /* borrowed: its socket; NULL: none */

	/* for whom, once that is known */
	int64_t user_id;
	char role[32];
	bool writes_sites, writes_settings;
	/* what tocsind is to be asked once that is committed; owned */
	char *words[CONTROL_WORDS_MAX];
	unsigned word_count;

	/* what is answered */
	int status;
	char etag[EXCHANGE_VERSION_SIZE];
	char set_cookie[200];
	bool keep; /* what was stored stays also when the answer is a problem */
	struct json *answer;
};

/* NULL: no memory. */
struct exchange *exchange_new(void);

/* The same question again, without its body; NULL: no memory. */
struct exchange *exchange_copy(const struct exchange *exchange);

void exchange_free(struct exchange *exchange);

/* text is JSON already. */
void exchange_answer(struct exchange *exchange, int status, const char *text);

/* RFC 9457. field NULL: none in particular. Takes the place of any answer
 * before. */
void exchange_problem(struct exchange *exchange, int status, const char *field,
    const char *format, ...) __attribute__((format(printf, 4, 5)));

#endif
