/* When the wanted fault strikes: by rate, time and count. One thread. */
#ifndef STATION_FAULT_H
#define STATION_FAULT_H

#include "station/options.h"

struct fault_plan {
	enum station_fault fault;
	bool off; /* switched off while running */
	double rate;
	int64_t until_us; /* monotonic; 0: no end */
	uint64_t left;	  /* UINT64_MAX: no limit */
	uint64_t seed;
	uint64_t state;
	uint64_t struck;
};

void fault_plan_init(struct fault_plan *plan, const struct station_options *o,
    int64_t now_us);
/* What happens to the next message; counts it. */
enum station_fault fault_next(struct fault_plan *plan, int64_t now_us);

#endif
