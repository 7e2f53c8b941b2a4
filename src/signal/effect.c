#include "signal/effect.h"

#include <inttypes.h>
#include <stdio.h>

#include "base/clock.h"

/* The digits or letters of site_zone_key; "0" when there are none. */
static void
format_zone(uint64_t key, char out[16])
{
	size_t length = 0;

	for (int shift = 56; shift >= 0; shift -= 8)
		if (key >> shift & 0xff)
			out[length++] = (char)(key >> shift & 0xff);
	if (length == 0)
		out[length++] = '0';
	out[length] = '\0';
}

static void
format_area(struct area area, char out[40])
{
	switch (area.kind) {
	case AREA_SITE:
		snprintf(out, 40, "the site");
		return;
	case AREA_BRIDGE:
		snprintf(out, 40, "bridge %" PRIu64, area.number);
		return;
	case AREA_PARTITION:
		snprintf(out, 40, "partition %" PRIu64, area.number);
		return;
	case AREA_CAMERA:
		snprintf(out, 40, "the camera of channel %" PRIu64,
		    area.number);
		return;
	case AREA_ACTIVATION:
		snprintf(out, 40, "the activation");
		return;
	}
	snprintf(out, 40, "an area");
}

static int
format_zone_effect(const struct effect *effect, const char *until, char *out)
{
	char zone[16];

	format_zone(effect->zone, zone);
	switch (effect->alarm) {
	case ZONE_ALARM_NONE:
		return snprintf(out, EFFECT_TEXT_SIZE,
		    "zone %s: its alarm is over", zone);
	case ZONE_ALARM_RAISED:
		return snprintf(out, EFFECT_TEXT_SIZE,
		    "zone %s: its alarm is raised, trips until %s are repeats",
		    zone, until);
	case ZONE_ALARM_WAITING:
		return snprintf(out, EFFECT_TEXT_SIZE,
		    "zone %s: its alarm waits until %s", zone, until);
	case ZONE_ALARM_SILENT:
		return snprintf(out, EFFECT_TEXT_SIZE,
		    "zone %s: its alarm stays silent, and so will its restore",
		    zone);
	}
	return snprintf(out, EFFECT_TEXT_SIZE, "zone %s", zone);
}

static void
format_zone_and_restore(const struct effect *effect, const char *until,
    char *out)
{
	int length = format_zone_effect(effect, until, out);

	if (effect->held_lsn && length < EFFECT_TEXT_SIZE)
		snprintf(out + length, EFFECT_TEXT_SIZE - (size_t)length,
		    "; a restore is held back until then");
}

char *
effect_format(const struct effect *effect, char out[EFFECT_TEXT_SIZE])
{
	const char *armed = effect->armed ? "armed" : "disarmed";
	char area[40], at[CLOCK_TEXT_SIZE], until[CLOCK_TEXT_SIZE];

	format_area(effect->area, area);
	clock_format(effect->at_us, at);
	clock_format(effect->until_us, until);
	snprintf(out, EFFECT_TEXT_SIZE, "not known to this version");
	switch (effect->kind) {
	case EFFECT_ARMING:
		snprintf(out, EFFECT_TEXT_SIZE, "%s is %s since %s", area,
		    armed, at);
		break;
	case EFFECT_SCHEDULE:
		snprintf(out, EFFECT_TEXT_SIZE,
		    "it was told that the schedule %s %s at %s", armed, area,
		    at);
		break;
	case EFFECT_ENTRY:
		snprintf(out, EFFECT_TEXT_SIZE,
		    "the entry delay of %s runs from %s until %s", area, at,
		    until);
		break;
	case EFFECT_ZONE:
		format_zone_and_restore(effect, until, out);
		break;
	case EFFECT_WAIT:
		snprintf(out, EFFECT_TEXT_SIZE,
		    "the event is decided again at %s, or sooner if something changes",
		    until);
		break;
	case EFFECT_TEST:
		snprintf(out, EFFECT_TEXT_SIZE,
		    effect->on ? "the next test is awaited from %s on"
			       : "it was told at %s that a test is missing",
		    at);
		break;
	case EFFECT_ON_TEST:
		snprintf(out, EFFECT_TEXT_SIZE,
		    "it was told at %s that the site is %s", at,
		    effect->on ? "on test" : "not on test any more");
		break;
	case EFFECT_CAMERA:
		snprintf(out, EFFECT_TEXT_SIZE,
		    "an event of %s is awaited from %s on", area, at);
		break;
	case EFFECT_IDLE:
		snprintf(out, EFFECT_TEXT_SIZE,
		    "it was told at %s that %s is %s", at, area,
		    effect->on ? "idle" : "not idle any more");
		break;
	case EFFECT_ACTIVATION:
		snprintf(out, EFFECT_TEXT_SIZE,
		    "it was told that %s ended at %s without a bridge", area,
		    at);
		break;
	}
	return out;
}
