/* One-time codes of RFC 6238: HMAC-SHA1, six digits, 30 seconds each. Pure but
 * for totp_secret_new. */
#ifndef PORTAL_TOTP_H
#define PORTAL_TOTP_H

#include <stddef.h>
#include <stdint.h>

#define TOTP_SECRET_BYTES 20
#define TOTP_STEP_S	  30
#define TOTP_DIGITS	  6

void totp_secret_new(uint8_t ret[TOTP_SECRET_BYTES]);

/* As authenticator apps take it: RFC 4648, NUL-terminated; length is a multiple
 * of 5 (no padding), out holds length / 5 * 8 + 1. */
void totp_base32(const void *data, size_t length, char *out);

/* The code of a step: seconds since 1970 by TOTP_STEP_S. */
uint32_t totp_code(const uint8_t secret[TOTP_SECRET_BYTES], int64_t step);

/* The step whose code this is: of now, one before or one behind, as clocks
 * differ; 0: of none. */
int64_t totp_find(const uint8_t secret[TOTP_SECRET_BYTES], const char *code,
    int64_t now_s);

#endif
