/* From a frame to a journal record and its reply: who sent it, by which key,
 * what may be promised. */
#ifndef INGRESS_FRAME_H
#define INGRESS_FRAME_H

#include <netinet/in.h>

#include "codec/dc09.h"
#include "ingress/listener.h"

/* Where a frame came from and its reply goes to. */
struct frame_origin {
	struct worker *worker;
	struct slot *slot;
	struct session *session;	    /* NULL: a datagram */
	const struct sockaddr_in6 *address; /* of a datagram; v4 fits too */
	const char *peer;
};

/* 0: dealt with. -EAGAIN: the journal has no room; hand in the same frame
 * again after the next durable signal, and nothing else before. */
int frame_handle(const struct frame_origin *origin,
    const struct dc09_frame *frame);

/* Bytes that made no sound frame: counted, kept for show, never answered. */
void frame_bad(const struct frame_origin *origin, enum dc09_fault fault,
    struct slice bytes);
/* refusal_add, of this origin: what is turned away is never routed. */
void frame_refused(const struct frame_origin *origin,
    enum ingress_refusal cause, const char *reason, struct slice account,
    struct slice bytes);

#endif
