/*
 * Ademco 685, as a receiver speaks it to automation software
 * (docs/PROTOCOLS.md, Ademco 685), both ways: Contact ID and link tests.
 *
 *   LF R G sp 1234 sp 18 sp QXYZ sp GG sp FCCC CR    F: C contact, U user
 *   LF R L sp OKAY sp @ CR                           link test
 */
#ifndef CODEC_ADEMCO685_H
#define CODEC_ADEMCO685_H

#include "codec/codec.h"
#include "signal/delivery.h"
#include "signal/signal.h"

#define ADEMCO685_MESSAGE_MAX 64
#define ADEMCO685_LINK_TEST   '\r' /* from the computer: are you there? */

struct ademco685_settings {
	char receiver[2]; /* one digit */
	char line[2]; /* likewise; a station record's line card goes before */
};

/*
 * The message of a delivery from LF to CR; returns the length, or -EINVAL with
 * *ret_problem (static) when it is no Contact ID event or has no room: nothing
 * is ever cut. A digit A of the account is written as 0, the same tone. out:
 * ADEMCO685_MESSAGE_MAX.
 */
int ademco685_encode(const struct ademco685_settings *settings,
    const struct delivery *delivery, char *out, const char **ret_problem);
int ademco685_heartbeat_encode(const struct ademco685_settings *settings,
    char *out);

/* The first message in data, up to and with its CR; as surgard_decode. A
 * trailing space of a link test is accepted. */
enum codec_result ademco685_decode(const char *data, size_t length,
    size_t *ret_consumed, struct signal *ret);

#endif
