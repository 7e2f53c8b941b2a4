/*
 * Ademco 685, as a receiver sends it to automation software
 * (docs/PROTOCOLS.md, Ademco 685). Decoding only: Contact ID and link tests.
 *
 *   LF R G sp 1234 sp 18 sp QXYZ sp GG sp FCCC CR    F: C contact, U user
 *   LF R L sp OKAY sp @ [sp] CR                      link test
 */
#ifndef CODEC_ADEMCO685_H
#define CODEC_ADEMCO685_H

#include "codec/codec.h"
#include "signal/signal.h"

#define ADEMCO685_MESSAGE_MAX 64

/* The first message in data, up to and with its CR; as surgard_decode. */
enum codec_result ademco685_decode(const char *data, size_t length,
    size_t *ret_consumed, struct signal *ret);

#endif
