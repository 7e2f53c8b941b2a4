/* What the outputs that are answered by one byte (Sur-Gard, Ademco 685, D6500)
 * have in common. */
#ifndef EGRESS_AUTOMATION_H
#define EGRESS_AUTOMATION_H

#include "egress/internal.h"

/* Into out (digits + 1 bytes) as many digits as the form has: zeros are put
 * before or taken away, nothing else. False when it does not fit. */
bool automation_fit_number(const char *number, char *out, size_t digits);
/* False with *ret_problem: the account is longer than the receiver takes. XML
 * asks this too. */
bool automation_account_fits(const struct link *link,
    const struct delivery *delivery, const char **ret_problem);
/* For output.feed: ACK and NAK answer the oldest message, or the heartbeat;
 * other bytes say nothing. */
size_t automation_feed(struct link *link, const char *data, size_t length);

#endif
