/*
 * Looking an address up at somebody else's service, from the server, so that
 * no browser tells a stranger where customers live and no key leaves. Waits
 * for the service: in a worker's thread.
 */
#ifndef PORTAL_GEOCODER_H
#define PORTAL_GEOCODER_H

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"

#define GEOCODER_PLACES_MAX 5
#define GEOCODER_TEXT_SIZE  160
#define GEOCODER_KEY_SIZE   256

struct geocoder_place {
	char label[2 * GEOCODER_TEXT_SIZE]; /* as the service writes it */
	char address1[GEOCODER_TEXT_SIZE];
	char city[GEOCODER_TEXT_SIZE];
	char region[GEOCODER_TEXT_SIZE];
	char postal_code[GEOCODER_TEXT_SIZE];
	char country[GEOCODER_TEXT_SIZE];
	double latitude, longitude;
};

/* A style of service: a row of the table in geocoder.c, and a file. */
struct geocoder_style {
	const char *name;
	const char *url; /* where it is when nothing else is said; NULL */
	bool needs_key;
	/* Behind the URL and '?': printf format of the escaped text. */
	const char *query;
	const char *key_query; /* of the escaped key */
	/* The answer's places, at most GEOCODER_PLACES_MAX. Their count, or
	 * -EPROTO. Pure. */
	int (*read)(const char *body, size_t length,
	    struct geocoder_place ret[GEOCODER_PLACES_MAX], struct err *err);
};
extern const struct geocoder_style geocoder_nominatim, geocoder_google;

struct geocoder {
	const struct geocoder_style *style; /* NULL: off */
	const char *url;
	char key[GEOCODER_KEY_SIZE]; /* "": none */
	bool uses_curl;
};

struct geocoder_settings {
	const char *style;    /* "off" or a style's name */
	const char *url;      /* "": the style's */
	const char *key_file; /* "": none */
};

/* Borrows the settings' texts. Before there are threads. 0 or -errno with what
 * is wrong with them; close it in any case. */
int geocoder_open(struct geocoder *geocoder,
    const struct geocoder_settings *settings, struct err *err);
void geocoder_close(struct geocoder *geocoder);

/* How many places there are for a text, or -errno: -EPROTO an answer that is
 * none, -EHOSTUNREACH no answer in time. */
int geocoder_find(const struct geocoder *geocoder, const char *text,
    struct geocoder_place ret[GEOCODER_PLACES_MAX], struct err *err);

#endif
