/*
 * One segment file: its name, its header, how it is made. The stream position
 * lsn stands at file offset SEGMENT_HEADER_BYTES + (lsn - first_lsn).
 * docs/JOURNAL-FORMAT.md, "Segment".
 */
#ifndef JOURNAL_SEGMENT_H
#define JOURNAL_SEGMENT_H

#include <limits.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/hash.h"
#include "base/io.h"

#define SEGMENT_HEADER_BYTES 4096u
#define SEGMENT_NODE_SIZE    64
/* What a file system writes at least. */
#define SEGMENT_BLOCK_BYTES 4096u
/* The stream begins here, so that lsn 0 can mean "the oldest". */
#define SEGMENT_FIRST_LSN 4096u

struct segment_header {
	uint64_t first_lsn;
	uint64_t bytes;	 /* of the file */
	uint64_t serial; /* of two with one first lsn the higher is right */
	int64_t created_wall_us;
	uint32_t previous_crc; /* of the record before first_lsn */
	struct hash_key hash_key;
	char node[SEGMENT_NODE_SIZE];
};

void segment_header_encode(const struct segment_header *header,
    uint8_t out[SEGMENT_HEADER_BYTES]);
/* The header stands there twice. 2: both are whole and alike, 1: one of them
 * is, 0: none; *ret is written when > 0. */
int segment_header_decode(const uint8_t data[SEGMENT_HEADER_BYTES],
    struct segment_header *ret);

enum segment_file {
	SEGMENT_LIVE,	   /* LSN.segment */
	SEGMENT_TEMPORARY, /* LSN.new: being written, worth nothing */
	SEGMENT_COPY,	   /* LSN.copy: whole, takes the place of LSN.segment */
	SEGMENT_QUARANTINE, /* LSN.quarantine: damaged, for people */
	SEGMENT_SPARE,	    /* spare: zeros, the next segment */
	SEGMENT_SPARE_TEMPORARY,
	SEGMENT_OTHER,
};
char *segment_path(const char *directory, enum segment_file file,
    uint64_t first_lsn, char out[PATH_MAX]);
/* What a directory entry is; *ret_first_lsn of those named by one. */
enum segment_file segment_parse_name(const char *name, uint64_t *ret_first_lsn);

/*
 * Make a file of zeros under its temporary name, sync it, give it its name,
 * sync the directory. The descriptor (read and write), or -errno with nothing
 * left behind.
 */
int segment_make_spare(const struct io *io, const char *directory,
    uint64_t bytes);
/* Make a file of zeros under path and leave it open; it is not synced. */
int segment_make_zeros(const struct io *io, const char *path, uint64_t bytes);

/* pwritev until both parts are written, and zeros behind them up to the end of
 * the block, which then need not be read to be written; 0 or -errno. */
int segment_write(const struct io *io, int fd, const uint8_t *header,
    const void *data, size_t length, uint64_t offset);
/*
 * The same past the page cache, in whole blocks: header begins a block, data
 * stands in its block where offset does in that of the file, and before it in
 * that block stands what the file has there.
 */
int segment_write_blocks(const struct io *io, int fd, const uint8_t *header,
    const uint8_t *data, size_t length, uint64_t offset);
/* Open for that: what is written is durable when the call returns. -errno, and
 * the caller writes the other way, where the file system cannot. */
int segment_open_direct(const struct io *io, const char *path);
/* pread until length or the end of the file; the bytes read, or -errno. */
ssize_t segment_read(const struct io *io, int fd, void *data, size_t length,
    uint64_t offset);

#endif
