/*
 * Egress over a real directory and a real event base. Delivery n has number n,
 * zone n % 1000 and decision_lsn n.
 */
#ifndef FIXTURE_H
#define FIXTURE_H

#include "egress/egress.h"
#include "unit/egress/peer.h"
#include "unit/test.h"

#define RESULTS_MAX 200000

struct result {
	uint64_t lsn, receiver_id;
	enum outcome_state state;
	uint32_t attempts;
	bool repeated;
	char endpoint[64], reason[96], sent_as[8];
};

struct fixture {
	struct event_base *base;
	struct event *tick; /* so that waiting for a condition looks again */
	struct directory *directory;
	struct egress *egress;
	struct peer peer, backup;
	struct directory_endpoint endpoints[2];
	struct directory_receiver receiver;
	const char *account; /* of every delivery, but */
	unsigned accounts;   /* > 0: of delivery n the (n % accounts)-th */
	const char *zone_name, *site_name, *url; /* likewise; NULL: none */
	int64_t occurred_us;
	struct position position;
	int load_fails;	  /* so often */
	int done_refuses; /* so often */
	uint64_t queued;
	unsigned result_count;
	struct result results[RESULTS_MAX];
};

/* Where programs and files are; "": nowhere. Set before fixture_open. */
extern char fixture_place[64];

extern struct fixture fixture;
/* The directory of PEM files from the next fixture_open on; NULL: none. */
extern const char *fixture_certificates;

int fixture_open(void **state);
int fixture_close(void **state);
/* Both peers listen, fixture.receiver is ready to be changed. */
void fixture_begin(enum directory_protocol protocol, bool udp);
/* Put fixture.receiver into the directory (false: take it out) and sync. */
void fixture_sync(bool present);
void fixture_enqueue(unsigned count);
void fixture_enqueue_one(bool urgent);
/* `field` of the only link, from egress_show; valid until the next call. */
const char *fixture_show(const char *field);
uint64_t fixture_show_number(const char *field);
bool fixture_state_is(const char *state);

/* Everything queued was delivered, in order, and repeated at the peers only
 * where a result says so. */
void fixture_assert_all_delivered(void);

/* Eight in flight of three accounts, some refused, some unanswered: none
 * overtakes another of its account. */
void fixture_prove_order_in_flight(enum directory_protocol protocol);

void fixture_turn(void);
int64_t fixture_deadline(void);
bool fixture_late(int64_t deadline);

#define wait_for(condition)                                                    \
 do {                                                                          \
  int64_t deadline_ = fixture_deadline();                                      \
  while (!(condition)) {                                                       \
   if (fixture_late(deadline_))                                                \
    fail_msg("never came about: %s (state %s, %s)", #condition,                \
	fixture_show("state"), fixture_show("last_error"));                    \
   fixture_turn();                                                             \
  }                                                                            \
 } while (0)

#endif
