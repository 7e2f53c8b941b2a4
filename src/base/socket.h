/* Sockets, non-blocking and close-on-exec throughout. Numeric addresses. */
#ifndef BASE_SOCKET_H
#define BASE_SOCKET_H

#include <netinet/in.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/socket.h>

#include "base/err.h"

struct socket_address {
	union {
		struct sockaddr any;
		struct sockaddr_in v4;
		struct sockaddr_in6 v6;
		struct sockaddr_storage storage;
	};
	socklen_t length;
};

/*
 * "127.0.0.1:9000", "[::1]:9000", or host and port apart. Numeric only: names
 * are resolved by whoever may wait. 0 or -EINVAL with the reason.
 */
int socket_address_parse(const char *text, struct socket_address *ret,
    struct err *err);
/* The first of "ADDRESS:PORT,..", and *list behind it. 1: there is one, 0: the
 * list is empty, -EINVAL with the reason. */
int socket_address_next(const char **list, struct socket_address *ret,
    struct err *err);
int socket_address_make(const char *host, uint16_t port,
    struct socket_address *ret, struct err *err);

#define SOCKET_ADDRESS_TEXT 64
/* "127.0.0.1:9000" / "[::1]:9000" / "local"; out is returned. */
char *socket_address_format(const struct socket_address *address,
    char out[SOCKET_ADDRESS_TEXT]);

/* Listening TCP socket or bound UDP socket (SOCK_STREAM / SOCK_DGRAM), with
 * SO_REUSEADDR, and SO_REUSEPORT when several workers share the port. Returns
 * the descriptor or -errno with the reason. */
int socket_listen(const struct socket_address *address, int type,
    bool share_port, struct err *err);

/* Connecting (maybe not yet connected) TCP or UDP socket, or -errno. */
int socket_connect(const struct socket_address *address, int type,
    struct err *err);
/* The same from a local address of one's choice, the port left to the kernel
 * (source NULL: both). */
int socket_connect_from(const struct socket_address *address,
    const struct socket_address *source, int type, struct err *err);

/* The port that was bound, e.g. after listening on port 0. */
uint16_t socket_local_port(int fd);
void socket_set_nodelay(int fd);

#endif
