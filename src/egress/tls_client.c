#include "egress/tls_client.h"

#include <errno.h>
#include <limits.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <stdio.h>

#include "base/socket.h"
#include "base/tls.h"

static int
find_file(const char *directory, const char *name, char out[PATH_MAX],
    struct err *err)
{
	int length;

	if (!directory || !*directory)
		return err_set(err, -EINVAL,
		    "%s: no directory of certificates is set", name);
	length = snprintf(out, PATH_MAX, "%s/%s", directory, name);
	return length < PATH_MAX
	    ? 0
	    : err_set(err, -EINVAL, "%s: the path is too long", name);
}

static int
trust_system(SSL_CTX *context, struct tls_client *client, struct err *err)
{
	if (!client->system) {
		client->system = X509_STORE_new();
		if (!client->system ||
		    X509_STORE_set_default_paths(client->system) != 1)
			return err_set(err, -ENOMEM, "no memory for TLS");
	}
	SSL_CTX_set1_cert_store(context, client->system);
	return 0;
}

/* A receiver's own certificate, signed by itself or by whomever, may stand for
 * its authority. */
static int
trust(SSL_CTX *context, const struct directory_endpoint *endpoint,
    struct tls_client *client, struct err *err)
{
	char path[PATH_MAX];

	SSL_CTX_set_verify(context, SSL_VERIFY_PEER, NULL);
	if (!*endpoint->tls_ca)
		return trust_system(context, client, err);
	X509_VERIFY_PARAM_set_flags(SSL_CTX_get0_param(context),
	    X509_V_FLAG_PARTIAL_CHAIN);
	if (find_file(client->directory, endpoint->tls_ca, path, err) < 0)
		return -EINVAL;
	return SSL_CTX_load_verify_file(context, path) == 1
	    ? 0
	    : tls_refuse_file(err, "the receiver's authority", path);
}

static int
introduce(SSL_CTX *context, const struct directory_endpoint *endpoint,
    const char *directory, struct err *err)
{
	char path[PATH_MAX];

	if (!*endpoint->tls_certificate)
		return 0;
	if (find_file(directory, endpoint->tls_certificate, path, err) < 0)
		return -EINVAL;
	return tls_use_certificate(context, "our certificate", path,
	    "our certificate", NULL, err);
}

static int
expect(SSL *ssl, const struct directory_endpoint *endpoint)
{
	const char *name =
	    *endpoint->tls_name ? endpoint->tls_name : endpoint->host;
	struct socket_address numeric;
	char host[256]; /* OpenSSL's macro takes no const; no name is longer */

	SSL_set_hostflags(ssl, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
	if (socket_address_make(name, 0, &numeric, NULL) == 0)
		return X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(ssl),
			   name) == 1
		    ? 0
		    : -ENOMEM;
	return slice_copy(slice_from_string(name), host, sizeof(host)) == 0 &&
		SSL_set1_host(ssl, host) == 1 &&
		SSL_set_tlsext_host_name(ssl, host) == 1
	    ? 0
	    : -ENOMEM;
}

int
tls_client_open(struct tls_client *client,
    const struct directory_endpoint *endpoint, SSL **ret, struct err *err)
{
	SSL_CTX *context;
	SSL *ssl = NULL;
	int result;

	ERR_clear_error();
	context = SSL_CTX_new(TLS_client_method());
	if (!context || tls_set_rules(context) < 0)
		result = err_set(err, -ENOMEM, "no memory for TLS");
	else
		result = trust(context, endpoint, client, err);
	if (result == 0)
		result = introduce(context, endpoint, client->directory, err);
	if (result == 0) {
		ssl = SSL_new(context);
		if (!ssl || expect(ssl, endpoint) < 0)
			result = err_set(err, -ENOMEM, "no memory for TLS");
	}
	SSL_CTX_free(context); /* ssl holds it */
	if (result < 0)
		tls_end(&ssl);
	*ret = ssl;
	return result;
}

void
tls_client_close(struct tls_client *client)
{
	X509_STORE_free(client->system);
	client->system = NULL;
}
