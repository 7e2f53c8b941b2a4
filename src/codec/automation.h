/*
 * What the lines of receivers towards automation software (Sur-Gard, Ademco
 * 685, D6500) have in common. They have fixed widths: what does not fit is
 * refused, never cut. Functions that can refuse return NULL or the problem
 * (static).
 */
#ifndef CODEC_AUTOMATION_H
#define CODEC_AUTOMATION_H

#include "base/cursor.h"
#include "signal/delivery.h"

#define AUTOMATION_ACK '\x06'
#define AUTOMATION_NAK '\x15'

/* Of a heartbeat, after the line. */
#define AUTOMATION_HEARTBEAT_TAIL "           @    "

void automation_write_string(struct writer *w, const char *string);
/* Right-aligned in width; false when it does not fit. */
bool automation_write_aligned(struct writer *w, struct slice value,
    size_t width, char fill);
bool automation_is_alphanumeric(struct slice s);
/* The same without leading zeros, filled up with them again; also false when it
 * is not letters and digits: an SIA user may be anything. */
bool automation_write_number(struct writer *w, struct slice number,
    size_t digits);
/* The one number of a message: a zone, or who opened and closed. */
struct slice automation_zone_or_user(const struct delivery *delivery);

/* The fixed fields of a Contact ID event, as strings. */
struct automation_contact_id {
	char partition[3];
	char zone[4]; /* or the user */
};

/* Zeros before, where fewer digits came. */
const char *automation_contact_id_fill(const struct delivery *delivery,
    struct automation_contact_id *ret);

/* "[#1234|Nri1/BA0005^text^]"; room for `after` bytes stays. zone_digits 0: the
 * zone as it came. The text goes along only where it has room whole: a remark
 * never holds up its event. */
const char *automation_write_sia_block(struct writer *w,
    const struct delivery *delivery, unsigned zone_digits, size_t after);

#endif
