/*
 * JSON lines (docs/PROTOCOLS.md, JSON lines): one object per delivery on a line
 * of its own, with the facts of the XML package, and the words that answer it by
 * its sequence.
 */
#ifndef CODEC_JSON_LINE_H
#define CODEC_JSON_LINE_H

#include "codec/codec.h"
#include "codec/event_json.h"

#define JSON_LINE_MAX	16384 /* with its line break */
#define JSON_ANSWER_MAX 160

/*
 * The object of a delivery, without a line break; as event_json_write. The
 * sequence is not 0, the heartbeat's.
 */
int json_line_write(const struct event_json_settings *settings,
    const struct delivery *delivery, size_t most, struct json *json,
    const char **ret_problem);
/* The length; out: JSON_ANSWER_MAX. */
int json_line_heartbeat_encode(char *out);

/* "{"sequence":N" begins each line; false: it is none of ours. */
bool json_line_sequence(struct slice line, uint64_t *ret);
bool json_line_is_heartbeat(struct slice line);

enum json_answer_kind {
	JSON_ANSWER_ACK,    /* "ack N": it is done */
	JSON_ANSWER_NAK,    /* "nak N": not now; send it again */
	JSON_ANSWER_REFUSE, /* "refuse N why": never again */
	JSON_ANSWER_FAIL,   /* "fail why": the whole link */
};

struct json_answer {
	enum json_answer_kind kind;
	uint64_t sequence; /* 0: the heartbeat's */
	struct slice words;
};
/* The first line in data, without its end; CODEC_BAD: it is no answer. */
enum codec_result json_answer_decode(const char *data, size_t length,
    size_t *ret_consumed, struct json_answer *ret);
/* The length; out: JSON_ANSWER_MAX. Not JSON_ANSWER_FAIL; of the words the first
 * 96 bytes. */
int json_answer_encode(enum json_answer_kind kind, uint64_t sequence,
    const char *words, char *out);

#endif
