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
						     reference_of(++pushed)),
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
		assert_int_equal(queue_push(&queue, reference_of(i)), 0);
	while (queue_front(&queue))
		queue_pop(&queue);
	assert_null(queue.first);
	assert_non_null(queue.spare);
	kept = queue.spare;
	assert_int_equal(queue_push(&queue, reference_of(1)), 0);
	assert_ptr_equal(queue.first, kept);
	assert_null(queue.spare);
	queue_close(&queue);
	assert_null(queue.first);
	assert_null(queue_front(&queue));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_order),
		cmocka_unit_test(test_memory_is_given_back),
	};

	return cmocka_run_group_tests_name("queue", tests, NULL, NULL);
}
