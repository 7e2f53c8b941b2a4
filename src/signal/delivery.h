/*
 * struct delivery: one message to one station receiver, complete in itself:
 * what routing decided and the journal keeps. Egress needs nothing else, so a
 * later change in the directory cannot redirect what was decided. A value
 * whose slices borrow (directory objects while deciding, the record buffer
 * when read back).
 */
#ifndef SIGNAL_DELIVERY_H
#define SIGNAL_DELIVERY_H

#include "signal/effect.h"
#include "signal/position.h"
#include "signal/signal.h"
#include "signal/verdict.h"

/* Deliveries of one event; further destinations are a later rule. */
#define DECISION_DELIVERIES_MAX 8

struct delivery {
	uint64_t receiver_id;
	/* Running number per receiver, 1.., given by dispatch in journal order:
	 * the same on every resend, also after a restart. */
	uint64_t number;
	enum signal_format format;
	enum signal_qualifier qualifier;
	char code[SIGNAL_CODE_SIZE];
	struct slice
	    account; /* effective: prefix + number, never the bridge's */
	struct slice partition; /* as received; outputs pad to their width */
	struct slice zone;
	struct slice user;
	struct slice text;	/* raw bytes as the panel sent them */
	struct slice zone_name; /* UTF-8 from here on */
	struct slice site_name;
	struct slice reference_id;
	struct slice url;
	struct slice
	    line_card;	     /* of the station record; SLICE_NONE: receiver's */
	int64_t occurred_us; /* panel's own time; 0: not told */
	int64_t received_us;
	bool test;
	struct position position; /* of its site */
};

enum decision_flag {
	DECISION_UNMAPPED_ZONE = 1 << 0, /* no channel knows the zone */
	DECISION_PASS_THROUGH = 1 << 1, /* a panel's own code, not a bridge's */
	/* of an event that waited, decided once more */
	DECISION_CONCLUDES = 1 << 2,
	/* cut, as its bridge runs away: it is in the summary */
	DECISION_RUNAWAY = 1 << 3,
};
#define DECISION_FLAG_LAST DECISION_RUNAWAY

/* What became of one event of one signal. */
struct decision {
	uint64_t signal_lsn;
	uint16_t item;	      /* which event of the frame */
	enum verdict verdict; /* VERDICT_ROUTED when delivery_count > 0 */
	unsigned flags;	      /* enum decision_flag */
	struct slice reason;  /* in words, for people */
	uint64_t dealer_id, site_id, bridge_id, channel_id; /* 0: none */
	unsigned delivery_count;
	struct delivery deliveries[DECISION_DELIVERIES_MAX];
	unsigned effect_count;
	struct effect effects[EFFECTS_MAX];
};

/* Nothing decided yet: the tables are as long as their counts say, and too
 * large to be cleared for each event. */
static inline void
decision_begin(struct decision *decision)
{
	memset(decision, 0, offsetof(struct decision, deliveries));
	decision->effect_count = 0;
}

/* How one delivery ended, or moved. In the journal: never renumber. */
enum outcome_state {
	OUTCOME_DELIVERED = 1, /* the station acknowledged */
	OUTCOME_PARKED = 2,    /* set aside, waits for an operator */
	OUTCOME_REQUEUED = 3,  /* an operator put a parked one back */
	OUTCOME_SKIPPED = 4,   /* an operator gave it up */
};
#define OUTCOME_LAST OUTCOME_SKIPPED
/* "delivered", as in PostgreSQL; never NULL */
const char *outcome_state_name(enum outcome_state state);

struct outcome {
	uint64_t decision_lsn;
	uint8_t index; /* into decision.deliveries */
	enum outcome_state state;
	uint64_t signal_lsn;
	uint16_t item;
	uint64_t receiver_id;
	uint32_t attempts;
	/* It may have reached the station twice: it was in flight when the
	 * connection or the process ended. */
	bool repeated;
	struct slice endpoint; /* "192.0.2.7:1025" */
	struct slice reason;   /* of parking; who requeued */
	/* the code that it was translated to: "BA", "E130"; absent: none */
	struct slice sent_as;
};

#endif
