/* The XML package over TCP (docs/PROTOCOLS.md, XML package): an answer names
 * the id of its message. */
#include <errno.h>

#include "codec/xml_package.h"
#include "egress/automation.h"

_Static_assert(XML_PACKAGE_MAX <= OUTPUT_MESSAGE_MAX, "room for a package");
_Static_assert(EGRESS_ID_SIZE <= XML_PACKAGE_ID_MAX, "room for an id");

static int
xml_output_encode(struct link *link, struct slot *slot,
    const struct delivery *delivery, char *out, const char **ret_problem)
{
	char id[EGRESS_ID_SIZE];
	const struct xml_package_settings settings = {
		.id = id,
		.receiver = link->settings->receiver_number,
		.line = link->settings->line_number,
	};

	if (!automation_account_fits(link, delivery, ret_problem))
		return -EINVAL;
	slot->received_us = delivery->received_us;
	send_format_id(link, slot, id);
	return xml_package_encode(&settings, delivery, out, ret_problem);
}

static int
xml_output_heartbeat(struct link *link, char *out)
{
	(void)link;
	return xml_heartbeat_encode(out);
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
	.feed = xml_output_feed,
};
