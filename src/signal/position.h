/* Where a site is, in 1e-7 degrees (a centimetre). */
#ifndef SIGNAL_POSITION_H
#define SIGNAL_POSITION_H

#include <stdbool.h>
#include <stdint.h>

#define POSITION_LATITUDE_MAX_E7  INT32_C(900000000)
#define POSITION_LONGITUDE_MAX_E7 INT32_C(1800000000)

struct position {
	bool known;
	int32_t latitude_e7;  /* north */
	int32_t longitude_e7; /* east */
};

#endif
