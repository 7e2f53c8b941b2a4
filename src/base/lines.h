/*
 * Appending lines to a file: gathered in memory, written whole by lines_flush,
 * so that what is on disk is always a number of complete lines. The ledgers of
 * tocsin-load and tocsin-station. One thread.
 */
#ifndef BASE_LINES_H
#define BASE_LINES_H

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"

struct lines {
	bool open;
	bool sync;
	int fd;
	char *data;
	size_t length;
	size_t size;
};

/* A new, empty file (an old one is replaced). sync: lines_flush also waits for
 * the disk. 0 or -errno. */
int lines_open(struct lines *lines, const char *path, bool sync,
    struct err *err);

/* A second writer of the same file with a buffer of its own, for another
 * thread: each flush is one write, so lines stay whole. 0 or -errno. */
int lines_share(const struct lines *lines, struct lines *ret, struct err *err);

/* Room for at least `length` more bytes at the end; the caller writes there and
 * says with lines_added how many it used. NULL: out of memory. */
char *lines_room(struct lines *lines, size_t length);
void lines_added(struct lines *lines, size_t length);

/* Everything gathered is in the file (and on disk with sync). 0 or -errno. */
int lines_flush(struct lines *lines, struct err *err);

/* Does not flush. Accepts a zeroed one. */
void lines_close(struct lines *lines);

#endif
