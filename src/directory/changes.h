/*
 * Following the change table. Transactions commit in another order than they
 * wrote their rows, so rows are followed by transaction: everything that a
 * transaction wrote that was not surely finished at the last look is looked at
 * again, except what was applied already. Internal to src/directory.
 *
 *	xid    ... finished, seen ... | horizon ... in flight or new ...
 *	                              rows from here on are read at each look
 */
#ifndef DIRECTORY_CHANGES_H
#define DIRECTORY_CHANGES_H

#include "directory/load.h"

struct change {
	uint64_t id, xid; /* of its row in the change table */
	uint64_t entity_id;
	int kind; /* enum object_kind; -1: of a newer version, not for us */
};

struct changes {
	uint64_t horizon;  /* every transaction before it is applied */
	bool in_flight;	   /* a transaction was unfinished at the last look */
	uint64_t *applied; /* change ids with xid >= horizon, ascending */
	size_t applied_count;
};

void changes_close(struct changes *changes);

/* Inside a transaction of db: start from what its snapshot sees. */
int changes_begin(struct changes *changes, struct db *db, struct err *err);

/*
 * One look: in one transaction read the new rows, read their objects again into
 * the batch, and move on. Returns how many rows were new (0: the batch is
 * empty). The caller commits the batch; until then *changes may be thrown away
 * only together with a full load.
 */
int changes_read(struct changes *changes, struct load *load, struct err *err);

#endif
