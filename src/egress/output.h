/*
 * A protocol towards stations is a row here plus one file: how a delivery
 * becomes bytes, and what the peer's bytes answer. Connections, waiting,
 * retries and order are the same for all and not its business.
 */
#ifndef EGRESS_OUTPUT_H
#define EGRESS_OUTPUT_H

#include "directory/directory.h"
#include "signal/delivery.h"

struct link;
struct slot;

/* An encoder may take this much of the transport's room. */
#define OUTPUT_MESSAGE_MAX 18432

struct output {
	enum directory_protocol protocol;
	const char *name;
	/* An answer names no message: it is the oldest one's. What comes after
	 * a silence cannot be told apart then. */
	bool anonymous_answers;
	/* A message that was refused (NAK) so often is parked by a link that takes
	 * others: nothing waits behind it for ever. 0: it is sent again and
	 * again. */
	unsigned refusals_max;
	/* Into out (OUTPUT_MESSAGE_MAX); the length, or -EINVAL when this
	 * delivery can never be sent so (it is parked): *ret_problem, static,
	 * says why. -ENOMEM: not now. Notes in the slot what its answer will
	 * name. */
	int (*encode)(struct link *link, struct slot *slot,
	    const struct delivery *delivery, char *out,
	    const char **ret_problem);
	/* The same for "are you there?"; while link->greet for "it is us". */
	int (*heartbeat)(struct link *link, char *out);
	/* Whether the peer has to take a greeting before anything else. NULL:
	 * no. */
	bool (*greets)(const struct link *link);
	/* Why a receiver set so cannot be served at all, static; NULL: it can.
	 * May be NULL itself. */
	const char *(*unfit)(const struct directory_receiver *receiver);
	/* Tell answered() of every whole answer in data; returns the bytes done
	 * with. */
	size_t (*feed)(struct link *link, const char *data, size_t length);
};

extern const struct output output_ademco685, output_d6500, output_dc09,
    output_json, output_mail, output_surgard, output_webhook, output_xml;

/* NULL for a protocol that has no row. */
const struct output *output_find(enum directory_protocol protocol);

#endif
