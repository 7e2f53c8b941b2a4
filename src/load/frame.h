/*
 * Frames of one run, made fast: a clear frame is encoded once by the codec and
 * from then on only its changing digits and its CRC are written; the reply
 * that would be right is made the same way, so that most replies are checked
 * by one comparison of all their bytes. Encrypted frames go through the codec
 * each time. One per thread.
 */
#ifndef LOAD_FRAME_H
#define LOAD_FRAME_H

#include <stdint.h>

#include "codec/dc09.h"
#include "load/plan.h"

#define FRAME_MAX 512 /* what this program ever sends */

struct frame_settings {
	const struct plan *plan;
	const struct account_range *accounts;
	struct codec_key key;  /* length 0: clear */
	struct slice receiver; /* SLICE_NONE: no R field */
	struct slice line;
};

/* One message: which signal of which account, under which sequence. */
struct frame_message {
	uint64_t account; /* index into the range */
	uint64_t n;	  /* of this account, for plan_signal */
	uint16_t sequence;
	bool link_test; /* a NULL: n means nothing */
};

struct frame_maker;

int frame_maker_open(struct frame_maker **ret,
    const struct frame_settings *settings, struct err *err);
void frame_maker_close(struct frame_maker **maker);

/* The bytes of a message into out (FRAME_MAX); returns their length. now_us:
 * the timestamp of encrypted frames. */
size_t frame_make(struct frame_maker *maker,
    const struct frame_message *message, int64_t now_us, char *out);

/* The start of data is, byte for byte, the clear ACK to this message: returns
 * its length, 0 when it is anything else (or more bytes are needed). */
size_t frame_is_ack(struct frame_maker *maker,
    const struct frame_message *message, const char *data, size_t length);

/* The first reply in data, whatever it is, CRC checked; *ret_consumed bytes
 * are done with. CODEC_OK fills ret (until the next call) and *ret_signal. */
enum codec_result frame_read_reply(struct frame_maker *maker, const char *data,
    size_t length, size_t *ret_consumed, enum dc09_response *ret,
    struct signal *ret_signal);

/* The reply is the answer to this message: sequence, R, L and account agree. */
bool frame_matches(struct frame_maker *maker,
    const struct frame_message *message, const struct signal *reply);

#endif
