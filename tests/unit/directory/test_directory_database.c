/* The directory beside a real server: load, follow, lose it, start without. */
#include "unit/db/postgres.h"

#include <sys/eventfd.h>
#include <unistd.h>

#include "base/seal.h"
#include "base/text.h"
#include "directory/directory.h"

#define WAIT_MS 30000

static struct directory *directory;
static struct db sql;
static int changed_fd, schema;
static char folder[64], snapshot[96], key_file[96];

static const struct seal_master master = { "0123456789abcdef0123456789abcde" };

/* A dealer, a receiver with two endpoints, two stations, two sites, a bridge
 * with zones and a panel. */
static const char provisioning[] =
    "INSERT INTO tocsin.dealer (id, name) VALUES (1, 'Dealer');"
    "INSERT INTO tocsin.center (id, name) VALUES (1, 'Center');"
    "INSERT INTO tocsin.receiver (id, center_id, name, protocol, paused)"
    " VALUES (1, 1, 'R1', 'surgard', false), (2, 1, 'R2', 'dc09', true),"
    " (3, 1, 'R3', 'ademco685', false), (4, 1, 'R4', 'd6500', false),"
    " (5, 1, 'R5', 'xml', false);"
    "UPDATE tocsin.receiver SET clock = true, account_policy = 'split_back', "
    "translation = 'contact_id' "
    "WHERE id = 1;"
    "INSERT INTO tocsin.receiver_code VALUES (1, 'BA', 'E131'),"
    " (1, 'BV', 'E139');"
    "UPDATE tocsin.receiver SET header_space = true WHERE id = 4;"
    "INSERT INTO tocsin.receiver_endpoint (receiver_id, position, host, port)"
    " VALUES (1, 2, '192.0.2.2', 1002), (1, 1, '192.0.2.1', 1001);"
    "UPDATE tocsin.receiver_endpoint SET transport = 'tls', tls_ca = 'ca.pem' "
    "WHERE position = 2;"
    "INSERT INTO tocsin.station_record"
    " (id, dealer_id, center_id, receiver_id, name, prefix)"
    " VALUES (1, 1, 1, 1, 'S1', '77'), (2, 1, 1, 2, 'S2', '');"
    "INSERT INTO tocsin.site (id, dealer_id, name, timezone,"
    " station_record_id, account_number) VALUES"
    " (1, 1, 'Site one', 'Europe/Athens', 1, '0123'),"
    " (2, 1, E'Tab\\tand\\\\slash', 'UTC', NULL, NULL);"
    "UPDATE tocsin.site SET latitude = -37.98380004, longitude = 23.7275 "
    "WHERE id = 1;"
    "INSERT INTO tocsin.bridge (id, serial, kind, transport_account,"
    " transport_line, site_id) VALUES"
    " (1, 'SN1', 'bridge', '9001', 'L1', 1),"
    " (2, NULL, 'panel', '9002', NULL, NULL), (3, NULL, 'panel', NULL,"
    " NULL, NULL);"
    "INSERT INTO tocsin.channel (id, bridge_id, name, zone_type, enabled, code)"
    " VALUES (1, 1, 'Door', 1, NULL, NULL), (2, 1, 'Yard', 5, false, '140');"
    "INSERT INTO tocsin.channel_zone (bridge_id, zone_number, channel_id)"
    " VALUES (1, '017', 1), (1, '2', 2), (1, '3', 2);"
    "INSERT INTO tocsin.alarm_library"
    " (dealer_id, site_id, zone_type, inbound_code, enabled, code) VALUES"
    " (1, NULL, 1, NULL, false, NULL), (NULL, 1, 1, NULL, NULL, '131'),"
    " (NULL, 1, NULL, '602', false, NULL);";

/* As it was before the first test. */
static int
setup(void **state)
{
	(void)state;
	strcpy(folder, "/tmp/tocsin-directory-XXXXXX");
	if (!mkdtemp(folder))
		return -1;
	snprintf(snapshot, sizeof(snapshot), "%s/snapshot", folder);
	snprintf(key_file, sizeof(key_file), "%s/key", folder);
	directory_thread_register();
	directory_thread_online();
	changed_fd = eventfd(0, EFD_NONBLOCK);
	schema = postgres_renew();
	postgres_connect(&sql, "");
	postgres_execute(&sql, provisioning);
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	directory_thread_offline();
	directory_close(&directory);
	directory_thread_unregister();
	db_close(&sql);
	close(changed_fd);
	unlink(snapshot);
	unlink(key_file);
	return rmdir(folder);
}

static int
try_open(int newest_schema, const char *master_key_file, struct err *err)
{
	const struct directory_config config = {
		.conninfo = postgres_conninfo,
		.snapshot = snapshot,
		.master_key_file = master_key_file,
		.connect_wait_us = 300000,
		.newest_schema = newest_schema,
	};
	int result =
	    directory_open(&directory, &config, &io_system, &clock_system, err);

	if (result == 0)
		assert_int_equal(directory_subscribe(directory, changed_fd), 0);
	return result;
}

static void
open_directory(void)
{
	struct err err = { "" };

	if (try_open(schema, "", &err) < 0)
		fail_msg("%s", err.text);
}

static void
close_directory(void)
{
	directory_thread_offline();
	directory_close(&directory);
	directory_thread_online();
}

/* Until the condition holds; woken by each change set. */
#define wait_until(condition)                                                  \
 do {                                                                          \
  directory_thread_offline();                                                  \
  directory_thread_online();                                                   \
  if (condition)                                                               \
   break;                                                                      \
  directory_thread_offline();                                                  \
  wait_for_change(#condition);                                                 \
  directory_thread_online();                                                   \
 } while (1)

static void
wait_for_change(const char *what)
{
	struct pollfd poll_fd = { .fd = changed_fd, .events = POLLIN };
	uint64_t count;

	if (poll(&poll_fd, 1, WAIT_MS) <= 0)
		fail_msg("%s: not within %d ms", what, WAIT_MS);
	assert_int_equal(read(changed_fd, &count, sizeof(count)),
	    sizeof(count));
}

static const char *
site_name(uint64_t id)
{
	const struct directory_site *site = directory_site_by_id(directory, id);

	return site ? site->name : "";
}

static const struct directory_bridge *
find_sender(const char *line, const char *account)
{
	return directory_bridge_by_sender(directory, SLICE_NONE, SLICE_NONE,
	    slice_from_string(line), slice_from_string(account), true);
}

static void
check_loaded(void)
{
	const struct directory_bridge *bridge = find_sender("L1", "9001");
	const struct directory_receiver *receiver =
	    directory_receiver_by_id(directory, 1);
	const struct directory_site *site = directory_site_by_id(directory, 1);
	const struct directory_zone *zone;

	assert_non_null(bridge);
	assert_int_equal(bridge->id, 1);
	assert_int_equal(bridge->site_id, 1);
	assert_string_equal(bridge->serial, "SN1");
	assert_null(find_sender("L2", "9001"));
	assert_int_equal(bridge->zone_count, 3);
	zone = directory_zone_find(bridge, slice_from_string("17"));
	assert_int_equal(zone->channel_id, 1);
	assert_int_equal(zone->zone_type, 1);
	assert_int_equal(zone->enabled, DIRECTORY_INHERIT);
	assert_string_equal(zone->code, "");
	zone = directory_zone_find(bridge, slice_from_string("003"));
	assert_int_equal(zone->channel_id, 2);
	assert_int_equal(zone->enabled, DIRECTORY_NO);
	assert_string_equal(zone->code, "140");
	assert_string_equal(zone->name, "Yard");
	assert_int_equal(find_sender(NULL, "9002")->kind, DIRECTORY_PANEL);
	assert_int_equal(find_sender(NULL, "9002")->site_id, 0);
	assert_non_null(directory_bridge_by_id(directory, 3));
	assert_int_equal(site->station_id, 1);
	assert_string_equal(site->account, "0123");
	assert_true(site->position.known);
	assert_int_equal(site->position.latitude_e7, -379838000);
	assert_int_equal(site->position.longitude_e7, 237275000);
	assert_false(directory_site_by_id(directory, 2)->position.known);
	assert_int_equal(site->library.count, 2);
	assert_string_equal(site_name(2), "Tab\tand\\slash");
	assert_int_equal(directory_dealer_by_id(directory, 1)->library.count,
	    1);
	assert_int_equal(receiver->protocol, DIRECTORY_PROTOCOL_SURGARD);
	assert_true(receiver->clock);
	assert_false(receiver->header_space);
	assert_int_equal(receiver->translation,
	    DIRECTORY_TRANSLATION_CONTACT_ID);
	assert_string_equal(receiver->codes, "BA=E131,BV=E139");
	assert_string_equal(directory_receiver_by_id(directory, 3)->codes, "");
	assert_int_equal(receiver->account_policy,
	    DIRECTORY_ACCOUNT_SPLIT_BACK);
	assert_int_equal(receiver->account_digits, 5);
	assert_int_equal(directory_receiver_by_id(directory, 3)->protocol,
	    DIRECTORY_PROTOCOL_ADEMCO685);
	assert_int_equal(directory_receiver_by_id(directory, 3)->account_digits,
	    4);
	assert_int_equal(directory_receiver_by_id(directory, 4)->protocol,
	    DIRECTORY_PROTOCOL_D6500);
	assert_true(directory_receiver_by_id(directory, 4)->header_space);
	assert_int_equal(directory_receiver_by_id(directory, 5)->protocol,
	    DIRECTORY_PROTOCOL_XML);
	assert_int_equal(directory_receiver_by_id(directory, 5)->account_digits,
	    32);
	assert_int_equal(receiver->endpoint_count, 2);
	assert_string_equal(receiver->endpoints[0].host, "192.0.2.1");
	assert_int_equal(receiver->endpoints[0].transport,
	    DIRECTORY_TRANSPORT_TCP);
	assert_int_equal(receiver->endpoints[1].transport,
	    DIRECTORY_TRANSPORT_TLS);
	assert_string_equal(receiver->endpoints[1].tls_ca, "ca.pem");
	assert_int_equal(receiver->endpoints[1].port, 1002);
	assert_true(directory_receiver_by_id(directory, 2)->paused);
	assert_string_equal(directory_station_by_id(directory, 1)->prefix,
	    "77");
	assert_string_equal(directory_zone_type_by_number(directory, 4)->code,
	    "133");
}

static void
everything_is_loaded(void **state)
{
	struct directory_status status;

	(void)state;
	open_directory();
	check_loaded();
	directory_status(directory, &status);
	assert_int_equal(status.source, DIRECTORY_FROM_DATABASE);
	assert_true(status.connected);
	assert_string_equal(status.problem, "");
	assert_int_equal(status.sites, 2);
	assert_int_equal(status.bridges, 3);
	assert_int_equal(status.receivers, 5);
	assert_int_equal(status.stations, 2);
}

static void
changes_are_followed(void **state)
{
	(void)state;
	open_directory();
	postgres_execute(&sql,
	    "UPDATE tocsin.site SET name = 'New name' WHERE id = 1");
	wait_until(strcmp(site_name(1), "New name") == 0);
	postgres_execute(&sql,
	    "INSERT INTO tocsin.site (id, dealer_id, name, timezone)"
	    " VALUES (7, 1, 'Seven', 'UTC')");
	wait_until(strcmp(site_name(7), "Seven") == 0);
	postgres_execute(&sql, "DELETE FROM tocsin.site WHERE id = 7");
	wait_until(!directory_site_by_id(directory, 7));
	postgres_execute(&sql, "SELECT tocsin.site_test_start(1, 60, true)");
	wait_until(directory_site_by_id(directory, 1)->on_test_forward);
	assert_true(directory_site_by_id(directory, 1)->on_test_until_us >
	    clock_wall_us(&clock_system) + 3500ll * 1000000);
	assert_int_equal(directory_site_by_id(directory, 1)->ack_level,
	    ACK_LEVEL_INHERIT);
	postgres_execute(&sql,
	    "UPDATE tocsin.site SET ack_level = 'delivered' WHERE id = 1");
	wait_until(directory_site_by_id(directory, 1)->ack_level ==
	    ACK_LEVEL_DELIVERED);
	postgres_execute(&sql,
	    "UPDATE tocsin.site SET ack_level = 'local' WHERE id = 1");
	wait_until(directory_site_by_id(directory, 1)->ack_level ==
	    ACK_LEVEL_LOCAL);
	postgres_execute(&sql,
	    "UPDATE tocsin.bridge SET transport_account = '9009' WHERE id = 1");
	wait_until(find_sender("L1", "9009"));
	assert_null(find_sender("L1", "9001"));
	postgres_execute(&sql,
	    "DELETE FROM tocsin.channel_zone WHERE zone_number = '3'");
	wait_until(find_sender("L1", "9009")->zone_count == 2);
	postgres_execute(&sql,
	    "UPDATE tocsin.channel SET code = '144' WHERE id = 2");
	wait_until(strcmp(find_sender("L1", "9009")->zones[1].code, "144") ==
	    0);
	postgres_execute(&sql,
	    "UPDATE tocsin.alarm_library SET enabled = true"
	    " WHERE dealer_id = 1");
	wait_until(directory_dealer_by_id(directory, 1)
		       ->library.rows[0]
		       .enabled == DIRECTORY_YES);
	postgres_execute(&sql, "DELETE FROM tocsin.receiver_endpoint");
	wait_until(directory_receiver_by_id(directory, 1)->endpoint_count == 0);
	postgres_execute(&sql,
	    "UPDATE tocsin.zone_type SET code = '135' WHERE number = 4");
	wait_until(strcmp(directory_zone_type_by_number(directory, 4)->code,
		       "135") == 0);
	postgres_execute(&sql,
	    "UPDATE tocsin.station_record SET prefix = '88' WHERE id = 2");
	wait_until(strcmp(directory_station_by_id(directory, 2)->prefix,
		       "88") == 0);
}

/* The one that began first, and has the lower transaction id, commits last. */
static void
a_late_commit_is_not_missed(void **state)
{
	struct db late = { 0 };

	(void)state;
	open_directory();
	postgres_connect(&late, "");
	postgres_execute(&late,
	    "BEGIN; UPDATE tocsin.site SET name = 'late' WHERE id = 1");
	for (int i = 0; i < 3; i++) {
		char statement[128], name[24];

		snprintf(name, sizeof(name), "early %d", i);
		snprintf(statement, sizeof(statement),
		    "UPDATE tocsin.site SET name = '%s' WHERE id = 2", name);
		postgres_execute(&sql, statement);
		wait_until(strcmp(site_name(2), name) == 0);
	}
	assert_string_equal(site_name(1), "Site one");
	postgres_execute(&late, "COMMIT");
	wait_until(strcmp(site_name(1), "late") == 0);
	db_close(&late);
}

/* One that was open while everything was loaded. */
static void
open_during_the_load(void **state)
{
	struct db late = { 0 };

	(void)state;
	postgres_connect(&late, "");
	postgres_execute(&late,
	    "BEGIN; UPDATE tocsin.site SET name = 'late' WHERE id = 1");
	open_directory();
	assert_string_equal(site_name(1), "Site one");
	postgres_execute(&late, "COMMIT");
	wait_until(strcmp(site_name(1), "late") == 0);
	db_close(&late);
}

/* Objects of one transaction come into force together: site and station name
 * the same number, whenever anybody looks. */
static void
a_transaction_is_seen_whole(void **state)
{
	char statement[256];
	const char *wanted = "turn 20";

	(void)state;
	open_directory();
	postgres_execute(&sql,
	    "UPDATE tocsin.site SET name = 'turn 0' WHERE id = 1;"
	    "UPDATE tocsin.station_record SET name = 'turn 0' WHERE id = 1");
	wait_until(strcmp(site_name(1), "turn 0") == 0 &&
	    strcmp(directory_station_by_id(directory, 1)->name, "turn 0") == 0);
	for (int turn = 1; turn <= 20; turn++) {
		snprintf(statement, sizeof(statement),
		    "BEGIN; UPDATE tocsin.site SET name = 'turn %d'"
		    " WHERE id = 1;"
		    "UPDATE tocsin.station_record SET name = 'turn %d'"
		    " WHERE id = 1; COMMIT",
		    turn, turn);
		postgres_execute(&sql, statement);
		for (int look = 0; look < 1000; look++) {
			uint32_t generation;
			bool equal;

			do {
				generation = directory_read_begin(directory);
				equal =
				    strcmp(site_name(1),
					directory_station_by_id(directory, 1)
					    ->name) == 0;
			} while (directory_read_retry(directory, generation));
			assert_true(equal);
			directory_thread_offline();
			directory_thread_online();
		}
	}
	wait_until(strcmp(site_name(1), wanted) == 0);
}

static void
a_lost_server_comes_back(void **state)
{
	struct directory_status status;

	(void)state;
	open_directory();
	postgres_crash();
	directory_thread_offline();
	do
		directory_status(directory, &status);
	while (status.connected && poll(NULL, 0, 10) == 0);
	directory_thread_online();
	assert_true(status.problem[0] != '\0');
	check_loaded(); /* what we had is kept */
	assert_true(postgres_start());
	postgres_connect(&sql, "");
	postgres_execute(&sql,
	    "UPDATE tocsin.site SET name = 'while away' WHERE id = 1");
	wait_until(strcmp(site_name(1), "while away") == 0);
	postgres_execute(&sql,
	    "UPDATE tocsin.site SET name = 'followed again' WHERE id = 1");
	wait_until(strcmp(site_name(1), "followed again") == 0);
	directory_status(directory, &status);
	assert_true(status.connected);
}

static void
starts_from_the_snapshot(void **state)
{
	struct directory_status status;
	struct err err = { "" };

	(void)state;
	open_directory();
	postgres_execute(&sql,
	    "UPDATE tocsin.site SET reference_id = 'LAST' WHERE id = 1");
	wait_until(strcmp(directory_site_by_id(directory, 1)->reference_id,
		       "LAST") == 0);
	close_directory();
	postgres_crash();
	open_directory();
	check_loaded();
	/* what was changed last is in it */
	assert_string_equal(directory_site_by_id(directory, 1)->reference_id,
	    "LAST");
	directory_status(directory, &status);
	assert_int_equal(status.source, DIRECTORY_FROM_SNAPSHOT);
	assert_false(status.connected);
	assert_true(status.loaded_wall_us > 0);
	assert_true(postgres_start());
	postgres_connect(&sql, "");
	postgres_execute(&sql,
	    "UPDATE tocsin.site SET name = 'from the server' WHERE id = 1");
	wait_until(strcmp(site_name(1), "from the server") == 0);
	close_directory();
	postgres_crash();
	unlink(snapshot);
	assert_int_equal(try_open(schema, "", &err), -ENOENT);
	assert_non_null(strstr(err.text, snapshot));
	assert_true(postgres_start());
}

static void
a_newer_database_is_refused(void **state)
{
	struct err err = { "" };

	(void)state;
	assert_int_equal(try_open(schema - 1, "", &err), -EPROTO);
	assert_non_null(strstr(err.text, "newer version"));
}

static void
seal_hex(const char *context, const char *plain, char hex[300])
{
	uint8_t sealed[128];
	int length = seal_close(&master, context, slice_from_string(plain),
	    sealed, sizeof(sealed));

	assert_true(length > 0);
	text_hex_encode(sealed, (size_t)length, hex);
}

/* Put a sealed key into a row. */
static void
store_key(const char *table, int id, const char *context, const char *plain)
{
	char hex[300], statement[512];

	seal_hex(context, plain, hex);
	snprintf(statement, sizeof(statement),
	    "UPDATE tocsin.%s SET key = '\\x%s' WHERE id = %d", table, hex, id);
	postgres_execute(&sql, statement);
}

static void
roll_key(int id, const char *context, const char *plain)
{
	char hex[300], statement[512];

	seal_hex(context, plain, hex);
	snprintf(statement, sizeof(statement),
	    "SELECT tocsin.bridge_key_roll(%d, '\\x%s', 3600)", id, hex);
	postgres_execute(&sql, statement);
}

static void
check_policy(const struct directory_bridge *bridge)
{
	static const uint8_t mac[] = { 2, 0, 0x5e, 0, 0x53, 10 };
	int64_t left_us =
	    bridge->previous_key->until_us - clock_wall_us(&clock_system);

	assert_int_equal(bridge->previous_key->length, 16);
	assert_memory_equal(bridge->previous_key->bytes, "sixteen bytes :)",
	    16);
	assert_true(left_us > 0 && left_us <= 3600000000);
	assert_true(bridge->tls_required);
	assert_int_equal(bridge->time_window->past_s, 600);
	assert_int_equal(bridge->time_window->future_s, 0);
	assert_memory_equal(bridge->mac, mac, sizeof(mac));
}

static void
sealed_keys_are_opened(void **state)
{
	const struct directory_receiver *receiver;
	const struct directory_bridge *bridge;
	struct err err = { "" };
	FILE *file = fopen(key_file, "w");

	(void)state;
	fwrite(master.key, sizeof(master.key), 1, file);
	fclose(file);
	store_key("bridge", 1, "bridge.key:1", "sixteen bytes :)");
	store_key("bridge", 2, "bridge.key:1", "of another row..");
	roll_key(1, "bridge.key:1", "the newer bytes.");
	roll_key(2, "bridge.key:1", "of another row..");
	postgres_execute(&sql,
	    "UPDATE tocsin.bridge SET tls_required = true, "
	    "time_window_past_s = 600, time_window_future_s = 0, "
	    "mac = '02:00:5e:00:53:0A' WHERE id = 1");
	store_key("receiver", 2, "receiver.key:2", "sixteen bytes :(");
	postgres_execute(&sql, "UPDATE tocsin.receiver SET paused = false");
	if (try_open(schema, key_file, &err) < 0)
		fail_msg("%s", err.text);
	bridge = directory_bridge_by_id(directory, 1);
	assert_int_equal(bridge->key_length, 16);
	assert_memory_equal(bridge->key, "the newer bytes.", 16);
	check_policy(bridge);
	bridge = directory_bridge_by_id(directory, 2);
	assert_int_equal(bridge->key_length, 0);
	assert_null(bridge->previous_key);
	assert_false(bridge->tls_required);
	assert_null(bridge->time_window);
	assert_null(bridge->mac);
	receiver = directory_receiver_by_id(directory, 2);
	assert_int_equal(receiver->key_length, 16);
	assert_memory_equal(receiver->key, "sixteen bytes :(", 16);
	assert_false(receiver->paused);
	close_directory();
	unlink(snapshot);
	/* without the master key nothing is sent in clear instead */
	open_directory();
	assert_int_equal(directory_bridge_by_id(directory, 1)->key_length, 0);
	assert_int_equal(directory_receiver_by_id(directory, 2)->key_length, 0);
	assert_true(directory_receiver_by_id(directory, 2)->paused);
}

#define OF_ONE "\x36\x51\x9b\x01\x65\x7d\x6c\xf8"

static void
bearer_keys_come_as_hashes(void **state)
{
	const struct directory_bridge *bridge;
	int64_t left_us;

	(void)state;
	postgres_execute(&sql,
	    "UPDATE tocsin.bridge SET bearer_key_hash = sha256('of one') "
	    "WHERE id IN (1, 3);"
	    "SELECT tocsin.bridge_bearer_key_roll(3, 3600)");
	open_directory();
	bridge = directory_bridge_by_id(directory, 1);
	assert_memory_equal(bridge->bearer_hash, OF_ONE, 8);
	assert_null(bridge->previous_bearer);
	assert_null(directory_bridge_by_id(directory, 2)->bearer_hash);
	bridge = directory_bridge_by_id(directory, 3);
	assert_memory_not_equal(bridge->bearer_hash, OF_ONE, 8);
	assert_memory_equal(bridge->previous_bearer->hash, OF_ONE, 8);
	left_us =
	    bridge->previous_bearer->until_us - clock_wall_us(&clock_system);
	assert_true(left_us > 0 && left_us <= 3600000000);
}

static void
reload_on_request(void **state)
{
	(void)state;
	open_directory();
	/* behind the back of the triggers */
	postgres_execute(&sql,
	    "SET session_replication_role = replica;"
	    "UPDATE tocsin.site SET name = 'unnoticed' WHERE id = 1;"
	    "RESET session_replication_role");
	assert_string_equal(site_name(1), "Site one");
	directory_reload(directory);
	wait_until(strcmp(site_name(1), "unnoticed") == 0);
}

int
main(void)
{
#define WITH_DATABASE(test)                                                    \
 cmocka_unit_test_setup_teardown(test, setup, teardown)
	const struct CMUnitTest tests[] = {
		WITH_DATABASE(everything_is_loaded),
		WITH_DATABASE(changes_are_followed),
		WITH_DATABASE(a_late_commit_is_not_missed),
		WITH_DATABASE(open_during_the_load),
		WITH_DATABASE(a_transaction_is_seen_whole),
		WITH_DATABASE(a_lost_server_comes_back),
		WITH_DATABASE(starts_from_the_snapshot),
		WITH_DATABASE(a_newer_database_is_refused),
		WITH_DATABASE(sealed_keys_are_opened),
		WITH_DATABASE(bearer_keys_come_as_hashes),
		WITH_DATABASE(reload_on_request),
	};
	int failed;

	if (!postgres_start()) {
		fprintf(stderr, "skipped: no private PostgreSQL here\n");
		return 77;
	}
	failed = cmocka_run_group_tests(tests, NULL, NULL);
	postgres_remove();
	return failed;
}
