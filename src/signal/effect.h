/*
 * What a decision changes of a site's state: is it armed, does an entry delay
 * run, what has each zone raised. A decision carries its effects into the
 * journal, so that a replay applies them and never asks the directory of today.
 * Each says how something of the decision's site *is* from now on: applied
 * twice it is the same. A value.
 */
#ifndef SIGNAL_EFFECT_H
#define SIGNAL_EFFECT_H

#include <stdbool.h>
#include <stdint.h>

/* In the journal: never renumber. */
enum effect_kind {
	EFFECT_ARMING = 1,   /* somebody armed or disarmed an area */
	EFFECT_SCHEDULE = 2, /* its schedule did, and that was told */
	EFFECT_ENTRY = 3,    /* an entry delay runs in an area */
	EFFECT_ZONE = 4,     /* what a zone of a bridge has raised */
	EFFECT_WAIT = 5,     /* the event is decided again later */
	EFFECT_TEST = 6,    /* a test was received, is awaited, or is missing */
	EFFECT_ON_TEST = 7, /* it was told whether the site is on test */
	EFFECT_CAMERA = 8,  /* a camera has seen something, or is awaited to */
	EFFECT_IDLE = 9,    /* it was told whether a camera is idle */
	EFFECT_ACTIVATION = 10, /* that its activation has ended was told */
};
#define EFFECT_LAST EFFECT_ACTIVATION

/* What can be armed by itself, and what else is watched of a site. In the
 * journal: never renumber. */
enum area_kind {
	AREA_SITE = 0,
	AREA_BRIDGE = 1,     /* its number is the bridge's id */
	AREA_PARTITION = 2,  /* its number is the partition's */
	AREA_CAMERA = 3,     /* its number is its channel's id; never armed */
	AREA_ACTIVATION = 4, /* never armed */
};
#define AREA_LAST AREA_ACTIVATION

struct area {
	enum area_kind kind;
	uint64_t number; /* 0: of the site */
};

/* What became of the latest alarm of a zone. In the journal: never renumber. */
enum zone_alarm {
	ZONE_ALARM_NONE = 0, /* it is over, its restore was raised */
	ZONE_ALARM_RAISED = 1,
	ZONE_ALARM_WAITING = 2, /* its entry delay runs */
	ZONE_ALARM_SILENT = 3,	/* it was not raised, nor will its restore be */
};
#define ZONE_ALARM_LAST ZONE_ALARM_SILENT

struct effect {
	enum effect_kind kind;
	struct area area; /* ARMING, SCHEDULE, ENTRY, and from CAMERA on */
	bool armed;	  /* ARMING, SCHEDULE */
	/* TEST: received, or awaited from here; ON_TEST, IDLE: it is */
	bool on;
	/* since when: all but ZONE and WAIT; ACTIVATION: when it ended */
	int64_t at_us;
	int64_t until_us; /* ENTRY, WAIT: its end; ZONE: of what runs */
	uint64_t zone;	  /* ZONE: of the decision's bridge (site_zone_key) */
	enum zone_alarm alarm;
	/* ZONE: the restore that is held back until then; lsn 0: none */
	uint64_t held_lsn;
	uint16_t held_item;
};

/* Of one decision. */
#define EFFECTS_MAX 4

/* In words, for people; times are UTC. out is returned. */
#define EFFECT_TEXT_SIZE 160
char *effect_format(const struct effect *effect, char out[EFFECT_TEXT_SIZE]);

#endif
