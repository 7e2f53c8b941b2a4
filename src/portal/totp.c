#include "portal/totp.h"

#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <sodium.h>
#include <stdio.h>
#include <string.h>

#define MODULUS 1000000 /* ten to the TOTP_DIGITS */

void
totp_secret_new(uint8_t ret[TOTP_SECRET_BYTES])
{
	randombytes_buf(ret, TOTP_SECRET_BYTES);
}

uint32_t
totp_code(const uint8_t secret[TOTP_SECRET_BYTES], int64_t step)
{
	uint8_t counter[8], hash[EVP_MAX_MD_SIZE];
	unsigned length, at;
	uint32_t code;

	for (int i = 7; i >= 0; i--, step >>= 8)
		counter[i] = (uint8_t)step;
	HMAC(EVP_sha1(), secret, TOTP_SECRET_BYTES, counter, sizeof(counter),
	    hash, &length);
	at = hash[length - 1] & 15;
	code = (uint32_t)(hash[at] & 127) << 24 | (uint32_t)hash[at + 1] << 16 |
	    (uint32_t)hash[at + 2] << 8 | hash[at + 3];
	return code % MODULUS;
}

int64_t
totp_find(const uint8_t secret[TOTP_SECRET_BYTES], const char *code,
    int64_t now_s)
{
	int64_t found = 0;

	if (strlen(code) != TOTP_DIGITS)
		return 0;
	/* all three, so that the time it takes does not tell which */
	for (int64_t step = now_s / TOTP_STEP_S - 1, i = 0; i < 3; i++) {
		char expected[12];

		snprintf(expected, sizeof(expected), "%06u",
		    totp_code(secret, step + i));
		if (sodium_memcmp(expected, code, TOTP_DIGITS) == 0)
			found = step + i;
	}
	return found;
}

void
totp_base32(const void *data, size_t length, char *out)
{
	static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
	const uint8_t *bytes = data;

	for (size_t bit = 0; bit < length * 8; bit += 5) {
		unsigned pair = (unsigned)bytes[bit / 8] << 8;

		if (bit / 8 + 1 < length)
			pair |= bytes[bit / 8 + 1];
		*out++ = digits[pair >> (11 - bit % 8) & 31];
	}
	*out = '\0';
}
