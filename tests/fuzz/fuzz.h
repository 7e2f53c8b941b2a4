/* What every fuzz target offers, to libFuzzer and to replay.c. */
#ifndef FUZZ_FUZZ_H
#define FUZZ_FUZZ_H

#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t length);

/* Stays in every build, unlike assert. */
#define FUZZ_CHECK(condition)                                                  \
 do {                                                                          \
  if (!(condition))                                                            \
   abort();                                                                    \
 } while (0)

#endif
