/*
 * Pure: (signal, event, directory) -> decision. No socket, clock, file, SQL;
 * the same inputs give the same decision. Call between
 * directory_thread_online/offline; the decision's slices borrow the signal,
 * the directory's objects and the scratch.
 */
#ifndef ROUTING_ROUTING_H
#define ROUTING_ROUTING_H

#include "directory/directory.h"
#include "routing/site_state.h"
#include "signal/delivery.h"
#include "signal/signal.h"
#include "signal/system_events.h"

/* What a camera has seen is remembered when the last that is known is so old. */
#define ROUTING_CAMERA_GRAIN_US INT64_C(3600000000)

/* Room for what a decision has to compose: account, URL, reason. */
struct routing_scratch {
	char accounts[DECISION_DELIVERIES_MAX][DIRECTORY_EFFECTIVE_SIZE];
	char urls[DECISION_DELIVERIES_MAX][512];
	char zones[DECISION_DELIVERIES_MAX][8];
	char reason[256], waiting[256];
};

struct routing_request {
	const struct signal *signal;
	unsigned item;	       /* which of its events */
	struct slice listener; /* that it came in by */
	bool account_zeros;    /* look the account up without zeros too */
	/* that it was received from, or that a signal of our own is about; 0:
	 * none was known */
	uint64_t bridge_id;
	/* of a signal of our own about a whole site, and of an event that waits:
	 * its bridge may have moved meanwhile; 0: where the bridge is */
	uint64_t site_id;
	int64_t received_us;
	uint64_t signal_lsn; /* names the signal in effects */
	/* what is remembered of sites; NULL: every zone is taken for armed and
	 * nothing is remembered */
	const struct site_states *states;
	bool runaway; /* the sender has raised as many as it may for now */
	/* Of an event that waits: decided again as at concluded_us, and it was
	 * to wait until waited_until_us. 0: decided for the first time. */
	int64_t concluded_us, waited_until_us;
};

/*
 * Always a verdict with its reason; delivery numbers are left 0. With
 * VERDICT_WAITING the decision has the effect EFFECT_WAIT and no delivery, and
 * the event is to be decided again then, or as soon as something else of its
 * site changes; concluded before its time it may be VERDICT_WAITING with no
 * effect at all: it goes on waiting and there is nothing to journal. Retries by
 * itself when the directory changes under it.
 */
void routing_decide(const struct directory *directory,
    const struct routing_request *request, struct routing_scratch *scratch,
    struct decision *ret);

/* Which level a value came from. */
enum routing_level {
	ROUTING_LEVEL_CHANNEL,
	ROUTING_LEVEL_SITE,
	ROUTING_LEVEL_DEALER,
	ROUTING_LEVEL_BUILT_IN,
};
const char *routing_level_name(enum routing_level level);

struct routing_effective {
	bool enabled;
	enum routing_level enabled_level;
	char code[DIRECTORY_INBOUND_SIZE]; /* built-in: the inbound one */
	enum routing_level code_level;
};

/* enabled and code, each the first that is set: channel, site, dealer,
 * built-in. zone may be NULL (the value without a channel). The same truth
 * table is the SQL view effective_alarm_code. */
void routing_resolve(const struct directory_zone_type *built_in,
    const struct directory_library *dealer,
    const struct directory_library *site, const struct directory_zone *zone,
    struct routing_effective *ret);

/* The same for an inbound code that is no zone alarm, as codes_inbound_format
 * says it; built-in: enabled, the code itself. */
void routing_resolve_inbound(const char *code,
    const struct directory_library *dealer,
    const struct directory_library *site, struct routing_effective *ret);

/* The same for a system event, of our own or of a bridge; a restore that a
 * level says nothing about has what it says about the alarm, and at each level a
 * row about the event goes before one about its code. channel: of the camera that
 * it is about. Each may be NULL. The same truth table is the SQL view
 * effective_system_event. */
void routing_resolve_system_event(const struct system_event *event,
    const struct directory_library *dealer,
    const struct directory_library *site,
    const struct directory_library *channel, struct routing_effective *ret);

#endif
