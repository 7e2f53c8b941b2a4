#include "ingress/spool.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <unistd.h>

#include "codec/automation.h"
#include "codec/contact_id.h"
#include "ingress/frame.h"
#include "ingress/session.h"
#include "ingress/worker.h"

#define FILE_MAX     (64 * 1024)
#define NAME_LONGEST 40 /* it is part of a key */
#define NAME_PREFIX  "event-"
#define BAD	     "bad"

#define SETTLE_US    2000000 /* a file that seems cut is being written so long */
#define RESEND_US    10000000 /* no answer: say it again */
#define LOOK_US	     10000000 /* look without being told of a file */

struct spool {
	struct slot *slot;
	int directory_fd, watch_fd;
	int fd; /* our end of the session; -1: no file is at hand */
	struct event watch_event, answer_event;
	int64_t look_us; /* look for files then */
	bool stopped;	 /* a file cannot be removed: it would come again */

	/* the file at hand */
	char name[NAME_MAX + 1];
	int64_t modified_us;
	char content[FILE_MAX];
	struct slice rest; /* of the content, not yet said */
	unsigned line_number;
	bool bad; /* a line was not taken */

	char line[CONTACT_ID_LINE_MAX]; /* that waits for its answer */
	size_t line_length;
	int64_t said_us;
};

static void
complain(const struct spool *spool, const char *what, const char *reason)
{
	struct slot *slot = spool->slot;

	log_limited(&slot->spool_limit, LOG_WARN, "ingress", what,
	    "listener=%s file=%s reason=\"%s\"", slot->config->name,
	    spool->name, reason);
}

/* ---- the file at hand ------------------------------------------------------ */

static void
hang_up(struct spool *spool)
{
	if (spool->fd < 0)
		return;
	event_del(&spool->answer_event);
	close(spool->fd);
	spool->fd = -1;
}

/* All of it was said: remove it, or set it aside. */
static void
finish_file(struct spool *spool)
{
	char aside[sizeof(BAD) + sizeof(spool->name)];
	int result;

	hang_up(spool);
	snprintf(aside, sizeof(aside), BAD "/%s", spool->name);
	if (spool->bad) {
		mkdirat(spool->directory_fd, BAD, 0770);
		result = renameat(spool->directory_fd, spool->name,
		    spool->directory_fd, aside);
	} else {
		result = unlinkat(spool->directory_fd, spool->name, 0);
	}
	if (result < 0) {
		spool->stopped = true;
		log_write(LOG_ERROR, "ingress", "spool-stopped",
		    "listener=%s file=%s error=\"%s\": no file is taken until "
		    "a restart",
		    spool->slot->config->name, spool->name, strerror(errno));
	}
}

static void
refuse_line(struct spool *spool, struct slice line, const char *reason)
{
	const struct frame_origin origin = { .worker = spool->slot->worker,
		.slot = spool->slot,
		.peer = spool->name };

	spool->bad = true;
	frame_refused(&origin, INGRESS_REFUSED_MALFORMED, reason, SLICE_NONE,
	    line);
	complain(spool, "spool-bad-line", reason);
}

static void
say(struct spool *spool)
{
	spool->said_us = spool->slot->worker->monotonic_us;
	if (write(spool->fd, spool->line, spool->line_length) < 0)
		complain(spool, "spool-not-said", strerror(errno));
}

static struct slice
next_line(struct slice *text)
{
	const char *end =
	    text->length > 0 ? memchr(text->data, '\n', text->length) : NULL;
	size_t length = end ? (size_t)(end - text->data) : text->length;
	struct slice line = slice_part(*text, 0, length);

	*text = slice_part(*text, length + 1, text->length);
	while (line.length > 0 &&
	    strchr("\r ", line.data[line.length - 1]) != NULL)
		line.length--;
	return line;
}

/* The key makes a line that is said again after a restart a repeat. False: no
 * line is left. */
static bool
say_next(struct spool *spool)
{
	static struct signal signal; /* only one worker has spools */
	const char *problem;

	while (spool->rest.length > 0) {
		struct slice line = next_line(&spool->rest);

		spool->line_number++;
		if (line.length == 0)
			continue;
		if (contact_id_decode(line, &signal, &problem) != CODEC_OK) {
			refuse_line(spool, line, problem);
			continue;
		}
		spool->line_length =
		    (size_t)snprintf(spool->line, sizeof(spool->line),
			"%.*s %s:%" PRId64 ":%u\n", SLICE_ARG(line),
			spool->name, spool->modified_us, spool->line_number);
		say(spool);
		return true;
	}
	return false;
}

static void
on_answer(evutil_socket_t fd, short what, void *context)
{
	struct spool *spool = context;
	char answer;
	ssize_t n = read(fd, &answer, 1);

	(void)what;
	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	worker_read_clock(spool->slot->worker);
	if (n <= 0) {
		hang_up(spool); /* the file is begun anew */
		return;
	}
	if (answer != AUTOMATION_ACK) {
		spool->bad = true;
		complain(spool, "spool-bad-line", "refused");
	}
	if (!say_next(spool))
		finish_file(spool);
	if (spool->fd < 0)
		spool->look_us = 0; /* for the next one */
}

/* ---- finding files ---------------------------------------------------------- */

/* The oldest, by time and name. False: there is none. */
static bool
find_file(struct spool *spool)
{
	int fd = openat(spool->directory_fd, ".",
	    O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *directory = fd >= 0 ? fdopendir(fd) : NULL;
	const struct dirent *entry;
	bool found = false;

	while (directory && (entry = readdir(directory))) {
		struct stat status;
		int64_t modified_us;

		if (strncmp(entry->d_name, NAME_PREFIX, strlen(NAME_PREFIX)) ||
		    strlen(entry->d_name) > NAME_LONGEST ||
		    strchr(entry->d_name, ' ') ||
		    fstatat(fd, entry->d_name, &status, AT_SYMLINK_NOFOLLOW) <
			0 ||
		    !S_ISREG(status.st_mode))
			continue;
		modified_us = (int64_t)status.st_mtim.tv_sec * 1000000 +
		    status.st_mtim.tv_nsec / 1000;
		if (found &&
		    (modified_us > spool->modified_us ||
			(modified_us == spool->modified_us &&
			    strcmp(entry->d_name, spool->name) > 0)))
			continue;
		found = true;
		spool->modified_us = modified_us;
		strcpy(spool->name, entry->d_name);
	}
	if (directory)
		closedir(directory);
	else if (fd >= 0)
		close(fd);
	return found;
}

/* Its length, or -errno. */
static ssize_t
read_file(struct spool *spool)
{
	int fd = openat(spool->directory_fd, spool->name,
	    O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
	ssize_t length;

	if (fd < 0)
		return -errno;
	length = read(fd, spool->content, sizeof(spool->content));
	if (length < 0)
		length = -errno;
	close(fd);
	return length == FILE_MAX ? -EFBIG : length;
}

/* Behind the line "[events]"; SLICE_NONE: there is none. */
static struct slice
find_events(struct slice text)
{
	while (text.length > 0)
		if (slice_is(next_line(&text), "[events]"))
			return text;
	return SLICE_NONE;
}

/* A session that has our other end. */
static int
call(struct spool *spool)
{
	struct socket_address nobody;
	struct session *session;
	int pair[2], result;

	memset(&nobody, 0, sizeof(nobody));
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0,
		pair) < 0)
		return -errno;
	result = session_open(spool->slot, pair[1], &nobody);
	if (result < 0) {
		close(pair[0]);
		close(pair[1]);
		return result;
	}
	session = TAILQ_LAST(&spool->slot->sessions, session_list);
	snprintf(session->peer, sizeof(session->peer), "%.*s", NAME_LONGEST,
	    spool->name);
	spool->fd = pair[0];
	event_assign(&spool->answer_event, spool->slot->worker->base, spool->fd,
	    EV_READ | EV_PERSIST, on_answer, spool);
	event_add(&spool->answer_event, NULL);
	return 0;
}

/* False: not now. */
static bool
begin_file(struct spool *spool)
{
	const struct worker *worker = spool->slot->worker;
	ssize_t length = read_file(spool);
	struct slice text =
	    slice_of(spool->content, length > 0 ? (size_t)length : 0);
	int result;

	if (length >= 0 &&
	    (length == 0 || text.data[text.length - 1] != '\n') &&
	    worker->wall_us - spool->modified_us < SETTLE_US) {
		spool->look_us = worker->monotonic_us + SETTLE_US;
		return false;
	}
	spool->bad = false;
	spool->line_number = 0;
	spool->rest = find_events(text);
	result = call(spool);
	if (result < 0) {
		complain(spool, "spool-not-said", strerror(-result));
		return false;
	}
	if (say_next(spool))
		return true;
	if (!spool->bad)
		refuse_line(spool, text,
		    length < 0 ? "not readable, or too long"
			       : "no events in it");
	finish_file(spool);
	return true;
}

static void
look(struct spool *spool)
{
	const struct worker *worker = spool->slot->worker;

	spool->look_us = worker->monotonic_us + LOOK_US;
	while (spool->fd < 0 && !spool->stopped && !worker->failed &&
	    !worker->draining && find_file(spool))
		if (!begin_file(spool))
			break;
}

static void
on_change(evutil_socket_t fd, short what, void *context)
{
	struct spool *spool = context;
	char events[4096];

	(void)what;
	while (read(fd, events, sizeof(events)) > 0)
		;
	worker_read_clock(spool->slot->worker);
	look(spool);
}

/* ---- life ------------------------------------------------------------------- */

static int
watch(struct spool *spool, const char *path)
{
	spool->directory_fd = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (spool->directory_fd < 0)
		return -errno;
	if (faccessat(spool->directory_fd, ".", W_OK, AT_EACCESS) < 0)
		return -errno;
	spool->watch_fd = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
	if (spool->watch_fd < 0 ||
	    inotify_add_watch(spool->watch_fd, path,
		IN_CLOSE_WRITE | IN_MOVED_TO | IN_ONLYDIR) < 0)
		return -errno;
	event_assign(&spool->watch_event, spool->slot->worker->base,
	    spool->watch_fd, EV_READ | EV_PERSIST, on_change, spool);
	event_add(&spool->watch_event, NULL);
	return 0;
}

static void
open_spool(struct slot *slot)
{
	struct spool *spool = calloc(1, sizeof(*spool));
	int result;

	if (!spool)
		return;
	spool->slot = slot;
	spool->directory_fd = spool->watch_fd = spool->fd = -1;
	result = watch(spool, slot->config->address);
	slot->spool = spool;
	if (result < 0) {
		complain(spool, "no-spool", strerror(-result));
		spool_close(&slot->spool);
	}
}

void
spool_tick(struct slot *slot)
{
	const struct worker *worker = slot->worker;
	struct spool *spool = slot->spool;

	if (slot->config->transport != INGRESS_DIRECTORY ||
	    worker->index != 0 || worker->failed || worker->draining)
		return;
	if (!spool)
		open_spool(slot);
	else if (spool->fd < 0 && worker->monotonic_us >= spool->look_us)
		look(spool);
	else if (spool->fd >= 0 &&
	    worker->monotonic_us - spool->said_us >= RESEND_US)
		say(spool);
}

void
spool_close(struct spool **spool)
{
	struct spool *old = *spool;

	*spool = NULL;
	if (!old)
		return;
	hang_up(old);
	if (event_initialized(&old->watch_event))
		event_del(&old->watch_event);
	if (old->watch_fd >= 0)
		close(old->watch_fd);
	if (old->directory_fd >= 0)
		close(old->directory_fd);
	free(old);
}
