/* Journal records become rows: over a real journal. What PostgreSQL makes of
 * them is tested with whole programs in tests/integration and tests/crash. */

#include "unit/test.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <unistd.h>

#include "archive/batch.h"

#define RECEIVED_US INT64_C(1768473001204000) /* 2026-01-15T10:30:01.204Z */

struct place {
	char directory[64];
	struct journal *journal;
};

static int
open_place(void **state)
{
	struct place *place = calloc(1, sizeof(*place));
	struct journal_config config = { .node = "n1",
		.segment_bytes = 1 << 20,
		.budget_bytes = 64 << 20,
		.retention_us = INT64_MAX };
	struct err err;

	if (!place)
		return -1;
	strcpy(place->directory, "/tmp/tocsin-archive-XXXXXX");
	if (!mkdtemp(place->directory))
		return -1;
	config.directory = place->directory;
	if (journal_open(&place->journal, &config, &io_system, &clock_system,
		&err) < 0 ||
	    journal_start(place->journal, &err) < 0) {
		print_error("%s\n", err.text);
		return -1;
	}
	*state = place;
	return 0;
}

static int
close_place(void **state)
{
	struct place *place = *state;
	char command[128];

	journal_close(&place->journal);
	snprintf(command, sizeof(command), "rm -rf %s", place->directory);
	free(place);
	return system(command);
}

static uint64_t
append(struct place *place, enum journal_kind kind, const void *payload,
    int length)
{
	uint64_t lsn;

	assert_true(length > 0);
	assert_int_equal(journal_append(place->journal, kind, RECEIVED_US, 1,
			     slice_of(payload, (size_t)length), &lsn),
	    0);
	return lsn;
}

static uint64_t
append_signal(struct place *place, struct slice text)
{
	static uint8_t payload[JOURNAL_PAYLOAD_MAX];
	struct record_signal record = {
		.listener = slice_from_string("panels"),
		.peer = slice_from_string("127.0.0.1:4000"),
		.raw = slice_from_string("\nraw\tbytes\\\r"),
		.signal = {
			.protocol = SIGNAL_PROTOCOL_DC09,
			.id = slice_from_string("SIA-DCS"),
			.sequence = slice_from_string("0042"),
			.line = slice_from_string(""),
			.account = slice_from_string("00AB"),
			.event_count = 1,
			.events[0] = { .format = SIGNAL_FORMAT_SIA,
				.code = "BA", .zone = slice_from_string("5"),
				.text = text },
		},
	};

	return append(place, JOURNAL_SIGNAL, payload,
	    record_signal_encode(&record, payload, sizeof(payload)));
}

static uint64_t
append_decision(struct place *place, uint64_t signal_lsn)
{
	static uint8_t payload[JOURNAL_PAYLOAD_MAX];
	struct decision decision = {
		.signal_lsn = signal_lsn,
		.verdict = VERDICT_ROUTED,
		.reason = slice_from_string("zone 5"),
		.site_id = 7,
		.delivery_count = 1,
		.deliveries[0] = { .receiver_id = 3,
		    .number = 9,
		    .format = SIGNAL_FORMAT_CONTACT_ID,
		    .qualifier = SIGNAL_QUALIFIER_NEW,
		    .code = "130",
		    .account = slice_from_string("0017"),
		    .zone = slice_from_string("005"),
		    .received_us = RECEIVED_US },
	};

	return append(place, JOURNAL_DECISION, payload,
	    record_decision_encode(&decision, payload, sizeof(payload)));
}

static void
append_outcome(struct place *place, uint64_t decision_lsn)
{
	uint8_t payload[512];
	struct outcome outcome = { .decision_lsn = decision_lsn,
		.state = OUTCOME_DELIVERED,
		.receiver_id = 3,
		.attempts = 2,
		.repeated = true,
		.endpoint = slice_from_string("127.0.0.1:1025") };

	append(place, JOURNAL_OUTCOME, payload,
	    record_outcome_encode(&outcome, payload, sizeof(payload)));
}

static void
wait_durable(struct place *place)
{
	struct journal_status status;

	do
		journal_status(place->journal, &status);
	while (status.durable_lsn < status.appended_lsn && status.failure == 0);
	assert_int_equal(status.failure, 0);
}

static void
fill(struct place *place, struct archive_batch *batch)
{
	struct journal_cursor *cursor;
	struct journal_entry entry;
	struct err err;

	wait_durable(place);
	archive_batch_reset(batch, 0);
	assert_int_equal(journal_cursor_open(&cursor, place->journal, 0, &err),
	    0);
	while (journal_cursor_next(cursor, &entry, &err) == 1)
		assert_int_equal(archive_batch_add(batch, place->journal,
				     &entry, &err),
		    0);
	journal_cursor_close(&cursor);
}

static void
assert_copy(const struct db_copy *copy, const char *expected)
{
	assert_slice(slice_of(copy->text, copy->length), expected);
}

static void
rows_say_what_the_records_said(void **state)
{
	struct place *place = *state;
	struct archive_batch *batch = calloc(1, sizeof(*batch));
	char expected[1024];
	uint64_t signal_lsn, decision_lsn;

	assert_non_null(batch);
	/* Windows-1252, a tab, a backslash, a NUL: all must survive COPY */
	signal_lsn = append_signal(place, slice_of("caf\xe9\t\\\0x", 8));
	decision_lsn = append_decision(place, signal_lsn);
	append_outcome(place, decision_lsn);
	fill(place, batch);

	snprintf(expected, sizeof(expected),
	    "n1\t%" PRIu64 "\t0\t1\t2026-01-15 10:30:01.204000+00\tpanels\t"
	    "127.0.0.1:4000\tdc09\t\\N\t\t00AB\t0042\tf\tsia\tBA\t\\N\t\\N\t5\t"
	    "\\N\tcaf\xc3\xa9\\t\\\\ x\t\\N\t"
	    "\\\\x0a7261770962797465735c0d\t\\N\t7\t\\N\t\\N\trouted\tzone 5\t"
	    "0\t%" PRIu64 "\t1\tlocal\n",
	    signal_lsn, decision_lsn);
	assert_copy(&batch->events, expected);
	snprintf(expected, sizeof(expected),
	    "n1\t%" PRIu64 "\t0\t%" PRIu64
	    "\t0\t2026-01-15 10:30:01.204000+00\t3\t9\t0017\tcontact-id\t130\t"
	    "E\t\\N\t005\n",
	    decision_lsn, signal_lsn);
	assert_copy(&batch->deliveries, expected);
	assert_int_equal(batch->outcome_count, 1);
	assert_int_equal(batch->records, 4); /* with the boot record */
	archive_batch_close(batch);
	free(batch);
}

static void
a_decision_without_its_signal_is_not_taken(void **state)
{
	struct place *place = *state;
	struct archive_batch *batch = calloc(1, sizeof(*batch));
	struct journal_cursor *cursor;
	struct journal_entry entry;
	struct err err;
	unsigned refused = 0;

	assert_non_null(batch);
	append_decision(place, UINT64_C(1) << 40);
	wait_durable(place);
	archive_batch_reset(batch, 0);
	assert_int_equal(journal_cursor_open(&cursor, place->journal, 0, &err),
	    0);
	while (journal_cursor_next(cursor, &entry, &err) == 1)
		refused += archive_batch_add(batch, place->journal, &entry,
			       &err) == -EINVAL;
	assert_int_equal(refused, 1);
	assert_int_equal(batch->event_count, 0);
	assert_int_equal(batch->records, 1); /* the boot record */
	assert_true(batch->end_lsn < journal_cursor_position(cursor));
	journal_cursor_close(&cursor);
	archive_batch_close(batch);
	free(batch);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(rows_say_what_the_records_said,
		    open_place, close_place),
		cmocka_unit_test_setup_teardown(
		    a_decision_without_its_signal_is_not_taken, open_place,
		    close_place),
	};

	return cmocka_run_group_tests_name("archive", tests, NULL, NULL);
}
