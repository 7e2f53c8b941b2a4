/*
 * One synthetic panel: its messages in flight and its connection's buffers.
 * Inside of the generator, which drives it.
 *
 * flights is a ring; a message stays in it from first sending until it is
 * acknowledged, refused or given up:
 *
 *   head           tail
 *   |-- in flight --|-- free --|       numbers only rise; slot = n % inflight
 */
#ifndef LOAD_PANEL_H
#define LOAD_PANEL_H

#include <openssl/types.h>

#include "load/frame.h"

enum panel_state {
	PANEL_CLOSED,	  /* waits for retry_us, or is not needed any more */
	PANEL_CONNECTING, /* or shaking hands */
	PANEL_OPEN,
};

struct flight {
	struct frame_message message;
	uint64_t id;
	int64_t first_us; /* monotonic: first sending */
	int64_t deadline_us;
	unsigned tries;
	bool done;
	bool waiting; /* to be sent again */
};

struct panel {
	enum panel_state state;
	int fd;
	bool answered; /* a message of this connection */
	SSL *ssl;      /* of this connection; NULL: clear */
	unsigned index;
	unsigned inflight; /* size of the ring */
	uint16_t sequence; /* last one used */
	unsigned since_link_test;
	uint64_t made; /* signals so far */
	uint64_t account_count;
	uint64_t head, tail;
	struct flight *flights;
	char *partial; /* beginning of a reply; DC09_FRAME_MAX, made on need */
	size_t partial_length;
	char *unsent; /* what the socket did not take */
	size_t unsent_length;
	int64_t clock_offset_us; /* learnt from a NAK */
	int64_t retry_us;
	int64_t backoff_us;
};

static inline struct flight *
panel_flight(const struct panel *panel, uint64_t n)
{
	return &panel->flights[n % panel->inflight];
}

static inline bool
panel_has_room(const struct panel *panel)
{
	return panel->tail - panel->head < panel->inflight;
}

/* A new flight at the tail: the panel's next signal, or a link test. panels:
 * how many there are in all (accounts are dealt out in turn). */
struct flight *panel_next_signal(struct panel *panel, unsigned panels);
struct flight *panel_next_link_test(struct panel *panel);

/* The flight that this reply answers, or NULL. */
struct flight *panel_find(const struct panel *panel, struct frame_maker *maker,
    const struct signal *reply);

/* Done flights leave the ring as soon as nothing older is open. */
void panel_finish(struct panel *panel, struct flight *flight);

#endif
