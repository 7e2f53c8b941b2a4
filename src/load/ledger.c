#include "load/ledger.h"

#include <errno.h>
#include <stdio.h>

#define LINE_MAX_BYTES 128

static char *
put_number(char *out, uint64_t number, unsigned width)
{
	char digits[20];
	unsigned count = 0;

	for (; number > 0 || count == 0; number /= 10)
		digits[count++] = (char)('0' + number % 10);
	for (; count < width; width--)
		*out++ = '0';
	while (count > 0)
		*out++ = digits[--count];
	return out;
}

int
ledger_add(struct lines *lines, const struct plan *plan,
    const struct account_range *accounts, const struct frame_message *message,
    int64_t ack_time_us, uint64_t id)
{
	struct plan_signal s;
	char *start, *out;

	if (!lines->open)
		return 0;
	start = out = lines_room(lines, LINE_MAX_BYTES);
	if (!out)
		return -ENOMEM;
	plan_signal(plan, message->n, &s);
	account_range_write(accounts, message->account, out);
	out += accounts->width;
	*out++ = ' ';
	out = put_number(out, message->sequence, 4);
	*out++ = ' ';
	*out++ = s.qualifier;
	*out++ = ' ';
	for (const char *c = s.code; *c; c++)
		*out++ = *c;
	*out++ = ' ';
	out = put_number(out, s.partition, 2);
	*out++ = ' ';
	out =
	    put_number(out, s.zone, plan->format == SIGNAL_FORMAT_SIA ? 4 : 3);
	*out++ = ' ';
	if (ack_time_us != 0)
		out = put_number(out, (uint64_t)ack_time_us, 1);
	else
		*out++ = '?';
	*out++ = ' ';
	out = put_number(out, id, 1);
	*out++ = '\n';
	lines_added(lines, (size_t)(out - start));
	return 0;
}
