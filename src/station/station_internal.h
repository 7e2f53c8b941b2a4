/* Shared by station.c (life, listeners, signals) and link.c (connections). */
#ifndef STATION_STATION_INTERNAL_H
#define STATION_STATION_INTERNAL_H

#include <event2/event.h>
#include <event2/listener.h>
#include <openssl/types.h>
#include <sys/queue.h>

#include "station/fault.h"
#include "station/ledger.h"
#include "station/protocol.h"
#include "station/station.h"

#define LINK_BUFFER 20480

/* Where the connection stands; only LINK_READING takes bytes. */
enum link_state {
	LINK_CONNECTING,
	LINK_SHAKING, /* hands, for TLS */
	LINK_READING,
	LINK_DELAYED,	/* a reply or the handshake waits for the delay */
	LINK_WRITING,	/* the other side does not take our bytes */
	LINK_HALF_OPEN, /* dead, but never says so */
};

struct link {
	LIST_ENTRY(link) entry;
	struct station *station;
	enum link_state state;
	int fd;
	SSL *tls; /* NULL: clear */
	struct event *readable;
	struct event *writable;
	struct event *timer;
	bool drip;
	bool proven;	  /* by a Hello */
	bool close_after; /* once everything is written */
	size_t in_length, out_length, out_done;
	char in[LINK_BUFFER];
	char out[LINK_BUFFER];
};

struct station {
	const struct station_options *options;
	struct event_base *base;
	struct evconnlistener *listener;
	struct event *datagrams;
	struct event *signals[3];
	struct event *reconnect;
	int fd; /* UDP */
	uint16_t port;
	SSL_CTX *tls; /* NULL: clear */
	struct protocol *protocol;
	struct station_ledger *ledger;
	struct fault_plan faults;
	LIST_HEAD(, link) links;
	int error; /* the run ends with it */
	struct err err;
	struct station_stats stats;
};

/* The reply to a message after its fault, already written down. */
struct answer {
	enum station_fault fault;
	const char *bytes;
	size_t length;
};

/* Decide, write to the ledger (not yet flushed), count. */
struct answer station_take(struct station *station,
    const struct message *message, int64_t now_us);
/* Whether slow-tls strikes the connection that begins. */
bool station_delays_tls(struct station *station);
/* Before any reply leaves. False: the run ends. */
bool station_flush(struct station *station);
bool station_is_done(const struct station *station);
void station_end(struct station *station);

/* ---- link.c --------------------------------------------------------------- */

/* A connection of ours (connecting) or of theirs; takes fd. False: no memory,
 * fd is closed. */
bool link_open(struct station *station, int fd, bool connecting);
void link_close(struct link *link);

#endif
