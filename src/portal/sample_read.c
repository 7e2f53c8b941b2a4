#include <jansson.h>
#include <string.h>

#include "portal/sample.h"

static bool
read_histogram(const json_t *object, double *bounds_s, uint64_t *counts)
{
	const json_t *bounds = json_object_get(object, "bounds_s");
	const json_t *numbers = json_object_get(object, "counts");

	if (json_array_size(bounds) != SAMPLE_BUCKETS - 1 ||
	    json_array_size(numbers) != SAMPLE_BUCKETS)
		return false;
	for (size_t i = 0; i + 1 < SAMPLE_BUCKETS; i++)
		bounds_s[i] = json_number_value(json_array_get(bounds, i));
	for (size_t i = 0; i < SAMPLE_BUCKETS; i++)
		counts[i] =
		    (uint64_t)json_integer_value(json_array_get(numbers, i));
	return true;
}

static const char *
name_of(const json_t *histogram)
{
	const char *name = json_string_value(json_object_get(histogram, "of"));

	return name ? name : "";
}

bool
sample_read(const char *stats, const char *latency, struct sample_counters *ret)
{
	json_t *counted = json_loads(stats, 0, NULL);
	json_t *histograms = json_loads(latency, 0, NULL);
	const json_t *first = json_array_get(counted, 0);
	bool good = json_is_integer(json_object_get(first, "signals")) &&
	    json_is_integer(json_object_get(first, "delivered"));
	unsigned found = 0;

	memset(ret, 0, sizeof(*ret));
	for (size_t i = 0; good && i < json_array_size(histograms); i++) {
		const json_t *one = json_array_get(histograms, i);

		if (strcmp(name_of(one), "acknowledgement") == 0)
			found += read_histogram(one, ret->ack_bounds_s,
			    ret->ack_counts);
		else if (strcmp(name_of(one), "delivery") == 0)
			found += read_histogram(one, ret->delivery_bounds_s,
			    ret->delivery_counts);
	}
	if (good) {
		ret->signals =
		    (uint64_t)json_integer_value(json_object_get(first,
			"signals"));
		ret->delivered =
		    (uint64_t)json_integer_value(json_object_get(first,
			"delivered"));
	}
	json_decref(counted);
	json_decref(histograms);
	return good && found == 2;
}
