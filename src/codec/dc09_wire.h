/* What the DC-09 files share among themselves: text forms and the encrypted
 * region. Nobody else includes this. */
#ifndef CODEC_DC09_WIRE_H
#define CODEC_DC09_WIRE_H

#include "base/cursor.h"
#include "codec/dc09.h"

#define DC09_TIMESTAMP_LENGTH 19 /* "HH:MM:SS,MM-DD-YYYY" */

/* 0 or -EINVAL; whole seconds as microseconds since 1970. */
int dc09_timestamp_decode(struct slice text, int64_t *ret_us);
void dc09_timestamp_write(struct writer *w, int64_t now_us);

/*
 * LF crc 0LLL body CR around a body that begins at out + DC09_PREFIX_MAX. The
 * frame is moved to out; returns its length.
 */
#define DC09_PREFIX_MAX 9
size_t dc09_frame_close(char *out, size_t body_length, bool binary_crc);

/* One to sixteen random bytes that make length + pad a multiple of 16, none
 * of them | [ ]. False when the random source fails. */
bool dc09_crypto_pad(struct dc09_crypto *crypto, size_t length,
    struct writer *w);

/* length: a multiple of 16. In place is allowed. */
bool dc09_crypto_encrypt(struct dc09_crypto *crypto,
    const struct codec_key *key, const void *in, size_t length, void *out);
bool dc09_crypto_decrypt(struct dc09_crypto *crypto,
    const struct codec_key *key, const void *in, size_t length, void *out);

/* "pad|" + region, encrypted, as upper-case hexadecimal. */
bool dc09_region_write(struct dc09_crypto *crypto, const struct codec_key *key,
    struct slice region, struct writer *w);

/* What stands between '[' and CR, taken apart. */
struct dc09_content {
	struct slice body;	/* without pad and timestamp */
	struct slice data;	/* inside the first brackets */
	struct slice extended;	/* "[X..][Y..]", may be empty */
	struct slice timestamp; /* SLICE_NONE: none */
};

enum dc09_opened {
	DC09_OPENED,
	DC09_OPENED_NO_KEY,
	DC09_OPENED_WRONG_KEY, /* or not a ciphertext at all */
	DC09_OPENED_BROKEN,    /* brackets do not match */
};

/* Decrypt where needed into plain and cut; see dc09_decode. */
enum dc09_opened dc09_content_open(struct dc09_crypto *crypto,
    const struct dc09_frame *frame, const struct codec_key *key,
    unsigned tolerate, char *plain, struct dc09_content *ret);

/* The header fields into a signal that is otherwise empty. */
void dc09_signal_begin(const struct dc09_frame *frame, struct signal *ret);

/* "#acct|" in front of the data; the rest is returned. */
struct slice dc09_data_account(struct slice data, struct slice *ret_account);

/* False with *ret_reason when there are too many blocks. */
bool dc09_extended_decode(struct slice extended, struct signal *signal,
    const char **ret_reason);

#endif
