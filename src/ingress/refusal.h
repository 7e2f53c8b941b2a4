/*
 * Whatever is turned away goes through here: it is counted by its cause, kept
 * for whoever installs the panel, logged at a bounded rate, and remembered for
 * the operator where he must know (watch/refusals.h).
 */
#ifndef INGRESS_REFUSAL_H
#define INGRESS_REFUSAL_H

#include <pthread.h>

#include "base/slice.h"
#include "ingress/ingress.h"

struct slot;

struct refusal {
	enum ingress_refusal cause;
	const char *peer;
	const char *reason;   /* static text */
	struct slice account; /* SLICE_NONE: it named none */
	struct slice bytes;   /* as received; SLICE_NONE: none */
};

/* On the slot's worker. */
void refusal_add(struct slot *slot, const struct refusal *refusal);

/* Who was the last one of each cause, of a listener. Any thread. */
struct refusals {
	pthread_mutex_t lock;
	struct refusal_source {
		char peer[SOCKET_ADDRESS_TEXT];
		char account[INGRESS_ACCOUNT_TEXT];
	} last[INGRESS_REFUSALS];
};

void refusals_init(struct refusals *refusals);
void refusals_close(struct refusals *refusals);
struct refusal_source refusals_last(struct refusals *refusals,
    enum ingress_refusal cause);

#endif
