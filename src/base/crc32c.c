#include "base/crc32c.h"

#include <pthread.h>
#include <string.h>

#define CASTAGNOLI_REFLECTED 0x82f63b78u

static uint32_t table[256];
static pthread_once_t once = PTHREAD_ONCE_INIT;
static uint32_t (*update)(uint32_t, const uint8_t *, size_t);

static uint32_t
update_portable(uint32_t crc, const uint8_t *data, size_t length)
{
	while (length--)
		crc = table[(crc ^ *data++) & 0xff] ^ crc >> 8;
	return crc;
}

#if defined(__x86_64__)
__attribute__((target("sse4.2"))) static uint32_t
update_sse42(uint32_t crc, const uint8_t *data, size_t length)
{
	uint64_t wide = crc, word;

	for (; length >= 8; length -= 8, data += 8) {
		memcpy(&word, data, 8);
		wide = __builtin_ia32_crc32di(wide, word);
	}
	crc = (uint32_t)wide;
	while (length--)
		crc = __builtin_ia32_crc32qi(crc, *data++);
	return crc;
}
#endif

static void
choose(void)
{
	for (uint32_t i = 0; i < 256; i++) {
		uint32_t crc = i;

		for (int bit = 0; bit < 8; bit++)
			crc = crc & 1 ? crc >> 1 ^ CASTAGNOLI_REFLECTED
				      : crc >> 1;
		table[i] = crc;
	}
	update = update_portable;
#if defined(__x86_64__)
	if (__builtin_cpu_supports("sse4.2"))
		update = update_sse42;
#endif
}

uint32_t
crc32c(uint32_t crc, const void *data, size_t length)
{
	pthread_once(&once, choose);
	return ~update(~crc, data, length);
}

uint32_t
crc32c_portable(uint32_t crc, const void *data, size_t length)
{
	pthread_once(&once, choose);
	return ~update_portable(~crc, data, length);
}
