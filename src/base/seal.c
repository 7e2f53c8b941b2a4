#include "base/seal.h"

#include <errno.h>
#include <fcntl.h>
#include <sodium.h>
#include <unistd.h>

#include "base/text.h"

#define NONCE_SIZE crypto_aead_xchacha20poly1305_ietf_NPUBBYTES
#define TAG_SIZE   crypto_aead_xchacha20poly1305_ietf_ABYTES

_Static_assert(NONCE_SIZE + TAG_SIZE == SEAL_OVERHEAD, "overhead");

static int
master_parse(const char *path, struct slice text, struct seal_master *ret,
    struct err *err)
{
	if (text.length == SEAL_MASTER_SIZE) {
		memcpy(ret->key, text.data, SEAL_MASTER_SIZE);
		return 0;
	}
	while (text.length > 2 * SEAL_MASTER_SIZE &&
	    (text.data[text.length - 1] == '\n' ||
		text.data[text.length - 1] == '\r'))
		text.length--;
	if (text.length != 2 * SEAL_MASTER_SIZE ||
	    text_hex_decode(text, ret->key, SEAL_MASTER_SIZE) !=
		SEAL_MASTER_SIZE)
		return err_set(err, -EINVAL,
		    "master key file %s must hold 32 bytes or 64 hexadecimal "
		    "digits",
		    path);
	return 0;
}

int
seal_master_load(const char *path, struct seal_master *ret, struct err *err)
{
	char text[2 * SEAL_MASTER_SIZE + 8];
	struct seal_master master;
	ssize_t length;
	int result;
	int fd = open(path, O_RDONLY | O_CLOEXEC);

	if (fd < 0)
		return err_set_errno(err, "master key file %s", path);
	length = read(fd, text, sizeof(text));
	result = length < 0
	    ? err_set_errno(err, "master key file %s", path)
	    : master_parse(path, slice_of(text, (size_t)length), &master, err);
	close(fd);
	sodium_memzero(text, sizeof(text));
	if (result == 0)
		*ret = master;
	sodium_memzero(&master, sizeof(master));
	return result;
}

void
seal_master_wipe(struct seal_master *master)
{
	if (master)
		sodium_memzero(master, sizeof(*master));
}

int
seal_close(const struct seal_master *master, const char *context,
    struct slice plain, void *out, size_t out_size)
{
	unsigned char *blob = out;

	if (out_size < plain.length + SEAL_OVERHEAD)
		return -ENOBUFS;
	if (sodium_init() < 0)
		return -EIO;
	randombytes_buf(blob, NONCE_SIZE);
	crypto_aead_xchacha20poly1305_ietf_encrypt(blob + NONCE_SIZE, NULL,
	    (const unsigned char *)plain.data, plain.length,
	    (const unsigned char *)context, strlen(context), NULL, blob,
	    master->key);
	return (int)(plain.length + SEAL_OVERHEAD);
}

int
seal_open(const struct seal_master *master, const char *context,
    struct slice blob, void *out, size_t out_size)
{
	const unsigned char *data = (const unsigned char *)blob.data;

	if (blob.length < SEAL_OVERHEAD)
		return -EBADMSG;
	if (out_size < blob.length - SEAL_OVERHEAD)
		return -ENOBUFS;
	if (crypto_aead_xchacha20poly1305_ietf_decrypt(out, NULL, NULL,
		data + NONCE_SIZE, blob.length - NONCE_SIZE,
		(const unsigned char *)context, strlen(context), data,
		master->key) != 0)
		return -EBADMSG;
	return (int)(blob.length - SEAL_OVERHEAD);
}
