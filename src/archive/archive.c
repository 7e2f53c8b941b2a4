#include "archive/archive.h"

#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <pthread.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <sys/resource.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include "archive/store.h"
#include "base/log.h"

#define RETRY_MIN_MS 200
#define RETRY_MAX_MS 10000
/* How long the last try to flush may take when the archive closes. */
#define CLOSE_S	     3
#define ARCHIVE_NICE 10

struct archive {
	struct archive_config config;
	struct journal *journal;
	const struct clock *clock;
	pthread_t thread;
	bool started;
	int wake_fd;  /* the journal moved */
	int close_fd; /* archive_close wants the thread to end */
	int late_fd;  /* a timer: and now at once */

	/* the thread's own */
	struct db db;
	struct journal_cursor *cursor;
	struct archive_batch *batch;
	uint64_t position_lsn;	/* stored up to here */
	uint64_t decided_lsn;	/* newest signal whose decision is stored */
	unsigned limit;		/* records in the next batch */
	uint64_t careful_until; /* one by one up to here */
	int retry_ms;

	pthread_mutex_t lock; /* of status */
	struct archive_status status;
	int64_t current_us; /* everything received before is stored */
};

static void
set_problem(struct archive *archive, bool connected, const char *problem)
{
	pthread_mutex_lock(&archive->lock);
	archive->status.connected = connected;
	snprintf(archive->status.problem, sizeof(archive->status.problem),
	    "%.255s", problem);
	pthread_mutex_unlock(&archive->lock);
}

/* Wait for one of two eventfds; true when the archive is to close. */
static bool
wait_for(struct archive *archive, bool journal, int timeout_ms)
{
	struct pollfd fds[] = {
		{ .fd = archive->close_fd, .events = POLLIN },
		{ .fd = journal ? archive->wake_fd : -1, .events = POLLIN },
	};
	uint64_t count;

	if (poll(fds, 2, timeout_ms) > 0 && (fds[1].revents & POLLIN) &&
	    read(archive->wake_fd, &count, sizeof(count)) < 0)
		return false;
	return fds[0].revents & POLLIN;
}

/* A decision needs its signal, which stands before it: decisions come in the
 * order of signals, so nothing before the last one is asked for again. */
static void
hold(struct archive *archive)
{
	uint64_t floor = archive->position_lsn;

	if (archive->decided_lsn < floor)
		floor = archive->decided_lsn;
	journal_hold(archive->journal, JOURNAL_HOLDER_ARCHIVE, floor);
}

static int
begin_at(struct archive *archive, uint64_t lsn, struct err *err)
{
	journal_cursor_close(&archive->cursor);
	return journal_cursor_open(&archive->cursor, archive->journal, lsn,
	    err);
}

static int
connect_database(struct archive *archive, struct err *err)
{
	const char *node = journal_node(archive->journal);
	struct journal_status status;
	uint64_t lsn = 0;
	int result = db_connect(&archive->db, archive->config.conninfo,
	    "tocsind archive", err);

	if (result == 0)
		result = db_check_schema(&archive->db,
		    archive->config.newest_schema, err);
	if (result >= 0)
		result = archive_store_position(&archive->db, node, &lsn, err);
	if (result < 0)
		return result;
	journal_status(archive->journal, &status);
	if (lsn > status.appended_lsn)
		return err_set(err, -EPROTO,
		    "the database has stored node %s up to %" PRIu64
		    ", beyond this journal (%" PRIu64 "): another node's name?",
		    node, lsn, status.appended_lsn);
	if (lsn > 0 && lsn < status.oldest_lsn)
		log_write(LOG_ERROR, "archive", "gap",
		    "from=%" PRIu64 " to=%" PRIu64
		    " why=\"the journal removed it; was the database put back "
		    "from a backup?\"",
		    lsn, status.oldest_lsn);
	archive->position_lsn = lsn;
	archive->limit = archive->config.batch_records;
	return begin_at(archive, lsn < status.oldest_lsn ? 0 : lsn, err);
}

/* Fill the batch with what is durable, up to a record that cannot be read.
 * Returns how many records it holds, or -errno; -EINVAL: that record is next,
 * *ret_lsn. */
static int
fill(struct archive *archive, uint64_t *ret_lsn, struct err *err)
{
	struct archive_batch *batch = archive->batch;
	struct journal_entry entry;
	int result = 1;

	archive_batch_reset(batch, archive->position_lsn);
	while (batch->records < archive->limit &&
	    (result = journal_cursor_next(archive->cursor, &entry, err)) == 1) {
		result =
		    archive_batch_add(batch, archive->journal, &entry, err);
		if (result < 0)
			break;
	}
	if (result == -EINVAL) {
		*ret_lsn = entry.lsn;
		if (batch->records > 0)
			result = begin_at(archive, entry.lsn, err);
	}
	return result < 0 ? result : (int)batch->records;
}

static void
stored(struct archive *archive)
{
	const struct archive_batch *batch = archive->batch;

	archive->position_lsn = batch->end_lsn;
	if (batch->decided_lsn > 0)
		archive->decided_lsn = batch->decided_lsn;
	if (archive->position_lsn >= archive->careful_until)
		archive->limit = archive->config.batch_records;
	pthread_mutex_lock(&archive->lock);
	archive->status.position_lsn = archive->position_lsn;
	archive->status.events += batch->event_count;
	archive->status.deliveries += batch->outcome_count;
	archive->status.batches++;
	if (batch->newest_us > archive->current_us)
		archive->current_us = batch->newest_us;
	pthread_mutex_unlock(&archive->lock);
	hold(archive);
}

static void
caught_up(struct archive *archive)
{
	pthread_mutex_lock(&archive->lock);
	archive->current_us = clock_wall_us(archive->clock);
	pthread_mutex_unlock(&archive->lock);
}

/* Step over one record, the next after the position. */
static int
quarantine(struct archive *archive, uint64_t lsn, const char *reason,
    struct err *err)
{
	struct archive_batch *batch = archive->batch;
	struct journal_entry entry;
	int result;

	result =
	    journal_read(archive->journal, lsn, batch->buffer, &entry, err);
	if (result == 0)
		result = archive_store_quarantine(&archive->db,
		    journal_node(archive->journal), archive->position_lsn,
		    &entry, reason, err);
	if (result < 0)
		return result;
	log_write(LOG_ERROR, "archive", "quarantined",
	    "lsn=%" PRIu64 " reason=\"%s\"", lsn, reason);
	pthread_mutex_lock(&archive->lock);
	archive->status.quarantined++;
	pthread_mutex_unlock(&archive->lock);
	archive_batch_reset(batch, archive->position_lsn);
	batch->end_lsn = entry.next_lsn;
	stored(archive);
	return 0;
}

/* Store the batch; when its rows are refused, go one by one through it. */
static int
store(struct archive *archive, struct err *err)
{
	struct archive_batch *batch = archive->batch;
	int result = archive_store_batch(&archive->db,
	    journal_node(archive->journal), batch, err);

	if (result == 0) {
		stored(archive);
		return 0;
	}
	if (result != -EINVAL)
		return result;
	if (batch->records == 1) {
		struct err reason = *err;

		return quarantine(archive, batch->first_lsn, reason.text, err);
	}
	archive->limit = 1;
	archive->careful_until = batch->end_lsn;
	return begin_at(archive, archive->position_lsn, err);
}

/* Copy until the connection breaks or the archive closes. */
static int
follow(struct archive *archive, struct err *err)
{
	bool closing = false;
	int result = 0;

	set_problem(archive, true, "");
	while (result == 0) {
		uint64_t unreadable_lsn = 0;
		int count = fill(archive, &unreadable_lsn, err);

		if (count == -EINVAL) {
			struct err reason = *err;

			result = quarantine(archive, unreadable_lsn,
			    reason.text, err);
			continue;
		}
		if (count < 0)
			return count;
		if (count > 0) {
			result = store(archive, err);
		} else if (closing) {
			return 0;
		} else {
			caught_up(archive);
			closing = wait_for(archive, true, 1000);
		}
		if (count > 0 && count < (int)archive->limit)
			closing =
			    wait_for(archive, false,
				(int)(archive->config.linger_us / 1000)) ||
			    closing;
	}
	return result;
}

static void *
run(void *context)
{
	struct archive *archive = context;
	struct err err;
	int result;

	pthread_setname_np(pthread_self(), "archive");
	/* of this thread alone; it may be late, replies may not */
	setpriority(PRIO_PROCESS, 0, ARCHIVE_NICE);
	archive->retry_ms = RETRY_MIN_MS;
	for (;;) {
		result = connect_database(archive, &err);
		if (result == 0) {
			archive->retry_ms = RETRY_MIN_MS;
			log_write(LOG_INFO, "archive", "connected",
			    "position=%" PRIu64, archive->position_lsn);
			result = follow(archive, &err);
			if (result == 0)
				break;
		}
		db_close(&archive->db);
		set_problem(archive, false, err.text);
		log_write(LOG_WARN, "archive", "waiting",
		    "error=\"%s\" retry_ms=%d", err.text, archive->retry_ms);
		if (wait_for(archive, false, archive->retry_ms))
			break;
		if (archive->retry_ms < RETRY_MAX_MS)
			archive->retry_ms *= 2;
	}
	db_close(&archive->db);
	return NULL;
}

int
archive_open(struct archive **ret, const struct archive_config *config,
    struct journal *journal, const struct clock *clock, struct err *err)
{
	struct archive *archive = calloc(1, sizeof(*archive));
	int result;

	if (!archive)
		return err_set(err, -ENOMEM, "no memory for the archive");
	*ret = archive;
	archive->config = *config;
	archive->journal = journal;
	archive->clock = clock;
	archive->wake_fd = archive->close_fd = archive->late_fd = -1;
	pthread_mutex_init(&archive->lock, NULL);
	archive->status.enabled = *config->conninfo != '\0';
	archive->current_us = clock_wall_us(clock);
	if (!archive->status.enabled)
		return 0;
	archive->batch = calloc(1, sizeof(*archive->batch));
	archive->wake_fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
	archive->close_fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
	archive->late_fd = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC);
	archive->db.interrupt_fd = archive->late_fd;
	if (!archive->batch || archive->wake_fd < 0 || archive->close_fd < 0 ||
	    archive->late_fd < 0)
		result = err_set(err, -ENOMEM, "no memory for the archive");
	else if (journal_subscribe(journal, archive->wake_fd) < 0)
		result = err_set(err, -ENOSPC,
		    "the journal has too many subscribers");
	else
		result = -pthread_create(&archive->thread, NULL, run, archive);
	archive->started = result == 0;
	if (result < 0)
		archive_close(ret);
	return result;
}

void
archive_close(struct archive **slot)
{
	static const struct itimerspec patience = { .it_value.tv_sec =
							CLOSE_S };
	struct archive *archive = *slot;
	uint64_t one = 1;

	if (!archive)
		return;
	*slot = NULL;
	if (archive->started &&
	    timerfd_settime(archive->late_fd, 0, &patience, NULL) == 0 &&
	    write(archive->close_fd, &one, sizeof(one)) == sizeof(one))
		pthread_join(archive->thread, NULL);
	if (archive->wake_fd >= 0)
		close(archive->wake_fd);
	if (archive->close_fd >= 0)
		close(archive->close_fd);
	if (archive->late_fd >= 0)
		close(archive->late_fd);
	journal_cursor_close(&archive->cursor);
	if (archive->batch)
		archive_batch_close(archive->batch);
	free(archive->batch);
	pthread_mutex_destroy(&archive->lock);
	free(archive);
}

void
archive_status(struct archive *archive, struct archive_status *ret)
{
	int64_t current_us;

	pthread_mutex_lock(&archive->lock);
	*ret = archive->status;
	current_us = archive->current_us;
	pthread_mutex_unlock(&archive->lock);
	if (ret->enabled &&
	    ret->position_lsn < journal_durable(archive->journal))
		ret->lag_us = clock_wall_us(archive->clock) - current_us;
}
