#include "unit/test.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "db/copy.h"
#include "db/db.h"
#include "db/refusal.h"

static void
copy_splits_and_unescapes(void **state)
{
	static const struct {
		const char *line;
		int count;
		const char *fields[4];
	} rows[] = {
		{ "a\tb\n", 2, { "a", "b" } },
		{ "\n", 1, { "" } },
		{ "\t\n", 2, { "", "" } },
		{ "\\N\tx\t\\N\n", 3, { NULL, "x", NULL } },
		{ "\\\\N\n", 1, { "\\N" } },
		{ "tab\\there\tline\\nbreak\n", 2,
		    { "tab\there", "line\nbreak" } },
		{ "\\b\\f\\v\\r\\\\\n", 1, { "\b\f\v\r\\" } },
		{ "a\\N\n", 1, { "aN" } },
		{ "ends\\\n", 1, { "ends\\" } },
		{ "1\t2\t3\t4\n", 4, { "1", "2", "3", "4" } },
		{ "1\t2\t3\t4\t5\n", -EPROTO, { NULL } },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		char *line = strdup(rows[i].line);
		char *fields[4];
		int count = copy_split(line, 4, fields);

		assert_row(count == rows[i].count, i, rows[i].line);
		for (int k = 0; k < count; k++) {
			const char *expected = rows[i].fields[k];

			assert_row(!fields[k] == !expected, i, rows[i].line);
			assert_row(!expected ||
				strcmp(fields[k], expected) == 0,
			    i, rows[i].line);
		}
		free(line);
	}
}

static void
copy_writes_what_split_reads(void **state)
{
	static const char *const values[] = { "", "plain", "a\tb", "a\nb",
		"a\\b", "\\N", "\r\n\t\\", "Z\xc3\xbcrich" };
	char *fields[COUNT(values) + 1];
	struct db_copy copy = { 0 };

	(void)state;
	for (size_t i = 0; i < COUNT(values); i++)
		db_copy_field(&copy, values[i], strlen(values[i]));
	db_copy_null(&copy);
	db_copy_end_row(&copy);
	db_copy_field(&copy, "a\0b", 3);
	db_copy_end_row(&copy);
	db_copy_field(&copy, "", 1); /* room for a NUL behind the text */

	assert_false(copy.failed);
	copy.text[copy.length - 1] = '\0';
	assert_non_null(strchr(copy.text, '\n'));
	assert_string_equal(strchr(copy.text, '\n') + 1,
	    "a\xef\xbf\xbd"
	    "b\n\xef\xbf\xbd");
	*strchr(copy.text, '\n') = '\0';
	assert_int_equal(copy_split(copy.text, COUNT(fields), fields),
	    COUNT(fields));
	for (size_t i = 0; i < COUNT(values); i++)
		assert_string_equal(fields[i], values[i]);
	assert_null(fields[COUNT(values)]);
	db_copy_close(&copy);
	assert_null(copy.text);
}

static void
copy_grows(void **state)
{
	struct db_copy copy = { 0 };

	(void)state;
	for (int i = 0; i < 10000; i++) {
		db_copy_field(&copy, "0123456789", 10);
		db_copy_end_row(&copy);
	}
	assert_false(copy.failed);
	assert_int_equal(copy.length, 110000);
	db_copy_reset(&copy);
	assert_int_equal(copy.length, 0);
	assert_true(copy.size >= 110000);
	db_copy_close(&copy);
}

static void
connecting_fails_without_the_password(void **state)
{
	static const char *const conninfos[] = {
		"host=/nonexistent/tocsin user=x password=SECRET dbname=y",
		"host=/nonexistent password='SECRET dbname",
		"postgresql://x:SECRET@%2Fnonexistent/y",
		"garbage SECRET",
	};

	(void)state;
	for (size_t i = 0; i < COUNT(conninfos); i++) {
		struct db db = { 0 };
		struct err err = { "" };

		assert_row(db_connect(&db, conninfos[i], "test", &err) ==
			-ENOTCONN,
		    i, conninfos[i]);
		assert_row(err.text[0] != '\0', i, conninfos[i]);
		assert_row(!strstr(err.text, "SECRET"), i, err.text);
		assert_null(db.connection);
	}
}

static void
nothing_works_unconnected(void **state)
{
	struct db db = { 0 };
	struct err err = { "" };
	bool notified;
	int code = 0;

	(void)state;
	assert_int_equal(db_execute(&db, "SELECT 1", &err), -ENOTCONN);
	assert_null(db_query(&db, "SELECT 1", 0, NULL, &code, &err));
	assert_int_equal(code, -ENOTCONN);
	assert_int_equal(db_wait(&db, -1, 0, &notified, &err), -ENOTCONN);
	assert_string_equal(db_sqlstate(&db), "");
	db_close(&db);
}

/* A server that takes the connection and never says a word. */
static void
a_hanging_server_can_be_left(void **state)
{
	char directory[] = "/tmp/tocsin-db-XXXXXX";
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	char conninfo[128];
	struct db db = { 0 };
	struct err err = { "" };
	int listener;

	(void)state;
	assert_non_null(mkdtemp(directory));
	snprintf(address.sun_path, sizeof(address.sun_path), "%s/.s.PGSQL.5432",
	    directory);
	snprintf(conninfo, sizeof(conninfo), "host=%s port=5432 dbname=x",
	    directory);
	listener = socket(AF_UNIX, SOCK_STREAM, 0);
	assert_int_equal(bind(listener, (struct sockaddr *)&address,
			     sizeof(address)),
	    0);
	assert_int_equal(listen(listener, 1), 0);
	db.interrupt_fd = eventfd(1, EFD_NONBLOCK);
	assert_true(db.interrupt_fd > 0);

	assert_int_equal(db_connect(&db, conninfo, "test", &err), -ECANCELED);

	assert_null(db.connection);
	close(db.interrupt_fd);
	close(listener);
	unlink(address.sun_path);
	rmdir(directory);
}

static void
a_refusal_has_sentence_and_field(void **state)
{
	static const struct {
		const char *constraint, *sentence, *field;
	} rows[] = {
		{ "site_name_not_blank", "a site needs a name", "name" },
		/* PostgreSQL's own words */
		{ "site_test_length", "as told", "minutes" },
		{ "alarm_library_one_owner",
		    "a library row is about one dealer, one site or one channel",
		    NULL },
		{ "unheard_of", "as told", NULL },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		const char *field = refusal_field(rows[i].constraint);

		assert_string_equal(refusal_of(rows[i].constraint, "as told"),
		    rows[i].sentence);
		assert_int_equal(field == NULL, rows[i].field == NULL);
		if (field)
			assert_string_equal(field, rows[i].field);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(copy_splits_and_unescapes),
		cmocka_unit_test(copy_writes_what_split_reads),
		cmocka_unit_test(copy_grows),
		cmocka_unit_test(connecting_fails_without_the_password),
		cmocka_unit_test(nothing_works_unconnected),
		cmocka_unit_test(a_hanging_server_can_be_left),
		cmocka_unit_test(a_refusal_has_sentence_and_field),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
