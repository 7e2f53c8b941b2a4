/* struct directory, for the files of src/directory and its tests. */
#ifndef DIRECTORY_PRIVATE_H
#define DIRECTORY_PRIVATE_H

#include <pthread.h>

#include "directory/picture.h"
#include "directory/presence.h"

#define DIRECTORY_SUBSCRIBERS_MAX 16

struct follower;

struct directory {
	_Atomic(struct picture *) picture; /* never NULL */
	_Atomic uint32_t generation;	   /* odd: objects are being put */
	object_allocate_fn allocate;	   /* malloc; a test's seam */
	struct presence *presence;	   /* its slots: the writer's */
	struct follower *follower;	   /* NULL: filled by hand */

	pthread_mutex_t lock; /* over what is below */
	struct directory_status status;
	int subscribers[DIRECTORY_SUBSCRIBERS_MAX];
	unsigned subscriber_count;
};

/* The writer's own view. */
static inline struct picture *
directory_picture(const struct directory *directory)
{
	return atomic_load_explicit(&directory->picture, memory_order_acquire);
}

/* Returns once no reader can hold what was taken out before. */
void directory_wait_for_readers(void);

#endif
