/* Prometheus text. A family is named once with its HELP and TYPE and then has
 * all its samples: so listeners and links are copied first. Never an account
 * as a label. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include <config.h>

#include "admin/internal.h"
#include "base/array.h"

#define LISTENERS_MAX 64
#define NAME_SIZE     96
#define ACK_BUCKETS   16

struct listeners {
	unsigned count;
	struct ingress_listener_status status[LISTENERS_MAX];
	char name[LISTENERS_MAX][NAME_SIZE]; /* as a label's value */
};

struct link_copy {
	struct egress_link_status status;
	char name[NAME_SIZE];
};

struct links {
	size_t count, size;
	struct link_copy *copies;
};

/* ---- text ---------------------------------------------------------------------------- */

static void
escape_label(const char *from, char out[NAME_SIZE])
{
	size_t length = 0;

	for (; *from && length < NAME_SIZE - 3; from++) {
		if (*from == '\\' || *from == '"' || *from == '\n')
			out[length++] = '\\';
		out[length++] = *from == '\n' ? 'n' : *from;
	}
	out[length] = '\0';
}

static void
family(struct evbuffer *out, const char *name, const char *type,
    const char *help)
{
	evbuffer_add_printf(out, "# HELP %s %s\n# TYPE %s %s\n", name, help,
	    name, type);
}

static void
single(struct evbuffer *out, const char *name, const char *type,
    const char *help, double value)
{
	family(out, name, type, help);
	evbuffer_add_printf(out, "%s %.17g\n", name, value);
}

/* counts are of each bucket alone; Prometheus wants them added up. labels:
 * "" or "listener=\"a\"". The last bucket has no bound. */
static void
histogram(struct evbuffer *out, const char *name, const char *labels,
    const double *bounds, const uint64_t *counts, unsigned buckets, double sum)
{
	const char *comma = *labels ? "," : "";
	uint64_t total = 0;

	for (unsigned i = 0; i < buckets; i++) {
		char bound[32] = "+Inf";

		total += counts[i];
		if (i + 1 < buckets)
			snprintf(bound, sizeof(bound), "%g", bounds[i]);
		evbuffer_add_printf(out,
		    "%s_bucket{%s%sle=\"%s\"} %" PRIu64 "\n", name, labels,
		    comma, bound, total);
	}
	if (*labels) {
		evbuffer_add_printf(out, "%s_sum{%s} %.17g\n", name, labels,
		    sum);
		evbuffer_add_printf(out, "%s_count{%s} %" PRIu64 "\n", name,
		    labels, total);
	} else {
		evbuffer_add_printf(out, "%s_sum %.17g\n", name, sum);
		evbuffer_add_printf(out, "%s_count %" PRIu64 "\n", name, total);
	}
}

/* ---- listeners ------------------------------------------------------------------------- */

static void
copy_listener(void *context, const struct ingress_listener_status *status)
{
	struct listeners *listeners = context;

	if (listeners->count == LISTENERS_MAX)
		return;
	listeners->status[listeners->count] = *status;
	escape_label(status->name, listeners->name[listeners->count]);
	listeners->count++;
}

/* One number of each listener. */
static const struct {
	const char *name, *type, *help;
	size_t offset;
} listener_families[] = {
	{ "tocsin_signals_received_total", "counter",
	    "Frames with events that were sound.",
	    offsetof(struct ingress_listener_status, signals) },
	{ "tocsin_polls_total", "counter", "Link tests answered.",
	    offsetof(struct ingress_listener_status, polls) },
	{ "tocsin_previous_key_total", "counter",
	    "Frames under a key that was rolled, within its overlap.",
	    offsetof(struct ingress_listener_status, previous_key) },
	{ "tocsin_sessions", "gauge", "Connections now.",
	    offsetof(struct ingress_listener_status, sessions_now) },
	{ "tocsin_sessions_total", "counter", "Connections since the start.",
	    offsetof(struct ingress_listener_status, sessions_total) },
	{ "tocsin_sessions_refused_total", "counter",
	    "Connections over max_sessions.",
	    offsetof(struct ingress_listener_status, refused) },
	{ "tocsin_sessions_refused_source_total", "counter",
	    "Connections over max_source_sessions.",
	    offsetof(struct ingress_listener_status, refused_source) },
	{ "tocsin_tls_handshakes_total", "counter",
	    "Handshakes that succeeded.",
	    offsetof(struct ingress_listener_status, handshakes) },
	{ "tocsin_tls_failures_total", "counter",
	    "Handshakes and connections that failed, and what was no TLS.",
	    offsetof(struct ingress_listener_status, handshakes_failed) },
	{ "tocsin_tls_other_account_total", "counter",
	    "Frames with an account that the client certificate does not name.",
	    offsetof(struct ingress_listener_status, other_account) },
	{ "tocsin_replies_awaiting", "gauge",
	    "Acknowledgements that wait for a station (ack_level delivered).",
	    offsetof(struct ingress_listener_status, awaiting) },
	{ "tocsin_replies_undelivered_total", "counter",
	    "Signals not answered, as no station had acknowledged in time.",
	    offsetof(struct ingress_listener_status, delivered_timeouts) },
	{ "tocsin_session_timeouts_total", "counter",
	    "Connections closed because they said nothing.",
	    offsetof(struct ingress_listener_status, timeouts) },
};

static void
write_replies(const struct listeners *listeners, struct evbuffer *out)
{
	static const char *const kinds[INGRESS_REPLY_KINDS] = { "ack", "nak",
		"duh", "none" };

	family(out, "tocsin_replies_total", "counter", "Replies to panels.");
	for (unsigned i = 0; i < listeners->count; i++)
		for (unsigned k = 0; k < INGRESS_REPLY_KINDS; k++)
			evbuffer_add_printf(out,
			    "tocsin_replies_total{listener=\"%s\",kind=\"%s\"} %" PRIu64
			    "\n",
			    listeners->name[i], kinds[k],
			    listeners->status[i].replies[k]);
}

static void
write_faults(const struct listeners *listeners, struct evbuffer *out)
{
	family(out, "tocsin_frame_faults_total", "counter",
	    "Frames that were broken and not answered.");
	for (unsigned i = 0; i < listeners->count; i++)
		for (unsigned f = DC09_FAULT_JUNK; f <= DC09_FAULT_HEADER; f++)
			evbuffer_add_printf(out,
			    "tocsin_frame_faults_total{listener=\"%s\",fault=\"%s\"} %" PRIu64
			    "\n",
			    listeners->name[i],
			    dc09_fault_name((enum dc09_fault)f),
			    listeners->status[i].faults[f]);
}

static void
write_refusals(const struct listeners *listeners, struct evbuffer *out)
{
	family(out, "tocsin_refusals_total", "counter",
	    "Frames and connections that were turned away, by cause.");
	for (unsigned i = 0; i < listeners->count; i++)
		for (unsigned r = 0; r < INGRESS_REFUSALS; r++)
			evbuffer_add_printf(out,
			    "tocsin_refusals_total{listener=\"%s\",cause=\"%s\"} %" PRIu64
			    "\n",
			    listeners->name[i],
			    ingress_refusal_name((enum ingress_refusal)r),
			    listeners->status[i].refusals[r]);
}

static void
write_ingress(struct ingress *ingress, struct evbuffer *out)
{
	struct listeners *listeners = calloc(1, sizeof(*listeners));

	if (!listeners)
		return;
	ingress_each(ingress, copy_listener, listeners);
	for (size_t f = 0; f < COUNT(listener_families); f++) {
		family(out, listener_families[f].name,
		    listener_families[f].type, listener_families[f].help);
		for (unsigned i = 0; i < listeners->count; i++) {
			uint64_t value;

			memcpy(&value,
			    (const char *)&listeners->status[i] +
				listener_families[f].offset,
			    sizeof(value));
			evbuffer_add_printf(out,
			    "%s{listener=\"%s\",protocol=\"%s\"} %" PRIu64 "\n",
			    listener_families[f].name, listeners->name[i],
			    ingress_protocol_name(listeners->status[i]
						      .protocol),
			    value);
		}
	}
	write_replies(listeners, out);
	write_faults(listeners, out);
	write_refusals(listeners, out);
	family(out, "tocsin_ack_seconds", "histogram",
	    "From receipt to the reply that it permits.");
	for (unsigned i = 0; i < listeners->count; i++) {
		char label[NAME_SIZE + 16];

		snprintf(label, sizeof(label), "listener=\"%s\"",
		    listeners->name[i]);
		histogram(out, "tocsin_ack_seconds", label,
		    ingress_ack_bounds_s, listeners->status[i].ack_buckets,
		    ACK_BUCKETS, listeners->status[i].ack_sum_s);
	}
	free(listeners);
}

/* ---- links ------------------------------------------------------------------------------- */

static void
copy_link(void *context, const struct egress_link_status *status)
{
	struct links *links = context;

	if (links->count == links->size) {
		size_t size = links->size ? 2 * links->size : 16;
		struct link_copy *copies =
		    realloc(links->copies, size * sizeof(*copies));

		if (!copies)
			return;
		links->copies = copies;
		links->size = size;
	}
	links->copies[links->count].status = *status;
	escape_label(status->name, links->copies[links->count].name);
	links->count++;
}

enum link_value {
	LINK_UP,
	LINK_QUEUED,
	LINK_OLDEST,
	LINK_DELIVERED,
	LINK_PARKED,
	LINK_REPEATED,
	LINK_NAKS,
	LINK_TIMEOUTS,
	LINK_CONNECTS,
	LINK_TLS_HANDSHAKES,
	LINK_TLS_FAILURES,
};

static const struct {
	const char *name, *type, *help;
	enum link_value value;
} link_families[] = {
	{ "tocsin_link_up", "gauge", "1 while the station takes signals.",
	    LINK_UP },
	{ "tocsin_link_queue_length", "gauge", "Deliveries that wait.",
	    LINK_QUEUED },
	{ "tocsin_link_oldest_seconds", "gauge",
	    "How long the oldest of them has waited.", LINK_OLDEST },
	{ "tocsin_link_delivered_total", "counter",
	    "Deliveries that the station acknowledged.", LINK_DELIVERED },
	{ "tocsin_link_parked_total", "counter",
	    "Deliveries set aside for an operator.", LINK_PARKED },
	{ "tocsin_link_repeated_total", "counter",
	    "Deliveries that may have arrived twice.", LINK_REPEATED },
	{ "tocsin_link_naks_total", "counter", "Refusals of the station.",
	    LINK_NAKS },
	{ "tocsin_link_timeouts_total", "counter",
	    "Acknowledgements that did not come in time.", LINK_TIMEOUTS },
	{ "tocsin_link_connects_total", "counter", "Connections made.",
	    LINK_CONNECTS },
	{ "tocsin_link_tls_handshakes_total", "counter",
	    "Of them, those over TLS.", LINK_TLS_HANDSHAKES },
	{ "tocsin_link_tls_failures_total", "counter",
	    "TLS handshakes that failed or took too long.", LINK_TLS_FAILURES },
};

static double
link_number(const struct egress_link_status *status, enum link_value value)
{
	switch (value) {
	case LINK_UP:
		return status->up;
	case LINK_QUEUED:
		return (double)status->queued;
	case LINK_OLDEST:
		return status->oldest_s;
	case LINK_DELIVERED:
		return (double)status->delivered;
	case LINK_PARKED:
		return (double)status->parked;
	case LINK_REPEATED:
		return (double)status->repeated;
	case LINK_NAKS:
		return (double)status->naks;
	case LINK_TIMEOUTS:
		return (double)status->timeouts;
	case LINK_CONNECTS:
		return (double)status->connects;
	case LINK_TLS_HANDSHAKES:
		return (double)status->tls_handshakes;
	case LINK_TLS_FAILURES:
		return (double)status->tls_failures;
	}
	return 0;
}

static void
write_egress(struct egress *egress, struct evbuffer *out)
{
	struct links links = { 0 };

	egress_each(egress, copy_link, &links);
	for (size_t f = 0; f < COUNT(link_families); f++) {
		family(out, link_families[f].name, link_families[f].type,
		    link_families[f].help);
		for (size_t i = 0; i < links.count; i++)
			evbuffer_add_printf(out, "%s{link=\"%s\"} %.17g\n",
			    link_families[f].name, links.copies[i].name,
			    link_number(&links.copies[i].status,
				link_families[f].value));
	}
	free(links.copies);
}

/* ---- shadows ----------------------------------------------------------------------------- */

struct shadow_writer {
	struct evbuffer *out;
	const char *name;
	double (*number)(const struct egress_shadow_status *status);
};

#define SHADOW_NUMBER(member)                                                  \
 static double shadow_##member(const struct egress_shadow_status *status)      \
 {                                                                             \
  return (double)status->member;                                               \
 }
SHADOW_NUMBER(up)
SHADOW_NUMBER(waiting)
SHADOW_NUMBER(copied)
SHADOW_NUMBER(lost)
SHADOW_NUMBER(same)
SHADOW_NUMBER(different)

static const struct {
	const char *name, *type, *help;
	double (*number)(const struct egress_shadow_status *status);
} shadow_families[] = {
	{ "tocsin_shadow_up", "gauge", "1 while it takes copies.", shadow_up },
	{ "tocsin_shadow_waiting", "gauge", "Copies that wait.",
	    shadow_waiting },
	{ "tocsin_shadow_copied_total", "counter",
	    "Deliveries of which it was to get a copy.", shadow_copied },
	{ "tocsin_shadow_lost_total", "counter", "Copies that it never got.",
	    shadow_lost },
	{ "tocsin_shadow_same_total", "counter",
	    "Copies that ended as the delivery did.", shadow_same },
	{ "tocsin_shadow_different_total", "counter",
	    "Copies that ended otherwise.", shadow_different },
};

static void
write_shadow(void *context, const struct egress_shadow_status *status)
{
	const struct shadow_writer *writer = context;
	char name[NAME_SIZE];

	escape_label(status->name, name);
	evbuffer_add_printf(writer->out, "%s{link=\"%s\"} %.17g\n",
	    writer->name, name, writer->number(status));
}

static void
write_shadows(struct egress *egress, struct evbuffer *out)
{
	for (size_t f = 0; f < COUNT(shadow_families); f++) {
		struct shadow_writer writer = { out, shadow_families[f].name,
			shadow_families[f].number };

		family(out, shadow_families[f].name, shadow_families[f].type,
		    shadow_families[f].help);
		egress_each_shadow(egress, write_shadow, &writer);
	}
}

/* ---- the other stages -------------------------------------------------------------------- */

static void
write_dispatch(struct dispatch *dispatch, struct evbuffer *out)
{
	struct dispatch_status status;

	dispatch_status(dispatch, &status);
	family(out, "tocsin_events_total", "counter",
	    "Events by where they ended.");
	for (unsigned v = VERDICT_ROUTED; v <= VERDICT_LAST; v++)
		evbuffer_add_printf(out,
		    "tocsin_events_total{verdict=\"%s\"} %" PRIu64 "\n",
		    verdict_name((enum verdict)v), status.verdicts[v]);
	single(out, "tocsin_deliveries_parked", "gauge",
	    "Deliveries that wait for an operator now.",
	    (double)status.parked_now);
	single(out, "tocsin_dispatch_lag_bytes", "gauge",
	    "Journal not yet read by dispatch.", (double)status.lag_bytes);
	family(out, "tocsin_delivery_seconds", "histogram",
	    "From receipt to the station's acknowledgement.");
	histogram(out, "tocsin_delivery_seconds", "",
	    dispatch_delivery_bounds_s, status.delivery_buckets,
	    COUNT(status.delivery_buckets), status.delivery_sum_s);
}

static void
write_journal(struct journal *journal, struct evbuffer *out)
{
	struct journal_status status;
	double bounds[JOURNAL_SYNC_BUCKETS - 1];
	uint64_t counts[JOURNAL_SYNC_BUCKETS], sum_us;

	journal_status(journal, &status);
	single(out, "tocsin_journal_bytes", "gauge",
	    "Bytes of all segments on disk.", (double)status.bytes);
	single(out, "tocsin_journal_budget_bytes", "gauge",
	    "Most that they may take.", (double)status.budget_bytes);
	single(out, "tocsin_journal_unfinished_ratio", "gauge",
	    "Share of the budget held by unfinished signals.",
	    status.unfinished_share);
	single(out, "tocsin_journal_refusing", "gauge",
	    "1 while signals are not acknowledged for want of room.",
	    status.refusal != JOURNAL_TAKES);
	single(out, "tocsin_journal_failed", "gauge",
	    "1 after the journal failed for good.", status.failure != 0);
	single(out, "tocsin_journal_quarantined", "gauge",
	    "Damaged segments set aside.", status.quarantined);
	single(out, "tocsin_journal_records_total", "counter",
	    "Records written.", (double)status.records);
	for (unsigned i = 0; i < COUNT(bounds); i++)
		bounds[i] = (double)journal_sync_bounds_us[i] / 1e6;
	journal_sync_histogram(journal, counts, &sum_us);
	family(out, "tocsin_journal_sync_seconds", "histogram",
	    "Time until a batch of records was durable.");
	histogram(out, "tocsin_journal_sync_seconds", "", bounds, counts,
	    JOURNAL_SYNC_BUCKETS, (double)sum_us / 1e6);
}

static void
write_directory(struct directory *directory, struct evbuffer *out)
{
	struct directory_status status;

	directory_status(directory, &status);
	single(out, "tocsin_directory_sites", "gauge", "Sites known.",
	    (double)status.sites);
	single(out, "tocsin_directory_bridges", "gauge", "Bridges known.",
	    (double)status.bridges);
	single(out, "tocsin_directory_bytes", "gauge",
	    "Memory of the directory.", (double)status.bytes);
	single(out, "tocsin_directory_following", "gauge",
	    "1 while changes in the database are followed.", status.connected);
	single(out, "tocsin_directory_changes_total", "counter",
	    "Objects changed since the start.", (double)status.changes);
}

static void
write_supervision(const struct supervision *supervision, struct evbuffer *out)
{
	struct supervision_status status;

	supervision_status(supervision, &status);
	single(out, "tocsin_bridges_supervised", "gauge",
	    "Bridges that must be heard in time.", (double)status.supervised);
	single(out, "tocsin_bridges_offline", "gauge",
	    "Those of them that are silent for too long.",
	    (double)status.offline);
	single(out, "tocsin_bridges_untold", "gauge",
	    "Changes of them that wait to be journalled.",
	    (double)status.untold);
	single(out, "tocsin_mass_loss", "gauge",
	    "1 while many fell silent at once.", status.mass_loss);
}

static void
write_archive(struct archive *archive, struct evbuffer *out)
{
	struct archive_status status;

	archive_status(archive, &status);
	single(out, "tocsin_archive_connected", "gauge",
	    "1 while the history can be written.", status.connected);
	single(out, "tocsin_archive_lag_seconds", "gauge",
	    "Age of the oldest record not yet in the database.",
	    (double)status.lag_us / 1e6);
	single(out, "tocsin_archive_events_total", "counter", "Events written.",
	    (double)status.events);
	single(out, "tocsin_archive_quarantined_total", "counter",
	    "Rows that the database refused.", (double)status.quarantined);
}

void
metrics_write(struct admin *admin, struct evbuffer *out)
{
	const struct admin_stages *stages = &admin->stages;

	family(out, "tocsin_build_info", "gauge", "The version that runs.");
	evbuffer_add_printf(out, "tocsin_build_info{version=\"%s\"} 1\n",
	    PACKAGE_VERSION);
	if (stages->watch)
		single(out, "tocsin_healthy", "gauge",
		    "1 while the journal moves.", watch_healthy(stages->watch));
	if (stages->watch && watch_supervision(stages->watch))
		write_supervision(watch_supervision(stages->watch), out);
	if (stages->ingress)
		write_ingress(stages->ingress, out);
	if (stages->journal)
		write_journal(stages->journal, out);
	if (stages->dispatch)
		write_dispatch(stages->dispatch, out);
	if (stages->egress) {
		write_egress(stages->egress, out);
		write_shadows(stages->egress, out);
	}
	if (stages->archive)
		write_archive(stages->archive, out);
	if (stages->directory)
		write_directory(stages->directory, out);
}
