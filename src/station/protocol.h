/* What the simulated station understands: bytes to messages, and the replies
 * to them. One thread. */
#ifndef STATION_PROTOCOL_H
#define STATION_PROTOCOL_H

#include "codec/dc09.h"
#include "station/options.h"

enum message_kind {
	MESSAGE_SIGNAL,
	MESSAGE_POLL,	 /* heartbeat or NULL */
	MESSAGE_HELLO,	 /* the sender has proven who it is */
	MESSAGE_REFUSED, /* sound, but not to be processed: ack is the refusal */
};

struct message {
	enum message_kind kind;
	struct signal signal; /* borrows the input and the protocol */
	size_t ack_length, nak_length, wrong_length;
	char ack[DC09_REPLY_MAX];
	char nak[DC09_REPLY_MAX];
	/* a sound acknowledgement of something else; where one byte answers, one
	 * that is no answer */
	char wrong[DC09_REPLY_MAX];
};

struct protocol;

int protocol_open(struct protocol **ret, const struct station_options *options,
    struct err *err);
void protocol_close(struct protocol **protocol);

/* The first message in data. CODEC_BAD: skip *ret_consumed, no reply. */
enum codec_result protocol_next(struct protocol *protocol, const char *data,
    size_t length, int64_t now_us, size_t *ret_consumed, struct message *ret);

#endif
