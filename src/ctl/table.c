#include "ctl/table.h"

#include <stdio.h>
#include <stdlib.h>

/* What takes a column on the terminal: UTF-8 continuation bytes do not. */
static size_t
text_width(const char *text)
{
	size_t width = 0;

	for (; *text; text++)
		width += ((unsigned char)*text & 0xc0) != 0x80;
	return width;
}

static void
print_cell(const char *text, size_t width, bool last)
{
	size_t own = text_width(text);

	fputs(text, stdout);
	if (last)
		putchar('\n');
	else
		printf("%*s", (int)(width - own) + 2, "");
}

static const char *
cell_text(const char *cell)
{
	return cell && *cell ? cell : "-";
}

static void
print_columns(const struct table *table)
{
	size_t *widths = calloc(table->columns + 1, sizeof(*widths));

	for (size_t i = 0; widths && i < table->columns; i++) {
		widths[i] = text_width(table->names[i]);
		for (size_t row = 0; row < table->rows; row++) {
			size_t width = text_width(cell_text(table->cells[row *
				table->columns +
			    i]));

			if (width > widths[i])
				widths[i] = width;
		}
	}
	for (size_t i = 0; widths && i < table->columns; i++)
		print_cell(table->names[i], widths[i], i + 1 == table->columns);
	for (size_t i = 0; widths && i < table->rows * table->columns; i++)
		print_cell(cell_text(table->cells[i]),
		    widths[i % table->columns], (i + 1) % table->columns == 0);
	free(widths);
}

static void
print_fields(const struct table *table)
{
	size_t width = 0;

	for (size_t i = 0; i < table->columns; i++)
		if (text_width(table->names[i]) > width)
			width = text_width(table->names[i]);
	for (size_t i = 0; i < table->rows * table->columns; i++) {
		if (i > 0 && i % table->columns == 0)
			putchar('\n');
		print_cell(table->names[i % table->columns], width, false);
		print_cell(cell_text(table->cells[i]), 0, true);
	}
}

void
table_print(const struct table *table, bool single)
{
	if (single)
		print_fields(table);
	else
		print_columns(table);
}

bool
table_create(struct table *table, size_t columns, size_t rows)
{
	table->columns = columns;
	table->rows = rows;
	table->names = calloc(columns + 1, sizeof(*table->names));
	table->cells = calloc(columns * rows + 1, sizeof(*table->cells));
	return table->names && table->cells;
}

void
table_close(struct table *table)
{
	for (size_t i = 0; table->names && i < table->columns; i++)
		free(table->names[i]);
	for (size_t i = 0; table->cells && i < table->columns * table->rows;
	     i++)
		free(table->cells[i]);
	free(table->names);
	free(table->cells);
}
