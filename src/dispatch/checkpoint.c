#include "dispatch/checkpoint.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/crc32c.h"
#include "base/cursor.h"
#include "base/io.h"

#define MAGIC	   0x31504b43u /* "CKP1" */
#define HEAD_BYTES (4 + HASH_KEY_BYTES + 8 + 4)
#define ROW_BYTES  16
#define ROWS_MAX   65536

int
checkpoint_write(const char *path, const struct hash_key *journal_key,
    uint64_t replay_from_lsn, const struct number_table *numbers,
    struct err *err)
{
	size_t size = HEAD_BYTES + numbers->count * ROW_BYTES + 4;
	uint8_t *data = malloc(size);
	struct writer w;
	int result;

	if (!data)
		return err_set(err, -ENOMEM, "no memory for a checkpoint");
	w = writer_open(data, size);
	writer_u32(&w, MAGIC);
	writer_bytes(&w, journal_key->bytes, sizeof(journal_key->bytes));
	writer_u64(&w, replay_from_lsn);
	writer_u32(&w, (uint32_t)numbers->count);
	for (size_t i = 0; i < numbers->count; i++) {
		writer_u64(&w, numbers->rows[i].receiver_id);
		writer_u64(&w, numbers->rows[i].last);
	}
	writer_u32(&w, crc32c(0, data, writer_length(&w)));
	result = io_swap_file(path, data, writer_length(&w));
	if (result < 0)
		err_set(err, result, "cannot write %s: %s", path,
		    strerror(-result));
	free(data);
	return result;
}

static uint64_t
decode(struct reader *r, const struct hash_key *journal_key,
    struct number_table *numbers)
{
	uint32_t magic = reader_u32(r);
	struct slice key = reader_bytes(r, HASH_KEY_BYTES);
	uint64_t replay_from_lsn = reader_u64(r);
	uint32_t count = reader_u32(r);

	if (r->failed || magic != MAGIC ||
	    memcmp(key.data, journal_key->bytes, HASH_KEY_BYTES) != 0)
		return 0;
	for (uint32_t i = 0; i < count; i++) {
		uint64_t receiver_id = reader_u64(r);
		struct number *number = number_of(numbers, receiver_id);

		if (!number)
			return 0;
		number->last = reader_u64(r);
	}
	return r->failed ? 0 : replay_from_lsn;
}

uint64_t
checkpoint_read(const char *path, const struct hash_key *journal_key,
    struct number_table *numbers)
{
	void *data = NULL;
	ssize_t length =
	    io_load_file(path, HEAD_BYTES + ROWS_MAX * ROW_BYTES + 4, &data);
	uint64_t replay_from_lsn = 0;

	if (length >= HEAD_BYTES + 4) {
		struct reader r = reader_open(data, (size_t)length - 4);
		struct reader tail =
		    reader_open((const uint8_t *)data + length - 4, 4);

		if (reader_u32(&tail) == crc32c(0, data, (size_t)length - 4))
			replay_from_lsn = decode(&r, journal_key, numbers);
	}
	free(data);
	return replay_from_lsn;
}
