/*
 * Acknowledgement marks: which deliveries a station has acknowledged lately,
 * written to a small ring file the moment the acknowledgement arrives. The
 * truth is the outcome record; but that becomes durable only with the next
 * batch, and a process killed in between would send again what had arrived.
 * The marks survive the process (not the power), so a restart repeats only
 * what was really in flight. They can only spare a repeat: a mark that is
 * missing or damaged costs one, never an alarm.
 */
#ifndef DISPATCH_MARK_H
#define DISPATCH_MARK_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "base/hash.h"

#define MARK_SLOTS 8192

struct mark_file {
	int fd;	       /* -1: none */
	uint32_t seed; /* of the checksums: marks of another journal fail */
	uint32_t next; /* slot to write */
};

struct mark {
	uint64_t decision_lsn;
	uint8_t index;
};

/* Open or create; *ret_marks (malloc) holds the *ret_count valid marks found,
 * sorted. 0 or -errno with the reason. */
int mark_open(struct mark_file *file, const char *path,
    const struct hash_key *journal_key, struct mark **ret_marks,
    unsigned *ret_count, struct err *err);
/*
 * The journal ends at end_lsn: marks from there on are of a stretch that was
 * lost (a journal put back from a copy), and its positions will be given to
 * other deliveries. Takes them out of marks and empties the file. 0 or -errno.
 */
int mark_cut(struct mark_file *file, const struct mark *marks, unsigned *count,
    uint64_t end_lsn);
void mark_close(struct mark_file *file);

/* 0, or -errno: the delivery may be repeated after a kill. */
int mark_write(struct mark_file *file, uint64_t decision_lsn, unsigned index);

bool mark_among(const struct mark *marks, unsigned count, uint64_t decision_lsn,
    unsigned index);

#endif
