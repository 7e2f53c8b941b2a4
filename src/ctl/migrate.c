#include "ctl/migrate.h"

#include <dirent.h>
#include <errno.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/exit.h"
#include "base/json.h"
#include "base/text.h"
#include "ctl/connection.h"

#define MIGRATIONS_MAX	 1000
#define FILE_SIZE_MAX	 (16 << 20)
#define SHA256_TEXT_SIZE (2 * crypto_hash_sha256_BYTES + 1)
#define ADVISORY_LOCK	 "pg_advisory_lock(8389190, 1)" /* "tocsin" */

struct migration {
	char *name; /* "0001_foundation.sql" */
	char *text;
	char sha256[SHA256_TEXT_SIZE];
	bool applied;
};

/* index + 1 is the number */
struct migrations {
	int count;
	struct migration rows[MIGRATIONS_MAX];
};

static const struct ctl_option options[] = {
	CTL_DATABASE_OPTIONS,
	{ "sql", "DIR", "the numbered files, " TOCSIN_SQL_DIR " otherwise" },
	{ "json", NULL, "one object a line" },
	{ NULL },
};

/* ---- the files --------------------------------------------------------------------- */

static void
migrations_close(struct migrations *migrations)
{
	for (int i = 0; migrations && i < migrations->count; i++) {
		free(migrations->rows[i].name);
		free(migrations->rows[i].text);
	}
	free(migrations);
}

static int
is_migration(const struct dirent *entry)
{
	size_t length = strlen(entry->d_name);

	return strspn(entry->d_name, "0123456789") == 4 &&
	    entry->d_name[4] == '_' && length > 9 &&
	    strcmp(entry->d_name + length - 4, ".sql") == 0;
}

static int
read_file(const char *directory, struct migration *migration)
{
	char path[4096];
	unsigned char hash[crypto_hash_sha256_BYTES];
	FILE *file;
	size_t length;

	snprintf(path, sizeof(path), "%s/%s", directory, migration->name);
	file = fopen(path, "re");
	migration->text = malloc(FILE_SIZE_MAX + 1);
	if (!file || !migration->text) {
		ctl_fail(EXIT_STATUS_CONFIG, "%s: %s", path, strerror(errno));
		if (file)
			fclose(file);
		return EXIT_STATUS_CONFIG;
	}
	length = fread(migration->text, 1, FILE_SIZE_MAX + 1, file);
	if (ferror(file) || length > FILE_SIZE_MAX) {
		fclose(file);
		return ctl_fail(EXIT_STATUS_CONFIG, "%s: cannot be read whole",
		    path);
	}
	fclose(file);
	migration->text[length] = '\0';
	crypto_hash_sha256(hash, (const unsigned char *)migration->text,
	    length);
	text_hex_encode(hash, sizeof(hash), migration->sha256);
	return EXIT_STATUS_OK;
}

static int
take_names(const char *directory, struct dirent **entries, int count,
    struct migrations *migrations)
{
	int status = EXIT_STATUS_OK;

	for (int i = 0; i < count && status == EXIT_STATUS_OK; i++) {
		struct migration *migration = &migrations->rows[i];

		migration->name = strdup(entries[i]->d_name);
		migrations->count++;
		if (!migration->name)
			status =
			    ctl_fail(EXIT_STATUS_SOFTWARE, "out of memory");
		else if (atoi(migration->name) != i + 1)
			status = ctl_fail(EXIT_STATUS_CONFIG,
			    "%s: number %04d is missing or twice, %s comes "
			    "in its place",
			    directory, i + 1, migration->name);
		else
			status = read_file(directory, migration);
	}
	return status;
}

static int
migrations_load(const char *directory, struct migrations **ret)
{
	struct migrations *migrations = calloc(1, sizeof(*migrations));
	struct dirent **entries;
	int count = scandir(directory, &entries, is_migration, alphasort);
	int status;

	if (!migrations || count <= 0 || count > MIGRATIONS_MAX) {
		free(migrations);
		return ctl_fail(EXIT_STATUS_CONFIG, "%s: %s", directory,
		    count < 0 ? strerror(errno) : "no migrations there");
	}
	status = take_names(directory, entries, count, migrations);
	for (int i = 0; i < count; i++)
		free(entries[i]);
	free(entries);
	if (status == EXIT_STATUS_OK)
		*ret = migrations;
	else
		migrations_close(migrations);
	return status;
}

/* ---- what the database has ---------------------------------------------------------- */

static int
compare_row(struct migrations *migrations, const PGresult *result, int row)
{
	int version = atoi(PQgetvalue(result, row, 0));
	struct migration *migration;

	if (version > migrations->count)
		return ctl_fail(EXIT_STATUS_CONFIG,
		    "the database has migration %d (%s), the newest file here "
		    "is %d: install a newer version",
		    version, PQgetvalue(result, row, 1), migrations->count);
	migration = &migrations->rows[version - 1];
	if (strcmp(migration->sha256, PQgetvalue(result, row, 2)) != 0)
		return ctl_fail(EXIT_STATUS_CONFIG,
		    "%s was altered after it was applied to this database: a "
		    "change needs a new file",
		    migration->name);
	migration->applied = true;
	return EXIT_STATUS_OK;
}

static int
compare_applied(struct db *db, struct migrations *migrations)
{
	struct err err;
	int code, status = EXIT_STATUS_OK;
	PGresult *result = db_query(db,
	    "SELECT to_regclass('" DB_SCHEMA_VERSION_TABLE "') IS NOT NULL", 0,
	    NULL, &code, &err);

	if (!result)
		return ctl_database_status(code, &err);
	if (*PQgetvalue(result, 0, 0) != 't') {
		PQclear(result);
		return EXIT_STATUS_OK;
	}
	PQclear(result);
	result = db_query(db,
	    "SELECT version, name, sha256 FROM " DB_SCHEMA_VERSION_TABLE
	    " ORDER BY version",
	    0, NULL, &code, &err);
	if (!result)
		return ctl_database_status(code, &err);
	for (int i = 0; i < PQntuples(result) && status == EXIT_STATUS_OK; i++)
		status = compare_row(migrations, result, i);
	PQclear(result);
	return status;
}

/* ---- applying ------------------------------------------------------------------------- */

static int
record(struct db *db, int version, const struct migration *migration,
    struct err *err)
{
	char number[16];
	const char *values[] = { number, migration->name, migration->sha256 };
	int code = 0;
	PGresult *result;

	snprintf(number, sizeof(number), "%d", version);
	result = db_query(db,
	    "INSERT INTO " DB_SCHEMA_VERSION_TABLE " (version, name, sha256) "
	    "VALUES ($1::integer, $2, $3)",
	    3, values, &code, err);
	PQclear(result);
	return code;
}

static int
apply(struct db *db, int version, const struct migration *migration)
{
	struct err err;
	int result = db_execute(db, "BEGIN", &err);

	if (result == 0)
		result = db_execute(db, migration->text, &err);
	if (result == 0)
		result = record(db, version, migration, &err);
	if (result == 0)
		result = db_execute(db, "COMMIT", &err);
	if (result == 0)
		return EXIT_STATUS_OK;
	err_prefix(&err, result, "%s", migration->name);
	db_execute(db, "ROLLBACK", NULL);
	return ctl_database_status(result, &err);
}

static void
say(const struct migration *migration, int version, const char *state,
    bool json)
{
	struct json line = { 0 };

	if (!json) {
		printf("%-8s %s\n", state, migration->name);
		return;
	}
	json_object_begin(&line, NULL);
	json_integer(&line, "version", version);
	json_string(&line, "name", migration->name);
	json_string(&line, "state", state);
	json_string(&line, "sha256", migration->sha256);
	json_object_end(&line);
	puts(json_text(&line) ? json_text(&line) : "");
	json_close(&line);
}

static int
apply_missing(struct db *db, const struct migrations *migrations, bool json)
{
	int status = EXIT_STATUS_OK, applied = 0;
	struct err err;
	int result;

	for (int i = 0; i < migrations->count && status == EXIT_STATUS_OK; i++)
		if (!migrations->rows[i].applied) {
			status = apply(db, i + 1, &migrations->rows[i]);
			if (status == EXIT_STATUS_OK)
				say(&migrations->rows[i], i + 1, "applied",
				    json);
			applied++;
		}
	if (status != EXIT_STATUS_OK)
		return status;
	result = db_execute(db, "SELECT tocsin.refresh_timezones()", &err);
	if (result < 0)
		return ctl_database_status(result, &err);
	if (applied == 0 && !json)
		printf("up to date at migration %d\n", migrations->count);
	return EXIT_STATUS_OK;
}

/* Parse, load the files, connect, compare. CTL_GO_ON or a status. */
static int
begin(const char *command, int argc, char **argv,
    struct ctl_arguments *arguments, struct migrations **migrations,
    struct db *db)
{
	const char *directory;
	int status = ctl_parse(command, "[OPTION]...", options, 0, argc, argv,
	    arguments);

	if (status != CTL_GO_ON)
		return status;
	directory = ctl_value(arguments, "sql");
	status =
	    migrations_load(directory ? directory : TOCSIN_SQL_DIR, migrations);
	if (status == EXIT_STATUS_OK)
		status = ctl_connect(db, arguments);
	return status == EXIT_STATUS_OK ? CTL_GO_ON : status;
}

static int
migrate(struct db *db, struct migrations *migrations, bool json)
{
	struct err err;
	/* held until the connection ends */
	int result = db_execute(db, "SELECT " ADVISORY_LOCK, &err);
	int status = result < 0 ? ctl_database_status(result, &err)
				: compare_applied(db, migrations);

	return status == EXIT_STATUS_OK ? apply_missing(db, migrations, json)
					: status;
}

static int
print_status(struct db *db, struct migrations *migrations, bool json)
{
	int status = compare_applied(db, migrations);

	if (status != EXIT_STATUS_OK)
		return status;
	for (int i = 0; i < migrations->count; i++) {
		say(&migrations->rows[i], i + 1,
		    migrations->rows[i].applied ? "applied" : "missing", json);
		if (!migrations->rows[i].applied)
			status = EXIT_STATUS_FAILED;
	}
	return status;
}

int
migrate_run(int argc, char **argv)
{
	struct migrations *migrations = NULL;
	struct ctl_arguments arguments;
	struct db db = { 0 };
	int status =
	    begin("db migrate", argc, argv, &arguments, &migrations, &db);

	if (status == CTL_GO_ON)
		status = migrate(&db, migrations, ctl_flag(&arguments, "json"));
	db_close(&db);
	migrations_close(migrations);
	return status;
}

int
migrate_status(int argc, char **argv)
{
	struct migrations *migrations = NULL;
	struct ctl_arguments arguments;
	struct db db = { 0 };
	int status =
	    begin("db status", argc, argv, &arguments, &migrations, &db);

	if (status == CTL_GO_ON)
		status =
		    print_status(&db, migrations, ctl_flag(&arguments, "json"));
	db_close(&db);
	migrations_close(migrations);
	return status;
}
