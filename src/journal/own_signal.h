/* A signal of our own into the journal, like any other. */
#ifndef JOURNAL_OWN_SIGNAL_H
#define JOURNAL_OWN_SIGNAL_H

#include <stdbool.h>
#include <stdint.h>

#include "base/clock.h"
#include "journal/journal.h"

#define OWN_SIGNAL_LISTENER "watch"

struct own_signal {
	const char *code; /* Contact ID */
	bool begins;	  /* E; R otherwise */
	/* that it is about; both 0: the installation */
	uint64_t bridge_id, site_id;
	unsigned partition; /* of the site; 0: none */
	const char *zone;   /* or user */
	const char *text;
	int64_t occurred_us; /* if it was earlier than now; 0 */
};

/* Collected: journal_wake must follow. 0 or as journal_append; what is about
 * the installation, of which there is little, is never refused for room. */
int own_signal_collect(struct journal *journal, const struct clock *clock,
    const struct own_signal *signal, uint64_t *ret_lsn);

#endif
