#include "bulk/import.h"

#include <errno.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/option.h"
#include "bulk/csv.h"
#include "db/refusal.h"

struct bulk_import {
	struct bulk_import_settings settings;
	size_t columns[CSV_FIELDS_MAX]; /* of the kind, by place in the file */
	size_t column_count;
	struct csv_reader reader;
	struct json rows; /* of the chunk, those to be stored */
	struct bulk_result results[BULK_CHUNK_ROWS];
	size_t result_count, row_count, total;
};

struct bulk_import *
bulk_import_new(const struct bulk_import_settings *settings)
{
	struct bulk_import *import = calloc(1, sizeof(*import));

	if (!import)
		return NULL;
	import->settings = *settings;
	csv_reader_begin(&import->reader, settings->file);
	return import;
}

void
bulk_import_close(struct bulk_import **ret)
{
	struct bulk_import *import = *ret;

	if (!import)
		return;
	json_close(&import->rows);
	free(import);
	*ret = NULL;
}

static const struct bulk_column *
column_of(const struct bulk_import *import, size_t place)
{
	return &import->settings.kind->columns[import->columns[place]];
}

/* ---- header ------------------------------------------------------------------- */

static int
unknown_column(const struct bulk_import *import, size_t place, struct err *err)
{
	const struct bulk_kind *kind = import->settings.kind;
	const char *typed = import->reader.fields[place];
	const char *known[CSV_FIELDS_MAX + 1] = { NULL };
	const char *near;

	for (size_t i = 0; i < kind->count && i < CSV_FIELDS_MAX; i++)
		known[i] = kind->columns[i].name;
	near = option_nearest(typed, known);
	return err_set(err, -EINVAL,
	    "line %zu, column %zu: there is no column \"%.60s\"%s%s%s",
	    import->reader.line, place + 1, typed,
	    near ? ", did you mean \"" : "", near ? near : "",
	    near ? "\"?" : "");
}

static int
take_column(struct bulk_import *import, size_t place, struct err *err)
{
	const struct bulk_kind *kind = import->settings.kind;
	const char *name = import->reader.fields[place];
	size_t i = 0;

	while (i < kind->count && strcmp(kind->columns[i].name, name) != 0)
		i++;
	if (i == kind->count)
		return unknown_column(import, place, err);
	for (size_t j = 0; j < place; j++)
		if (import->columns[j] == i)
			return err_set(err, -EINVAL,
			    "line %zu, column %zu: \"%s\" stands twice",
			    import->reader.line, place + 1, name);
	import->columns[place] = i;
	import->column_count = place + 1;
	return 0;
}

int
bulk_import_header(struct bulk_import *import, struct err *err)
{
	struct csv_reader *reader = &import->reader;
	enum csv_result read = csv_read(reader);
	int result = 0;

	if (read == CSV_BAD_ROW)
		return err_set(err, -EINVAL, "line %zu, column %zu: %s",
		    reader->line, reader->column, reader->problem);
	if (read != CSV_ROW)
		return err_set(err, -EINVAL,
		    "the first line must name the columns");
	for (size_t i = 0; i < reader->count && result == 0; i++)
		result = take_column(import, i, err);
	for (size_t i = 0; i < import->column_count; i++)
		if (strncmp(reader->fields[i], "dealer", strlen("dealer")) == 0)
			import->settings.dealer_id = NULL;
	return result;
}

/* ---- rows ----------------------------------------------------------------------- */

static void refuse(struct bulk_result *result, size_t column,
    const char *format, ...) __attribute__((format(printf, 3, 4)));
static void
refuse(struct bulk_result *result, size_t column, const char *format, ...)
{
	va_list args;

	result->column = column;
	snprintf(result->outcome, sizeof(result->outcome), "refused");
	va_start(args, format);
	vsnprintf(result->sentence, sizeof(result->sentence), format, args);
	va_end(args);
}

/* Refuses the row, or true. */
static bool
check_row(const struct bulk_import *import, struct bulk_result *result)
{
	const struct csv_reader *reader = &import->reader;
	size_t wanted_count = import->column_count;

	if (reader->count != wanted_count) {
		refuse(result,
		    reader->count < wanted_count ? reader->count : wanted_count,
		    "the row has %zu fields, the header has %zu", reader->count,
		    wanted_count);
		return false;
	}
	for (size_t i = 0; i < reader->count; i++) {
		const char *text = reader->fields[i];
		const char *wanted = *text
		    ? bulk_column_expected(column_of(import, i), text)
		    : NULL;

		if (wanted) {
			refuse(result, i + 1, "\"%.60s\" is not %s", text,
			    wanted);
			return false;
		}
	}
	return true;
}

static void
add_row(struct bulk_import *import)
{
	struct json *rows = &import->rows;

	if (import->row_count++ == 0)
		json_array_begin(rows, NULL);
	json_object_begin(rows, NULL);
	json_unsigned(rows, "line", import->reader.line);
	if (import->settings.dealer_id)
		json_string(rows, "dealer_id", import->settings.dealer_id);
	for (size_t i = 0; i < import->reader.count; i++)
		if (*import->reader.fields[i])
			json_string(rows, column_of(import, i)->field,
			    import->reader.fields[i]);
	json_object_end(rows);
}

/* ---- a chunk -------------------------------------------------------------------- */

static bool
lists(const char *constraints, const char *constraint)
{
	size_t length = strlen(constraint);
	const char *found = length ? strstr(constraints, constraint) : NULL;

	return found && found[length] == ' ' &&
	    (found == constraints || found[-1] == ' ');
}

/* The place in the file, from 1, of the column that a field of import_rows, or
 * else a constraint, blames; 0: none. */
static size_t
blamed(const struct bulk_import *import, const char *field,
    const char *constraint)
{
	for (size_t i = 0; i < import->column_count; i++) {
		const struct bulk_column *column = column_of(import, i);

		if (*field ? strcmp(column->field, field) == 0
			   : lists(column->constraints, constraint))
			return i + 1;
	}
	return 0;
}

static struct bulk_result *
result_of_line(struct bulk_import *import, size_t line)
{
	for (size_t i = 0; i < import->result_count; i++)
		if (import->results[i].line == line)
			return &import->results[i];
	return NULL;
}

/* columns: line, outcome, id, field, refused_by, sentence */
static void
take_result(struct bulk_import *import, PGresult *answer, int row)
{
	struct bulk_result *result = result_of_line(import,
	    strtoul(PQgetvalue(answer, row, 0), NULL, 10));
	const char *field = PQgetvalue(answer, row, 3);
	const char *constraint = PQgetvalue(answer, row, 4);
	const char *sentence = PQgetvalue(answer, row, 5);

	if (!result)
		return;
	snprintf(result->outcome, sizeof(result->outcome), "%s",
	    PQgetvalue(answer, row, 1));
	result->id = strtoull(PQgetvalue(answer, row, 2), NULL, 10);
	if (!*field && *constraint)
		sentence = refusal_of(constraint, sentence);
	snprintf(result->sentence, sizeof(result->sentence), "%s", sentence);
	if (strcmp(result->outcome, "refused") == 0)
		result->column = blamed(import, field, constraint);
}

/* What the database says of the rows gathered, into their results. */
static int
store_rows(struct bulk_import *import, struct db *db, struct err *err)
{
	const char *values[] = { import->settings.kind->name, NULL };
	PGresult *answer;
	int code;

	if (import->row_count == 0)
		return 0;
	json_array_end(&import->rows);
	values[1] = json_text(&import->rows);
	if (!values[1])
		return err_set(err, -ENOMEM, "out of memory");
	answer = db_query(db,
	    "SELECT line, outcome, id, field, refused_by, sentence "
	    "FROM tocsin.import_rows($1, $2::jsonb)",
	    2, values, &code, err);
	if (!answer)
		return code;
	for (int i = 0; i < PQntuples(answer); i++)
		take_result(import, answer, i);
	PQclear(answer);
	return 0;
}

/* Store the rows gathered, tell what became of each, begin anew. */
static int
end_chunk(struct bulk_import *import, struct db *db, struct err *err)
{
	int code = store_rows(import, db, err);

	if (code < 0)
		return code;
	for (size_t i = 0; i < import->result_count; i++) {
		struct bulk_result *result = &import->results[i];
		bool named = result->column > 0 &&
		    result->column <= import->column_count;

		result->name =
		    named ? column_of(import, result->column - 1)->name : "";
		import->settings.result(import->settings.context, result);
	}
	json_reset(&import->rows);
	import->result_count = import->row_count = 0;
	return 0;
}

static int
take_row(struct bulk_import *import, enum csv_result read, struct err *err)
{
	const struct csv_reader *reader = &import->reader;
	struct bulk_result *result = &import->results[import->result_count++];

	*result = (struct bulk_result){ .line = reader->line };
	if (read == CSV_BAD_ROW)
		refuse(result, reader->column, "%s", reader->problem);
	else if (check_row(import, result))
		add_row(import);
	import->total++;
	if (import->settings.rows_max &&
	    import->total > import->settings.rows_max)
		return err_set(err, -EFBIG, "there are more than %zu rows",
		    import->settings.rows_max);
	return 0;
}

int
bulk_import_rows(struct bulk_import *import, struct db *db, struct err *err)
{
	enum csv_result read = CSV_END;
	int code = 0;

	while (code == 0 &&
	    ((read = csv_read(&import->reader)) == CSV_ROW ||
		read == CSV_BAD_ROW)) {
		code = take_row(import, read, err);
		if (code == 0 && import->result_count == BULK_CHUNK_ROWS)
			code = end_chunk(import, db, err);
	}
	if (code == 0)
		code = end_chunk(import, db, err);
	if (code == 0 && read == CSV_FAILED)
		code = err_set(err, -ENODATA, "cannot read on: %s",
		    strerror(errno));
	return code;
}

void
bulk_import_failed_lines(const struct bulk_import *import, size_t *ret_first,
    size_t *ret_last)
{
	*ret_first = import->results[0].line;
	*ret_last = import->results[import->result_count - 1].line;
}
