#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "ctl/table.h"

/* pg_type.dat */
#define TYPE_BOOL  16
#define TYPE_INT8  20
#define TYPE_INT2  21
#define TYPE_INT4  23
#define TYPE_JSONB 3802

static void
result_json_field(struct json *json, const PGresult *result, int row,
    int column)
{
	const char *name = PQfname(result, column);
	const char *text = PQgetvalue(result, row, column);

	if (PQgetisnull(result, row, column))
		json_null(json, name);
	else
		switch (PQftype(result, column)) {
		case TYPE_BOOL:
			json_boolean(json, name, *text == 't');
			break;
		case TYPE_INT2:
		case TYPE_INT4:
		case TYPE_INT8:
			json_integer(json, name, strtoll(text, NULL, 10));
			break;
		case TYPE_JSONB:
			json_raw(json, name, text);
			break;
		default:
			json_string(json, name, text);
		}
}

static void
result_json(const PGresult *result)
{
	struct json json = { 0 };

	for (int row = 0; row < PQntuples(result); row++) {
		json_reset(&json);
		json_object_begin(&json, NULL);
		for (int i = 0; i < PQnfields(result); i++)
			result_json_field(&json, result, row, i);
		json_object_end(&json);
		puts(json_text(&json) ? json_text(&json) : "");
	}
	json_close(&json);
}

static char *
result_cell(const PGresult *result, int row, int column)
{
	const char *text = PQgetvalue(result, row, column);

	if (PQgetisnull(result, row, column))
		return NULL;
	if (PQftype(result, column) == TYPE_BOOL)
		text = *text == 't' ? "yes" : "no";
	return strdup(text);
}

void
table_print_result(const PGresult *result, bool json, bool single)
{
	struct table table;
	int columns = PQnfields(result), rows = PQntuples(result);

	if (json) {
		result_json(result);
		return;
	}
	if (table_create(&table, (size_t)columns, (size_t)rows)) {
		for (int i = 0; i < columns; i++)
			table.names[i] = strdup(PQfname(result, i));
		for (int i = 0; i < rows * columns; i++)
			table.cells[i] =
			    result_cell(result, i / columns, i % columns);
		table_print(&table, single);
	}
	table_close(&table);
}
