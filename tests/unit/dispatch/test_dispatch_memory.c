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
#include "dispatch/settling.h"

#define SECOND INT64_C(1000000)

static struct repeat_sighting
at(int64_t received_us)
{
	return (struct repeat_sighting){ .received_us = received_us };
}

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
			       rows[i].fingerprint, at(rows[i].at),
			       NULL) == rows[i].repeat,
		    i, rows[i].name);
	repeat_close(&table);
}

static void
a_repeat_knows_how_the_first_is_answered(void **state)
{
	struct repeat_table table;

	(void)state;
	assert_int_equal(repeat_open(&table, 1024, 120 * SECOND), 0);
	for (unsigned awaited = 0; awaited < 2; awaited++) {
		struct repeat_sighting sighting = { (5 + awaited) * SECOND,
			awaited };
		struct repeat_sighting first = { 0 };

		assert_false(repeat_seen(&table, 1, 10 + awaited, sighting,
		    &first));
		sighting.received_us += SECOND;
		sighting.awaited = !awaited;
		assert_true(repeat_seen(&table, 1, 10 + awaited, sighting,
		    &first));
		assert_int_equal(first.received_us, (5 + awaited) * SECOND);
		assert_int_equal(first.awaited, awaited);
	}
	repeat_close(&table);
}

/* What was told to be settled, in order. */
static struct {
	unsigned count;
	uint64_t lsns[16];
} told;

static void
note_settled(void *context, uint64_t lsn)
{
	(void)context;
	told.lsns[told.count++ % COUNT(told.lsns)] = lsn;
}

static int
open_settling(void **state)
{
	static struct settling_list list;

	memset(&told, 0, sizeof(told));
	*state = &list;
	if (settling_open(&list) < 0)
		return -1;
	list.fn = note_settled;
	return 0;
}

static int
close_settling(void **state)
{
	settling_close(*state);
	return 0;
}

static void
decide(struct settling_list *list, uint64_t lsn, unsigned item,
    enum verdict verdict, unsigned deliveries)
{
	static struct decision decision;

	decision.signal_lsn = lsn;
	decision.item = (uint16_t)item;
	decision.verdict = verdict;
	decision.delivery_count = deliveries;
	settling_decided(list, &decision);
}

static void
end(struct settling_list *list, uint64_t lsn, unsigned item, unsigned index,
    enum outcome_state state)
{
	const struct outcome outcome = { .signal_lsn = lsn,
		.item = (uint16_t)item,
		.index = (uint8_t)index,
		.state = state };

	settling_ended(list, &outcome);
}

/* One signal each, of one event: decided, then up to two outcomes. */
static void
a_signal_is_settled_when_all_of_it_has_ended(void **state)
{
	static const struct {
		const char *name;
		enum verdict verdict;
		unsigned deliveries;
		struct {
			unsigned index;
			enum outcome_state state;
		} ends[3];
		bool settled;
	} rows[] = {
		{ "nothing to deliver", VERDICT_SUPPRESSED, 0, { { 0 } },
		    true },
		{ "on test", VERDICT_ON_TEST, 0, { { 0 } }, true },
		{ "nobody's", VERDICT_UNKNOWN_ACCOUNT, 0, { { 0 } }, true },
		{ "left out by a filter", VERDICT_REPEAT, 0, { { 0 } }, true },
		{ "it waits", VERDICT_WAITING, 0, { { 0 } }, false },
		{ "it cannot be decided", VERDICT_PARKED, 0, { { 0 } }, false },
		{ "on its way", VERDICT_ROUTED, 1, { { 0 } }, false },
		{ "there", VERDICT_ROUTED, 1, { { 0, OUTCOME_DELIVERED } },
		    true },
		{ "one of two", VERDICT_ROUTED, 2, { { 1, OUTCOME_DELIVERED } },
		    false },
		{ "the same twice", VERDICT_ROUTED, 2,
		    { { 1, OUTCOME_DELIVERED }, { 1, OUTCOME_DELIVERED } },
		    false },
		{ "both", VERDICT_ROUTED, 2,
		    { { 1, OUTCOME_DELIVERED }, { 0, OUTCOME_DELIVERED } },
		    true },
		{ "parked", VERDICT_ROUTED, 1, { { 0, OUTCOME_PARKED } },
		    false },
		{ "put back", VERDICT_ROUTED, 1,
		    { { 0, OUTCOME_PARKED }, { 0, OUTCOME_REQUEUED } }, false },
		{ "put back and there", VERDICT_ROUTED, 1,
		    { { 0, OUTCOME_PARKED }, { 0, OUTCOME_REQUEUED },
			{ 0, OUTCOME_DELIVERED } },
		    true },
		{ "given up", VERDICT_ROUTED, 1,
		    { { 0, OUTCOME_PARKED }, { 0, OUTCOME_SKIPPED } }, true },
		{ "no such delivery", VERDICT_ROUTED, 1,
		    { { 99, OUTCOME_DELIVERED } }, false },
	};
	struct settling_list *list = *state;

	for (size_t i = 0; i < COUNT(rows); i++) {
		uint64_t lsn = 1000 + i;

		told.count = 0;
		settling_add(list, lsn, lsn, SECOND, 1);
		decide(list, lsn, 0, rows[i].verdict, rows[i].deliveries);
		for (unsigned e = 0; e < 3 && rows[i].ends[e].state; e++)
			end(list, lsn, 0, rows[i].ends[e].index,
			    rows[i].ends[e].state);
		assert_row(told.count == rows[i].settled, i, rows[i].name);
		assert_row(!told.count || told.lsns[0] == lsn, i, rows[i].name);
	}
}

static void
each_event_of_a_frame_counts(void **state)
{
	struct settling_list *list = *state;

	settling_add(list, 10, 1, SECOND, SIGNAL_EVENTS_MAX);
	settling_add(list, 10, 1, SECOND, SIGNAL_EVENTS_MAX); /* is there */
	for (unsigned item = 0; item < SIGNAL_EVENTS_MAX; item++)
		decide(list, 10, item,
		    item % 2 ? VERDICT_ROUTED : VERDICT_SUPPRESSED, item % 2);
	for (unsigned item = 1; item < SIGNAL_EVENTS_MAX; item += 2) {
		assert_int_equal(told.count, 0);
		end(list, 10, item, 0, OUTCOME_DELIVERED);
	}
	assert_int_equal(told.count, 1);
	/* one that waited, and what is not in the list */
	settling_add(list, 20, 2, SECOND, 1);
	decide(list, 20, 0, VERDICT_WAITING, 0);
	decide(list, 20, 0, VERDICT_CANCELLED, 0);
	decide(list, 30, 0, VERDICT_ROUTED, 1);
	end(list, 30, 0, 0, OUTCOME_DELIVERED);
	assert_int_equal(told.count, 2);
	assert_int_equal(told.lsns[1], 20);
	assert_int_equal(list->count, 0);
	assert_int_equal(settling_oldest(list), UINT64_MAX);
}

static void
resends_are_answered_with_the_original(void **state)
{
	static const uint64_t expected[] = { 10, 150, 140, 130, 120 };
	struct settling_list *list = *state;
	struct settling *original;

	settling_add(list, 10, 7, SECOND, 1);
	settling_add(list, 20, 8, SECOND, 1);
	assert_null(settling_original(list, 7, 10)); /* itself */
	assert_null(settling_original(list, 9, 100));
	for (uint64_t lsn = 100; lsn <= 150; lsn += 10) {
		original = settling_original(list, 7, lsn);
		assert_non_null(original);
		assert_int_equal(original->lsn, 10);
		settling_resend(original, lsn, SECOND);
	}
	decide(list, 10, 0, VERDICT_ROUTED, 1);
	end(list, 10, 0, 0, OUTCOME_DELIVERED);
	assert_int_equal(told.count, COUNT(expected));
	for (unsigned i = 0; i < COUNT(expected); i++)
		assert_int_equal(told.lsns[i], expected[i]);
	assert_null(settling_original(list, 7, 200));
	assert_int_equal(settling_oldest(list), 20);
}

/* A resend may have come long after the original: of neither is it known then. */
static void
what_is_forgotten_is_not_known(void **state)
{
	struct settling_list *list = *state;

	assert_true(settling_knows(list, SECOND));
	settling_add(list, 1, 1, 5 * SECOND, 1);
	settling_add(list, 2, 1, 50 * SECOND, 1); /* in a replay */
	settling_remove(list, 2);
	settling_add(list, 3, 3, 60 * SECOND, 1);
	for (uint64_t lsn = 4; lsn < SETTLING_MAX + 2; lsn++)
		settling_add(list, lsn, lsn, 70 * SECOND, 1);
	assert_true(settling_knows(list, 5 * SECOND));
	settling_add(list, SETTLING_MAX + 2, 1, 70 * SECOND, 1);
	assert_int_equal(list->count, SETTLING_MAX);
	assert_int_equal(settling_oldest(list), 3);
	assert_false(settling_knows(list, 5 * SECOND));
	assert_false(settling_knows(list, 50 * SECOND));
	assert_true(settling_knows(list, 51 * SECOND));
	decide(list, 1, 0, VERDICT_SUPPRESSED, 0);
	assert_int_equal(told.count, 0);
}

static void
a_flood_pushes_out_only_its_own_bucket(void **state)
{
	struct repeat_table table;
	unsigned kept = 0;

	(void)state;
	assert_int_equal(repeat_open(&table, 8192, 120 * SECOND), 0);
	for (uint64_t sender = 1; sender <= 100; sender++)
		assert_false(repeat_seen(&table, sender, sender, at(SECOND),
		    NULL));
	for (uint64_t n = 0; n < 100000; n++)
		repeat_seen(&table, 7777, 1000000 + n, at(2 * SECOND), NULL);
	for (uint64_t sender = 1; sender <= 100; sender++)
		kept +=
		    repeat_seen(&table, sender, sender, at(3 * SECOND), NULL);
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
	assert_int_equal(due->first_us, 10 * SECOND);
	assert_int_equal(due->last_us, 50 * SECOND);
	assert_int_equal(flood_needed_us(&table, 130 * SECOND), 0);
	/* of two that are due at once the same one is always first */
	flood_note(&table, 5, 30 * SECOND, true);
	assert_int_equal(flood_due(&table, 60 * SECOND)->bridge_id, 5);
	flood_told(&table, 5);
	flood_told(&table, 7);
	assert_null(flood_due(&table, 60 * SECOND));
	/* whatever came first: minutes are the clock's */
	for (unsigned i = 0; i < 3; i++)
		flood_note(&table, 7, (90 + i) * SECOND, false);
	assert_true(flood_reached(&table, 7, 119 * SECOND));
	assert_false(flood_reached(&table, 7, 120 * SECOND));
	assert_int_equal(flood_needed_us(&table, 130 * SECOND), 120 * SECOND);
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

#define settling_test(name)                                                    \
 cmocka_unit_test_setup_teardown(name, open_settling, close_settling)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(repeats_are_of_one_sender_inside_the_window),
		cmocka_unit_test(a_flood_pushes_out_only_its_own_bucket),
		cmocka_unit_test(a_repeat_knows_how_the_first_is_answered),
		settling_test(a_signal_is_settled_when_all_of_it_has_ended),
		settling_test(each_event_of_a_frame_counts),
		settling_test(resends_are_answered_with_the_original),
		settling_test(what_is_forgotten_is_not_known),
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
