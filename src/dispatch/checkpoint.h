/*
 * What earlier records have left: where the replay begins, the running numbers,
 * and the state of the sites, which may be older than every record that is
 * still there. So it is written beside the last one, and takes its place when
 * it is durable: the journal is held until then. One that is damaged all the
 * same fails its checksum, and the replay begins at the oldest record.
 */
#ifndef DISPATCH_CHECKPOINT_H
#define DISPATCH_CHECKPOINT_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "base/hash.h"
#include "dispatch/number.h"
#include "routing/site_state.h"

struct checkpoint {
	uint64_t replay_from_lsn;
	/* the newest decision whose effects the sites have: a journal that ends
	 * before it would decide again what they remember */
	uint64_t newest_lsn;
	struct number_table *numbers;
	struct site_states *sites;
};

/* Beside the file at path; not synced. */
int checkpoint_write(const char *path, const struct hash_key *journal_key,
    const struct checkpoint *checkpoint, struct err *err);
/* Put what was written in its place; durable, if so wanted. It is quick when it
 * was written a while ago. */
int checkpoint_publish(const char *path, bool durable, struct err *err);

/* Fills numbers and sites, both empty; the lsn to begin at is 0 when there is
 * no usable checkpoint of this journal. 0; -ENOMEM; -ENOENT: there is no file;
 * -EBADMSG: it is not of this journal, or damaged. */
int checkpoint_read(const char *path, const struct hash_key *journal_key,
    struct checkpoint *ret);

#endif
