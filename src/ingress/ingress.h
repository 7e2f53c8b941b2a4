/*
 * Listeners and their workers: bytes of strangers in, records into the
 * journal, replies out once the journal is durable. Each worker is a thread
 * with its own event base and its own SO_REUSEPORT sockets; a session belongs
 * to one worker for life. Knows no routing.
 */
#ifndef INGRESS_INGRESS_H
#define INGRESS_INGRESS_H

#include "base/clock.h"
#include "base/err.h"
#include "base/json.h"
#include "base/socket.h"
#include "codec/dc09.h"
#include "directory/directory.h"
#include "journal/journal.h"
#include "signal/ack_level.h"

enum ingress_transport {
	INGRESS_TCP,
	INGRESS_UDP,
	INGRESS_TLS,
	INGRESS_TCP_CONNECT, /* we connect, to address and port */
	INGRESS_UNIX,	     /* address: a path */
	INGRESS_DIRECTORY,   /* likewise, with files of an AlarmReceiver */
};
/* Its address is a path, and a port says nothing. */
bool ingress_has_path(enum ingress_transport transport);

enum ingress_protocol {
	INGRESS_DC09,
	/* what receivers say towards automation software; no datagrams */
	INGRESS_SURGARD,	 /* a line of one character */
	INGRESS_SURGARD_MLR2000, /* of three */
	INGRESS_ADEMCO685,
	INGRESS_D6500,
	INGRESS_CONTACT_ID, /* lines of a dialer's digits */
	INGRESS_HTTP,	    /* the bridge API; no datagrams either */
};
/* "dc09"; static */
const char *ingress_protocol_name(enum ingress_protocol protocol);

/* What a sound frame from an account that nobody knows gets. */
enum ingress_unknown {
	INGRESS_UNKNOWN_ACK_AND_LOG, /* acknowledged, verdict unknown_account */
	INGRESS_UNKNOWN_DUH,
	INGRESS_UNKNOWN_IGNORE,
};

/* Of INGRESS_TLS. PEM files, read by ingress_open and each ingress_reload. */
struct ingress_tls_config {
	const char *certificate;     /* and its chain */
	const char *certificate_key; /* "": in the same file */
	const char *client_ca;	     /* "": clients are not asked for one */
	bool client_required;	     /* one that is asked must have one */
	bool client_account;	     /* and speaks only for accounts it names */
	uint32_t max_handshakes;
	int64_t handshake_timeout_us;
};

struct ingress_listener_config {
	const char *name;
	enum ingress_protocol protocol;
	enum ingress_transport transport;
	const char *address;
	uint16_t port; /* 0: any, see ingress_listener_port */
	struct codec_key
	    key; /* of accounts without their own; length 0: none */
	struct dc09_window window;
	unsigned tolerate; /* enum dc09_tolerance bits */
	enum ingress_unknown unknown_account;
	enum ack_level ack_level;
	/* no answer to what is not settled for so long (ACK_LEVEL_DELIVERED) */
	int64_t delivered_timeout_us;
	bool reply_timestamp; /* also in clear replies */
	int64_t idle_timeout_us;
	int64_t first_frame_timeout_us; /* nothing sound yet: close */
	uint32_t junk_limit_bytes;	/* without a sound frame: close */
	uint32_t max_sessions;
	uint32_t max_source_sessions; /* of one address; 0: no limit */
	/* a second, likewise: frames wait on a connection, datagrams and
	 * handshakes are refused */
	uint32_t max_source_frames, max_source_handshakes;
	bool cipher_required; /* clear frames are refused */
	/* no word to who is unknown or has no right key, whatever
	 * unknown_account says */
	bool silent;
	struct ingress_tls_config tls;
};

/* Do both take the same socket, connection or path? */
bool ingress_same_place(const struct ingress_listener_config *a,
    const struct ingress_listener_config *b);

struct ingress_config {
	unsigned workers; /* 0: one per two cores, at least one */
	unsigned listener_count;
	const struct ingress_listener_config *listeners;
};

struct ingress;
/* Binds every listener (all or nothing), then starts the workers. The config
 * is copied. */
int ingress_open(struct ingress **ret, const struct ingress_config *config,
    struct journal *journal, struct directory *directory,
    const struct clock *clock, struct err *err);
/*
 * Swap the configuration: listeners whose transport, address and port are
 * unchanged keep socket and sessions and take the new settings; others are
 * opened or closed. On an error nothing changed. Called by the main thread.
 */
int ingress_reload(struct ingress *ingress, const struct ingress_config *config,
    struct err *err);
/* Would its certificates be taken? 0, or -EINVAL with the reason. */
int ingress_check_tls(const struct ingress_tls_config *config, struct err *err);
/* Stop accepting and reading; replies still go out. Then ingress_close. */
void ingress_drain(struct ingress *ingress, int64_t timeout_us);
void ingress_close(struct ingress **ingress);

/* Any thread, from ingress_open to ingress_close: the signal with this lsn is
 * settled. Whoever waits for that is answered. */
void ingress_settled(struct ingress *ingress, uint64_t lsn);

uint16_t ingress_listener_port(const struct ingress *ingress, const char *name);

/* Any thread. One JSON object per listener / per session (at most limit) /
 * last bad frames, into an open array. */
void ingress_show_listeners(struct ingress *ingress, struct json *json);
void ingress_show_sessions(struct ingress *ingress, struct json *json,
    unsigned limit);
void ingress_show_errors(struct ingress *ingress, struct json *json);

/* Why something was turned away. */
enum ingress_refusal {
	INGRESS_REFUSED_OTHER_PROTOCOL, /* a connection that began with it */
	INGRESS_REFUSED_BAD_CRC,
	INGRESS_REFUSED_MALFORMED,
	INGRESS_REFUSED_UNPROCESSABLE,	 /* sound, but not understood */
	INGRESS_REFUSED_UNKNOWN_ACCOUNT, /* where such are not taken */
	INGRESS_REFUSED_NO_KEY,
	INGRESS_REFUSED_WRONG_KEY,
	INGRESS_REFUSED_OLD_KEY, /* after the end of its overlap */
	INGRESS_REFUSED_CLEAR_TEXT,
	INGRESS_REFUSED_NO_TLS,
	INGRESS_REFUSED_OTHER_MAC,
	INGRESS_REFUSED_TIME_WINDOW,
	INGRESS_REFUSED_OTHER_ACCOUNT, /* not one that the certificate names */
	INGRESS_REFUSED_NOT_TLS,       /* a connection to a TLS listener */
	INGRESS_REFUSED_TLS_FAILED,
	INGRESS_REFUSED_OVER_LIMIT, /* from here on nothing is kept for show */
	INGRESS_REFUSED_OVER_SOURCE_LIMIT,
	INGRESS_REFUSED_OVER_FRAME_LIMIT, /* a connection: made to wait */
	INGRESS_REFUSED_OVER_HANDSHAKE_LIMIT,
	INGRESS_REFUSED_NO_DESCRIPTORS,
	INGRESS_REFUSED_TOO_SLOW, /* no frame, or no handshake, in time */
	INGRESS_REFUSALS
};
/* "wrong_key"; what was refused, in words; must an operator know of it? */
const char *ingress_refusal_name(enum ingress_refusal cause);
const char *ingress_refusal_text(enum ingress_refusal cause);
bool ingress_refusal_told(enum ingress_refusal cause);

#define INGRESS_ACCOUNT_TEXT 33
struct ingress_refusal_status {
	const char *listener;
	enum ingress_refusal cause;
	uint64_t count; /* ever */
	/* of the last one; "": it named none */
	char peer[SOCKET_ADDRESS_TEXT], account[INGRESS_ACCOUNT_TEXT];
};
typedef void (*ingress_refusal_fn)(void *context,
    const struct ingress_refusal_status *status);
/* Any thread. What an operator must know of, where it happened. */
void ingress_each_refusal(struct ingress *ingress, ingress_refusal_fn fn,
    void *context);

/* Counters, summed over workers, per listener. */
enum ingress_reply_kind {
	INGRESS_REPLY_ACK,
	INGRESS_REPLY_NAK,
	INGRESS_REPLY_DUH,
	INGRESS_REPLY_NONE, /* sound, but deliberately unanswered */
	INGRESS_REPLY_KINDS
};
struct ingress_listener_status {
	const char *name;
	enum ingress_protocol protocol;
	uint64_t signals, polls, replies[INGRESS_REPLY_KINDS];
	uint64_t faults[8]; /* by enum dc09_fault */
	uint64_t sessions_now, sessions_total, timeouts;
	uint64_t refused, refused_source; /* over max_.. */
	uint64_t handshakes, handshakes_failed;
	uint64_t other_account; /* not one that the certificate names */
	uint64_t previous_key;	/* frames under one, accepted */
	uint64_t refusals[INGRESS_REFUSALS];
	/* replies that wait until their signal is settled, now; and those that
	 * waited for too long */
	uint64_t awaiting, delivered_timeouts;
	uint64_t ack_buckets[16]; /* seconds from receipt to durable reply */
	double ack_sum_s;
};
extern const double ingress_ack_bounds_s[15];
typedef void (*ingress_status_fn)(void *context,
    const struct ingress_listener_status *status);
void ingress_each(struct ingress *ingress, ingress_status_fn fn, void *context);

#endif
