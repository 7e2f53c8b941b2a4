/*
 * A journal, dispatch and egress with one station on loopback, which has a
 * shadow that is dead, three customers with a bridge each, and a clock that a
 * test moves. Zone N of a bridge has zone type N. One at a time.
 */
#ifndef DISPATCH_WORLD_H
#define DISPATCH_WORLD_H

#include "dispatch/dispatch.h"
#include "signal/ack_level.h"
#include "unit/egress/peer.h"

#define SECOND	 INT64_C(1000000)
#define BEGAN_US (INT64_C(1780308000) * SECOND) /* 2026-06-01 10:00 UTC */
#define SHADOW	 4				/* receiver */
/* armed by its bridge, which signals as ABCD: entry delay 60 s, exit delay 30 s,
 * filter 20 s */
#define SITE   7
#define BRIDGE 9
/* the same, as DCBA: 25 s, 10 s and 35 s, and it owes a test each minute */
#define HOUSE	     8
#define HOUSE_BRIDGE 10
/* armed by its users and its schedule, every second minute; as EFEF: 25 s, 5 s
 * and 10 s */
#define SHOP	    6
#define SHOP_BRIDGE 11

struct world {
	char directory_path[64];
	const struct io *io;
	struct event_base *base;
	struct event *tick;
	struct clock_fake clock;
	struct journal *journal;
	struct directory *directory;
	struct egress *egress;
	struct dispatch *dispatch;
	struct peer peer;
	uint64_t fingerprint;
	uint64_t claimed_site_id; /* in the records of signals from outside */
	uint64_t known_bridge_id; /* that ingress knew ABCD by; 0: none */
	uint32_t runaway_limit;
	int64_t checkpoint_us; /* 0: at the start and the end */
	enum ack_level level;  /* of what is received */
	unsigned told;	       /* how often something was told to be settled */
};

extern struct world world;

#define wait_for(condition)                                                    \
 do {                                                                          \
  int64_t end_ = clock_monotonic_us(&clock_system) + 20 * SECOND;              \
  while (!(condition)) {                                                       \
   if (clock_monotonic_us(&clock_system) > end_)                               \
    fail_msg("never came about: %s", #condition);                              \
   event_base_loop(world.base, EVLOOP_ONCE);                                   \
  }                                                                            \
 } while (0)

/* Everything, in a new directory below parent, with an empty journal. */
void open_world(const char *parent, const struct io *io);
void close_world(void);
/* Journal, egress and dispatch alone: a restart. */
void open_stages(void);
void close_stages(void);

/* An event that ABCD, or another account, signals now. */
void receive(const char *code, enum signal_qualifier qualifier,
    const char *zone);
void receive_from(const char *account, const char *code,
    enum signal_qualifier qualifier, const char *zone);
/* Several in one frame, as filled in but for the partition. */
void receive_events(const char *account, const struct signal_event *events,
    unsigned count);
/* A signal of our own about a site, or a bridge and its zone 3, whose camera must
 * see something every day. */
void receive_own(uint64_t site_id, uint64_t bridge_id, const char *code,
    bool begins);
/* Time goes by; what nobody sends makes dispatch look at it. */
void advance(unsigned seconds);

/* Decisions with this verdict since the start of the stages. */
uint64_t verdicts(enum verdict verdict);
/* Everything that is durable was read, and nothing but time is waited for. */
bool settled(void);

/* Of a group: the thread as the directory's reader. */
int begin_worlds(void **state);
int end_worlds(void **state);

#endif
