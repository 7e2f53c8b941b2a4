/* What is on disk -> the table of segments, repaired unless read-only. */
#ifndef JOURNAL_RECOVER_H
#define JOURNAL_RECOVER_H

#include "journal/internal.h"

/* Fills the table, durable_lsn, boot, hash_key, node and the writer's place;
 * one thread, before any other exists. 0 or -errno with the reason. */
int journal_recover(struct journal *journal, struct err *err);

#endif
