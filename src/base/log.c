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
static char log_path[512];

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
log_open(const char *path, enum log_level level, struct err *err)
{
	int fd = STDERR_FILENO, old;

	if (path && *path) {
		fd =
		    open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0640);
		if (fd < 0)
			return err_set_errno(err, "cannot open log file %s",
			    path);
		snprintf(log_path, sizeof(log_path), "%s", path);
	} else {
		log_path[0] = '\0';
	}
	atomic_store(&threshold, (int)level);
	old = atomic_exchange(&descriptor, fd);
	if (old != STDERR_FILENO && old != fd)
		close(old);
	return 0;
}

int
log_reopen(struct err *err)
{
	char path[sizeof(log_path)];

	memcpy(path, log_path, sizeof(path));
	return log_open(path, (enum log_level)atomic_load(&threshold), err);
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
