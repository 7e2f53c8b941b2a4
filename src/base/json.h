/*
 * Writing JSON into a growing buffer. Escapes, drops C0 controls that JSON has
 * no short form for, and turns bytes that are not UTF-8 into U+FFFD, so that
 * the output is always valid. Commas and nesting are kept by the writer.
 */
#ifndef BASE_JSON_H
#define BASE_JSON_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/slice.h"

struct json {
	char *text; /* NUL-terminated once json_text was called */
	size_t length;
	size_t size;
	bool comma;  /* the next member needs one before it */
	bool failed; /* out of memory: json_text returns NULL */
};

/* Zero-initialise to begin. Frees the buffer: */
void json_close(struct json *json);
/* Forget the content, keep the memory. */
void json_reset(struct json *json);
/* The text so far, borrowed until the next call; NULL after a failure. */
const char *json_text(struct json *json);

/* In an object give the key; in an array or at the top pass NULL. */
void json_object_begin(struct json *json, const char *key);
void json_object_end(struct json *json);
void json_array_begin(struct json *json, const char *key);
void json_array_end(struct json *json);
void json_string(struct json *json, const char *key, const char *value);
void json_slice(struct json *json, const char *key, struct slice value);
/* What a panel wrote: UTF-8 as a whole, else Windows-1252; a control without a
 * short form is U+FFFD instead of nothing. */
void json_panel_text(struct json *json, const char *key, struct slice value);
void json_integer(struct json *json, const char *key, int64_t value);
void json_unsigned(struct json *json, const char *key, uint64_t value);
void json_double(struct json *json, const char *key, double value);
void json_boolean(struct json *json, const char *key, bool value);
void json_null(struct json *json, const char *key);
/* text is JSON already */
void json_raw(struct json *json, const char *key, const char *text);
/* printf into a string value */
void json_format(struct json *json, const char *key, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
/* bytes as lower-case hexadecimal */
void json_hex(struct json *json, const char *key, struct slice bytes);
/* "2026-01-15T10:30:01.204Z" */
void json_time(struct json *json, const char *key, int64_t wall_us);
/* A line break after a complete top-level value (JSON lines). */
void json_newline(struct json *json);

#endif
