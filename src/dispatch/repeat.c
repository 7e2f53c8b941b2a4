#include "dispatch/repeat.h"

#include <errno.h>
#include <string.h>
#include <sys/mman.h>

#include "base/hash.h"

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

bool
repeat_seen(struct repeat_table *table, uint64_t sender, uint64_t fingerprint,
    int64_t received_us)
{
	uint64_t bucket = hash_number(sender) & (table->buckets - 1);
	struct repeat_entry *ways = &table->entries[bucket * REPEAT_WAYS];

	for (unsigned i = 0; i < REPEAT_WAYS; i++) {
		int64_t age_us = received_us - ways[i].seen_us;

		if (ways[i].fingerprint == fingerprint &&
		    ways[i].seen_us != 0 && age_us <= table->window_us &&
		    age_us >= -table->window_us)
			return true;
	}
	memmove(ways + 1, ways, (REPEAT_WAYS - 1) * sizeof(*ways));
	ways[0] = (struct repeat_entry){ fingerprint, received_us };
	return false;
}
