/* Values with their unit in the text: "30s", "64MiB". */
#ifndef BASE_UNIT_H
#define BASE_UNIT_H

#include <stddef.h>
#include <stdint.h>

/*
 * Durations: us ms s min h d; sizes: B KiB MiB GiB TiB. A bare number is an
 * error except 0, so that nobody has to guess. Return 0 or -EINVAL / -ERANGE.
 */
int unit_parse_duration(const char *text, int64_t *ret_us);
int unit_parse_size(const char *text, uint64_t *ret_bytes);

#define UNIT_TEXT_SIZE 32

/* The shortest exact form, e.g. 90000000 -> "90s"; out is returned. */
char *unit_format_duration(int64_t us, char out[UNIT_TEXT_SIZE]);
char *unit_format_size(uint64_t bytes, char out[UNIT_TEXT_SIZE]);

#endif
