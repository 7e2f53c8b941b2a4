/*
 * logfmt on stderr (with the <N> level prefix under systemd) or to a file. One
 * line is one write; any thread. Never log a key,
 * a passkey or a PIN.
 *
 *   log_write(LOG_WARN, "link", "down", "name=%s error=\"%s\"", name, text);
 *   -> ts=2026-01-15T10:30:01.204Z level=warn scope=link event=down name=...
 */
#ifndef BASE_LOG_H
#define BASE_LOG_H

#include <stdint.h>

#include "base/err.h"

enum log_level {
	LOG_ERROR = 3, /* the numbers are syslog's */
	LOG_WARN = 4,
	LOG_NOTICE = 5,
	LOG_INFO = 6,
	LOG_DEBUG = 7,
};

/*
 * Where to (NULL: stderr) and how much. Before the first call everything up to
 * LOG_INFO goes to stderr. A path that is in use is opened again: it may have
 * been renamed. By one thread at a time. 0 or -errno with the reason in err.
 */
int log_open(const char *path, enum log_level level, struct err *err);

/* The same in two steps, for who may have to stay with what was: after
 * log_prepare nothing has changed, and one of the others must follow. */
struct log_target {
	int fd;
	enum log_level level;
};
int log_prepare(struct log_target *ret, const char *path, enum log_level level,
    struct err *err);
void log_switch(const struct log_target *target);
void log_discard(const struct log_target *target);

enum log_level log_level_from_name(const char *name); /* 0 when unknown */

void log_write(enum log_level level, const char *scope, const char *event,
    const char *format, ...) __attribute__((format(printf, 4, 5)));

/*
 * One line per interval for what a stranger can cause at will; counts what it
 * held back and says so in the next line (suppressed=N). Zero-initialise; one
 * per place; owned by one thread.
 */
struct log_limit {
	int64_t next_us; /* monotonic */
	uint64_t suppressed;
};
void log_limited(struct log_limit *limit, enum log_level level,
    const char *scope, const char *event, const char *format, ...)
    __attribute__((format(printf, 5, 6)));

#endif
