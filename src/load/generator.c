#include "load/generator.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "base/clock.h"
#include "load/generator_internal.h"

#define EVENTS_MAX 512
#define TICK_US	   20000
#define PACE_MS	   1	   /* how often new signals are made at a rate */
#define CONNECT_US 5000000 /* begin then, even if not all are connected */
#define TICK_MS	   (TICK_US / 1000)

/* How often generator_stop was called: a signal handler writes it. */
static volatile sig_atomic_t stop_requests;

void
generator_stop(void)
{
	stop_requests++;
}

int64_t
generator_clock(struct generator *g)
{
	g->now_us = clock_monotonic_us(&clock_system);
	return g->now_us;
}

bool
generator_may_send(const struct generator *g)
{
	return stop_requests == 0 &&
	    (g->settings.count == 0 || g->stats.sent < g->settings.count) &&
	    (g->end_us == 0 || g->now_us < g->end_us);
}

void
generator_fail(struct generator *g, int error, const char *what)
{
	g->failed = true;
	g->error =
	    err_set(&g->err, error, "%s: %s", g->options->target_text, what);
}

static int
make_panels(struct generator *g)
{
	const struct load_options *o = g->options;
	unsigned count = g->settings.panel_count;

	g->panels = calloc(count, sizeof(*g->panels));
	g->flights = calloc((size_t)count * o->inflight, sizeof(*g->flights));
	if (!g->panels || !g->flights)
		return -ENOMEM;
	for (unsigned i = 0; i < count; i++) {
		struct panel *panel = &g->panels[i];

		panel->index = g->settings.first_panel + i;
		panel->inflight = o->inflight;
		panel->flights = g->flights + (size_t)i * o->inflight;
		panel->account_count =
		    (o->accounts.count - panel->index + o->panels - 1) /
		    o->panels;
	}
	return 0;
}

int
generator_open(struct generator **ret,
    const struct generator_settings *settings, struct err *err)
{
	const struct load_options *o = settings->options;
	struct frame_settings frames = {
		.plan = &o->plan,
		.accounts = &o->accounts,
		.key = o->key,
		.receiver = slice_from_string(o->receiver),
		.line = slice_from_string(o->line),
	};
	struct generator *g = calloc(1, sizeof(*g));
	int result = -ENOMEM;

	if (!g)
		return err_set(err, -ENOMEM, "out of memory");
	g->epoll_fd = -1;
	g->settings = *settings;
	g->options = o;
	if (make_panels(g) < 0) {
		err_set(err, result, "out of memory for %u panels",
		    settings->panel_count);
		goto out;
	}
	g->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
	if (g->epoll_fd < 0) {
		result = err_set_errno(err, "cannot create an epoll");
		goto out;
	}
	result = secure_open(&g->tls, o, err);
	if (result == 0)
		result = frame_maker_open(&g->maker, &frames, err);
out:
	if (result < 0)
		generator_close(&g);
	else
		*ret = g;
	return result;
}

static void
start_sending(struct generator *g)
{
	g->started = true;
	g->started_us = g->last_ack_us = g->now_us;
	if (g->options->seconds_us > 0)
		g->end_us = g->now_us + g->options->seconds_us;
	if (g->settings.rate > 0)
		return;
	for (unsigned i = 0; i < g->settings.panel_count; i++)
		exchange_send(g, &g->panels[i], UINT64_MAX);
}

static void
handle_event(struct generator *g, struct panel *panel, uint32_t events)
{
	bool ended = events & (EPOLLRDHUP | EPOLLHUP | EPOLLERR);

	if (panel->state == PANEL_CLOSED)
		return;
	if (panel->state == PANEL_CONNECTING)
		connection_ready(g, panel,
		    !g->options->udp && (events & (EPOLLHUP | EPOLLERR)));
	if (panel->state == PANEL_OPEN && (events & EPOLLOUT))
		exchange_flush_unsent(g, panel);
	if (panel->state == PANEL_OPEN && (ended || (events & EPOLLIN)))
		exchange_receive(g, panel, ended);
	if (g->started)
		exchange_send(g, panel, g->settings.rate > 0 ? 0 : UINT64_MAX);
}

/* Hand out what is due by now, a fair share to each panel in turn. */
static void
pace(struct generator *g)
{
	double elapsed = (double)(g->now_us - g->started_us) / 1e6;
	uint64_t target = (uint64_t)(elapsed * g->settings.rate);
	uint64_t due = target > g->stats.sent ? target - g->stats.sent : 0;
	uint64_t share = due / g->settings.panel_count + 1;
	unsigned idle = 0;

	while (due > 0 && idle < g->settings.panel_count) {
		struct panel *panel = &g->panels[g->next_panel];
		uint64_t made =
		    exchange_send(g, panel, share < due ? share : due);

		idle = made == 0 ? idle + 1 : 0;
		due -= made;
		g->next_panel = (g->next_panel + 1) % g->settings.panel_count;
	}
}

/* Nobody answered in time: send again, over a new connection since this one may
 * be dead without a word, or give the message up. */
static void
check_deadlines(struct generator *g, struct panel *panel)
{
	bool again = false;

	for (uint64_t n = panel->head; n != panel->tail; n++) {
		struct flight *flight = panel_flight(panel, n);

		if (flight->done || flight->deadline_us > g->now_us)
			continue;
		if (flight->tries >= g->options->tries &&
		    !g->options->persist) {
			exchange_give_up(g, panel, flight);
			continue;
		}
		if (flight->waiting)
			flight->tries++;
		flight->waiting = again = true;
		flight->deadline_us = g->now_us + g->options->timeout_us;
	}
	if (again && panel->state == PANEL_OPEN && !g->options->udp)
		connection_lost(g, panel);
	else if (again)
		exchange_send(g, panel, 0);
}

static void
tick(struct generator *g)
{
	bool may_send = generator_may_send(g);

	g->next_tick_us = g->now_us + TICK_US;
	for (unsigned i = 0; i < g->settings.panel_count; i++) {
		struct panel *panel = &g->panels[i];

		if (panel->head != panel->tail)
			check_deadlines(g, panel);
		if (panel->state == PANEL_CLOSED &&
		    panel->retry_us <= g->now_us &&
		    (may_send || panel->head != panel->tail))
			connection_open(g, panel);
		if (g->started && g->settings.rate == 0)
			exchange_send(g, panel, UINT64_MAX);
	}
}

static bool
finished(struct generator *g)
{
	if (g->failed || stop_requests > 1)
		return true;
	if (!g->started || g->open_flights > 0 || generator_may_send(g))
		return false;
	if (g->leave_us == 0)
		g->leave_us = g->now_us + g->options->stay_us;
	return stop_requests > 0 || g->now_us >= g->leave_us;
}

static void
one_turn(struct generator *g)
{
	struct epoll_event events[EVENTS_MAX];
	int count = epoll_wait(g->epoll_fd, events, EVENTS_MAX,
	    g->settings.rate > 0 && g->started ? PACE_MS : TICK_MS);

	generator_clock(g);
	for (int i = 0; i < count; i++)
		handle_event(g, events[i].data.ptr, events[i].events);
	if (!g->started &&
	    (g->open_panels == g->settings.panel_count || g->options->persist ||
		stop_requests > 0 || g->now_us > g->started_us + CONNECT_US))
		start_sending(g);
	if (g->started && g->settings.rate > 0)
		pace(g);
	if (g->now_us >= g->next_tick_us)
		tick(g);
	if (lines_flush(g->settings.ledger, &g->err) < 0) {
		g->failed = true;
		g->error = -EIO;
	}
}

/* What is still open at the end was sent, too. */
static void
abandon_open_flights(struct generator *g)
{
	for (unsigned i = 0; i < g->settings.panel_count; i++) {
		struct panel *panel = &g->panels[i];

		while (panel->head != panel->tail)
			exchange_give_up(g, panel,
			    panel_flight(panel, panel->head));
	}
}

int
generator_run(struct generator *g, struct err *err)
{
	generator_clock(g);
	g->wall_offset_us = clock_wall_us(&clock_system) - g->now_us;
	g->started_us = g->now_us;
	for (unsigned i = 0; i < g->settings.panel_count && !g->failed; i++)
		connection_open(g, &g->panels[i]);
	while (!finished(g))
		one_turn(g);
	abandon_open_flights(g);
	g->stats.elapsed_us = g->last_ack_us - g->started_us;
	if (!g->failed && lines_flush(g->settings.ledger, &g->err) < 0) {
		g->failed = true;
		g->error = -EIO;
	}
	if (g->failed)
		return err_set(err, g->error, "%s", g->err.text);
	return 0;
}

const struct generator_stats *
generator_stats(const struct generator *g)
{
	return &g->stats;
}

void
generator_close(struct generator **generator)
{
	struct generator *g = *generator;

	if (!g)
		return;
	for (unsigned i = 0; g->panels && i < g->settings.panel_count; i++) {
		secure_end(&g->panels[i]);
		if (g->panels[i].state != PANEL_CLOSED)
			close(g->panels[i].fd);
		free(g->panels[i].partial);
		free(g->panels[i].unsent);
	}
	if (g->epoll_fd >= 0)
		close(g->epoll_fd);
	frame_maker_close(&g->maker);
	secure_close(&g->tls);
	free(g->flights);
	free(g->panels);
	free(g);
	*generator = NULL;
}
