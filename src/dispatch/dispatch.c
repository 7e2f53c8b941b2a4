#include "dispatch/dispatch.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "base/array.h"
#include "base/hash.h"
#include "dispatch/internal.h"
#include "signal/codes.h"

/* Records in one turn of the main loop, so that links and timers get theirs. */
#define TURN_RECORDS 2048
/* After a turn with this many the next one waits a moment: many small turns
 * cost more than the records in them. */
#define BUSY_RECORDS 8
#define PACE_US	     1000
/* What is remembered of sites may hold so much of the journal, or this share of
 * what it may take, before a checkpoint is written for it. */
#define HELD_BYTES (1u << 20)
#define HELD_SHARE 0.25
/* A replay covers so much at least: minutes of bridges that run away. */
#define WINDOW_LEAST_US 120000000

const double dispatch_delivery_bounds_s[15] = { 0.001, 0.0025, 0.005, 0.01,
	0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 15, 60, 300 };

void
dispatch_state_path(const struct dispatch *dispatch, const char *name,
    char *out, size_t out_size)
{
	snprintf(out, out_size, "%s/%s", dispatch->config.state_directory,
	    name);
}

/* A turn comes within PACE_US, and wakes the writer. While the state is
 * rebuilt there is no turn yet, but the first follows at once. */
static void
soon(struct dispatch *dispatch)
{
	static const struct timeval pace = { .tv_usec = PACE_US };

	if (dispatch->again &&
	    !event_pending(dispatch->again, EV_TIMEOUT, NULL))
		event_add(dispatch->again, &pace);
}

int
dispatch_append_outcome(struct dispatch *dispatch,
    const struct outcome *outcome, uint64_t *ret_lsn)
{
	uint8_t payload[2048];
	int length = record_outcome_encode(outcome, payload, sizeof(payload));

	if (length < 0)
		return length;
	/* marks remember it until it is durable: the next turn is soon enough */
	soon(dispatch);
	return journal_collect(dispatch->journal, JOURNAL_OUTCOME,
	    clock_wall_us(dispatch->clock), clock_monotonic_us(dispatch->clock),
	    slice_of(payload, (size_t)length), ret_lsn);
}

/* ---- floor and checkpoint --------------------------------------------------- */

static uint64_t
least(uint64_t a, uint64_t b)
{
	return a < b ? a : b;
}

bool
dispatch_awaits_decisions(const struct dispatch *dispatch)
{
	return dispatch->appended_decision_lsn >=
	    journal_cursor_position(dispatch->cursor);
}

uint64_t
dispatch_floor(const struct dispatch *dispatch)
{
	uint64_t floor = journal_cursor_position(dispatch->cursor);

	if (dispatch->undecided.count > 0)
		floor = least(floor,
		    dispatch->undecided.ring[dispatch->undecided.head].lsn);
	if (dispatch_awaits_decisions(dispatch))
		floor = least(floor, dispatch->confirmed_signal_lsn);
	floor = least(floor, parked_oldest(&dispatch->parked));
	floor = least(floor, waiting_oldest(&dispatch->waiting));
	return least(floor, egress_oldest(dispatch->egress));
}

void
dispatch_place_stone(struct dispatch *dispatch,
    const struct journal_entry *entry)
{
	unsigned count = dispatch->stone_count;
	int64_t window_us = dispatch->config.repeat_window_us;
	int64_t spacing_us =
	    (window_us > WINDOW_LEAST_US ? window_us : WINDOW_LEAST_US) / 8;

	if (count > 0 &&
	    entry->received_wall_us <
		dispatch->stones[count - 1].received_us + spacing_us)
		return;
	if (count == WINDOW_STONES) {
		memmove(&dispatch->stones[0], &dispatch->stones[1],
		    sizeof(dispatch->stones) - sizeof(dispatch->stones[0]));
		count--;
	}
	dispatch->stones[count] =
	    (struct window_stone){ entry->received_wall_us, entry->lsn };
	dispatch->stone_count = count + 1;
}

/* The newest stone that is older than the repeat window, and than what counts of
 * bridges that run away. */
static uint64_t
window_begin(const struct dispatch *dispatch)
{
	int64_t now_us = clock_wall_us(dispatch->clock);
	int64_t begin_us = now_us - dispatch->config.repeat_window_us;
	int64_t needed_us = flood_needed_us(&dispatch->floods, now_us);
	uint64_t lsn = dispatch->stone_count > 0
	    ? dispatch->stones[0].lsn
	    : journal_cursor_position(dispatch->cursor);

	if (needed_us < begin_us)
		begin_us = needed_us;
	for (unsigned i = 0; i < dispatch->stone_count; i++)
		if (dispatch->stones[i].received_us < begin_us)
			lsn = dispatch->stones[i].lsn;
	return lsn;
}

static void
checkpoint_failed(const struct err *err)
{
	log_write(LOG_WARN, "dispatch", "checkpoint_failed",
	    "error=\"%s\" effect=\"the next start replays more\"", err->text);
}

/* What was written a while ago, and is on the disk by now. Not while a decision
 * that it knows of may still be lost: the next start would take its alarm for a
 * repeat of itself. */
static void
publish_checkpoint(struct dispatch *dispatch)
{
	bool needed =
	    dispatch->written_lsn != UINT64_MAX || dispatch->sites.count > 0;
	char path[512];
	struct err err;

	if (!dispatch->unpublished ||
	    dispatch->unpublished_newest_lsn >=
		journal_durable(dispatch->journal))
		return;
	dispatch_state_path(dispatch, "checkpoint", path, sizeof(path));
	dispatch->unpublished = false;
	if (checkpoint_publish(path, needed, &err) == 0)
		dispatch->written_lsn = UINT64_MAX;
	else
		checkpoint_failed(&err);
}

/* Urgent deliveries that are over, of whose accounts others may be on their way
 * out of order: a replay that sees them knows. */
static uint64_t
doubt_begin(const struct dispatch *dispatch)
{
	uint64_t lead = egress_lead(dispatch->egress);

	return egress_oldest(dispatch->egress) < dispatch->doubted_to_lsn
	    ? least(lead, dispatch->doubted_from_lsn)
	    : lead;
}

static uint64_t
replay_begin(const struct dispatch *dispatch)
{
	uint64_t lsn = least(dispatch_floor(dispatch), window_begin(dispatch));

	lsn = least(lsn, settling_oldest(&dispatch->settling));
	return least(lsn, doubt_begin(dispatch));
}

static void
write_checkpoint(struct dispatch *dispatch)
{
	const struct checkpoint checkpoint = {
		.replay_from_lsn = replay_begin(dispatch),
		.newest_lsn = dispatch->appended_decision_lsn,
		.numbers = &dispatch->numbers,
		.sites = &dispatch->sites,
	};
	char path[512];
	struct err err;

	dispatch_state_path(dispatch, "checkpoint", path, sizeof(path));
	if (checkpoint_write(path, journal_hash_key(dispatch->journal),
		&checkpoint, &err) < 0) {
		checkpoint_failed(&err);
		return;
	}
	dispatch->unpublished = true;
	dispatch->unpublished_newest_lsn = checkpoint.newest_lsn;
	dispatch->written_lsn =
	    least(dispatch->written_lsn, dispatch->fresh_lsn);
	dispatch->fresh_lsn = UINT64_MAX;
}

static struct loaded_memo *
memo_place(struct dispatch *dispatch, uint64_t decision_lsn)
{
	return &dispatch->memos[hash_number(decision_lsn) % MEMOS];
}

static int
load_delivery(void *context, struct egress_reference reference,
    struct delivery *ret, struct err *err)
{
	struct dispatch *dispatch = *(struct dispatch **)context;
	struct journal_entry entry;
	int result;

	result = journal_read(dispatch->journal, reference.decision_lsn,
	    dispatch->load_buffer, &entry, err);
	if (result == 0)
		result = record_decision_decode(entry.payload,
		    &dispatch->loaded, err);
	if (result < 0)
		return result;
	if (reference.index >= dispatch->loaded.delivery_count)
		return err_set(err, -ENOENT,
		    "decision %" PRIu64 " has no delivery %u",
		    (uint64_t)reference.decision_lsn,
		    (unsigned)reference.index);
	*ret = dispatch->loaded.deliveries[reference.index];
	*memo_place(dispatch, reference.decision_lsn) = (struct loaded_memo){
		.decision_lsn = reference.decision_lsn,
		.signal_lsn = dispatch->loaded.signal_lsn,
		.item = dispatch->loaded.item,
		/* what had to wait first is not late */
		.received_us = entry.received_wall_us,
	};
	return 0;
}

/* ---- reading the journal ------------------------------------------------- */

static int
handle_signal(struct dispatch *dispatch, const struct journal_entry *entry)
{
	struct undecided signal = {
		.lsn = entry->lsn,
		.received_us = entry->received_wall_us,
	};

	dispatch_place_stone(dispatch, entry);
	if (decide_signal(dispatch, entry, &signal) == 0)
		return 0;
	return undecided_push(&dispatch->undecided, &signal);
}

struct egress_reference
dispatch_reference(const struct dispatch *dispatch, uint64_t decision_lsn,
    unsigned index, const struct delivery *delivery, bool *ret_urgent)
{
	*ret_urgent = codes_is_life_safety(delivery->format, delivery->code);
	return (struct egress_reference){
		.decision_lsn = decision_lsn,
		.index = index & 15,
		.account =
		    (uint32_t)hash_bytes(journal_hash_key(dispatch->journal),
			delivery->account.data, delivery->account.length),
	};
}

/* Its conclusion is durable: the signal is not needed any more. */
static void
settled(struct dispatch *dispatch, const struct decision *decision)
{
	struct waiting *waiting = waiting_find(&dispatch->waiting,
	    decision->site_id, decision->signal_lsn, decision->item);

	if (waiting && decision->verdict != VERDICT_WAITING)
		waiting_remove(&dispatch->waiting, waiting);
}

static int
handle_decision(struct dispatch *dispatch, const struct journal_entry *entry,
    struct err *err)
{
	struct decision *decision = &dispatch->decision;

	if (record_decision_decode(entry->payload, decision, err) < 0)
		return -EINVAL;
	while (dispatch->enqueued < decision->delivery_count) {
		const struct delivery *delivery =
		    &decision->deliveries[dispatch->enqueued];
		bool urgent;
		struct egress_reference reference = dispatch_reference(dispatch,
		    entry->lsn, dispatch->enqueued, delivery, &urgent);

		if (egress_enqueue(dispatch->egress, delivery->receiver_id,
			reference, urgent) < 0)
			return -ENOMEM;
		dispatch->enqueued++;
	}
	dispatch->enqueued = 0;
	settling_decided(&dispatch->settling, decision);
	if (decision->flags & DECISION_CONCLUDES)
		settled(dispatch, decision);
	else
		dispatch->confirmed_signal_lsn = decision->signal_lsn;
	if (decision->verdict < COUNT(dispatch->status.verdicts))
		dispatch->status.verdicts[decision->verdict]++;
	dispatch->status.repeats += decision->verdict == VERDICT_REPEAT;
	return 0;
}

static struct parked_entry
parked_entry_of(const struct outcome *outcome, bool requeued)
{
	return (struct parked_entry){
		.decision_lsn = outcome->decision_lsn,
		.signal_lsn = outcome->signal_lsn,
		.receiver_id = outcome->receiver_id,
		.item = outcome->item,
		.index = outcome->index,
		.requeued = requeued,
	};
}

/* Behind what its account has waiting by now, as a replay would put it. What
 * cannot be read goes into the queue all the same: its link says so. */
static int
handle_requeued(struct dispatch *dispatch, const struct outcome *outcome)
{
	struct parked_entry entry = parked_entry_of(outcome, true);
	struct egress_reference reference = {
		.decision_lsn = outcome->decision_lsn,
		.index = outcome->index & 15,
	};
	struct delivery delivery;
	bool urgent = false;
	struct err err;

	if (parked_put(&dispatch->parked, &entry) < 0)
		return -ENOMEM;
	if (load_delivery(&dispatch, reference, &delivery, &err) == 0)
		reference = dispatch_reference(dispatch, outcome->decision_lsn,
		    outcome->index, &delivery, &urgent);
	return egress_enqueue(dispatch->egress, outcome->receiver_id, reference,
	    urgent);
}

static int
handle_outcome(struct dispatch *dispatch, const struct journal_entry *entry,
    struct err *err)
{
	struct outcome outcome;

	if (record_outcome_decode(entry->payload, &outcome, err) < 0)
		return -EINVAL;
	settling_ended(&dispatch->settling, &outcome);
	switch (outcome.state) {
	case OUTCOME_DELIVERED:
		dispatch->status.delivered++;
		if (dispatch->parked.count > 0)
			parked_remove(&dispatch->parked, outcome.decision_lsn,
			    outcome.index);
		return 0;
	case OUTCOME_PARKED:
		return 0; /* listed when it was parked */
	case OUTCOME_REQUEUED:
		return handle_requeued(dispatch, &outcome);
	case OUTCOME_SKIPPED:
		dispatch->status.skipped++;
		parked_remove(&dispatch->parked, outcome.decision_lsn,
		    outcome.index);
		return 0;
	}
	return 0;
}

static int
handle(struct dispatch *dispatch, const struct journal_entry *entry,
    struct err *err)
{
	switch (entry->kind) {
	case JOURNAL_BOOT:
		return 0;
	case JOURNAL_SIGNAL:
		return handle_signal(dispatch, entry);
	case JOURNAL_DECISION:
		return handle_decision(dispatch, entry, err);
	case JOURNAL_OUTCOME:
		return handle_outcome(dispatch, entry, err);
	}
	return 0;
}

/* The oldest signal that waits for a decision: 0, or -EAGAIN to wait on. */
static int
decide_waiting(struct dispatch *dispatch, struct err *err)
{
	struct undecided *signal = undecided_front(&dispatch->undecided);
	struct journal_entry entry;
	int result;

	if (signal->decided && !signal->armed_site_id) {
		undecided_pop(&dispatch->undecided);
		return 0;
	}
	result = journal_read(dispatch->journal, signal->lsn,
	    dispatch->read_buffer, &entry, err);
	if (result < 0)
		return result;
	result = decide_signal(dispatch, &entry, signal);
	if (result == 0)
		undecided_pop(&dispatch->undecided);
	return result;
}

/* Out of memory for a queue: read the same record again next time. */
static int
step_back(struct dispatch *dispatch, uint64_t lsn, struct err *err)
{
	struct journal_cursor *cursor;
	int result = journal_cursor_open(&cursor, dispatch->journal, lsn, err);

	if (result < 0)
		return result;
	journal_cursor_close(&dispatch->cursor);
	dispatch->cursor = cursor;
	return -ENOMEM;
}

/* Each sender's memory of repeats is somewhere else in a large table: it comes
 * while the record before is worked on. */
static void
look_ahead(const struct dispatch *dispatch)
{
	struct journal_entry ahead;

	if (journal_cursor_ahead(dispatch->cursor, &ahead) &&
	    ahead.kind == JOURNAL_SIGNAL)
		repeat_expect(&dispatch->repeats,
		    record_signal_sender(ahead.payload));
}

/* 1: did something, 0: nothing to do now, -errno: cannot go on. */
static int
step(struct dispatch *dispatch, struct err *err)
{
	struct journal_entry entry;
	int result;

	if (dispatch->undecided.count > 0) {
		result = decide_waiting(dispatch, err);
		return result == 0 ? 1 : result == -EAGAIN ? 0 : result;
	}
	result = journal_cursor_next(dispatch->cursor, &entry, err);
	if (result <= 0)
		return result;
	look_ahead(dispatch);
	result = handle(dispatch, &entry, err);
	if (result == -ENOMEM) {
		err_set(err, result, "no memory for the record at %" PRIu64,
		    entry.lsn);
		result = step_back(dispatch, entry.lsn, err);
	}
	return result < 0 ? result : 1;
}

/* Sleep until the journal moves, or while it moves fast for PACE_US. */
static void
pause_between_turns(struct dispatch *dispatch, unsigned records)
{
	bool busy = records >= BUSY_RECORDS;

	if (busy)
		soon(dispatch);
	if (busy != dispatch->busy) {
		if (busy)
			event_del(dispatch->wake);
		else
			event_add(dispatch->wake, NULL);
	}
	dispatch->busy = busy;
}

/* What lack of memory or descriptors stopped goes on a little later; anything
 * else only after a restart has looked through the journal. */
static void
interrupted(struct dispatch *dispatch, int error, const struct err *err)
{
	static const struct timeval soon = { .tv_sec = 1 };

	dispatch->broken =
	    error != -ENOMEM && error != -EMFILE && error != -ENFILE;
	if (dispatch->broken)
		event_del(dispatch->wake);
	else
		event_add(dispatch->again, &soon);
	log_write(LOG_ERROR, "dispatch",
	    dispatch->broken ? "stopped" : "interrupted", "error=\"%s\"",
	    err->text);
}

/* Wake when the first that waits is due, or a bridge that ran away is told; one
 * that is due already waits for room in the journal, or for what was appended
 * before, which the next turn finds. */
static void
wait_for_due(struct dispatch *dispatch)
{
	const struct waiting *first = waiting_first(&dispatch->waiting);
	int64_t flood_us = flood_next_us(&dispatch->floods);
	int64_t rest_us = INT64_MAX;
	struct timeval rest;

	if (flood_us != INT64_MAX)
		rest_us = flood_us - clock_wall_us(dispatch->clock);
	if (first &&
	    first->due_us - clock_monotonic_us(dispatch->clock) < rest_us)
		rest_us = first->due_us - clock_monotonic_us(dispatch->clock);
	if (rest_us == INT64_MAX)
		return;
	if (rest_us < PACE_US)
		rest_us = PACE_US;
	rest.tv_sec = rest_us / 1000000;
	rest.tv_usec = rest_us % 1000000;
	event_add(dispatch->due, &rest);
}

/* The records that hold it are of no other use. */
static bool
memory_holds_journal(const struct dispatch *dispatch, uint64_t floor,
    uint64_t memory_lsn)
{
	struct journal_status status;

	if (memory_lsn >= floor || floor - memory_lsn < HELD_BYTES)
		return false;
	journal_status(dispatch->journal, &status);
	return status.unfinished_share > HELD_SHARE;
}

static void
hold_journal(struct dispatch *dispatch)
{
	uint64_t floor = dispatch_floor(dispatch);
	uint64_t memory_lsn = least(dispatch->fresh_lsn, dispatch->written_lsn);

	if (memory_holds_journal(dispatch, floor, memory_lsn)) {
		if (!dispatch->unpublished)
			write_checkpoint(dispatch);
		publish_checkpoint(dispatch);
		memory_lsn = least(dispatch->fresh_lsn, dispatch->written_lsn);
	}
	journal_hold(dispatch->journal, JOURNAL_HOLDER_DISPATCH,
	    least(floor, memory_lsn));
}

/* Not event_active, which comes back before anything else has its turn. */
static const struct timeval at_once = { 0, 0 };

static void
turn(evutil_socket_t fd, short what, void *context)
{
	struct dispatch *dispatch = context;
	struct err err = { "" };
	unsigned records = 0;
	eventfd_t count;
	int result;

	(void)fd;
	(void)what;
	if (dispatch->broken)
		return;
	/* before the journal is read: what becomes durable from here on will
	 * wake us again */
	eventfd_read(dispatch->wake_fd, &count);
	dispatch->conclusions_left = TURN_CONCLUSIONS;
	directory_thread_online();
	while ((result = step(dispatch, &err)) == 1 && ++records < TURN_RECORDS)
		;
	if (result == 0)
		conclude_due(dispatch);
	if (result == 0)
		runaway_tell(dispatch, clock_wall_us(dispatch->clock));
	settle_pass_fences(dispatch);
	if (dispatch->undecided.count == 0)
		dispatch->sites.position_lsn =
		    journal_cursor_position(dispatch->cursor);
	directory_thread_offline();
	wait_for_due(dispatch);
	journal_wake(dispatch->journal);
	hold_journal(dispatch);
	if (result == 1 || (result == 0 && dispatch->conclusions_left == 0)) {
		event_add(dispatch->again, &at_once);
	} else if (result == 0) {
		pause_between_turns(dispatch, records);
	} else {
		interrupted(dispatch, result, &err);
	}
}

/* ---- what egress asks and tells ------------------------------------------- */

/* What the outcome record of a delivery repeats of its decision: from the
 * memo of the last loads, else from the journal. */
static int
recall_loaded(struct dispatch *dispatch, struct egress_reference reference,
    struct loaded_memo *ret)
{
	struct loaded_memo *memo = memo_place(dispatch, reference.decision_lsn);
	struct delivery delivery;
	struct err err;

	if (memo->decision_lsn != reference.decision_lsn &&
	    load_delivery(&dispatch, reference, &delivery, &err) < 0)
		return -ENOENT;
	*ret = *memo;
	return 0;
}

static void
count_delivery(struct dispatch *dispatch, int64_t received_us)
{
	double seconds =
	    (double)(clock_wall_us(dispatch->clock) - received_us) / 1e6;
	unsigned bucket = 0;

	while (bucket < COUNT(dispatch_delivery_bounds_s) &&
	    seconds > dispatch_delivery_bounds_s[bucket])
		bucket++;
	dispatch->status.delivery_buckets[bucket]++;
	dispatch->status.delivery_sum_s += seconds;
}

static int
delivery_done(void *context, const struct egress_result *result)
{
	struct dispatch *dispatch = *(struct dispatch **)context;
	struct loaded_memo memo = { 0 };
	int code = recall_loaded(dispatch, result->reference, &memo);
	struct outcome outcome = {
		.decision_lsn = result->reference.decision_lsn,
		.index = (uint8_t)result->reference.index,
		.state = result->state,
		.signal_lsn = memo.signal_lsn,
		.item = memo.item,
		.receiver_id = result->receiver_id,
		.attempts = result->attempts,
		.repeated = result->repeated,
		.endpoint = result->endpoint,
		.reason = result->reason,
		.sent_as = result->sent_as,
	};
	struct parked_entry entry = parked_entry_of(&outcome, false);

	if (result->state == OUTCOME_PARKED &&
	    parked_put(&dispatch->parked, &entry) < 0)
		return -EAGAIN;
	if (result->state == OUTCOME_DELIVERED &&
	    mark_write(&dispatch->marks, outcome.decision_lsn, outcome.index) <
		0)
		log_limited(&dispatch->mark_limit, LOG_WARN, "dispatch",
		    "mark_failed",
		    "effect=\"a kill now may repeat a delivery\"");
	code = dispatch_append_outcome(dispatch, &outcome, &entry.outcome_lsn);
	if (code == -EAGAIN)
		return code;
	if (result->state == OUTCOME_PARKED)
		parked_put(&dispatch->parked, &entry); /* it has its place */
	/* a journal that failed for good cannot stop deliveries: the marks
	 * remember them */
	if (result->state == OUTCOME_DELIVERED && memo.received_us > 0)
		count_delivery(dispatch, memo.received_us);
	return 0;
}

static void
event_id(void *context, struct egress_reference reference,
    char ret[EGRESS_EVENT_SIZE])
{
	struct dispatch *dispatch = *(struct dispatch **)context;
	struct loaded_memo memo;

	ret[0] = '\0';
	if (recall_loaded(dispatch, reference, &memo) == 0)
		record_event_id_format(journal_node(dispatch->journal),
		    memo.signal_lsn, memo.item, ret);
}

struct egress_callbacks
dispatch_egress_callbacks(struct dispatch **slot)
{
	return (struct egress_callbacks){ load_delivery, delivery_done,
		event_id, slot };
}

/* ---- life ------------------------------------------------------------------- */

static void
tick(evutil_socket_t fd, short what, void *context)
{
	(void)fd;
	(void)what;
	publish_checkpoint(context);
	write_checkpoint(context);
}

static int
open_events(struct dispatch *dispatch, struct event_base *base, struct err *err)
{
	struct timeval every = {
		.tv_sec = dispatch->config.checkpoint_us / 1000000,
		.tv_usec = dispatch->config.checkpoint_us % 1000000,
	};

	dispatch->wake_fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
	if (dispatch->wake_fd < 0)
		return err_set_errno(err, "cannot create an eventfd");
	dispatch->wake = event_new(base, dispatch->wake_fd,
	    EV_READ | EV_PERSIST, turn, dispatch);
	dispatch->again = event_new(base, -1, 0, turn, dispatch);
	dispatch->tick = event_new(base, -1, EV_PERSIST, tick, dispatch);
	dispatch->due = event_new(base, -1, 0, turn, dispatch);
	if (!dispatch->wake || !dispatch->again || !dispatch->tick ||
	    !dispatch->due)
		return err_set(err, -ENOMEM, "no memory for dispatch events");
	event_add(dispatch->wake, NULL);
	if (dispatch->config.checkpoint_us > 0)
		event_add(dispatch->tick, &every);
	event_active(dispatch->again, EV_TIMEOUT, 0);
	if (journal_subscribe(dispatch->journal, dispatch->wake_fd) < 0)
		return err_set(err, -ENOSPC,
		    "the journal has too many subscribers");
	return 0;
}

int
dispatch_open(struct dispatch **ret, struct event_base *base,
    const struct dispatch_config *config, struct journal *journal,
    struct directory *directory, const struct clock *clock,
    struct egress *egress, struct err *err)
{
	struct dispatch *dispatch = calloc(1, sizeof(*dispatch));
	int result;

	if (!dispatch)
		return err_set(err, -ENOMEM, "no memory for dispatch");
	*ret = dispatch; /* egress may call back before this returns */
	dispatch->config = *config;
	dispatch->journal = journal;
	dispatch->directory = directory;
	dispatch->clock = clock;
	dispatch->egress = egress;
	dispatch->wake_fd = -1;
	dispatch->marks.fd = -1;
	dispatch->fresh_lsn = UINT64_MAX;
	dispatch->written_lsn = UINT64_MAX;
	result = repeat_open(&dispatch->repeats, config->repeat_slots,
	    config->repeat_window_us);
	if (result == 0)
		result = undecided_open(&dispatch->undecided);
	if (result == 0)
		result = waiting_open(&dispatch->waiting);
	if (result == 0)
		result = settling_open(&dispatch->settling);
	if (result == 0)
		result = flood_open(&dispatch->floods, config->runaway_limit);
	if (result < 0)
		err_set(err, result, "no memory for dispatch's tables");
	if (result == 0)
		result = replay_run(dispatch, err);
	if (result == 0) {
		dispatch->replayed = true;
		write_checkpoint(dispatch);
		publish_checkpoint(dispatch);
		result = open_events(dispatch, base, err);
	}
	if (result < 0)
		dispatch_close(ret);
	return result;
}

void
dispatch_close(struct dispatch **slot)
{
	struct dispatch *dispatch = *slot;

	if (!dispatch)
		return;
	*slot = NULL;
	if (dispatch->replayed) {
		write_checkpoint(dispatch);
		publish_checkpoint(dispatch);
	}
	if (dispatch->wake)
		event_free(dispatch->wake);
	if (dispatch->again)
		event_free(dispatch->again);
	if (dispatch->tick)
		event_free(dispatch->tick);
	if (dispatch->due)
		event_free(dispatch->due);
	if (dispatch->wake_fd >= 0)
		close(dispatch->wake_fd);
	journal_cursor_close(&dispatch->cursor);
	mark_close(&dispatch->marks);
	parked_close(&dispatch->parked);
	number_close(&dispatch->numbers);
	repeat_close(&dispatch->repeats);
	site_states_close(&dispatch->sites);
	waiting_close(&dispatch->waiting);
	settling_close(&dispatch->settling);
	flood_close(&dispatch->floods);
	free(dispatch->undecided.ring);
	free(dispatch);
}

/* ---- operators --------------------------------------------------------------- */

struct receiver_search {
	const char *name;
	uint64_t id;
	char found_name[128];
};

static void
match_receiver(void *context, const struct directory_receiver *receiver)
{
	struct receiver_search *search = context;

	if (search->name ? strcmp(receiver->name, search->name) == 0
			 : receiver->id == search->id) {
		search->id = receiver->id;
		snprintf(search->found_name, sizeof(search->found_name), "%s",
		    receiver->name);
	}
}

static void
find_receiver(struct dispatch *dispatch, struct receiver_search *search)
{
	directory_thread_online();
	directory_receivers_each(dispatch->directory, match_receiver, search);
	directory_thread_offline();
}

/* A parked one is to be put back or given up: it counts as on its way until
 * that is read back. */
static int
release(struct dispatch *dispatch, struct parked_entry *entry,
    enum outcome_state state, struct slice reason)
{
	struct outcome outcome = {
		.decision_lsn = entry->decision_lsn,
		.index = entry->index,
		.state = state,
		.signal_lsn = entry->signal_lsn,
		.item = entry->item,
		.receiver_id = entry->receiver_id,
		.reason = reason,
	};
	uint64_t lsn;
	int result = dispatch_append_outcome(dispatch, &outcome, &lsn);

	if (result == 0) {
		entry->requeued = true;
		dispatch->parked.requeued++;
	}
	return result;
}

int
dispatch_replay_parked(struct dispatch *dispatch, const char *receiver,
    const char *who, struct err *err)
{
	struct receiver_search search = { .name = receiver };
	int count = 0;

	if (receiver) {
		find_receiver(dispatch, &search);
		if (search.id == 0)
			return err_set(err, -ENOENT, "no receiver '%s'",
			    receiver);
	}
	for (size_t i = 0; i < dispatch->parked.count; i++) {
		struct parked_entry *entry = &dispatch->parked.entries[i];
		int result;

		/* what is not recorded as parked cannot be put back */
		if (entry->requeued || entry->outcome_lsn == 0 ||
		    (receiver && entry->receiver_id != search.id))
			continue;
		result = release(dispatch, entry, OUTCOME_REQUEUED,
		    slice_from_string(who));
		if (result < 0)
			return err_set(err, result,
			    "%d put back, then the journal refused: try again",
			    count);
		count++;
	}
	return count;
}

struct skipping {
	struct dispatch *dispatch;
	struct slice reason;
};

static int
skip_queued(void *context, uint64_t receiver_id,
    struct egress_reference reference)
{
	struct skipping *skipping = context;
	struct loaded_memo memo = { 0 };
	struct outcome outcome = {
		.decision_lsn = reference.decision_lsn,
		.index = reference.index,
		.state = OUTCOME_SKIPPED,
		.receiver_id = receiver_id,
		.reason = skipping->reason,
	};
	uint64_t lsn;

	/* what cannot be read any more is given up all the same */
	if (recall_loaded(skipping->dispatch, reference, &memo) == 0) {
		outcome.signal_lsn = memo.signal_lsn;
		outcome.item = memo.item;
	}
	return dispatch_append_outcome(skipping->dispatch, &outcome, &lsn);
}

static bool
is_of(struct dispatch *dispatch, const struct parked_entry *entry,
    const struct receiver_search *wanted)
{
	struct receiver_search search = { .id = entry->receiver_id };

	if (wanted->name)
		return entry->receiver_id == wanted->id;
	find_receiver(dispatch, &search);
	return search.found_name[0] == '\0';
}

static int
skip_parked(struct dispatch *dispatch, const struct receiver_search *wanted,
    struct slice reason)
{
	int count = 0;

	for (size_t i = 0; i < dispatch->parked.count; i++) {
		struct parked_entry *entry = &dispatch->parked.entries[i];
		int result;

		if (entry->requeued || entry->outcome_lsn == 0 ||
		    !is_of(dispatch, entry, wanted))
			continue;
		result = release(dispatch, entry, OUTCOME_SKIPPED, reason);
		if (result < 0)
			return result;
		count++;
	}
	return count;
}

int
dispatch_skip(struct dispatch *dispatch, const char *receiver, const char *why,
    struct dispatch_skipped *ret, struct err *err)
{
	struct skipping skipping = { dispatch, slice_from_string(why) };
	struct receiver_search wanted = { .name = receiver };
	int queued, parked;

	*ret = (struct dispatch_skipped){ 0 };
	queued =
	    egress_skip(dispatch->egress, receiver, skip_queued, &skipping);
	if (receiver)
		find_receiver(dispatch, &wanted);
	if (queued == -ENOENT)
		return err_set(err, queued, "no link '%s'", receiver);
	ret->delivering = queued == -EBUSY;
	parked = skip_parked(dispatch, &wanted, skipping.reason);
	ret->queued = queued > 0 ? (unsigned)queued : 0;
	ret->parked = parked > 0 ? (unsigned)parked : 0;
	if ((queued < 0 && queued != -EBUSY) || parked < 0)
		return err_set(err, -EAGAIN,
		    "the journal refused some of them: try again");
	return 0;
}

bool
dispatch_idle(const struct dispatch *dispatch)
{
	struct journal_status status;

	journal_status(dispatch->journal, &status);
	return dispatch->undecided.count == 0 && dispatch->waiting.count == 0 &&
	    journal_cursor_position(dispatch->cursor) == status.appended_lsn &&
	    egress_queued(dispatch->egress) == 0;
}

void
dispatch_on_settled(struct dispatch *dispatch, dispatch_settled_fn fn,
    void *context)
{
	dispatch->settling.fn = fn;
	dispatch->settling.context = context;
}

bool
dispatch_broken(const struct dispatch *dispatch)
{
	return dispatch->broken;
}

const struct site_states *
dispatch_sites(const struct dispatch *dispatch)
{
	return &dispatch->sites;
}

void
dispatch_status(const struct dispatch *dispatch, struct dispatch_status *ret)
{
	uint64_t durable = journal_durable(dispatch->journal);

	*ret = dispatch->status;
	ret->position_lsn = journal_cursor_position(dispatch->cursor);
	ret->lag_bytes =
	    durable > ret->position_lsn ? durable - ret->position_lsn : 0;
	ret->unsettled_now = dispatch->settling.count;
	ret->parked_now = dispatch->parked.count - dispatch->parked.requeued;
	ret->waiting_now = dispatch->waiting.heap_count;
}

static void
show_parked_delivery(struct dispatch *dispatch,
    const struct parked_entry *entry, struct json *json)
{
	struct egress_reference reference = {
		.decision_lsn = entry->decision_lsn,
		.index = entry->index & 15,
	};
	struct delivery delivery;
	struct err err;

	if (load_delivery(&dispatch, reference, &delivery, &err) < 0) {
		json_string(json, "problem", err.text);
		return;
	}
	json_slice(json, "account", delivery.account);
	json_string(json, "code", delivery.code);
	json_slice(json, "zone", delivery.zone);
	json_time(json, "received_at", delivery.received_us);
}

static void
show_parked_reason(struct dispatch *dispatch, const struct parked_entry *entry,
    struct json *json)
{
	struct journal_entry record;
	struct outcome outcome;
	struct err err;

	if (journal_read(dispatch->journal, entry->outcome_lsn,
		dispatch->load_buffer, &record, &err) == 0 &&
	    record_outcome_decode(record.payload, &outcome, &err) == 0)
		json_slice(json, "reason", outcome.reason);
	else
		json_string(json, "problem", err.text);
}

void
dispatch_show_parked(struct dispatch *dispatch, struct json *json,
    unsigned limit)
{
	uint64_t durable = journal_durable(dispatch->journal);
	char id[RECORD_EVENT_ID_SIZE];

	for (size_t i = 0; i < dispatch->parked.count && limit > 0; i++) {
		const struct parked_entry *entry = &dispatch->parked.entries[i];
		struct receiver_search search = { .id = entry->receiver_id };

		/* why it is parked can be read once that is durable */
		if (entry->requeued || entry->outcome_lsn >= durable)
			continue;
		limit--;
		find_receiver(dispatch, &search);
		json_object_begin(json, NULL);
		json_string(json, "event",
		    record_event_id_format(journal_node(dispatch->journal),
			entry->signal_lsn, entry->item, id));
		json_string(json, "receiver", search.found_name);
		json_unsigned(json, "receiver_id", entry->receiver_id);
		show_parked_delivery(dispatch, entry, json);
		show_parked_reason(dispatch, entry, json);
		json_object_end(json);
	}
}
