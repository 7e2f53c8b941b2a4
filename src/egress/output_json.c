/* JSON lines (docs/PROTOCOLS.md), over TCP or to a program or file of this
 * machine: an answer names the sequence of its message. */
#include <errno.h>

#include "codec/json_line.h"
#include "egress/automation.h"

_Static_assert(JSON_LINE_MAX <= OUTPUT_MESSAGE_MAX, "room for a line");

static int
json_output_encode(struct link *link, struct slot *slot,
    const struct delivery *delivery, char *out, const char **ret_problem)
{
	struct json *json = &link->egress->json;
	char id[EGRESS_ID_SIZE], other[CODES_TEXT_SIZE];
	const struct event_json_settings settings = {
		.id = id,
		.sequence = delivery->number,
		.receiver = link->settings->receiver_number,
		.line = link->settings->line_number,
		.other_code = translate_own(link->settings, delivery, other),
	};

	if (!automation_account_fits(link, delivery, ret_problem))
		return -EINVAL;
	slot->number = delivery->number;
	slot->received_us = delivery->received_us;
	send_format_id(link, slot, id);
	if (json_line_write(&settings, delivery, JSON_LINE_MAX, json,
		ret_problem) < 0)
		return -EINVAL;
	json_newline(json);
	if (!json_text(json))
		return -ENOMEM;
	memcpy(out, json->text, json->length);
	return (int)json->length;
}

/* A program that runs for each signal would take it for one, and a mail server
 * says nothing before it is sent a mail. */
static int
json_output_heartbeat(struct link *link, char *out)
{
	switch (connect_transport(link)) {
	case DIRECTORY_TRANSPORT_EACH:
	case DIRECTORY_TRANSPORT_SMTP:
	case DIRECTORY_TRANSPORT_SMTPS:
	case DIRECTORY_TRANSPORT_SMTP_CLEAR:
		return -EINVAL;
	case DIRECTORY_TRANSPORT_TCP:
	case DIRECTORY_TRANSPORT_UDP:
	case DIRECTORY_TRANSPORT_TLS:
	case DIRECTORY_TRANSPORT_RUN:
	case DIRECTORY_TRANSPORT_FILE:
	case DIRECTORY_TRANSPORT_SERIAL:
	case DIRECTORY_TRANSPORT_HTTP:
	case DIRECTORY_TRANSPORT_HTTPS:
		break;
	}
	return json_line_heartbeat_encode(out);
}

/* A late answer still counts: it names its message. */
static struct slot *
answered_slot(struct link *link, uint64_t sequence)
{
	for (unsigned i = 0; i < link->count; i++) {
		struct slot *slot = send_slot(link, i);

		if (slot->number == sequence &&
		    (slot->state == SLOT_SENT ||
			(slot->state == SLOT_WAITING && slot->sent_here > 0)))
			return slot;
	}
	return NULL;
}

/* They go into the log and into history. */
static void
keep_words(struct slice words, char *out, size_t size)
{
	words = slice_part(words, 0, size - 1);
	for (size_t i = 0; i < words.length; i++)
		out[i] = words.data[i] >= ' ' && words.data[i] <= '~'
		    ? words.data[i]
		    : '?';
	out[words.length] = '\0';
}

static void
take_message_answer(struct link *link, const struct json_answer *given)
{
	struct slot *slot = answered_slot(link, given->sequence);
	enum answer answer = ANSWER_NAK;
	char reason[sizeof(slot->reason)];

	if (!slot)
		return;
	if (given->kind == JSON_ANSWER_ACK)
		answer = ANSWER_ACK;
	else if (given->kind == JSON_ANSWER_REFUSE)
		answer = ANSWER_REFUSED;
	keep_words(given->words, reason, sizeof(reason));
	send_answered(link, slot, answer,
	    *reason ? reason : "the station refuses it for good");
}

static void
take_answer(struct link *link, const struct json_answer *given)
{
	if (given->kind == JSON_ANSWER_FAIL) {
		keep_words(given->words, link->peer_words,
		    sizeof(link->peer_words));
		link->lost = link->peer_words;
	} else if (given->sequence != 0) {
		take_message_answer(link, given);
	} else if (link->beat_sent) {
		send_answered(link, NULL,
		    given->kind == JSON_ANSWER_ACK ? ANSWER_ACK : ANSWER_NAK,
		    NULL);
	}
}

static size_t
json_output_feed(struct link *link, const char *data, size_t length)
{
	enum codec_result result = CODEC_OK;
	size_t used = 0;

	while (result != CODEC_MORE && !link->lost) {
		struct json_answer answer;
		size_t step;

		result = json_answer_decode(data + used, length - used, &step,
		    &answer);
		used += step;
		if (result == CODEC_OK)
			take_answer(link, &answer);
	}
	return used;
}

const struct output output_json = {
	.protocol = DIRECTORY_PROTOCOL_JSON,
	.name = "json",
	.encode = json_output_encode,
	.heartbeat = json_output_heartbeat,
	.feed = json_output_feed,
};

/* To a thread that makes mails of the lines (local_mail.c). */
const struct output output_mail = {
	.protocol = DIRECTORY_PROTOCOL_MAIL,
	.name = "mail",
	.encode = json_output_encode,
	.heartbeat = json_output_heartbeat,
	.feed = json_output_feed,
};
