/*
 * The journal is the seam and the truth: every stage meets the others here
 * and nowhere else. An append-only stream of records; an lsn is the byte
 * position of a record in that endless stream, so it is unique for ever and
 * leads straight to the record. Segment files are named by the first lsn they
 * hold. The bytes are the law of docs/JOURNAL-FORMAT.md.
 *
 *    ..........|=============|================|- - - - - - - - - -
 *    removed    oldest         durable          appended (in memory)
 *
 * Threads: append, durable, read and the cursors may be used by any thread
 * (a cursor by one at a time); open, start, close by one. One writer thread of
 * its own collects what was appended while the previous batch was written,
 * writes it with one pwritev and syncs once (one call where the file system can),
 * moves `durable`, and then signals the subscribers, the last one first.
 */
#ifndef JOURNAL_JOURNAL_H
#define JOURNAL_JOURNAL_H

#include <stdbool.h>
#include <stdint.h>

#include "base/clock.h"
#include "base/err.h"
#include "base/hash.h"
#include "base/io.h"
#include "base/slice.h"

/* On disk: never renumber. Payloads are in journal/record.h. */
enum journal_kind {
	JOURNAL_BOOT = 1,   /* a process began; first record after every open */
	JOURNAL_SIGNAL = 2, /* a frame was received */
	JOURNAL_DECISION = 3, /* what routing made of one of its events */
	JOURNAL_OUTCOME = 4,  /* a delivery ended, was parked or requeued */
};

#define JOURNAL_PAYLOAD_MAX 32768

struct journal_config {
	const char *node; /* name of this installation, in every event id */
	const char *directory;
	const char *second_directory; /* NULL: none */
	uint64_t segment_bytes;	      /* 64 MiB */
	uint64_t budget_bytes;	      /* of all segments together */
	int64_t
	    retention_us; /* finished segments are kept this long, at most */
	bool read_only;	  /* offline tools: no lock, no repair, no writer */
};

struct journal;

/*
 * Recover what is on disk: a torn tail is cut, corruption is quarantined (file
 * renamed *.quarantine, what verifies is copied on, journal_status tells). 0
 * or -errno with the reason. -EWOULDBLOCK: another process has it.
 */
int journal_open(struct journal **ret, const struct journal_config *config,
    const struct io *io, const struct clock *clock, struct err *err);
/* Appends the BOOT record and starts the writer. */
int journal_start(struct journal *journal, struct err *err);
/* Writes and syncs what was appended, stops the writer, frees. */
void journal_close(struct journal **journal);

/* The writer adds 1 to this eventfd after every batch that became durable and
 * when the journal fails. At most 31 subscribers, at any time, by one thread.
 * The descriptor is duplicated: the caller may close its own. */
int journal_subscribe(struct journal *journal, int event_fd);

/*
 * Copy one record into the batch being collected. Never blocks on the disk.
 *   0         *ret_lsn is its lsn; it is NOT durable yet
 *   -EAGAIN   the batch is full: wait for the next durable signal, try again.
 *             JOURNAL_SIGNAL meets this earlier than the other kinds, so that
 *             decisions and outcomes always get through a flood.
 *   -ENOSPC   JOURNAL_SIGNAL only: there is no room (enum journal_refusal)
 *   -EIO      the journal failed for good (journal_status says why)
 *   -EMSGSIZE payload over JOURNAL_PAYLOAD_MAX
 * received_* are stamped into the record as given.
 *
 * The writer begins at once, but where it has nothing but decisions and
 * outcomes it waits half a millisecond for a signal to come along: their sync
 * would delay the acknowledgement of the next signal by as long.
 */
int journal_append(struct journal *journal, enum journal_kind kind,
    int64_t received_wall_us, int64_t received_monotonic_us,
    struct slice payload, uint64_t *ret_lsn);
/* The same for one of several: the writer is not woken until journal_wake,
 * which must follow before the caller waits for anything, so that what came in
 * one turn is synced at once. */
int journal_collect(struct journal *journal, enum journal_kind kind,
    int64_t received_wall_us, int64_t received_monotonic_us,
    struct slice payload, uint64_t *ret_lsn);
void journal_wake(struct journal *journal);
/* A JOURNAL_SIGNAL of our own, such as that the journal is full: as with
 * journal_collect, but never refused where decisions are not. */
int journal_report(struct journal *journal, int64_t received_wall_us,
    int64_t received_monotonic_us, struct slice payload, uint64_t *ret_lsn);

/* Every record with lsn < this is on stable storage. */
uint64_t journal_durable(const struct journal *journal);

/* One record; slices borrow the cursor's or the caller's buffer. */
struct journal_entry {
	uint64_t lsn;
	uint64_t next_lsn;
	enum journal_kind kind;
	uint32_t boot; /* which process wrote it, 1.. */
	int64_t received_wall_us;
	int64_t received_monotonic_us; /* of that boot */
	struct slice payload;
};

/* Records in order, from lsn (0: the oldest) up to what is durable. */
struct journal_cursor;
int journal_cursor_open(struct journal_cursor **ret, struct journal *journal,
    uint64_t lsn, struct err *err);
void journal_cursor_close(struct journal_cursor **cursor);
/* 1: one record, valid until the next call on this cursor. 0: no more durable
 * now. -errno with the reason: unreadable or corrupt. */
int journal_cursor_next(struct journal_cursor *cursor,
    struct journal_entry *ret, struct err *err);
/* What the next call will give, if that is at hand already: for whoever wants to
 * have something fetched until then. Its payload goes when that is called. */
bool journal_cursor_ahead(const struct journal_cursor *cursor,
    struct journal_entry *ret);
/* The lsn the next call will read. */
uint64_t journal_cursor_position(const struct journal_cursor *cursor);

/*
 * One durable record by its lsn into buffer (JOURNAL_PAYLOAD_MAX + 64 bytes).
 * 0, -ENOENT (removed by retention, or no record starts there), -EIO.
 */
int journal_read(struct journal *journal, uint64_t lsn, void *buffer,
    struct journal_entry *ret, struct err *err);

/*
 * Who still needs what. A segment goes when every holder's floor has passed
 * it and it is older than the retention, or space is short. A holder that
 * never sets a floor holds nothing.
 */
enum journal_holder {
	JOURNAL_HOLDER_DISPATCH,
	JOURNAL_HOLDER_ARCHIVE
};
#define JOURNAL_HOLDERS 2
void journal_hold(struct journal *journal, enum journal_holder holder,
    uint64_t oldest_needed_lsn);

/* Random, made when the journal was, stored in every segment: the key of
 * everything that must hash alike after a restart. */
const struct hash_key *journal_hash_key(const struct journal *journal);
const char *journal_node(const struct journal *journal);

/* Why signals are refused. Decisions and outcomes are taken all the same, and
 * each of these ends by itself when there is room. */
enum journal_refusal {
	JOURNAL_TAKES,
	/* 95 % of the budget holds unfinished events */
	JOURNAL_BUDGET_SPENT,
	/* the disk takes no further segment: what is left of the last one is
	 * kept for decisions and outcomes */
	JOURNAL_ROOM_KEPT,
	/* not even they have room: records are held in memory, and nothing
	 * becomes durable until the disk takes them. Whoever waits for that
	 * to answer somebody should stop waiting. */
	JOURNAL_HOLDING,
};
const char *journal_refusal_text(enum journal_refusal refusal);

struct journal_status {
	uint64_t oldest_lsn, durable_lsn, appended_lsn;
	uint64_t bytes, budget_bytes; /* of all segments on disk */
	double unfinished_share;      /* of the budget, 0..1 */
	uint32_t boot;
	unsigned segments, quarantined;
	bool spare_ready; /* the next segment is prepared */
	uint64_t batches, records;
	int64_t last_sync_us,
	    slowest_sync_us;	 /* of writing one batch durably */
	int64_t sync_running_us; /* how long the present one has run; 0: none */
	enum journal_refusal refusal;
	int disk_full; /* 0, or the errno of making another segment */
	int failure;   /* 0, or the errno that ended it */
	char failure_text[256];
};
void journal_status(struct journal *journal, struct journal_status *ret);

/* How long batches took to be durable: bucket i counts those under journal_sync_bounds_us[i],
 * the last one the rest (Prometheus histogram). */
#define JOURNAL_SYNC_BUCKETS 12
extern const int64_t journal_sync_bounds_us[JOURNAL_SYNC_BUCKETS - 1];
void journal_sync_histogram(struct journal *journal,
    uint64_t ret_counts[JOURNAL_SYNC_BUCKETS], uint64_t *ret_sum_us);

#endif
