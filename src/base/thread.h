/* What a thread asks of the scheduler. */
#ifndef BASE_THREAD_H
#define BASE_THREAD_H

#include <stdint.h>

/*
 * The calling thread never needs the processor for longer than this at a time,
 * and wants it at once when it wakes: the scheduler then puts it before those
 * that run long. From Linux 6.12 on (0.1 to 100 ms); elsewhere, or where it is
 * not allowed, nothing changes.
 */
void thread_set_slice(int64_t slice_us);

/* How many threads may work at once where others have work too: one for each
 * two processors, one at least. */
unsigned thread_default_count(void);

#endif
