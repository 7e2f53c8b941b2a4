/* tocsin-station: a simulated monitoring station. man tocsin-station */
#include "config.h"

#include <inttypes.h>
#include <signal.h>
#include <stdio.h>

#include "base/array.h"
#include "base/exit.h"
#include "base/json.h"
#include "station/station.h"

static const struct {
	const char *name;
	size_t offset;
} counters[] = {
#define ROW(member)                                                            \
 {                                                                             \
#  member, offsetof(struct station_stats, member)                              \
 }
	ROW(acknowledged),
	ROW(withheld),
	ROW(refused),
	ROW(polls),
	ROW(undecodable),
	ROW(bad_bytes),
	ROW(repeats),
	ROW(faults),
	ROW(connections),
	ROW(seed),
#undef ROW
};

static uint64_t
counter_value(const struct station_stats *stats, size_t i)
{
	return *(const uint64_t *)(const void *)((const char *)stats +
	    counters[i].offset);
}

static double
duration_s(const struct station_stats *stats)
{
	return (double)(stats->last_us - stats->first_us) / 1e6;
}

static void
print_json(const struct station_stats *stats)
{
	struct json json = { 0 };
	const char *text;

	json_object_begin(&json, NULL);
	for (size_t i = 0; i < COUNT(counters); i++)
		json_unsigned(&json, counters[i].name, counter_value(stats, i));
	json_double(&json, "elapsed_s", duration_s(stats));
	json_object_end(&json);
	json_newline(&json);
	text = json_text(&json);
	if (text)
		fputs(text, stdout);
	json_close(&json);
}

static void
print_text(const struct station_stats *stats)
{
	printf("acknowledged %" PRIu64 " signals in %.3f s\n",
	    stats->acknowledged, duration_s(stats));
	for (size_t i = 1; i < COUNT(counters); i++)
		if (counter_value(stats, i) > 0)
			printf("%s %" PRIu64 "\n", counters[i].name,
			    counter_value(stats, i));
}

static void
print_help(void)
{
	printf("usage: tocsin-station --protocol PROTOCOL --listen HOST:PORT "
	       "[OPTION...]\n"
	       "A simulated monitoring station, with faults on demand.\n\n");
	option_print_help(station_option_rows, stdout);
}

static int
run(const struct station_options *options)
{
	struct station *station = NULL;
	struct err err;
	int result = station_open(&station, options, &err);

	if (result < 0) {
		fprintf(stderr, "tocsin-station: %s\n", err.text);
		return EXIT_STATUS_UNAVAILABLE;
	}
	station_print_address(station);
	result = station_run(station, &err);
	if (options->json)
		print_json(station_stats(station));
	else
		print_text(station_stats(station));
	station_close(&station);
	if (result < 0)
		fprintf(stderr, "tocsin-station: %s\n", err.text);
	return result < 0 ? EXIT_STATUS_CANNOT_CREATE : EXIT_STATUS_OK;
}

int
main(int argc, char **argv)
{
	struct station_options options;
	struct err err;

	signal(SIGPIPE, SIG_IGN); /* TLS writes without MSG_NOSIGNAL */
	if (station_options_read(argc, argv, &options, &err) < 0) {
		fprintf(stderr, "tocsin-station: %s\n", err.text);
		return EXIT_STATUS_USAGE;
	}
	if (options.help || options.version) {
		if (options.help)
			print_help();
		else
			printf("tocsin-station " PACKAGE_VERSION "\n");
		return EXIT_STATUS_OK;
	}
	return run(&options);
}
