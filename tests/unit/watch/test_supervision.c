/* Silence under a clock that is set by hand: who is told to be offline, when,
 * and when not. A real journal, a directory filled by batches. */
#include "unit/test.h"

#include <arpa/inet.h>
#include <dirent.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "base/crc32c.h"
#include "base/cursor.h"
#include "directory/presence.h"
#include "journal/record.h"
#include "watch/supervision.h"
#include "watch/timer_wheel.h"

#define SECOND	 ((int64_t)1000000)
#define TICK_US	 TIMER_WHEEL_TICK_US
#define INTERVAL 60
#define MARGIN	 6
#define WAIT	 (INTERVAL + MARGIN)

struct fixture {
	char path[64];
	struct clock_fake clock;
	struct journal *journal;
	struct journal_cursor *cursor;
	struct directory *directory;
	struct supervision *supervision;
	struct supervision_config config;
	bool deaf; /* the journal says that it refuses */
	int durable_fd;
	char events[4096];
};

static void
open_supervision(struct fixture *f)
{
	struct err err = { "" };

	if (supervision_open(&f->supervision, &f->config, f->journal,
		f->directory, &f->clock.clock, &err) < 0)
		fail_msg("%s", err.text);
}

static int
setup(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));
	struct journal_config config = { .node = "watched",
		.directory = f->path,
		.segment_bytes = 1 << 20,
		.budget_bytes = 64 << 20,
		.retention_us = 3600 * SECOND };
	struct err err = { "" };

	strcpy(f->path, "/tmp/tocsin-supervision-XXXXXX");
	assert_non_null(mkdtemp(f->path));
	clock_fake_init(&f->clock, 1768473001 * SECOND);
	f->durable_fd = eventfd(0, EFD_CLOEXEC);
	f->config = (struct supervision_config){ .state_directory = f->path,
		.checkpoint_us = 30 * SECOND,
		.deaf_sync_us = 2 * SECOND,
		.mass_loss = { 50, 0.01 } };
	directory_thread_register();
	if (journal_open(&f->journal, &config, &io_system, &f->clock.clock,
		&err) < 0 ||
	    journal_subscribe(f->journal, f->durable_fd) < 0 ||
	    journal_start(f->journal, &err) < 0 ||
	    journal_cursor_open(&f->cursor, f->journal, 0, &err) < 0 ||
	    directory_create(&f->directory, &err) < 0)
		fail_msg("%s", err.text);
	open_supervision(f);
	*state = f;
	return 0;
}

static int
teardown(void **state)
{
	struct fixture *f = *state;
	DIR *stream = opendir(f->path);
	struct dirent *entry;
	char path[512];

	supervision_close(&f->supervision);
	journal_cursor_close(&f->cursor);
	journal_close(&f->journal);
	directory_close(&f->directory);
	directory_thread_unregister();
	close(f->durable_fd);
	while ((entry = readdir(stream))) {
		snprintf(path, sizeof(path), "%s/%s", f->path, entry->d_name);
		unlink(path);
	}
	closedir(stream);
	rmdir(f->path);
	free(f);
	return 0;
}

/* ---- the world ------------------------------------------------------------------ */

static const struct directory_path usual_paths[DIRECTORY_PATHS] = {
	{ INTERVAL, MARGIN, NULL },
};

static struct directory_bridge
bridge(uint64_t id)
{
	return (struct directory_bridge){ .id = id,
		.site_id = 1000 + id,
		.serial = "SN",
		.number = (uint16_t)(id % 1000),
		.paths = usual_paths };
}

static void
put(struct fixture *f, const struct directory_bridge *bridge)
{
	struct directory_batch *batch = directory_batch_begin(f->directory);

	assert_int_equal(directory_put_bridge(batch, bridge->id, bridge), 0);
	assert_int_equal(directory_batch_commit(batch), 0);
}

static void
put_many(struct fixture *f, uint64_t first, uint64_t last)
{
	struct directory_batch *batch = directory_batch_begin(f->directory);

	for (uint64_t id = first; id <= last; id++) {
		struct directory_bridge one = bridge(id);

		assert_int_equal(directory_put_bridge(batch, id, &one), 0);
	}
	assert_int_equal(directory_batch_commit(batch), 0);
}

static void
remove_bridge(struct fixture *f, uint64_t id)
{
	struct directory_batch *batch = directory_batch_begin(f->directory);

	assert_int_equal(directory_put_bridge(batch, id, NULL), 0);
	assert_int_equal(directory_batch_commit(batch), 0);
}

static uint32_t
slot_of(struct fixture *f, uint64_t id)
{
	uint32_t slot;

	directory_thread_online();
	slot = directory_bridge_by_id(f->directory, id)->slot;
	directory_thread_offline();
	return slot;
}

static void
hear_by(struct fixture *f, uint64_t id, const char *listener)
{
	static const struct presence_peer peer = { { 0, 1 }, 2 };
	struct presence *presence = directory_presence(f->directory);

	presence_seen(presence, slot_of(f, id),
	    presence_listener(presence, listener), &peer,
	    f->clock.monotonic_us);
}

static void
hear(struct fixture *f, uint64_t id)
{
	hear_by(f, id, "tcp");
}

static void
wait_durable(struct fixture *f)
{
	struct journal_status status;
	uint64_t count;

	for (;;) {
		journal_status(f->journal, &status);
		if (status.durable_lsn == status.appended_lsn)
			return;
		assert_int_equal(read(f->durable_fd, &count, sizeof(count)),
		    sizeof(count));
	}
}

/* The clock runs faster than the disk: it takes what was told before more is. */
static void
look(struct fixture *f)
{
	struct journal_status status;

	journal_status(f->journal, &status);
	status.refusal = f->deaf ? JOURNAL_BUDGET_SPENT : JOURNAL_TAKES;
	while (supervision_look(f->supervision, &status))
		;
	wait_durable(f);
}

static struct supervision_status
status(struct fixture *f)
{
	struct supervision_status status;

	supervision_status(f->supervision, &status);
	return status;
}

/* So many seconds, as the main loop would spend them. */
static void
spend(struct fixture *f, int64_t us)
{
	while (us > 0) {
		int64_t turn_us =
		    status(f).untold > 0 ? SUPERVISION_TELL_US : TICK_US;
		int64_t step_us = us < turn_us ? us : turn_us;

		clock_fake_advance(&f->clock, step_us);
		look(f);
		us -= step_us;
	}
}

/* ---- what was told ---------------------------------------------------------------- */

static bool
next_signal(struct fixture *f, struct record_signal *ret)
{
	struct journal_entry entry;
	struct err err = { "" };

	while (journal_cursor_next(f->cursor, &entry, &err) > 0) {
		if (entry.kind != JOURNAL_SIGNAL)
			continue;
		if (record_signal_decode(entry.payload, ret, &err) < 0)
			fail_msg("%s", err.text);
		assert_int_equal(ret->signal.protocol,
		    SIGNAL_PROTOCOL_INTERNAL);
		return true;
	}
	assert_string_equal(err.text, "");
	return false;
}

/* Since it was last asked: "E350:7 R351.002:7", by bridge, 0: the whole. */
static const char *
told(struct fixture *f)
{
	struct record_signal record;
	size_t length = 0;

	wait_durable(f);
	f->events[0] = '\0';
	while (next_signal(f, &record)) {
		const struct signal_event *event = &record.signal.events[0];
		bool path = strcmp(event->code, "351") == 0;
		char number[8];

		/* of a bridge: which one; of the installation: none */
		snprintf(number, sizeof(number), "%03u",
		    (unsigned)(record.bridge_id % 1000));
		if (!path)
			assert_true(slice_is(event->zone, number));
		assert_true(length + 32 < sizeof(f->events));
		length += (size_t)snprintf(f->events + length,
		    sizeof(f->events) - length, "%s%c%s%s%.*s:%d",
		    length ? " " : "",
		    signal_qualifier_letter(event->qualifier), event->code,
		    path ? "." : "", path ? (int)event->zone.length : 0,
		    event->zone.data, (int)record.bridge_id);
	}
	return f->events;
}

/* How many of one kind, of bridges and of the installation. */
static unsigned
count_told(struct fixture *f, enum signal_qualifier qualifier,
    unsigned *ret_incidents)
{
	struct record_signal record;
	unsigned count = 0;

	wait_durable(f);
	*ret_incidents = 0;
	while (next_signal(f, &record)) {
		assert_int_equal(record.signal.events[0].qualifier, qualifier);
		assert_string_equal(record.signal.events[0].code, "350");
		count += record.bridge_id != 0;
		*ret_incidents += record.bridge_id == 0;
	}
	return count;
}

/* ---- one bridge --------------------------------------------------------------------- */

static void
lost_after_interval_and_margin_not_before(void **state)
{
	struct fixture *f = *state;
	struct directory_bridge one = bridge(7);

	put(f, &one);
	spend(f, 100 * TICK_US);
	assert_int_equal(status(f).supervised, 1);
	for (unsigned round = 0; round < 3; round++) {
		hear(f, 7); /* at any part of a tick */
		spend(f, WAIT * SECOND - 1);
		assert_string_equal(told(f), "");
		assert_int_equal(supervision_state(f->supervision,
				     slot_of(f, 7)),
		    SUPERVISION_ONLINE);
		spend(f, 1 + TICK_US + 1000);
		assert_string_equal(told(f), "E350:7");
		assert_int_equal(supervision_state(f->supervision,
				     slot_of(f, 7)),
		    SUPERVISION_OFFLINE);
		assert_int_equal(status(f).offline, 1);
		spend(f, 70000 + round * 90001);
		hear(f, 7);
		look(f);
		assert_string_equal(told(f), "R350:7");
		assert_int_equal(status(f).offline, 0);
	}
}

static void
only_changes_are_told(void **state)
{
	struct fixture *f = *state;
	struct directory_bridge one = bridge(7);

	put(f, &one);
	look(f);
	for (unsigned i = 0; i < 200; i++) { /* link tests */
		hear(f, 7);
		spend(f, (INTERVAL + MARGIN - 1) * SECOND);
	}
	assert_string_equal(told(f), "");
	spend(f, 3600 * SECOND);
	assert_string_equal(told(f), "E350:7");
	for (unsigned i = 0; i < 20; i++) {
		hear(f, 7);
		spend(f, 10 * SECOND);
	}
	assert_string_equal(told(f), "R350:7");
}

/* Traffic costs nothing here: one look in each interval, whatever comes. */
static void
signals_do_not_touch_the_wheel(void **state)
{
	struct fixture *f = *state;
	struct directory_bridge one = bridge(7);
	uint64_t before;

	put(f, &one);
	look(f);
	before = status(f).looks;
	for (unsigned i = 0; i < 600; i++) {
		for (unsigned j = 0; j < 100; j++)
			hear(f, 7);
		spend(f, SECOND);
	}
	assert_true(status(f).looks - before <= 600 / INTERVAL + 1);
}

static void
the_sentence_names_it(void **state)
{
	struct fixture *f = *state;
	struct directory_bridge one = bridge(7);
	struct record_signal record;

	one.serial = "V-0815";
	put(f, &one);
	look(f);
	spend(f, 80 * SECOND);
	wait_durable(f);
	assert_true(next_signal(f, &record));
	assert_slice(record.listener, "watch");
	assert_slice(record.signal.events[0].text, "V-0815 not heard for 66 s");
	hear(f, 7);
	look(f);
	wait_durable(f);
	assert_true(next_signal(f, &record));
	assert_slice(record.signal.events[0].text, "V-0815 heard again");
}

static void
who_is_not_supervised(void **state)
{
	struct fixture *f = *state;
	struct directory_bridge one = bridge(7);
	struct directory_path one_paths[] = { usual_paths[0], usual_paths[1] };

	one.paths = one_paths;
	one_paths[0].interval_s = 0;
	put(f, &one);
	one = bridge(8);
	one.site_id = 0; /* unregistered */
	put(f, &one);
	look(f);
	assert_int_equal(status(f).supervised, 0);
	spend(f, 300 * SECOND);
	assert_string_equal(told(f), "");
	assert_int_equal(supervision_state(f->supervision, slot_of(f, 7)),
	    SUPERVISION_NONE);
}

/* ---- when nobody could be heard ----------------------------------------------------------- */

static void
everyone_has_an_interval_after_the_start(void **state)
{
	struct fixture *f = *state;
	struct directory_bridge one = bridge(7);

	put(f, &one);
	clock_fake_advance(&f->clock, 3600 * SECOND); /* until we listen */
	look(f);
	spend(f, WAIT * SECOND - 1);
	assert_string_equal(told(f), "");
	spend(f, TICK_US + 1);
	assert_string_equal(told(f), "E350:7");
}

static void
everyone_has_an_interval_after_our_stop(void **state)
{
	struct fixture *f = *state;

	put_many(f, 1, 3);
	look(f);
	spend(f, 300 * SECOND);
	assert_string_equal(told(f), "E350:1 E350:2 E350:3");
	hear(f, 1);
	hear(f, 2);
	look(f);
	assert_string_equal(told(f), "R350:1 R350:2");
	clock_fake_advance(&f->clock, 300 * SECOND); /* SIGSTOP */
	look(f);
	spend(f, 50 * SECOND);
	hear(f, 1); /* kept to its interval */
	spend(f, 16 * SECOND - 2 * TICK_US);
	assert_string_equal(told(f), "");
	spend(f, 3 * TICK_US);
	assert_string_equal(told(f), "E350:2");
	spend(f, WAIT * SECOND);
	assert_string_equal(told(f), "E350:1");
}

static void
nobody_is_lost_while_we_take_nothing(void **state)
{
	struct fixture *f = *state;
	struct directory_bridge one = bridge(7);

	put(f, &one);
	look(f);
	f->deaf = true;
	spend(f, 600 * SECOND);
	f->deaf = false;
	spend(f, (WAIT - 1) * SECOND);
	assert_string_equal(told(f), "");
	spend(f, 2 * SECOND);
	assert_string_equal(told(f), "E350:7");
}

static void
steps_of_the_wall_clock_do_not_matter(void **state)
{
	static const int64_t steps_s[] = { 86400, -86400, 3600, -3600 };
	struct fixture *f = *state;
	struct directory_bridge one = bridge(7);

	put(f, &one);
	look(f);
	hear(f, 7);
	for (size_t i = 0; i < COUNT(steps_s); i++) {
		f->clock.wall_us += steps_s[i] * SECOND;
		spend(f, 16 * SECOND);
	}
	assert_string_equal(told(f), "");
	spend(f, 3 * SECOND);
	assert_string_equal(told(f), "E350:7");
}

/* ---- the directory changes ---------------------------------------------------------------- */

static void
another_interval_counts_from_its_change(void **state)
{
	struct fixture *f = *state;
	struct directory_bridge one = bridge(7);
	struct directory_path one_paths[] = { usual_paths[0], usual_paths[1] };

	one.paths = one_paths;
	one_paths[0].interval_s = 86400;
	put(f, &one);
	look(f);
	hear(f, 7);
	spend(f, 3600 * SECOND);
	one_paths[0].interval_s = 30; /* much shorter than it was silent */
	put(f, &one);
	spend(f, 35 * SECOND);
	assert_string_equal(told(f), "");
	spend(f, 2 * SECOND);
	assert_string_equal(told(f), "E350:7");
	one_paths[0].interval_s = 86400; /* that does not bring it back */
	put(f, &one);
	spend(f, 3600 * SECOND);
	assert_string_equal(told(f), "");
	hear(f, 7);
	look(f);
	assert_string_equal(told(f), "R350:7");
	spend(f, 3600 * SECOND);
	assert_string_equal(told(f), "");
}

static void
a_removed_one_is_forgotten(void **state)
{
	struct fixture *f = *state;
	struct directory_bridge one = bridge(7), two = bridge(8);

	put(f, &one);
	look(f);
	spend(f, 80 * SECOND);
	assert_string_equal(told(f), "E350:7");
	remove_bridge(f, 7);
	put(f, &two); /* in the same slot, between two looks */
	assert_int_equal(slot_of(f, 8), 1);
	look(f);
	assert_int_equal(status(f).supervised, 1);
	assert_int_equal(status(f).offline, 0);
	spend(f, 60 * SECOND);
	hear(f, 8);
	spend(f, 60 * SECOND);
	assert_string_equal(told(f), "");
	remove_bridge(f, 8);
	spend(f, 80 * SECOND);
	assert_string_equal(told(f), "");
	assert_int_equal(status(f).supervised, 0);
}

/* What was told to one station is not taken back at another. */
static void
at_another_site_it_begins_anew(void **state)
{
	struct fixture *f = *state;
	struct directory_bridge one = bridge(7);

	put(f, &one);
	look(f);
	spend(f, 80 * SECOND);
	assert_string_equal(told(f), "E350:7");
	one.site_id = 5;
	put(f, &one);
	hear(f, 7);
	look(f);
	assert_string_equal(told(f), "");
	spend(f, 80 * SECOND);
	assert_string_equal(told(f), "E350:7");
}

static void
a_full_load_changes_nothing(void **state)
{
	struct fixture *f = *state;
	struct directory_bridge one = bridge(7);
	struct directory_batch *batch;

	put(f, &one);
	look(f);
	spend(f, 80 * SECOND);
	assert_string_equal(told(f), "E350:7");
	batch = directory_batch_begin(f->directory);
	directory_batch_replace_all(batch);
	assert_int_equal(directory_put_bridge(batch, 7, &one), 0);
	assert_int_equal(directory_batch_commit(batch), 0);
	spend(f, 80 * SECOND);
	assert_string_equal(told(f), "");
	hear(f, 7);
	look(f);
	assert_string_equal(told(f), "R350:7");
}

/* ---- two paths ------------------------------------------------------------------------------ */

static void
two_paths(void **state)
{
	/* one after the other; p: heard on the primary, b: on the backup */
	static const struct {
		const char *name, *heard;
		int seconds;
		const char *told;
	} rows[] = {
		{ "both heard", "pb", 60, "" },
		{ "primary falls silent", "b", 10, "E351.001:7" },
		{ "more of it", "b", 100, "" },
		{ "primary is back", "p", 10, "R351.001:7" },
		{ "backup falls silent", "p", 60, "" },
		{ "backup is late", "p", 45, "" },
		{ "backup is lost", "p", 10, "E351.002:7" },
		{ "primary too", "", 80, "E350:7" },
		{ "silence", "", 300, "" },
		{ "backup first", "b", 1, "R350:7 R351.002:7 E351.001:7" },
		{ "then primary", "p", 1, "R351.001:7" },
		{ "a listener of neither name", "x", 60, "" },
		{ "counts for the primary", "x", 60, "" },
	};
	struct fixture *f = *state;
	struct directory_bridge one = bridge(7);
	struct directory_path one_paths[] = { usual_paths[0], usual_paths[1] };

	one.paths = one_paths;
	one_paths[1] = (struct directory_path){ 200, 20, "gsm" };
	put(f, &one);
	look(f);
	for (size_t i = 0; i < COUNT(rows); i++) {
		for (const char *c = rows[i].heard; *c; c++)
			hear_by(f, 7,
			    *c == 'p'	    ? "tcp"
				: *c == 'b' ? "gsm"
					    : "other");
		spend(f, rows[i].seconds * SECOND);
		assert_row(strcmp(told(f), rows[i].told) == 0, i, f->events);
	}
	/* one path less: it is not missed, and not told to be back */
	spend(f, 300 * SECOND);
	told(f);
	hear_by(f, 7, "tcp");
	look(f);
	assert_string_equal(told(f), "R350:7 R351.001:7 E351.002:7");
	assert_int_equal(supervision_state(f->supervision, slot_of(f, 7)),
	    SUPERVISION_PARTLY);
	one_paths[1].interval_s = 0;
	put(f, &one);
	spend(f, 10 * SECOND);
	assert_string_equal(told(f), "");
	assert_int_equal(supervision_state(f->supervision, slot_of(f, 7)),
	    SUPERVISION_ONLINE);
}

/* ---- many ----------------------------------------------------------------------------------- */

static void
a_mass_loss_is_one_incident(void **state)
{
	enum {
		MANY = 1000,
		LOST = 400
	};
	struct fixture *f = *state;
	unsigned incidents;

	put_many(f, 1, MANY);
	look(f);
	for (unsigned round = 0; round < 3; round++) {
		for (uint64_t id = 1; id <= MANY; id++)
			hear(f, id);
		spend(f, 50 * SECOND);
	}
	assert_int_equal(count_told(f, SIGNAL_QUALIFIER_NEW, &incidents), 0);
	for (unsigned round = 0; round < 6; round++) { /* a network is gone */
		for (uint64_t id = LOST + 1; id <= MANY; id++)
			hear(f, id);
		spend(f, 20 * SECOND);
	}
	assert_int_equal(count_told(f, SIGNAL_QUALIFIER_NEW, &incidents), LOST);
	assert_int_equal(incidents, 1);
	assert_true(status(f).mass_loss);
	for (unsigned round = 0; round < 6; round++) { /* all are back */
		for (uint64_t id = 1; id <= MANY; id++)
			hear(f, id);
		spend(f, 20 * SECOND);
	}
	assert_int_equal(count_told(f, SIGNAL_QUALIFIER_RESTORE, &incidents),
	    LOST);
	assert_int_equal(incidents, 1);
	assert_false(status(f).mass_loss);
}

static void
a_few_are_no_incident(void **state)
{
	struct fixture *f = *state;
	unsigned incidents;

	put_many(f, 1, 49);
	look(f);
	spend(f, 100 * SECOND);
	assert_int_equal(count_told(f, SIGNAL_QUALIFIER_NEW, &incidents), 49);
	assert_int_equal(incidents, 0);
}

/* Alarms of others get their turn. */
static void
many_are_told_one_after_the_other(void **state)
{
	enum {
		MANY = 3000
	};
	struct fixture *f = *state;
	unsigned incidents, ticks = 0, all = 0;

	put_many(f, 1, MANY);
	look(f);
	spend(f, WAIT * SECOND - TICK_US);
	while (all < MANY) {
		unsigned now;

		spend(f, TICK_US);
		now = count_told(f, SIGNAL_QUALIFIER_NEW, &incidents);
		assert_true(now <= 600);
		all += now;
		ticks++;
	}
	assert_int_equal(all, MANY);
	assert_true(ticks <= MANY / 500 + 3);
}

/* Ten seconds of telling; one that is back before it was told was never away. */
static void
told_at_pace(struct fixture *f, enum supervision_pace pace, unsigned least,
    unsigned most)
{
	unsigned incidents;

	put_many(f, 1, 3000);
	look(f);
	supervision_set_pace(f->supervision, pace);
	spend(f, (WAIT + 10) * SECOND);
	assert_in_range(count_told(f, SIGNAL_QUALIFIER_NEW, &incidents), least,
	    most);
	for (uint64_t id = 1; id <= 3000; id++)
		hear(f, id);
	look(f);
	assert_true(status(f).offline <= most);
	supervision_set_pace(f->supervision, SUPERVISION_FAST);
	spend(f, 10 * SECOND);
	assert_in_range(count_told(f, SIGNAL_QUALIFIER_RESTORE, &incidents),
	    least, most);
	assert_int_equal(status(f).offline, 0);
}

static void
slowly_while_much_waits(void **state)
{
	told_at_pace(*state, SUPERVISION_SLOWLY, 900, 1100);
}

static void
a_few_while_a_station_is_busy(void **state)
{
	told_at_pace(*state, SUPERVISION_TRICKLE, 90, 110);
}

/* ---- restarts ---------------------------------------------------------------------------------- */

enum restart {
	RESTART_CHECKPOINT, /* of the end */
	RESTART_EARLIER,    /* of before anything was told */
	RESTART_NO_CHECKPOINT,
	RESTART_DAMAGED,
	RESTART_AHEAD, /* of what never became durable */
	RESTARTS
};

/* Three: of the second, two paths are supervised. */
static void
put_three(struct fixture *f)
{
	struct directory_bridge two = bridge(2);
	struct directory_path two_paths[] = { usual_paths[0], usual_paths[1] };

	two.paths = two_paths;
	put_many(f, 1, 3);
	two_paths[1] = (struct directory_path){ 20, 2, "gsm" };
	put(f, &two);
}

/* As a new process: an empty picture, and what the last one left. */
static void
restart(struct fixture *f)
{
	directory_close(&f->directory);
	assert_int_equal(directory_create(&f->directory, NULL), 0);
	put_three(f);
	clock_fake_advance(&f->clock, 10 * SECOND);
	open_supervision(f);
}

/* So many seconds in which each of the bridges 1 to count is heard at its second
 * of the minute. */
static void
keep_to_the_interval(struct fixture *f, unsigned seconds, uint64_t count)
{
	while (seconds-- > 0) {
		uint64_t second = (uint64_t)(f->clock.wall_us / SECOND);

		for (uint64_t id = 1; id <= count; id++)
			if (id % INTERVAL == second % INTERVAL)
				hear(f, id);
		spend(f, SECOND);
	}
}

static void
a_cut_of_five_minutes_loses_nobody(void **state)
{
	struct fixture *f = *state;

	put_many(f, 1, 200);
	look(f);
	keep_to_the_interval(f, 180, 200);
	assert_string_equal(told(f), "");
	supervision_close(&f->supervision);
	directory_close(&f->directory);
	clock_fake_advance(&f->clock, 300 * SECOND);
	assert_int_equal(directory_create(&f->directory, NULL), 0);
	put_many(f, 1, 200);
	open_supervision(f);
	look(f);
	/* the last one went away meanwhile */
	keep_to_the_interval(f, WAIT - 1, 199);
	assert_string_equal(told(f), "");
	keep_to_the_interval(f, 2, 199);
	assert_string_equal(told(f), "E350:200");
	keep_to_the_interval(f, 300, 199);
	assert_string_equal(told(f), "");
}

static void
copy_file(const char *from, const char *to)
{
	char command[300];

	snprintf(command, sizeof(command), "cp %s %s", from, to);
	assert_int_equal(system(command), 0);
}

/* A sound checkpoint, but its lsn is behind the journal's end: a power cut took
 * what it speaks of. It says that the third is offline. */
static void
put_ahead(struct fixture *f, const char *checkpoint)
{
	uint8_t bytes[128];
	struct writer w = writer_open(bytes, sizeof(bytes));

	writer_u32(&w, 0x31505553u);
	writer_bytes(&w, journal_hash_key(f->journal)->bytes, HASH_KEY_BYTES);
	writer_u64(&w, journal_durable(f->journal) + 8);
	writer_u8(&w, 0);
	writer_u32(&w, 1);
	writer_u64(&w, 3);
	writer_u8(&w, 1);
	writer_u32(&w, crc32c(0, bytes, writer_length(&w)));
	assert_int_equal(io_swap_file(checkpoint, bytes, writer_length(&w)), 0);
}

/* The first falls silent, and the second on one path. */
static void
tell_some(struct fixture *f, const char *checkpoint, const char *earlier)
{
	look(f);
	hear(f, 1);
	hear_by(f, 2, "gsm");
	spend(f, SECOND);
	told(f);
	supervision_close(&f->supervision);
	copy_file(checkpoint, earlier);
	restart(f);
	for (unsigned i = 0; i < 4; i++) {
		hear(f, 2);
		hear(f, 3);
		spend(f, 20 * SECOND);
	}
	assert_string_equal(told(f), "E351.002:2 E350:1");
	look(f);
	supervision_close(&f->supervision);
}

/* Nothing is told again; everyone has an interval; who is back is told. */
static void
check_restarted(struct fixture *f, int way)
{
	look(f);
	assert_row(status(f).offline == 1, way, "offline");
	spend(f, 20 * SECOND);
	hear(f, 2);
	hear(f, 3);
	spend(f, 50 * SECOND);
	assert_row(strcmp(told(f), "") == 0, way, f->events);
	hear(f, 1);
	hear_by(f, 2, "gsm");
	look(f);
	assert_row(strcmp(told(f), "R350:1 R351.002:2") == 0, way, f->events);
}

static void
what_was_told_is_known_after_a_restart(void **state)
{
	struct fixture *f = *state;
	char checkpoint[128], earlier[128];

	snprintf(checkpoint, sizeof(checkpoint), "%s/supervision", f->path);
	snprintf(earlier, sizeof(earlier), "%s/earlier", f->path);
	put_three(f);
	for (int way = 0; way < RESTARTS; way++) {
		tell_some(f, checkpoint, earlier);
		switch ((enum restart)way) {
		case RESTART_EARLIER:
			copy_file(earlier, checkpoint);
			break;
		case RESTART_NO_CHECKPOINT:
			assert_int_equal(unlink(checkpoint), 0);
			break;
		case RESTART_DAMAGED:
			assert_int_equal(truncate(checkpoint, 20), 0);
			break;
		case RESTART_AHEAD:
			put_ahead(f, checkpoint);
			break;
		case RESTART_CHECKPOINT:
		case RESTARTS:
			break;
		}
		restart(f);
		check_restarted(f, way);
	}
}

static void
an_incident_is_known_after_a_restart(void **state)
{
	struct fixture *f = *state;
	unsigned incidents;

	put_many(f, 1, 100);
	look(f);
	spend(f, 100 * SECOND);
	assert_int_equal(count_told(f, SIGNAL_QUALIFIER_NEW, &incidents), 100);
	assert_int_equal(incidents, 1);
	supervision_close(&f->supervision);
	directory_close(&f->directory);
	assert_int_equal(directory_create(&f->directory, NULL), 0);
	put_many(f, 1, 100);
	open_supervision(f);
	look(f);
	assert_true(status(f).mass_loss);
	spend(f, 100 * SECOND);
	assert_string_equal(told(f), "");
	for (uint64_t id = 1; id <= 95; id++)
		hear(f, id);
	spend(f, SECOND);
	assert_int_equal(count_told(f, SIGNAL_QUALIFIER_RESTORE, &incidents),
	    95);
	assert_int_equal(incidents, 1);
}

#define TEST(function)                                                         \
 cmocka_unit_test_setup_teardown(function, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(lost_after_interval_and_margin_not_before),
		TEST(only_changes_are_told),
		TEST(signals_do_not_touch_the_wheel),
		TEST(the_sentence_names_it),
		TEST(who_is_not_supervised),
		TEST(everyone_has_an_interval_after_the_start),
		TEST(everyone_has_an_interval_after_our_stop),
		TEST(nobody_is_lost_while_we_take_nothing),
		TEST(steps_of_the_wall_clock_do_not_matter),
		TEST(another_interval_counts_from_its_change),
		TEST(a_removed_one_is_forgotten),
		TEST(at_another_site_it_begins_anew),
		TEST(a_full_load_changes_nothing),
		TEST(two_paths),
		TEST(a_mass_loss_is_one_incident),
		TEST(a_few_are_no_incident),
		TEST(many_are_told_one_after_the_other),
		TEST(slowly_while_much_waits),
		TEST(a_few_while_a_station_is_busy),
		TEST(a_cut_of_five_minutes_loses_nobody),
		TEST(what_was_told_is_known_after_a_restart),
		TEST(an_incident_is_known_after_a_restart),
	};

	return cmocka_run_group_tests_name("watch/supervision", tests, NULL,
	    NULL);
}
