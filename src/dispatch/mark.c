#include "dispatch/mark.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/crc32c.h"
#include "base/cursor.h"

/* One slot: lsn u64, index u32, CRC32C u32 (little-endian). */
#define SLOT_BYTES 16

static void
slot_encode(uint32_t seed, uint64_t decision_lsn, unsigned index,
    uint8_t slot[SLOT_BYTES])
{
	struct writer w = writer_open(slot, SLOT_BYTES);

	writer_u64(&w, decision_lsn);
	writer_u32(&w, index);
	writer_u32(&w, crc32c(seed, slot, SLOT_BYTES - 4));
}

static bool
slot_decode(uint32_t seed, const uint8_t slot[SLOT_BYTES], struct mark *ret)
{
	struct reader r = reader_open(slot, SLOT_BYTES);
	uint64_t decision_lsn = reader_u64(&r);
	uint32_t index = reader_u32(&r);

	if (reader_u32(&r) != crc32c(seed, slot, SLOT_BYTES - 4))
		return false;
	*ret = (struct mark){ decision_lsn, (uint8_t)index };
	return true;
}

static int
compare_marks(const void *left, const void *right)
{
	const struct mark *a = left, *b = right;

	if (a->decision_lsn != b->decision_lsn)
		return a->decision_lsn < b->decision_lsn ? -1 : 1;
	return (int)a->index - (int)b->index;
}

static int
read_marks(const struct mark_file *file, struct mark **ret_marks,
    unsigned *ret_count)
{
	uint8_t *slots = calloc(MARK_SLOTS, SLOT_BYTES);
	struct mark *marks = calloc(MARK_SLOTS, sizeof(marks[0]));
	unsigned count = 0;
	ssize_t length;

	if (!slots || !marks) {
		free(slots);
		free(marks);
		return -ENOMEM;
	}
	length = pread(file->fd, slots, MARK_SLOTS * SLOT_BYTES, 0);
	for (ssize_t at = 0; at + SLOT_BYTES <= length; at += SLOT_BYTES)
		count += slot_decode(file->seed, slots + at, &marks[count]);
	free(slots);
	qsort(marks, count, sizeof(marks[0]), compare_marks);
	*ret_marks = marks;
	*ret_count = count;
	return 0;
}

int
mark_open(struct mark_file *file, const char *path,
    const struct hash_key *journal_key, struct mark **ret_marks,
    unsigned *ret_count, struct err *err)
{
	file->seed = crc32c(0, journal_key->bytes, sizeof(journal_key->bytes));
	file->next = 0;
	file->fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	if (file->fd < 0)
		return err_set_errno(err, "cannot open %s", path);
	if (read_marks(file, ret_marks, ret_count) < 0) {
		mark_close(file);
		return err_set(err, -ENOMEM, "no memory for %s", path);
	}
	return 0;
}

int
mark_cut(struct mark_file *file, const struct mark *marks, unsigned *count,
    uint64_t end_lsn)
{
	unsigned kept = *count;

	while (kept > 0 && marks[kept - 1].decision_lsn >= end_lsn)
		kept--;
	if (kept == *count)
		return 0;
	*count = kept;
	if (ftruncate(file->fd, 0) < 0 || fdatasync(file->fd) < 0)
		return -errno;
	return 0;
}

void
mark_close(struct mark_file *file)
{
	if (file->fd >= 0)
		close(file->fd);
	file->fd = -1;
}

int
mark_write(struct mark_file *file, uint64_t decision_lsn, unsigned index)
{
	uint8_t slot[SLOT_BYTES];
	ssize_t n;

	slot_encode(file->seed, decision_lsn, index, slot);
	n = pwrite(file->fd, slot, sizeof(slot),
	    (off_t)file->next * SLOT_BYTES);
	file->next = (file->next + 1) % MARK_SLOTS;
	if (n < 0)
		return -errno;
	return n == SLOT_BYTES ? 0 : -EIO;
}

bool
mark_among(const struct mark *marks, unsigned count, uint64_t decision_lsn,
    unsigned index)
{
	struct mark key = { decision_lsn, (uint8_t)index };

	return count > 0 &&
	    bsearch(&key, marks, count, sizeof(marks[0]), compare_marks);
}
