#include "station/http.h"

#include "codec/webhook.h"

#define BEARER "Bearer "

/* How old a signature may be, or how far ahead. */
#define SIGNATURE_WINDOW_S 300

static bool
is_signed(const struct station_options *options,
    const struct http_request *request, int64_t now_us)
{
	int64_t time_s, age_s;

	if (!webhook_is_signed(slice_from_string(options->passkey),
		request->fields[HTTP_SIGNATURE], request->body, &time_s))
		return false;
	age_s = now_us / 1000000 - time_s;
	return age_s <= SIGNATURE_WINDOW_S && age_s >= -SIGNATURE_WINDOW_S;
}

bool
http_is_proven(const struct station_options *options,
    const struct http_request *request, int64_t now_us)
{
	struct slice bearer = request->fields[HTTP_AUTHORIZATION];

	if (!options->passkey)
		return true;
	if (options->protocol == STATION_WEBHOOK)
		return is_signed(options, request, now_us);
	return slice_is(slice_part(bearer, 0, strlen(BEARER)), BEARER) &&
	    slice_is(slice_part(bearer, strlen(BEARER), bearer.length),
		options->passkey);
}

static size_t
write_answer(unsigned status, int64_t now_us, char out[DC09_REPLY_MAX])
{
	const struct http_reply reply = {
		.status = status,
		.date_us = now_us,
		.content = SLICE_NONE,
	};

	return (size_t)http_reply_encode(&reply, out, DC09_REPLY_MAX);
}

static unsigned
refusal_status(enum station_fault fault)
{
	if (fault == STATION_FAULT_5XX)
		return 503;
	return fault == STATION_FAULT_410 ? 410 : 422;
}

void
http_answer(const struct station_options *options, int64_t now_us,
    struct message *message)
{
	message->ack_length = write_answer(200, now_us, message->ack);
	message->nak_length =
	    write_answer(refusal_status(options->fault), now_us, message->nak);
}

void
http_refuse(unsigned status, int64_t now_us, struct message *message)
{
	message->kind = MESSAGE_REFUSED;
	message->ack_length = write_answer(status, now_us, message->ack);
	message->nak_length = 0;
}
