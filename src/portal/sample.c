#include "portal/sample.h"

#include <string.h>

#include "base/json.h"

/* ---- what happened between two ------------------------------------------------------- */

double
sample_quantile(const double *bounds_s, const uint64_t *counts,
    unsigned buckets, double share)
{
	uint64_t total = 0, below = 0;
	double wanted, lower;

	for (unsigned i = 0; i < buckets; i++)
		total += counts[i];
	if (total == 0)
		return -1;
	wanted = share * (double)total;
	for (unsigned i = 0; i + 1 < buckets; i++) {
		lower = i ? bounds_s[i - 1] : 0;
		if ((double)(below + counts[i]) >= wanted && counts[i] > 0)
			return lower +
			    (bounds_s[i] - lower) * (wanted - (double)below) /
			    (double)counts[i];
		below += counts[i];
	}
	return bounds_s[buckets - 2];
}

/* false: one of them went back. */
static bool
subtract(const uint64_t *now, const uint64_t *before, uint64_t *ret)
{
	for (unsigned i = 0; i < SAMPLE_BUCKETS; i++) {
		if (now[i] < before[i])
			return false;
		ret[i] = now[i] - before[i];
	}
	return true;
}

static void
keep(struct samples *samples, const struct sample *sample)
{
	samples->ring[(samples->first + samples->count) % SAMPLES_MAX] =
	    *sample;
	if (samples->count < SAMPLES_MAX)
		samples->count++;
	else
		samples->first = (samples->first + 1) % SAMPLES_MAX;
}

void
samples_add(struct samples *samples, const struct sample_counters *now,
    int64_t wall_us)
{
	const struct sample_counters *last = &samples->last;
	double seconds = (double)(now->at_us - last->at_us) / 1e6;
	uint64_t acks[SAMPLE_BUCKETS], deliveries[SAMPLE_BUCKETS];
	struct sample sample = { .wall_us = wall_us };

	if (last->at_us != 0 && seconds > 0 && now->signals >= last->signals &&
	    now->delivered >= last->delivered &&
	    subtract(now->ack_counts, last->ack_counts, acks) &&
	    subtract(now->delivery_counts, last->delivery_counts, deliveries)) {
		sample.signals_per_s =
		    (double)(now->signals - last->signals) / seconds;
		sample.delivered_per_s =
		    (double)(now->delivered - last->delivered) / seconds;
		sample.ack_p50_s = sample_quantile(now->ack_bounds_s, acks,
		    SAMPLE_BUCKETS, 0.5);
		sample.ack_p99_s = sample_quantile(now->ack_bounds_s, acks,
		    SAMPLE_BUCKETS, 0.99);
		sample.delivery_p50_s = sample_quantile(now->delivery_bounds_s,
		    deliveries, SAMPLE_BUCKETS, 0.5);
		sample.delivery_p99_s = sample_quantile(now->delivery_bounds_s,
		    deliveries, SAMPLE_BUCKETS, 0.99);
		keep(samples, &sample);
	}
	samples->last = *now;
}

/* ---- for a page ------------------------------------------------------------------------ */

static void
write_latency(struct json *json, const char *name, double seconds)
{
	if (seconds < 0)
		json_null(json, name);
	else
		json_double(json, name, seconds * 1000);
}

void
samples_write(const struct samples *samples, struct json *json)
{
	json_array_begin(json, NULL);
	for (unsigned i = 0; i < samples->count; i++) {
		const struct sample *sample =
		    &samples->ring[(samples->first + i) % SAMPLES_MAX];

		json_object_begin(json, NULL);
		json_time(json, "time", sample->wall_us);
		json_double(json, "signals_per_s", sample->signals_per_s);
		json_double(json, "delivered_per_s", sample->delivered_per_s);
		write_latency(json, "ack_p50_ms", sample->ack_p50_s);
		write_latency(json, "ack_p99_ms", sample->ack_p99_s);
		write_latency(json, "delivery_p50_ms", sample->delivery_p50_s);
		write_latency(json, "delivery_p99_ms", sample->delivery_p99_s);
		json_object_end(json);
	}
	json_array_end(json);
}
