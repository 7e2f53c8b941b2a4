/*
 * Look through one segment from its first byte to its limit and say what
 * verifies: pure, over the bytes of the file.
 *
 *   header | good records | hole | good records | torn tail or old bytes
 *                                               ^ end_lsn
 */
#ifndef JOURNAL_SCAN_H
#define JOURNAL_SCAN_H

#include <stdbool.h>

#include "journal/envelope.h"
#include "journal/segment.h"

struct hole {
	uint64_t start_lsn, end_lsn;
};

struct scan {
	struct segment_header header; /* valid when header_copies > 0 */
	int header_copies;	      /* of 2 that are whole */
	struct hole *holes;	      /* in order; owned */
	unsigned hole_count;
	uint64_t end_lsn; /* behind the last good record */
	bool ended;	  /* its END record is there */
	bool crc_known;	  /* last_crc is that of the record before end_lsn */
	uint32_t last_crc;
	uint32_t last_boot;
	uint64_t records; /* without END and GAP */
};

/*
 * data: the file's bytes. first_lsn: from its name. limit_lsn: where the next
 * segment begins (UINT64_MAX: there is none): a record that reaches further
 * was abandoned. each (may be NULL) is called for every good record, END and
 * GAP included. 0 or -ENOMEM.
 */
typedef void scan_record(void *user, const struct envelope *envelope,
    const uint8_t *record, size_t size);
int scan_segment(const uint8_t *data, size_t length, uint64_t first_lsn,
    uint64_t limit_lsn, scan_record *each, void *user, struct scan *ret);
/* Add [start, end) behind the others; 0 or -ENOMEM. */
int scan_add_hole(struct scan *scan, uint64_t start_lsn, uint64_t end_lsn);
void scan_close(struct scan *scan);

#endif
