/* One batch into PostgreSQL, in one transaction, exactly once. */
#ifndef ARCHIVE_STORE_H
#define ARCHIVE_STORE_H

#include "archive/batch.h"
#include "db/db.h"

/* Where this node's archive stands; 0 when it has none yet. 0 or -errno. */
int archive_store_position(struct db *db, const char *node, uint64_t *ret_lsn,
    struct err *err);

/*
 * 0: committed. -ENOTCONN: connection lost, nobody knows whether it was
 * committed: ask for the position again. -EINVAL: the rows themselves are
 * refused (data error); nothing was stored. -EIO: refused for another reason.
 */
int archive_store_batch(struct db *db, const char *node,
    const struct archive_batch *batch, struct err *err);

/* Step over one record that the database refuses or that cannot be read: its
 * bytes and the reason go to tocsin.archive_quarantine in the transaction that
 * moves the position, which stands at begin_lsn, behind it. */
int archive_store_quarantine(struct db *db, const char *node,
    uint64_t begin_lsn, const struct journal_entry *entry, const char *reason,
    struct err *err);

#endif
