/* Replies on their way: at once, or behind what must be durable first. These
 * replies of a session leave in the order of its frames; those that wait for
 * the station (ingress/awaiting.h) when they may. */
#ifndef INGRESS_REPLY_H
#define INGRESS_REPLY_H

#include "ingress/frame.h"
#include "ingress/pending.h"

/* Room for a reply that follows a record; NULL: as a full journal. */
struct pending_reply *reply_prepare(const struct frame_origin *origin,
    size_t length);
/* The record has this lsn: the reply waits for it. */
void reply_commit(const struct frame_origin *origin,
    struct pending_reply *reply, uint64_t lsn, const void *data, size_t length);

/* A reply that promises nothing (link test, NAK, DUH): at once, or behind the
 * session's pending ones. 0, or -EAGAIN as above. */
int reply_now(const struct frame_origin *origin, enum ingress_reply_kind kind,
    const void *data, size_t length);

/* Everything whose record is below durable may go. */
void reply_release(struct worker *worker, uint64_t durable);
/* Nothing of this will be durable soon, or ever. HTTP says so. */
void reply_drop_all(struct worker *worker);

#endif
