/* tocsin-portal: the dealers' HTTP API and pages. man tocsin-portal */
#include "config.h"

#include <errno.h>
#include <event2/event.h>
#include <event2/thread.h>
#include <signal.h>
#include <sodium.h>
#include <stdio.h>
#include <string.h>
#include <systemd/sd-daemon.h>

#include "base/array.h"
#include "base/exit.h"
#include "base/log.h"
#include "base/option.h"
#include "db/db.h"
#include "portal/server.h"
#include "portal/settings.h"

struct options {
	const char *config;
	bool check, print, help, version;
};

#define AT(member) offsetof(struct options, member)
static const struct option_row rows[] = {
	{ "config", 'c', OPTION_TEXT, AT(config), "FILE",
	    "the configuration, " TOCSIN_PORTAL_CONFIG_FILE " otherwise" },
	{ "check", 't', OPTION_FLAG, AT(check), NULL,
	    "check the configuration: every error, and nothing else" },
	{ "print", 'T', OPTION_FLAG, AT(print), NULL,
	    "print the configuration that would be in force" },
	{ "help", 'h', OPTION_FLAG, AT(help), NULL, "this" },
	{ "version", 'V', OPTION_FLAG, AT(version), NULL, "the version" },
	{ 0 },
};

struct portal {
	const char *path;
	struct settings *started; /* the threads borrow its strings */
	struct settings *current; /* of the last reload; NULL: none yet */
	struct server *server;
};

/* Row-level security is what keeps dealers apart: a role that it does not bind
 * must not serve them. A database that is away is waited for later. */
static int
check_role(const char *conninfo, struct err *err)
{
	struct db db = { 0 };
	int code = db_connect(&db, conninfo, "tocsin-portal", err);
	PGresult *result = NULL;

	if (code == 0)
		result = db_query(&db, "SELECT tocsin.session_is_tenant()", 0,
		    NULL, &code, err);
	if (result && PQgetvalue(result, 0, 0)[0] != 't')
		code = err_set(err, -EPERM,
		    "the database role is not bound to the rows of a user: "
		    "connect as one that was granted tocsin_portal and "
		    "nothing else");
	PQclear(result);
	db_close(&db);
	return code;
}

static void
on_stop(evutil_socket_t number, short events, void *context)
{
	(void)number, (void)events;
	sd_notify(0, "STOPPING=1");
	event_base_loopbreak(context);
}

static int
reload(struct portal *portal, struct err *err)
{
	struct settings *fresh = NULL;
	const struct settings *old =
	    portal->current ? portal->current : portal->started;
	int result = settings_load(portal->path, &fresh, err);

	if (result == 0)
		result = server_reload(portal->server, &fresh->server, err);
	if (result < 0) {
		settings_free(&fresh);
		return result;
	}
	config_file_log_changes(&old->file, &fresh->file);
	settings_free(&portal->current);
	portal->current = fresh;
	return 0;
}

static void
on_reload(evutil_socket_t number, short events, void *context)
{
	struct err err;

	(void)number, (void)events;
	sd_notify(0, "RELOADING=1");
	if (reload(context, &err) < 0)
		log_write(LOG_ERROR, "portal", "reload_failed", "error=\"%s\"",
		    err.text);
	else
		log_write(LOG_NOTICE, "portal", "reloaded", "pages=anew");
	sd_notify(0, "READY=1");
}

static void
run(struct portal *portal, struct event_base *base)
{
	struct event *signals[] = {
		evsignal_new(base, SIGTERM, on_stop, base),
		evsignal_new(base, SIGINT, on_stop, base),
		evsignal_new(base, SIGHUP, on_reload, portal),
	};

	for (size_t i = 0; i < COUNT(signals); i++)
		if (signals[i])
			evsignal_add(signals[i], NULL);
	printf("listening %s port:%u\n", portal->started->server.listen,
	    server_port(portal->server));
	fflush(stdout);
	sd_notify(0, "READY=1");
	event_base_dispatch(base);
	for (size_t i = 0; i < COUNT(signals); i++)
		if (signals[i])
			event_free(signals[i]);
}

static enum exit_status
serve(struct portal *portal)
{
	struct event_base *base = event_base_new();
	enum exit_status status = EXIT_STATUS_OK;
	struct err err;

	if (!base)
		return EXIT_STATUS_SOFTWARE;
	if (server_open(base, &portal->started->server, &portal->server, &err) <
	    0) {
		fprintf(stderr, "tocsin-portal: %s\n", err.text);
		status = EXIT_STATUS_UNAVAILABLE;
	} else {
		run(portal, base);
	}
	server_close(&portal->server);
	event_base_free(base);
	return status;
}

static enum exit_status
fail(enum exit_status status, const struct err *err)
{
	fprintf(stderr, "tocsin-portal: %s\n", err->text);
	return status;
}

static enum exit_status
start(struct portal *portal, bool print)
{
	enum exit_status status = EXIT_STATUS_OK;
	struct err err;

	if (settings_load(portal->path, &portal->started, &err) < 0)
		return fail(EXIT_STATUS_CONFIG, &err);
	if (print)
		config_file_print(&portal->started->file, stdout);
	else if (check_role(portal->started->server.conninfo, &err) < 0)
		status = fail(EXIT_STATUS_CONFIG, &err);
	else
		status = serve(portal);
	settings_free(&portal->current);
	settings_free(&portal->started);
	return status;
}

int
main(int argc, char **argv)
{
	struct options options = { .config = TOCSIN_PORTAL_CONFIG_FILE };
	struct portal portal = { 0 };
	struct err err;

	if (option_parse(rows, argc, argv, &options, &err) < 0)
		return fail(EXIT_STATUS_USAGE, &err);
	if (options.version) {
		printf("tocsin-portal " PACKAGE_VERSION "\n");
		return EXIT_STATUS_OK;
	}
	if (options.help) {
		printf("usage: tocsin-portal [-c FILE] [-t | -T]\n"
		       "The dealers' web portal and HTTP API.\n\n");
		option_print_help(rows, stdout);
		return EXIT_STATUS_OK;
	}
	if (options.check)
		return settings_check(options.config, stderr) == 0
		    ? EXIT_STATUS_OK
		    : EXIT_STATUS_CONFIG;
	signal(SIGPIPE, SIG_IGN);
	if (sodium_init() < 0 || evthread_use_pthreads() < 0)
		return EXIT_STATUS_SOFTWARE;
	portal.path = options.config;
	return start(&portal, options.print);
}
