#include "codec/crc16.h"

/*
 * The CRC is linear: an entry is the xor of what its single bits contribute.
 * BITS_k lists, lowest bit first, the CRC of 01h, 02h, .. 80h followed by k
 * zero bytes, so that eight bytes are taken in one step.
 */
#define PICK(i, bit, value) (((i) >> (bit)) & 1 ? (value) : 0)
#define ENTRY(i, a, b, c, d, e, f, g, h)                                       \
 (PICK(i, 0, a) ^ PICK(i, 1, b) ^ PICK(i, 2, c) ^ PICK(i, 3, d) ^              \
     PICK(i, 4, e) ^ PICK(i, 5, f) ^ PICK(i, 6, g) ^ PICK(i, 7, h))
#define BITS_0(i)                                                              \
 ENTRY(i, 0xc0c1, 0xc181, 0xc301, 0xc601, 0xcc01, 0xd801, 0xf001, 0xa001)
#define BITS_1(i)                                                              \
 ENTRY(i, 0x9001, 0x6001, 0xc002, 0xc007, 0xc00d, 0xc019, 0xc031, 0xc061)
#define BITS_2(i)                                                              \
 ENTRY(i, 0xc051, 0xc0a1, 0xc141, 0xc281, 0xc501, 0xca01, 0xd401, 0xe801)
#define BITS_3(i)                                                              \
 ENTRY(i, 0xfc01, 0xb801, 0x3001, 0x6002, 0xc004, 0xc00b, 0xc015, 0xc029)
#define BITS_4(i)                                                              \
 ENTRY(i, 0xc03d, 0xc079, 0xc0f1, 0xc1e1, 0xc3c1, 0xc781, 0xcf01, 0xde01)
#define BITS_5(i)                                                              \
 ENTRY(i, 0xd101, 0xe201, 0x8401, 0x4801, 0x9002, 0x6007, 0xc00e, 0xc01f)
#define BITS_6(i)                                                              \
 ENTRY(i, 0xc010, 0xc023, 0xc045, 0xc089, 0xc111, 0xc221, 0xc441, 0xc881)
#define BITS_7(i)                                                              \
 ENTRY(i, 0xccc1, 0xd981, 0xf301, 0xa601, 0x0c01, 0x1802, 0x3004, 0x6008)
#define ROW4(bits, i) bits((i)), bits((i) + 1), bits((i) + 2), bits((i) + 3)
#define ROW16(bits, i)                                                         \
 ROW4(bits, i), ROW4(bits, (i) + 4), ROW4(bits, (i) + 8), ROW4(bits, (i) + 12)
#define ROW64(bits, i)                                                         \
 ROW16(bits, i), ROW16(bits, (i) + 16), ROW16(bits, (i) + 32),                 \
     ROW16(bits, (i) + 48)
#define ROW256(bits)                                                           \
 {                                                                             \
  ROW64(bits, 0), ROW64(bits, 64), ROW64(bits, 128), ROW64(bits, 192)          \
 }

static const uint16_t table[8][256] = {
	ROW256(BITS_0),
	ROW256(BITS_1),
	ROW256(BITS_2),
	ROW256(BITS_3),
	ROW256(BITS_4),
	ROW256(BITS_5),
	ROW256(BITS_6),
	ROW256(BITS_7),
};

uint16_t
crc16(const void *data, size_t length)
{
	const uint8_t *p = data;
	uint16_t crc = 0;

	for (; length >= 8; length -= 8, p += 8)
		crc = (uint16_t)(table[7][p[0] ^ (crc & 0xff)] ^
		    table[6][p[1] ^ (crc >> 8)] ^ table[5][p[2]] ^
		    table[4][p[3]] ^ table[3][p[4]] ^ table[2][p[5]] ^
		    table[1][p[6]] ^ table[0][p[7]]);
	for (; length > 0; length--, p++)
		crc = (uint16_t)((crc >> 8) ^ table[0][(crc ^ *p) & 0xff]);
	return crc;
}
