#include "routing/arming.h"

#include "routing/schedule.h"

bool
arming_by_command(enum directory_arming method)
{
	return method == DIRECTORY_ARMING_VIDEO_SYSTEM ||
	    method == DIRECTORY_ARMING_REMOTE_API;
}

static struct area
area_of(const struct arming_question *question)
{
	switch (question->site->arming) {
	case DIRECTORY_ARMING_PANEL_INDIVIDUAL:
		return (struct area){ AREA_BRIDGE, question->bridge_id };
	case DIRECTORY_ARMING_VIDEO_SYSTEM:
	case DIRECTORY_ARMING_SCHEDULE:
	case DIRECTORY_ARMING_PANEL_SIGNALS:
	case DIRECTORY_ARMING_REMOTE_API:
		if (question->partition)
			return (struct area){ AREA_PARTITION,
				question->partition };
		break;
	case DIRECTORY_ARMING_ALWAYS:
	case DIRECTORY_ARMING_PANEL_PRIMARY:
		break;
	}
	return (struct area){ AREA_SITE, 0 };
}

/* The latest command to this area or to the whole site. NULL: none. */
static const struct site_area *
command_to(const struct site_state *state, struct area area)
{
	const struct site_area *own = site_state_area(state, area);
	const struct site_area *site = area.kind == AREA_PARTITION
	    ? site_state_area(state, (struct area){ AREA_SITE, 0 })
	    : NULL;

	if (own && !own->commanded)
		own = NULL;
	if (site && !site->commanded)
		site = NULL;
	if (!own || !site)
		return own ? own : site;
	return site->order > own->order ? site : own;
}

static void
take_command(struct arming *arming, const struct site_area *command)
{
	arming->known = true;
	arming->armed = command->armed;
	arming->since_us = command->at_us;
}

/* The later of the two decides; that both say the same is no change. */
static void
take_both(struct arming *arming, const struct site_area *command,
    const struct schedule_state *schedule)
{
	bool same = command->armed == schedule->armed;

	if (command->at_us > schedule->since_us) {
		take_command(arming, command);
		if (same)
			arming->since_us = schedule->since_us;
		return;
	}
	arming->known = true;
	arming->armed = schedule->armed;
	arming->since_us = same ? command->at_us : schedule->since_us;
}

struct arming
arming_of(const struct arming_question *question)
{
	enum directory_arming method = question->site->arming;
	struct arming arming = { .armed = true, .area = area_of(question) };
	const struct site_area *command = method == DIRECTORY_ARMING_ALWAYS ||
		method == DIRECTORY_ARMING_SCHEDULE
	    ? NULL
	    : command_to(question->state, arming.area);
	struct schedule_state schedule = { .known = false };

	if (method == DIRECTORY_ARMING_SCHEDULE ||
	    method == DIRECTORY_ARMING_VIDEO_SYSTEM)
		schedule = schedule_state_at(question->schedule,
		    question->partition, question->at_us);
	if (command && schedule.known) {
		take_both(&arming, command, &schedule);
	} else if (command) {
		take_command(&arming, command);
	} else if (schedule.known) {
		arming.known = true;
		arming.armed = schedule.armed;
		arming.since_us = schedule.since_us;
	}
	return arming;
}
