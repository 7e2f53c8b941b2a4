/*
 * What the files of admin share. One struct admin, its clients, and for each
 * client at most one job: a command that goes on over several turns of the
 * loop (tail, trace), a bounded piece of work in each.
 */
#ifndef ADMIN_INTERNAL_H
#define ADMIN_INTERNAL_H

#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/http.h>
#include <event2/listener.h>
#include <sys/queue.h>

#include "admin/admin.h"
#include "base/exit.h"
#include "control/words.h"
#include "journal/record.h"

#define CLIENT_BACKLOG_BYTES  (256 * 1024) /* a slower reader is dropped */
#define CLIENTS_MAX	      64
#define PORTAL_CLIENTS_MAX    8
#define PORTAL_TAILS_MAX      2
#define PORTAL_BYTES_A_SECOND (8 * 1024) /* of requests, of all together */
#define JOB_RECORDS_A_TURN    256

enum job_step {
	JOB_MORE, /* call again in another turn */
	JOB_WAIT, /* nothing now: call again when more is durable, or what was
		   * said is out */
	JOB_DONE,
	JOB_FAILED, /* the reason is in err */
};

struct client;

/* show bridges: which ones, and how far it is. */
struct bridges_job {
	char listener[128]; /* heard by this one; "": any */
	int64_t silent_us;  /* for at least so long */
	int state;	    /* enum supervision_state; -1: any */
	uint64_t left;	    /* to be shown */
	uint32_t slot;	    /* looked at */
};

struct job {
	enum job_step (*step)(struct client *client, struct err *err);
	struct journal_cursor *cursor;
	char account[128]; /* tail, bridges: only this one; "": all */
	struct bridges_job bridges;
	bool tail; /* counted in its doorway */
	/* trace, arm: of this one */
	uint64_t signal_lsn;
	int item; /* -1: all */
	uint64_t looked_at;
	unsigned undecided; /* items without a decision so far */
	unsigned open;	    /* deliveries without an end so far */
};

/* Where clients come in. The portal's has limits of its own, so that what
 * happens there takes neither the operators' places nor the loop's time. */
struct doorway {
	struct admin *admin;
	char *path; /* NULL: not open */
	struct evconnlistener *listener;
	bool portal;
	unsigned clients, clients_max, tails;
	/* NULL: as much as they like */
	struct bufferevent_rate_limit_group *limit;
};

struct client {
	TAILQ_ENTRY(client) link;
	struct admin *admin;
	struct doorway *doorway;
	struct bufferevent *stream;
	uid_t uid;
	bool may_operate;
	char actor[CONTROL_ACTOR_MAX + 40]; /* who asks, for log and journal */
	bool dead;			    /* freed at the end of the turn */
	bool waiting;			    /* its job waits for the journal */
	struct job job;
};

struct admin {
	struct event_base *base;
	struct admin_stages stages;
	struct doorway control, portal;
	struct evhttp *http;
	struct event *turn;    /* jobs with work to do, dead clients */
	struct event *durable; /* the journal moved */
	struct event *drain;   /* after the answer went out */
	int durable_fd;
	TAILQ_HEAD(, client) clients;
	uint16_t metrics_port;
	struct json json; /* scratch for one line */
	/* scratch for records, too large for the stack */
	struct record_signal signal;
	struct decision decision;
	char record[JOURNAL_PAYLOAD_MAX + 64];
};

/* ---- control.c ---- */
int control_open(struct admin *admin, const struct admin_config *config,
    struct err *err);
void control_close(struct admin *admin);
/* The line that admin->json holds goes out; the next one may begin. */
void client_send(struct client *client);
void client_done(struct client *client);
void client_fail(struct client *client, enum exit_status status,
    const char *format, ...) __attribute__((format(printf, 3, 4)));
/* The job is set up: its first step comes with the next turn. */
void client_begin_job(struct client *client,
    enum job_step (*step)(struct client *client, struct err *err));

/* ---- command.c ---- */
void command_run(struct client *client, const struct words *words);

/* ---- show.c: what the commands print ---- */
void show_status(struct client *client, const struct words *words);
void show_listeners(struct client *client, const struct words *words);
void show_sessions(struct client *client, const struct words *words);
void show_links(struct client *client, const struct words *words);
void show_queues(struct client *client, const struct words *words);
void show_parked(struct client *client, const struct words *words);
void show_shadows(struct client *client, const struct words *words);
void show_shadow(struct client *client, const struct words *words);
void show_latency(struct client *client, const struct words *words);
void show_errors(struct client *client, const struct words *words);
void show_config(struct client *client, const struct words *words);
void show_stats(struct client *client, const struct words *words);
void show_journal(struct client *client, const struct words *words);
void show_directory(struct client *client, const struct words *words);
void show_archive(struct client *client, const struct words *words);

/* ---- arming.c ---- */
void arming_show(struct client *client, const struct words *words);
void arming_begin_arm(struct client *client, const struct words *words);
void arming_begin_disarm(struct client *client, const struct words *words);

/* ---- order.c ---- */
struct own_signal;
/* Of its number. NULL: the client was told why not. Online in the directory. */
const struct directory_site *order_site(struct client *client, const char *text,
    uint64_t *ret_id);
/* false: the client was told why not. */
bool order_is_possible(struct client *client);
/* Journals the signal; the client gets the event's name once it is durable. */
void order_tell(struct client *client, const struct own_signal *signal);
void order_begin_test(struct client *client, const struct words *words);
void order_seal_passkey(struct client *client, const struct words *words);

/* ---- bridges.c ---- */
void bridges_begin(struct client *client, const struct words *words);
/* ---- trace.c ---- */
void trace_begin(struct client *client, const struct words *words);
/* ---- tail.c ---- */
void tail_begin(struct client *client, const struct words *words);
/* Members of a decision and an outcome, for both. */
void tail_put_decision(struct admin *admin, const struct decision *decision);
void tail_put_outcome(struct admin *admin, const struct outcome *outcome);
void tail_put_event(struct admin *admin, const struct record_signal *signal,
    unsigned item);

/* ---- http.c, metrics.c ---- */
int http_open(struct admin *admin, const char *address, struct err *err);
void http_close(struct admin *admin);
void metrics_write(struct admin *admin, struct evbuffer *out);

#endif
