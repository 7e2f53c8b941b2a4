#include "base/log.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"

#define LINE_BYTES	  2048
#define LIMIT_INTERVAL_US 10000000

static const struct {
	const char *name;
	enum log_level level;
} levels[] = {
	{ "error", LOG_ERROR },
	{ "warn", LOG_WARN },
	{ "notice", LOG_NOTICE },
	{ "info", LOG_INFO },
	{ "debug", LOG_DEBUG },
};

static atomic_int threshold = LOG_INFO;
static atomic_int descriptor = STDERR_FILENO;
/* The log's number for good, whatever the file: a thread that read the number
 * and writes a moment later must not meet what another one has opened since,
 * a segment of the journal or a panel's socket. -1: no file was ever open. */
static int file = -1;

enum log_level
log_level_from_name(const char *name)
{
	for (size_t i = 0; i < sizeof(levels) / sizeof(levels[0]); i++)
		if (strcmp(levels[i].name, name) == 0)
			return levels[i].level;
	return 0;
}

static const char *
level_name(enum log_level level)
{
	for (size_t i = 0; i < sizeof(levels) / sizeof(levels[0]); i++)
		if (levels[i].level == level)
			return levels[i].name;
	return "unknown";
}

int
log_prepare(struct log_target *ret, const char *path, enum log_level level,
    struct err *err)
{
	*ret = (struct log_target){ .fd = STDERR_FILENO, .level = level };
	if (!path || !*path)
		return 0;
	ret->fd = open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0640);
	if (ret->fd < 0)
		return err_set_errno(err, "cannot open log file %s", path);
	return 0;
}

void
log_switch(const struct log_target *target)
{
	if (file < 0 && target->fd != STDERR_FILENO) {
		file = target->fd;
	} else if (file >= 0) {
		while (dup3(target->fd, file, O_CLOEXEC) < 0 && errno == EINTR)
			;
		log_discard(target);
	}
	atomic_store(&descriptor,
	    target->fd == STDERR_FILENO ? STDERR_FILENO : file);
	atomic_store(&threshold, (int)target->level);
}

void
log_discard(const struct log_target *target)
{
	if (target->fd != STDERR_FILENO)
		close(target->fd);
}

int
log_open(const char *path, enum log_level level, struct err *err)
{
	struct log_target target;
	int result = log_prepare(&target, path, level, err);

	if (result == 0)
		log_switch(&target);
	return result;
}

/* Line breaks would forge further log lines. */
static void
flatten(char *text, size_t length)
{
	for (size_t i = 0; i < length; i++)
		if ((unsigned char)text[i] < 0x20 || text[i] == 0x7f)
			text[i] = ' ';
}

__attribute__((format(printf, 5, 0))) static void
write_line(enum log_level level, const char *scope, const char *event,
    uint64_t suppressed, const char *format, va_list args)
{
	char line[LINE_BYTES], stamp[CLOCK_TEXT_SIZE];
	int fd = atomic_load(&descriptor);
	size_t used = 0, head;
	int n;

	if (fd == STDERR_FILENO && getenv("JOURNAL_STREAM"))
		used = (size_t)snprintf(line, sizeof(line), "<%d>", (int)level);
	else
		used = (size_t)snprintf(line, sizeof(line), "ts=%s ",
		    clock_format(clock_wall_us(&clock_system), stamp));
	used += (size_t)snprintf(line + used, sizeof(line) - used,
	    "level=%s scope=%s event=%s%s", level_name(level), scope, event,
	    *format ? " " : "");
	head = used;
	n = vsnprintf(line + used, sizeof(line) - used, format, args);
	used += n > 0 ? (size_t)n : 0;
	if (used > sizeof(line) - 40)
		used = sizeof(line) - 40;
	flatten(line + head, used - head);
	if (suppressed > 0)
		used += (size_t)snprintf(line + used, sizeof(line) - used,
		    " suppressed=%llu", (unsigned long long)suppressed);
	line[used++] = '\n';
	if (write(fd, line, used) < 0)
		return; /* nowhere left to say so */
}

void
log_write(enum log_level level, const char *scope, const char *event,
    const char *format, ...)
{
	va_list args;

	if ((int)level > atomic_load(&threshold))
		return;
	va_start(args, format);
	write_line(level, scope, event, 0, format, args);
	va_end(args);
}

void
log_limited(struct log_limit *limit, enum log_level level, const char *scope,
    const char *event, const char *format, ...)
{
	int64_t now = clock_monotonic_us(&clock_system);
	va_list args;

	if ((int)level > atomic_load(&threshold))
		return;
	if (now < limit->next_us) {
		limit->suppressed++;
		return;
	}
	va_start(args, format);
	write_line(level, scope, event, limit->suppressed, format, args);
	va_end(args);
	limit->suppressed = 0;
	limit->next_us = now + LIMIT_INTERVAL_US;
}
