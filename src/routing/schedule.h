/*
 * What a site's schedule says at a moment: the week's spans by the clock on the
 * site's wall, exceptions before them. Pure.
 *
 * Both daylight-saving cases: an end of a span in the hour that is skipped is
 * the first moment after it; in the hour that comes twice it is meant the first
 * time, and the second passage changes nothing.
 */
#ifndef ROUTING_SCHEDULE_H
#define ROUTING_SCHEDULE_H

#include "directory/directory.h"

struct schedule_state {
	bool known; /* it says something: its clock and its spans are there */
	bool armed;
	int64_t since_us; /* looking no further back than nine days */
};

/* partition 0: the whole site. A partition without a week of its own has the
 * site's; an exception of its own goes before one of the site. */
struct schedule_state schedule_state_at(const struct directory_schedule
					    *schedule,
    unsigned partition, int64_t at_us);

/* Until when it says the same as at this moment, looking no further than nine
 * days. Only of one that is known. */
int64_t schedule_until_us(const struct directory_schedule *schedule,
    unsigned partition, int64_t at_us);

#endif
