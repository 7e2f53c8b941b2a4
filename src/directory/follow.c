#include "directory/follow.h"

#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include "base/log.h"
#include "base/seal.h"
#include "directory/changes.h"
#include "directory/private.h"
#include "directory/save.h"

#define APPLICATION	  "tocsind directory"
#define IN_FLIGHT_POLL_US 500000ll   /* while a transaction is open */
#define SAVING_LOOK_US	  250000ll   /* is the snapshot written? */
#define IDLE_LOOK_US	  30000000ll /* does the server still answer? */
#define RETRY_FIRST_US	  250000ll   /* doubled each time */
#define RETRY_MAX_US	  10000000ll
#define START_LOAD_US	  300000000ll /* for a load at start */
#define TRIM_US		  86400000000ll
#define TRIM_SQL	  "SELECT tocsin.directory_change_trim()"
#define BEGIN_SQL	  "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY"

struct follower {
	struct directory *directory;
	const struct io *io;
	const struct clock *clock;
	struct directory_config config; /* its texts are copies */
	char *conninfo, *snapshot;
	struct seal_master master_storage;
	const struct seal_master *master; /* NULL: none configured */

	pthread_t thread;
	bool running;
	int stop_fd; /* readable: end; also ends a wait for the server */
	int wake_fd; /* readable: load everything again */

	/* the thread's; before it runs, follower_open's */
	struct db db;
	struct changes changes;
	bool snapshot_stale; /* the picture is newer than what is written */
	struct save save;
	int64_t snapshot_due_us, refresh_due_us, trim_due_us, retry_us;
};

/* ---- status ---- */

static void
set_problem(struct follower *f, const char *problem)
{
	struct directory *directory = f->directory;

	pthread_mutex_lock(&directory->lock);
	directory->status.connected = problem[0] == '\0';
	snprintf(directory->status.problem, sizeof(directory->status.problem),
	    "%.*s", (int)sizeof(directory->status.problem) - 1, problem);
	pthread_mutex_unlock(&directory->lock);
}

static void
set_loaded(struct follower *f, enum directory_source source, int64_t wall_us,
    int64_t load_us)
{
	struct directory_status *status = &f->directory->status;

	pthread_mutex_lock(&f->directory->lock);
	status->source = source;
	status->loaded_wall_us = wall_us;
	status->load_us = load_us;
	pthread_mutex_unlock(&f->directory->lock);
}

static int64_t
now_us(const struct follower *f)
{
	return clock_monotonic_us(f->clock);
}

/* ---- the snapshot file ---- */

static void
snapshot_failed(struct follower *f, const struct err *err)
{
	log_write(LOG_ERROR, "directory", "snapshot_not_written",
	    "error=\"%s\"", err->text);
	f->snapshot_stale = true;
}

static void
finish_snapshot(struct follower *f)
{
	struct err err;

	if (f->save.running && save_finish(&f->save, &err) < 0)
		snapshot_failed(f, &err);
}

static void
begin_snapshot(struct follower *f)
{
	struct err err;

	if (!f->snapshot_stale || f->snapshot[0] == '\0' || f->save.running)
		return;
	f->snapshot_stale = false;
	f->save.directory = f->directory;
	f->save.io = f->io;
	f->save.path = f->snapshot;
	f->save.master = f->master;
	if (save_start(&f->save, clock_wall_us(f->clock), &err) < 0)
		snapshot_failed(f, &err);
	f->snapshot_due_us = now_us(f) + f->config.snapshot_interval_us;
}

/* ---- from the database ---- */

static int
load_in_transaction(struct follower *f, struct load *load, struct err *err)
{
	int result = db_execute(&f->db, BEGIN_SQL, err);

	if (result == 0)
		result = changes_begin(&f->changes, &f->db, err);
	if (result == 0)
		result = load_all(load, err);
	if (result == 0)
		result = db_execute(&f->db, "COMMIT", err);
	return result;
}

/* Everything, as one moment, in the place of what is there. */
static int
load_everything(struct follower *f, struct err *err)
{
	struct load load = { .db = &f->db,
		.master = f->master,
		.batch = directory_batch_begin(f->directory) };
	int64_t begin_us = now_us(f);
	int result = load_in_transaction(f, &load, err);

	if (result < 0) {
		directory_batch_abandon(load.batch);
		return result;
	}
	directory_batch_replace_all(load.batch);
	finish_snapshot(f);
	result = directory_batch_commit(load.batch);
	if (result < 0)
		return err_set(err, result, "out of memory for the directory");
	set_loaded(f, DIRECTORY_FROM_DATABASE, clock_wall_us(f->clock),
	    now_us(f) - begin_us);
	log_write(LOG_INFO, "directory", "loaded",
	    "sites=%" PRIu64 " bridges=%" PRIu64 " duration_us=%" PRIi64
	    " left_out=%u keys_not_opened=%u",
	    f->directory->status.sites, f->directory->status.bridges,
	    f->directory->status.load_us, load.refused, load.unopened);
	f->snapshot_stale = true;
	f->refresh_due_us = now_us(f) + f->config.refresh_us;
	return 0;
}

/* LISTEN before the load: what commits after its snapshot wakes us. */
static int
connect_and_load(struct follower *f, struct err *err)
{
	int result = db_connect(&f->db, f->conninfo, APPLICATION, err);

	if (result == 0)
		result = db_check_schema(&f->db, f->config.newest_schema, err);
	if (result > 0)
		result = db_execute(&f->db, "LISTEN tocsin_directory", err);
	if (result == 0)
		result = load_everything(f, err);
	if (result < 0) {
		db_close(&f->db);
		return result;
	}
	set_problem(f, "");
	return 0;
}

static int
apply_changes(struct follower *f, struct err *err)
{
	struct load load = { .db = &f->db,
		.master = f->master,
		.batch = directory_batch_begin(f->directory) };
	int result = changes_read(&f->changes, &load, err);

	if (result <= 0) {
		directory_batch_abandon(load.batch);
		return result;
	}
	result = directory_batch_commit(load.batch);
	if (result < 0)
		return err_set(err, result,
		    "out of memory for the directory's changes");
	f->snapshot_stale = true;
	return 0;
}

/* ---- from the snapshot file ---- */

static int
read_snapshot(struct follower *f, struct err *err)
{
	struct directory_batch *batch = directory_batch_begin(f->directory);
	int64_t begin_us = now_us(f), wall_us;
	int result =
	    snapshot_read(f->io, f->snapshot, batch, f->master, &wall_us, err);

	if (result < 0) {
		directory_batch_abandon(batch);
		return result;
	}
	directory_batch_replace_all(batch);
	result = directory_batch_commit(batch);
	if (result < 0)
		return err_set(err, result, "out of memory for the directory");
	set_loaded(f, DIRECTORY_FROM_SNAPSHOT, wall_us, now_us(f) - begin_us);
	return 0;
}

/* ---- the thread ---- */

static bool
is_readable(int fd)
{
	struct pollfd poll_fd = { .fd = fd, .events = POLLIN };

	return poll(&poll_fd, 1, 0) > 0;
}

/* Whether somebody asked for it since the last call. */
static bool
take_wake(struct follower *f)
{
	uint64_t count;

	return read(f->wake_fd, &count, sizeof(count)) > 0;
}

static void
wait_to_retry(struct follower *f)
{
	struct pollfd fds[] = { { .fd = f->stop_fd, .events = POLLIN },
		{ .fd = f->wake_fd, .events = POLLIN } };

	poll(fds, 2, (int)(f->retry_us / 1000));
	take_wake(f);
	f->retry_us *= 2;
	if (f->retry_us > RETRY_MAX_US)
		f->retry_us = RETRY_MAX_US;
}

static void
lose_connection(struct follower *f, const struct err *err)
{
	bool was_connected = f->directory->status.connected;

	db_close(&f->db);
	if (is_readable(f->stop_fd))
		return;
	set_problem(f, err->text);
	if (was_connected || f->retry_us == RETRY_MAX_US)
		log_write(LOG_WARN, "directory", "not_following",
		    "error=\"%s\" coped=\"keeping the picture, trying again\"",
		    err->text);
}

static void
reconnect(struct follower *f)
{
	struct err err = { "" };

	if (connect_and_load(f, &err) == 0) {
		f->retry_us = RETRY_FIRST_US;
		return;
	}
	lose_connection(f, &err);
	wait_to_retry(f);
}

static void
earlier(int64_t *due_us, int64_t other_us)
{
	if (other_us < *due_us)
		*due_us = other_us;
}

static int
wait_timeout_ms(const struct follower *f)
{
	int64_t now = now_us(f);
	int64_t due_us =
	    now + (f->changes.in_flight ? IN_FLIGHT_POLL_US : IDLE_LOOK_US);

	if (f->save.running)
		earlier(&due_us, now + SAVING_LOOK_US);
	else if (f->snapshot_stale && f->snapshot[0])
		earlier(&due_us, f->snapshot_due_us);
	if (f->config.refresh_us > 0)
		earlier(&due_us, f->refresh_due_us);
	return due_us <= now ? 0 : (int)((due_us - now + 999) / 1000);
}

static int
trim(struct follower *f, struct err *err)
{
	int result = db_execute(&f->db, TRIM_SQL, err);

	f->trim_due_us = now_us(f) + TRIM_US;
	if (result != -EIO)
		return result;
	log_write(LOG_WARN, "directory", "changes_not_trimmed",
	    "error=\"%s\" coped=\"trying again in a day\"", err->text);
	return 0;
}

/* Changes first: they are what somebody waits for. */
static int
work(struct follower *f, struct err *err)
{
	bool reload = take_wake(f) ||
	    (f->config.refresh_us > 0 && now_us(f) >= f->refresh_due_us);
	int result = reload ? load_everything(f, err) : apply_changes(f, err);

	if (result < 0)
		return result;
	if (f->save.running && save_is_done(&f->save))
		finish_snapshot(f);
	if (now_us(f) >= f->snapshot_due_us)
		begin_snapshot(f);
	return now_us(f) >= f->trim_due_us ? trim(f, err) : 0;
}

static void
follow_once(struct follower *f)
{
	struct err err = { "" };
	bool notified;
	int result =
	    db_wait(&f->db, f->wake_fd, wait_timeout_ms(f), &notified, &err);

	if (result >= 0)
		result = work(f, &err);
	if (result < 0)
		lose_connection(f, &err);
}

static void *
run(void *context)
{
	struct follower *f = context;

	pthread_setname_np(pthread_self(), "directory");
	while (!is_readable(f->stop_fd)) {
		if (f->db.connection)
			follow_once(f);
		else
			reconnect(f);
	}
	db_close(&f->db);
	return NULL;
}

/* ---- life ---- */

static void
arm(int timer_fd, int64_t us)
{
	struct itimerspec spec = { .it_value = {
				       us / 1000000, us % 1000000 * 1000 } };

	if (us <= 0)
		spec.it_value.tv_nsec = 1;
	timerfd_settime(timer_fd, 0, &spec, NULL);
}

/* Once the server answered, the load may take longer than connecting. */
static int
try_database(struct follower *f, int timer_fd, struct err *err)
{
	int result = db_connect(&f->db, f->conninfo, APPLICATION, err);

	if (result < 0)
		return result;
	db_close(&f->db);
	arm(timer_fd, START_LOAD_US);
	return connect_and_load(f, err);
}

/* Until connect_wait_us is over, or the database is one we must not use. */
static int
start_from_database(struct follower *f, struct err *err)
{
	int timer_fd = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC);
	int64_t deadline_us = now_us(f) + f->config.connect_wait_us;
	struct err problem = { "PostgreSQL does not answer" };
	int result;

	if (timer_fd < 0)
		return err_set_errno(err, "timerfd_create");
	f->db.interrupt_fd = timer_fd;
	for (;;) {
		struct pollfd timer = { .fd = timer_fd, .events = POLLIN };
		int64_t left_us = deadline_us - now_us(f);

		arm(timer_fd, left_us);
		result = try_database(f, timer_fd, err);
		if (result < 0 && result != -ECANCELED)
			problem = *err; /* the end of the wait is none */
		left_us = deadline_us - now_us(f);
		if (result == 0 || result == -EPROTO || left_us <= 0)
			break;
		poll(&timer, 1,
		    (int)((left_us < RETRY_FIRST_US ? left_us
						    : RETRY_FIRST_US) /
			1000));
	}
	f->db.interrupt_fd = f->stop_fd;
	close(timer_fd);
	return result == 0 ? 0 : err_set(err, result, "%s", problem.text);
}

static int
start_from_snapshot(struct follower *f, const char *database_problem,
    struct err *err)
{
	struct err why = { "no snapshot file is configured" };
	int result = -ENOENT;

	if (f->snapshot[0])
		result = read_snapshot(f, &why);
	if (result < 0)
		return err_set(err, -ENOENT, "%.250s; %.250s", database_problem,
		    why.text);
	set_problem(f, database_problem);
	log_write(LOG_WARN, "directory", "from_snapshot",
	    "sites=%" PRIu64 " bridges=%" PRIu64 " why=\"%s\"",
	    f->directory->status.sites, f->directory->status.bridges,
	    database_problem);
	return 0;
}

static int
fill(struct follower *f, struct err *err)
{
	struct err problem = { "no database is configured" };
	int result = -ENOTCONN;

	if (f->conninfo[0])
		result = start_from_database(f, &problem);
	if (result == 0) {
		begin_snapshot(f);
		return 0;
	}
	/* a database that is there but newer: its picture is not ours */
	if (result == -EPROTO)
		return err_set(err, result, "%s", problem.text);
	return start_from_snapshot(f, problem.text, err);
}

static int
prepare(struct follower *f, const struct directory_config *config,
    struct err *err)
{
	f->config = *config;
	f->conninfo = strdup(config->conninfo);
	f->snapshot = strdup(config->snapshot);
	f->stop_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	f->wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	f->retry_us = RETRY_FIRST_US;
	f->trim_due_us = now_us(f);
	if (!f->conninfo || !f->snapshot || f->stop_fd < 0 || f->wake_fd < 0)
		return err_set(err, -ENOMEM, "out of memory or descriptors");
	if (config->master_key_file[0] == '\0')
		return 0;
	f->master = &f->master_storage;
	return seal_master_load(config->master_key_file, &f->master_storage,
	    err);
}

int
follower_open(struct follower **ret, struct directory *directory,
    const struct directory_config *config, const struct io *io,
    const struct clock *clock, struct err *err)
{
	struct follower *f = calloc(1, sizeof(*f));
	int result;

	if (!f)
		return err_set(err, -ENOMEM, "out of memory");
	f->directory = directory;
	f->io = io;
	f->clock = clock;
	f->stop_fd = f->wake_fd = -1;
	result = prepare(f, config, err);
	if (result == 0)
		result = fill(f, err);
	if (result == 0 && f->conninfo[0]) {
		result = -pthread_create(&f->thread, NULL, run, f);
		f->running = result == 0;
		if (result < 0)
			err_set(err, result, "cannot start a thread: %s",
			    strerror(-result));
	}
	if (result < 0)
		follower_close(&f);
	else
		*ret = f;
	return result;
}

static void
signal_fd(int fd)
{
	const uint64_t one = 1;

	/* a full counter is readable too */
	if (write(fd, &one, sizeof(one)) < 0)
		return;
}

void
follower_reload(struct follower *follower)
{
	signal_fd(follower->wake_fd);
}

const struct seal_master *
follower_master(const struct follower *follower)
{
	return follower->master;
}

void
follower_close(struct follower **follower)
{
	struct follower *f = *follower;

	*follower = NULL;
	if (!f)
		return;
	if (f->running) {
		signal_fd(f->stop_fd);
		pthread_join(f->thread, NULL);
		finish_snapshot(f);
		begin_snapshot(f);
	}
	finish_snapshot(f);
	db_close(&f->db);
	changes_close(&f->changes);
	if (f->stop_fd >= 0)
		close(f->stop_fd);
	if (f->wake_fd >= 0)
		close(f->wake_fd);
	seal_master_wipe(&f->master_storage);
	free(f->conninfo);
	free(f->snapshot);
	free(f);
}
