#include "unit/test.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "directory/private.h"

static struct directory *directory;

static int
setup(void **state)
{
	(void)state;
	directory_thread_register();
	directory_thread_online();
	return directory_create(&directory, NULL);
}

static int
teardown(void **state)
{
	(void)state;
	directory_close(&directory);
	directory_thread_unregister();
	return 0;
}

static struct slice
text(const char *string)
{
	return slice_from_string(string);
}

static void
put_sender(uint64_t id, const char *listener, const char *receiver,
    const char *line, const char *account)
{
	struct directory_batch *batch = directory_batch_begin(directory);
	struct directory_bridge bridge = {
		.id = id,
		.listener = listener,
		.receiver = receiver,
		.line = line,
		.account = account,
	};

	assert_int_equal(directory_put_bridge(batch, id, &bridge), 0);
	assert_int_equal(directory_batch_commit(batch), 0);
}

static uint64_t
find_sender(const char *listener, const char *receiver, const char *line,
    const char *account, bool zeros)
{
	const struct directory_bridge *bridge =
	    directory_bridge_by_sender(directory, text(listener),
		text(receiver), text(line), text(account), zeros);

	return bridge ? bridge->id : 0;
}

static void
most_specific_sender_wins(void **state)
{
	/* one account, every set of names; id = 1 + set, receiver counts 4,
	 * line 2, listener 1 */
	static const struct {
		const char *name, *listener, *receiver, *line;
		unsigned present; /* bit N: the bridge with id 1 + N exists */
		uint64_t id;
	} rows[] = {
		{ "all three", "main", "R1", "L1", 0xff, 8 },
		{ "no such listener", "other", "R1", "L1", 0xff, 7 },
		{ "no such line", "main", "R1", "L9", 0xff, 6 },
		{ "no such receiver", "main", "R9", "L1", 0xff, 4 },
		{ "receiver only", "other", "R1", "L9", 0xff, 5 },
		{ "line only", "other", "R9", "L1", 0xff, 3 },
		{ "listener only", "main", "R9", "L9", 0xff, 2 },
		{ "nothing named", "other", "R9", "L9", 0xff, 1 },
		{ "not told at all", NULL, NULL, NULL, 0xff, 1 },
		{ "told without receiver", "main", NULL, "L1", 0xff, 4 },
		{ "two before one", "main", "R1", "L1", 0x18, 4 },
		{ "receiver before line", "main", "R1", "L1", 0x14, 5 },
		{ "line before listener", "main", "R1", "L1", 0x06, 3 },
		{ "receiver+line before receiver+listener", "main", "R1", "L1",
		    0x60, 7 },
		{ "receiver+listener before line+listener", "main", "R1", "L1",
		    0x28, 6 },
		{ "names that differ", "main", "R9", "L9", 0xfc, 0 },
		{ "a longer text", "main2", "R11", "L1 ", 0xfe, 0 },
		{ "a shorter text", "mai", "R", "", 0xfe, 0 },
		{ "names exchanged", "R1", "L1", "main", 0xfe, 0 },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct directory_batch *batch =
		    directory_batch_begin(directory);

		directory_batch_replace_all(batch);
		assert_int_equal(directory_batch_commit(batch), 0);
		for (unsigned set = 0; set < 8; set++)
			if (rows[i].present & 1u << set)
				put_sender(1 + set, set & 1 ? "main" : NULL,
				    set & 4 ? "R1" : NULL,
				    set & 2 ? "L1" : NULL, "1234");
		assert_row(find_sender(rows[i].listener, rows[i].receiver,
			       rows[i].line, "1234", false) == rows[i].id,
		    i, rows[i].name);
	}
}

static void
account_zeros(void **state)
{
	static const struct {
		const char *account;
		bool zeros;
		uint64_t id;
	} rows[] = {
		{ "1234", false, 1 },
		{ "01234", false, 0 },
		{ "01234", true, 1 },
		{ "0001234", true, 1 },
		{ "777", false, 0 },
		{ "777", true, 2 },
		{ "000777", false, 2 },
		{ "00777", true, 2 },
		{ "55", true, 3 },    /* exact text comes first */
		{ "055", true, 4 },   /* here too */
		{ "00055", true, 0 }, /* 3 and 4 are both meant */
		{ "00055", false, 0 },
		{ "0", true, 5 },
		{ "000", true, 5 },
		{ "", true, 0 },
		{ "12340", true, 0 },
		{ "AbC", false, 6 },
		{ "ABC", true, 0 },
	};

	(void)state;
	put_sender(1, NULL, NULL, NULL, "1234");
	put_sender(2, NULL, NULL, NULL, "000777");
	put_sender(3, NULL, NULL, NULL, "55");
	put_sender(4, NULL, NULL, NULL, "055");
	put_sender(5, NULL, NULL, NULL, "00");
	put_sender(6, NULL, NULL, NULL, "AbC");
	for (size_t i = 0; i < COUNT(rows); i++)
		assert_row(find_sender(NULL, NULL, NULL, rows[i].account,
			       rows[i].zeros) == rows[i].id,
		    i, rows[i].account);
	assert_int_equal(find_sender(NULL, NULL, NULL, NULL, true), 0);
	assert_null(directory_bridge_by_sender(directory, SLICE_NONE,
	    SLICE_NONE, SLICE_NONE, slice_of("1234\0", 5), true));
}

static void
two_equal_senders_are_nobody(void **state)
{
	(void)state;
	put_sender(1, NULL, "R1", NULL, "1234");
	put_sender(2, NULL, "R1", NULL, "1234");
	put_sender(3, NULL, NULL, NULL, "1234");
	assert_int_equal(find_sender(NULL, "R1", NULL, "1234", false), 0);
	assert_int_equal(find_sender(NULL, "R2", NULL, "1234", false), 3);
	put_sender(1, NULL, "R2", NULL, "1234");
	assert_int_equal(find_sender(NULL, "R1", NULL, "1234", false), 2);
	assert_int_equal(find_sender(NULL, "R2", NULL, "1234", false), 1);
}

static void
a_sender_moves_and_goes(void **state)
{
	struct directory_batch *batch;

	(void)state;
	put_sender(1, NULL, NULL, NULL, "1111");
	put_sender(1, NULL, "R1", NULL, "2222");
	assert_int_equal(find_sender(NULL, "R1", NULL, "1111", true), 0);
	assert_int_equal(find_sender(NULL, "R1", NULL, "2222", true), 1);
	assert_int_equal(find_sender(NULL, NULL, NULL, "2222", true), 0);
	put_sender(1, NULL, NULL, NULL, NULL); /* no account: no sender */
	assert_int_equal(find_sender(NULL, "R1", NULL, "2222", true), 0);
	assert_non_null(directory_bridge_by_id(directory, 1));
	put_sender(1, NULL, NULL, NULL, "3333");
	batch = directory_batch_begin(directory);
	assert_int_equal(directory_put_bridge(batch, 1, NULL), 0);
	assert_int_equal(directory_put_bridge(batch, 99, NULL), 0);
	assert_int_equal(directory_batch_commit(batch), 0);
	assert_int_equal(find_sender(NULL, NULL, NULL, "3333", true), 0);
	assert_null(directory_bridge_by_id(directory, 1));
}

static void
zones_without_leading_zeros(void **state)
{
	static const struct directory_zone zones[] = {
		{ .zone = "17", .channel_id = 17 },
		{ .zone = "005", .channel_id = 5 },
		{ .zone = "1", .channel_id = 1 },
		{ .zone = "0100", .channel_id = 100 },
		{ .zone = "0", .channel_id = 1000 },
		{ .zone = "A1", .channel_id = 161 },
		{ .zone = "10", .channel_id = 10 },
	};
	static const struct {
		const char *zone;
		uint64_t channel_id;
	} rows[] = {
		{ "017", 17 },
		{ "17", 17 },
		{ "5", 5 },
		{ "05", 5 },
		{ "001", 1 },
		{ "100", 100 },
		{ "10", 10 },
		{ "000", 1000 },
		{ "A1", 161 },
		{ "0A1", 161 },
		{ "2", 0 },
		{ "1000", 0 },
		{ "", 0 },
	};
	const struct directory_bridge bridge = {
		.id = 1, .zones = zones, .zone_count = COUNT(zones)
	};
	const struct directory_bridge *found;
	struct directory_batch *batch = directory_batch_begin(directory);

	(void)state;
	assert_int_equal(directory_put_bridge(batch, 1, &bridge), 0);
	assert_int_equal(directory_batch_commit(batch), 0);
	found = directory_bridge_by_id(directory, 1);
	assert_ptr_not_equal(found->zones, zones);
	for (size_t i = 0; i < COUNT(rows); i++) {
		const struct directory_zone *zone =
		    directory_zone_find(found, text(rows[i].zone));

		assert_row((zone ? zone->channel_id : 0) == rows[i].channel_id,
		    i, rows[i].zone);
	}
	assert_null(directory_zone_find(found, SLICE_NONE));
}

/* Every kind with everything in it; the sources are overwritten afterwards. */
static void
put_one_of_each(struct directory_batch *batch)
{
	struct directory_library_row rows[] = {
		{ .zone_type = 3, .enabled = DIRECTORY_NO, .code = "131" },
		{ .inbound_code = "602", .enabled = DIRECTORY_INHERIT },
	};
	char name[] = "a name";
	const struct directory_library library = { COUNT(rows), rows };
	const struct directory_zone_type type = { 3, true, "130", name };
	const struct directory_dealer dealer = { 10, name, library };
	char host[] = "192.0.2.7";
	struct directory_endpoint endpoints[] = {
		{ .host = host,
		    .port = 1025,
		    .transport = DIRECTORY_TRANSPORT_TLS,
		    .tls_ca = name },
		{ .host = name,
		    .port = 1026,
		    .transport = DIRECTORY_TRANSPORT_UDP },
	};
	const struct directory_receiver receiver = { .id = 20,
		.name = name,
		.protocol = DIRECTORY_PROTOCOL_DC09,
		.endpoint_count = COUNT(endpoints),
		.endpoints = endpoints };
	const struct directory_station station = { .id = 30,
		.receiver_id = 20,
		.name = name,
		.prefix = "77",
		.url_template = "https://x/?act=<account>" };
	const struct directory_site site = { .id = 40,
		.station_id = 30,
		.name = name,
		.account = "0123",
		.library = library };
	struct directory_zone zones[] = { { "2", 52, 3, -1, "", name },
		{ "1", 51, 3, 1, "140", name } };
	const struct directory_bridge bridge = { .id = 50,
		.site_id = 40,
		.serial = name,
		.account = "9001",
		.zone_count = COUNT(zones),
		.zones = zones };

	directory_put_zone_type(batch, 3, &type);
	directory_put_dealer(batch, 10, &dealer);
	directory_put_receiver(batch, 20, &receiver);
	directory_put_station(batch, 30, &station);
	directory_put_site(batch, 40, &site);
	directory_put_bridge(batch, 50, &bridge);
	memset(rows, 'x', sizeof(rows));
	memset(name, 'x', sizeof(name) - 1);
	memset(host, 'x', sizeof(host) - 1);
	memset(endpoints, 'x', sizeof(endpoints));
	memset(zones, 'x', sizeof(zones));
}

static void
check_one_of_each(void)
{
	const struct directory_receiver *receiver =
	    directory_receiver_by_id(directory, 20);
	const struct directory_station *station =
	    directory_station_by_id(directory, 30);
	const struct directory_site *site = directory_site_by_id(directory, 40);
	const struct directory_bridge *bridge =
	    directory_bridge_by_id(directory, 50);
	const struct directory_dealer *dealer =
	    directory_dealer_by_id(directory, 10);

	assert_string_equal(directory_zone_type_by_number(directory, 3)->name,
	    "a name");
	assert_string_equal(dealer->name, "a name");
	assert_int_equal(dealer->library.count, 2);
	assert_int_equal(dealer->library.rows[0].zone_type, 3);
	assert_string_equal(dealer->library.rows[0].code, "131");
	assert_string_equal(dealer->library.rows[1].inbound_code, "602");
	assert_int_equal(receiver->endpoint_count, 2);
	assert_string_equal(receiver->endpoints[0].host, "192.0.2.7");
	assert_string_equal(receiver->endpoints[0].tls_ca, "a name");
	assert_int_equal(receiver->endpoints[1].port, 1026);
	assert_string_equal(receiver->endpoints[1].tls_ca, "");
	assert_string_equal(receiver->endpoints[1].host, "a name");
	assert_string_equal(station->prefix, "77");
	assert_string_equal(station->line_card, ""); /* was NULL */
	assert_string_equal(site->account, "0123");
	assert_int_equal(site->library.rows[0].enabled, DIRECTORY_NO);
	assert_string_equal(bridge->account, "9001");
	assert_null(bridge->receiver);
	assert_string_equal(bridge->zones[0].zone, "1");
	assert_string_equal(bridge->zones[0].code, "140");
	assert_string_equal(bridge->zones[1].name, "a name");
}

static void
objects_are_copied_whole(void **state)
{
	struct directory_batch *batch = directory_batch_begin(directory);
	struct directory_status status;

	(void)state;
	put_one_of_each(batch);
	assert_null(directory_site_by_id(directory, 40)); /* not yet */
	assert_int_equal(directory_batch_commit(batch), 0);
	check_one_of_each();
	assert_null(directory_dealer_by_id(directory, 11));
	assert_null(directory_zone_type_by_number(directory, 4));
	directory_status(directory, &status);
	assert_int_equal(status.dealers, 1);
	assert_int_equal(status.sites, 1);
	assert_int_equal(status.bridges, 1);
	assert_int_equal(status.changes, 6);
	assert_true(status.bytes > sizeof(struct directory_bridge));
	assert_int_equal(status.source, DIRECTORY_FROM_NOTHING);
}

static void
put_receivers(uint64_t first, uint64_t last, int step)
{
	struct directory_batch *batch = directory_batch_begin(directory);

	for (uint64_t id = first; id != last; id += (uint64_t)step) {
		struct directory_receiver receiver = { .id = id };

		assert_int_equal(directory_put_receiver(batch, id, &receiver),
		    0);
	}
	assert_int_equal(directory_batch_commit(batch), 0);
}

struct seen {
	uint64_t last;
	unsigned count;
};

static void
see_receiver(void *context, const struct directory_receiver *receiver)
{
	struct seen *seen = context;

	assert_true(receiver->id > seen->last);
	seen->last = receiver->id;
	seen->count++;
}

static void
receivers_come_in_id_order(void **state)
{
	struct seen seen = { 0, 0 };
	struct directory_batch *batch;

	(void)state;
	directory_receivers_each(directory, see_receiver, &seen);
	assert_int_equal(seen.count, 0);
	put_receivers(500, 100, -1);
	put_receivers(1, 101, 1);
	batch = directory_batch_begin(directory);
	assert_int_equal(directory_put_receiver(batch, 77, NULL), 0);
	assert_int_equal(directory_batch_commit(batch), 0);
	directory_receivers_each(directory, see_receiver, &seen);
	assert_int_equal(seen.count, 499);
	assert_int_equal(seen.last, 500);
}

static void
replace_all_forgets_the_rest(void **state)
{
	struct directory_batch *batch = directory_batch_begin(directory);
	struct directory_status status;

	(void)state;
	put_receivers(1, 100, 1);
	put_sender(1, NULL, NULL, NULL, "1234");
	directory_batch_replace_all(batch);
	put_one_of_each(batch);
	assert_int_equal(directory_batch_commit(batch), 0);
	check_one_of_each();
	assert_null(directory_receiver_by_id(directory, 1));
	assert_int_equal(find_sender(NULL, NULL, NULL, "1234", true), 0);
	directory_status(directory, &status);
	assert_int_equal(status.receivers, 1);
}

static void
the_last_put_of_an_id_counts(void **state)
{
	struct directory_batch *batch = directory_batch_begin(directory);
	struct directory_site site = { .id = 1, .account = "1" };

	(void)state;
	for (int i = 0; i < 2; i++) {
		site.account = "1";
		assert_int_equal(directory_put_site(batch, 1, &site), 0);
		site.account = "2";
		assert_int_equal(directory_put_site(batch, 1, &site), 0);
		assert_int_equal(directory_put_site(batch, 2, &site), 0);
		assert_int_equal(directory_put_site(batch, 2, NULL), 0);
		if (i == 1)
			directory_batch_replace_all(batch);
		assert_int_equal(directory_batch_commit(batch), 0);
		assert_string_equal(directory_site_by_id(directory, 1)->account,
		    "2");
		assert_null(directory_site_by_id(directory, 2));
		batch = directory_batch_begin(directory);
	}
	directory_batch_abandon(batch);
}

static void
growing_and_churning_keeps_everything(void **state)
{
	char account[32];

	(void)state;
	for (int round = 0; round < 4; round++) {
		struct directory_batch *batch =
		    directory_batch_begin(directory);

		for (uint64_t id = 1; id <= 5000; id++) {
			struct directory_bridge bridge = { .id = id,
				.account = account };

			snprintf(account, sizeof(account), "%d%05d", round,
			    (int)id);
			assert_int_equal(directory_put_bridge(batch, id,
					     id % 7 ? &bridge : NULL),
			    0);
		}
		assert_int_equal(directory_batch_commit(batch), 0);
		for (uint64_t id = 1; id <= 5000; id++) {
			snprintf(account, sizeof(account), "%d%05d", round,
			    (int)id);
			assert_int_equal(find_sender(NULL, NULL, NULL, account,
					     false),
			    id % 7 ? id : 0);
		}
	}
	assert_int_equal(find_sender(NULL, NULL, NULL, "000001", false), 0);
}

static int allocations_left;

static void *
failing_allocate(size_t bytes)
{
	return allocations_left-- > 0 ? malloc(bytes) : NULL;
}

/* As many sites and bridges as make every table grow, and a replacement. */
static int
change_with_failures(bool replace_all)
{
	struct directory_batch *batch = directory_batch_begin(directory);

	if (replace_all)
		directory_batch_replace_all(batch);
	put_one_of_each(batch);
	for (uint64_t id = 100; id < 120; id++) {
		struct directory_bridge bridge = { .id = id, .account = "x" };
		struct directory_receiver receiver = { .id = id };

		directory_put_bridge(batch, id, &bridge);
		directory_put_receiver(batch, id, &receiver);
	}
	directory_put_site(batch, 1, NULL);
	return directory_batch_commit(batch);
}

static void
out_of_memory_changes_nothing(void **state)
{
	struct directory_site site = { .id = 1, .name = "first" };
	struct directory_batch *batch = directory_batch_begin(directory);
	int result, failures = 0;

	(void)state;
	assert_int_equal(directory_put_site(batch, 1, &site), 0);
	assert_int_equal(directory_batch_commit(batch), 0);
	put_sender(2, NULL, NULL, NULL, "1234");
	put_receivers(3, 4, 1);
	directory->allocate = failing_allocate;
	directory_picture(directory)->allocate = failing_allocate;
	for (int all = 0; all < 2; all++) {
		for (int n = 0; n < 1000; n++) {
			struct seen seen = { 0, 0 };

			allocations_left = n;
			result = change_with_failures(all);
			if (result == 0)
				break;
			failures++;
			assert_int_equal(result, -ENOMEM);
			directory_receivers_each(directory, see_receiver,
			    &seen);
			if (all)
				continue;
			assert_non_null(directory_site_by_id(directory, 1));
			assert_null(directory_site_by_id(directory, 40));
			assert_int_equal(find_sender(NULL, NULL, NULL, "1234",
					     false),
			    2);
			assert_int_equal(seen.count, 1);
		}
		assert_int_equal(result, 0);
		check_one_of_each();
	}
	assert_null(directory_site_by_id(directory, 1));
	assert_null(directory_bridge_by_id(directory, 2));
	assert_true(failures > 100);
}

static void
subscribers_are_told(void **state)
{
	int fd = eventfd(0, EFD_NONBLOCK);
	struct directory_batch *batch;
	uint64_t told = 0;

	(void)state;
	assert_int_equal(directory_subscribe(directory, fd), 0);
	batch = directory_batch_begin(directory);
	assert_int_equal(directory_put_site(batch, 5, NULL), 0);
	assert_int_equal(directory_batch_commit(batch), 0);
	assert_int_equal(read(fd, &told, sizeof(told)), -1); /* no change */
	put_sender(1, NULL, NULL, NULL, "1");
	put_sender(1, NULL, NULL, NULL, "2");
	assert_int_equal(read(fd, &told, sizeof(told)), sizeof(told));
	assert_int_equal(told, 2);
	close(fd);
}

int
main(void)
{
#define WITH_DIRECTORY(test)                                                   \
 cmocka_unit_test_setup_teardown(test, setup, teardown)
	const struct CMUnitTest tests[] = {
		WITH_DIRECTORY(most_specific_sender_wins),
		WITH_DIRECTORY(account_zeros),
		WITH_DIRECTORY(two_equal_senders_are_nobody),
		WITH_DIRECTORY(a_sender_moves_and_goes),
		WITH_DIRECTORY(zones_without_leading_zeros),
		WITH_DIRECTORY(objects_are_copied_whole),
		WITH_DIRECTORY(receivers_come_in_id_order),
		WITH_DIRECTORY(replace_all_forgets_the_rest),
		WITH_DIRECTORY(the_last_put_of_an_id_counts),
		WITH_DIRECTORY(growing_and_churning_keeps_everything),
		WITH_DIRECTORY(out_of_memory_changes_nothing),
		WITH_DIRECTORY(subscribers_are_told),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
