#include "codec/dc09_wire.h"

#include <errno.h>
#include <stdlib.h>

#include <openssl/evp.h>
#include <openssl/rand.h>

#include "base/text.h"

#define KEY_SIZES 3
#define BLOCK	  16

struct dc09_crypto {
	EVP_CIPHER *cipher[KEY_SIZES];
	/* each keeps its cipher, so that a new key is all that changes */
	EVP_CIPHER_CTX *encrypt[KEY_SIZES];
	EVP_CIPHER_CTX *decrypt[KEY_SIZES];
	size_t random_used;
	uint8_t random[512];
};

/* DC-09 has an all-zero IV (docs/PROTOCOLS.md, encryption). */
static const uint8_t zero_iv[BLOCK];

static int
open_size(struct dc09_crypto *crypto, unsigned size)
{
	static const char *const names[KEY_SIZES] = { "AES-128-CBC",
		"AES-192-CBC", "AES-256-CBC" };

	crypto->cipher[size] = EVP_CIPHER_fetch(NULL, names[size], NULL);
	crypto->encrypt[size] = EVP_CIPHER_CTX_new();
	crypto->decrypt[size] = EVP_CIPHER_CTX_new();
	if (!crypto->cipher[size] || !crypto->encrypt[size] ||
	    !crypto->decrypt[size])
		return -ENOMEM;
	if (!EVP_EncryptInit_ex2(crypto->encrypt[size], crypto->cipher[size],
		NULL, NULL, NULL) ||
	    !EVP_DecryptInit_ex2(crypto->decrypt[size], crypto->cipher[size],
		NULL, NULL, NULL))
		return -EIO;
	return 0;
}

int
dc09_crypto_open(struct dc09_crypto **ret, struct err *err)
{
	struct dc09_crypto *crypto = calloc(1, sizeof(*crypto));
	int result = crypto ? 0 : -ENOMEM;

	if (crypto)
		crypto->random_used = sizeof(crypto->random);
	for (unsigned size = 0; size < KEY_SIZES && result == 0; size++)
		result = open_size(crypto, size);
	if (result < 0) {
		dc09_crypto_close(&crypto);
		return err_set(err, result, "cannot prepare AES");
	}
	*ret = crypto;
	return 0;
}

void
dc09_crypto_close(struct dc09_crypto **crypto)
{
	if (!*crypto)
		return;
	for (unsigned size = 0; size < KEY_SIZES; size++) {
		EVP_CIPHER_CTX_free((*crypto)->encrypt[size]);
		EVP_CIPHER_CTX_free((*crypto)->decrypt[size]);
		EVP_CIPHER_free((*crypto)->cipher[size]);
	}
	free(*crypto);
	*crypto = NULL;
}

static unsigned
size_index(const struct codec_key *key)
{
	return key->length / 8u - 2;
}

bool
dc09_crypto_encrypt(struct dc09_crypto *crypto, const struct codec_key *key,
    const void *in, size_t length, void *out)
{
	EVP_CIPHER_CTX *ctx = crypto->encrypt[size_index(key)];
	int written;

	return EVP_EncryptInit_ex2(ctx, NULL, key->bytes, zero_iv, NULL) &&
	    EVP_CIPHER_CTX_set_padding(ctx, 0) &&
	    EVP_EncryptUpdate(ctx, out, &written, in, (int)length) &&
	    (size_t)written == length;
}

bool
dc09_crypto_decrypt(struct dc09_crypto *crypto, const struct codec_key *key,
    const void *in, size_t length, void *out)
{
	EVP_CIPHER_CTX *ctx = crypto->decrypt[size_index(key)];
	int written;

	return EVP_DecryptInit_ex2(ctx, NULL, key->bytes, zero_iv, NULL) &&
	    EVP_CIPHER_CTX_set_padding(ctx, 0) &&
	    EVP_DecryptUpdate(ctx, out, &written, in, (int)length) &&
	    (size_t)written == length;
}

static bool
random_byte(struct dc09_crypto *crypto, uint8_t *ret)
{
	if (crypto->random_used == sizeof(crypto->random)) {
		if (RAND_bytes(crypto->random, sizeof(crypto->random)) != 1)
			return false;
		crypto->random_used = 0;
	}
	*ret = crypto->random[crypto->random_used++];
	return true;
}

bool
dc09_crypto_pad(struct dc09_crypto *crypto, size_t length, struct writer *w)
{
	size_t pad = BLOCK - length % BLOCK;

	while (pad > 0) {
		uint8_t byte;

		if (!random_byte(crypto, &byte))
			return false;
		if (byte == '|' || byte == '[' || byte == ']')
			continue;
		writer_u8(w, byte);
		pad--;
	}
	return true;
}

bool
dc09_region_write(struct dc09_crypto *crypto, const struct codec_key *key,
    struct slice region, struct writer *w)
{
	char plain[DC09_BODY_MAX / 2 + BLOCK];
	struct writer p = writer_open(plain, sizeof(plain));
	size_t length;

	if (!dc09_crypto_pad(crypto, region.length + 1, &p))
		return false;
	writer_u8(&p, '|');
	writer_bytes(&p, region.data, region.length);
	length = writer_length(&p);
	if (p.failed || (size_t)(w->end - w->position) < 2 * length ||
	    !dc09_crypto_encrypt(crypto, key, plain, length, plain))
		return false;
	text_hex_encode_upper(plain, length, (char *)w->position);
	w->position += 2 * length;
	return true;
}
