/*
 * `tocsinctl decode`: read frames as the receiver would, for people or, with
 * --jsonl, one JSON object per line in and out. Nothing else needs to run.
 */
#ifndef CTL_DECODE_H
#define CTL_DECODE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/slice.h"
#include "codec/codec.h"

/* One stream to read. The slices borrow. */
struct decode_request {
	struct slice format; /* "dc09", see decode.c; absent: "dc09" */
	const char *frame;
	size_t length;
	struct codec_key key; /* length 0: none */
	int64_t clock_us;     /* the receiver's clock; 0: now */
	unsigned tolerate;    /* on top of the default */
};

/* The command; an enum exit_status. */
int ctl_decode(int argc, char **argv);

/*
 * A line of --jsonl. *ret borrows frame, which must hold strlen(line) / 2
 * bytes, and line_format, which keeps the format's name. 0, or -EINVAL with
 * *ret_problem (static).
 */
#define DECODE_FORMAT_SIZE 16
int decode_request_parse(const char *line, char *frame,
    char line_format[DECODE_FORMAT_SIZE], struct decode_request *ret,
    const char **ret_problem);

/* Names separated by commas; false when one is none. Adds to *tolerate. */
bool decode_tolerate(struct slice names, unsigned *tolerate);

#endif
