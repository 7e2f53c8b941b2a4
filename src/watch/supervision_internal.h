/* What the files of supervision share; nobody else includes this. */
#ifndef WATCH_SUPERVISION_INTERNAL_H
#define WATCH_SUPERVISION_INTERNAL_H

#include "directory/presence.h"
#include "watch/supervision.h"
#include "watch/timer_wheel.h"
#include "watch/told.h"

#define SUPERVISION_CODE_BRIDGE "350"
#define SUPERVISION_CODE_PATH	"351"

/* timer_wheel_entry.told, and in the checkpoint: never renumber. */
enum told_bit {
	TOLD_OFFLINE = 1 << 0,
	TOLD_PATH = 1 << 1, /* and the next one for the second path */
};

struct supervision {
	struct supervision_config config;
	struct journal *journal;
	struct directory *directory;
	struct presence *presence;
	const struct clock *clock;

	struct timer_wheel wheel;
	uint32_t marked;      /* where the look at marks goes on */
	bool settled;	      /* every bridge was looked at once */
	int64_t began_us;     /* timer_wheel_entry.since counts from here */
	int64_t reception_us; /* since then we have been listening */
	int64_t looked_us;
	enum supervision_pace pace;
	int64_t allowance_us; /* time to spend on telling */

	struct told_table recovered; /* until each bridge is looked at */
	struct incident incident;
	bool incident_told;
	uint64_t own_lsn; /* of the last signal appended */
	int64_t saved_us;
	struct supervision_status status;
};

/* ---- supervision_state.c ---- */

/* What was told, from checkpoint and journal. */
int supervision_recover(struct supervision *supervision, struct err *err);
/* Write a checkpoint, unless some of what was told is not durable. */
void supervision_save(struct supervision *supervision);

#endif
