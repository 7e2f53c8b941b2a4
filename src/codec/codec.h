/*
 * What every decoder answers. Pure: no socket, clock, file; feeding byte by
 * byte gives the same result as feeding all at once.
 */
#ifndef CODEC_CODEC_H
#define CODEC_CODEC_H

#include <stddef.h>
#include <stdint.h>

#include "base/slice.h"

enum codec_result {
	CODEC_OK,   /* one whole frame */
	CODEC_MORE, /* so far a beginning; ask again with more bytes */
	CODEC_BAD,  /* broken; skip what is consumed and go on */
};

/* Why an output refuses a code of signal_format_is_own. */
#define CODEC_OWN_CODE                                                         \
 "it cannot say a panel's own code: the alarm library's inbound codes can "    \
 "give it a Contact ID or SIA code"

/* An AES key. length 0: none. */
struct codec_key {
	uint8_t bytes[32];
	uint8_t length; /* 0, 16, 24 or 32 */
};

/*
 * "hex:" + 32/48/64 digits or "text:" + 16/24/32 bytes: the kind is explicit
 * because 32 characters can be read both ways. 0 or -EINVAL. The sentence for
 * the user is *ret_problem (static), never the key.
 */
int codec_key_parse(struct slice text, struct codec_key *ret,
    const char **ret_problem);

#endif
