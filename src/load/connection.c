#include <errno.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "load/generator_internal.h"

#define BACKOFF_FIRST_US 10000
#define BACKOFF_LAST_US	 1000000

/* Connections to the loopback come from many addresses of it: one alone has
 * only 28 000 ports, each blocked for a time after closing. */
#define SOURCE_ADDRESSES 200

static const struct socket_address *
choose_source(const struct generator *g, const struct panel *panel,
    struct socket_address *source)
{
	const struct socket_address *target = &g->options->target;
	uint32_t host;

	if (target->any.sa_family != AF_INET || g->options->udp)
		return NULL;
	host = ntohl(target->v4.sin_addr.s_addr);
	if (host >> 24 != IN_LOOPBACKNET)
		return NULL;
	*source = *target;
	source->v4.sin_port = 0;
	source->v4.sin_addr.s_addr =
	    htonl(INADDR_LOOPBACK + panel->index % SOURCE_ADDRESSES);
	return source;
}

static void
retry_later(struct generator *g, struct panel *panel)
{
	panel->state = PANEL_CLOSED;
	panel->retry_us = g->now_us + panel->backoff_us;
	panel->backoff_us =
	    panel->backoff_us == 0 ? BACKOFF_FIRST_US : 2 * panel->backoff_us;
	if (panel->backoff_us > BACKOFF_LAST_US)
		panel->backoff_us = BACKOFF_LAST_US;
}

static void
connect_failed(struct generator *g, struct panel *panel, int error,
    const char *reason)
{
	g->stats.connections_failed++;
	if (g->stats.connections == 0 && !g->options->persist)
		generator_fail(g, -error, reason ? reason : strerror(error));
	retry_later(g, panel);
}

void
connection_open(struct generator *g, struct panel *panel)
{
	struct epoll_event event = {
		.events = EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET,
		.data.ptr = panel,
	};
	struct socket_address source;

	panel->fd = socket_connect_from(&g->options->target,
	    choose_source(g, panel, &source),
	    g->options->udp ? SOCK_DGRAM : SOCK_STREAM, NULL);
	if (panel->fd < 0) {
		connect_failed(g, panel, -panel->fd, NULL);
		return;
	}
	if (secure_begin(g->tls, panel) < 0 ||
	    epoll_ctl(g->epoll_fd, EPOLL_CTL_ADD, panel->fd, &event) < 0) {
		int error = panel->ssl || !g->tls ? errno : ENOMEM;

		secure_end(panel);
		close(panel->fd);
		connect_failed(g, panel, error, NULL);
		return;
	}
	panel->state = PANEL_CONNECTING;
}

static void
close_panel(struct generator *g, struct panel *panel)
{
	if (panel->state == PANEL_OPEN)
		g->open_panels--;
	secure_end(panel);
	close(panel->fd);
	panel->state = PANEL_CLOSED;
	panel->partial_length = 0;
	panel->unsent_length = 0;
}

/* What was not acknowledged goes out again on the next connection, in order. */
static void
keep_unacknowledged(struct panel *panel)
{
	for (uint64_t n = panel->head; n != panel->tail; n++)
		panel_flight(panel, n)->waiting = true;
}

void
connection_lost(struct generator *g, struct panel *panel)
{
	bool at_once = panel->backoff_us == 0;

	g->stats.connections_lost++;
	close_panel(g, panel);
	keep_unacknowledged(panel);
	retry_later(g, panel);
	if (at_once && (panel->head != panel->tail || generator_may_send(g)))
		connection_open(g, panel);
}

void
connection_renew(struct generator *g, struct panel *panel)
{
	close_panel(g, panel);
	if (generator_may_send(g))
		connection_open(g, panel);
}

void
connection_ready(struct generator *g, struct panel *panel, bool failed)
{
	int error = 0, done = 0;
	socklen_t length = sizeof(error);
	const char *reason = NULL;

	getsockopt(panel->fd, SOL_SOCKET, SO_ERROR, &error, &length);
	if (error == 0 && failed && !panel->ssl)
		error = ECONNRESET;
	if (error == 0)
		done = secure_step(panel, &reason);
	if (error != 0 || done < 0) {
		close_panel(g, panel);
		keep_unacknowledged(panel);
		connect_failed(g, panel, error ? error : -done, reason);
		return;
	}
	if (done == 0)
		return;
	panel->state = PANEL_OPEN;
	panel->answered = false;
	g->open_panels++;
	g->stats.connections++;
}
