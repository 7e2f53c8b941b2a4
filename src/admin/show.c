/* What `show` prints: one JSON object a line. */
#include <stdlib.h>
#include <string.h>

#include "admin/internal.h"
#include "base/array.h"

#define SESSIONS_DEFAULT 1000
#define SESSIONS_MAX	 100000
#define PARKED_MAX	 1000000

/* False, and the client told, when the stage is not open. */
static bool
is_open(struct client *client, const void *stage, const char *name)
{
	if (!stage)
		client_fail(client, EXIT_STATUS_UNAVAILABLE,
		    "the %s is not open", name);
	return stage != NULL;
}

static void
send_object(struct client *client)
{
	json_object_end(&client->admin->json);
	client_send(client);
}

/* ---- arrays of the stages, an element a line ------------------------------------- */

/* Length of the value at text: up to a comma or the end outside of it. */
static size_t
element_length(const char *text, size_t length)
{
	unsigned depth = 0;
	bool quoted = false;

	for (size_t i = 0; i < length; i++) {
		char c = text[i];

		if (quoted && c == '\\')
			i++;
		else if (c == '"')
			quoted = !quoted;
		else if (!quoted && (c == '{' || c == '['))
			depth++;
		else if (!quoted && (c == '}' || c == ']'))
			depth--;
		else if (!quoted && c == ',' && depth == 0)
			return i;
	}
	return length;
}

static void
send_elements(struct client *client, struct json *array)
{
	struct evbuffer *out = bufferevent_get_output(client->stream);
	const char *text;
	size_t length, part;

	json_array_end(array);
	text = json_text(array);
	if (!text) {
		client_fail(client, EXIT_STATUS_SOFTWARE, "no memory");
		json_close(array);
		return;
	}
	length = array->length - 2; /* inside [ ] */
	for (text++; length > 0; text += part, length -= part) {
		part = element_length(text, length);
		evbuffer_add(out, text, part);
		evbuffer_add(out, "\n", 1);
		part += part < length;
	}
	json_close(array);
	client_done(client);
}

void
show_listeners(struct client *client, const struct words *words)
{
	struct ingress *ingress = client->admin->stages.ingress;
	struct json array = { 0 };

	(void)words;
	if (!is_open(client, ingress, "ingress"))
		return;
	json_array_begin(&array, NULL);
	ingress_show_listeners(ingress, &array);
	send_elements(client, &array);
}

/* The word behind a command, if it is there. false: the client was told. */
static bool
take_limit(struct client *client, const struct words *words,
    unsigned long *limit, unsigned most)
{
	if (words->count <= 2)
		return true;
	if (slice_to_number(slice_from_string(words->word[2]), 10, limit) ==
		0 &&
	    *limit <= most)
		return true;
	client_fail(client, EXIT_STATUS_USAGE,
	    "'%.40s' is not a number up to %u", words->word[2], most);
	return false;
}

void
show_sessions(struct client *client, const struct words *words)
{
	struct ingress *ingress = client->admin->stages.ingress;
	unsigned long limit = SESSIONS_DEFAULT;
	struct json array = { 0 };

	if (!take_limit(client, words, &limit, SESSIONS_MAX) ||
	    !is_open(client, ingress, "ingress"))
		return;
	json_array_begin(&array, NULL);
	ingress_show_sessions(ingress, &array, (unsigned)limit);
	send_elements(client, &array);
}

void
show_errors(struct client *client, const struct words *words)
{
	struct ingress *ingress = client->admin->stages.ingress;
	struct json array = { 0 };

	(void)words;
	if (!is_open(client, ingress, "ingress"))
		return;
	json_array_begin(&array, NULL);
	ingress_show_errors(ingress, &array);
	send_elements(client, &array);
}

static void
show_of_egress(struct client *client,
    void (*show)(struct egress *egress, struct json *json))
{
	struct egress *egress = client->admin->stages.egress;
	struct json array = { 0 };

	if (!is_open(client, egress, "egress"))
		return;
	json_array_begin(&array, NULL);
	show(egress, &array);
	send_elements(client, &array);
}

void
show_links(struct client *client, const struct words *words)
{
	(void)words;
	show_of_egress(client, egress_show);
}

void
show_parked(struct client *client, const struct words *words)
{
	struct dispatch *dispatch = client->admin->stages.dispatch;
	unsigned long limit = PARKED_MAX;
	struct json array = { 0 };

	if (!take_limit(client, words, &limit, PARKED_MAX) ||
	    !is_open(client, dispatch, "dispatch"))
		return;
	json_array_begin(&array, NULL);
	dispatch_show_parked(dispatch, &array, (unsigned)limit);
	send_elements(client, &array);
}

void
show_shadows(struct client *client, const struct words *words)
{
	(void)words;
	show_of_egress(client, egress_show_shadows);
}

void
show_shadow(struct client *client, const struct words *words)
{
	struct egress *egress = client->admin->stages.egress;
	const char *name = words->word[2];
	struct json array = { 0 };

	if (!is_open(client, egress, "egress"))
		return;
	json_array_begin(&array, NULL);
	if (egress_show_differences(egress, name, &array) == 0) {
		send_elements(client, &array);
		return;
	}
	json_close(&array);
	client_fail(client, EXIT_STATUS_FAILED,
	    "there is no shadow '%s' (show shadows lists them)", name);
}

/* ---- queues ---------------------------------------------------------------------------- */

static void
show_queue(void *context, const struct egress_link_status *status)
{
	struct client *client = context;
	struct json *json = &client->admin->json;

	json_object_begin(json, NULL);
	json_string(json, "link", status->name);
	json_boolean(json, "up", status->up);
	json_unsigned(json, "queued", status->queued);
	json_double(json, "oldest_s", status->oldest_s);
	json_unsigned(json, "parked", status->parked);
	send_object(client);
}

void
show_queues(struct client *client, const struct words *words)
{
	struct egress *egress = client->admin->stages.egress;

	(void)words;
	if (!is_open(client, egress, "egress"))
		return;
	egress_each(egress, show_queue, client);
	client_done(client);
}

/* ---- latency ---------------------------------------------------------------------------- */

/* Buckets of their own each, the last without a bound, since the start. */
static void
send_histogram(struct client *client, const char *name, const double *bounds_s,
    const uint64_t *counts, unsigned buckets)
{
	struct json *json = &client->admin->json;

	json_object_begin(json, NULL);
	json_string(json, "of", name);
	json_array_begin(json, "bounds_s");
	for (unsigned i = 0; i + 1 < buckets; i++)
		json_double(json, NULL, bounds_s[i]);
	json_array_end(json);
	json_array_begin(json, "counts");
	for (unsigned i = 0; i < buckets; i++)
		json_unsigned(json, NULL, counts[i]);
	json_array_end(json);
	send_object(client);
}

struct acks {
	uint64_t
	    counts[COUNT(((struct ingress_listener_status *)0)->ack_buckets)];
};

static void
add_acks(void *context, const struct ingress_listener_status *status)
{
	struct acks *acks = context;

	for (unsigned i = 0; i < COUNT(acks->counts); i++)
		acks->counts[i] += status->ack_buckets[i];
}

void
show_latency(struct client *client, const struct words *words)
{
	const struct admin_stages *stages = &client->admin->stages;
	struct dispatch_status dispatch;
	struct acks acks = { { 0 } };

	(void)words;
	if (stages->ingress) {
		ingress_each(stages->ingress, add_acks, &acks);
		send_histogram(client, "acknowledgement", ingress_ack_bounds_s,
		    acks.counts, COUNT(acks.counts));
	}
	if (stages->dispatch) {
		dispatch_status(stages->dispatch, &dispatch);
		send_histogram(client, "delivery", dispatch_delivery_bounds_s,
		    dispatch.delivery_buckets,
		    COUNT(dispatch.delivery_buckets));
	}
	client_done(client);
}

/* ---- status ------------------------------------------------------------------------------ */

static void
put_journal(struct json *json, struct journal *journal)
{
	struct journal_status status;

	journal_status(journal, &status);
	json_string(json, "node", journal_node(journal));
	json_unsigned(json, "boot", status.boot);
	json_unsigned(json, "oldest_lsn", status.oldest_lsn);
	json_unsigned(json, "durable_lsn", status.durable_lsn);
	json_unsigned(json, "appended_lsn", status.appended_lsn);
	json_unsigned(json, "bytes", status.bytes);
	json_unsigned(json, "budget_bytes", status.budget_bytes);
	json_double(json, "unfinished_share", status.unfinished_share);
	json_unsigned(json, "segments", status.segments);
	json_unsigned(json, "quarantined", status.quarantined);
	json_boolean(json, "spare_ready", status.spare_ready);
	json_unsigned(json, "batches", status.batches);
	json_unsigned(json, "records", status.records);
	json_integer(json, "last_sync_us", status.last_sync_us);
	json_integer(json, "slowest_sync_us", status.slowest_sync_us);
	json_integer(json, "sync_running_us", status.sync_running_us);
	json_boolean(json, "refusing", status.refusal != JOURNAL_TAKES);
	if (status.refusal != JOURNAL_TAKES)
		json_string(json, "refusing_because",
		    journal_refusal_text(status.refusal));
	if (status.disk_full)
		json_string(json, "disk_full", strerror(status.disk_full));
	if (status.failure)
		json_string(json, "failure", status.failure_text);
}

static void
put_directory(struct json *json, struct directory *directory)
{
	static const char *const sources[] = { "nothing", "snapshot",
		"database" };
	struct directory_status status;

	directory_status(directory, &status);
	json_string(json, "source",
	    status.source < COUNT(sources) ? sources[status.source] : "?");
	json_boolean(json, "connected", status.connected);
	json_unsigned(json, "dealers", status.dealers);
	json_unsigned(json, "stations", status.stations);
	json_unsigned(json, "receivers", status.receivers);
	json_unsigned(json, "sites", status.sites);
	json_unsigned(json, "bridges", status.bridges);
	json_unsigned(json, "bytes", status.bytes);
	json_unsigned(json, "changes", status.changes);
	json_time(json, "loaded", status.loaded_wall_us);
	json_integer(json, "load_us", status.load_us);
	json_string(json, "problem", status.problem);
}

static void
put_archive(struct json *json, struct archive *archive)
{
	struct archive_status status;

	archive_status(archive, &status);
	json_boolean(json, "enabled", status.enabled);
	json_boolean(json, "connected", status.connected);
	json_unsigned(json, "position_lsn", status.position_lsn);
	json_unsigned(json, "events", status.events);
	json_unsigned(json, "deliveries", status.deliveries);
	json_unsigned(json, "batches", status.batches);
	json_unsigned(json, "quarantined", status.quarantined);
	json_double(json, "lag_s", (double)status.lag_us / 1e6);
	json_string(json, "problem", status.problem);
}

static void
put_dispatch(struct json *json, struct dispatch *dispatch)
{
	struct dispatch_status status;

	dispatch_status(dispatch, &status);
	json_unsigned(json, "decided", status.decided);
	json_unsigned(json, "repeats", status.repeats);
	json_unsigned(json, "delivered", status.delivered);
	json_unsigned(json, "skipped", status.skipped);
	json_unsigned(json, "parked_now", status.parked_now);
	json_unsigned(json, "unsettled_now", status.unsettled_now);
	json_unsigned(json, "position_lsn", status.position_lsn);
	json_unsigned(json, "lag_bytes", status.lag_bytes);
	json_object_begin(json, "verdicts");
	for (unsigned v = VERDICT_ROUTED; v <= VERDICT_LAST; v++)
		json_unsigned(json, verdict_name((enum verdict)v),
		    status.verdicts[v]);
	json_object_end(json);
}

void
show_journal(struct client *client, const struct words *words)
{
	struct admin *admin = client->admin;

	(void)words;
	if (!is_open(client, admin->stages.journal, "journal"))
		return;
	json_object_begin(&admin->json, NULL);
	put_journal(&admin->json, admin->stages.journal);
	send_object(client);
	client_done(client);
}

void
show_directory(struct client *client, const struct words *words)
{
	struct admin *admin = client->admin;

	(void)words;
	if (!is_open(client, admin->stages.directory, "directory"))
		return;
	json_object_begin(&admin->json, NULL);
	put_directory(&admin->json, admin->stages.directory);
	send_object(client);
	client_done(client);
}

void
show_archive(struct client *client, const struct words *words)
{
	struct admin *admin = client->admin;

	(void)words;
	if (!is_open(client, admin->stages.archive, "archive"))
		return;
	json_object_begin(&admin->json, NULL);
	put_archive(&admin->json, admin->stages.archive);
	send_object(client);
	client_done(client);
}

struct sums {
	uint64_t signals, acknowledged, sessions;
};

static void
add_listener(void *context, const struct ingress_listener_status *status)
{
	struct sums *sums = context;

	sums->signals += status->signals;
	sums->acknowledged += status->replies[INGRESS_REPLY_ACK];
	sums->sessions += status->sessions_now;
}

struct links {
	unsigned up, down;
};

static void
add_link(void *context, const struct egress_link_status *status)
{
	struct links *links = context;

	if (status->up)
		links->up++;
	else
		links->down++;
}

static void
put_status_of_journal(struct admin *admin)
{
	struct journal_status status;

	journal_status(admin->stages.journal, &status);
	json_string(&admin->json, "node", journal_node(admin->stages.journal));
	json_unsigned(&admin->json, "boot", status.boot);
	json_format(&admin->json, "journal_unfinished", "%.1f %%",
	    status.unfinished_share * 100);
	json_boolean(&admin->json, "journal_refusing",
	    status.refusal != JOURNAL_TAKES);
	if (status.refusal != JOURNAL_TAKES)
		json_string(&admin->json, "journal_refusing_because",
		    journal_refusal_text(status.refusal));
	json_unsigned(&admin->json, "journal_quarantined", status.quarantined);
}

static void
put_status_of_traffic(struct admin *admin)
{
	const struct admin_stages *stages = &admin->stages;
	struct json *json = &admin->json;
	struct dispatch_status dispatch;
	struct sums sums = { 0 };
	struct links links = { 0 };

	if (stages->ingress) {
		ingress_each(stages->ingress, add_listener, &sums);
		json_unsigned(json, "signals", sums.signals);
		json_unsigned(json, "acknowledged", sums.acknowledged);
		json_unsigned(json, "sessions", sums.sessions);
	}
	if (stages->dispatch) {
		dispatch_status(stages->dispatch, &dispatch);
		json_unsigned(json, "delivered", dispatch.delivered);
		json_unsigned(json, "parked", dispatch.parked_now);
	}
	if (stages->egress) {
		egress_each(stages->egress, add_link, &links);
		json_unsigned(json, "queued", egress_queued(stages->egress));
		json_unsigned(json, "links_up", links.up);
		json_unsigned(json, "links_down", links.down);
	}
}

/* Durable, but not yet in PostgreSQL; 0 without an archive. */
static uint64_t
archive_lag(const struct admin_stages *stages,
    const struct archive_status *archive)
{
	uint64_t durable =
	    stages->journal ? journal_durable(stages->journal) : 0;

	return archive->enabled && durable > archive->position_lsn
	    ? durable - archive->position_lsn
	    : 0;
}

static void
put_status_of_watch(struct admin *admin)
{
	const struct watch *watch = admin->stages.watch;
	struct json *json = &admin->json;
	struct supervision_status status;

	json_boolean(json, "healthy", watch_healthy(watch));
	if (!watch_supervision(watch))
		return;
	supervision_status(watch_supervision(watch), &status);
	json_unsigned(json, "bridges_supervised", status.supervised);
	json_unsigned(json, "bridges_offline", status.offline);
	json_boolean(json, "mass_loss", status.mass_loss);
}

void
show_status(struct client *client, const struct words *words)
{
	struct admin *admin = client->admin;
	const struct admin_stages *stages = &admin->stages;
	struct json *json = &admin->json;
	struct directory_status directory;
	struct archive_status archive;

	(void)words;
	json_object_begin(json, NULL);
	json_time(json, "time", clock_wall_us(stages->clock));
	if (stages->journal)
		put_status_of_journal(admin);
	if (stages->watch)
		put_status_of_watch(admin);
	put_status_of_traffic(admin);
	if (stages->directory) {
		directory_status(stages->directory, &directory);
		json_unsigned(json, "sites", directory.sites);
		json_boolean(json, "directory_following", directory.connected);
		json_string(json, "directory_problem", directory.problem);
	}
	if (stages->dispatch)
		json_boolean(json, "idle", dispatch_idle(stages->dispatch));
	if (stages->archive) {
		archive_status(stages->archive, &archive);
		json_unsigned(json, "archive_lag_bytes",
		    archive_lag(stages, &archive));
		json_double(json, "archive_lag_s",
		    (double)archive.lag_us / 1e6);
		json_string(json, "archive_problem", archive.problem);
	}
	send_object(client);
	client_done(client);
}

/* ---- the rest --------------------------------------------------------------------------- */

void
show_config(struct client *client, const struct words *words)
{
	struct admin *admin = client->admin;

	(void)words;
	json_object_begin(&admin->json, NULL);
	admin->stages.show_config(admin->stages.context, &admin->json);
	send_object(client);
	client_done(client);
}

void
show_stats(struct client *client, const struct words *words)
{
	struct admin *admin = client->admin;
	struct sums sums = { 0 };

	(void)words;
	if (!is_open(client, admin->stages.dispatch, "dispatch"))
		return;
	json_object_begin(&admin->json, NULL);
	if (admin->stages.ingress) {
		ingress_each(admin->stages.ingress, add_listener, &sums);
		json_unsigned(&admin->json, "signals", sums.signals);
		json_unsigned(&admin->json, "acknowledged", sums.acknowledged);
	}
	put_dispatch(&admin->json, admin->stages.dispatch);
	send_object(client);
	client_done(client);
}
