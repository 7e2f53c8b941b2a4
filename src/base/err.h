/*
 * One sentence for a human, carried beside the -errno that says the kind.
 * Filled where the reason is known, logged once at the top.
 */
#ifndef BASE_ERR_H
#define BASE_ERR_H

struct err {
	char text[512];
};

/*
 * Write the sentence (err may be NULL) and return code, so that a failing
 * function can end with: return err_set(err, -EINVAL, "...", ...);
 */
int err_set(struct err *err, int code, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* As err_set with code -errno, ": <strerror>" appended. */
int err_set_errno(struct err *err, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* Put "<context>: " before the sentence already there; returns code. */
int err_prefix(struct err *err, int code, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

#endif
