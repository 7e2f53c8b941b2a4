#include "egress/automation.h"

#include "codec/automation.h"

bool
automation_fit_number(const char *number, char *out, size_t digits)
{
	struct slice value = slice_from_string(number);
	size_t pad;

	if (value.length > digits)
		value = slice_strip_zeros(value);
	if (value.length > digits)
		return false;
	pad = digits - value.length;
	memset(out, '0', pad);
	memcpy(out + pad, value.data, value.length);
	out[digits] = '\0';
	return true;
}

bool
automation_account_fits(const struct link *link,
    const struct delivery *delivery, const char **ret_problem)
{
	unsigned digits = link->settings->account_digits;

	if (digits == 0 || delivery->account.length <= digits)
		return true;
	*ret_problem = "the account is longer than this receiver takes";
	return false;
}

size_t
automation_feed(struct link *link, const char *data, size_t length)
{
	for (size_t i = 0; i < length && !link->lost; i++) {
		struct slot *oldest = send_oldest(link);
		enum answer answer;

		if (data[i] == AUTOMATION_ACK)
			answer = ANSWER_ACK;
		else if (data[i] == AUTOMATION_NAK)
			answer = ANSWER_NAK;
		else
			continue;
		if (oldest || link->beat_sent)
			send_answered(link, oldest, answer, NULL);
	}
	return length;
}
