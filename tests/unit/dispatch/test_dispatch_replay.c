/*
 * The replay property: a process that dies anywhere, with its journal cut at any
 * record, with and without a checkpoint and acknowledgement marks, leaves one
 * that comes to the same decisions, the same state of the sites and the same
 * deliveries, each account's in the same order, as the process that never stopped.
 * While the station is away a queue forms, which is drained life safety first;
 * one that is rebuilt is drained in the same order over all accounts.
 *
 *	script    random signals of three customers, one of which a schedule
 *		  arms, and of our own about them; some in one batch, or of
 *		  bridges that run away
 *	whole     the process that never stopped: its journal, every checkpoint
 *		  it published, what the station got
 *	cut       the journal up to a record, the rest of the script
 *
 * TOCSIN_REPLAY_SEEDS=N runs that many scripts.
 */
#include "unit/test.h"

#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/io.h"
#include "journal/record.h"
#include "unit/dispatch/world.h"

#define INPUTS	    22
#define RUNAWAY	    3 /* events of a bridge in a minute, where it is limited */
#define RECORDS_MAX 512
#define TEXT_MAX    65536
/* The station is away while these inputs come. */
#define AWAY_FROM 6
#define AWAY_TO	  12
#define SEGMENT	  "/0000000000001000.segment"
#define HEADER	  4096
#define FIRST_LSN 4096

/* A signal from outside, or of our own about a site or a bridge. */
struct input {
	int64_t at_us;
	uint64_t site_id, bridge_id; /* both 0: from outside */
	const char *account;
	uint64_t fingerprint;
	unsigned count;
	struct signal_event events[3];
	bool last; /* of those that come before dispatch looks */
};

struct record {
	uint64_t lsn;
	enum journal_kind kind;
	int64_t at_us;
	bool input;	 /* not told by dispatch itself */
	char account[8]; /* of what it decides to deliver, or delivered */
	unsigned deliveries, delivered;
};

struct file {
	void *bytes;
	size_t length;
	uint64_t durable_lsn; /* at the time */
};

/* What one process has made of the script, as text. */
struct history {
	char decisions[TEXT_MAX], sites[TEXT_MAX], messages[TEXT_MAX];
	char drained[TEXT_MAX]; /* messages of the queue */
	unsigned message_count;
};

static struct input script[INPUTS];
static struct record records[RECORDS_MAX];
static size_t record_count;
static struct file segment, marks, checkpoints[RECORDS_MAX];
static size_t checkpoint_count;
static struct history whole, cut;
static uint64_t back_lsn; /* the journal's end when the station came back */
static bool overtaken;	  /* something has gone before what was decided first */

/* ---- the script ---------------------------------------------------------------- */

static uint32_t random_state;

static uint32_t
random_below(uint32_t limit)
{
	random_state = random_state * 1664525 + 1013904223;
	return (random_state >> 8) % limit;
}

static struct signal_event
random_event(void)
{
	static const char *const zones[] = { "1", "2", "3", "4" };
	static const struct {
		const char *code;
		enum signal_qualifier qualifier;
		bool zone;
	} kinds[] = {
		{ "130", SIGNAL_QUALIFIER_NEW, true },
		{ "130", SIGNAL_QUALIFIER_NEW, true },
		{ "130", SIGNAL_QUALIFIER_NEW, true },
		{ "130", SIGNAL_QUALIFIER_RESTORE, true },
		{ "130", SIGNAL_QUALIFIER_RESTORE, true },
		{ "110", SIGNAL_QUALIFIER_NEW, false },
		{ "409", SIGNAL_QUALIFIER_NEW, false },
		{ "409", SIGNAL_QUALIFIER_RESTORE, false },
		{ "602", SIGNAL_QUALIFIER_NEW, false },
	};
	uint32_t kind = random_below(COUNT(kinds));
	struct signal_event event = { .format = SIGNAL_FORMAT_CONTACT_ID,
		.qualifier = kinds[kind].qualifier,
		.zone =
		    slice_from_string(kinds[kind].zone ? zones[random_below(4)]
						       : "000") };

	strcpy(event.code, kinds[kind].code);
	return event;
}

/* What schedules, users and partners do, and what is told of tests, activations
 * and cameras. */
static void
write_own(struct input *input)
{
	static const char *const codes[] = { "403", "407", "607", "654",
		"628" };
	static const uint64_t sites[] = { SITE, HOUSE, SHOP, SHOP };
	static const uint64_t bridges[] = { BRIDGE, HOUSE_BRIDGE, SHOP_BRIDGE };

	if (random_below(3))
		input->site_id = sites[random_below(COUNT(sites))];
	else
		input->bridge_id = bridges[random_below(COUNT(bridges))];
	input->count = 1;
	input->events[0] = (struct signal_event){ .qualifier = random_below(2)
		    ? SIGNAL_QUALIFIER_NEW
		    : SIGNAL_QUALIFIER_RESTORE };
	strcpy(input->events[0].code,
	    input->bridge_id ? "391" : codes[random_below(COUNT(codes))]);
}

static void
write_script(uint32_t seed)
{
	static const char *const accounts[] = { "ABCD", "ABCD", "DCBA", "EFEF",
		"EFEF" };
	static const struct signal_event nothing = { SIGNAL_FORMAT_CONTACT_ID,
		.qualifier = SIGNAL_QUALIFIER_NEW, .code = "130" };
	int64_t at_us = BEGAN_US;

	random_state = seed;
	for (unsigned i = 0; i < INPUTS; i++) {
		struct input *input = &script[i];
		uint32_t pace_s = random_below(4) ? 12 : 40;

		at_us += random_below(8) ? random_below(pace_s * SECOND) : 0;
		*input = (struct input){ .at_us = at_us,
			.account = accounts[random_below(COUNT(accounts))],
			.fingerprint = i + 1,
			.count = 1,
			/* when it is told what was cut depends on the batch */
			.last = random_below(2) == 0 || world.runaway_limit };
		/* some frames come twice, some say several things */
		if (i > 0 && random_below(8) == 0) {
			*input = script[i - 1];
			input->at_us = at_us;
			continue;
		}
		if (random_below(4) == 0)
			input->count = 3;
		for (unsigned j = 0; j < input->count; j++)
			input->events[j] = random_event();
		if (random_below(5) == 0)
			write_own(input);
	}
	script[AWAY_FROM - 1].last = true;
	script[AWAY_TO - 1].last = true;
	/* nothing waits for longer */
	script[INPUTS - 2].last = true;
	script[INPUTS - 1] = (struct input){ .at_us = at_us + 600 * SECOND,
		.account = "FFFF",
		.fingerprint = INPUTS,
		.count = 1,
		.events = { nothing },
		.last = true };
}

/* ---- what came of it ------------------------------------------------------------- */

__attribute__((format(printf, 2, 3))) static void
say(char *text, const char *format, ...)
{
	size_t length = strlen(text);
	va_list args;

	va_start(args, format);
	vsnprintf(text + length, TEXT_MAX - length, format, args);
	va_end(args);
	assert_true(strlen(text) < TEXT_MAX - 1);
}

/* Positions differ where there were other starts: signals are counted. */
static unsigned
ordinal(uint64_t signal_lsn)
{
	unsigned count = 0;

	for (size_t i = 0; signal_lsn && i < record_count; i++) {
		count += records[i].kind == JOURNAL_SIGNAL;
		if (records[i].lsn == signal_lsn)
			return count;
	}
	return 0;
}

static void
say_decision(char *text, const struct decision *decision)
{
	say(text, "%u.%u %s flags %u site %u bridge %u '%.*s'",
	    ordinal(decision->signal_lsn), decision->item,
	    verdict_name(decision->verdict), decision->flags,
	    (unsigned)decision->site_id, (unsigned)decision->bridge_id,
	    SLICE_ARG(decision->reason));
	for (unsigned i = 0; i < decision->delivery_count; i++) {
		const struct delivery *delivery = &decision->deliveries[i];

		say(text, " #%u %.*s %c%s %.*s", (unsigned)delivery->number,
		    SLICE_ARG(delivery->account),
		    signal_qualifier_letter(delivery->qualifier),
		    delivery->code, SLICE_ARG(delivery->zone));
	}
	for (unsigned i = 0; i < decision->effect_count; i++) {
		const struct effect *effect = &decision->effects[i];

		say(text,
		    " {%u armed %d on %d at %" PRId64 " until %" PRId64
		    " zone %" PRIx64 " %u held %u.%u}",
		    effect->kind, effect->armed, effect->on, effect->at_us,
		    effect->until_us, effect->zone, effect->alarm,
		    ordinal(effect->held_lsn), effect->held_item);
	}
	say(text, "\n");
}

static uint64_t
bridge_of(const struct site_state *state)
{
	switch (state ? state->site_id : 0) {
	case SITE:
		return BRIDGE;
	case HOUSE:
		return HOUSE_BRIDGE;
	default:
		return SHOP_BRIDGE;
	}
}

static void
say_site(char *text, const struct site_state *state)
{
	for (unsigned i = 0; state && i < state->area_count; i++) {
		const struct site_area *area = &state->areas[i];

		say(text,
		    "site %u area %u %u: commanded %d armed %d at %" PRId64
		    " by %u, told %d armed %d at %" PRId64 ", entry %" PRId64
		    " - %" PRId64 ", test %" PRId64 " missing %d, on test %d\n",
		    (unsigned)state->site_id, area->area.kind,
		    (unsigned)area->area.number, area->commanded, area->armed,
		    area->at_us, ordinal(area->order), area->told,
		    area->told_armed, area->told_at_us, area->entry_at_us,
		    area->entry_until_us, area->last_at_us, area->missing_told,
		    area->on_test_told);
	}
	/* in no order of their own */
	for (uint64_t zone = '1'; zone <= '4'; zone++) {
		const struct site_zone *found =
		    site_state_zone(state, bridge_of(state), zone);

		if (found)
			say(text,
			    "site %u zone %c: %u until %" PRId64
			    " held %u.%u\n",
			    (unsigned)state->site_id, (char)zone, found->alarm,
			    found->until_us, ordinal(found->held_lsn),
			    found->held_item);
	}
}

static const char *
account_of(uint64_t decision_lsn)
{
	for (size_t i = 0; i < record_count; i++)
		if (records[i].lsn == decision_lsn)
			return records[i].account;
	return "";
}

static void
note_decision(struct record *record, const struct decision *decision)
{
	record->deliveries = decision->delivery_count;
	if (decision->delivery_count > 0)
		slice_copy(decision->deliveries[0].account, record->account,
		    sizeof(record->account));
}

static void
note_record(const struct journal_entry *entry)
{
	static struct record_signal signal;
	struct record *record = &records[record_count++];
	struct outcome outcome;
	struct err err;

	assert_true(record_count < RECORDS_MAX);
	*record = (struct record){ .lsn = entry->lsn,
		.kind = entry->kind,
		.at_us = entry->received_wall_us };
	if (entry->kind == JOURNAL_SIGNAL) {
		assert_int_equal(record_signal_decode(entry->payload, &signal,
				     &err),
		    0);
		record->input =
		    signal.signal.protocol != SIGNAL_PROTOCOL_INTERNAL ||
		    strcmp(signal.signal.events[0].code, "300") != 0;
	}
	if (entry->kind == JOURNAL_OUTCOME) {
		assert_int_equal(record_outcome_decode(entry->payload, &outcome,
				     &err),
		    0);
		record->delivered = outcome.state == OUTCOME_DELIVERED;
		strcpy(record->account, account_of(outcome.decision_lsn));
	}
}

static void
read_history(struct history *history)
{
	static struct decision decision;
	struct journal_cursor *cursor;
	struct journal_entry entry;
	struct err err;

	history->decisions[0] = history->sites[0] = '\0';
	record_count = 0;
	assert_int_equal(journal_cursor_open(&cursor, world.journal, 0, &err),
	    0);
	while (journal_cursor_next(cursor, &entry, &err) == 1) {
		note_record(&entry);
		if (entry.kind != JOURNAL_DECISION)
			continue;
		assert_int_equal(record_decision_decode(entry.payload,
				     &decision, &err),
		    0);
		note_decision(&records[record_count - 1], &decision);
		assert_true(decision.reason.length > 0);
		say_decision(history->decisions, &decision);
	}
	journal_cursor_close(&cursor);
	say_site(history->sites,
	    site_states_find(dispatch_sites(world.dispatch), SITE));
	say_site(history->sites,
	    site_states_find(dispatch_sites(world.dispatch), HOUSE));
	say_site(history->sites,
	    site_states_find(dispatch_sites(world.dispatch), SHOP));
}

/* ---- running it ---------------------------------------------------------------------- */

static void
path_of(const char *name, char out[128])
{
	snprintf(out, 128, "%s%s", world.directory_path, name);
}

static void
read_file(const char *name, struct file *ret)
{
	char path[128];
	ssize_t length;

	path_of(name, path);
	*ret = (struct file){ .durable_lsn = journal_durable(world.journal) };
	length = io_load_file(path, 1 << 22, &ret->bytes);
	assert_true(length >= 0);
	ret->length = (size_t)length;
}

/* Each that is published, when it is. */
static void
keep_checkpoint(void)
{
	const struct file *last =
	    checkpoint_count ? &checkpoints[checkpoint_count - 1] : NULL;
	struct file file;

	read_file("/checkpoint", &file);
	if (checkpoint_count == RECORDS_MAX ||
	    (last && last->length == file.length &&
		memcmp(last->bytes, file.bytes, file.length) == 0)) {
		free(file.bytes);
		return;
	}
	checkpoints[checkpoint_count++] = file;
}

/* One message at a time is noted, so that none is missed. */
static void
note_message(struct history *history, unsigned before)
{
	if (world.peer.messages == before)
		return;
	assert_int_equal(world.peer.messages, before + 1);
	say(history->messages, "%.20s\n", world.peer.last);
	history->message_count++;
}

static uint64_t
appended_lsn(void)
{
	struct journal_status journal;

	journal_status(world.journal, &journal);
	return journal.appended_lsn;
}

static bool
decided(void)
{
	struct dispatch_status status;

	dispatch_status(world.dispatch, &status);
	return status.position_lsn == appended_lsn();
}

/* Or, while the station is away, until all is in the queue. */
static void
run_until_settled(struct history *history, bool away)
{
	int64_t end_us = clock_monotonic_us(&clock_system) + 20 * SECOND;

	do {
		unsigned before = world.peer.messages;

		assert_true(clock_monotonic_us(&clock_system) < end_us);
		event_base_loop(world.base, EVLOOP_ONCE);
		note_message(history, before);
		if (history == &whole)
			keep_checkpoint();
	} while (!(away ? decided() : settled()));
}

static bool
is_away(unsigned input)
{
	return input >= AWAY_FROM && input < AWAY_TO;
}

static void
let_station(bool away)
{
	assert_int_equal(egress_pause(world.egress, "station", away), 0);
}

static void
come_back(struct history *history)
{
	size_t length = strlen(history->messages);

	if (history == &whole)
		back_lsn = appended_lsn();
	let_station(false);
	run_until_settled(history, false);
	strcpy(history->drained, history->messages + length);
}

static void
receive_input(const struct input *input)
{
	if (input->site_id || input->bridge_id)
		receive_own(input->site_id, input->bridge_id,
		    input->events[0].code,
		    input->events[0].qualifier == SIGNAL_QUALIFIER_NEW);
	else
		receive_events(input->account, input->events, input->count);
}

/* The inputs from this one on. */
static void
run_script(struct history *history, unsigned from)
{
	for (unsigned i = from; i < INPUTS; i++) {
		const struct input *input = &script[i];

		clock_fake_advance(&world.clock,
		    input->at_us - clock_wall_us(&world.clock.clock));
		world.fingerprint = input->fingerprint;
		if (i == AWAY_FROM)
			let_station(true);
		receive_input(input);
		if (input->last)
			run_until_settled(history, is_away(i));
		if (i == AWAY_TO - 1)
			come_back(history);
	}
	read_history(history);
}

/* "....AAAA" of a message. */
#define ACCOUNT_AT 7

/* The drained ones are the last that were decided before the station was back. */
static bool
queue_was_overtaken(void)
{
	const char *line = whole.drained + strlen(whole.drained);
	size_t i = record_count;

	while (i-- > 0) {
		unsigned left =
		    records[i].lsn < back_lsn ? records[i].deliveries : 0;

		for (; left > 0; left--) {
			if (line == whole.drained)
				return false;
			for (line--; line > whole.drained && line[-1] != '\n';)
				line--;
			if (memcmp(line + ACCOUNT_AT, records[i].account, 4))
				return true;
		}
	}
	return false;
}

/* Every second script with a limit. */
static void
begin_world(uint32_t seed)
{
	open_world(access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp",
	    &io_system);
	close_stages();
	world.known_bridge_id = BRIDGE;
	world.runaway_limit = seed & 2 ? RUNAWAY : 0;
}

static void
run_whole(void)
{
	memset(&whole, 0, sizeof(whole));
	checkpoint_count = 0;
	world.checkpoint_us = 1000;
	open_stages();
	run_script(&whole, 0);
	overtaken |= queue_was_overtaken();
	read_file(SEGMENT, &segment);
	read_file("/acknowledged", &marks);
	close_stages();
}

/* ---- cutting it ------------------------------------------------------------------------ */

static void
put_file(const char *name, const struct file *file, size_t length)
{
	static const char zeros[4096];
	char path[128];
	int fd;

	path_of(name, path);
	unlink(path);
	if (!file)
		return;
	fd = open(path, O_WRONLY | O_CREAT, 0600);
	assert_true(fd >= 0);
	assert_int_equal(io_write_all(&io_system, fd, file->bytes, length, 0),
	    0);
	while (length < file->length) {
		size_t part = file->length - length < sizeof(zeros)
		    ? file->length - length
		    : sizeof(zeros);

		assert_int_equal(io_write_all(&io_system, fd, zeros, part,
				     (off_t)length),
		    0);
		length += part;
	}
	close(fd);
}

/* One that the process had published by then: the newest, or any; NULL: none. */
static const struct file *
checkpoint_at(uint64_t end_lsn, bool newest)
{
	size_t count = 0;

	while (count < checkpoint_count &&
	    checkpoints[count].durable_lsn <= end_lsn)
		count++;
	if (count == 0)
		return NULL;
	return &checkpoints[newest ? count - 1 : random_below((uint32_t)count)];
}

static void
put_journal(size_t kept, uint64_t end_lsn)
{
	const struct file *checkpoint =
	    kept % 3 ? checkpoint_at(end_lsn, kept % 3 == 1) : NULL;

	put_file(SEGMENT, &segment, HEADER + end_lsn - FIRST_LSN);
	put_file("/checkpoint", checkpoint,
	    checkpoint ? checkpoint->length : 0);
	put_file("/acknowledged", kept % 2 ? &marks : NULL, marks.length);
}

/* What the process before has delivered and the next one knows of. */
static unsigned
delivered_in(const struct record *before, size_t kept, const char *account)
{
	unsigned delivered = 0;

	for (size_t i = 0; i < kept; i++)
		if (strcmp(before[i].account, account) == 0)
			delivered += kept % 2 ? before[i].deliveries
					      : before[i].delivered;
	return delivered;
}

/* The account's messages but for the first ones. */
static void
messages_of(const char *messages, const char *account, unsigned skipped,
    char out[TEXT_MAX])
{
	out[0] = '\0';
	for (const char *line = messages; *line;
	     line += strcspn(line, "\n") + 1)
		if (memcmp(line + ACCOUNT_AT, account, strlen(account)) == 0 &&
		    (skipped == 0 || skipped-- == 0))
			say(out, "%.*s", (int)strcspn(line, "\n") + 1, line);
}

/* With the first line that differs. */
static void
assert_same(uint32_t seed, size_t kept, const char *what, const char *got,
    const char *wanted)
{
	size_t line = 0;

	if (strcmp(got, wanted) == 0)
		return;
	for (size_t i = 0; got[i] && got[i] == wanted[i]; i++)
		if (got[i] == '\n')
			line = i + 1;
	fail_msg("script %u cut behind %zu records, other %s: %.*s, not: %.*s",
	    seed, kept, what, (int)strcspn(got + line, "\n"), got + line,
	    (int)strcspn(wanted + line, "\n"), wanted + line);
}

static void
assert_same_messages(uint32_t seed, const struct record *before, size_t kept)
{
	static const char *const accounts[] = { "0017", "0018", "0020" };
	static char got[TEXT_MAX], wanted[TEXT_MAX];

	for (size_t i = 0; i < COUNT(accounts); i++) {
		messages_of(cut.messages, accounts[i], 0, got);
		messages_of(whole.messages, accounts[i],
		    delivered_in(before, kept, accounts[i]), wanted);
		assert_same(seed, kept, accounts[i], got, wanted);
	}
}

/* Start again behind the records that are kept, of which some are inputs. */
static void
run_rest(unsigned inputs, bool away)
{
	open_stages();
	if (away)
		let_station(true);
	run_until_settled(&cut, away);
	if (away && inputs == AWAY_TO)
		come_back(&cut);
	run_script(&cut, inputs);
	close_stages();
}

static void
run_cut(uint32_t seed, const struct record *before, size_t kept,
    uint64_t end_lsn)
{
	int64_t at_us = BEGAN_US;
	unsigned inputs = 0;
	bool away;

	memset(&cut, 0, sizeof(cut));
	for (size_t i = 0; i < kept; i++) {
		inputs += before[i].input;
		if (before[i].at_us > at_us)
			at_us = before[i].at_us;
	}
	away = inputs > AWAY_FROM && before[kept - 1].lsn < back_lsn;
	put_journal(kept, end_lsn);
	clock_fake_init(&world.clock, at_us);
	run_rest(inputs, away);
	assert_same(seed, kept, "decisions", cut.decisions, whole.decisions);
	assert_same(seed, kept, "sites", cut.sites, whole.sites);
	assert_same_messages(seed, before, kept);
	/* by the marks of the whole its queue was drained already */
	if (inputs <= AWAY_FROM || (away && kept % 2 == 0))
		assert_same(seed, kept, "queue", cut.drained, whole.drained);
}

static void
run_seed(uint32_t seed)
{
	static struct record before[RECORDS_MAX];
	size_t count;

	begin_world(seed);
	write_script(seed);
	run_whole();
	assert_true(whole.message_count > 0);
	count = record_count;
	memcpy(before, records, sizeof(before));
	world.checkpoint_us = 0;
	for (size_t kept = 1; kept < count; kept++)
		run_cut(seed, before, kept, before[kept].lsn);
	for (size_t i = 0; i < checkpoint_count; i++)
		free(checkpoints[i].bytes);
	free(segment.bytes);
	free(marks.bytes);
	open_stages();
	close_world();
}

static void
a_cut_anywhere_changes_nothing(void **state)
{
	const char *wanted = getenv("TOCSIN_REPLAY_SEEDS");
	uint32_t seeds = wanted ? (uint32_t)strtoul(wanted, NULL, 10) : 2;

	(void)state;
	for (uint32_t seed = 0; seed < seeds; seed++)
		run_seed(2 * seed + 1);
	assert_true(overtaken);
}

/* ---- what was in flight ------------------------------------------------------------- */

/* How many deliveries of the account ended, and whether the last one may have
 * been sent before. */
static unsigned
ended(const char *account, bool *ret_repeated)
{
	struct journal_cursor *cursor;
	struct journal_entry entry;
	struct outcome outcome;
	unsigned count = 0;
	struct err err;

	memset(&whole, 0, sizeof(whole));
	read_history(&whole);
	assert_int_equal(journal_cursor_open(&cursor, world.journal, 0, &err),
	    0);
	while (journal_cursor_next(cursor, &entry, &err) == 1) {
		if (entry.kind != JOURNAL_OUTCOME)
			continue;
		assert_int_equal(record_outcome_decode(entry.payload, &outcome,
				     &err),
		    0);
		if (strcmp(account_of(outcome.decision_lsn), account) != 0)
			continue;
		count++;
		*ret_repeated = outcome.repeated;
	}
	journal_cursor_close(&cursor);
	return count;
}

/* The urgent one is delivered, and older than any repeat that is remembered; what
 * it took along of its account is on its way when the process ends, and still
 * when the next one does. */
static void
a_follower_of_an_old_urgent_one_is_marked(void **state)
{
	static const enum peer_action answers[] = { PEER_ACK };
	bool repeated = false;

	(void)state;
	open_world("/tmp", &io_system);
	let_station(true);
	receive_from("ABCD", "120", SIGNAL_QUALIFIER_NEW, "9");
	wait_for(verdicts(VERDICT_ROUTED) == 1);
	advance(300);
	receive_from("DCBA", "301", SIGNAL_QUALIFIER_NEW, "9");
	receive_from("DCBA", "302", SIGNAL_QUALIFIER_NEW, "9");
	receive_from("ABCD", "301", SIGNAL_QUALIFIER_NEW, "9");
	wait_for(verdicts(VERDICT_ROUTED) == 4);
	advance(300);
	wait_for(decided());
	peer_script(&world.peer, answers, COUNT(answers), PEER_SILENT);
	let_station(false);
	wait_for(world.peer.messages == 2);
	assert_memory_equal(world.peer.last + ACCOUNT_AT, "0017", 4);
	for (unsigned i = 0; i < 2; i++) {
		close_stages();
		open_stages();
		let_station(true);
		wait_for(decided());
	}
	peer_script(&world.peer, NULL, 0, PEER_ACK);
	let_station(false);
	wait_for(settled());
	assert_int_equal(ended("0017", &repeated), 2);
	assert_true(repeated);
	/* the second one of the other account never was on its way */
	assert_int_equal(ended("0018", &repeated), 2);
	assert_false(repeated);
	close_world();
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_cut_anywhere_changes_nothing),
		cmocka_unit_test(a_follower_of_an_old_urgent_one_is_marked),
	};

	return cmocka_run_group_tests(tests, begin_worlds, end_worlds);
}
