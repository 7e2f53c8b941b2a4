/* TLS of the panels' connections. Sending and receiving look like send() and
 * recv(), clear where the panel has no TLS. */
#ifndef LOAD_SECURE_H
#define LOAD_SECURE_H

#include <openssl/types.h>

#include "load/options.h"
#include "load/panel.h"

/* What all panels of a generator share. *ret is NULL without --tls. -EINVAL
 * with the file and the reason, -ENOMEM. */
int secure_open(SSL_CTX **ret, const struct load_options *options,
    struct err *err);
void secure_close(SSL_CTX **context);

/* The panel's socket is connected, or connecting. -ENOMEM. */
int secure_begin(SSL_CTX *context, struct panel *panel);
/* One step of the handshake: 1 it is complete, 0 wait for the socket, -EPROTO
 * with why it failed. */
int secure_step(struct panel *panel, const char **ret_reason);
void secure_end(struct panel *panel);

ssize_t secure_send(const struct panel *panel, const void *data, size_t length);
ssize_t secure_receive(const struct panel *panel, void *data, size_t size);

#endif
