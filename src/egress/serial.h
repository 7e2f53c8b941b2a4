/* Serial lines: "/dev/ttyS0,9600,8n1". */
#ifndef EGRESS_SERIAL_H
#define EGRESS_SERIAL_H

#include "base/err.h"

/* The line with exactly these settings, without flow control, ours alone and
 * non-blocking; what stood in its buffers is dropped. The descriptor, or
 * -errno. Never waits, not for a carrier either. */
int serial_open(const char *text, struct err *err);
/* Drops what was not sent yet: to close such a line would wait for that. */
void serial_close(int fd);

#endif
