/*
 * The payloads of journal records <-> structs, field by field, little-endian
 * (docs/JOURNAL-FORMAT.md). Decoded slices borrow the payload.
 *
 * To change a payload: add fields at the end only and raise its version byte;
 * decoders take every version up to theirs. A field is never reused.
 */
#ifndef JOURNAL_RECORD_H
#define JOURNAL_RECORD_H

#include "base/err.h"
#include "signal/ack_level.h"
#include "signal/delivery.h"
#include "signal/signal.h"

/* A received frame: JOURNAL_SIGNAL. */
struct record_signal {
	struct slice listener; /* its name */
	struct slice peer;     /* "192.0.2.7:40112" */
	/* sender and fingerprint say what is a repeat: hashes (journal_hash_key)
	 * of (bridge, receiver, line, account), where no bridge is known the
	 * listener in its place, and of that + sequence + body */
	uint64_t sender;
	uint64_t fingerprint;
	/* the listener's account_zeros tolerance, which routing must share */
	bool account_zeros;
	/* at which its sender is answered; of our own: local */
	enum ack_level ack_level;
	/* that it came from; of a signal of our own: that it is about; 0: nobody
	 * known, the installation */
	uint64_t bridge_id;
	/* that a signal of our own is about as a whole; 0: none */
	uint64_t site_id;
	struct slice raw; /* the frame as received (still encrypted) */
	struct signal signal;
};

/* Each encodes into out and returns the length, or -EMSGSIZE. */
int record_signal_encode(const struct record_signal *record, void *out,
    size_t out_size);
int record_decision_encode(const struct decision *decision, void *out,
    size_t out_size);
int record_outcome_encode(const struct outcome *outcome, void *out,
    size_t out_size);

/* Only the sender of a signal record; 0: it is not readable. */
uint64_t record_signal_sender(struct slice payload);
/* 0, or -EINVAL with the reason. */
int record_signal_decode(struct slice payload, struct record_signal *ret,
    struct err *err);
int record_decision_decode(struct slice payload, struct decision *ret,
    struct err *err);
int record_outcome_decode(struct slice payload, struct outcome *ret,
    struct err *err);

/* "NODE-LSN" or "NODE-LSN.ITEM" (item > 0): how people name an event. */
#define RECORD_EVENT_ID_SIZE 96
char *record_event_id_format(const char *node, uint64_t lsn, unsigned item,
    char out[RECORD_EVENT_ID_SIZE]);
int record_event_id_parse(const char *text, uint64_t *ret_lsn,
    unsigned *ret_item);

#endif
