/* What operators and metrics see of the links. */
#include <errno.h>
#include <openssl/ssl.h>

#include "egress/internal.h"

static size_t
in_ring(const struct link *link)
{
	return link->sent + link->waiting + link->untold;
}

static size_t
copies_in_ring(const struct link *link)
{
	size_t copies = 0;

	for (unsigned i = 0; i < link->count && link->shadow; i++) {
		const struct slot *slot = send_slot(link, i);

		copies += slot->copy && slot->state != SLOT_TOLD;
	}
	return copies;
}

size_t
link_queued(const struct link *link)
{
	return link->queue.length + in_ring(link) - copies_in_ring(link);
}

int64_t
link_waited_us(const struct link *link, struct egress_reference reference)
{
	return (int64_t)((link_tick(link) - reference.queued) &
		   EGRESS_TICK_MASK) *
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
	if (shadow_front(link))
		measure(&wait, shadow_front(link));
	if (in_ring(link) > 0)
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

static size_t
copies_waiting(const struct link *link)
{
	return copies_in_ring(link) + shadow_waiting(link);
}

/* Of the receiver whose shadow it is. */
static const char *
name_of_original(const struct link *link)
{
	const struct egress *egress = link->egress;

	for (size_t i = 0; i < egress->count; i++)
		if (egress->links[i]->receiver_id == shadow_of(link))
			return link_name(egress->links[i]);
	return "";
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
	if (link->shadow) /* what it gets are copies */
		json_boolean(json, "shadow", true);
	json_unsigned(json, "queued",
	    link->queue.length + in_ring(link) + shadow_waiting(link));
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
egress_show_shadows(struct egress *egress, struct json *json)
{
	for (size_t i = 0; i < egress->count; i++) {
		const struct link *link = egress->links[i];

		if (!link->shadow)
			continue;
		json_object_begin(json, NULL);
		json_string(json, "name", link_name(link));
		json_string(json, "shadow_of", name_of_original(link));
		json_boolean(json, "up", link_is_up(link));
		json_unsigned(json, "waiting", copies_waiting(link));
		shadow_show(link, json);
		json_object_end(json);
	}
}

int
egress_show_differences(struct egress *egress, const char *name,
    struct json *json)
{
	for (size_t i = 0; i < egress->count; i++) {
		const struct link *link = egress->links[i];

		if (!link->shadow || strcmp(link_name(link), name) != 0)
			continue;
		shadow_show_differences(link, json);
		return 0;
	}
	return -ENOENT;
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

		/* what it is to deliver itself counts as ever */
		if (!link->shadow || status.queued > 0)
			fn(context, &status);
	}
}

void
egress_each_shadow(struct egress *egress, egress_shadow_fn fn, void *context)
{
	for (size_t i = 0; i < egress->count; i++) {
		const struct link *link = egress->links[i];
		struct egress_shadow_status status;

		if (!link->shadow)
			continue;
		status.name = link_name(link);
		status.up = link_is_up(link);
		status.waiting = copies_waiting(link);
		shadow_status(link, &status);
		fn(context, &status);
	}
}
