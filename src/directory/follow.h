/* The directory's own thread: load, follow, reconnect, keep the snapshot.
 * Internal to src/directory. */
#ifndef DIRECTORY_FOLLOW_H
#define DIRECTORY_FOLLOW_H

#include "directory/directory.h"

struct follower;

/* Fills the directory from the database or the snapshot and starts the
 * thread; as directory_open. Keeps io and clock. */
int follower_open(struct follower **ret, struct directory *directory,
    const struct directory_config *config, const struct io *io,
    const struct clock *clock, struct err *err);
void follower_reload(struct follower *follower);
/* Stops the thread, writes what the snapshot lacks. */
void follower_close(struct follower **follower);

#endif
