#include "base/socket.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/slice.h"

#define LISTEN_BACKLOG 4096

int
socket_address_make(const char *host, uint16_t port, struct socket_address *ret,
    struct err *err)
{
	memset(ret, 0, sizeof(*ret));
	if (inet_pton(AF_INET, host, &ret->v4.sin_addr) == 1) {
		ret->v4.sin_family = AF_INET;
		ret->v4.sin_port = htons(port);
		ret->length = sizeof(ret->v4);
		return 0;
	}
	if (inet_pton(AF_INET6, host, &ret->v6.sin6_addr) == 1) {
		ret->v6.sin6_family = AF_INET6;
		ret->v6.sin6_port = htons(port);
		ret->length = sizeof(ret->v6);
		return 0;
	}
	return err_set(err, -EINVAL, "'%s' is not a numeric address", host);
}

int
socket_address_parse(const char *text, struct socket_address *ret,
    struct err *err)
{
	const char *colon = strrchr(text, ':');
	char host[SOCKET_ADDRESS_TEXT];
	struct slice name;
	unsigned long port;

	if (!colon)
		return err_set(err, -EINVAL, "'%s' has no ':port'", text);
	if (slice_to_number(slice_from_string(colon + 1), 10, &port) < 0 ||
	    port > 65535)
		return err_set(err, -EINVAL, "'%s' is not a port", colon + 1);
	name = slice_of(text, (size_t)(colon - text));
	if (name.length >= 2 && text[0] == '[' && colon[-1] == ']')
		name = slice_part(name, 1, name.length - 2);
	if (slice_copy(name, host, sizeof(host)) < 0)
		return err_set(err, -EINVAL, "'%s' is not an address", text);
	return socket_address_make(host, (uint16_t)port, ret, err);
}

int
socket_address_next(const char **list, struct socket_address *ret,
    struct err *err)
{
	const char *first = *list;
	size_t length = strcspn(first, ",");
	char text[SOCKET_ADDRESS_TEXT];
	int result;

	if (*first == '\0')
		return 0;
	*list += length + (first[length] == ',');
	if (slice_copy(slice_of(first, length), text, sizeof(text)) < 0)
		return err_set(err, -EINVAL, "'%.*s' is not an address",
		    (int)length, first);
	result = socket_address_parse(text, ret, err);
	return result < 0 ? result : 1;
}

char *
socket_address_format(const struct socket_address *address,
    char out[SOCKET_ADDRESS_TEXT])
{
	char host[INET6_ADDRSTRLEN] = "?";

	if (address->any.sa_family == AF_UNIX) {
		snprintf(out, SOCKET_ADDRESS_TEXT, "local");
	} else if (address->any.sa_family == AF_INET6) {
		inet_ntop(AF_INET6, &address->v6.sin6_addr, host, sizeof(host));
		snprintf(out, SOCKET_ADDRESS_TEXT, "[%s]:%u", host,
		    ntohs(address->v6.sin6_port));
	} else {
		inet_ntop(AF_INET, &address->v4.sin_addr, host, sizeof(host));
		snprintf(out, SOCKET_ADDRESS_TEXT, "%s:%u", host,
		    ntohs(address->v4.sin_port));
	}
	return out;
}

static int
fail_close(int fd, const char *what, const struct socket_address *address,
    struct err *err)
{
	char text[SOCKET_ADDRESS_TEXT];
	int code = err_set_errno(err, "cannot %s %s", what,
	    socket_address_format(address, text));

	close(fd);
	return code;
}

int
socket_listen(const struct socket_address *address, int type, bool share_port,
    struct err *err)
{
	int fd = socket(address->any.sa_family,
	    type | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	int on = 1;

	if (fd < 0)
		return err_set_errno(err, "cannot create a socket");
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	if (address->any.sa_family == AF_INET6)
		setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof(on));
	if (share_port &&
	    setsockopt(fd, SOL_SOCKET, SO_REUSEPORT, &on, sizeof(on)) < 0)
		return fail_close(fd, "share the port of", address, err);
	if (bind(fd, &address->any, address->length) < 0)
		return fail_close(fd, "bind", address, err);
	if (type == SOCK_STREAM && listen(fd, LISTEN_BACKLOG) < 0)
		return fail_close(fd, "listen on", address, err);
	return fd;
}

int
socket_connect(const struct socket_address *address, int type, struct err *err)
{
	return socket_connect_from(address, NULL, type, err);
}

int
socket_connect_from(const struct socket_address *address,
    const struct socket_address *source, int type, struct err *err)
{
	int fd = socket(address->any.sa_family,
	    type | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	int on = 1;

	if (fd < 0)
		return err_set_errno(err, "cannot create a socket");
	if (source)
		setsockopt(fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &on,
		    sizeof(on));
	if (source && bind(fd, &source->any, source->length) < 0)
		return fail_close(fd, "bind", source, err);
	if (connect(fd, &address->any, address->length) < 0 &&
	    errno != EINPROGRESS)
		return fail_close(fd, "connect to", address, err);
	if (type == SOCK_STREAM)
		socket_set_nodelay(fd);
	return fd;
}

uint16_t
socket_local_port(int fd)
{
	struct socket_address address = { .length = sizeof(address.storage) };

	if (getsockname(fd, &address.any, &address.length) < 0)
		return 0;
	return ntohs(address.any.sa_family == AF_INET6 ? address.v6.sin6_port
						       : address.v4.sin_port);
}

void
socket_set_nodelay(int fd)
{
	int on = 1;

	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
}
