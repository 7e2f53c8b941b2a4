/*
 * A private PostgreSQL for one test program, made by tests/tools/
 * private_postgres, with or without the schema. One at a time.
 */
#ifndef UNIT_DB_POSTGRES_H
#define UNIT_DB_POSTGRES_H

#include "unit/test.h"

#include <errno.h>
#include <glob.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/types.h>

#include "db/db.h"

#define POSTGRES_TOOL TEST_SOURCE_DIR "/tools/private_postgres"

static char postgres_directory[256];
static char postgres_conninfo[512];

/* False: there is no PostgreSQL on this machine. */
static inline bool
postgres_start(void)
{
	char command[1024];
	FILE *out;
	size_t length;

	snprintf(command, sizeof(command), POSTGRES_TOOL " start %s",
	    postgres_directory);
	out = popen(command, "r");
	if (!out || !fgets(postgres_conninfo, sizeof(postgres_conninfo), out))
		postgres_conninfo[0] = '\0';
	if (!out || pclose(out) != 0)
		return false;
	length = strcspn(postgres_conninfo, "\n");
	postgres_conninfo[length] = '\0';
	sscanf(postgres_conninfo, "host=%255s", postgres_directory);
	return true;
}

static inline void
postgres_remove(void)
{
	char command[1024];

	if (postgres_directory[0] == '\0')
		return;
	snprintf(command, sizeof(command), POSTGRES_TOOL " stop %s",
	    postgres_directory);
	if (system(command) != 0)
		fprintf(stderr, "%s failed\n", command);
	postgres_directory[0] = '\0';
}

/* End the server at once, as a crash would; the data stay. */
static inline void
postgres_crash(void)
{
	char path[300];
	FILE *file;
	int pid = 0;

	snprintf(path, sizeof(path), "%s/data/postmaster.pid",
	    postgres_directory);
	file = fopen(path, "r");
	assert_non_null(file);
	assert_int_equal(fscanf(file, "%d", &pid), 1);
	fclose(file);
	assert_int_equal(kill(pid, SIGQUIT), 0);
	while (kill(pid, 0) == 0)
		poll(NULL, 0, 10);
}

static inline void
postgres_execute(struct db *db, const char *sql)
{
	struct err err = { "" };

	if (db_execute(db, sql, &err) < 0)
		fail_msg("%s: %s", sql, err.text);
}

static inline char *
postgres_read_file(const char *path)
{
	FILE *file = fopen(path, "r");
	char *text = NULL;
	size_t size = 0;

	assert_non_null(file);
	assert_true(getdelim(&text, &size, '\0', file) > 0);
	fclose(file);
	return text;
}

/* Every migration, in order; returns the number of the last. */
static inline int
postgres_migrate(struct db *db)
{
	glob_t files;
	int version = 0;

	assert_int_equal(glob(TEST_SOURCE_DIR "/../sql/[0-9]*.sql", 0, NULL,
			     &files),
	    0);
	for (size_t i = 0; i < files.gl_pathc; i++) {
		char *sql = postgres_read_file(files.gl_pathv[i]);
		char record[256];

		version = atoi(strrchr(files.gl_pathv[i], '/') + 1);
		postgres_execute(db, sql);
		snprintf(record, sizeof(record),
		    "INSERT INTO tocsin.schema_version "
		    "VALUES (%d, 'test', repeat('0', 64))",
		    version);
		postgres_execute(db, record);
		free(sql);
	}
	globfree(&files);
	return version;
}

static inline void
postgres_connect(struct db *db, const char *more)
{
	char conninfo[600];
	struct err err = { "" };

	snprintf(conninfo, sizeof(conninfo), "%s %s", postgres_conninfo, more);
	if (db_connect(db, conninfo, "tocsin test", &err) < 0)
		fail_msg("%s", err.text);
}

/* The database with the schema and nothing in it, as often as that is asked for:
 * migrating takes seconds, a copy does not. Nobody is connected. Returns the
 * number of the last migration. */
static inline int
postgres_renew(void)
{
	static int version;
	struct db db = { 0 };

	if (version == 0) {
		postgres_connect(&db, "");
		version = postgres_migrate(&db);
		db_close(&db);
		postgres_connect(&db, "dbname=template1");
		postgres_execute(&db,
		    "CREATE DATABASE migrated TEMPLATE postgres");
	} else {
		postgres_connect(&db, "dbname=template1");
		postgres_execute(&db, "DROP DATABASE postgres WITH (FORCE)");
		postgres_execute(&db,
		    "CREATE DATABASE postgres TEMPLATE migrated");
	}
	db_close(&db);
	return version;
}

#endif
