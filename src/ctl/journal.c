#include "ctl/journal.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/array.h"
#include "base/exit.h"
#include "base/json.h"
#include "ctl/command.h"
#include "journal/journal.h"
#include "journal/record.h"

/* One record read, of whatever kind; large, so there is one. */
struct record {
	struct record_signal signal;
	struct decision decision;
	struct outcome outcome;
};

struct walk {
	struct journal *journal;
	struct record record;
	struct json json;
	bool as_json;
	uint64_t counts[JOURNAL_OUTCOME + 1]; /* [0]: kinds unknown here */
	uint64_t records, unreadable;
	uint64_t last_lsn;
};

static const char *
kind_name(enum journal_kind kind)
{
	switch (kind) {
	case JOURNAL_BOOT:
		return "boot";
	case JOURNAL_SIGNAL:
		return "signal";
	case JOURNAL_DECISION:
		return "decision";
	case JOURNAL_OUTCOME:
		return "outcome";
	}
	return "unknown";
}

static int
decode(const struct journal_entry *entry, struct record *ret, struct err *err)
{
	switch (entry->kind) {
	case JOURNAL_BOOT:
		return 0;
	case JOURNAL_SIGNAL:
		return record_signal_decode(entry->payload, &ret->signal, err);
	case JOURNAL_DECISION:
		return record_decision_decode(entry->payload, &ret->decision,
		    err);
	case JOURNAL_OUTCOME:
		return record_outcome_decode(entry->payload, &ret->outcome,
		    err);
	}
	return err_set(err, -1, "kind %u is not known here",
	    (unsigned)entry->kind);
}

/* ---- dump ------------------------------------------------------------------ */

static void
dump_signal(struct json *json, const struct record_signal *record)
{
	const struct signal *signal = &record->signal;

	json_slice(json, "listener", record->listener);
	json_slice(json, "peer", record->peer);
	json_string(json, "protocol", signal_protocol_name(signal->protocol));
	json_string(json, "ack_level", ack_level_name(record->ack_level));
	json_boolean(json, "encrypted", signal->encrypted);
	if (record->bridge_id)
		json_unsigned(json, "bridge", record->bridge_id);
	json_slice(json, "id", signal->id);
	json_slice(json, "sequence", signal->sequence);
	json_slice(json, "receiver", signal->receiver);
	json_slice(json, "line", signal->line);
	json_slice(json, "account", signal->account);
	if (signal->panel_time_us != 0)
		json_time(json, "panel_time", signal->panel_time_us);
	json_array_begin(json, "events");
	for (unsigned i = 0; i < signal->event_count; i++) {
		const struct signal_event *event = &signal->events[i];

		json_object_begin(json, NULL);
		json_string(json, "format", signal_format_name(event->format));
		if (event->qualifier != SIGNAL_QUALIFIER_NONE)
			json_unsigned(json, "qualifier", event->qualifier);
		json_string(json, "code", event->code);
		json_slice(json, "partition", event->partition);
		json_slice(json, "zone", event->zone);
		json_slice(json, "user", event->user);
		json_slice(json, "text", event->text);
		json_object_end(json);
	}
	json_array_end(json);
	json_hex(json, "raw", record->raw);
}

static void
dump_decision(struct json *json, const struct decision *decision)
{
	json_unsigned(json, "signal_lsn", decision->signal_lsn);
	json_unsigned(json, "item", decision->item);
	json_string(json, "verdict", verdict_name(decision->verdict));
	json_slice(json, "reason", decision->reason);
	json_unsigned(json, "site_id", decision->site_id);
	json_array_begin(json, "deliveries");
	for (unsigned i = 0; i < decision->delivery_count; i++) {
		const struct delivery *delivery = &decision->deliveries[i];

		json_object_begin(json, NULL);
		json_unsigned(json, "receiver_id", delivery->receiver_id);
		json_unsigned(json, "number", delivery->number);
		json_slice(json, "account", delivery->account);
		json_string(json, "format",
		    signal_format_name(delivery->format));
		if (delivery->qualifier != SIGNAL_QUALIFIER_NONE)
			json_unsigned(json, "qualifier", delivery->qualifier);
		json_string(json, "code", delivery->code);
		json_slice(json, "partition", delivery->partition);
		json_slice(json, "zone", delivery->zone);
		json_object_end(json);
	}
	json_array_end(json);
}

static void
dump_outcome(struct json *json, const struct outcome *outcome)
{
	json_unsigned(json, "signal_lsn", outcome->signal_lsn);
	json_unsigned(json, "item", outcome->item);
	json_unsigned(json, "decision_lsn", outcome->decision_lsn);
	json_unsigned(json, "index", outcome->index);
	json_string(json, "state", outcome_state_name(outcome->state));
	json_unsigned(json, "receiver_id", outcome->receiver_id);
	json_unsigned(json, "attempts", outcome->attempts);
	json_boolean(json, "repeated", outcome->repeated);
	json_slice(json, "endpoint", outcome->endpoint);
	json_slice(json, "reason", outcome->reason);
	json_slice(json, "sent_as", outcome->sent_as);
}

static void
dump_fields(struct json *json, const struct journal_entry *entry,
    const struct record *record)
{
	switch (entry->kind) {
	case JOURNAL_BOOT:
		break;
	case JOURNAL_SIGNAL:
		dump_signal(json, &record->signal);
		break;
	case JOURNAL_DECISION:
		dump_decision(json, &record->decision);
		break;
	case JOURNAL_OUTCOME:
		dump_outcome(json, &record->outcome);
		break;
	}
}

static void
dump_json(struct walk *walk, const struct journal_entry *entry,
    const char *problem)
{
	struct json *json = &walk->json;
	char id[RECORD_EVENT_ID_SIZE];

	json_reset(json);
	json_object_begin(json, NULL);
	json_string(json, "record",
	    record_event_id_format(journal_node(walk->journal), entry->lsn, 0,
		id));
	json_unsigned(json, "lsn", entry->lsn);
	json_string(json, "kind", kind_name(entry->kind));
	json_unsigned(json, "boot", entry->boot);
	json_time(json, "received", entry->received_wall_us);
	if (problem)
		json_string(json, "unreadable", problem);
	else
		dump_fields(json, entry, &walk->record);
	json_object_end(json);
	json_newline(json);
	fputs(json_text(json), stdout);
}

static void
dump_text_fields(const struct journal_entry *entry, const struct record *record)
{
	const struct signal *signal = &record->signal.signal;

	switch (entry->kind) {
	case JOURNAL_BOOT:
		break;
	case JOURNAL_SIGNAL:
		printf(" listener=%.*s peer=%.*s account=%.*s events=%u",
		    SLICE_ARG(record->signal.listener),
		    SLICE_ARG(record->signal.peer), SLICE_ARG(signal->account),
		    signal->event_count);
		if (signal->event_count > 0)
			printf(" code=%s", signal->events[0].code);
		break;
	case JOURNAL_DECISION:
		printf(" signal=%" PRIu64 ".%u verdict=%s deliveries=%u",
		    record->decision.signal_lsn, record->decision.item,
		    verdict_name(record->decision.verdict),
		    record->decision.delivery_count);
		break;
	case JOURNAL_OUTCOME:
		printf(" decision=%" PRIu64 ".%u state=%s receiver=%" PRIu64
		       " attempts=%u",
		    record->outcome.decision_lsn, record->outcome.index,
		    outcome_state_name(record->outcome.state),
		    record->outcome.receiver_id, record->outcome.attempts);
		break;
	}
}

static void
dump_text(const struct walk *walk, const struct journal_entry *entry,
    const char *problem)
{
	char time[CLOCK_TEXT_SIZE];

	printf("%" PRIu64 " %s boot=%u %s", entry->lsn,
	    clock_format(entry->received_wall_us, time), entry->boot,
	    kind_name(entry->kind));
	if (problem)
		printf(" unreadable: %s", problem);
	else
		dump_text_fields(entry, &walk->record);
	putchar('\n');
}

/* ---- both ------------------------------------------------------------------- */

static void
count(struct walk *walk, const struct journal_entry *entry, bool readable)
{
	bool known =
	    entry->kind >= JOURNAL_BOOT && entry->kind <= JOURNAL_OUTCOME;

	walk->records++;
	walk->unreadable += !readable;
	walk->counts[known ? entry->kind : 0]++;
	walk->last_lsn = entry->lsn;
}

/* Up to limit records from an lsn; 0 or -errno with the reason. */
static int
go_through(struct walk *walk, uint64_t from_lsn, uint64_t limit, bool dump,
    struct err *err)
{
	struct journal_cursor *cursor;
	struct journal_entry entry;
	int result = journal_cursor_open(&cursor, walk->journal, from_lsn, err);

	if (result < 0)
		return result;
	while (walk->records < limit &&
	    (result = journal_cursor_next(cursor, &entry, err)) == 1) {
		struct err problem;
		bool readable = decode(&entry, &walk->record, &problem) == 0;

		count(walk, &entry, readable);
		if (dump && walk->as_json)
			dump_json(walk, &entry, readable ? NULL : problem.text);
		else if (dump)
			dump_text(walk, &entry, readable ? NULL : problem.text);
	}
	journal_cursor_close(&cursor);
	return result < 0 ? result : 0;
}

static void
report(struct walk *walk, const struct journal_status *status)
{
	struct json *json = &walk->json;

	if (!walk->as_json) {
		printf("node %s: lsn %" PRIu64 " to %" PRIu64
		       " in %u segments, %u boots\n",
		    journal_node(walk->journal), status->oldest_lsn,
		    status->durable_lsn, status->segments, status->boot - 1);
		printf("%" PRIu64 " records: %" PRIu64 " signals, %" PRIu64
		       " decisions, %" PRIu64 " outcomes\n",
		    walk->records, walk->counts[JOURNAL_SIGNAL],
		    walk->counts[JOURNAL_DECISION],
		    walk->counts[JOURNAL_OUTCOME]);
		printf("%u damaged or set aside, %" PRIu64 " unreadable\n",
		    status->quarantined, walk->unreadable);
		return;
	}
	json_object_begin(json, NULL);
	json_string(json, "node", journal_node(walk->journal));
	json_unsigned(json, "oldest_lsn", status->oldest_lsn);
	json_unsigned(json, "end_lsn", status->durable_lsn);
	json_unsigned(json, "segments", status->segments);
	json_unsigned(json, "boots", status->boot - 1);
	json_unsigned(json, "records", walk->records);
	json_unsigned(json, "signals", walk->counts[JOURNAL_SIGNAL]);
	json_unsigned(json, "decisions", walk->counts[JOURNAL_DECISION]);
	json_unsigned(json, "outcomes", walk->counts[JOURNAL_OUTCOME]);
	json_unsigned(json, "quarantined", status->quarantined);
	json_unsigned(json, "unreadable", walk->unreadable);
	json_object_end(json);
	json_newline(json);
	fputs(json_text(json), stdout);
}

static const struct ctl_option options[] = {
	{ "second", "DIR", "the second directory, where one is configured" },
	{ "json", NULL, "one JSON object per line" },
	{ "from", "LSN", "begin at this record" },
	{ "limit", "N", "stop after so many records" },
	{ NULL, NULL, NULL },
};

static const char synopsis[] =
    "DIR [--second DIR] [--json] [--from LSN] [--limit N]";

/* 0 with fallback when not given; -1 after saying what is wrong. */
static int
number_option(const struct ctl_arguments *arguments, const char *name,
    uint64_t fallback, uint64_t *ret)
{
	const char *text = ctl_value(arguments, name);
	unsigned long number = 0;

	*ret = fallback;
	if (!text)
		return 0;
	if (slice_to_number(slice_from_string(text), 10, &number) < 0) {
		ctl_fail(EXIT_STATUS_USAGE, "--%s %s: not a number", name,
		    text);
		return -1;
	}
	*ret = number;
	return 0;
}

/* Everything that may hold memory or files is open here. */
static int
run_open(struct walk *walk, const struct ctl_arguments *arguments, bool dump)
{
	struct journal_status status;
	struct err err;
	uint64_t from_lsn, limit;

	if (number_option(arguments, "from", 0, &from_lsn) < 0 ||
	    number_option(arguments, "limit", UINT64_MAX, &limit) < 0)
		return EXIT_STATUS_USAGE;
	if (go_through(walk, from_lsn, limit, dump, &err) < 0)
		return ctl_fail(EXIT_STATUS_FAILED, "%s", err.text);
	journal_status(walk->journal, &status);
	if (!dump)
		report(walk, &status);
	return status.quarantined > 0 || walk->unreadable > 0
	    ? EXIT_STATUS_FAILED
	    : EXIT_STATUS_OK;
}

static int
run(const char *command, bool dump, int argc, char **argv)
{
	struct journal_config config = { .read_only = true };
	struct ctl_arguments arguments;
	struct walk *walk;
	struct err err;
	int status =
	    ctl_parse(command, synopsis, options, 1, argc, argv, &arguments);

	if (status != CTL_GO_ON)
		return status;
	if (arguments.word_count != 1)
		return ctl_fail(EXIT_STATUS_USAGE,
		    "%s: give the journal's directory", command);
	config.directory = arguments.words[0];
	config.second_directory = ctl_value(&arguments, "second");
	walk = calloc(1, sizeof(*walk));
	if (!walk)
		return ctl_fail(EXIT_STATUS_SOFTWARE, "out of memory");
	walk->as_json = ctl_flag(&arguments, "json");
	if (journal_open(&walk->journal, &config, &io_system, &clock_system,
		&err) < 0)
		status = ctl_fail(EXIT_STATUS_UNAVAILABLE, "%s", err.text);
	else
		status = run_open(walk, &arguments, dump);
	journal_close(&walk->journal);
	json_close(&walk->json);
	free(walk);
	return status;
}

static int
run_verify(int argc, char **argv)
{
	return run("journal verify", false, argc, argv);
}

static int
run_dump(int argc, char **argv)
{
	return run("journal dump", true, argc, argv);
}

static const struct ctl_command verbs[] = {
	{ "verify", synopsis,
	    "check every record; exit 1 when something is damaged",
	    run_verify },
	{ "dump", synopsis, "print the records", run_dump },
};

int
ctl_journal(int argc, char **argv)
{
	return ctl_dispatch("journal", verbs, COUNT(verbs), argc, argv);
}
