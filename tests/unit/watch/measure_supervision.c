/*
 * What supervision costs: measure_supervision [ACCOUNTS [INTERVAL_S
 * [SECONDS]]]. So many bridges send a link test in each interval, from a
 * thread of their own, as an ingress worker stores it; the main loop looks
 * four times a second. Then a tenth of them falls silent. The clock is the
 * kernel's, run faster: the work is real, the waiting is not. Not part of
 * `make check`.
 */
#include "unit/test.h"

#include <inttypes.h>
#include <malloc.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "directory/presence.h"
#include "watch/supervision.h"
#include "watch/timer_wheel.h"

#define SECOND ((int64_t)1000000)

struct measure {
	uint32_t accounts;
	int64_t interval_us;
	char path[64];
	struct clock_fake clock;
	struct journal *journal;
	struct directory *directory;
	struct supervision *supervision;
	int64_t cpu_signals_ns, cpu_looks_ns, longest_look_ns;
	uint64_t signals;
	uint32_t next; /* whose turn it is */
};

static int64_t
cpu_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
	return now.tv_sec * 1000000000ll + now.tv_nsec;
}

static size_t
memory(void)
{
	struct mallinfo2 info = mallinfo2();

	return info.uordblks + info.hblkhd;
}

static void
fill(struct measure *m)
{
	const struct directory_path paths[DIRECTORY_PATHS] = {
		{ .interval_s = (uint32_t)(m->interval_us / SECOND),
		    .margin_s = 6 }
	};
	struct directory_batch *batch = directory_batch_begin(m->directory);

	for (uint32_t id = 1; id <= m->accounts; id++) {
		char account[16];
		const struct directory_bridge bridge = { .id = id,
			.site_id = id,
			.serial = account,
			.account = account,
			.paths = paths };

		snprintf(account, sizeof(account), "%07u", id);
		directory_put_bridge(batch, id, &bridge);
	}
	assert_int_equal(directory_batch_commit(batch), 0);
}

/* The link tests of so much time, of bridges above `silent`; in an order that
 * no cache likes. */
static void
speak(struct measure *m, int64_t us, uint32_t silent)
{
	static const struct presence_peer peer = { { 1, 2 }, 3 };
	struct presence *presence = directory_presence(m->directory);
	unsigned listener = presence_listener(presence, "tcp");
	uint64_t count =
	    (uint64_t)m->accounts * (uint64_t)us / (uint64_t)m->interval_us;
	int64_t begin_ns = cpu_ns();

	for (uint64_t i = 0; i < count; i++) {
		uint32_t slot;

		m->next = (uint32_t)((m->next + 514229ull) % m->accounts);
		slot = m->next + 1;
		if (slot > silent)
			presence_seen(presence, slot, listener, &peer,
			    m->clock.monotonic_us);
	}
	m->signals += count;
	m->cpu_signals_ns += cpu_ns() - begin_ns;
}

static void
look(struct measure *m)
{
	struct journal_status status;
	bool more = true;

	while (more) {
		int64_t begin_ns = cpu_ns(), took_ns;

		journal_status(m->journal, &status);
		more = supervision_look(m->supervision, &status);
		took_ns = cpu_ns() - begin_ns;
		m->cpu_looks_ns += took_ns;
		if (took_ns > m->longest_look_ns)
			m->longest_look_ns = took_ns;
	}
}

static void
spend(struct measure *m, int64_t us, uint32_t silent)
{
	struct supervision_status status;
	int64_t step_us;

	for (; us > 0; us -= step_us) {
		supervision_status(m->supervision, &status);
		step_us = status.untold > 0 ? SUPERVISION_TELL_US
					    : TIMER_WHEEL_TICK_US;
		clock_fake_advance(&m->clock, step_us);
		speak(m, step_us, silent);
		look(m);
	}
}

static void
reset(struct measure *m)
{
	m->cpu_signals_ns = m->cpu_looks_ns = m->longest_look_ns = 0;
	m->signals = 0;
}

static void
print(const struct measure *m, const char *what, int64_t us)
{
	printf("%s: %" PRIu64 " link tests, %.0f ns each; looks %.2f %% of one "
	       "core, longest %.1f ms\n",
	    what, m->signals,
	    m->signals ? (double)m->cpu_signals_ns / (double)m->signals : 0,
	    (double)m->cpu_looks_ns / ((double)us * 1000) * 100,
	    (double)m->longest_look_ns / 1e6);
}

/* Until all of them are told to be offline: from when the first and the last
 * could be at the earliest. */
static void
lose(struct measure *m, uint32_t silent)
{
	int64_t wait_us = m->interval_us + 6 * SECOND;
	int64_t begin_us = m->clock.monotonic_us, first_us = 0;
	struct supervision_status status;

	reset(m);
	do {
		spend(m, TIMER_WHEEL_TICK_US, silent);
		supervision_status(m->supervision, &status);
		if (status.offline > 0 && first_us == 0)
			first_us = m->clock.monotonic_us;
	} while (status.offline < silent || status.untold > 0);
	print(m, "a tenth falls silent", m->clock.monotonic_us - begin_us);
	printf("  offline after %.2f s (first; earliest possible %.2f) to "
	       "%.2f s (last; %.2f); mass loss %s\n",
	    (double)(first_us - begin_us) / 1e6,
	    (double)(wait_us - m->interval_us) / 1e6,
	    (double)(m->clock.monotonic_us - begin_us) / 1e6,
	    (double)wait_us / 1e6, status.mass_loss ? "told" : "not told");
}

static void
come_back(struct measure *m)
{
	struct supervision_status status;
	int64_t begin_us = m->clock.monotonic_us;

	reset(m);
	do {
		spend(m, TIMER_WHEEL_TICK_US, 0);
		supervision_status(m->supervision, &status);
	} while (status.offline > 0 || status.untold > 0);
	print(m, "they are back", m->clock.monotonic_us - begin_us);
	printf("  the last after %.2f s\n",
	    (double)(m->clock.monotonic_us - begin_us) / 1e6);
}

static void
open_all(struct measure *m)
{
	const struct journal_config journal = { .node = "measure",
		.directory = m->path,
		.segment_bytes = 64 << 20,
		.budget_bytes = 1 << 30,
		.retention_us = 0 };
	const struct supervision_config config = { .state_directory = m->path,
		.checkpoint_us = 30 * SECOND,
		.deaf_sync_us = 1000 * SECOND,
		.mass_loss = { 50, 0.01 } };
	struct supervision_status status;
	struct err err = { "" };
	size_t before, presence;

	directory_thread_register();
	clock_fake_init(&m->clock, 1768473001 * SECOND);
	if (journal_open(&m->journal, &journal, &io_system, &m->clock.clock,
		&err) < 0 ||
	    journal_start(m->journal, &err) < 0 ||
	    directory_create(&m->directory, &err) < 0)
		fail_msg("%s", err.text);
	fill(m);
	presence = presence_bytes(directory_presence(m->directory));
	before = memory();
	if (supervision_open(&m->supervision, &config, m->journal, m->directory,
		&m->clock.clock, &err) < 0)
		fail_msg("%s", err.text);
	look(m);
	supervision_status(m->supervision, &status);
	printf("%" PRIu64 " supervised: first look %.0f ms; bytes each: wheel "
	       "%.1f, presence %.1f, grown by %.1f\n",
	    status.supervised, (double)m->cpu_looks_ns / 1e6,
	    (double)status.bytes / m->accounts, (double)presence / m->accounts,
	    (double)(memory() - before) / m->accounts);
}

int
main(int argc, char **argv)
{
	struct measure m = { .path = "/tmp/tocsin-measure-XXXXXX" };
	int64_t seconds;
	char command[128];

	m.accounts = argc > 1 ? (uint32_t)atoi(argv[1]) : 1000000;
	m.interval_us = (argc > 2 ? atoi(argv[2]) : 60) * SECOND;
	seconds = argc > 3 ? atoi(argv[3]) : 300;
	assert_non_null(mkdtemp(m.path));
	open_all(&m);
	spend(&m, 2 * m.interval_us, 0);
	reset(&m);
	spend(&m, seconds * SECOND, 0);
	print(&m, "all are heard", seconds * SECOND);
	lose(&m, m.accounts / 10);
	come_back(&m);
	supervision_close(&m.supervision);
	directory_close(&m.directory);
	journal_close(&m.journal);
	directory_thread_unregister();
	snprintf(command, sizeof(command), "rm -rf %s", m.path);
	return system(command) == 0 ? 0 : 1;
}
