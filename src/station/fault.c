#include "station/fault.h"

#include <string.h>

#include "base/hash.h"

void
fault_plan_init(struct fault_plan *plan, const struct station_options *o,
    int64_t now_us)
{
	struct hash_key random;

	*plan = (struct fault_plan){
		.fault = o->fault,
		.rate = o->fault_rate,
		.until_us = o->fault_for_us > 0 ? now_us + o->fault_for_us : 0,
		.left = o->fault_count > 0 ? o->fault_count : UINT64_MAX,
		.seed = o->seed,
	};
	if (plan->seed == 0) {
		hash_key_random(&random);
		memcpy(&plan->seed, random.bytes, sizeof(plan->seed));
	}
}

/* 0 <= x < 1, the same row of numbers for the same seed */
static double
draw(struct fault_plan *plan)
{
	return (double)(hash_number(plan->seed + ++plan->state) >> 11) *
	    0x1p-53;
}

enum station_fault
fault_next(struct fault_plan *plan, int64_t now_us)
{
	if (plan->fault == STATION_FAULT_NONE || plan->off || plan->left == 0 ||
	    (plan->until_us != 0 && now_us >= plan->until_us))
		return STATION_FAULT_NONE;
	if (draw(plan) >= plan->rate)
		return STATION_FAULT_NONE;
	if (plan->left != UINT64_MAX)
		plan->left--;
	plan->struck++;
	return plan->fault;
}
