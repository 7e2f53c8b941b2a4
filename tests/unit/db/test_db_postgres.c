/* src/db against a real server. */
#include "unit/db/postgres.h"

#include <sys/eventfd.h>
#include <unistd.h>

static struct db db;

static int
connect_database(void **state)
{
	struct err err = { "" };

	(void)state;
	if (db_connect(&db, postgres_conninfo, "tocsin test", &err) < 0)
		fail_msg("%s", err.text);
	return 0;
}

static int
disconnect(void **state)
{
	(void)state;
	db_close(&db);
	return 0;
}

static void
queries_with_parameters(void **state)
{
	const char *const values[] = { "Z\xc3\xbcrich", NULL };
	struct err err = { "" };
	int code = 0;
	PGresult *result = db_query(&db,
	    "SELECT $1::text, $2::text IS NULL, "
	    "current_setting('TimeZone'), current_setting('application_name')",
	    2, values, &code, &err);

	(void)state;
	assert_non_null(result);
	assert_string_equal(PQgetvalue(result, 0, 0), "Z\xc3\xbcrich");
	assert_string_equal(PQgetvalue(result, 0, 1), "t");
	assert_string_equal(PQgetvalue(result, 0, 2), "UTC");
	assert_string_equal(PQgetvalue(result, 0, 3), "tocsin test");
	PQclear(result);
}

static void
failures_have_state_and_words(void **state)
{
	struct err err = { "" };
	int code = 0;

	(void)state;
	assert_int_equal(db_execute(&db, "SELECT 1/0", &err), -EIO);
	assert_string_equal(db_sqlstate(&db), "22012");
	assert_non_null(strstr(err.text, "division by zero"));
	assert_null(db_query(&db, "SELECT * FROM nothing", 0, NULL, &code,
	    &err));
	assert_int_equal(code, -EIO);
	assert_string_equal(db_sqlstate(&db), "42P01");
	/* and it goes on */
	postgres_execute(&db, "SELECT 1; SELECT 2");
	assert_string_equal(db_sqlstate(&db), "");
	assert_int_equal(db_execute(&db, "SELECT 1; SELECT 1/0; SELECT 2",
			     &err),
	    -EIO);
	postgres_execute(&db, "SELECT 1");
}

struct seen {
	int rows, fail_at;
	char last[64];
};

static int
see_row(void *context, int count, char **fields, struct err *err)
{
	struct seen *seen = context;

	assert_int_equal(count, 2);
	if (++seen->rows == seen->fail_at)
		return err_set(err, -EINVAL, "enough");
	snprintf(seen->last, sizeof(seen->last), "%s",
	    fields[1] ? fields[1] : "NULL");
	return 0;
}

static void
copy_in_and_out(void **state)
{
	static const char odd[] = "tab\tline\nback\\slash \\N \r\x01 \"quote\"";
	struct db_copy copy = { 0 };
	struct seen seen = { 0 };
	struct err err = { "" };
	char number[16];

	(void)state;
	postgres_execute(&db, "CREATE TEMP TABLE t (id int, value text)");
	for (int i = 1; i <= 50000; i++) {
		snprintf(number, sizeof(number), "%d", i);
		db_copy_field(&copy, number, strlen(number));
		if (i % 2)
			db_copy_null(&copy);
		else
			db_copy_field(&copy, odd, strlen(odd));
		db_copy_end_row(&copy);
	}
	assert_int_equal(db_copy_in(&db, "COPY t FROM STDIN", &copy, &err), 0);
	assert_int_equal(db_copy_out(&db,
			     "COPY (SELECT * FROM t ORDER BY id) TO STDOUT", 2,
			     see_row, &seen, &err),
	    0);
	assert_int_equal(seen.rows, 50000);
	assert_string_equal(seen.last, odd);
	db_copy_close(&copy);
}

static void
copy_failures_leave_it_usable(void **state)
{
	struct db_copy copy = { 0 };
	struct seen seen = { .fail_at = 3 };
	struct err err = { "" };

	(void)state;
	assert_int_equal(db_copy_out(&db,
			     "COPY (SELECT i, i FROM generate_series(1, 9) i) "
			     "TO STDOUT",
			     2, see_row, &seen, &err),
	    -EINVAL);
	assert_string_equal(err.text, "enough");
	assert_int_equal(seen.rows, 3);
	assert_int_equal(db_copy_out(&db, "COPY (SELECT 1, 2) TO STDOUT", 3,
			     see_row, &seen, &err),
	    -EPROTO);
	assert_int_equal(db_copy_out(&db, "COPY nothing TO STDOUT", 2, see_row,
			     &seen, &err),
	    -EIO);
	assert_int_equal(db_copy_out(&db, "SELECT 1", 2, see_row, &seen, &err),
	    -EIO);
	seen = (struct seen){ 0 };
	assert_int_equal(db_copy_out(&db,
			     "COPY (SELECT i, 1/(5-i) FROM "
			     "generate_series(1, 9) i) TO STDOUT",
			     2, see_row, &seen, &err),
	    -EIO);
	assert_string_equal(db_sqlstate(&db), "22012");
	postgres_execute(&db, "CREATE TEMP TABLE u (id int, value text)");
	db_copy_field(&copy, "no number", 9);
	db_copy_field(&copy, "x", 1);
	db_copy_end_row(&copy);
	assert_int_equal(db_copy_in(&db, "COPY u FROM STDIN", &copy, &err),
	    -EIO);
	assert_string_equal(db_sqlstate(&db), "22P02");
	copy.failed = true;
	assert_int_equal(db_copy_in(&db, "COPY u FROM STDIN", &copy, &err),
	    -ENOMEM);
	db_copy_close(&copy);
	postgres_execute(&db, "SELECT 1");
}

static void
waiting_for_notifications(void **state)
{
	struct db other = { 0 };
	struct err err = { "" };
	bool notified = true;
	int wake = eventfd(0, EFD_NONBLOCK);

	(void)state;
	postgres_execute(&db, "LISTEN here");
	assert_int_equal(db_wait(&db, wake, 0, &notified, &err), 0);
	assert_false(notified);
	assert_int_equal(db_connect(&other, postgres_conninfo, "other", &err),
	    0);
	postgres_execute(&other, "NOTIFY here; NOTIFY here, 'again'");
	assert_int_equal(db_wait(&db, wake, 30000, &notified, &err), 1);
	assert_true(notified);
	assert_int_equal(db_wait(&db, wake, 0, &notified, &err), 0);
	assert_int_equal(write(wake, &(uint64_t){ 1 }, 8), 8);
	assert_int_equal(db_wait(&db, wake, 30000, &notified, &err), 1);
	assert_false(notified);
	close(wake);
	db_close(&other);
}

static void
a_long_statement_can_be_left(void **state)
{
	struct err err = { "" };

	(void)state;
	db.interrupt_fd = eventfd(1, EFD_NONBLOCK);
	assert_int_equal(db_execute(&db, "SELECT pg_sleep(600)", &err),
	    -ECANCELED);
	close(db.interrupt_fd);
	db.interrupt_fd = 0;
}

static void
schema_is_checked(void **state)
{
	struct err err = { "" };

	(void)state;
	assert_int_equal(db_check_schema(&db, 5, &err), -ENOENT);
	assert_non_null(strstr(err.text, "db migrate"));
	postgres_execute(&db,
	    "CREATE SCHEMA tocsin;"
	    "CREATE TABLE tocsin.schema_version (version int)");
	assert_int_equal(db_check_schema(&db, 5, &err), -ENOENT);
	postgres_execute(&db, "INSERT INTO tocsin.schema_version VALUES (4)");
	assert_int_equal(db_check_schema(&db, 5, &err), 4);
	postgres_execute(&db, "INSERT INTO tocsin.schema_version VALUES (6)");
	assert_int_equal(db_check_schema(&db, 5, &err), -EPROTO);
	assert_non_null(strstr(err.text, "migration 6"));
	postgres_execute(&db, "DROP SCHEMA tocsin CASCADE");
}

static void
a_lost_server_is_noticed(void **state)
{
	struct err err = { "" };
	bool notified;

	(void)state;
	postgres_crash();
	assert_int_equal(db_wait(&db, -1, 30000, &notified, &err), -ENOTCONN);
	assert_int_equal(db_execute(&db, "SELECT 1", &err), -ENOTCONN);
	assert_int_equal(db_connect(&db, postgres_conninfo, "test", &err),
	    -ENOTCONN);
	assert_true(postgres_start());
	assert_int_equal(db_connect(&db, postgres_conninfo, "test", &err), 0);
	postgres_execute(&db, "SELECT 1");
}

int
main(void)
{
#define CONNECTED(test)                                                        \
 cmocka_unit_test_setup_teardown(test, connect_database, disconnect)
	const struct CMUnitTest tests[] = {
		CONNECTED(queries_with_parameters),
		CONNECTED(failures_have_state_and_words),
		CONNECTED(copy_in_and_out),
		CONNECTED(copy_failures_leave_it_usable),
		CONNECTED(waiting_for_notifications),
		CONNECTED(a_long_statement_can_be_left),
		CONNECTED(schema_is_checked),
		CONNECTED(a_lost_server_is_noticed),
	};
	int failed;

	if (!postgres_start()) {
		fprintf(stderr, "skipped: no private PostgreSQL here\n");
		return 77;
	}
	failed = cmocka_run_group_tests(tests, NULL, NULL);
	postgres_remove();
	return failed;
}
