/*
 * The portal's HTTP side: listener, headers, who asks from where, files of the
 * pages; what is behind ROUTE_API goes to the workers. Main thread.
 */
#ifndef PORTAL_SERVER_H
#define PORTAL_SERVER_H

#include <event2/event.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "portal/geocoder.h"

struct server;

struct server_settings {
	const char *listen;	 /* HOST:PORT */
	const char *certificate; /* PEM, chain included; NULL: plain HTTP */
	const char *key;	 /* PEM */
	const char *origin;	 /* "https://portal.example"; NULL: by Host */
	bool behind_proxy;	 /* the last X-Forwarded-For is the source */
	const char *conninfo;
	const char *web;	/* directory of the pages */
	const char *master_key; /* file that seals second factors; NULL: none */
	unsigned threads;	/* connections to the database; 0: a default */
	struct geocoder_settings geocoder;
	const char *tocsind; /* its socket for the portal; NULL: none */
};

/* Borrows the settings. Plain HTTP only on loopback: -EINVAL otherwise. 0 or
 * -errno. */
int server_open(struct event_base *base, const struct server_settings *settings,
    struct server **ret, struct err *err);
void server_close(struct server **server);

/* Other settings, borrowed from then on: certificate and pages are read anew,
 * address and database stay. On failure what was there stays; -EINVAL: from
 * plain HTTP to HTTPS or back takes a restart. */
int server_reload(struct server *server, const struct server_settings *fresh,
    struct err *err);

uint16_t server_port(const struct server *server);

#endif
