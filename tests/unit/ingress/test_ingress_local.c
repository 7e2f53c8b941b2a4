/* A dialer's digits from programs of this machine: over a Unix socket, and in
 * the files of Asterisk's AlarmReceiver. */
#include "rig.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/un.h>

#define ACK	   '\x06'
#define NAK	   '\x15'

#define BURGLARY   "1234181130010055"
#define RESTORE	   "1234183130010053"
#define WRONG_SUM  "1234181130010051"
#define OTHER_KIND "12341811"

struct place {
	struct rig rig;
	char spool[80], socket[80];
	struct ingress_listener_config listeners[2];
};

static int
open_place(void **state)
{
	static struct place place;
	struct ingress_config all = {
		.workers = 1, .listener_count = 2, .listeners = place.listeners
	};
	struct err err;

	rig_open(&place.rig, &rig_listener, 1, RIG_BUDGET);
	snprintf(place.spool, sizeof(place.spool), "%.60s-spool",
	    place.rig.path);
	snprintf(place.socket, sizeof(place.socket), "%.60s-spool/socket",
	    place.rig.path);
	assert_int_equal(mkdir(place.spool, 0700), 0);
	for (unsigned i = 0; i < 2; i++) {
		place.listeners[i] = rig_listener;
		place.listeners[i].protocol = INGRESS_CONTACT_ID;
		place.listeners[i].unknown_account = INGRESS_UNKNOWN_DUH;
	}
	place.listeners[0].name = "local";
	place.listeners[0].transport = INGRESS_UNIX;
	place.listeners[0].address = place.socket;
	place.listeners[1].name = "spool";
	place.listeners[1].transport = INGRESS_DIRECTORY;
	place.listeners[1].address = place.spool;
	assert_int_equal(ingress_reload(place.rig.ingress, &all, &err), 0);
	*state = &place;
	return 0;
}

static void
path_of(const struct place *place, const char *name, char out[160])
{
	snprintf(out, 160, "%s/%s", place->spool, name);
}

static void
remove_from(const struct place *place, const char *name)
{
	char path[160];

	path_of(place, name, path);
	remove(path);
}

static int
close_place(void **state)
{
	struct place *place = *state;

	rig_close(&place->rig);
	remove_from(place, "bad/event-1");
	remove_from(place, "bad");
	remove_from(place, "event-1");
	remove_from(place, "note");
	remove_from(place, "socket");
	assert_int_equal(rmdir(place->spool), 0);
	return 0;
}

static int
connect_local(const struct place *place)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);

	strcpy(address.sun_path, place->socket);
	assert_int_equal(connect(fd, (struct sockaddr *)&address,
			     sizeof(address)),
	    0);
	return fd;
}

static void
ask(int fd, const char *line, char answer)
{
	char got = 0;

	rig_send(fd, line, strlen(line));
	assert_int_equal(recv(fd, &got, 1, 0), 1);
	assert_int_equal(got, answer);
}

/* As Asterisk does: in place. */
static void
leave(const struct place *place, const char *name, const char *text)
{
	char path[160];
	FILE *file;

	path_of(place, name, path);
	file = fopen(path, "w");
	assert_non_null(file);
	assert_true(fputs(text, file) >= 0);
	assert_int_equal(fclose(file), 0);
}

static bool
exists(const struct place *place, const char *name)
{
	char path[160];

	path_of(place, name, path);
	return access(path, F_OK) == 0;
}

static void
wait_gone(const struct place *place, const char *name)
{
	while (exists(place, name))
		sched_yield();
}

#define METADATA                                                               \
 "\n\n[metadata]\n\nPROTOCOL=ADEMCO_CONTACT_ID\nCALLINGFROM=0301234\n"         \
 "CALLERNAME=<unknown>\nTIMESTAMP=Sun Jan 18, 2026 @ 10:30:00 UTC\n\n"         \
 "[events]\n\n"

struct seen {
	unsigned count;
	uint64_t fingerprints[8];
	char peer[64], account[8];
};

static void
see(void *context, const struct record_signal *record)
{
	struct seen *seen = context;

	assert_true(seen->count < COUNT(seen->fingerprints));
	assert_int_equal(record->signal.protocol, SIGNAL_PROTOCOL_DIALER);
	seen->fingerprints[seen->count++] = record->fingerprint;
	slice_copy(record->peer, seen->peer, sizeof(seen->peer));
	slice_copy(record->signal.account, seen->account,
	    sizeof(seen->account));
}

static struct seen
look(struct place *place)
{
	struct seen seen = { 0 };

	rig_each_record(&place->rig, see, &seen);
	return seen;
}

static void
test_lines_over_a_socket(void **state)
{
	struct place *place = *state;
	int fd = connect_local(place);
	struct seen seen;

	ask(fd, "\n", ACK);
	ask(fd, BURGLARY "\n", ACK);
	ask(fd, WRONG_SUM "\n", NAK);
	ask(fd, RESTORE " call-17\r\n", ACK);
	ask(fd, RESTORE " call-17\n", ACK); /* a repeat */
	ask(fd, RESTORE " call-18\n", ACK);
	close(fd);
	seen = look(place);
	assert_int_equal(seen.count, 4);
	assert_true(seen.fingerprints[1] == seen.fingerprints[2]);
	assert_true(seen.fingerprints[2] != seen.fingerprints[3]);
	assert_string_equal(seen.peer, "local");
}

/* Each program has its own connection: alike is not repeated. */
static void
test_alike_from_two_programs(void **state)
{
	struct place *place = *state;
	struct seen seen;

	for (unsigned i = 0; i < 2; i++) {
		int fd = connect_local(place);

		atomic_fetch_add(&place->rig.clock.ahead_us, 1000000);
		ask(fd, BURGLARY "\n", ACK);
		close(fd);
	}
	seen = look(place);
	assert_true(seen.fingerprints[0] != seen.fingerprints[1]);
}

static void
test_a_file_goes_when_it_is_durable(void **state)
{
	struct place *place = *state;
	struct seen seen;

	rig_disk_hold(&place->rig);
	leave(place, "event-1", METADATA BURGLARY "\n" RESTORE "\n");
	rig_disk_wait_held(&place->rig);
	assert_true(exists(place, "event-1"));
	rig_disk_release(&place->rig);
	wait_gone(place, "event-1");
	assert_false(exists(place, "bad"));
	seen = look(place);
	assert_int_equal(seen.count, 2);
	assert_string_equal(seen.peer, "event-1");
	assert_string_equal(seen.account, "1234");
}

static void
test_what_is_not_taken_is_kept(void **state)
{
	static const struct {
		const char *text;
		unsigned taken;
	} rows[] = {
		{ METADATA WRONG_SUM "\n" BURGLARY "\n", 1 },
		{ METADATA BURGLARY "\n" OTHER_KIND "\n", 1 },
		{ METADATA "9999181130010059\n", 0 },
		{ METADATA, 0 },
		{ "no events\n", 0 },
	};
	struct place *place = *state;
	unsigned taken = 0;

	for (size_t i = 0; i < COUNT(rows); i++) {
		leave(place, "event-1", rows[i].text);
		wait_gone(place, "event-1");
		assert_row(exists(place, "bad/event-1"), i, rows[i].text);
		remove_from(place, "bad/event-1");
		taken += rows[i].taken;
		assert_int_equal(rig_count_records(&place->rig), taken);
	}
}

static void
test_other_files_are_left_alone(void **state)
{
	struct place *place = *state;

	leave(place, "note", METADATA BURGLARY "\n");
	leave(place, "event-1", METADATA RESTORE "\n");
	wait_gone(place, "event-1");
	assert_true(exists(place, "note"));
	assert_int_equal(rig_count_records(&place->rig), 1);
}

/* Killed between the journal and the file: the file is read once more, and its
 * events are the same ones. */
static void
test_a_file_read_again_is_a_repeat(void **state)
{
	static const struct timespec times[2] = { { 1768732200, 0 },
		{ 1768732200, 0 } };
	struct place *place = *state;
	char path[160], aside[160];
	struct seen seen;

	path_of(place, "event-1", path);
	path_of(place, "note", aside);
	for (unsigned i = 0; i < 2; i++) {
		leave(place, "note", METADATA BURGLARY "\n");
		assert_int_equal(utimensat(AT_FDCWD, aside, times, 0), 0);
		assert_int_equal(rename(aside, path), 0);
		wait_gone(place, "event-1");
	}
	seen = look(place);
	assert_int_equal(seen.count, 2);
	assert_true(seen.fingerprints[0] == seen.fingerprints[1]);
}

#define TEST(function)                                                         \
 cmocka_unit_test_setup_teardown(function, open_place, close_place)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_lines_over_a_socket),
		TEST(test_alike_from_two_programs),
		TEST(test_a_file_goes_when_it_is_durable),
		TEST(test_what_is_not_taken_is_kept),
		TEST(test_other_files_are_left_alone),
		TEST(test_a_file_read_again_is_a_repeat),
	};

	return cmocka_run_group_tests_name("ingress/local", tests, NULL, NULL);
}
