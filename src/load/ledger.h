/*
 * The ledger of tocsin-load: what a third party needs to prove that nothing
 * was lost. One line per signal, in the order of acknowledgement:
 *
 *   account sequence qualifier event partition zone ack-time-us id
 *
 * ack-time-us is UTC since 1970, "?" for a signal that was sent but never
 * acknowledged (it may or may not arrive). id rises per account in the order
 * of first sending. docs/RELIABILITY.md, man tocsin-load.
 */
#ifndef LOAD_LEDGER_H
#define LOAD_LEDGER_H

#include "base/lines.h"
#include "load/frame.h"

/* ack_time_us 0: unacknowledged. 0 or -ENOMEM. Closed lines: nothing. */
int ledger_add(struct lines *lines, const struct plan *plan,
    const struct account_range *accounts, const struct frame_message *message,
    int64_t ack_time_us, uint64_t id);

#endif
