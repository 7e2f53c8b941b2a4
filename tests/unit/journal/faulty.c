#include "unit/test.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "unit/journal/faulty.h"

#define SHORT_WRITE  1
#define SECTOR_BYTES 512

const char *const faulty_call_names[CALLS] = { "open", "close", "pwritev",
	"fdatasync", "fsync", "fallocate", "rename", "unlink" };

static struct faulty *
faulty_of(const struct io *io)
{
	return (struct faulty *)(uintptr_t)io;
}

static bool
takes_room(enum call call)
{
	return call != CALL_CLOSE && call != CALL_UNLINK;
}

/* 0, or the -errno that the call fails with; SHORT_WRITE. */
static int
fault(const struct io *io, enum call call)
{
	struct faulty *faulty = faulty_of(io);
	int result = 0;

	pthread_mutex_lock(&faulty->lock);
	if (faulty->full ? takes_room(call) : call == faulty->call) {
		faulty->calls++;
		if (faulty->fail_at > 0 && !faulty->lifted &&
		    (faulty->calls == faulty->fail_at ||
			(faulty->for_ever && faulty->calls > faulty->fail_at)))
			result = faulty->error ? -faulty->error : SHORT_WRITE;
	}
	pthread_mutex_unlock(&faulty->lock);
	return result;
}

static int
faulty_open(const struct io *io, const char *path, int flags, mode_t mode)
{
	const struct faulty *faulty = faulty_of(io);
	bool makes_some = faulty->full || faulty->below;
	bool counts = (!makes_some || flags & O_CREAT) &&
	    (!faulty->below ||
		strncmp(path, faulty->below, strlen(faulty->below)) == 0);
	int result = counts ? fault(io, CALL_OPEN) : 0;

	if (faulty->cached && flags & O_DIRECT)
		return -EINVAL;
	return result < 0 ? result
			  : io_system.open(&io_system, path, flags, mode);
}

static bool
is_direct(int fd)
{
	return fcntl(fd, F_GETFL) & O_DIRECT;
}

static void
remember(struct faulty *faulty, int fd, off_t offset, ssize_t length)
{
	/* past the page cache there are zeros, or what is durable at once */
	if (is_direct(fd))
		return;
	pthread_mutex_lock(&faulty->lock);
	if (length > 0 && faulty->unsynced_count < UNSYNCED_MAX) {
		unsigned i = faulty->unsynced_count++;

		faulty->unsynced[i].fd = fd;
		faulty->unsynced[i].offset = offset;
		faulty->unsynced[i].length = (size_t)length;
	}
	pthread_mutex_unlock(&faulty->lock);
}

/* Forget what was written to fd since its last sync; lose: on the disk too. */
static void
settle(struct faulty *faulty, int fd, bool lose)
{
	static const char zeros[1 << 20];
	unsigned kept = 0;

	pthread_mutex_lock(&faulty->lock);
	for (unsigned i = 0; i < faulty->unsynced_count; i++) {
		if (faulty->unsynced[i].fd != fd) {
			faulty->unsynced[kept++] = faulty->unsynced[i];
			continue;
		}
		if (lose)
			assert_int_equal(pwrite(fd, zeros,
					     faulty->unsynced[i].length,
					     faulty->unsynced[i].offset),
			    faulty->unsynced[i].length);
	}
	faulty->unsynced_count = kept;
	pthread_mutex_unlock(&faulty->lock);
}

static int
faulty_close(const struct io *io, int fd)
{
	int result = fault(io, CALL_CLOSE);

	settle(faulty_of(io), fd, true);
	io_system.close(&io_system, fd);
	return result;
}

static ssize_t
faulty_pread(const struct io *io, int fd, void *data, size_t length,
    off_t offset)
{
	(void)io;
	return io_system.pread(&io_system, fd, data, length, offset);
}

static ssize_t
faulty_pwritev(const struct io *io, int fd, const struct iovec *parts,
    int count, off_t offset)
{
	struct iovec first = parts[0];
	int result = fault(io, CALL_PWRITEV);
	ssize_t n;

	if (faulty_of(io)->opens_only && is_direct(fd))
		return -EINVAL;
	if (result < 0)
		return result;
	if (result == SHORT_WRITE) {
		first.iov_len = first.iov_len / 2 + 1;
		if (is_direct(fd))
			first.iov_len =
			    (first.iov_len | (SECTOR_BYTES - 1)) + 1;
		if (first.iov_len > parts[0].iov_len)
			first.iov_len = parts[0].iov_len;
		n = io_system.pwritev(&io_system, fd, &first, 1, offset);
	} else {
		n = io_system.pwritev(&io_system, fd, parts, count, offset);
	}
	remember(faulty_of(io), fd, offset, n);
	return n;
}

static int
sync_or_lose(const struct io *io, int fd, enum call call)
{
	int result = fault(io, call);

	settle(faulty_of(io), fd, result < 0);
	return result;
}

static int
faulty_fdatasync(const struct io *io, int fd)
{
	return sync_or_lose(io, fd, CALL_FDATASYNC);
}

static int
faulty_fsync(const struct io *io, int fd)
{
	return sync_or_lose(io, fd, CALL_FSYNC);
}

static int
faulty_fallocate(const struct io *io, int fd, off_t length)
{
	int result = fault(io, CALL_FALLOCATE);

	return result < 0 ? result
			  : io_system.fallocate(&io_system, fd, length);
}

static int
faulty_rename(const struct io *io, const char *from, const char *to)
{
	int result = fault(io, CALL_RENAME);

	return result < 0 ? result : io_system.rename(&io_system, from, to);
}

static int
faulty_unlink(const struct io *io, const char *path)
{
	int result = fault(io, CALL_UNLINK);

	return result < 0 ? result : io_system.unlink(&io_system, path);
}

void
faulty_init(struct faulty *faulty, enum call call, unsigned fail_at,
    bool for_ever, int error)
{
	*faulty = (struct faulty){
		.io = { faulty_open, faulty_close, faulty_pread, faulty_pwritev,
		    faulty_fdatasync, faulty_fsync, faulty_fallocate,
		    faulty_rename, faulty_unlink },
		.call = call,
		.fail_at = fail_at,
		.for_ever = for_ever,
		.error = error
	};
	pthread_mutex_init(&faulty->lock, NULL);
}

void
faulty_set(struct faulty *faulty, int error)
{
	pthread_mutex_lock(&faulty->lock);
	faulty->error = error;
	faulty->lifted = error == 0;
	pthread_mutex_unlock(&faulty->lock);
}
