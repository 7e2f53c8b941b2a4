#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "journal/internal.h"

#define CURSOR_CHUNK_BYTES (256u << 10)
/* journal_read: most records are whole in the first read. */
#define READ_FIRST_BYTES 1024u

/*
 *   buffer |== from the window or the file, all durable ==|
 *          start_lsn      position_lsn           start_lsn + filled
 */
struct journal_cursor {
	struct journal *journal;
	uint64_t position_lsn;
	uint64_t start_lsn;
	size_t filled;
	bool trusted; /* it comes from the window */
	uint32_t seed;
	int fd;
	uint64_t first_lsn; /* of the segment that is open; 0: none */
	uint8_t *buffer;
};

/* Where a reader at an lsn has to go on. */
struct place {
	uint64_t first_lsn;
	uint64_t lsn; /* moved over what is lost between two segments */
	uint64_t end_lsn;
	unsigned directory;
};

/* Step over the hole at the place, stop before the next one. */
static void
mind_holes(const struct segment *segment, struct place *place)
{
	for (unsigned i = 0; i < segment->hole_count; i++) {
		const struct hole *hole = &segment->holes[i];

		if (place->lsn >= hole->start_lsn && place->lsn < hole->end_lsn)
			place->lsn = hole->end_lsn;
		if (place->lsn < hole->start_lsn) {
			place->end_lsn = hole->start_lsn;
			return;
		}
	}
}

/* 1, 0: nothing there yet, -ENOENT: removed. */
static int
locate(struct journal *journal, uint64_t lsn, struct place *ret)
{
	const struct segment *segment;
	int result = 0;

	pthread_mutex_lock(&journal->table_lock);
	if (lsn < journal_oldest_lsn(journal))
		result = -ENOENT;
	while (result == 0 && (segment = journal_table_find(journal, lsn))) {
		*ret = (struct place){ segment->first_lsn,
			lsn < segment->first_lsn ? segment->first_lsn : lsn,
			segment->end_lsn, segment->directory };
		mind_holes(segment, ret);
		lsn = ret->lsn;
		result = lsn < segment->end_lsn;
	}
	pthread_mutex_unlock(&journal->table_lock);
	return result;
}

int
journal_cursor_open(struct journal_cursor **ret, struct journal *journal,
    uint64_t lsn, struct err *err)
{
	uint64_t durable = journal_durable(journal), oldest;
	struct journal_cursor *cursor;

	pthread_mutex_lock(&journal->table_lock);
	oldest = journal_oldest_lsn(journal);
	pthread_mutex_unlock(&journal->table_lock);
	if (lsn == 0)
		lsn = oldest;
	if (lsn < oldest || lsn > durable)
		return err_set(err, -ENOENT,
		    "journal: lsn %" PRIu64 " is not in it (%" PRIu64
		    " to %" PRIu64 ")",
		    lsn, oldest, durable);
	cursor = calloc(1, sizeof(*cursor));
	if (cursor)
		cursor->buffer = malloc(CURSOR_CHUNK_BYTES);
	if (!cursor || !cursor->buffer) {
		free(cursor);
		return err_set(err, -ENOMEM, "journal cursor: out of memory");
	}
	cursor->journal = journal;
	cursor->position_lsn = lsn;
	cursor->fd = -1;
	*ret = cursor;
	return 0;
}

void
journal_cursor_close(struct journal_cursor **ref)
{
	struct journal_cursor *cursor = *ref;

	if (!cursor)
		return;
	if (cursor->fd >= 0)
		cursor->journal->io->close(cursor->journal->io, cursor->fd);
	free(cursor->buffer);
	free(cursor);
	*ref = NULL;
}

static int
open_segment(struct journal_cursor *cursor, const struct place *place,
    struct err *err)
{
	const struct io *io = cursor->journal->io;
	char path[PATH_MAX];
	int fd;

	if (cursor->fd >= 0 && cursor->first_lsn == place->first_lsn)
		return 0;
	journal_segment_path(cursor->journal, place->directory,
	    place->first_lsn, path);
	fd = io->open(io, path, O_RDONLY, 0);
	if (fd < 0)
		return err_set(err, fd, "%s: %s", path, strerror(-fd));
	if (cursor->fd >= 0)
		io->close(io, cursor->fd);
	cursor->fd = fd;
	cursor->first_lsn = place->first_lsn;
	return 0;
}

/* The bytes read, or -errno. */
static ssize_t
read_segment(struct journal_cursor *cursor, const struct place *place,
    size_t length, struct err *err)
{
	ssize_t n = open_segment(cursor, place, err);

	if (n < 0)
		return n;
	n = segment_read(cursor->journal->io, cursor->fd, cursor->buffer,
	    length, SEGMENT_HEADER_BYTES + (place->lsn - place->first_lsn));
	if (n < 0)
		err_set(err, (int)n, "journal segment %016" PRIx64 ": %s",
		    place->first_lsn, strerror((int)-n));
	return n;
}

/* Read on from the position; 1, 0: nothing durable behind it, -errno. */
static int
fill(struct journal_cursor *cursor, struct err *err)
{
	uint64_t durable = journal_durable(cursor->journal), end;
	struct place place;
	size_t length;
	ssize_t n;
	int result;

	if (cursor->position_lsn >= durable)
		return 0;
	result = locate(cursor->journal, cursor->position_lsn, &place);
	if (result < 0)
		return err_set(err, result,
		    "journal: lsn %" PRIu64 " was removed",
		    cursor->position_lsn);
	if (result == 0 || place.lsn >= durable)
		return 0;
	end = place.end_lsn < durable ? place.end_lsn : durable;
	length = end - place.lsn < CURSOR_CHUNK_BYTES
	    ? (size_t)(end - place.lsn)
	    : CURSOR_CHUNK_BYTES;
	n = (ssize_t)length;
	cursor->trusted = window_read(&cursor->journal->window, place.lsn,
	    cursor->buffer, length);
	if (!cursor->trusted)
		n = read_segment(cursor, &place, length, err);
	if (n < 0)
		return (int)n;
	cursor->seed = envelope_seed(place.first_lsn);
	cursor->position_lsn = place.lsn;
	cursor->start_lsn = place.lsn;
	cursor->filled = (size_t)n;
	return 1;
}

/* A file that was removed may hold other records by now. */
static int
bad_record(struct journal *journal, uint64_t lsn, struct err *err)
{
	struct place place;

	if (locate(journal, lsn, &place) == -ENOENT)
		return err_set(err, -ENOENT,
		    "journal: lsn %" PRIu64 " was removed", lsn);
	return err_set(err, -EIO, "journal: no good record at lsn %" PRIu64,
	    lsn);
}

static void
entry_set(struct journal_entry *ret, const struct envelope *envelope,
    const uint8_t *at, size_t size)
{
	*ret = (struct journal_entry){ .lsn = envelope->lsn,
		.next_lsn = envelope->lsn + size,
		.kind = (enum journal_kind)envelope->kind,
		.boot = envelope->boot,
		.received_wall_us = envelope->wall_us,
		.received_monotonic_us = envelope->monotonic_us,
		.payload = slice_of(at + ENVELOPE_BYTES, envelope->length) };
}

/* Whole in the buffer, as far as its own length can be believed. */
static bool
buffered(const struct journal_cursor *cursor, size_t at)
{
	size_t left = cursor->filled - at, size;

	if (left < ENVELOPE_BYTES)
		return false;
	size = envelope_claimed_size(cursor->buffer + at);
	return size > 0 && size <= left;
}

/* 1: a record or a mark, 0: nothing more now, -errno. */
static int
step(struct journal_cursor *cursor, struct envelope *envelope, size_t *ret_at,
    size_t *ret_size, struct err *err)
{
	size_t at = (size_t)(cursor->position_lsn - cursor->start_lsn);

	if (at >= cursor->filled || !buffered(cursor, at)) {
		int result = fill(cursor, err);

		if (result <= 0)
			return result;
		at = 0;
	}
	*ret_at = at;
	*ret_size = cursor->trusted
	    ? envelope_read(cursor->buffer + at, envelope)
	    : envelope_check(cursor->buffer + at, cursor->filled - at,
		  cursor->seed, cursor->position_lsn, envelope);
	if (*ret_size == 0)
		return bad_record(cursor->journal, cursor->position_lsn, err);
	cursor->position_lsn += *ret_size;
	return 1;
}

int
journal_cursor_next(struct journal_cursor *cursor, struct journal_entry *ret,
    struct err *err)
{
	struct envelope envelope;
	size_t at, size;
	int result;

	do {
		result = step(cursor, &envelope, &at, &size, err);
		if (result <= 0)
			return result;
	} while (envelope.kind >= ENVELOPE_GAP);
	entry_set(ret, &envelope, cursor->buffer + at, size);
	return 1;
}

bool
journal_cursor_ahead(const struct journal_cursor *cursor,
    struct journal_entry *ret)
{
	size_t at = (size_t)(cursor->position_lsn - cursor->start_lsn), size;
	struct envelope envelope;

	if (!cursor->trusted || at >= cursor->filled || !buffered(cursor, at))
		return false;
	size = envelope_read(cursor->buffer + at, &envelope);
	entry_set(ret, &envelope, cursor->buffer + at, size);
	return envelope.kind < ENVELOPE_GAP;
}

uint64_t
journal_cursor_position(const struct journal_cursor *cursor)
{
	return cursor->position_lsn;
}

/* read_lock held: the descriptor of a segment, kept for the next time. */
static int
slot_open(struct journal *journal, const struct place *place)
{
	struct read_slot *slot =
	    &journal->read_slots[hash_number(place->first_lsn) %
		JOURNAL_READ_SLOTS];
	char path[PATH_MAX];
	int fd;

	if (slot->first_lsn == place->first_lsn)
		return slot->fd;
	journal_segment_path(journal, place->directory, place->first_lsn, path);
	fd = journal->io->open(journal->io, path, O_RDONLY, 0);
	if (fd < 0)
		return fd;
	if (slot->first_lsn != 0)
		journal->io->close(journal->io, slot->fd);
	*slot = (struct read_slot){ place->first_lsn, fd };
	return fd;
}

/* As many of the bytes from distance behind the place on as there are, or
 * -errno. */
static ssize_t
read_at(struct journal *journal, const struct place *place, size_t distance,
    uint8_t *out, size_t length)
{
	uint64_t lsn = place->lsn + distance;
	ssize_t n;
	int fd;

	if (window_read(&journal->window, lsn, out, length))
		return (ssize_t)length;
	pthread_mutex_lock(&journal->read_lock);
	fd = slot_open(journal, place);
	n = fd < 0 ? fd
		   : segment_read(journal->io, fd, out, length,
			 SEGMENT_HEADER_BYTES + (lsn - place->first_lsn));
	pthread_mutex_unlock(&journal->read_lock);
	return n;
}

/* The bytes of the record into buffer; how many, or -errno. */
static ssize_t
read_record(struct journal *journal, const struct place *place, uint64_t end,
    uint8_t *buffer)
{
	uint64_t room = end - place->lsn;
	size_t first =
	    room < READ_FIRST_BYTES ? (size_t)room : READ_FIRST_BYTES;
	ssize_t more, n = read_at(journal, place, 0, buffer, first);
	size_t size;

	if (n < (ssize_t)ENVELOPE_BYTES)
		return n;
	size = envelope_claimed_size(buffer);
	if (size <= (size_t)n || size > room ||
	    size > envelope_size(JOURNAL_PAYLOAD_MAX))
		return n;
	more = read_at(journal, place, (size_t)n, buffer + n, size - (size_t)n);
	return more < 0 ? more : n + more;
}

int
journal_read(struct journal *journal, uint64_t lsn, void *buffer,
    struct journal_entry *ret, struct err *err)
{
	uint64_t durable = journal_durable(journal);
	struct envelope envelope;
	struct place place;
	size_t size;
	ssize_t n;

	if (lsn >= durable || lsn % 8 != 0 ||
	    locate(journal, lsn, &place) <= 0 || place.lsn != lsn)
		return err_set(err, -ENOENT,
		    "journal: lsn %" PRIu64 " is not in it", lsn);
	n = read_record(journal, &place,
	    place.end_lsn < durable ? place.end_lsn : durable, buffer);
	if (n < 0)
		return err_set(err, -EIO, "journal: lsn %" PRIu64 ": %s", lsn,
		    strerror((int)-n));
	size = envelope_check(buffer, (size_t)n, envelope_seed(place.first_lsn),
	    lsn, &envelope);
	if (size == 0 && n >= (ssize_t)ENVELOPE_BYTES &&
	    envelope_claimed_size(buffer) > 0)
		return bad_record(journal, lsn, err);
	if (size == 0 || envelope.kind >= ENVELOPE_GAP)
		return err_set(err, -ENOENT,
		    "journal: no record begins at lsn %" PRIu64, lsn);
	entry_set(ret, &envelope, buffer, size);
	return 0;
}
