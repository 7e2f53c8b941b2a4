#include "ingress/listener.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/socket.h"
#include "ingress/datagram.h"
#include "ingress/local.h"

/* The first worker has it: nothing spreads such connections. */
static int
bind_local(struct slot *slot, struct err *err)
{
	if (slot != &slot->listener->slots[0])
		return 0;
	slot->fd = local_listen(slot->config->address, err);
	return slot->fd < 0 ? slot->fd : 0;
}

static int
bind_slot(struct slot *slot, struct err *err)
{
	const struct ingress_listener_config *config = slot->config;
	struct listener *listener = slot->listener;
	int type = config->transport == INGRESS_UDP ? SOCK_DGRAM : SOCK_STREAM;
	struct socket_address address;
	int result;

	if (config->transport == INGRESS_TCP_CONNECT ||
	    config->transport == INGRESS_DIRECTORY)
		return 0;
	if (config->transport == INGRESS_UNIX)
		return bind_local(slot, err);
	result =
	    socket_address_make(config->address, listener->port, &address, err);
	if (result < 0)
		return result;
	result = socket_listen(&address, type, listener->slot_count > 1, err);
	if (result < 0)
		return result;
	slot->fd = result;
	listener->port = socket_local_port(slot->fd);
	if (type == SOCK_STREAM)
		socket_set_nodelay(slot->fd); /* accepted ones inherit it */
	else if (datagrams_open(&slot->datagrams) < 0)
		return err_set(err, -ENOMEM, "no memory for datagrams");
	return 0;
}

int
listener_open(struct listener **ret,
    const struct ingress_listener_config *config, struct worker **workers,
    unsigned worker_count, struct err *err)
{
	struct listener *listener = aligned_alloc(64,
	    (sizeof(*listener) + worker_count * sizeof(struct slot) + 63) / 64 *
		64);
	int result = 0;

	if (!listener)
		return err_set(err, -ENOMEM, "no memory for listener %s",
		    config->name);
	memset(listener, 0,
	    sizeof(*listener) + worker_count * sizeof(struct slot));
	listener->config = config;
	listener->port = config->port;
	listener->slot_count = worker_count;
	bad_frames_init(&listener->bad_frames);
	refusals_init(&listener->refusals);
	sources_init(&listener->sources);
	resends_init(&listener->resends);
	for (unsigned i = 0; i < worker_count; i++) {
		struct slot *slot = &listener->slots[i];

		slot->listener = listener;
		slot->worker = workers[i];
		TAILQ_INIT(&slot->awaiting);
		slot->config = config;
		slot->name = slice_from_string(config->name);
		slot->fd = -1;
		TAILQ_INIT(&slot->sessions);
		TAILQ_INIT(&slot->strangers);
		TAILQ_INIT(&slot->handshakes);
		TAILQ_INIT(&slot->queued);
		TAILQ_INIT(&slot->queued_alone);
	}
	for (unsigned i = 0; i < worker_count && result == 0; i++)
		result = bind_slot(&listener->slots[i], err);
	if (result < 0) {
		err_prefix(err, result, "listener %s", config->name);
		listener_close(&listener);
		return result;
	}
	*ret = listener;
	return 0;
}

void
listener_close(struct listener **listener)
{
	struct listener *old = *listener;

	*listener = NULL;
	if (!old)
		return;
	for (unsigned i = 0; i < old->slot_count; i++) {
		if (old->slots[i].fd >= 0)
			close(old->slots[i].fd);
		datagrams_close(&old->slots[i].datagrams);
	}
	bad_frames_close(&old->bad_frames);
	refusals_close(&old->refusals);
	sources_close(&old->sources);
	resends_close(&old->resends);
	free(old);
}
