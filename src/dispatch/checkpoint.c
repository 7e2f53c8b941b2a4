#include "dispatch/checkpoint.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/crc32c.h"
#include "base/cursor.h"
#include "base/io.h"

#define MAGIC	   0x34504b43u /* "CKP4" */
#define HEAD_BYTES (4 + HASH_KEY_BYTES + 8 + 8 + 4)
#define ROW_BYTES  16
#define FILE_MAX   ((size_t)1 << 31)

static void
path_beside(const char *path, char out[PATH_MAX])
{
	snprintf(out, PATH_MAX, "%s.next", path);
}

int
checkpoint_write(const char *path, const struct hash_key *journal_key,
    const struct checkpoint *checkpoint, struct err *err)
{
	const struct number_table *numbers = checkpoint->numbers;
	size_t size = HEAD_BYTES + numbers->count * ROW_BYTES +
	    site_states_bytes(checkpoint->sites) + 4;
	uint8_t *data = malloc(size);
	char beside[PATH_MAX];
	struct writer w;
	int result;

	if (!data)
		return err_set(err, -ENOMEM, "no memory for a checkpoint");
	w = writer_open(data, size);
	writer_u32(&w, MAGIC);
	writer_bytes(&w, journal_key->bytes, sizeof(journal_key->bytes));
	writer_u64(&w, checkpoint->replay_from_lsn);
	writer_u64(&w, checkpoint->newest_lsn);
	writer_u32(&w, (uint32_t)numbers->count);
	for (size_t i = 0; i < numbers->count; i++) {
		writer_u64(&w, numbers->rows[i].receiver_id);
		writer_u64(&w, numbers->rows[i].last);
	}
	site_states_write(checkpoint->sites, &w);
	writer_u32(&w, crc32c(0, data, writer_length(&w)));
	path_beside(path, beside);
	result = io_swap_file(beside, data, writer_length(&w));
	if (result < 0)
		err_set(err, result, "cannot write %s: %s", beside,
		    strerror(-result));
	free(data);
	return result;
}

static int
sync_file(const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	int result = fd < 0 || fdatasync(fd) < 0 ? -errno : 0;

	if (fd >= 0)
		close(fd);
	return result;
}

static int
sync_directory_of(const char *path)
{
	char directory[PATH_MAX];
	const char *slash = strrchr(path, '/');

	snprintf(directory, sizeof(directory), "%.*s",
	    slash ? (int)(slash - path) : 1, slash ? path : ".");
	return io_sync_directory(&io_system, directory);
}

int
checkpoint_publish(const char *path, bool durable, struct err *err)
{
	char beside[PATH_MAX];
	int result;

	path_beside(path, beside);
	result = durable ? sync_file(beside) : 0;
	if (result == 0 && rename(beside, path) < 0)
		result = -errno;
	if (result == 0 && durable)
		result = sync_directory_of(path);
	return result < 0
	    ? err_set(err, result, "cannot put %s in its place: %s", beside,
		  strerror(-result))
	    : 0;
}

static int
decode(struct reader *r, const struct hash_key *journal_key,
    struct checkpoint *ret)
{
	uint32_t magic = reader_u32(r);
	struct slice key = reader_bytes(r, HASH_KEY_BYTES);
	uint64_t replay_from_lsn = reader_u64(r);
	uint64_t newest_lsn = reader_u64(r);
	uint32_t count = reader_u32(r);
	int result;

	if (r->failed || magic != MAGIC ||
	    memcmp(key.data, journal_key->bytes, HASH_KEY_BYTES) != 0)
		return -EBADMSG;
	for (uint32_t i = 0; i < count && !r->failed; i++) {
		struct number *number = number_of(ret->numbers, reader_u64(r));

		if (!number)
			return -ENOMEM;
		number->last = reader_u64(r);
	}
	result = site_states_read(ret->sites, r);
	if (result == 0) {
		ret->replay_from_lsn = replay_from_lsn;
		ret->newest_lsn = newest_lsn;
	}
	return result;
}

int
checkpoint_read(const char *path, const struct hash_key *journal_key,
    struct checkpoint *ret)
{
	void *data = NULL;
	ssize_t length = io_load_file(path, FILE_MAX, &data);
	int result =
	    length == -ENOMEM || length == -ENOENT ? (int)length : -EBADMSG;

	ret->replay_from_lsn = 0;
	ret->newest_lsn = 0;
	if (length >= HEAD_BYTES + 4) {
		struct reader r = reader_open(data, (size_t)length - 4);
		struct reader tail =
		    reader_open((const uint8_t *)data + length - 4, 4);

		if (reader_u32(&tail) == crc32c(0, data, (size_t)length - 4))
			result = decode(&r, journal_key, ret);
	}
	free(data);
	if (result < 0) {
		number_close(ret->numbers);
		site_states_close(ret->sites);
	}
	return result;
}
