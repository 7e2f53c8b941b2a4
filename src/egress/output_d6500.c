/* Bosch D6500 mode towards automation (docs/PROTOCOLS.md, D6500): one message,
 * one answer byte, which names no message. */
#include <errno.h>

#include "codec/d6500.h"
#include "egress/automation.h"

static int
make_settings(const struct directory_receiver *receiver,
    struct d6500_settings *ret, const char **ret_problem)
{
	if (!automation_fit_number(receiver->receiver_number, ret->receiver,
		2)) {
		*ret_problem = "D6500 has two digits for the receiver number";
		return -EINVAL;
	}
	memcpy(ret->line, receiver->line_number, sizeof(ret->line));
	ret->header_space = receiver->header_space;
	return 0;
}

static int
d6500_output_encode(struct link *link, struct slot *slot,
    const struct delivery *delivery, char *out, const char **ret_problem)
{
	struct d6500_settings settings;

	(void)slot;
	if (!automation_account_fits(link, delivery, ret_problem) ||
	    make_settings(link->settings, &settings, ret_problem) < 0)
		return -EINVAL;
	return d6500_encode(&settings, delivery, out, ret_problem);
}

static int
d6500_output_heartbeat(struct link *link, char *out)
{
	struct d6500_settings settings;
	const char *problem;

	if (make_settings(link->settings, &settings, &problem) < 0)
		return -EINVAL;
	return d6500_heartbeat_encode(&settings, out);
}

const struct output output_d6500 = {
	.protocol = DIRECTORY_PROTOCOL_D6500,
	.name = "d6500",
	.anonymous_answers = true,
	.refusals_max = 3,
	.encode = d6500_output_encode,
	.heartbeat = d6500_output_heartbeat,
	.feed = automation_feed,
};
