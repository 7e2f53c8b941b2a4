#include "routing/schedule.h"

#define WEEK_S	  (7 * 86400)
#define DAY_S	  86400
#define SECOND_US 1000000
/* 1970-01-01 was a Thursday: the week it is in began on Monday the 29th. */
#define FIRST_MONDAY_S (-3 * DAY_S)
/* Further than this nobody asks when it changed or will. */
#define HORIZON_S (9 * DAY_S)
/* No clock is set forward or back by more. */
#define SHIFT_S DAY_S

/* The spans of one partition: its week, then its exceptions. */
struct part {
	const struct local_clock *clock;
	const struct directory_span *week, *exceptions;
	size_t week_count, exception_count;
};

/* The parts that decide: the partition's own and, behind it, the site's. */
struct parts {
	struct part own, site;
};

static struct part
part_of(const struct directory_schedule *schedule, unsigned partition)
{
	const struct directory_span *span = schedule->spans;
	const struct directory_span *end = span + schedule->span_count;
	struct part part = { .clock = schedule->clock };

	while (span < end && span->partition < partition)
		span++;
	part.week = span;
	while (span < end && span->partition == partition && !span->exception)
		span++;
	part.week_count = (size_t)(span - part.week);
	part.exceptions = span;
	while (span < end && span->partition == partition)
		span++;
	part.exception_count = (size_t)(span - part.exceptions);
	return part;
}

/* ---- the week ---------------------------------------------------------------- */

/* The ends of the spans in their order, over all weeks: number 0 is the begin
 * of the first span in the week of 1969-12-29. */
static int64_t
week_point_s(const struct part *part, int64_t number)
{
	int64_t points = 2 * (int64_t)part->week_count;
	int64_t week = number / points, at = number % points;

	if (at < 0) {
		at += points;
		week--;
	}
	return local_clock_to_utc(part->clock,
	    FIRST_MONDAY_S + week * WEEK_S +
		(at % 2 == 0 ? part->week[at / 2].begin_s
			     : part->week[at / 2].end_s));
}

/* The last point that is not after this moment: everything it is about has come
 * about by then. */
static int64_t
week_point_before(const struct part *part, int64_t at_s)
{
	int64_t local_s =
	    local_clock_from_utc(part->clock, at_s) + SHIFT_S - FIRST_MONDAY_S;
	int64_t week = local_s / WEEK_S, rest = local_s % WEEK_S;
	int64_t points = 2 * (int64_t)part->week_count, number;

	if (rest < 0) {
		rest += WEEK_S;
		week--;
	}
	number = week * points;
	for (size_t i = 0; i < part->week_count; i++)
		number += (part->week[i].begin_s <= rest) +
		    (part->week[i].end_s <= rest);
	number--;
	while (week_point_s(part, number) > at_s)
		number--;
	return number;
}

static bool
week_armed(const struct part *part, int64_t at_s)
{
	int64_t number = week_point_before(part, at_s);

	return (number & 1) == 0; /* even: the begin of a span */
}

/* ---- exceptions ---------------------------------------------------------------- */

static int64_t
begin_of(const struct part *part, const struct directory_span *span)
{
	return local_clock_to_utc(part->clock, span->begin_s);
}

static int64_t
end_of(const struct part *part, const struct directory_span *span)
{
	return local_clock_to_utc(part->clock, span->end_s);
}

static const struct directory_span *
exception_at(const struct part *part, int64_t at_s)
{
	int64_t local_s = local_clock_from_utc(part->clock, at_s);

	for (size_t i = 0; i < part->exception_count; i++) {
		const struct directory_span *span = &part->exceptions[i];

		if (span->begin_s - SHIFT_S <= local_s &&
		    local_s <= span->end_s + SHIFT_S &&
		    begin_of(part, span) <= at_s && at_s < end_of(part, span))
			return span;
	}
	return NULL;
}

/* ---- both ------------------------------------------------------------------------ */

static const struct part *
week_of(const struct parts *parts)
{
	return parts->own.week_count > 0 ? &parts->own : &parts->site;
}

static bool
armed_at(const struct parts *parts, int64_t at_s)
{
	const struct directory_span *span = exception_at(&parts->own, at_s);
	const struct part *week = week_of(parts);

	if (!span)
		span = exception_at(&parts->site, at_s);
	if (span)
		return span->armed;
	return week->week_count > 0 && week_armed(week, at_s);
}

static void
take_nearer(int64_t point_s, int64_t at_s, bool after, int64_t *nearest_s)
{
	if (after && point_s > at_s && point_s < *nearest_s)
		*nearest_s = point_s;
	if (!after && point_s < at_s && point_s > *nearest_s)
		*nearest_s = point_s;
}

static void
nearest_exception(const struct part *part, int64_t at_s, bool after,
    int64_t *nearest_s)
{
	for (size_t i = 0; i < part->exception_count; i++) {
		take_nearer(begin_of(part, &part->exceptions[i]), at_s, after,
		    nearest_s);
		take_nearer(end_of(part, &part->exceptions[i]), at_s, after,
		    nearest_s);
	}
}

/* The nearest moment before (not at) or after this one at which anything begins
 * or ends; no further than the limit. */
static int64_t
next_point(const struct parts *parts, int64_t at_s, bool after, int64_t limit_s)
{
	const struct part *week = week_of(parts);
	int64_t nearest_s = limit_s;

	if (week->week_count > 0) {
		int64_t number =
		    week_point_before(week, after ? at_s : at_s - 1);

		take_nearer(week_point_s(week, number + after), at_s, after,
		    &nearest_s);
	}
	nearest_exception(&parts->own, at_s, after, &nearest_s);
	nearest_exception(&parts->site, at_s, after, &nearest_s);
	return nearest_s;
}

/* When it became as it is. */
static int64_t
since_when(const struct parts *parts, int64_t at_s, bool armed)
{
	int64_t limit_s = at_s - HORIZON_S;
	int64_t point_s = next_point(parts, at_s + 1, false, limit_s);

	while (point_s > limit_s && armed_at(parts, point_s - 1) == armed)
		point_s = next_point(parts, point_s, false, limit_s);
	return point_s;
}

static int64_t
until_when(const struct parts *parts, int64_t at_s, bool armed)
{
	int64_t limit_s = at_s + HORIZON_S;
	int64_t point_s = next_point(parts, at_s, true, limit_s);

	while (point_s < limit_s && armed_at(parts, point_s) == armed)
		point_s = next_point(parts, point_s, true, limit_s);
	return point_s;
}

/* False: it says nothing. */
static bool
find_parts(const struct directory_schedule *schedule, unsigned partition,
    struct parts *ret)
{
	if (!schedule || !schedule->clock || schedule->span_count == 0)
		return false;
	ret->site = part_of(schedule, 0);
	ret->own = partition ? part_of(schedule, partition)
			     : (struct part){ .clock = schedule->clock };
	return week_of(ret)->week_count + ret->site.exception_count +
	    ret->own.exception_count >
	    0;
}

struct schedule_state
schedule_state_at(const struct directory_schedule *schedule, unsigned partition,
    int64_t at_us)
{
	struct schedule_state state = { .known = false };
	int64_t at_s = at_us / SECOND_US;
	struct parts parts;

	if (!find_parts(schedule, partition, &parts))
		return state;
	state.known = true;
	state.armed = armed_at(&parts, at_s);
	state.since_us = since_when(&parts, at_s, state.armed) * SECOND_US;
	return state;
}

int64_t
schedule_until_us(const struct directory_schedule *schedule, unsigned partition,
    int64_t at_us)
{
	int64_t at_s = at_us / SECOND_US;
	struct parts parts;

	if (!find_parts(schedule, partition, &parts))
		return at_us;
	return until_when(&parts, at_s, armed_at(&parts, at_s)) * SECOND_US;
}
