#include "journal/segment.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/crc32c.h"
#include "base/cursor.h"
#include "journal/envelope.h"

#define SEGMENT_MAGIC	   "TOCSINJ\n"
#define SEGMENT_MAGIC_SIZE 8
/* One of the two copies of the header; a disk block spoils one of them. */
#define HALF_BYTES	   (SEGMENT_HEADER_BYTES / 2)
#define HALF_CHECKED_BYTES (HALF_BYTES - 4)
#define ZEROS_BYTES	   (1u << 20)
#define NAME_DIGITS	   16

static const struct {
	enum segment_file file;
	const char *suffix;
} suffixes[] = {
	{ SEGMENT_LIVE, ".segment" },
	{ SEGMENT_TEMPORARY, ".new" },
	{ SEGMENT_COPY, ".copy" },
	{ SEGMENT_QUARANTINE, ".quarantine" },
};

void
segment_header_encode(const struct segment_header *header,
    uint8_t out[SEGMENT_HEADER_BYTES])
{
	struct writer w = writer_open(out, HALF_CHECKED_BYTES);
	struct writer end = writer_open(out + HALF_CHECKED_BYTES,
	    HALF_BYTES - HALF_CHECKED_BYTES);

	memset(out, 0, SEGMENT_HEADER_BYTES);
	writer_bytes(&w, SEGMENT_MAGIC, SEGMENT_MAGIC_SIZE);
	writer_u32(&w, JOURNAL_FORMAT_VERSION);
	writer_u32(&w, SEGMENT_HEADER_BYTES);
	writer_u64(&w, header->first_lsn);
	writer_u64(&w, header->bytes);
	writer_u64(&w, header->serial);
	writer_u64(&w, (uint64_t)header->created_wall_us);
	writer_u32(&w, header->previous_crc);
	writer_u32(&w, 0);
	writer_bytes(&w, header->hash_key.bytes, HASH_KEY_BYTES);
	writer_string(&w, header->node);
	writer_u32(&end, crc32c(0, out, HALF_CHECKED_BYTES));
	memcpy(out + HALF_BYTES, out, HALF_BYTES);
}

static bool
half_decode(const uint8_t *half, struct segment_header *ret)
{
	struct reader r = reader_open(half, HALF_CHECKED_BYTES);
	struct reader end = reader_open(half + HALF_CHECKED_BYTES,
	    HALF_BYTES - HALF_CHECKED_BYTES);
	char magic[SEGMENT_MAGIC_SIZE];
	uint32_t version, header_bytes;

	reader_take(&r, magic, sizeof(magic));
	version = reader_u32(&r);
	header_bytes = reader_u32(&r);
	if (reader_u32(&end) != crc32c(0, half, HALF_CHECKED_BYTES) ||
	    memcmp(magic, SEGMENT_MAGIC, SEGMENT_MAGIC_SIZE) != 0 ||
	    version != JOURNAL_FORMAT_VERSION ||
	    header_bytes != SEGMENT_HEADER_BYTES)
		return false;
	ret->first_lsn = reader_u64(&r);
	ret->bytes = reader_u64(&r);
	ret->serial = reader_u64(&r);
	ret->created_wall_us = (int64_t)reader_u64(&r);
	ret->previous_crc = reader_u32(&r);
	reader_u32(&r);
	reader_take(&r, ret->hash_key.bytes, HASH_KEY_BYTES);
	reader_string(&r, ret->node, sizeof(ret->node));
	return !r.failed;
}

int
segment_header_decode(const uint8_t data[SEGMENT_HEADER_BYTES],
    struct segment_header *ret)
{
	struct segment_header half;
	int whole = 0;

	if (half_decode(data + HALF_BYTES, &half)) {
		*ret = half;
		whole++;
	}
	if (half_decode(data, &half)) {
		*ret = half;
		whole++;
	}
	return whole == 2 && memcmp(data, data + HALF_BYTES, HALF_BYTES) != 0
	    ? 1
	    : whole;
}

char *
segment_path(const char *directory, enum segment_file file, uint64_t first_lsn,
    char out[PATH_MAX])
{
	const char *suffix = "";

	if (file == SEGMENT_SPARE || file == SEGMENT_SPARE_TEMPORARY) {
		snprintf(out, PATH_MAX, "%s/spare%s", directory,
		    file == SEGMENT_SPARE ? "" : ".new");
		return out;
	}
	for (size_t i = 0; i < sizeof(suffixes) / sizeof(*suffixes); i++)
		if (suffixes[i].file == file)
			suffix = suffixes[i].suffix;
	snprintf(out, PATH_MAX, "%s/%016" PRIx64 "%s", directory, first_lsn,
	    suffix);
	return out;
}

enum segment_file
segment_parse_name(const char *name, uint64_t *ret_first_lsn)
{
	if (strcmp(name, "spare") == 0)
		return SEGMENT_SPARE;
	if (strcmp(name, "spare.new") == 0)
		return SEGMENT_SPARE_TEMPORARY;
	if (strspn(name, "0123456789abcdef") != NAME_DIGITS)
		return SEGMENT_OTHER;
	*ret_first_lsn = strtoull(name, NULL, 16);
	for (size_t i = 0; i < sizeof(suffixes) / sizeof(*suffixes); i++)
		if (strcmp(name + NAME_DIGITS, suffixes[i].suffix) == 0)
			return suffixes[i].file;
	return SEGMENT_OTHER;
}

static int
write_zeros(const struct io *io, int fd, const void *zeros, uint64_t bytes)
{
	int result = 0;

	for (uint64_t done = 0; result == 0 && done < bytes;
	     done += ZEROS_BYTES) {
		uint64_t left = bytes - done;

		result = io_write_all(io, fd, zeros,
		    left < ZEROS_BYTES ? (size_t)left : ZEROS_BYTES,
		    (off_t)done);
	}
	return result;
}

/* Past the page cache where the file system can: a fifth of the time, and no
 * work that the writer's syncs would wait for. */
static int
fill_with_zeros(const struct io *io, const char *path, int fd, uint64_t bytes)
{
	void *zeros = aligned_alloc(SEGMENT_BLOCK_BYTES, ZEROS_BYTES);
	int direct, closed, result = -EINVAL;

	if (!zeros)
		return -ENOMEM;
	memset(zeros, 0, ZEROS_BYTES);
	direct = io->open(io, path, O_WRONLY | O_DIRECT, 0);
	if (direct >= 0) {
		result = write_zeros(io, direct, zeros, bytes);
		closed = io->close(io, direct);
		if (result == 0)
			result = closed;
	}
	if (result == -EINVAL)
		result = write_zeros(io, fd, zeros, bytes);
	free(zeros);
	return result;
}

int
segment_make_zeros(const struct io *io, const char *path, uint64_t bytes)
{
	int fd = io->open(io, path, O_RDWR | O_CREAT | O_TRUNC, 0640);
	int result;

	if (fd < 0)
		return fd;
	result = io->fallocate(io, fd, (off_t)bytes);
	if (result == 0)
		result = fill_with_zeros(io, path, fd, bytes);
	if (result == 0)
		return fd;
	io->close(io, fd);
	io->unlink(io, path);
	return result;
}

int
segment_make_spare(const struct io *io, const char *directory, uint64_t bytes)
{
	char temporary[PATH_MAX], path[PATH_MAX];
	int fd, result;

	segment_path(directory, SEGMENT_SPARE_TEMPORARY, 0, temporary);
	segment_path(directory, SEGMENT_SPARE, 0, path);
	fd = segment_make_zeros(io, temporary, bytes);
	if (fd < 0)
		return fd;
	result = io->fsync(io, fd);
	if (result == 0)
		result = io->rename(io, temporary, path);
	if (result == 0)
		result = io_sync_directory(io, directory);
	if (result == 0)
		return fd;
	io->close(io, fd);
	io->unlink(io, temporary);
	io->unlink(io, path);
	return result;
}

/* Drop what was written from the parts; how many of them are left. */
static int
advance(struct iovec **parts, int count, size_t written)
{
	while (count > 0 && written >= (*parts)->iov_len) {
		written -= (*parts)->iov_len;
		(*parts)++;
		count--;
	}
	if (count > 0) {
		(*parts)->iov_base = (char *)(*parts)->iov_base + written;
		(*parts)->iov_len -= written;
	}
	return count;
}

static int
write_parts(const struct io *io, int fd, struct iovec *parts, int count,
    uint64_t offset)
{
	count = advance(&parts, count, 0);
	while (count > 0) {
		ssize_t n = io->pwritev(io, fd, parts, count, (off_t)offset);

		if (n == -EINTR)
			continue;
		if (n <= 0)
			return n < 0 ? (int)n : -EIO;
		offset += (uint64_t)n;
		count = advance(&parts, count, (size_t)n);
	}
	return 0;
}

int
segment_write(const struct io *io, int fd, const uint8_t *header,
    const void *data, size_t length, uint64_t offset)
{
	static const uint8_t zeros[SEGMENT_BLOCK_BYTES];
	size_t header_length = header ? SEGMENT_HEADER_BYTES : 0;
	uint64_t end = offset + header_length + length;
	struct iovec parts[] = {
		{ (void *)(uintptr_t)header, header_length },
		{ (void *)(uintptr_t)data, length },
		{ (void *)(uintptr_t)zeros, -end & (SEGMENT_BLOCK_BYTES - 1) },
	};

	return write_parts(io, fd, parts, 3, offset);
}

int
segment_write_blocks(const struct io *io, int fd, const uint8_t *header,
    const uint8_t *data, size_t length, uint64_t offset)
{
	_Alignas(SEGMENT_BLOCK_BYTES) uint8_t last[SEGMENT_BLOCK_BYTES];
	size_t before = offset & (SEGMENT_BLOCK_BYTES - 1);
	size_t rest = (before + length) & (SEGMENT_BLOCK_BYTES - 1);
	size_t whole = before + length - rest;
	const uint8_t *first = data - before;
	struct iovec parts[] = {
		{ (void *)(uintptr_t)header,
		    header ? SEGMENT_HEADER_BYTES : 0 },
		{ (void *)(uintptr_t)first, whole },
		{ last, rest > 0 ? SEGMENT_BLOCK_BYTES : 0 },
	};

	/* behind it others are collecting: not what belongs on the disk */
	memcpy(last, first + whole, rest);
	memset(last + rest, 0, sizeof(last) - rest);
	return write_parts(io, fd, parts, 3, offset - before);
}

int
segment_open_direct(const struct io *io, const char *path)
{
	return io->open(io, path, O_WRONLY | O_DIRECT | O_DSYNC, 0);
}

ssize_t
segment_read(const struct io *io, int fd, void *data, size_t length,
    uint64_t offset)
{
	size_t done = 0;

	while (done < length) {
		ssize_t n = io->pread(io, fd, (char *)data + done,
		    length - done, (off_t)(offset + done));

		if (n == -EINTR)
			continue;
		if (n < 0)
			return n;
		if (n == 0)
			break;
		done += (size_t)n;
	}
	return (ssize_t)done;
}
