/* From a journal into a PostgreSQL of its own. */
#include "unit/db/postgres.h"

#include <inttypes.h>

#include "archive/archive.h"
#include "journal/record.h"

#define RECEIVED_US INT64_C(1768473001204000) /* 2026-01-15T10:30:01.204Z */
/* No such year: PostgreSQL refuses the row. */
#define REFUSED_US  INT64_C(-70000000000000000)
#define UNKNOWN_LSN (UINT64_C(1) << 40)

static struct db db;
static int schema;

static struct place {
	char directory[64];
	struct journal *journal;
	struct archive *archive;
} place;

static int
open_place(void **state)
{
	struct journal_config config = { .node = "n1",
		.directory = place.directory,
		.segment_bytes = 64 << 10,
		.budget_bytes = 64 << 20,
		.retention_us = INT64_MAX };
	struct err err = { "" };

	(void)state;
	strcpy(place.directory, "/tmp/tocsin-archive-XXXXXX");
	assert_non_null(mkdtemp(place.directory));
	if (journal_open(&place.journal, &config, &io_system, &clock_system,
		&err) < 0 ||
	    journal_start(place.journal, &err) < 0)
		fail_msg("%s", err.text);
	postgres_execute(&db,
	    "TRUNCATE tocsin.event, tocsin.delivery, tocsin.delivery_outcome,"
	    " tocsin.archive_position, tocsin.archive_quarantine");
	return 0;
}

static int
close_place(void **state)
{
	char command[128];

	(void)state;
	archive_close(&place.archive);
	journal_close(&place.journal);
	snprintf(command, sizeof(command), "rm -rf %s", place.directory);
	return system(command);
}

static uint64_t
append(enum journal_kind kind, int64_t wall_us, const void *payload, int length)
{
	uint64_t lsn;

	assert_true(length > 0);
	assert_int_equal(journal_append(place.journal, kind, wall_us, 1,
			     slice_of(payload, (size_t)length), &lsn),
	    0);
	return lsn;
}

static uint64_t
append_signal(void)
{
	static uint8_t payload[JOURNAL_PAYLOAD_MAX];
	struct record_signal record = {
		.listener = slice_from_string("panels"),
		.peer = slice_from_string("127.0.0.1:4000"),
		.raw = slice_from_string("raw"),
		.signal = { .protocol = SIGNAL_PROTOCOL_DC09,
		    .account = slice_from_string("00AB"),
		    .event_count = 1,
		    .events[0] = { .format = SIGNAL_FORMAT_CONTACT_ID,
			.qualifier = SIGNAL_QUALIFIER_NEW,
			.code = "130" } },
	};

	return append(JOURNAL_SIGNAL, RECEIVED_US, payload,
	    record_signal_encode(&record, payload, sizeof(payload)));
}

static void
append_decision(uint64_t signal_lsn)
{
	static uint8_t payload[JOURNAL_PAYLOAD_MAX];
	struct decision decision = { .signal_lsn = signal_lsn,
		.verdict = VERDICT_UNROUTED,
		.reason = slice_from_string("nowhere") };

	append(JOURNAL_DECISION, RECEIVED_US, payload,
	    record_decision_encode(&decision, payload, sizeof(payload)));
}

static void
append_outcome(int64_t wall_us)
{
	uint8_t payload[512];
	struct outcome outcome = { .decision_lsn = 4096,
		.state = OUTCOME_DELIVERED,
		.receiver_id = 3,
		.attempts = 1,
		.endpoint = slice_from_string("127.0.0.1:1025") };

	append(JOURNAL_OUTCOME, wall_us, payload,
	    record_outcome_encode(&outcome, payload, sizeof(payload)));
}

static long
count_rows(const char *table)
{
	char sql[128];
	struct err err = { "" };
	PGresult *result;
	long count;
	int code;

	snprintf(sql, sizeof(sql), "SELECT count(*) FROM tocsin.%s", table);
	result = db_query(&db, sql, 0, NULL, &code, &err);
	if (!result)
		fail_msg("%s", err.text);
	count = atol(PQgetvalue(result, 0, 0));
	PQclear(result);
	return count;
}

/* Open the archive and wait until it has everything. */
static void
archive_all(unsigned batch_records)
{
	struct archive_config config = { .conninfo = postgres_conninfo,
		.batch_records = batch_records,
		.linger_us = 1000,
		.newest_schema = schema };
	int64_t end_us = clock_monotonic_us(&clock_system) + 60000000;
	struct archive_status status;
	struct journal_status journal;
	struct err err = { "" };

	if (archive_open(&place.archive, &config, place.journal, &clock_system,
		&err) < 0)
		fail_msg("%s", err.text);
	do {
		archive_status(place.archive, &status);
		journal_status(place.journal, &journal);
		if (clock_monotonic_us(&clock_system) > end_us)
			fail_msg("stays at %" PRIu64 ": %s",
			    status.position_lsn, status.problem);
		poll(NULL, 0, 1);
	} while (status.position_lsn < journal.appended_lsn);
}

static void
what_cannot_be_read_is_kept_and_stepped_over(void **state)
{
	(void)state;
	append_decision(append_signal());
	append_decision(UNKNOWN_LSN);
	append_decision(UNKNOWN_LSN);
	append_decision(append_signal());
	append_outcome(RECEIVED_US);
	archive_all(100);
	assert_int_equal(count_rows("event"), 2);
	assert_int_equal(count_rows("delivery_outcome"), 1);
	assert_int_equal(count_rows("archive_quarantine"), 2);
}

/* Over the borders of segments, where the position is no record's. */
static void
refused_rows_are_kept_and_stepped_over(void **state)
{
	(void)state;
	for (unsigned i = 0; i < 1000; i++)
		append_outcome(i % 3 == 0 ? RECEIVED_US : REFUSED_US);
	archive_all(100);
	assert_int_equal(count_rows("delivery_outcome"), 334);
	assert_int_equal(count_rows("archive_quarantine"), 666);
}

static void
a_refused_row_may_begin_a_segment(void **state)
{
	(void)state;
	for (unsigned i = 0; i < 1000; i++)
		append_outcome(REFUSED_US);
	archive_all(100);
	assert_int_equal(count_rows("archive_quarantine"), 1000);
}

static void
a_restart_goes_on_where_the_database_stands(void **state)
{
	(void)state;
	for (unsigned i = 0; i < 300; i++)
		append_decision(append_signal());
	archive_all(7);
	archive_close(&place.archive);
	for (unsigned i = 0; i < 300; i++)
		append_decision(append_signal());
	archive_all(50);
	assert_int_equal(count_rows("event"), 600);
	assert_int_equal(count_rows("archive_quarantine"), 0);
}

/* The server process of the archive's connection. */
static int
archive_backend(void)
{
	struct err err = { "" };
	int code, pid;
	PGresult *result = db_query(&db,
	    "SELECT pid FROM pg_stat_activity "
	    "WHERE application_name = 'tocsind archive'",
	    0, NULL, &code, &err);

	if (!result)
		fail_msg("%s", err.text);
	assert_int_equal(PQntuples(result), 1);
	pid = atoi(PQgetvalue(result, 0, 0));
	PQclear(result);
	return pid;
}

static void
a_database_that_hangs_does_not_hold_up_the_end(void **state)
{
	int pid;

	(void)state;
	append_outcome(RECEIVED_US);
	archive_all(1);
	pid = archive_backend();
	assert_int_equal(kill(pid, SIGSTOP), 0);
	append_outcome(RECEIVED_US);
	archive_close(&place.archive); /* else here for ever */
	assert_int_equal(kill(pid, SIGCONT), 0);
	archive_all(1);
	assert_int_equal(count_rows("delivery_outcome"), 2);
}

#define TEST(name)                                                             \
 cmocka_unit_test_setup_teardown(name, open_place, close_place)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(what_cannot_be_read_is_kept_and_stepped_over),
		TEST(refused_rows_are_kept_and_stepped_over),
		TEST(a_refused_row_may_begin_a_segment),
		TEST(a_restart_goes_on_where_the_database_stands),
		TEST(a_database_that_hangs_does_not_hold_up_the_end),
	};
	struct err err = { "" };
	int failed;

	if (!postgres_start())
		return 77;
	if (db_connect(&db, postgres_conninfo, "tocsin test", &err) < 0) {
		fprintf(stderr, "%s\n", err.text);
		postgres_remove();
		return 1;
	}
	schema = postgres_migrate(&db);
	failed =
	    cmocka_run_group_tests_name("archive_postgres", tests, NULL, NULL);
	db_close(&db);
	postgres_remove();
	return failed;
}
