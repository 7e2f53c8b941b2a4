#include "base/lines.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

int
lines_open(struct lines *lines, const char *path, bool sync, struct err *err)
{
	memset(lines, 0, sizeof(*lines));
	lines->sync = sync;
	lines->fd = open(path,
	    O_WRONLY | O_CREAT | O_TRUNC | O_APPEND | O_CLOEXEC, 0644);
	if (lines->fd < 0)
		return err_set_errno(err, "cannot create %s", path);
	lines->open = true;
	return 0;
}

int
lines_share(const struct lines *lines, struct lines *ret, struct err *err)
{
	memset(ret, 0, sizeof(*ret));
	ret->sync = lines->sync;
	if (!lines->open)
		return 0;
	ret->fd = fcntl(lines->fd, F_DUPFD_CLOEXEC, 0);
	if (ret->fd < 0)
		return err_set_errno(err, "cannot share the ledger");
	ret->open = true;
	return 0;
}

char *
lines_room(struct lines *lines, size_t length)
{
	if (lines->size - lines->length < length) {
		size_t size = 2 * lines->size + length + 65536;
		char *data = realloc(lines->data, size);

		if (!data)
			return NULL;
		lines->data = data;
		lines->size = size;
	}
	return lines->data + lines->length;
}

void
lines_added(struct lines *lines, size_t length)
{
	lines->length += length;
}

int
lines_flush(struct lines *lines, struct err *err)
{
	size_t done = 0;

	while (done < lines->length) {
		ssize_t n =
		    write(lines->fd, lines->data + done, lines->length - done);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return err_set_errno(err, "cannot write the ledger");
		done += (size_t)n;
	}
	if (done > 0 && lines->sync && fdatasync(lines->fd) < 0)
		return err_set_errno(err, "cannot sync the ledger");
	lines->length = 0;
	return 0;
}

void
lines_close(struct lines *lines)
{
	if (lines->open)
		close(lines->fd);
	free(lines->data);
	memset(lines, 0, sizeof(*lines));
}
