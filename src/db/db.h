/*
 * libpq for threads that may wait: every call here blocks, so only the
 * database threads (directory, archive) and tocsinctl call it. One struct db
 * belongs to one thread.
 */
#ifndef DB_DB_H
#define DB_DB_H

#include <libpq-fe.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"

struct db {
	PGconn *connection; /* NULL: not connected */
	/* > 0: when this becomes readable, whatever waits for the server ends
	 * with -ECANCELED (and the connection is of no use any more): how a
	 * thread is stopped while its server hangs. */
	int interrupt_fd;
	char sqlstate[6];
	char constraint[64];
	char message[512];
};

/*
 * Connect and set what we always want (application_name, UTC, timeouts,
 * client_encoding UTF8, no compiling of statements: it takes longer than their
 * few rows, and row-level security makes them look dear). 0, or -ENOTCONN with
 * libpq's words without any password. Closes an earlier connection.
 */
int db_connect(struct db *db, const char *conninfo, const char *application,
    struct err *err);
void db_close(struct db *db);

/* Returns the newest migration the database has; refuses a database that is
 * newer than this build knows (-EPROTO) or has none (-ENOENT) with the
 * sentence. */
#define DB_SCHEMA_VERSION_TABLE "tocsin.schema_version"
int db_check_schema(struct db *db, int newest_known, struct err *err);

/* Statements without parameters, their rows dropped; 0, or -EIO / -ENOTCONN
 * (connection lost) with the server's message. */
int db_execute(struct db *db, const char *sql, struct err *err);

/* Text parameters ($1..); the result is the caller's (PQclear). NULL: as
 * db_execute, *ret_code gets the -errno. sqlstate: db_sqlstate. */
PGresult *db_query(struct db *db, const char *sql, int count,
    const char *const *values, int *ret_code, struct err *err);
/* Five characters of the last failed statement, "" when none. */
const char *db_sqlstate(const struct db *db);
/* The constraint that refused it, "" when none did. */
const char *db_constraint(const struct db *db);
/* Its primary message, without detail and hint; "" when none did. */
const char *db_message(const struct db *db);

/* COPY (query) TO STDOUT, text format; row is called with each line, fields
 * split at tabs and unescaped in place, NULL fields as NULL. A line with
 * another number of fields is -EPROTO; row's own failure is returned after
 * the rest was read and dropped. */
#define DB_FIELDS_MAX 64
typedef int (*db_row_fn)(void *context, int count, char **fields,
    struct err *err);
int db_copy_out(struct db *db, const char *sql, int fields, db_row_fn row,
    void *context, struct err *err);

/* COPY ... FROM STDIN: zero-initialise, write fields and rows, send. What a
 * text column cannot hold (a NUL byte) becomes U+FFFD. */
struct db_copy {
	char *text;
	size_t length, size;
	bool failed; /* out of memory */
};
void db_copy_field(struct db_copy *copy, const char *data, size_t length);
void db_copy_null(struct db_copy *copy);
void db_copy_end_row(struct db_copy *copy);
/* Forget the rows, keep the memory. */
void db_copy_reset(struct db_copy *copy);
void db_copy_close(struct db_copy *copy);
int db_copy_in(struct db *db, const char *sql, const struct db_copy *copy,
    struct err *err);

/* Wait up to timeout_ms for a NOTIFY or for wake_fd (-1: none) to become
 * readable. 1: something to look at, 0: timeout, -ENOTCONN. Consumes
 * pending notifications; *ret_notified says whether there was one. */
int db_wait(struct db *db, int wake_fd, int timeout_ms, bool *ret_notified,
    struct err *err);

#endif
