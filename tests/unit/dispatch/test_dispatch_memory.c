/* What dispatch remembers: repeats, numbers, open and parked deliveries, marks,
 * checkpoints. */
#include "unit/test.h"

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include "dispatch/checkpoint.h"
#include "dispatch/flood.h"
#include "dispatch/mark.h"
#include "dispatch/number.h"
#include "dispatch/open_list.h"
#include "dispatch/parked.h"
#include "dispatch/repeat.h"

#define SECOND INT64_C(1000000)

static void
repeats_are_of_one_sender_inside_the_window(void **state)
{
	static const struct {
		const char *name;
		uint64_t sender, fingerprint;
		int64_t at;
		bool repeat;
	} rows[] = {
		{ "first", 1, 100, 1000 * SECOND, false },
		{ "same again", 1, 100, 1012 * SECOND, true },
		{ "other message", 1, 101, 1012 * SECOND, false },
		{ "other sender", 2, 200, 1013 * SECOND, false },
		{ "at the edge", 1, 100, 1120 * SECOND, true },
		{ "counted from the first", 1, 100, 1121 * SECOND, false },
		{ "and again from there", 1, 100, 1122 * SECOND, true },
		{ "clock stepped back a little", 2, 200, 1000 * SECOND, true },
		{ "clock stepped back a lot", 2, 200, 10 * SECOND, false },
	};
	struct repeat_table table;

	(void)state;
	assert_int_equal(repeat_open(&table, 1024, 120 * SECOND), 0);
	for (size_t i = 0; i < COUNT(rows); i++)
		assert_row(repeat_seen(&table, rows[i].sender,
			       rows[i].fingerprint,
			       rows[i].at) == rows[i].repeat,
		    i, rows[i].name);
	repeat_close(&table);
}

static void
a_flood_pushes_out_only_its_own_bucket(void **state)
{
	struct repeat_table table;
	unsigned kept = 0;

	(void)state;
	assert_int_equal(repeat_open(&table, 8192, 120 * SECOND), 0);
	for (uint64_t sender = 1; sender <= 100; sender++)
		assert_false(repeat_seen(&table, sender, sender, SECOND));
	for (uint64_t n = 0; n < 100000; n++)
		repeat_seen(&table, 7777, 1000000 + n, 2 * SECOND);
	for (uint64_t sender = 1; sender <= 100; sender++)
		kept += repeat_seen(&table, sender, sender, 3 * SECOND);
	assert_in_range(kept, 98, 100);
	repeat_close(&table);
}

static void
a_flood_is_counted_by_the_minute(void **state)
{
	struct flood_table table;
	const struct flood *due;

	(void)state;
	assert_int_equal(flood_open(&table, 3), 0);
	for (unsigned i = 0; i < 3; i++) {
		assert_false(flood_reached(&table, 7, i * SECOND));
		flood_note(&table, 7, i * SECOND, false);
	}
	assert_true(flood_reached(&table, 7, 3 * SECOND));
	assert_false(flood_reached(&table, 8, 3 * SECOND));
	assert_true(flood_reached(&table, 7, 59 * SECOND));
	assert_false(flood_reached(&table, 7, 60 * SECOND));
	assert_int_equal(flood_next_us(&table), INT64_MAX);
	flood_note(&table, 7, 10 * SECOND, true);
	flood_note(&table, 7, 50 * SECOND, true);
	assert_int_equal(flood_next_us(&table), 60 * SECOND);
	assert_null(flood_due(&table, 59 * SECOND));
	due = flood_due(&table, 60 * SECOND);
	assert_non_null(due);
	assert_int_equal(due->cut, 2);
	assert_int_equal(due->raised, 3);
	assert_int_equal(due->last_us, 50 * SECOND);
	flood_told(&table, 7);
	assert_null(flood_due(&table, 60 * SECOND));
	/* many bridges need no more memory, and none is cut for another */
	for (uint64_t id = 100; id < 500000; id++) {
		assert_false(flood_reached(&table, id, 100 * SECOND));
		flood_note(&table, id, 100 * SECOND, false);
	}
	flood_close(&table);
	assert_int_equal(flood_open(&table, 0), 0);
	flood_note(&table, 7, SECOND, false);
	assert_false(flood_reached(&table, 7, SECOND));
	flood_close(&table);
}

static void
numbers_are_kept_per_receiver(void **state)
{
	struct number_table table = { 0 };

	(void)state;
	for (uint64_t id = 500; id > 0; id--)
		number_of(&table, id * 7)->last = id;
	assert_int_equal(table.count, 500);
	for (uint64_t id = 1; id <= 500; id++)
		assert_int_equal(number_of(&table, id * 7)->last, id);
	number_close(&table);
}

static void
the_open_list_is_what_has_no_end(void **state)
{
	struct open_list list = { 0 };
	struct outcome outcome = { 0 };

	(void)state;
	for (uint64_t lsn = 100; lsn < 150; lsn += 10)
		for (unsigned index = 0; index < 2; index++) {
			struct open_entry entry = { .decision_lsn = lsn,
				.index = (uint8_t)index };

			assert_int_equal(open_list_add(&list, &entry), 0);
		}
	outcome =
	    (struct outcome){ .decision_lsn = 100, .state = OUTCOME_DELIVERED };
	open_list_apply(&list, &outcome, 1000);
	outcome = (struct outcome){
		.decision_lsn = 110, .index = 1, .state = OUTCOME_PARKED
	};
	open_list_apply(&list, &outcome, 1001);
	outcome.state = OUTCOME_REQUEUED;
	open_list_apply(&list, &outcome, 1002);
	outcome =
	    (struct outcome){ .decision_lsn = 120, .state = OUTCOME_PARKED };
	open_list_apply(&list, &outcome, 1003);
	outcome.decision_lsn = 999; /* of a segment long gone */
	open_list_apply(&list, &outcome, 1004);

	open_list_settle(&list);
	assert_int_equal(list.count, 9);
	assert_int_equal(list.entries[0].decision_lsn, 100);
	assert_int_equal(list.entries[0].index, 1);
	assert_int_equal(list.entries[8].decision_lsn, 110);
	assert_int_equal(list.entries[8].state, OPEN_WAITING);
	for (size_t i = 0; i < list.count; i++)
		assert_int_equal(list.entries[i].state == OPEN_PARKED,
		    list.entries[i].decision_lsn == 120 &&
			list.entries[i].index == 0);
	open_list_close(&list);
}

static void
the_open_list_forgets_what_is_finished(void **state)
{
	struct open_list list = { 0 };

	(void)state;
	for (uint64_t lsn = 1; lsn <= 1000000; lsn++) {
		struct open_entry entry = { .decision_lsn = lsn };
		struct outcome outcome = { .decision_lsn = lsn,
			.state = OUTCOME_DELIVERED };

		assert_int_equal(open_list_add(&list, &entry), 0);
		open_list_apply(&list, &outcome, lsn);
	}
	assert_in_range(list.size, 0, 300000);
	open_list_settle(&list);
	assert_int_equal(list.count, 0);
	open_list_close(&list);
}

static void
parked_deliveries_keep_the_oldest_in_sight(void **state)
{
	static const uint64_t lsns[] = { 300, 100, 200, 100 };
	struct parked_list list = { 0 };

	(void)state;
	assert_int_equal(parked_oldest(&list), UINT64_MAX);
	for (size_t i = 0; i < COUNT(lsns); i++) {
		struct parked_entry entry = { .decision_lsn = lsns[i],
			.index = i == 3,
			.requeued = i == 2 };

		assert_int_equal(parked_put(&list, &entry), 0);
		assert_int_equal(parked_put(&list, &entry), 0);
	}
	assert_int_equal(list.count, 4);
	assert_int_equal(list.requeued, 1);
	assert_int_equal(parked_oldest(&list), 100);
	parked_remove(&list, 100, 0);
	assert_int_equal(parked_oldest(&list), 100);
	parked_remove(&list, 100, 1);
	parked_remove(&list, 100, 1);
	parked_remove(&list, 200, 0);
	assert_int_equal(parked_oldest(&list), 300);
	assert_int_equal(list.requeued, 0);
	parked_close(&list);
}

static char directory[] = "/tmp/tocsin-dispatch-XXXXXX";
static char path[128];

static int
make_directory(void **state)
{
	(void)state;
	if (!mkdtemp(directory))
		return -1;
	snprintf(path, sizeof(path), "%s/file", directory);
	return 0;
}

static int
remove_directory(void **state)
{
	(void)state;
	unlink(path);
	return rmdir(directory);
}

static void
marks_survive_and_know_their_journal(void **state)
{
	struct hash_key mine = { { 1 } }, other = { { 2 } };
	struct mark_file file;
	struct mark *marks;
	unsigned count;
	struct err err;

	(void)state;
	assert_int_equal(mark_open(&file, path, &mine, &marks, &count, &err),
	    0);
	assert_int_equal(count, 0);
	free(marks);
	for (uint64_t lsn = 1; lsn <= MARK_SLOTS + 10; lsn++)
		assert_int_equal(mark_write(&file, lsn * 8, lsn % 3), 0);
	mark_close(&file);

	assert_int_equal(mark_open(&file, path, &mine, &marks, &count, &err),
	    0);
	assert_int_equal(count, MARK_SLOTS);
	for (uint64_t lsn = 1; lsn <= MARK_SLOTS + 10; lsn++) {
		assert_int_equal(mark_among(marks, count, lsn * 8, lsn % 3),
		    lsn > 10);
		assert_false(mark_among(marks, count, lsn * 8, lsn % 3 + 1));
	}
	/* one damaged byte costs one mark */
	assert_int_equal(pwrite(file.fd, "\xff", 1, 160), 1);
	free(marks);
	mark_close(&file);
	assert_int_equal(mark_open(&file, path, &mine, &marks, &count, &err),
	    0);
	assert_int_equal(count, MARK_SLOTS - 1);
	free(marks);
	mark_close(&file);

	assert_int_equal(mark_open(&file, path, &other, &marks, &count, &err),
	    0);
	assert_int_equal(count, 0);
	free(marks);
	mark_close(&file);
}

/* A journal put back from a copy gives positions again that were used before:
 * a mark from then must not end a delivery of now. */
static void
marks_behind_the_end_are_forgotten(void **state)
{
	struct hash_key mine = { { 1 } };
	struct mark_file file;
	struct mark *marks;
	unsigned count;
	struct err err;

	(void)state;
	unlink(path);
	assert_int_equal(mark_open(&file, path, &mine, &marks, &count, &err),
	    0);
	free(marks);
	for (uint64_t lsn = 800; lsn <= 1600; lsn += 8)
		assert_int_equal(mark_write(&file, lsn, 0), 0);
	mark_close(&file);

	assert_int_equal(mark_open(&file, path, &mine, &marks, &count, &err),
	    0);
	assert_int_equal(mark_cut(&file, marks, &count, 1608), 0);
	assert_int_equal(count, 101);
	assert_int_equal(mark_cut(&file, marks, &count, 1000), 0);
	assert_true(mark_among(marks, count, 992, 0));
	assert_false(mark_among(marks, count, 1000, 0));
	free(marks);
	mark_close(&file);

	assert_int_equal(mark_open(&file, path, &mine, &marks, &count, &err),
	    0);
	assert_int_equal(count, 0);
	free(marks);
	mark_close(&file);
}

static void
a_checkpoint_that_is_damaged_is_none(void **state)
{
	struct hash_key mine = { { 1 } }, other = { { 2 } };
	struct number_table numbers = { 0 }, numbers_back = { 0 };
	struct site_states sites = { 0 }, sites_back = { 0 };
	const struct checkpoint written = { 4096, 5000, &numbers, &sites };
	struct checkpoint read_back = { 0, 0, &numbers_back, &sites_back };
	const struct area area = { AREA_SITE, 0 };
	const struct decision armed = { .signal_lsn = 5000,
		.site_id = 7,
		.effect_count = 1,
		.effects = {
		    { .kind = EFFECT_ARMING, .armed = true, .at_us = 9 } } };
	struct err err;
	FILE *file;
	char bytes[512];
	size_t length;

	(void)state;
	unlink(path);
	assert_int_equal(site_states_reserve(&sites, &armed), 0);
	site_states_apply(&sites, &armed);
	number_of(&numbers, 5)->last = 77;
	number_of(&numbers, 9)->last = 88;
	assert_int_equal(checkpoint_read(path, &mine, &read_back), -ENOENT);
	assert_int_equal(checkpoint_write(path, &mine, &written, &err), 0);
	assert_int_equal(checkpoint_read(path, &mine, &read_back), -ENOENT);
	assert_int_equal(checkpoint_publish(path, true, &err), 0);
	assert_int_equal(checkpoint_read(path, &mine, &read_back), 0);
	assert_int_equal(read_back.replay_from_lsn, 4096);
	assert_int_equal(read_back.newest_lsn, 5000);
	assert_int_equal(number_of(&numbers_back, 9)->last, 88);
	assert_int_equal(site_state_area(site_states_find(&sites_back, 7), area)
			     ->at_us,
	    9);
	number_close(&numbers_back);
	site_states_close(&sites_back);
	assert_int_equal(checkpoint_read(path, &other, &read_back), -EBADMSG);

	file = fopen(path, "rb");
	assert_non_null(file);
	length = fread(bytes, 1, sizeof(bytes), file);
	fclose(file);
	for (size_t bit = 0; bit < length * 8; bit++) {
		bytes[bit / 8] = (char)(bytes[bit / 8] ^ 1 << bit % 8);
		file = fopen(path, "wb");
		assert_non_null(file);
		assert_int_equal(fwrite(bytes, 1, length, file), length);
		fclose(file);
		assert_int_equal(checkpoint_read(path, &mine, &read_back),
		    -EBADMSG);
		assert_int_equal(read_back.replay_from_lsn, 0);
		bytes[bit / 8] = (char)(bytes[bit / 8] ^ 1 << bit % 8);
	}
	for (size_t cut = 0; cut < length; cut++) {
		assert_int_equal(truncate(path, (off_t)cut), 0);
		assert_int_equal(checkpoint_read(path, &mine, &read_back),
		    -EBADMSG);
		file = fopen(path, "wb");
		assert_non_null(file);
		assert_int_equal(fwrite(bytes, 1, length, file), length);
		fclose(file);
	}
	number_close(&numbers);
	site_states_close(&sites);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(repeats_are_of_one_sender_inside_the_window),
		cmocka_unit_test(a_flood_pushes_out_only_its_own_bucket),
		cmocka_unit_test(a_flood_is_counted_by_the_minute),
		cmocka_unit_test(numbers_are_kept_per_receiver),
		cmocka_unit_test(the_open_list_is_what_has_no_end),
		cmocka_unit_test(the_open_list_forgets_what_is_finished),
		cmocka_unit_test(parked_deliveries_keep_the_oldest_in_sight),
		cmocka_unit_test(marks_survive_and_know_their_journal),
		cmocka_unit_test(marks_behind_the_end_are_forgotten),
		cmocka_unit_test(a_checkpoint_that_is_damaged_is_none),
	};

	return cmocka_run_group_tests_name("dispatch memory", tests,
	    make_directory, remove_directory);
}
