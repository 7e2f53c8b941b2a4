/* When a link has something to do, and what is due then. */
#include "egress/internal.h"

static int64_t
earlier(int64_t a, int64_t b)
{
	return a < b ? a : b;
}

static int64_t
up_deadline(const struct link *link)
{
	const struct directory_receiver *settings = link->settings;
	int64_t at = send_deadline(link);

	if (link->retry_us > 0)
		at = earlier(at, link->retry_us);
	if (link->primary_retry_us > 0 && link->stop == STOP_NONE)
		at = earlier(at, link->primary_retry_us);
	if (settings->heartbeat_ms > 0 && link->sent == 0 && !link->beat_sent)
		at = earlier(at,
		    link->last_sent_us +
			settings->heartbeat_ms * INT64_C(1000));
	return at;
}

static int64_t
next_deadline(const struct link *link)
{
	switch (link->state) {
	case LINK_RESOLVING:
	case LINK_CONNECTING:
		return link->state_since_us +
		    link->egress->config.connect_timeout_us;
	case LINK_BACKING_OFF:
		return link->retry_us;
	case LINK_UP:
		return up_deadline(link);
	case LINK_DOWN:
	case LINK_LISTENING:
	case LINK_PAUSED:
	case LINK_REMOVED:
		break;
	}
	return INT64_MAX;
}

/* The timer is only ever moved forward: one that fires too early finds nothing
 * due and is set anew, which is cheaper than moving it for every message. */
void
link_arm(struct link *link)
{
	int64_t at = next_deadline(link), now, wait;
	struct timeval delay;

	if (link->untold > 0)
		at = earlier(at, link_now(link) + TELL_RETRY_US);
	if (at == INT64_MAX || (link->armed_us > 0 && link->armed_us <= at))
		return;
	now = link_now(link);
	wait = at > now ? at - now : 0;
	delay.tv_sec = wait / 1000000;
	delay.tv_usec = wait % 1000000;
	link->armed_us = at;
	event_add(link->timer, &delay);
}

static void
up_timer(struct link *link, int64_t now)
{
	send_check_waits(link, now);
	if (link->state != LINK_UP)
		return;
	if (link->primary_retry_us > 0 && now >= link->primary_retry_us &&
	    link->stop == STOP_NONE) {
		link->stop = STOP_RETURN;
		link->primary_retry_us = 0;
	}
	link_try_stop(link);
	send_pump(link);
}

void
link_on_timer(evutil_socket_t fd, short what, void *context)
{
	struct link *link = context;
	int64_t now = link_now(link);

	(void)fd;
	(void)what;
	link->armed_us = 0;
	send_tell(link);
	switch (link->state) {
	case LINK_RESOLVING:
	case LINK_CONNECTING:
		if (now >= link->state_since_us +
			link->egress->config.connect_timeout_us)
			link_fail(link,
			    link->transport.shaking ? "no TLS handshake in time"
						    : "no connection in time",
			    false);
		break;
	case LINK_BACKING_OFF:
		if (now >= link->retry_us)
			connect_begin(link);
		break;
	case LINK_UP:
		up_timer(link, now);
		break;
	case LINK_LISTENING:
		if (link->untold == 0)
			connect_take_standby(link);
		break;
	case LINK_DOWN:
	case LINK_PAUSED:
	case LINK_REMOVED:
		break;
	}
	link_arm(link);
}

void
link_on_run(evutil_socket_t fd, short what, void *context)
{
	struct link *link = context;

	(void)fd;
	(void)what;
	send_pump(link);
	link_arm(link);
}

void
link_kick(struct link *link)
{
	if (link->state == LINK_UP)
		event_active(link->run, EV_TIMEOUT, 0);
}
