/* The pieces that need no socket: buffers, the reply queue, the timer wheel,
 * the settings, the list of bad frames. */
#include "unit/test.h"

#include <errno.h>
#include <stdlib.h>

#include "ingress/bad_frames.h"
#include "ingress/buffer.h"
#include "ingress/pending.h"
#include "ingress/settings.h"
#include "ingress/sources.h"
#include "ingress/wheel.h"

static void
test_buffer_grows_and_gives_back(void **state)
{
	static char bytes[BUFFER_MAX];
	struct buffer_pools pools;
	struct buffer buffer = { 0 };

	(void)state;
	for (size_t i = 0; i < sizeof(bytes); i++)
		bytes[i] = (char)(i * 7);
	buffer_pools_init(&pools);
	for (size_t at = 0; at < sizeof(bytes); at += 1000) {
		size_t n =
		    sizeof(bytes) - at < 1000 ? sizeof(bytes) - at : 1000;

		assert_int_equal(buffer_append(&pools, &buffer, bytes + at, n),
		    0);
	}
	assert_int_equal(buffer_append(&pools, &buffer, "x", 1), -ENOBUFS);
	assert_true(slice_equal(buffer_content(&buffer),
	    slice_of(bytes, sizeof(bytes))));
	buffer_consume(&pools, &buffer, 100000);
	assert_true(slice_equal(buffer_content(&buffer),
	    slice_of(bytes + 100000, sizeof(bytes) - 100000)));
	/* what was consumed is room again */
	assert_int_equal(buffer_append(&pools, &buffer, bytes, 50000), 0);
	assert_int_equal(buffer.length, sizeof(bytes) - 50000);
	assert_memory_equal(buffer_content(&buffer).data, bytes + 100000,
	    sizeof(bytes) - 100000);
	buffer_consume(&pools, &buffer, buffer.length);
	assert_null(buffer.data);
	for (unsigned i = 0; i < BUFFER_SIZES; i++)
		assert_int_equal(pools.pools[i].used, 0);
	buffer_pools_close(&pools);
}

/* In order through many chunks, with replies of every length, while new ones
 * come in. */
static void
test_pending_keeps_order(void **state)
{
	enum {
		REPLIES = 20000
	};
	struct pending pending;
	uint64_t taken = 0;

	(void)state;
	pending_init(&pending);
	for (uint64_t i = 0; i < REPLIES; i++) {
		size_t length = i % DC09_REPLY_MAX;
		struct pending_reply *reply = pending_prepare(&pending, length);

		assert_non_null(reply);
		reply->lsn = i;
		memset(reply->bytes, (int)(i & 0x7f), length);
		pending_commit(&pending, reply, length);
		if (i % 3 == 0)
			continue;
		reply = pending_head(&pending);
		assert_int_equal(reply->lsn, taken);
		assert_int_equal(reply->length, taken % DC09_REPLY_MAX);
		if (reply->length > 0)
			assert_int_equal(reply->bytes[reply->length - 1],
			    taken & 0x7f);
		pending_pop(&pending);
		taken++;
	}
	assert_int_equal(pending.count, REPLIES - taken);
	for (; taken < REPLIES; taken++) {
		assert_int_equal(pending_head(&pending)->lsn, taken);
		pending_pop(&pending);
	}
	assert_null(pending_head(&pending));
	assert_true(pending.chunks.used <= 1);
	pending_close(&pending);
}

static void
test_pending_is_bounded(void **state)
{
	struct pending pending;
	struct pending_reply *reply;
	uint64_t count = 0;

	(void)state;
	pending_init(&pending);
	while ((reply = pending_prepare(&pending, DC09_REPLY_MAX))) {
		pending_commit(&pending, reply, DC09_REPLY_MAX);
		count++;
	}
	assert_true(count * sizeof(*reply) < (64u << 20));
	assert_int_equal(pending.count, count);
	while (pending_head(&pending))
		pending_pop(&pending);
	assert_non_null(pending_prepare(&pending, DC09_REPLY_MAX));
	pending_close(&pending);
}

static void
test_pending_forgets_a_slot(void **state)
{
	struct slot *gone = (struct slot *)(uintptr_t)64;
	struct slot *stays = (struct slot *)(uintptr_t)128;
	struct pending pending;

	(void)state;
	pending_init(&pending);
	for (unsigned i = 0; i < 2000; i++) {
		struct pending_reply *reply = pending_prepare(&pending, 40);

		reply->slot = i % 2 ? gone : stays;
		pending_commit(&pending, reply, 40);
	}
	pending_forget_slot(&pending, gone);
	for (unsigned i = 0; i < 2000; i++) {
		assert_ptr_equal(pending_head(&pending)->slot,
		    i % 2 ? NULL : stays);
		pending_pop(&pending);
	}
	pending_close(&pending);
}

struct timeout {
	struct wheel_entry entry;
	int64_t deadline_us, seen_us;
};
struct wheel_test {
	struct wheel wheel;
	int64_t now_us;
};

static void
on_due(void *context, struct wheel_entry *entry)
{
	struct wheel_test *test = context;
	struct timeout *timeout = (struct timeout *)(void *)entry;

	if (timeout->deadline_us > test->now_us)
		wheel_set(&test->wheel, entry, timeout->deadline_us);
	else
		timeout->seen_us = test->now_us;
}

static void
test_wheel_fires_after_the_deadline(void **state)
{
	static const int64_t deadlines_us[] = { 0, 1, 50000, 100000, 150000,
		10000000, 102300000, 102400000, 500000000, 3600000000 };
	struct timeout timeouts[COUNT(deadlines_us)] = { 0 };
	struct wheel_test test = { .now_us = 0 };

	(void)state;
	wheel_init(&test.wheel, 0);
	for (size_t i = 0; i < COUNT(timeouts); i++) {
		timeouts[i].deadline_us = deadlines_us[i];
		timeouts[i].seen_us = -1;
		wheel_set(&test.wheel, &timeouts[i].entry, deadlines_us[i]);
	}
	for (; test.now_us <= 3700000000; test.now_us += 70000)
		wheel_advance(&test.wheel, test.now_us, on_due, &test);
	for (size_t i = 0; i < COUNT(timeouts); i++) {
		int64_t late_us = timeouts[i].seen_us - deadlines_us[i];

		assert_row(late_us >= 0, i, "never early");
		assert_row(late_us <= 2 * WHEEL_TICK_US + 70000, i, "soon");
	}
}

static void
test_wheel_forgets_what_was_removed(void **state)
{
	struct timeout kept = { .deadline_us = 500000, .seen_us = -1 };
	struct timeout gone = { .deadline_us = 500000, .seen_us = -1 };
	struct wheel_test test = { .now_us = 0 };

	(void)state;
	wheel_init(&test.wheel, 0);
	wheel_set(&test.wheel, &gone.entry, gone.deadline_us);
	wheel_set(&test.wheel, &kept.entry, kept.deadline_us);
	wheel_remove(&test.wheel, &gone.entry);
	wheel_remove(&test.wheel, &gone.entry);
	/* the clock was stopped for longer than the wheel is round */
	test.now_us = 1000000000;
	wheel_advance(&test.wheel, test.now_us, on_due, &test);
	assert_int_equal(kept.seen_us, test.now_us);
	assert_int_equal(gone.seen_us, -1);
}

static void
test_settings_refuse_doubles(void **state)
{
	static const struct {
		const char *name;
		struct ingress_listener_config a, b;
		bool sound;
	} rows[] = {
		{ "same name",
		    { .name = "a", .address = "127.0.0.1", .port = 1 },
		    { .name = "a", .address = "127.0.0.1", .port = 2 }, false },
		{ "same address",
		    { .name = "a", .address = "127.0.0.1", .port = 1 },
		    { .name = "b", .address = "127.0.0.1", .port = 1 }, false },
		{ "other transport",
		    { .name = "a", .address = "127.0.0.1", .port = 1 },
		    { .name = "b",
			.transport = INGRESS_UDP,
			.address = "127.0.0.1",
			.port = 1 },
		    true },
		{ "any port twice", { .name = "a", .address = "127.0.0.1" },
		    { .name = "b", .address = "127.0.0.1" }, true },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		const struct ingress_listener_config both[] = { rows[i].a,
			rows[i].b };
		const struct ingress_config config = { .listener_count = 2,
			.listeners = both };
		struct settings *settings = NULL;
		struct err err = { "" };
		int result = settings_make(&settings, &config, &err);

		assert_row((result == 0) == rows[i].sound, i, rows[i].name);
		assert_row(rows[i].sound || strstr(err.text, "'a'"), i,
		    rows[i].name);
		if (settings)
			assert_ptr_not_equal(settings->listeners[0].name,
			    rows[i].a.name);
		settings_close(&settings);
	}
}

static void
test_bad_frames_keep_the_newest(void **state)
{
	struct bad_frames *bad = malloc(sizeof(*bad));
	struct json json = { 0 };
	const char *text;

	(void)state;
	assert_non_null(bad);
	bad_frames_init(bad);
	for (unsigned i = 0; i < 100; i++) {
		char bytes[3] = { 'x', (char)i, 0 };

		bad_frames_add(bad, i, "192.0.2.1:5", "crc",
		    slice_of(bytes, 2));
	}
	json_array_begin(&json, NULL);
	bad_frames_show(bad, "panels", &json);
	json_array_end(&json);
	text = json_text(&json);
	assert_non_null(strstr(text, "\"bytes\":\"7863\"")); /* 99 */
	assert_non_null(strstr(text, "\"bytes\":\"7854\"")); /* 84 */
	assert_null(strstr(text, "\"bytes\":\"7853\""));     /* 83 */
	assert_true(strstr(text, "\"7863\"") < strstr(text, "\"7854\""));
	json_close(&json);
	bad_frames_close(bad);
	free(bad);
}

static void
test_sources_count_each_address(void **state)
{
	enum {
		ADDRESSES = 5000,
		LIMIT = 3
	};
	struct sources sources;

	(void)state;
	sources_init(&sources);
	for (unsigned round = 0; round < LIMIT; round++)
		for (uint64_t i = 0; i < ADDRESSES; i++)
			assert_int_equal(sources_enter(&sources,
					     (uint64_t[]){ 0, i }, LIMIT),
			    0);
	assert_int_equal(sources.count, ADDRESSES);
	for (uint64_t i = 0; i < ADDRESSES; i++) {
		const uint64_t address[] = { 0, i };

		assert_int_equal(sources_enter(&sources, address, LIMIT),
		    -EUSERS);
		sources_leave(&sources, address);
		assert_int_equal(sources_enter(&sources, address, LIMIT), 0);
		/* a lower limit ends nothing, no limit is one */
		assert_int_equal(sources_enter(&sources, address, 1), -EUSERS);
		assert_int_equal(sources_enter(&sources, address, 0), 0);
		for (unsigned n = 0; n < LIMIT + 1; n++)
			sources_leave(&sources, address);
	}
	assert_int_equal(sources.count, 0);
	assert_int_equal(sources.pool.used, 0);
	sources_close(&sources);
}

static void
test_sources_count_what_they_do(void **state)
{
	const uint64_t address[] = { 0, 1 }, nobody[] = { 0, 2 };
	struct sources sources;

	(void)state;
	sources_init(&sources);
	assert_int_equal(sources_count(&sources, address, SOURCE_SESSIONS, 0),
	    0);
	sources_enter(&sources, address, 0);
	sources_enter(&sources, address, 0);
	assert_int_equal(sources_count(&sources, address, SOURCE_SESSIONS, 0),
	    2);
	assert_int_equal(sources_count(&sources, address, SOURCE_ASKING, 1), 1);
	assert_int_equal(sources_count(&sources, address, SOURCE_ASKING, 1), 2);
	assert_int_equal(sources_count(&sources, address, SOURCE_SHAKING, 1),
	    1);
	assert_int_equal(sources_count(&sources, address, SOURCE_ASKING, -1),
	    1);
	assert_int_equal(sources_count(&sources, address, SOURCE_SHAKING, 0),
	    1);
	assert_int_equal(sources_count(&sources, nobody, SOURCE_SESSIONS, 0),
	    0);
	assert_int_equal(sources.count, 1);
	sources_close(&sources);
}

static void
test_sources_pace_each_address(void **state)
{
	static const struct {
		const char *name;
		int64_t at_us;
		uint64_t address;
		enum source_rate rate;
		bool may;
	} rows[] = {
		{ "first", 5000000, 1, SOURCE_FRAMES, true },
		{ "a second's worth at once", 5000000, 1, SOURCE_FRAMES, true },
		{ "one too many", 5000000, 1, SOURCE_FRAMES, false },
		{ "another address", 5000000, 2, SOURCE_FRAMES, true },
		{ "another rate", 5000000, 1, SOURCE_HANDSHAKES, true },
		{ "not yet", 5400000, 1, SOURCE_FRAMES, false },
		{ "refused ones cost nothing", 5500000, 1, SOURCE_FRAMES,
		    true },
		{ "again too many", 5600000, 1, SOURCE_FRAMES, false },
		{ "left alone for long", 60000000, 1, SOURCE_FRAMES, true },
		{ "is worth a second only", 60000000, 1, SOURCE_FRAMES, true },
		{ "and no more", 60000000, 1, SOURCE_FRAMES, false },
	};
	struct sources sources;

	(void)state;
	sources_init(&sources);
	for (size_t i = 0; i < COUNT(rows); i++)
		assert_row(sources_may(&sources,
			       (uint64_t[]){ 0, rows[i].address }, rows[i].rate,
			       2, rows[i].at_us) == rows[i].may,
		    i, rows[i].name);
	assert_int_equal(sources.count, 1); /* the idle are forgotten */
	assert_true(sources_may(&sources, (uint64_t[]){ 0, 1 }, SOURCE_FRAMES,
	    0, 60000000));
	sources_close(&sources);
}

static void
test_sources_remember_for_a_second(void **state)
{
	const uint64_t address[] = { 0, 7 };
	struct sources sources;

	(void)state;
	sources_init(&sources);
	/* who closes and comes again has not become another */
	for (unsigned round = 0; round < 2; round++) {
		assert_int_equal(sources_enter(&sources, address, 1), 0);
		assert_true(sources_may(&sources, address, SOURCE_FRAMES, 2,
		    5000000));
		sources_leave(&sources, address);
	}
	assert_false(sources_may(&sources, address, SOURCE_FRAMES, 2, 5000000));
	/* a stream of strangers leaves nothing behind, whoever stands first */
	for (uint64_t i = 0; i < 5000; i++) {
		sources_may(&sources, address, SOURCE_FRAMES, 1000000,
		    6000000 + (int64_t)i * 1000);
		sources_may(&sources, (uint64_t[]){ 0, 100 + i }, SOURCE_FRAMES,
		    1, 6000000 + (int64_t)i * 1000);
		assert_true(sources.count < 1100);
	}
	sources_close(&sources);
}

static void
test_sources_take_a_network_as_one(void **state)
{
	const uint64_t first[] = { 0x20010db8, 1 }, same[] = { 0x20010db8, 2 },
		       other[] = { 0x20010db9, 1 };
	struct sources sources;

	(void)state;
	sources_init(&sources);
	assert_int_equal(sources_enter(&sources, first, 1), 0);
	assert_int_equal(sources_enter(&sources, same, 1), -EUSERS);
	assert_int_equal(sources_enter(&sources, other, 1), 0);
	sources_leave(&sources, same);
	assert_int_equal(sources_enter(&sources, first, 1), 0);
	sources_close(&sources);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_buffer_grows_and_gives_back),
		cmocka_unit_test(test_pending_keeps_order),
		cmocka_unit_test(test_pending_is_bounded),
		cmocka_unit_test(test_pending_forgets_a_slot),
		cmocka_unit_test(test_wheel_fires_after_the_deadline),
		cmocka_unit_test(test_wheel_forgets_what_was_removed),
		cmocka_unit_test(test_settings_refuse_doubles),
		cmocka_unit_test(test_bad_frames_keep_the_newest),
		cmocka_unit_test(test_sources_count_each_address),
		cmocka_unit_test(test_sources_count_what_they_do),
		cmocka_unit_test(test_sources_pace_each_address),
		cmocka_unit_test(test_sources_remember_for_a_second),
		cmocka_unit_test(test_sources_take_a_network_as_one),
	};

	return cmocka_run_group_tests_name("ingress/parts", tests, NULL, NULL);
}
