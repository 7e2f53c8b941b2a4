/* A file or a FIFO behind a link. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/io.h"
#include "codec/json_line.h"
#include "egress/local_job.h"

/* How soon to look again whether the reader of a FIFO has read it. */
#define FIFO_LOOK_MS 10

struct target {
	int fd;
	bool fifo;
	struct stat status; /* when it was opened */
};

/* ---- opening ------------------------------------------------------------------- */

/* Lines are whole: what a power cut left of one is ended. */
static int
end_torn_line(const struct target *target)
{
	off_t size = target->status.st_size;
	char last;

	if (size == 0)
		return 0;
	if (pread(target->fd, &last, 1, size - 1) != 1)
		return -EIO;
	return last == '\n' || write(target->fd, "\n", 1) == 1 ? 0 : -errno;
}

/* A new name has to survive a power cut as well. */
static int
sync_name(const char *path)
{
	char directory[LOCAL_PATH_MAX];
	size_t length = (size_t)(strrchr(path, '/') - path);

	memcpy(directory, path, length);
	directory[length] = '\0';
	return io_sync_directory(&io_system, directory);
}

static int
open_target(const char *path, struct target *ret)
{
	bool exists = stat(path, &ret->status) == 0;
	int code = 0;

	ret->fifo = exists && S_ISFIFO(ret->status.st_mode);
	ret->fd = open(path,
	    ret->fifo ? O_WRONLY | O_NONBLOCK | O_CLOEXEC
		      : O_RDWR | O_APPEND | O_CREAT | O_NONBLOCK | O_CLOEXEC,
	    0640);
	if (ret->fd < 0)
		return -errno;
	if (fstat(ret->fd, &ret->status) < 0)
		code = -errno;
	else if (!ret->fifo && !S_ISREG(ret->status.st_mode))
		code = -ENOTSUP;
	if (code == 0 && !ret->fifo)
		code = end_torn_line(ret);
	if (code == 0 && !exists)
		code = sync_name(path);
	if (code < 0)
		close(ret->fd);
	return code;
}

static const char *
open_problem(int code)
{
	if (code == -ENXIO)
		return "nobody reads it";
	if (code == -ENOTSUP)
		return "it is neither a file nor a FIFO";
	return strerror(-code);
}

/* ---- a file: written and synced ---------------------------------------------------- */

static int
write_all(int fd, const char *data, size_t length)
{
	while (length > 0) {
		ssize_t written = write(fd, data, length);

		if (written < 0 && errno == EINTR)
			continue;
		if (written < 0)
			return -errno;
		data += written;
		length -= (size_t)written;
	}
	return 0;
}

/* Moved away (log rotation): the next lines belong into a new one. */
static bool
was_moved(const char *path, const struct target *target)
{
	struct stat now;

	return stat(path, &now) < 0 || now.st_ino != target->status.st_ino ||
	    now.st_dev != target->status.st_dev;
}

/* What could not be written whole is taken back, so that no line is torn. */
static int
append(struct target *target, struct slice lines)
{
	off_t before = lseek(target->fd, 0, SEEK_END);
	int code;

	if (before < 0)
		return -errno;
	code = write_all(target->fd, lines.data, lines.length);
	if (code == 0 && fdatasync(target->fd) < 0)
		code = -errno;
	if (code < 0 && ftruncate(target->fd, before) < 0)
		return -errno;
	return code;
}

/* ---- a FIFO: written and read ---------------------------------------------------------- */

/* Wait until it may have been read, or written; -EPIPE: nobody reads it any
 * more, -ECONNRESET: the link has gone. */
static int
look_again(struct local_job *job, int fd, short events, int timeout_ms)
{
	struct pollfd waits[2] = { { .fd = fd, .events = events },
		{ .fd = job->fd, .events = POLLRDHUP } };

	if (poll(waits, 2, timeout_ms) < 0)
		return errno == EINTR ? 0 : -errno;
	if (waits[1].revents != 0)
		return -ECONNRESET;
	return waits[0].revents & POLLERR ? -EPIPE : 0;
}

static int
wait_read(struct local_job *job, int fd)
{
	int left, code = 0;

	while (code == 0) {
		if (ioctl(fd, FIONREAD, &left) < 0)
			return -errno;
		if (left == 0)
			return 0;
		code = look_again(job, fd, 0, FIFO_LOOK_MS);
	}
	return code;
}

static int
pass(struct local_job *job, const struct target *target, struct slice lines)
{
	while (lines.length > 0) {
		ssize_t written = write(target->fd, lines.data, lines.length);
		int code = 0;

		if (written >= 0)
			lines =
			    slice_part(lines, (size_t)written, lines.length);
		else if (errno == EAGAIN)
			code = look_again(job, target->fd, POLLOUT, -1);
		else if (errno != EINTR)
			code = -errno;
		if (code < 0)
			return code;
	}
	return wait_read(job, target->fd);
}

/* ---- lines --------------------------------------------------------------------------- */

static int
put(struct local_job *job, struct target *target, struct slice lines)
{
	int code = 0;

	if (lines.length == 0)
		return 0;
	if (target->fifo)
		return pass(job, target, lines);
	if (was_moved(job->path, target)) {
		close(target->fd);
		code = open_target(job->path, target);
		if (code < 0)
			target->fd = -1;
	}
	return code < 0 ? code : append(target, lines);
}

/* All whole lines, heartbeats left out, moved together at the front of the
 * buffer; *ret_end is where what is behind them begins. Answers in *answers. */
struct batch {
	size_t end;	/* of the whole lines in the buffer */
	size_t length;	/* of those to be written, from its beginning */
	size_t answers; /* bytes of answer */
	char answer[LOCAL_BUFFER_BYTES];
};

static void
gather(struct local_job *job, uint64_t *last, struct batch *batch)
{
	batch->end = batch->length = batch->answers = 0;
	while (batch->end < job->filled &&
	    batch->answers + JSON_ANSWER_MAX <= sizeof(batch->answer)) {
		const char *begin = job->in + batch->end;
		const char *stop =
		    memchr(begin, '\n', job->filled - batch->end);
		struct slice line;
		uint64_t sequence;

		if (!stop)
			break;
		line = slice_of(begin, (size_t)(stop - begin));
		batch->end += line.length + 1;
		if (!json_line_sequence(line, &sequence))
			continue;
		batch->answers += (size_t)json_answer_encode(JSON_ANSWER_ACK,
		    sequence, "", batch->answer + batch->answers);
		/* sent again for want of patience: it is written */
		if (sequence == 0 || sequence == *last)
			continue;
		*last = sequence;
		memmove(job->in + batch->length, begin, line.length + 1);
		batch->length += line.length + 1;
	}
}

static int
write_lines(struct local_job *job, struct target *target, struct batch *batch)
{
	uint64_t last = 0;
	int code = 0;

	while (code == 0 && local_read(job)) {
		gather(job, &last, batch);
		code = put(job, target, slice_of(job->in, batch->length));
		if (code == 0)
			local_answer(job, batch->answer, batch->answers);
		local_taken(job, batch->end);
	}
	return code;
}

void
local_write(struct local_job *job)
{
	struct batch *batch = malloc(sizeof(*batch));
	struct target target;
	int code = batch ? open_target(job->path, &target) : -ENOMEM;

	if (code < 0) {
		local_fail(job, "cannot open %s: %s", job->path,
		    open_problem(code));
		free(batch);
		return;
	}
	code = write_lines(job, &target, batch);
	if (code < 0)
		local_fail(job, "cannot write %s: %s", job->path,
		    code == -EPIPE ? "its reader has gone" : strerror(-code));
	if (target.fd >= 0)
		close(target.fd);
	free(batch);
}
