#include "load/secure.h"

#include <errno.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <string.h>
#include <sys/socket.h>

/* The library's oldest error is the cause. */
static const char *
failure(const SSL *ssl)
{
	unsigned long error = ERR_peek_error();
	long verdict = ssl ? SSL_get_verify_result(ssl) : X509_V_OK;
	const char *reason;

	if (verdict != X509_V_OK)
		return X509_verify_cert_error_string(verdict);
	if (ERR_SYSTEM_ERROR(error))
		return strerror(ERR_GET_REASON(error));
	reason = ERR_reason_error_string(error);
	return reason ? reason : "the TLS handshake was broken off";
}

/* ---- what they share ---------------------------------------------------------- */

/* Of the target's address, which its certificate must name. */
static int
verify_target(SSL_CTX *context, const struct load_options *o, struct err *err)
{
	X509_VERIFY_PARAM *param = SSL_CTX_get0_param(context);
	const struct socket_address *target = &o->target;
	bool v4 = target->any.sa_family == AF_INET;

	if (SSL_CTX_load_verify_file(context, o->ca) != 1)
		return err_set(err, -EINVAL, "--ca: %s: %s", o->ca,
		    failure(NULL));
	SSL_CTX_set_verify(context, SSL_VERIFY_PEER, NULL);
	return X509_VERIFY_PARAM_set1_ip(param,
		   v4 ? (const unsigned char *)&target->v4.sin_addr
		      : (const unsigned char *)&target->v6.sin6_addr,
		   v4 ? sizeof(target->v4.sin_addr)
		      : sizeof(target->v6.sin6_addr)) == 1
	    ? 0
	    : err_set(err, -ENOMEM, "out of memory for TLS");
}

static int
use_certificate(SSL_CTX *context, const char *path, struct err *err)
{
	if (SSL_CTX_use_certificate_chain_file(context, path) != 1 ||
	    SSL_CTX_use_PrivateKey_file(context, path, SSL_FILETYPE_PEM) != 1)
		return err_set(err, -EINVAL, "--certificate: %s: %s", path,
		    failure(NULL));
	return 0;
}

int
secure_open(SSL_CTX **ret, const struct load_options *options, struct err *err)
{
	SSL_CTX *context;
	int result = 0;

	*ret = NULL;
	if (!options->tls)
		return 0;
	ERR_clear_error();
	context = SSL_CTX_new(TLS_client_method());
	if (!context)
		return err_set(err, -ENOMEM, "out of memory for TLS");
	SSL_CTX_set_mode(context,
	    SSL_MODE_RELEASE_BUFFERS | SSL_MODE_ENABLE_PARTIAL_WRITE |
		SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
	SSL_CTX_set_options(context, SSL_OP_IGNORE_UNEXPECTED_EOF);
	SSL_CTX_set_read_ahead(context, 1);
	if (options->ca)
		result = verify_target(context, options, err);
	if (result == 0 && options->certificate)
		result = use_certificate(context, options->certificate, err);
	if (result < 0)
		secure_close(&context);
	*ret = context;
	return result;
}

void
secure_close(SSL_CTX **context)
{
	SSL_CTX_free(*context);
	*context = NULL;
}

/* ---- a connection ------------------------------------------------------------- */

int
secure_begin(SSL_CTX *context, struct panel *panel)
{
	if (!context)
		return 0;
	panel->ssl = SSL_new(context);
	if (!panel->ssl || SSL_set_fd(panel->ssl, panel->fd) != 1) {
		secure_end(panel);
		return -ENOMEM;
	}
	SSL_set_connect_state(panel->ssl);
	return 0;
}

int
secure_step(struct panel *panel, const char **ret_reason)
{
	int result, error;

	if (!panel->ssl)
		return 1;
	ERR_clear_error();
	result = SSL_do_handshake(panel->ssl);
	if (result == 1)
		return 1;
	error = SSL_get_error(panel->ssl, result);
	if (error == SSL_ERROR_WANT_READ || error == SSL_ERROR_WANT_WRITE)
		return 0;
	*ret_reason = failure(panel->ssl);
	return -EPROTO;
}

void
secure_end(struct panel *panel)
{
	if (panel->ssl && SSL_is_init_finished(panel->ssl))
		SSL_shutdown(panel->ssl);
	ERR_clear_error();
	SSL_free(panel->ssl);
	panel->ssl = NULL;
}

static ssize_t
ended(const struct panel *panel, int result)
{
	int error = SSL_get_error(panel->ssl, result);

	errno = error == SSL_ERROR_WANT_READ || error == SSL_ERROR_WANT_WRITE
	    ? EAGAIN
	    : EPROTO;
	return error == SSL_ERROR_ZERO_RETURN ? 0 : -1;
}

ssize_t
secure_send(const struct panel *panel, const void *data, size_t length)
{
	size_t n;
	int result;

	if (!panel->ssl)
		return send(panel->fd, data, length, MSG_NOSIGNAL);
	ERR_clear_error();
	result = SSL_write_ex(panel->ssl, data, length, &n);
	return result == 1 ? (ssize_t)n : ended(panel, result);
}

ssize_t
secure_receive(const struct panel *panel, void *data, size_t size)
{
	size_t n;
	int result;

	if (!panel->ssl)
		return recv(panel->fd, data, size, 0);
	ERR_clear_error();
	result = SSL_read_ex(panel->ssl, data, size, &n);
	return result == 1 ? (ssize_t)n : ended(panel, result);
}
