/* One link's life: its states, what ends them, and when. */
#include "egress/internal.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

static const char *const state_names[] = {
	[LINK_DOWN] = "down",
	[LINK_RESOLVING] = "resolving",
	[LINK_CONNECTING] = "connecting",
	[LINK_LISTENING] = "listening",
	[LINK_UP] = "up",
	[LINK_BACKING_OFF] = "backing-off",
	[LINK_PAUSED] = "paused",
	[LINK_REMOVED] = "removed",
};

const char *
link_state_name(enum link_state state)
{
	return state_names[state];
}

const char *
link_name(const struct link *link)
{
	return link->settings ? link->settings->name : link->fallback_name;
}

static enum log_level
state_level(enum link_state state)
{
	switch (state) {
	case LINK_RESOLVING:
	case LINK_CONNECTING:
		return LOG_DEBUG;
	case LINK_DOWN:
	case LINK_BACKING_OFF:
		return LOG_WARN;
	case LINK_LISTENING:
	case LINK_UP:
	case LINK_PAUSED:
	case LINK_REMOVED:
		break;
	}
	return LOG_NOTICE;
}

/* The only place where a link's state changes. */
void
link_set_state(struct link *link, enum link_state state, const char *reason)
{
	enum link_state old = link->state;

	if (reason[0])
		snprintf(link->problem, sizeof(link->problem), "%s", reason);
	link->state = state;
	link->state_since_us = link_now(link);
	if (old != state)
		log_write(link->quiet ? LOG_DEBUG : state_level(state), "link",
		    "state",
		    "name=\"%s\" old=%s new=%s endpoint=%s queued=%zu reason=\"%s\"",
		    link_name(link), state_names[old], state_names[state],
		    link->endpoint_text, link_queued(link), reason);
}

/* ---- failing and trying again ----------------------------------------------- */

static void
back_off(struct link *link, const char *reason)
{
	const struct egress_config *config = &link->egress->config;
	uint32_t random;

	evutil_secure_rng_get_bytes(&random, sizeof(random));
	link->backoff_us *= 2;
	if (link->backoff_us < config->reconnect_min_us)
		link->backoff_us = config->reconnect_min_us;
	if (link->backoff_us > config->reconnect_max_us)
		link->backoff_us = config->reconnect_max_us;
	link->retry_us = link_now(link) + link->backoff_us / 2 +
	    random % (uint64_t)(link->backoff_us / 2 + 1);
	link->endpoint = 0;
	link->failed = link->gone = 0;
	link->address_turn++;
	link_set_state(link, LINK_BACKING_OFF, reason);
}

void
link_fail(struct link *link, const char *reason, bool prove)
{
	char kept[sizeof(link->problem)];

	snprintf(kept, sizeof(kept), "%s", reason);
	snprintf(link->problem, sizeof(link->problem), "%s", kept);
	link->quiet = false;
	link->counters.tls_failures += link->transport.shaking;
	transport_close(&link->transport);
	send_rewind(link, true);
	if (prove && link->settings->heartbeat_ms > 0)
		link->prove = true;
	if (link->stop == STOP_APPLY) {
		link_try_stop(link);
		return;
	}
	link->stop = STOP_NONE;
	if (link->acceptable) {
		if (!connect_take_standby(link))
			link_set_state(link, LINK_LISTENING, kept);
		return;
	}
	log_limited(&link->limit, LOG_WARN, "link", "endpoint_failed",
	    "name=\"%s\" endpoint=%s reason=\"%s\"", link_name(link),
	    link->endpoint_text, kept);
	link->failed++;
	link->endpoint = (link->endpoint + 1) % link->settings->endpoint_count;
	if (link->gone >= link->settings->endpoint_count) {
		/* until an operator pauses and resumes it, or changes it */
		connect_cancel(link);
		link_set_state(link, LINK_DOWN, kept);
	} else if (link->failed >= link->settings->endpoint_count) {
		connect_cancel(link);
		back_off(link, kept);
	} else {
		connect_begin(link);
	}
}

void
link_reconnect(struct link *link, const char *reason)
{
	transport_close(&link->transport);
	send_rewind(link, false);
	if (link->stop != STOP_NONE) {
		link_try_stop(link);
		return;
	}
	link->quiet = true;
	if (!link->acceptable)
		connect_begin(link);
	else if (!connect_take_standby(link))
		link_set_state(link, LINK_LISTENING, reason);
}

/* ---- what the transport tells ------------------------------------------------ */

void
link_connected(struct link *link)
{
	link->counters.connects++;
	link->counters.tls_handshakes += link->transport.tls != NULL;
	link->answers = 0;
	link->in_doubt = false;
	link->beat_asked = false;
	link->lost = link->renew = NULL;
	link->greet = link->output->greets && link->output->greets(link);
	http_answers_begin(&link->http);
	link->retry_us = 0;
	link->last_sent_us = link_now(link);
	link_set_state(link, LINK_UP, "");
	link->quiet = false;
	link_kick(link);
	link_arm(link);
}

static void
on_connected(void *context)
{
	link_connected(context);
}

static size_t
on_feed(void *context, const char *data, size_t length)
{
	struct link *link = context;
	size_t used = link->output->feed(link, data, length);

	return link->transport.udp ? length : used;
}

static void
on_fed(void *context)
{
	struct link *link = context;

	if (link->lost)
		link_fail(link, link->lost, true);
	else if (link->renew)
		link_reconnect(link, link->renew);
	else if (link->in_doubt && link->output->anonymous_answers &&
	    link->sent == 0)
		link_reconnect(link,
		    "a late answer could be taken for another");
	link_try_stop(link);
	send_pump(link);
	link_arm(link);
}

bool
link_is_idle(const struct link *link)
{
	int64_t stood_us = link_now(link) - link->state_since_us;

	return connect_posts(link) && link->sent == 0 && !link->beat_sent &&
	    (link->answers > 0 ||
		stood_us >= link->egress->config.reconnect_min_us);
}

/* A peer that answered and then closed is well: it gets the next connection at
 * once. One that does not take that is not. */
static void
on_broken(void *context, const char *reason)
{
	struct link *link = context;

	if (link->lost)
		link_fail(link, link->lost, true);
	else if (link->state == LINK_UP &&
	    (link->answers > 0 || link_is_idle(link)))
		link_reconnect(link, reason);
	else
		link_fail(link, reason, false);
	link_arm(link);
}

/* ---- becoming what it should be ---------------------------------------------- */

static void
adopt_settings(struct link *link)
{
	if (!link->next_settings)
		return;
	free(link->settings);
	link->settings = link->next_settings;
	link->next_settings = NULL;
	link->output = output_find(link->settings->protocol);
	if (link->settings->heartbeat_ms == 0)
		link->prove = false;
}

static void
become(struct link *link)
{
	connect_cancel(link);
	send_rewind(link, false);
	adopt_settings(link);
	link->stop = STOP_NONE;
	link->endpoint = 0;
	link->failed = link->gone = 0;
	link->backoff_us = 0;
	link->primary_retry_us = 0;
	if (shadow_apply(link) < 0)
		link_set_state(link, LINK_DOWN, "out of memory");
	else if (link->removed || !link->settings)
		link_set_state(link, LINK_REMOVED, "");
	else if (link->settings->paused || link->operator_paused)
		link_set_state(link, LINK_PAUSED, "");
	else if (!link->output)
		link_set_state(link, LINK_DOWN, "its protocol is not offered");
	else if (link->settings->endpoint_count == 0)
		link_set_state(link, LINK_DOWN, "it has no endpoint");
	else if (link->output->unfit && link->output->unfit(link->settings))
		link_set_state(link, LINK_DOWN,
		    link->output->unfit(link->settings));
	else if (send_resize(link, link->settings->in_flight) < 0)
		link_set_state(link, LINK_DOWN, "out of memory");
	else
		connect_begin(link);
	link_arm(link);
}

void
link_try_stop(struct link *link)
{
	if (link->stop == STOP_NONE || link->sent > 0 || link->beat_sent)
		return;
	if (link->stop == STOP_APPLY) {
		become(link);
		return;
	}
	link->stop = STOP_NONE;
	link->endpoint = 0;
	send_rewind(link, false);
	connect_begin(link);
}

void
link_apply(struct link *link)
{
	link->stop = STOP_APPLY;
	link_try_stop(link);
}

/* ---- life ----------------------------------------------------------------------- */

int
link_open(struct link **ret, struct egress *egress, uint64_t receiver_id)
{
	struct link *link = calloc(1, sizeof(*link));
	const struct transport_handler handler = { on_connected, on_feed,
		on_fed, on_broken, link };

	if (!link)
		return -ENOMEM;
	link->egress = egress;
	link->receiver_id = receiver_id;
	link->lead_lsn = UINT64_MAX;
	link->removed = true; /* until a sync finds it */
	link->state = LINK_REMOVED;
	link->listen_fd = link->standby_fd = -1;
	link->operator_paused = egress->config.start_paused;
	snprintf(link->fallback_name, sizeof(link->fallback_name),
	    "receiver %" PRIu64, receiver_id);
	transport_init(&link->transport, egress->base, &handler);
	link->timer = evtimer_new(egress->base, link_on_timer, link);
	link->run = event_new(egress->base, -1, 0, link_on_run, link);
	if (!link->timer || !link->run) {
		link_close(&link);
		return -ENOMEM;
	}
	*ret = link;
	return 0;
}

void
link_close(struct link **link)
{
	struct link *closing = *link;

	*link = NULL;
	if (!closing)
		return;
	connect_cancel(closing);
	local_close(&closing->local);
	if (closing->timer)
		event_free(closing->timer);
	if (closing->run)
		event_free(closing->run);
	queue_close(&closing->queue);
	shadow_close(&closing->shadow);
	free(closing->ring);
	free(closing->settings);
	free(closing->next_settings);
	free(closing);
}
