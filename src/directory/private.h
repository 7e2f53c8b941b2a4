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
	struct names *names;		   /* the writer's */
	struct presence *presence;	   /* its slots: the writer's */
	bool holding;			   /* the writer's, and the next: */
	struct object *held;		   /* taken out meanwhile */
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

/* Until it is let go no object is freed: somebody else than a reader looks at
 * the picture. No full load may be put in place meanwhile. */
void directory_hold(struct directory *directory);
void directory_let_go(struct directory *directory);

/* Returns once no reader can hold what was taken out before. */
void directory_wait_for_readers(void);

#endif
