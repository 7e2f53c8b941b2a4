/* How much one source may ask: a bucket of tokens each. Main thread. */
#ifndef PORTAL_LIMIT_H
#define PORTAL_LIMIT_H

#include <stdbool.h>
#include <stdint.h>

#include "base/hash.h"

#define LIMIT_BUCKETS	 4096
#define LIMIT_BURST	 400
#define LIMIT_PER_SECOND 100

/* A source that meets another in its bucket starts with a full one: memory is
 * bounded, and nobody is refused for somebody else. */
struct limit {
	struct hash_key key;
	struct limit_bucket {
		uint64_t source;
		int64_t at_us; /* monotonic */
		double tokens;
	} buckets[LIMIT_BUCKETS];
};

void limit_open(struct limit *limit);
/* Whether one more is allowed now. */
bool limit_take(struct limit *limit, const char *source, int64_t now_us);

#endif
