/*
 * A disk whose calls fail on demand, and which loses what it could not sync.
 * One call, every one from there on, or (full) all that take room, until it is
 * lifted.
 */
#ifndef TEST_JOURNAL_FAULTY_H
#define TEST_JOURNAL_FAULTY_H

#include <pthread.h>
#include <stdbool.h>

#include "base/io.h"

#define UNSYNCED_MAX 512

enum call {
	CALL_OPEN,
	CALL_CLOSE,
	CALL_PWRITEV,
	CALL_FDATASYNC,
	CALL_FSYNC,
	CALL_FALLOCATE,
	CALL_RENAME,
	CALL_UNLINK,
	CALLS,
};

extern const char *const faulty_call_names[CALLS];

struct faulty {
	struct io io;
	pthread_mutex_t lock;
	enum call call;
	unsigned fail_at;  /* 1..; 0: never */
	bool for_ever;	   /* every one from there on */
	bool full;	   /* any call that takes room counts and fails */
	bool cached;	   /* nothing can be opened past the page cache */
	bool opens_only;   /* it can, and then writing fails: EINVAL */
	const char *below; /* not NULL: only files made below this path */
	int error;	   /* 0: a short write */
	bool lifted;	   /* none fails any more */
	unsigned calls;
	struct {
		int fd;
		off_t offset;
		size_t length;
	} unsynced[UNSYNCED_MAX];
	unsigned unsynced_count;
};

void faulty_init(struct faulty *faulty, enum call call, unsigned fail_at,
    bool for_ever, int error);
/* From now on every call that would fail does so with this; 0: none fails. */
void faulty_set(struct faulty *faulty, int error);

#endif
