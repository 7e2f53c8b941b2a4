/*
 * One link per station receiver: connect, heartbeat, send, wait, retry, fail
 * over, park. In journal order, one message in flight unless the receiver is
 * set to take more. Main loop only. Knows no journal: what to send is fetched
 * through `load`, how it ended is told through `done`, both by reference.
 */
#ifndef EGRESS_EGRESS_H
#define EGRESS_EGRESS_H

#include <event2/event.h>

#include "base/clock.h"
#include "base/err.h"
#include "base/json.h"
#include "directory/directory.h"
#include "signal/delivery.h"

#define EGRESS_TICK_US	 16384
#define EGRESS_TICK_MASK ((1U << 27) - 1)

/* So many accounts are told apart: an urgent delivery goes before what others
 * have waiting, and takes along what is of its account modulo this. */
#define EGRESS_ACCOUNTS 4096

/* Where a decided delivery stands: dispatch reads it back from there. */
struct egress_reference {
	uint64_t decision_lsn;
	uint32_t index : 4;    /* of the decision's deliveries, < 8 */
	uint32_t repeated : 1; /* may have been sent before (restart) */
	/* egress's own: when it was queued, in EGRESS_TICK_US of the monotonic
	 * clock, modulo 2^27 (25 days). The caller leaves it 0. */
	uint32_t queued : 27;
	/* hash of its account; the same account, the same hash */
	uint32_t account;
};

struct egress_result {
	struct egress_reference reference;
	uint64_t receiver_id;
	enum outcome_state state; /* DELIVERED or PARKED */
	uint32_t attempts;
	/* It may have reached the station twice: sent again after silence, after
	 * its connection broke, or maybe before a restart. A NAK alone is none. */
	bool repeated;
	struct slice endpoint; /* borrowed for the call */
	struct slice reason;   /* of parking */
	/* the code it was translated to, as in "BA"; absent: it went as decided */
	struct slice sent_as;
	int64_t queued_us; /* how long it waited, to EGRESS_TICK_US */
};

#define EGRESS_EVENT_SIZE 96

struct egress_callbacks {
	/* Fill *ret (borrows until the next call). 0, or -errno: the link is
	 * stopped with the reason and tries again later; nothing is skipped. */
	int (*load)(void *context, struct egress_reference reference,
	    struct delivery *ret, struct err *err);
	/* Called once per delivery. The link goes on at once. -EAGAIN: could not
	 * be recorded now; the link waits and calls again. May enqueue; must not
	 * sync or close. */
	int (*done)(void *context, const struct egress_result *result);
	/* The id of its event, as people know it; "" when it cannot be read.
	 * May be NULL. */
	void (*event)(void *context, struct egress_reference reference,
	    char ret[EGRESS_EVENT_SIZE]);
	void *context;
};

struct egress_config {
	const char *node;	  /* first part of every delivery's id */
	const char *certificates; /* directory of the endpoints' PEM files */
	const char *nameservers;  /* "ADDRESS:PORT,.."; "": the system's */
	/* where endpoints of this machine are by name; "": there are none */
	const char *programs_directory, *files_directory, *mail_directory;
	int64_t reconnect_min_us, reconnect_max_us; /* back-off with jitter */
	int64_t connect_timeout_us;
	int64_t primary_return_us; /* try the first endpoint again this often */
	unsigned start_paused;	   /* bench: links stay paused till resumed */
};

struct egress;
int egress_open(struct egress **ret, struct event_base *base,
    const struct egress_config *config, struct directory *directory,
    const struct clock *clock, const struct egress_callbacks *callbacks,
    struct err *err);
/* Runs what is active on the base once: look-ups that are cancelled end so. */
void egress_close(struct egress **egress);

/* Make the links what the directory's receivers say (call at start and after
 * every directory change, offline: it goes online itself). Changed settings
 * take force once what is in flight is answered. A removed receiver's queue
 * stays, visible. */
void egress_sync(struct egress *egress);

/* Append to the receiver's queue; urgent: before those of other accounts, never
 * before those of its own. 16 bytes each; -ENOMEM when that fails (the caller
 * stops reading the journal until it works). A receiver that no longer exists
 * gets a link in state "removed" that keeps the queue. */
int egress_enqueue(struct egress *egress, uint64_t receiver_id,
    struct egress_reference reference, bool urgent);

/* The oldest decision_lsn that some link still has to deliver; UINT64_MAX. */
uint64_t egress_oldest(const struct egress *egress);
/* What goes before others' deliveries, urgent or taken along, goes so because of
 * urgent ones that may have been delivered since: none of them was decided
 * before this. UINT64_MAX. */
uint64_t egress_lead(const struct egress *egress);
size_t egress_queued(const struct egress *egress);

/* Operator. name: of the receiver; -ENOENT. Paused links keep queueing. */
int egress_pause(struct egress *egress, const char *name, bool paused);

/*
 * Operator: fn takes each reference that is queued for the link of that name, in
 * the order they would go, out of the queue; NULL: for every receiver that is gone. How
 * many; -ENOENT; -EBUSY: the link is not paused, or has messages in flight; or
 * what fn refused with, and the reference stays.
 */
typedef int (*egress_skip_fn)(void *context, uint64_t receiver_id,
    struct egress_reference reference);
int egress_skip(struct egress *egress, const char *name, egress_skip_fn fn,
    void *context);

/* One JSON object per link into an open array: name, protocol, state,
 * endpoint, queue length, age of its oldest, counters, last error. */
void egress_show(struct egress *egress, struct json *json);
/* The same of shadows: what became of the copies they got, and whether it is what
 * became of the deliveries. */
void egress_show_shadows(struct egress *egress, struct json *json);
/* The last deliveries of which a shadow made something else; -ENOENT. */
int egress_show_differences(struct egress *egress, const char *name,
    struct json *json);

/* For metrics and watch: fn per link, but for shadows, which nobody waits for. */
struct egress_link_status {
	const char *name;
	bool up;
	bool wanted; /* up: neither paused nor without its receiver */
	size_t queued;
	double oldest_s;
	uint64_t delivered, parked, repeated, naks, timeouts, connects;
	uint64_t tls_handshakes, tls_failures;
};
typedef void (*egress_status_fn)(void *context,
    const struct egress_link_status *status);
void egress_each(struct egress *egress, egress_status_fn fn, void *context);

/* For metrics: fn per shadow. */
struct egress_shadow_status {
	const char *name;
	bool up;
	size_t waiting; /* copies */
	uint64_t copied, lost, same, different;
};
typedef void (*egress_shadow_fn)(void *context,
    const struct egress_shadow_status *status);
void egress_each_shadow(struct egress *egress, egress_shadow_fn fn,
    void *context);

#endif
