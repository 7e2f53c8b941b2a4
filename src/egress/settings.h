/* A link's own copy of its receiver: directory objects do not stay. */
#ifndef EGRESS_SETTINGS_H
#define EGRESS_SETTINGS_H

#include "directory/directory.h"

/* One block; free() releases it. NULL: out of memory. */
struct directory_receiver *settings_copy(const struct directory_receiver
	*receiver);
bool settings_equal(const struct directory_receiver *a,
    const struct directory_receiver *b);

#endif
