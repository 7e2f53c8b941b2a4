/*
 * What the clocks on the wall say in a timezone, from the system's tzdata
 * (through GLib). Both daylight-saving cases have one answer: a time that is
 * skipped is the first moment after the gap, one that comes twice is meant the
 * first time. Any thread.
 */
#ifndef BASE_LOCAL_CLOCK_H
#define BASE_LOCAL_CLOCK_H

#include <stdint.h>

struct local_clock;

/* By IANA name ("Europe/Berlin"). Read once, kept as long as the process lives;
 * NULL: this machine does not know it, or no memory. */
const struct local_clock *local_clock_find(const char *name);

/* Seconds since 1970-01-01 00:00, UTC -> the same by this clock, and back. */
int64_t local_clock_from_utc(const struct local_clock *clock, int64_t utc_s);
int64_t local_clock_to_utc(const struct local_clock *clock, int64_t local_s);

#endif
