/*
 * Events that are decided again: an alarm whose entry delay runs, a restore
 * that a repeat filter holds back. A function of the journal: each came with a
 * decision of VERDICT_WAITING and goes with the next one of its event.
 *
 *	waiting    in the heap by when it is due, and in its site's chain
 *	settling   its conclusion is in the journal and not read back yet:
 *	           only in the list, so that its signal is kept
 */
#ifndef DISPATCH_WAITING_H
#define DISPATCH_WAITING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/queue.h>

struct waiting {
	TAILQ_ENTRY(waiting) by_age; /* all of them, the oldest signal first */
	struct waiting *next;	     /* of its place in the table */
	size_t place;		     /* in the heap; 0: settling */
	uint64_t signal_lsn, site_id;
	uint16_t item;
	int64_t received_us;
	int64_t deadline_us; /* wall clock, as decided */
	int64_t due_us;	     /* monotonic */
	/* the last signal for which it was asked whether it may wait no longer */
	uint64_t asked_lsn;
};

struct waiting_list {
	TAILQ_HEAD(waiting_queue, waiting) by_age;
	struct waiting **places; /* by site */
	size_t size, count;
	struct waiting **heap; /* from 1; [1] is due first */
	size_t heap_count, heap_size;
	struct waiting *spare; /* for the next one */
};

int waiting_open(struct waiting_list *list);
void waiting_close(struct waiting_list *list);

/* Room for one more, so that adding it cannot fail. 0 or -ENOMEM. */
int waiting_reserve(struct waiting_list *list);
/* After waiting_reserve: a copy of it; or, when its event waits already, its new deadline. */
void waiting_put(struct waiting_list *list, const struct waiting *waiting);
/* NULL: it does not wait. */
struct waiting *waiting_find(const struct waiting_list *list, uint64_t site_id,
    uint64_t signal_lsn, unsigned item);
/* The next one of a site, the oldest first, settling ones too; before NULL: the
 * first. */
struct waiting *waiting_of_site(const struct waiting_list *list,
    uint64_t site_id, const struct waiting *before);
void waiting_settle(struct waiting_list *list, struct waiting *waiting);
void waiting_remove(struct waiting_list *list, struct waiting *waiting);

/* The one that is due first. NULL: none waits. */
static inline struct waiting *
waiting_first(const struct waiting_list *list)
{
	return list->heap_count > 0 ? list->heap[1] : NULL;
}

/* The oldest signal that is still needed; UINT64_MAX: none. */
uint64_t waiting_oldest(const struct waiting_list *list);

#endif
