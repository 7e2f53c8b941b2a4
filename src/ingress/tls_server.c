#include "ingress/tls_server.h"

#include <errno.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <string.h>
#include <time.h>

#include "base/log.h"
#include "base/text.h"

static const char suites_12[] =
    "ECDHE+AESGCM:ECDHE+CHACHA20:ECDHE+AESCCM:!AESCCM8";
static const char suites_13[] =
    "TLS_AES_128_GCM_SHA256:TLS_CHACHA20_POLY1305_SHA256:TLS_AES_256_GCM_SHA384";

/* ---- reading the files ------------------------------------------------------ */

/* The first error is the cause, those after it say who passed it on. */
static int
refuse(struct err *err, const char *setting, const char *path)
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

static int
load_certificate(SSL_CTX *server, const struct ingress_tls_config *config,
    struct err *err)
{
	const char *key = config->certificate_key && *config->certificate_key
	    ? config->certificate_key
	    : config->certificate;

	SSL_CTX_set_default_passwd_cb(server, no_passphrase);
	if (SSL_CTX_use_certificate_chain_file(server, config->certificate) !=
	    1)
		return refuse(err, "certificate", config->certificate);
	if (SSL_CTX_use_PrivateKey_file(server, key, SSL_FILETYPE_PEM) != 1)
		return refuse(err, "certificate_key", key);
	return 0;
}

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
		return refuse(err, "client_ca", config->client_ca);
	}
	SSL_CTX_set_client_CA_list(server, names);
	SSL_CTX_set_verify(server,
	    config->client_required
		? SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT
		: SSL_VERIFY_PEER,
	    NULL);
	return 0;
}

/* An idle connection holds no buffers. A read that met no data of the
 * application ends there (no auto-retry): bounded work at a time. */
static int
set_rules(SSL_CTX *server)
{
	SSL_CTX_set_options(server,
	    SSL_OP_NO_TICKET | SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION |
		SSL_OP_CIPHER_SERVER_PREFERENCE | SSL_OP_IGNORE_UNEXPECTED_EOF);
	SSL_CTX_set_session_cache_mode(server, SSL_SESS_CACHE_OFF);
	SSL_CTX_clear_mode(server, SSL_MODE_AUTO_RETRY);
	SSL_CTX_set_mode(server,
	    SSL_MODE_RELEASE_BUFFERS | SSL_MODE_ENABLE_PARTIAL_WRITE |
		SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
	SSL_CTX_set_read_ahead(server, 1);
	return SSL_CTX_set_min_proto_version(server, TLS1_2_VERSION) == 1 &&
		SSL_CTX_set_num_tickets(server, 0) == 1 &&
		SSL_CTX_set_cipher_list(server, suites_12) == 1 &&
		SSL_CTX_set_ciphersuites(server, suites_13) == 1
	    ? 0
	    : -ENOMEM;
}

int
tls_server_open(SSL_CTX **ret, const struct ingress_tls_config *config,
    struct err *err)
{
	SSL_CTX *server;
	int result;

	ERR_clear_error();
	server = SSL_CTX_new(TLS_server_method());
	if (!server || set_rules(server) < 0)
		result = err_set(err, -ENOMEM, "no memory for TLS");
	else
		result = load_certificate(server, config, err);
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
