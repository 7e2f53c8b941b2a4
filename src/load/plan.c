#include "load/plan.h"

#include <ctype.h>
#include <errno.h>
#include <string.h>

void
plan_init(struct plan *plan, enum signal_format format)
{
	memset(plan, 0, sizeof(*plan));
	plan->format = format;
	plan->event_count = 1;
	if (format == SIGNAL_FORMAT_SIA)
		plan->events[0] = (struct plan_event){ "BA", "BH" };
	else
		plan->events[0] = (struct plan_event){ "130", "130" };
	plan->zone_first = 1;
	plan->zone_count = 4;
	plan->partition_first = 1;
	plan->partition_count = PLAN_PARTITIONS;
}

static bool
is_contact_id(struct slice code)
{
	if (code.length != 3)
		return false;
	for (size_t i = 0; i < 3; i++)
		if (!strchr("0123456789BCDEF", code.data[i]))
			return false;
	return true;
}

static bool
is_sia(struct slice code)
{
	return code.length == 2 && isupper((unsigned char)code.data[0]) &&
	    isupper((unsigned char)code.data[1]);
}

/* The usual restore of a SIA code; 0 when there is none. */
static char
sia_restore_letter(char letter)
{
	switch (letter) {
	case 'A':
		return 'H';
	case 'T':
		return 'J';
	case 'B':
		return 'U';
	default:
		return 0;
	}
}

static int
parse_sia(struct slice text, struct plan_event *ret, struct err *err)
{
	struct slice alarm = slice_part(text, 0, 2), restore = SLICE_NONE;

	if (text.length == 5 && text.data[2] == '/')
		restore = slice_part(text, 3, 2);
	else if (text.length != 2)
		return err_set(err, -EINVAL,
		    "'%.*s' is not a SIA event such as BA or BA/BR",
		    SLICE_ARG(text));
	if (!is_sia(alarm) || (slice_present(restore) && !is_sia(restore)))
		return err_set(err, -EINVAL,
		    "'%.*s' is not a SIA event: two capital letters",
		    SLICE_ARG(text));
	slice_copy(alarm, ret->alarm, sizeof(ret->alarm));
	slice_copy(slice_present(restore) ? restore : alarm, ret->restore,
	    sizeof(ret->restore));
	if (!slice_present(restore))
		ret->restore[1] = sia_restore_letter(alarm.data[1]);
	if (ret->restore[1] == 0 || strcmp(ret->alarm, ret->restore) == 0)
		return err_set(err, -EINVAL,
		    "give the restore of '%s' too: %s/CODE", ret->alarm,
		    ret->alarm);
	return 0;
}

static int
parse_event(enum signal_format format, struct slice text,
    struct plan_event *ret, struct err *err)
{
	if (format == SIGNAL_FORMAT_SIA)
		return parse_sia(text, ret, err);
	if (!is_contact_id(text))
		return err_set(err, -EINVAL,
		    "'%.*s' is not a Contact ID event: three digits 0-9, B-F",
		    SLICE_ARG(text));
	slice_copy(text, ret->alarm, sizeof(ret->alarm));
	slice_copy(text, ret->restore, sizeof(ret->restore));
	return 0;
}

int
plan_set_events(struct plan *plan, const char *list, struct err *err)
{
	unsigned count = 0;

	while (*list) {
		size_t length = strcspn(list, ",");
		int result;

		if (count == PLAN_EVENTS_MAX)
			return err_set(err, -EINVAL, "more than %d events",
			    PLAN_EVENTS_MAX);
		result = parse_event(plan->format, slice_of(list, length),
		    &plan->events[count], err);
		if (result < 0)
			return result;
		count++;
		list += length + (list[length] == ',');
	}
	if (count == 0)
		return err_set(err, -EINVAL, "no event given");
	plan->event_count = count;
	return 0;
}

int
plan_parse_range(const char *text, unsigned low, unsigned high,
    unsigned *ret_first, unsigned *ret_count, struct err *err)
{
	const char *dash = strchr(text, '-');
	size_t length = dash ? (size_t)(dash - text) : strlen(text);
	unsigned long first, last;

	if (slice_to_number(slice_of(text, length), 10, &first) < 0)
		return err_set(err, -EINVAL, "'%s' is not FROM-TO", text);
	last = first;
	if (dash && slice_to_number(slice_from_string(dash + 1), 10, &last) < 0)
		return err_set(err, -EINVAL, "'%s' is not FROM-TO", text);
	if (first < low || last > high || first > last)
		return err_set(err, -EINVAL, "'%s' is not within %u-%u", text,
		    low, high);
	*ret_first = (unsigned)first;
	*ret_count = (unsigned)(last - first + 1);
	return 0;
}

void
plan_signal(const struct plan *plan, uint64_t n, struct plan_signal *ret)
{
	uint64_t pair = n / 2;
	const struct plan_event *event;

	ret->zone = plan->zone_first + (unsigned)(pair % plan->zone_count);
	pair /= plan->zone_count;
	event = &plan->events[pair % plan->event_count];
	pair /= plan->event_count;
	ret->partition =
	    plan->partition_first + (unsigned)(pair % plan->partition_count);
	ret->code = n % 2 ? event->restore : event->alarm;
	if (plan->format == SIGNAL_FORMAT_SIA)
		ret->qualifier = '-';
	else
		ret->qualifier = n % 2 ? 'R' : 'E';
}

int
account_range_parse(const char *text, struct account_range *ret,
    struct err *err)
{
	const char *dash = strchr(text, '-');
	size_t width = dash ? (size_t)(dash - text) : strlen(text);
	struct slice last =
	    dash ? slice_from_string(dash + 1) : slice_from_string(text);
	unsigned long from, to;

	if (width < 1 || width > ACCOUNT_DIGITS_MAX || last.length != width ||
	    slice_to_number(slice_of(text, width), 16, &from) < 0 ||
	    slice_to_number(last, 16, &to) < 0)
		return err_set(err, -EINVAL,
		    "'%s' is not FROM-TO in hexadecimal, both with the same "
		    "number of digits (1-%d)",
		    text, ACCOUNT_DIGITS_MAX);
	if (to < from)
		return err_set(err, -EINVAL, "'%s' ends before it begins",
		    text);
	ret->first = from;
	ret->count = to - from + 1;
	ret->width = (unsigned)width;
	return 0;
}

void
account_range_write(const struct account_range *range, uint64_t index,
    char *out)
{
	uint64_t number = range->first + index;

	for (unsigned i = range->width; i-- > 0; number >>= 4)
		out[i] = "0123456789ABCDEF"[number & 15];
}
