#include "watch/cameras.h"

#include <stdio.h>
#include <stdlib.h>

#include "journal/own_signal.h"
#include "routing/routing.h"

#define CODE_IDLE "391"
#define SECOND_US INT64_C(1000000)
#define DAY_US	  (86400 * SECOND_US)
/* A bridge sends again what was not acknowledged. */
#define GRACE_US (600 * SECOND_US)
/* A sync that takes so long is time without reception. */
#define DEAF_US (30 * SECOND_US)
/* In one look, so that deliveries get theirs. */
#define REPORTS_A_LOOK 500

struct cameras {
	struct journal *journal;
	const struct directory *directory;
	const struct site_states *sites;
	const struct clock *clock;
	uint64_t told_lsn;	   /* nothing new before this is decided */
	int64_t receives_since_us; /* monotonic */
	size_t position;	   /* of the turn through all bridges */
	unsigned reports;	   /* in this look */
};

struct cameras *
cameras_open(struct journal *journal, const struct directory *directory,
    const struct site_states *sites, const struct clock *clock)
{
	struct cameras *cameras = calloc(1, sizeof(*cameras));
	struct journal_status status;

	if (!cameras)
		return NULL;
	journal_status(journal, &status);
	*cameras = (struct cameras){ .journal = journal,
		.directory = directory,
		.sites = sites,
		.clock = clock,
		.told_lsn = status.appended_lsn,
		.receives_since_us = clock_monotonic_us(clock) };
	return cameras;
}

void
cameras_close(struct cameras **cameras)
{
	free(*cameras);
	*cameras = NULL;
}

static void
report(struct cameras *cameras, const struct directory_bridge *bridge,
    const struct directory_zone *zone, bool idle, const char *what)
{
	char text[200];
	const struct own_signal signal = { .code = CODE_IDLE,
		.begins = idle,
		.bridge_id = bridge->id,
		.zone = zone->zone,
		.text = text };

	/* what is one too many, or has no room, is told with the next turn */
	if (cameras->reports >= REPORTS_A_LOOK)
		return;
	snprintf(text, sizeof(text), "camera of '%.100s' %s", zone->name, what);
	if (own_signal_collect(cameras->journal, cameras->clock, &signal,
		&cameras->told_lsn) == 0)
		cameras->reports++;
}

static bool
receives_long_enough(const struct cameras *cameras)
{
	return clock_monotonic_us(cameras->clock) -
	    cameras->receives_since_us >=
	    GRACE_US;
}

static void
look_at_watched(struct cameras *cameras, const struct directory_bridge *bridge,
    const struct directory_zone *zone, const struct site_area *memory)
{
	int64_t due_us = zone->idle_days * DAY_US + ROUTING_CAMERA_GRAIN_US;
	char what[100];
	bool idle;

	if (!memory) {
		snprintf(what, sizeof(what),
		    "is watched from here on: idle after %u days",
		    zone->idle_days);
		report(cameras, bridge, zone, false, what);
		return;
	}
	idle = clock_wall_us(cameras->clock) - memory->last_at_us > due_us;
	if (idle == memory->missing_told ||
	    (idle && !receives_long_enough(cameras)))
		return;
	snprintf(what, sizeof(what), "has seen nothing for %u days",
	    zone->idle_days);
	report(cameras, bridge, zone, idle, idle ? what : "sees something");
}

/* Several zones may point at one camera: its first one stands for it. */
static bool
is_first_of_channel(const struct directory_bridge *bridge, unsigned at)
{
	for (unsigned i = 0; i < at; i++)
		if (bridge->zones[i].channel_id == bridge->zones[at].channel_id)
			return false;
	return true;
}

static void
look_at_zone(struct cameras *cameras, const struct directory_bridge *bridge,
    const struct site_state *state, unsigned at)
{
	const struct directory_zone *zone = &bridge->zones[at];
	const struct site_area *memory = site_state_area(state,
	    (struct area){ AREA_CAMERA, zone->channel_id });

	if (zone->idle_days == 0 && !(memory && memory->missing_told))
		return;
	if (!is_first_of_channel(bridge, at))
		return;
	if (zone->idle_days > 0)
		look_at_watched(cameras, bridge, zone, memory);
	else
		report(cameras, bridge, zone, false, "is not watched any more");
}

static void
look_at_bridge(void *context, const struct directory_bridge *bridge)
{
	struct cameras *cameras = context;
	const struct directory_site *site = NULL;
	const struct site_state *state;

	if (bridge->kind == DIRECTORY_BRIDGE && bridge->site_id)
		site =
		    directory_site_by_id(cameras->directory, bridge->site_id);
	if (!site || site->state != DIRECTORY_SITE_ACTIVE)
		return;
	state = site_states_find(cameras->sites, site->id);
	for (unsigned i = 0; i < bridge->zone_count; i++)
		look_at_zone(cameras, bridge, state, i);
}

void
cameras_look(struct cameras *cameras)
{
	struct journal_status status;

	journal_status(cameras->journal, &status);
	if (status.refusal != JOURNAL_TAKES || status.failure != 0 ||
	    status.sync_running_us > DEAF_US)
		cameras->receives_since_us = clock_monotonic_us(cameras->clock);
	if (cameras->sites->position_lsn < cameras->told_lsn)
		return;
	cameras->reports = 0;
	directory_thread_online();
	directory_bridges_some(cameras->directory, &cameras->position,
	    look_at_bridge, cameras);
	directory_thread_offline();
	if (cameras->reports > 0)
		journal_wake(cameras->journal);
}
