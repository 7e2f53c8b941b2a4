/* Nothing is promised before it is durable: a disk that hangs, fills, dies. */
#include "rig.h"

#include <errno.h>
#include <poll.h>
#include <sys/socket.h>

static void
open_with(struct rig *rig, uint64_t budget_bytes)
{
	struct ingress_listener_config listeners[] = { rig_listener,
		rig_listener };

	listeners[1].name = "datagrams";
	listeners[1].transport = INGRESS_UDP;
	rig_open(rig, listeners, COUNT(listeners), budget_bytes);
}

static int
open_rig(void **state)
{
	static struct rig rig;

	open_with(&rig, RIG_BUDGET);
	*state = &rig;
	return 0;
}

static int
open_small_rig(void **state)
{
	static struct rig rig;

	open_with(&rig, 6 << 20);
	*state = &rig;
	return 0;
}

static int
close_rig(void **state)
{
	rig_close(*state);
	return 0;
}

/* The worker has made a whole turn after what was sent before. */
static void
pass_a_turn(struct rig *rig)
{
	int fd = rig_connect(rig, "panels");

	for (unsigned i = 1; i <= 2; i++) {
		rig_send_poll(rig, fd, "1234", i);
		rig_expect(rig, fd, DC09_RESPONSE_ACK, i);
	}
	close(fd);
}

static void
test_no_reply_before_the_sync(void **state)
{
	struct rig *rig = *state;
	int fd = rig_connect(rig, "panels");
	int udp = rig_connect_udp(rig, "datagrams");

	rig_disk_hold(rig);
	rig_send_event(rig, fd, "1234", 1);
	rig_disk_wait_held(rig);
	rig_send_event(rig, udp, "1234", 3);
	rig_send_poll(rig, fd, "1234", 2);
	pass_a_turn(rig);
	rig_expect_nothing(fd);
	rig_expect_nothing(udp);
	assert_int_equal(rig_status(rig, "panels").replies[INGRESS_REPLY_ACK],
	    2);
	rig_disk_release(rig);
	rig_expect(rig, fd, DC09_RESPONSE_ACK, 1);
	rig_expect(rig, fd, DC09_RESPONSE_ACK, 2);
	rig_expect(rig, udp, DC09_RESPONSE_ACK, 3);
	assert_int_equal(rig_count_records(rig), 2);
	close(fd);
	close(udp);
}

enum {
	FRAMES = 900,
	TEXT_BYTES = 3900,
	PANELS = 4
};

/* One panel with a lot to say. */
struct talker {
	int fd;
	size_t sent;
	unsigned answered;
};

static void
talk(struct talker *talker, const char *burst, size_t length)
{
	ssize_t n = send(talker->fd, burst + talker->sent,
	    length - talker->sent, MSG_DONTWAIT);

	talker->sent += n > 0 ? (size_t)n : 0;
}

static void
talk_and_listen(struct rig *rig, struct talker *talker, const char *burst,
    size_t length)
{
	while (talker->answered < FRAMES) {
		struct pollfd wait = { .fd = talker->fd, .events = POLLIN };

		if (talker->sent < length)
			wait.events |= POLLOUT;
		assert_int_equal(poll(&wait, 1, 60000), 1);
		if (wait.revents & POLLIN)
			rig_expect(rig, talker->fd, DC09_RESPONSE_ACK,
			    ++talker->answered);
		if (wait.revents & POLLOUT)
			talk(talker, burst, length);
	}
}

/* More than a batch holds while the disk hangs: the rest waits in the peers'
 * sockets, and then comes through whole and in order. */
static void
test_a_full_batch_is_waited_for(void **state)
{
	static char burst[FRAMES * DC09_FRAME_MAX];
	struct talker talkers[PANELS] = { 0 };
	struct rig *rig = *state;
	int udp = rig_connect_udp(rig, "datagrams");
	size_t length = 0;

	for (unsigned i = 1; i <= FRAMES; i++)
		length +=
		    rig_long_event(rig, "1234", i, TEXT_BYTES, burst + length);
	for (unsigned i = 0; i < PANELS; i++)
		talkers[i].fd = rig_connect(rig, "panels");
	rig_disk_hold(rig);
	while (!rig_sessions_say(rig, "\"stalled\":true"))
		for (unsigned i = 0; i < PANELS; i++)
			talk(&talkers[i], burst, length);
	rig_send_event(rig, udp, "1234", 9999);
	assert_true(rig_sessions_say(rig, "\"stalled\":true"));
	for (unsigned i = 0; i < PANELS; i++)
		rig_expect_nothing(talkers[i].fd);
	rig_disk_release(rig);
	for (unsigned i = 0; i < PANELS; i++) {
		talk_and_listen(rig, &talkers[i], burst, length);
		close(talkers[i].fd);
	}
	rig_expect(rig, udp, DC09_RESPONSE_ACK, 9999);
	assert_int_equal(rig_count_records(rig), PANELS * FRAMES + 1);
	close(udp);
}

static void
expect_refused(struct rig *rig, uint16_t port)
{
	struct socket_address address;
	struct err err;
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	(void)rig;
	socket_address_make("127.0.0.1", port, &address, &err);
	assert_int_equal(connect(fd, &address.any, address.length), -1);
	assert_int_equal(errno, ECONNREFUSED);
	close(fd);
}

static void
test_a_dead_journal_is_not_answered_for(void **state)
{
	struct rig *rig = *state;
	uint16_t port = ingress_listener_port(rig->ingress, "panels");
	int fd = rig_connect(rig, "panels"), idle = rig_connect(rig, "panels");
	int udp = rig_connect_udp(rig, "datagrams");

	rig_send_poll(rig, idle, "1234", 1);
	rig_expect(rig, idle, DC09_RESPONSE_ACK, 1);
	rig_disk_hold(rig);
	rig_send_event(rig, fd, "1234", 1);
	rig_disk_wait_held(rig);
	rig_send_event(rig, udp, "1234", 2);
	atomic_store(&rig->disk.error, EIO);
	rig_disk_release(rig);
	rig_expect_closed(fd);
	rig_expect_closed(idle);
	rig_expect_nothing(udp);
	expect_refused(rig, port);
	assert_int_equal(rig_status(rig, "panels").sessions_now, 0);
	assert_int_equal(rig_status(rig, "panels").replies[INGRESS_REPLY_ACK],
	    1);
	close(fd);
	close(idle);
	close(udp);
}

/* 95 % of the budget is held by unfinished events: no more promises, until
 * some are finished. */
static void
test_a_full_journal_is_not_answered_for(void **state)
{
	static char frame[DC09_FRAME_MAX];
	struct rig *rig = *state;
	struct journal_status status;
	int fd = rig_connect(rig, "panels");
	unsigned sequence = 0;
	uint64_t durable;

	journal_hold(rig->journal, JOURNAL_HOLDER_DISPATCH,
	    journal_durable(rig->journal));
	do {
		sequence = sequence % 9999 + 1;
		rig_send(fd, frame,
		    rig_long_event(rig, "1234", sequence, TEXT_BYTES, frame));
		rig_send_poll(rig, fd, "1234", 0);
		recv(fd, frame, 12, MSG_PEEK | MSG_WAITALL);
		journal_status(rig->journal, &status);
		if (status.refusal == JOURNAL_TAKES)
			rig_expect(rig, fd, DC09_RESPONSE_ACK, sequence);
		else
			break;
		rig_expect(rig, fd, DC09_RESPONSE_ACK, 0);
	} while (1);
	close(fd);
	fd = rig_connect(rig, "panels");
	durable = journal_durable(rig->journal);
	rig_send_event(rig, fd, "1234", 77);
	rig_send_poll(rig, fd, "1234", 0);
	rig_expect(rig, fd, DC09_RESPONSE_ACK, 0); /* only the link test */
	assert_int_equal(journal_durable(rig->journal), durable);
	assert_true(rig_status(rig, "panels").replies[INGRESS_REPLY_NONE] >= 1);
	journal_hold(rig->journal, JOURNAL_HOLDER_DISPATCH, durable);
	rig_send_event(rig, fd, "1234", 78);
	rig_expect(rig, fd, DC09_RESPONSE_ACK, 78);
	close(fd);
}

/* Ask until what is asked for is the case: an answer, or deliberately none. */
static void
poll_until(struct rig *rig, int fd, bool answered)
{
	for (unsigned sequence = 1;; sequence++) {
		struct ingress_listener_status before =
		    rig_status(rig, "panels");
		struct ingress_listener_status now;

		rig_send_poll(rig, fd, "1234", sequence);
		do
			now = rig_status(rig, "panels");
		while (now.polls == before.polls);
		if (now.replies[INGRESS_REPLY_ACK] ==
		    before.replies[INGRESS_REPLY_ACK]) {
			if (!answered)
				return;
			continue;
		}
		rig_expect(rig, fd, DC09_RESPONSE_ACK, sequence);
		if (answered)
			return;
	}
}

static void
wait_for_refusal(struct rig *rig, enum journal_refusal refusal)
{
	struct journal_status status;

	do
		journal_status(rig->journal, &status);
	while (status.refusal != refusal ||
	    (refusal == JOURNAL_TAKES &&
		status.durable_lsn != status.appended_lsn));
}

/* The disk is full before the budget is. What was taken becomes durable when
 * there is room, but is not answered that late; the connection goes on. */
static void
test_a_full_disk_is_not_answered_for(void **state)
{
	struct rig *rig = *state;
	int fd = rig_connect(rig, "panels");
	int udp = rig_connect_udp(rig, "datagrams");

	rig_disk_hold(rig);
	rig_send_event(rig, fd, "1234", 1);
	rig_disk_wait_held(rig);
	rig_send_event(rig, udp, "1234", 2);
	while (rig_status(rig, "datagrams").signals == 0)
		;
	atomic_store(&rig->disk.error, ENOSPC);
	rig_disk_release(rig);
	wait_for_refusal(rig, JOURNAL_HOLDING);
	rig_send_event(rig, fd, "1234", 3);
	poll_until(rig, fd, true);
	assert_int_equal(rig_status(rig, "panels").signals, 1);
	atomic_store(&rig->disk.error, 0);
	wait_for_refusal(rig, JOURNAL_TAKES);
	rig_send_event(rig, fd, "1234", 4);
	rig_expect(rig, fd, DC09_RESPONSE_ACK, 4);
	rig_send_event(rig, fd, "1234", 1); /* it repeats */
	rig_expect(rig, fd, DC09_RESPONSE_ACK, 1);
	rig_expect_nothing(fd);
	rig_expect_nothing(udp);
	assert_int_equal(rig_count_records(rig), 4);
	close(fd);
	close(udp);
}

/* A sync that hangs for more than 10 s: not even link tests are answered, the
 * panels shall take their other way. */
static void
test_a_hanging_sync_stops_all_replies(void **state)
{
	struct rig *rig = *state;
	int fd = rig_connect(rig, "panels"), idle = rig_connect(rig, "panels");

	rig_disk_hold(rig);
	rig_send_event(rig, fd, "1234", 1);
	rig_disk_wait_held(rig);
	poll_until(rig, idle, true);
	atomic_fetch_add(&rig->clock.ahead_us, 11000000);
	poll_until(rig, idle, false);
	rig_disk_release(rig);
	rig_expect(rig, fd, DC09_RESPONSE_ACK, 1); /* it is durable after all */
	atomic_fetch_add(&rig->clock.ahead_us, 2000000);
	poll_until(rig, idle, true);
	close(fd);
	close(idle);
}

/* The listener goes while datagrams wait for their replies. */
static void
test_datagrams_owed_to_a_removed_listener(void **state)
{
	struct rig *rig = *state;
	const struct ingress_config config = { .listener_count = 1,
		.listeners = &rig_listener };
	int udp = rig_connect_udp(rig, "datagrams");
	int fd = rig_connect(rig, "panels");
	struct err err;

	rig_disk_hold(rig);
	rig_send_event(rig, udp, "1234", 1);
	rig_disk_wait_held(rig);
	rig_send_event(rig, fd, "1234", 2);
	assert_int_equal(ingress_reload(rig->ingress, &config, &err), 0);
	rig_disk_release(rig);
	rig_expect(rig, fd, DC09_RESPONSE_ACK, 2);
	assert_int_equal(recv(udp, &err, 1, MSG_DONTWAIT), -1);
	assert_int_equal(rig_count_records(rig), 2);
	close(udp);
	close(fd);
}

static void
test_drain_waits_for_what_is_owed(void **state)
{
	struct rig *rig = *state;
	uint16_t port = ingress_listener_port(rig->ingress, "panels");
	int fd = rig_connect(rig, "panels");

	for (unsigned i = 1; i <= 50; i++)
		rig_send_event(rig, fd, "1234", i);
	/* the first reply: all of one segment or several are in by and by */
	rig_expect(rig, fd, DC09_RESPONSE_ACK, 1);
	for (unsigned i = 2; i <= 50; i++)
		rig_expect(rig, fd, DC09_RESPONSE_ACK, i);
	rig_disk_hold(rig);
	rig_send_event(rig, fd, "1234", 51);
	rig_disk_wait_held(rig);
	ingress_drain(rig->ingress,
	    0); /* gives up at once, keeps what it owes */
	expect_refused(rig, port);
	rig_expect_nothing(fd);
	rig_disk_release(rig);
	ingress_drain(rig->ingress, 60000000);
	ingress_close(&rig->ingress);
	rig_expect(rig, fd, DC09_RESPONSE_ACK, 51);
	rig_expect_closed(fd);
	close(fd);
}

#define TEST(function)                                                         \
 cmocka_unit_test_setup_teardown(function, open_rig, close_rig)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_no_reply_before_the_sync),
		TEST(test_a_full_batch_is_waited_for),
		TEST(test_a_dead_journal_is_not_answered_for),
		cmocka_unit_test_setup_teardown(
		    test_a_full_journal_is_not_answered_for, open_small_rig,
		    close_rig),
		TEST(test_a_full_disk_is_not_answered_for),
		TEST(test_a_hanging_sync_stops_all_replies),
		TEST(test_datagrams_owed_to_a_removed_listener),
		TEST(test_drain_waits_for_what_is_owed),
	};

	return cmocka_run_group_tests_name("ingress/journal", tests, NULL,
	    NULL);
}
