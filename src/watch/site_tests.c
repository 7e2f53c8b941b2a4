#include "watch/site_tests.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/io.h"
#include "base/log.h"
#include "journal/own_signal.h"

#define CODE_MISSING "654"
#define CODE_ON_TEST "607"
#define SECOND_US    INT64_C(1000000)
#define LATE_LEAST_S 60
#define LATE_PART    20
/* In one look, so that deliveries get theirs. */
#define REPORTS_A_LOOK 500
/* How often it is kept that we receive, and what is no time without. */
#define KEEP_US (10 * SECOND_US)
#define DEAF_US (30 * SECOND_US)

struct site_tests {
	struct journal *journal;
	const struct directory *directory;
	const struct site_states *sites;
	const struct clock *clock;
	char path[PATH_MAX]; /* "": nothing is kept */
	uint64_t told_lsn;   /* nothing new before this is decided */
	/* Wall clock: until when something was received, that this was kept, and
	 * the last time in which nothing was. */
	int64_t heard_us, kept_us, deaf_from_us, deaf_until_us;
	bool receives;
	/* every site was looked at since then, none of them only half */
	bool settled, missed;
	size_t position;  /* of the turn through all sites */
	unsigned reports; /* in this look */
};

/* When the process before was last heard to receive; 0: not known. */
static int64_t
read_kept(const char *path)
{
	void *data = NULL;
	ssize_t length = io_load_file(path, CLOCK_TEXT_SIZE, &data);
	int64_t heard_us = 0;

	if (length < 0 ||
	    clock_parse(slice_of(data, (size_t)length), &heard_us) < 0)
		heard_us = 0;
	free(data);
	return heard_us;
}

struct site_tests *
site_tests_open(struct journal *journal, const struct directory *directory,
    const struct site_states *sites, const struct clock *clock,
    const char *state_directory)
{
	struct site_tests *tests = calloc(1, sizeof(*tests));
	struct journal_status status;

	if (!tests)
		return NULL;
	journal_status(journal, &status);
	tests->journal = journal;
	tests->directory = directory;
	tests->sites = sites;
	tests->clock = clock;
	tests->told_lsn = status.appended_lsn;
	tests->settled = true;
	if (state_directory) {
		snprintf(tests->path, sizeof(tests->path), "%s/reception",
		    state_directory);
		tests->heard_us = read_kept(tests->path);
	}
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
	else
		tests->missed = true;
}

/* ---- tests that are expected ---------------------------------------------------- */

static int64_t
late_us(const struct directory_site *site)
{
	int64_t late_s = site->test_interval_s / LATE_PART;

	return SECOND_US * (late_s > LATE_LEAST_S ? late_s : LATE_LEAST_S);
}

/* It may have come, in time or late, while nothing was received. */
static bool
may_have_come(const struct site_tests *tests, const struct directory_site *site,
    int64_t last_us, int64_t due_us)
{
	return last_us < tests->deaf_until_us &&
	    due_us - LATE_LEAST_S * SECOND_US <= tests->deaf_until_us &&
	    due_us + late_us(site) >= tests->deaf_from_us;
}

static void
await(struct site_tests *tests, const struct directory_site *site,
    const char *why)
{
	char text[128];

	snprintf(text, sizeof(text), "%s: a test is awaited within %u s", why,
	    site->test_interval_s);
	report(tests, site, CODE_MISSING, false, text);
}

static void
look_at_expected(struct site_tests *tests, const struct directory_site *site,
    const struct site_area *memory)
{
	int64_t last_us = memory ? memory->last_at_us : 0;
	int64_t due_us = last_us + site->test_interval_s * SECOND_US;
	char text[64];

	if (!tests->receives || (memory && memory->missing_told))
		return;
	if (last_us == 0) {
		await(tests, site, "no test is known yet");
	} else if (may_have_come(tests, site, last_us, due_us)) {
		await(tests, site,
		    "the last one may have come while nothing was received");
	} else if (clock_wall_us(tests->clock) > due_us + late_us(site)) {
		snprintf(text, sizeof(text), "no test within %u s",
		    site->test_interval_s);
		report(tests, site, CODE_MISSING, true, text);
	}
}

/* ---- test mode -------------------------------------------------------------------- */

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

	if (tests->reports >= REPORTS_A_LOOK) {
		tests->missed = true;
		return;
	}
	look_at_mode(tests, site, memory);
	if (site->test_interval_s > 0 && site->state == DIRECTORY_SITE_ACTIVE)
		look_at_expected(tests, site, memory);
}

/* ---- times without reception ------------------------------------------------------- */

static void
note_reception(struct site_tests *tests)
{
	int64_t now_us = clock_wall_us(tests->clock);
	struct journal_status status;

	journal_status(tests->journal, &status);
	tests->receives = status.refusal == JOURNAL_TAKES &&
	    status.failure == 0 && status.sync_running_us < DEAF_US;
	if (!tests->receives)
		return;
	if (now_us - tests->heard_us > DEAF_US) {
		/* the one before is part of it until all is said of it */
		if (tests->settled)
			tests->deaf_from_us = tests->heard_us;
		tests->deaf_until_us = now_us;
		tests->settled = false;
		tests->missed = false;
		tests->position = 0;
	}
	tests->heard_us = now_us;
}

/* Not before all sites were looked at for the last such time: the next process
 * would not know of it. */
static void
keep_reception(struct site_tests *tests)
{
	char text[CLOCK_TEXT_SIZE];
	int64_t since_us = tests->heard_us - tests->kept_us;
	int result;

	if (!tests->settled || tests->path[0] == '\0' ||
	    (since_us >= 0 && since_us < KEEP_US))
		return;
	clock_format(tests->heard_us, text);
	result = io_swap_file(tests->path, text, strlen(text));
	if (result < 0)
		log_write(LOG_WARN, "watch", "reception_not_kept",
		    "file=%s error=\"%s\" effect=\"after a restart expected "
		    "tests get a whole interval\"",
		    tests->path, strerror(-result));
	tests->kept_us = tests->heard_us;
}

static void
look_at_some(struct site_tests *tests)
{
	if (tests->position == 0)
		tests->missed = false;
	directory_thread_online();
	directory_sites_some(tests->directory, &tests->position, look_at_site,
	    tests);
	directory_thread_offline();
	if (tests->position == 0 && !tests->missed)
		tests->settled = true;
}

void
site_tests_look(struct site_tests *tests)
{
	note_reception(tests);
	if (tests->sites->position_lsn < tests->told_lsn)
		return;
	tests->reports = 0;
	look_at_some(tests);
	keep_reception(tests);
	if (tests->reports > 0)
		journal_wake(tests->journal);
}
