/*
 * What a TLS listener shows and demands: certificate, key, whose clients it
 * believes. Read from files into an object that never changes; connections
 * hold it, so that one that was replaced lives until its last connection has
 * gone. The rules are base/tls.h's.
 */
#ifndef INGRESS_TLS_SERVER_H
#define INGRESS_TLS_SERVER_H

#include <openssl/types.h>

#include "base/json.h"
#include "ingress/ingress.h"

/* -EINVAL with the setting, the file and the reason; -ENOMEM. */
int tls_server_open(SSL_CTX **ret, const struct ingress_tls_config *config,
    struct err *err);
void tls_server_close(SSL_CTX **server);

/* A log line: which certificate is in force for this listener, and until
 * when. */
void tls_server_log(const SSL_CTX *server, const char *listener);
/* The same as members of an open object. */
void tls_server_show(const SSL_CTX *server, struct json *json);

#endif
