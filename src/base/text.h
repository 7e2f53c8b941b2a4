/* Character sets and hexadecimal. */
#ifndef BASE_TEXT_H
#define BASE_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/slice.h"

/*
 * Bytes of the well-formed UTF-8 sequence at data (1-4), 0 when it is not one
 * (overlong, surrogate, cut, stray continuation). length > 0.
 */
size_t text_utf8_length(const char *data, size_t length);
bool text_is_utf8(struct slice s);
/* No byte above 0x7f. */
bool text_is_ascii(struct slice s);

/*
 * What panels write as text: valid UTF-8 stays, anything else is taken as
 * Windows-1252 and converted. Returns the bytes written to out (no NUL), or
 * -ENAMETOOLONG; 3 * s.length always suffices.
 */
int text_to_utf8(struct slice s, char *out, size_t out_size);

/* Lower-case, NUL-terminated; out holds 2 * length + 1. */
void text_hex_encode(const void *data, size_t length, char *out);
/* Upper-case, no NUL; out holds 2 * length. */
void text_hex_encode_upper(const void *data, size_t length, char *out);

/* Either case. Returns the number of bytes, or -EINVAL / -ENAMETOOLONG. */
int text_hex_decode(struct slice hex, void *out, size_t out_size);

#endif
