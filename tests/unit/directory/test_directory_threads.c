/* Readers on other threads while the writer changes, grows and frees. Run it
 * with ThreadSanitizer too. */
#include "unit/test.h"

#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>

#include "directory/directory.h"

#define READERS	      3
#define MOVES	      3000
#define BYSTANDERS    200
#define GROW_TO	      20000
#define GROW_BATCH    100
#define READER_ROUNDS 200 /* at least, of each reader */

struct readers {
	struct directory *directory;
	pthread_t threads[READERS];
	_Atomic bool stop;
	_Atomic uint64_t wrong, rounds;
	_Atomic uint64_t filled; /* ids 1..filled are there */
};

static void
start(struct readers *readers, void *(*run)(void *))
{
	assert_int_equal(directory_create(&readers->directory, NULL), 0);
	for (int i = 0; i < READERS; i++)
		assert_int_equal(pthread_create(&readers->threads[i], NULL, run,
				     readers),
		    0);
}

static void
stop(struct readers *readers)
{
	while (atomic_load(&readers->rounds) < READERS * READER_ROUNDS)
		sched_yield();
	atomic_store(&readers->stop, true);
	for (int i = 0; i < READERS; i++)
		pthread_join(readers->threads[i], NULL);
	directory_close(&readers->directory);
	assert_int_equal(atomic_load(&readers->wrong), 0);
}

/* ---- several objects that one change moved together ---- */

static bool
look_once(const struct directory *directory)
{
	static const struct slice account = { "1234", 4 };
	const struct directory_bridge *bridge;
	const struct directory_site *site = NULL;
	const struct directory_station *station = NULL;
	const struct directory_receiver *receiver = NULL;
	uint32_t generation;

	do {
		generation = directory_read_begin(directory);
		bridge = directory_bridge_by_sender(directory, SLICE_NONE,
		    SLICE_NONE, SLICE_NONE, account, false);
		if (!bridge)
			continue;
		site = directory_site_by_id(directory, bridge->site_id);
		station = site
		    ? directory_station_by_id(directory, site->station_id)
		    : NULL;
		receiver = station
		    ? directory_receiver_by_id(directory, station->receiver_id)
		    : NULL;
	} while (directory_read_retry(directory, generation));
	/* not there yet, or all four of the same move */
	return !bridge ||
	    (receiver && strcmp(bridge->serial, site->name) == 0 &&
		strcmp(site->name, station->name) == 0 &&
		strcmp(station->name, receiver->name) == 0);
}

static void *
read_moves(void *context)
{
	struct readers *readers = context;

	directory_thread_register();
	while (!atomic_load(&readers->stop)) {
		directory_thread_online();
		if (!look_once(readers->directory))
			atomic_fetch_add(&readers->wrong, 1);
		directory_thread_offline();
		atomic_fetch_add(&readers->rounds, 1);
	}
	directory_thread_unregister();
	return NULL;
}

/* Another bridge, site, station and receiver each time; the old ones go. */
static void
move(struct directory *directory, uint64_t n)
{
	struct directory_batch *batch = directory_batch_begin(directory);
	char name[24];
	const struct directory_bridge bridge = {
		.id = n, .site_id = n, .account = "1234", .serial = name
	};
	const struct directory_site site = {
		.id = n, .station_id = n, .name = name
	};
	const struct directory_station station = {
		.id = n, .receiver_id = n, .name = name
	};
	const struct directory_receiver receiver = { .id = n, .name = name };

	snprintf(name, sizeof(name), "move %llu", (unsigned long long)n);
	directory_put_bridge(batch, n - 1, NULL);
	directory_put_receiver(batch, n - 1, NULL);
	directory_put_site(batch, n, &site);
	/* time for a reader to look in between */
	for (uint64_t id = 1; id <= BYSTANDERS; id++)
		directory_put_site(batch, UINT64_MAX - id, &site);
	directory_put_receiver(batch, n, &receiver);
	directory_put_bridge(batch, n, &bridge);
	directory_put_station(batch, n, &station);
	directory_put_site(batch, n - 1, NULL);
	directory_put_station(batch, n - 1, NULL);
	if (n % 50 == 0)
		directory_batch_replace_all(batch);
	assert_int_equal(directory_batch_commit(batch), 0);
}

static void
readers_never_see_a_mixture(void **state)
{
	struct readers readers = { 0 };

	(void)state;
	start(&readers, read_moves);
	for (uint64_t n = 1; n <= MOVES; n++)
		move(readers.directory, n);
	stop(&readers);
}

/* ---- tables that grow under the readers ---- */

static bool
find_account(const struct directory *directory, uint64_t id)
{
	const struct directory_bridge *by_sender, *by_id;
	char account[24];

	snprintf(account, sizeof(account), "%06llu", (unsigned long long)id);
	by_sender = directory_bridge_by_sender(directory, SLICE_NONE,
	    SLICE_NONE, SLICE_NONE, slice_from_string(account), true);
	by_id = directory_bridge_by_id(directory, id);
	return by_sender && by_id && by_sender->id == id && by_id->id == id &&
	    strcmp(by_id->account, account) == 0;
}

static void *
read_growth(void *context)
{
	struct readers *readers = context;
	uint64_t id = 1;

	directory_thread_register();
	while (!atomic_load(&readers->stop)) {
		uint64_t filled = atomic_load(&readers->filled);

		directory_thread_online();
		for (int i = 0; i < 16 && filled > 0; i++) {
			id = (id * 7919 + 13) % filled + 1;
			if (!find_account(readers->directory, id))
				atomic_fetch_add(&readers->wrong, 1);
		}
		directory_thread_offline();
		atomic_fetch_add(&readers->rounds, 1);
	}
	directory_thread_unregister();
	return NULL;
}

static void
put_account(struct directory_batch *batch, uint64_t id)
{
	char account[24];
	const struct directory_bridge bridge = { .id = id, .account = account };

	snprintf(account, sizeof(account), "%06llu", (unsigned long long)id);
	assert_int_equal(directory_put_bridge(batch, id, &bridge), 0);
}

static void
readers_find_everything_while_it_grows(void **state)
{
	struct readers readers = { 0 };

	(void)state;
	start(&readers, read_growth);
	for (uint64_t id = 1; id <= GROW_TO; id += GROW_BATCH) {
		struct directory_batch *batch =
		    directory_batch_begin(readers.directory);

		for (uint64_t k = id; k < id + GROW_BATCH; k++)
			put_account(batch, k);
		/* and some that readers hold now are replaced */
		for (uint64_t k = 1; k < id; k += 997)
			put_account(batch, k);
		assert_int_equal(directory_batch_commit(batch), 0);
		atomic_store(&readers.filled, id + GROW_BATCH - 1);
	}
	stop(&readers);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(readers_never_see_a_mixture),
		cmocka_unit_test(readers_find_everything_while_it_grows),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
