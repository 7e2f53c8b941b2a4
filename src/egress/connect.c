/* From a receiver's endpoint to a connection: names, connecting, listening. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/tls.h"
#include "egress/internal.h"
#include "egress/resolver.h"
#include "egress/serial.h"

const struct directory_endpoint *
connect_endpoint(const struct link *link)
{
	return &link->settings->endpoints[link->endpoint];
}

enum directory_transport
connect_transport(const struct link *link)
{
	return connect_endpoint(link)->transport;
}

bool
connect_posts(const struct link *link)
{
	return connect_transport(link) == DIRECTORY_TRANSPORT_HTTP ||
	    connect_transport(link) == DIRECTORY_TRANSPORT_HTTPS;
}

static bool
is_udp(const struct link *link)
{
	return connect_transport(link) == DIRECTORY_TRANSPORT_UDP;
}

/* ---- server: the automation connects to us -------------------------------- */

void
connect_drop_standby(struct link *link, const char *reason)
{
	if (link->standby_fd < 0)
		return;
	close(link->standby_fd);
	link->standby_fd = -1;
	log_limited(&link->limit, LOG_NOTICE, "link", "newcomer_refused",
	    "name=\"%s\" reason=\"%s\"", link_name(link), reason);
}

static void
take_connection(struct link *link, int fd)
{
	struct socket_address peer = { .length = sizeof(peer.storage) };

	socket_set_nodelay(fd);
	if (getpeername(fd, &peer.any, &peer.length) == 0)
		socket_address_format(&peer, link->endpoint_text);
	if (transport_adopt(&link->transport, fd) == 0)
		link_connected(link);
}

bool
connect_take_standby(struct link *link)
{
	int fd = link->standby_fd;

	/* an outcome to be told still names the connection before */
	if (fd < 0 || link->untold > 0)
		return false;
	link->standby_fd = -1;
	take_connection(link, fd);
	return link->state == LINK_UP;
}

/* One connection is in use at a time. A newer one waits until the older has
 * shown whether it still answers: a crashed automation comes back this way,
 * and a stranger cannot push a working one out. */
static void
on_acceptable(evutil_socket_t listen_fd, short what, void *context)
{
	struct link *link = context;
	int fd = accept4(listen_fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);

	(void)what;
	if (fd < 0)
		return;
	if (!transport_is_open(&link->transport) && link->untold == 0) {
		take_connection(link, fd);
		return;
	}
	connect_drop_standby(link, "a newer one came");
	link->standby_fd = fd;
	link_kick(link);
}

static int
listen_begin(struct link *link, const struct socket_address *address,
    struct err *err)
{
	int fd = socket_listen(address, SOCK_STREAM, false, err);

	if (fd < 0)
		return fd;
	link->listen_fd = fd;
	link->acceptable = event_new(link->egress->base, fd,
	    EV_READ | EV_PERSIST, on_acceptable, link);
	if (!link->acceptable || event_add(link->acceptable, NULL) < 0)
		return err_set(err, -ENOMEM, "out of memory");
	return 0;
}

static void
listen_end(struct link *link)
{
	if (link->acceptable)
		event_free(link->acceptable);
	link->acceptable = NULL;
	if (link->listen_fd >= 0)
		close(link->listen_fd);
	link->listen_fd = -1;
	connect_drop_standby(link, "the link closes");
}

/* ---- client ----------------------------------------------------------------- */

static int
call(struct link *link, const struct socket_address *address, struct err *err)
{
	const struct directory_endpoint *endpoint = connect_endpoint(link);
	SSL *tls = NULL;
	int code = 0;

	if (endpoint->transport == DIRECTORY_TRANSPORT_TLS ||
	    endpoint->transport == DIRECTORY_TRANSPORT_HTTPS)
		code = tls_client_open(&link->egress->tls, endpoint, &tls, err);
	if (code == 0)
		code = transport_connect(&link->transport, address,
		    is_udp(link), err);
	if (code == 0 && tls)
		return transport_secure(&link->transport, tls, err);
	tls_end(&tls);
	return code;
}

static void
reach(struct link *link, const struct socket_address *address)
{
	struct err err;
	int code;

	link_set_state(link,
	    link->settings->listen ? LINK_LISTENING : LINK_CONNECTING, "");
	if (link->settings->listen)
		code = listen_begin(link, address, &err);
	else
		code = call(link, address, &err);
	if (code < 0)
		link_fail(link, err.text, false);
}

/* Of several addresses each round takes the next. */
static void
reach_resolved(struct link *link, const struct evutil_addrinfo *found)
{
	const struct evutil_addrinfo *chosen = found;
	struct socket_address address = { 0 };
	unsigned count = 0;

	for (const struct evutil_addrinfo *i = found; i; i = i->ai_next)
		count++;
	for (unsigned turn = link->address_turn % count; turn > 0; turn--)
		chosen = chosen->ai_next;
	memcpy(&address.storage, chosen->ai_addr, chosen->ai_addrlen);
	address.length = chosen->ai_addrlen;
	reach(link, &address);
}

static void
on_resolved(int result, struct evutil_addrinfo *found, void *context)
{
	struct resolve *resolve = context;
	struct link *link = resolve->link;
	char reason[300];

	free(resolve);
	if (link) {
		link->resolve = NULL;
		if (result == 0 && found) {
			reach_resolved(link, found);
		} else {
			snprintf(reason, sizeof(reason),
			    "cannot resolve '%s': %s",
			    connect_endpoint(link)->host,
			    evutil_gai_strerror(result));
			link_fail(link, reason, false);
		}
		link_arm(link);
	}
	if (found)
		evutil_freeaddrinfo(found);
}

static void
resolve_begin(struct link *link)
{
	struct egress *egress = link->egress;
	const struct evutil_addrinfo hints = {
		.ai_family = AF_UNSPEC,
		.ai_socktype = is_udp(link) ? SOCK_DGRAM : SOCK_STREAM,
		.ai_flags = EVUTIL_AI_ADDRCONFIG,
	};
	struct resolve *resolve;
	struct evdns_getaddrinfo_request *request;
	char port[8];

	if (!egress->dns)
		egress->dns =
		    resolver_open(egress->base, egress->config.nameservers);
	resolve = egress->dns ? calloc(1, sizeof(*resolve)) : NULL;
	if (!resolve) {
		link_fail(link, "name resolution is not available", false);
		return;
	}
	link_set_state(link, LINK_RESOLVING, "");
	snprintf(port, sizeof(port), "%u", connect_endpoint(link)->port);
	resolve->link = link;
	link->resolve = resolve;
	request = evdns_getaddrinfo(egress->dns, connect_endpoint(link)->host,
	    port, &hints, on_resolved, resolve);
	/* NULL: it was answered already, and resolve is gone */
	if (request)
		resolve->request = request;
}

void
connect_cancel(struct link *link)
{
	struct resolve *resolve = link->resolve;

	transport_close(&link->transport);
	link->resolve = NULL;
	if (resolve) {
		resolve->link = NULL;
		evdns_getaddrinfo_cancel(resolve->request);
	}
	listen_end(link);
}

/* ---- of this machine, and mail --------------------------------------------------------- */

static bool
is_mail(const struct directory_endpoint *endpoint)
{
	return endpoint->transport >= DIRECTORY_TRANSPORT_SMTP &&
	    endpoint->transport <= DIRECTORY_TRANSPORT_SMTP_CLEAR;
}

/* "TEMPLATE@HOST" of a mail server, else the name of a file. */
static struct local_target
find_target(const struct link *link)
{
	const struct directory_endpoint *endpoint = connect_endpoint(link);
	const struct egress_config *config = &link->egress->config;
	struct local_target target = {
		.transport = endpoint->transport,
		.directory = config->programs_directory,
		.name = slice_from_string(endpoint->host),
		.port = endpoint->port,
	};
	const char *at = strchr(endpoint->host, '@');

	if (endpoint->transport == DIRECTORY_TRANSPORT_FILE)
		target.directory = config->files_directory;
	if (!is_mail(endpoint))
		return target;
	target.directory = config->mail_directory;
	target.name.length = at ? (size_t)(at - endpoint->host) : 0;
	target.host = slice_from_string(at ? at + 1 : "");
	return target;
}

static void
join_local(struct link *link)
{
	const struct local_target target = find_target(link);
	struct err err = { "out of memory" };
	int fd = -ENOMEM;

	if (!link->local)
		link->local = local_open();
	if (link->local)
		fd = local_connect(link->local, &target, &err);
	if (fd < 0)
		link_fail(link, err.text, false);
	else if (transport_adopt(&link->transport, fd) < 0)
		link_fail(link, "out of memory", false);
	else
		link_connected(link);
}

static void
join_serial(struct link *link)
{
	struct err err;
	int fd = serial_open(connect_endpoint(link)->host, &err);

	if (fd < 0)
		link_fail(link, err.text, false);
	else if (transport_adopt_serial(&link->transport, fd) < 0)
		link_fail(link, "out of memory", false);
	else
		link_connected(link);
}

/* ---- any ---------------------------------------------------------------------- */

/* Without the path of a URL, which may hold a secret. */
static void
format_endpoint(struct link *link)
{
	static const char *const schemes[] = {
		[DIRECTORY_TRANSPORT_RUN] = "run:",
		[DIRECTORY_TRANSPORT_EACH] = "each:",
		[DIRECTORY_TRANSPORT_FILE] = "file:",
		[DIRECTORY_TRANSPORT_SMTP] = "smtp://",
		[DIRECTORY_TRANSPORT_SMTPS] = "smtps://",
		[DIRECTORY_TRANSPORT_SMTP_CLEAR] = "smtp-clear://",
		[DIRECTORY_TRANSPORT_SERIAL] = "serial:",
		[DIRECTORY_TRANSPORT_HTTP] = "http://",
		[DIRECTORY_TRANSPORT_HTTPS] = "https://",
	};
	const struct directory_endpoint *endpoint = connect_endpoint(link);
	const char *scheme = schemes[endpoint->transport];
	size_t size = sizeof(link->endpoint_text);
	bool numeric6 =
	    strchr(endpoint->host, ':') && !strchr(endpoint->host, '@');

	if (endpoint->port == 0)
		snprintf(link->endpoint_text, size, "%s%s", scheme,
		    endpoint->host);
	else
		snprintf(link->endpoint_text, size, "%s%s%s%s:%u",
		    scheme ? scheme : "", numeric6 ? "[" : "", endpoint->host,
		    numeric6 ? "]" : "", endpoint->port);
}

/* A name has to be resolved first. */
static void
call_address(struct link *link)
{
	const struct directory_endpoint *endpoint = connect_endpoint(link);
	struct socket_address address;

	if (socket_address_make(endpoint->host, endpoint->port, &address,
		NULL) == 0)
		reach(link, &address);
	else
		resolve_begin(link);
}

static void
begin_transport(struct link *link)
{
	switch (connect_transport(link)) {
	case DIRECTORY_TRANSPORT_TCP:
	case DIRECTORY_TRANSPORT_UDP:
	case DIRECTORY_TRANSPORT_TLS:
	case DIRECTORY_TRANSPORT_HTTP:
	case DIRECTORY_TRANSPORT_HTTPS:
		call_address(link);
		break;
	case DIRECTORY_TRANSPORT_RUN:
	case DIRECTORY_TRANSPORT_EACH:
	case DIRECTORY_TRANSPORT_FILE:
	case DIRECTORY_TRANSPORT_SMTP:
	case DIRECTORY_TRANSPORT_SMTPS:
	case DIRECTORY_TRANSPORT_SMTP_CLEAR:
		join_local(link);
		break;
	case DIRECTORY_TRANSPORT_SERIAL:
		join_serial(link);
		break;
	}
}

void
connect_begin(struct link *link)
{
	connect_cancel(link);
	send_tell(link);
	if (link->untold > 0) {
		/* their endpoint is still the old one */
		link->retry_us = link_now(link) + TELL_RETRY_US;
		link_set_state(link, LINK_BACKING_OFF,
		    "outcomes cannot be recorded now");
		return;
	}
	format_endpoint(link);
	link->retry_us = 0;
	link->clock_offset_us = 0;
	if (link->endpoint == 0)
		link->primary_retry_us = 0;
	else if (link->primary_retry_us == 0)
		link->primary_retry_us =
		    link_now(link) + link->egress->config.primary_return_us;
	begin_transport(link);
}
