/* A Unix socket for programs of this machine. */
#ifndef INGRESS_LOCAL_H
#define INGRESS_LOCAL_H

#include "base/err.h"

/* Takes the place of one that is left over. Its group may connect. The
 * descriptor, or -errno with the reason. */
int local_listen(const char *path, struct err *err);

#endif
