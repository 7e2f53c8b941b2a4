#include "watch/watch.h"

#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "journal/own_signal.h"
#include "watch/activations.h"
#include "watch/cameras.h"
#include "watch/outage.h"
#include "watch/schedules.h"
#include "watch/site_tests.h"

/* How often we look. Short enough to see every sync that is worth an event. */
#define TICK_US	 250000
#define AGAIN_US 2000
/* A share must fall this far below the warning before the event ends. */
#define SPACE_MARGIN 0.05

/* On a full disk a segment is freed and filled again by turns: that is one
 * event, not one for each. */
#define CALM_US 5000000

/* What can be wrong; each is on or off, and told once when it changes. */
enum condition {
	CONDITION_SLOW_SYNC,
	CONDITION_SPACE,
	CONDITION_REFUSING,
	CONDITION_QUARANTINE,
};
#define CONDITIONS 4

static const struct {
	const char *code; /* Contact ID, docs/OPERATIONS.md */
	const char *event, *end;
	int64_t calm_us; /* it is over when it was not seen for so long */
} conditions[CONDITIONS] = {
	{ "330", "disk_slow", "disk_fast_again", 0 },
	{ "623", "journal_filling", "journal_emptying", CALM_US },
	{ "624", "journal_full", "journal_takes_again", CALM_US },
	{ "303", "journal_quarantine", "journal_quarantine_cleared", 0 },
};
#define CODE_CLOCK_STEP "626"

struct watch {
	struct watch_config config;
	struct journal *journal;
	const struct clock *clock;
	struct event *tick, *again;  /* more bridges are due than in one turn */
	bool on[CONDITIONS];	     /* is */
	bool told[CONDITIONS];	     /* was journalled last */
	int64_t seen_us[CONDITIONS]; /* on; monotonic */
	char text[CONDITIONS][160];
	/* wall minus monotonic: changes only when the wall clock is set */
	int64_t offset_us;
	bool step_untold; /* step_text waits for room in the journal */
	char step_text[160];
	uint64_t batches;      /* seen */
	int64_t slowest_us;    /* seen */
	uint64_t durable_lsn;  /* seen */
	int64_t progressed_us; /* monotonic: when nothing was waiting last */
	struct supervision *supervision; /* NULL: without a directory */
	enum supervision_pace (*pace)(void *context); /* NULL: fast */
	void *pace_context;
	struct outages *outages;
	struct refusal_watch *refusals;
	/* NULL: without sites */
	struct schedules *schedules;
	struct site_tests *site_tests;
	struct cameras *cameras;
	struct activations *activations;
	bool healthy;
};

/* ---- events of our own -------------------------------------------------------------- */

static int
journal_event(struct watch *watch, const char *code, bool begins,
    const char *text)
{
	const struct own_signal signal = {
		.code = code, .begins = begins, .zone = "000", .text = text
	};
	uint64_t lsn;
	int result =
	    own_signal_collect(watch->journal, watch->clock, &signal, &lsn);

	journal_wake(watch->journal);
	return result;
}

__attribute__((format(printf, 4, 5))) static void
set_condition(struct watch *watch, enum condition condition, bool on,
    const char *format, ...)
{
	int64_t now_us = clock_monotonic_us(watch->clock);
	va_list args;

	if (on)
		watch->seen_us[condition] = now_us;
	else if (now_us - watch->seen_us[condition] <
	    conditions[condition].calm_us)
		return;
	if (on == watch->on[condition])
		return;
	watch->on[condition] = on;
	va_start(args, format);
	vsnprintf(watch->text[condition], sizeof(watch->text[condition]),
	    format, args);
	va_end(args);
	log_write(on ? LOG_WARN : LOG_NOTICE, "watch",
	    on ? conditions[condition].event : conditions[condition].end,
	    "text=\"%s\"", watch->text[condition]);
}

/* What could not be journalled (a full batch) is tried again with the next tick,
 * unless it has ended by then. */
static void
tell(struct watch *watch)
{
	for (unsigned i = 0; i < CONDITIONS; i++)
		if (watch->on[i] != watch->told[i] &&
		    journal_event(watch, conditions[i].code, watch->on[i],
			watch->text[i]) == 0)
			watch->told[i] = watch->on[i];
	if (watch->step_untold &&
	    journal_event(watch, CODE_CLOCK_STEP, true, watch->step_text) == 0)
		watch->step_untold = false;
}

/* ---- what we look at ------------------------------------------------------------------ */

static void
check_clock(struct watch *watch, int64_t monotonic_us)
{
	int64_t offset_us = clock_wall_us(watch->clock) - monotonic_us;
	int64_t step_us = offset_us - watch->offset_us;

	watch->offset_us = offset_us;
	if (step_us <= watch->config.clock_step_us &&
	    step_us >= -watch->config.clock_step_us)
		return;
	snprintf(watch->step_text, sizeof(watch->step_text),
	    "the wall clock was set %s by %.1f s",
	    step_us > 0 ? "forward" : "back",
	    (double)(step_us > 0 ? step_us : -step_us) / 1e6);
	watch->step_untold = true;
	log_write(LOG_WARN, "watch", "clock_step", "text=\"%s\"",
	    watch->step_text);
}

/* Slow while a sync runs too long, or one did since we looked; over when a
 * later one was quick. */
static void
check_sync(struct watch *watch, const struct journal_status *status)
{
	int64_t limit_us = watch->config.slow_sync_us;
	int64_t longest_us = status->sync_running_us;
	bool finished = status->batches != watch->batches;

	if (finished && status->last_sync_us > longest_us)
		longest_us = status->last_sync_us;
	if (status->slowest_sync_us > watch->slowest_us &&
	    status->slowest_sync_us > longest_us)
		longest_us = status->slowest_sync_us;
	watch->slowest_us = status->slowest_sync_us;
	watch->batches = status->batches;
	if (longest_us > limit_us)
		set_condition(watch, CONDITION_SLOW_SYNC, true,
		    "a write to the journal's disk takes %.1f s",
		    (double)longest_us / 1e6);
	else if (finished && status->sync_running_us == 0)
		set_condition(watch, CONDITION_SLOW_SYNC, false,
		    "writes to the journal's disk are quick again: %.3f s",
		    (double)status->last_sync_us / 1e6);
}

static void
check_space(struct watch *watch, const struct journal_status *status)
{
	double share = status->unfinished_share;
	double warning = watch->config.space_warning;

	if (status->disk_full != 0)
		set_condition(watch, CONDITION_SPACE, true,
		    "the journal's disk has no room for another segment: %s",
		    strerror(status->disk_full));
	else if (share >= warning)
		set_condition(watch, CONDITION_SPACE, true,
		    "unfinished signals take %.0f %% of the journal's budget",
		    share * 100);
	else if (share < warning - SPACE_MARGIN)
		set_condition(watch, CONDITION_SPACE, false,
		    "unfinished signals take only %.0f %% of the journal's budget",
		    share * 100);
	if (status->refusal != JOURNAL_TAKES)
		set_condition(watch, CONDITION_REFUSING, true,
		    "signals are not acknowledged, the journal is full: %s",
		    journal_refusal_text(status->refusal));
	else
		set_condition(watch, CONDITION_REFUSING, false,
		    "the journal has room: signals are acknowledged");
	set_condition(watch, CONDITION_QUARANTINE, status->quarantined > 0,
	    "%u damaged journal segments were set aside as *.quarantine",
	    status->quarantined);
}

/* Moving: durable follows, or nothing waits for it, or there is no room for
 * what does: a restart would make none. */
static void
check_progress(struct watch *watch, const struct journal_status *status,
    int64_t monotonic_us)
{
	bool healthy;

	if (status->durable_lsn != watch->durable_lsn ||
	    status->appended_lsn == status->durable_lsn ||
	    status->refusal == JOURNAL_HOLDING)
		watch->progressed_us = monotonic_us;
	watch->durable_lsn = status->durable_lsn;
	healthy = status->failure == 0 &&
	    status->sync_running_us <= watch->config.stuck_sync_us &&
	    monotonic_us - watch->progressed_us <= watch->config.stuck_sync_us;
	if (watch->healthy && !healthy)
		log_write(LOG_ERROR, "watch", "journal_stuck",
		    "running_ms=%" PRId64 " failure=\"%s\"",
		    status->sync_running_us / 1000, status->failure_text);
	else if (!watch->healthy && healthy)
		log_write(LOG_NOTICE, "watch", "journal_moves", "lsn=%" PRIu64,
		    status->durable_lsn);
	watch->healthy = healthy;
}

/* In bounded turns, so that deliveries get theirs. */
static void
look_at_bridges(struct watch *watch, const struct journal_status *status)
{
	static const struct timeval soon = { 0, AGAIN_US };
	static const struct timeval to_tell = { 0, SUPERVISION_TELL_US };
	struct supervision_status found;

	if (!watch->supervision)
		return;
	if (watch->pace)
		supervision_set_pace(watch->supervision,
		    watch->pace(watch->pace_context));
	if (supervision_look(watch->supervision, status)) {
		event_add(watch->again, &soon);
		return;
	}
	supervision_status(watch->supervision, &found);
	if (found.untold > 0)
		event_add(watch->again, &to_tell);
}

static void
on_again(evutil_socket_t fd, short what, void *context)
{
	struct watch *watch = context;
	struct journal_status status;

	(void)fd;
	(void)what;
	journal_status(watch->journal, &status);
	look_at_bridges(watch, &status);
}

void
watch_look(struct watch *watch)
{
	int64_t monotonic_us = clock_monotonic_us(watch->clock);
	struct journal_status status;

	journal_status(watch->journal, &status);
	check_clock(watch, monotonic_us);
	check_sync(watch, &status);
	check_space(watch, &status);
	check_progress(watch, &status, monotonic_us);
	tell(watch);
	outages_tell(watch->outages);
	refusal_watch_tell(watch->refusals);
	if (watch->schedules) {
		schedules_look(watch->schedules);
		site_tests_look(watch->site_tests);
		cameras_look(watch->cameras);
		activations_look(watch->activations);
	}
	look_at_bridges(watch, &status);
}

static void
on_tick(evutil_socket_t fd, short what, void *context)
{
	(void)fd;
	(void)what;
	watch_look(context);
}

/* ---- life ------------------------------------------------------------------------------- */

static int
open_supervision(struct watch *watch, struct directory *directory,
    struct err *err)
{
	const struct watch_config *config = &watch->config;
	const struct supervision_config supervision = {
		.state_directory = config->state_directory,
		.checkpoint_us = config->checkpoint_us,
		.deaf_sync_us = config->slow_sync_us,
		.mass_loss = { config->mass_loss_least,
		    config->mass_loss_share },
	};

	return supervision_open(&watch->supervision, &supervision,
	    watch->journal, directory, watch->clock, err);
}

static int
open_events(struct watch *watch, struct event_base *base, struct err *err)
{
	const struct timeval interval = { 0, TICK_US };

	watch->tick = event_new(base, -1, EV_PERSIST, on_tick, watch);
	watch->again = event_new(base, -1, 0, on_again, watch);
	if (!watch->tick || !watch->again ||
	    event_add(watch->tick, &interval) < 0)
		return err_set(err, -ENOMEM, "cannot start the watch's timer");
	return 0;
}

/* False: no memory. */
static bool
open_site_parts(struct watch *watch, const struct watched *watched)
{
	watch->schedules = schedules_open(watch->journal, watched->directory,
	    watched->sites, watch->clock);
	watch->site_tests = site_tests_open(watch->journal, watched->directory,
	    watched->sites, watch->clock, watch->config.state_directory);
	watch->cameras = cameras_open(watch->journal, watched->directory,
	    watched->sites, watch->clock);
	watch->activations = activations_open(watch->journal,
	    watched->directory, watched->sites, watch->clock);
	return watch->schedules && watch->site_tests && watch->cameras &&
	    watch->activations;
}

/* The parts that say what they find by themselves. */
static int
open_parts(struct watch *watch, const struct watched *watched, struct err *err)
{
	bool sites = watched->directory && watched->sites;

	watch->outages = outages_open(watch->journal, watch->clock,
	    watch->config.outage_after_us);
	watch->refusals = refusal_watch_open(watch->journal, watch->clock);
	if (!watch->outages || !watch->refusals ||
	    (sites && !open_site_parts(watch, watched)))
		return err_set(err, -ENOMEM, "no memory for the watch");
	return watched->directory
	    ? open_supervision(watch, watched->directory, err)
	    : 0;
}

int
watch_open(struct watch **ret, struct event_base *base,
    const struct watch_config *config, const struct watched *watched,
    const struct clock *clock, struct err *err)
{
	struct watch *watch = calloc(1, sizeof(*watch));
	struct journal_status status;
	int result;

	if (!watch)
		return err_set(err, -ENOMEM, "no memory for the watch");
	journal_status(watched->journal, &status);
	watch->config = *config;
	watch->journal = watched->journal;
	watch->clock = clock;
	watch->pace = watched->pace;
	watch->pace_context = watched->context;
	watch->progressed_us = clock_monotonic_us(clock);
	watch->offset_us = clock_wall_us(clock) - watch->progressed_us;
	watch->batches = status.batches;
	watch->slowest_us = status.slowest_sync_us;
	watch->durable_lsn = status.durable_lsn;
	watch->healthy = true;
	result = open_parts(watch, watched, err);
	if (result == 0)
		result = open_events(watch, base, err);
	if (result < 0)
		watch_close(&watch);
	*ret = watch;
	return result;
}

void
watch_close(struct watch **watch)
{
	struct watch *old = *watch;

	*watch = NULL;
	if (!old)
		return;
	supervision_close(&old->supervision);
	outages_close(&old->outages);
	refusal_watch_close(&old->refusals);
	schedules_close(&old->schedules);
	site_tests_close(&old->site_tests);
	cameras_close(&old->cameras);
	activations_close(&old->activations);
	if (old->tick)
		event_free(old->tick);
	if (old->again)
		event_free(old->again);
	free(old);
}

void
watch_report(struct watch *watch, const char *what, const char *name,
    bool works)
{
	outages_report(watch->outages, what, name, works);
}

void
watch_refused(struct watch *watch, const struct watch_refusal *refusal)
{
	refusal_watch_report(watch->refusals, refusal);
}

const struct supervision *
watch_supervision(const struct watch *watch)
{
	return watch->supervision;
}

bool
watch_healthy(const struct watch *watch)
{
	return watch->healthy;
}
