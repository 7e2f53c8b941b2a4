/* The wheel by itself, up to a million entries. */
#include "unit/test.h"

#include <stdlib.h>

#include "watch/timer_wheel.h"
#include "watch/told.h"

#define TICK	 ((int64_t)TIMER_WHEEL_TICK_US)
#define HORIZON	 (TIMER_WHEEL_BUCKETS * TICK)
#define BEGIN_US ((int64_t)987654321)
#define MANY	 1000000u

static struct timer_wheel wheel;

static int
setup(void **state)
{
	(void)state;
	timer_wheel_open(&wheel, BEGIN_US);
	return timer_wheel_reserve(&wheel, 10);
}

static int
teardown(void **state)
{
	(void)state;
	timer_wheel_close(&wheel);
	return 0;
}

static void
not_before_and_within_a_tick(void **state)
{
	static const struct {
		const char *name;
		int64_t after_us, looked_at_us;
	} rows[] = {
		{ "at once", 0, TICK },
		{ "in the past", -5 * TICK, TICK },
		{ "a tick", TICK, TICK },
		{ "a little more", TICK + 1, 2 * TICK },
		{ "minutes", 1000 * TICK, 1000 * TICK },
		{ "the horizon", HORIZON, HORIZON },
		{ "past it", 10 * HORIZON, HORIZON },
	};
	int64_t now_us = BEGIN_US - BEGIN_US % TICK;

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		timer_wheel_set(&wheel, 3, now_us + rows[i].after_us);
		timer_wheel_advance(&wheel, now_us + rows[i].looked_at_us - 1);
		assert_row(timer_wheel_next_due(&wheel) == 0, i, rows[i].name);
		now_us += rows[i].looked_at_us;
		timer_wheel_advance(&wheel, now_us);
		assert_row(timer_wheel_next_due(&wheel) == 3, i, rows[i].name);
		assert_row(timer_wheel_next_due(&wheel) == 0, i, rows[i].name);
	}
}

static void
moved_and_removed(void **state)
{
	(void)state;
	timer_wheel_remove(&wheel, 1); /* is in no list */
	for (uint32_t slot = 1; slot <= 4; slot++)
		timer_wheel_set(&wheel, slot, BEGIN_US + TICK);
	timer_wheel_set(&wheel, 2, BEGIN_US + 5 * TICK);
	timer_wheel_remove(&wheel, 3);
	timer_wheel_advance(&wheel, BEGIN_US + 2 * TICK);
	assert_true(timer_wheel_is_due(&wheel));
	timer_wheel_remove(&wheel, 1); /* even when it is due */
	assert_int_equal(timer_wheel_next_due(&wheel), 4);
	assert_false(timer_wheel_is_due(&wheel));
	timer_wheel_advance(&wheel, BEGIN_US + 6 * TICK);
	assert_int_equal(timer_wheel_next_due(&wheel), 2);
}

static void
waiting_in_order(void **state)
{
	(void)state;
	for (uint32_t slot = 5; slot >= 1; slot--)
		timer_wheel_wait(&wheel, slot);
	timer_wheel_wait(&wheel, 4); /* behind the others */
	timer_wheel_set(&wheel, 3, BEGIN_US + TICK);
	assert_int_equal(timer_wheel_next_waiting(&wheel), 5);
	assert_int_equal(timer_wheel_next_waiting(&wheel), 2);
	assert_int_equal(timer_wheel_next_waiting(&wheel), 1);
	assert_int_equal(timer_wheel_next_waiting(&wheel), 4);
	assert_int_equal(timer_wheel_next_waiting(&wheel), 0);
}

/* Stopped for longer than the horizon: nobody is forgotten. */
static void
after_a_long_stop(void **state)
{
	(void)state;
	for (uint32_t slot = 1; slot <= 9; slot++)
		timer_wheel_set(&wheel, slot, BEGIN_US + slot * HORIZON / 10);
	timer_wheel_advance(&wheel, BEGIN_US + 7 * HORIZON);
	for (unsigned i = 1; i <= 9; i++)
		assert_true(timer_wheel_next_due(&wheel) != 0);
	assert_int_equal(timer_wheel_next_due(&wheel), 0);
}

static void
a_million(void **state)
{
	static int64_t deadline_us[MANY + 1];
	uint32_t left = MANY, slot;
	unsigned seed = 1;

	(void)state;
	assert_int_equal(sizeof(struct timer_wheel_entry), 16);
	assert_int_equal(timer_wheel_reserve(&wheel, MANY), 0);
	for (slot = 1; slot <= MANY; slot++) {
		deadline_us[slot] = BEGIN_US +
		    (int64_t)((uint64_t)rand_r(&seed) * 100 %
			(uint64_t)(HORIZON - TICK));
		timer_wheel_set(&wheel, slot, deadline_us[slot]);
	}
	for (slot = 7; slot <= MANY; slot += 7, left--)
		timer_wheel_remove(&wheel, slot);
	for (int64_t now_us = BEGIN_US; now_us <= BEGIN_US + HORIZON;
	     now_us += TICK) {
		timer_wheel_advance(&wheel, now_us);
		while ((slot = timer_wheel_next_due(&wheel))) {
			assert_true(slot % 7 != 0);
			assert_in_range(now_us, deadline_us[slot],
			    deadline_us[slot] + 2 * TICK);
			left--;
		}
	}
	assert_int_equal(left, 0);
}

static void
told_table(void **state)
{
	struct told_table table = { 0 };

	(void)state;
	assert_int_equal(told_get(&table, 5), 0);
	for (uint64_t id = 1; id <= 5000; id++)
		assert_int_equal(told_put(&table, id * 4096,
				     (uint8_t)(1 + id % 7)),
		    0);
	assert_int_equal(told_put(&table, 4096, 0), 0);
	assert_int_equal(told_put(&table, 77, 0), 0);
	assert_int_equal(told_get(&table, 4096), 0);
	for (uint64_t id = 2; id <= 5000; id++)
		assert_int_equal(told_get(&table, id * 4096), 1 + id % 7);
	assert_int_equal(told_get(&table, 77), 0);
	told_close(&table);
}

#define TEST(function)                                                         \
 cmocka_unit_test_setup_teardown(function, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(not_before_and_within_a_tick),
		TEST(moved_and_removed),
		TEST(waiting_in_order),
		TEST(after_a_long_stop),
		TEST(a_million),
		TEST(told_table),
	};

	return cmocka_run_group_tests_name("watch/timer_wheel", tests, NULL,
	    NULL);
}
