/* What TLS towards an endpoint shows and demands. Main loop only. */
#ifndef EGRESS_TLS_CLIENT_H
#define EGRESS_TLS_CLIENT_H

#include <openssl/types.h>

#include "base/err.h"
#include "directory/directory.h"

/* What all endpoints share. Zero-initialise to begin, but: */
struct tls_client {
	const char *directory; /* of PEM files; NULL: none may be named */
	X509_STORE *system;    /* whom the system trusts, once it was asked */
};

/*
 * For one connection: the endpoint's files are read anew each time, so that
 * renewed ones take force with the next; the system's authorities once, for
 * they are many. The peer's certificate must be signed by the endpoint's
 * authority, or be that very one, and name the host. -EINVAL with the file and
 * the reason; -ENOMEM.
 */
int tls_client_open(struct tls_client *client,
    const struct directory_endpoint *endpoint, SSL **ret, struct err *err);
void tls_client_close(struct tls_client *client);

#endif
