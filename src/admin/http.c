/* /metrics, /healthz and /readyz on loopback. */
#include <errno.h>
#include <unistd.h>

#include "admin/internal.h"
#include "base/socket.h"

#define REQUEST_BYTES_MAX 8192
#define TIMEOUT_S	  10

static void
reply(struct evhttp_request *request, int code, const char *type,
    struct evbuffer *body)
{
	struct evkeyvalq *headers = evhttp_request_get_output_headers(request);

	evhttp_add_header(headers, "Content-Type", type);
	evhttp_add_header(headers, "Cache-Control", "no-store");
	evhttp_send_reply(request, code, code == HTTP_OK ? "OK" : "No", body);
	evbuffer_free(body);
}

static void
on_metrics(struct evhttp_request *request, void *context)
{
	struct evbuffer *body = evbuffer_new();

	if (!body) {
		evhttp_send_error(request, HTTP_INTERNAL, NULL);
		return;
	}
	metrics_write(context, body);
	reply(request, HTTP_OK, "text/plain; version=0.0.4; charset=utf-8",
	    body);
}

/* The sentence says why not; NULL: all is well. */
static void
reply_state(struct evhttp_request *request, const char *problem)
{
	struct evbuffer *body = evbuffer_new();

	if (!body) {
		evhttp_send_error(request, HTTP_INTERNAL, NULL);
		return;
	}
	evbuffer_add_printf(body, "%s\n", problem ? problem : "ok");
	reply(request, problem ? HTTP_SERVUNAVAIL : HTTP_OK,
	    "text/plain; charset=utf-8", body);
}

static const char *
health_problem(const struct admin *admin)
{
	struct journal_status status;

	if (!admin->stages.journal)
		return "the journal is not open";
	journal_status(admin->stages.journal, &status);
	if (status.failure)
		return "the journal failed";
	if (admin->stages.watch && !watch_healthy(admin->stages.watch))
		return "the journal does not move";
	return NULL;
}

static void
on_health(struct evhttp_request *request, void *context)
{
	reply_state(request, health_problem(context));
}

static void
on_ready(struct evhttp_request *request, void *context)
{
	const struct admin *admin = context;
	const char *problem = health_problem(admin);
	struct directory_status directory;
	struct journal_status journal;

	if (!problem && !admin->stages.ingress)
		problem = "nothing is received";
	if (!problem) {
		journal_status(admin->stages.journal, &journal);
		if (journal.refusal != JOURNAL_TAKES)
			problem = "the journal is full";
	}
	if (!problem && admin->stages.directory) {
		directory_status(admin->stages.directory, &directory);
		if (directory.source == DIRECTORY_FROM_NOTHING)
			problem = "the directory is empty";
	}
	reply_state(request, problem);
}

static void
on_other(struct evhttp_request *request, void *context)
{
	(void)context;
	evhttp_send_error(request, HTTP_NOTFOUND, NULL);
}

int
http_open(struct admin *admin, const char *address, struct err *err)
{
	struct socket_address parsed;
	struct evhttp_bound_socket *bound;
	int fd, result = socket_address_parse(address, &parsed, err);

	if (result < 0)
		return err_prefix(err, result, "metrics");
	fd = socket_listen(&parsed, SOCK_STREAM, false, err);
	if (fd < 0)
		return err_prefix(err, fd, "metrics");
	admin->http = evhttp_new(admin->base);
	bound = admin->http ? evhttp_accept_socket_with_handle(admin->http, fd)
			    : NULL;
	if (!bound) {
		close(fd);
		return err_set(err, -ENOMEM, "metrics: no memory");
	}
	admin->metrics_port = socket_local_port(fd);
	evhttp_set_allowed_methods(admin->http,
	    EVHTTP_REQ_GET | EVHTTP_REQ_HEAD);
	evhttp_set_max_headers_size(admin->http, REQUEST_BYTES_MAX);
	evhttp_set_max_body_size(admin->http, 0);
	evhttp_set_timeout(admin->http, TIMEOUT_S);
	evhttp_set_cb(admin->http, "/metrics", on_metrics, admin);
	evhttp_set_cb(admin->http, "/healthz", on_health, admin);
	evhttp_set_cb(admin->http, "/readyz", on_ready, admin);
	evhttp_set_gencb(admin->http, on_other, admin);
	return 0;
}

void
http_close(struct admin *admin)
{
	if (admin->http)
		evhttp_free(admin->http);
	admin->http = NULL;
}
