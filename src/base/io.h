/*
 * The file i/o seam: what the journal and the snapshot do to disks goes
 * through this table, so that a test can make the n-th call fail. Each
 * function returns what the system call returns, with -errno for failure
 * instead of -1.
 */
#ifndef BASE_IO_H
#define BASE_IO_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/stat.h>
#include <sys/types.h>
#include <sys/uio.h>

struct io {
	int (*open)(const struct io *, const char *path, int flags,
	    mode_t mode);
	int (*close)(const struct io *, int fd);
	ssize_t (*pread)(const struct io *, int fd, void *data, size_t length,
	    off_t offset);
	ssize_t (*pwritev)(const struct io *, int fd, const struct iovec *parts,
	    int count, off_t offset);
	int (*fdatasync)(const struct io *, int fd);
	int (*fsync)(const struct io *, int fd);
	int (*fallocate)(const struct io *, int fd, off_t length);
	int (*rename)(const struct io *, const char *from, const char *to);
	int (*unlink)(const struct io *, const char *path);
};

extern const struct io io_system;

/* -errno of a disk, a quota or a file that is full: there may be room later. */
bool io_lacks_room(int error);

/* All of it, through short writes and EINTR; 0 or -errno. */
int io_write_all(const struct io *io, int fd, const void *data, size_t length,
    off_t offset);

/* fsync of the directory itself, so that a new name survives; 0 or -errno. */
int io_sync_directory(const struct io *io, const char *directory);

/*
 * Replace path by these bytes so that a crash leaves the old or the new, never
 * a part: temporary file beside it, fsync, rename, fsync of the directory.
 * 0 or -errno.
 */
int io_replace_file(const struct io *io, const char *path, const void *data,
    size_t length, mode_t mode);

/*
 * The same for what may be lost, without waiting for the disk: it survives the
 * process; after a power cut there may be the old one, the new one, or a part,
 * which its reader must find out. 0 or -errno.
 */
int io_swap_file(const char *path, const void *data, size_t length);
/* The whole file, at most so many bytes, to be freed by the caller: its length
 * or -errno. */
ssize_t io_load_file(const char *path, size_t max, void **ret);

#endif
