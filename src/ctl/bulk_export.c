#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/exit.h"
#include "base/slice.h"
#include "bulk/csv.h"
#include "bulk/kind.h"
#include "ctl/bulk.h"
#include "ctl/connection.h"

struct export
{
	FILE *file;
	unsigned long rows;
};

static const struct ctl_option options[] = {
	{ "dealer", "ID", "only what this dealer's sites have" },
	CTL_DATABASE_OPTIONS,
	{ NULL },
};

static int
write_row(void *context, int count, char **fields, struct err *err)
{
	struct export *export = context;

	for (int i = 0; i < count; i++)
		csv_write_field(export->file, fields[i], i + 1 == count);
	export->rows++;
	if (ferror(export->file))
		return err_set(err, -EIO, "cannot write on: %s",
		    strerror(errno));
	return 0;
}

/* COPY (SELECT ...): owned; *ret_count gets the number of columns. */
static char *
build_statement(const struct bulk_kind *kind, const char *dealer,
    int *ret_count)
{
	const char *between = "";
	size_t size;
	char *sql = NULL;
	FILE *out = open_memstream(&sql, &size);

	if (!out)
		return NULL;
	*ret_count = 0;
	fputs("COPY (SELECT ", out);
	for (size_t i = 0; i < kind->count; i++)
		if (kind->columns[i].read) {
			fprintf(out, "%s%s", between, kind->columns[i].read);
			between = ", ";
			++*ret_count;
		}
	fprintf(out, " FROM %s", kind->from);
	if (dealer)
		fprintf(out, " WHERE %s = %s", kind->dealer, dealer);
	fprintf(out, " ORDER BY %c.id) TO STDOUT", kind->name[0]);
	return fclose(out) == 0 ? sql : NULL;
}

static void
write_header(const struct bulk_kind *kind, int count, FILE *file)
{
	for (size_t i = 0; i < kind->count; i++)
		if (kind->columns[i].read)
			csv_write_field(file, kind->columns[i].name,
			    --count == 0);
}

static int
write_rows(struct db *db, const struct bulk_kind *kind, const char *dealer,
    FILE *file)
{
	struct export export = { .file = file };
	struct err err = { "" };
	int count, result;
	char *sql = build_statement(kind, dealer, &count);

	if (!sql)
		return ctl_fail(EXIT_STATUS_SOFTWARE, "out of memory");
	write_header(kind, count, file);
	result = db_copy_out(db, sql, count, write_row, &export, &err);
	free(sql);
	if (result < 0)
		return ctl_database_status(result, &err);
	return EXIT_STATUS_OK;
}

static int
export_into(struct db *db, const struct bulk_kind *kind,
    const struct ctl_arguments *arguments, const char *dealer)
{
	const char *path =
	    arguments->word_count > 0 ? arguments->words[0] : "-";
	bool standard = strcmp(path, "-") == 0;
	FILE *file = standard ? stdout : fopen(path, "we");
	int status;

	if (!file)
		return ctl_fail(EXIT_STATUS_CANNOT_CREATE,
		    "cannot create %s: %s", path, strerror(errno));
	status = write_rows(db, kind, dealer, file);
	if ((standard ? fflush(file) : fclose(file)) != 0 &&
	    status == EXIT_STATUS_OK)
		status = ctl_fail(EXIT_STATUS_CANNOT_CREATE,
		    "cannot write %s: %s", path, strerror(errno));
	return status;
}

int
bulk_export(const char *name, int argc, char **argv)
{
	struct ctl_arguments arguments;
	struct db db = { 0 };
	unsigned long id;
	const char *dealer;
	char command[64];
	int status;

	snprintf(command, sizeof(command), "%s export", name);
	status = ctl_parse(command, "[FILE.csv] [OPTION]...", options, 1, argc,
	    argv, &arguments);
	if (status != CTL_GO_ON)
		return status;
	dealer = ctl_value(&arguments, "dealer");
	if (dealer &&
	    (slice_to_number(slice_from_string(dealer), 10, &id) < 0 ||
		id > INT64_MAX))
		return ctl_fail(EXIT_STATUS_USAGE,
		    "%s: --dealer is a whole number, not \"%s\"", command,
		    dealer);
	status = ctl_connect(&db, &arguments);
	if (status == EXIT_STATUS_OK)
		status =
		    export_into(&db, bulk_kind_find(name), &arguments, dealer);
	db_close(&db);
	return status;
}
