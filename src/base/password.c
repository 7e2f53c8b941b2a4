#include "base/password.h"

#include <errno.h>
#include <sodium.h>
#include <string.h>

_Static_assert(PASSWORD_SALT_SIZE == crypto_pwhash_SALTBYTES, "salt");

void
password_setting_new(struct password_setting *ret)
{
	randombytes_buf(ret->salt, sizeof(ret->salt));
	ret->operations = PASSWORD_OPERATIONS;
	ret->memory_bytes = PASSWORD_MEMORY_BYTES;
}

int
password_check(const char *password, struct err *err)
{
	size_t length = strlen(password);

	if (length < PASSWORD_LENGTH_MIN || length > PASSWORD_LENGTH_MAX)
		return err_set(err, -EINVAL,
		    "a password has %d to %d bytes, this one has %zu",
		    PASSWORD_LENGTH_MIN, PASSWORD_LENGTH_MAX, length);
	return 0;
}

int
password_prove(const char *password, const struct password_setting *setting,
    uint8_t ret_proof[PASSWORD_PROOF_SIZE])
{
	if (setting->operations < crypto_pwhash_OPSLIMIT_MIN ||
	    setting->operations > crypto_pwhash_OPSLIMIT_MAX ||
	    setting->memory_bytes < crypto_pwhash_MEMLIMIT_MIN ||
	    setting->memory_bytes > crypto_pwhash_MEMLIMIT_MAX)
		return -EINVAL;
	if (crypto_pwhash(ret_proof, PASSWORD_PROOF_SIZE, password,
		strlen(password), setting->salt, setting->operations,
		setting->memory_bytes, crypto_pwhash_ALG_ARGON2ID13) < 0)
		return -ENOMEM;
	return 0;
}
