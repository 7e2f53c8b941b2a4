#include "codec/http_wire.h"

#include <string.h>
#include <strings.h>

struct slice
http_take_until(struct slice *from, const char *separator)
{
	size_t length = strlen(separator);
	const char *at = from->length > 0
	    ? memmem(from->data, from->length, separator, length)
	    : NULL;
	struct slice part =
	    at ? slice_of(from->data, (size_t)(at - from->data)) : *from;

	*from = at ? slice_part(*from, part.length + length, from->length)
		   : slice_part(*from, from->length, 0);
	return part;
}

struct slice
http_trim(struct slice s)
{
	while (s.length > 0 && (*s.data == ' ' || *s.data == '\t'))
		s = slice_part(s, 1, s.length);
	while (s.length > 0 &&
	    (s.data[s.length - 1] == ' ' || s.data[s.length - 1] == '\t'))
		s.length--;
	return s;
}

bool
http_same_word(struct slice s, const char *word)
{
	return s.length == strlen(word) &&
	    strncasecmp(s.data, word, s.length) == 0;
}
