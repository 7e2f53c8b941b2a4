/*
 * How many connections each address has to one listener now, and how fast it
 * may go on. Of IPv6 the first 64 bits count: the rest is the host's own
 * choice. Any worker.
 *
 * A rate is one number: the time up to which the address has used what it may.
 * It runs ahead of the clock by a second at most, so an address that was left
 * alone for a second is as good as new, and need not be remembered.
 */
#ifndef INGRESS_SOURCES_H
#define INGRESS_SOURCES_H

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/queue.h>

#include "base/hash.h"
#include "base/pool.h"

struct source;
TAILQ_HEAD(source_list, source);

/* What is counted of its connections. */
enum source_count {
	SOURCE_SESSIONS, /* all: only enter and leave change it */
	SOURCE_ASKING,	 /* shake hands, or wait for a place to */
	SOURCE_SHAKING,	 /* have a place */
	SOURCE_COUNTS
};

/* What is counted by the second. */
enum source_rate {
	SOURCE_FRAMES,
	SOURCE_HANDSHAKES,
	SOURCE_RATES
};

struct sources {
	pthread_mutex_t lock;
	struct hash_key key; /* addresses are strangers' choice */
	struct pool pool;
	uint32_t count; /* addresses */
	/* without connections, for a second; who went on last is at its end */
	struct source_list idle;
	uint32_t mask; /* of buckets; 0: none yet */
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
/* So many more, or fewer, of an address that has connections; any address
 * where nothing changes. Returns how many there are now. */
uint32_t sources_count(struct sources *sources, const uint64_t address[2],
    enum source_count what, int change);
/* One more of these from there: false when there were more than so many in a
 * second, a second's worth at once. 0: no limit. Without memory: true. */
bool sources_may(struct sources *sources, const uint64_t address[2],
    enum source_rate rate, uint32_t per_second, int64_t now_us);

#endif
