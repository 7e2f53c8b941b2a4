#include "codec/codec.h"

#include <errno.h>

#include "base/text.h"

static bool
length_is_aes(size_t length)
{
	return length == 16 || length == 24 || length == 32;
}

int
codec_key_parse(struct slice text, struct codec_key *ret,
    const char **ret_problem)
{
	struct codec_key key = { .length = 0 };
	struct slice kind = slice_part(text, 0, 4);
	int length;

	if (slice_is(kind, "hex:")) {
		length = text_hex_decode(slice_part(text, 4, text.length),
		    key.bytes, sizeof(key.bytes));
		if (length < 0 || !length_is_aes((size_t)length)) {
			*ret_problem = "a hex: key has 32, 48 or 64 "
				       "hexadecimal digits";
			return -EINVAL;
		}
		key.length = (uint8_t)length;
		*ret = key;
		return 0;
	}
	if (text.length < 5 || memcmp(text.data, "text:", 5) != 0) {
		*ret_problem = "a key begins with hex: or text:";
		return -EINVAL;
	}
	if (!length_is_aes(text.length - 5)) {
		*ret_problem = "a text: key has 16, 24 or 32 bytes";
		return -EINVAL;
	}
	memcpy(key.bytes, text.data + 5, text.length - 5);
	key.length = (uint8_t)(text.length - 5);
	*ret = key;
	return 0;
}
