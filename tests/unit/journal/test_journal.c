/* The journal as its users see it: fixture_append, follow, read, restart, retain. */
#include "unit/test.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <stdlib.h>
#include <unistd.h>

#include "journal/internal.h"
#include "unit/journal/fixture.h"

static void
appended_records_come_back_over_many_segments(void **state)
{
	struct fixture *f = *state;
	static char buffer[JOURNAL_PAYLOAD_MAX + 64];
	uint64_t lsns[500], previous = 0;
	struct journal_status status;
	struct journal_entry entry;

	fixture_open(f);
	for (uint64_t i = 0; i < COUNT(lsns); i++) {
		lsns[i] = fixture_append(f, JOURNAL_SIGNAL, i);
		assert_true(lsns[i] > previous);
		previous = lsns[i];
	}
	fixture_wait(f, previous);
	assert_int_equal(fixture_count(f), COUNT(lsns));
	for (uint64_t i = 0; i < COUNT(lsns); i++) {
		assert_int_equal(journal_read(f->journal, lsns[i], buffer,
				     &entry, NULL),
		    0);
		assert_true(entry.lsn == lsns[i]);
		fixture_assert_entry(&entry, i);
	}
	assert_int_equal(journal_read(f->journal, lsns[7] + 8, buffer, &entry,
			     NULL),
	    -ENOENT);
	assert_int_equal(journal_read(f->journal, previous + SEGMENT_BYTES,
			     buffer, &entry, NULL),
	    -ENOENT);
	journal_status(f->journal, &status);
	assert_true(status.segments > 3);
	assert_int_equal(status.quarantined, 0);
	assert_true(status.durable_lsn == status.appended_lsn);
}

static void
a_restart_goes_on_where_it_stopped(void **state)
{
	struct fixture *f = *state;
	struct hash_key key = { { 0 } };
	uint64_t last = 0, number = 0;

	for (uint32_t boot = 1; boot <= 5; boot++) {
		struct journal_status status;

		fixture_open(f);
		journal_status(f->journal, &status);
		assert_int_equal(status.boot, boot);
		assert_int_equal(status.quarantined, 0);
		if (boot > 1)
			assert_memory_equal(&key, journal_hash_key(f->journal),
			    sizeof(key));
		key = *journal_hash_key(f->journal);
		assert_int_equal(fixture_count(f), number);
		for (unsigned i = 0; i < 70; i++) {
			uint64_t lsn =
			    fixture_append(f, JOURNAL_SIGNAL, number++);

			assert_true(lsn > last);
			last = lsn;
		}
		journal_close(&f->journal);
	}
	fixture_open(f);
	assert_int_equal(fixture_count(f), number);
}

/* Most readers find everything in memory; the one that does not goes to the
 * files, and comes back. */
static void
what_has_left_the_window_comes_from_the_files(void **state)
{
	static char payload[JOURNAL_PAYLOAD_MAX];
	static char buffer[JOURNAL_PAYLOAD_MAX + 64];
	const uint64_t records = 2 * WINDOW_BYTES / sizeof(payload);
	struct fixture *f = *state;
	struct journal_cursor *cursor;
	struct journal_entry entry;
	struct err err = { "" };
	uint64_t number = 0, first_lsn = 0, lsn = 0;

	f->config.segment_bytes = 4 << 20;
	f->config.budget_bytes = 4 * WINDOW_BYTES;
	fixture_open(f);
	for (; number < records; number++) {
		memcpy(payload, &number, sizeof(number));
		while (journal_append(f->journal, JOURNAL_SIGNAL, 1, 1,
			   slice_of(payload, sizeof(payload)), &lsn) == -EAGAIN)
			fixture_wait(f, journal_durable(f->journal));
		first_lsn = number == 0 ? lsn : first_lsn;
	}
	fixture_wait(f, lsn);
	assert_int_equal(journal_cursor_open(&cursor, f->journal, 0, &err), 0);
	for (number = 0; number < records;) {
		assert_int_equal(journal_cursor_next(cursor, &entry, &err), 1);
		if (entry.kind == JOURNAL_BOOT)
			continue;
		assert_memory_equal(entry.payload.data, &number,
		    sizeof(number));
		number++;
	}
	assert_int_equal(journal_cursor_next(cursor, &entry, &err), 0);
	journal_cursor_close(&cursor);
	assert_int_equal(journal_read(f->journal, first_lsn, buffer, &entry,
			     &err),
	    0);
	assert_int_equal(entry.payload.data[0], 0);
	assert_int_equal(journal_read(f->journal, lsn, buffer, &entry, &err),
	    0);
	number = records - 1;
	assert_memory_equal(entry.payload.data, &number, sizeof(number));
}

/* A segment that began in the middle of a block would not be. */
static void
every_segment_is_written_past_the_page_cache(void **state)
{
	struct fixture *f = *state;
	char path[128];
	int fd;

	snprintf(path, sizeof(path), "%s/probe", f->directory);
	fd = open(path, O_WRONLY | O_CREAT | O_DIRECT, 0600);
	if (fd < 0) {
		print_message("the file system has no O_DIRECT\n");
		skip();
	}
	close(fd);
	for (unsigned boot = 0; boot < 3; boot++) {
		fixture_open(f);
		for (unsigned i = 0; i < 300; i++)
			fixture_wait(f, fixture_append(f, JOURNAL_SIGNAL, i));
		assert_true(f->journal->direct);
		journal_close(&f->journal);
	}
}

static void
one_process_only_but_readers(void **state)
{
	struct fixture *f = *state;
	struct journal *second = NULL;
	struct journal_config reading = f->config;
	struct err err = { "" };
	uint64_t lsn;

	fixture_open(f);
	lsn = fixture_append(f, JOURNAL_SIGNAL, 0);
	fixture_wait(f, lsn);
	assert_int_equal(journal_open(&second, &f->config, &io_system,
			     &clock_system, &err),
	    -EWOULDBLOCK);
	assert_non_null(strstr(err.text, "another process"));
	reading.read_only = true;
	reading.node = NULL;
	assert_int_equal(journal_open(&second, &reading, &io_system,
			     &clock_system, &err),
	    0);
	assert_string_equal(journal_node(second), "alpha");
	assert_true(journal_durable(second) == journal_durable(f->journal));
	assert_int_equal(journal_start(second, &err), -EROFS);
	journal_close(&second);
}

static void
another_nodes_journal_is_refused(void **state)
{
	struct fixture *f = *state;
	struct err err = { "" };

	fixture_open(f);
	journal_close(&f->journal);
	f->config.node = "beta";
	assert_int_equal(journal_open(&f->journal, &f->config, &io_system,
			     &clock_system, &err),
	    -EINVAL);
	assert_non_null(strstr(err.text, "\"alpha\""));
}

static void
ninety_five_percent_refuses_signals_only(void **state)
{
	struct fixture *f = *state;
	char payload[PAYLOAD_BYTES] = { 0 };
	struct journal_status status;
	uint64_t lsn;
	int result;

	f->config.budget_bytes = 8 * SEGMENT_BYTES;
	fixture_open(f);
	journal_hold(f->journal, JOURNAL_HOLDER_DISPATCH, 4096);
	do {
		result = journal_append(f->journal, JOURNAL_SIGNAL, 0, 0,
		    slice_of(payload, sizeof(payload)), &lsn);
	} while (result == 0);
	assert_int_equal(result, -ENOSPC);
	journal_status(f->journal, &status);
	assert_int_equal(status.refusal, JOURNAL_BUDGET_SPENT);
	assert_true(status.unfinished_share > 0.94);
	assert_int_equal(journal_append(f->journal, JOURNAL_OUTCOME, 0, 0,
			     slice_of(payload, sizeof(payload)), &lsn),
	    0);
	fixture_wait(f, lsn);
	journal_status(f->journal, &status);
	assert_true(status.oldest_lsn == 4096);
	journal_hold(f->journal, JOURNAL_HOLDER_DISPATCH, lsn);
	assert_int_equal(journal_append(f->journal, JOURNAL_SIGNAL, 0, 0,
			     slice_of(payload, sizeof(payload)), &lsn),
	    0);
}

static void
wait_segments(struct fixture *f, unsigned most)
{
	struct journal_status status;

	for (;;) {
		journal_status(f->journal, &status);
		if (status.segments <= most)
			return;
		poll(NULL, 0, 1);
	}
}

static void
finished_segments_go_and_their_files_come_again(void **state)
{
	struct fixture *f = *state;
	static char buffer[JOURNAL_PAYLOAD_MAX + 64];
	struct journal_cursor *cursor;
	struct journal_entry entry;
	struct journal_status status;
	struct err err;
	uint64_t first, lsn = 0;

	f->config.budget_bytes = 8 * SEGMENT_BYTES;
	fixture_open(f);
	first = fixture_append(f, JOURNAL_SIGNAL, 0);
	journal_hold(f->journal, JOURNAL_HOLDER_DISPATCH, first);
	journal_hold(f->journal, JOURNAL_HOLDER_ARCHIVE, first);
	fixture_wait(f, first);
	assert_int_equal(journal_cursor_open(&cursor, f->journal, first, &err),
	    0);
	for (uint64_t i = 1; i < 2000; i++) {
		lsn = fixture_append(f, JOURNAL_SIGNAL, i);
		if (i % 50 == 0) {
			fixture_wait(f, lsn);
			journal_hold(f->journal, JOURNAL_HOLDER_DISPATCH, lsn);
			journal_hold(f->journal, JOURNAL_HOLDER_ARCHIVE, lsn);
		}
	}
	fixture_wait(f, lsn);
	wait_segments(f, 8);
	assert_int_equal(journal_read(f->journal, first, buffer, &entry, &err),
	    -ENOENT);
	assert_int_equal(journal_cursor_next(cursor, &entry, &err), -ENOENT);
	journal_cursor_close(&cursor);
	journal_close(&f->journal);
	fixture_open(f);
	journal_status(f->journal, &status);
	assert_int_equal(status.quarantined, 0);
	assert_int_equal(journal_read(f->journal, lsn, buffer, &entry, &err),
	    0);
	fixture_assert_entry(&entry, 1999);
}

static void
one_holder_keeps_what_the_other_has_finished(void **state)
{
	struct fixture *f = *state;
	struct journal_status status;
	uint64_t first, lsn = 0;

	f->config.retention_us = 0;
	fixture_open(f);
	first = fixture_append(f, JOURNAL_SIGNAL, 0);
	journal_hold(f->journal, JOURNAL_HOLDER_ARCHIVE, first);
	for (uint64_t i = 1; i < 400; i++)
		lsn = fixture_append(f, JOURNAL_SIGNAL, i);
	fixture_wait(f, lsn);
	journal_hold(f->journal, JOURNAL_HOLDER_DISPATCH, lsn);
	journal_status(f->journal, &status);
	assert_true(status.segments > 2);
	assert_true(status.oldest_lsn < first);
	journal_hold(f->journal, JOURNAL_HOLDER_ARCHIVE, lsn);
	wait_segments(f, 1);
}

/* Positions grow for ever: one who needs everything needs what is there. */
static void
what_was_removed_takes_no_room(void **state)
{
	struct fixture *f = *state;
	struct journal_status status;
	uint64_t lsn = 0;

	f->config.budget_bytes = 8 * SEGMENT_BYTES;
	f->config.retention_us = 0;
	fixture_open(f);
	for (uint64_t i = 0; i < 2000; i++) {
		lsn = fixture_append(f, JOURNAL_SIGNAL, i);
		if (i % 50 == 0)
			fixture_wait(f, lsn);
	}
	assert_true(lsn > f->config.budget_bytes);
	fixture_wait(f, lsn);
	journal_hold(f->journal, JOURNAL_HOLDER_DISPATCH, lsn);
	wait_segments(f, 1);
	journal_close(&f->journal);
	fixture_open(f);
	journal_hold(f->journal, JOURNAL_HOLDER_ARCHIVE, 0);
	journal_status(f->journal, &status);
	assert_int_equal(status.refusal, JOURNAL_TAKES);
	assert_true(status.unfinished_share < 0.3);
	fixture_append(f, JOURNAL_SIGNAL, 2000);
}

static void
too_long_a_payload_is_refused(void **state)
{
	struct fixture *f = *state;
	static char payload[JOURNAL_PAYLOAD_MAX + 1];
	static char buffer[JOURNAL_PAYLOAD_MAX + 64];
	struct journal_entry entry;
	uint64_t lsn;

	fixture_open(f);
	assert_int_equal(journal_append(f->journal, JOURNAL_SIGNAL, 0, 0,
			     slice_of(payload, sizeof(payload)), &lsn),
	    -EMSGSIZE);
	assert_int_equal(journal_append(f->journal, JOURNAL_SIGNAL, 0, 0,
			     slice_of(payload, JOURNAL_PAYLOAD_MAX), &lsn),
	    0);
	fixture_wait(f, lsn);
	assert_int_equal(journal_read(f->journal, lsn, buffer, &entry, NULL),
	    0);
	assert_int_equal(entry.payload.length, JOURNAL_PAYLOAD_MAX);
}

static void
settings_out_of_range_are_named(void **state)
{
	struct fixture *f = *state;
	static const struct {
		const char *node;
		uint64_t segment_bytes, budget_bytes;
		const char *says;
	} rows[] = {
		{ "", SEGMENT_BYTES, 64 * SEGMENT_BYTES, "name" },
		{ "a", 5000, 64 * SEGMENT_BYTES, "segment size 5000" },
		{ "a", SEGMENT_BYTES + 8, 64 * SEGMENT_BYTES, "segment size" },
		{ "a", SEGMENT_BYTES, SEGMENT_BYTES, "budget 65536" },
	};

	for (size_t i = 0; i < COUNT(rows); i++) {
		struct journal_config config = f->config;
		struct err err = { "" };

		config.node = rows[i].node;
		config.segment_bytes = rows[i].segment_bytes;
		config.budget_bytes = rows[i].budget_bytes;
		assert_row(journal_open(&f->journal, &config, &io_system,
			       &clock_system, &err) == -EINVAL,
		    i, rows[i].says);
		assert_row(strstr(err.text, rows[i].says), i, err.text);
	}
}

/* ---- several threads --------------------------------------------------- */

#define APPENDERS	 3
#define APPENDED_BY_EACH 4000u

struct appender {
	struct fixture *f;
	unsigned id;
	pthread_t thread;
};

static void *
append_many(void *user)
{
	struct appender *appender = user;
	struct journal *journal = appender->f->journal;

	for (uint32_t i = 0; i < APPENDED_BY_EACH; i++) {
		uint32_t payload[40] = { appender->id, i };
		uint64_t lsn;
		int result;

		while ((result = journal_append(journal, JOURNAL_SIGNAL, 0, 0,
			    slice_of(payload, sizeof(payload)), &lsn)) ==
			-EAGAIN ||
		    result == -ENOSPC)
			poll(NULL, 0, 1);
		if (result < 0)
			return appender;
	}
	return NULL;
}

static void
appenders_and_a_follower_agree(void **state)
{
	struct fixture *f = *state;
	struct appender appenders[APPENDERS];
	uint32_t next[APPENDERS] = { 0 };
	struct journal_cursor *cursor;
	struct journal_status status;
	unsigned seen = 0;

	f->config.budget_bytes = 8 * SEGMENT_BYTES;
	fixture_open(f);
	journal_hold(f->journal, JOURNAL_HOLDER_DISPATCH, 4096);
	assert_int_equal(journal_cursor_open(&cursor, f->journal, 0, NULL), 0);
	for (unsigned i = 0; i < APPENDERS; i++) {
		appenders[i] = (struct appender){ .f = f, .id = i };
		assert_int_equal(pthread_create(&appenders[i].thread, NULL,
				     append_many, &appenders[i]),
		    0);
	}
	while (seen < APPENDERS * APPENDED_BY_EACH) {
		struct journal_entry entry;
		struct err err = { "" };
		int result = journal_cursor_next(cursor, &entry, &err);
		uint32_t payload[2];

		if (result < 0)
			fail_msg("%s", err.text);
		if (result == 0) {
			journal_hold(f->journal, JOURNAL_HOLDER_DISPATCH,
			    journal_cursor_position(cursor));
			fixture_wait(f, journal_cursor_position(cursor));
			continue;
		}
		if (entry.kind == JOURNAL_BOOT)
			continue;
		memcpy(payload, entry.payload.data, sizeof(payload));
		assert_in_range(payload[0], 0, APPENDERS - 1);
		assert_int_equal(payload[1], next[payload[0]]++);
		seen++;
		if (seen % 100 == 0) {
			journal_status(f->journal, &status);
			journal_hold(f->journal, JOURNAL_HOLDER_DISPATCH,
			    entry.lsn);
		}
	}
	for (unsigned i = 0; i < APPENDERS; i++) {
		void *failed;

		pthread_join(appenders[i].thread, &failed);
		assert_null(failed);
	}
	journal_cursor_close(&cursor);
}

#define TEST(name)                                                             \
 cmocka_unit_test_setup_teardown(name, fixture_setup, fixture_teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(appended_records_come_back_over_many_segments),
		TEST(a_restart_goes_on_where_it_stopped),
		TEST(what_has_left_the_window_comes_from_the_files),
		TEST(every_segment_is_written_past_the_page_cache),
		TEST(one_process_only_but_readers),
		TEST(another_nodes_journal_is_refused),
		TEST(ninety_five_percent_refuses_signals_only),
		TEST(finished_segments_go_and_their_files_come_again),
		TEST(one_holder_keeps_what_the_other_has_finished),
		TEST(what_was_removed_takes_no_room),
		TEST(too_long_a_payload_is_refused),
		TEST(settings_out_of_range_are_named),
		TEST(appenders_and_a_follower_agree),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
