#include "dispatch/repeat.h"

#include <errno.h>
#include <string.h>
#include <sys/mman.h>

#include "base/hash.h"

#define CACHE_LINE_BYTES 64

int
repeat_open(struct repeat_table *table, uint32_t slots, int64_t window_us)
{
	uint32_t buckets = 1;

	while (buckets < slots / REPEAT_WAYS)
		buckets *= 2;
	table->bytes =
	    (size_t)buckets * REPEAT_WAYS * sizeof(table->entries[0]);
	table->entries = mmap(NULL, table->bytes, PROT_READ | PROT_WRITE,
	    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (table->entries == MAP_FAILED) {
		table->entries = NULL;
		return -ENOMEM;
	}
	/* each look-up is in another page: fewer and larger ones */
	madvise(table->entries, table->bytes, MADV_HUGEPAGE);
	table->buckets = buckets;
	table->window_us = window_us;
	return 0;
}

void
repeat_close(struct repeat_table *table)
{
	if (table->entries)
		munmap(table->entries, table->bytes);
	table->entries = NULL;
}

static struct repeat_entry *
bucket_of(const struct repeat_table *table, uint64_t sender)
{
	uint64_t bucket = hash_number(sender) & (table->buckets - 1);

	return &table->entries[bucket * REPEAT_WAYS];
}

void
repeat_expect(const struct repeat_table *table, uint64_t sender)
{
	const char *bucket = (const char *)bucket_of(table, sender);

	for (size_t at = 0; at < REPEAT_WAYS * sizeof(struct repeat_entry);
	     at += CACHE_LINE_BYTES)
		__builtin_prefetch(bucket + at, 1);
}

bool
repeat_seen(struct repeat_table *table, uint64_t sender, uint64_t fingerprint,
    struct repeat_sighting now, struct repeat_sighting *ret_first)
{
	struct repeat_entry *ways = bucket_of(table, sender);

	for (unsigned i = 0; i < REPEAT_WAYS; i++) {
		int64_t age_us = now.received_us - ways[i].seen_us;

		if (ways[i].fingerprint != fingerprint ||
		    ways[i].seen_us == 0 || age_us > table->window_us ||
		    age_us < -table->window_us)
			continue;
		if (ret_first)
			*ret_first = (struct repeat_sighting){ ways[i].seen_us,
				ways[i].awaited };
		return true;
	}
	memmove(ways + 1, ways, (REPEAT_WAYS - 1) * sizeof(*ways));
	ways[0] =
	    (struct repeat_entry){ fingerprint, now.received_us, now.awaited };
	return false;
}
