/* What receivers say towards automation software, taken as input. */
#include "rig.h"

#include <fcntl.h>
#include <string.h>
#include <sys/socket.h>

#include "ingress/resend.h"

#define ACK	  '\x06'
#define NAK	  '\x15'

#define EVENT	  "5021 181234E13001005\x14"
#define RESTORE	  "5021 181234R13001005\x14"
#define HEARTBEAT "1021           @    \x14"

static int
open_rig(void **state)
{
	static struct rig rig;
	static const struct {
		const char *name;
		enum ingress_protocol protocol;
		enum ingress_unknown unknown;
	} rows[] = {
		{ "mlr2", INGRESS_SURGARD, INGRESS_UNKNOWN_ACK_AND_LOG },
		{ "mlr2000", INGRESS_SURGARD_MLR2000,
		    INGRESS_UNKNOWN_ACK_AND_LOG },
		{ "685", INGRESS_ADEMCO685, INGRESS_UNKNOWN_ACK_AND_LOG },
		{ "d6500", INGRESS_D6500, INGRESS_UNKNOWN_ACK_AND_LOG },
		{ "strict", INGRESS_SURGARD, INGRESS_UNKNOWN_DUH },
		{ "silent", INGRESS_SURGARD, INGRESS_UNKNOWN_IGNORE },
	};
	const struct directory_bridge secret = { .id = 2,
		.site_id = 2,
		.kind = DIRECTORY_BRIDGE,
		.serial = "B2",
		.account = "9999",
		.cipher_required = true };
	struct ingress_listener_config listeners[COUNT(rows)];

	for (size_t i = 0; i < COUNT(rows); i++) {
		listeners[i] = rig_listener;
		listeners[i].name = rows[i].name;
		listeners[i].protocol = rows[i].protocol;
		listeners[i].unknown_account = rows[i].unknown;
	}
	rig_open(&rig, listeners, COUNT(listeners), RIG_BUDGET);
	rig_put_bridge(&rig, &secret);
	*state = &rig;
	return 0;
}

static int
close_rig(void **state)
{
	rig_close(*state);
	return 0;
}

static void
say(int fd, const char *text)
{
	rig_send(fd, text, strlen(text));
}

static void
expect(int fd, char byte)
{
	char got = 0;

	assert_int_equal(recv(fd, &got, 1, 0), 1);
	assert_int_equal(got, byte);
}

struct seen {
	unsigned count;
	uint64_t fingerprints[16], senders[16];
	char text[160]; /* of the last one */
};

static void
see(void *context, const struct record_signal *record)
{
	struct seen *seen = context;
	const struct signal *s = &record->signal;

	assert_true(seen->count < COUNT(seen->fingerprints));
	seen->fingerprints[seen->count] = record->fingerprint;
	seen->senders[seen->count++] = record->sender;
	snprintf(seen->text, sizeof(seen->text), "%s %.*s/%.*s %.*s %s %u",
	    signal_protocol_name(s->protocol), SLICE_ARG(s->receiver),
	    SLICE_ARG(s->line), SLICE_ARG(s->account), s->events[0].code,
	    (unsigned)record->bridge_id);
}

static struct seen
look(struct rig *rig)
{
	struct seen seen = { 0 };

	rig_each_record(rig, see, &seen);
	return seen;
}

static void
test_each_protocol(void **state)
{
	static const struct {
		const char *listener, *message, *record;
	} rows[] = {
		{ "mlr2", EVENT, "surgard 02/1 1234 130 1" },
		{ "mlr2", "3021      1234BA0005\x14",
		    "surgard 02/1 1234 BA 1" },
		{ "mlr2", "S021[#1234|Nri1/BA05]\x14",
		    "surgard 02/1 1234 BA 1" },
		{ "mlr2", "5021 184321E60200000\x14",
		    "surgard 02/1 4321 602 0" },
		{ "mlr2000", "502001 181234E13001005\x14",
		    "surgard 02/001 1234 130 1" },
		{ "mlr2", "1021      1234 A 005\x14", "surgard 02/1 1234 A 1" },
		{ "mlr2000", "602001      1234 A D01\x14",
		    "surgard 02/001 1234 _A 1" },
		/* several channels are one record */
		{ "mlr2", "80211234 1555 5155 7\x14",
		    "surgard 02/1 1234 17 1" },
		{ "mlr2", "9021    123455555155\x14", "surgard 02/1 1234 1 1" },
		/* who called, also where unknown accounts are refused */
		{ "strict", "4021  43215551234567\x14",
		    "surgard 02/1 4321  0" },
		{ "silent", "4021  43215551234567\x14",
		    "surgard 02/1 4321  0" },
		{ "685", "\n21 1234 18 E130 01 C005\r",
		    "ademco685 2/1 1234 130 1" },
		{ "d6500", "a021 123418113001005\x14",
		    "d6500 02/1 1234 130 1" },
	};
	struct rig *rig = *state;

	for (size_t i = 0; i < COUNT(rows); i++) {
		int fd = rig_connect(rig, rows[i].listener);
		struct seen seen;

		say(fd, rows[i].message);
		expect(fd, ACK);
		seen = look(rig);
		assert_row(seen.count == i + 1, i, rows[i].message);
		assert_string_equal(seen.text, rows[i].record);
		close(fd);
	}
}

static void
test_heartbeats_are_answered_and_not_journalled(void **state)
{
	static const struct {
		const char *listener, *message;
	} rows[] = {
		{ "mlr2", HEARTBEAT },
		{ "mlr2000", "102001           @    \x14" },
		{ "685", "\n21 OKAY @\r" },
		{ "d6500", "1020           @    \x14" },
	};
	struct rig *rig = *state;

	for (size_t i = 0; i < COUNT(rows); i++) {
		int fd = rig_connect(rig, rows[i].listener);

		say(fd, rows[i].message);
		expect(fd, ACK);
		assert_int_equal(rig_status(rig, rows[i].listener).polls, 1);
		close(fd);
	}
	assert_int_equal(rig_count_records(rig), 0);
}

static void
test_what_is_refused(void **state)
{
	static const struct {
		const char *listener, *message;
	} rows[] = {
		{ "mlr2", "5021 18123\x14" },
		{ "mlr2", "6021 anything\x14" },
		{ "mlr2", "5021 189999E13001005\x14" }, /* must encrypt */
		{ "strict", "5021 184321E13001005\x14" },
		{ "strict", "1021      4321 A 005\x14" },
		{ "685", "\n21 1234 18 E130\r" },
		{ "d6500", "a021 1234\x14" },
	};
	struct rig *rig = *state;

	for (size_t i = 0; i < COUNT(rows); i++) {
		int fd = rig_connect(rig, rows[i].listener);

		say(fd, rows[i].message);
		expect(fd, NAK);
		close(fd);
	}
	assert_int_equal(rig_count_records(rig), 0);
}

static void
test_unknown_accounts_may_be_ignored(void **state)
{
	struct rig *rig = *state;
	int fd = rig_connect(rig, "silent");

	say(fd, "5021 184321E13001005\x14" HEARTBEAT);
	expect(fd, ACK); /* the heartbeat's, the only one */
	rig_expect_nothing(fd);
	assert_int_equal(rig_count_records(rig), 0);
	close(fd);
}

static void
test_junk_is_not_answered(void **state)
{
	struct rig *rig = *state;
	int fd = rig_connect(rig, "mlr2");
	char junk[200];

	memset(junk, 'x', sizeof(junk));
	rig_send(fd, junk, sizeof(junk));
	say(fd, HEARTBEAT);
	expect(fd, ACK);
	rig_expect_nothing(fd);
	assert_int_equal(rig_status(rig, "mlr2").faults[DC09_FAULT_JUNK], 1);
	close(fd);
}

static void
test_byte_by_byte(void **state)
{
	struct rig *rig = *state;
	int fd = rig_connect(rig, "mlr2");

	for (const char *c = EVENT; *c; c++)
		rig_send(fd, c, 1);
	expect(fd, ACK);
	assert_int_equal(rig_count_records(rig), 1);
	close(fd);
}

static void
test_acknowledged_only_when_durable(void **state)
{
	struct rig *rig = *state;
	int fd = rig_connect(rig, "mlr2");

	rig_disk_hold(rig);
	say(fd, EVENT);
	rig_disk_wait_held(rig);
	rig_expect_nothing(fd);
	rig_disk_release(rig);
	expect(fd, ACK);
	close(fd);
}

/* The receiver did not wait for the answer: it gets one, not one each. */
static void
test_resent_while_it_waits(void **state)
{
	struct rig *rig = *state;
	int fd = rig_connect(rig, "mlr2");

	rig_disk_hold(rig);
	say(fd, EVENT EVENT HEARTBEAT EVENT);
	rig_disk_wait_held(rig);
	while (rig_status(rig, "mlr2").replies[INGRESS_REPLY_NONE] < 3)
		sched_yield();
	rig_disk_release(rig);
	expect(fd, ACK);
	say(fd, RESTORE);
	expect(fd, ACK);
	rig_expect_nothing(fd);
	assert_int_equal(rig_count_records(rig), 2);
	close(fd);
}

/* It would take the first one's answer for the second's. */
static void
test_another_message_before_the_answer_closes(void **state)
{
	struct rig *rig = *state;
	int fd = rig_connect(rig, "mlr2");

	rig_disk_hold(rig);
	say(fd, EVENT RESTORE);
	rig_expect_closed(fd);
	rig_disk_release(rig);
	close(fd);
	fd = rig_connect(rig, "mlr2");
	say(fd, RESTORE);
	expect(fd, ACK);
	close(fd);
}

static void
test_alike_but_answered_is_another_event(void **state)
{
	struct rig *rig = *state;
	int fd = rig_connect(rig, "mlr2");
	struct seen seen;

	for (unsigned i = 0; i < 2; i++) {
		atomic_fetch_add(&rig->clock.ahead_us, 1000000);
		say(fd, EVENT);
		expect(fd, ACK);
	}
	seen = look(rig);
	assert_int_equal(seen.count, 2);
	assert_true(seen.senders[0] == seen.senders[1]);
	assert_true(seen.fingerprints[0] != seen.fingerprints[1]);
	close(fd);
}

/* The answer was lost with the connection: the same message comes first on the
 * next one. What comes after it is another. */
static void
test_resent_on_the_next_connection(void **state)
{
	struct rig *rig = *state;
	struct seen seen;

	for (unsigned i = 0; i < 2; i++) {
		int fd = rig_connect(rig, "mlr2");

		atomic_fetch_add(&rig->clock.ahead_us, 1000000);
		say(fd, EVENT);
		expect(fd, ACK);
		if (i == 1) {
			say(fd, EVENT);
			expect(fd, ACK);
		}
		close(fd);
	}
	seen = look(rig);
	assert_int_equal(seen.count, 3);
	assert_true(seen.fingerprints[0] == seen.fingerprints[1]);
	assert_true(seen.fingerprints[1] != seen.fingerprints[2]);
}

/* The receiver waits for us; when it hangs up we come again. */
static void
test_connects_to_a_receiver(void **state)
{
	struct ingress_listener_config config = rig_listener;
	const struct ingress_config all = {
		.workers = 1, .listener_count = 1, .listeners = &config
	};
	struct rig *rig = *state;
	struct socket_address address;
	struct err err;
	int listening;

	assert_int_equal(socket_address_make("127.0.0.1", 0, &address, &err),
	    0);
	listening = socket_listen(&address, SOCK_STREAM, false, &err);
	assert_true(listening >= 0);
	assert_int_equal(fcntl(listening, F_SETFL, 0), 0); /* accept waits */
	config.name = "system3";
	config.protocol = INGRESS_SURGARD_MLR2000;
	config.transport = INGRESS_TCP_CONNECT;
	config.port = socket_local_port(listening);
	assert_int_equal(ingress_reload(rig->ingress, &all, &err), 0);
	for (unsigned i = 1; i <= 2; i++) {
		int fd = accept(listening, NULL, NULL);

		say(fd, "102001           @    \x14");
		expect(fd, ACK);
		say(fd, "502001 181234E13001005\x14");
		expect(fd, ACK);
		assert_int_equal(rig_count_records(rig), i);
		atomic_fetch_add(&rig->clock.ahead_us, 6000000);
		close(fd);
	}
	close(listening);
}

static void
test_last_messages_of_many_receivers(void **state)
{
	static struct resends resends;

	(void)state;
	resends_init(&resends);
	for (uint64_t i = 0; i <= RESEND_SOURCES; i++)
		resends_note(&resends, (const uint64_t[2]){ 7, i },
		    (struct resend_message){ i, i + 1 });
	assert_int_equal(resends_last(&resends, (const uint64_t[2]){ 7, 0 })
			     .occurrence,
	    0);
	for (uint64_t i = 1; i <= RESEND_SOURCES; i++)
		assert_int_equal(resends_last(&resends,
				     (const uint64_t[2]){ 7, i })
				     .occurrence,
		    i + 1);
	resends_note(&resends, (const uint64_t[2]){ 7, 5 },
	    (struct resend_message){ 90, 91 });
	assert_int_equal(resends_last(&resends, (const uint64_t[2]){ 7, 5 })
			     .hash,
	    90);
	assert_int_equal(resends_last(&resends, (const uint64_t[2]){ 7, 1 })
			     .hash,
	    1);
	resends_close(&resends);
}

#define TEST(function)                                                         \
 cmocka_unit_test_setup_teardown(function, open_rig, close_rig)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_each_protocol),
		TEST(test_heartbeats_are_answered_and_not_journalled),
		TEST(test_what_is_refused),
		TEST(test_unknown_accounts_may_be_ignored),
		TEST(test_junk_is_not_answered),
		TEST(test_byte_by_byte),
		TEST(test_acknowledged_only_when_durable),
		TEST(test_resent_while_it_waits),
		TEST(test_another_message_before_the_answer_closes),
		TEST(test_alike_but_answered_is_another_event),
		TEST(test_resent_on_the_next_connection),
		TEST(test_connects_to_a_receiver),
		cmocka_unit_test(test_last_messages_of_many_receivers),
	};

	return cmocka_run_group_tests_name("ingress/automation", tests, NULL,
	    NULL);
}
