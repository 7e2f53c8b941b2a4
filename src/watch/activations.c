#include "watch/activations.h"

#include <stdio.h>
#include <stdlib.h>

#include "journal/own_signal.h"

#define CODE_ACTIVATION "628"
/* In one look, so that deliveries get theirs. */
#define REPORTS_A_LOOK 500

struct activations {
	struct journal *journal;
	const struct directory *directory;
	const struct site_states *sites;
	const struct clock *clock;
	uint64_t told_lsn; /* nothing new before this is decided */
	size_t position;   /* of the turn through all sites */
	unsigned reports;  /* in this look */
};

struct activations *
activations_open(struct journal *journal, const struct directory *directory,
    const struct site_states *sites, const struct clock *clock)
{
	struct activations *activations = calloc(1, sizeof(*activations));
	struct journal_status status;

	if (!activations)
		return NULL;
	journal_status(journal, &status);
	*activations = (struct activations){ .journal = journal,
		.directory = directory,
		.sites = sites,
		.clock = clock,
		.told_lsn = status.appended_lsn };
	return activations;
}

void
activations_close(struct activations **activations)
{
	free(*activations);
	*activations = NULL;
}

static void
report(struct activations *activations, const struct directory_site *site)
{
	char text[96], end[CLOCK_TEXT_SIZE];
	const struct own_signal signal = { .code = CODE_ACTIVATION,
		.begins = true,
		.site_id = site->id,
		.zone = "000",
		.text = text,
		.occurred_us = site->activation_ends_us };

	/* what is one too many, or has no room, is told with the next turn */
	if (activations->reports >= REPORTS_A_LOOK)
		return;
	snprintf(text, sizeof(text), "no bridge was registered until %s",
	    clock_format(site->activation_ends_us, end));
	if (own_signal_collect(activations->journal, activations->clock,
		&signal, &activations->told_lsn) == 0)
		activations->reports++;
}

static void
look_at_site(void *context, const struct directory_site *site)
{
	struct activations *activations = context;
	const struct site_area *told;

	if (site->activation_ends_us == 0 ||
	    site->state != DIRECTORY_SITE_ACTIVE ||
	    clock_wall_us(activations->clock) <= site->activation_ends_us)
		return;
	told = site_state_area(site_states_find(activations->sites, site->id),
	    (struct area){ AREA_ACTIVATION, 0 });
	if (!told || told->last_at_us != site->activation_ends_us)
		report(activations, site);
}

void
activations_look(struct activations *activations)
{
	if (activations->sites->position_lsn < activations->told_lsn)
		return;
	activations->reports = 0;
	directory_thread_online();
	directory_sites_some(activations->directory, &activations->position,
	    look_at_site, activations);
	directory_thread_offline();
	if (activations->reports > 0)
		journal_wake(activations->journal);
}
