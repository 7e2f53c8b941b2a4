#include "directory/save.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static void *
run(void *context)
{
	struct save *save = context;

	pthread_setname_np(pthread_self(), "snapshot");
	save->result = snapshot_write(save->io, save->path, save->content,
	    save->master, save->wall_us, &save->err);
	atomic_store_explicit(&save->done, true, memory_order_release);
	return NULL;
}

int
save_start(struct save *save, int64_t wall_us, struct err *err)
{
	int result;

	save->content = snapshot_collect(directory_picture(save->directory),
	    save->directory->allocate);
	if (!save->content)
		return err_set(err, -ENOMEM, "out of memory");
	save->wall_us = wall_us;
	atomic_store(&save->done, false);
	directory_hold(save->directory);
	result = -pthread_create(&save->thread, NULL, run, save);
	save->running = result == 0;
	if (result == 0)
		return 0;
	directory_let_go(save->directory);
	free(save->content);
	return err_set(err, result, "cannot start a thread: %s",
	    strerror(-result));
}

bool
save_is_done(const struct save *save)
{
	return atomic_load_explicit(&save->done, memory_order_acquire);
}

int
save_finish(struct save *save, struct err *err)
{
	pthread_join(save->thread, NULL);
	save->running = false;
	directory_let_go(save->directory);
	free(save->content);
	if (save->result < 0)
		*err = save->err;
	return save->result;
}
