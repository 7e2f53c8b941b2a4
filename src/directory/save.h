/*
 * Writing the snapshot file beside the directory's writer: a large picture
 * takes seconds, and no change may wait for so long. A thread of its own writes
 * the objects of one moment; meanwhile the writer puts changes in place as
 * ever, and what they take out is only freed when the file is written.
 * Internal to src/directory; called by the writer.
 */
#ifndef DIRECTORY_SAVE_H
#define DIRECTORY_SAVE_H

#include <pthread.h>

#include "directory/private.h"
#include "directory/snapshot.h"

struct save {
	struct directory *directory;
	const struct io *io;
	const char *path;
	const struct seal_master *master;
	int64_t wall_us;
	struct snapshot_content *content;
	pthread_t thread;
	bool running;
	_Atomic bool done; /* finishing will not wait */
	int result;	   /* the thread's, until done */
	struct err err;
};

/* What the four first fields say, as the picture is now. 0 or -errno with the
 * sentence; nothing may be running. */
int save_start(struct save *save, int64_t wall_us, struct err *err);
bool save_is_done(const struct save *save);
/* Wait until it is; how it ended: 0 or -errno with the sentence. */
int save_finish(struct save *save, struct err *err);

#endif
