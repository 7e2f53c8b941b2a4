#include "load/report.h"

#include <errno.h>
#include <inttypes.h>

#include "base/array.h"
#include "base/json.h"

static const struct {
	const char *name;
	size_t offset;
} counters[] = {
#define ROW(member)                                                            \
 {                                                                             \
#  member, offsetof(struct generator_stats, member)                            \
 }
	ROW(sent),
	ROW(acknowledged),
	ROW(unacknowledged),
	ROW(refused),
	ROW(resent),
	ROW(link_tests),
	ROW(link_tests_acknowledged),
	ROW(naks),
	ROW(unexpected_replies),
	ROW(bad_replies),
	ROW(connections),
	ROW(connections_failed),
	ROW(connections_lost),
#undef ROW
};

static const struct {
	const char *name;
	double fraction;
} percentiles[] = {
	{ "p50", 0.50 },
	{ "p90", 0.90 },
	{ "p99", 0.99 },
	{ "p99_9", 0.999 },
	{ "max", 1 },
};

static uint64_t *
counter(struct generator_stats *stats, size_t i)
{
	return (uint64_t *)(void *)((char *)stats + counters[i].offset);
}

static uint64_t
counter_value(const struct generator_stats *stats, size_t i)
{
	return *(const uint64_t *)(const void *)((const char *)stats +
	    counters[i].offset);
}

void
report_merge(struct generator_stats *into, const struct generator_stats *from)
{
	for (size_t i = 0; i < COUNT(counters); i++)
		*counter(into, i) += counter_value(from, i);
	if (from->elapsed_us > into->elapsed_us)
		into->elapsed_us = from->elapsed_us;
	histogram_merge(&into->latency, &from->latency);
}

static double
rate(const struct generator_stats *stats)
{
	return stats->elapsed_us > 0
	    ? (double)stats->acknowledged * 1e6 / (double)stats->elapsed_us
	    : 0;
}

void
report_print(const struct generator_stats *stats, FILE *out)
{
	fprintf(out, "acknowledged %" PRIu64 " of %" PRIu64 " signals",
	    stats->acknowledged, stats->sent);
	fprintf(out, " in %.3f s: %.0f/s\n", (double)stats->elapsed_us / 1e6,
	    rate(stats));
	fprintf(out, "latency us ");
	for (size_t i = 0; i < COUNT(percentiles); i++)
		fprintf(out, " %s %" PRIu64, percentiles[i].name,
		    histogram_percentile(&stats->latency,
			percentiles[i].fraction));
	fprintf(out, "\n");
	for (size_t i = 2; i < COUNT(counters); i++)
		if (counter_value(stats, i) > 0)
			fprintf(out, "%s %" PRIu64 "\n", counters[i].name,
			    counter_value(stats, i));
}

int
report_print_json(const struct generator_stats *stats, FILE *out)
{
	struct json json = { 0 };
	const char *text;

	json_object_begin(&json, NULL);
	for (size_t i = 0; i < COUNT(counters); i++)
		json_unsigned(&json, counters[i].name, counter_value(stats, i));
	json_double(&json, "elapsed_s", (double)stats->elapsed_us / 1e6);
	json_double(&json, "rate", rate(stats));
	json_object_begin(&json, "latency_us");
	json_double(&json, "mean", histogram_mean(&stats->latency));
	for (size_t i = 0; i < COUNT(percentiles); i++)
		json_unsigned(&json, percentiles[i].name,
		    histogram_percentile(&stats->latency,
			percentiles[i].fraction));
	json_object_end(&json);
	json_object_end(&json);
	json_newline(&json);
	text = json_text(&json);
	if (text)
		fputs(text, out);
	json_close(&json);
	return text ? 0 : -ENOMEM;
}
