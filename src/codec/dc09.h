/*
 * SIA DC-09 (docs/PROTOCOLS.md):
 *
 *   LF crc 0LLL "id" seq [Rrcvr] [Lpref] [#acct] [ data ] [xdata].. [_time] CR
 *
 * Two steps: dc09_frame_next cuts a frame out of a stream by its length and
 * checks CRC; dc09_decode opens it (decrypts, checks the time window, reads
 * the payload) once the caller has found the sender's key. Nothing here
 * allocates, except dc09_crypto_open.
 */
#ifndef CODEC_DC09_H
#define CODEC_DC09_H

#include <stdbool.h>

#include "base/err.h"
#include "codec/codec.h"
#include "signal/position.h"
#include "signal/signal.h"

#define DC09_BODY_MAX  0xfff /* 0LLL: what the CRC covers */
#define DC09_FRAME_MAX (1 + 4 + 4 + DC09_BODY_MAX + 1 + 1)
/* Longest reply: header echo of the longest header that a frame may have,
 * plus the encrypted "|]_timestamp" region. A longer echo is refused. */
#define DC09_REPLY_MAX 512

/* Quirks of real panels that a listener accepts, by name (dc09_tolerance_*).
 * Lower-case hex, NUL after CR and junk before LF are always accepted. */
enum dc09_tolerance {
	DC09_TOLERATE_BINARY_CRC = 1 << 0,	/* binary_crc */
	DC09_TOLERATE_CRC_INCLUDES_CR = 1 << 1, /* crc_includes_cr (ELDES) */
	DC09_TOLERATE_BAD_CRC = 1 << 2,		/* ignore_crc, incl. "0000" */
	DC09_TOLERATE_MISSING_LINE = 1 << 3,	/* missing_line: no L field */
	DC09_TOLERATE_EMPTY_LINE = 1 << 4,    /* empty_line: L without digits */
	DC09_TOLERATE_TEXT_ACCOUNT = 1 << 5,  /* text_account: not hex, 1..17 */
	DC09_TOLERATE_NO_PAD_BAR = 1 << 6,    /* no_pad_bar: *NULL, *ACK */
	DC09_TOLERATE_EXTRA_FIELD = 1 << 7,   /* extra_field: |0| */
	DC09_TOLERATE_TIME = 1 << 8,	      /* any_time: no window */
	DC09_TOLERATE_ACCOUNT_ZEROS = 1 << 9, /* account_zeros: look-up */
	DC09_TOLERATE_HEX_SEQUENCE = 1 << 10, /* hex_sequence */
};
/* What a listener accepts unless it says otherwise: nothing that can turn a
 * damaged frame into a good one, that weakens a check, or that one maker alone
 * has got wrong. */
extern const unsigned dc09_tolerance_default;
/* The named rows, for configuration and help; NULL past the last. */
const char *dc09_tolerance_name(unsigned index, unsigned *ret_bit);
/* 0 for an unknown name. Also takes the long names used in recorded frames. */
unsigned dc09_tolerance_from_name(struct slice name);

enum dc09_fault {
	DC09_FAULT_NONE,
	DC09_FAULT_JUNK,   /* bytes that begin no frame */
	DC09_FAULT_LENGTH, /* 0LLL not hex, or no CR where it must be */
	DC09_FAULT_CRC,
	DC09_FAULT_HEADER, /* id, sequence, R, L or account malformed */
};
const char *dc09_fault_name(enum dc09_fault fault);

/* A frame with its header taken apart; slices borrow the buffer given. */
struct dc09_frame {
	struct slice raw; /* LF .. CR */
	bool binary_crc;  /* answer in the same form */
	bool encrypted;
	struct slice id; /* with its '*' */
	struct slice sequence;
	struct slice receiver; /* SLICE_NONE: field absent; "" : empty */
	struct slice line;
	struct slice account;
	struct slice content; /* after the first '[' up to before CR */
};

/*
 * The first frame in data. *ret_consumed bytes are done with in every case
 * (junk before the frame included; CODEC_MORE may consume junk). CODEC_BAD
 * fills *ret_fault: such a frame is never answered. tolerate: dc09_tolerance
 * bits.
 */
enum codec_result dc09_frame_next(const char *data, size_t length,
    unsigned tolerate, size_t *ret_consumed, struct dc09_frame *ret,
    enum dc09_fault *ret_fault);

/* AES contexts and a store of random pad bytes: one per thread. */
struct dc09_crypto;
int dc09_crypto_open(struct dc09_crypto **ret, struct err *err);
void dc09_crypto_close(struct dc09_crypto **crypto);

enum dc09_verdict {
	DC09_ACCEPT,
	DC09_NAK, /* time window failed: the panel takes the time and resends */
	DC09_DUH, /* sound, but cannot be processed */
	DC09_UNREADABLE, /* not with this key, or none is known: answered so too */
	/* A reply that strayed to a receiver. Never answered, whatever it says:
	 * two receivers that hear each other would go on for ever. */
	DC09_IGNORE,
};

/* ACK, NAK, DUH or RSP, encrypted or not: what receivers say. For a policy that
 * answers without opening the frame. */
bool dc09_frame_is_reply(const struct dc09_frame *frame);

struct dc09_window {
	int32_t past_s;	  /* 40: how old an encrypted frame may be */
	int32_t future_s; /* 20 */
};

/*
 * Open a frame. key may be NULL or of length 0 (an encrypted frame is DUH
 * then). plain: DC09_BODY_MAX / 2 bytes for the decrypted region; the signal's
 * slices borrow it or the frame. *ret_reason (static text) says why it is not
 * DC09_ACCEPT. The signal's header fields are filled for every verdict.
 */
enum dc09_verdict dc09_decode(struct dc09_crypto *crypto,
    const struct dc09_frame *frame, const struct codec_key *key,
    struct dc09_window window, unsigned tolerate, int64_t now_us, char *plain,
    struct signal *ret, const char **ret_reason);

enum dc09_reply {
	DC09_REPLY_ACK,
	DC09_REPLY_NAK,
	DC09_REPLY_DUH,
};

/*
 * The reply's bytes into out (DC09_REPLY_MAX); returns the length, 0 when the
 * echoed header does not fit. Echoes header fields byte for byte; encrypted
 * ACK iff the frame was encrypted (key must be the one that opened it); NAK is
 * "NAK"0000R0L0A0[]_now, NAK and DUH never encrypted. timestamp: also in a
 * clear ACK or DUH.
 */
size_t dc09_reply_encode(struct dc09_crypto *crypto, enum dc09_reply kind,
    const struct dc09_frame *frame, const struct codec_key *key, bool timestamp,
    int64_t now_us, char *out);

/* ---- the other side: a client sending to a receiver ----------------------- */

struct dc09_message {
	const char *id;	       /* "ADM-CID", "SIA-DCS", "NULL"; no '*' */
	unsigned sequence;     /* 0..9999 */
	struct slice receiver; /* SLICE_NONE: no R field */
	struct slice line;     /* SLICE_NONE: "L0" */
	struct slice account;
	/* between the brackets: "#acct|1130 01 005"; empty for NULL */
	struct slice data;
	unsigned extended_count;
	const struct signal_extended *extended;
	bool timestamp; /* always there when encrypted */
};

/* Contact ID or SIA data of one event for `data` above: "#acct|1130 01 005" /
 * "#acct|Nri1/BA5^text^". Returns the length or -ENAMETOOLONG / -EINVAL (a
 * field that the format has no room for; *ret_problem says which). */
int dc09_event_encode(const struct signal_event *event, struct slice account,
    char *out, size_t out_size, const char **ret_problem);

/* Of a known position, for the extended data: latitude "49N06.66667" (Y) and
 * longitude "006E07.77778" (X), to two centimetres. */
#define DC09_DEGREES_SIZE 13
void dc09_position_format(const struct position *position,
    char latitude[DC09_DEGREES_SIZE], char longitude[DC09_DEGREES_SIZE]);

/* The frame into out; returns its length, or -EMSGSIZE. key NULL: clear. */
int dc09_message_encode(struct dc09_crypto *crypto,
    const struct dc09_message *message, const struct codec_key *key,
    int64_t now_us, char *out, size_t out_size);

enum dc09_response {
	DC09_RESPONSE_ACK,
	DC09_RESPONSE_NAK,
	DC09_RESPONSE_DUH,
	DC09_RESPONSE_RSP,   /* counts as ACK */
	DC09_RESPONSE_OTHER, /* not the answer to anything of ours */
};

/*
 * Read a reply frame. signal gets id, header and (RSP) data. For NAK,
 * signal->panel_time_us is the receiver's clock, 0 when it told none.
 */
enum dc09_response dc09_response_decode(struct dc09_crypto *crypto,
    const struct dc09_frame *frame, const struct codec_key *key, char *plain,
    struct signal *ret, const char **ret_reason);

/* True when an ACK, DUH or RSP answers this message: sequence, R, L, account
 * agree. NAK carries none of them. */
bool dc09_response_matches(const struct signal *response,
    const struct dc09_message *message);

#endif
