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

#include "portal/route.h"
#include "portal/token.h"

#define EXCHANGE_SOURCE_SIZE  64
#define EXCHANGE_VERSION_SIZE 40    /* a hash, quoted */
#define EXCHANGE_LIFETIME_S   43200 /* of a session */

struct json;
struct geocoder;
struct seal_master;

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

	/* for whom, once that is known */
	int64_t user_id;
	bool writes_sites, writes_settings;

	/* what is answered */
	int status;
	char etag[EXCHANGE_VERSION_SIZE];
	char set_cookie[200];
	bool keep; /* what was stored stays also when the answer is a problem */
	struct json *answer;
};

/* NULL: no memory. */
struct exchange *exchange_new(void);

void exchange_free(struct exchange *exchange);

/* RFC 9457. field NULL: none in particular. Takes the place of any answer
 * before. */
void exchange_problem(struct exchange *exchange, int status, const char *field,
    const char *format, ...) __attribute__((format(printf, 4, 5)));

#endif
