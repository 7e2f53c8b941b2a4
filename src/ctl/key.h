/* Keys as people write them: hex:00ff.. or text:sixteen byte key. */
#ifndef CTL_KEY_H
#define CTL_KEY_H

#include <stdint.h>

#include "base/err.h"

#define CTL_KEY_MAX 32

/* Returns 16, 24 or 32 (AES), or -EINVAL with the sentence, which never holds
 * the key. */
int key_parse(const char *text, uint8_t ret_key[CTL_KEY_MAX], struct err *err);

#endif
