#include "base/text.h"

#include <errno.h>

static bool
continuation(unsigned char c)
{
	return (c & 0xc0) == 0x80;
}

size_t
text_utf8_length(const char *data, size_t length)
{
	const unsigned char *s = (const unsigned char *)data;

	if (s[0] < 0x80)
		return 1;
	if (s[0] < 0xc2 || s[0] > 0xf4 || length < 2 || !continuation(s[1]))
		return 0;
	if (s[0] < 0xe0)
		return 2;
	if (length < 3 || !continuation(s[2]))
		return 0;
	if (s[0] < 0xf0) {
		bool overlong = s[0] == 0xe0 && s[1] < 0xa0;
		bool surrogate = s[0] == 0xed && s[1] > 0x9f;

		return overlong || surrogate ? 0 : 3;
	}
	if (length < 4 || !continuation(s[3]) ||
	    (s[0] == 0xf0 && s[1] < 0x90) || (s[0] == 0xf4 && s[1] > 0x8f))
		return 0;
	return 4;
}

bool
text_is_ascii(struct slice s)
{
	uint64_t seen = 0, word;
	size_t i = 0;

	for (; i + sizeof(word) <= s.length; i += sizeof(word)) {
		memcpy(&word, s.data + i, sizeof(word));
		seen |= word;
	}
	for (; i < s.length; i++)
		seen |= (unsigned char)s.data[i];
	return (seen & 0x8080808080808080) == 0;
}

bool
text_is_utf8(struct slice s)
{
	for (size_t i = 0, n; i < s.length; i += n) {
		n = text_utf8_length(s.data + i, s.length - i);
		if (n == 0)
			return false;
	}
	return true;
}

/* Windows-1252 0x80..0x9f; the five holes map to themselves as C1. */
static const uint16_t windows_1252_high[32] = { 0x20ac, 0x81, 0x201a, 0x0192,
	0x201e, 0x2026, 0x2020, 0x2021, 0x02c6, 0x2030, 0x0160, 0x2039, 0x0152,
	0x8d, 0x017d, 0x8f, 0x90, 0x2018, 0x2019, 0x201c, 0x201d, 0x2022,
	0x2013, 0x2014, 0x02dc, 0x2122, 0x0161, 0x203a, 0x0153, 0x9d, 0x017e,
	0x0178 };

static size_t
put_code_point(uint32_t code, char out[3])
{
	if (code < 0x80) {
		out[0] = (char)code;
		return 1;
	}
	if (code < 0x800) {
		out[0] = (char)(0xc0 | code >> 6);
		out[1] = (char)(0x80 | (code & 0x3f));
		return 2;
	}
	out[0] = (char)(0xe0 | code >> 12);
	out[1] = (char)(0x80 | (code >> 6 & 0x3f));
	out[2] = (char)(0x80 | (code & 0x3f));
	return 3;
}

int
text_to_utf8(struct slice s, char *out, size_t out_size)
{
	size_t used = 0;

	if (text_is_utf8(s)) {
		if (s.length > out_size)
			return -ENAMETOOLONG;
		if (s.length > 0)
			memcpy(out, s.data, s.length);
		return (int)s.length;
	}
	for (size_t i = 0; i < s.length; i++) {
		unsigned char c = (unsigned char)s.data[i];
		uint32_t code =
		    c >= 0x80 && c < 0xa0 ? windows_1252_high[c - 0x80] : c;
		char encoded[3];
		size_t n = put_code_point(code, encoded);

		if (n > out_size - used)
			return -ENAMETOOLONG;
		memcpy(out + used, encoded, n);
		used += n;
	}
	return (int)used;
}

static void
hex_encode(const void *data, size_t length, char *out, const char *digits)
{
	const uint8_t *bytes = data;

	for (size_t i = 0; i < length; i++) {
		*out++ = digits[bytes[i] >> 4];
		*out++ = digits[bytes[i] & 15];
	}
}

void
text_hex_encode(const void *data, size_t length, char *out)
{
	hex_encode(data, length, out, "0123456789abcdef");
	out[2 * length] = '\0';
}

void
text_hex_encode_upper(const void *data, size_t length, char *out)
{
	hex_encode(data, length, out, "0123456789ABCDEF");
}

/* One more than the value, 0 for what is no digit: a table, because nobody can
 * predict the digits of a ciphertext. */
static const uint8_t hex_digits[256] = { ['0'] = 1,
	2,
	3,
	4,
	5,
	6,
	7,
	8,
	9,
	10,
	['A'] = 11,
	12,
	13,
	14,
	15,
	16,
	['a'] = 11,
	12,
	13,
	14,
	15,
	16 };

static int
hex_value(char c)
{
	return hex_digits[(unsigned char)c] - 1;
}

int
text_hex_decode(struct slice hex, void *out, size_t out_size)
{
	uint8_t *bytes = out;

	if (hex.length % 2)
		return -EINVAL;
	if (hex.length / 2 > out_size)
		return -ENAMETOOLONG;
	for (size_t i = 0; i < hex.length; i += 2) {
		int high = hex_value(hex.data[i]),
		    low = hex_value(hex.data[i + 1]);

		if (high < 0 || low < 0)
			return -EINVAL;
		bytes[i / 2] = (uint8_t)(high << 4 | low);
	}
	return (int)(hex.length / 2);
}
