#include "load/histogram.h"

#include <math.h>

/* Below HISTOGRAM_SUB the value is its bucket; above, each doubling has
 * HISTOGRAM_SUB buckets, told apart by the bits after the leading one. */
static unsigned
bucket_of(uint64_t us)
{
	unsigned shift;

	if (us < HISTOGRAM_SUB)
		return (unsigned)us;
	shift = 63 - (unsigned)__builtin_clzll(us) - HISTOGRAM_SUB_BITS;
	if (shift >= HISTOGRAM_BUCKETS / HISTOGRAM_SUB - 1)
		return HISTOGRAM_BUCKETS - 1;
	return (shift + 1) * HISTOGRAM_SUB +
	    (unsigned)(us >> shift) % HISTOGRAM_SUB;
}

/* The largest value that falls into the bucket. */
static uint64_t
bucket_top(unsigned bucket)
{
	unsigned shift;

	if (bucket < HISTOGRAM_SUB)
		return bucket;
	shift = bucket / HISTOGRAM_SUB - 1;
	return ((uint64_t)(HISTOGRAM_SUB + bucket % HISTOGRAM_SUB + 1)
		   << shift) -
	    1;
}

void
histogram_add(struct histogram *histogram, int64_t us)
{
	uint64_t value = us > 0 ? (uint64_t)us : 0;

	histogram->count++;
	histogram->sum_us += value;
	if (value > histogram->max_us)
		histogram->max_us = value;
	histogram->buckets[bucket_of(value)]++;
}

void
histogram_merge(struct histogram *into, const struct histogram *from)
{
	into->count += from->count;
	into->sum_us += from->sum_us;
	if (from->max_us > into->max_us)
		into->max_us = from->max_us;
	for (unsigned i = 0; i < HISTOGRAM_BUCKETS; i++)
		into->buckets[i] += from->buckets[i];
}

uint64_t
histogram_percentile(const struct histogram *histogram, double fraction)
{
	uint64_t wanted = (uint64_t)ceil(fraction * (double)histogram->count);
	uint64_t seen = 0;

	for (unsigned i = 0; i < HISTOGRAM_BUCKETS; i++) {
		seen += histogram->buckets[i];
		if (seen >= wanted && seen > 0) {
			uint64_t top = bucket_top(i);

			return top < histogram->max_us ? top
						       : histogram->max_us;
		}
	}
	return 0;
}

double
histogram_mean(const struct histogram *histogram)
{
	return histogram->count > 0
	    ? (double)histogram->sum_us / (double)histogram->count
	    : 0;
}
