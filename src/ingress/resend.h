/*
 * Tells a resent message of a receiver's automation output from a new one that
 * reads alike: the formats have no sequence. A receiver sends one message at a
 * time and goes on when it is answered, so only the last message of each can
 * come again: on the same connection when nothing was answered, or as the first
 * of its next one when the answer was lost.
 */
#ifndef INGRESS_RESEND_H
#define INGRESS_RESEND_H

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

#define RESEND_SOURCES 64 /* of a listener; the oldest makes room */

/* What was last taken. */
struct resend_message {
	uint64_t hash;	     /* of its bytes */
	uint64_t occurrence; /* 0: none yet */
};

struct resend_source {
	uint64_t address[2]; /* of the receiver */
	struct resend_message last;
};

/* Last messages of receivers, by address; any thread. */
struct resends {
	pthread_mutex_t lock;
	struct resend_source sources[RESEND_SOURCES]; /* the newest first */
};

void resends_init(struct resends *resends);
void resends_close(struct resends *resends);

/* The last message from there, occurrence 0: none is known. */
struct resend_message resends_last(struct resends *resends,
    const uint64_t address[2]);
void resends_note(struct resends *resends, const uint64_t address[2],
    struct resend_message message);

#endif
