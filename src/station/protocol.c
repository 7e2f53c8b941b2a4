#include "station/protocol.h"

#include <errno.h>
#include <stdlib.h>

#include "codec/ademco685.h"
#include "codec/automation.h"
#include "codec/d6500.h"
#include "codec/surgard.h"
#include "codec/xml_package.h"

/* DC-09: how far a sender's clock may be off (docs/PROTOCOLS.md). */
#define WINDOW_PAST_S	40
#define WINDOW_FUTURE_S 20

struct protocol {
	const struct station_options *options;
	struct dc09_crypto *crypto;
	char plain[XML_PACKAGE_MAX]; /* of either, DC-09 has less */
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
	ret->ack_length = ret->nak_length = 1;
	return CODEC_OK;
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
	return CODEC_OK;
}

static enum codec_result
next_xml(struct protocol *protocol, const char *data, size_t length,
    size_t *ret_consumed, struct message *ret)
{
	enum codec_result result = xml_package_decode(data, length,
	    ret_consumed, protocol->plain, &ret->signal);

	if (result != CODEC_OK)
		return result;
	ret->kind = ret->signal.poll ? MESSAGE_POLL : MESSAGE_SIGNAL;
	ret->ack_length =
	    xml_answer_encode(true, ret->signal.sequence, ret->ack);
	ret->nak_length =
	    xml_answer_encode(false, ret->signal.sequence, ret->nak);
	return CODEC_OK;
}

enum codec_result
protocol_next(struct protocol *protocol, const char *data, size_t length,
    int64_t now_us, size_t *ret_consumed, struct message *ret)
{
	if (protocol->options->protocol == STATION_DC09)
		return next_dc09(protocol, data, length, now_us, ret_consumed,
		    ret);
	if (protocol->options->protocol == STATION_XML)
		return next_xml(protocol, data, length, ret_consumed, ret);
	return next_automation(protocol, data, length, ret_consumed, ret);
}
