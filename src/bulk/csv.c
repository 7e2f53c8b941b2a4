#include "bulk/csv.h"

#include <errno.h>
#include <string.h>

#include "base/text.h"

void
csv_reader_begin(struct csv_reader *reader, FILE *file)
{
	reader->file = file;
	reader->next_line = 1;
	reader->began = false;
}

static int
next_byte(struct csv_reader *reader)
{
	int c = getc_unlocked(reader->file);

	if (c == '\n')
		reader->next_line++;
	return c;
}

static bool
next_is(struct csv_reader *reader, int wanted)
{
	int c = getc_unlocked(reader->file);

	if (c == wanted)
		return true;
	ungetc(c, reader->file);
	return false;
}

/* The first problem of a row is the one that is told. */
static void
complain(struct csv_reader *reader, const char *problem)
{
	if (reader->problem)
		return;
	reader->problem = problem;
	reader->column = reader->count + 1;
}

static void
add(struct csv_reader *reader, int c)
{
	if (c == '\0')
		complain(reader, "a zero byte is no text");
	else if (reader->length + 1 < sizeof(reader->text))
		reader->text[reader->length++] = (char)c;
	else
		complain(reader, "the row is longer than 64 KiB");
}

static void
end_field(struct csv_reader *reader, size_t begin)
{
	struct slice field =
	    slice_of(reader->text + begin, reader->length - begin);

	if (!text_is_utf8(field))
		complain(reader, "this is not UTF-8: save the file as UTF-8");
	if (reader->count == CSV_FIELDS_MAX) {
		complain(reader, "too many fields");
		return;
	}
	reader->fields[reader->count++] = reader->text + begin;
	reader->text[reader->length] = '\0';
	if (reader->length + 1 < sizeof(reader->text))
		reader->length++;
}

/* Up to the closing quote. */
static void
read_quoted(struct csv_reader *reader)
{
	int c;

	while ((c = next_byte(reader)) != EOF) {
		if (c == '"' && !next_is(reader, '"'))
			return;
		add(reader, c);
	}
	complain(reader, "the quote that begins this field is never closed");
}

/* Returns what ended the field: a comma, a line feed or EOF. */
static int
read_field(struct csv_reader *reader)
{
	size_t begin = reader->length;
	bool quoted = next_is(reader, '"');
	int c;

	if (quoted)
		read_quoted(reader);
	while ((c = next_byte(reader)) != ',' && c != '\n' && c != EOF) {
		if (c == '\r' && next_is(reader, '\n')) {
			reader->next_line++;
			c = '\n';
			break;
		}
		if (quoted)
			complain(reader, "text follows the closing quote");
		else if (c == '"')
			complain(reader,
			    "a quote inside a field: put the whole field in "
			    "quotes and double this one");
		add(reader, c);
	}
	end_field(reader, begin);
	return c;
}

static void
pass_byte_order_mark(struct csv_reader *reader)
{
	if (!reader->began && next_is(reader, 0xef) &&
	    !(next_is(reader, 0xbb) && next_is(reader, 0xbf)))
		complain(reader, "this is not UTF-8: save the file as UTF-8");
	reader->began = true;
}

enum csv_result
csv_read(struct csv_reader *reader)
{
	int end;

	do {
		reader->line = reader->next_line;
		reader->count = reader->length = 0;
		reader->problem = NULL;
		pass_byte_order_mark(reader);
		do
			end = read_field(reader);
		while (end == ',');
		if (ferror(reader->file))
			return CSV_FAILED;
		if (reader->problem)
			return CSV_BAD_ROW;
		if (reader->count > 1 || *reader->fields[0])
			return CSV_ROW;
	} while (end != EOF);
	return CSV_END;
}

void
csv_write_field(FILE *file, const char *field, bool last)
{
	bool quote = field && field[strcspn(field, ",\"\r\n")];

	if (quote)
		putc('"', file);
	for (; field && *field; field++) {
		if (*field == '"')
			putc('"', file);
		putc(*field, file);
	}
	if (quote)
		putc('"', file);
	fputs(last ? "\r\n" : ",", file);
}
