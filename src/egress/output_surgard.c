/* Sur-Gard MLR2 towards automation (docs/PROTOCOLS.md, Sur-Gard): one message,
 * one answer byte, which names no message. */
#include <errno.h>

#include "codec/surgard.h"
#include "egress/internal.h"

static int
make_settings(const struct directory_receiver *receiver, struct slice line,
    struct surgard_settings *ret, const char **ret_problem)
{
	memset(ret, 0, sizeof(*ret));
	ret->line_digits = receiver->line_digits == 3 ? 3 : 1;
	ret->sia_block = receiver->sia_block;
	if (slice_copy(slice_from_string(receiver->receiver_number),
		ret->receiver, sizeof(ret->receiver)) < 0) {
		*ret_problem =
		    "Sur-Gard has two digits for the receiver number";
		return -EINVAL;
	}
	if (slice_copy(line, ret->line, sizeof(ret->line)) < 0) {
		*ret_problem = "Sur-Gard has three digits for the line";
		return -EINVAL;
	}
	return 0;
}

static int
surgard_output_encode(struct link *link, struct slot *slot,
    const struct delivery *delivery, char *out, const char **ret_problem)
{
	const struct directory_receiver *receiver = link->settings;
	struct surgard_settings settings;
	struct slice line = slice_present(delivery->line_card)
	    ? delivery->line_card
	    : slice_from_string(receiver->line_number);

	(void)slot;
	if (receiver->account_digits > 0 &&
	    delivery->account.length > receiver->account_digits) {
		*ret_problem = "the account is longer than this receiver takes";
		return -EINVAL;
	}
	if (make_settings(receiver, line, &settings, ret_problem) < 0)
		return -EINVAL;
	return surgard_encode(&settings, delivery, out, ret_problem);
}

static int
surgard_output_heartbeat(struct link *link, char *out)
{
	struct surgard_settings settings;
	const char *problem;

	if (make_settings(link->settings,
		slice_from_string(link->settings->line_number), &settings,
		&problem) < 0)
		return -EINVAL;
	return surgard_heartbeat_encode(&settings, out);
}

static size_t
surgard_output_feed(struct link *link, const char *data, size_t length)
{
	for (size_t i = 0; i < length && !link->lost; i++) {
		struct slot *oldest = send_oldest(link);
		enum answer answer;

		if (data[i] == SURGARD_ACK)
			answer = ANSWER_ACK;
		else if (data[i] == SURGARD_NAK)
			answer = ANSWER_NAK;
		else
			continue;
		if (oldest || link->beat_sent)
			send_answered(link, oldest, answer, NULL);
	}
	return length;
}

const struct output output_surgard = {
	.protocol = DIRECTORY_PROTOCOL_SURGARD,
	.name = "surgard",
	.anonymous_answers = true,
	.encode = surgard_output_encode,
	.heartbeat = surgard_output_heartbeat,
	.feed = surgard_output_feed,
};
