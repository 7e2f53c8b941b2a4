/* The UDP side of a slot: batches in, batches out. Each reply goes to where
 * its datagram came from. */
#ifndef INGRESS_DATAGRAM_H
#define INGRESS_DATAGRAM_H

#include <event2/util.h>

#include "base/socket.h"
#include "ingress/listener.h"

int datagrams_open(struct datagrams **ret);
void datagrams_close(struct datagrams **datagrams);

/* Event callback of the slot's socket. */
void datagrams_readable(evutil_socket_t fd, short what, void *slot);
/* Read on after the journal had no room. */
void datagrams_resume(struct slot *slot);
/* One reply; sent at the end of the turn, or when the batch is full. */
void datagrams_send(struct slot *slot, const struct sockaddr_in6 *address,
    const void *data, size_t length);
void datagrams_flush(struct slot *slot);

#endif
