/*
 * A checkpoint only shortens the replay: where to begin, and the running
 * numbers that earlier records gave. Not synced: one that a power cut damaged
 * fails its checksum and the replay begins at the oldest record.
 */
#ifndef DISPATCH_CHECKPOINT_H
#define DISPATCH_CHECKPOINT_H

#include <stdint.h>

#include "base/err.h"
#include "base/hash.h"
#include "dispatch/number.h"

int checkpoint_write(const char *path, const struct hash_key *journal_key,
    uint64_t replay_from_lsn, const struct number_table *numbers,
    struct err *err);

/* Fills numbers; returns the lsn to begin at, 0 when there is no usable
 * checkpoint of this journal. */
uint64_t checkpoint_read(const char *path, const struct hash_key *journal_key,
    struct number_table *numbers);

#endif
