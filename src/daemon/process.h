/*
 * The process around the stages: event base, signals, systemd, exit status.
 * Main thread only.
 */
#ifndef DAEMON_PROCESS_H
#define DAEMON_PROCESS_H

#include <event2/event.h>
#include <stdbool.h>

#include "base/err.h"
#include "base/exit.h"

struct process_callbacks {
	void (*reload)(void *context); /* SIGHUP */
	/* SIGTERM, SIGINT: bring replies and flushes to an end; the loop
	 * ends after it returns */
	void (*stop)(void *context);
	/* Every second; false: do not feed the watchdog. */
	bool (*tick)(void *context);
	void *context;
};

struct process {
	struct event_base *base;
	struct process_callbacks callbacks;
	struct event *events[4];
	enum exit_status exit_status;
	bool stopping;
};

/* Ignores SIGPIPE, raises the descriptor limit, prepares libevent for
 * threads. 0 or -errno with the reason. */
int process_open(struct process *process,
    const struct process_callbacks *callbacks, struct err *err);
/* No callback from now on: what they look at may be closed. */
void process_disarm(struct process *process);
void process_close(struct process *process);

/* Tells systemd READY, runs until stop or process_stop; returns the exit
 * status. */
enum exit_status process_run(struct process *process);

/* End the loop with this status (as SIGTERM does with 0). */
void process_stop(struct process *process, enum exit_status status);

/* systemd: "RELOADING=1" before, "READY=1" after. */
void process_reloading(bool begun);

/* mkdir -p of the last component, mode 0750; 0 or -errno with the reason. */
int process_make_directory(const char *path, struct err *err);

#endif
