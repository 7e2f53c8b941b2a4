#include "ctl/seed.h"

#include <errno.h>
#include <inttypes.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "base/exit.h"
#include "base/seal.h"
#include "base/text.h"
#include "ctl/connection.h"
#include "ctl/key.h"
#include "ctl/table.h"

#define DEFAULT_KEY "hex:000102030405060708090a0b0c0d0e0f"
/* Half of them at each station; accounts of six decimal digits in DC-09, of four
 * elsewhere. */
#define FOUR_DIGITS_SITES_MAX 20000
#define SIX_DIGITS_SITES_MAX  2000000

static const struct ctl_option options[] = {
	{ "sites", "N", "how many, 1000 otherwise" },
	{ "protocol", "surgard|dc09|ademco685|d6500|xml|json",
	    "of both stations, surgard otherwise" },
	{ "endpoint-a", "HOST:PORT",
	    "of station-a, 127.0.0.1:10251 otherwise" },
	{ "endpoint-b", "HOST:PORT",
	    "of station-b, 127.0.0.1:10252 otherwise" },
	{ "listen", NULL, "the stations connect to us at these endpoints" },
	{ "encrypted", "N", "give the first N bridges a key" },
	{ "key", "hex:..|text:..", "which, " DEFAULT_KEY " otherwise" },
	{ "master-key-file", "FILE", "to seal the keys with" },
	CTL_DATABASE_OPTIONS,
	{ "json", NULL, "the summary as JSON" },
	{ NULL },
};

/*
 * Everything is found again by a name that only the demonstration uses, so a
 * second run adds what is missing and changes nothing else. Site i (from 0)
 * is at station-a when i is even, with account i / 2; its bridge signals with
 * account 100000 + i in hexadecimal.
 */
#define DEMO_DEALER "(SELECT id FROM tocsin.dealer WHERE name = 'Demo dealer')"

static const char *const steps[] = {
	"INSERT INTO tocsin.dealer (name) VALUES ('Demo dealer') "
	"ON CONFLICT (name) DO NOTHING",

	"INSERT INTO tocsin.center (name) "
	"VALUES ('Demo center A'), ('Demo center B') "
	"ON CONFLICT (name) DO NOTHING",

	"INSERT INTO tocsin.receiver AS r (center_id, name, protocol, listen) "
	"SELECT c.id, v.name, $2, $5::boolean FROM (VALUES "
	"('station-a', 'Demo center A'), ('station-b', 'Demo center B')) "
	"AS v (name, center) JOIN tocsin.center c ON c.name = v.center "
	"ON CONFLICT (name) DO UPDATE SET protocol = EXCLUDED.protocol, "
	"listen = EXCLUDED.listen WHERE (r.protocol, r.listen) "
	"IS DISTINCT FROM (EXCLUDED.protocol, EXCLUDED.listen)",

	"DELETE FROM tocsin.receiver_endpoint e USING tocsin.receiver r, "
	"(VALUES ('station-a', $3), ('station-b', $4)) AS v (name, endpoint) "
	"WHERE e.receiver_id = r.id AND r.name = v.name "
	"AND e.host || ':' || e.port <> v.endpoint",

	"INSERT INTO tocsin.receiver_endpoint (receiver_id, position, host, "
	"port) SELECT r.id, 1, substring(v.endpoint from '^(.*):[0-9]+$'), "
	"substring(v.endpoint from ':([0-9]+)$')::integer "
	"FROM (VALUES ('station-a', $3), ('station-b', $4)) "
	"AS v (name, endpoint) JOIN tocsin.receiver r ON r.name = v.name "
	"WHERE NOT EXISTS (SELECT FROM tocsin.receiver_endpoint e "
	"WHERE e.receiver_id = r.id)",

	"INSERT INTO tocsin.station_record (dealer_id, center_id, receiver_id, "
	"name) SELECT " DEMO_DEALER ", r.center_id, r.id, r.name "
	"FROM tocsin.receiver r WHERE r.name IN ('station-a', 'station-b') "
	"ON CONFLICT (dealer_id, name) DO NOTHING",

	/* no filter: the load trips each zone again and again */
	"INSERT INTO tocsin.site (dealer_id, name, city, country, timezone, "
	"external_id, station_record_id, repeat_filter_s, account_number) "
	"SELECT s.dealer_id, 'Demo site ' || i, 'Athens', 'GR', "
	"'Europe/Athens', 'demo-' || i, s.id, 0, lpad((i / 2)::text, "
	"CASE $2 WHEN 'dc09' THEN 6 ELSE 4 END, '0') "
	"FROM generate_series(0, $1::integer - 1) i "
	"JOIN tocsin.station_record s ON s.dealer_id = " DEMO_DEALER
	" AND s.name = CASE i % 2 WHEN 0 THEN 'station-a' ELSE 'station-b' END "
	"ON CONFLICT (dealer_id, external_id) DO NOTHING",

	"INSERT INTO tocsin.bridge (serial, model, firmware, "
	"transport_account, site_id) "
	"SELECT upper(s.external_id), 'Demo bridge', '1.0', "
	"upper(to_hex(1048576 + substring(s.external_id from 6)::integer)), "
	"s.id FROM tocsin.site s WHERE s.dealer_id = " DEMO_DEALER
	" AND s.external_id ~ '^demo-[0-9]+$' "
	"ON CONFLICT (serial) DO NOTHING",

	"INSERT INTO tocsin.channel (bridge_id, name, zone_type) "
	"SELECT b.id, v.name, v.zone_type FROM tocsin.bridge b "
	"CROSS JOIN (VALUES (1, 'Front door', 1), (2, 'Hall', 3), "
	"(3, 'Smoke detector', 4), (4, 'Panic button', 9)) "
	"AS v (zone, name, zone_type) WHERE b.serial ~ '^DEMO-[0-9]+$' "
	"AND NOT EXISTS (SELECT FROM tocsin.channel c "
	"WHERE c.bridge_id = b.id)",

	"INSERT INTO tocsin.channel_zone (bridge_id, zone_number, channel_id) "
	"SELECT c.bridge_id, CASE c.zone_type WHEN 1 THEN '001' WHEN 3 THEN "
	"'002' WHEN 4 THEN '003' ELSE '004' END, c.id FROM tocsin.channel c "
	"JOIN tocsin.bridge b ON b.id = c.bridge_id "
	"WHERE b.serial ~ '^DEMO-[0-9]+$' AND NOT EXISTS "
	"(SELECT FROM tocsin.channel_zone z WHERE z.bridge_id = c.bridge_id)",

	/* of the dealer: Instant is 131 instead of 130 */
	"INSERT INTO tocsin.alarm_library (dealer_id, zone_type, code) "
	"VALUES (" DEMO_DEALER ", 3, '131') ON CONFLICT DO NOTHING",

	/* of every tenth site: Entry/Exit is 137 instead of 134 */
	"INSERT INTO tocsin.alarm_library (site_id, zone_type, code) "
	"SELECT s.id, 1, '137' FROM tocsin.site s WHERE s.dealer_id = " DEMO_DEALER
	" AND s.external_id ~ '^demo-[0-9]*0$' "
	"ON CONFLICT DO NOTHING",

	/* of every tenth panic button: 121 instead of 120 */
	"UPDATE tocsin.channel c SET code = '121' FROM tocsin.bridge b "
	"WHERE b.id = c.bridge_id AND b.serial ~ '^DEMO-[0-9]*7$' "
	"AND c.zone_type = 9 AND c.code IS NULL",
};

struct seed {
	const char *sites, *protocol, *endpoint_a, *endpoint_b, *listen;
	unsigned long encrypted;
	struct seal_master master;
	uint8_t key[CTL_KEY_MAX];
	int key_length;
};

/* ---- options ------------------------------------------------------------------------ */

static int
parse_number(const char *option, const char *text, unsigned long least,
    unsigned long most, unsigned long *ret)
{
	if (slice_to_number(slice_from_string(text), 10, ret) < 0 ||
	    *ret < least || *ret > most)
		return ctl_fail(EXIT_STATUS_USAGE,
		    "db seed-demo: --%s is a number from %lu to %lu, not "
		    "\"%s\"",
		    option, least, most, text);
	return CTL_GO_ON;
}

static const char *
value_or(const struct ctl_arguments *arguments, const char *name,
    const char *otherwise)
{
	const char *value = ctl_value(arguments, name);

	return value ? value : otherwise;
}

static int
read_keys(const struct ctl_arguments *arguments, struct seed *seed)
{
	const char *file = ctl_value(arguments, "master-key-file");
	struct err err;

	if (seed->encrypted == 0)
		return CTL_GO_ON;
	if (!file)
		return ctl_fail(EXIT_STATUS_USAGE,
		    "db seed-demo: --encrypted needs --master-key-file");
	seed->key_length =
	    key_parse(value_or(arguments, "key", DEFAULT_KEY), seed->key, &err);
	if (seed->key_length < 0)
		return ctl_fail(EXIT_STATUS_USAGE, "db seed-demo: --key: %s",
		    err.text);
	if (seal_master_load(file, &seed->master, &err) < 0)
		return ctl_fail(EXIT_STATUS_CONFIG, "%s", err.text);
	return CTL_GO_ON;
}

static int
read_arguments(const struct ctl_arguments *arguments, struct seed *seed)
{
	static const char *const protocols[] = { "surgard", "dc09", "ademco685",
		"d6500", "xml", "json" };
	unsigned long sites;
	bool known = false;
	int status;

	seed->sites = value_or(arguments, "sites", "1000");
	seed->protocol = value_or(arguments, "protocol", "surgard");
	seed->endpoint_a = value_or(arguments, "endpoint-a", "127.0.0.1:10251");
	seed->endpoint_b = value_or(arguments, "endpoint-b", "127.0.0.1:10252");
	seed->listen = ctl_flag(arguments, "listen") ? "t" : "f";
	for (size_t i = 0; i < COUNT(protocols); i++)
		known |= strcmp(seed->protocol, protocols[i]) == 0;
	if (!known)
		return ctl_fail(EXIT_STATUS_USAGE,
		    "db seed-demo: --protocol is surgard, dc09, ademco685, "
		    "d6500, xml or json, not \"%s\"",
		    seed->protocol);
	status = parse_number("sites", seed->sites, 1,
	    strcmp(seed->protocol, "dc09") == 0 ? SIX_DIGITS_SITES_MAX
						: FOUR_DIGITS_SITES_MAX,
	    &sites);
	if (status == CTL_GO_ON)
		status = parse_number("encrypted",
		    value_or(arguments, "encrypted", "0"), 0, sites,
		    &seed->encrypted);
	return status == CTL_GO_ON ? read_keys(arguments, seed) : status;
}

/* ---- keys --------------------------------------------------------------------------- */

static int
take_bridges(struct db *db, unsigned long count, PGresult **ret,
    struct err *err)
{
	char limit[24];
	const char *values[] = { limit };
	int code = 0;

	snprintf(limit, sizeof(limit), "%lu", count);
	*ret = db_query(db,
	    "SELECT id FROM (SELECT id, key FROM tocsin.bridge "
	    "WHERE serial ~ '^DEMO-[0-9]+$' "
	    "ORDER BY substring(serial from 6)::integer LIMIT $1::bigint) b "
	    "WHERE key IS NULL",
	    1, values, &code, err);
	return code;
}

static void
put_key(const struct seed *seed, const char *id, struct db_copy *copy)
{
	char context[SEAL_CONTEXT_SIZE];
	uint8_t blob[CTL_KEY_MAX + SEAL_OVERHEAD];
	char hex[2 + 2 * sizeof(blob) + 1] = "\\x";
	int length;

	snprintf(context, sizeof(context), "bridge.key:%s", id);
	length = seal_close(&seed->master, context,
	    slice_of(seed->key, (size_t)seed->key_length), blob, sizeof(blob));
	text_hex_encode(blob, (size_t)length, hex + 2);
	db_copy_field(copy, id, strlen(id));
	db_copy_field(copy, hex, strlen(hex));
	db_copy_end_row(copy);
}

static int
give_keys(struct db *db, const struct seed *seed, struct err *err)
{
	struct db_copy copy = { 0 };
	PGresult *bridges;
	int result = take_bridges(db, seed->encrypted, &bridges, err);

	if (result < 0)
		return result;
	for (int i = 0; i < PQntuples(bridges); i++)
		put_key(seed, PQgetvalue(bridges, i, 0), &copy);
	PQclear(bridges);
	result = db_execute(db,
	    "CREATE TEMPORARY TABLE demo_key (id bigint, key bytea) "
	    "ON COMMIT DROP",
	    err);
	if (result == 0)
		result = db_copy_in(db, "COPY demo_key FROM STDIN", &copy, err);
	if (result == 0)
		result = db_execute(db,
		    "UPDATE tocsin.bridge b SET key = k.key FROM demo_key k "
		    "WHERE k.id = b.id",
		    err);
	db_copy_close(&copy);
	return result;
}

/* ---- the whole ----------------------------------------------------------------------- */

/* PostgreSQL wants every parameter it is given to be used. */
static int
run_step(struct db *db, const char *sql, const struct seed *seed,
    struct err *err)
{
	static const char uses_all[] =
	    "WITH given AS (SELECT $1::text, $2::text, $3::text, $4::text, "
	    "$5::text) ";
	const char *values[] = { seed->sites, seed->protocol, seed->endpoint_a,
		seed->endpoint_b, seed->listen };
	char text[2048];
	int code = 0;

	snprintf(text, sizeof(text), "%s%s", uses_all, sql);
	PQclear(db_query(db, text, COUNT(values), values, &code, err));
	return code;
}

static int
run_steps(struct db *db, const struct seed *seed, struct err *err)
{
	int result = db_execute(db, "BEGIN", err);

	for (size_t i = 0; i < COUNT(steps) && result == 0; i++)
		result = run_step(db, steps[i], seed, err);
	if (result == 0 && seed->encrypted > 0)
		result = give_keys(db, seed, err);
	if (result == 0)
		return db_execute(db, "COMMIT", err);
	db_execute(db, "ROLLBACK", NULL);
	return result;
}

static int
summarize(struct db *db, bool json, struct err *err)
{
	int code = 0;
	PGresult *result = db_query(db,
	    "SELECT s.name AS station, v.protocol, count(*) AS sites, "
	    "min(e.account) AS first_account, max(e.account) AS last_account, "
	    "min(b.transport_account) AS first_bridge, "
	    "max(b.transport_account) AS last_bridge, "
	    "count(b.key) AS encrypted "
	    "FROM tocsin.station_record s "
	    "JOIN tocsin.receiver v ON v.id = s.receiver_id "
	    "JOIN tocsin.effective_account e ON e.station_record_id = s.id "
	    "AND e.destination_id IS NULL "
	    "JOIN tocsin.bridge b ON b.site_id = e.site_id "
	    "WHERE s.dealer_id = " DEMO_DEALER " GROUP BY 1, 2 ORDER BY 1",
	    0, NULL, &code, err);

	if (!result)
		return code;
	table_print_result(result, json, false);
	PQclear(result);
	return 0;
}

int
seed_demo(int argc, char **argv)
{
	struct ctl_arguments arguments;
	struct seed seed = { 0 };
	struct db db = { 0 };
	struct err err;
	int result;
	int status = ctl_parse("db seed-demo", "[OPTION]...", options, 0, argc,
	    argv, &arguments);

	if (status == CTL_GO_ON)
		status = read_arguments(&arguments, &seed);
	if (status != CTL_GO_ON)
		return status;
	status = ctl_connect(&db, &arguments);
	if (status == EXIT_STATUS_OK) {
		result = run_steps(&db, &seed, &err);
		if (result == 0)
			result =
			    summarize(&db, ctl_flag(&arguments, "json"), &err);
		if (result < 0)
			status = ctl_database_status(result, &err);
	}
	seal_master_wipe(&seed.master);
	sodium_memzero(seed.key, sizeof(seed.key));
	db_close(&db);
	return status;
}
