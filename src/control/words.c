#include "control/words.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>

/* A quoted word from after its first quote; returns where it ended, NULL when
 * it did not. */
static const char *
copy_quoted(const char *from, char **to)
{
	for (;; from++) {
		if (*from == '\0')
			return NULL;
		if (*from == '"' && *++from != '"')
			return from;
		*(*to)++ = *from;
	}
}

static int
next_word(const char **line, char **to, struct err *err)
{
	const char *from = *line;

	if (*from == '"') {
		from = copy_quoted(from + 1, to);
		if (!from)
			return err_set(err, -EINVAL, "a quote is not closed");
	} else {
		while (*from && *from != ' ' && *from != '"')
			*(*to)++ = *from++;
	}
	if (*from && *from != ' ')
		return err_set(err, -EINVAL,
		    "a quote stands in the middle of a word");
	*(*to)++ = '\0';
	*line = from;
	return 0;
}

int
words_parse(const char *line, struct words *ret, struct err *err)
{
	char *to = ret->text;
	int result = 0;

	ret->count = 0;
	if (strlen(line) >= sizeof(ret->text))
		return err_set(err, -EINVAL, "the request is too long");
	for (const char *c = line; *c; c++)
		if ((unsigned char)*c < ' ' || *c == 0x7f)
			return err_set(err, -EINVAL,
			    "the request holds a control character");
	for (line += strspn(line, " "); *line && result == 0;
	     line += strspn(line, " ")) {
		if (ret->count == CONTROL_WORDS_MAX)
			return err_set(err, -EINVAL,
			    "the request has more than %d words",
			    CONTROL_WORDS_MAX);
		ret->word[ret->count++] = to;
		result = next_word(&line, &to, err);
	}
	return result;
}

/* ---- the other way ---- */

static bool
needs_quotes(const char *word)
{
	return *word == '\0' || strpbrk(word, " \t\"");
}

int
words_quote(char *line, int length, int size, const char *word)
{
	bool quotes = needs_quotes(word);

	if (strpbrk(word, "\r\n"))
		return -EINVAL;
	/* every byte doubled, quotes, space, line end */
	if ((size_t)(size - length) < 2 * strlen(word) + 4)
		return -EMSGSIZE;
	if (length > 0)
		line[length++] = ' ';
	if (quotes)
		line[length++] = '"';
	for (; *word; word++) {
		if (*word == '"')
			line[length++] = '"';
		line[length++] = *word;
	}
	if (quotes)
		line[length++] = '"';
	return length;
}
