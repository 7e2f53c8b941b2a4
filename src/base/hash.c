#include "base/hash.h"

#include <sodium.h>

_Static_assert(HASH_KEY_BYTES == crypto_shorthash_KEYBYTES, "SipHash key");

void
hash_key_random(struct hash_key *ret)
{
	randombytes_buf(ret->bytes, sizeof(ret->bytes));
}

uint64_t
hash_bytes(const struct hash_key *key, const void *data, size_t length)
{
	uint64_t out;

	crypto_shorthash((unsigned char *)&out, data, length, key->bytes);
	return out;
}
