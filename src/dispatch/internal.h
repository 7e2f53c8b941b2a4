/* What the files of dispatch share; nobody else includes this. */
#ifndef DISPATCH_INTERNAL_H
#define DISPATCH_INTERNAL_H

#include "base/log.h"
#include "dispatch/checkpoint.h"
#include "dispatch/dispatch.h"
#include "dispatch/flood.h"
#include "dispatch/mark.h"
#include "dispatch/number.h"
#include "dispatch/open_list.h"
#include "dispatch/parked.h"
#include "dispatch/repeat.h"
#include "dispatch/settling.h"
#include "dispatch/waiting.h"
#include "journal/record.h"
#include "routing/routing.h"
#include "routing/site_state.h"

#define RECORD_BUFFER_BYTES (JOURNAL_PAYLOAD_MAX + 64)
#define WINDOW_STONES	    16

/* A signal some of whose events are not decided yet. */
struct undecided {
	uint64_t lsn;
	uint64_t sender, fingerprint;
	int64_t received_us;
	uint16_t items, next_item;
	bool awaited; /* its sender is answered when it is settled */
	bool judged;  /* repeat is known */
	bool repeat;
	bool decided; /* in a replay: all of them are */
	/* the site that it armed or disarmed: what waits there is concluded
	 * before anything else is decided; 0: none */
	uint64_t armed_site_id;
};

/* Ring of signals waiting for their decision, in journal order. */
struct undecided_queue {
	struct undecided *ring;
	size_t size, head, count;
};

/* "At this time the journal stood here": where a replay that must rebuild the
 * repeat window has to begin. */
struct window_stone {
	int64_t received_us;
	uint64_t lsn;
};

/* Of a delivery that egress loaded lately: what its outcome will say again. */
struct loaded_memo {
	uint64_t decision_lsn, signal_lsn;
	int64_t received_us;
	uint16_t item;
};
#define MEMOS 1024

/* A resend to be answered when every older signal is settled. */
struct fence {
	uint64_t lsn;
	uint64_t decision_lsn; /* older ones are decided up to here, or wait */
	uint64_t end_lsn;      /* their deliveries are; 0: not known yet */
};
#define FENCES 256
struct fence_queue {
	struct fence ring[FENCES]; /* the oldest first */
	size_t head, count;
};

struct dispatch {
	struct dispatch_config config;
	struct journal *journal;
	struct directory *directory;
	const struct clock *clock;
	struct egress *egress;
	struct journal_cursor *cursor;

	int wake_fd;
	struct event *wake;  /* the journal moved */
	struct event *again; /* more to read than one turn takes, or soon */
	bool busy;	     /* `again` comes soon; `wake` is not added */
	struct event *tick;  /* checkpoint */
	struct event *due;   /* the first that waits is */

	struct repeat_table repeats;
	struct number_table numbers;
	struct parked_list parked;
	struct mark_file marks;
	struct undecided_queue undecided;
	struct settling_list settling;
	struct fence_queue fences;
	struct flood_table floods;
	struct site_states sites;
	struct waiting_list waiting;
	unsigned conclusions_left; /* in this turn */
	/* What was appended before due_lsn was received before due_at_us. */
	uint64_t due_lsn;
	int64_t due_at_us; /* monotonic */
	/* monotonic minus wall: changes when the wall clock is set, not when it
	 * is slewed, so that what is due in an order stays in it */
	int64_t clock_offset_us;
	/* The oldest signals that changed what is remembered of sites and stand in
	 * no checkpoint, and only in the one that is not published yet. Their
	 * records are the only durable memory of that. UINT64_MAX: none. */
	uint64_t fresh_lsn, written_lsn;
	bool unpublished; /* a checkpoint was written and is not in its place */
	uint64_t unpublished_newest_lsn; /* it has the effects up to this one */
	/* Decisions up to this one were appended; until they are read back no
	 * signal from confirmed_signal_lsn on may go. */
	uint64_t appended_decision_lsn;
	uint64_t confirmed_signal_lsn;
	unsigned enqueued; /* deliveries of the present decision queued */
	/* Of what was undelivered at the start, decided before doubted_to_lsn,
	 * some is marked repeated because of urgent ones that the replay saw from
	 * doubted_from_lsn on. 0: none. */
	uint64_t doubted_from_lsn, doubted_to_lsn;
	struct window_stone stones[WINDOW_STONES]; /* oldest first */
	unsigned stone_count;
	bool replayed; /* the state is whole: a checkpoint may be written */
	bool broken;   /* the journal cannot be read on; said once */

	struct dispatch_status status;
	struct log_limit mark_limit;
	struct loaded_memo memos[MEMOS];

	/* one of each, so that nothing large is on the stack or allocated */
	struct record_signal signal;
	struct decision decision;
	struct decision loaded;
	struct routing_scratch scratch;
	uint8_t payload[JOURNAL_PAYLOAD_MAX];
	uint8_t read_buffer[RECORD_BUFFER_BYTES];
	uint8_t load_buffer[RECORD_BUFFER_BYTES];
	uint8_t conclude_buffer[RECORD_BUFFER_BYTES];
};

/* Room for the first ones, so that taking one signal never fails. */
int undecided_open(struct undecided_queue *queue);
int undecided_push(struct undecided_queue *queue,
    const struct undecided *signal);
/* NULL when it is not there */
struct undecided *undecided_find(struct undecided_queue *queue, uint64_t lsn);
/* NULL when empty */
struct undecided *undecided_front(struct undecided_queue *queue);
void undecided_pop(struct undecided_queue *queue);
/* What its record says. */
void undecided_describe(struct undecided *signal,
    const struct record_signal *record);

/*
 * Decide what is left of one signal and append the decisions. 0: all of it;
 * -EAGAIN: the journal is full for now, or -ENOMEM; signal->next_item says how
 * far it got.
 */
int decide_signal(struct dispatch *dispatch, const struct journal_entry *entry,
    struct undecided *signal);

/*
 * Number it, append it, and have its effects. stamp: the record's times, and in
 * lsn the oldest signal whose decision a power cut could take with it. 0,
 * -ENOMEM, or -EAGAIN: the journal is full for now, nothing happened.
 */
int decide_commit(struct dispatch *dispatch, const struct journal_entry *stamp,
    struct decision *decision);
/* A record that cannot be read must end somewhere that people look. */
void decide_unreadable(struct decision *decision, const struct err *err);
bool decide_has_effect(const struct decision *decision, enum effect_kind kind);
/* It was the whole message that came again. */
bool decide_is_repeat(const struct decision *decision);

/* Of one turn, so that links and timers get theirs. */
#define TURN_CONCLUSIONS 256

/* Decide again what was to wait until this signal came, as at the end of its
 * wait. 0 or as decide_commit; -EAGAIN too when a turn has no more of them. */
int conclude_before(struct dispatch *dispatch,
    const struct journal_entry *entry);
/* The same of what is due now, once all that was received before is decided. */
int conclude_due(struct dispatch *dispatch);
/* The signal armed or disarmed a site: what waits in it may have to wait no
 * longer. 0 or as conclude_before; called again it goes on. */
int conclude_early(struct dispatch *dispatch, const struct undecided *signal);
/* After a decision with the effect EFFECT_WAIT: it waits, the rest of its time
 * by the monotonic clock. After waiting_reserve. */
void conclude_later(struct dispatch *dispatch, const struct decision *decision,
    int64_t received_us);

/* Was it taken already? Remembers it, and answers its sender or notes who is to
 * be. Once for each signal that is decided here. */
bool settle_judge(struct dispatch *dispatch, const struct undecided *signal);
/* After records were read, or deliveries ended. */
void settle_pass_fences(struct dispatch *dispatch);

/* Count it for its bridge, live and in a replay. */
void runaway_note(struct dispatch *dispatch, const struct decision *decision,
    int64_t received_us);
/* The record is a summary that was told before. */
bool runaway_is_summary(const struct record_signal *record);
/* Tell of bridges whose minute is over by this time: how many of their events
 * were cut. What has no room in the journal is told a little later. */
void runaway_tell(struct dispatch *dispatch, int64_t at_us);

/* Rebuild the state from checkpoint and journal; leaves the cursor at the
 * end. */
int replay_run(struct dispatch *dispatch, struct err *err);

/* Where a delivery stands, for egress's queues; *ret_urgent: life safety. */
struct egress_reference dispatch_reference(const struct dispatch *dispatch,
    uint64_t decision_lsn, unsigned index, const struct delivery *delivery,
    bool *ret_urgent);
/* Some decision was appended and not read back, so it may not be durable. */
bool dispatch_awaits_decisions(const struct dispatch *dispatch);
/* The lsn that dispatch still needs everything from. */
uint64_t dispatch_floor(const struct dispatch *dispatch);
/* Remember where the journal stood, for the next checkpoint. */
void dispatch_place_stone(struct dispatch *dispatch,
    const struct journal_entry *entry);
/* Append an outcome record; 0 or as journal_append. */
int dispatch_append_outcome(struct dispatch *dispatch,
    const struct outcome *outcome, uint64_t *ret_lsn);
/* Path of a file in the state directory. */
void dispatch_state_path(const struct dispatch *dispatch, const char *name,
    char *out, size_t out_size);

#endif
