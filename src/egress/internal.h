/* What the files of egress share; nobody else includes this. */
#ifndef EGRESS_INTERNAL_H
#define EGRESS_INTERNAL_H

#include <event2/dns.h>
#include <event2/util.h>

#include "base/json.h"
#include "base/log.h"
#include "codec/dc09.h"
#include "codec/http_client.h"
#include "egress/egress.h"
#include "egress/local.h"
#include "egress/output.h"
#include "egress/queue.h"
#include "egress/settings.h"
#include "egress/shadow.h"
#include "egress/tls_client.h"
#include "egress/translate.h"
#include "egress/transport.h"

enum link_state {
	LINK_DOWN,	/* cannot even be tried; `problem` says why */
	LINK_RESOLVING, /* the endpoint's host name */
	LINK_CONNECTING,
	LINK_LISTENING, /* the automation has to connect to us */
	LINK_UP,
	LINK_BACKING_OFF, /* every endpoint failed: wait, then the first */
	LINK_PAUSED,
	LINK_REMOVED, /* no such receiver any more; its queue stays */
};

/* Why an up link takes no new message until what is in flight is answered. */
enum link_stop {
	STOP_NONE,
	STOP_RETURN, /* leave the backup for the first endpoint */
	STOP_APPLY,  /* other settings, paused, removed */
};

enum slot_state {
	SLOT_WAITING, /* to send, maybe again */
	SLOT_SENT,    /* waits for its answer */
	SLOT_ENDED,   /* answered or parked, `done` must still be told */
	SLOT_TOLD,
};

/* One message between the queue and its end. */
struct slot {
	struct egress_reference reference;
	enum slot_state state;
	bool ahead;	    /* it went before what others have waiting */
	bool copy;	    /* a shadow's: no delivery */
	bool unanswered;    /* a copy that was given up */
	bool maybe_arrived; /* and not known to be acknowledged */
	uint32_t attempts;  /* all sendings */
	uint32_t tries;	    /* since the link was last declared lost */
	uint32_t sent_here; /* on this very connection */
	uint32_t refusals;  /* NAKs, on any connection */
	int64_t sent_us;    /* monotonic */
	enum outcome_state outcome;
	enum outcome_state original;		/* of what it is a copy of */
	char reason[96];			/* of parking */
	char account[DIRECTORY_EFFECTIVE_SIZE]; /* "": not loaded yet */
	char sent_as[CODES_TEXT_SIZE];		/* "": as decided */
	/* what its answer will name: DC-09, beside the account */
	unsigned sequence;
	char line[8];
	uint64_t number;     /* JSON lines, as the sequence */
	int64_t received_us; /* in the id */
};

/* A host name being resolved. Outlives the link when that stops caring. */
struct resolve {
	struct link *link; /* NULL: nobody waits any more */
	struct evdns_getaddrinfo_request *request;
};

struct link_counters {
	uint64_t delivered, parked, repeated, naks, timeouts, connects;
	uint64_t tls_handshakes, tls_failures;
};

struct link {
	struct egress *egress;
	uint64_t receiver_id;
	char fallback_name[32]; /* of a receiver that never was known */
	/* in force; NULL: never known */
	struct directory_receiver *settings;
	/* to come into force; valid while `stop` is STOP_APPLY */
	struct directory_receiver *next_settings;
	bool listed;	      /* seen in this sync */
	bool removed;	      /* the directory has no such receiver */
	bool operator_paused; /* by egress_pause */
	const struct output *output;

	enum link_state state;
	int64_t state_since_us;
	bool quiet; /* a reconnection that is no news: log for debugging */
	enum link_stop stop;
	char problem[160]; /* the last one, for people */

	struct queue queue;
	/* No urgent one was decided before, of those since which there always
	 * were some that go ahead, waiting or in flight. UINT64_MAX: none. */
	uint64_t lead_lsn;
	struct shadow *shadow; /* NULL: it is nobody's */
	struct slot *ring; /* in flight, in order, SLOT_TOLD behind a head */
	unsigned ring_size, first, count;
	unsigned sent, waiting, untold; /* slots in SENT, WAITING, ENDED */

	struct transport transport;
	int listen_fd; /* -1: none */
	struct event *acceptable;
	struct local *local; /* NULL until it has such an endpoint */
	int standby_fd; /* -1; a newer connection, until the older one fails */
	char endpoint_text[300];
	unsigned endpoint;     /* index of the one in use */
	unsigned address_turn; /* which address of a host name */
	unsigned failed;       /* endpoints in a row, since the last ack */
	unsigned gone;	       /* of these, those that say it is for good */
	int64_t backoff_us;
	int64_t retry_us;	  /* while backing off; when loading failed */
	int64_t primary_retry_us; /* when to leave the backup; 0: not on one */
	struct resolve *resolve;

	/* since the connection stands */
	unsigned answers;
	bool in_doubt; /* sent again after silence: an answer may be the old
			* one's */
	int64_t clock_offset_us; /* receiver's clock minus ours, from NAK */

	bool beat_sent;	      /* waits for its answer */
	bool beat_asked;      /* by the peer */
	bool prove;	      /* after a loss: no message before it is */
	bool greet;	      /* nothing else before that is acknowledged */
	const char *lost;     /* found while feeding: why to give up */
	const char *renew;    /* likewise: why to take another connection */
	char peer_words[160]; /* what they may point to */
	int64_t beat_us;      /* when */
	int64_t last_sent_us; /* anything */
	struct http_answers http;

	struct event *timer, *run;
	int64_t armed_us; /* when the timer fires; 0: not armed */
	struct link_counters counters;
	struct log_limit limit;
};

struct egress {
	struct event_base *base;
	struct egress_config config;
	struct directory *directory;
	const struct clock *clock;
	struct egress_callbacks callbacks;
	struct evdns_base *dns; /* made for the first host name */
	struct dc09_crypto *crypto;
	struct tls_client tls;
	struct link **links; /* sorted by receiver_id */
	size_t count, size;
	/* one of each, so that nothing large is on the stack */
	struct signal response;
	char plain[DC09_BODY_MAX];
	struct json json;
};

/* ---- link.c: one link's life ---- */

int link_open(struct link **ret, struct egress *egress, uint64_t receiver_id);
void link_close(struct link **link);
const char *link_name(const struct link *link);
const char *link_state_name(enum link_state state);
/* By HTTP: nothing is under way, and the connection was of use or stood for a
 * while, so that its end is no failure. */
bool link_is_idle(const struct link *link);
/* Make it what settings, `removed` and the operator say, once nothing is in
 * flight. */
void link_apply(struct link *link);
/* The connection is of no more use: the next endpoint, or wait. `proven`: it
 * was declared lost, so a heartbeat must be acknowledged first. */
void link_fail(struct link *link, const char *reason, bool prove);
/* A fresh connection to the same endpoint, nothing having failed. */
void link_reconnect(struct link *link, const char *reason);
/* Carry out `stop` if nothing is in flight any more. */
void link_try_stop(struct link *link);

/* ---- timing.c ---- */

/* An outcome that could not be recorded is told again this soon. */
#define TELL_RETRY_US 5000

/* Set the timer for the nearest thing to come. */
void link_arm(struct link *link);
/* Let it send from the loop, not from here. */
void link_kick(struct link *link);
/* Events' callbacks; context: the link. */
void link_on_timer(evutil_socket_t fd, short what, void *context);
void link_on_run(evutil_socket_t fd, short what, void *context);

/* ---- connect.c: to the endpoint, or from it ---- */

void connect_begin(struct link *link);
void connect_cancel(struct link *link); /* resolving, connection, listening */
/* Server: take the newer connection if one waits; true when it did. */
bool connect_take_standby(struct link *link);
void connect_drop_standby(struct link *link, const char *reason);
/* The one in use; not while the link is down. */
const struct directory_endpoint *connect_endpoint(const struct link *link);
enum directory_transport connect_transport(const struct link *link);
/* By HTTP: each message is a request. */
bool connect_posts(const struct link *link);
/* link.c's, called when they come about */
void link_connected(struct link *link);
void link_set_state(struct link *link, enum link_state state,
    const char *reason);

/* ---- ring.c: the messages in flight ---- */

int send_resize(struct link *link, unsigned size); /* 0 or -ENOMEM */
/* In ring order, 0..count-1. */
struct slot *send_slot(const struct link *link, unsigned index);
/* The oldest message that waits for an answer, or NULL. */
struct slot *send_oldest(struct link *link);
void send_set_slot(struct link *link, struct slot *slot, enum slot_state state);
/* What a station may know a delivery by: the same whenever it is sent, and no
 * other's: the time of reception tells journals that began anew apart. Needs
 * slot.received_us. */
#define EGRESS_ID_SIZE 128
void send_format_id(const struct link *link, const struct slot *slot,
    char out[EGRESS_ID_SIZE]);
/* Answered or parked (reason: copied, may be NULL); tells `done`. */
void send_end(struct link *link, struct slot *slot, enum outcome_state outcome,
    const char *reason);
/* Tell `done` what it did not take yet. */
void send_tell(struct link *link);
/* The connection is gone: everything unanswered is to be sent again. */
void send_rewind(struct link *link, bool lost);

/* ---- send.c ---- */

/* Send what may be sent now. */
void send_pump(struct link *link);
/* Answers that are overdue by now. */
void send_check_waits(struct link *link, int64_t now_us);
int64_t send_deadline(const struct link *link); /* INT64_MAX: none */

enum answer {
	ANSWER_ACK,
	ANSWER_NAK,
	ANSWER_REFUSED, /* received, but it will never be taken */
	ANSWER_TROUBLE, /* the station cannot take anything now */
	ANSWER_GONE,	/* it will not take anything ever again */
};
/* For outputs. slot NULL: the heartbeat's. reason: copied. */
void send_answered(struct link *link, struct slot *slot, enum answer answer,
    const char *reason);

/* ---- show.c ---- */

/* To be delivered: copies are not. */
size_t link_queued(const struct link *link);
int64_t link_waited_us(const struct link *link,
    struct egress_reference reference);

static inline int64_t
link_now(const struct link *link)
{
	return clock_monotonic_us(link->egress->clock);
}

/* For egress_reference.queued. */
static inline uint32_t
link_tick(const struct link *link)
{
	return (uint32_t)(link_now(link) / EGRESS_TICK_US) & EGRESS_TICK_MASK;
}

#endif
