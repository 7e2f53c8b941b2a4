/*
 * tocsind. The way of a signal on one page: stages open downstream first, so
 * that nothing is received before everything behind it can take it, and close
 * in the reverse order.
 */
#include <config.h>
#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "admin/admin.h"
#include "archive/archive.h"
#include "base/log.h"
#include "daemon/config.h"
#include "daemon/process.h"
#include "dispatch/dispatch.h"
#include "egress/egress.h"
#include "ingress/ingress.h"
#include "journal/journal.h"
#include "watch/watch.h"

/* How long replies may take to go out when the service stops. */
#define DRAIN_US 2000000
/* How long deliveries go on after the journal failed for good. */
#define LAST_DELIVERIES_S 30
/* With more deliveries waiting than this in all, or for one station that is
 * there, silent bridges are told slowly, or just a few of them. */
#define QUEUED_MANY 2000
#define QUEUED_SOME 50

struct daemon {
	const char *config_path;
	struct config *config; /* of the start: the stages borrow its strings */
	struct process process;
	struct journal *journal;
	struct directory *directory;
	struct egress *egress;
	struct dispatch *dispatch;
	struct archive *archive;
	struct watch *watch;
	struct admin *admin;
	struct ingress *ingress;
	int directory_fd;
	struct event *directory_changed;
	int failing_s; /* since the journal or dispatch failed */
};

/* ---- what the process asks ----------------------------------------------------- */

static int
reload(void *context, struct err *err)
{
	struct daemon *daemon = context;
	struct config *fresh = NULL;
	struct log_target log;
	int result;

	process_reloading(true);
	result = config_load(daemon->config_path, &fresh, err);
	if (result == 0)
		result =
		    log_prepare(&log, fresh->log.file, fresh->log.level, err);
	if (result == 0) {
		result = ingress_reload(daemon->ingress, &fresh->ingress, err);
		if (result < 0)
			log_discard(&log);
	}
	if (result == 0) {
		log_switch(&log);
		config_log_changes(daemon->config, fresh);
		directory_reload(daemon->directory);
	}
	config_free(&fresh);
	process_reloading(false);
	return result;
}

static void
on_reload(void *context)
{
	struct err err;

	if (reload(context, &err) < 0)
		log_write(LOG_ERROR, "daemon", "reload_refused",
		    "error=\"%s\" effect=\"nothing changed\"", err.text);
	else
		log_write(LOG_NOTICE, "daemon", "reloaded", "%s", "");
}

static void
on_stop(void *context)
{
	struct daemon *daemon = context;

	if (daemon->ingress)
		ingress_drain(daemon->ingress, DRAIN_US);
}

static void
on_drain(void *context)
{
	struct daemon *daemon = context;

	process_stop(&daemon->process, EXIT_STATUS_OK);
}

/* The journal takes or gives nothing any more: nothing more is acknowledged,
 * what is queued still goes out for a while, then the service manager gets a
 * failure. */
static bool
deliver_the_last(struct daemon *daemon, const char *event)
{
	if (daemon->failing_s++ == 0) {
		log_write(LOG_ERROR, "daemon", event,
		    "effect=\"reception has stopped, deliveries go on\"");
		ingress_drain(daemon->ingress, 0);
	}
	if (egress_queued(daemon->egress) == 0 ||
	    daemon->failing_s > LAST_DELIVERIES_S)
		process_stop(&daemon->process, EXIT_STATUS_SOFTWARE);
	return true;
}

static void
report_link(void *context, const struct egress_link_status *status)
{
	if (status->wanted)
		watch_report(context, "link", status->name, status->up);
}

static void
report_refusal(void *context, const struct ingress_refusal_status *status)
{
	const struct watch_refusal refusal = {
		.listener = status->listener,
		.cause = ingress_refusal_name(status->cause),
		.text = ingress_refusal_text(status->cause),
		.peer = status->peer,
		.account = status->account,
		.count = status->count,
	};

	watch_refused(context, &refusal);
}

static void
report_outside(struct daemon *daemon)
{
	struct directory_status directory;
	struct archive_status archive;

	egress_each(daemon->egress, report_link, daemon->watch);
	ingress_each_refusal(daemon->ingress, report_refusal, daemon->watch);
	if (!*daemon->config->directory.conninfo)
		return;
	directory_status(daemon->directory, &directory);
	archive_status(daemon->archive, &archive);
	watch_report(daemon->watch, "database", "PostgreSQL",
	    directory.connected && (archive.connected || !archive.enabled));
}

static bool
on_tick(void *context)
{
	struct daemon *daemon = context;
	struct journal_status status;

	journal_status(daemon->journal, &status);
	if (status.failure != 0)
		return deliver_the_last(daemon, "journal_failed");
	if (dispatch_broken(daemon->dispatch))
		return deliver_the_last(daemon, "dispatch_stopped");
	report_outside(daemon);
	return watch_healthy(daemon->watch);
}

static void
on_directory_changed(evutil_socket_t fd, short what, void *context)
{
	struct daemon *daemon = context;
	uint64_t count;

	(void)what;
	if (read(fd, &count, sizeof(count)) > 0)
		egress_sync(daemon->egress);
}

/* ---- opening and closing --------------------------------------------------------- */

static int
follow_directory(struct daemon *daemon, struct err *err)
{
	daemon->directory_fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
	if (daemon->directory_fd < 0)
		return err_set_errno(err, "cannot create an eventfd");
	daemon->directory_changed =
	    event_new(daemon->process.base, daemon->directory_fd,
		EV_READ | EV_PERSIST, on_directory_changed, daemon);
	if (!daemon->directory_changed ||
	    event_add(daemon->directory_changed, NULL) < 0 ||
	    directory_subscribe(daemon->directory, daemon->directory_fd) < 0)
		return err_set(err, -ENOMEM, "cannot follow the directory");
	egress_sync(daemon->egress);
	return 0;
}

static void
show_config(void *context, struct json *json)
{
	struct daemon *daemon = context;

	config_show(daemon->config, json);
}

static int
open_admin(struct daemon *daemon, struct err *err)
{
	struct admin_stages stages = {
		.journal = daemon->journal,
		.directory = daemon->directory,
		.dispatch = daemon->dispatch,
		.egress = daemon->egress,
		.archive = daemon->archive,
		.ingress = daemon->ingress,
		.watch = daemon->watch,
		.clock = &clock_system,
		.reload = reload,
		.drain = on_drain,
		.show_config = show_config,
		.context = daemon,
	};

	return admin_open(&daemon->admin, daemon->process.base,
	    &daemon->config->admin, &stages, err);
}

/* Nothing may be removed before dispatch and archive have said what they
 * still need. */
static int
start_journal(struct daemon *daemon, struct err *err)
{
	journal_hold(daemon->journal, JOURNAL_HOLDER_DISPATCH, 0);
	if (*daemon->config->archive.conninfo)
		journal_hold(daemon->journal, JOURNAL_HOLDER_ARCHIVE, 0);
	return journal_start(daemon->journal, err);
}

static void
note_queued(void *context, const struct egress_link_status *status)
{
	bool *some = context;

	*some |= status->up && status->queued > QUEUED_SOME;
}

/* An alarm that comes now would wait behind what is told of silent bridges. */
static enum supervision_pace
pace_of_telling(void *context)
{
	struct daemon *daemon = context;
	bool some = false;

	egress_each(daemon->egress, note_queued, &some);
	if (some)
		return SUPERVISION_TRICKLE;
	return egress_queued(daemon->egress) > QUEUED_MANY ? SUPERVISION_SLOWLY
							   : SUPERVISION_FAST;
}

static int
open_watch(struct daemon *daemon, struct err *err)
{
	const struct watched watched = {
		.journal = daemon->journal,
		.directory = daemon->directory,
		.sites = dispatch_sites(daemon->dispatch),
		.pace = pace_of_telling,
		.context = daemon,
	};

	return watch_open(&daemon->watch, daemon->process.base,
	    &daemon->config->watch, &watched, &clock_system, err);
}

static void
on_settled(void *context, uint64_t lsn)
{
	struct daemon *daemon = context;

	if (daemon->ingress)
		ingress_settled(daemon->ingress, lsn);
}

static int
open_stages(struct daemon *daemon, struct err *err)
{
	const struct config *config = daemon->config;
	struct event_base *base = daemon->process.base;
	const struct clock *clock = &clock_system;
	struct egress_callbacks deliveries =
	    dispatch_egress_callbacks(&daemon->dispatch);
	int result;

	if ((result = journal_open(&daemon->journal, &config->journal,
		 &io_system, clock, err)) < 0 ||
	    (result = start_journal(daemon, err)) < 0 ||
	    (result = directory_open(&daemon->directory, &config->directory,
		 &io_system, clock, err)) < 0 ||
	    (result = egress_open(&daemon->egress, base, &config->egress,
		 daemon->directory, clock, &deliveries, err)) < 0 ||
	    (result = dispatch_open(&daemon->dispatch, base, &config->dispatch,
		 daemon->journal, daemon->directory, clock, daemon->egress,
		 err)) < 0 ||
	    (result = follow_directory(daemon, err)) < 0 ||
	    (result = archive_open(&daemon->archive, &config->archive,
		 daemon->journal, clock, err)) < 0 ||
	    (result = open_watch(daemon, err)) < 0 ||
	    (result = ingress_open(&daemon->ingress, &config->ingress,
		 daemon->journal, daemon->directory, clock, err)) < 0 ||
	    (result = open_admin(daemon, err)) < 0)
		return result;
	dispatch_on_settled(daemon->dispatch, on_settled, daemon);
	return 0;
}

static void
close_stages(struct daemon *daemon)
{
	admin_close(&daemon->admin);
	ingress_close(&daemon->ingress);
	watch_close(&daemon->watch);
	archive_close(&daemon->archive);
	if (daemon->directory_changed)
		event_free(daemon->directory_changed);
	dispatch_close(&daemon->dispatch);
	egress_close(&daemon->egress);
	directory_thread_unregister();
	directory_close(&daemon->directory);
	/* its thread wrote to it until now */
	if (daemon->directory_fd >= 0)
		close(daemon->directory_fd);
	journal_close(&daemon->journal);
}

static enum exit_status
run(struct daemon *daemon)
{
	const struct process_callbacks callbacks = { on_reload, on_stop,
		on_tick, daemon };
	enum exit_status status = EXIT_STATUS_UNAVAILABLE;
	struct err err;

	daemon->directory_fd = -1;
	directory_thread_register();
	if (process_open(&daemon->process, &callbacks, &err) == 0 &&
	    open_stages(daemon, &err) == 0) {
		log_write(LOG_NOTICE, "daemon", "ready", "version=%s node=%s",
		    PACKAGE_VERSION, daemon->config->node.name);
		status = process_run(&daemon->process);
	} else {
		log_write(LOG_ERROR, "daemon", "cannot_start", "error=\"%s\"",
		    err.text);
	}
	process_disarm(&daemon->process);
	close_stages(daemon);
	process_close(&daemon->process);
	return status;
}

/* ---- command line ------------------------------------------------------------------ */

enum mode {
	MODE_RUN,
	MODE_CHECK,
	MODE_PRINT,
	MODE_VERSION,
	MODE_HELP
};

static const char usage[] =
    "usage: tocsind [-c FILE] [-t | -T] [-V] [-h]\n"
    "  -c FILE  configuration (" TOCSIN_CONFIG_FILE ")\n"
    "  -t       check the configuration: exit 0 or 78\n"
    "  -T       print the effective configuration\n"
    "  -V       version\n"
    "  -h       this help\n";

/* 0, or an exit status. */
static int
parse_options(int argc, char **argv, struct daemon *daemon, enum mode *mode)
{
	int option;

	while ((option = getopt(argc, argv, "c:tTVh")) != -1) {
		switch (option) {
		case 'c':
			daemon->config_path = optarg;
			break;
		case 't':
			*mode = MODE_CHECK;
			break;
		case 'T':
			*mode = MODE_PRINT;
			break;
		case 'V':
			*mode = MODE_VERSION;
			break;
		case 'h':
			*mode = MODE_HELP;
			break;
		default:
			fputs(usage, stderr);
			return EXIT_STATUS_USAGE;
		}
	}
	if (optind < argc) {
		fprintf(stderr, "tocsind: '%s' is not an option\n%s",
		    argv[optind], usage);
		return EXIT_STATUS_USAGE;
	}
	return 0;
}

static enum exit_status
start(struct daemon *daemon)
{
	const struct config *config = daemon->config;
	struct err err;

	if (log_open(config->log.file, config->log.level, &err) < 0 ||
	    process_make_directory(config->node.state_dir, &err) < 0 ||
	    process_make_directory(config->node.run_dir, &err) < 0 ||
	    process_make_directory(config->journal.directory, &err) < 0) {
		fprintf(stderr, "tocsind: %s\n", err.text);
		return EXIT_STATUS_CANNOT_CREATE;
	}
	return run(daemon);
}

int
main(int argc, char **argv)
{
	struct daemon daemon = { .config_path = TOCSIN_CONFIG_FILE };
	enum mode mode = MODE_RUN;
	enum exit_status status = EXIT_STATUS_OK;
	struct err err;
	int wrong = parse_options(argc, argv, &daemon, &mode);

	if (wrong)
		return wrong;
	if (mode == MODE_HELP || mode == MODE_VERSION) {
		fputs(mode == MODE_HELP ? usage
					: "tocsind " PACKAGE_VERSION "\n",
		    stdout);
		return EXIT_STATUS_OK;
	}
	if (mode == MODE_CHECK)
		return config_check(daemon.config_path, stderr) == 0
		    ? EXIT_STATUS_OK
		    : EXIT_STATUS_CONFIG;
	if (config_load(daemon.config_path, &daemon.config, &err) < 0) {
		fprintf(stderr, "tocsind: %s\n", err.text);
		return EXIT_STATUS_CONFIG;
	}
	if (mode == MODE_PRINT)
		config_print(daemon.config, stdout);
	else
		status = start(&daemon);
	config_free(&daemon.config);
	return status;
}
