/*
 * Secrets at rest: XChaCha20-Poly1305 under the installation's master key.
 * A sealed blob is nonce || ciphertext || tag, bound to a context string that
 * names the row it belongs to, so that a blob copied to another row does not
 * open:
 *
 *	"bridge.key:<id>"	panel key of a bridge
 *	"receiver.key:<id>"	encryption key of a receiver
 *	"receiver.passkey:<id>"	passkey that the link itself must send
 *	"user.totp:<id>"	secret of a second factor
 *
 * Any thread.
 */
#ifndef BASE_SEAL_H
#define BASE_SEAL_H

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/slice.h"

#define SEAL_MASTER_SIZE  32
#define SEAL_OVERHEAD	  (24 + 16) /* nonce and tag */
#define SEAL_CONTEXT_SIZE 48	    /* "receiver.key:18446744073709551615" */

struct seal_master {
	uint8_t key[SEAL_MASTER_SIZE];
};

/* The file holds 32 raw bytes, or 64 hexadecimal digits and perhaps a line
 * end. 0, or -errno / -EINVAL with a sentence that names the file. */
int seal_master_load(const char *path, struct seal_master *ret,
    struct err *err);
/* Overwrite it; NULL is accepted. */
void seal_master_wipe(struct seal_master *master);

/* Into out; returns plain.length + SEAL_OVERHEAD, or -ENOBUFS. */
int seal_close(const struct seal_master *master, const char *context,
    struct slice plain, void *out, size_t out_size);
/* Into out; returns the length of what was sealed, -ENOBUFS, or -EBADMSG:
 * altered, another master key or another context (out is untouched). */
int seal_open(const struct seal_master *master, const char *context,
    struct slice blob, void *out, size_t out_size);

#endif
