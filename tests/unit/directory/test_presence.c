/* Who was heard when: what a signal moves, what a change of the directory
 * leaves alone, and what it forgets. */
#include "unit/test.h"

#include <arpa/inet.h>
#include <pthread.h>
#include <stdatomic.h>

#include "directory/directory.h"
#include "directory/presence.h"

#define MS ((int64_t)1000)

static struct directory *directory;
static struct presence *presence;

static int
setup(void **state)
{
	(void)state;
	directory_thread_register();
	directory_thread_online();
	assert_int_equal(directory_create(&directory, NULL), 0);
	presence = directory_presence(directory);
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	directory_close(&directory);
	directory_thread_unregister();
	return 0;
}

static struct presence_peer
peer(const char *address, uint16_t port)
{
	struct socket_address parsed;

	assert_int_equal(socket_address_make(address, port, &parsed, NULL), 0);
	return presence_peer_of(&parsed.v6);
}

static void
put(struct directory_batch *batch, uint64_t id, const char *account)
{
	const struct directory_bridge bridge = { .id = id, .account = account };

	assert_int_equal(directory_put_bridge(batch, id, &bridge), 0);
}

static uint32_t
slot_of(uint64_t id)
{
	const struct directory_bridge *bridge =
	    directory_bridge_by_id(directory, id);

	return bridge ? bridge->slot : 0;
}

static void
hear(uint64_t id, const char *listener, int64_t at_us)
{
	struct presence_peer from = peer("192.0.2.7", 40112);

	presence_seen(presence, slot_of(id),
	    presence_listener(presence, listener), &from, at_us);
}

/* The listeners that heard it, the latest first: "tcp@5 udp@3", in ms. */
static const char *
heard(uint64_t id, char out[256])
{
	struct presence_status status;
	int length = 0;

	presence_status(presence, slot_of(id), &status);
	out[0] = '\0';
	for (unsigned i = 0; i < status.path_count; i++)
		length += snprintf(out + length, 256 - (size_t)length,
		    "%s%s@%d", i ? " " : "", status.paths[i].listener,
		    (int)(status.paths[i].seen_us / MS));
	return out;
}

static void
commit_one(uint64_t id, const char *account)
{
	struct directory_batch *batch = directory_batch_begin(directory);

	put(batch, id, account);
	assert_int_equal(directory_batch_commit(batch), 0);
}

static void
remove_one(uint64_t id)
{
	struct directory_batch *batch = directory_batch_begin(directory);

	assert_int_equal(directory_put_bridge(batch, id, NULL), 0);
	assert_int_equal(directory_batch_commit(batch), 0);
}

static void
each_listener_has_its_time(void **state)
{
	/* one after the other */
	static const struct {
		const char *listener;
		int at_ms;
		const char *heard;
	} rows[] = {
		{ "tcp", 5, "tcp@5" },
		{ "tcp", 7, "tcp@7" },
		{ "udp", 6, "tcp@7 udp@6" },
		{ "gsm", 9, "gsm@9 tcp@7 udp@6" },
		{ "sat", 8, "gsm@9 sat@8 tcp@7 udp@6" },
		{ "udp", 10, "udp@10 gsm@9 sat@8 tcp@7" },
		{ "new", 11, "new@11 udp@10 gsm@9 sat@8" },
	};
	char text[256];

	(void)state;
	commit_one(1, "A");
	assert_string_equal(heard(1, text), "");
	for (size_t i = 0; i < COUNT(rows); i++) {
		hear(1, rows[i].listener, rows[i].at_ms * MS);
		assert_row(strcmp(heard(1, text), rows[i].heard) == 0, i, text);
	}
}

static void
nobody_is_heard_by_nobody(void **state)
{
	struct presence_peer from = peer("192.0.2.7", 1);
	char text[256];

	(void)state;
	commit_one(1, "A");
	presence_seen(presence, 0, presence_listener(presence, "tcp"), &from,
	    5);
	presence_seen(presence, slot_of(1), 0, &from, 5);
	assert_string_equal(heard(1, text), "");
}

static void
listeners_keep_their_number(void **state)
{
	char name[16];

	(void)state;
	for (unsigned round = 0; round < 2; round++)
		for (unsigned i = 1; i <= 300; i++) {
			snprintf(name, sizeof(name), "l%u", i);
			assert_int_equal(presence_listener(presence, name),
			    i <= 255 ? i : 0);
		}
}

static void
the_latest_peer_is_told(void **state)
{
	static const struct {
		const char *address;
		uint16_t port;
		const char *told;
	} rows[] = {
		{ "192.0.2.7", 40112, "192.0.2.7:40112" },
		{ "192.0.2.7", 40113, "192.0.2.7:40113" },
		{ "2001:db8::5", 1, "[2001:db8::5]:1" },
		{ "192.0.2.8", 65535, "192.0.2.8:65535" },
	};
	struct presence_status status;

	(void)state;
	commit_one(1, "A");
	presence_status(presence, slot_of(1), &status);
	assert_string_equal(status.peer, "");
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct presence_peer from = peer(rows[i].address, rows[i].port);

		presence_seen(presence, slot_of(1),
		    presence_listener(presence, "tcp"), &from, 5 * MS);
		presence_status(presence, slot_of(1), &status);
		assert_row(strcmp(status.peer, rows[i].told) == 0, i,
		    status.peer);
	}
}

static void
a_bridge_is_the_same_by_its_id(void **state)
{
	struct directory_batch *batch;
	char text[256];

	(void)state;
	for (uint64_t id = 1; id <= 3; id++) {
		commit_one(id, "A");
		hear(id, "tcp", (int64_t)id * MS);
	}
	commit_one(2, "B"); /* another account */
	assert_string_equal(heard(2, text), "tcp@2");
	batch = directory_batch_begin(directory);
	directory_batch_replace_all(batch);
	put(batch, 4, "D");
	put(batch, 2, "C");
	put(batch, 2, "B");
	assert_int_equal(directory_batch_commit(batch), 0);
	assert_string_equal(heard(2, text), "tcp@2");
	assert_string_equal(heard(4, text), "");
	/* those that the full load did not bring come back as new ones */
	commit_one(1, "A");
	commit_one(3, "A");
	assert_string_equal(heard(1, text), "");
	assert_string_equal(heard(3, text), "");
	assert_int_equal(presence_slots(presence), 4);
}

static void
one_that_goes_is_forgotten(void **state)
{
	struct directory_batch *batch;
	uint32_t slot;
	char text[256];

	(void)state;
	commit_one(1, "A");
	hear(1, "tcp", 5 * MS);
	slot = slot_of(1);
	remove_one(1);
	assert_int_equal(presence_bridge(presence, slot), 0);
	remove_one(1); /* it is gone already */
	commit_one(2, "A");
	assert_int_equal(slot_of(2), slot);
	assert_int_equal(presence_bridge(presence, slot), 2);
	assert_string_equal(heard(2, text), "");
	/* gone and back in one change: another one of the same name */
	hear(2, "tcp", 5 * MS);
	batch = directory_batch_begin(directory);
	assert_int_equal(directory_put_bridge(batch, 2, NULL), 0);
	put(batch, 2, "A");
	assert_int_equal(directory_batch_commit(batch), 0);
	assert_string_equal(heard(2, text), "");
	/* never was one */
	batch = directory_batch_begin(directory);
	put(batch, 3, "A");
	assert_int_equal(directory_put_bridge(batch, 3, NULL), 0);
	assert_int_equal(directory_batch_commit(batch), 0);
	commit_one(4, "A");
	commit_one(5, "A");
	assert_int_equal(presence_slots(presence), 3);
}

/* More than one chunk, back and forth: no two share a slot. */
static void
many_have_a_slot_each(void **state)
{
	enum {
		BRIDGES = 10000
	};
	static uint8_t taken[2 * BRIDGES];

	(void)state;
	for (unsigned round = 0; round < 3; round++) {
		struct directory_batch *batch =
		    directory_batch_begin(directory);

		if (round == 1)
			directory_batch_replace_all(batch);
		for (uint64_t id = 1; id <= BRIDGES; id++)
			if (id % (round + 1) == 0)
				put(batch, id, "A");
			else
				directory_put_bridge(batch, id, NULL);
		assert_int_equal(directory_batch_commit(batch), 0);
		memset(taken, 0, sizeof(taken));
		for (uint64_t id = 1; id <= BRIDGES; id++) {
			uint32_t slot = slot_of(id);

			if (slot == 0)
				continue;
			assert_true(slot <= BRIDGES);
			assert_int_equal(taken[slot]++, 0);
			assert_int_equal(presence_bridge(presence, slot), id);
		}
	}
}

/* ---- marks for who supervises them ------------------------------------------ */

/* The marked slots, taken: "1 5000". */
static const char *
marked(char out[256])
{
	uint32_t slot = 0;
	int length = 0;

	out[0] = '\0';
	while ((slot = presence_next_mark(presence, slot)) && length < 200)
		length += snprintf(out + length, 256 - (size_t)length, "%s%u",
		    length ? " " : "", slot);
	return out;
}

static void
commit_bridge(const struct directory_bridge *bridge)
{
	struct directory_batch *batch = directory_batch_begin(directory);

	assert_int_equal(directory_put_bridge(batch, bridge->id, bridge), 0);
	assert_int_equal(directory_batch_commit(batch), 0);
}

static void
changes_of_supervision_are_marked(void **state)
{
	struct directory_path paths[DIRECTORY_PATHS] = { 0 };
	struct directory_bridge bridge = {
		.id = 1, .account = "A", .paths = paths
	};
	uint8_t generation;
	char text[256];

	(void)state;
	assert_string_equal(marked(text), "");
	commit_bridge(&bridge);
	assert_string_equal(marked(text), "1");
	assert_string_equal(marked(text), "");
	bridge.account = "B"; /* nothing to do with it */
	commit_bridge(&bridge);
	assert_string_equal(marked(text), "");
	paths[1].listener = "gsm";
	commit_bridge(&bridge);
	assert_string_equal(marked(text), "1");
	paths[0].interval_s = 5;
	commit_bridge(&bridge);
	assert_string_equal(marked(text), "1");
	generation = presence_generation(presence, 1);
	bridge.site_id = 9;
	commit_bridge(&bridge);
	assert_string_equal(marked(text), "1");
	assert_int_not_equal(presence_generation(presence, 1), generation);
	remove_one(1);
	assert_string_equal(marked(text), "1");
}

static void
watched_ones_are_marked_when_heard(void **state)
{
	char text[256];

	(void)state;
	commit_one(1, "A");
	commit_one(2, "B");
	marked(text);
	presence_watch(presence, 2, true);
	hear(1, "tcp", MS);
	hear(2, "tcp", MS);
	hear(2, "tcp", 2 * MS);
	assert_string_equal(marked(text), "2");
	presence_watch(presence, 2, false);
	hear(2, "tcp", 3 * MS);
	assert_string_equal(marked(text), "");
}

static void
marks_come_in_order(void **state)
{
	static const uint32_t slots[] = { 1, 63, 64, 65, 4096, 4097, 8191, 8192,
		8193, 9000 };
	struct directory_batch *batch = directory_batch_begin(directory);
	char text[256];

	(void)state;
	for (uint64_t id = 1; id <= 9000; id++)
		put(batch, id, "A");
	assert_int_equal(directory_batch_commit(batch), 0);
	for (uint32_t slot = 1; slot <= 9000; slot++)
		assert_int_equal(presence_next_mark(presence, slot - 1), slot);
	assert_string_equal(marked(text), "");
	for (size_t i = COUNT(slots); i > 0; i--)
		presence_mark(presence, slots[i - 1]);
	assert_string_equal(marked(text),
	    "1 63 64 65 4096 4097 8191 8192 8193 9000");
}

/* ---- two workers at once --------------------------------------------------- */

struct speaker {
	pthread_t thread;
	const char *listener;
	struct presence_peer peer;
	uint32_t slot;
	_Atomic bool *stop;
};

static void *
speak(void *context)
{
	struct speaker *speaker = context;
	unsigned listener = presence_listener(presence, speaker->listener);
	int64_t now_us = MS;

	while (!atomic_load(speaker->stop)) {
		presence_seen(presence, speaker->slot, listener, &speaker->peer,
		    now_us);
		now_us += MS;
	}
	return NULL;
}

static void
two_at_once_are_never_mixed(void **state)
{
	_Atomic bool stop = false;
	struct speaker speakers[2] = {
		{ .listener = "a", .peer = peer("2001:db8:1111::1111", 1111) },
		{ .listener = "b", .peer = peer("2001:db8:2222::2222", 2222) },
	};
	bool seen[2] = { false, false };

	(void)state;
	commit_one(1, "A");
	for (unsigned i = 0; i < 2; i++) {
		speakers[i].slot = slot_of(1);
		speakers[i].stop = &stop;
		assert_int_equal(pthread_create(&speakers[i].thread, NULL,
				     speak, &speakers[i]),
		    0);
	}
	for (unsigned round = 0; round < 20000 || !seen[0] || !seen[1];
	     round++) {
		struct presence_status status;
		bool first, second;

		presence_status(presence, slot_of(1), &status);
		first = strcmp(status.peer, "[2001:db8:1111::1111]:1111") == 0;
		second = strcmp(status.peer, "[2001:db8:2222::2222]:2222") == 0;
		if (!first && !second && status.peer[0] != '\0')
			fail_msg("'%s' is nobody's", status.peer);
		seen[0] |= first;
		seen[1] |= second;
		assert_true(status.path_count <= 2);
	}
	atomic_store(&stop, true);
	for (unsigned i = 0; i < 2; i++)
		pthread_join(speakers[i].thread, NULL);
}

int
main(void)
{
#define WITH_DIRECTORY(test)                                                   \
 cmocka_unit_test_setup_teardown(test, setup, teardown)
	const struct CMUnitTest tests[] = {
		WITH_DIRECTORY(each_listener_has_its_time),
		WITH_DIRECTORY(nobody_is_heard_by_nobody),
		WITH_DIRECTORY(listeners_keep_their_number),
		WITH_DIRECTORY(the_latest_peer_is_told),
		WITH_DIRECTORY(a_bridge_is_the_same_by_its_id),
		WITH_DIRECTORY(one_that_goes_is_forgotten),
		WITH_DIRECTORY(many_have_a_slot_each),
		WITH_DIRECTORY(changes_of_supervision_are_marked),
		WITH_DIRECTORY(watched_ones_are_marked_when_heard),
		WITH_DIRECTORY(marks_come_in_order),
		WITH_DIRECTORY(two_at_once_are_never_mixed),
	};

	return cmocka_run_group_tests_name("directory/presence", tests, NULL,
	    NULL);
}
