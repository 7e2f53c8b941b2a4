#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/exit.h"
#include "base/json.h"
#include "bulk/import.h"
#include "ctl/bulk.h"
#include "ctl/connection.h"

struct import {
	const struct bulk_kind *kind;
	struct ctl_arguments arguments;
	bool dry_run, json;
	struct bulk_import *rows;
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

/* ---- results -------------------------------------------------------------------- */

static void
count_result(struct import *import, const struct bulk_result *result)
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
print_json(const struct bulk_result *result, uint64_t id)
{
	struct json json = { 0 };

	json_object_begin(&json, NULL);
	json_unsigned(&json, "line", result->line);
	json_string(&json, "outcome", result->outcome);
	if (id)
		json_unsigned(&json, "id", id);
	if (result->column) {
		json_unsigned(&json, "column", result->column);
		json_string(&json, "name", result->name);
	}
	if (*result->sentence)
		json_string(&json, "sentence", result->sentence);
	json_object_end(&json);
	print_json_line(&json);
}

static void
print_text(const struct import *import, const struct bulk_result *result)
{
	printf("line %zu", result->line);
	if (*result->name)
		printf(", column %zu (%s)", result->column, result->name);
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
print_result(void *context, const struct bulk_result *result)
{
	struct import *import = context;
	bool good = strcmp(result->outcome, "stored") == 0;

	count_result(import, result);
	if (ctl_flag(&import->arguments, "refused") &&
	    strcmp(result->outcome, "refused") != 0)
		return;
	if (import->json) /* what was only tried has no id */
		print_json(result, import->dry_run && good ? 0 : result->id);
	else
		print_text(import, result);
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

/* ---- the command ------------------------------------------------------------------ */

static int
rows_failed(const struct import *import, int code)
{
	size_t first, last;

	if (code == -ENODATA)
		return ctl_fail(EXIT_STATUS_NO_PERMISSION, "%s: %s",
		    import->arguments.words[0], import->err.text);
	bulk_import_failed_lines(import->rows, &first, &last);
	if (!import->dry_run)
		fprintf(stderr,
		    "tocsinctl: lines %zu to %zu are not stored, those before "
		    "are; import the file again to go on\n",
		    first, last);
	return ctl_database_status(code, &import->err);
}

static int
import_into_database(struct import *import)
{
	int status = ctl_connect(&import->db, &import->arguments);
	int code;

	if (status != EXIT_STATUS_OK)
		return status;
	if (import->dry_run &&
	    db_execute(&import->db, "BEGIN", &import->err) < 0)
		return ctl_database_status(-ENOTCONN, &import->err);
	code = bulk_import_rows(import->rows, &import->db, &import->err);
	if (code < 0)
		status = rows_failed(import, code);
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
	struct bulk_import_settings settings = {
		.kind = import->kind,
		.file = file,
		.dealer_id = ctl_value(&import->arguments, "dealer"),
		.result = print_result,
		.context = import,
	};
	int status;

	if (!file)
		return ctl_fail(EXIT_STATUS_NO_PERMISSION, "cannot open %s: %s",
		    path, strerror(errno));
	import->rows = bulk_import_new(&settings);
	if (!import->rows)
		status = ctl_fail(EXIT_STATUS_SOFTWARE, "out of memory");
	else if (bulk_import_header(import->rows, &import->err) < 0)
		status = ctl_fail(EXIT_STATUS_CONFIG, "%s: %s", path,
		    import->err.text);
	else
		status = import_into_database(import);
	bulk_import_close(&import->rows);
	if (!standard)
		fclose(file);
	return status;
}

static int
check_arguments(struct import *import, const char *command)
{
	static const struct bulk_column id = { .type = BULK_NUMBER,
		.maximum = INT64_MAX };
	const char *dealer = ctl_value(&import->arguments, "dealer");

	if (import->arguments.word_count == 0)
		return ctl_fail(EXIT_STATUS_USAGE,
		    "%s: which file? - is the standard input", command);
	if (dealer && bulk_column_expected(&id, dealer))
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
	struct import import = { .kind = bulk_kind_find(kind) };
	char command[64];
	int status;

	snprintf(command, sizeof(command), "%s import", kind);
	status = ctl_parse(command, "FILE.csv [OPTION]...", options, 1, argc,
	    argv, &import.arguments);
	if (status == CTL_GO_ON)
		status = check_arguments(&import, command);
	if (status == CTL_GO_ON)
		status = import_file(&import);
	db_close(&import.db);
	return status;
}
