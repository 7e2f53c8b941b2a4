/*
 * Keyed 64-bit hash (SipHash-2-4) for what strangers choose: account texts,
 * message bodies. One key per journal or process, random.
 */
#ifndef BASE_HASH_H
#define BASE_HASH_H

#include <stddef.h>
#include <stdint.h>

#define HASH_KEY_BYTES 16

struct hash_key {
	uint8_t bytes[HASH_KEY_BYTES];
};

void hash_key_random(struct hash_key *ret);
uint64_t hash_bytes(const struct hash_key *key, const void *data,
    size_t length);

/* Mix a number (an id) for table look-up; not for adversaries. */
static inline uint64_t
hash_number(uint64_t x)
{
	x ^= x >> 33;
	x *= 0xff51afd7ed558ccdULL;
	x ^= x >> 33;
	x *= 0xc4ceb9fe1a85ec53ULL;
	return x ^ x >> 33;
}

#endif
