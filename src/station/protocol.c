#include "station/protocol.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "codec/ademco685.h"
#include "codec/automation.h"
#include "codec/d6500.h"
#include "codec/json_line.h"
#include "codec/surgard.h"
#include "codec/xml_package.h"
#include "station/http.h"
#include "station/json_event.h"

/* DC-09: how far a sender's clock may be off (docs/PROTOCOLS.md). */
#define WINDOW_PAST_S	40
#define WINDOW_FUTURE_S 20

struct protocol {
	const struct station_options *options;
	struct dc09_crypto *crypto;
	char plain[XML_PACKAGE_MAX];  /* of either, DC-09 has less */
	char posted[XML_PACKAGE_MAX]; /* by HTTP, with its NUL */
	json_t *object;		      /* of the last JSON */
	char sequence[24];	      /* of a JSON line */
	unsigned wrong_turns;
};

int
protocol_open(struct protocol **ret, const struct station_options *options,
    struct err *err)
{
	struct protocol *protocol = calloc(1, sizeof(*protocol));
	int result;

	if (!protocol)
		return err_set(err, -ENOMEM, "out of memory");
	protocol->options = options;
	result = dc09_crypto_open(&protocol->crypto, err);
	if (result < 0)
		protocol_close(&protocol);
	else
		*ret = protocol;
	return result;
}

void
protocol_close(struct protocol **protocol)
{
	if (!*protocol)
		return;
	dc09_crypto_close(&(*protocol)->crypto);
	json_decref((*protocol)->object);
	free(*protocol);
	*protocol = NULL;
}

static enum codec_result
decode_automation(const struct station_options *o, const char *data,
    size_t length, size_t *ret_consumed, struct signal *ret)
{
	switch (o->protocol) {
	case STATION_ADEMCO685:
		return ademco685_decode(data, length, ret_consumed, ret);
	case STATION_D6500:
		return d6500_decode(data, length, ret_consumed, ret);
	case STATION_SURGARD:
	case STATION_DC09:
	case STATION_XML:
	case STATION_JSON:
	case STATION_WEBHOOK:
		break;
	}
	return surgard_decode(data, length, o->line_digits, ret_consumed, ret);
}

/* Sur-Gard, Ademco 685, D6500: one byte answers. */
static enum codec_result
next_automation(struct protocol *protocol, const char *data, size_t length,
    size_t *ret_consumed, struct message *ret)
{
	enum codec_result result = decode_automation(protocol->options, data,
	    length, ret_consumed, &ret->signal);

	if (result != CODEC_OK)
		return result;
	ret->kind = ret->signal.poll ? MESSAGE_POLL : MESSAGE_SIGNAL;
	ret->ack[0] = AUTOMATION_ACK;
	ret->nak[0] = AUTOMATION_NAK;
	ret->wrong[0] = '?';
	ret->ack_length = ret->nak_length = ret->wrong_length = 1;
	return CODEC_OK;
}

/* Another's sequence, or the same of another account, in turns. */
static size_t
encode_wrong_dc09(struct protocol *protocol, const struct dc09_frame *frame,
    int64_t now_us, char out[DC09_REPLY_MAX])
{
	struct dc09_frame other = *frame;
	char field[DC09_FRAME_MAX];
	struct slice *wrong =
	    protocol->wrong_turns++ % 2 ? &other.account : &other.sequence;

	if (wrong->length == 0 || wrong->length > sizeof(field))
		return 0;
	memcpy(field, wrong->data, wrong->length);
	field[0] = field[0] == '5' ? '6' : '5';
	*wrong = slice_of(field, wrong->length);
	return dc09_reply_encode(protocol->crypto, DC09_REPLY_ACK, &other,
	    &protocol->options->key, false, now_us, out);
}

static enum codec_result
next_dc09(struct protocol *protocol, const char *data, size_t length,
    int64_t now_us, size_t *ret_consumed, struct message *ret)
{
	const struct codec_key *key = &protocol->options->key;
	const struct dc09_window window = { WINDOW_PAST_S, WINDOW_FUTURE_S };
	enum dc09_reply reply = DC09_REPLY_ACK;
	struct dc09_frame frame;
	enum dc09_fault fault;
	const char *reason;
	enum codec_result result = dc09_frame_next(data, length,
	    dc09_tolerance_default, ret_consumed, &frame, &fault);

	if (result != CODEC_OK)
		return result;
	switch (dc09_decode(protocol->crypto, &frame, key, window,
	    dc09_tolerance_default, now_us, protocol->plain, &ret->signal,
	    &reason)) {
	case DC09_ACCEPT:
		ret->kind = ret->signal.poll ? MESSAGE_POLL : MESSAGE_SIGNAL;
		break;
	case DC09_NAK:
		ret->kind = MESSAGE_REFUSED;
		reply = DC09_REPLY_NAK;
		break;
	case DC09_DUH:
	case DC09_UNREADABLE:
		ret->kind = MESSAGE_REFUSED;
		reply = DC09_REPLY_DUH;
		break;
	case DC09_IGNORE:
		return CODEC_BAD;
	}
	ret->ack_length = dc09_reply_encode(protocol->crypto, reply, &frame,
	    key, false, now_us, ret->ack);
	ret->nak_length = dc09_reply_encode(protocol->crypto, DC09_REPLY_NAK,
	    &frame, key, false, now_us, ret->nak);
	if (protocol->options->fault == STATION_FAULT_WRONG_ACK)
		ret->wrong_length =
		    encode_wrong_dc09(protocol, &frame, now_us, ret->wrong);
	return CODEC_OK;
}

/* A Hello with another passkey is refused. */
static enum message_kind
xml_kind(struct protocol *protocol, const struct signal *signal)
{
	const char *passkey = protocol->options->passkey;
	struct slice told = signal->poll
	    ? xml_hello_passkey(signal->body, protocol->plain)
	    : SLICE_NONE;

	if (!slice_present(told))
		return signal->poll ? MESSAGE_POLL : MESSAGE_SIGNAL;
	return !passkey || slice_is(told, passkey) ? MESSAGE_HELLO
						   : MESSAGE_REFUSED;
}

static enum codec_result
next_xml(struct protocol *protocol, const char *data, size_t length,
    size_t *ret_consumed, struct message *ret)
{
	enum codec_result result = xml_package_decode(data, length,
	    ret_consumed, protocol->plain, &ret->signal);

	if (result != CODEC_OK)
		return result;
	ret->kind = xml_kind(protocol, &ret->signal);
	ret->ack_length = xml_answer_encode(ret->kind != MESSAGE_REFUSED,
	    ret->signal.sequence, ret->ack);
	ret->nak_length =
	    xml_answer_encode(false, ret->signal.sequence, ret->nak);
	ret->wrong_length =
	    xml_answer_encode(true, slice_from_string("another"), ret->wrong);
	return CODEC_OK;
}

static bool
decode_line(struct protocol *protocol, struct slice line, struct signal *ret)
{
	json_t *sequence;

	json_decref(protocol->object);
	protocol->object = json_event_parse(line);
	sequence = json_object_get(protocol->object, "sequence");
	if (!json_is_integer(sequence) ||
	    !json_event_read_line(protocol->object, ret))
		return false;
	snprintf(protocol->sequence, sizeof(protocol->sequence),
	    "%" JSON_INTEGER_FORMAT, json_integer_value(sequence));
	ret->sequence = slice_from_string(protocol->sequence);
	return true;
}

static enum codec_result
next_json(struct protocol *protocol, const char *data, size_t length,
    size_t *ret_consumed, struct message *ret)
{
	const char *end = length > 0 ? memchr(data, '\n', length) : NULL;
	uint64_t sequence;

	*ret_consumed = 0;
	if (!end && length < JSON_LINE_MAX)
		return CODEC_MORE;
	*ret_consumed = end ? (size_t)(end - data) + 1 : length;
	if (!end ||
	    !decode_line(protocol, slice_of(data, (size_t)(end - data)),
		&ret->signal))
		return CODEC_BAD;
	sequence = strtoull(protocol->sequence, NULL, 10);
	ret->kind = ret->signal.poll ? MESSAGE_POLL : MESSAGE_SIGNAL;
	ret->ack_length =
	    (size_t)json_answer_encode(JSON_ANSWER_ACK, sequence, "", ret->ack);
	ret->nak_length = (size_t)json_answer_encode(JSON_ANSWER_NAK, sequence,
	    "refused", ret->nak);
	/* far from any that is on its way */
	ret->wrong_length = (size_t)json_answer_encode(JSON_ANSWER_ACK,
	    sequence + 1000000, "", ret->wrong);
	return CODEC_OK;
}

static bool
read_posted(struct protocol *protocol, const struct http_request *request,
    struct signal *ret)
{
	struct slice body = request->body;
	size_t used;
	bool good;

	if (body.length >= sizeof(protocol->posted))
		return false;
	memcpy(protocol->posted, body.data, body.length);
	protocol->posted[body.length] = '\0';
	if (protocol->options->protocol == STATION_XML) {
		good = xml_package_decode(protocol->posted, body.length + 1,
			   &used, protocol->plain, ret) == CODEC_OK;
	} else {
		json_decref(protocol->object);
		protocol->object = json_event_parse(body);
		good = json_event_read_webhook(protocol->object, ret);
	}
	/* by which a repeat is known */
	return good &&
	    (ret->poll ||
		slice_equal(request->fields[HTTP_IDEMPOTENCY_KEY],
		    ret->sequence));
}

static enum codec_result
next_http(struct protocol *protocol, const char *data, size_t length,
    int64_t now_us, size_t *ret_consumed, struct message *ret)
{
	struct http_request request;
	struct http_fault fault;
	enum codec_result result =
	    http_request_decode(slice_of(data, length), &request, &fault);

	*ret_consumed = result == CODEC_BAD ? length : 0;
	if (result != CODEC_OK)
		return result;
	*ret_consumed = request.head_bytes + request.body.length;
	if (!http_is_proven(protocol->options, &request, now_us)) {
		http_refuse(401, now_us, ret);
	} else if (!read_posted(protocol, &request, &ret->signal)) {
		http_refuse(400, now_us, ret);
	} else {
		ret->kind = ret->signal.poll ? MESSAGE_POLL : MESSAGE_SIGNAL;
		http_answer(protocol->options, now_us, ret);
	}
	return CODEC_OK;
}

enum codec_result
protocol_next(struct protocol *protocol, const char *data, size_t length,
    int64_t now_us, size_t *ret_consumed, struct message *ret)
{
	if (protocol->options->http)
		return next_http(protocol, data, length, now_us, ret_consumed,
		    ret);
	if (protocol->options->protocol == STATION_DC09)
		return next_dc09(protocol, data, length, now_us, ret_consumed,
		    ret);
	if (protocol->options->protocol == STATION_XML)
		return next_xml(protocol, data, length, ret_consumed, ret);
	if (protocol->options->protocol == STATION_JSON)
		return next_json(protocol, data, length, ret_consumed, ret);
	return next_automation(protocol, data, length, ret_consumed, ret);
}
