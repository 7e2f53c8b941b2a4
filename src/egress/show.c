/* What operators and metrics see of the links. */
#include <openssl/ssl.h>

#include "egress/internal.h"

size_t
link_queued(const struct link *link)
{
	return link->queue.length + link->sent + link->waiting + link->untold;
}

int64_t
link_waited_us(const struct link *link, struct egress_reference reference)
{
	uint32_t now = (uint32_t)(link_now(link) / EGRESS_TICK_US);

	return (int64_t)((now - reference.queued) & EGRESS_TICK_MASK) *
	    EGRESS_TICK_US;
}

/* The longest wait so far. */
struct wait {
	const struct link *link;
	int64_t longest_us;
};

static void
measure(void *context, const struct egress_reference *reference)
{
	struct wait *wait = context;
	int64_t waited_us = link_waited_us(wait->link, *reference);

	if (waited_us > wait->longest_us)
		wait->longest_us = waited_us;
}

static double
oldest_s(const struct link *link)
{
	struct wait wait = { link, 0 };

	queue_each_first(&link->queue, measure, &wait);
	if (link_queued(link) > link->queue.length)
		measure(&wait, &send_slot(link, 0)->reference);
	return (double)wait.longest_us / 1e6;
}

static bool
link_is_up(const struct link *link)
{
	return link->state == LINK_UP && !link->prove;
}

static const char *
paused_by(const struct link *link)
{
	if (link->operator_paused)
		return "operator";
	return link->settings && link->settings->paused ? "directory" : NULL;
}

/* Of the connection that stands. */
static void
show_tls(const SSL *tls, struct json *json)
{
	if (tls && SSL_is_init_finished(tls))
		json_format(json, "tls", "%s %s", SSL_get_version(tls),
		    SSL_get_cipher_name(tls));
}

static void
show_link(const struct link *link, struct json *json)
{
	json_object_begin(json, NULL);
	json_string(json, "name", link_name(link));
	json_unsigned(json, "receiver_id", link->receiver_id);
	json_string(json, "protocol", link->output ? link->output->name : "");
	json_string(json, "state", link_state_name(link->state));
	json_boolean(json, "up", link_is_up(link));
	/* takes nothing new until what is in flight is answered */
	json_boolean(json, "draining", link->stop != STOP_NONE);
	if (paused_by(link))
		json_string(json, "paused_by", paused_by(link));
	json_string(json, "endpoint", link->endpoint_text);
	json_boolean(json, "backup",
	    link->endpoint > 0 && link->state == LINK_UP);
	json_unsigned(json, "queued", link_queued(link));
	json_unsigned(json, "in_flight", link->sent);
	json_double(json, "oldest_s", oldest_s(link));
	json_unsigned(json, "delivered", link->counters.delivered);
	json_unsigned(json, "parked", link->counters.parked);
	json_unsigned(json, "repeated", link->counters.repeated);
	json_unsigned(json, "naks", link->counters.naks);
	json_unsigned(json, "timeouts", link->counters.timeouts);
	json_unsigned(json, "connects", link->counters.connects);
	json_unsigned(json, "tls_handshakes", link->counters.tls_handshakes);
	json_unsigned(json, "tls_failures", link->counters.tls_failures);
	show_tls(link->transport.tls, json);
	json_string(json, "last_error", link->problem);
	json_object_end(json);
}

void
egress_show(struct egress *egress, struct json *json)
{
	for (size_t i = 0; i < egress->count; i++)
		show_link(egress->links[i], json);
}

void
egress_each(struct egress *egress, egress_status_fn fn, void *context)
{
	for (size_t i = 0; i < egress->count; i++) {
		const struct link *link = egress->links[i];
		const struct egress_link_status status = {
			.name = link_name(link),
			.up = link_is_up(link),
			.wanted = link->state != LINK_PAUSED &&
			    link->state != LINK_REMOVED,
			.queued = link_queued(link),
			.oldest_s = oldest_s(link),
			.delivered = link->counters.delivered,
			.parked = link->counters.parked,
			.repeated = link->counters.repeated,
			.naks = link->counters.naks,
			.timeouts = link->counters.timeouts,
			.connects = link->counters.connects,
			.tls_handshakes = link->counters.tls_handshakes,
			.tls_failures = link->counters.tls_failures,
		};

		fn(context, &status);
	}
}
