#include <errno.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "base/exit.h"
#include "base/json.h"
#include "base/slice.h"
#include "base/text.h"
#include "ctl/bulk.h"
#include "ctl/connection.h"
#include "ctl/csv.h"
#include "db/refusal.h"

/* Rows that are stored together, in a transaction of their own. */
#define CHUNK_ROWS 1000

/* What became of one row. */
struct row_result {
	size_t line, column; /* column 0: none is to blame */
	uint64_t id;
	char outcome[8];
	char sentence[300];
};

struct import {
	const struct bulk_kind *kind;
	struct ctl_arguments arguments;
	bool dry_run, json;
	size_t columns[CSV_FIELDS_MAX]; /* of the kind, by place in the file */
	size_t column_count;
	const char *dealer_id; /* for rows that do not say; NULL: none */
	struct csv_reader reader;
	struct json rows; /* of the chunk, those to be stored */
	struct row_result results[CHUNK_ROWS];
	size_t result_count, row_count;
	unsigned long stored, there, refused;
	struct db db;
	struct err err;
};

static const struct ctl_option options[] = {
	{ "dealer", "ID", "of rows when no column says whose" },
	{ "dry-run", NULL, "tell what would happen, store nothing" },
	{ "refused", NULL, "print only the rows that are refused" },
	CTL_DATABASE_OPTIONS,
	{ "json", NULL, "one object a line" },
	{ NULL },
};

/* ---- header ------------------------------------------------------------------- */

static const char *
column_at(const void *table, size_t index)
{
	return ((const struct bulk_column *)table)[index].name;
}

static int
unknown_column(const struct import *import, size_t place)
{
	const char *typed = import->reader.fields[place];
	const char *near = ctl_nearest(typed, column_at, import->kind->columns,
	    import->kind->count);

	return ctl_fail(EXIT_STATUS_CONFIG,
	    "line %zu, column %zu: there is no column \"%s\"%s%s%s",
	    import->reader.line, place + 1, typed,
	    near ? ", did you mean \"" : "", near ? near : "",
	    near ? "\"?" : "");
}

static int
take_column(struct import *import, size_t place)
{
	const char *name = import->reader.fields[place];
	size_t i = 0;

	while (i < import->kind->count &&
	    strcmp(import->kind->columns[i].name, name) != 0)
		i++;
	if (i == import->kind->count)
		return unknown_column(import, place);
	for (size_t j = 0; j < place; j++)
		if (import->columns[j] == i)
			return ctl_fail(EXIT_STATUS_CONFIG,
			    "line %zu, column %zu: \"%s\" stands twice",
			    import->reader.line, place + 1, name);
	import->columns[place] = i;
	import->column_count = place + 1;
	return EXIT_STATUS_OK;
}

/* The place of a column in the file, from 1; 0: not there. */
static size_t
place_of(const struct import *import, const struct bulk_column *column)
{
	for (size_t i = 0; i < import->column_count; i++)
		if (&import->kind->columns[import->columns[i]] == column)
			return i + 1;
	return 0;
}

static int
take_header(struct import *import)
{
	struct csv_reader *reader = &import->reader;
	enum csv_result result = csv_read(reader);
	int status = EXIT_STATUS_OK;

	if (result == CSV_BAD_ROW)
		return ctl_fail(EXIT_STATUS_CONFIG, "line %zu, column %zu: %s",
		    reader->line, reader->column, reader->problem);
	if (result != CSV_ROW)
		return ctl_fail(EXIT_STATUS_CONFIG,
		    "%s: the first line must name the columns",
		    import->arguments.words[0]);
	for (size_t i = 0; i < reader->count && status == EXIT_STATUS_OK; i++)
		status = take_column(import, i);
	import->dealer_id = ctl_value(&import->arguments, "dealer");
	for (size_t i = 0; i < import->column_count; i++)
		if (strncmp(reader->fields[i], "dealer", strlen("dealer")) == 0)
			import->dealer_id = NULL;
	return status;
}

/* ---- rows ----------------------------------------------------------------------- */

static void refuse(struct row_result *result, size_t column, const char *format,
    ...) __attribute__((format(printf, 3, 4)));
static void
refuse(struct row_result *result, size_t column, const char *format, ...)
{
	va_list args;

	result->column = column;
	snprintf(result->outcome, sizeof(result->outcome), "refused");
	va_start(args, format);
	vsnprintf(result->sentence, sizeof(result->sentence), format, args);
	va_end(args);
}

static bool
is_number(const struct bulk_column *column, const char *text)
{
	unsigned long number;

	return slice_to_number(slice_from_string(text), 10, &number) == 0 &&
	    number <= (unsigned long)column->maximum;
}

static bool
is_real(const char *text)
{
	char *end;
	double number = strtod(text, &end);

	return end != text && *end == '\0' && isfinite(number);
}

static bool
is_boolean(const char *text)
{
	static const char *const words[] = { "yes", "no", "true", "false", "t",
		"f" };

	for (size_t i = 0; i < COUNT(words); i++)
		if (strcmp(text, words[i]) == 0)
			return true;
	return false;
}

static bool
is_mac(const char *text)
{
	unsigned digits = 0;

	for (; *text; text++)
		if (strchr("0123456789abcdefABCDEF", *text))
			digits++;
		else if (!strchr(":-.", *text))
			return false;
	return digits == 12;
}

/* NULL: it is of the column's type; else what it would have to be. */
static const char *
expected(const struct bulk_column *column, const char *text)
{
	switch (column->type) {
	case BULK_TEXT:
		return NULL;
	case BULK_NUMBER:
		return is_number(column, text) ? NULL : "a whole number";
	case BULK_REAL:
		return is_real(text) ? NULL : "a number with a decimal point";
	case BULK_BOOLEAN:
		return is_boolean(text) ? NULL : "yes or no";
	case BULK_MAC:
		return is_mac(text) ? NULL : "a MAC such as 00:1b:44:11:3a:b7";
	}
	return NULL;
}

/* Refuses the row, or true. */
static bool
check_row(struct import *import, struct row_result *result)
{
	const struct csv_reader *reader = &import->reader;

	if (reader->count != import->column_count) {
		refuse(result,
		    reader->count < import->column_count ? reader->count
							 : import->column_count,
		    "the row has %zu fields, the header has %zu", reader->count,
		    import->column_count);
		return false;
	}
	for (size_t i = 0; i < reader->count; i++) {
		const char *text = reader->fields[i];
		const char *wanted = *text
		    ? expected(&import->kind->columns[import->columns[i]], text)
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
add_row(struct import *import)
{
	struct json *rows = &import->rows;

	if (import->row_count++ == 0)
		json_array_begin(rows, NULL);
	json_object_begin(rows, NULL);
	json_unsigned(rows, "line", import->reader.line);
	if (import->dealer_id)
		json_string(rows, "dealer_id", import->dealer_id);
	for (size_t i = 0; i < import->reader.count; i++)
		if (*import->reader.fields[i])
			json_string(rows,
			    import->kind->columns[import->columns[i]].field,
			    import->reader.fields[i]);
	json_object_end(rows);
}

/* ---- results -------------------------------------------------------------------- */

static void
count_result(struct import *import, const struct row_result *result)
{
	if (strcmp(result->outcome, "stored") == 0)
		import->stored++;
	else if (strcmp(result->outcome, "there") == 0)
		import->there++;
	else
		import->refused++;
}

static void
print_json_line(struct json *json)
{
	json_newline(json);
	fputs(json_text(json), stdout);
	json_close(json);
}

static void
print_json(const struct import *import, const struct row_result *result)
{
	struct json json = { 0 };

	json_object_begin(&json, NULL);
	json_unsigned(&json, "line", result->line);
	json_string(&json, "outcome", result->outcome);
	if (result->id)
		json_unsigned(&json, "id", result->id);
	if (result->column) {
		json_unsigned(&json, "column", result->column);
		json_string(&json, "name",
		    result->column <= import->column_count
			? import->kind
			      ->columns[import->columns[result->column - 1]]
			      .name
			: "");
	}
	if (*result->sentence)
		json_string(&json, "sentence", result->sentence);
	json_object_end(&json);
	print_json_line(&json);
}

static void
print_text(const struct import *import, const struct row_result *result)
{
	printf("line %zu", result->line);
	if (result->column > 0 && result->column <= import->column_count)
		printf(", column %zu (%s)", result->column,
		    import->kind->columns[import->columns[result->column - 1]]
			.name);
	if (strcmp(result->outcome, "refused") == 0)
		printf(": refused");
	else if (strcmp(result->outcome, "there") == 0)
		printf(": there already, %s %llu", import->kind->name,
		    (unsigned long long)result->id);
	else if (import->dry_run)
		printf(": good");
	else
		printf(": stored, %s %llu", import->kind->name,
		    (unsigned long long)result->id);
	printf("%s%s\n", *result->sentence ? ": " : "", result->sentence);
}

static void
print_results(struct import *import)
{
	bool only_refused = ctl_flag(&import->arguments, "refused");

	for (size_t i = 0; i < import->result_count; i++) {
		struct row_result *result = &import->results[i];

		count_result(import, result);
		if (only_refused && strcmp(result->outcome, "refused") != 0)
			continue;
		if (import->dry_run && strcmp(result->outcome, "stored") == 0)
			result->id = 0; /* it is none */
		if (import->json)
			print_json(import, result);
		else
			print_text(import, result);
	}
}

static void
print_summary(const struct import *import)
{
	unsigned long rows = import->stored + import->there + import->refused;
	struct json json = { 0 };

	if (!import->json) {
		printf("%lu rows: %lu %s, %lu there already, %lu refused\n",
		    rows, import->stored, import->dry_run ? "good" : "stored",
		    import->there, import->refused);
		return;
	}
	json_object_begin(&json, NULL);
	json_unsigned(&json, "rows", rows);
	json_unsigned(&json, "stored", import->stored);
	json_unsigned(&json, "there", import->there);
	json_unsigned(&json, "refused", import->refused);
	json_boolean(&json, "dry_run", import->dry_run);
	json_object_end(&json);
	print_json_line(&json);
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

/* The column that a field of import_rows, or else a constraint, blames; 0:
 * none. */
static size_t
blamed(const struct import *import, const char *field, const char *constraint)
{
	for (size_t i = 0; i < import->kind->count; i++) {
		const struct bulk_column *column = &import->kind->columns[i];

		if (*field ? strcmp(column->field, field) == 0
			   : lists(column->constraints, constraint))
			return place_of(import, column);
	}
	return 0;
}

static struct row_result *
result_of_line(struct import *import, size_t line)
{
	for (size_t i = 0; i < import->result_count; i++)
		if (import->results[i].line == line)
			return &import->results[i];
	return NULL;
}

/* columns: line, outcome, id, field, refused_by, sentence */
static void
take_result(struct import *import, PGresult *answer, int row)
{
	struct row_result *result = result_of_line(import,
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

static int
chunk_failed(const struct import *import, int code)
{
	const struct row_result *results = import->results;

	if (!import->dry_run)
		fprintf(stderr,
		    "tocsinctl: lines %zu to %zu are not stored, those before "
		    "are; import the file again to go on\n",
		    results[0].line, results[import->result_count - 1].line);
	return ctl_database_status(code, &import->err);
}

/* What the database says of the rows gathered, into their results. */
static int
store_rows(struct import *import)
{
	const char *values[] = { import->kind->name, NULL };
	PGresult *answer;
	int code;

	if (import->row_count == 0)
		return EXIT_STATUS_OK;
	json_array_end(&import->rows);
	values[1] = json_text(&import->rows);
	if (!values[1])
		return ctl_fail(EXIT_STATUS_SOFTWARE, "out of memory");
	answer = db_query(&import->db,
	    "SELECT line, outcome, id, field, refused_by, sentence "
	    "FROM tocsin.import_rows($1, $2::jsonb)",
	    2, values, &code, &import->err);
	if (!answer)
		return chunk_failed(import, code);
	for (int i = 0; i < PQntuples(answer); i++)
		take_result(import, answer, i);
	PQclear(answer);
	return EXIT_STATUS_OK;
}

/* Store the rows gathered, print what became of each, begin anew. */
static int
end_chunk(struct import *import)
{
	int status = store_rows(import);

	if (status != EXIT_STATUS_OK)
		return status;
	print_results(import);
	json_reset(&import->rows);
	import->result_count = import->row_count = 0;
	return EXIT_STATUS_OK;
}

static int
import_rows(struct import *import)
{
	struct csv_reader *reader = &import->reader;
	enum csv_result read;
	int status = EXIT_STATUS_OK;

	while (status == EXIT_STATUS_OK &&
	    ((read = csv_read(reader)) == CSV_ROW || read == CSV_BAD_ROW)) {
		struct row_result *result =
		    &import->results[import->result_count++];

		*result = (struct row_result){ .line = reader->line };
		if (read == CSV_BAD_ROW)
			refuse(result, reader->column, "%s", reader->problem);
		else if (check_row(import, result))
			add_row(import);
		if (import->result_count == CHUNK_ROWS)
			status = end_chunk(import);
	}
	if (status == EXIT_STATUS_OK)
		status = end_chunk(import);
	if (status == EXIT_STATUS_OK && read == CSV_FAILED)
		return ctl_fail(EXIT_STATUS_NO_PERMISSION,
		    "cannot read on in %s: %s", import->arguments.words[0],
		    strerror(errno));
	return status;
}

/* ---- the command ------------------------------------------------------------------ */

static int
import_into_database(struct import *import)
{
	int status = ctl_connect(&import->db, &import->arguments);

	if (status != EXIT_STATUS_OK)
		return status;
	if (import->dry_run &&
	    db_execute(&import->db, "BEGIN", &import->err) < 0)
		return ctl_database_status(-ENOTCONN, &import->err);
	status = import_rows(import);
	if (import->dry_run)
		db_execute(&import->db, "ROLLBACK", &import->err);
	print_summary(import);
	return status == EXIT_STATUS_OK && import->refused > 0
	    ? EXIT_STATUS_FAILED
	    : status;
}

static int
import_file(struct import *import)
{
	const char *path = import->arguments.words[0];
	bool standard = strcmp(path, "-") == 0;
	FILE *file = standard ? stdin : fopen(path, "re");
	int status;

	if (!file)
		return ctl_fail(EXIT_STATUS_NO_PERMISSION, "cannot open %s: %s",
		    path, strerror(errno));
	csv_reader_begin(&import->reader, file);
	status = take_header(import);
	if (status == EXIT_STATUS_OK)
		status = import_into_database(import);
	if (!standard)
		fclose(file);
	return status;
}

static int
check_arguments(struct import *import, const char *command)
{
	static const struct bulk_column id = { .maximum = INT64_MAX };
	const char *dealer = ctl_value(&import->arguments, "dealer");

	if (import->arguments.word_count == 0)
		return ctl_fail(EXIT_STATUS_USAGE,
		    "%s: which file? - is the standard input", command);
	if (dealer && !is_number(&id, dealer))
		return ctl_fail(EXIT_STATUS_USAGE,
		    "%s: --dealer is a whole number, not \"%s\"", command,
		    dealer);
	import->dry_run = ctl_flag(&import->arguments, "dry-run");
	import->json = ctl_flag(&import->arguments, "json");
	return CTL_GO_ON;
}

int
bulk_import(const char *kind, int argc, char **argv)
{
	struct import *import = calloc(1, sizeof(*import));
	char command[64];
	int status;

	if (!import)
		return ctl_fail(EXIT_STATUS_SOFTWARE, "out of memory");
	import->kind = bulk_kind_find(kind);
	snprintf(command, sizeof(command), "%s import", kind);
	status = ctl_parse(command, "FILE.csv [OPTION]...", options, 1, argc,
	    argv, &import->arguments);
	if (status == CTL_GO_ON)
		status = check_arguments(import, command);
	if (status == CTL_GO_ON)
		status = import_file(import);
	db_close(&import->db);
	json_close(&import->rows);
	free(import);
	return status;
}
