#include "egress/local.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "egress/local_job.h"

#define STACK_BYTES 262144

struct local {
	pthread_mutex_t lock;
	unsigned holders; /* the link, and its thread */
	bool busy;	  /* there is a thread */
	pid_t program;	  /* 0: none; not waited for yet */
};

struct local *
local_open(void)
{
	struct local *local = calloc(1, sizeof(*local));

	if (!local)
		return NULL;
	pthread_mutex_init(&local->lock, NULL);
	local->holders = 1;
	return local;
}

static void
let_go(struct local *local)
{
	unsigned left;

	pthread_mutex_lock(&local->lock);
	left = --local->holders;
	pthread_mutex_unlock(&local->lock);
	if (left > 0)
		return;
	pthread_mutex_destroy(&local->lock);
	free(local);
}

void
local_close(struct local **local)
{
	struct local *closing = *local;

	*local = NULL;
	if (!closing)
		return;
	pthread_mutex_lock(&closing->lock);
	if (closing->program > 0)
		kill(-closing->program, SIGTERM);
	pthread_mutex_unlock(&closing->lock);
	let_go(closing);
}

void
local_note_program(struct local *local, pid_t program)
{
	pthread_mutex_lock(&local->lock);
	local->program = program;
	pthread_mutex_unlock(&local->lock);
}

/* ---- the thread ---------------------------------------------------------------- */

bool
local_read(struct local_job *job)
{
	ssize_t got = recv(job->fd, job->in + job->filled,
	    sizeof(job->in) - job->filled, 0);

	if (got <= 0)
		return got < 0 && errno == EINTR;
	job->filled += (size_t)got;
	return true;
}

bool
local_line(const struct local_job *job, struct slice *ret)
{
	const char *end = memchr(job->in, '\n', job->filled);

	if (!end)
		return false;
	*ret = slice_of(job->in, (size_t)(end - job->in));
	return true;
}

void
local_taken(struct local_job *job, size_t length)
{
	job->filled -= length;
	memmove(job->in, job->in + length, job->filled);
}

/* The link reads at once what answers it, so this never waits for long; when it
 * has gone, nobody needs the answer. */
void
local_answer(struct local_job *job, const char *answer, size_t length)
{
	while (length > 0) {
		ssize_t sent = send(job->fd, answer, length, MSG_NOSIGNAL);

		if (sent < 0 && errno == EINTR)
			continue;
		if (sent <= 0)
			return;
		answer += sent;
		length -= (size_t)sent;
	}
}

void
local_fail(struct local_job *job, const char *format, ...)
{
	char line[160] = "fail ";
	size_t begin = strlen(line);
	va_list args;
	int length;

	va_start(args, format);
	length =
	    vsnprintf(line + begin, sizeof(line) - begin - 1, format, args);
	va_end(args);
	if (length < 0 || (size_t)length > sizeof(line) - begin - 2)
		length = (int)(sizeof(line) - begin - 2);
	line[begin + (size_t)length] = '\n';
	local_answer(job, line, begin + (size_t)length + 1);
}

static void *
work(void *context)
{
	struct local_job *job = context;
	struct local *local = job->local;
	int fd = job->fd;

	switch (job->transport) {
	case DIRECTORY_TRANSPORT_RUN:
		local_run(job);
		break;
	case DIRECTORY_TRANSPORT_EACH:
		local_run_each(job);
		break;
	case DIRECTORY_TRANSPORT_FILE:
		local_write(job);
		break;
	case DIRECTORY_TRANSPORT_SMTP:
	case DIRECTORY_TRANSPORT_SMTPS:
	case DIRECTORY_TRANSPORT_SMTP_CLEAR:
		local_mail(job);
		break;
	case DIRECTORY_TRANSPORT_TCP:
	case DIRECTORY_TRANSPORT_UDP:
	case DIRECTORY_TRANSPORT_TLS:
	case DIRECTORY_TRANSPORT_SERIAL:
	case DIRECTORY_TRANSPORT_HTTP:
	case DIRECTORY_TRANSPORT_HTTPS:
		break;
	}
	free(job);
	/* before the link sees the end and asks for the next */
	pthread_mutex_lock(&local->lock);
	local->busy = false;
	pthread_mutex_unlock(&local->lock);
	close(fd);
	let_go(local);
	return NULL;
}

/* Signals are the main loop's. */
static int
start_thread(struct local_job *job)
{
	pthread_attr_t attributes;
	pthread_t thread;
	sigset_t all, before;
	int code;

	sigfillset(&all);
	pthread_attr_init(&attributes);
	pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
	pthread_attr_setstacksize(&attributes, STACK_BYTES);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	code = pthread_create(&thread, &attributes, work, job);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	pthread_attr_destroy(&attributes);
	return -code;
}

/* ---- the link's side ------------------------------------------------------------ */

static bool
take_turn(struct local *local)
{
	bool free_now;

	pthread_mutex_lock(&local->lock);
	free_now = !local->busy;
	if (free_now) {
		local->busy = true;
		local->holders++;
	}
	pthread_mutex_unlock(&local->lock);
	return free_now;
}

static void
give_turn_back(struct local *local)
{
	pthread_mutex_lock(&local->lock);
	local->busy = false;
	local->holders--; /* the link's stays */
	pthread_mutex_unlock(&local->lock);
}

static int
begin(struct local *local, const struct local_target *target, struct err *err)
{
	struct local_job *job = malloc(sizeof(*job));
	int ends[2], code;

	if (!job)
		return err_set(err, -ENOMEM, "out of memory");
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) < 0) {
		code = err_set_errno(err, "cannot make a socket pair");
		free(job);
		return code;
	}
	job->local = local;
	job->transport = target->transport;
	job->fd = ends[1];
	job->filled = 0;
	job->port = target->port;
	snprintf(job->path, sizeof(job->path), "%s/%.*s", target->directory,
	    SLICE_ARG(target->name));
	snprintf(job->host, sizeof(job->host), "%.*s", SLICE_ARG(target->host));
	if (fcntl(ends[0], F_SETFL, O_NONBLOCK) < 0)
		code = -errno;
	else
		code = start_thread(job);
	if (code == 0)
		return ends[0];
	close(ends[0]);
	close(ends[1]);
	free(job);
	return err_set(err, code, "cannot start a thread");
}

static const char *
directory_setting(enum directory_transport transport)
{
	switch (transport) {
	case DIRECTORY_TRANSPORT_FILE:
		return "files_dir";
	case DIRECTORY_TRANSPORT_SMTP:
	case DIRECTORY_TRANSPORT_SMTPS:
	case DIRECTORY_TRANSPORT_SMTP_CLEAR:
		return "mail_dir";
	case DIRECTORY_TRANSPORT_RUN:
	case DIRECTORY_TRANSPORT_EACH:
	case DIRECTORY_TRANSPORT_TCP:
	case DIRECTORY_TRANSPORT_UDP:
	case DIRECTORY_TRANSPORT_TLS:
	case DIRECTORY_TRANSPORT_SERIAL:
	case DIRECTORY_TRANSPORT_HTTP:
	case DIRECTORY_TRANSPORT_HTTPS:
		break;
	}
	return "programs_dir";
}

int
local_connect(struct local *local, const struct local_target *target,
    struct err *err)
{
	struct slice name = target->name;
	int result;

	if (!*target->directory)
		return err_set(err, -ENOENT, "%s of [egress] is not set",
		    directory_setting(target->transport));
	if (name.length == 0 || *name.data == '.' ||
	    memchr(name.data, '/', name.length) ||
	    strlen(target->directory) + name.length + 16 > LOCAL_PATH_MAX)
		return err_set(err, -EINVAL, "'%.*s' is no name of a file",
		    SLICE_ARG(name));
	if (!take_turn(local))
		return err_set(err, -EBUSY,
		    "what ran for the connection before has not ended yet");
	result = begin(local, target, err);
	if (result < 0)
		give_turn_back(local);
	return result;
}
