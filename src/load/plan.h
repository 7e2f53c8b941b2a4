/*
 * What a synthetic panel says: the n-th signal of an account, as a function of
 * n alone. Alarm and restore alternate; from pair to pair the zone changes,
 * then the event, then the partition: neighbours always differ, so that order
 * and repeats can be read from the two ledgers.
 */
#ifndef LOAD_PLAN_H
#define LOAD_PLAN_H

#include <stdint.h>

#include "base/err.h"
#include "signal/signal.h"

#define PLAN_EVENTS_MAX 32

/* Partitions 01..97: a prime without a factor in common with the 9999
 * sequence numbers, so that (sequence, content) comes again only after a
 * very long time and a receiver never takes a new signal for a repeat. */
#define PLAN_PARTITIONS 97

struct plan_event {
	char alarm[SIGNAL_CODE_SIZE];
	char restore[SIGNAL_CODE_SIZE];
};

struct plan {
	enum signal_format format;
	unsigned event_count;
	struct plan_event events[PLAN_EVENTS_MAX];
	unsigned zone_first, zone_count;
	unsigned partition_first, partition_count;
};

struct plan_signal {
	char qualifier;	  /* 'E', 'R'; SIA: '-', the code says it */
	const char *code; /* borrows the plan */
	unsigned partition;
	unsigned zone;
};

/* One event "130", zones 1-4, all partitions. */
void plan_init(struct plan *plan, enum signal_format format);

/* "130,131" (Contact ID), "BA/BR,FA" (SIA; without a restore code the usual
 * one: xA/xH, xT/xJ, xB/xU). 0 or -EINVAL. */
int plan_set_events(struct plan *plan, const char *list, struct err *err);

/* "1-16" or "5" into first and count, within limit_low..limit_high. */
int plan_parse_range(const char *text, unsigned low, unsigned high,
    unsigned *ret_first, unsigned *ret_count, struct err *err);

void plan_signal(const struct plan *plan, uint64_t n, struct plan_signal *ret);

/* ---- accounts ------------------------------------------------------------- */

#define ACCOUNT_DIGITS_MAX 16

struct account_range {
	uint64_t first;
	uint64_t count;
	unsigned width; /* digits, leading zeros kept */
};

/* "1000-1FFF": hexadecimal, as many digits as the first one has. */
int account_range_parse(const char *text, struct account_range *ret,
    struct err *err);
/* The index-th account, width digits at out, no NUL. */
void account_range_write(const struct account_range *range, uint64_t index,
    char *out);

#endif
