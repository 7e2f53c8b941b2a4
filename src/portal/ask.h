/* Asking tocsind over its socket for the portal, in a worker's thread. */
#ifndef PORTAL_ASK_H
#define PORTAL_ASK_H

#include "portal/exchange.h"

/* Sends the exchange's words and answers it with what tocsind says, as its
 * route wants it. Waits a few seconds at most; two ask at a time. */
void ask_tocsind(struct exchange *exchange);

/* Sends words of the caller's instead: the text that tocsind gives under a name
 * in the first object, owned. NULL: the exchange is answered with the reason. */
char *ask_for_text(struct exchange *exchange, unsigned count,
    const char *const *words, const char *name);

#endif
