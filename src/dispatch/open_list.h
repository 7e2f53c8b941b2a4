/*
 * While the journal is replayed: which decided deliveries have no end yet, in
 * the order they must go out. Sorted by decision_lsn because the journal is;
 * what an operator put back goes out behind, in the order it was put back.
 */
#ifndef DISPATCH_OPEN_LIST_H
#define DISPATCH_OPEN_LIST_H

#include <stddef.h>
#include <stdint.h>

#include "signal/delivery.h"

enum open_state {
	OPEN_WAITING,
	OPEN_PARKED,
	OPEN_FINISHED
};

struct open_entry {
	uint64_t decision_lsn;
	uint64_t outcome_lsn; /* of the record that parked it or put it back */
	uint64_t receiver_id;
	uint64_t signal_lsn;
	uint32_t account; /* its hash */
	uint16_t item;
	uint8_t index : 7;
	uint8_t urgent : 1; /* life safety */
	uint8_t state;	    /* enum open_state */
};

struct open_list {
	struct open_entry *entries;
	size_t count, size, finished;
};

void open_list_close(struct open_list *list);
/* 0 or -ENOMEM. */
int open_list_add(struct open_list *list, const struct open_entry *entry);
/* What an outcome record says; one of an unknown delivery is history that a
 * removed segment began, and is passed over. */
void open_list_apply(struct open_list *list, const struct outcome *outcome,
    uint64_t outcome_lsn);
/* The entry of one delivery, NULL when it is not here (or finished). */
struct open_entry *open_list_find(struct open_list *list, uint64_t decision_lsn,
    unsigned index);
/* Drop what is finished and put the rest into sending order. */
void open_list_settle(struct open_list *list);

#endif
