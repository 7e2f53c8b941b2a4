/* CRC-16/ARC as DC-09 uses it: polynomial 8005h reflected, init 0, no final
 * xor; "123456789" gives BB3Dh. */
#ifndef CODEC_CRC16_H
#define CODEC_CRC16_H

#include <stddef.h>
#include <stdint.h>

uint16_t crc16(const void *data, size_t length);

#endif
