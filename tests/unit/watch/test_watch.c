/* What the watch finds becomes a signal in a real journal: once when it
 * begins, once when it ends. The clock is set by hand, the disk is held. */
#include "unit/test.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "journal/record.h"
#include "watch/watch.h"

#define SECOND ((int64_t)1000000)

/* io_system with a gate before fdatasync, and a disk that may be full. */
struct gated_io {
	struct io io;
	pthread_mutex_t lock;
	pthread_cond_t changed;
	bool shut;
	bool waiting; /* the writer stands before the gate */
	atomic_bool full;
};
static struct gated_io gated;

struct fixture {
	char directory[64];
	struct clock_fake clock;
	struct journal *journal;
	struct journal_cursor *cursor;
	struct event_base *base;
	struct watch *watch;
	int durable_fd;
};

/* Not past the page cache: there the journal has no fdatasync. */
static int
gated_open(const struct io *io, const char *path, int flags, mode_t mode)
{
	(void)io;
	return flags & O_DIRECT ? -EINVAL
				: io_system.open(&io_system, path, flags, mode);
}

static int
gated_fdatasync(const struct io *io, int fd)
{
	(void)io;
	pthread_mutex_lock(&gated.lock);
	gated.waiting = gated.shut;
	pthread_cond_broadcast(&gated.changed);
	while (gated.shut)
		pthread_cond_wait(&gated.changed, &gated.lock);
	gated.waiting = false;
	pthread_mutex_unlock(&gated.lock);
	return io_system.fdatasync(&io_system, fd);
}

static int
gated_fallocate(const struct io *io, int fd, off_t length)
{
	(void)io;
	return atomic_load(&gated.full)
	    ? -ENOSPC
	    : io_system.fallocate(&io_system, fd, length);
}

static void
gate_shut(void)
{
	pthread_mutex_lock(&gated.lock);
	gated.shut = true;
	pthread_mutex_unlock(&gated.lock);
}

static void
gate_wait(void)
{
	pthread_mutex_lock(&gated.lock);
	while (!gated.waiting)
		pthread_cond_wait(&gated.changed, &gated.lock);
	pthread_mutex_unlock(&gated.lock);
}

static void
gate_open(void)
{
	pthread_mutex_lock(&gated.lock);
	gated.shut = false;
	pthread_cond_broadcast(&gated.changed);
	pthread_mutex_unlock(&gated.lock);
}

static const struct watch_config watch_config = {
	.clock_step_us = SECOND,
	.slow_sync_us = 2 * SECOND,
	.stuck_sync_us = 10 * SECOND,
	.space_warning = 0.20,
	.outage_after_us = 30 * SECOND,
};

static int
setup(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));
	struct journal_config config = { .node = "watched",
		.directory = f->directory,
		.segment_bytes = 65536,
		.budget_bytes = 16 * 65536,
		.retention_us = 0 };
	struct err err = { "" };

	gated = (struct gated_io){ .io = io_system,
		.lock = PTHREAD_MUTEX_INITIALIZER,
		.changed = PTHREAD_COND_INITIALIZER };
	gated.io.open = gated_open;
	gated.io.fdatasync = gated_fdatasync;
	gated.io.fallocate = gated_fallocate;
	strcpy(f->directory, "/tmp/tocsin-watch-XXXXXX");
	assert_non_null(mkdtemp(f->directory));
	clock_fake_init(&f->clock, 1768473001 * SECOND);
	f->durable_fd = eventfd(0, EFD_CLOEXEC);
	f->base = event_base_new();
	if (journal_open(&f->journal, &config, &gated.io, &f->clock.clock,
		&err) < 0 ||
	    journal_subscribe(f->journal, f->durable_fd) < 0 ||
	    journal_start(f->journal, &err) < 0 ||
	    journal_cursor_open(&f->cursor, f->journal, 0, &err) < 0 ||
	    watch_open(&f->watch, f->base, &watch_config,
		&(const struct watched){ f->journal, NULL, NULL },
		&f->clock.clock, &err) < 0)
		fail_msg("%s", err.text);
	*state = f;
	return 0;
}

static int
teardown(void **state)
{
	struct fixture *f = *state;
	DIR *stream = opendir(f->directory);
	struct dirent *entry;
	char path[512];

	gate_open();
	watch_close(&f->watch);
	journal_cursor_close(&f->cursor);
	journal_close(&f->journal);
	event_base_free(f->base);
	close(f->durable_fd);
	while ((entry = readdir(stream))) {
		snprintf(path, sizeof(path), "%s/%s", f->directory,
		    entry->d_name);
		unlink(path);
	}
	closedir(stream);
	rmdir(f->directory);
	free(f);
	return 0;
}

/* Until everything appended is durable. */
static void
wait_durable(struct fixture *f)
{
	struct journal_status status;
	uint64_t count;

	for (;;) {
		journal_status(f->journal, &status);
		if (status.durable_lsn == status.appended_lsn &&
		    status.sync_running_us == 0)
			return;
		assert_int_equal(read(f->durable_fd, &count, sizeof(count)),
		    sizeof(count));
	}
}

/* The next signal of the watch as "E626 text"; "" when there is none. */
static const char *
next_event(struct fixture *f, char out[256])
{
	struct journal_entry entry;
	struct record_signal record;
	struct err err = { "" };

	wait_durable(f);
	out[0] = '\0';
	while (journal_cursor_next(f->cursor, &entry, &err) > 0) {
		const struct signal_event *event = &record.signal.events[0];

		if (entry.kind != JOURNAL_SIGNAL)
			continue;
		if (record_signal_decode(entry.payload, &record, &err) < 0)
			fail_msg("%s", err.text);
		assert_int_equal(record.signal.protocol,
		    SIGNAL_PROTOCOL_INTERNAL);
		assert_slice(record.listener, "watch");
		snprintf(out, 256, "%c%s %.*s",
		    signal_qualifier_letter(event->qualifier), event->code,
		    SLICE_ARG(event->text));
		return out;
	}
	assert_string_equal(err.text, "");
	return out;
}

static void
append_signal(struct fixture *f, size_t length)
{
	static const char zeros[16384];
	uint64_t lsn;
	int result;

	while ((result = journal_append(f->journal, JOURNAL_DECISION, 0, 0,
		    slice_of(zeros, length), &lsn)) == -EAGAIN)
		wait_durable(f);
	assert_int_equal(result, 0);
}

static void
test_quiet(void **state)
{
	struct fixture *f = *state;
	char text[256];

	for (unsigned i = 0; i < 100; i++) {
		clock_fake_advance(&f->clock, SECOND / 4);
		watch_look(f->watch);
	}
	assert_string_equal(next_event(f, text), "");
	assert_true(watch_healthy(f->watch));
}

static void
test_clock_step(void **state)
{
	static const struct {
		int64_t step_us;
		const char *event;
	} rows[] = {
		{ 3600 * SECOND,
		    "E626 the wall clock was set forward by 3600.0 s" },
		{ -2 * SECOND, "E626 the wall clock was set back by 2.0 s" },
		{ SECOND, "" }, /* not more than the limit */
		{ -SECOND / 2, "" },
	};
	struct fixture *f = *state;
	char text[256];

	for (size_t i = 0; i < COUNT(rows); i++) {
		clock_fake_advance(&f->clock, SECOND / 4);
		f->clock.wall_us += rows[i].step_us;
		watch_look(f->watch);
		watch_look(f->watch);
		assert_row(strcmp(next_event(f, text), rows[i].event) == 0, i,
		    text);
		assert_row(*next_event(f, text) == '\0', i, "told twice");
	}
}

/* Told once when it is away for long enough, once when it is back. */
/* Seconds pass, each with so many more refused for this account. */
static void
refuse_for(struct fixture *f, struct watch_refusal *refusal,
    const char *account, unsigned seconds, uint64_t each)
{
	refusal->account = account;
	for (unsigned i = 0; i < seconds; i++) {
		clock_fake_advance(&f->clock, SECOND);
		refusal->count += each;
		watch_refused(f->watch, refusal);
		watch_look(f->watch);
	}
}

static void
test_refusals(void **state)
{
	struct fixture *f = *state;
	struct watch_refusal wrong_key = { .listener = "panels",
		.cause = "wrong_key",
		.text = "another key",
		.peer = "192.0.2.1:5" };
	struct watch_refusal limit = { .listener = "panels",
		.cause = "over_limit",
		.text = "more connections",
		.peer = "",
		.account = "",
		.count = 2 };
	static const struct {
		const char *account;
		unsigned seconds;
		uint64_t each;
		const char *event;
	} rows[] = {
		{ "1234", 1, 3,
		    "E421 panels refuses another key: 3, account 1234, from "
		    "192.0.2.1:5" },
		{ "1234", 500, 1000, "" }, /* a flood tells nothing more */
		{ "5678", 1, 1,
		    "E421 panels refuses another key: 500004, account 5678, "
		    "from 192.0.2.1:5" },
		{ "1234", 30, 1, "" }, /* not again within the minute */
		{ "1234", 31, 1,
		    "E421 panels refuses another key: 500064, account 1234, "
		    "from 192.0.2.1:5" },
		{ "1234", 599, 0, "" },
		{ "1234", 2, 0,
		    "R421 panels refused another key: 500065, none for 10 "
		    "minutes" },
		{ "1234", 700, 0, "" },
		{ "1234", 1, 1,
		    "E421 panels refuses another key: 1, account 1234, from "
		    "192.0.2.1:5" },
	};
	char text[256];

	for (size_t i = 0; i < COUNT(rows); i++) {
		refuse_for(f, &wrong_key, rows[i].account, rows[i].seconds,
		    rows[i].each);
		assert_row(strcmp(next_event(f, text), rows[i].event) == 0, i,
		    text);
		assert_row(*next_event(f, text) == '\0', i, text);
	}
	/* a cause of its own, of which no account is known; a listener that
	 * was opened anew counts from the start */
	watch_refused(f->watch, &limit);
	watch_look(f->watch);
	assert_string_equal(next_event(f, text),
	    "E421 panels refuses more connections: 2");
	wrong_key.count = 0;
	refuse_for(f, &wrong_key, "1234", 601, 0);
	assert_string_equal(next_event(f, text),
	    "R421 panels refused more connections: 2, none for 10 minutes");
}

static void
test_outages(void **state)
{
	static const struct {
		const char *what, *name; /* NULL: nobody mentions any */
		bool works;
		unsigned seconds;
		const char *event;
	} rows[] = {
		{ "link", "north", true, 60, "" },
		{ "link", "north", false, 29, "" },
		{ "link", "north", true, 1, "" }, /* too short */
		{ "link", "north", false, 29, "" },
		{ "link", "north", false, 2,
		    "E354 link north is away for 30 s" },
		{ "link", "north", false, 300, "" },
		{ "link", "south", true, 5, "" },
		{ "link", "north", true, 1, "R354 link north works again" },
		{ "database", "PostgreSQL", false, 31,
		    "E356 database PostgreSQL is away for 30 s" },
		{ "database", "PostgreSQL", true, 1,
		    "R356 database PostgreSQL works again" },
		{ "link", "south", false, 31,
		    "E354 link south is away for 30 s" },
		{ NULL, NULL, false, 9, "" },
		{ NULL, NULL, false, 3, "R354 link south is needed no more" },
		{ NULL, NULL, false, 60, "" },
		{ "else", "what", false, 60, "" },
	};
	struct fixture *f = *state;
	char text[256];

	for (size_t i = 0; i < COUNT(rows); i++) {
		for (unsigned s = 0; s < rows[i].seconds; s++) {
			if (rows[i].what)
				watch_report(f->watch, rows[i].what,
				    rows[i].name, rows[i].works);
			watch_look(f->watch);
			clock_fake_advance(&f->clock, SECOND);
		}
		assert_row(strcmp(next_event(f, text), rows[i].event) == 0, i,
		    text);
		assert_row(*next_event(f, text) == '\0', i, "told twice");
	}
}

static void
test_slow_sync(void **state)
{
	struct fixture *f = *state;
	char text[256];

	gate_shut();
	append_signal(f, 100);
	gate_wait();
	clock_fake_advance(&f->clock, 2 * SECOND);
	watch_look(f->watch);
	clock_fake_advance(&f->clock, SECOND);
	watch_look(f->watch); /* slow from here on */
	clock_fake_advance(&f->clock, SECOND);
	watch_look(f->watch);
	assert_true(watch_healthy(f->watch));
	gate_open();
	assert_string_equal(next_event(f, text),
	    "E330 a write to the journal's disk takes 3.0 s");
	/* this look still learns how slow that write was, the one after the
	 * next write that all is well */
	watch_look(f->watch);
	append_signal(f, 100);
	wait_durable(f);
	watch_look(f->watch);
	assert_string_equal(next_event(f, text),
	    "R330 writes to the journal's disk are quick again: 0.000 s");
	watch_look(f->watch);
	assert_string_equal(next_event(f, text), "");
}

static void
test_stuck_sync(void **state)
{
	struct fixture *f = *state;

	gate_shut();
	append_signal(f, 100);
	gate_wait();
	clock_fake_advance(&f->clock, 10 * SECOND);
	watch_look(f->watch);
	assert_true(watch_healthy(f->watch));
	clock_fake_advance(&f->clock, SECOND / 4);
	watch_look(f->watch);
	assert_false(watch_healthy(f->watch));
	gate_open();
	wait_durable(f);
	watch_look(f->watch);
	assert_true(watch_healthy(f->watch));
}

static void
test_space(void **state)
{
	struct fixture *f = *state;
	struct journal_status status;
	char text[256];

	journal_hold(f->journal, JOURNAL_HOLDER_DISPATCH,
	    journal_durable(f->journal));
	do {
		append_signal(f, 16384);
		wait_durable(f);
		journal_status(f->journal, &status);
	} while (status.unfinished_share < watch_config.space_warning);
	watch_look(f->watch);
	watch_look(f->watch);
	next_event(f, text);
	if (strncmp(text, "E623 unfinished signals take", 28) != 0)
		fail_msg("%s", text);
	assert_string_equal(next_event(f, text), "");
	/* finished: it empties */
	journal_hold(f->journal, JOURNAL_HOLDER_DISPATCH,
	    journal_durable(f->journal));
	clock_fake_advance(&f->clock, 5 * SECOND);
	watch_look(f->watch);
	next_event(f, text);
	if (strncmp(text, "R623 unfinished signals take only", 33) != 0)
		fail_msg("%s", text);
	assert_string_equal(next_event(f, text), "");
}

/* The events that are there now must begin like these, in this order. */
static void
expect_events(struct fixture *f, const char *const *events, size_t count)
{
	char text[256];

	for (size_t i = 0; i < count; i++)
		assert_row(strncmp(next_event(f, text), events[i],
			       strlen(events[i])) == 0,
		    i, text);
	assert_string_equal(next_event(f, text), "");
}

/* That nothing is taken any more is itself taken. */
static void
test_refusal(void **state)
{
	static const char *const full[] = {
		"E623 unfinished signals take 95 %",
		"E624 signals are not acknowledged, the journal is full: "
		"unfinished signals fill its budget",
	};
	static const char *const takes[] = { "R623 ",
		"R624 the journal has room" };
	struct fixture *f = *state;
	struct journal_status status;

	journal_hold(f->journal, JOURNAL_HOLDER_DISPATCH,
	    journal_durable(f->journal));
	do {
		append_signal(f, 4096);
		journal_status(f->journal, &status);
	} while (status.refusal == JOURNAL_TAKES);
	watch_look(f->watch);
	watch_look(f->watch);
	expect_events(f, full, COUNT(full));
	/* room for a moment is none */
	journal_hold(f->journal, JOURNAL_HOLDER_DISPATCH,
	    journal_durable(f->journal));
	clock_fake_advance(&f->clock, 5 * SECOND - 1);
	watch_look(f->watch);
	expect_events(f, NULL, 0);
	clock_fake_advance(&f->clock, 1);
	watch_look(f->watch);
	expect_events(f, takes, COUNT(takes));
}

/* A disk that is full for an hour is no reason to restart the service, and its
 * events come as soon as there is room. */
static void
test_full_disk(void **state)
{
	static const char *const events[] = {
		"E623 the journal's disk has no room for another segment: "
		"No space left on device",
		"E624 signals are not acknowledged, the journal is full: "
		"its disk is full; records are held in memory",
		"R623 ",
		"R624 the journal has room",
	};
	struct fixture *f = *state;
	struct journal_status status;

	journal_hold(f->journal, JOURNAL_HOLDER_DISPATCH,
	    journal_durable(f->journal));
	atomic_store(&gated.full, true);
	do {
		append_signal(f, 4096);
		do
			journal_status(f->journal, &status);
		while (status.durable_lsn != status.appended_lsn &&
		    status.refusal != JOURNAL_HOLDING);
	} while (status.refusal != JOURNAL_HOLDING);
	for (unsigned minute = 0; minute < 60; minute++) {
		clock_fake_advance(&f->clock, 60 * SECOND);
		watch_look(f->watch);
		assert_true(watch_healthy(f->watch));
	}
	atomic_store(&gated.full, false);
	wait_durable(f);
	do
		journal_status(f->journal, &status);
	while (status.refusal != JOURNAL_TAKES || status.disk_full);
	clock_fake_advance(&f->clock, 5 * SECOND);
	watch_look(f->watch);
	assert_true(watch_healthy(f->watch));
	expect_events(f, events, COUNT(events));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_quiet, setup, teardown),
		cmocka_unit_test_setup_teardown(test_clock_step, setup,
		    teardown),
		cmocka_unit_test_setup_teardown(test_outages, setup, teardown),
		cmocka_unit_test_setup_teardown(test_refusals, setup, teardown),
		cmocka_unit_test_setup_teardown(test_slow_sync, setup,
		    teardown),
		cmocka_unit_test_setup_teardown(test_stuck_sync, setup,
		    teardown),
		cmocka_unit_test_setup_teardown(test_space, setup, teardown),
		cmocka_unit_test_setup_teardown(test_refusal, setup, teardown),
		cmocka_unit_test_setup_teardown(test_full_disk, setup,
		    teardown),
	};

	return cmocka_run_group_tests_name("watch", tests, NULL, NULL);
}
