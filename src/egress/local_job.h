/* One connection of a local endpoint, from the thread's side. */
#ifndef EGRESS_LOCAL_JOB_H
#define EGRESS_LOCAL_JOB_H

#include <sys/types.h>

#include "egress/local.h"

/* More than any line has. */
#define LOCAL_BUFFER_BYTES 65536
#define LOCAL_PATH_MAX	   1100

struct local_job {
	struct local *local;
	enum directory_transport transport;
	int fd; /* our end; blocking */
	char path[LOCAL_PATH_MAX];
	char host[256]; /* of a mail server */
	uint16_t port;
	size_t filled; /* of in */
	char in[LOCAL_BUFFER_BYTES];
};

/* Which program the link's end should be told about; 0: none any more. Not
 * before it is forgotten may it be waited for: its number would be free. */
void local_note_program(struct local *local, pid_t program);

/* ---- local_program.c, local_file.c, local_mail.c: until the connection or its reason to be
 * ends. Thread's. ---- */

void local_run(struct local_job *job);
void local_run_each(struct local_job *job);
void local_write(struct local_job *job);
void local_mail(struct local_job *job);

/* ---- local.c ---- */

/* More lines from the link; false: it has gone. */
bool local_read(struct local_job *job);
/* The first whole line without its end, taken out of job.in by local_taken. */
bool local_line(const struct local_job *job, struct slice *ret);
void local_taken(struct local_job *job, size_t length);
/* "ack 17" and the like. */
void local_answer(struct local_job *job, const char *answer, size_t length);
/* The link fails with this reason. */
void local_fail(struct local_job *job, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

#endif
