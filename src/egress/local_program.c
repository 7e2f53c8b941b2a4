/* Programs behind a link: one that stays, or one for each line. */
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/pidfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include "codec/json_line.h"
#include "egress/local_job.h"

/* A program that nobody listens to any more may end by itself, then it is
 * asked to, then it has to. */
#define GRACE_MS 500

/* sysexits.h: what was given is wrong, and will be the next time too */
#define EXIT_REFUSED 65

struct program {
	pid_t pid;
	int fd; /* readable when it has ended */
};

/* input is its standard input, output its standard output. */
static int
spawn(const char *path, int input, int output, pid_t *ret)
{
	char *const argv[] = { (char *)(uintptr_t)path, NULL };
	char *const environment[] = {
		(char *)(uintptr_t) "PATH=/usr/local/sbin:/usr/local/bin:"
				    "/usr/sbin:/usr/bin:/sbin:/bin",
		(char *)(uintptr_t) "LANG=C.UTF-8", NULL
	};
	posix_spawn_file_actions_t actions;
	posix_spawnattr_t attributes;
	sigset_t none, all;
	int code;

	sigemptyset(&none);
	sigfillset(&all);
	posix_spawn_file_actions_init(&actions);
	posix_spawn_file_actions_adddup2(&actions, input, STDIN_FILENO);
	posix_spawn_file_actions_adddup2(&actions, output, STDOUT_FILENO);
	posix_spawn_file_actions_addclosefrom_np(&actions, STDERR_FILENO + 1);
	posix_spawnattr_init(&attributes);
	posix_spawnattr_setflags(&attributes,
	    POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGMASK |
		POSIX_SPAWN_SETSIGDEF);
	posix_spawnattr_setpgroup(&attributes, 0);
	posix_spawnattr_setsigmask(&attributes, &none);
	posix_spawnattr_setsigdefault(&attributes, &all);
	code = posix_spawn(ret, path, &actions, &attributes, argv, environment);
	posix_spawnattr_destroy(&attributes);
	posix_spawn_file_actions_destroy(&actions);
	return -code;
}

static void
reap(struct local_job *job, struct program *program, siginfo_t *ret)
{
	local_note_program(job->local, 0);
	ret->si_pid = 0;
	while (waitid(P_PID, (id_t)program->pid, ret, WEXITED) < 0 &&
	    errno == EINTR)
		;
	if (program->fd >= 0)
		close(program->fd);
}

static bool
start(struct local_job *job, int input, int output, struct program *ret)
{
	int code = spawn(job->path, input, output, &ret->pid);
	siginfo_t unused;

	if (code < 0) {
		local_fail(job, "cannot run %s: %s", job->path,
		    strerror(-code));
		return false;
	}
	local_note_program(job->local, ret->pid);
	ret->fd = pidfd_open(ret->pid, 0);
	if (ret->fd >= 0)
		return true;
	local_fail(job, "cannot watch %s: %s", job->path, strerror(errno));
	kill(-ret->pid, SIGKILL);
	reap(job, ret, &unused);
	return false;
}

static bool
has_ended(const struct program *program, int timeout_ms)
{
	struct pollfd wait = { .fd = program->fd, .events = POLLIN };

	return poll(&wait, 1, timeout_ms) > 0;
}

static void
end(struct local_job *job, struct program *program)
{
	siginfo_t unused;

	if (!has_ended(program, GRACE_MS))
		kill(-program->pid, SIGTERM);
	/* with all that it started */
	kill(-program->pid, has_ended(program, GRACE_MS) ? SIGTERM : SIGKILL);
	reap(job, program, &unused);
}

static void
tell_end(struct local_job *job, const siginfo_t *status)
{
	if (status->si_code == CLD_EXITED)
		local_fail(job, "%s ended with status %d", job->path,
		    status->si_status);
	else
		local_fail(job, "%s was ended by signal %d", job->path,
		    status->si_status);
}

/* Its output goes straight to the link; we wait for either to end. */
void
local_run(struct local_job *job)
{
	struct program program;
	siginfo_t status;
	struct pollfd waits[2] = { { .events = POLLIN },
		{ .fd = job->fd, .events = POLLRDHUP } };

	if (!start(job, job->fd, job->fd, &program))
		return;
	waits[0].fd = program.fd;
	while (poll(waits, 2, -1) < 0 && errno == EINTR)
		;
	if (waits[0].revents == 0) {
		end(job, &program);
		return;
	}
	/* what it started has nobody to answer to any more */
	kill(-program.pid, SIGTERM);
	reap(job, &program, &status);
	tell_end(job, &status);
}

/* ---- one for each line ----------------------------------------------------------- */

/* The line as a file, so that neither a program that does not read it nor one
 * that reads for ever holds us up. */
static int
line_file(struct slice line)
{
	int fd = memfd_create("signal", MFD_CLOEXEC);

	if (fd < 0)
		return -errno;
	if (write(fd, line.data, line.length + 1) == (ssize_t)line.length + 1 &&
	    lseek(fd, 0, SEEK_SET) == 0)
		return fd;
	close(fd);
	return -EIO;
}

static void
answer_status(struct local_job *job, uint64_t sequence, const siginfo_t *status)
{
	bool exited = status->si_code == CLD_EXITED;
	char out[JSON_ANSWER_MAX], why[40] = "";
	enum json_answer_kind kind = JSON_ANSWER_NAK;

	if (exited && status->si_status == 0)
		kind = JSON_ANSWER_ACK;
	else if (exited && status->si_status == EXIT_REFUSED)
		kind = JSON_ANSWER_REFUSE;
	if (kind != JSON_ANSWER_ACK)
		snprintf(why, sizeof(why), "%s %d",
		    exited ? "exit status" : "signal", status->si_status);
	local_answer(job, out,
	    (size_t)json_answer_encode(kind, sequence, why, out));
}

/* False: the link has gone. When it says more meanwhile, it has given this run
 * up and sends the line again. */
static bool
watch_run(struct local_job *job, struct program *program, uint64_t sequence)
{
	siginfo_t status;
	struct pollfd waits[2] = { { .fd = program->fd, .events = POLLIN },
		{ .fd = job->fd, .events = POLLIN | POLLRDHUP } };

	while (poll(waits, 2, -1) < 0 && errno == EINTR)
		;
	if (waits[0].revents == 0) {
		end(job, program);
		return (waits[1].revents & POLLRDHUP) == 0;
	}
	reap(job, program, &status);
	answer_status(job, sequence, &status);
	return true;
}

static bool
run_line(struct local_job *job, struct slice line)
{
	struct program program;
	uint64_t sequence;
	bool started;
	int input;

	if (!json_line_sequence(line, &sequence))
		return true;
	input = line_file(line);
	if (input < 0) {
		local_fail(job, "cannot keep a line: %s", strerror(-input));
		return false;
	}
	started = start(job, input, STDERR_FILENO, &program);
	close(input);
	return started && watch_run(job, &program, sequence);
}

void
local_run_each(struct local_job *job)
{
	struct slice line;
	bool going = true;

	while (going && local_read(job))
		while (going && local_line(job, &line)) {
			size_t length = line.length + 1;

			going = run_line(job, line);
			local_taken(job, length);
		}
}
