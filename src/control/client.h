/* The client's side of the control protocol. Any thread. */
#ifndef CONTROL_CLIENT_H
#define CONTROL_CLIENT_H

#include <stdbool.h>

#include "base/err.h"
#include "control/protocol.h"

/* The descriptor, close-on-exec, or -errno with the reason. Of a non-blocking
 * one -EAGAIN: too many are waiting there. */
int control_connect(const char *path, bool blocking, struct err *err);

/* The words as a request, its line break included. The length, or -EINVAL /
 * -EMSGSIZE with the reason. */
int control_request(char line[CONTROL_REQUEST_MAX], unsigned count,
    const char *const *words, struct err *err);

#endif
