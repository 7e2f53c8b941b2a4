/*
 * What is made of a password before it leaves the process that asked for it:
 * the proof, argon2id under the salt and cost that user_password_setting()
 * answers (sql/0008_users.sql). Takes tens of milliseconds and the memory it is
 * told: never in an event loop.
 */
#ifndef BASE_PASSWORD_H
#define BASE_PASSWORD_H

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

#define PASSWORD_SALT_SIZE    16
#define PASSWORD_PROOF_SIZE   32
#define PASSWORD_LENGTH_MIN   10
#define PASSWORD_LENGTH_MAX   256
#define PASSWORD_OPERATIONS   2
#define PASSWORD_MEMORY_BYTES (19 * 1024 * 1024)

struct password_setting {
	uint8_t salt[PASSWORD_SALT_SIZE];
	uint64_t operations;
	size_t memory_bytes;
};

/* For a new password: a random salt, today's cost. */
void password_setting_new(struct password_setting *ret);

/* 0, or -EINVAL with what a new password has to be. */
int password_check(const char *password, struct err *err);

/* 0, -EINVAL: the cost is out of range, or -ENOMEM. */
int password_prove(const char *password, const struct password_setting *setting,
    uint8_t ret_proof[PASSWORD_PROOF_SIZE]);

#endif
