/* CRC32C (Castagnoli), SSE4.2 where the processor has it. Any thread. */
#ifndef BASE_CRC32C_H
#define BASE_CRC32C_H

#include <stddef.h>
#include <stdint.h>

/* Continue from crc (0 to start) over length bytes. */
uint32_t crc32c(uint32_t crc, const void *data, size_t length);

/* The table version, for the test that holds the two together. */
uint32_t crc32c_portable(uint32_t crc, const void *data, size_t length);

#endif
