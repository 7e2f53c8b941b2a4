/* Frames for tests: a prefix computed around a body, and the recorded ones. */
#ifndef UNIT_CODEC_FRAME_H
#define UNIT_CODEC_FRAME_H

#include "codec/dc09.h"

/* LF crc 0LLL body CR into out (DC09_FRAME_MAX); returns the length. */
size_t frame_make(struct slice body, bool binary_crc, char *out);
/* The same with the CR counted, as ELDES does. */
size_t frame_make_counting_cr(struct slice body, char *out);

struct recorded {
	char name[64];
	char transport[16];
	char key[72]; /* "hex:..", empty: none */
	char frame[DC09_FRAME_MAX];
	size_t length;
	char expected[1024];
};

/* Every row of tests/vectors/vectors.tsv; returns how many there were. */
typedef void (*recorded_fn)(void *context, const struct recorded *row);
size_t recorded_each(recorded_fn fn, void *context);

#endif
