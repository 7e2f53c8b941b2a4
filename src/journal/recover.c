#include "journal/recover.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"

struct candidate {
	uint64_t first_lsn;
	unsigned directory;
	int header_copies;
	struct segment_header header;
};

struct recovery {
	struct journal *journal;
	struct candidate *candidates;
	unsigned count, room;
	uint64_t quarantined_end_lsn; /* behind the last quarantined file */
	bool crc_known;		      /* of the segment before */
	uint32_t last_crc;
	uint64_t end_lsn;
	uint32_t boot;
};

/* A segment file in memory. */
struct image {
	uint8_t *data;
	size_t length;
};

static int
add_candidate(struct recovery *recovery, uint64_t first_lsn, unsigned directory)
{
	if (recovery->count == recovery->room) {
		unsigned room = recovery->room ? 2 * recovery->room : 64;
		struct candidate *more =
		    realloc(recovery->candidates, room * sizeof(*more));

		if (!more)
			return -ENOMEM;
		recovery->candidates = more;
		recovery->room = room;
	}
	recovery->candidates[recovery->count++] =
	    (struct candidate){ .first_lsn = first_lsn,
		    .directory = directory };
	return 0;
}

/* A repair was interrupted: its copy is whole, so it takes the place if the
 * damaged file has left it already; else the repair is done again. */
static int
finish_copy(struct recovery *recovery, unsigned directory, uint64_t first_lsn)
{
	const struct io *io = recovery->journal->io;
	const char *name = recovery->journal->directories[directory];
	char copy[PATH_MAX], live[PATH_MAX];
	int fd, result;

	segment_path(name, SEGMENT_COPY, first_lsn, copy);
	segment_path(name, SEGMENT_LIVE, first_lsn, live);
	fd = io->open(io, live, O_RDONLY, 0);
	if (fd >= 0) {
		io->close(io, fd);
		return io->unlink(io, copy);
	}
	result = io->rename(io, copy, live);
	if (result == 0)
		result = io_sync_directory(io, name);
	return result < 0 ? result
			  : add_candidate(recovery, first_lsn, directory);
}

static int
take_entry(struct recovery *recovery, unsigned directory, const char *name)
{
	struct journal *journal = recovery->journal;
	bool repair = !journal->config.read_only;
	uint64_t first_lsn = 0;
	char path[PATH_MAX];
	enum segment_file file = segment_parse_name(name, &first_lsn);

	switch (file) {
	case SEGMENT_LIVE:
		return add_candidate(recovery, first_lsn, directory);
	case SEGMENT_QUARANTINE:
		journal->quarantined++;
		first_lsn += journal->config.segment_bytes;
		if (first_lsn > recovery->quarantined_end_lsn)
			recovery->quarantined_end_lsn = first_lsn;
		return 0;
	case SEGMENT_COPY:
		return repair ? finish_copy(recovery, directory, first_lsn) : 0;
	case SEGMENT_TEMPORARY:
	case SEGMENT_SPARE:
	case SEGMENT_SPARE_TEMPORARY:
		/* a spare may hold records that were never durable */
		segment_path(journal->directories[directory], file, first_lsn,
		    path);
		return repair ? journal->io->unlink(journal->io, path) : 0;
	case SEGMENT_OTHER:
		return 0;
	}
	return 0;
}

static int
list_directory(struct recovery *recovery, unsigned directory, struct err *err)
{
	const char *name = recovery->journal->directories[directory];
	DIR *stream = opendir(name);
	struct dirent *entry;
	int result = 0;

	if (!stream)
		return err_set_errno(err, "journal directory %s", name);
	while (result == 0 && (entry = readdir(stream)))
		result = take_entry(recovery, directory, entry->d_name);
	closedir(stream);
	return result == 0 ? 0
			   : err_set(err, result, "journal directory %s: %s",
				 name, strerror(-result));
}

static int
read_header(struct recovery *recovery, struct candidate *candidate,
    struct err *err)
{
	const struct io *io = recovery->journal->io;
	uint8_t data[SEGMENT_HEADER_BYTES];
	char path[PATH_MAX];
	ssize_t n;
	int fd;

	journal_segment_path(recovery->journal, candidate->directory,
	    candidate->first_lsn, path);
	fd = io->open(io, path, O_RDONLY, 0);
	if (fd < 0)
		return err_set(err, fd, "%s: %s", path, strerror(-fd));
	n = segment_read(io, fd, data, sizeof(data), 0);
	io->close(io, fd);
	if (n < 0)
		return err_set(err, (int)n, "%s: %s", path, strerror((int)-n));
	if (n == sizeof(data))
		candidate->header_copies =
		    segment_header_decode(data, &candidate->header);
	if (candidate->header.first_lsn != candidate->first_lsn)
		candidate->header_copies = 0;
	return 0;
}

/* Of two that begin alike the one that is right stands first. */
static int
compare(const void *left, const void *right)
{
	const struct candidate *a = left, *b = right;
	uint64_t a_serial = a->header_copies ? a->header.serial : 0;
	uint64_t b_serial = b->header_copies ? b->header.serial : 0;

	if (a->first_lsn != b->first_lsn)
		return a->first_lsn < b->first_lsn ? -1 : 1;
	return a_serial > b_serial ? -1 : a_serial < b_serial;
}

/* Out of the way, but kept for people: LSN.quarantine. */
static int
quarantine(struct recovery *recovery, const struct candidate *candidate,
    const char *why)
{
	struct journal *journal = recovery->journal;
	char from[PATH_MAX], to[PATH_MAX];
	int result = 0;

	journal_segment_path(journal, candidate->directory,
	    candidate->first_lsn, from);
	segment_path(journal->directories[candidate->directory],
	    SEGMENT_QUARANTINE, candidate->first_lsn, to);
	log_write(LOG_ERROR, "journal", "corrupt", "segment=%s reason=\"%s\"",
	    from, why);
	journal->quarantined++;
	if (!journal->config.read_only)
		result = journal->io->rename(journal->io, from, to);
	return result;
}

static int
drop_doubles(struct recovery *recovery)
{
	unsigned kept = 0;

	for (unsigned i = 0; i < recovery->count; i++) {
		struct candidate *candidate = &recovery->candidates[i];
		int result;

		if (kept > 0 &&
		    recovery->candidates[kept - 1].first_lsn ==
			candidate->first_lsn) {
			result = quarantine(recovery, candidate,
			    "another segment begins with the same lsn");
			if (result < 0)
				return result;
			continue;
		}
		recovery->candidates[kept++] = *candidate;
	}
	recovery->count = kept;
	return 0;
}

/* Node, hash key and serial, from the headers that are whole. */
static int
take_identity(struct recovery *recovery, struct err *err)
{
	struct journal *journal = recovery->journal;
	const struct segment_header *header = NULL;

	for (unsigned i = 0; i < recovery->count; i++) {
		const struct candidate *candidate = &recovery->candidates[i];

		if (candidate->header_copies == 0)
			continue;
		header = &candidate->header;
		if (header->serial >= journal->next_serial)
			journal->next_serial = header->serial + 1;
	}
	if (!header) {
		hash_key_random(&journal->hash_key);
		return 0;
	}
	journal->hash_key = header->hash_key;
	if (journal->node[0] && strcmp(journal->node, header->node) != 0)
		return err_set(err, -EINVAL,
		    "journal %s belongs to node \"%s\", not to \"%s\"",
		    journal->directories[0], header->node, journal->node);
	memcpy(journal->node, header->node, sizeof(journal->node));
	return 0;
}

static int
load(struct recovery *recovery, const struct candidate *candidate,
    struct image *ret)
{
	const struct io *io = recovery->journal->io;
	char path[PATH_MAX];
	struct stat status;
	int fd;
	ssize_t n = -EIO;

	journal_segment_path(recovery->journal, candidate->directory,
	    candidate->first_lsn, path);
	fd = io->open(io, path, O_RDONLY, 0);
	if (fd < 0)
		return fd;
	*ret = (struct image){ NULL, 0 };
	if (fstat(fd, &status) == 0 &&
	    status.st_size <= (off_t)JOURNAL_SEGMENT_MAXIMUM) {
		ret->data = malloc((size_t)status.st_size + 1);
		n = ret->data
		    ? segment_read(io, fd, ret->data, (size_t)status.st_size, 0)
		    : -ENOMEM;
	}
	io->close(io, fd);
	if (n < 0) {
		free(ret->data);
		return (int)n;
	}
	ret->length = (size_t)n;
	return 0;
}

/* ---- repair --------------------------------------------------------------- */

struct copy {
	struct image image;
	struct segment_header *header;
	bool header_lost;
};

static void
copy_record(void *user, const struct envelope *envelope, const uint8_t *record,
    size_t size)
{
	struct copy *copy = user;
	size_t at = SEGMENT_HEADER_BYTES +
	    (size_t)(envelope->lsn - copy->header->first_lsn);

	if (copy->header_lost && envelope->lsn == copy->header->first_lsn)
		copy->header->previous_crc = envelope->previous_crc;
	if (at + size <= copy->image.length)
		memcpy(copy->image.data + at, record,
		    envelope->kind == ENVELOPE_GAP ? ENVELOPE_BYTES : size);
}

static void
mark_holes(struct copy *copy, const struct scan *scan)
{
	uint64_t first_lsn = copy->header->first_lsn;

	for (unsigned i = 0; i < scan->hole_count; i++) {
		const struct hole *hole = &scan->holes[i];
		uint8_t *at = copy->image.data + SEGMENT_HEADER_BYTES +
		    (hole->start_lsn - first_lsn);
		struct envelope gap = { .kind = ENVELOPE_GAP,
			.length = (uint32_t)(hole->end_lsn - hole->start_lsn -
			    ENVELOPE_BYTES),
			.lsn = hole->start_lsn };

		envelope_write(at, &gap);
		envelope_seal(at, envelope_seed(first_lsn), 0);
	}
}

static int
write_copy(const struct io *io, const char *directory,
    const struct segment_header *header, const struct image *image)
{
	char temporary[PATH_MAX], copy[PATH_MAX];
	int fd, closed, result;

	segment_path(directory, SEGMENT_TEMPORARY, header->first_lsn,
	    temporary);
	segment_path(directory, SEGMENT_COPY, header->first_lsn, copy);
	fd = io->open(io, temporary, O_RDWR | O_CREAT | O_TRUNC, 0640);
	if (fd < 0)
		return fd;
	result = io->fallocate(io, fd, (off_t)image->length);
	if (result == 0)
		result = io_write_all(io, fd, image->data, image->length, 0);
	if (result == 0)
		result = io->fsync(io, fd);
	closed = io->close(io, fd);
	if (result == 0)
		result = closed;
	if (result == 0)
		result = io->rename(io, temporary, copy);
	return result < 0 ? result : io_sync_directory(io, directory);
}

static uint64_t
segment_bytes(const struct recovery *recovery, const struct scan *scan,
    const struct image *image)
{
	uint64_t bytes = scan->header_copies > 0
	    ? scan->header.bytes
	    : recovery->journal->config.segment_bytes;

	if (bytes < SEGMENT_HEADER_BYTES || bytes > JOURNAL_SEGMENT_MAXIMUM ||
	    bytes < image->length)
		bytes = image->length;
	return bytes < SEGMENT_HEADER_BYTES ? SEGMENT_HEADER_BYTES : bytes;
}

/* What verifies goes into a new file, each record at its place and a GAP over
 * what was lost; the damaged file stays as LSN.quarantine. */
static int
repair(struct recovery *recovery, const struct candidate *candidate,
    uint64_t limit_lsn, struct image *image, struct scan *scan)
{
	struct journal *journal = recovery->journal;
	const char *directory = journal->directories[candidate->directory];
	bool header_lost = scan->header_copies == 0;
	struct copy copy = { .header = &scan->header,
		.header_lost = header_lost };
	char from[PATH_MAX], to[PATH_MAX];
	struct scan again;
	int result;

	if (header_lost) {
		scan->header = (struct segment_header){
			.first_lsn = candidate->first_lsn,
			.serial = journal->next_serial++,
			.created_wall_us = clock_wall_us(journal->clock),
			.previous_crc =
			    recovery->crc_known ? recovery->last_crc : 0,
			.hash_key = journal->hash_key,
		};
		memcpy(scan->header.node, journal->node,
		    sizeof(scan->header.node));
	}
	copy.image.length = segment_bytes(recovery, scan, image);
	if (header_lost)
		copy.image.length =
		    copy.image.length < journal->config.segment_bytes
		    ? journal->config.segment_bytes
		    : copy.image.length;
	scan->header.bytes = copy.image.length;
	copy.image.data = calloc(1, copy.image.length);
	if (!copy.image.data)
		return -ENOMEM;
	result = scan_segment(image->data, image->length, candidate->first_lsn,
	    limit_lsn, copy_record, &copy, &again);
	if (result == 0) {
		scan_close(&again);
		segment_header_encode(&scan->header, copy.image.data);
		mark_holes(&copy, scan);
		result = write_copy(journal->io, directory, &scan->header,
		    &copy.image);
	}
	if (result == 0)
		result = quarantine(recovery, candidate,
		    header_lost || scan->header_copies < 2
			? "its header is damaged"
			: "a bad record has good ones behind it");
	segment_path(directory, SEGMENT_COPY, candidate->first_lsn, from);
	segment_path(directory, SEGMENT_LIVE, candidate->first_lsn, to);
	if (result == 0)
		result = journal->io->rename(journal->io, from, to);
	if (result == 0)
		result = io_sync_directory(journal->io, directory);
	free(image->data);
	*image = copy.image;
	if (header_lost && !scan->crc_known) {
		scan->crc_known = scan->end_lsn == candidate->first_lsn;
		scan->last_crc = scan->header.previous_crc;
	}
	return result;
}

/* ---- one segment ------------------------------------------------------------ */

/* What the next segment proves: everything up to its first lsn was durable. */
static int
judge_end(struct recovery *recovery, const struct candidate *candidate,
    uint64_t limit_lsn, const struct image *image, struct scan *scan)
{
	uint64_t capacity_lsn = candidate->first_lsn +
	    segment_bytes(recovery, scan, image) - SEGMENT_HEADER_BYTES;
	uint64_t end_lsn = limit_lsn < capacity_lsn ? limit_lsn : capacity_lsn;
	int result;

	if (limit_lsn == JOURNAL_OPEN_END || scan->end_lsn == limit_lsn)
		return 0;
	if (scan->ended || scan->end_lsn + ENVELOPE_BYTES > end_lsn) {
		log_write(LOG_ERROR, "journal", "missing",
		    "from=%" PRIu64 " to=%" PRIu64, scan->end_lsn, limit_lsn);
		recovery->journal->quarantined++;
		return 0;
	}
	result = scan_add_hole(scan, scan->end_lsn, end_lsn);
	scan->end_lsn = end_lsn;
	scan->crc_known = false;
	return result;
}

static void
judge_chain(struct recovery *recovery, const struct candidate *candidate,
    const struct scan *scan)
{
	if (!recovery->crc_known || scan->header_copies == 0 ||
	    recovery->end_lsn != candidate->first_lsn ||
	    scan->header.previous_crc == recovery->last_crc)
		return;
	log_write(LOG_ERROR, "journal", "chain_broken", "lsn=%" PRIu64,
	    candidate->first_lsn);
	recovery->journal->quarantined++;
}

static int
enter(struct recovery *recovery, const struct candidate *candidate,
    const struct image *image, struct scan *scan)
{
	struct segment segment = { .first_lsn = candidate->first_lsn,
		.end_lsn = scan->end_lsn,
		.bytes = segment_bytes(recovery, scan, image),
		.created_wall_us = scan->header.created_wall_us,
		.directory = candidate->directory };
	struct journal *journal = recovery->journal;
	int result;

	if (journal->config.read_only) {
		segment.holes = scan->holes;
		segment.hole_count = scan->hole_count;
		if (scan->hole_count > 0 || scan->header_copies < 2)
			quarantine(recovery, candidate, "seen read-only");
		scan->holes = NULL;
	}
	result = journal_table_add(journal, &segment);
	if (result < 0)
		free(segment.holes);
	return result;
}

/* Its last block is written again with what comes next. */
static int
open_window(struct journal *journal, const struct image *image,
    uint64_t end_lsn, struct err *err)
{
	size_t end =
	    SEGMENT_HEADER_BYTES + (size_t)(end_lsn - journal->first_lsn);
	size_t used = end % SEGMENT_BLOCK_BYTES;
	int result =
	    window_open(&journal->window, end_lsn, journal->first_lsn, err);

	if (result == 0)
		memcpy(window_at(&journal->window, end_lsn - used),
		    image->data + (end - used), used);
	return result;
}

/* The writer goes on in the last segment if that is whole and has room. */
static int
reopen_last(struct recovery *recovery, const struct candidate *candidate,
    const struct image *image, const struct scan *scan, struct err *err)
{
	struct journal *journal = recovery->journal;
	const struct io *io = journal->io;
	uint64_t limit_lsn =
	    candidate->first_lsn + image->length - SEGMENT_HEADER_BYTES;
	char path[PATH_MAX];
	int fd, result;

	journal_segment_path(journal, candidate->directory,
	    candidate->first_lsn, path);
	fd = io->open(io, path, O_RDWR, 0);
	/* what is read from now on must not be in the page cache alone */
	result = fd < 0 ? fd : io->fdatasync(io, fd);
	if (result == 0)
		result = io_sync_directory(io,
		    journal->directories[candidate->directory]);
	if (result < 0) {
		if (fd >= 0)
			io->close(io, fd);
		return err_set(err, result, "%s: %s", path, strerror(-result));
	}
	if (scan->ended || image->length != scan->header.bytes ||
	    scan->end_lsn + ENVELOPE_BYTES > limit_lsn) {
		io->close(io, fd);
		return 0;
	}
	journal->fd = fd;
	journal->first_lsn = candidate->first_lsn;
	journal->segment_open = true;
	journal->segment_limit_lsn = limit_lsn;
	journal->segments[journal->segment_count - 1].end_lsn =
	    JOURNAL_OPEN_END;
	fd = segment_open_direct(io, path);
	if (fd >= 0) {
		io->close(io, journal->fd); /* it was read and synced */
		journal->fd = fd;
		journal->direct = true;
	}
	return open_window(journal, image, scan->end_lsn, err);
}

static int
take_segment(struct recovery *recovery, unsigned index, struct err *err)
{
	const struct candidate *candidate = &recovery->candidates[index];
	bool last = index + 1 == recovery->count;
	uint64_t limit_lsn = last ? JOURNAL_OPEN_END : candidate[1].first_lsn;
	struct image image = { NULL, 0 };
	struct scan scan = { 0 };
	bool read_only = recovery->journal->config.read_only;
	int result = load(recovery, candidate, &image);

	if (result == 0)
		result = scan_segment(image.data, image.length,
		    candidate->first_lsn, limit_lsn, NULL, NULL, &scan);
	if (result == 0)
		result =
		    judge_end(recovery, candidate, limit_lsn, &image, &scan);
	if (result == 0) {
		judge_chain(recovery, candidate, &scan);
		if (!read_only &&
		    (scan.hole_count > 0 || scan.header_copies < 2))
			result = repair(recovery, candidate, limit_lsn, &image,
			    &scan);
	}
	if (result == 0)
		result = enter(recovery, candidate, &image, &scan);
	if (result < 0)
		result = err_set(err, result, "segment %016" PRIx64 ": %s",
		    candidate->first_lsn, strerror(-result));
	else if (last && !read_only)
		result = reopen_last(recovery, candidate, &image, &scan, err);
	recovery->end_lsn = scan.end_lsn;
	recovery->crc_known = scan.crc_known;
	recovery->last_crc = scan.last_crc;
	if (scan.last_boot > recovery->boot)
		recovery->boot = scan.last_boot;
	scan_close(&scan);
	free(image.data);
	return result;
}

static int
list(struct recovery *recovery, struct err *err)
{
	struct journal *journal = recovery->journal;
	int result = 0;

	for (unsigned i = 0; result == 0 && i < journal->directory_count; i++)
		result = list_directory(recovery, i, err);
	for (unsigned i = 0; result == 0 && i < recovery->count; i++)
		result = read_header(recovery, &recovery->candidates[i], err);
	if (result < 0)
		return result;
	if (recovery->count > 1)
		qsort(recovery->candidates, recovery->count,
		    sizeof(*recovery->candidates), compare);
	result = drop_doubles(recovery);
	if (result < 0)
		return err_set(err, result, "journal %s: %s",
		    journal->directories[0], strerror(-result));
	return take_identity(recovery, err);
}

int
journal_recover(struct journal *journal, struct err *err)
{
	struct recovery recovery = { .journal = journal,
		.end_lsn = SEGMENT_FIRST_LSN };
	int result;

	journal->next_serial = 1;
	result = list(&recovery, err);
	/* lsns of files that were set aside are not given again */
	if (recovery.count == 0 &&
	    recovery.quarantined_end_lsn > SEGMENT_FIRST_LSN)
		recovery.end_lsn = recovery.quarantined_end_lsn;
	for (unsigned i = 0; result == 0 && i < recovery.count; i++)
		result = take_segment(&recovery, i, err);
	free(recovery.candidates);
	if (result == 0 && !journal->config.read_only && !journal->window.bytes)
		result = window_open(&journal->window, recovery.end_lsn,
		    recovery.end_lsn, err);
	if (result < 0)
		return result;
	atomic_store(&journal->durable_lsn, recovery.end_lsn);
	journal->chain_crc = recovery.crc_known ? recovery.last_crc : 0;
	journal->boot = recovery.boot + 1;
	return 0;
}
