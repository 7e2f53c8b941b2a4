/* Programs and files behind a link: real ones, that behave, or do not. */
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "codec/json_line.h"
#include "unit/egress/fixture.h"

#define SIGNALS	  20
#define LINES_MAX 200

/* ---- what is behind it -------------------------------------------------------- */

static const char *
place(const char *name)
{
	static char path[128];

	snprintf(path, sizeof(path), "%s/%s", fixture_place, name);
	return path;
}

static int
make_place(void **state)
{
	(void)state;
	strcpy(fixture_place, "/tmp/tocsin-local-XXXXXX");
	return mkdtemp(fixture_place) ? 0 : -1;
}

static int
remove_place(void **state)
{
	static const char *const names[] = { "program", "log", "once", "moved",
		"fifo" };

	(void)state;
	for (size_t i = 0; i < COUNT(names); i++)
		unlink(place(names[i]));
	return rmdir(fixture_place);
}

/* A line that may have come is in the log, with its sequence. */
static void
write_program(const char *body)
{
	FILE *out = fopen(place("program"), "w");

	assert_non_null(out);
	fprintf(out,
	    "#!/bin/sh\n"
	    "cd %s || exit 1\n"
	    "first() { [ ! -e once ] && : > once; }\n"
	    "take() { read -r line || exit 0; echo \"$line\" >> log\n"
	    "  number=${line#*:}; number=${number%%%%,*}; }\n"
	    "%s\n",
	    fixture_place, body);
	fclose(out);
	assert_int_equal(chmod(place("program"), 0755), 0);
}

static void
begin(enum directory_transport transport, const char *name)
{
	fixture_open(NULL);
	fixture_begin(DIRECTORY_PROTOCOL_JSON, false);
	fixture.endpoints[0] =
	    (struct directory_endpoint){ .host = name, .transport = transport };
	fixture.receiver.ack_wait_ms = 1000;
	fixture.receiver.retries = 0;
}

static void
finish(void)
{
	fixture_close(NULL);
	unlink(place("log"));
	unlink(place("once"));
}

/* The sequences of the lines of a file. */
static unsigned
read_lines(const char *name, uint64_t out[LINES_MAX])
{
	static char text[LINES_MAX * 400];
	FILE *in = fopen(place(name), "r");
	unsigned count = 0;

	while (in && fgets(text, sizeof(text), in)) {
		struct slice line = slice_from_string(text);

		assert_true(count < LINES_MAX);
		assert_true(text[line.length - 1] == '\n');
		line.length--;
		if (!json_line_sequence(line, &out[count]))
			out[count] = 0; /* somebody else's */
		count++;
	}
	if (in)
		fclose(in);
	return count;
}

/* All of them, in order; twice only where the result says so. */
static void
assert_in_log(const char *name, size_t row, const char *what)
{
	uint64_t lines[LINES_MAX], before = 0;
	unsigned count = read_lines(name, lines);

	for (unsigned i = 0; i < count; i++) {
		if (lines[i] == 0)
			continue;
		assert_row(lines[i] == before + 1 ||
			(lines[i] == before &&
			    fixture.results[before - 1].repeated),
		    row, what);
		before = lines[i];
	}
	assert_row(before == SIGNALS, row, what);
	assert_row(fixture.result_count == SIGNALS, row, what);
	for (unsigned i = 0; i < SIGNALS; i++)
		assert_row(fixture.results[i].state == OUTCOME_DELIVERED, row,
		    fixture.results[i].reason);
}

/* ---- programs ------------------------------------------------------------------ */

static const struct {
	const char *name;
	enum directory_transport transport;
	const char *body;
} programs[] = {
	{ "stays", DIRECTORY_TRANSPORT_RUN,
	    "while take; do echo \"ack $number\"; done" },
	{ "says other things too", DIRECTORY_TRANSPORT_RUN,
	    "echo hello; while take; do echo; echo \"got $line\"; "
	    "echo \"ack 99\"; echo \"ack $number\"; done" },
	{ "ends after three", DIRECTORY_TRANSPORT_RUN,
	    "for i in 1 2 3; do take; echo \"ack $number\"; done; exit 3" },
	{ "ends before it answers", DIRECTORY_TRANSPORT_RUN,
	    "take; first && exit 0; echo \"ack $number\"; "
	    "while take; do echo \"ack $number\"; done" },
	{ "cannot begin at first", DIRECTORY_TRANSPORT_RUN,
	    "first && exit 1; while take; do echo \"ack $number\"; done" },
	{ "is killed", DIRECTORY_TRANSPORT_RUN,
	    "take; first && kill -9 $$; echo \"ack $number\"; "
	    "while take; do echo \"ack $number\"; done" },
	{ "hangs, and does not care that it should end",
	    DIRECTORY_TRANSPORT_RUN,
	    "trap '' TERM; take; first && while :; do sleep 60; done; "
	    "echo \"ack $number\"; while take; do echo \"ack $number\"; done" },
	{ "refuses for now", DIRECTORY_TRANSPORT_RUN,
	    "while take; do [ \"$number\" = 3 ] && first && "
	    "{ echo \"nak 3 busy\"; continue; }; echo \"ack $number\"; done" },
	{ "fails as a whole", DIRECTORY_TRANSPORT_RUN,
	    "first && echo 'fail no modem' && sleep 60; "
	    "while take; do echo \"ack $number\"; done" },
	{ "runs for each", DIRECTORY_TRANSPORT_EACH, "take" },
	{ "does not read", DIRECTORY_TRANSPORT_EACH,
	    "number=$(head -c 30 | tr -dc 0-9,); number=${number%%,*}; "
	    "echo \"{\\\"sequence\\\":$number,\" >> log" },
	{ "runs for each, fails once", DIRECTORY_TRANSPORT_EACH,
	    "take; first && exit 1; exit 0" },
	{ "runs for each, is killed once", DIRECTORY_TRANSPORT_EACH,
	    "take; first && kill -9 $$; exit 0" },
	{ "runs for each, hangs once", DIRECTORY_TRANSPORT_EACH,
	    "take; first && sleep 60; exit 0" },
};

/* What a program refused, or did not end with, may have been done all the
 * same: that is its own business, so those lines count as repeated. */
static void
test_programs(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(programs); i++) {
		write_program(programs[i].body);
		begin(programs[i].transport, "program");
		fixture_sync(true);
		fixture_enqueue(SIGNALS);
		wait_for(fixture.result_count == SIGNALS);
		for (unsigned n = 0; n < SIGNALS; n++)
			fixture.results[n].repeated |=
			    fixture.results[n].attempts > 1;
		assert_in_log("log", i, programs[i].name);
		finish();
	}
}

static const struct {
	enum directory_transport transport;
	const char *body, *reason;
} refusals[] = {
	{ DIRECTORY_TRANSPORT_RUN,
	    "while take; do case $number in "
	    "2) echo \"refuse 2 no \x01\xe9 customer\" ;; "
	    "*) echo \"ack $number\" ;; esac; done",
	    "no ?? customer" },
	{ DIRECTORY_TRANSPORT_RUN,
	    "while take; do case $number in 2) echo \"refuse 2\" ;; "
	    "*) echo \"ack $number\" ;; esac; done",
	    "the station refuses it for good" },
	{ DIRECTORY_TRANSPORT_EACH,
	    "take; [ \"$number\" = 2 ] && exit 65; exit 0", "exit status 65" },
};

static void
test_refused_for_good(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(refusals); i++) {
		write_program(refusals[i].body);
		begin(refusals[i].transport, "program");
		fixture_sync(true);
		fixture_enqueue(3);
		wait_for(fixture.result_count == 3);
		for (unsigned n = 0; n < 3; n++)
			assert_row(fixture.results[n].state ==
				(n == 1 ? OUTCOME_PARKED : OUTCOME_DELIVERED),
			    i, fixture.results[n].reason);
		assert_row(strcmp(fixture.results[1].reason,
			       refusals[i].reason) == 0,
		    i, fixture.results[1].reason);
		finish();
	}
}

static void
test_heartbeat_of_a_program(void **state)
{
	(void)state;
	write_program("while take; do echo \"ack $number\"; done");
	begin(DIRECTORY_TRANSPORT_RUN, "program");
	fixture.receiver.heartbeat_ms = 20;
	fixture_sync(true);
	wait_for(fixture_show_number("connects") == 1);
	fixture_enqueue(1);
	wait_for(fixture.result_count == 1);
	wait_for(read_lines("log", (uint64_t[LINES_MAX]){ 0 }) > 3);
	finish();
}

static bool
is_alive(const char *mark)
{
	return access(place(mark), F_OK) == 0;
}

/* Its whole group ends with the link. */
static void
test_program_ends_with_its_link(void **state)
{
	(void)state;
	write_program("(trap 'rm -f once; exit' TERM; : > once; "
		      "while :; do sleep 0.05; done) & "
		      "while take; do echo \"ack $number\"; done; wait");
	begin(DIRECTORY_TRANSPORT_RUN, "program");
	fixture_sync(true);
	wait_for(is_alive("once"));
	fixture_sync(false);
	wait_for(!is_alive("once"));
	finish();
}

/* ---- files ----------------------------------------------------------------------- */

/* What a power cut left of a line is ended, what came before stays, and after a
 * rotation the lines go into a new file. */
static void
test_file(void **state)
{
	FILE *out = fopen(place("log"), "w");
	uint64_t lines[LINES_MAX];
	char moved[128];

	(void)state;
	fputs("an older line\n{\"seq", out);
	fclose(out);
	begin(DIRECTORY_TRANSPORT_FILE, "log");
	fixture.receiver.in_flight = 8;
	fixture.accounts = 7;
	fixture_sync(true);
	fixture_enqueue(SIGNALS / 2);
	wait_for(fixture.result_count == SIGNALS / 2);
	assert_int_equal(read_lines("log", lines), 2 + SIGNALS / 2);
	assert_int_equal(lines[1], 0);
	assert_int_equal(lines[2], 1);
	snprintf(moved, sizeof(moved), "%s", place("moved"));
	assert_int_equal(rename(place("log"), moved), 0);
	fixture_enqueue(SIGNALS / 2);
	wait_for(fixture.result_count == SIGNALS);
	assert_int_equal(read_lines("moved", lines), 2 + SIGNALS / 2);
	assert_int_equal(read_lines("log", lines), SIGNALS / 2);
	assert_int_equal(lines[0], SIGNALS / 2 + 1);
	assert_int_equal(fixture_show_number("connects"), 1);
	finish();
}

/* Heartbeats ask whether the disk still takes something; they are no lines. */
static void
test_file_has_no_heartbeats(void **state)
{
	uint64_t lines[LINES_MAX];
	int64_t until;

	(void)state;
	begin(DIRECTORY_TRANSPORT_FILE, "log");
	fixture.receiver.heartbeat_ms = 5;
	fixture_sync(true);
	until = clock_monotonic_us(&clock_system) + 50000;
	wait_for(clock_monotonic_us(&clock_system) > until);
	fixture_enqueue(SIGNALS);
	wait_for(fixture.result_count == SIGNALS);
	assert_in_log("log", 0, "heartbeats");
	assert_int_equal(read_lines("log", lines), SIGNALS);
	assert_int_equal(fixture_show_number("timeouts"), 0);
	finish();
}

/* No room: nothing is acknowledged, nothing is lost. */
static void
test_full_disk(void **state)
{
	struct rlimit before, tight = { 1500, 1500 };
	uint64_t lines[LINES_MAX];

	(void)state;
	begin(DIRECTORY_TRANSPORT_FILE, "log");
	assert_int_equal(getrlimit(RLIMIT_FSIZE, &before), 0);
	tight.rlim_max = before.rlim_max;
	signal(SIGXFSZ, SIG_IGN);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &tight), 0);
	fixture_sync(true);
	fixture_enqueue(SIGNALS);
	wait_for(strstr(fixture_show("last_error"), "File too large"));
	/* whole lines only */
	assert_int_equal(read_lines("log", lines), fixture.result_count);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &before), 0);
	wait_for(fixture.result_count == SIGNALS);
	assert_in_log("log", 0, "full disk");
	finish();
}

/* ---- FIFOs ------------------------------------------------------------------------ */

/* Read what there is into the log; how many bytes. */
static ssize_t
drain(int fifo)
{
	char bytes[65536];
	ssize_t got = read(fifo, bytes, sizeof(bytes));
	FILE *out;

	if (got <= 0)
		return got;
	out = fopen(place("log"), "a");
	assert_non_null(out);
	fwrite(bytes, 1, (size_t)got, out);
	fclose(out);
	return got;
}

static int
open_reader(void)
{
	int fifo = open(place("fifo"), O_RDONLY | O_NONBLOCK | O_CLOEXEC);

	assert_true(fifo >= 0);
	return fifo;
}

static int
bytes_waiting(int fifo)
{
	int count = 0;

	assert_int_equal(ioctl(fifo, FIONREAD, &count), 0);
	return count;
}

/* Nothing counts as taken that was not read, also when the reader goes with
 * lines unread. */
static void
test_fifo(void **state)
{
	int fifo;

	(void)state;
	assert_int_equal(mkfifo(place("fifo"), 0600), 0);
	begin(DIRECTORY_TRANSPORT_FILE, "fifo");
	fixture.receiver.ack_wait_ms = 10000;
	fixture_sync(true);
	fixture_enqueue(SIGNALS);
	wait_for(strstr(fixture_show("last_error"), "nobody reads it"));
	fifo = open_reader();
	wait_for(bytes_waiting(fifo) > 0);
	assert_int_equal(fixture.result_count, 0);
	wait_for(drain(fifo) != 0 && fixture.result_count > 3);
	wait_for(bytes_waiting(fifo) > 0);
	close(fifo);
	wait_for(strstr(fixture_show("last_error"), "its reader has gone"));
	fifo = open_reader();
	wait_for(drain(fifo) != 0 && fixture.result_count == SIGNALS);
	assert_in_log("log", 0, "fifo");
	close(fifo);
	finish();
}

/* ---- what cannot be ----------------------------------------------------------------- */

static const struct {
	enum directory_transport transport;
	const char *name, *problem;
} impossible[] = {
	{ DIRECTORY_TRANSPORT_RUN, "../program", "is no name of a file" },
	{ DIRECTORY_TRANSPORT_EACH, "..", "is no name of a file" },
	{ DIRECTORY_TRANSPORT_FILE, "", "is no name of a file" },
	{ DIRECTORY_TRANSPORT_RUN, "nothing", "No such file" },
	{ DIRECTORY_TRANSPORT_EACH, "nothing", "No such file" },
	{ DIRECTORY_TRANSPORT_RUN, "log", "Permission denied" },
	{ DIRECTORY_TRANSPORT_FILE, "program/x", "is no name of a file" },
};

static void
test_impossible_endpoints(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(impossible); i++) {
		fclose(fopen(place("log"), "w"));
		begin(impossible[i].transport, impossible[i].name);
		fixture_sync(true);
		fixture_enqueue(1);
		wait_for(strstr(fixture_show("last_error"),
		    impossible[i].problem));
		assert_int_equal(fixture.result_count, 0);
		finish();
	}
}

static void
test_no_place_is_set(void **state)
{
	char kept[sizeof(fixture_place)];

	(void)state;
	memcpy(kept, fixture_place, sizeof(kept));
	fixture_place[0] = '\0';
	begin(DIRECTORY_TRANSPORT_RUN, "program");
	fixture_sync(true);
	wait_for(strcmp(fixture_show("last_error"),
		     "programs_dir of [egress] is not set") == 0);
	fixture_close(NULL);
	memcpy(fixture_place, kept, sizeof(kept));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_programs),
		cmocka_unit_test(test_refused_for_good),
		cmocka_unit_test(test_heartbeat_of_a_program),
		cmocka_unit_test(test_program_ends_with_its_link),
		cmocka_unit_test(test_file),
		cmocka_unit_test(test_file_has_no_heartbeats),
		cmocka_unit_test(test_full_disk),
		cmocka_unit_test(test_fifo),
		cmocka_unit_test(test_impossible_endpoints),
		cmocka_unit_test(test_no_place_is_set),
	};

	return cmocka_run_group_tests_name("egress/local", tests, make_place,
	    remove_place);
}
