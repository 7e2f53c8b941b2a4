#include "base/tls.h"

#include <errno.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <string.h>

static const char suites_12[] =
    "ECDHE+AESGCM:ECDHE+CHACHA20:ECDHE+AESCCM:!AESCCM8";
static const char suites_13[] =
    "TLS_AES_128_GCM_SHA256:TLS_CHACHA20_POLY1305_SHA256:TLS_AES_256_GCM_SHA384";

/* An idle connection holds no buffers. */
int
tls_set_rules(SSL_CTX *context)
{
	SSL_CTX_set_options(context,
	    SSL_OP_NO_TICKET | SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION |
		SSL_OP_CIPHER_SERVER_PREFERENCE | SSL_OP_IGNORE_UNEXPECTED_EOF);
	SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_OFF);
	SSL_CTX_set_mode(context,
	    SSL_MODE_RELEASE_BUFFERS | SSL_MODE_ENABLE_PARTIAL_WRITE |
		SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
	SSL_CTX_set_read_ahead(context, 1);
	return SSL_CTX_set_min_proto_version(context, TLS1_2_VERSION) == 1 &&
		SSL_CTX_set_num_tickets(context, 0) == 1 &&
		SSL_CTX_set_cipher_list(context, suites_12) == 1 &&
		SSL_CTX_set_ciphersuites(context, suites_13) == 1
	    ? 0
	    : -ENOMEM;
}

/* ---- certificates ----------------------------------------------------------- */

/* The first error is the cause, those after it say who passed it on. */
int
tls_refuse_file(struct err *err, const char *setting, const char *path)
{
	unsigned long error = ERR_peek_error();
	const char *reason = ERR_SYSTEM_ERROR(error)
	    ? strerror(ERR_GET_REASON(error))
	    : ERR_reason_error_string(error);

	ERR_clear_error();
	return err_set(err, -EINVAL, "%s: %s: %s", setting, path,
	    reason ? reason : "not readable as PEM");
}

/* A key behind a passphrase would make the library ask on the terminal. */
static int
no_passphrase(char *out, int size, int writing, void *context)
{
	(void)out;
	(void)size;
	(void)writing;
	(void)context;
	return -1;
}

int
tls_use_certificate(SSL_CTX *context, const char *setting, const char *path,
    const char *key_setting, const char *key, struct err *err)
{
	if (!key || !*key)
		key = path;
	SSL_CTX_set_default_passwd_cb(context, no_passphrase);
	if (SSL_CTX_use_certificate_chain_file(context, path) != 1)
		return tls_refuse_file(err, setting, path);
	if (SSL_CTX_use_PrivateKey_file(context, key, SSL_FILETYPE_PEM) != 1)
		return tls_refuse_file(err, key_setting, key);
	return 0;
}

/* ---- a connection ----------------------------------------------------------- */

const char *
tls_failure(const SSL *ssl)
{
	long verdict = SSL_get_verify_result(ssl);
	unsigned long error = ERR_peek_error();
	const char *reason = ERR_SYSTEM_ERROR(error)
	    ? strerror(ERR_GET_REASON(error))
	    : ERR_reason_error_string(error);

	if (verdict != X509_V_OK)
		return X509_verify_cert_error_string(verdict);
	return reason ? reason : "TLS: the connection was lost";
}

enum tls_step
tls_handshake(SSL *ssl)
{
	int result;

	ERR_clear_error();
	result = SSL_do_handshake(ssl);
	if (result == 1)
		return TLS_DONE;
	switch (SSL_get_error(ssl, result)) {
	case SSL_ERROR_WANT_READ:
		return TLS_WANTS_READ;
	case SSL_ERROR_WANT_WRITE:
		return TLS_WANTS_WRITE;
	default:
		return TLS_FAILED;
	}
}

/* What the library says instead of a number of bytes. wait: what may be waited
 * for; a peer that demands an answer of the library's own and takes none is in
 * error like any other. */
static ssize_t
ended(const SSL *ssl, int result, int wait)
{
	int cause = errno;
	int error = SSL_get_error(ssl, result);

	if (error == SSL_ERROR_ZERO_RETURN)
		return 0;
	if (error == SSL_ERROR_SYSCALL)
		errno = cause == 0 || cause == EAGAIN ? ECONNRESET : cause;
	else
		errno = error == wait ? EAGAIN : EPROTO;
	return -1;
}

ssize_t
tls_receive(SSL *ssl, void *data, size_t size, bool *ret_more)
{
	size_t length = 0, n;
	int result;

	ERR_clear_error();
	do {
		n = 0;
		result =
		    SSL_read_ex(ssl, (char *)data + length, size - length, &n);
		length += n;
	} while (result == 1 && length < size && SSL_has_pending(ssl));
	*ret_more = length > 0 &&
	    (length == size ||
		(result != 1 &&
		    SSL_get_error(ssl, result) != SSL_ERROR_WANT_READ));
	return length > 0 ? (ssize_t)length
			  : ended(ssl, result, SSL_ERROR_WANT_READ);
}

ssize_t
tls_send(SSL *ssl, const void *data, size_t length)
{
	size_t written = 0, n;
	int result;

	ERR_clear_error();
	do {
		n = 0;
		result = SSL_write_ex(ssl, (const char *)data + written,
		    length - written, &n);
		written += n;
	} while (result == 1 && written < length);
	return written > 0 ? (ssize_t)written
			   : ended(ssl, result, SSL_ERROR_WANT_WRITE);
}

void
tls_end(SSL **ssl)
{
	if (*ssl && SSL_is_init_finished(*ssl))
		SSL_shutdown(*ssl);
	ERR_clear_error();
	SSL_free(*ssl);
	*ssl = NULL;
}
