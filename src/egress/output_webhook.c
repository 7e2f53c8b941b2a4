/* The webhook (docs/PROTOCOLS.md, Webhook): each delivery is posted as JSON,
 * signed with the receiver's passkey. */
#include <errno.h>

#include "codec/webhook.h"
#include "egress/automation.h"
#include "egress/http.h"

_Static_assert(WEBHOOK_BODY_MAX <= HTTP_BODY_ROOM, "room for a body");

/* An unsigned one could be anybody's. */
static const char *
webhook_unfit(const struct directory_receiver *receiver)
{
	return *receiver->passkey
	    ? NULL
	    : "it has no passkey to sign with (--link-passkey)";
}

/* Each sending is signed anew: the station may refuse what is old. */
static int
post(const struct link *link, const char *id, size_t body_bytes, char *out,
    const char **ret_problem)
{
	char signature[WEBHOOK_SIGNATURE_SIZE];
	const struct http_content content = {
		.type = "application/json",
		.idempotency_key = id,
		.signature = signature,
	};

	webhook_sign(slice_from_string(link->settings->passkey),
	    clock_wall_us(link->egress->clock),
	    slice_of(out + HTTP_POST_HEAD_MAX, body_bytes), signature);
	return http_encode(link, &content, body_bytes, out, ret_problem);
}

static int
webhook_output_encode(struct link *link, struct slot *slot,
    const struct delivery *delivery, char *out, const char **ret_problem)
{
	struct json *json = &link->egress->json;
	char id[EGRESS_ID_SIZE], other[CODES_TEXT_SIZE];
	const struct event_json_settings settings = {
		.id = id,
		.receiver = link->settings->receiver_number,
		.line = link->settings->line_number,
		.other_code = translate_own(link->settings, delivery, other),
	};

	if (!automation_account_fits(link, delivery, ret_problem))
		return -EINVAL;
	slot->received_us = delivery->received_us;
	send_format_id(link, slot, id);
	if (webhook_write(&settings, delivery, json, ret_problem) < 0)
		return -EINVAL;
	if (!json_text(json))
		return -ENOMEM;
	memcpy(out + HTTP_POST_HEAD_MAX, json->text, json->length);
	return post(link, id, json->length, out, ret_problem);
}

static int
webhook_output_heartbeat(struct link *link, char *out)
{
	static const char heartbeat[] = WEBHOOK_HEARTBEAT;
	const char *problem;

	memcpy(out + HTTP_POST_HEAD_MAX, heartbeat, sizeof(heartbeat) - 1);
	return post(link, NULL, sizeof(heartbeat) - 1, out, &problem);
}

const struct output output_webhook = {
	.protocol = DIRECTORY_PROTOCOL_WEBHOOK,
	.name = "webhook",
	.refusals_max = 3,
	.encode = webhook_output_encode,
	.heartbeat = webhook_output_heartbeat,
	.unfit = webhook_unfit,
	.feed = http_feed,
};
