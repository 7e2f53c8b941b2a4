#include "unit/test.h"

#include "egress/queue.h"

static struct egress_reference
reference_of(uint64_t lsn)
{
	return (struct egress_reference){ .decision_lsn = lsn };
}

/* Filled and drained in every rhythm: nothing lost, nothing out of order. */
static void
test_order(void **state)
{
	static const struct {
		unsigned push, pop;
	} rhythms[] = { { 1, 1 }, { 3, 1 }, { 255, 254 }, { 256, 255 },
		{ 1000, 999 }, { 2, 2 } };

	(void)state;
	for (size_t i = 0; i < COUNT(rhythms); i++) {
		struct queue queue = { 0 };
		uint64_t pushed = 0, popped = 0;

		while (pushed < 20000) {
			for (unsigned n = 0; n < rhythms[i].push; n++)
				assert_int_equal(queue_push(&queue,
						     reference_of(++pushed),
						     false),
				    0);
			for (unsigned n = 0; n < rhythms[i].pop; n++) {
				assert_int_equal(queue_front(&queue)
						     ->decision_lsn,
				    ++popped);
				queue_pop(&queue);
			}
			assert_int_equal(queue.length, pushed - popped);
		}
		while (queue_front(&queue)) {
			assert_int_equal(queue_front(&queue)->decision_lsn,
			    ++popped);
			queue_pop(&queue);
		}
		assert_int_equal(popped, pushed);
		queue_close(&queue);
	}
}

/* An emptied queue keeps one chunk and no more. */
static void
test_memory_is_given_back(void **state)
{
	struct queue queue = { 0 };
	struct queue_chunk *kept;

	(void)state;
	for (uint64_t i = 1; i <= 100000; i++)
		assert_int_equal(queue_push(&queue, reference_of(i), false), 0);
	while (queue_front(&queue))
		queue_pop(&queue);
	assert_null(queue.ordinary.first);
	assert_non_null(queue.spare);
	kept = queue.spare;
	assert_int_equal(queue_push(&queue, reference_of(1), false), 0);
	assert_ptr_equal(queue.ordinary.first, kept);
	assert_null(queue.spare);
	queue_close(&queue);
	assert_null(queue.ordinary.first);
	assert_null(queue_front(&queue));
}

/* ---- life safety --------------------------------------------------------------- */

static void
push(struct queue *queue, uint64_t lsn, uint32_t account, bool urgent)
{
	const struct egress_reference reference = { .decision_lsn = lsn,
		.account = account };

	assert_int_equal(queue_push(queue, reference, urgent), 0);
}

static uint64_t
pop(struct queue *queue)
{
	const struct egress_reference *front = queue_front(queue);
	uint64_t lsn = front ? front->decision_lsn : 0;

	if (front)
		queue_pop(queue);
	return lsn;
}

/* Before everybody else's, behind what its own account had before. */
static void
test_urgent_one_goes_first(void **state)
{
	struct queue queue = { 0 };
	uint64_t lsn = 0;

	(void)state;
	for (unsigned i = 1; i <= 1000; i++)
		push(&queue, i, i % 500, false);
	push(&queue, 1001, 7, true);
	push(&queue, 1002, 7, false);
	push(&queue, 1003, 8, false);
	assert_int_equal(queue_floor(&queue), 1);
	assert_int_equal(pop(&queue), 7);
	assert_int_equal(pop(&queue), 507);
	assert_int_equal(pop(&queue), 1001);
	assert_int_equal(pop(&queue), 1002);
	for (unsigned i = 1; i <= 1000; i++) {
		if (i % 500 == 7)
			continue;
		lsn = pop(&queue);
		assert_int_equal(lsn, i);
	}
	assert_int_equal(pop(&queue), 1003);
	assert_null(queue_front(&queue));
	assert_int_equal(queue_floor(&queue), UINT64_MAX);
	queue_close(&queue);
}

/* However many urgent ones there are, the others get their turns. */
static void
test_ordinary_ones_have_turns(void **state)
{
	struct queue queue = { 0 };
	unsigned ordinary = 0;

	(void)state;
	for (unsigned i = 1; i <= 100; i++)
		push(&queue, i, 1, false);
	for (unsigned i = 1; i <= 400; i++)
		push(&queue, 1000 + i, 2 + i % 10, true);
	for (unsigned i = 0; i < 400; i++)
		ordinary += pop(&queue) <= 100;
	assert_int_equal(ordinary, 400 / (QUEUE_URGENT_RUN + 1));
	queue_close(&queue);
}

/* Not in its turn either does one pass its own account's urgent one. */
static void
test_a_turn_passes_no_account(void **state)
{
	struct queue queue = { 0 };

	(void)state;
	for (unsigned i = 1; i <= 30; i++)
		push(&queue, i, i, true);
	assert_int_equal(pop(&queue), 1); /* all have come */
	push(&queue, 31, 30, false);
	push(&queue, 32, 77, false);
	for (unsigned i = 2; i <= 32; i++)
		assert_int_equal(pop(&queue), i);
	queue_close(&queue);
}

/* Nor does it matter how many accounts the urgent ones are of, as long as more
 * of them come than are taken. */
static void
test_ordinary_ones_have_turns_under_load(void **state)
{
	struct queue queue = { 0 };
	uint64_t lsn = 0;
	unsigned ordinary = 0;

	(void)state;
	for (unsigned i = 0; i < 500; i++)
		push(&queue, ++lsn, 1, false);
	for (unsigned i = 0; i < 4000; i++) {
		push(&queue, ++lsn, i % EGRESS_ACCOUNTS, true);
		push(&queue, ++lsn, (i + 7) % EGRESS_ACCOUNTS, true);
		ordinary += pop(&queue) <= 500;
	}
	/* but for those that an urgent one of theirs took along */
	assert_true(ordinary >= 4000 / (QUEUE_URGENT_RUN + 1) - 1 ||
	    ordinary == 500);
	queue_close(&queue);
}

/* The journal behind them is let go of, though there are always some. */
static void
test_floor_rises(void **state)
{
	struct queue queue = { 0 };
	uint64_t lsn = 0;

	(void)state;
	for (unsigned i = 0; i < 20; i++)
		push(&queue, ++lsn, i % 5, true);
	for (unsigned i = 0; i < 5000; i++) {
		push(&queue, ++lsn, i % 5, true);
		assert_int_equal(pop(&queue), lsn - 20);
		assert_true(queue_floor(&queue) <= lsn - 19);
		assert_true(queue_floor(&queue) + 600 > lsn);
	}
	queue_close(&queue);
}

/* Urgent ones that come one by one do not have a long backlog read each time,
 * and still go before it. */
static void
test_long_backlog(void **state)
{
	enum {
		BACKLOG = 200000,
		URGENT = 300
	};
	struct queue queue = { 0 };
	uint64_t lsn = 0, most_waited = 0;
	unsigned urgent = 0;

	(void)state;
	while (lsn < BACKLOG) {
		lsn++;
		push(&queue, lsn, 5000 + (uint32_t)(lsn % 3000), false);
	}
	for (unsigned i = 0; i < URGENT; i++) {
		uint64_t waited = 0, taken;

		push(&queue, ++lsn, i, true);
		do {
			assert_true(queue.unpaid <= BACKLOG);
			taken = pop(&queue);
			waited++;
			urgent += taken > BACKLOG;
		} while (taken != lsn);
		if (waited > most_waited)
			most_waited = waited;
	}
	assert_int_equal(urgent, URGENT);
	assert_true(most_waited <= BACKLOG / 1024 + 2);
	queue_close(&queue);
}

#define ACCOUNTS   300
#define INSIDE_MAX 4000

/* Accounts of which some look alike. */
static uint32_t
account_of(unsigned number)
{
	return number % 3 == 0 ? number + EGRESS_ACCOUNTS * (number % 7)
			       : number;
}

/* Any coming and going: each account in its order, the floor below all, and no
 * urgent one overtaken by what came behind it and is not urgent, but for turns. */
static void
test_order_of_accounts(void **state)
{
	static uint64_t last[ACCOUNTS + 8 * EGRESS_ACCOUNTS];
	static uint64_t inside[INSIDE_MAX];
	struct queue queue = { 0 };
	uint64_t random = 1, lsn = 0, taken = 0;
	unsigned count = 0;

	(void)state;
	for (unsigned step = 0; step < 60000; step++) {
		const struct egress_reference *front;
		uint64_t least = UINT64_MAX;
		unsigned number, wave = step / 1500 % 2;

		random = random * 6364136223846793005U + 1442695040888963407U;
		number = (unsigned)(random >> 33) % ACCOUNTS;
		if ((random >> 20) % 10 < (wave ? 3U : 7U) &&
		    count < INSIDE_MAX) {
			inside[count++] = ++lsn;
			push(&queue, lsn, account_of(number),
			    (random >> 50) % 20 == 0);
			continue;
		}
		if (step % 16 == 0) {
			for (unsigned i = 0; i < count; i++)
				if (inside[i] < least)
					least = inside[i];
			assert_true(queue_floor(&queue) <= least);
		}
		front = queue_front(&queue);
		assert_int_equal(front == NULL, count == 0);
		if (!front)
			continue;
		assert_true(front->decision_lsn > last[front->account]);
		last[front->account] = front->decision_lsn;
		for (unsigned i = 0; i < count; i++)
			if (inside[i] == front->decision_lsn) {
				inside[i] = inside[--count];
				break;
			}
		queue_pop(&queue);
		taken++;
		assert_int_equal(queue.length, count);
	}
	while (pop(&queue))
		taken++;
	assert_int_equal(taken, lsn);
	queue_close(&queue);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_order),
		cmocka_unit_test(test_memory_is_given_back),
		cmocka_unit_test(test_urgent_one_goes_first),
		cmocka_unit_test(test_ordinary_ones_have_turns),
		cmocka_unit_test(test_a_turn_passes_no_account),
		cmocka_unit_test(test_ordinary_ones_have_turns_under_load),
		cmocka_unit_test(test_floor_rises),
		cmocka_unit_test(test_long_backlog),
		cmocka_unit_test(test_order_of_accounts),
	};

	return cmocka_run_group_tests_name("queue", tests, NULL, NULL);
}
