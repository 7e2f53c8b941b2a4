/* Sur-Gard MLR2 towards automation (docs/PROTOCOLS.md, Sur-Gard): one message,
 * one answer byte, which names no message. */
#include <errno.h>

#include "codec/surgard.h"
#include "egress/internal.h"

/* As many digits as the form has: zeros are put before or taken away, nothing
 * else. */
static int
fit_number(const char *number, char *out, size_t digits)
{
	struct slice value = slice_from_string(number);
	size_t pad;

	if (value.length > digits)
		value = slice_strip_zeros(value);
	if (value.length > digits)
		return -EINVAL;
	pad = digits - value.length;
	memset(out, '0', pad);
	memcpy(out + pad, value.data, value.length);
	out[digits] = '\0';
	return 0;
}

static int
make_settings(const struct directory_receiver *receiver,
    struct surgard_settings *ret, const char **ret_problem)
{
	ret->line_digits = receiver->line_digits == 3 ? 3 : 1;
	ret->sia_block = receiver->sia_block;
	if (fit_number(receiver->receiver_number, ret->receiver, 2) < 0) {
		*ret_problem =
		    "Sur-Gard has two digits for the receiver number";
		return -EINVAL;
	}
	if (fit_number(receiver->line_number, ret->line, ret->line_digits) <
	    0) {
		*ret_problem = "the receiver's line number has too many digits";
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

	(void)slot;
	if (receiver->account_digits > 0 &&
	    delivery->account.length > receiver->account_digits) {
		*ret_problem = "the account is longer than this receiver takes";
		return -EINVAL;
	}
	if (make_settings(receiver, &settings, ret_problem) < 0)
		return -EINVAL;
	return surgard_encode(&settings, delivery, out, ret_problem);
}

static int
surgard_output_heartbeat(struct link *link, char *out)
{
	struct surgard_settings settings;
	const char *problem;

	if (make_settings(link->settings, &settings, &problem) < 0)
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
