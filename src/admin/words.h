/* A request line of the control protocol, taken apart. */
#ifndef ADMIN_WORDS_H
#define ADMIN_WORDS_H

#include "admin/protocol.h"
#include "base/err.h"

struct words {
	unsigned count;
	const char *word[ADMIN_WORDS_MAX]; /* into text */
	char text[ADMIN_REQUEST_MAX];
};

/*
 * Words stand between spaces; one with spaces (or none at all) in double
 * quotes, inside which "" is a quote. 0, or -EINVAL with the reason: an open
 * quote, one in the middle of a word, a control character, too many words.
 */
int words_parse(const char *line, struct words *ret, struct err *err);

#endif
