/*
 * The configuration as one immutable object of our own. The main thread makes
 * and frees it; the workers look at it between two reloads.
 */
#ifndef INGRESS_SETTINGS_H
#define INGRESS_SETTINGS_H

#include <openssl/types.h>

#include "ingress/ingress.h"

struct settings {
	unsigned count;
	struct ingress_listener_config *listeners; /* names no files any more */
	SSL_CTX **tls; /* what they held; NULL: no TLS */
};

/* A deep copy, with the certificates read. -EINVAL with the reason: two
 * listeners of one name, or on one address, a certificate; -ENOMEM. */
int settings_make(struct settings **ret, const struct ingress_config *config,
    struct err *err);
void settings_close(struct settings **settings);

/* The same socket serves both: stream or datagrams, address and port are equal
 * (and the name, where the port is "any"). */
bool settings_same_socket(const struct ingress_listener_config *a,
    const struct ingress_listener_config *b);

#endif
