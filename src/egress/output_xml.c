/* The XML package (docs/PROTOCOLS.md, XML package): over TCP an answer names the
 * id of its message, by HTTP its status is the answer. */
#include <errno.h>

#include "codec/xml_package.h"
#include "egress/automation.h"
#include "egress/http.h"

_Static_assert(XML_PACKAGE_MAX <= HTTP_BODY_ROOM, "room for a package");
_Static_assert(EGRESS_ID_SIZE <= XML_PACKAGE_ID_MAX, "room for an id");

/* By HTTP the station is told the passkey with each request, and a package has
 * no NUL behind it. */
static int
post(const struct link *link, const char *id, int length, char *out,
    const char **ret_problem)
{
	const char *passkey = link->settings->passkey;
	const struct http_content content = {
		.type = "application/xml",
		.bearer = *passkey ? passkey : NULL,
		.idempotency_key = id,
	};

	return http_encode(link, &content, (size_t)length - 1, out,
	    ret_problem);
}

static int
xml_output_encode(struct link *link, struct slot *slot,
    const struct delivery *delivery, char *out, const char **ret_problem)
{
	bool posted = connect_posts(link);
	char id[EGRESS_ID_SIZE], other[CODES_TEXT_SIZE];
	const struct xml_package_settings settings = {
		.id = id,
		.receiver = link->settings->receiver_number,
		.line = link->settings->line_number,
		.other_code = translate_own(link->settings, delivery, other),
	};
	int length;

	if (!automation_account_fits(link, delivery, ret_problem))
		return -EINVAL;
	slot->received_us = delivery->received_us;
	send_format_id(link, slot, id);
	length = xml_package_encode(&settings, delivery,
	    posted ? out + HTTP_POST_HEAD_MAX : out, ret_problem);
	return posted && length > 0 ? post(link, id, length, out, ret_problem)
				    : length;
}

static int
xml_output_heartbeat(struct link *link, char *out)
{
	const char *problem;

	if (connect_posts(link))
		return post(link, NULL,
		    xml_heartbeat_encode(out + HTTP_POST_HEAD_MAX), out,
		    &problem);
	return link->greet ? xml_hello_encode(link->settings->passkey, out)
			   : xml_heartbeat_encode(out);
}

static bool
xml_output_greets(const struct link *link)
{
	return *link->settings->passkey && !connect_posts(link);
}

/* A late answer still counts: it names its message. */
static struct slot *
answered_slot(struct link *link, struct slice id)
{
	for (unsigned i = 0; i < link->count; i++) {
		struct slot *slot = send_slot(link, i);
		char own[EGRESS_ID_SIZE];

		if (slot->state != SLOT_SENT &&
		    (slot->state != SLOT_WAITING || slot->sent_here == 0))
			continue;
		send_format_id(link, slot, own);
		if (slice_is(id, own))
			return slot;
	}
	return NULL;
}

static void
take_answer(struct link *link, const struct xml_answer *given)
{
	enum answer answer = given->taken ? ANSWER_ACK : ANSWER_NAK;
	struct slot *slot =
	    slice_present(given->id) ? answered_slot(link, given->id) : NULL;

	if (slot)
		send_answered(link, slot, answer, NULL);
	else if (!slice_present(given->id) && link->beat_sent)
		send_answered(link, NULL, answer, NULL);
}

static size_t
xml_output_feed(struct link *link, const char *data, size_t length)
{
	size_t used = 0;

	if (connect_posts(link))
		return http_feed(link, data, length);
	while (used < length && !link->lost) {
		struct xml_answer answer;
		size_t step = 0;
		enum codec_result result = xml_answer_decode(data + used,
		    length - used, &step, &answer);

		used += step;
		if (result == CODEC_MORE)
			break;
		if (result == CODEC_OK)
			take_answer(link, &answer);
	}
	return used;
}

const struct output output_xml = {
	.protocol = DIRECTORY_PROTOCOL_XML,
	.name = "xml",
	.refusals_max = 3,
	.encode = xml_output_encode,
	.heartbeat = xml_output_heartbeat,
	.greets = xml_output_greets,
	.feed = xml_output_feed,
};
