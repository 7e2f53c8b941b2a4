/*
 * The in-memory picture of who gets what: dealers, stations, receivers, sites,
 * bridges with their zones, alarm libraries. Loaded from PostgreSQL by COPY,
 * followed through NOTIFY and the change table, kept as a snapshot file.
 *
 * Beside it stands who was heard when (directory/presence.h).
 *
 * One writer (the directory's own thread). Readers on any thread never lock:
 * liburcu QSBR keeps what they look at alive. Objects are immutable; a change
 * puts a new object in the old one's place. Several objects that one database
 * transaction changed are put in place between two even generations, so a
 * reader that combines objects (site + station + receiver) does:
 *
 *	do {
 *		generation = directory_read_begin(directory);
 *		... look things up ...
 *	} while (directory_read_retry(directory, generation));
 */
#ifndef DIRECTORY_DIRECTORY_H
#define DIRECTORY_DIRECTORY_H

#include <stdbool.h>
#include <stdint.h>

#include "base/clock.h"
#include "base/err.h"
#include "base/io.h"
#include "base/local_clock.h"
#include "base/slice.h"
#include "signal/ack_level.h"
#include "signal/codes.h"
#include "signal/position.h"

#define DIRECTORY_CODE_SIZE	 4
#define DIRECTORY_INBOUND_SIZE	 CODES_INBOUND_SIZE
#define DIRECTORY_ZONE_SIZE	 7
#define DIRECTORY_ACCOUNT_SIZE	 33 /* transport account text, NUL included */
#define DIRECTORY_EFFECTIVE_SIZE 33 /* prefix + number, NUL included */

/* NULL in the database: look at the next level. */
enum directory_tristate {
	DIRECTORY_INHERIT = -1,
	DIRECTORY_NO = 0,
	DIRECTORY_YES = 1,
};

/* One alarm_library row of a dealer or a site. */
struct directory_library_row {
	uint16_t zone_type; /* 0: the row is about a code instead */
	/* Contact ID event, SIA code, or a panel's own ("1-A"); "" */
	char inbound_code[DIRECTORY_INBOUND_SIZE];
	int8_t enabled;			/* enum directory_tristate */
	char code[DIRECTORY_CODE_SIZE]; /* "": inherit */
	/* 'E', 'R': about our own event with this and inbound_code; 0: about
	 * that code, whoever says it */
	char qualifier;
};

struct directory_library {
	uint16_t count;
	const struct directory_library_row *rows;
};

/* The built-in level: a row of the zone_type table. */
struct directory_zone_type {
	uint16_t number;
	bool enabled;
	char code[DIRECTORY_CODE_SIZE];
	const char *name;
	bool when_disarmed; /* 24-hour: whatever arms the site */
	bool delayed;	    /* the first trip starts the entry delay */
	bool follows;	    /* delayed once a delayed zone tripped */
};

struct directory_dealer {
	uint64_t id;
	const char *name;
	struct directory_library library;
};

/* In the snapshot: never renumber. */
enum directory_protocol {
	DIRECTORY_PROTOCOL_SURGARD = 1,
	DIRECTORY_PROTOCOL_DC09 = 2,
	DIRECTORY_PROTOCOL_ADEMCO685 = 3,
	DIRECTORY_PROTOCOL_D6500 = 4,
	DIRECTORY_PROTOCOL_XML = 5,
	DIRECTORY_PROTOCOL_JSON = 6,
	DIRECTORY_PROTOCOL_MAIL = 7,
	DIRECTORY_PROTOCOL_WEBHOOK = 8,
};

/* An account for which the protocol's field has no room (docs/PROTOCOLS.md,
 * Sur-Gard). In the snapshot: never renumber. */
enum directory_account_policy {
	DIRECTORY_ACCOUNT_REFUSE = 0,	   /* it is parked */
	DIRECTORY_ACCOUNT_SPLIT_FRONT = 1, /* the line has its beginning */
	DIRECTORY_ACCOUNT_SPLIT_BACK = 2,  /* the line has its end */
};

/* The one code that a receiver wants, where the code table has a translation.
 * In the snapshot: never renumber. */
enum directory_translation {
	DIRECTORY_TRANSLATION_NONE = 0,
	DIRECTORY_TRANSLATION_CONTACT_ID = 1,
	DIRECTORY_TRANSLATION_SIA = 2,
};

/* In the snapshot: never renumber. */
enum directory_transport {
	DIRECTORY_TRANSPORT_TCP = 0,
	DIRECTORY_TRANSPORT_UDP = 1, /* DC-09 only */
	DIRECTORY_TRANSPORT_TLS = 2,
	/* of this machine, JSON lines only: a program that stays, one that runs
	 * for each signal, a file or FIFO */
	DIRECTORY_TRANSPORT_RUN = 3,
	DIRECTORY_TRANSPORT_EACH = 4,
	DIRECTORY_TRANSPORT_FILE = 5,
	/* mail only, of host "TEMPLATE@HOST": with STARTTLS, in TLS, in clear */
	DIRECTORY_TRANSPORT_SMTP = 6,
	DIRECTORY_TRANSPORT_SMTPS = 7,
	DIRECTORY_TRANSPORT_SMTP_CLEAR = 8,
	/* of what one byte answers, host "/dev/ttyS0,9600,8n1" */
	DIRECTORY_TRANSPORT_SERIAL = 9,
	/* XML packages and webhooks, posted to the endpoint's path: in clear, in
	 * TLS */
	DIRECTORY_TRANSPORT_HTTP = 10,
	DIRECTORY_TRANSPORT_HTTPS = 11,
};

/* How a receiver is reached, in the order of use. */
struct directory_endpoint {
	const char *host; /* name or numeric address, or as above */
	uint16_t port;	  /* 0: of this machine */
	enum directory_transport transport;
	const char *tls_name; /* of its certificate; "": host */
	/* files in egress's directory of certificates; "": none */
	const char *tls_ca, *tls_certificate;
	const char *path; /* posted to by HTTP; "" otherwise */
};

#define DIRECTORY_PASSKEY_SIZE 65

struct directory_receiver {
	uint64_t id;
	const char *name;
	enum directory_protocol protocol;
	bool listen; /* the automation connects to us: endpoints are our own */
	bool paused; /* by an operator, kept in the database */
	char receiver_number[7]; /* RR, or DC-09 R (hex) */
	char line_number[7];	 /* L, or DC-09 Lpref */
	uint8_t line_digits;	 /* Sur-Gard: 1 or 3 */
	bool sia_block;		 /* Sur-Gard: SIA as S-block */
	bool clock;		 /* Sur-Gard: the time behind each event */
	bool header_space;	 /* D6500: a space before each message */
	enum directory_account_policy account_policy; /* Sur-Gard */
	enum directory_translation translation;
	/* its own before the table's: "E130=BA,R130=BH", what came and what
	 * goes out for it; "": none */
	const char *codes;
	/* gets a copy of what this one has got; 0: it is nobody's shadow */
	uint64_t shadow_of;
	uint8_t account_digits; /* most the protocol takes; 4 plain Sur-Gard */
	uint32_t heartbeat_ms;	/* 0: none */
	uint32_t ack_wait_ms;
	uint8_t retries;    /* of one message before the link is down */
	uint16_t in_flight; /* unacknowledged messages allowed, 1.. */
	uint8_t key[32];    /* DC-09 encryption */
	uint8_t key_length; /* 0: clear */
	char passkey[DIRECTORY_PASSKEY_SIZE]; /* what the link proves itself
					       * with, XML, webhook; "": none */
	uint8_t endpoint_count;
	const struct directory_endpoint *endpoints;
};

struct directory_station {
	uint64_t id, dealer_id;
	uint64_t receiver_id; /* 0: none, nothing is sent */
	const char *name;
	const char *prefix; /* of every account; "" */
	bool receiver_adds_prefix;
	const char *line_card; /* "" none */
	const char
	    *url_template; /* launch URL: <account>, <zone>, <reference>; "" */
};

enum directory_site_state {
	DIRECTORY_SITE_ACTIVE,
	DIRECTORY_SITE_INACTIVE
};

/* What sets the arming state. In the snapshot: never renumber. */
enum directory_arming {
	DIRECTORY_ARMING_ALWAYS = 0,
	DIRECTORY_ARMING_PANEL_PRIMARY = 1,
	DIRECTORY_ARMING_PANEL_INDIVIDUAL = 2,
	DIRECTORY_ARMING_VIDEO_SYSTEM = 3,
	DIRECTORY_ARMING_SCHEDULE = 4,
	DIRECTORY_ARMING_PANEL_SIGNALS = 5,
	DIRECTORY_ARMING_REMOTE_API = 6,
};
/* "panel_primary", as in PostgreSQL; never NULL */
const char *directory_arming_name(enum directory_arming arming);

struct directory_site {
	uint64_t id, dealer_id;
	uint64_t station_id; /* 0: none, unrouted */
	enum directory_site_state state;
	const char *name;
	const char *account;	  /* number without prefix; "" none */
	const char *reference_id; /* "" none */
	struct directory_library library;
	int64_t on_test_until_us; /* wall clock; 0: not on test */
	bool on_test_forward; /* on test: forwarded as such, not held back */
	bool has_partitions;
	enum directory_arming arming;
	uint64_t arming_bridge_id; /* PANEL_PRIMARY; 0: none chosen */
	uint16_t entry_delay_s, exit_delay_s;
	uint16_t repeat_filter_s; /* 0: no filter */
	uint32_t test_interval_s; /* a test is expected; 0: none is */
	enum ack_level ack_level;
	/* wall clock; it has no bridge and is to have one; 0: it has, or may
	 * wait for ever */
	int64_t activation_ends_us;
	struct position position;
};

/* A time in which a schedule says something, in seconds of the site's clock:
 * of a week from Monday 00:00, of an exception from 1970-01-01 00:00. */
struct directory_span {
	int64_t begin_s, end_s;
	uint8_t partition; /* its number; 0: the whole site */
	bool exception;	   /* once, and goes before the week */
	bool armed;	   /* in it; a week's spans are all armed */
};

/* Of a site that a schedule may arm. */
struct directory_schedule {
	uint64_t id;	      /* of the site */
	const char *timezone; /* IANA name */
	/* of that name; NULL: this machine does not know it */
	const struct local_clock *clock;
	uint16_t span_count;
	/* sorted by partition, weeks before exceptions, begin */
	const struct directory_span *spans;
};

/* One rule of one further station; one that has none gets everything. */
struct directory_destination {
	uint64_t id; /* rules of one station stand together */
	uint64_t station_id;
	const char *account;	  /* number without prefix */
	const char *reference_id; /* "" none */
	const char *prefixes;	  /* of Contact ID events, "10,11"; "": any */
	uint8_t partition;	  /* its number; 0: any */
	uint8_t weekdays;	  /* bits: 1 Monday ... 64 Sunday */
	/* by the site's clock, the second not included; before the first: of the
	 * next day; equal: all day */
	uint16_t from_minute, until_minute;
};

/* Of a site that has further stations. */
struct directory_destinations {
	uint64_t id; /* of the site */
	const char *timezone;
	const struct local_clock *clock; /* NULL: not known here */
	uint16_t count;
	const struct directory_destination *rules; /* sorted by id */
};

/* Of a zone or a bridge: as the site has it. */
#define DIRECTORY_SECONDS_INHERIT UINT16_MAX

struct directory_zone {
	/* as configured, compared without leading zeros */
	char zone[DIRECTORY_ZONE_SIZE];
	uint64_t channel_id;
	uint16_t zone_type;
	int8_t enabled;			/* channel's own override */
	char code[DIRECTORY_CODE_SIZE]; /* "": inherit */
	const char *name;		/* of the channel */
	uint8_t partition;		/* its number; 0: none */
	uint16_t repeat_filter_s;	/* 0: none; DIRECTORY_SECONDS_INHERIT */
	uint16_t idle_days; /* its camera must see something; 0: need not */
};

/* What the library says of one channel about events of its camera; most
 * channels have none. */
struct directory_channel {
	uint64_t id;
	struct directory_library library;
};

enum directory_bridge_kind {
	DIRECTORY_BRIDGE, /* its zones are channels: the library applies */
	DIRECTORY_PANEL,  /* decides itself: passes through */
};

/* How long one of a bridge's paths may be silent. */
struct directory_path {
	uint32_t interval_s; /* 0: not supervised */
	uint32_t margin_s;   /* that it may be late */
	/* what hears it; NULL: every listener that is not the other path's */
	const char *listener;
};

enum directory_path_kind {
	DIRECTORY_PATH_PRIMARY,
	DIRECTORY_PATH_BACKUP
};
#define DIRECTORY_PATHS	    2

#define DIRECTORY_KEY_SIZE  32
#define DIRECTORY_MAC_SIZE  6
#define DIRECTORY_HASH_SIZE 32
/* How far the time of an encrypted frame may be off. */
struct directory_time_window {
	uint32_t past_s, future_s;
};

/* The key before the last roll. */
struct directory_previous_key {
	int64_t until_us; /* wall clock; used later it is refused */
	uint8_t length;
	uint8_t bytes[DIRECTORY_KEY_SIZE];
};

/* The bearer key before the last roll. */
struct directory_previous_bearer {
	int64_t until_us; /* as of directory_previous_key */
	uint8_t hash[DIRECTORY_HASH_SIZE];
};

struct directory_bridge {
	uint64_t id;
	uint64_t site_id; /* 0: unregistered */
	const char *serial;
	/* how it signals; NULL: any */
	const char *account;
	const char *receiver;
	const char *line;
	const char *listener;
	const uint8_t *key;
	const struct directory_previous_key *previous_key; /* NULL: none */
	const struct directory_time_window *time_window; /* NULL: listener's */
	const uint8_t *mac; /* DIRECTORY_MAC_SIZE; NULL: not known */
	/* SHA-256 of its bearer key, DIRECTORY_HASH_SIZE; NULL: it has none */
	const uint8_t *bearer_hash;
	const struct directory_previous_bearer
	    *previous_bearer; /* NULL: none */
	uint8_t kind;	      /* enum directory_bridge_kind */
	uint8_t key_length;   /* 0: the listener's key, or clear */
	bool cipher_required;
	bool tls_required;
	bool arming_input_inverted; /* a closed input means disarmed */
	uint16_t entry_delay_s, exit_delay_s; /* DIRECTORY_SECONDS_INHERIT */
	uint16_t zone_count;
	uint16_t number; /* which of its site's bridges, 1..; 0: none */
	uint32_t slot;	 /* in its presence; given by the directory */
	/* DIRECTORY_PATHS of them; NULL when put: not supervised */
	const struct directory_path *paths;
	const struct directory_zone *zones; /* sorted by zone without zeros */
};

/* ---- readers ---------------------------------------------------------------- */

struct directory;

/* Once per reading thread, before and after. While online a thread must come
 * back to offline soon (never wait for anything): objects it saw live until
 * then. The functions below need online. */
void directory_thread_register(void);
void directory_thread_unregister(void);
void directory_thread_online(void);
void directory_thread_offline(void);

uint32_t directory_read_begin(const struct directory *directory);
bool directory_read_retry(const struct directory *directory,
    uint32_t generation);

/*
 * The most specific bridge of this sender: account text exact, and listener,
 * receiver and line equal wherever the bridge names them. More names win, then
 * the receiver before the line before the listener. zeros: when nobody is
 * found, compare the accounts without their leading zeros. NULL: nobody, or
 * several that are equally meant.
 */
const struct directory_bridge *directory_bridge_by_sender(const struct directory
							      *directory,
    struct slice listener, struct slice receiver, struct slice line,
    struct slice account, bool zeros);
const struct directory_bridge *directory_bridge_by_id(const struct directory
							  *directory,
    uint64_t id);
const struct directory_site *directory_site_by_id(const struct directory
						      *directory,
    uint64_t id);
const struct directory_station *directory_station_by_id(const struct directory
							    *directory,
    uint64_t id);
const struct directory_receiver *directory_receiver_by_id(const struct directory
							      *directory,
    uint64_t id);
const struct directory_channel *directory_channel_by_id(const struct directory
							    *directory,
    uint64_t id);
/* By the id of its site; NULL: no schedule arms it. */
const struct directory_schedule *
directory_schedule_by_site(const struct directory *directory, uint64_t site_id);
/* NULL: it has no further station. */
const struct directory_destinations *directory_destinations_by_site(
    const struct directory *directory, uint64_t site_id);
const struct directory_dealer *directory_dealer_by_id(const struct directory
							  *directory,
    uint64_t id);
const struct directory_zone_type *directory_zone_type_by_number(
    const struct directory *directory, unsigned number);
/* Leading zeros of either side do not count. NULL: unmapped. */
const struct directory_zone *directory_zone_find(const struct directory_bridge
						     *bridge,
    struct slice zone);

/* Every receiver, in id order. */
typedef void (*directory_receiver_fn)(void *context,
    const struct directory_receiver *receiver);
void directory_receivers_each(const struct directory *directory,
    directory_receiver_fn fn, void *context);

/*
 * Some schedules, sites or bridges, a part of all of them each time: *position is 0 at
 * first and says where to go on, and is 0 again when all were seen. One that
 * comes or goes meanwhile may be missed or seen twice.
 */
typedef void (*directory_schedule_fn)(void *context,
    const struct directory_schedule *schedule);
void directory_schedules_some(const struct directory *directory,
    size_t *position, directory_schedule_fn fn, void *context);
typedef void (*directory_site_fn)(void *context,
    const struct directory_site *site);
void directory_sites_some(const struct directory *directory, size_t *position,
    directory_site_fn fn, void *context);
typedef void (*directory_bridge_fn)(void *context,
    const struct directory_bridge *bridge);
void directory_bridges_some(const struct directory *directory, size_t *position,
    directory_bridge_fn fn, void *context);

/* Of the directory's life, any thread. */
struct presence *directory_presence(struct directory *directory);

/* ---- life ------------------------------------------------------------------- */

struct directory_config {
	const char *conninfo;	     /* "" : snapshot only */
	const char *snapshot;	     /* path; "" : none */
	const char *master_key_file; /* opens sealed panel keys; "" : none */
	int64_t refresh_us;	     /* full reload this often; 0: never */
	int64_t connect_wait_us; /* at start, before the snapshot is taken */
	int64_t snapshot_interval_us; /* after changes, at most this often */
	int newest_schema;	      /* migration this build knows */
};

/* An empty directory: fill it with a batch. No thread, no database. */
int directory_create(struct directory **ret, struct err *err);
/*
 * Load from PostgreSQL, or after connect_wait_us from the snapshot, and start
 * the thread that follows. -ENOENT: neither could be had (do not listen then).
 * -EPROTO: the database is of a newer version than this program; others: the
 * master key file cannot be read, out of memory. Keeps io and clock.
 */
int directory_open(struct directory **ret,
    const struct directory_config *config, const struct io *io,
    const struct clock *clock, struct err *err);
/* After every reader has unregistered. */
void directory_close(struct directory **directory);

/* The thread adds 1 after each change set was put in place. */
int directory_subscribe(struct directory *directory, int event_fd);
/* Reload everything from PostgreSQL soon (SIGHUP, operator). */
void directory_reload(struct directory *directory);
/* Seals a secret for the row of the database that context names (base/seal.h),
 * as it is opened when that row is loaded. Its length in out; -ENOKEY without a
 * master key, -ENOBUFS. Any thread. */
int directory_seal(const struct directory *directory, const char *context,
    struct slice secret, void *out, size_t out_size);

enum directory_source {
	DIRECTORY_FROM_NOTHING,
	DIRECTORY_FROM_SNAPSHOT,
	DIRECTORY_FROM_DATABASE,
};
struct directory_status {
	enum directory_source source;
	bool connected; /* following changes now */
	uint64_t dealers, stations, receivers, sites, bridges;
	uint64_t bytes;		/* memory held by objects and tables */
	uint64_t changes;	/* objects changed since start */
	int64_t loaded_wall_us; /* when the picture was last complete */
	int64_t load_us;	/* how long that took */
	char problem[256];	/* "" or why it is not following */
};
void directory_status(struct directory *directory,
    struct directory_status *ret);

/* ---- the writer's side (its own thread; tests) ------------------------------- */

/*
 * Changes are collected in a batch and put in place together. Objects passed
 * in are copied whole. A NULL object with an id removes.
 */
struct directory_batch;
/* NULL: out of memory, which every put and the commit then report. */
struct directory_batch *directory_batch_begin(struct directory *directory);
int directory_put_dealer(struct directory_batch *, uint64_t id,
    const struct directory_dealer *);
int directory_put_receiver(struct directory_batch *, uint64_t id,
    const struct directory_receiver *);
int directory_put_station(struct directory_batch *, uint64_t id,
    const struct directory_station *);
int directory_put_site(struct directory_batch *, uint64_t id,
    const struct directory_site *);
int directory_put_bridge(struct directory_batch *, uint64_t id,
    const struct directory_bridge *);
int directory_put_channel(struct directory_batch *, uint64_t id,
    const struct directory_channel *);
int directory_put_schedule(struct directory_batch *, uint64_t site_id,
    const struct directory_schedule *);
int directory_put_destinations(struct directory_batch *, uint64_t site_id,
    const struct directory_destinations *);
int directory_put_zone_type(struct directory_batch *, unsigned number,
    const struct directory_zone_type *);
/* Everything not put in this batch goes away (a full load). */
void directory_batch_replace_all(struct directory_batch *batch);
/* 0 or -ENOMEM (then nothing changed); frees the batch. Waits until no reader
 * holds what was taken out; a caller that is itself online counts as having
 * been offline. */
int directory_batch_commit(struct directory_batch *batch);
/* Forget it; accepts NULL. */
void directory_batch_abandon(struct directory_batch *batch);

#endif
