#include "journal/envelope.h"

#include <endian.h>
#include <string.h>

#include "base/crc32c.h"
#include "journal/journal.h"

#define RECORD_MAGIC 0x4345524au /* "JREC" */

enum offset {
	AT_MAGIC = 0,
	AT_VERSION = 4,
	AT_KIND = 5,
	AT_RESERVED = 6,
	AT_LENGTH = 8,
	AT_BOOT = 12,
	AT_LSN = 16,
	AT_WALL = 24,
	AT_MONOTONIC = 32,
	AT_PREVIOUS_CRC = 40,
	AT_CRC = 44,
};

static inline void
put_u32(uint8_t *at, uint32_t value)
{
	value = htole32(value);
	memcpy(at, &value, sizeof(value));
}

static inline void
put_u64(uint8_t *at, uint64_t value)
{
	value = htole64(value);
	memcpy(at, &value, sizeof(value));
}

static inline uint32_t
get_u32(const uint8_t *at)
{
	uint32_t value;

	memcpy(&value, at, sizeof(value));
	return le32toh(value);
}

static inline uint64_t
get_u64(const uint8_t *at)
{
	uint64_t value;

	memcpy(&value, at, sizeof(value));
	return le64toh(value);
}

uint32_t
envelope_seed(uint64_t first_lsn)
{
	uint8_t bytes[8];

	put_u64(bytes, first_lsn);
	return crc32c(0, bytes, sizeof(bytes));
}

void
envelope_write(uint8_t *at, const struct envelope *envelope)
{
	put_u32(at + AT_MAGIC, RECORD_MAGIC);
	at[AT_VERSION] = JOURNAL_FORMAT_VERSION;
	at[AT_KIND] = envelope->kind;
	at[AT_RESERVED] = 0;
	at[AT_RESERVED + 1] = 0;
	put_u32(at + AT_LENGTH, envelope->length);
	put_u32(at + AT_BOOT, envelope->boot);
	put_u64(at + AT_LSN, envelope->lsn);
	put_u64(at + AT_WALL, (uint64_t)envelope->wall_us);
	put_u64(at + AT_MONOTONIC, (uint64_t)envelope->monotonic_us);
}

/* Of what is covered: a GAP stands for bytes that it does not vouch for. */
static uint32_t
checksum(const uint8_t *at, uint32_t seed)
{
	uint32_t length = get_u32(at + AT_LENGTH);
	uint32_t crc = crc32c(seed, at, AT_CRC);

	if (at[AT_KIND] == ENVELOPE_GAP)
		return crc;
	return crc32c(crc, at + ENVELOPE_BYTES,
	    envelope_size(length) - ENVELOPE_BYTES);
}

uint32_t
envelope_seal(uint8_t *at, uint32_t seed, uint32_t previous_crc)
{
	uint32_t crc;

	put_u32(at + AT_PREVIOUS_CRC, previous_crc);
	crc = checksum(at, seed);
	put_u32(at + AT_CRC, crc);
	return crc;
}

size_t
envelope_claimed_size(const uint8_t *at)
{
	uint32_t length = get_u32(at + AT_LENGTH);

	if (get_u32(at + AT_MAGIC) != RECORD_MAGIC ||
	    at[AT_VERSION] != JOURNAL_FORMAT_VERSION ||
	    (length > JOURNAL_PAYLOAD_MAX && at[AT_KIND] != ENVELOPE_GAP))
		return 0;
	return envelope_size(length);
}

size_t
envelope_check(const uint8_t *at, size_t available, uint32_t seed, uint64_t lsn,
    struct envelope *ret)
{
	size_t size;

	if (available < ENVELOPE_BYTES)
		return 0;
	size = envelope_claimed_size(at);
	if (size == 0 || get_u64(at + AT_LSN) != lsn ||
	    (size > available && at[AT_KIND] != ENVELOPE_GAP) ||
	    checksum(at, seed) != get_u32(at + AT_CRC))
		return 0;
	return envelope_read(at, ret);
}

size_t
envelope_read(const uint8_t *at, struct envelope *ret)
{
	*ret = (struct envelope){
		.kind = at[AT_KIND],
		.length = get_u32(at + AT_LENGTH),
		.boot = get_u32(at + AT_BOOT),
		.lsn = get_u64(at + AT_LSN),
		.wall_us = (int64_t)get_u64(at + AT_WALL),
		.monotonic_us = (int64_t)get_u64(at + AT_MONOTONIC),
		.previous_crc = get_u32(at + AT_PREVIOUS_CRC),
		.crc = get_u32(at + AT_CRC),
	};
	return envelope_size(ret->length);
}
