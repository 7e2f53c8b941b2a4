#include "unit/test.h"

#include <dirent.h>
#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "base/cursor.h"
#include "journal/internal.h"
#include "unit/journal/fixture.h"

void
fixture_empty_directory(const char *directory)
{
	DIR *stream = opendir(directory);
	struct dirent *entry;
	char path[512];

	assert_non_null(stream);
	while ((entry = readdir(stream))) {
		snprintf(path, sizeof(path), "%s/%s", directory, entry->d_name);
		unlink(path);
	}
	closedir(stream);
}

static int
setup_in(void **state, const char *parent)
{
	struct fixture *f = calloc(1, sizeof(*f));

	snprintf(f->directory, sizeof(f->directory), "%s/tocsin-journal-XXXXXX",
	    parent);
	assert_non_null(mkdtemp(f->directory));
	f->config = (struct journal_config){ .node = "alpha",
		.directory = f->directory,
		.segment_bytes = SEGMENT_BYTES,
		.budget_bytes = 64 * SEGMENT_BYTES,
		.retention_us = 3600 * 1000000ll };
	f->event_fd = eventfd(0, EFD_CLOEXEC);
	f->io = &io_system;
	*state = f;
	return 0;
}

int
fixture_setup(void **state)
{
	return setup_in(state, "/tmp");
}

int
fixture_setup_in_memory(void **state)
{
	return setup_in(state,
	    access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp");
}

int
fixture_teardown(void **state)
{
	struct fixture *f = *state;

	journal_close(&f->journal);
	close(f->event_fd);
	fixture_empty_directory(f->directory);
	rmdir(f->directory);
	free(f);
	return 0;
}

void
fixture_open(struct fixture *f)
{
	struct err err = { "" };

	if (journal_open(&f->journal, &f->config, f->io, &clock_system, &err) <
	    0)
		fail_msg("%s", err.text);
	if (f->segment_bytes > 0)
		f->journal->config.segment_bytes = f->segment_bytes;
	assert_int_equal(journal_subscribe(f->journal, f->event_fd), 0);
	if (journal_start(f->journal, &err) < 0)
		fail_msg("%s", err.text);
}

void
fixture_wait(struct fixture *f, uint64_t lsn)
{
	struct pollfd wait = { f->event_fd, POLLIN, 0 };
	uint64_t count;

	while (journal_durable(f->journal) <= lsn) {
		assert_int_equal(poll(&wait, 1, 30000), 1);
		assert_int_equal(read(f->event_fd, &count, sizeof(count)),
		    sizeof(count));
	}
}

size_t
fixture_payload(uint64_t number, char *out)
{
	struct writer w = writer_open(out, PAYLOAD_BYTES);
	size_t length = 8 + (size_t)(number * 37 % (PAYLOAD_BYTES - 8));

	writer_u64(&w, number);
	memset(out + 8, (int)(number * 11 + 3), PAYLOAD_BYTES - 8);
	return length;
}

uint64_t
fixture_append(struct fixture *f, enum journal_kind kind, uint64_t number)
{
	char payload[PAYLOAD_BYTES];
	size_t length = fixture_payload(number, payload);
	uint64_t lsn = 0;
	int result;

	while ((result = journal_append(f->journal, kind,
		    1000 + (int64_t)number, (int64_t)number,
		    slice_of(payload, length), &lsn)) == -EAGAIN)
		fixture_wait(f, journal_durable(f->journal));
	assert_int_equal(result, 0);
	return lsn;
}

void
fixture_assert_entry(const struct journal_entry *entry, uint64_t number)
{
	char payload[PAYLOAD_BYTES];
	size_t length = fixture_payload(number, payload);

	assert_true(slice_equal(entry->payload, slice_of(payload, length)));
	assert_int_equal(entry->kind, JOURNAL_SIGNAL);
	assert_true(entry->received_wall_us == 1000 + (int64_t)number);
	assert_true(entry->received_monotonic_us == (int64_t)number);
}

uint64_t
fixture_count(struct fixture *f)
{
	struct journal_cursor *cursor;
	struct journal_entry entry;
	struct err err = { "" };
	uint64_t number = 0, next_lsn = 0;
	int result;

	assert_int_equal(journal_cursor_open(&cursor, f->journal, 0, &err), 0);
	while ((result = journal_cursor_next(cursor, &entry, &err)) == 1) {
		assert_true(entry.lsn >= next_lsn);
		next_lsn = entry.next_lsn;
		assert_true(journal_cursor_position(cursor) == next_lsn);
		if (entry.kind != JOURNAL_BOOT)
			fixture_assert_entry(&entry, number++);
	}
	if (result < 0)
		fail_msg("%s", err.text);
	journal_cursor_close(&cursor);
	return number;
}
