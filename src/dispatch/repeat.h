/*
 * Which messages were seen lately: a bounded memory of fingerprints, a function
 * of what was journalled alone. Set-associative: a sender has one bucket of
 * REPEAT_WAYS places, the latest first (shared with the few others that hash
 * there), so a flooding panel can push out only its own and its bucket's
 * history.
 */
#ifndef DISPATCH_REPEAT_H
#define DISPATCH_REPEAT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define REPEAT_WAYS 8

struct repeat_entry {
	uint64_t fingerprint;
	int64_t seen_us : 63; /* wall time of receipt; 0: free */
	uint64_t awaited : 1; /* its sender is answered when it is settled */
};
_Static_assert(sizeof(struct repeat_entry) == 16, "as the manual says");

/* One time that a message came. */
struct repeat_sighting {
	int64_t received_us;
	bool awaited;
};

struct repeat_table {
	struct repeat_entry *entries;
	size_t bytes;	  /* of the entries */
	uint32_t buckets; /* a power of two */
	int64_t window_us;
};

/* slots: remembered messages over all senders; rounded up. 0 or -ENOMEM. */
int repeat_open(struct repeat_table *table, uint32_t slots, int64_t window_us);
void repeat_close(struct repeat_table *table);

/*
 * True when this fingerprint was seen from this sender inside the window
 * before now; remembers it either way. The window counts from the first
 * sighting, so that a stuck panel is heard again after it. ret_first (or NULL)
 * gets that sighting.
 */
bool repeat_seen(struct repeat_table *table, uint64_t sender,
    uint64_t fingerprint, struct repeat_sighting now,
    struct repeat_sighting *ret_first);

/* That will be asked of this sender soon: have its bucket fetched. */
void repeat_expect(const struct repeat_table *table, uint64_t sender);

#endif
