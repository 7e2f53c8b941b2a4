/*
 * Is it armed? Pure: the site's one authority (directory_arming), what is
 * remembered of who armed it, and its schedule -> armed since when.
 *
 *	panel_primary      the arming input of one bridge      the site
 *	panel_individual   each bridge's own arming input      each bridge
 *	video_system       users, and the schedule             site, partitions
 *	schedule           the schedule alone                  site, partitions
 *	panel_signals      openings and closings of panels     site, partitions
 *	remote_api         a partner                           site, partitions
 *	always             nothing disarms it
 *
 * What nobody has said anything about yet counts as armed: an alarm too many
 * is better than one that is missing.
 */
#ifndef ROUTING_ARMING_H
#define ROUTING_ARMING_H

#include "directory/directory.h"
#include "routing/site_state.h"

struct arming_question {
	const struct directory_site *site;
	const struct directory_schedule *schedule; /* NULL: none */
	const struct site_state *state;		   /* NULL: none */
	uint64_t bridge_id;
	unsigned partition; /* 0: none */
	int64_t at_us;
};

struct arming {
	bool armed;
	bool known; /* somebody said so; false: it counts as armed */
	int64_t since_us;
	struct area area; /* whose entry delay a zone of it starts */
};

struct arming arming_of(const struct arming_question *question);

/* May a user of the app or the portal, may a partner set it? */
bool arming_by_command(enum directory_arming method);

#endif
