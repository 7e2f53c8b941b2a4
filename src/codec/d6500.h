/*
 * Bosch/Radionics D6500 mode, as a receiver sends it to automation software
 * (docs/PROTOCOLS.md, D6500). Decoding only. Messages end in DC4 (14h); a
 * leading space, the optional header byte, is skipped.
 *
 *   a rr l sp aaaa 18 Q XYZ GG CCC      Contact ID
 *   S rr l [#aaaa|EMMZZZZ/...]          SIA
 *   1 rr 0 sp*11 @ sp*4                 link test
 */
#ifndef CODEC_D6500_H
#define CODEC_D6500_H

#include "codec/codec.h"
#include "signal/signal.h"

#define D6500_MESSAGE_MAX 200

/* The first message in data, up to and with its DC4; as surgard_decode. The
 * signal's id is the type letter. */
enum codec_result d6500_decode(const char *data, size_t length,
    size_t *ret_consumed, struct signal *ret);

#endif
