/*
 * Bosch/Radionics D6500 mode, as a receiver speaks it to automation software
 * (docs/PROTOCOLS.md, D6500), both ways. Messages end in DC4 (14h); some
 * receivers begin them with a space, the optional header byte.
 *
 *   a rr l sp aaaa 18 Q XYZ GG CCC      Contact ID
 *   S rr l [#aaaa|EMMZZZZ/...]          SIA
 *   1 rr 0 sp*11 @ sp*4                 link test
 */
#ifndef CODEC_D6500_H
#define CODEC_D6500_H

#include "codec/codec.h"
#include "signal/delivery.h"
#include "signal/signal.h"

#define D6500_MESSAGE_MAX 200
#define D6500_ACCOUNT_MAX 16 /* in SIA; 4 in Contact ID */

struct d6500_settings {
	char receiver[3]; /* "01".. two digits */
	/* One character, or the number that it stands for: 10 is A. The line
	 * card of a station record is read alike and goes before. */
	char line[7];
	bool header_space;
};

/*
 * The message of a delivery with its DC4; returns the length, or -EINVAL with
 * *ret_problem (static) when something has no room: it is never cut. Accounts
 * are filled with zeros to 4 characters. Of SIA the text goes along whole or
 * not at all, see automation_write_sia_block. out: D6500_MESSAGE_MAX.
 */
int d6500_encode(const struct d6500_settings *settings,
    const struct delivery *delivery, char *out, const char **ret_problem);
int d6500_heartbeat_encode(const struct d6500_settings *settings, char *out);

/* The first message in data, up to and with its DC4, in either form; as
 * surgard_decode. The signal's id is the type letter. */
enum codec_result d6500_decode(const char *data, size_t length,
    size_t *ret_consumed, struct signal *ret);

#endif
