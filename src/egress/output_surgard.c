/* Sur-Gard MLR2 towards automation (docs/PROTOCOLS.md, Sur-Gard): one message,
 * one answer byte, which names no message. */
#include <errno.h>

#include "codec/surgard.h"
#include "egress/automation.h"

static enum surgard_account
account_form(enum directory_account_policy policy)
{
	switch (policy) {
	case DIRECTORY_ACCOUNT_SPLIT_FRONT:
		return SURGARD_ACCOUNT_SPLIT_FRONT;
	case DIRECTORY_ACCOUNT_SPLIT_BACK:
		return SURGARD_ACCOUNT_SPLIT_BACK;
	case DIRECTORY_ACCOUNT_REFUSE:
		break;
	}
	return SURGARD_ACCOUNT_WHOLE;
}

static int
make_settings(const struct directory_receiver *receiver,
    struct surgard_settings *ret, const char **ret_problem)
{
	ret->line_digits = receiver->line_digits == 3 ? 3 : 1;
	ret->sia_block = receiver->sia_block;
	ret->clock = receiver->clock;
	ret->account = account_form(receiver->account_policy);
	if (!automation_fit_number(receiver->receiver_number, ret->receiver,
		2)) {
		*ret_problem =
		    "Sur-Gard has two digits for the receiver number";
		return -EINVAL;
	}
	if (!automation_fit_number(receiver->line_number, ret->line,
		ret->line_digits)) {
		*ret_problem = "the receiver's line number has too many digits";
		return -EINVAL;
	}
	return 0;
}

static int
surgard_output_encode(struct link *link, struct slot *slot,
    const struct delivery *delivery, char *out, const char **ret_problem)
{
	struct surgard_settings settings;

	(void)slot;
	if (!automation_account_fits(link, delivery, ret_problem) ||
	    make_settings(link->settings, &settings, ret_problem) < 0)
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

const struct output output_surgard = {
	.protocol = DIRECTORY_PROTOCOL_SURGARD,
	.name = "surgard",
	.anonymous_answers = true,
	.encode = surgard_output_encode,
	.heartbeat = surgard_output_heartbeat,
	.feed = automation_feed,
};
