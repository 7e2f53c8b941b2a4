/* From a decoded signal, whatever protocol brought it, to a journal record and
 * the reply that waits for it. */
#ifndef INGRESS_INTAKE_H
#define INGRESS_INTAKE_H

#include "ingress/frame.h"
#include "journal/record.h"

struct intake {
	const struct directory_bridge *bridge; /* NULL: nobody's */
	struct slice raw;		       /* as it came */
	/* Tells alike messages of a protocol without sequences apart; the same
	 * for a message and its resend. 0: the sequence does. */
	uint64_t occurrence;
	/* once it is durable, or settled */
	struct slice reply;
	struct record_signal record; /* its signal; the rest is filled in */
};

/* 0: journalled. -EAGAIN: the journal has no room now, as frame_handle.
 * -ENOSPC: it takes nothing or fails, which was logged: nothing may be
 * promised. -EMSGSIZE: too much for one record, nothing happened. */
int intake_take(const struct frame_origin *origin, struct intake *intake);

/* Whatever becomes of what it says: it lives. */
void intake_note_presence(const struct frame_origin *origin,
    const struct directory_bridge *bridge);

#endif
