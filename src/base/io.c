#include "base/io.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static int
system_open(const struct io *io, const char *path, int flags, mode_t mode)
{
	int fd = open(path, flags | O_CLOEXEC, mode);

	(void)io;
	return fd < 0 ? -errno : fd;
}

static int
system_close(const struct io *io, int fd)
{
	(void)io;
	return close(fd) < 0 ? -errno : 0;
}

static ssize_t
system_pread(const struct io *io, int fd, void *data, size_t length,
    off_t offset)
{
	ssize_t n = pread(fd, data, length, offset);

	(void)io;
	return n < 0 ? -errno : n;
}

static ssize_t
system_pwritev(const struct io *io, int fd, const struct iovec *parts,
    int count, off_t offset)
{
	ssize_t n = pwritev(fd, parts, count, offset);

	(void)io;
	return n < 0 ? -errno : n;
}

static int
system_fdatasync(const struct io *io, int fd)
{
	(void)io;
	return fdatasync(fd) < 0 ? -errno : 0;
}

static int
system_fsync(const struct io *io, int fd)
{
	(void)io;
	return fsync(fd) < 0 ? -errno : 0;
}

static int
system_fallocate(const struct io *io, int fd, off_t length)
{
	(void)io;
	return -posix_fallocate(fd, 0, length);
}

static int
system_rename(const struct io *io, const char *from, const char *to)
{
	(void)io;
	return rename(from, to) < 0 ? -errno : 0;
}

static int
system_unlink(const struct io *io, const char *path)
{
	(void)io;
	return unlink(path) < 0 ? -errno : 0;
}

const struct io io_system = {
	.open = system_open,
	.close = system_close,
	.pread = system_pread,
	.pwritev = system_pwritev,
	.fdatasync = system_fdatasync,
	.fsync = system_fsync,
	.fallocate = system_fallocate,
	.rename = system_rename,
	.unlink = system_unlink,
};

bool
io_lacks_room(int error)
{
	return error == -ENOSPC || error == -EDQUOT || error == -EFBIG;
}

int
io_write_all(const struct io *io, int fd, const void *data, size_t length,
    off_t offset)
{
	struct iovec part = { (void *)(uintptr_t)data, length };

	while (part.iov_len > 0) {
		ssize_t n = io->pwritev(io, fd, &part, 1, offset);

		if (n == -EINTR)
			continue;
		if (n <= 0)
			return n < 0 ? (int)n : -EIO;
		part.iov_base = (char *)part.iov_base + n;
		part.iov_len -= (size_t)n;
		offset += n;
	}
	return 0;
}

int
io_sync_directory(const struct io *io, const char *directory)
{
	int fd = io->open(io, directory, O_RDONLY | O_DIRECTORY, 0);
	int result, closed;

	if (fd < 0)
		return fd;
	result = io->fsync(io, fd);
	closed = io->close(io, fd);
	return result < 0 ? result : closed;
}

static int
write_synced(const struct io *io, const char *path, const void *data,
    size_t length, mode_t mode)
{
	int fd = io->open(io, path, O_WRONLY | O_CREAT | O_TRUNC, mode);
	int result, closed;

	if (fd < 0)
		return fd;
	result = io_write_all(io, fd, data, length, 0);
	if (result == 0)
		result = io->fsync(io, fd);
	closed = io->close(io, fd);
	return result < 0 ? result : closed;
}

int
io_replace_file(const struct io *io, const char *path, const void *data,
    size_t length, mode_t mode)
{
	char temporary[PATH_MAX], directory[PATH_MAX];
	const char *slash = strrchr(path, '/');
	int result;

	if (snprintf(temporary, sizeof(temporary), "%s.new", path) >=
	    (int)sizeof(temporary))
		return -ENAMETOOLONG;
	snprintf(directory, sizeof(directory), "%.*s",
	    slash ? (int)(slash - path) : 1, slash ? path : ".");
	result = write_synced(io, temporary, data, length, mode);
	if (result == 0)
		result = io->rename(io, temporary, path);
	if (result < 0) {
		io->unlink(io, temporary);
		return result;
	}
	return io_sync_directory(io, directory[0] ? directory : "/");
}

int
io_swap_file(const char *path, const void *data, size_t length)
{
	char temporary[PATH_MAX];
	int fd, result;

	if (snprintf(temporary, sizeof(temporary), "%s.new", path) >=
	    (int)sizeof(temporary))
		return -ENAMETOOLONG;
	fd = open(temporary, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	if (fd < 0)
		return -errno;
	result = io_write_all(&io_system, fd, data, length, 0);
	if (close(fd) < 0 && result == 0)
		result = -errno;
	if (result == 0 && rename(temporary, path) < 0)
		result = -errno;
	return result;
}

ssize_t
io_load_file(const char *path, size_t max, void **ret)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	struct stat status;
	ssize_t length = -EFBIG;

	if (fd < 0)
		return -errno;
	if (fstat(fd, &status) < 0) {
		length = -errno;
	} else if ((size_t)status.st_size <= max) {
		*ret = malloc((size_t)status.st_size + 1);
		length =
		    *ret ? pread(fd, *ret, (size_t)status.st_size, 0) : -ENOMEM;
		if (*ret && length < 0)
			length = -errno;
	}
	close(fd);
	return length;
}
