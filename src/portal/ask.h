/* Asking tocsind over its socket for the portal, in a worker's thread. */
#ifndef PORTAL_ASK_H
#define PORTAL_ASK_H

#include "portal/exchange.h"

/* Sends the exchange's words and answers it with what tocsind says, as its
 * route wants it. Waits a few seconds at most; two ask at a time. */
void ask_tocsind(struct exchange *exchange);

#endif
