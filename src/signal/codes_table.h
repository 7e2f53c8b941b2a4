/* The generated tables, sorted by code; only codes.c looks here. */
#ifndef SIGNAL_CODES_TABLE_H
#define SIGNAL_CODES_TABLE_H

#include "signal/codes.h"

struct codes_pair {
	char event[4];
	int qualifier;
	char sia[3];
	bool suggested; /* else only what somebody sends for this event */
};

extern const struct codes_contact_id codes_contact_id_table[];
extern const size_t codes_contact_id_table_count;
extern const struct codes_sia codes_sia_table[];
extern const size_t codes_sia_table_count;
/* a code's first row is what it is taken for */
extern const struct codes_pair codes_pair_table[];
extern const size_t codes_pair_table_count;

#endif
