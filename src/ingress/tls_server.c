#include "ingress/tls_server.h"

#include <errno.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <string.h>
#include <time.h>

#include "base/log.h"
#include "base/text.h"
#include "base/tls.h"

/* ---- reading the files ------------------------------------------------------ */

static int
load_client_ca(SSL_CTX *server, const struct ingress_tls_config *config,
    struct err *err)
{
	STACK_OF(X509_NAME) * names;

	if (!config->client_ca || !*config->client_ca)
		return 0;
	names = SSL_load_client_CA_file(config->client_ca);
	if (!names ||
	    SSL_CTX_load_verify_file(server, config->client_ca) != 1) {
		sk_X509_NAME_pop_free(names, X509_NAME_free);
		return tls_refuse_file(err, "client_ca", config->client_ca);
	}
	SSL_CTX_set_client_CA_list(server, names);
	SSL_CTX_set_verify(server,
	    config->client_required
		? SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT
		: SSL_VERIFY_PEER,
	    NULL);
	return 0;
}

int
tls_server_open(SSL_CTX **ret, const struct ingress_tls_config *config,
    struct err *err)
{
	SSL_CTX *server;
	int result;

	ERR_clear_error();
	server = SSL_CTX_new(TLS_server_method());
	if (!server || tls_set_rules(server) < 0)
		result = err_set(err, -ENOMEM, "no memory for TLS");
	else
		result = tls_use_certificate(server, "certificate",
		    config->certificate, "certificate_key",
		    config->certificate_key, err);
	/* a read that met no data of the application ends there: bounded work
	 * at a time */
	if (server)
		SSL_CTX_clear_mode(server, SSL_MODE_AUTO_RETRY);
	if (result == 0)
		result = load_client_ca(server, config, err);
	if (result < 0)
		tls_server_close(&server);
	*ret = server;
	return result;
}

int
ingress_check_tls(const struct ingress_tls_config *config, struct err *err)
{
	SSL_CTX *server;
	int result = tls_server_open(&server, config, err);

	tls_server_close(&server);
	return result;
}

void
tls_server_close(SSL_CTX **server)
{
	SSL_CTX_free(*server);
	*server = NULL;
}

/* ---- telling which it is ------------------------------------------------------ */

static int64_t
expires_us(const X509 *certificate)
{
	struct tm tm = { 0 };

	ASN1_TIME_to_tm(X509_get0_notAfter(certificate), &tm);
	return (int64_t)timegm(&tm) * 1000000;
}

/* Its length. */
static unsigned
fingerprint(const X509 *certificate, unsigned char out[EVP_MAX_MD_SIZE])
{
	unsigned length = 0;

	X509_digest(certificate, EVP_sha256(), out, &length);
	return length;
}

void
tls_server_log(const SSL_CTX *server, const char *listener)
{
	const X509 *certificate = SSL_CTX_get0_certificate(server);
	unsigned char digest[EVP_MAX_MD_SIZE];
	unsigned length = fingerprint(certificate, digest);
	char hex[2 * EVP_MAX_MD_SIZE + 1], until[32];
	time_t end = (time_t)(expires_us(certificate) / 1000000);
	bool over = end <= time(NULL);
	struct tm tm;

	text_hex_encode(digest, length, hex);
	strftime(until, sizeof(until), "%FT%TZ", gmtime_r(&end, &tm));
	log_write(over ? LOG_ERROR : LOG_NOTICE, "ingress",
	    over ? "certificate-expired" : "certificate",
	    "listener=%s expires=%s sha256=%s", listener, until, hex);
}

void
tls_server_show(const SSL_CTX *server, struct json *json)
{
	const X509 *certificate = SSL_CTX_get0_certificate(server);
	unsigned char digest[EVP_MAX_MD_SIZE];
	unsigned length = fingerprint(certificate, digest);

	json_time(json, "certificate_expires", expires_us(certificate));
	json_hex(json, "certificate_sha256", slice_of(digest, length));
}
