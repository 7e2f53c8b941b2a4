/*
 * Sur-Gard's messages of panels whose codes mean what somebody once agreed on,
 * and of callers; codec/surgard.h reads and writes what stands around them.
 * Behind the line:
 *
 *   1  ssssAAAAAAsXGYYY             pulse formats; by group: ssssss0012sC1128
 *   6  ssssssAAAAXXYYYY             BFSK, Modem II (accounts of 3 to 10)
 *   8  AAAAsCCCCsCCCCsC             Ademco high speed: nine channels
 *   8  AAAAAAsCCCCsCCCCsCCCCsCCCCsC seventeen
 *   9  ssssAAAACCCCCCCC             Acron: eight channels
 *   4  AAAAAALLLTTTTTTT             who called
 *   U  AAAAAATTTTTTTTTTTTTTTTTT     the same from abroad; u: by name
 *
 * A code goes on as it came, a space in it as '_': X; XX; of high speed the
 * channel's digit with the last channel's behind it, which says what the others
 * report ("17"), or that digit alone, where it reports by itself ("9"); of Acron
 * the channel's digit. The channel is the zone, of seventeen with two digits.
 * There is an event for each channel but those that say 5, normal; all digits
 * are each one's text. Only what the maker prints becomes a qualifier.
 *
 * The caller is an event of SIGNAL_FORMAT_NONE, the number its text.
 */
#ifndef CODEC_SURGARD_PANEL_H
#define CODEC_SURGARD_PANEL_H

#include "base/cursor.h"
#include "signal/delivery.h"
#include "signal/signal.h"

/* What stands behind the line of a message of this format digit; of ret, account
 * and events. False: it is none. */
bool surgard_panel_decode(char digit, struct slice text, struct signal *ret);

/* '1', '6', '8' or '9'; 0: such an event has another form. */
char surgard_panel_digit(enum signal_format format);

/* The same for a delivery of such a format: NULL, or the problem (static). Of
 * several channels only the one that it is about, the others as normal. */
const char *surgard_panel_write(struct writer *w,
    const struct delivery *delivery);

#endif
