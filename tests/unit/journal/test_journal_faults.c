/*
 * The n-th call of each kind fails, for every n a small scenario reaches: what
 * was told durable is there after the next start, whatever happened.
 */
#include "unit/test.h"

#include <dirent.h>
#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <stdlib.h>
#include <unistd.h>

#include "unit/journal/faulty.h"
#include "unit/journal/fixture.h"

#define RECORDS 150u

struct promise {
	bool started;
	int failure;
	uint64_t durable_lsn;
	uint64_t lsns[RECORDS];
	unsigned appended;
};

/* Wait for lsn, or for the end of the journal. False: it does not come, as the
 * journal failed or has no room. */
static bool
settled(struct fixture *f, uint64_t lsn)
{
	struct pollfd wait = { f->event_fd, POLLIN, 0 };
	struct journal_status status;
	uint64_t count;

	for (;;) {
		journal_status(f->journal, &status);
		if (journal_durable(f->journal) > lsn)
			return true;
		if (status.failure != 0 || status.refusal == JOURNAL_HOLDING)
			return false;
		assert_int_equal(poll(&wait, 1, 30000), 1);
		assert_int_equal(read(f->event_fd, &count, sizeof(count)),
		    sizeof(count));
	}
}

static int
append_one(struct fixture *f, struct promise *promise)
{
	char payload[PAYLOAD_BYTES];
	uint64_t number = promise->appended;
	size_t length = fixture_payload(number, payload);
	int result = journal_append(f->journal, JOURNAL_SIGNAL,
	    1000 + (int64_t)number, (int64_t)number, slice_of(payload, length),
	    &promise->lsns[number]);

	promise->appended += result == 0;
	return result;
}

/* What a killed process leaves; the next one has to clear it away. */
static void
leave_spare(const struct fixture *f)
{
	char path[128];
	FILE *file;

	snprintf(path, sizeof(path), "%s/spare", f->directory);
	file = fopen(path, "w");
	assert_non_null(file);
	fclose(file);
}

/* Open, append over a segment's end, close: what was promised. */
static void
run(struct fixture *f, struct faulty *faulty, struct promise *promise)
{
	struct journal_status status;
	struct err err = { "" };
	int result;

	memset(promise, 0, sizeof(*promise));
	leave_spare(f);
	if (journal_open(&f->journal, &f->config, &faulty->io, &clock_system,
		&err) < 0)
		return;
	assert_int_equal(journal_subscribe(f->journal, f->event_fd), 0);
	if (journal_start(f->journal, &err) < 0) {
		assert_true(err.text[0] != '\0');
		journal_close(&f->journal);
		return;
	}
	promise->started = true;
	journal_hold(f->journal, JOURNAL_HOLDER_DISPATCH, 1);
	while (promise->appended < RECORDS) {
		result = append_one(f, promise);
		if (result == -ENOSPC && !faulty->for_ever) {
			poll(NULL, 0, 1); /* the disk has room again soon */
			continue;
		}
		if (result == -EIO || result == -ENOSPC)
			break;
		assert_int_equal(result, 0);
		if (promise->appended % 10 == 0 &&
		    !settled(f, promise->lsns[promise->appended - 1]) &&
		    faulty->for_ever)
			break;
	}
	promise->durable_lsn = journal_durable(f->journal);
	journal_status(f->journal, &status);
	promise->failure = status.failure;
	if (status.failure != 0)
		assert_true(status.failure_text[0] != '\0');
	journal_close(&f->journal);
}

/* The next start, on a disk that works again. */
static void
check(struct fixture *f, const struct promise *promise, unsigned n,
    const char *what)
{
	struct journal_cursor *cursor;
	struct journal_entry entry;
	struct journal_status status;
	struct err err = { "" };
	unsigned number = 0;
	int result;

	if (journal_open(&f->journal, &f->config, &io_system, &clock_system,
		&err) < 0)
		fail_msg("%s %u: %s", what, n, err.text);
	assert_row(journal_durable(f->journal) >= promise->durable_lsn, n,
	    what);
	assert_row(journal_cursor_open(&cursor, f->journal, 0, &err) == 0, n,
	    what);
	while ((result = journal_cursor_next(cursor, &entry, &err)) == 1) {
		if (entry.kind == JOURNAL_BOOT)
			continue;
		assert_row(number < promise->appended, n, what);
		assert_row(entry.lsn == promise->lsns[number], n, what);
		fixture_assert_entry(&entry, number++);
	}
	assert_row(result == 0, n, err.text);
	assert_row(number == promise->appended ||
		promise->lsns[number] >= promise->durable_lsn,
	    n, what);
	journal_status(f->journal, &status);
	assert_row(status.quarantined == 0, n, what);
	journal_cursor_close(&cursor);
	journal_close(&f->journal);
}

static const int errors[] = { EIO, ENOSPC };

/* Returns how many calls there were once none failed. */
static unsigned
try_every(struct fixture *f, enum call call, bool cached, bool for_ever,
    int error)
{
	struct promise promise;
	struct faulty faulty;
	unsigned n = 1;

	for (;; n += TEST_STRIDE(5, 19)) {
		faulty_init(&faulty, call, n, for_ever, error);
		faulty.cached = cached;
		run(f, &faulty, &promise);
		check(f, &promise, n, faulty_call_names[call]);
		/* one failure alone is survived */
		if (!for_ever && promise.started)
			assert_row(promise.failure == 0 &&
				promise.appended == RECORDS,
			    n, faulty_call_names[call]);
		fixture_empty_directory(f->directory);
		if (f->config.second_directory)
			fixture_empty_directory(f->config.second_directory);
		if (faulty.calls < n)
			return faulty.calls;
	}
}

/* How often one is reached at least: what is written past the page cache needs
 * no sync. */
static unsigned
reached(enum call call, bool cached)
{
	if (call == CALL_FDATASYNC)
		return cached ? 10 : 0;
	return call == CALL_UNLINK ? 1 : 2;
}

static void
every_call_fails(struct fixture *f, bool cached, bool for_ever)
{
	for (size_t i = 0; i < COUNT(errors); i += TEST_STRIDE(1, 2))
		for (enum call call = 0; call < CALLS; call++)
			assert_row(try_every(f, call, cached, for_ever,
				       errors[i]) >=
				(for_ever ? reached(call, cached) > 0
					  : reached(call, cached)),
			    call, faulty_call_names[call]);
}

static void
every_call_fails_once(void **state)
{
	every_call_fails(*state, false, false);
}

static void
every_call_fails_from_then_on(void **state)
{
	every_call_fails(*state, false, true);
}

static void
every_call_through_the_page_cache_fails_once(void **state)
{
	every_call_fails(*state, true, false);
}

static void
every_call_through_the_page_cache_fails_from_then_on(void **state)
{
	every_call_fails(*state, true, true);
}

static void
short_writes_are_completed(void **state)
{
	assert_true(try_every(*state, CALL_PWRITEV, false, false, 0) > 10);
	assert_true(try_every(*state, CALL_PWRITEV, true, false, 0) > 10);
}

/* Some file systems find out only then that they cannot. */
static void
a_write_past_the_page_cache_may_be_refused(void **state)
{
	struct promise promise;
	struct faulty faulty;

	faulty_init(&faulty, CALL_PWRITEV, 0, false, EIO);
	faulty.opens_only = true;
	run(*state, &faulty, &promise);
	assert_int_equal(promise.failure, 0);
	assert_int_equal(promise.appended, RECORDS);
	check(*state, &promise, 0, "refused");
}

static unsigned
count_segment_files(const char *directory)
{
	DIR *stream = opendir(directory);
	struct dirent *entry;
	unsigned count = 0;

	assert_non_null(stream);
	while ((entry = readdir(stream)))
		count += strstr(entry->d_name, ".segment") != NULL;
	closedir(stream);
	return count;
}

static uint64_t
append_faster_than_the_disk(struct fixture *f, unsigned records)
{
	char payload[PAYLOAD_BYTES] = { 0 };
	uint64_t lsn = 0;

	for (unsigned i = 0; i < records; i++)
		assert_int_equal(journal_append(f->journal, JOURNAL_OUTCOME, 1,
				     1, slice_of(payload, sizeof(payload)),
				     &lsn),
		    0);
	fixture_wait(f, lsn);
	return lsn;
}

/* A segment that begins and ends in one batch cannot be closed: it is written
 * once more under the same name, and is one segment for all that. */
static void
a_segment_written_twice_is_one(void **state)
{
	struct fixture *f = *state;
	struct faulty faulty;
	unsigned n = 0;

	do {
		struct journal_status status;

		faulty_init(&faulty, CALL_CLOSE, ++n, false, EIO);
		f->io = &faulty.io;
		fixture_open(f);
		append_faster_than_the_disk(f, 500);
		journal_status(f->journal, &status);
		assert_row(status.failure == 0, n, "close");
		assert_row(status.segments == count_segment_files(f->directory),
		    n, "close");
		journal_close(&f->journal);
		fixture_empty_directory(f->directory);
	} while (faulty.calls >= n);
	assert_true(n > 8);
}

static void
the_second_directory_takes_over(void **state)
{
	struct fixture *f = *state;
	char second[] = "/tmp/tocsin-journal-XXXXXX";

	assert_non_null(mkdtemp(second));
	f->config.second_directory = second;
	for (enum call call = CALL_CLOSE; call < CALLS; call++)
		try_every(f, call, false, false, EIO);
	rmdir(second);
	f->config.second_directory = NULL;
}

#define TEST(name)                                                             \
 cmocka_unit_test_setup_teardown(name, fixture_setup, fixture_teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(every_call_fails_once),
		TEST(every_call_fails_from_then_on),
		TEST(every_call_through_the_page_cache_fails_once),
		TEST(every_call_through_the_page_cache_fails_from_then_on),
		TEST(short_writes_are_completed),
		TEST(a_write_past_the_page_cache_may_be_refused),
		TEST(a_segment_written_twice_is_one),
		TEST(the_second_directory_takes_over),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
