/*
 * Signs of life: when each bridge was last heard, by which listeners, and from
 * where. Every sound signal counts, journalled or not. A bridge keeps its slot
 * as long as the directory knows its id, whatever else of it changes; a bridge
 * that goes is forgotten.
 *
 *	slot     1        2        3    ...
 *	      |--------|--------|--------|      one cache line each
 *
 * Written by the ingress workers: a few relaxed stores into one line, never a
 * lock, never memory. Read by anyone. Slots are given and taken back by the
 * directory's writer, who lets no reader hold a bridge whose slot is given
 * anew.
 */
#ifndef DIRECTORY_PRESENCE_H
#define DIRECTORY_PRESENCE_H

#include <netinet/in.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/socket.h"

/* Listeners remembered for each bridge; the one that was silent longest makes
 * room for a further one. */
#define PRESENCE_PATHS 4

struct presence;

/* ---- who hears them ---- */

/* A listener's number, 1.., the same for the same name for good. 0: there were
 * too many names, or no memory: what it hears is not kept. */
unsigned presence_listener(struct presence *presence, const char *name);

/* Small enough to be compared at every signal. IPv4 is mapped into IPv6. */
struct presence_peer {
	uint64_t address[2];
	uint16_t port;
};
/* AF_INET fits too. */
struct presence_peer presence_peer_of(const struct sockaddr_in6 *address);

/* The bridge of this slot was heard. The caller holds the bridge (online in
 * the directory). Slot 0 and listener 0 are nobody's. */
void presence_seen(struct presence *presence, uint32_t slot, unsigned listener,
    const struct presence_peer *peer, int64_t monotonic_us);

/* ---- who asks ---- */

/* Slots are numbered 1 .. this; some may be nobody's. */
uint32_t presence_slots(const struct presence *presence);
/* 0: nobody's. */
uint64_t presence_bridge(const struct presence *presence, uint32_t slot);

struct presence_path {
	const char *listener;
	int64_t seen_us; /* monotonic, to the millisecond */
};
struct presence_status {
	unsigned path_count; /* 0: not heard since the start */
	struct presence_path paths[PRESENCE_PATHS]; /* the latest first */
	char peer[SOCKET_ADDRESS_TEXT];		    /* "" while it changes */
};
void presence_status(const struct presence *presence, uint32_t slot,
    struct presence_status *ret);
/* Only the listeners that heard it, in no order; returns how many. */
unsigned presence_paths(const struct presence *presence, uint32_t slot,
    struct presence_path ret[PRESENCE_PATHS]);

/* ---- who supervises them: one thread ---- */

/* Another number whenever the slot's bridge is another one, or one that has to
 * be taken as another: at another site. */
uint8_t presence_generation(const struct presence *presence, uint32_t slot);
/* Mark the slot with the next sign of life, and each one after it. */
void presence_watch(struct presence *presence, uint32_t slot, bool watch);
/*
 * The first marked slot behind this one, its mark taken; 0: no further one.
 * Marked are slots of bridges that came, went, or are to be supervised
 * otherwise, and of watched ones that were heard.
 */
uint32_t presence_next_mark(struct presence *presence, uint32_t slot);

/* ---- the directory's writer ---- */

struct presence *presence_create(void);
void presence_close(struct presence **presence);
/* Room for so many more bridges: 0 or -ENOMEM. */
int presence_reserve(struct presence *presence, size_t more,
    void *(*allocate)(size_t));
/* A slot for this bridge. Cannot fail after presence_reserve. */
uint32_t presence_take(struct presence *presence, uint64_t bridge_id);
/* No reader holds this bridge any more: forget it. Nothing happens when the
 * slot is not this bridge's. */
void presence_release(struct presence *presence, uint32_t slot,
    uint64_t bridge_id);
/* Its bridge belongs to another site now. */
void presence_renew(struct presence *presence, uint32_t slot);
void presence_mark(struct presence *presence, uint32_t slot);
size_t presence_bytes(const struct presence *presence);

#endif
