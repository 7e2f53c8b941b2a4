#include "portal/server.h"

#include <errno.h>
#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/bufferevent_ssl.h>
#include <event2/http.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/array.h"
#include "base/clock.h"
#include "base/json.h"
#include "base/log.h"
#include "base/seal.h"
#include "base/socket.h"
#include "base/thread.h"
#include "portal/exchange.h"
#include "portal/limit.h"
#include "portal/live.h"
#include "portal/stream.h"
#include "portal/web.h"
#include "portal/work.h"

#define BODY_BYTES_MAX	  (4 * 1024 * 1024)
#define HEADERS_BYTES_MAX (16 * 1024)
#define TIMEOUT_S	  30
#define COOKIE_NAME	  "__Host-tocsin="

struct server {
	const struct server_settings *settings;
	struct event_base *base;
	struct evhttp *http;
	SSL_CTX *tls; /* NULL: plain HTTP */
	uint16_t port;
	struct web *web;
	struct work *work[ROUTE_WORKERS];
	struct streams *streams;
	struct live *live; /* NULL: no tocsind is configured */
	struct limit limit;
	bool has_master;
	struct seal_master master;
	struct geocoder geocoder;
};

/* ---- answers -------------------------------------------------------------------------- */

static void
add_security_headers(const struct server *server, struct evkeyvalq *headers)
{
	static const struct {
		const char *name, *value;
	} rows[] = {
		{ "Content-Security-Policy",
		    "default-src 'self'; base-uri 'none'; "
		    "form-action 'self'; frame-ancestors 'none'; "
		    "object-src 'none'" },
		{ "X-Content-Type-Options", "nosniff" },
		{ "X-Frame-Options", "DENY" },
		{ "Referrer-Policy", "same-origin" },
		{ "Cross-Origin-Opener-Policy", "same-origin" },
		{ "Cross-Origin-Resource-Policy", "same-origin" },
		{ "Permissions-Policy",
		    "camera=(), microphone=(), geolocation=()" },
	};

	for (size_t i = 0; i < COUNT(rows); i++)
		evhttp_add_header(headers, rows[i].name, rows[i].value);
	if (server->tls)
		evhttp_add_header(headers, "Strict-Transport-Security",
		    "max-age=31536000");
}

static void
send_exchange(struct exchange *exchange)
{
	struct evkeyvalq *headers =
	    evhttp_request_get_output_headers(exchange->request);
	struct evbuffer *body = evbuffer_new();
	const char *text = json_text(exchange->answer);

	if (body && text && exchange->status != 204)
		evbuffer_add(body, text, strlen(text));
	add_security_headers(exchange->server, headers);
	evhttp_add_header(headers, "Cache-Control", "no-store");
	if (exchange->status != 204)
		evhttp_add_header(headers, "Content-Type",
		    exchange->status >= 400 ? "application/problem+json"
					    : "application/json");
	if (exchange->status == 429 || exchange->status == 503)
		evhttp_add_header(headers, "Retry-After", "5");
	if (exchange->etag[0])
		evhttp_add_header(headers, "ETag", exchange->etag);
	if (exchange->set_cookie[0])
		evhttp_add_header(headers, "Set-Cookie", exchange->set_cookie);
	evhttp_send_reply(exchange->request, exchange->status, NULL, body);
	if (body)
		evbuffer_free(body);
}

/* Back from a worker, or never gone there. */
static void
finish_exchange(struct exchange *exchange)
{
	struct server *server = exchange->server;

	if (exchange->stream && !exchange->request) {
		streams_done(server->streams, exchange);
		return;
	}
	if (exchange->request) {
		evhttp_connection_set_closecb(
		    evhttp_request_get_connection(exchange->request), NULL,
		    NULL);
		send_exchange(exchange);
	}
	exchange_free(exchange);
}

static void
on_hang_up(struct evhttp_connection *connection, void *context)
{
	struct exchange *exchange = context;

	(void)connection;
	/* one that its connection has let go of is nobody's else */
	if (!evhttp_request_get_connection(exchange->request))
		evhttp_request_free(exchange->request);
	exchange->request = NULL;
}

static void
send_file(struct server *server, struct evhttp_request *request,
    const char *path)
{
	struct evkeyvalq *headers = evhttp_request_get_output_headers(request);
	const struct web_file *file = web_find(server->web, path);
	const char *known =
	    evhttp_find_header(evhttp_request_get_input_headers(request),
		"If-None-Match");
	struct evbuffer *body = evbuffer_new();

	add_security_headers(server, headers);
	evhttp_add_header(headers, "Cache-Control", "no-cache");
	if (!file || !body) {
		evhttp_add_header(headers, "Content-Type", "text/plain");
		evhttp_send_reply(request, 404, NULL, NULL);
	} else if (known && strcmp(known, file->etag) == 0) {
		evhttp_send_reply(request, 304, NULL, NULL);
	} else {
		evhttp_add_header(headers, "Content-Type", file->type);
		evhttp_add_header(headers, "ETag", file->etag);
		evbuffer_add(body, file->content, file->length);
		evhttp_send_reply(request, 200, NULL, body);
	}
	if (body)
		evbuffer_free(body);
}

/* ---- who asks ------------------------------------------------------------------------- */

static void
note_source(const struct server *server, struct exchange *exchange,
    const struct evkeyvalq *headers)
{
	const char *forwarded = server->settings->behind_proxy
	    ? evhttp_find_header(headers, "X-Forwarded-For")
	    : NULL;
	const char *last = forwarded ? strrchr(forwarded, ',') : NULL;
	char *address = NULL;
	ev_uint16_t port;

	if (last)
		forwarded = last + 1 + strspn(last + 1, " ");
	else if (!forwarded)
		evhttp_connection_get_peer(
		    evhttp_request_get_connection(exchange->request), &address,
		    &port);
	snprintf(exchange->source, sizeof(exchange->source), "%s",
	    forwarded	  ? forwarded
		: address ? address
			  : "");
}

static void
take_token(struct exchange *exchange, enum exchange_credential credential,
    const char *text, size_t length)
{
	if (length != TOKEN_TEXT_SIZE - 1)
		return;
	memcpy(exchange->token, text, length);
	exchange->token[length] = '\0';
	if (token_sound(exchange->token))
		exchange->credential = credential;
}

/* A key goes before a cookie: who sends one means it. */
static void
note_credential(struct exchange *exchange, const struct evkeyvalq *headers)
{
	const char *bearer = evhttp_find_header(headers, "Authorization");
	const char *cookie = evhttp_find_header(headers, "Cookie");

	if (bearer) {
		if (strncasecmp(bearer, "Bearer ", 7) == 0)
			take_token(exchange, EXCHANGE_KEY, bearer + 7,
			    strlen(bearer + 7));
		return;
	}
	while (cookie && *cookie) {
		size_t length = strcspn(cookie, ";");

		if (strncmp(cookie, COOKIE_NAME, strlen(COOKIE_NAME)) == 0) {
			take_token(exchange, EXCHANGE_SESSION,
			    cookie + strlen(COOKIE_NAME),
			    length - strlen(COOKIE_NAME));
			return;
		}
		cookie += length;
		cookie += strspn(cookie, "; ");
	}
}

static bool
is_our_origin(const struct server *server, const struct evkeyvalq *headers,
    const char *origin)
{
	const char *host = evhttp_find_header(headers, "Host");
	char expected[300];

	if (server->settings->origin)
		return strcmp(origin, server->settings->origin) == 0;
	snprintf(expected, sizeof(expected), "%s://%s",
	    server->tls ? "https" : "http", host ? host : "");
	return strcmp(origin, expected) == 0;
}

/* What a browser does in the name of a page says which page that is. Without a
 * cookie there is nothing to abuse but signing in itself. */
static bool
check_origin(const struct server *server, struct exchange *exchange,
    const struct evkeyvalq *headers)
{
	const char *origin = evhttp_find_header(headers, "Origin");

	if (exchange->route->method == ROUTE_GET ||
	    exchange->credential == EXCHANGE_KEY)
		return true;
	if (origin ? is_our_origin(server, headers, origin)
		   : exchange->credential == EXCHANGE_NOBODY)
		return true;
	exchange_problem(exchange, 403, NULL,
	    "the request does not come from a page of the portal");
	return false;
}

/* ---- the API ---------------------------------------------------------------------------- */

static bool
method_of(struct evhttp_request *request, enum route_method *ret)
{
	static const struct {
		enum evhttp_cmd_type command;
		enum route_method method;
	} rows[] = {
		{ EVHTTP_REQ_GET, ROUTE_GET },
		{ EVHTTP_REQ_POST, ROUTE_POST },
		{ EVHTTP_REQ_PUT, ROUTE_PUT },
		{ EVHTTP_REQ_PATCH, ROUTE_PATCH },
		{ EVHTTP_REQ_DELETE, ROUTE_DELETE },
	};

	for (size_t i = 0; i < COUNT(rows); i++)
		if (rows[i].command == evhttp_request_get_command(request)) {
			*ret = rows[i].method;
			return true;
		}
	return false;
}

static bool
find_route(struct exchange *exchange)
{
	enum route_method method;
	enum route_match match = ROUTE_OTHER_METHOD;

	if (method_of(exchange->request, &method))
		match = route_find(method, exchange->path + strlen(ROUTE_API),
		    &exchange->route, exchange->path_values);
	if (match == ROUTE_NOT_FOUND)
		exchange_problem(exchange, 404, NULL,
		    "there is no such operation: " ROUTE_API
		    "/openapi.json tells them");
	else if (match == ROUTE_OTHER_METHOD)
		exchange_problem(exchange, 405, NULL,
		    "there is no such operation with this method");
	return match == ROUTE_FOUND;
}

/* W/"123" and "123" as 123; one that is longer than any of ours never fits. */
static void
note_version(struct exchange *exchange, const struct evkeyvalq *headers)
{
	const char *text = evhttp_find_header(headers, "If-Match");
	size_t length;

	if (!text || strcmp(text, "*") == 0)
		return;
	if (strncmp(text, "W/", 2) == 0)
		text += 2;
	text += *text == '"';
	length = strcspn(text, "\"");
	snprintf(exchange->if_match, sizeof(exchange->if_match), "%.*s",
	    (int)length, text);
	if (!exchange->if_match[0])
		strcpy(exchange->if_match, "none");
}

static bool
take_body(struct exchange *exchange, const struct evkeyvalq *headers)
{
	struct evbuffer *input =
	    evhttp_request_get_input_buffer(exchange->request);
	const char *type = evhttp_find_header(headers, "Content-Type");

	exchange->body_length = evbuffer_get_length(input);
	exchange->body = calloc(1, exchange->body_length + 1);
	if (!exchange->body) {
		exchange_problem(exchange, 503, NULL, "no memory");
		return false;
	}
	evbuffer_remove(input, exchange->body, exchange->body_length);
	/* a form of another site cannot say this */
	if (exchange->body_length == 0 ||
	    (type && strncasecmp(type, "application/json", 16) == 0))
		return true;
	exchange_problem(exchange, 415, NULL,
	    "the body has to be application/json");
	return false;
}

static bool
prepare(struct server *server, struct exchange *exchange)
{
	struct evkeyvalq *headers =
	    evhttp_request_get_input_headers(exchange->request);
	const char *csrf = evhttp_find_header(headers, "X-CSRF-Token");
	const char *query =
	    evhttp_uri_get_query(evhttp_request_get_evhttp_uri(exchange
								   ->request));

	note_source(server, exchange, headers);
	if (!limit_take(&server->limit, exchange->source,
		clock_monotonic_us(&clock_system))) {
		exchange_problem(exchange, 429, NULL,
		    "too many requests from your address: slow down");
		return false;
	}
	note_credential(exchange, headers);
	note_version(exchange, headers);
	if (csrf)
		snprintf(exchange->csrf, sizeof(exchange->csrf), "%s", csrf);
	if (query && evhttp_parse_query_str(query, &exchange->query) < 0) {
		exchange_problem(exchange, 400, NULL,
		    "the query cannot be understood");
		return false;
	}
	return find_route(exchange) &&
	    check_origin(server, exchange, headers) &&
	    take_body(exchange, headers);
}

/* What tocsind said last, where the route wants that. */
static bool
take_live(struct server *server, struct exchange *exchange)
{
	const struct route *route = exchange->route;
	const char *answer;

	exchange->tocsind = server->live ? server->settings->tocsind : NULL;
	if (route->live == LIVE_NOTHING && !route->streams)
		return true;
	if (!server->live) {
		exchange_problem(exchange, 503, NULL,
		    "the portal is not connected to tocsind: its "
		    "configuration names no socket");
		return false;
	}
	if (route->live == LIVE_NOTHING)
		return true;
	answer = live_answer(server->live, route->live);
	exchange->live = answer ? strdup(answer) : NULL;
	if (!exchange->live)
		exchange_problem(exchange, 503, NULL,
		    "tocsind does not answer: %s", live_problem(server->live));
	return exchange->live != NULL;
}

static void
handle_operation(struct server *server, struct exchange *exchange)
{
	evhttp_connection_set_closecb(
	    evhttp_request_get_connection(exchange->request), on_hang_up,
	    exchange);
	if (prepare(server, exchange) && take_live(server, exchange)) {
		if (exchange->route->streams &&
		    exchange->credential != EXCHANGE_NOBODY) {
			streams_begin(server->streams, exchange);
			return;
		}
		if (work_take(server->work[exchange->route->worker], exchange))
			return;
		exchange_problem(exchange, 503, NULL,
		    "the portal has too much to do: try again");
	}
	finish_exchange(exchange);
}

/* The decoded path; NULL: it holds a zero byte, or there is no memory. */
static char *
decode_path(struct evhttp_request *request)
{
	const char *path =
	    evhttp_uri_get_path(evhttp_request_get_evhttp_uri(request));
	size_t length = 0;
	char *decoded = evhttp_uridecode(path ? path : "", 0, &length);

	if (decoded && strlen(decoded) == length)
		return decoded;
	free(decoded);
	return NULL;
}

static void
on_request(struct evhttp_request *request, void *context)
{
	struct server *server = context;
	char *path = decode_path(request);
	struct exchange *exchange;

	if (!path) {
		evhttp_send_error(request, HTTP_BADREQUEST, NULL);
		return;
	}
	if (strncmp(path, ROUTE_API "/", strlen(ROUTE_API "/")) != 0) {
		send_file(server, request, path);
		free(path);
		return;
	}
	exchange = exchange_new();
	if (!exchange) {
		free(path);
		evhttp_send_error(request, HTTP_INTERNAL, NULL);
		return;
	}
	exchange->server = server;
	exchange->geocoder = &server->geocoder;
	exchange->master = server->has_master ? &server->master : NULL;
	exchange->request = request;
	exchange->path = path;
	handle_operation(server, exchange);
}

/* ---- live views ---------------------------------------------------------------------------- */

static bool
take_batch(void *context, struct exchange *exchange)
{
	struct server *server = context;

	return work_take(server->work[ROUTE_STREAM], exchange);
}

static void
finish_refused(void *context, struct exchange *exchange)
{
	(void)context;
	finish_exchange(exchange);
}

static void
add_headers(void *context, struct evhttp_request *request)
{
	add_security_headers(context,
	    evhttp_request_get_output_headers(request));
}

static bool
follow(void *context, bool wanted)
{
	struct server *server = context;

	return server->live && live_follow(server->live, wanted);
}

static void
on_signal(void *context, struct slice text)
{
	struct server *server = context;

	streams_signal(server->streams, text);
}

static int
open_live(struct server *server, struct err *err)
{
	const struct stream_server streams = { server, take_batch,
		finish_refused, add_headers, follow };
	int result =
	    streams_open(server->base, &streams, &server->streams, err);

	if (result == 0 && server->settings->tocsind)
		result = live_open(server->base, server->settings->tocsind,
		    on_signal, server, &server->live, err);
	return result;
}

/* ---- opening ---------------------------------------------------------------------------- */

static int
load_certificate(const struct server_settings *settings, SSL_CTX **ret,
    struct err *err)
{
	SSL_CTX *tls = SSL_CTX_new(TLS_server_method());

	if (tls && SSL_CTX_set_min_proto_version(tls, TLS1_2_VERSION) == 1 &&
	    SSL_CTX_use_certificate_chain_file(tls, settings->certificate) ==
		1 &&
	    SSL_CTX_use_PrivateKey_file(tls, settings->key, SSL_FILETYPE_PEM) ==
		1 &&
	    SSL_CTX_check_private_key(tls) == 1) {
		SSL_CTX_set_options(tls,
		    SSL_OP_NO_RENEGOTIATION | SSL_OP_IGNORE_UNEXPECTED_EOF);
		*ret = tls;
		return 0;
	}
	SSL_CTX_free(tls);
	return err_set(err, -EINVAL, "certificate %s with key %s: %s",
	    settings->certificate, settings->key,
	    ERR_reason_error_string(ERR_get_error()));
}

static struct bufferevent *
make_connection(struct event_base *base, void *context)
{
	struct server *server = context;
	SSL *tls = SSL_new(server->tls);
	struct bufferevent *connection = tls
	    ? bufferevent_openssl_socket_new(base, -1, tls,
		  BUFFEREVENT_SSL_ACCEPTING, BEV_OPT_CLOSE_ON_FREE)
	    : NULL;

	if (connection)
		bufferevent_openssl_set_allow_dirty_shutdown(connection, 1);
	return connection;
}

static bool
is_loopback(const struct socket_address *address)
{
	if (address->any.sa_family == AF_INET)
		return ntohl(address->v4.sin_addr.s_addr) >> 24 == 127;
	return IN6_IS_ADDR_LOOPBACK(&address->v6.sin6_addr);
}

static int
listen_on(struct server *server, struct err *err)
{
	struct socket_address address;
	int fd,
	    result =
		socket_address_parse(server->settings->listen, &address, err);

	if (result < 0)
		return result;
	if (!server->tls && !is_loopback(&address))
		return err_set(err, -EINVAL,
		    "%s: without a certificate the portal listens on "
		    "loopback only",
		    server->settings->listen);
	fd = socket_listen(&address, SOCK_STREAM, false, err);
	if (fd < 0)
		return fd;
	if (!evhttp_accept_socket_with_handle(server->http, fd)) {
		close(fd);
		return err_set(err, -ENOMEM, "no memory to listen");
	}
	server->port = socket_local_port(fd);
	return 0;
}

static int
open_http(struct server *server, struct err *err)
{
	server->http = evhttp_new(server->base);
	if (!server->http)
		return err_set(err, -ENOMEM, "no memory for HTTP");
	evhttp_set_allowed_methods(server->http,
	    EVHTTP_REQ_GET | EVHTTP_REQ_HEAD | EVHTTP_REQ_POST |
		EVHTTP_REQ_PUT | EVHTTP_REQ_PATCH | EVHTTP_REQ_DELETE);
	evhttp_set_max_headers_size(server->http, HEADERS_BYTES_MAX);
	evhttp_set_max_body_size(server->http, BODY_BYTES_MAX);
	evhttp_set_timeout(server->http, TIMEOUT_S);
	evhttp_set_gencb(server->http, on_request, server);
	if (server->tls)
		evhttp_set_bevcb(server->http, make_connection, server);
	return listen_on(server, err);
}

static unsigned
count_threads(const struct server_settings *settings)
{
	unsigned count =
	    settings->threads ? settings->threads : thread_default_count();

	return count < WORK_THREADS_MAX ? count : WORK_THREADS_MAX;
}

static int
open_workers(struct server *server, struct err *err)
{
	const struct server_settings *settings = server->settings;
	const struct {
		unsigned threads, queue_max;
	} rows[ROUTE_WORKERS] = {
		[ROUTE_QUICK] = { count_threads(settings), 256 },
		[ROUTE_PASSWORD] = { 1, 32 },
		[ROUTE_BULK] = { 1, 8 },
		[ROUTE_OUTSIDE] = { 1, 16 },
		[ROUTE_STREAM] = { 1, STREAMS_MAX },
	};
	int result = 0;

	for (size_t i = 0; i < ROUTE_WORKERS && result == 0; i++)
		result = work_open(server->base, settings->conninfo,
		    rows[i].threads, rows[i].queue_max, finish_exchange,
		    &server->work[i], err);
	return result;
}

int
server_open(struct event_base *base, const struct server_settings *settings,
    struct server **ret, struct err *err)
{
	struct server *server = calloc(1, sizeof(*server));
	int result;

	if (!server)
		return err_set(err, -ENOMEM, "out of memory");
	*ret = server;
	server->base = base;
	server->settings = settings;
	limit_open(&server->limit);
	result = web_open(settings->web, &server->web, err);
	server->has_master = settings->master_key != NULL;
	if (result == 0 && server->has_master)
		result = seal_master_load(settings->master_key, &server->master,
		    err);
	if (result == 0)
		result =
		    geocoder_open(&server->geocoder, &settings->geocoder, err);
	if (result == 0 && settings->certificate)
		result = load_certificate(settings, &server->tls, err);
	if (result == 0)
		result = open_workers(server, err);
	if (result == 0)
		result = open_live(server, err);
	return result == 0 ? open_http(server, err) : result;
}

void
server_close(struct server **ret)
{
	struct server *server = *ret;

	if (!server)
		return;
	/* the workers' exchanges forget their requests as connections go */
	if (server->http)
		evhttp_free(server->http);
	live_close(&server->live);
	for (size_t i = 0; i < ROUTE_WORKERS; i++)
		work_close(&server->work[i]);
	streams_close(&server->streams);
	web_close(&server->web);
	SSL_CTX_free(server->tls);
	seal_master_wipe(&server->master);
	geocoder_close(&server->geocoder);
	free(server);
	*ret = NULL;
}

int
server_reload(struct server *server, const struct server_settings *fresh,
    struct err *err)
{
	struct web *web = NULL;
	SSL_CTX *tls = NULL;
	int result;

	if (!server->tls != !fresh->certificate)
		return err_set(err, -EINVAL,
		    "certificate: from plain HTTP to HTTPS or back takes a "
		    "restart");
	result = web_open(fresh->web, &web, err);
	if (result == 0 && server->tls)
		result = load_certificate(fresh, &tls, err);
	if (result < 0) {
		web_close(&web);
		return result;
	}
	web_close(&server->web);
	server->settings = fresh;
	server->web = web;
	if (tls) {
		SSL_CTX_free(server->tls);
		server->tls = tls;
	}
	return 0;
}

uint16_t
server_port(const struct server *server)
{
	return server->port;
}
