/* The directory's own thread: load, follow, reconnect, keep the snapshot.
 * Internal to src/directory. */
#ifndef DIRECTORY_FOLLOW_H
#define DIRECTORY_FOLLOW_H

#include "directory/directory.h"

struct follower;
struct seal_master;

/* Fills the directory from the database or the snapshot and starts the
 * thread; as directory_open. Keeps io and clock. */
int follower_open(struct follower **ret, struct directory *directory,
    const struct directory_config *config, const struct io *io,
    const struct clock *clock, struct err *err);
void follower_reload(struct follower *follower);
/* Borrowed, the same all its life; NULL: none is configured. Any thread. */
const struct seal_master *follower_master(const struct follower *follower);
/* Stops the thread, writes what the snapshot lacks. */
void follower_close(struct follower **follower);

#endif
