#include "portal/token.h"

#include <sodium.h>
#include <string.h>

#include "base/text.h"

void
token_new(char ret[TOKEN_TEXT_SIZE])
{
	unsigned char bytes[TOKEN_BYTES];

	randombytes_buf(bytes, sizeof(bytes));
	text_hex_encode(bytes, sizeof(bytes), ret);
}

bool
token_sound(const char *text)
{
	return strlen(text) == TOKEN_TEXT_SIZE - 1 &&
	    strspn(text, "0123456789abcdef") == TOKEN_TEXT_SIZE - 1;
}

void
token_hash(const char *token, char ret[TOKEN_HASH_SIZE])
{
	unsigned char hash[crypto_hash_sha256_BYTES];

	crypto_hash_sha256(hash, (const unsigned char *)token, strlen(token));
	memcpy(ret, "\\x", 2);
	text_hex_encode(hash, sizeof(hash), ret + 2);
}

void
token_csrf(const char *token, char ret[TOKEN_TEXT_SIZE])
{
	static const char purpose[] = "csrf:";
	crypto_hash_sha256_state state;
	unsigned char hash[crypto_hash_sha256_BYTES];

	crypto_hash_sha256_init(&state);
	crypto_hash_sha256_update(&state, (const unsigned char *)purpose,
	    sizeof(purpose) - 1);
	crypto_hash_sha256_update(&state, (const unsigned char *)token,
	    strlen(token));
	crypto_hash_sha256_final(&state, hash);
	text_hex_encode(hash, sizeof(hash), ret);
}

bool
token_equal(const char *a, const char *b)
{
	return strlen(a) == strlen(b) && sodium_memcmp(a, b, strlen(a)) == 0;
}
