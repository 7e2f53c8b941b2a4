/* trace: one signal from its bytes to its last acknowledgement, by reading the
 * journal forward from it. */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "admin/internal.h"
#include "signal/words.h"

/* Records looked at before the search is given up: minutes of full load. */
#define TRACE_RECORDS_MAX 4000000

static void
put_head(struct admin *admin, const char *kind, int64_t wall_us)
{
	json_object_begin(&admin->json, NULL);
	json_string(&admin->json, "kind", kind);
	json_time(&admin->json, "time", wall_us);
}

static void
send_line(struct client *client)
{
	json_object_end(&client->admin->json);
	client_send(client);
}

static void
send_receipt(struct client *client, const struct journal_entry *entry)
{
	struct admin *admin = client->admin;
	const struct record_signal *signal = &admin->signal;
	struct json *json = &admin->json;

	put_head(admin, "received", entry->received_wall_us);
	json_slice(json, "listener", signal->listener);
	json_slice(json, "peer", signal->peer);
	json_string(json, "ack_level", ack_level_name(signal->ack_level));
	json_boolean(json, "encrypted", signal->signal.encrypted);
	json_slice(json, "sequence", signal->signal.sequence);
	json_slice(json, "account", signal->signal.account);
	json_unsigned(json, "events", signal->signal.event_count);
	json_slice(json, "raw", signal->raw);
	json_hex(json, "raw_hex", signal->raw);
	send_line(client);
}

static void
send_events(struct client *client, const struct journal_entry *entry)
{
	struct admin *admin = client->admin;
	char id[RECORD_EVENT_ID_SIZE];

	for (unsigned i = 0; i < admin->signal.signal.event_count; i++) {
		if (client->job.item >= 0 && (int)i != client->job.item)
			continue;
		put_head(admin, "event", entry->received_wall_us);
		json_string(&admin->json, "event",
		    record_event_id_format(journal_node(admin->stages.journal),
			entry->lsn, i, id));
		tail_put_event(admin, &admin->signal, i);
		send_line(client);
	}
}

static void
send_stop(struct client *client, const char *word)
{
	struct job *job = &client->job;

	json_object_begin(&client->admin->json, NULL);
	json_string(&client->admin->json, "kind", "end");
	json_string(&client->admin->json, "word", word);
	json_unsigned(&client->admin->json, "records", job->looked_at);
	json_unsigned(&client->admin->json, "undecided", job->undecided);
	json_unsigned(&client->admin->json, "deliveries_open", job->open);
	send_line(client);
}

static bool
is_ours(const struct job *job, uint64_t signal_lsn, unsigned item)
{
	return signal_lsn == job->signal_lsn &&
	    (job->item < 0 || (unsigned)job->item == item);
}

/* Why, beside the reason: the verdict and each flag. */
static void
put_decision_words(struct json *json, const struct decision *decision)
{
	json_array_begin(json, "words");
	json_string(json, NULL, verdict_words(decision->verdict));
	for (unsigned flag = 1; flag && flag <= decision->flags; flag <<= 1)
		if (decision->flags & flag)
			json_string(json, NULL,
			    decision_flag_words((enum decision_flag)flag));
	json_array_end(json);
}

static void
put_outcome_words(struct json *json, const struct outcome *outcome)
{
	json_array_begin(json, "words");
	json_string(json, NULL, outcome_words(outcome->state));
	if (outcome->repeated)
		json_string(json, NULL, WORDS_REPEATED);
	json_array_end(json);
}

static void
look_at_decision(struct client *client, const struct journal_entry *entry)
{
	struct admin *admin = client->admin;
	struct decision *decision = &admin->decision;
	struct job *job = &client->job;
	struct err err;

	if (record_decision_decode(entry->payload, decision, &err) < 0 ||
	    !is_ours(job, decision->signal_lsn, decision->item))
		return;
	/* one that waits is decided once more */
	if (job->undecided && decision->verdict != VERDICT_WAITING)
		job->undecided--;
	job->open += decision->delivery_count;
	put_head(admin, "decision", entry->received_wall_us);
	json_unsigned(&admin->json, "item", decision->item);
	tail_put_decision(admin, decision);
	put_decision_words(&admin->json, decision);
	send_line(client);
}

static void
look_at_outcome(struct client *client, const struct journal_entry *entry)
{
	struct admin *admin = client->admin;
	struct job *job = &client->job;
	struct outcome outcome;
	struct err err;

	if (record_outcome_decode(entry->payload, &outcome, &err) < 0 ||
	    !is_ours(job, outcome.signal_lsn, outcome.item))
		return;
	if ((outcome.state == OUTCOME_DELIVERED ||
		outcome.state == OUTCOME_SKIPPED) &&
	    job->open)
		job->open--;
	put_head(admin, "outcome", entry->received_wall_us);
	json_unsigned(&admin->json, "item", outcome.item);
	tail_put_outcome(admin, &outcome);
	put_outcome_words(&admin->json, &outcome);
	send_line(client);
}

/* Why the search ends here; NULL: it goes on. */
static const char *
end_word(const struct job *job)
{
	if (job->undecided == 0 && job->open == 0)
		return "complete: everything decided was delivered or given up";
	if (job->looked_at >= TRACE_RECORDS_MAX)
		return "stopped: too many records behind this signal; later ones were not looked at";
	return NULL;
}

static enum job_step
trace_step(struct client *client, struct err *err)
{
	struct job *job = &client->job;
	struct journal_entry entry;
	const char *word;
	int result;

	for (unsigned i = 0; i < JOB_RECORDS_A_TURN; i++) {
		word = end_word(job);
		if (!word) {
			result = journal_cursor_next(job->cursor, &entry, err);
			if (result < 0)
				return JOB_FAILED;
			if (result == 0)
				word = "open: the journal says no more yet";
		}
		if (word) {
			send_stop(client, word);
			return JOB_DONE;
		}
		job->looked_at++;
		if (entry.kind == JOURNAL_DECISION)
			look_at_decision(client, &entry);
		else if (entry.kind == JOURNAL_OUTCOME)
			look_at_outcome(client, &entry);
	}
	return JOB_MORE;
}

/* The signal itself; false: the client was told why not. */
static bool
read_signal(struct client *client, const char *name, uint64_t lsn,
    struct journal_entry *entry)
{
	struct admin *admin = client->admin;
	struct err err = { "" };
	int result = journal_read(admin->stages.journal, lsn, admin->record,
	    entry, &err);

	if (result == 0 && entry->kind != JOURNAL_SIGNAL)
		result = -ENOENT;
	if (result == -ENOENT)
		client_fail(client, EXIT_STATUS_FAILED,
		    "the journal has no signal %s: it never was, or the retention took it",
		    name);
	else if (result < 0 ||
	    record_signal_decode(entry->payload, &admin->signal, &err) < 0)
		client_fail(client, EXIT_STATUS_SOFTWARE, "%s", err.text);
	else
		return true;
	return false;
}

static bool
same_node(struct admin *admin, const char *name)
{
	const char *node = journal_node(admin->stages.journal);
	size_t length = strlen(node);

	return strncmp(name, node, length) == 0 && name[length] == '-';
}

void
trace_begin(struct client *client, const struct words *words)
{
	struct admin *admin = client->admin;
	struct journal_entry entry;
	const char *name = words->word[1];
	uint64_t lsn = 0;
	unsigned item = 0;
	struct err err = { "" };

	if (!admin->stages.journal) {
		client_fail(client, EXIT_STATUS_UNAVAILABLE,
		    "the journal is not open");
		return;
	}
	if (record_event_id_parse(name, &lsn, &item) < 0) {
		client_fail(client, EXIT_STATUS_USAGE,
		    "'%.100s' is no event id: NODE-LSN or NODE-LSN.ITEM", name);
		return;
	}
	if (!same_node(admin, name)) {
		client_fail(client, EXIT_STATUS_USAGE,
		    "%.100s is an event of another node, this is %s", name,
		    journal_node(admin->stages.journal));
		return;
	}
	if (!read_signal(client, name, lsn, &entry))
		return;
	client->job.item =
	    strrchr(name, '.') > strrchr(name, '-') ? (int)item : -1;
	if (client->job.item >= (int)admin->signal.signal.event_count) {
		client_fail(client, EXIT_STATUS_FAILED,
		    "signal %.100s has only %u events", name,
		    admin->signal.signal.event_count);
		return;
	}
	client->job.signal_lsn = lsn;
	client->job.undecided =
	    client->job.item >= 0 ? 1 : admin->signal.signal.event_count;
	send_receipt(client, &entry);
	send_events(client, &entry);
	if (journal_cursor_open(&client->job.cursor, admin->stages.journal,
		entry.next_lsn, &err) < 0)
		client_fail(client, EXIT_STATUS_SOFTWARE, "%s", err.text);
	else
		client_begin_job(client, trace_step);
}
