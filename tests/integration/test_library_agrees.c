/*
 * The alarm library is resolved twice: by the SQL views effective_alarm_code,
 * effective_inbound_code and effective_system_event, which people see, and by
 * routing_resolve, which decides. Over random libraries both must say the same
 * for every site and channel; a third of the sites is imported with random
 * templates. The seed is printed; give it as the argument to run it again.
 *
 */
#include "unit/db/postgres.h"

#include <time.h>
#include <unistd.h>

#include "directory/directory.h"
#include "routing/routing.h"
#include "signal/system_events.h"

#define ROUNDS 5
#define SITES  60

static struct directory *directory;
static struct db db;
static unsigned seed;

/* A format: the seed of random(). */
static const char randomize[] =
    "TRUNCATE tocsin.dealer, tocsin.site, tocsin.bridge, tocsin.channel,"
    " tocsin.channel_zone, tocsin.alarm_library CASCADE;"
    "ALTER SEQUENCE tocsin.site_id_seq RESTART WITH 41;"
    "SELECT setseed(%f);"
    "CREATE OR REPLACE FUNCTION pg_temp.any_boolean() RETURNS boolean"
    " LANGUAGE sql VOLATILE AS"
    " $$ SELECT (ARRAY[NULL, true, false])[1 + floor(random() * 3)::int] $$;"
    "CREATE OR REPLACE FUNCTION pg_temp.any_code() RETURNS text"
    " LANGUAGE sql VOLATILE AS $$ SELECT CASE WHEN random() < 0.5 THEN"
    " lpad(upper(to_hex(floor(random() * 4096)::int)), 3, '0') END $$;"
    "INSERT INTO tocsin.dealer (id, name)"
    " SELECT d, 'Dealer ' || d FROM generate_series(1, 5) d;"
    "INSERT INTO tocsin.site (id, dealer_id, name, timezone)"
    " SELECT s, 1 + floor(random() * 5)::int, 'Site ' || s, 'UTC'"
    " FROM generate_series(1, 40) s;"
    "INSERT INTO tocsin.site_template (id, dealer_id, name, timezone)"
    " SELECT d, d, 'Template', 'UTC' FROM generate_series(1, 5) d;"
    "INSERT INTO tocsin.site_template_library"
    " (template_id, zone_type, enabled, code)"
    " SELECT * FROM (SELECT d, number, pg_temp.any_boolean() AS enabled,"
    " pg_temp.any_code() AS code FROM generate_series(1, 5) d,"
    " tocsin.zone_type OFFSET 0) r WHERE num_nonnulls(enabled, code) > 0;"
    "INSERT INTO tocsin.site_template_library"
    " (template_id, inbound_code, enabled, code)"
    " SELECT * FROM (SELECT d, i, pg_temp.any_boolean() AS enabled,"
    " pg_temp.any_code() AS code FROM generate_series(1, 5) d,"
    " unnest('{350,602,123}'::text[]) i OFFSET 0) r"
    " WHERE num_nonnulls(enabled, code) > 0;"
    "SELECT tocsin.import_rows('site', (SELECT jsonb_agg(jsonb_build_object("
    "'line', i, 'dealer_id', 1 + floor(random() * 5)::int, 'name', 'Site ' || i,"
    " 'template', 'Template')) FROM generate_series(41, 60) i));"
    "INSERT INTO tocsin.bridge (id, site_id)"
    " SELECT id, id FROM tocsin.site;"
    "INSERT INTO tocsin.channel"
    " (id, bridge_id, name, zone_type, enabled, code)"
    " SELECT b * 10 + c, b, 'Channel', 1 + floor(random() * 9)::int,"
    " pg_temp.any_boolean(), pg_temp.any_code()"
    " FROM generate_series(1, 60) b, generate_series(1, 6) c;"
    "INSERT INTO tocsin.channel_zone (bridge_id, zone_number, channel_id)"
    " SELECT bridge_id, (id %% 10)::text, id FROM tocsin.channel;"
    "INSERT INTO tocsin.alarm_library (dealer_id, zone_type, enabled, code)"
    " SELECT * FROM (SELECT d, number, pg_temp.any_boolean() AS enabled,"
    " pg_temp.any_code() AS code FROM generate_series(1, 5) d,"
    " tocsin.zone_type OFFSET 0) r WHERE num_nonnulls(enabled, code) > 0;"
    "INSERT INTO tocsin.alarm_library (site_id, zone_type, enabled, code)"
    " SELECT * FROM (SELECT s, number, pg_temp.any_boolean() AS enabled,"
    " pg_temp.any_code() AS code FROM generate_series(1, 40) s,"
    " tocsin.zone_type OFFSET 0) r WHERE num_nonnulls(enabled, code) > 0;"
    "INSERT INTO tocsin.alarm_library (dealer_id, inbound_code, enabled, code)"
    " SELECT * FROM (SELECT d, i, pg_temp.any_boolean() AS enabled,"
    " pg_temp.any_code() AS code FROM generate_series(1, 5) d,"
    " unnest('{401,602,ABC,1-A,6-_A}'::text[]) i OFFSET 0) r"
    " WHERE num_nonnulls(enabled, code) > 0;"
    "INSERT INTO tocsin.alarm_library (site_id, inbound_code, enabled, code)"
    " SELECT * FROM (SELECT s, i, pg_temp.any_boolean() AS enabled,"
    " pg_temp.any_code() AS code FROM generate_series(1, 40) s,"
    " unnest('{401,602,DEF,1-A,8-17}'::text[]) i OFFSET 0) r"
    " WHERE num_nonnulls(enabled, code) > 0;"
    "INSERT INTO tocsin.alarm_library (dealer_id, system_event, enabled, code)"
    " SELECT * FROM (SELECT d, name, pg_temp.any_boolean() AS enabled,"
    " pg_temp.any_code() AS code FROM generate_series(1, 5) d,"
    " tocsin.system_event WHERE random() < 0.3 OFFSET 0) r"
    " WHERE num_nonnulls(enabled, code) > 0;"
    "INSERT INTO tocsin.alarm_library (site_id, system_event, enabled, code)"
    " SELECT * FROM (SELECT s, name, pg_temp.any_boolean() AS enabled,"
    " pg_temp.any_code() AS code FROM generate_series(1, 40) s,"
    " tocsin.system_event WHERE random() < 0.3 OFFSET 0) r"
    " WHERE num_nonnulls(enabled, code) > 0;"
    "INSERT INTO tocsin.alarm_library (channel_id, system_event, enabled, code)"
    " SELECT * FROM (SELECT c.id, e.name, pg_temp.any_boolean() AS enabled,"
    " pg_temp.any_code() AS code FROM tocsin.channel c,"
    " tocsin.system_event e WHERE random() < 0.3 OFFSET 0) r"
    " WHERE num_nonnulls(enabled, code) > 0;"
    "UPDATE tocsin.zone_type SET enabled = random() < 0.5";

static const struct directory_zone *
zone_of_channel(uint64_t site_id, const char *channel)
{
	const struct directory_bridge *bridge =
	    directory_bridge_by_id(directory, site_id);

	for (unsigned i = 0; channel && i < bridge->zone_count; i++)
		if (bridge->zones[i].channel_id == strtoull(channel, NULL, 10))
			return &bridge->zones[i];
	return NULL;
}

/* columns: site, zone type or inbound code, channel, enabled, its level,
 * code, its level */
static void
compare_row(char **fields, const struct routing_effective *effective)
{
	if ((fields[3][0] == 't') != effective->enabled ||
	    strcmp(fields[4], routing_level_name(effective->enabled_level)) !=
		0 ||
	    strcmp(fields[5], effective->code) != 0 ||
	    strcmp(fields[6], routing_level_name(effective->code_level)) != 0)
		fail_msg("seed %u, site %s, subject %s, channel %s: SQL says "
			 "%s (%s) %s (%s), routing %d (%s) %s (%s)",
		    seed, fields[0], fields[1], fields[2] ? fields[2] : "-",
		    fields[3], fields[4], fields[5], fields[6],
		    effective->enabled,
		    routing_level_name(effective->enabled_level),
		    effective->code, routing_level_name(effective->code_level));
}

static int
compare_zone_type(void *context, int count, char **fields, struct err *err)
{
	uint64_t site_id = strtoull(fields[0], NULL, 10);
	const struct directory_site *site =
	    directory_site_by_id(directory, site_id);
	const struct directory_zone *zone = zone_of_channel(site_id, fields[2]);
	struct routing_effective effective;

	(void)count;
	(void)err;
	assert_int_equal(!fields[2], !zone);
	routing_resolve(directory_zone_type_by_number(directory,
			    (unsigned)atoi(fields[1])),
	    &directory_dealer_by_id(directory, site->dealer_id)->library,
	    &site->library, zone, &effective);
	compare_row(fields, &effective);
	++*(unsigned *)context;
	return 0;
}

static int
compare_inbound(void *context, int count, char **fields, struct err *err)
{
	const struct directory_site *site =
	    directory_site_by_id(directory, strtoull(fields[0], NULL, 10));
	struct routing_effective effective;

	(void)count;
	(void)err;
	routing_resolve_inbound(fields[1],
	    &directory_dealer_by_id(directory, site->dealer_id)->library,
	    &site->library, &effective);
	compare_row(fields, &effective);
	++*(unsigned *)context;
	return 0;
}

/* The subject is its name. */
static int
compare_system_event(void *context, int count, char **fields, struct err *err)
{
	const struct directory_site *site =
	    directory_site_by_id(directory, strtoull(fields[0], NULL, 10));
	const struct directory_channel *channel = fields[2]
	    ? directory_channel_by_id(directory, strtoull(fields[2], NULL, 10))
	    : NULL;
	struct routing_effective effective;

	(void)count;
	(void)err;
	routing_resolve_system_event(system_event_by_name(fields[1]),
	    &directory_dealer_by_id(directory, site->dealer_id)->library,
	    &site->library, channel ? &channel->library : NULL, &effective);
	compare_row(fields, &effective);
	++*(unsigned *)context;
	return 0;
}

static int
compare_built_in(void *context, int count, char **fields, struct err *err)
{
	const struct system_event *event = system_event_by_name(fields[0]);

	(void)count;
	(void)err;
	if (!event || event->qualifier != fields[1][0] ||
	    strcmp(event->code, fields[2]) != 0 ||
	    event->of_camera != (strcmp(fields[3], "camera") == 0))
		fail_msg("system event %s is not %s%s in C", fields[0],
		    fields[1], fields[2]);
	++*(unsigned *)context;
	return 0;
}

static unsigned
compare_all(const char *sql, int columns, db_row_fn compare)
{
	struct err err = { "" };
	unsigned rows = 0;

	if (db_copy_out(&db, sql, columns, compare, &rows, &err) < 0)
		fail_msg("%s", err.text);
	return rows;
}

static void
sql_and_routing_agree(void **state)
{
	struct directory_config config = { .conninfo = postgres_conninfo,
		.snapshot = "",
		.master_key_file = "",
		.connect_wait_us = 10000000 };
	struct err err = { "" };
	char *sql;

	(void)state;
	if (db_connect(&db, postgres_conninfo, "test", &err) < 0)
		fail_msg("%s", err.text);
	config.newest_schema = postgres_migrate(&db);
	assert_int_equal(compare_all("COPY tocsin.system_event "
				     "(name, qualifier, code, zone_field) "
				     "TO STDOUT",
			     4, compare_built_in),
	    system_event_count);
	for (unsigned round = 0; round < ROUNDS; round++) {
		assert_true(asprintf(&sql, randomize,
				(double)((seed + round) % 1000003) / 1000003) >
		    0);
		postgres_execute(&db, sql);
		free(sql);
		if (directory_open(&directory, &config, &io_system,
			&clock_system, &err) < 0)
			fail_msg("%s", err.text);
		directory_thread_online();
		assert_int_equal(compare_all("COPY (SELECT site_id, zone_type, "
					     "channel_id, enabled, "
					     "enabled_level, code, code_level "
					     "FROM tocsin.effective_alarm_code)"
					     " TO STDOUT",
				     7, compare_zone_type),
		    SITES * (9 + 6));
		assert_true(compare_all("COPY (SELECT site_id, inbound_code, "
					"NULL, enabled, enabled_level, code, "
					"code_level "
					"FROM tocsin.effective_inbound_code)"
					" TO STDOUT",
				7, compare_inbound) > SITES * 3);
		assert_int_equal(compare_all("COPY (SELECT site_id, "
					     "system_event, channel_id, "
					     "enabled, enabled_level, code, "
					     "code_level FROM "
					     "tocsin.effective_system_event) "
					     "TO STDOUT",
				     7, compare_system_event),
		    SITES * (system_event_count + 6 * 4));
		directory_thread_offline();
		directory_close(&directory);
	}
	db_close(&db);
}

int
main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(sql_and_routing_agree),
	};
	int failed;

	seed = argc > 1 ? (unsigned)atoi(argv[1]) : (unsigned)time(NULL);
	printf("seed %u\n", seed);
	if (!postgres_start()) {
		fprintf(stderr, "skipped: no private PostgreSQL here\n");
		return 77;
	}
	directory_thread_register();
	failed = cmocka_run_group_tests(tests, NULL, NULL);
	directory_thread_unregister();
	postgres_remove();
	return failed;
}
