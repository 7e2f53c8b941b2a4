#include "journal/keeper.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/log.h"

#define KEEPER_PERIOD_US 10000000
/* A full disk is asked again after this time, then after twice as long. */
#define FULL_PAUSE_LEAST_US 10000
#define FULL_PAUSE_MOST_US  1000000
#define SPACE_SHORT_PERCENT 80

/* Not the seam's: what the condition variables wait by. */
static int64_t
now_us(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * 1000000ll + now.tv_nsec / 1000;
}

/* table_lock held: there is none, and none is tried for a while. */
static void
set_failed(struct journal *journal, int error)
{
	int64_t pause_us = 2 * journal->spare_pause_us;

	journal->spare = (struct spare){ SPARE_FAILED, error, -1, 0 };
	if (!io_lacks_room(error))
		pause_us = KEEPER_PERIOD_US;
	else if (pause_us < FULL_PAUSE_LEAST_US)
		pause_us = FULL_PAUSE_LEAST_US;
	else if (pause_us > FULL_PAUSE_MOST_US)
		pause_us = FULL_PAUSE_MOST_US;
	journal->spare_pause_us = pause_us;
	journal->spare_retry_us = now_us() + pause_us;
	if (io_lacks_room(error))
		atomic_store(&journal->disk_full, -error);
	pthread_cond_signal(&journal->spare_changed);
}

/* table_lock held. */
static void
set_ready(struct journal *journal, int fd, unsigned directory)
{
	journal->spare = (struct spare){ SPARE_READY, 0, fd, directory };
	journal->spare_pause_us = 0;
	if (atomic_exchange(&journal->disk_full, 0) != 0)
		log_write(LOG_NOTICE, "journal", "disk_has_room",
		    "directory=%s", journal->directories[directory]);
	pthread_cond_signal(&journal->spare_changed);
}

static bool
space_short(const struct journal *journal)
{
	return atomic_load(&journal->disk_full) != 0 ||
	    journal->segments_bytes >
	    journal->config.budget_bytes / 100 * SPACE_SHORT_PERCENT;
}

/* table_lock held. The last segment always stays. */
static bool
oldest_removable(const struct journal *journal)
{
	const struct segment *oldest = journal->segments;
	uint64_t floor = atomic_load(&journal->floor_lsn);
	int64_t finished_us;

	if (journal->segment_count < 2 || oldest->end_lsn > floor)
		return false;
	/* a segment was finished when the next one was begun */
	finished_us = journal->segments[1].created_wall_us;
	return space_short(journal) ||
	    clock_wall_us(journal->clock) - finished_us >=
	    journal->config.retention_us;
}

static void
forget_descriptor(struct journal *journal, uint64_t first_lsn)
{
	pthread_mutex_lock(&journal->read_lock);
	for (unsigned i = 0; i < JOURNAL_READ_SLOTS; i++) {
		struct read_slot *slot = &journal->read_slots[i];

		if (slot->first_lsn != first_lsn)
			continue;
		journal->io->close(journal->io, slot->fd);
		slot->first_lsn = 0;
	}
	pthread_mutex_unlock(&journal->read_lock);
}

/* table_lock held. */
static void
drop_spare(struct journal *journal)
{
	char path[PATH_MAX];

	if (journal->spare.state == SPARE_READY) {
		journal->io->close(journal->io, journal->spare.fd);
		segment_path(journal->directories[journal->spare.directory],
		    SEGMENT_SPARE, 0, path);
		journal->io->unlink(journal->io, path);
	}
	journal->spare.state = SPARE_NONE;
}

/* The file of a removed segment as the next spare: its blocks are written, and
 * its records belong to another first lsn. A descriptor, or -errno. */
static int
recycle(struct journal *journal, const struct segment *segment)
{
	const struct io *io = journal->io;
	const char *directory = journal->directories[segment->directory];
	char from[PATH_MAX], to[PATH_MAX];
	int fd, result;

	journal_segment_path(journal, segment->directory, segment->first_lsn,
	    from);
	segment_path(directory, SEGMENT_SPARE, 0, to);
	fd = io->open(io, from, O_RDWR, 0);
	if (fd < 0)
		return fd;
	result = io->rename(io, from, to);
	if (result == 0)
		result = io_sync_directory(io, directory);
	if (result == 0)
		return fd;
	io->close(io, fd);
	io->unlink(io, to);
	return result;
}

static void
discard(struct journal *journal, const struct segment *segment)
{
	const struct io *io = journal->io;
	char path[PATH_MAX];
	int result;

	journal_segment_path(journal, segment->directory, segment->first_lsn,
	    path);
	result = io->unlink(io, path);
	if (result == 0)
		result = io_sync_directory(io,
		    journal->directories[segment->directory]);
	if (result < 0)
		log_write(LOG_WARN, "journal", "unlink_failed",
		    "path=%s error=\"%s\"", path, strerror(-result));
}

/* table_lock held, released while the disk works. */
static void
remove_oldest(struct journal *journal)
{
	struct segment oldest = journal->segments[0];
	bool reuse = (journal->spare.state == SPARE_NONE ||
			 journal->spare.state == SPARE_FAILED) &&
	    oldest.directory == journal->active_directory &&
	    oldest.bytes == journal->config.segment_bytes;
	int fd = -1;

	journal->segment_count--;
	memmove(journal->segments, journal->segments + 1,
	    journal->segment_count * sizeof(*journal->segments));
	journal->segments_bytes -= oldest.bytes;
	pthread_mutex_unlock(&journal->table_lock);
	forget_descriptor(journal, oldest.first_lsn);
	if (reuse)
		fd = recycle(journal, &oldest);
	if (fd < 0)
		discard(journal, &oldest);
	free(oldest.holes);
	pthread_mutex_lock(&journal->table_lock);
	if (fd >= 0)
		set_ready(journal, fd, oldest.directory);
}

static int
make_spare_in(struct journal *journal, unsigned directory)
{
	int fd = segment_make_spare(journal->io,
	    journal->directories[directory], journal->config.segment_bytes);

	/* a full disk is asked often: told once */
	if (fd < 0 && atomic_load(&journal->disk_full) != -fd)
		log_write(LOG_ERROR, "journal", "spare_failed",
		    "directory=%s error=\"%s\"",
		    journal->directories[directory], strerror(-fd));
	return fd;
}

/* table_lock held, released while the disk works. Where one directory takes
 * no file the other is asked. */
static void
prepare(struct journal *journal)
{
	unsigned wanted = journal->active_directory, directory = wanted;
	int fd, other;

	pthread_mutex_unlock(&journal->table_lock);
	fd = make_spare_in(journal, directory);
	if (fd < 0 && journal->directory_count > 1) {
		directory = 1 - directory;
		other = make_spare_in(journal, directory);
		/* the one that is only full may take a file later */
		if (other >= 0 || !io_lacks_room(fd))
			fd = other;
	}
	pthread_mutex_lock(&journal->table_lock);
	if (fd < 0)
		set_failed(journal, fd);
	else
		set_ready(journal, fd, directory);
	if (journal->active_directory != wanted)
		drop_spare(journal); /* its disk failed meanwhile */
}

/* table_lock held, released meanwhile. */
static void
rest(struct journal *journal)
{
	bool failed = journal->spare.state == SPARE_FAILED;
	int64_t until_us = now_us() + KEEPER_PERIOD_US;
	struct timespec until;

	if (failed && journal->spare_retry_us < until_us)
		until_us = journal->spare_retry_us;
	until = (struct timespec){ .tv_sec = until_us / 1000000,
		.tv_nsec = until_us % 1000000 * 1000 };
	pthread_cond_timedwait(&journal->keeper_wake, &journal->table_lock,
	    &until);
	if (journal->spare.state == SPARE_FAILED &&
	    now_us() >= journal->spare_retry_us)
		journal->spare.state = SPARE_NONE;
}

static void *
keeper_main(void *user)
{
	struct journal *journal = user;

	pthread_setname_np(pthread_self(), "keeper");
	pthread_mutex_lock(&journal->table_lock);
	while (!journal->keeper_stopping) {
		if (oldest_removable(journal))
			remove_oldest(journal);
		else if (journal->spare.state == SPARE_NONE &&
		    atomic_load(&journal->failure) == 0)
			prepare(journal);
		else
			rest(journal);
	}
	pthread_mutex_unlock(&journal->table_lock);
	return NULL;
}

int
journal_keeper_start(struct journal *journal, struct err *err)
{
	int result =
	    pthread_create(&journal->keeper_thread, NULL, keeper_main, journal);

	return result == 0
	    ? 0
	    : err_set(err, -result, "journal keeper: %s", strerror(result));
}

void
journal_keeper_stop(struct journal *journal)
{
	pthread_mutex_lock(&journal->table_lock);
	journal->keeper_stopping = true;
	pthread_cond_signal(&journal->keeper_wake);
	pthread_mutex_unlock(&journal->table_lock);
	pthread_join(journal->keeper_thread, NULL);
	drop_spare(journal);
}

int
journal_keeper_take(struct journal *journal, int *ret_fd,
    unsigned *ret_directory)
{
	int result = 0;

	pthread_mutex_lock(&journal->table_lock);
	if (journal->spare.state == SPARE_FAILED) {
		/* it is needed now: one more attempt */
		journal->spare.state = SPARE_NONE;
		pthread_cond_signal(&journal->keeper_wake);
	}
	while (journal->spare.state != SPARE_READY &&
	    journal->spare.state != SPARE_FAILED)
		pthread_cond_wait(&journal->spare_changed,
		    &journal->table_lock);
	if (journal->spare.state == SPARE_FAILED) {
		result = journal->spare.error;
	} else {
		*ret_fd = journal->spare.fd;
		*ret_directory = journal->spare.directory;
		journal->spare.state = SPARE_TAKEN;
	}
	pthread_mutex_unlock(&journal->table_lock);
	return result;
}

void
journal_keeper_release(struct journal *journal, int result)
{
	pthread_mutex_lock(&journal->table_lock);
	if (io_lacks_room(result))
		set_failed(journal, result);
	else
		journal->spare.state = SPARE_NONE;
	pthread_cond_signal(&journal->keeper_wake);
	pthread_mutex_unlock(&journal->table_lock);
}

bool
journal_keeper_await(struct journal *journal)
{
	const struct spare *spare = &journal->spare;
	bool waited;

	pthread_mutex_lock(&journal->table_lock);
	waited = !journal->writer_stopping;
	while (!journal->writer_stopping && spare->state != SPARE_READY &&
	    (spare->state != SPARE_FAILED || io_lacks_room(spare->error)))
		pthread_cond_wait(&journal->spare_changed,
		    &journal->table_lock);
	pthread_mutex_unlock(&journal->table_lock);
	return waited;
}

void
journal_keeper_hurry(struct journal *journal)
{
	pthread_mutex_lock(&journal->table_lock);
	journal->writer_stopping = true;
	pthread_cond_signal(&journal->spare_changed);
	pthread_mutex_unlock(&journal->table_lock);
}

void
journal_keeper_turn(struct journal *journal)
{
	pthread_mutex_lock(&journal->table_lock);
	if (journal->directory_count > 1) {
		journal->active_directory = 1 - journal->active_directory;
		if (journal->spare.state == SPARE_READY &&
		    journal->spare.directory != journal->active_directory)
			drop_spare(journal);
	}
	pthread_cond_signal(&journal->keeper_wake);
	pthread_mutex_unlock(&journal->table_lock);
}
