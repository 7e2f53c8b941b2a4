#include <string.h>

#include "base/array.h"
#include "ingress/internal.h"
#include "ingress/tls_server.h"

static void
add_slot(const struct slot *slot, struct ingress_listener_status *sum)
{
	const struct listener_counters *c = &slot->counters;

	sum->signals += counter_read(&c->signals);
	sum->polls += counter_read(&c->polls);
	for (unsigned i = 0; i < COUNT(sum->replies); i++)
		sum->replies[i] += counter_read(&c->replies[i]);
	for (unsigned i = 0; i < COUNT(sum->faults); i++)
		sum->faults[i] += counter_read(&c->faults[i]);
	sum->sessions_total += counter_read(&c->sessions_total);
	for (unsigned i = 0; i < COUNT(sum->refusals); i++)
		sum->refusals[i] += counter_read(&c->refusals[i]);
	sum->handshakes += counter_read(&c->handshakes);
	sum->previous_key += counter_read(&c->previous_key);
	sum->timeouts += counter_read(&c->timeouts);
	sum->awaiting += counter_read(&c->awaiting);
	sum->delivered_timeouts += counter_read(&c->delivered_timeouts);
	for (unsigned i = 0; i < COUNT(sum->ack_buckets); i++)
		sum->ack_buckets[i] += counter_read(&c->ack_buckets[i]);
	sum->ack_sum_s += (double)counter_read(&c->ack_sum_us) / 1e6;
}

const char *
ingress_protocol_name(enum ingress_protocol protocol)
{
	static const char *const names[] = {
		[INGRESS_DC09] = "dc09",
		[INGRESS_SURGARD] = "surgard",
		[INGRESS_SURGARD_MLR2000] = "surgard-mlr2000",
		[INGRESS_ADEMCO685] = "ademco685",
		[INGRESS_D6500] = "d6500",
		[INGRESS_CONTACT_ID] = "contact-id",
		[INGRESS_HTTP] = "http",
	};

	return names[protocol];
}

static struct ingress_listener_status
listener_status(const struct listener *listener)
{
	struct ingress_listener_status status = {
		.name = listener->config->name,
		.protocol = listener->config->protocol,
		.sessions_now = atomic_load(&listener->sessions),
	};
	const uint64_t *refusals = status.refusals;

	for (unsigned i = 0; i < listener->slot_count; i++)
		add_slot(&listener->slots[i], &status);
	status.refused = refusals[INGRESS_REFUSED_OVER_LIMIT] +
	    refusals[INGRESS_REFUSED_NO_DESCRIPTORS];
	status.refused_source = refusals[INGRESS_REFUSED_OVER_SOURCE_LIMIT];
	status.handshakes_failed = refusals[INGRESS_REFUSED_NOT_TLS] +
	    refusals[INGRESS_REFUSED_TLS_FAILED];
	status.other_account = refusals[INGRESS_REFUSED_OTHER_ACCOUNT];
	return status;
}

void
ingress_each(struct ingress *ingress, ingress_status_fn fn, void *context)
{
	pthread_mutex_lock(&ingress->lock);
	for (unsigned i = 0; i < ingress->listener_count; i++) {
		struct ingress_listener_status status =
		    listener_status(ingress->listeners[i]);

		fn(context, &status);
	}
	pthread_mutex_unlock(&ingress->lock);
}

static void
each_refusal(struct listener *listener, ingress_refusal_fn fn, void *context)
{
	struct ingress_listener_status status = listener_status(listener);

	for (unsigned i = 0; i < INGRESS_REFUSALS; i++) {
		struct ingress_refusal_status refusal = {
			.listener = status.name,
			.cause = (enum ingress_refusal)i,
			.count = status.refusals[i],
		};
		struct refusal_source last;

		if (refusal.count == 0 || !ingress_refusal_told(refusal.cause))
			continue;
		last = refusals_last(&listener->refusals, refusal.cause);
		memcpy(refusal.peer, last.peer, sizeof(refusal.peer));
		memcpy(refusal.account, last.account, sizeof(refusal.account));
		fn(context, &refusal);
	}
}

void
ingress_each_refusal(struct ingress *ingress, ingress_refusal_fn fn,
    void *context)
{
	pthread_mutex_lock(&ingress->lock);
	for (unsigned i = 0; i < ingress->listener_count; i++)
		each_refusal(ingress->listeners[i], fn, context);
	pthread_mutex_unlock(&ingress->lock);
}

uint16_t
ingress_listener_port(const struct ingress *ingress, const char *name)
{
	for (unsigned i = 0; i < ingress->listener_count; i++)
		if (strcmp(ingress->listeners[i]->config->name, name) == 0)
			return ingress->listeners[i]->port;
	return 0;
}

static void
show_faults(const struct ingress_listener_status *status, struct json *json)
{
	json_object_begin(json, "faults");
	for (unsigned i = DC09_FAULT_JUNK; i <= DC09_FAULT_HEADER; i++)
		json_unsigned(json, dc09_fault_name((enum dc09_fault)i),
		    status->faults[i]);
	json_object_end(json);
}

static void
show_refusals(const struct ingress_listener_status *status, struct json *json)
{
	json_object_begin(json, "refusals");
	for (unsigned i = 0; i < INGRESS_REFUSALS; i++)
		json_unsigned(json,
		    ingress_refusal_name((enum ingress_refusal)i),
		    status->refusals[i]);
	json_object_end(json);
}

static const char *const transport_names[] = {
	[INGRESS_TCP] = "tcp",
	[INGRESS_UDP] = "udp",
	[INGRESS_TLS] = "tls",
	[INGRESS_TCP_CONNECT] = "tcp-connect",
	[INGRESS_UNIX] = "unix",
	[INGRESS_DIRECTORY] = "directory",
};

static void
show_tls(const struct ingress_listener_status *status, const SSL_CTX *tls,
    struct json *json)
{
	tls_server_show(tls, json);
	json_unsigned(json, "handshakes", status->handshakes);
	json_unsigned(json, "handshakes_failed", status->handshakes_failed);
	json_unsigned(json, "other_account", status->other_account);
}

static void
show_listener(const struct listener *listener, const SSL_CTX *tls,
    struct json *json)
{
	const struct ingress_listener_config *config = listener->config;
	struct ingress_listener_status status = listener_status(listener);

	json_object_begin(json, NULL);
	json_string(json, "name", config->name);
	json_string(json, "protocol", ingress_protocol_name(config->protocol));
	json_string(json, "transport", transport_names[config->transport]);
	json_string(json, "address", config->address);
	json_unsigned(json, "port", listener->port);
	json_boolean(json, "encrypted", config->key.length > 0);
	json_string(json, "ack_level", ack_level_name(config->ack_level));
	json_unsigned(json, "signals", status.signals);
	json_unsigned(json, "polls", status.polls);
	json_unsigned(json, "previous_key", status.previous_key);
	json_unsigned(json, "acknowledged", status.replies[INGRESS_REPLY_ACK]);
	json_unsigned(json, "nak", status.replies[INGRESS_REPLY_NAK]);
	json_unsigned(json, "duh", status.replies[INGRESS_REPLY_DUH]);
	json_unsigned(json, "unanswered", status.replies[INGRESS_REPLY_NONE]);
	json_unsigned(json, "awaiting_delivery", status.awaiting);
	json_unsigned(json, "delivered_timeouts", status.delivered_timeouts);
	show_faults(&status, json);
	show_refusals(&status, json);
	json_unsigned(json, "sessions", status.sessions_now);
	json_unsigned(json, "max_sessions", config->max_sessions);
	json_unsigned(json, "sessions_total", status.sessions_total);
	json_unsigned(json, "refused", status.refused);
	json_unsigned(json, "refused_source", status.refused_source);
	json_unsigned(json, "timeouts", status.timeouts);
	if (tls)
		show_tls(&status, tls, json);
	json_object_end(json);
}

void
ingress_show_listeners(struct ingress *ingress, struct json *json)
{
	pthread_mutex_lock(&ingress->lock);
	for (unsigned i = 0; i < ingress->listener_count; i++)
		show_listener(ingress->listeners[i], ingress->settings->tls[i],
		    json);
	pthread_mutex_unlock(&ingress->lock);
}

struct session_view {
	struct json *json;
	unsigned left;
};

/* On the worker: its sessions, as many as are still wanted. */
static void
show_sessions(struct worker *worker, void *context)
{
	struct session_view *view = context;
	struct session *session;
	struct slot *slot;

	TAILQ_FOREACH(slot, &worker->slots, by_worker) {
		TAILQ_FOREACH(session, &slot->sessions, by_slot) {
			if (view->left == 0)
				return;
			view->left--;
			session_show(session, worker->monotonic_us, view->json);
		}
	}
}

void
ingress_show_sessions(struct ingress *ingress, struct json *json,
    unsigned limit)
{
	struct session_view view = { json, limit };

	pthread_mutex_lock(&ingress->lock);
	for (unsigned i = 0; i < ingress->worker_count; i++)
		worker_call(ingress->workers[i], show_sessions, &view);
	pthread_mutex_unlock(&ingress->lock);
}

void
ingress_show_errors(struct ingress *ingress, struct json *json)
{
	pthread_mutex_lock(&ingress->lock);
	for (unsigned i = 0; i < ingress->listener_count; i++)
		bad_frames_show(&ingress->listeners[i]->bad_frames,
		    ingress->listeners[i]->config->name, json);
	pthread_mutex_unlock(&ingress->lock);
}
