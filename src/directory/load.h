/*
 * Rows of the tocsin.directory_* views into a batch. The caller has the
 * transaction open, so that all of it is one moment. The database threads.
 */
#ifndef DIRECTORY_LOAD_H
#define DIRECTORY_LOAD_H

#include "base/seal.h"
#include "db/db.h"
#include "directory/object.h"

struct load {
	struct db *db;
	const struct seal_master
	    *master; /* NULL: no sealed key can be opened */
	struct directory_batch *batch;
	unsigned unopened; /* keys that the master key does not open */
	unsigned refused;  /* objects left out, each logged with its reason */
};

/* Every object of every kind. 0 or -errno as db_copy_out, -ENOMEM. */
int load_all(struct load *load, struct err *err);
/* These objects of one kind; ids ascending. What the database does not have
 * is put as a removal. */
int load_some(struct load *load, enum object_kind kind, const uint64_t *ids,
    size_t count, struct err *err);
/* "dealer", as the change table calls it; -1: unknown. */
int load_kind_from_name(const char *name);

#endif
