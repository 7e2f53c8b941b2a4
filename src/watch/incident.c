#include "watch/incident.h"

#include <string.h>

#define STILL_IN_TEN 1 /* of ten that may be silent when it ends */

/* Forget the seconds that left the window. */
static void
move_window(struct incident *incident, int64_t now_us)
{
	int64_t second = now_us / 1000000;
	int64_t passed = second - incident->second;

	for (int64_t i = 1; i <= passed && i <= INCIDENT_WINDOW_S; i++) {
		uint32_t *lost =
		    &incident->lost[(incident->second + i) % INCIDENT_WINDOW_S];

		incident->recent -= *lost;
		*lost = 0;
	}
	incident->second = second;
}

void
incident_count(struct incident *incident, int64_t now_us)
{
	move_window(incident, now_us);
	incident->lost[incident->second % INCIDENT_WINDOW_S]++;
	incident->recent++;
}

static bool
is_mass(const struct incident *incident, uint64_t supervised)
{
	return incident->recent >= incident->config.least &&
	    (double)incident->recent >=
	    incident->config.share * (double)supervised;
}

void
incident_judge(struct incident *incident, int64_t now_us, uint64_t supervised,
    uint64_t silent)
{
	uint64_t own;

	move_window(incident, now_us);
	if (!incident->on && is_mass(incident, supervised)) {
		incident->on = true;
		incident->most = 0;
		incident->before =
		    silent > incident->recent ? silent - incident->recent : 0;
	}
	if (!incident->on)
		return;
	own = silent > incident->before ? silent - incident->before : 0;
	if (own > incident->most)
		incident->most = own;
	if (10 * own > STILL_IN_TEN * incident->most)
		return;
	/* what was counted for this one begins no other */
	memset(incident->lost, 0, sizeof(incident->lost));
	incident->recent = 0;
	incident->on = false;
}

void
incident_resume(struct incident *incident, uint64_t silent)
{
	incident->on = true;
	incident->before = 0;
	incident->most = silent;
}
