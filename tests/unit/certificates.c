#include "unit/certificates.h"

#include "unit/test.h"

#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>

#define DAY_S 86400

static void
add_extension(X509 *x509, const X509 *issuer, int nid, const char *value)
{
	X509_EXTENSION *extension;
	X509V3_CTX context;

	X509V3_set_ctx(&context, (X509 *)(uintptr_t)issuer, x509, NULL, NULL,
	    0);
	extension = X509V3_EXT_conf_nid(NULL, &context, nid, value);
	assert_non_null(extension);
	assert_int_equal(X509_add_ext(x509, extension, -1), 1);
	X509_EXTENSION_free(extension);
}

struct certificate
certificate_make(const char *common_name, const char *dns_name,
    const struct certificate *issuer, long seconds)
{
	struct certificate made = { X509_new(), EVP_EC_gen("P-256") };
	X509_NAME *subject = X509_get_subject_name(made.x509);
	const struct certificate *signer = issuer ? issuer : &made;
	static long serial;
	char names[128];

	assert_non_null(made.key);
	X509_set_version(made.x509, X509_VERSION_3);
	ASN1_INTEGER_set(X509_get_serialNumber(made.x509), ++serial);
	X509_gmtime_adj(X509_getm_notBefore(made.x509), -DAY_S);
	X509_gmtime_adj(X509_getm_notAfter(made.x509), seconds);
	X509_NAME_add_entry_by_txt(subject, "CN", MBSTRING_UTF8,
	    (const unsigned char *)common_name, -1, -1, 0);
	X509_set_issuer_name(made.x509, X509_get_subject_name(signer->x509));
	X509_set_pubkey(made.x509, made.key);
	add_extension(made.x509, signer->x509, NID_basic_constraints,
	    issuer ? "CA:FALSE" : "critical,CA:TRUE");
	snprintf(names, sizeof(names), "DNS:%s", dns_name ? dns_name : "");
	if (dns_name)
		add_extension(made.x509, signer->x509, NID_subject_alt_name,
		    names);
	assert_true(X509_sign(made.x509, signer->key, EVP_sha256()) > 0);
	return made;
}

void
certificate_free(struct certificate *certificate)
{
	X509_free(certificate->x509);
	EVP_PKEY_free(certificate->key);
}

void
certificate_write(const struct certificate *certificate, const char *path)
{
	FILE *file = fopen(path, "w");

	assert_non_null(file);
	assert_int_equal(PEM_write_X509(file, certificate->x509), 1);
	assert_int_equal(PEM_write_PrivateKey(file, certificate->key, NULL,
			     NULL, 0, NULL, NULL),
	    1);
	fclose(file);
}
