#include "ingress/datagram.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "ingress/frame.h"
#include "ingress/reply.h"
#include "ingress/worker.h"

#define BATCH	   64
#define IN_BYTES   4608 /* a frame with some junk around it */
#define PEER_BYTES SOCKET_ADDRESS_TEXT

struct datagrams {
	/* received: those from next on are still to be parsed, the first of
	 * them from offset on */
	unsigned count, next;
	size_t offset;
	struct mmsghdr in[BATCH];
	struct iovec in_parts[BATCH];
	struct sockaddr_in6 in_addresses[BATCH];
	char in_bytes[BATCH][IN_BYTES];
	/* to be sent */
	unsigned out_count;
	struct mmsghdr out[BATCH];
	struct iovec out_parts[BATCH];
	struct sockaddr_in6 out_addresses[BATCH];
	char out_bytes[BATCH][DC09_REPLY_MAX];
};

int
datagrams_open(struct datagrams **ret)
{
	struct datagrams *d = calloc(1, sizeof(*d));

	if (!d)
		return -ENOMEM;
	for (unsigned i = 0; i < BATCH; i++) {
		d->in_parts[i] = (struct iovec){ d->in_bytes[i], IN_BYTES };
		d->out_parts[i].iov_base = d->out_bytes[i];
		d->in[i].msg_hdr = (struct msghdr){
			.msg_name = &d->in_addresses[i],
			.msg_iov = &d->in_parts[i],
			.msg_iovlen = 1,
		};
		d->out[i].msg_hdr = (struct msghdr){
			.msg_name = &d->out_addresses[i],
			.msg_iov = &d->out_parts[i],
			.msg_iovlen = 1,
		};
	}
	*ret = d;
	return 0;
}

void
datagrams_close(struct datagrams **datagrams)
{
	free(*datagrams);
	*datagrams = NULL;
}

/* ---- out ------------------------------------------------------------------ */

void
datagrams_flush(struct slot *slot)
{
	struct datagrams *d = slot->datagrams;
	unsigned sent = 0;

	while (sent < d->out_count) {
		int n = sendmmsg(slot->fd, d->out + sent, d->out_count - sent,
		    MSG_DONTWAIT);

		if (n < 0 && errno == EAGAIN)
			break; /* lost like any datagram: the panel repeats */
		sent += n > 0 ? (unsigned)n : 1; /* one that cannot be sent */
	}
	d->out_count = 0;
}

static socklen_t
address_length(const struct sockaddr_in6 *address)
{
	return address->sin6_family == AF_INET6 ? sizeof(struct sockaddr_in6)
						: sizeof(struct sockaddr_in);
}

void
datagrams_send(struct slot *slot, const struct sockaddr_in6 *address,
    const void *data, size_t length)
{
	struct datagrams *d = slot->datagrams;
	unsigned at;

	if (slot->fd < 0)
		return;
	if (d->out_count == BATCH)
		datagrams_flush(slot);
	at = d->out_count++;
	d->out_addresses[at] = *address;
	d->out[at].msg_hdr.msg_namelen = address_length(address);
	memcpy(d->out_bytes[at], data, length);
	d->out_parts[at].iov_len = length;
}

/* ---- in ------------------------------------------------------------------- */

/* The frames of one datagram from d->offset on; -EAGAIN: the journal is full,
 * d->offset is where to go on. */
static int
parse(struct slot *slot, struct slice data, const struct frame_origin *origin)
{
	struct datagrams *d = slot->datagrams;

	while (d->offset < data.length) {
		struct slice rest = slice_part(data, d->offset, data.length);
		enum dc09_fault fault = DC09_FAULT_LENGTH;
		struct dc09_frame frame;
		size_t consumed = 0;

		switch (dc09_frame_next(rest.data, rest.length,
		    slot->config->tolerate, &consumed, &frame, &fault)) {
		case CODEC_OK:
			if (frame_handle(origin, &frame) == -EAGAIN)
				return -EAGAIN;
			break;
		case CODEC_BAD:
			frame_bad(origin, fault, slice_part(rest, 0, consumed));
			break;
		case CODEC_MORE: /* there is no more */
			if (consumed < rest.length)
				frame_bad(origin, DC09_FAULT_LENGTH, rest);
			consumed = rest.length;
			break;
		}
		d->offset += consumed > 0 ? consumed : rest.length;
	}
	return 0;
}

static void
format_peer(const struct sockaddr_in6 *address, char out[PEER_BYTES])
{
	struct socket_address full = { .length = address_length(address) };

	full.v6 = *address;
	socket_address_format(&full, out);
}

/* Its address sends faster than it may: the panel repeats what was dropped. */
static bool
is_one_too_many(const struct frame_origin *origin)
{
	struct slot *slot = origin->slot;

	if (sources_may(&slot->listener->sources,
		presence_peer_of(origin->address).address, SOURCE_FRAMES,
		slot->config->max_source_frames, slot->worker->monotonic_us))
		return false;
	frame_refused(origin, INGRESS_REFUSED_OVER_FRAME_LIMIT,
	    "faster than max_source_frames allows", SLICE_NONE, SLICE_NONE);
	return true;
}

static void
parse_batch(struct slot *slot)
{
	struct datagrams *d = slot->datagrams;

	for (; d->next < d->count && slot->attached; d->next++, d->offset = 0) {
		char peer[PEER_BYTES];
		const struct frame_origin origin = { .worker = slot->worker,
			.slot = slot,
			.address = &d->in_addresses[d->next],
			.peer = peer };

		format_peer(origin.address, peer);
		if (d->offset == 0 && is_one_too_many(&origin))
			continue;
		if (parse(slot,
			slice_of(d->in_bytes[d->next], d->in[d->next].msg_len),
			&origin) == -EAGAIN) {
			event_del(&slot->event);
			return;
		}
	}
	d->count = d->next = 0;
}

void
datagrams_readable(evutil_socket_t fd, short what, void *context)
{
	struct slot *slot = context;
	struct datagrams *d = slot->datagrams;
	int n;

	(void)what;
	if (slot->worker->full) {
		event_del(&slot->event);
		return;
	}
	for (unsigned i = 0; i < BATCH; i++)
		d->in[i].msg_hdr.msg_namelen = sizeof(d->in_addresses[i]);
	n = recvmmsg(fd, d->in, BATCH, MSG_DONTWAIT, NULL);
	if (n <= 0)
		return;
	worker_read_clock(slot->worker);
	d->count = (unsigned)n;
	d->next = 0;
	d->offset = 0;
	parse_batch(slot);
}

void
datagrams_resume(struct slot *slot)
{
	worker_read_clock(slot->worker);
	if (!slot->attached || slot->worker->draining)
		return;
	event_add(&slot->event, NULL);
	parse_batch(slot);
}
