/*
 * How long the directory takes to load, how large it is, how fast it is asked,
 * and how soon changes are in force: measure_directory [SITES [SECONDS]],
 * against a private PostgreSQL that it fills with so many sites of one bridge
 * with four zones each. Not part of `make check`.
 */
#include "unit/db/postgres.h"

#include <inttypes.h>
#include <malloc.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <unistd.h>

#include "directory/directory.h"

#define LOOKUPS		5000000
#define CHANGERS	16
#define CHANGES_PER_S	1000 /* of all of them */
#define CHANGES_SECONDS 30

/* Without triggers and foreign keys, which are not what is measured. */
static const char filling[] =
    "SET session_replication_role = replica;"
    "INSERT INTO tocsin.dealer (id, name)"
    " SELECT i, 'Dealer ' || i FROM generate_series(1, %2$d) i;"
    "INSERT INTO tocsin.site (id, dealer_id, name, timezone, account_number)"
    " SELECT i, i %% %2$d + 1, 'Site number ' || i, 'UTC', lpad(i::text, 7, '0')"
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

/* ---- changes ---- */

struct change {
	uint64_t site_id;
	int64_t begin_us, committed_us;
	int64_t in_force_us; /* 0: not yet; the main thread's */
	char name[24];
};

/* One connection that changes sites of its own, each in a transaction. */
struct changer {
	pthread_t thread;
	unsigned number;
	int sites, count;
	struct change *changes;
	_Atomic int committed; /* how many of the changes */
	int in_force;	       /* up to here all are; the main thread's */
};

static void
wait_until(int64_t due_us)
{
	int64_t left_us = due_us - now_us();

	if (left_us > 0)
		usleep((useconds_t)left_us);
}

static void *
run_changer(void *argument)
{
	struct changer *changer = argument;
	struct db db = { 0 };
	int64_t begin_us;
	char sql[160];

	if (db_connect(&db, postgres_conninfo, "changer", NULL) < 0)
		fail_msg("a changer cannot connect");
	begin_us = now_us();
	for (int i = 0; i < changer->count; i++) {
		struct change *change = &changer->changes[i];

		/* of one dealer, in an order that no cache likes */
		change->site_id = (uint64_t)i * 7919 %
			((unsigned)changer->sites / CHANGERS) * CHANGERS +
		    changer->number + 1;
		snprintf(change->name, sizeof(change->name), "changed %u.%d",
		    changer->number, i);
		snprintf(sql, sizeof(sql),
		    "UPDATE tocsin.site SET name = '%s' WHERE id = %" PRIu64,
		    change->name, change->site_id);
		wait_until(begin_us +
		    (int64_t)i * 1000000 * CHANGERS / CHANGES_PER_S);
		change->begin_us = now_us();
		postgres_execute(&db, sql);
		change->committed_us = now_us();
		atomic_store_explicit(&changer->committed, i + 1,
		    memory_order_release);
	}
	db_close(&db);
	return NULL;
}

/* What is in force of the changes that were committed. */
static void
look(const struct directory *directory, struct changer *changer)
{
	int committed =
	    atomic_load_explicit(&changer->committed, memory_order_acquire);

	for (; changer->in_force < committed; changer->in_force++) {
		struct change *change = &changer->changes[changer->in_force];
		const struct directory_site *site =
		    directory_site_by_id(directory, change->site_id);

		if (strcmp(site->name, change->name) != 0)
			return;
		change->in_force_us = now_us();
	}
}

static int
compare_times(const void *a, const void *b)
{
	const int64_t *left = a, *right = b;

	return (*left > *right) - (*left < *right);
}

static void
print_times(const char *what, int64_t *times_us, size_t count)
{
	qsort(times_us, count, sizeof(*times_us), compare_times);
	printf("  %s: p50 %.1f p99 %.1f max %.1f ms\n", what,
	    (double)times_us[count / 2] / 1000,
	    (double)times_us[count * 99 / 100] / 1000,
	    (double)times_us[count - 1] / 1000);
}

static void
print_changes(const struct changer *changers, int64_t took_us)
{
	size_t each = (size_t)changers[0].count, count = 0;
	int64_t *commit_us = calloc(CHANGERS * each, sizeof(*commit_us));
	int64_t *force_us = calloc(CHANGERS * each, sizeof(*force_us));

	for (size_t i = 0; i < CHANGERS; i++)
		for (size_t j = 0; j < each; j++, count++) {
			const struct change *change = &changers[i].changes[j];

			commit_us[count] =
			    change->committed_us - change->begin_us;
			force_us[count] =
			    change->in_force_us - change->begin_us;
		}
	printf("%zu changes, %.0f a second:\n", count,
	    (double)count * 1e6 / (double)took_us);
	print_times("committed after", commit_us, count);
	print_times("in force after", force_us, count);
	free(commit_us);
	free(force_us);
}

/* Single changes at a fixed rate; the times count from before the statement. */
static void
measure_changes(struct directory *directory, int sites, int seconds)
{
	struct changer changers[CHANGERS] = { 0 };
	int64_t begin_us = now_us();
	bool done;

	for (unsigned i = 0; i < CHANGERS; i++) {
		struct changer *changer = &changers[i];

		changer->number = i;
		changer->sites = sites;
		changer->count = CHANGES_PER_S / CHANGERS * seconds;
		changer->changes =
		    calloc((size_t)changer->count, sizeof(*changer->changes));
		pthread_create(&changer->thread, NULL, run_changer, changer);
	}
	do {
		done = true;
		directory_thread_online();
		for (unsigned i = 0; i < CHANGERS; i++) {
			look(directory, &changers[i]);
			done &= changers[i].in_force == changers[i].count;
		}
		directory_thread_offline();
		poll(NULL, 0, 1);
	} while (!done);
	for (unsigned i = 0; i < CHANGERS; i++)
		pthread_join(changers[i].thread, NULL);
	print_changes(changers, now_us() - begin_us);
	for (unsigned i = 0; i < CHANGERS; i++)
		free(changers[i].changes);
}

int
main(int argc, char **argv)
{
	int sites = argc > 1 ? atoi(argv[1]) : 1000000;
	int seconds = argc > 2 ? atoi(argv[2]) : CHANGES_SECONDS;
	char snapshot[128], *sql;
	struct db db = { 0 };
	struct directory *directory;
	struct directory_config config = { .snapshot = snapshot,
		.master_key_file = "",
		.connect_wait_us = 5000000,
		.snapshot_interval_us = 10000000 };
	int64_t begin_us = now_us();

	if (!postgres_start() ||
	    db_connect(&db, postgres_conninfo, "measure", NULL) < 0)
		return 77;
	config.newest_schema = postgres_migrate(&db);
	if (asprintf(&sql, filling, sites, CHANGERS) < 0)
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
	directory_thread_offline();
	measure_changes(directory, sites, seconds);
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
