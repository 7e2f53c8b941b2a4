#include "portal/import_file.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "bulk/import.h"
#include "portal/operation.h"
#include "portal/values.h"

static void
show_result(void *context, const struct bulk_result *result)
{
	struct json *answer = context;

	json_object_begin(answer, NULL);
	json_unsigned(answer, "line", result->line);
	json_string(answer, "outcome", result->outcome);
	if (result->id)
		json_unsigned(answer, "id", result->id);
	if (result->column)
		json_unsigned(answer, "column", result->column);
	if (*result->name)
		json_string(answer, "name", result->name);
	if (*result->sentence)
		json_string(answer, "sentence", result->sentence);
	json_object_end(answer);
}

static void
take_rows(struct exchange *exchange, struct db *db, struct bulk_import *import)
{
	struct err err;
	int code = bulk_import_header(import, &err);

	if (code < 0) {
		exchange_problem(exchange, 422, "file", "%s", err.text);
		return;
	}
	json_object_begin(exchange->answer, NULL);
	json_array_begin(exchange->answer, "items");
	code = bulk_import_rows(import, db, &err);
	json_array_end(exchange->answer);
	json_object_end(exchange->answer);
	exchange->status = 200;
	if (code == -EFBIG)
		exchange_problem(exchange, 422, "file",
		    "%s: import them in several files", err.text);
	else if (code == -ENODATA || code == -ENOMEM)
		exchange_problem(exchange, 503, NULL, "%s", err.text);
	else if (code < 0)
		operation_refused(exchange, db, code, &err);
}

static void
import_text(struct exchange *exchange, struct db *db,
    const struct bulk_kind *kind, const char *text, const char *dealer_id)
{
	/* its own copy, as it may be read only; an empty one cannot be opened */
	char *copy = strdup(*text ? text : "\n");
	FILE *file = copy ? fmemopen(copy, strlen(copy), "r") : NULL;
	const struct bulk_import_settings settings = {
		.kind = kind,
		.file = file,
		.dealer_id = dealer_id,
		.rows_max = IMPORT_FILE_ROWS_MAX,
		.result = show_result,
		.context = exchange->answer,
	};
	struct bulk_import *import = file ? bulk_import_new(&settings) : NULL;

	if (import)
		take_rows(exchange, db, import);
	else
		exchange_problem(exchange, 503, NULL,
		    "no memory at the moment");
	bulk_import_close(&import);
	if (file)
		fclose(file);
	free(copy);
}

void
import_file(struct exchange *exchange, struct db *db)
{
	const struct bulk_kind *kind;
	struct values values;

	if (!values_read(exchange, &values))
		return;
	kind = bulk_kind_find(values_find(&values, exchange->route, "kind"));
	if (kind)
		import_text(exchange, db, kind,
		    values_find(&values, exchange->route, "file"),
		    values_find(&values, exchange->route, "dealer_id"));
	else
		exchange_problem(exchange, 422, "kind",
		    "there is no such import: it is site, channel or contact");
	values_close(&values);
}
