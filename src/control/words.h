/* A request line of the control protocol, taken apart. */
#ifndef CONTROL_WORDS_H
#define CONTROL_WORDS_H

#include "base/err.h"
#include "control/protocol.h"

struct words {
	unsigned count;
	const char *word[CONTROL_WORDS_MAX]; /* into text */
	char text[CONTROL_REQUEST_MAX];
};

/*
 * Words stand between spaces; one with spaces (or none at all) in double
 * quotes, inside which "" is a quote. 0, or -EINVAL with the reason: an open
 * quote, one in the middle of a word, a control character, too many words.
 */
int words_parse(const char *line, struct words *ret, struct err *err);

/* One word as the protocol wants it, behind a space unless it is the first.
 * Returns the new length, or -EMSGSIZE / -EINVAL (a line break). */
int words_quote(char *line, int length, int size, const char *word);

#endif
