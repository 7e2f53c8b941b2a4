/* Contact ID (DC-05): the 16 digits of a dialer, and the 11 of DC-09. */
#ifndef CODEC_CONTACT_ID_H
#define CODEC_CONTACT_ID_H

#include "codec/codec.h"
#include "signal/signal.h"

#define CONTACT_ID_DIGITS   16
#define CONTACT_ID_LINE_MAX 100

/*
 * "ACCTMTQXYZGGCCCS". CODEC_BAD with *ret_problem when a digit or the
 * checksum is wrong: no kiss-off then. The signal borrows digits.
 */
enum codec_result contact_id_decode(struct slice digits, struct signal *ret,
    const char **ret_problem);

/*
 * "DIGITS LF" or "DIGITS KEY LF", as programs of this machine say it; CR before
 * LF does no harm. The key, printable without spaces, becomes the sequence: the
 * same one says that it is a repeat. An empty line is a link test. As
 * surgard_decode.
 */
enum codec_result contact_id_line_decode(const char *data, size_t length,
    size_t *ret_consumed, struct signal *ret);

/* The checksum digit for the first 15 digits: '1'..'9','B'..'F', '0' for 10;
 * 0 when a digit is not one. */
char contact_id_checksum(const char digits[15]);

/* "QXYZ GG CCC" or "QXYZGGCCC", optionally after "18": one event. */
enum codec_result contact_id_event_decode(struct slice text,
    struct signal_event *ret);

#endif
