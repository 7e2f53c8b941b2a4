/*
 * What arming, delays and filters cost: measure_routing [SITES]. Each site gets
 * an alarm and its restore, decided and remembered as dispatch does it: of sites
 * that are always armed without a filter, of ones with the filter, of ones that
 * a bridge's input arms, and of ones that a schedule arms. Not part of
 * `make check`.
 */
#include "unit/test.h"

#include <malloc.h>
#include <stdlib.h>
#include <time.h>

#include "directory/directory.h"
#include "routing/routing.h"

#define SECOND	 INT64_C(1000000)
#define BEGAN_US (INT64_C(1780308000) * SECOND) /* 2026-06-01 10:00 UTC */

static const struct setup {
	const char *name;
	enum directory_arming arming;
	uint16_t filter_s;
} setups[] = {
	{ "always armed, no filter", DIRECTORY_ARMING_ALWAYS, 0 },
	{ "always armed, filter", DIRECTORY_ARMING_ALWAYS, 20 },
	{ "armed by its bridge, filter", DIRECTORY_ARMING_PANEL_INDIVIDUAL,
	    20 },
	{ "armed by schedule, filter", DIRECTORY_ARMING_SCHEDULE, 20 },
};

static int64_t
cpu_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
	return now.tv_sec * 1000000000ll + now.tv_nsec;
}

static size_t
memory(void)
{
	struct mallinfo2 info = mallinfo2();

	return info.uordblks + info.hblkhd;
}

static void
put_site(struct directory_batch *batch, uint64_t id, const struct setup *setup)
{
	/* nights, and the hour in which everything happens */
	static const struct directory_span spans[] = {
		{ 0, 6 * 3600, 0, false, true },
		{ 11 * 3600, 13 * 3600, 0, false, true },
		{ 22 * 3600, 30 * 3600, 0, false, true },
	};
	const struct directory_zone zone = { "1", 1, 3, DIRECTORY_INHERIT, "",
		"Gate", 0, DIRECTORY_SECONDS_INHERIT };
	const struct directory_site site = { .id = id,
		.dealer_id = 1,
		.station_id = 1,
		.name = "site",
		.account = "0017",
		.arming = setup->arming,
		.repeat_filter_s = setup->filter_s };
	const struct directory_bridge bridge = { .id = id,
		.site_id = id,
		.serial = "b",
		.entry_delay_s = DIRECTORY_SECONDS_INHERIT,
		.exit_delay_s = DIRECTORY_SECONDS_INHERIT,
		.zone_count = 1,
		.zones = &zone };
	const struct directory_schedule schedule = { .id = id,
		.timezone = "Europe/Berlin",
		.clock = local_clock_find("Europe/Berlin"),
		.span_count = COUNT(spans),
		.spans = spans };

	directory_put_site(batch, id, &site);
	directory_put_bridge(batch, id, &bridge);
	if (setup->arming == DIRECTORY_ARMING_SCHEDULE)
		directory_put_schedule(batch, id, &schedule);
}

static struct directory *
fill(const struct setup *setup, uint64_t sites)
{
	const struct directory_receiver receiver = { .id = 1,
		.name = "station",
		.protocol = DIRECTORY_PROTOCOL_SURGARD };
	const struct directory_station station = {
		.id = 1, .receiver_id = 1, .name = "record"
	};
	const struct directory_zone_type instant = { 3, true, "130",
		"Instant" };
	struct directory_batch *batch;
	struct directory *directory;
	struct err err;

	assert_int_equal(directory_create(&directory, &err), 0);
	batch = directory_batch_begin(directory);
	directory_put_receiver(batch, 1, &receiver);
	directory_put_station(batch, 1, &station);
	directory_put_zone_type(batch, 3, &instant);
	for (uint64_t id = 1; id <= sites; id++)
		put_site(batch, id, setup);
	assert_int_equal(directory_batch_commit(batch), 0);
	return directory;
}

static void
decide(const struct directory *directory, struct site_states *states,
    uint64_t id, enum signal_qualifier qualifier, int64_t at_us)
{
	static struct routing_scratch scratch;
	static struct decision decision;
	const struct signal signal = { .protocol = SIGNAL_PROTOCOL_DC09,
		.event_count = 1,
		.events[0] = { .format = SIGNAL_FORMAT_CONTACT_ID,
		    .qualifier = qualifier,
		    .code = "130",
		    .zone = slice_from_string("001") } };
	const struct routing_request request = { .signal = &signal,
		.bridge_id = id,
		.received_us = at_us,
		.signal_lsn = id,
		.states = states };

	routing_decide(directory, &request, &scratch, &decision);
	assert_int_equal(decision.verdict, VERDICT_ROUTED);
	assert_int_equal(site_states_reserve(states, &decision), 0);
	site_states_apply(states, &decision);
}

static void
measure(const struct setup *setup, uint64_t sites)
{
	struct directory *directory = fill(setup, sites);
	struct site_states states = { 0 };
	size_t before = memory();
	int64_t began_ns = cpu_ns(), alarms_ns, restores_ns;
	double remembered;

	directory_thread_online();
	for (uint64_t id = 1; id <= sites; id++)
		decide(directory, &states, id, SIGNAL_QUALIFIER_NEW, BEGAN_US);
	alarms_ns = cpu_ns() - began_ns;
	remembered = (double)(memory() - before) / (double)sites;
	began_ns = cpu_ns();
	for (uint64_t id = 1; id <= sites; id++)
		decide(directory, &states, id, SIGNAL_QUALIFIER_RESTORE,
		    BEGAN_US + 30 * SECOND);
	restores_ns = cpu_ns() - began_ns;
	directory_thread_offline();
	printf("| %s | %lld | %lld | %.0f |\n", setup->name,
	    (long long)(alarms_ns / (int64_t)sites),
	    (long long)(restores_ns / (int64_t)sites), remembered);
	site_states_close(&states);
	directory_close(&directory);
}

int
main(int argc, char **argv)
{
	uint64_t sites = argc > 1 ? strtoull(argv[1], NULL, 10) : 200000;

	directory_thread_register();
	printf("| a site is | alarm, ns | restore, ns | bytes remembered |\n"
	       "|---|---|---|---|\n");
	for (size_t i = 0; i < COUNT(setups); i++)
		measure(&setups[i], sites);
	directory_thread_unregister();
	return 0;
}
