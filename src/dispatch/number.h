/* The running delivery number of each receiver, kept by receiver id. */
#ifndef DISPATCH_NUMBER_H
#define DISPATCH_NUMBER_H

#include <stddef.h>
#include <stdint.h>

struct number {
	uint64_t receiver_id;
	uint64_t last; /* given to a delivery */
};

struct number_table {
	struct number *rows; /* sorted by receiver_id */
	size_t count, size;
};

void number_close(struct number_table *table);

/* The row of this receiver, made when new; NULL: out of memory. Valid until
 * the next call. */
struct number *number_of(struct number_table *table, uint64_t receiver_id);

#endif
