/*
 * A disk that is full before the budget is: signals are refused, nothing that
 * was appended is lost while the journal lives, and it goes on by itself when
 * there is room.
 */
#include "unit/test.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <unistd.h>

#include "journal/internal.h"
#include "unit/journal/faulty.h"
#include "unit/journal/fixture.h"

#define FEW	     10u  /* some calls are no more, and each is tried */
#define RECORDS	     250u /* over the ends of several segments */
#define WAIT_MS	     30000
#define APPENDED_MAX 1000u

struct appended {
	uint64_t lsn;
	enum journal_kind kind;
	unsigned number;
};

/* What was done, and what the journal said to it. */
struct story {
	struct fixture *f;
	struct faulty disk;
	struct appended appended[APPENDED_MAX];
	unsigned count, refused, held;
	const char *what;
	unsigned n;
};

static struct journal_status
status_of(struct fixture *f)
{
	struct journal_status status;

	journal_status(f->journal, &status);
	return status;
}

static void
wait_refusal(struct story *story, enum journal_refusal refusal)
{
	for (unsigned ms = 0; status_of(story->f).refusal != refusal; ms++) {
		assert_row(ms < WAIT_MS, story->n, story->what);
		poll(NULL, 0, 1);
	}
}

static int
append(struct story *story, enum journal_kind kind)
{
	struct appended *next = &story->appended[story->count];
	char payload[PAYLOAD_BYTES];
	size_t length = fixture_payload(story->count, payload);
	int result;

	assert_true(story->count < APPENDED_MAX);
	*next = (struct appended){ 0, kind, story->count };
	result = journal_append(story->f->journal, kind,
	    1000 + (int64_t)story->count, (int64_t)story->count,
	    slice_of(payload, length), &next->lsn);
	story->count += result == 0;
	story->refused += result == -ENOSPC;
	assert_row(result == 0 || (result == -ENOSPC && kind == JOURNAL_SIGNAL),
	    story->n, story->what);
	return result;
}

/* Until all is durable, or is held. */
static void
settle(struct story *story)
{
	uint64_t end =
	    story->count > 0 ? story->appended[story->count - 1].lsn : 0;

	for (unsigned ms = 0; journal_durable(story->f->journal) <= end; ms++) {
		if (status_of(story->f).refusal == JOURNAL_HOLDING) {
			story->held++;
			return;
		}
		assert_row(ms < WAIT_MS, story->n, story->what);
		poll(NULL, 0, 1);
	}
}

/* All of it, in order, at its place, and nothing else. */
static void
read_back(struct story *story)
{
	struct journal_cursor *cursor;
	struct journal_entry entry;
	struct err err = { "" };
	unsigned i = 0;
	int result;

	assert_int_equal(journal_cursor_open(&cursor, story->f->journal, 0,
			     &err),
	    0);
	while ((result = journal_cursor_next(cursor, &entry, &err)) == 1) {
		char payload[PAYLOAD_BYTES];
		size_t length = fixture_payload(i, payload);

		if (entry.kind == JOURNAL_BOOT)
			continue;
		assert_row(i < story->count &&
			entry.lsn == story->appended[i].lsn &&
			entry.kind == story->appended[i].kind &&
			slice_equal(entry.payload, slice_of(payload, length)),
		    story->n, story->what);
		i++;
	}
	assert_row(result == 0, story->n, err.text);
	assert_row(i == story->count, story->n, story->what);
	assert_row(status_of(story->f).quarantined == 0, story->n, story->what);
	journal_cursor_close(&cursor);
}

static bool
begin(struct story *story)
{
	struct fixture *f = story->f;
	struct err err = { "" };

	if (journal_open(&f->journal, &f->config, &story->disk.io,
		&clock_system, &err) < 0 ||
	    journal_start(f->journal, &err) < 0) {
		assert_row(err.text[0] != '\0', story->n, story->what);
		journal_close(&f->journal);
		return false;
	}
	journal_hold(f->journal, JOURNAL_HOLDER_DISPATCH, 1);
	return true;
}

/* The next start, on the disk itself. */
static void
look_again(struct story *story)
{
	struct fixture *f = story->f;
	struct err err = { "" };

	journal_close(&f->journal);
	if (journal_open(&f->journal, &f->config, &io_system, &clock_system,
		&err) < 0)
		fail_msg("%s %u: %s", story->what, story->n, err.text);
	read_back(story);
	journal_close(&f->journal);
}

/* Append through the full disk; lift it a while after it was first met. */
static void
live_through(struct story *story)
{
	unsigned patience = story->n * 53 % 150 + 1;

	for (unsigned i = 0; i < RECORDS; i++) {
		append(story, i % 3 == 0 ? JOURNAL_SIGNAL : JOURNAL_DECISION);
		if (i % 10 == 9)
			settle(story);
		if (story->refused + story->held > 0 && patience > 0 &&
		    --patience == 0)
			faulty_set(&story->disk, 0);
	}
	faulty_set(&story->disk, 0);
	wait_refusal(story, JOURNAL_TAKES);
	assert_int_equal(append(story, JOURNAL_SIGNAL), 0);
	fixture_wait(story->f, story->appended[story->count - 1].lsn);
	assert_row(status_of(story->f).failure == 0, story->n, story->what);
	read_back(story);
	look_again(story);
}

/* The disk is full from the n-th call on, for every n. */
static void
fill_at_every_call(struct fixture *f, enum call call, bool cached, bool full,
    int error)
{
	static struct story story;
	unsigned stride = TEST_STRIDE(5, 23);
	unsigned refused = 0, held = 0, n = 1;

	for (;; n += n < FEW ? 1 : stride) {
		story = (struct story){ .f = f,
			.what = full ? "all" : faulty_call_names[call],
			.n = n };
		faulty_init(&story.disk, call, n, true, error);
		story.disk.full = full;
		story.disk.cached = cached;
		if (begin(&story)) {
			assert_int_equal(journal_subscribe(f->journal,
					     f->event_fd),
			    0);
			live_through(&story);
		}
		refused += story.refused > 0;
		held += story.held > 0;
		fixture_empty_directory(f->directory);
		if (story.disk.calls < n)
			break;
	}
	assert_row(refused > 0 && held > 0, n, story.what);
}

static void
all_calls_find_the_disk_full(void **state)
{
	fill_at_every_call(*state, CALL_OPEN, false, true, ENOSPC);
}

static void
one_kind_of_call_finds_the_disk_full(void **state)
{
	static const struct {
		enum call call;
		bool cached;
		int error;
	} rows[] = {
		{ CALL_PWRITEV, false, EFBIG },
		{ CALL_PWRITEV, true, EFBIG },
		{ CALL_FDATASYNC, true, EDQUOT },
		{ CALL_FSYNC, false, ENOSPC },
		{ CALL_FALLOCATE, false, EDQUOT },
		{ CALL_RENAME, false, ENOSPC },
	};

	for (size_t i = 0; i < COUNT(rows); i += TEST_STRIDE(1, 3))
		fill_at_every_call(*state, rows[i].call, rows[i].cached, false,
		    rows[i].error);
}

/* ---- from refusal to holding and back ------------------------------------- */

/* Started, and from now on the disk takes no further segment. */
static void
begin_on_a_full_disk(struct story *story, struct fixture *f, const char *what)
{
	*story = (struct story){ .f = f, .what = what };
	/* the second file that is made is the first spare */
	faulty_init(&story->disk, CALL_FALLOCATE, 2, true, ENOSPC);
	assert_true(begin(story));
	assert_int_equal(journal_subscribe(f->journal, f->event_fd), 0);
	for (unsigned ms = 0; status_of(f).disk_full == 0; ms++) {
		assert_true(ms < WAIT_MS);
		poll(NULL, 0, 1);
	}
	assert_int_equal(status_of(f).disk_full, ENOSPC);
}

static void
append_until_held(struct story *story)
{
	while (status_of(story->f).refusal != JOURNAL_HOLDING) {
		append(story, JOURNAL_OUTCOME);
		settle(story);
	}
}

static void
the_rest_is_kept_for_decisions(void **state)
{
	struct fixture *f = *state;
	static struct story story;
	struct journal_status status;
	uint64_t durable;

	begin_on_a_full_disk(&story, f, "kept");
	assert_int_equal(status_of(f).refusal, JOURNAL_TAKES);
	while (append(&story, JOURNAL_SIGNAL) == 0)
		settle(&story);
	status = status_of(f);
	assert_int_equal(status.refusal, JOURNAL_ROOM_KEPT);
	assert_in_range(status.appended_lsn - SEGMENT_FIRST_LSN,
	    SEGMENT_BYTES / 3, SEGMENT_BYTES * 2 / 3);
	append_until_held(&story);
	status = status_of(f);
	assert_true(status.appended_lsn - SEGMENT_FIRST_LSN >
	    SEGMENT_BYTES - SEGMENT_HEADER_BYTES - 2 * PAYLOAD_BYTES);
	assert_int_equal(append(&story, JOURNAL_SIGNAL), -ENOSPC);
	durable = journal_durable(f->journal);
	for (unsigned i = 0; i < 100; i++)
		append(&story, JOURNAL_DECISION);
	assert_int_equal(status_of(f).refusal, JOURNAL_HOLDING);
	assert_true(journal_durable(f->journal) == durable);
	faulty_set(&story.disk, 0);
	wait_refusal(&story, JOURNAL_TAKES);
	assert_int_equal(append(&story, JOURNAL_SIGNAL), 0);
	fixture_wait(f, story.appended[story.count - 1].lsn);
	assert_int_equal(status_of(f).disk_full, 0);
	read_back(&story);
	look_again(&story);
}

/* A signal of our own says that the journal is full. */
static void
a_report_is_never_refused(void **state)
{
	static const enum journal_refusal refusals[] = { JOURNAL_ROOM_KEPT,
		JOURNAL_HOLDING };
	struct fixture *f = *state;
	static struct story story;

	begin_on_a_full_disk(&story, f, "report");
	for (size_t i = 0; i < COUNT(refusals); i++) {
		char payload[PAYLOAD_BYTES];
		size_t length;

		while (status_of(f).refusal != refusals[i]) {
			append(&story, JOURNAL_OUTCOME);
			settle(&story);
		}
		assert_int_equal(append(&story, JOURNAL_SIGNAL), -ENOSPC);
		length = fixture_payload(story.count, payload);
		story.appended[story.count] =
		    (struct appended){ .kind = JOURNAL_SIGNAL };
		assert_int_equal(journal_report(f->journal, 1, 1,
				     slice_of(payload, length),
				     &story.appended[story.count].lsn),
		    0);
		journal_wake(f->journal);
		story.count++;
	}
	faulty_set(&story.disk, 0);
	fixture_wait(f, story.appended[story.count - 1].lsn);
	read_back(&story);
}

/* No byte of the disk is freed: what is finished makes room. */
static void
finished_segments_make_room(void **state)
{
	struct fixture *f = *state;
	static struct story story;
	struct journal_status status;

	story = (struct story){ .f = f, .what = "finished" };
	faulty_init(&story.disk, CALL_FALLOCATE, 4, true, ENOSPC);
	assert_true(begin(&story));
	assert_int_equal(journal_subscribe(f->journal, f->event_fd), 0);
	append_until_held(&story);
	status = status_of(f);
	assert_int_equal(status.segments, 3);
	assert_true(status.oldest_lsn == SEGMENT_FIRST_LSN);
	journal_hold(f->journal, JOURNAL_HOLDER_DISPATCH, status.durable_lsn);
	wait_refusal(&story, JOURNAL_TAKES);
	for (unsigned i = 0; i < 3; i++)
		assert_int_equal(append(&story, JOURNAL_SIGNAL), 0);
	fixture_wait(f, story.appended[story.count - 1].lsn);
	assert_true(status_of(f).oldest_lsn > SEGMENT_FIRST_LSN);
}

/* Closing does not wait for room. What was durable is there, what was held is
 * not, and the next start goes on. */
static void
it_closes_while_full(void **state)
{
	struct fixture *f = *state;
	static struct story story;
	uint64_t durable;

	begin_on_a_full_disk(&story, f, "close");
	append_until_held(&story);
	durable = journal_durable(f->journal);
	while (story.appended[story.count - 1].lsn >= durable)
		story.count--;
	look_again(&story);
	fixture_open(f);
	append(&story, JOURNAL_SIGNAL);
	fixture_wait(f, story.appended[story.count - 1].lsn);
	read_back(&story);
}

static void
the_start_says_that_there_is_no_room(void **state)
{
	struct fixture *f = *state;
	struct err err = { "" };
	static struct faulty disk;

	faulty_init(&disk, CALL_FALLOCATE, 1, true, ENOSPC);
	assert_int_equal(journal_open(&f->journal, &f->config, &disk.io,
			     &clock_system, &err),
	    0);
	assert_int_equal(journal_start(f->journal, &err), -ENOSPC);
	assert_non_null(strstr(err.text, "no room"));
	assert_non_null(strstr(err.text, f->directory));
}

static void
a_full_disk_that_dies_is_dead(void **state)
{
	struct fixture *f = *state;
	static struct story story;

	begin_on_a_full_disk(&story, f, "dies");
	append_until_held(&story);
	faulty_set(&story.disk, EIO);
	for (unsigned ms = 0; status_of(f).failure == 0; ms++) {
		assert_true(ms < WAIT_MS);
		poll(NULL, 0, 1);
	}
	assert_int_equal(status_of(f).failure, EIO);
}

/* While one of two disks has room nothing is refused. */
static void
the_second_directory_has_room(void **state)
{
	struct fixture *f = *state;
	char second[] = "/tmp/tocsin-journal-XXXXXX";
	static struct story story;

	assert_non_null(mkdtemp(second));
	f->config.second_directory = second;
	story = (struct story){ .f = f, .what = "second" };
	faulty_init(&story.disk, CALL_OPEN, 4, true, ENOSPC);
	story.disk.below = f->directory;
	assert_true(begin(&story));
	assert_int_equal(journal_subscribe(f->journal, f->event_fd), 0);
	while (story.count < 500) {
		assert_int_equal(append(&story, JOURNAL_SIGNAL), 0);
		settle(&story);
	}
	assert_int_equal(story.held, 0);
	read_back(&story);
	look_again(&story);
	fixture_empty_directory(second);
	rmdir(second);
	f->config.second_directory = NULL;
}

#define TEST(name)                                                             \
 cmocka_unit_test_setup_teardown(name, fixture_setup, fixture_teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(all_calls_find_the_disk_full),
		TEST(one_kind_of_call_finds_the_disk_full),
		TEST(the_rest_is_kept_for_decisions),
		TEST(a_report_is_never_refused),
		TEST(finished_segments_make_room),
		TEST(it_closes_while_full),
		TEST(the_start_says_that_there_is_no_room),
		TEST(a_full_disk_that_dies_is_dead),
		TEST(the_second_directory_has_room),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
