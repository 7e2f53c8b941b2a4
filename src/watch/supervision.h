/*
 * Which bridges are silent for longer than they may. Every sign of life
 * counts (directory/presence.h); what is told is only changes: the bridge is
 * offline (E350) or back (R350), one of its two paths is lost (E351) or back
 * (R351), many were lost at once (E350 of the installation). Each is a signal
 * of our own, journalled like any other.
 *
 *	heard      |  ..  interval  ..  margin  |
 *	                                        offline, at most a tick later
 *
 * After a time without reception everyone gets a whole interval first. What
 * was told is known again after a restart: from the journal, whose replay a
 * checkpoint shortens. Main loop only.
 */
#ifndef WATCH_SUPERVISION_H
#define WATCH_SUPERVISION_H

#include "base/clock.h"
#include "base/err.h"
#include "directory/directory.h"
#include "journal/journal.h"
#include "watch/incident.h"

struct supervision_config {
	const char *state_directory; /* of the checkpoint; NULL: none */
	int64_t checkpoint_us;
	int64_t deaf_sync_us; /* a sync that runs longer: nothing is received */
	struct incident_config mass_loss;
};

struct supervision;
int supervision_open(struct supervision **ret,
    const struct supervision_config *config, struct journal *journal,
    struct directory *directory, const struct clock *clock, struct err *err);
void supervision_close(struct supervision **supervision);

/* A bounded look at what is due. True: more is, look again soon. While changes
 * are untold (supervision_status) look again every SUPERVISION_TELL_US, so that
 * they come one after the other. The thread is registered with the directory
 * and offline. */
#define SUPERVISION_TELL_US 10000
bool supervision_look(struct supervision *supervision,
    const struct journal_status *journal);

/* How fast changes are told, by what is waiting to be delivered: an alarm would
 * have to wait behind them. */
enum supervision_pace {
	SUPERVISION_FAST,    /* 2000 a second */
	SUPERVISION_SLOWLY,  /* 100: much waits, perhaps for a dead station */
	SUPERVISION_TRICKLE, /* 10: for one that answers */
};
void supervision_set_pace(struct supervision *supervision,
    enum supervision_pace pace);

enum supervision_state {
	SUPERVISION_NONE,    /* not supervised */
	SUPERVISION_ONLINE,  /* heard in time, or not late yet */
	SUPERVISION_PARTLY,  /* one path is lost */
	SUPERVISION_OFFLINE, /* told to be */
};
enum supervision_state supervision_state(const struct supervision *supervision,
    uint32_t slot);

struct supervision_status {
	uint64_t supervised, offline; /* bridges */
	uint64_t untold;	      /* changes that wait for their turn */
	uint64_t bytes;		      /* of memory */
	uint64_t looks;		      /* at single bridges, since the start */
	bool mass_loss;
};
void supervision_status(const struct supervision *supervision,
    struct supervision_status *ret);

#endif
