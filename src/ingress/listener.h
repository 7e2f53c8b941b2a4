/*
 * A listener as everybody sees it, with a slot per worker. Made and freed by
 * the main thread.
 */
#ifndef INGRESS_LISTENER_H
#define INGRESS_LISTENER_H

#include "ingress/bad_frames.h"
#include "ingress/refusal.h"
#include "ingress/resend.h"
#include "ingress/slot.h"
#include "ingress/sources.h"

struct listener {
	const struct ingress_listener_config *config; /* the settings' */
	uint16_t port; /* the one that was bound */
	_Atomic uint32_t sessions;
	struct bad_frames bad_frames;
	struct refusals refusals;
	struct sources sources;
	struct resends resends;
	unsigned slot_count;
	struct slot slots[];
};

/* Binds one socket per worker; config must outlive it. 0 or -errno with the
 * reason. */
int listener_open(struct listener **ret,
    const struct ingress_listener_config *config, struct worker **workers,
    unsigned worker_count, struct err *err);
/* After every worker has given its slot back. */
void listener_close(struct listener **listener);

#endif
