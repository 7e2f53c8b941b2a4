/*
 * Deliveries set aside until an operator puts them back, and those put back
 * but not yet ended. Sorted by decision: parking goes on at the end, so even a
 * route that parks everything costs little. Both keep their journal segment.
 */
#ifndef DISPATCH_PARKED_H
#define DISPATCH_PARKED_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct parked_entry {
	uint64_t decision_lsn;
	uint64_t signal_lsn;
	uint64_t receiver_id;
	uint64_t outcome_lsn; /* of the record with the reason */
	uint16_t item;
	uint8_t index;
	bool requeued; /* on its way again */
};

struct parked_list {
	struct parked_entry *entries;
	size_t count, size, requeued;
};

void parked_close(struct parked_list *list);
/* Replaces the entry of the same delivery; 0 or -ENOMEM. */
int parked_put(struct parked_list *list, const struct parked_entry *entry);
void parked_remove(struct parked_list *list, uint64_t decision_lsn,
    unsigned index);
/* UINT64_MAX when empty. */
uint64_t parked_oldest(const struct parked_list *list);

#endif
