#include "base/err.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

int
err_set(struct err *err, int code, const char *format, ...)
{
	va_list args;

	if (err) {
		va_start(args, format);
		vsnprintf(err->text, sizeof(err->text), format, args);
		va_end(args);
	}
	return code;
}

int
err_set_errno(struct err *err, const char *format, ...)
{
	int code = errno;
	char head[400];
	va_list args;

	va_start(args, format);
	vsnprintf(head, sizeof(head), format, args);
	va_end(args);
	return err_set(err, -code, "%s: %s", head, strerror(code));
}

int
err_prefix(struct err *err, int code, const char *format, ...)
{
	char tail[sizeof(err->text)];
	char head[200];
	va_list args;

	if (!err)
		return code;
	va_start(args, format);
	vsnprintf(head, sizeof(head), format, args);
	va_end(args);
	memcpy(tail, err->text, sizeof(tail));
	snprintf(err->text, sizeof(err->text), "%s: %.*s", head,
	    (int)(sizeof(err->text) - sizeof(head) - 3), tail);
	return code;
}
