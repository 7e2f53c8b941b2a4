#include "load/secure.h"

#include <errno.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <string.h>
#include <sys/socket.h>

#include "base/tls.h"

/* ---- what they share ---------------------------------------------------------- */

/* Of the target's address, which its certificate must name. */
static int
verify_target(SSL_CTX *context, const struct load_options *o, struct err *err)
{
	X509_VERIFY_PARAM *param = SSL_CTX_get0_param(context);
	const struct socket_address *target = &o->target;
	bool v4 = target->any.sa_family == AF_INET;

	if (SSL_CTX_load_verify_file(context, o->ca) != 1)
		return tls_refuse_file(err, "--ca", o->ca);
	SSL_CTX_set_verify(context, SSL_VERIFY_PEER, NULL);
	return X509_VERIFY_PARAM_set1_ip(param,
		   v4 ? (const unsigned char *)&target->v4.sin_addr
		      : (const unsigned char *)&target->v6.sin6_addr,
		   v4 ? sizeof(target->v4.sin_addr)
		      : sizeof(target->v6.sin6_addr)) == 1
	    ? 0
	    : err_set(err, -ENOMEM, "out of memory for TLS");
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
	if (!context || tls_set_rules(context) < 0)
		result = err_set(err, -ENOMEM, "out of memory for TLS");
	if (result == 0 && options->ca)
		result = verify_target(context, options, err);
	if (result == 0 && options->certificate)
		result = tls_use_certificate(context, "--certificate",
		    options->certificate, "--certificate", NULL, err);
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
	if (!panel->ssl)
		return 1;
	switch (tls_handshake(panel->ssl)) {
	case TLS_DONE:
		return 1;
	case TLS_WANTS_READ:
	case TLS_WANTS_WRITE:
		return 0;
	case TLS_FAILED:
		break;
	}
	*ret_reason = tls_failure(panel->ssl);
	return -EPROTO;
}

void
secure_end(struct panel *panel)
{
	tls_end(&panel->ssl);
}

ssize_t
secure_send(const struct panel *panel, const void *data, size_t length)
{
	return panel->ssl ? tls_send(panel->ssl, data, length)
			  : send(panel->fd, data, length, MSG_NOSIGNAL);
}

ssize_t
secure_receive(const struct panel *panel, void *data, size_t size)
{
	bool more; /* the caller reads on until nothing comes */

	return panel->ssl ? tls_receive(panel->ssl, data, size, &more)
			  : recv(panel->fd, data, size, 0);
}
