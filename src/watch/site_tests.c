#include "watch/site_tests.h"

#include <stdio.h>
#include <stdlib.h>

#include "journal/own_signal.h"

#define CODE_MISSING "654"
#define CODE_ON_TEST "607"
#define SECOND_US    INT64_C(1000000)
#define LATE_LEAST_S 60
#define LATE_PART    20
/* In one look, so that deliveries get theirs. */
#define REPORTS_A_LOOK 500

struct site_tests {
	struct journal *journal;
	const struct directory *directory;
	const struct site_states *sites;
	const struct clock *clock;
	uint64_t told_lsn;  /* nothing new before this is decided */
	int64_t started_us; /* monotonic */
	size_t position;    /* of the turn through all sites */
	unsigned reports;   /* in this look */
};

struct site_tests *
site_tests_open(struct journal *journal, const struct directory *directory,
    const struct site_states *sites, const struct clock *clock)
{
	struct site_tests *tests = calloc(1, sizeof(*tests));
	struct journal_status status;

	if (!tests)
		return NULL;
	journal_status(journal, &status);
	*tests = (struct site_tests){ .journal = journal,
		.directory = directory,
		.sites = sites,
		.clock = clock,
		.told_lsn = status.appended_lsn,
		.started_us = clock_monotonic_us(clock) };
	return tests;
}

void
site_tests_close(struct site_tests **tests)
{
	free(*tests);
	*tests = NULL;
}

static void
report(struct site_tests *tests, const struct directory_site *site,
    const char *code, bool begins, const char *text)
{
	const struct own_signal signal = { .code = code,
		.begins = begins,
		.site_id = site->id,
		.zone = "000",
		.text = text };

	/* what has no room in the journal is told with the next turn */
	if (own_signal_collect(tests->journal, tests->clock, &signal,
		&tests->told_lsn) == 0)
		tests->reports++;
}

static bool
is_late(const struct site_tests *tests, const struct directory_site *site,
    const struct site_area *memory)
{
	int64_t interval_s = site->test_interval_s;
	int64_t late_s = interval_s / LATE_PART > LATE_LEAST_S
	    ? interval_s / LATE_PART
	    : LATE_LEAST_S;
	int64_t allowed_us = (interval_s + late_s) * SECOND_US;
	int64_t up_us = clock_monotonic_us(tests->clock) - tests->started_us;

	return up_us > allowed_us &&
	    (!memory ||
		clock_wall_us(tests->clock) - memory->test_at_us > allowed_us);
}

static void
look_at_expected(struct site_tests *tests, const struct directory_site *site,
    const struct site_area *memory)
{
	char text[64];

	if ((memory && memory->test_missing_told) ||
	    !is_late(tests, site, memory))
		return;
	snprintf(text, sizeof(text), "no test within %u s",
	    site->test_interval_s);
	report(tests, site, CODE_MISSING, true, text);
}

static void
look_at_mode(struct site_tests *tests, const struct directory_site *site,
    const struct site_area *memory)
{
	bool told = memory && memory->on_test_told;
	bool on = site->state == DIRECTORY_SITE_ACTIVE &&
	    site->on_test_until_us > clock_wall_us(tests->clock);
	char until[CLOCK_TEXT_SIZE], text[64] = "test is over";

	if (on == told)
		return;
	if (on)
		snprintf(text, sizeof(text), "on test until %s",
		    clock_format(site->on_test_until_us, until));
	report(tests, site, CODE_ON_TEST, on, text);
}

static void
look_at_site(void *context, const struct directory_site *site)
{
	struct site_tests *tests = context;
	const struct site_area *memory =
	    site_state_area(site_states_find(tests->sites, site->id),
		(struct area){ AREA_SITE, 0 });

	if (tests->reports >= REPORTS_A_LOOK)
		return;
	look_at_mode(tests, site, memory);
	if (site->test_interval_s > 0 && site->state == DIRECTORY_SITE_ACTIVE)
		look_at_expected(tests, site, memory);
}

void
site_tests_look(struct site_tests *tests)
{
	if (tests->sites->position_lsn < tests->told_lsn)
		return;
	tests->reports = 0;
	directory_thread_online();
	directory_sites_some(tests->directory, &tests->position, look_at_site,
	    tests);
	directory_thread_offline();
	if (tests->reports > 0)
		journal_wake(tests->journal);
}
