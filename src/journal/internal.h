/*
 * What the files of this folder share. Three locks, never two at once:
 *
 *   append_lock  the batch being collected, the next lsn
 *   table_lock   which segments there are, the spare, the floors
 *   read_lock    the descriptors that journal_read keeps open
 *
 * The writer thread alone owns what stands under "writer".
 */
#ifndef JOURNAL_INTERNAL_H
#define JOURNAL_INTERNAL_H

#include <pthread.h>
#include <stdatomic.h>

#include "journal/journal.h"
#include "journal/scan.h"
#include "journal/segment.h"
#include "journal/window.h"

/* Of one batch; one is collected while one is written, and readers have the
 * rest of the window. */
#define JOURNAL_BATCH_BYTES	(WINDOW_BYTES / 4)
#define JOURNAL_SEGMENT_MINIMUM (64u << 10)
#define JOURNAL_SEGMENT_MAXIMUM (1u << 30)
#define JOURNAL_SUBSCRIBERS_MAX 32
#define JOURNAL_READ_SLOTS	8
/* New segments that one batch can begin. */
#define JOURNAL_SPLITS_MAX                                                     \
 (JOURNAL_BATCH_BYTES / (JOURNAL_SEGMENT_MINIMUM / 2) + 2)
#define JOURNAL_OPEN_END UINT64_MAX

struct segment {
	uint64_t first_lsn;
	uint64_t end_lsn; /* of what is valid; JOURNAL_OPEN_END: the last */
	uint64_t bytes;
	int64_t created_wall_us;
	unsigned directory;
	/* read-only: damage is stepped over instead of repaired; owned */
	struct hole *holes;
	unsigned hole_count;
};

/*
 * A stretch of the window:
 *
 *   |== records ==|= END =|== records of the next segment ==|- room -|
 *   start_lsn             + splits[0]                       + used
 */
struct batch {
	size_t used;
	uint64_t start_lsn;
	bool pressing; /* holds more than decisions and outcomes */
	unsigned split_count;
	size_t splits[JOURNAL_SPLITS_MAX];
};

/* What the writer waits for. */
enum writer_wait {
	WRITER_WORKS,
	WRITER_AWAITS_ANY,
	WRITER_AWAITS_PRESSING, /* for a moment, holding other records */
};

enum spare_state {
	SPARE_NONE,
	SPARE_READY,
	SPARE_TAKEN, /* the writer fills it before it renames it */
	SPARE_FAILED,
};

struct spare {
	enum spare_state state;
	int error; /* SPARE_FAILED: -errno */
	int fd;
	unsigned directory;
};

struct read_slot {
	uint64_t first_lsn; /* 0: empty */
	int fd;
};

struct journal {
	struct journal_config config; /* its strings are the copies below */
	char node[SEGMENT_NODE_SIZE];
	char *directories[2];
	unsigned directory_count;
	const struct io *io;
	const struct clock *clock;
	struct hash_key hash_key;
	int lock_fd;
	uint32_t boot;
	bool started;

	struct window window;

	pthread_mutex_t append_lock;
	pthread_cond_t append_wake;
	struct batch batches[2];
	struct batch *collecting;
	enum writer_wait writer_wait;
	bool stopping;
	bool segment_open; /* false: the next record begins a segment */
	uint64_t segment_limit_lsn;

	_Atomic uint64_t appended_lsn;
	_Atomic uint64_t durable_lsn;
	/* the lowest of the holders', never below the oldest segment */
	_Atomic uint64_t floor_lsn;
	_Atomic int failure; /* errno; failure_text under table_lock */
	_Atomic int
	    disk_full; /* errno: no room for a spare; set by the keeper */
	_Atomic bool holding; /* records wait for room; set by the writer */

	pthread_mutex_t table_lock;
	pthread_cond_t keeper_wake, spare_changed;
	struct segment *segments; /* by first_lsn */
	unsigned segment_count, segment_room;
	uint64_t segments_bytes;
	uint64_t floors[JOURNAL_HOLDERS]; /* UINT64_MAX: holds nothing */
	struct spare spare;
	unsigned active_directory; /* where new segments are made */
	unsigned quarantined;
	int64_t spare_retry_us; /* SPARE_FAILED: when it is tried again */
	int64_t spare_pause_us; /* before that */
	bool keeper_stopping, writer_stopping;
	char failure_text[256];

	pthread_mutex_t read_lock;
	struct read_slot read_slots[JOURNAL_READ_SLOTS];

	/* writer */
	pthread_t writer_thread, keeper_thread;
	int fd;	     /* of the last segment, -1: none */
	bool direct; /* fd writes past the page cache and is durable at once */
	bool direct_refused; /* a file system takes the open, not the write */
	uint64_t first_lsn;
	uint64_t next_serial;
	uint32_t chain_crc;
	int boot_fd; /* of the subscribers, free since the boot; -1: none is */
	/* descriptors of our own; an entry is in place before it is counted */
	int subscribers[JOURNAL_SUBSCRIBERS_MAX + 1]; /* and journal_start's */
	_Atomic unsigned subscriber_count;

	_Atomic uint64_t batch_count, record_count;
	_Atomic int64_t last_sync_us, slowest_sync_us, sync_started_us;
	_Atomic uint64_t sync_counts[JOURNAL_SYNC_BUCKETS], sync_sum_us;
};

/* table_lock held: add behind the last, which ends there; 0 or -ENOMEM. */
int journal_table_add(struct journal *journal, const struct segment *segment);
/* table_lock held: the segment that holds lsn, else the next one, or NULL. */
const struct segment *journal_table_find(const struct journal *journal,
    uint64_t lsn);
/* table_lock held. */
uint64_t journal_oldest_lsn(const struct journal *journal);
/* The path of a live segment. */
char *journal_segment_path(const struct journal *journal, unsigned directory,
    uint64_t first_lsn, char out[PATH_MAX]);

#endif
