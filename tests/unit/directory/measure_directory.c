/*
 * How long the directory takes to load, how large it is and how fast it is
 * asked: measure_directory [SITES], against a private PostgreSQL that it fills
 * with so many sites of one bridge with four zones each. Not part of `make
 * check`.
 */
#include "unit/db/postgres.h"

#include <inttypes.h>
#include <malloc.h>
#include <unistd.h>

#include "directory/directory.h"

#define LOOKUPS 5000000

/* Without triggers and foreign keys, which are not what is measured. */
static const char filling[] =
    "SET session_replication_role = replica;"
    "INSERT INTO tocsin.dealer (id, name) VALUES (1, 'Dealer');"
    "INSERT INTO tocsin.site (id, dealer_id, name, timezone, account_number)"
    " SELECT i, 1, 'Site number ' || i, 'UTC', lpad(i::text, 7, '0')"
    " FROM generate_series(1, %1$d) i;"
    "INSERT INTO tocsin.bridge (id, serial, transport_account, site_id)"
    " SELECT i, 'SN' || i, lpad(i::text, 7, '0'), i"
    " FROM generate_series(1, %1$d) i;"
    "INSERT INTO tocsin.channel (id, bridge_id, name, zone_type)"
    " SELECT i * 4 + z, i, 'Camera ' || z, z"
    " FROM generate_series(1, %1$d) i, generate_series(1, 4) z;"
    "INSERT INTO tocsin.channel_zone (bridge_id, zone_number, channel_id)"
    " SELECT i, '00' || z, i * 4 + z"
    " FROM generate_series(1, %1$d) i, generate_series(1, 4) z;"
    "RESET session_replication_role; ANALYZE";

static int64_t
now_us(void)
{
	return clock_monotonic_us(&clock_system);
}

static void
print_memory(void)
{
	FILE *file = fopen("/proc/self/status", "r");
	char line[128];

	while (fgets(line, sizeof(line), file))
		if (strncmp(line, "VmHWM", 5) == 0 ||
		    strncmp(line, "VmRSS", 5) == 0)
			printf("  %s", line);
	fclose(file);
}

static void
open_and_print(const char *what, const struct directory_config *config,
    struct directory **ret)
{
	struct directory_status status;
	struct err err = { "" };
	int64_t begin_us = now_us();

	if (directory_open(ret, config, &io_system, &clock_system, &err) < 0)
		fail_msg("%s", err.text);
	directory_status(*ret, &status);
	printf("%s: load %.2f s, open %.2f s, sites %" PRIu64
	       ", bytes %.1f MiB\n",
	    what, (double)status.load_us / 1e6,
	    (double)(now_us() - begin_us) / 1e6, status.sites,
	    (double)status.bytes / 1048576);
	print_memory();
}

static void
look_up(const struct directory *directory, int sites)
{
	uint64_t found = 0, id = 1;
	int64_t begin_us = now_us();
	char account[16];

	for (int i = 0; i < LOOKUPS; i++) {
		id = (id * 6364136223846793005u + 1442695040888963407u);
		found += directory_site_by_id(directory,
			     (id >> 33) % (unsigned)sites + 1) != NULL;
	}
	printf("site by id: %.0f ns\n",
	    (double)(now_us() - begin_us) * 1000 / LOOKUPS);
	begin_us = now_us();
	for (int i = 0; i < LOOKUPS; i++) {
		unsigned n;

		id = (id * 6364136223846793005u + 1442695040888963407u);
		n = (unsigned)((id >> 33) % (unsigned)sites + 1);
		for (int digit = 6; digit >= 0; digit--, n /= 10)
			account[digit] = (char)('0' + n % 10);
		found += directory_bridge_by_sender(directory,
			     slice_from_string("main"), slice_from_string("1"),
			     slice_from_string("0"), slice_of(account, 7),
			     true) != NULL;
	}
	printf("bridge by sender: %.0f ns (%" PRIu64 " of %d found)\n",
	    (double)(now_us() - begin_us) * 1000 / LOOKUPS, found, 2 * LOOKUPS);
}

static void
measure_change(struct directory *directory, struct db *db)
{
	int64_t begin_us = now_us();

	directory_thread_offline();
	postgres_execute(db, "UPDATE tocsin.site SET name = 'x' WHERE id = 1");
	for (;;) {
		bool seen;

		directory_thread_online();
		seen = directory_site_by_id(directory, 1)->name[0] == 'x';
		directory_thread_offline();
		if (seen)
			break;
		poll(NULL, 0, 1);
	}
	printf("a change in force after %.1f ms\n",
	    (double)(now_us() - begin_us) / 1000);
}

int
main(int argc, char **argv)
{
	int sites = argc > 1 ? atoi(argv[1]) : 1000000;
	char snapshot[128], *sql;
	struct db db = { 0 };
	struct directory *directory;
	struct directory_config config = { .snapshot = snapshot,
		.master_key_file = "",
		.connect_wait_us = 5000000,
		.snapshot_interval_us = 3600000000ll };
	int64_t begin_us = now_us();

	if (!postgres_start() ||
	    db_connect(&db, postgres_conninfo, "measure", NULL) < 0)
		return 77;
	config.newest_schema = postgres_migrate(&db);
	if (asprintf(&sql, filling, sites) < 0)
		return 70;
	postgres_execute(&db, sql);
	free(sql);
	printf("filled in %.1f s\n", (double)(now_us() - begin_us) / 1e6);
	snprintf(snapshot, sizeof(snapshot), "/tmp/tocsin-measure-%d.snapshot",
	    (int)getpid());
	config.conninfo = postgres_conninfo;
	directory_thread_register();
	open_and_print("database", &config, &directory);
	directory_thread_online();
	look_up(directory, sites);
	measure_change(directory, &db);
	directory_close(&directory);
	malloc_trim(0);
	config.conninfo = "";
	open_and_print("snapshot", &config, &directory);
	directory_close(&directory);
	directory_thread_unregister();
	db_close(&db);
	unlink(snapshot);
	postgres_remove();
	return 0;
}
