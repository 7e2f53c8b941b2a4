/* Contact ID (DC-05): the 16 digits of a dialer, and the 11 of DC-09. */
#ifndef CODEC_CONTACT_ID_H
#define CODEC_CONTACT_ID_H

#include "codec/codec.h"
#include "signal/signal.h"

#define CONTACT_ID_DIGITS 16

/*
 * "ACCTMTQXYZGGCCCS". CODEC_BAD with *ret_problem when a digit or the
 * checksum is wrong: no kiss-off then. The signal borrows digits.
 */
enum codec_result contact_id_decode(struct slice digits, struct signal *ret,
    const char **ret_problem);

/* The checksum digit for the first 15 digits: '1'..'9','B'..'F', '0' for 10;
 * 0 when a digit is not one. */
char contact_id_checksum(const char digits[15]);

/* "QXYZ GG CCC" or "QXYZGGCCC", optionally after "18": one event. */
enum codec_result contact_id_event_decode(struct slice text,
    struct signal_event *ret);

#endif
