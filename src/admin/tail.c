/* tail: every decision and outcome as it becomes durable. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "admin/internal.h"
#include "base/array.h"

/* ---- members ---------------------------------------------------------------------- */

/* The receiver's name beside its id, while the directory knows it. */
static void
put_receiver(struct admin *admin, uint64_t id)
{
	const struct directory_receiver *receiver;

	json_unsigned(&admin->json, "receiver_id", id);
	if (!admin->stages.directory)
		return;
	directory_thread_online();
	receiver = directory_receiver_by_id(admin->stages.directory, id);
	if (receiver)
		json_string(&admin->json, "receiver", receiver->name);
	directory_thread_offline();
}

static void
put_code(struct json *json, enum signal_qualifier qualifier, const char *code)
{
	char letter = signal_qualifier_letter(qualifier);

	json_format(json, "code", "%.*s%s", letter ? 1 : 0, &letter, code);
}

void
tail_put_event(struct admin *admin, const struct record_signal *signal,
    unsigned item)
{
	struct json *json = &admin->json;
	const struct signal_event *event = &signal->signal.events[item];

	json_slice(json, "listener", signal->listener);
	json_string(json, "protocol",
	    signal_protocol_name(signal->signal.protocol));
	json_slice(json, "account", signal->signal.account);
	if (item >= signal->signal.event_count)
		return;
	put_code(json, event->qualifier, event->code);
	json_slice(json, "partition", event->partition);
	json_slice(json, "zone", event->zone);
	if (slice_present(event->text))
		json_slice(json, "text", event->text);
}

static void
put_flags(struct json *json, unsigned flags)
{
	static const struct {
		enum decision_flag flag;
		const char *name;
	} names[] = {
		{ DECISION_UNMAPPED_ZONE, "unmapped_zone" },
		{ DECISION_PASS_THROUGH, "pass_through" },
		{ DECISION_CONCLUDES, "concludes" },
		{ DECISION_RUNAWAY, "runaway" },
	};

	for (size_t i = 0; i < COUNT(names); i++)
		if (flags & names[i].flag)
			json_boolean(json, names[i].name, true);
}

/* What is remembered because of it, in words. */
static void
put_effects(struct json *json, const struct decision *decision)
{
	char text[EFFECT_TEXT_SIZE];

	for (unsigned i = 0; i < decision->effect_count; i++)
		if (decision->effects[i].kind == EFFECT_WAIT)
			json_time(json, "waits_until",
			    decision->effects[i].until_us);
	if (decision->effect_count == 0)
		return;
	json_array_begin(json, "effects");
	for (unsigned i = 0; i < decision->effect_count; i++)
		json_string(json, NULL,
		    effect_format(&decision->effects[i], text));
	json_array_end(json);
}

void
tail_put_decision(struct admin *admin, const struct decision *decision)
{
	struct json *json = &admin->json;

	json_string(json, "verdict", verdict_name(decision->verdict));
	json_slice(json, "reason", decision->reason);
	put_flags(json, decision->flags);
	put_effects(json, decision);
	if (decision->site_id)
		json_unsigned(json, "site_id", decision->site_id);
	json_array_begin(json, "deliveries");
	for (unsigned i = 0; i < decision->delivery_count; i++) {
		const struct delivery *delivery = &decision->deliveries[i];

		json_object_begin(json, NULL);
		put_receiver(admin, delivery->receiver_id);
		json_slice(json, "account", delivery->account);
		put_code(json, delivery->qualifier, delivery->code);
		json_slice(json, "partition", delivery->partition);
		json_slice(json, "zone", delivery->zone);
		json_unsigned(json, "number", delivery->number);
		json_object_end(json);
	}
	json_array_end(json);
}

void
tail_put_outcome(struct admin *admin, const struct outcome *outcome)
{
	struct json *json = &admin->json;

	json_string(json, "state", outcome_state_name(outcome->state));
	put_receiver(admin, outcome->receiver_id);
	json_slice(json, "endpoint", outcome->endpoint);
	json_unsigned(json, "attempts", outcome->attempts);
	json_boolean(json, "repeated", outcome->repeated);
	if (outcome->sent_as.length)
		json_slice(json, "sent_as", outcome->sent_as);
	if (outcome->reason.length)
		json_slice(json, "reason", outcome->reason);
}

static void
put_head(struct admin *admin, const char *kind, uint64_t lsn, unsigned item)
{
	char id[RECORD_EVENT_ID_SIZE];

	json_object_begin(&admin->json, NULL);
	json_string(&admin->json, "kind", kind);
	json_string(&admin->json, "event",
	    record_event_id_format(journal_node(admin->stages.journal), lsn,
		item, id));
}

/* ---- records ------------------------------------------------------------------------ */

/* The signal a decision is about into admin->signal; -ENOENT when retention
 * took it. */
static int
read_signal(struct admin *admin, uint64_t lsn, struct journal_entry *ret)
{
	struct err err;
	int result =
	    journal_read(admin->stages.journal, lsn, admin->record, ret, &err);

	if (result < 0)
		return result;
	return record_signal_decode(ret->payload, &admin->signal, &err);
}

/* Of either side: what the panel sent, or what the station got. */
static bool
account_wanted(const struct client *client, struct slice account)
{
	return client->job.account[0] == '\0' ||
	    slice_is(account, client->job.account);
}

static void
tail_decision(struct client *client, const struct journal_entry *entry)
{
	struct admin *admin = client->admin;
	struct decision *decision = &admin->decision;
	struct journal_entry origin;
	struct err err;
	bool known, wanted;

	if (record_decision_decode(entry->payload, decision, &err) < 0)
		return;
	known = read_signal(admin, decision->signal_lsn, &origin) == 0;
	wanted = account_wanted(client,
	    known ? admin->signal.signal.account : SLICE_NONE);
	for (unsigned i = 0; i < decision->delivery_count; i++)
		wanted |=
		    account_wanted(client, decision->deliveries[i].account);
	if (!wanted)
		return;
	put_head(admin, "decision", decision->signal_lsn, decision->item);
	if (known) {
		json_time(&admin->json, "time", origin.received_wall_us);
		tail_put_event(admin, &admin->signal, decision->item);
	}
	tail_put_decision(admin, decision);
	json_object_end(&admin->json);
	client_send(client);
}

static void
tail_outcome(struct client *client, const struct journal_entry *entry)
{
	struct admin *admin = client->admin;
	struct decision *decision = &admin->decision;
	struct delivery *delivery = NULL;
	struct journal_entry origin;
	struct outcome outcome;
	struct err err;

	if (record_outcome_decode(entry->payload, &outcome, &err) < 0)
		return;
	if (journal_read(admin->stages.journal, outcome.decision_lsn,
		admin->record, &origin, &err) == 0 &&
	    record_decision_decode(origin.payload, decision, &err) == 0 &&
	    outcome.index < decision->delivery_count)
		delivery = &decision->deliveries[outcome.index];
	if (!account_wanted(client, delivery ? delivery->account : SLICE_NONE))
		return;
	put_head(admin, "outcome", outcome.signal_lsn, outcome.item);
	json_time(&admin->json, "time", entry->received_wall_us);
	if (delivery) {
		json_slice(&admin->json, "account", delivery->account);
		put_code(&admin->json, delivery->qualifier, delivery->code);
		json_slice(&admin->json, "zone", delivery->zone);
		if (decision->site_id)
			json_unsigned(&admin->json, "site_id",
			    decision->site_id);
	}
	tail_put_outcome(admin, &outcome);
	json_object_end(&admin->json);
	client_send(client);
}

static enum job_step
tail_step(struct client *client, struct err *err)
{
	struct journal_entry entry;
	int result;

	for (unsigned i = 0; i < JOB_RECORDS_A_TURN && !client->dead; i++) {
		result = journal_cursor_next(client->job.cursor, &entry, err);
		if (result < 0)
			return JOB_FAILED;
		if (result == 0)
			return JOB_WAIT;
		if (entry.kind == JOURNAL_DECISION)
			tail_decision(client, &entry);
		else if (entry.kind == JOURNAL_OUTCOME)
			tail_outcome(client, &entry);
	}
	return JOB_MORE;
}

void
tail_begin(struct client *client, const struct words *words)
{
	struct journal *journal = client->admin->stages.journal;
	struct err err = { "" };

	if (words->count == 2 ||
	    (words->count == 3 && strcmp(words->word[1], "account") != 0)) {
		client_fail(client, EXIT_STATUS_USAGE,
		    "write: tail [account A]");
		return;
	}
	if (words->count == 3 &&
	    slice_copy(slice_from_string(words->word[2]), client->job.account,
		sizeof(client->job.account)) < 0) {
		client_fail(client, EXIT_STATUS_USAGE, "no account is so long");
		return;
	}
	if (client->doorway->portal &&
	    client->doorway->tails == PORTAL_TAILS_MAX) {
		client_fail(client, EXIT_STATUS_UNAVAILABLE,
		    "the portal follows %d times already", PORTAL_TAILS_MAX);
	} else if (!journal ||
	    journal_cursor_open(&client->job.cursor, journal,
		journal_durable(journal), &err) < 0) {
		client_fail(client, EXIT_STATUS_UNAVAILABLE, "%s",
		    journal ? err.text : "the journal is not open");
	} else {
		client->job.tail = true;
		client->doorway->tails++;
		client_begin_job(client, tail_step);
	}
}
