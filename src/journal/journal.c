#include "journal/journal.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/file.h>
#include <unistd.h>

#include "base/cursor.h"
#include "base/log.h"
#include "journal/internal.h"
#include "journal/keeper.h"
#include "journal/recover.h"
#include "journal/writer.h"

#define SIGNAL_BATCH_PERCENT 75 /* the rest is for decisions and outcomes */
#define REFUSE_PERCENT	     95
/* Of a segment that none can follow: kept for decisions and outcomes. */
#define KEPT_PERCENT	     50
#define BUDGET_SEGMENTS_MIN  4
#define BOOT_PAYLOAD_VERSION 1

/* How a record is collected. */
enum {
	COLLECT_WAKE = 1, /* the writer begins now */
	COLLECT_OWN = 2,  /* a signal that is not refused */
};

int
journal_table_add(struct journal *journal, const struct segment *segment)
{
	unsigned count = journal->segment_count;

	if (count == journal->segment_room) {
		unsigned room = count ? 2 * count : 16;
		struct segment *more =
		    realloc(journal->segments, room * sizeof(*more));

		if (!more)
			return -ENOMEM;
		journal->segments = more;
		journal->segment_room = room;
	}
	if (count > 0 &&
	    journal->segments[count - 1].end_lsn > segment->first_lsn)
		journal->segments[count - 1].end_lsn = segment->first_lsn;
	/* nothing of the last one is valid: its file has been replaced */
	if (count > 0 &&
	    journal->segments[count - 1].first_lsn == segment->first_lsn) {
		journal->segments_bytes -= journal->segments[--count].bytes;
		free(journal->segments[count].holes);
	}
	journal->segments[count] = *segment;
	journal->segment_count = count + 1;
	journal->segments_bytes += segment->bytes;
	return 0;
}

const struct segment *
journal_table_find(const struct journal *journal, uint64_t lsn)
{
	unsigned low = 0, high = journal->segment_count;

	while (low < high) {
		unsigned middle = low + (high - low) / 2;

		if (journal->segments[middle].end_lsn <= lsn)
			low = middle + 1;
		else
			high = middle;
	}
	return low < journal->segment_count ? &journal->segments[low] : NULL;
}

uint64_t
journal_oldest_lsn(const struct journal *journal)
{
	return journal->segment_count > 0 ? journal->segments[0].first_lsn
					  : atomic_load(&journal->durable_lsn);
}

char *
journal_segment_path(const struct journal *journal, unsigned directory,
    uint64_t first_lsn, char out[PATH_MAX])
{
	return segment_path(journal->directories[directory], SEGMENT_LIVE,
	    first_lsn, out);
}

static int
check_config(const struct journal_config *config, struct err *err)
{
	uint64_t bytes = config->segment_bytes;

	if (!config->directory || !*config->directory)
		return err_set(err, -EINVAL, "journal: no directory is given");
	if (config->read_only)
		return 0;
	if (!config->node || !*config->node ||
	    strlen(config->node) >= SEGMENT_NODE_SIZE)
		return err_set(err, -EINVAL,
		    "journal: the node's name must have 1 to %d bytes",
		    SEGMENT_NODE_SIZE - 1);
	if (bytes < JOURNAL_SEGMENT_MINIMUM ||
	    bytes > JOURNAL_SEGMENT_MAXIMUM ||
	    bytes % SEGMENT_HEADER_BYTES != 0)
		return err_set(err, -EINVAL,
		    "journal: segment size %" PRIu64
		    " is not a multiple of 4 KiB from 64 KiB to 1 GiB",
		    bytes);
	if (config->budget_bytes < BUDGET_SEGMENTS_MIN * bytes)
		return err_set(err, -EINVAL,
		    "journal: budget %" PRIu64 " is less than %d segments",
		    config->budget_bytes, BUDGET_SEGMENTS_MIN);
	return 0;
}

static int
take_lock(struct journal *journal, struct err *err)
{
	char path[PATH_MAX];

	snprintf(path, sizeof(path), "%s/lock", journal->directories[0]);
	journal->lock_fd =
	    journal->io->open(journal->io, path, O_RDWR | O_CREAT, 0640);
	if (journal->lock_fd < 0)
		return err_set(err, journal->lock_fd, "%s: %s", path,
		    strerror(-journal->lock_fd));
	if (flock(journal->lock_fd, LOCK_EX | LOCK_NB) < 0)
		return err_set(err, -errno,
		    errno == EWOULDBLOCK
			? "%s: another process has this journal"
			: "%s: cannot lock",
		    path);
	return 0;
}

static int
copy_config(struct journal *journal, const struct journal_config *config)
{
	journal->config = *config;
	journal->directories[0] = strdup(config->directory);
	if (!journal->directories[0])
		return -ENOMEM;
	journal->directory_count = 1;
	if (config->node)
		snprintf(journal->node, sizeof(journal->node), "%s",
		    config->node);
	if (!config->second_directory || !*config->second_directory)
		return 0;
	journal->directories[1] = strdup(config->second_directory);
	if (!journal->directories[1])
		return -ENOMEM;
	journal->directory_count = 2;
	return 0;
}

static struct journal *
create(const struct io *io, const struct clock *clock)
{
	struct journal *journal = calloc(1, sizeof(*journal));
	pthread_condattr_t monotonic;
	pthread_mutexattr_t adaptive;

	if (!journal)
		return NULL;
	journal->io = io;
	journal->clock = clock;
	journal->lock_fd = -1;
	journal->fd = -1;
	journal->boot_fd = -1;
	/* held while a record is copied: shorter than going to sleep */
	pthread_mutexattr_init(&adaptive);
	pthread_mutexattr_settype(&adaptive, PTHREAD_MUTEX_ADAPTIVE_NP);
	pthread_mutex_init(&journal->append_lock, &adaptive);
	pthread_mutexattr_destroy(&adaptive);
	pthread_mutex_init(&journal->table_lock, NULL);
	pthread_mutex_init(&journal->read_lock, NULL);
	pthread_condattr_init(&monotonic);
	pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
	pthread_cond_init(&journal->append_wake, &monotonic);
	pthread_cond_init(&journal->keeper_wake, &monotonic);
	pthread_condattr_destroy(&monotonic);
	pthread_cond_init(&journal->spare_changed, NULL);
	for (unsigned i = 0; i < JOURNAL_HOLDERS; i++)
		journal->floors[i] = UINT64_MAX;
	atomic_init(&journal->floor_lsn, UINT64_MAX);
	journal->collecting = journal->batches;
	return journal;
}

int
journal_open(struct journal **ret, const struct journal_config *config,
    const struct io *io, const struct clock *clock, struct err *err)
{
	struct journal *journal;
	int result = check_config(config, err);

	if (result < 0)
		return result;
	journal = create(io, clock);
	if (!journal || copy_config(journal, config) < 0) {
		journal_close(&journal);
		return err_set(err, -ENOMEM, "journal: out of memory");
	}
	if (!config->read_only)
		result = take_lock(journal, err);
	if (result == 0)
		result = journal_recover(journal, err);
	if (result < 0) {
		journal_close(&journal);
		return result;
	}
	atomic_store(&journal->appended_lsn, journal->durable_lsn);
	journal->collecting->start_lsn = journal->durable_lsn;
	*ret = journal;
	return 0;
}

static int
append_boot(struct journal *journal, struct err *err)
{
	uint8_t payload[16 + SEGMENT_NODE_SIZE];
	struct writer w = writer_open(payload, sizeof(payload));
	uint64_t lsn;
	int result;

	writer_u8(&w, BOOT_PAYLOAD_VERSION);
	writer_u32(&w, (uint32_t)getpid());
	writer_string(&w, journal->node);
	result = journal_append(journal, JOURNAL_BOOT,
	    clock_wall_us(journal->clock), clock_monotonic_us(journal->clock),
	    slice_of(payload, writer_length(&w)), &lsn);
	return result == 0
	    ? 0
	    : err_set(err, result, "journal: cannot append the boot record");
}

/* A journal that cannot write must not let the daemon start. */
static int
wait_for_boot(struct journal *journal, int event_fd, struct err *err)
{
	struct pollfd wait = { event_fd, POLLIN, 0 };

	while (journal_durable(journal) < atomic_load(&journal->appended_lsn) &&
	    atomic_load(&journal->failure) == 0 &&
	    !atomic_load(&journal->holding))
		poll(&wait, 1, -1);
	if (atomic_load(&journal->holding))
		return err_set(err, -ENOSPC,
		    "journal %s: the disk has no room for another segment",
		    journal->directories[0]);
	if (atomic_load(&journal->failure) == 0)
		return 0;
	return err_set(err, -EIO, "journal: %s", journal->failure_text);
}

/* The writer may be running: the entry first, then its count. */
static void
add_subscriber(struct journal *journal, int own_fd)
{
	unsigned count = atomic_load(&journal->subscriber_count);

	journal->subscribers[count] = own_fd;
	atomic_store(&journal->subscriber_count, count + 1);
}

int
journal_start(struct journal *journal, struct err *err)
{
	int event_fd, result;

	if (journal->config.read_only)
		return err_set(err, -EROFS, "journal: opened read-only");
	event_fd = eventfd(0, EFD_CLOEXEC);
	if (event_fd < 0)
		return err_set_errno(err, "journal: eventfd");
	add_subscriber(journal, event_fd);
	result = append_boot(journal, err);
	if (result == 0)
		result = journal_keeper_start(journal, err);
	if (result == 0) {
		result = journal_writer_start(journal, err);
		journal->started = result == 0;
		if (result < 0)
			journal_keeper_stop(journal);
	}
	if (result == 0)
		result = wait_for_boot(journal, event_fd, err);
	journal->boot_fd = event_fd;
	return result;
}

static void
free_journal(struct journal *journal)
{
	for (unsigned i = 0; i < journal->segment_count; i++)
		free(journal->segments[i].holes);
	free(journal->segments);
	for (unsigned i = 0; i < 2; i++)
		free(journal->directories[i]);
	window_close(&journal->window);
	pthread_mutex_destroy(&journal->append_lock);
	pthread_mutex_destroy(&journal->table_lock);
	pthread_mutex_destroy(&journal->read_lock);
	pthread_cond_destroy(&journal->append_wake);
	pthread_cond_destroy(&journal->keeper_wake);
	pthread_cond_destroy(&journal->spare_changed);
	free(journal);
}

void
journal_close(struct journal **ref)
{
	struct journal *journal = *ref;
	int result = 0;

	if (!journal)
		return;
	if (journal->started) {
		journal_writer_stop(journal);
		journal_keeper_stop(journal);
	}
	if (journal->fd >= 0)
		result = journal->io->close(journal->io, journal->fd);
	if (result < 0)
		log_write(LOG_WARN, "journal", "close_failed", "error=\"%s\"",
		    strerror(-result));
	for (unsigned i = 0; i < JOURNAL_READ_SLOTS; i++)
		if (journal->read_slots[i].first_lsn != 0)
			journal->io->close(journal->io,
			    journal->read_slots[i].fd);
	if (journal->lock_fd >= 0)
		journal->io->close(journal->io, journal->lock_fd);
	for (unsigned i = 0; i < journal->subscriber_count; i++)
		close(journal->subscribers[i]);
	free_journal(journal);
	*ref = NULL;
}

int
journal_subscribe(struct journal *journal, int event_fd)
{
	int own;

	if (journal->boot_fd >= 0) {
		/* the writer may be using it: it stays open */
		if (dup3(event_fd, journal->boot_fd, O_CLOEXEC) < 0)
			return -errno;
		journal->boot_fd = -1;
		return 0;
	}
	if (journal->subscriber_count >= JOURNAL_SUBSCRIBERS_MAX)
		return -ENOSPC;
	own = fcntl(event_fd, F_DUPFD_CLOEXEC, 0);
	if (own < 0)
		return -errno;
	add_subscriber(journal, own);
	return 0;
}

static double
unfinished_share(const struct journal *journal)
{
	uint64_t floor = atomic_load(&journal->floor_lsn);
	uint64_t end = atomic_load(&journal->appended_lsn);

	if (floor >= end || journal->config.budget_bytes == 0)
		return 0;
	return (double)(end - floor) / (double)journal->config.budget_bytes;
}

/* append_lock held. */
static enum journal_refusal
refusal(const struct journal *journal)
{
	uint64_t floor =
	    atomic_load_explicit(&journal->floor_lsn, memory_order_relaxed);
	uint64_t end =
	    atomic_load_explicit(&journal->appended_lsn, memory_order_relaxed);
	uint64_t kept = journal->config.segment_bytes / 100 * KEPT_PERCENT;

	if (atomic_load_explicit(&journal->holding, memory_order_relaxed))
		return JOURNAL_HOLDING;
	if (atomic_load_explicit(&journal->disk_full, memory_order_relaxed) &&
	    (!journal->segment_open || end + kept > journal->segment_limit_lsn))
		return JOURNAL_ROOM_KEPT;
	return floor < end &&
		end - floor >
		    journal->config.budget_bytes / 100 * REFUSE_PERCENT
	    ? JOURNAL_BUDGET_SPENT
	    : JOURNAL_TAKES;
}

const char *
journal_refusal_text(enum journal_refusal refusal)
{
	switch (refusal) {
	case JOURNAL_TAKES:
		return "takes signals";
	case JOURNAL_BUDGET_SPENT:
		return "unfinished signals fill its budget";
	case JOURNAL_ROOM_KEPT:
		return "its disk is full; the rest is kept for deliveries";
	case JOURNAL_HOLDING:
		return "its disk is full; records are held in memory";
	}
	return "?";
}

/* append_lock held from here to journal_append. */
static void
put(struct journal *journal, const struct envelope *envelope,
    struct slice payload)
{
	uint8_t *at = window_at(&journal->window, envelope->lsn);
	size_t size = envelope_size(envelope->length);
	size_t filled = ENVELOPE_BYTES + payload.length;

	envelope_write(at, envelope);
	if (payload.length > 0)
		memcpy(at + ENVELOPE_BYTES, payload.data, payload.length);
	memset(at + filled, 0, size - filled);
	journal->collecting->used += size;
	atomic_store_explicit(&journal->appended_lsn, envelope->lsn + size,
	    memory_order_relaxed);
}

/* END reaches to the end of its block, so that the next segment begins with one
 * here as in its file; it always has room for that, unless a block is not what
 * the segment was made of. */
static uint32_t
end_length(const struct journal *journal, uint64_t end_lsn)
{
	uint64_t behind = end_lsn + ENVELOPE_BYTES;
	size_t offset = window_block_offset(&journal->window, behind);
	size_t rest = (SEGMENT_BLOCK_BYTES - offset) % SEGMENT_BLOCK_BYTES;

	return behind + rest <= journal->segment_limit_lsn ? (uint32_t)rest : 0;
}

/* The record does not fit behind the others: END, and a new segment. */
static void
roll(struct journal *journal, struct envelope *envelope)
{
	struct batch *batch = journal->collecting;

	if (journal->segment_open) {
		struct envelope end = *envelope;

		end.kind = ENVELOPE_END;
		end.length = end_length(journal, end.lsn);
		put(journal, &end, SLICE_NONE);
		envelope->lsn += envelope_size(end.length);
	}
	batch->splits[batch->split_count++] = batch->used;
	journal->segment_open = true;
	journal->segment_limit_lsn = envelope->lsn +
	    journal->config.segment_bytes - SEGMENT_HEADER_BYTES;
}

static int
append_locked(struct journal *journal, struct envelope *envelope,
    struct slice payload, bool refusable)
{
	struct batch *batch = journal->collecting;
	size_t size = envelope_size(envelope->length);
	size_t limit = JOURNAL_BATCH_BYTES;

	if (refusable) {
		limit = limit / 100 * SIGNAL_BATCH_PERCENT;
		if (refusal(journal) != JOURNAL_TAKES)
			return -ENOSPC;
	}
	if (batch->used + size + ENVELOPE_BYTES + SEGMENT_BLOCK_BYTES > limit ||
	    batch->split_count == JOURNAL_SPLITS_MAX)
		return -EAGAIN;
	envelope->lsn = batch->start_lsn + batch->used;
	if (!journal->segment_open ||
	    envelope->lsn + size + ENVELOPE_BYTES > journal->segment_limit_lsn)
		roll(journal, envelope);
	put(journal, envelope, payload);
	batch->pressing |= envelope->kind != JOURNAL_DECISION &&
	    envelope->kind != JOURNAL_OUTCOME;
	return 0;
}

/* append_lock held: the writer has something to do now; it must be woken. */
static bool
rouse(struct journal *journal)
{
	const struct batch *batch = journal->collecting;

	switch (journal->writer_wait) {
	case WRITER_WORKS:
		return false;
	case WRITER_AWAITS_ANY:
		if (batch->used == 0)
			return false;
		break;
	case WRITER_AWAITS_PRESSING:
		if (!batch->pressing)
			return false;
		break;
	}
	journal->writer_wait = WRITER_WORKS;
	return true;
}

static int
collect(struct journal *journal, enum journal_kind kind,
    int64_t received_wall_us, int64_t received_monotonic_us,
    struct slice payload, unsigned how, uint64_t *ret_lsn)
{
	struct envelope envelope = { .kind = (uint8_t)kind,
		.length = (uint32_t)payload.length,
		.boot = journal->boot,
		.wall_us = received_wall_us,
		.monotonic_us = received_monotonic_us };
	bool refusable = kind == JOURNAL_SIGNAL && !(how & COLLECT_OWN), wake;
	int result;

	if (payload.length > JOURNAL_PAYLOAD_MAX)
		return -EMSGSIZE;
	if (atomic_load_explicit(&journal->failure, memory_order_relaxed) != 0)
		return -EIO;
	if (!journal->window.bytes)
		return -EROFS;
	pthread_mutex_lock(&journal->append_lock);
	result = append_locked(journal, &envelope, payload, refusable);
	wake = (how & COLLECT_WAKE) && rouse(journal);
	pthread_mutex_unlock(&journal->append_lock);
	if (wake)
		pthread_cond_signal(&journal->append_wake);
	if (result == 0) {
		atomic_fetch_add_explicit(&journal->record_count, 1,
		    memory_order_relaxed);
		*ret_lsn = envelope.lsn;
	}
	return result;
}

int
journal_append(struct journal *journal, enum journal_kind kind,
    int64_t received_wall_us, int64_t received_monotonic_us,
    struct slice payload, uint64_t *ret_lsn)
{
	return collect(journal, kind, received_wall_us, received_monotonic_us,
	    payload, COLLECT_WAKE, ret_lsn);
}

int
journal_report(struct journal *journal, int64_t received_wall_us,
    int64_t received_monotonic_us, struct slice payload, uint64_t *ret_lsn)
{
	return collect(journal, JOURNAL_SIGNAL, received_wall_us,
	    received_monotonic_us, payload, COLLECT_OWN, ret_lsn);
}

int
journal_collect(struct journal *journal, enum journal_kind kind,
    int64_t received_wall_us, int64_t received_monotonic_us,
    struct slice payload, uint64_t *ret_lsn)
{
	return collect(journal, kind, received_wall_us, received_monotonic_us,
	    payload, 0, ret_lsn);
}

void
journal_wake(struct journal *journal)
{
	bool wake;

	pthread_mutex_lock(&journal->append_lock);
	wake = rouse(journal);
	pthread_mutex_unlock(&journal->append_lock);
	if (wake)
		pthread_cond_signal(&journal->append_wake);
}

uint64_t
journal_durable(const struct journal *journal)
{
	return atomic_load_explicit(&journal->durable_lsn,
	    memory_order_acquire);
}

void
journal_hold(struct journal *journal, enum journal_holder holder,
    uint64_t oldest_needed_lsn)
{
	uint64_t floor = UINT64_MAX;

	pthread_mutex_lock(&journal->table_lock);
	journal->floors[holder] = oldest_needed_lsn;
	for (unsigned i = 0; i < JOURNAL_HOLDERS; i++)
		if (journal->floors[i] < floor)
			floor = journal->floors[i];
	/* what is gone takes no room */
	if (floor < journal_oldest_lsn(journal))
		floor = journal_oldest_lsn(journal);
	atomic_store(&journal->floor_lsn, floor);
	if (journal->segment_count > 1 && journal->segments[0].end_lsn <= floor)
		pthread_cond_signal(&journal->keeper_wake);
	pthread_mutex_unlock(&journal->table_lock);
}

const struct hash_key *
journal_hash_key(const struct journal *journal)
{
	return &journal->hash_key;
}

const char *
journal_node(const struct journal *journal)
{
	return journal->node;
}

void
journal_status(struct journal *journal, struct journal_status *ret)
{
	int64_t started_us = atomic_load(&journal->sync_started_us);

	*ret = (struct journal_status){
		.durable_lsn = journal_durable(journal),
		.appended_lsn = atomic_load(&journal->appended_lsn),
		.budget_bytes = journal->config.budget_bytes,
		.unfinished_share = unfinished_share(journal),
		.boot = journal->boot,
		.batches = atomic_load(&journal->batch_count),
		.records = atomic_load(&journal->record_count),
		.last_sync_us = atomic_load(&journal->last_sync_us),
		.slowest_sync_us = atomic_load(&journal->slowest_sync_us),
		.disk_full = atomic_load(&journal->disk_full),
		.failure = atomic_load(&journal->failure),
	};
	if (started_us != 0)
		ret->sync_running_us =
		    clock_monotonic_us(journal->clock) - started_us;
	pthread_mutex_lock(&journal->append_lock);
	ret->refusal = refusal(journal);
	pthread_mutex_unlock(&journal->append_lock);
	pthread_mutex_lock(&journal->table_lock);
	ret->oldest_lsn = journal_oldest_lsn(journal);
	ret->bytes = journal->segments_bytes;
	ret->segments = journal->segment_count;
	ret->quarantined = journal->quarantined;
	ret->spare_ready = journal->spare.state == SPARE_READY;
	memcpy(ret->failure_text, journal->failure_text,
	    sizeof(ret->failure_text));
	pthread_mutex_unlock(&journal->table_lock);
}

void
journal_sync_histogram(struct journal *journal,
    uint64_t ret_counts[JOURNAL_SYNC_BUCKETS], uint64_t *ret_sum_us)
{
	for (unsigned i = 0; i < JOURNAL_SYNC_BUCKETS; i++)
		ret_counts[i] = atomic_load(&journal->sync_counts[i]);
	*ret_sum_us = atomic_load(&journal->sync_sum_us);
}
