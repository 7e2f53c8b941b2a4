#include "portal/limit.h"

#include <string.h>

void
limit_open(struct limit *limit)
{
	memset(limit, 0, sizeof(*limit));
	hash_key_random(&limit->key);
}

bool
limit_take(struct limit *limit, const char *source, int64_t now_us)
{
	uint64_t hash = hash_bytes(&limit->key, source, strlen(source)) | 1;
	struct limit_bucket *bucket =
	    &limit->buckets[(hash >> 1) % LIMIT_BUCKETS];

	if (bucket->source != hash)
		*bucket = (struct limit_bucket){ hash, now_us, LIMIT_BURST };
	bucket->tokens +=
	    (double)(now_us - bucket->at_us) * LIMIT_PER_SECOND / 1e6;
	bucket->at_us = now_us;
	if (bucket->tokens > LIMIT_BURST)
		bucket->tokens = LIMIT_BURST;
	if (bucket->tokens < 1)
		return false;
	bucket->tokens -= 1;
	return true;
}
