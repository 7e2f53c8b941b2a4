/*
 * Every truncation and every single-bit flip of a small journal, the zeros
 * behind its last record included: what stands before the damage is kept, what
 * stands behind it is kept or set aside where it is seen, and no record comes
 * back wrong.
 */
#include "unit/test.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "journal/internal.h"
#include "unit/journal/fixture.h"

#define RECORDS 150u /* a segment and a bit */
#define FILES	2u
/* Smaller than a daemon may have them, so that every bit can be tried. */
#define SMALL_BYTES   8192u
#define SMALL_RECORDS 16u /* likewise */

struct damaged_file {
	uint64_t first_lsn;
	char path[PATH_MAX];
	char *bytes; /* as they were */
	size_t used; /* header and records */
};

struct damage {
	struct fixture *f;
	size_t segment_bytes;
	unsigned records;
	struct damaged_file files[FILES];
	uint64_t lsns[RECORDS], end_lsn;
	struct io io; /* without the syncs, which are not the matter here */
};

static int
no_sync(const struct io *io, int fd)
{
	(void)io;
	(void)fd;
	return 0;
}

static void
read_file(struct damaged_file *file, size_t bytes)
{
	int fd = open(file->path, O_RDONLY);

	assert_true(fd >= 0);
	file->bytes = malloc(bytes);
	assert_non_null(file->bytes);
	assert_int_equal(read(fd, file->bytes, bytes), bytes);
	close(fd);
}

static void
build_of(struct damage *d, struct fixture *f, size_t segment_bytes,
    unsigned records)
{
	*d = (struct damage){ .f = f,
		.segment_bytes = segment_bytes,
		.records = records,
		.io = io_system };
	d->io.fsync = no_sync;
	d->io.fdatasync = no_sync;
	f->segment_bytes = segment_bytes;
	fixture_open(f);
	f->segment_bytes = 0;
	for (unsigned i = 0; i < records; i++)
		d->lsns[i] = fixture_append(f, JOURNAL_SIGNAL, i);
	fixture_wait(f, d->lsns[records - 1]);
	d->end_lsn = journal_durable(f->journal);
	assert_int_equal(f->journal->segment_count, FILES);
	for (unsigned i = 0; i < FILES; i++) {
		const struct segment *segment = &f->journal->segments[i];
		uint64_t end = i + 1 < FILES ? segment->end_lsn : d->end_lsn;

		d->files[i].first_lsn = segment->first_lsn;
		d->files[i].used =
		    SEGMENT_HEADER_BYTES + (end - segment->first_lsn);
		segment_path(f->directory, SEGMENT_LIVE, segment->first_lsn,
		    d->files[i].path);
	}
	journal_close(&f->journal);
	for (unsigned i = 0; i < FILES; i++)
		read_file(&d->files[i], segment_bytes);
}

static void
build(struct damage *d, struct fixture *f)
{
	build_of(d, f, SEGMENT_BYTES, RECORDS);
}

static void
restore(struct damage *d)
{
	char path[PATH_MAX];

	for (unsigned i = 0; i < FILES; i++) {
		int fd = open(d->files[i].path, O_WRONLY | O_CREAT, 0600);

		assert_true(fd >= 0);
		assert_int_equal(pwrite(fd, d->files[i].bytes, d->segment_bytes,
				     0),
		    d->segment_bytes);
		close(fd);
		unlink(segment_path(d->f->directory, SEGMENT_QUARANTINE,
		    d->files[i].first_lsn, path));
	}
}

static void
destroy(struct damage *d)
{
	for (unsigned i = 0; i < FILES; i++)
		free(d->files[i].bytes);
}

/* The numbers that came back, each once and with its own bytes and lsn. */
static unsigned
collect(struct damage *d, bool seen[RECORDS], const char *what, size_t where)
{
	struct journal_cursor *cursor;
	struct journal_entry entry;
	struct err err = { "" };
	unsigned count = 0;
	int result;

	memset(seen, 0, RECORDS * sizeof(*seen));
	assert_row(journal_cursor_open(&cursor, d->f->journal, 0, &err) == 0,
	    where, what);
	while ((result = journal_cursor_next(cursor, &entry, &err)) == 1) {
		uint64_t number;

		if (entry.kind == JOURNAL_BOOT)
			continue;
		memcpy(&number, entry.payload.data, sizeof(number));
		assert_row(number < d->records && !seen[number], where, what);
		assert_row(entry.lsn == d->lsns[number], where, what);
		fixture_assert_entry(&entry, number);
		seen[number] = true;
		count++;
	}
	assert_row(result == 0, where, err.text);
	journal_cursor_close(&cursor);
	return count;
}

static void
open_damaged(struct damage *d, bool read_only, const char *what, size_t where)
{
	struct journal_config config = d->f->config;
	struct err err = { "" };

	config.read_only = read_only;
	assert_row(journal_open(&d->f->journal, &config, &d->io, &clock_system,
		       &err) == 0,
	    where, err.text[0] ? err.text : what);
}

/* One byte of one file was changed; only the record that has it may go. */
static void
check_flip(struct damage *d, unsigned file, size_t offset, bool read_only)
{
	uint64_t lsn = d->files[file].first_lsn + offset - SEGMENT_HEADER_BYTES;
	bool in_header = offset < SEGMENT_HEADER_BYTES;
	bool seen[RECORDS];
	struct journal_status status;
	unsigned lost = 0;

	open_damaged(d, read_only, "flip", offset);
	collect(d, seen, "flip", offset);
	journal_status(d->f->journal, &status);
	for (unsigned i = 0; i < d->records; i++) {
		uint64_t end = i + 1 < d->records ? d->lsns[i + 1] : d->end_lsn;

		if (seen[i])
			continue;
		lost++;
		assert_row(!in_header && lsn >= d->lsns[i] && lsn < end, offset,
		    "another record was lost");
		/* the last one cannot be told from a torn tail */
		assert_row(status.quarantined == 1 || i == d->records - 1,
		    offset, "lost without a word");
	}
	assert_row(lost <= 1, offset, "more than one record was lost");
	assert_row(!in_header || status.quarantined == 1, offset,
	    "a damaged header was not seen");
	journal_close(&d->f->journal);
}

#define STRIDE TEST_STRIDE(13, 101)

/* How a damaged journal is opened. */
enum way {
	REPAIR,
	READ_ONLY,
};

static void
flip(struct damage *d, unsigned file, size_t offset, unsigned bit, enum way way)
{
	char whole = d->files[file].bytes[offset];
	char byte = (char)(whole ^ (1 << bit));
	int fd = open(d->files[file].path, O_WRONLY);

	assert_int_equal(pwrite(fd, &byte, 1, (off_t)offset), 1);
	check_flip(d, file, offset, way == READ_ONLY);
	if (way == READ_ONLY)
		assert_int_equal(pwrite(fd, &whole, 1, (off_t)offset), 1);
	else
		restore(d);
	close(fd);
}

/* Both ways see it with the same eyes; a repair costs more, and is done for one
 * bit of each byte. */
static void
every_bit_flip_is_seen(void **state)
{
	struct damage d;

	build_of(&d, *state, SMALL_BYTES, SMALL_RECORDS);
	for (unsigned i = 0; i < FILES; i++)
		for (size_t bit = 0; bit < SMALL_BYTES * 8; bit += STRIDE) {
			size_t offset = bit / 8;

			flip(&d, i, offset, bit % 8, READ_ONLY);
			if (bit % 8 == offset % 8)
				flip(&d, i, offset, bit % 8, REPAIR);
		}
	destroy(&d);
}

/* The same in segments of a size that there is, a prime step apart. */
static void
bit_flips_in_large_segments_are_seen(void **state)
{
	struct damage d;

	build(&d, *state);
	for (unsigned i = 0; i < FILES; i++)
		for (size_t bit = 0; bit < d.files[i].used * 8;
		     bit += 1009 * STRIDE)
			flip(&d, i, bit / 8, bit % 8, REPAIR);
	destroy(&d);
}

static void
check_truncation(struct damage *d, unsigned file, size_t length)
{
	uint64_t cut_lsn = length < SEGMENT_HEADER_BYTES
	    ? d->files[file].first_lsn
	    : d->files[file].first_lsn + length - SEGMENT_HEADER_BYTES;
	uint64_t back_lsn =
	    file + 1 < FILES ? d->files[file + 1].first_lsn : UINT64_MAX;
	struct journal_status status;
	bool seen[RECORDS], lost = false;

	assert_int_equal(truncate(d->files[file].path, (off_t)length), 0);
	open_damaged(d, false, "truncation", length);
	collect(d, seen, "truncation", length);
	journal_status(d->f->journal, &status);
	for (unsigned i = 0; i < d->records; i++) {
		uint64_t end = i + 1 < d->records ? d->lsns[i + 1] : d->end_lsn;

		lost = lost || !seen[i];
		if (end <= cut_lsn || d->lsns[i] >= back_lsn)
			assert_row(seen[i], length, "a whole record was lost");
	}
	assert_row(!lost || file == FILES - 1 || status.quarantined == 1,
	    length, "lost without a word");
	journal_close(&d->f->journal);
	restore(d);
}

static void
every_truncation_keeps_what_stands_before(void **state)
{
	struct damage d;

	build_of(&d, *state, SMALL_BYTES, SMALL_RECORDS);
	for (unsigned i = 0; i < FILES; i++)
		for (size_t n = 0; n < SMALL_BYTES; n += STRIDE)
			check_truncation(&d, i, n);
	destroy(&d);
}

/* After a cut the journal goes on, and the next start finds all of it. */
static void
life_goes_on_after_a_torn_tail(void **state)
{
	struct fixture *f = *state;
	struct damage d;
	uint64_t lsn = 0;

	build(&d, f);
	for (size_t cut = 1; cut < 1200; cut += 97) {
		struct damaged_file *last = &d.files[FILES - 1];
		unsigned kept = 0;
		bool seen[RECORDS];

		assert_int_equal(truncate(last->path,
				     (off_t)(last->used - cut)),
		    0);
		if (cut % 2 == 0)
			assert_int_equal(truncate(last->path, SEGMENT_BYTES),
			    0);
		open_damaged(&d, false, "torn", cut);
		kept = collect(&d, seen, "torn", cut);
		journal_close(&f->journal);
		fixture_open(f);
		for (uint64_t i = kept; i < kept + 100; i++)
			lsn = fixture_append(f, JOURNAL_SIGNAL, i);
		fixture_wait(f, lsn);
		journal_close(&f->journal);
		fixture_open(f);
		assert_int_equal(fixture_count(f), kept + 100);
		assert_int_equal(f->journal->quarantined, 0);
		for (unsigned i = 0; i < f->journal->segment_count; i++) {
			char path[PATH_MAX];

			unlink(journal_segment_path(f->journal, 0,
			    f->journal->segments[i].first_lsn, path));
		}
		journal_close(&f->journal);
		restore(&d);
	}
	destroy(&d);
}

/* What a repair set aside stays visible; appending and reading go on. */
static void
a_repaired_journal_is_whole_again(void **state)
{
	struct fixture *f = *state;
	struct damage d;
	struct journal_status status;
	bool seen[RECORDS];
	char flipped;
	int fd;

	build(&d, f);
	fd = open(d.files[0].path, O_WRONLY);
	flipped = (char)(d.files[0].bytes[SEGMENT_HEADER_BYTES + 5000] ^ 4);
	assert_int_equal(pwrite(fd, &flipped, 1, SEGMENT_HEADER_BYTES + 5000),
	    1);
	close(fd);
	for (unsigned round = 0; round < 3; round++) {
		open_damaged(&d, false, "repaired", round);
		assert_int_equal(collect(&d, seen, "repaired", round),
		    RECORDS - 1);
		journal_status(f->journal, &status);
		assert_int_equal(status.quarantined, 1);
		journal_close(&f->journal);
	}
	destroy(&d);
}

/* The copy was whole, the damaged file moved away, and then the power went. */
static void
an_interrupted_repair_is_finished(void **state)
{
	struct fixture *f = *state;
	struct damage d;
	char copy[PATH_MAX];
	bool seen[RECORDS];

	build(&d, f);
	segment_path(f->directory, SEGMENT_COPY, d.files[0].first_lsn, copy);
	assert_int_equal(rename(d.files[0].path, copy), 0);
	open_damaged(&d, false, "interrupted", 0);
	assert_int_equal(collect(&d, seen, "interrupted", 0), RECORDS);
	journal_close(&f->journal);
	destroy(&d);
}

static void
a_missing_segment_is_seen(void **state)
{
	struct fixture *f = *state;
	struct journal_status status;
	struct journal_cursor *cursor;
	struct journal_entry entry;
	char path[PATH_MAX];
	uint64_t lsn = 0;
	unsigned count = 0;

	fixture_open(f);
	for (unsigned i = 0; i < 2 * RECORDS; i++)
		lsn = fixture_append(f, JOURNAL_SIGNAL, i);
	fixture_wait(f, lsn);
	assert_true(f->journal->segment_count >= 3);
	unlink(journal_segment_path(f->journal, 0,
	    f->journal->segments[1].first_lsn, path));
	journal_close(&f->journal);
	fixture_open(f);
	journal_status(f->journal, &status);
	assert_int_equal(status.quarantined, 1);
	assert_int_equal(journal_cursor_open(&cursor, f->journal, 0, NULL), 0);
	while (journal_cursor_next(cursor, &entry, NULL) == 1)
		count += entry.kind == JOURNAL_SIGNAL;
	assert_in_range(count, RECORDS, 2 * RECORDS - 1);
	assert_true(entry.lsn >= lsn);
	journal_cursor_close(&cursor);
}

#define TEST(name)                                                             \
 cmocka_unit_test_setup_teardown(name, fixture_setup_in_memory,                \
     fixture_teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(every_bit_flip_is_seen),
		TEST(bit_flips_in_large_segments_are_seen),
		TEST(every_truncation_keeps_what_stands_before),
		TEST(life_goes_on_after_a_torn_tail),
		TEST(a_repaired_journal_is_whole_again),
		TEST(an_interrupted_repair_is_finished),
		TEST(a_missing_segment_is_seen),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
