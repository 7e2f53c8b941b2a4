/*
 * What all TLS of ours has in common: versions and suites, reading of
 * certificates, the bytes of a connection, and what is told of a failure. TLS
 * 1.2 with AEAD and forward secrecy, or TLS 1.3; no tickets, no early data, no
 * renegotiation. A program that writes ignores SIGPIPE. An object belongs to
 * one thread; a context that never changes may be shared.
 */
#ifndef BASE_TLS_H
#define BASE_TLS_H

#include <openssl/types.h>
#include <stdbool.h>
#include <sys/types.h>

#include "base/err.h"

/* To a new context. 0 or -ENOMEM. */
int tls_set_rules(SSL_CTX *context);

/* The certificate with its chain, and its key, from PEM files (key NULL or "":
 * in the same one). -EINVAL with the setting, the file and the reason; a key
 * behind a passphrase is none. */
int tls_use_certificate(SSL_CTX *context, const char *setting, const char *path,
    const char *key_setting, const char *key, struct err *err);
/* -EINVAL for a file that the library has just refused, with its reason. */
int tls_refuse_file(struct err *err, const char *setting, const char *path);

/* Why the library gave this connection up; lasts. */
const char *tls_failure(const SSL *ssl);

enum tls_step {
	TLS_DONE,
	TLS_WANTS_READ, /* when the socket can be read */
	TLS_WANTS_WRITE,
	TLS_FAILED,
};
enum tls_step tls_handshake(SSL *ssl);

/* As recv() and send() without blocking; EPROTO: tls_failure
 * tells why. *ret_more: there may be more without the socket saying so. */
ssize_t tls_receive(SSL *ssl, void *data, size_t size, bool *ret_more);
ssize_t tls_send(SSL *ssl, const void *data, size_t length);
/* Says goodbye where that is possible; the descriptor stays open. *ssl may be
 * NULL, and is afterwards. */
void tls_end(SSL **ssl);

#endif
