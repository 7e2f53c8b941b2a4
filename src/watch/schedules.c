#include "watch/schedules.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/log.h"
#include "journal/own_signal.h"
#include "routing/arming.h"
#include "routing/schedule.h"

#define CODE_SCHEDULE "403"
/* A change that nothing was told of before is told this long afterwards: a
 * schedule that is new does not tell of the last time it would have changed. */
#define FRESH_US 300000000
/* Those that change so soon are looked at again when they do. */
#define AHEAD_US 600000000
/* In one look, so that deliveries get theirs. */
#define REPORTS_A_LOOK 500
#define SOON_MAX       65536

struct soon {
	int64_t at_us;
	uint64_t site_id;
};

struct report {
	uint64_t site_id;
	unsigned partition;
};

struct schedules {
	struct journal *journal;
	const struct directory *directory;
	const struct site_states *sites;
	const struct clock *clock;
	uint64_t told_lsn; /* nothing new before this is decided */
	size_t position;   /* of the turn through all of them */
	int64_t now_us;	   /* of this look */
	struct report reports[REPORTS_A_LOOK];
	unsigned report_count;
	struct soon *soon; /* in no order */
	size_t soon_count;
};

struct schedules *
schedules_open(struct journal *journal, const struct directory *directory,
    const struct site_states *sites, const struct clock *clock)
{
	struct schedules *schedules = calloc(1, sizeof(*schedules));
	struct journal_status status;

	if (!schedules)
		return NULL;
	journal_status(journal, &status);
	*schedules = (struct schedules){ .journal = journal,
		.directory = directory,
		.sites = sites,
		.clock = clock,
		.told_lsn = status.appended_lsn,
		.soon = calloc(SOON_MAX, sizeof(struct soon)) };
	if (!schedules->soon)
		schedules_close(&schedules);
	return schedules;
}

void
schedules_close(struct schedules **ref)
{
	struct schedules *schedules = *ref;

	*ref = NULL;
	if (!schedules)
		return;
	free(schedules->soon);
	free(schedules);
}

/* What there is to tell; false: nothing. */
static bool
has_changed(const struct schedules *schedules,
    const struct schedule_state *schedule, const struct arming *arming,
    const struct site_area *told, int64_t *ret_at_us)
{
	bool before = told && told->told;

	*ret_at_us = schedule->since_us;
	/* a user did it before the schedule did, or another way later */
	if (arming->armed != schedule->armed)
		return false;
	if (arming->since_us != schedule->since_us)
		return false;
	if (!before)
		return schedule->since_us > schedules->now_us - FRESH_US;
	if (schedule->since_us > told->told_at_us)
		return true;
	/* it was changed, and says otherwise now */
	*ret_at_us = schedules->now_us;
	return told->told_armed != schedule->armed;
}

/* It is not decided yet, and was met a second time. */
static bool
is_reported(const struct schedules *schedules, uint64_t site_id,
    unsigned partition)
{
	for (unsigned i = 0; i < schedules->report_count; i++)
		if (schedules->reports[i].site_id == site_id &&
		    schedules->reports[i].partition == partition)
			return true;
	return false;
}

static void
report(struct schedules *schedules, const struct directory_site *site,
    unsigned partition, bool armed, int64_t at_us)
{
	char text[96], area[32] = "";
	const struct own_signal signal = { .code = CODE_SCHEDULE,
		.begins = !armed,
		.site_id = site->id,
		.partition = partition,
		.zone = "000",
		.text = text,
		.occurred_us = at_us };

	if (schedules->report_count == REPORTS_A_LOOK ||
	    is_reported(schedules, site->id, partition))
		return;
	if (partition)
		snprintf(area, sizeof(area), "partition %u ", partition);
	snprintf(text, sizeof(text), "%s%s by schedule", area,
	    armed ? "armed" : "disarmed");
	/* what has no room in the journal is told with the next look */
	if (own_signal_collect(schedules->journal, schedules->clock, &signal,
		&schedules->told_lsn) == 0)
		schedules->reports[schedules->report_count++] =
		    (struct report){ site->id, partition };
}

static void
note_soon(struct schedules *schedules, uint64_t site_id, int64_t at_us)
{
	if (at_us - schedules->now_us < AHEAD_US &&
	    schedules->soon_count < SOON_MAX)
		schedules->soon[schedules->soon_count++] =
		    (struct soon){ at_us, site_id };
}

static void
look_at_area(struct schedules *schedules, const struct directory_site *site,
    const struct directory_schedule *schedule, unsigned partition)
{
	const struct site_state *state =
	    site_states_find(schedules->sites, site->id);
	const struct area area = { partition ? AREA_PARTITION : AREA_SITE,
		partition };
	const struct arming_question question = { .site = site,
		.schedule = schedule,
		.state = state,
		.partition = partition,
		.at_us = schedules->now_us };
	struct schedule_state said =
	    schedule_state_at(schedule, partition, schedules->now_us);
	struct arming arming = arming_of(&question);
	int64_t at_us;

	if (!said.known)
		return;
	if (has_changed(schedules, &said, &arming, site_state_area(state, area),
		&at_us))
		report(schedules, site, partition, said.armed, at_us);
	note_soon(schedules, site->id,
	    schedule_until_us(schedule, partition, schedules->now_us));
}

/* The site, and each partition that its schedule names. */
static void
look_at_schedule(void *context, const struct directory_schedule *schedule)
{
	struct schedules *schedules = context;
	const struct directory_site *site =
	    directory_site_by_id(schedules->directory, schedule->id);
	unsigned last = 0;

	if (!site || site->state != DIRECTORY_SITE_ACTIVE)
		return;
	look_at_area(schedules, site, schedule, 0);
	for (unsigned i = 0; i < schedule->span_count; i++) {
		if (schedule->spans[i].partition == last)
			continue;
		last = schedule->spans[i].partition;
		look_at_area(schedules, site, schedule, last);
	}
}

static void
look_at_due(struct schedules *schedules)
{
	size_t i = 0;

	while (i < schedules->soon_count &&
	    schedules->report_count < REPORTS_A_LOOK) {
		struct soon soon = schedules->soon[i];
		const struct directory_schedule *schedule;

		if (soon.at_us > schedules->now_us) {
			i++;
			continue;
		}
		schedules->soon[i] = schedules->soon[--schedules->soon_count];
		schedule = directory_schedule_by_site(schedules->directory,
		    soon.site_id);
		if (schedule)
			look_at_schedule(schedules, schedule);
	}
}

void
schedules_look(struct schedules *schedules)
{
	if (schedules->sites->position_lsn < schedules->told_lsn)
		return;
	schedules->now_us = clock_wall_us(schedules->clock);
	schedules->report_count = 0;
	directory_thread_online();
	look_at_due(schedules);
	if (schedules->report_count < REPORTS_A_LOOK) {
		/* the turn begins anew: it finds again what will be soon */
		if (schedules->position == 0)
			schedules->soon_count = 0;
		directory_schedules_some(schedules->directory,
		    &schedules->position, look_at_schedule, schedules);
	}
	directory_thread_offline();
	if (schedules->report_count > 0)
		journal_wake(schedules->journal);
}
