/* Secrets that a person gives: never an argument, which others could read. */
#ifndef CTL_SECRET_H
#define CTL_SECRET_H

#include "base/err.h"

/*
 * The first line of the file; "-" is the standard input, where a terminal is
 * asked for what without showing what is typed. Owned (secret_free), NULL with
 * the sentence, which never holds the secret.
 */
char *secret_read(const char *file, const char *what, struct err *err);
/* The same for a new one: on a terminal it is asked for twice, and -EINVAL is
 * said when the two differ. */
char *secret_read_new(const char *file, const char *what, struct err *err);

/* Overwrite and free; NULL is accepted. */
void secret_free(char *secret);

#endif
