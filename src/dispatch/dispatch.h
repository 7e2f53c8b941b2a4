/*
 * journal -> routing -> journal -> egress. Reads committed records in order,
 * recognises repeats, asks routing, journals the decision, and hands a
 * delivery to egress only when its decision was read back, durable. The same
 * path replays the journal at start: what is decided is never decided again.
 * Main loop only.
 */
#ifndef DISPATCH_DISPATCH_H
#define DISPATCH_DISPATCH_H

#include <event2/event.h>

#include "base/clock.h"
#include "base/err.h"
#include "base/json.h"
#include "directory/directory.h"
#include "egress/egress.h"
#include "journal/journal.h"
#include "routing/site_state.h"

struct dispatch_config {
	int64_t repeat_window_us; /* how long a repeat is one */
	uint32_t repeat_slots;	  /* remembered messages, over all senders */
	uint32_t runaway_limit;	  /* events of a bridge in a minute; 0: none */
	const char *state_directory; /* acknowledgement marks; checkpoints */
	int64_t checkpoint_us;
};

struct dispatch;
/* Builds its state from the journal (checkpoint, then replay). */
int dispatch_open(struct dispatch **ret, struct event_base *base,
    const struct dispatch_config *config, struct journal *journal,
    struct directory *directory, const struct clock *clock,
    struct egress *egress, struct err *err);
void dispatch_close(struct dispatch **dispatch);

/*
 * Of each signal whose sender is answered when it is settled, and of each
 * resend of it: every event is decided, and every delivery was acknowledged by
 * its station or given up by an operator. Not of one that cannot be decided,
 * and in doubt of none. Called on the main loop.
 */
typedef void (*dispatch_settled_fn)(void *context, uint64_t lsn);
void dispatch_on_settled(struct dispatch *dispatch, dispatch_settled_fn fn,
    void *context);

/* The callbacks to open egress with; the context is filled in by
 * dispatch_open, so egress is opened first with these. */
struct egress_callbacks dispatch_egress_callbacks(struct dispatch **slot);

/* Operator: put parked deliveries of a receiver (NULL: all) back into the
 * queue, at its end. Returns how many, or -errno. */
int dispatch_replay_parked(struct dispatch *dispatch, const char *receiver,
    const char *who, struct err *err);

/* What was given up. delivering: what is queued was left, as the link works and
 * is not paused. */
struct dispatch_skipped {
	unsigned parked, queued;
	bool delivering;
};
/*
 * An operator gives up what is parked for a receiver, and while its link is
 * paused or the receiver is gone what is queued too. NULL: of all receivers that
 * are gone. why, with who it was, is journalled with each. 0, -ENOENT, or -EAGAIN
 * with the reason when the journal took only some.
 */
int dispatch_skip(struct dispatch *dispatch, const char *receiver,
    const char *why, struct dispatch_skipped *ret, struct err *err);

/* Everything journalled so far is decided and delivered or parked. */
bool dispatch_idle(const struct dispatch *dispatch);

/* The journal cannot be read on: nothing more is decided. Only a restart, which
 * quarantines what is damaged, helps. */
bool dispatch_broken(const struct dispatch *dispatch);

struct dispatch_status {
	uint64_t decided, repeats, delivered, skipped, parked_now;
	uint64_t unsettled_now; /* signals whose senders wait for stations */
	uint64_t waiting_now;	/* to be decided again */
	uint64_t verdicts[16];	/* by enum verdict */
	uint64_t position_lsn;	/* read up to here */
	uint64_t lag_bytes;	/* durable but not yet read */
	uint64_t delivery_buckets[16]; /* seconds from receipt to station ack */
	double delivery_sum_s;
};
extern const double dispatch_delivery_bounds_s[15];
void dispatch_status(const struct dispatch *dispatch,
    struct dispatch_status *ret);

/* What is remembered of sites; of dispatch's life. */
const struct site_states *dispatch_sites(const struct dispatch *dispatch);

/* The first parked deliveries as JSON objects into an open array. */
void dispatch_show_parked(struct dispatch *dispatch, struct json *json,
    unsigned limit);

#endif
