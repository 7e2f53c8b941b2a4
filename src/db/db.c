#include "db/db.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "base/clock.h"
#include "base/log.h"
#include "db/copy.h"

#define CONNECT_TIMEOUT_US (10 * 1000000ll)

/* The connection is always in libpq's non-blocking mode and we do the waiting,
 * so that interrupt_fd can end it. */

static int
report(struct db *db, int code, const char *what, struct err *err)
{
	const char *text = PQerrorMessage(db->connection);
	size_t length = strcspn(text, "\n");

	if (PQstatus(db->connection) != CONNECTION_OK)
		code = -ENOTCONN;
	return err_set(err, code, "%s: %.*s", what, (int)length, text);
}

static int
report_result(struct db *db, const PGresult *result, struct err *err)
{
	const char *text = PQresultErrorField(result, PG_DIAG_MESSAGE_PRIMARY);
	const char *state = PQresultErrorField(result, PG_DIAG_SQLSTATE);
	const char *detail = PQresultErrorField(result, PG_DIAG_MESSAGE_DETAIL);
	const char *constraint =
	    PQresultErrorField(result, PG_DIAG_CONSTRAINT_NAME);

	if (constraint)
		slice_copy(slice_from_string(constraint), db->constraint,
		    sizeof(db->constraint));
	if (state)
		slice_copy(slice_from_string(state), db->sqlstate,
		    sizeof(db->sqlstate));
	if (!text)
		return report(db, -EIO, "PostgreSQL", err);
	snprintf(db->message, sizeof(db->message), "%s", text);
	return err_set(err,
	    PQstatus(db->connection) == CONNECTION_OK ? -EIO : -ENOTCONN,
	    "PostgreSQL: %s%s%s", text, detail ? "; " : "",
	    detail ? detail : "");
}

/*
 * Wait for the connection (events), for extra_fd and for the interrupt.
 * Returns 1 (something is ready), 0 (deadline passed; < 0: none), -ECANCELED.
 */
static int
wait_ready(struct db *db, short events, int extra_fd, int64_t deadline_us,
    struct err *err)
{
	struct pollfd fds[] = {
		{ .fd = PQsocket(db->connection), .events = events },
		{ .fd = extra_fd, .events = POLLIN },
		{ .fd = db->interrupt_fd > 0 ? db->interrupt_fd : -1,
		    .events = POLLIN },
	};
	int timeout_ms = -1;
	int ready;

	if (deadline_us >= 0) {
		int64_t left = deadline_us - clock_monotonic_us(&clock_system);

		timeout_ms = left <= 0 ? 0 : (int)((left + 999) / 1000);
	}
	ready = poll(fds, COUNT(fds), timeout_ms);
	if (ready < 0)
		return errno == EINTR ? 1 : err_set_errno(err, "poll");
	if (fds[2].revents)
		return err_set(err, -ECANCELED,
		    "interrupted while waiting for PostgreSQL");
	return ready > 0;
}

static int
flush(struct db *db, struct err *err)
{
	for (;;) {
		int left = PQflush(db->connection);
		int result;

		if (left == 0)
			return 0;
		if (left < 0)
			return report(db, -EIO, "PostgreSQL", err);
		result = wait_ready(db, POLLIN | POLLOUT, -1, -1, err);
		if (result < 0)
			return result;
		if (!PQconsumeInput(db->connection))
			return report(db, -EIO, "PostgreSQL", err);
	}
}

static int
wait_input(struct db *db, struct err *err)
{
	int result = wait_ready(db, POLLIN, -1, -1, err);

	if (result < 0)
		return result;
	if (!PQconsumeInput(db->connection))
		return report(db, -EIO, "PostgreSQL", err);
	return 0;
}

/* The next result of the statement under way; NULL: it is over. */
static int
next_result(struct db *db, PGresult **ret, struct err *err)
{
	while (PQisBusy(db->connection)) {
		int result = wait_input(db, err);

		if (result < 0)
			return result;
	}
	*ret = PQgetResult(db->connection);
	return 0;
}

/* Read to the end of the statement, keeping the first failure. */
static int
finish(struct db *db, struct err *err)
{
	PGresult *result;
	int code = 0;

	for (;;) {
		int waited = next_result(db, &result, code < 0 ? NULL : err);

		if (waited < 0)
			return code < 0 ? code : waited;
		if (!result)
			return code;
		if (PQresultStatus(result) == PGRES_FATAL_ERROR && code == 0)
			code = report_result(db, result, err);
		PQclear(result);
	}
}

static int
send_sql(struct db *db, const char *sql, struct err *err)
{
	db->sqlstate[0] = db->constraint[0] = db->message[0] = '\0';
	if (!db->connection)
		return err_set(err, -ENOTCONN, "not connected to PostgreSQL");
	if (!PQsendQuery(db->connection, sql))
		return report(db, -EIO, "PostgreSQL", err);
	return flush(db, err);
}

static int
check_conninfo(const char *conninfo, struct err *err)
{
	PQconninfoOption *options = PQconninfoParse(conninfo, NULL);

	/* libpq's own words could quote a piece of a password */
	if (!options)
		return err_set(err, -ENOTCONN,
		    "the connection string is not valid "
		    "(expected key=value pairs or a postgresql:// URI)");
	PQconninfoFree(options);
	return 0;
}

/* libpq would print them on stderr. */
static void
log_notice(void *context, const char *message)
{
	(void)context;
	log_write(LOG_INFO, "db", "notice", "text=\"%.*s\"",
	    (int)strcspn(message, "\n"), message);
}

static int
finish_connecting(struct db *db, struct err *err)
{
	int64_t deadline_us =
	    clock_monotonic_us(&clock_system) + CONNECT_TIMEOUT_US;
	PostgresPollingStatusType status = PGRES_POLLING_WRITING;

	while (status != PGRES_POLLING_OK) {
		int result;

		if (status == PGRES_POLLING_FAILED)
			return report(db, -ENOTCONN,
			    "cannot connect to PostgreSQL", err);
		result = wait_ready(db,
		    status == PGRES_POLLING_READING ? POLLIN : POLLOUT, -1,
		    deadline_us, err);
		if (result < 0)
			return result;
		if (result == 0)
			return err_set(err, -ENOTCONN,
			    "cannot connect to PostgreSQL: no answer within "
			    "%lld s",
			    CONNECT_TIMEOUT_US / 1000000);
		status = PQconnectPoll(db->connection);
	}
	return 0;
}

int
db_connect(struct db *db, const char *conninfo, const char *application,
    struct err *err)
{
	/* what stands before dbname are defaults, what follows overrides */
	const char *const keywords[] = { "keepalives_idle",
		"keepalives_interval", "keepalives_count", "tcp_user_timeout",
		"dbname", "application_name", "client_encoding", NULL };
	const char *const values[] = { "10", "5", "3", "30000", conninfo,
		application, "UTF8", NULL };
	int result;

	db_close(db);
	result = check_conninfo(conninfo, err);
	if (result < 0)
		return result;
	db->connection = PQconnectStartParams(keywords, values, 1);
	if (!db->connection)
		return err_set(err, -ENOTCONN, "out of memory");
	PQsetNoticeProcessor(db->connection, log_notice, NULL);
	if (PQstatus(db->connection) == CONNECTION_BAD)
		result =
		    report(db, -ENOTCONN, "cannot connect to PostgreSQL", err);
	if (result == 0)
		result = finish_connecting(db, err);
	if (result == 0 && PQsetnonblocking(db->connection, 1) < 0)
		result = report(db, -ENOTCONN, "PostgreSQL", err);
	if (result == 0)
		result = db_execute(db,
		    "SET TimeZone = 'UTC'; SET DateStyle = 'ISO';"
		    "SET client_min_messages = warning;"
		    "SET jit = off;"
		    "SET idle_in_transaction_session_timeout = '60s'",
		    err);
	if (result < 0)
		db_close(db);
	return result == 0 || result == -ECANCELED ? result : -ENOTCONN;
}

void
db_close(struct db *db)
{
	PQfinish(db->connection);
	db->connection = NULL;
}

static int
report_schema(struct db *db, int result, struct err *err)
{
	const char *state = db_sqlstate(db);

	/* undefined_table, invalid_schema_name */
	if (strcmp(state, "42P01") == 0 || strcmp(state, "3F000") == 0)
		return err_set(err, -ENOENT,
		    "the database has no Tocsin schema: "
		    "run \"tocsinctl db migrate\" first");
	return result;
}

int
db_check_schema(struct db *db, int newest_known, struct err *err)
{
	int code, version;
	PGresult *result = db_query(db,
	    "SELECT coalesce(max(version), 0) FROM " DB_SCHEMA_VERSION_TABLE, 0,
	    NULL, &code, err);

	if (!result)
		return report_schema(db, code, err);
	version = atoi(PQgetvalue(result, 0, 0));
	PQclear(result);
	if (version == 0)
		return err_set(err, -ENOENT,
		    "the database has no migration applied: "
		    "run \"tocsinctl db migrate\" first");
	if (version > newest_known)
		return err_set(err, -EPROTO,
		    "the database is at migration %d, this program knows up "
		    "to %d: install a newer version",
		    version, newest_known);
	return version;
}

int
db_execute(struct db *db, const char *sql, struct err *err)
{
	int result = send_sql(db, sql, err);

	return result < 0 ? result : finish(db, err);
}

/* The one result of a statement, then its end. */
static PGresult *
take_result(struct db *db, int *ret_code, struct err *err)
{
	PGresult *result;
	int code = next_result(db, &result, err);

	if (code == 0 && !result)
		code = report(db, -EIO, "PostgreSQL", err);
	if (code < 0) {
		*ret_code = code;
		return NULL;
	}
	if (PQresultStatus(result) != PGRES_TUPLES_OK &&
	    PQresultStatus(result) != PGRES_COMMAND_OK)
		code = report_result(db, result, err);
	if (code == 0)
		code = finish(db, err);
	else
		finish(db, NULL);
	if (code == 0)
		return result;
	PQclear(result);
	*ret_code = code;
	return NULL;
}

PGresult *
db_query(struct db *db, const char *sql, int count, const char *const *values,
    int *ret_code, struct err *err)
{
	int code;

	db->sqlstate[0] = db->constraint[0] = db->message[0] = '\0';
	if (!db->connection) {
		*ret_code =
		    err_set(err, -ENOTCONN, "not connected to PostgreSQL");
		return NULL;
	}
	if (!PQsendQueryParams(db->connection, sql, count, NULL, values, NULL,
		NULL, 0)) {
		*ret_code = report(db, -EIO, "PostgreSQL", err);
		return NULL;
	}
	code = flush(db, err);
	if (code < 0) {
		*ret_code = code;
		return NULL;
	}
	return take_result(db, ret_code, err);
}

const char *
db_sqlstate(const struct db *db)
{
	return db->sqlstate;
}

const char *
db_constraint(const struct db *db)
{
	return db->constraint;
}

const char *
db_message(const struct db *db)
{
	return db->message;
}

/* Send a COPY statement and take it to where data may flow. */
static int
begin_copy(struct db *db, const char *sql, ExecStatusType direction,
    struct err *err)
{
	PGresult *result = NULL;
	int code = send_sql(db, sql, err);

	if (code == 0)
		code = next_result(db, &result, err);
	if (code < 0)
		return code;
	if (PQresultStatus(result) == direction) {
		PQclear(result);
		return 0;
	}
	if (PQresultStatus(result) == PGRES_FATAL_ERROR)
		code = report_result(db, result, err);
	else
		code = err_set(err, -EIO, "PostgreSQL: not a COPY: %s", sql);
	PQclear(result);
	finish(db, NULL);
	return code;
}

static int
handle_line(char *line, int fields, db_row_fn row, void *context,
    struct err *err)
{
	char *split[DB_FIELDS_MAX];
	int count = copy_split(line, DB_FIELDS_MAX, split);

	if (count != fields)
		return err_set(err, -EPROTO,
		    "PostgreSQL sent a row of %d columns where %d belong",
		    count, fields);
	return row(context, count, split, err);
}

int
db_copy_out(struct db *db, const char *sql, int fields, db_row_fn row,
    void *context, struct err *err)
{
	int code = begin_copy(db, sql, PGRES_COPY_OUT, err);
	int handled = 0;
	char *line;

	if (code < 0)
		return code;
	for (;;) {
		int length = PQgetCopyData(db->connection, &line, 1);

		if (length > 0) {
			if (handled == 0)
				handled = handle_line(line, fields, row,
				    context, err);
			PQfreemem(line);
		} else if (length == 0) {
			code = wait_input(db, err);
			if (code < 0)
				return code;
		} else {
			break;
		}
	}
	code = finish(db, handled < 0 ? NULL : err);
	return handled < 0 ? handled : code;
}

/* What libpq could not take because its buffer is full is tried again. */
static int
put_chunk(struct db *db, const char *data, int length, struct err *err)
{
	int taken, code;

	do {
		taken = data ? PQputCopyData(db->connection, data, length)
			     : PQputCopyEnd(db->connection, NULL);
		if (taken < 0)
			return report(db, -EIO, "PostgreSQL", err);
		code = flush(db, err);
	} while (taken == 0 && code == 0);
	return code;
}

static int
put_data(struct db *db, const char *data, size_t length, struct err *err)
{
	const size_t chunk = 64 * 1024;

	for (size_t done = 0; done < length; done += chunk) {
		size_t n = length - done < chunk ? length - done : chunk;
		int code = put_chunk(db, data + done, (int)n, err);

		if (code < 0)
			return code;
	}
	return put_chunk(db, NULL, 0, err);
}

int
db_copy_in(struct db *db, const char *sql, const struct db_copy *copy,
    struct err *err)
{
	int code;

	if (copy->failed)
		return err_set(err, -ENOMEM, "out of memory for a COPY");
	code = begin_copy(db, sql, PGRES_COPY_IN, err);
	if (code < 0)
		return code;
	code = put_data(db, copy->text, copy->length, err);
	return code < 0 ? code : finish(db, err);
}

static bool
take_notifications(struct db *db)
{
	PGnotify *notify;
	bool any = false;

	while ((notify = PQnotifies(db->connection)) != NULL) {
		PQfreemem(notify);
		any = true;
	}
	return any;
}

static bool
is_readable(int fd)
{
	struct pollfd poll_fd = { .fd = fd, .events = POLLIN };

	return fd >= 0 && poll(&poll_fd, 1, 0) > 0;
}

int
db_wait(struct db *db, int wake_fd, int timeout_ms, bool *ret_notified,
    struct err *err)
{
	int64_t deadline_us =
	    clock_monotonic_us(&clock_system) + timeout_ms * 1000ll;
	int ready = 1;

	*ret_notified = false;
	if (!db->connection)
		return err_set(err, -ENOTCONN, "not connected to PostgreSQL");
	for (;;) {
		if (!PQconsumeInput(db->connection))
			return report(db, -EIO, "PostgreSQL", err);
		*ret_notified = take_notifications(db);
		if (*ret_notified || is_readable(wake_fd))
			return 1;
		if (ready == 0)
			return 0;
		ready = wait_ready(db, POLLIN, wake_fd, deadline_us, err);
		if (ready < 0)
			return ready;
	}
}
