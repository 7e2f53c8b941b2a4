/* What a sender must do to be believed: the listener's rules, and those of its
 * bridge where it is known. */
#ifndef INGRESS_POLICY_H
#define INGRESS_POLICY_H

#include "ingress/frame.h"

/* Why something is not believed; static. */
struct breach {
	enum ingress_refusal cause;
	const char *reason;
};

/* The way it came, before it is opened. bridge NULL: nobody's. NULL: nothing
 * is against it. */
const struct breach *policy_check_way(const struct frame_origin *origin,
    const struct directory_bridge *bridge, bool encrypted);

/* What it says of itself, likewise. */
const struct breach *policy_check_signal(const struct directory_bridge *bridge,
    const struct signal *signal);

/* It is believed by a key before its present one, which is accepted until then:
 * counted and logged. */
void policy_note_previous_key(const struct frame_origin *origin,
    const struct directory_bridge *bridge, int64_t until_us);

struct dc09_window policy_time_window(const struct frame_origin *origin,
    const struct directory_bridge *bridge);

#endif
