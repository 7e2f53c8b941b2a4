/*
 * Endpoints of this machine: a program that runs as long as the link stands, a
 * program that runs once for each signal, a file or FIFO; and mail servers. To
 * the link each is the other end of a socket; behind it a thread does what may
 * block (starting a program, writing, syncing, speaking SMTP), so that the loop
 * never does.
 *
 * Programs are started without a shell, from one directory that only the
 * administrator fills, with nothing but standard input, output and error, a
 * PATH, and a process group of their own.
 */
#ifndef EGRESS_LOCAL_H
#define EGRESS_LOCAL_H

#include "base/err.h"
#include "base/slice.h"
#include "directory/directory.h"

/* One per link; the threads of its connections share it. */
struct local;

struct local *local_open(void); /* NULL: out of memory */
/* Programs that still run get SIGTERM; their threads end by themselves. */
void local_close(struct local **local);

struct local_target {
	enum directory_transport transport;
	/* where the program, file or mail's template is; "": there is none */
	const char *directory;
	struct slice name;
	struct slice host; /* of a mail server */
	uint16_t port;
};

/*
 * The link's end, non-blocking: JSON lines go in, answers come out, the
 * connection's end ends what is behind it. -EBUSY: what stood behind the
 * connection before has not ended yet. Whether it can be started shows in the
 * connection.
 */
int local_connect(struct local *local, const struct local_target *target,
    struct err *err);

#endif
