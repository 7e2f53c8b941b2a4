#include "journal/window.h"

#include <errno.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

static int
map_twice(struct window *window, int fd)
{
	uint8_t *bytes = mmap(NULL, 2 * (size_t)WINDOW_BYTES, PROT_NONE,
	    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (bytes == MAP_FAILED)
		return -errno;
	window->bytes = bytes;
	for (unsigned i = 0; i < 2; i++)
		if (mmap(bytes + i * (size_t)WINDOW_BYTES, WINDOW_BYTES,
			PROT_READ | PROT_WRITE, MAP_SHARED | MAP_FIXED, fd,
			0) == MAP_FAILED)
			return -errno;
	return 0;
}

int
window_open(struct window *window, uint64_t floor_lsn, uint64_t block_lsn,
    struct err *err)
{
	int fd = memfd_create("journal", MFD_CLOEXEC), result = 0;

	pthread_mutex_init(&window->lock, NULL);
	window->floor_lsn = floor_lsn;
	window->shift = -block_lsn & (SEGMENT_BLOCK_BYTES - 1);
	if (fd < 0 || ftruncate(fd, WINDOW_BYTES) < 0)
		result = -errno;
	if (result == 0)
		result = map_twice(window, fd);
	if (fd >= 0)
		close(fd);
	return result == 0
	    ? 0
	    : err_set(err, result, "journal: no memory for its window: %s",
		  strerror(-result));
}

void
window_close(struct window *window)
{
	if (!window->bytes)
		return;
	munmap(window->bytes, 2 * (size_t)WINDOW_BYTES);
	window->bytes = NULL;
	pthread_mutex_destroy(&window->lock);
}

void
window_raise_floor(struct window *window, uint64_t floor_lsn)
{
	pthread_mutex_lock(&window->lock);
	if (floor_lsn > window->floor_lsn)
		window->floor_lsn = floor_lsn;
	pthread_mutex_unlock(&window->lock);
}

bool
window_read(struct window *window, uint64_t lsn, void *out, size_t length)
{
	bool here;

	if (!window->bytes)
		return false;
	pthread_mutex_lock(&window->lock);
	here = lsn >= window->floor_lsn;
	if (here)
		memcpy(out, window_at(window, lsn), length);
	pthread_mutex_unlock(&window->lock);
	return here;
}
