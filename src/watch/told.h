/* What was told of which bridge: a set of bits by id. */
#ifndef WATCH_TOLD_H
#define WATCH_TOLD_H

#include <stddef.h>
#include <stdint.h>

struct told {
	uint64_t bridge_id; /* 0: an empty place */
	uint8_t bits;	    /* 0: nothing any more */
};

struct told_table {
	struct told *places; /* open addressing, at most half full */
	size_t size, used;
};

void told_close(struct told_table *table);
uint8_t told_get(const struct told_table *table, uint64_t bridge_id);
/* 0 or -ENOMEM. */
int told_put(struct told_table *table, uint64_t bridge_id, uint8_t bits);

#endif
