#include "daemon/process.h"

#include <errno.h>
#include <event2/thread.h>
#include <inttypes.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <systemd/sd-daemon.h>

#include "base/clock.h"
#include "base/log.h"

#define MAIN_LOOP_NICE 10

int
process_make_directory(const char *path, struct err *err)
{
	if (mkdir(path, 0750) < 0 && errno != EEXIST)
		return err_set_errno(err, "cannot create %s", path);
	return 0;
}

static void
raise_descriptor_limit(void)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit) == 0) {
		limit.rlim_cur = limit.rlim_max;
		setrlimit(RLIMIT_NOFILE, &limit);
	}
}

static void
on_stop(evutil_socket_t signal_number, short what, void *context)
{
	(void)what;
	log_write(LOG_NOTICE, "daemon", "stopping", "signal=%d",
	    (int)signal_number);
	process_stop(context, EXIT_STATUS_OK);
}

static void
on_reload(evutil_socket_t signal_number, short what, void *context)
{
	struct process *process = context;

	(void)signal_number;
	(void)what;
	process->callbacks.reload(process->callbacks.context);
}

static void
on_tick(evutil_socket_t fd, short what, void *context)
{
	struct process *process = context;

	(void)fd;
	(void)what;
	if (process->callbacks.tick(process->callbacks.context))
		sd_notify(0, "WATCHDOG=1");
}

int
process_open(struct process *process, const struct process_callbacks *callbacks,
    struct err *err)
{
	static const struct timeval second = { .tv_sec = 1 };
	struct event **events = process->events;

	memset(process, 0, sizeof(*process));
	process->callbacks = *callbacks;
	signal(SIGPIPE, SIG_IGN);
	signal(SIGXFSZ, SIG_IGN); /* a file at its limit is an error, no end */
	/* no program that we start can become more than we are */
	prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
	raise_descriptor_limit();
	if (evthread_use_pthreads() < 0 || !(process->base = event_base_new()))
		return err_set(err, -ENOMEM, "cannot create the event loop");
	events[0] = evsignal_new(process->base, SIGTERM, on_stop, process);
	events[1] = evsignal_new(process->base, SIGINT, on_stop, process);
	events[2] = evsignal_new(process->base, SIGHUP, on_reload, process);
	events[3] = event_new(process->base, -1, EV_PERSIST, on_tick, process);
	for (unsigned i = 0; i < 4; i++)
		if (!events[i] ||
		    event_add(events[i], i == 3 ? &second : NULL) < 0)
			return err_set(err, -ENOMEM,
			    "cannot watch signals and time");
	return 0;
}

void
process_disarm(struct process *process)
{
	for (unsigned i = 0; i < 4; i++) {
		if (process->events[i])
			event_free(process->events[i]);
		process->events[i] = NULL;
	}
}

void
process_close(struct process *process)
{
	process_disarm(process);
	if (process->base)
		event_base_free(process->base);
	memset(process, 0, sizeof(*process));
}

enum exit_status
process_run(struct process *process)
{
	/* of this thread alone: where the processors are all busy, what is
	 * behind the journal waits, and replies keep their latency */
	setpriority(PRIO_PROCESS, 0, MAIN_LOOP_NICE);
	sd_notify(0, "READY=1");
	if (!process->stopping)
		event_base_dispatch(process->base);
	sd_notify(0, "STOPPING=1");
	return process->exit_status;
}

void
process_stop(struct process *process, enum exit_status status)
{
	if (process->stopping)
		return;
	process->stopping = true;
	process->exit_status = status;
	process->callbacks.stop(process->callbacks.context);
	event_base_loopbreak(process->base);
}

void
process_reloading(bool begun)
{
	if (begun)
		sd_notifyf(0, "RELOADING=1\nMONOTONIC_USEC=%" PRId64,
		    clock_monotonic_us(&clock_system));
	else
		sd_notify(0, "READY=1");
}
