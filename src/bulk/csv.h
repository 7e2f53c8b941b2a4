/*
 * Comma-separated values as in RFC 4180: fields in double quotes may hold
 * commas, line breaks and doubled quotes. UTF-8 with or without byte order
 * mark; lines end with LF or CRLF. Empty lines are no rows.
 */
#ifndef BULK_CSV_H
#define BULK_CSV_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#define CSV_FIELDS_MAX	  64
#define CSV_ROW_BYTES_MAX (64 * 1024)

enum csv_result {
	CSV_ROW,
	CSV_BAD_ROW, /* passed over; column and problem say why */
	CSV_END,
	CSV_FAILED, /* the file cannot be read on: errno */
};

struct csv_reader {
	FILE *file; /* borrowed */
	size_t next_line;
	bool began;

	/* the row, until the next call */
	size_t line; /* where it begins, from 1 */
	size_t count;
	const char *fields[CSV_FIELDS_MAX];
	size_t column; /* from 1, of a bad row */
	const char *problem;

	size_t length; /* of text */
	char text[CSV_ROW_BYTES_MAX];
};

void csv_reader_begin(struct csv_reader *reader, FILE *file);
enum csv_result csv_read(struct csv_reader *reader);

/* In quotes where it has to be. NULL is written as nothing. */
void csv_write_field(FILE *file, const char *field, bool last);

#endif
