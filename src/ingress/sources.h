/*
 * How many connections each address has to one listener now. Of IPv6 the first
 * 64 bits count: the rest is the host's own choice. Any worker.
 */
#ifndef INGRESS_SOURCES_H
#define INGRESS_SOURCES_H

#include <pthread.h>
#include <stdint.h>

#include "base/hash.h"
#include "base/pool.h"

struct source;

struct sources {
	pthread_mutex_t lock;
	struct hash_key key; /* addresses are strangers' choice */
	struct pool pool;
	uint32_t count; /* addresses */
	uint32_t mask;	/* of buckets; 0: none yet */
	struct source **buckets;
};

void sources_init(struct sources *sources);
void sources_close(struct sources *sources);

/* address: 16 bytes, IPv4 as mapped. One connection more from there; limit 0:
 * no limit. 0, -EUSERS: too many, -ENOMEM. */
int sources_enter(struct sources *sources, const uint64_t address[2],
    uint32_t limit);
/* It has gone. */
void sources_leave(struct sources *sources, const uint64_t address[2]);

#endif
