/* Certificates for tests: an authority, and what it signs, as PEM files. */
#ifndef CERTIFICATES_H
#define CERTIFICATES_H

#include <openssl/types.h>

struct certificate {
	X509 *x509;
	EVP_PKEY *key;
};

/* Of this common name and DNS name (NULL: none), signed by the issuer (NULL:
 * by itself, an authority), valid for a day from now (seconds < 0: over). */
struct certificate certificate_make(const char *common_name,
    const char *dns_name, const struct certificate *issuer, long seconds);
void certificate_free(struct certificate *certificate);
/* Certificate, then key, in one file. */
void certificate_write(const struct certificate *certificate, const char *path);

#endif
