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
#include "portal/work.h"

struct options {
	struct server_settings server;
	bool help, version;
};

#define AT(member) offsetof(struct options, member)
static const struct option_row rows[] = {
	{ "listen", 'l', OPTION_TEXT, AT(server.listen), "HOST:PORT",
	    "where to listen, 127.0.0.1:8443 otherwise" },
	{ "certificate", 0, OPTION_TEXT, AT(server.certificate), "FILE",
	    "PEM with its chain; without one plain HTTP, on loopback only" },
	{ "key", 0, OPTION_TEXT, AT(server.key), "FILE",
	    "of the certificate, PEM" },
	{ "origin", 0, OPTION_TEXT, AT(server.origin), "URL",
	    "as browsers see the portal, where a proxy stands before it" },
	{ "behind-proxy", 0, OPTION_FLAG, AT(server.behind_proxy), NULL,
	    "the last X-Forwarded-For is who asks" },
	{ "database", 0, OPTION_TEXT, AT(server.conninfo), "CONNINFO",
	    "of a role that was granted tocsin_portal and nothing else" },
	{ "web", 0, OPTION_TEXT, AT(server.web), "DIR",
	    "the pages, " TOCSIN_WEB_DIR " otherwise" },
	{ "threads", 0, OPTION_UNSIGNED, AT(server.threads), "N",
	    "connections to the database, 1 to 16, 4 otherwise" },
	{ "help", 'h', OPTION_FLAG, AT(help), NULL, "this" },
	{ "version", 'V', OPTION_FLAG, AT(version), NULL, "the version" },
	{ 0 },
};

static int
check_options(const struct server_settings *s, struct err *err)
{
	if (!s->certificate != !s->key)
		return err_set(err, -EINVAL,
		    "--certificate and --key belong together");
	if (s->threads < 1 || s->threads > WORK_THREADS_MAX)
		return err_set(err, -EINVAL, "--threads is 1 to %d",
		    WORK_THREADS_MAX);
	return 0;
}

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

static void
on_reload(evutil_socket_t number, short events, void *context)
{
	struct err err;

	(void)number, (void)events;
	sd_notify(0, "RELOADING=1");
	if (server_reload(context, &err) < 0)
		log_write(LOG_ERROR, "portal", "reload_failed", "error=\"%s\"",
		    err.text);
	else
		log_write(LOG_NOTICE, "portal", "reloaded", "pages=anew");
	sd_notify(0, "READY=1");
}

static enum exit_status
serve(const struct server_settings *settings)
{
	struct event_base *base = event_base_new();
	struct server *server = NULL;
	struct err err;
	struct event *signals[3] = { 0 };
	enum exit_status status = EXIT_STATUS_OK;

	if (!base)
		return EXIT_STATUS_SOFTWARE;
	if (server_open(base, settings, &server, &err) < 0) {
		fprintf(stderr, "tocsin-portal: %s\n", err.text);
		status = EXIT_STATUS_UNAVAILABLE;
	} else {
		signals[0] = evsignal_new(base, SIGTERM, on_stop, base);
		signals[1] = evsignal_new(base, SIGINT, on_stop, base);
		signals[2] = evsignal_new(base, SIGHUP, on_reload, server);
		for (size_t i = 0; i < COUNT(signals); i++)
			if (signals[i])
				evsignal_add(signals[i], NULL);
		printf("listening %s port:%u\n", settings->listen,
		    server_port(server));
		fflush(stdout);
		sd_notify(0, "READY=1");
		event_base_dispatch(base);
	}
	for (size_t i = 0; i < COUNT(signals); i++)
		if (signals[i])
			event_free(signals[i]);
	server_close(&server);
	event_base_free(base);
	return status;
}

int
main(int argc, char **argv)
{
	struct options options = {
		.server = { .listen = "127.0.0.1:8443",
		    .conninfo = "dbname=tocsin",
		    .web = TOCSIN_WEB_DIR,
		    .threads = 4 },
	};
	struct err err;

	if (option_parse(rows, argc, argv, &options, &err) < 0 ||
	    check_options(&options.server, &err) < 0) {
		fprintf(stderr, "tocsin-portal: %s\n", err.text);
		return EXIT_STATUS_USAGE;
	}
	if (options.version) {
		printf("tocsin-portal " PACKAGE_VERSION "\n");
		return EXIT_STATUS_OK;
	}
	if (options.help) {
		printf("usage: tocsin-portal [OPTION...]\n"
		       "The dealers' web portal and HTTP API.\n\n");
		option_print_help(rows, stdout);
		return EXIT_STATUS_OK;
	}
	signal(SIGPIPE, SIG_IGN);
	if (sodium_init() < 0 || evthread_use_pthreads() < 0)
		return EXIT_STATUS_SOFTWARE;
	if (check_role(options.server.conninfo, &err) < 0) {
		fprintf(stderr, "tocsin-portal: %s\n", err.text);
		return EXIT_STATUS_CONFIG;
	}
	return serve(&options.server);
}
