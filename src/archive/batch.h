/*
 * Journal records -> rows for COPY. One batch is what one transaction stores:
 * rows of tocsin.event (from decisions, with what their signal said), of
 * tocsin.event_conclusion (from later decisions of the same), of
 * tocsin.delivery (decided) and of tocsin.delivery_outcome (how they ended),
 * and the position behind the last record taken.
 */
#ifndef ARCHIVE_BATCH_H
#define ARCHIVE_BATCH_H

#include "base/err.h"
#include "db/db.h"
#include "journal/journal.h"
#include "journal/record.h"

struct archive_batch {
	struct db_copy events, conclusions, deliveries, outcomes;
	unsigned records; /* taken, of any kind */
	uint64_t event_count, conclusion_count, delivery_count, outcome_count;
	uint64_t begin_lsn, end_lsn;  /* [begin, end) */
	uint64_t first_lsn;	      /* of the first record taken */
	uint64_t decided_lsn;	      /* signal of the last event; 0: none */
	int64_t oldest_us, newest_us; /* receive times: which days it needs */
	int64_t first_us; /* when its oldest record was received; 0: empty */

	/* decoding scratch */
	struct record_signal signal;
	struct decision decision;
	uint8_t buffer[JOURNAL_PAYLOAD_MAX + 64];
};

void archive_batch_reset(struct archive_batch *batch, uint64_t begin_lsn);
void archive_batch_close(struct archive_batch *batch);

/* Take one record. 0, -ENOMEM, or -EINVAL: it (or the signal it is about) cannot
 * be read, the reason in err; nothing was taken then. */
int archive_batch_add(struct archive_batch *batch, struct journal *journal,
    const struct journal_entry *entry, struct err *err);

#endif
