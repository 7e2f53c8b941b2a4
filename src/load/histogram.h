/*
 * Latencies in logarithmic buckets: 64 per doubling, so a percentile read back
 * is at most 1.6 % above the true value; exact below 64 us. Adding costs a few
 * nanoseconds and no memory. One thread; merge afterwards.
 */
#ifndef LOAD_HISTOGRAM_H
#define LOAD_HISTOGRAM_H

#include <stdint.h>

#define HISTOGRAM_SUB_BITS 6
#define HISTOGRAM_SUB	   (1u << HISTOGRAM_SUB_BITS)
/* up to 2^40 us: 12 days; longer counts as that */
#define HISTOGRAM_BUCKETS ((40 - HISTOGRAM_SUB_BITS + 1) * HISTOGRAM_SUB)

struct histogram {
	uint64_t count;
	uint64_t sum_us;
	uint64_t max_us;
	uint64_t buckets[HISTOGRAM_BUCKETS];
};

void histogram_add(struct histogram *histogram, int64_t us);
void histogram_merge(struct histogram *into, const struct histogram *from);

/* The value that `fraction` (0..1) of all are not above; 0 when empty. */
uint64_t histogram_percentile(const struct histogram *histogram,
    double fraction);
double histogram_mean(const struct histogram *histogram);

#endif
