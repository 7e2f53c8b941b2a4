#include "db/copy.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define REPLACEMENT "\xef\xbf\xbd" /* U+FFFD */

static char
unescape_char(char c)
{
	switch (c) {
	case 'b':
		return '\b';
	case 'f':
		return '\f';
	case 'n':
		return '\n';
	case 'r':
		return '\r';
	case 't':
		return '\t';
	case 'v':
		return '\v';
	default:
		return c;
	}
}

/* The server never writes the octal and hexadecimal forms it can read. */
static char *
unescape_field(char *field)
{
	char *out = strchr(field, '\\');

	if (!out)
		return field;
	if (strcmp(field, "\\N") == 0)
		return NULL;
	for (const char *in = out; *in; in++) {
		if (*in == '\\' && in[1])
			*out++ = unescape_char(*++in);
		else
			*out++ = *in;
	}
	*out = '\0';
	return field;
}

int
copy_split(char *line, int max, char **ret_fields)
{
	int count = 0;

	line[strcspn(line, "\n")] = '\0';
	for (char *field = line; field;) {
		char *tab = strchr(field, '\t');

		if (count == max)
			return -EPROTO;
		if (tab)
			*tab++ = '\0';
		ret_fields[count++] = unescape_field(field);
		field = tab;
	}
	return count;
}

static char *
make_room(struct db_copy *copy, size_t length)
{
	size_t size = copy->size ? copy->size : 4096;
	char *text;

	if (copy->failed)
		return NULL;
	while (size - copy->length < length)
		size *= 2;
	if (size != copy->size) {
		text = realloc(copy->text, size);
		if (!text) {
			copy->failed = true;
			return NULL;
		}
		copy->text = text;
		copy->size = size;
	}
	return copy->text + copy->length;
}

static const char *
escape_byte(char c)
{
	switch (c) {
	case '\0':
		return REPLACEMENT;
	case '\\':
		return "\\\\";
	case '\n':
		return "\\n";
	case '\r':
		return "\\r";
	case '\t':
		return "\\t";
	default:
		return NULL;
	}
}

void
db_copy_field(struct db_copy *copy, const char *data, size_t length)
{
	/* worst case: every byte a replacement character, and the tab */
	char *out = make_room(copy, length * (sizeof(REPLACEMENT) - 1) + 1);

	if (!out)
		return;
	for (size_t i = 0; i < length; i++) {
		const char *escaped = escape_byte(data[i]);

		if (escaped)
			out = stpcpy(out, escaped);
		else
			*out++ = data[i];
	}
	*out++ = '\t'; /* db_copy_end_row makes the last one a newline */
	copy->length = (size_t)(out - copy->text);
}

void
db_copy_null(struct db_copy *copy)
{
	char *out = make_room(copy, 3);

	if (!out)
		return;
	memcpy(out, "\\N\t", 3);
	copy->length += 3;
}

void
db_copy_end_row(struct db_copy *copy)
{
	if (!copy->failed)
		copy->text[copy->length - 1] = '\n';
}

void
db_copy_reset(struct db_copy *copy)
{
	copy->length = 0;
	copy->failed = false;
}

void
db_copy_close(struct db_copy *copy)
{
	free(copy->text);
	*copy = (struct db_copy){ 0 };
}
