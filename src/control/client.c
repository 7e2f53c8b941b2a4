#include "control/client.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "control/words.h"

int
control_connect(const char *path, bool blocking, struct err *err)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	int fd, result;

	if (strlen(path) >= sizeof(address.sun_path))
		return err_set(err, -ENAMETOOLONG,
		    "the socket's name is too long: %s", path);
	memcpy(address.sun_path, path, strlen(path) + 1);
	fd = socket(AF_UNIX,
	    SOCK_STREAM | SOCK_CLOEXEC | (blocking ? 0 : SOCK_NONBLOCK), 0);
	if (fd >= 0 &&
	    connect(fd, (struct sockaddr *)&address, sizeof(address)) == 0)
		return fd;
	result = -errno;
	err_set(err, result, "%s: %s%s", path, strerror(errno),
	    errno == ENOENT || errno == ECONNREFUSED ? " (is tocsind running?)"
						     : "");
	if (fd >= 0)
		close(fd);
	return result;
}

int
control_request(char line[CONTROL_REQUEST_MAX], unsigned count,
    const char *const *words, struct err *err)
{
	int length = 0;

	for (unsigned i = 0; i < count; i++) {
		length =
		    words_quote(line, length, CONTROL_REQUEST_MAX, words[i]);
		if (length < 0)
			return err_set(err, length,
			    length == -EINVAL
				? "a word must not hold a line break"
				: "the request is too long");
	}
	line[length++] = '\n';
	return length;
}
