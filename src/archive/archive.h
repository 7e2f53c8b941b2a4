/*
 * journal -> PostgreSQL: events, deliveries and outcomes, in batches, exactly
 * once (the position is stored in the same transaction). A thread of its own
 * that may wait for the database for days; the journal keeps what it has not
 * copied.
 */
#ifndef ARCHIVE_ARCHIVE_H
#define ARCHIVE_ARCHIVE_H

#include "base/clock.h"
#include "base/err.h"
#include "journal/journal.h"

struct archive_config {
	const char *conninfo; /* "": no archive, nothing is held for it */
	unsigned batch_records;
	int64_t linger_us; /* wait this long for a fuller batch */
	int newest_schema;
};

struct archive;
int archive_open(struct archive **ret, const struct archive_config *config,
    struct journal *journal, const struct clock *clock, struct err *err);
/* After a last try to flush, which a database that hangs cannot hold up. */
void archive_close(struct archive **archive);

struct archive_status {
	bool enabled, connected;
	uint64_t position_lsn, events, deliveries, batches, quarantined;
	int64_t lag_us; /* the history may lack what is not older than this */
	char problem[256];
};
void archive_status(struct archive *archive, struct archive_status *ret);

#endif
