#include "journal/writer.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/log.h"
#include "base/thread.h"
#include "journal/keeper.h"

const int64_t journal_sync_bounds_us[JOURNAL_SYNC_BUCKETS - 1] = { 100, 250,
	500, 1000, 2500, 5000, 10000, 50000, 250000, 1000000, 2000000 };

/* How long decisions and outcomes wait for a signal to come along. */
#define COMPANY_WAIT_NS 500000

/* Sealing and handing over a batch takes less. */
#define SLICE_US 100

/* The records of a batch that go into one segment. */
struct part {
	uint8_t *data; /* in the window */
	size_t length;
	uint64_t lsn;
	bool begins; /* a new segment */
	bool ends;   /* its last record is END */
};

static void
count_sync(struct journal *journal, int64_t duration_us)
{
	unsigned bucket = 0;

	while (bucket < JOURNAL_SYNC_BUCKETS - 1 &&
	    duration_us >= journal_sync_bounds_us[bucket])
		bucket++;
	atomic_fetch_add(&journal->sync_counts[bucket], 1);
	atomic_fetch_add(&journal->sync_sum_us, (uint64_t)duration_us);
	atomic_store(&journal->last_sync_us, duration_us);
	if (duration_us > atomic_load(&journal->slowest_sync_us))
		atomic_store(&journal->slowest_sync_us, duration_us);
}

/* Write and sync: in one call where the file is open for that. */
static int
write_durably(struct journal *journal, int fd, const uint8_t *header,
    const struct part *part, uint64_t offset)
{
	const struct io *io = journal->io;
	int64_t started_us = clock_monotonic_us(journal->clock);
	int result;

	atomic_store(&journal->sync_started_us, started_us);
	if (journal->direct) {
		result = segment_write_blocks(io, fd, header, part->data,
		    part->length, offset);
		journal->direct_refused |= result == -EINVAL;
	} else {
		result = segment_write(io, fd, header, part->data, part->length,
		    offset);
		if (result == 0)
			result = io->fdatasync(io, fd);
	}
	atomic_store(&journal->sync_started_us, 0);
	count_sync(journal, clock_monotonic_us(journal->clock) - started_us);
	return result;
}

/* Returns the CRC of the last record. */
static uint32_t
seal(const struct part *part, uint64_t first_lsn, uint32_t chain_crc)
{
	uint32_t seed = envelope_seed(first_lsn);

	for (size_t at = 0; at < part->length;
	     at += envelope_claimed_size(part->data + at))
		chain_crc = envelope_seal(part->data + at, seed, chain_crc);
	return chain_crc;
}

/* A file at path, open in *fd, that begins with lsn: past the page cache where
 * that can be. */
static int
go_direct(struct journal *journal, const char *path, uint64_t lsn, int *fd)
{
	int result, direct = -EINVAL;

	if (window_block_offset(&journal->window, lsn) == 0 &&
	    !journal->direct_refused)
		direct = segment_open_direct(journal->io, path);
	journal->direct = direct >= 0;
	if (direct < 0)
		return 0;
	result = journal->io->close(journal->io, *fd);
	*fd = direct;
	return result;
}

/* The header and the first records into the file still named spare; the name
 * comes when they are on the disk, so a named segment always has a header. */
static int
fill_spare(struct journal *journal, int *fd, unsigned directory,
    const struct part *part, const struct segment_header *header)
{
	const struct io *io = journal->io;
	_Alignas(SEGMENT_BLOCK_BYTES) uint8_t bytes[SEGMENT_HEADER_BYTES];
	char from[PATH_MAX], to[PATH_MAX];
	int result;

	segment_header_encode(header, bytes);
	segment_path(journal->directories[directory], SEGMENT_SPARE, 0, from);
	journal_segment_path(journal, directory, part->lsn, to);
	result = go_direct(journal, from, part->lsn, fd);
	if (result == 0)
		result = write_durably(journal, *fd, bytes, part, 0);
	if (result == 0)
		result = io->rename(io, from, to);
	if (result == 0)
		result = io_sync_directory(io, journal->directories[directory]);
	if (result < 0) {
		io->close(io, *fd);
		io->unlink(io, from);
		io->unlink(io, to);
	}
	return result;
}

static int
begin_segment(struct journal *journal, const struct part *part)
{
	struct segment_header header = {
		.first_lsn = part->lsn,
		.bytes = journal->config.segment_bytes,
		.serial = journal->next_serial++,
		.created_wall_us = clock_wall_us(journal->clock),
		.previous_crc = journal->chain_crc,
		.hash_key = journal->hash_key,
	};
	struct segment segment = { .first_lsn = part->lsn,
		.end_lsn = JOURNAL_OPEN_END,
		.bytes = header.bytes,
		.created_wall_us = header.created_wall_us };
	int fd, result = journal_keeper_take(journal, &fd, &segment.directory);

	if (result < 0)
		return result;
	memcpy(header.node, journal->node, sizeof(header.node));
	result = fill_spare(journal, &fd, segment.directory, part, &header);
	journal_keeper_release(journal, result);
	if (result < 0)
		return result;
	pthread_mutex_lock(&journal->table_lock);
	result = journal_table_add(journal, &segment);
	pthread_cond_signal(&journal->keeper_wake); /* one more is finished */
	pthread_mutex_unlock(&journal->table_lock);
	journal->fd = fd;
	journal->first_lsn = part->lsn;
	return result;
}

static int
continue_segment(struct journal *journal, const struct part *part)
{
	return write_durably(journal, journal->fd, NULL, part,
	    SEGMENT_HEADER_BYTES + (part->lsn - journal->first_lsn));
}

static int
write_part(struct journal *journal, const struct part *part)
{
	uint32_t last_crc = seal(part,
	    part->begins ? part->lsn : journal->first_lsn, journal->chain_crc);
	int result = part->begins ? begin_segment(journal, part)
				  : continue_segment(journal, part);

	if (result == 0 && part->ends) {
		result = journal->io->close(journal->io, journal->fd);
		journal->fd = -1;
	}
	if (result == 0)
		journal->chain_crc = last_crc;
	return result;
}

static void
signal_subscribers(struct journal *journal)
{
	static const uint64_t one = 1;
	unsigned count = atomic_load(&journal->subscriber_count);

	/* those who reply came last, and are waited for by others */
	for (unsigned i = count; i-- > 0;) {
		/* a counter that cannot take one more is signalled already */
		ssize_t n = write(journal->subscribers[i], &one, sizeof(one));
		(void)n;
	}
}

/*
 * A failure is final for the file, never for the records: they are still here,
 * and go into a new segment that begins with the first of them. It wins over
 * whatever the failed file holds from there on.
 */
static int
write_part_elsewhere(struct journal *journal, struct part *part, int error)
{
	/* where there was no file to begin with, the keeper has told */
	if (!part->begins || !io_lacks_room(error))
		log_write(LOG_ERROR, "journal", "segment_failed",
		    "segment=%016" PRIx64 " lsn=%" PRIu64 " error=\"%s\"",
		    journal->first_lsn, part->lsn, strerror(-error));
	if (journal->fd >= 0)
		journal->io->close(journal->io, journal->fd);
	journal->fd = -1;
	journal_keeper_turn(journal);
	part->begins = true;
	return write_part(journal, part);
}

/* Until the disk has room. False: the journal closes, and there was none. */
static bool
hold(struct journal *journal, const struct part *part, int error)
{
	if (!atomic_exchange(&journal->holding, true)) {
		log_write(LOG_ERROR, "journal", "holding",
		    "lsn=%" PRIu64 " error=\"%s\" effect=\"nothing is "
		    "acknowledged until there is room\"",
		    part->lsn, strerror(-error));
		signal_subscribers(journal);
	}
	return journal_keeper_await(journal);
}

/* After the first failure. A full disk is waited for, another failure of the
 * new segment too is the end. */
static int
rewrite_part(struct journal *journal, struct part *part, int error)
{
	unsigned failures = !io_lacks_room(error);
	int result = write_part_elsewhere(journal, part, error);

	while (result < 0) {
		bool full = io_lacks_room(result);

		failures += !full;
		if (failures > 1 || (full && !hold(journal, part, result)))
			return result;
		result = full ? write_part(journal, part)
			      : write_part_elsewhere(journal, part, result);
	}
	if (atomic_exchange(&journal->holding, false))
		log_write(LOG_NOTICE, "journal", "holds_no_more",
		    "lsn=%" PRIu64, part->lsn);
	return 0;
}

static void
fail(struct journal *journal, uint64_t lsn, int error)
{
	pthread_mutex_lock(&journal->table_lock);
	snprintf(journal->failure_text, sizeof(journal->failure_text),
	    "records from lsn %" PRIu64
	    " on could not be written to a new segment either: %s",
	    lsn, strerror(-error));
	log_write(LOG_ERROR, "journal", "failed", "error=\"%s\"",
	    journal->failure_text);
	atomic_store(&journal->failure, -error);
	pthread_mutex_unlock(&journal->table_lock);
}

static int
write_batch(struct journal *journal, struct batch *batch)
{
	size_t at = 0;

	for (unsigned split = 0; at < batch->used;) {
		bool begins =
		    split < batch->split_count && batch->splits[split] == at;
		struct part part = { .lsn = batch->start_lsn + at,
			.begins = begins };
		int result;

		part.data = window_at(&journal->window, part.lsn);
		split += begins;
		part.ends = split < batch->split_count;
		part.length =
		    (part.ends ? batch->splits[split] : batch->used) - at;
		result = write_part(journal, &part);
		if (result < 0)
			result = rewrite_part(journal, &part, result);
		if (result < 0) {
			fail(journal, part.lsn, result);
			return result;
		}
		at += part.length;
		atomic_store_explicit(&journal->durable_lsn,
		    batch->start_lsn + at, memory_order_release);
	}
	return 0;
}

/* append_lock held. Every signal of the next moment would wait for the sync of
 * what its reply does not need. */
static void
await_pressing(struct journal *journal)
{
	struct timespec until;
	int result = 0;

	clock_gettime(CLOCK_MONOTONIC, &until);
	until.tv_nsec += COMPANY_WAIT_NS;
	if (until.tv_nsec >= 1000000000) {
		until.tv_nsec -= 1000000000;
		until.tv_sec++;
	}
	while (!journal->collecting->pressing && !journal->stopping &&
	    result == 0) {
		journal->writer_wait = WRITER_AWAITS_PRESSING;
		result = pthread_cond_timedwait(&journal->append_wake,
		    &journal->append_lock, &until);
	}
}

/* Two batches from here on may be collected before this is called again. */
static void
make_room(struct journal *journal)
{
	uint64_t end_lsn =
	    journal->collecting->start_lsn + 2 * JOURNAL_BATCH_BYTES;

	if (end_lsn > WINDOW_BYTES)
		window_raise_floor(&journal->window, end_lsn - WINDOW_BYTES);
}

/* What was collected meanwhile; NULL when there is nothing and never will be.
 * The other batch becomes the collecting one. */
static struct batch *
swap(struct journal *journal)
{
	struct batch *full = NULL, *empty;

	make_room(journal);
	pthread_mutex_lock(&journal->append_lock);
	while (journal->collecting->used == 0 && !journal->stopping) {
		journal->writer_wait = WRITER_AWAITS_ANY;
		pthread_cond_wait(&journal->append_wake, &journal->append_lock);
	}
	await_pressing(journal);
	journal->writer_wait = WRITER_WORKS;
	if (journal->collecting->used > 0) {
		full = journal->collecting;
		empty = full == journal->batches ? full + 1 : full - 1;
		empty->start_lsn = full->start_lsn + full->used;
		empty->used = 0;
		empty->pressing = false;
		empty->split_count = 0;
		journal->collecting = empty;
	}
	pthread_mutex_unlock(&journal->append_lock);
	return full;
}

static void *
writer_main(void *user)
{
	struct journal *journal = user;
	struct batch *batch;

	pthread_setname_np(pthread_self(), "journal");
	thread_set_slice(SLICE_US);
	while ((batch = swap(journal))) {
		int result = write_batch(journal, batch);

		if (result == 0)
			atomic_fetch_add(&journal->batch_count, 1);
		signal_subscribers(journal);
		if (result < 0)
			break;
	}
	return NULL;
}

int
journal_writer_start(struct journal *journal, struct err *err)
{
	int result =
	    pthread_create(&journal->writer_thread, NULL, writer_main, journal);

	return result == 0
	    ? 0
	    : err_set(err, -result, "journal writer: %s", strerror(result));
}

void
journal_writer_stop(struct journal *journal)
{
	pthread_mutex_lock(&journal->append_lock);
	journal->stopping = true;
	pthread_cond_signal(&journal->append_wake);
	pthread_mutex_unlock(&journal->append_lock);
	journal_keeper_hurry(journal);
	pthread_join(journal->writer_thread, NULL);
}
