/* Ademco 685 towards automation (docs/PROTOCOLS.md, Ademco 685): one message,
 * one answer byte, which names no message. */
#include <errno.h>

#include "codec/ademco685.h"
#include "egress/automation.h"

/* A link test this soon after a message or heartbeat is not answered. */
#define LINK_TEST_AFTER_US 300000

static int
make_settings(const struct directory_receiver *receiver,
    struct ademco685_settings *ret, const char **ret_problem)
{
	if (automation_fit_number(receiver->receiver_number, ret->receiver,
		1) &&
	    automation_fit_number(receiver->line_number, ret->line, 1))
		return 0;
	*ret_problem =
	    "Ademco 685 has one digit each for the receiver and the line";
	return -EINVAL;
}

static int
ademco685_output_encode(struct link *link, struct slot *slot,
    const struct delivery *delivery, char *out, const char **ret_problem)
{
	struct ademco685_settings settings;

	(void)slot;
	if (!automation_account_fits(link, delivery, ret_problem) ||
	    make_settings(link->settings, &settings, ret_problem) < 0)
		return -EINVAL;
	return ademco685_encode(&settings, delivery, out, ret_problem);
}

static int
ademco685_output_heartbeat(struct link *link, char *out)
{
	struct ademco685_settings settings;
	const char *problem;

	if (make_settings(link->settings, &settings, &problem) < 0)
		return -EINVAL;
	return ademco685_heartbeat_encode(&settings, out);
}

/* Beside its answers the computer may ask whether we are there. It knows when
 * something was sent just now; so one that ends its answers with the same byte
 * starts no endless talk. */
static size_t
ademco685_output_feed(struct link *link, const char *data, size_t length)
{
	if (length > 0 && memchr(data, ADEMCO685_LINK_TEST, length) &&
	    link_now(link) >= link->last_sent_us + LINK_TEST_AFTER_US)
		link->beat_asked = true;
	return automation_feed(link, data, length);
}

const struct output output_ademco685 = {
	.protocol = DIRECTORY_PROTOCOL_ADEMCO685,
	.name = "ademco685",
	.anonymous_answers = true,
	.refusals_max = 3,
	.encode = ademco685_output_encode,
	.heartbeat = ademco685_output_heartbeat,
	.feed = ademco685_output_feed,
};
