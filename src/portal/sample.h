/* Rates and latencies of tocsind over time, from its counters. One thread. */
#ifndef PORTAL_SAMPLE_H
#define PORTAL_SAMPLE_H

#include <stdbool.h>
#include <stdint.h>

struct json;

#define SAMPLES_MAX    180 /* a quarter of an hour at SAMPLE_EVERY_S */
#define SAMPLE_EVERY_S 5
#define SAMPLE_BUCKETS 16

/* Since tocsind's start. */
struct sample_counters {
	int64_t at_us; /* monotonic */
	uint64_t signals, delivered;
	double ack_bounds_s[SAMPLE_BUCKETS - 1];
	uint64_t ack_counts[SAMPLE_BUCKETS];
	double delivery_bounds_s[SAMPLE_BUCKETS - 1];
	uint64_t delivery_counts[SAMPLE_BUCKETS];
};

struct sample {
	int64_t wall_us;
	double signals_per_s, delivered_per_s;
	/* negative: there were none */
	double ack_p50_s, ack_p99_s, delivery_p50_s, delivery_p99_s;
};

struct samples {
	struct sample_counters last; /* at_us 0: none yet */
	struct sample ring[SAMPLES_MAX];
	unsigned first, count;
};

/* What happened since the counters before. Counters that went back, as tocsind
 * was started anew, begin again. */
void samples_add(struct samples *samples, const struct sample_counters *now,
    int64_t wall_us);

/* The bound below which the share of them is, between bounds by proportion;
 * negative: there are none. The last bucket counts as its lower bound. */
double sample_quantile(const double *bounds_s, const uint64_t *counts,
    unsigned buckets, double share);

/* An array, oldest first. */
void samples_write(const struct samples *samples, struct json *json);

/* "show stats" and "show latency" as JSON arrays of their objects. false: they
 * are not what was expected. */
bool sample_read(const char *stats, const char *latency,
    struct sample_counters *ret);

#endif
