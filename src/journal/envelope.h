/*
 * What stands around every payload (docs/JOURNAL-FORMAT.md, "Record"). To
 * change it: raise JOURNAL_FORMAT_VERSION, keep reading every older version,
 * write the new bytes into the document in the same commit.
 */
#ifndef JOURNAL_ENVELOPE_H
#define JOURNAL_ENVELOPE_H

#include <stddef.h>
#include <stdint.h>

#define JOURNAL_FORMAT_VERSION 1
#define ENVELOPE_BYTES	       48u

/* Beside enum journal_kind; the reader follows them and shows neither. */
enum envelope_kind {
	ENVELOPE_GAP = 254, /* `length` bytes here were lost to corruption */
	ENVELOPE_END = 255, /* go on in the next segment */
};

struct envelope {
	uint8_t kind;
	uint32_t length; /* of the payload */
	uint32_t boot;
	uint64_t lsn;
	int64_t wall_us;
	int64_t monotonic_us;
	uint32_t previous_crc;
	uint32_t crc;
};

/* The whole record, 8-byte aligned. */
static inline size_t
envelope_size(uint32_t length)
{
	return (ENVELOPE_BYTES + (size_t)length + 7) & ~(size_t)7;
}

/* Where the CRC of every record of a segment begins: a record left over from
 * another use of the same file or the same lsn never verifies. */
uint32_t envelope_seed(uint64_t first_lsn);

/* The fields as given, except both CRCs, which envelope_seal fills. */
void envelope_write(uint8_t *at, const struct envelope *envelope);
/* at holds the whole record, its padding zeroed; returns its CRC. */
uint32_t envelope_seal(uint8_t *at, uint32_t seed, uint32_t previous_crc);

/*
 * The bytes a verified record takes (for a GAP all that it covers), or 0 when
 * no whole good record with this lsn starts here.
 */
size_t envelope_check(const uint8_t *at, size_t available, uint32_t seed,
    uint64_t lsn, struct envelope *ret);
/* The same of a record that never left our memory: its CRC is not looked at. */
size_t envelope_read(const uint8_t *at, struct envelope *ret);
/* The size that an unchecked record claims, 0 when it cannot be one. */
size_t envelope_claimed_size(const uint8_t *at);

#endif
