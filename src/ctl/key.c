#include "ctl/key.h"

#include <errno.h>
#include <string.h>

#include "base/slice.h"
#include "base/text.h"

static int
key_bytes(const char *text, uint8_t *key)
{
	if (strncmp(text, "hex:", 4) == 0)
		return text_hex_decode(slice_from_string(text + 4), key,
		    CTL_KEY_MAX);
	if (strncmp(text, "text:", 5) != 0 || strlen(text + 5) > CTL_KEY_MAX)
		return -EINVAL;
	memcpy(key, text + 5, strlen(text + 5));
	return (int)strlen(text + 5);
}

int
key_parse(const char *text, uint8_t ret_key[CTL_KEY_MAX], struct err *err)
{
	uint8_t key[CTL_KEY_MAX];
	int length = key_bytes(text, key);

	if (length != 16 && length != 24 && length != 32)
		return err_set(err, -EINVAL,
		    "a key is hex: with 32, 48 or 64 hexadecimal digits, or "
		    "text: with 16, 24 or 32 characters");
	memcpy(ret_key, key, (size_t)length);
	return length;
}
