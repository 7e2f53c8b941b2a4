/* Replies that wait for the station: what is not settled is not answered, and
 * holds up nobody else. The test says what is settled, as dispatch does. */
#include "rig.h"

#include <errno.h>
#include <poll.h>
#include <sched.h>
#include <sodium.h>
#include <sys/socket.h>

#include "ingress/settled.h"

#define TIMEOUT_US 30000000
#define EVENT	   "5021 181234E13001005\x14"
#define RESTORE	   "5021 181234R13001005\x14"
#define HEARTBEAT  "1021           @    \x14"

static int
open_rig(void **state)
{
	static struct rig rig;
	static const struct {
		const char *name;
		enum ingress_transport transport;
		enum ingress_protocol protocol;
		enum ack_level level;
	} rows[] = {
		{ "panels", INGRESS_TCP, INGRESS_DC09, ACK_LEVEL_LOCAL },
		{ "waiting", INGRESS_TCP, INGRESS_DC09, ACK_LEVEL_DELIVERED },
		{ "datagrams", INGRESS_UDP, INGRESS_DC09, ACK_LEVEL_DELIVERED },
		{ "receiver", INGRESS_TCP, INGRESS_SURGARD,
		    ACK_LEVEL_DELIVERED },
		{ "bridges", INGRESS_TCP, INGRESS_HTTP, ACK_LEVEL_LOCAL },
	};
	struct ingress_listener_config listeners[COUNT(rows)];

	for (size_t i = 0; i < COUNT(rows); i++) {
		listeners[i] = rig_listener;
		listeners[i].name = rows[i].name;
		listeners[i].transport = rows[i].transport;
		listeners[i].protocol = rows[i].protocol;
		listeners[i].ack_level = rows[i].level;
		listeners[i].delivered_timeout_us = TIMEOUT_US;
	}
	rig_open(&rig, listeners, COUNT(listeners), RIG_BUDGET);
	*state = &rig;
	return 0;
}

static int
close_rig(void **state)
{
	rig_close(*state);
	return 0;
}

/* Those that wait, in order, from the one behind lsn (0: the first) on. Returns
 * how many were found, and the lsn of the last. */
struct found {
	unsigned count;
	uint64_t first_lsn, last_lsn;
};

static struct found
find(struct rig *rig, uint64_t behind_lsn, bool tell)
{
	struct journal_cursor *cursor = NULL;
	struct found found = { 0, 0, behind_lsn };
	struct journal_entry entry;
	struct record_signal record;
	struct err err = { "" };

	assert_int_equal(journal_cursor_open(&cursor, rig->journal, 0, &err),
	    0);
	while (journal_cursor_next(cursor, &entry, &err) == 1) {
		if (entry.kind != JOURNAL_SIGNAL || entry.lsn <= behind_lsn ||
		    record_signal_decode(entry.payload, &record, &err) < 0 ||
		    record.ack_level != ACK_LEVEL_DELIVERED)
			continue;
		if (found.count++ == 0)
			found.first_lsn = entry.lsn;
		found.last_lsn = entry.lsn;
		if (tell)
			ingress_settled(rig->ingress, entry.lsn);
	}
	journal_cursor_close(&cursor);
	return found;
}

/* Until so many that wait are durable. */
static struct found
wait_for(struct rig *rig, unsigned count)
{
	struct found found;

	while ((found = find(rig, 0, false)).count < count)
		sched_yield();
	assert_int_equal(found.count, count);
	return found;
}

static void
pass_time(struct rig *rig, int64_t us)
{
	atomic_fetch_add(&rig->clock.ahead_us, us);
}

static void
say(int fd, const char *text)
{
	rig_send(fd, text, strlen(text));
}

static void
expect_ack(int fd)
{
	char got = 0;

	assert_int_equal(recv(fd, &got, 1, 0), 1);
	assert_int_equal(got, '\x06');
}

static void
test_answered_when_settled(void **state)
{
	static const char *const listeners[] = { "waiting", "datagrams" };
	struct rig *rig = *state;

	for (size_t i = 0; i < COUNT(listeners); i++) {
		int fd = i == 0 ? rig_connect(rig, listeners[i])
				: rig_connect_udp(rig, listeners[i]);
		struct found found;

		rig_send_event(rig, fd, "1234", 1);
		found = wait_for(rig, (unsigned)i + 1);
		rig_send_poll(rig, fd, "1234", 2);
		rig_expect(rig, fd, DC09_RESPONSE_ACK, 2); /* of no concern */
		rig_expect_nothing(fd);
		assert_int_equal(rig_status(rig, listeners[i]).awaiting, 1);
		ingress_settled(rig->ingress, found.last_lsn);
		rig_expect(rig, fd, DC09_RESPONSE_ACK, 1);
		assert_int_equal(rig_status(rig, listeners[i]).awaiting, 0);
		assert_int_equal(rig_status(rig, listeners[i])
				     .replies[INGRESS_REPLY_ACK],
		    2);
		ingress_settled(rig->ingress, found.last_lsn); /* once */
		rig_send_poll(rig, fd, "1234", 3);
		rig_expect(rig, fd, DC09_RESPONSE_ACK, 3);
		close(fd);
	}
}

/* Other sessions, other listeners, and a later signal of the same session. */
static void
test_nobody_is_held_up(void **state)
{
	struct rig *rig = *state;
	int local = rig_connect(rig, "panels");
	int first = rig_connect(rig, "waiting");
	int second = rig_connect(rig, "waiting");
	struct found found;

	rig_send_event(rig, first, "1234", 1);
	wait_for(rig, 1);
	rig_send_event(rig, local, "1234", 7);
	rig_expect(rig, local, DC09_RESPONSE_ACK, 7);
	rig_send_event(rig, first, "1234", 2);
	wait_for(rig, 2);
	rig_send_event(rig, second, "4321", 3);
	found = wait_for(rig, 3);
	ingress_settled(rig->ingress, found.last_lsn);
	rig_expect(rig, second, DC09_RESPONSE_ACK, 3);
	rig_expect_nothing(first);
	/* in the order in which they are settled */
	ingress_settled(rig->ingress,
	    find(rig, found.first_lsn, false).first_lsn);
	rig_expect(rig, first, DC09_RESPONSE_ACK, 2);
	ingress_settled(rig->ingress, found.first_lsn);
	rig_expect(rig, first, DC09_RESPONSE_ACK, 1);
	close(local);
	close(first);
	close(second);
}

static void
test_no_answer_after_the_timeout(void **state)
{
	static const char *const listeners[] = { "waiting", "datagrams" };
	struct rig *rig = *state;

	for (size_t i = 0; i < COUNT(listeners); i++) {
		int fd = i == 0 ? rig_connect(rig, listeners[i])
				: rig_connect_udp(rig, listeners[i]);
		struct found found;

		rig_send_event(rig, fd, "1234", 1);
		found = wait_for(rig, 2 * (unsigned)i + 1);
		pass_time(rig, TIMEOUT_US);
		while (rig_status(rig, listeners[i]).delivered_timeouts < 1 ||
		    rig_status(rig, listeners[i]).awaiting > 0)
			sched_yield();
		assert_int_equal(rig_status(rig, listeners[i]).awaiting, 0);
		ingress_settled(rig->ingress, found.last_lsn); /* too late */
		/* the panel repeats, on the same connection if it likes */
		rig_send_event(rig, fd, "1234", 1);
		found = wait_for(rig, 2 * (unsigned)i + 2);
		rig_expect_nothing(fd);
		ingress_settled(rig->ingress, found.last_lsn);
		rig_expect(rig, fd, DC09_RESPONSE_ACK, 1);
		rig_expect_nothing(fd);
		assert_int_equal(rig_status(rig, listeners[i])
				     .replies[INGRESS_REPLY_NONE],
		    1);
		close(fd);
	}
}

/* Whether it closes or breaks off: it holds no connection until the timeout, and
 * is answered on its next one. */
static void
test_a_panel_that_has_gone(void **state)
{
	struct rig *rig = *state;
	struct found found;
	int fd;

	for (unsigned reset = 0; reset < 2; reset++) {
		const struct linger linger = { .l_onoff = (int)reset };

		fd = rig_connect(rig, "waiting");
		rig_send_event(rig, fd, "1234", 1);
		rig_send_event(rig, fd, "1234", 2);
		found = wait_for(rig, 2 * reset + 2);
		setsockopt(fd, SOL_SOCKET, SO_LINGER, &linger, sizeof(linger));
		close(fd);
		while (rig_status(rig, "waiting").awaiting > 0 ||
		    rig_status(rig, "waiting").sessions_now > 0)
			sched_yield();
		ingress_settled(rig->ingress, found.first_lsn);
		ingress_settled(rig->ingress, found.last_lsn);
	}
	assert_int_equal(rig_status(rig, "waiting").replies[INGRESS_REPLY_ACK],
	    0);
	fd = rig_connect(rig, "waiting");
	rig_send_event(rig, fd, "1234", 1);
	found = wait_for(rig, 5);
	ingress_settled(rig->ingress, found.last_lsn);
	rig_expect(rig, fd, DC09_RESPONSE_ACK, 1);
	close(fd);
}

/* The level of a listener is that of its signals from the reload on; one that
 * goes owes nothing any more. */
static void
test_a_reload_changes_the_level(void **state)
{
	struct ingress_listener_config config = rig_listener;
	const struct ingress_config one = {
		.workers = 1, .listener_count = 1, .listeners = &config
	};
	const struct ingress_config none = { .workers = 1 };
	struct rig *rig = *state;
	int fd = rig_connect(rig, "waiting");
	int udp = rig_connect_udp(rig, "datagrams");
	struct found found;
	struct err err;

	rig_send_event(rig, fd, "1234", 1);
	rig_send_event(rig, udp, "1234", 2);
	found = wait_for(rig, 2);
	config.name = "waiting";
	config.ack_level = ACK_LEVEL_LOCAL;
	config.delivered_timeout_us = TIMEOUT_US;
	assert_int_equal(ingress_reload(rig->ingress, &one, &err), 0);
	rig_send_event(rig, fd, "1234", 3);
	rig_expect(rig, fd, DC09_RESPONSE_ACK, 3);
	find(rig, 0, true);
	rig_expect(rig, fd, DC09_RESPONSE_ACK, 1);
	assert_int_equal(find(rig, 0, false).count, found.count);
	rig_expect_nothing(udp);
	assert_int_equal(ingress_reload(rig->ingress, &none, &err), 0);
	rig_expect_closed(fd);
	close(fd);
	close(udp);
}

static void
put_site(struct rig *rig, enum ack_level level)
{
	const struct directory_site site = { .id = 7,
		.dealer_id = 1,
		.name = "site",
		.account = "",
		.reference_id = "",
		.ack_level = level };
	struct directory_batch *batch = directory_batch_begin(rig->directory);

	assert_int_equal(directory_put_site(batch, site.id, &site), 0);
	assert_int_equal(directory_batch_commit(batch), 0);
}

static void
test_the_level_of_a_site(void **state)
{
	static const struct {
		const char *name, *account, *listener;
		enum ack_level site;
		bool waits;
	} rows[] = {
		{ "nobody's", "4321", "waiting", ACK_LEVEL_LOCAL, true },
		{ "nobody's", "4321", "panels", ACK_LEVEL_DELIVERED, false },
		{ "inherits", "7777", "waiting", ACK_LEVEL_INHERIT, true },
		{ "inherits", "7777", "panels", ACK_LEVEL_INHERIT, false },
		{ "less", "7777", "waiting", ACK_LEVEL_LOCAL, false },
		{ "more", "7777", "panels", ACK_LEVEL_DELIVERED, true },
	};
	const struct directory_bridge bridge = {
		.id = 7, .site_id = 7, .serial = "B7", .account = "7777"
	};
	struct rig *rig = *state;
	unsigned waiting = 0;

	rig_put_bridge(rig, &bridge);
	for (size_t i = 0; i < COUNT(rows); i++) {
		int fd = rig_connect(rig, rows[i].listener);

		put_site(rig, rows[i].site);
		rig_send_event(rig, fd, rows[i].account, 1);
		if (rows[i].waits) {
			uint64_t lsn = wait_for(rig, ++waiting).last_lsn;

			rig_expect_nothing(fd);
			ingress_settled(rig->ingress, lsn);
		}
		rig_expect(rig, fd, DC09_RESPONSE_ACK, 1);
		assert_row(find(rig, 0, false).count == waiting, i,
		    rows[i].name);
		close(fd);
	}
}

/* A byte names no message: while one waits nothing else is answered, and its
 * resend is the same. */
static void
test_a_receiver_waits(void **state)
{
	struct rig *rig = *state;
	int fd = rig_connect(rig, "receiver");
	struct found found;

	say(fd, EVENT EVENT HEARTBEAT EVENT);
	while (rig_status(rig, "receiver").replies[INGRESS_REPLY_NONE] < 3)
		sched_yield();
	found = wait_for(rig, 1);
	rig_expect_nothing(fd);
	ingress_settled(rig->ingress, found.last_lsn);
	expect_ack(fd);
	say(fd, RESTORE);
	found = wait_for(rig, 2);
	rig_expect_nothing(fd);
	pass_time(rig, TIMEOUT_US);
	while (rig_status(rig, "receiver").delivered_timeouts < 1)
		sched_yield();
	ingress_settled(rig->ingress, found.last_lsn);
	say(fd, RESTORE); /* the same one: dispatch sees a repeat */
	found = wait_for(rig, 3);
	ingress_settled(rig->ingress, found.last_lsn);
	expect_ack(fd);
	rig_expect_nothing(fd);
	close(fd);
}

/* ---- the bridge API -------------------------------------------------------------- */

#define TOKEN	"tb-7-secret"
#define REQUEST "POST /v1/"
#define FIELDS                                                                 \
 " HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer " TOKEN                        \
 "\r\nContent-Type: application/json\r\n"
#define ALARM(zone)                                                            \
 REQUEST "events" FIELDS "Content-Length: 30\r\n\r\n"                          \
	 "{\"zone\":\"" zone "\",\"state\":\"alarm\"}"
#define ALIVE REQUEST "heartbeat" FIELDS "Content-Length: 0\r\n\r\n"

/* The status of the next answer. */
static unsigned
hear_status(int fd)
{
	char head[1024] = "", byte;
	const char *field;
	unsigned status = 0;
	size_t at = 0;
	int left;

	while (at < 4 || memcmp(head + at - 4, "\r\n\r\n", 4) != 0) {
		assert_true(at < sizeof(head) - 1);
		assert_int_equal(recv(fd, &head[at++], 1, 0), 1);
	}
	assert_int_equal(sscanf(head, "HTTP/1.1 %u ", &status), 1);
	field = strstr(head, "Content-Length: ");
	for (left = field ? atoi(field + 16) : 0; left > 0; left--)
		assert_int_equal(recv(fd, &byte, 1, 0), 1);
	return status;
}

static void
put_api_bridge(struct rig *rig, enum ack_level level)
{
	static uint8_t hash[DIRECTORY_HASH_SIZE];
	const struct directory_bridge bridge = { .id = 7,
		.site_id = 7,
		.serial = "B7",
		.account = "7000",
		.bearer_hash = hash };

	crypto_hash_sha256(hash, (const uint8_t *)TOKEN, strlen(TOKEN));
	rig_put_bridge(rig, &bridge);
	put_site(rig, level);
}

/* Its answers name no request: none may leave before its turn. */
static void
test_requests_are_answered_in_turn(void **state)
{
	struct rig *rig = *state;
	int fd = rig_connect(rig, "bridges");
	struct found found;

	put_api_bridge(rig, ACK_LEVEL_DELIVERED);
	say(fd, ALARM("001") ALIVE ALARM("002"));
	found = wait_for(rig, 1);
	rig_expect_nothing(fd);
	assert_int_equal(rig_status(rig, "bridges").polls, 0);
	ingress_settled(rig->ingress, found.last_lsn);
	assert_int_equal(hear_status(fd), 200);
	assert_int_equal(hear_status(fd), 204);
	found = wait_for(rig, 2);
	rig_expect_nothing(fd);
	say(fd, ALARM("003"));
	ingress_settled(rig->ingress, found.last_lsn);
	assert_int_equal(hear_status(fd), 200);
	found = wait_for(rig, 3);
	ingress_settled(rig->ingress, found.last_lsn);
	assert_int_equal(hear_status(fd), 200);
	close(fd);
}

/* The one that is local already waits for the disk, the next for a station. */
static void
test_a_request_waits_behind_a_local_one(void **state)
{
	struct rig *rig = *state;
	int fd = rig_connect(rig, "bridges");

	put_api_bridge(rig, ACK_LEVEL_LOCAL);
	rig_wait_spare(rig);
	rig_disk_hold(rig);
	say(fd, ALARM("001"));
	rig_disk_wait_held(rig);
	put_site(rig, ACK_LEVEL_DELIVERED);
	say(fd, ALARM("002") ALIVE);
	while (rig_status(rig, "bridges").awaiting < 1)
		sched_yield();
	rig_expect_nothing(fd);
	rig_disk_release(rig);
	assert_int_equal(hear_status(fd), 200);
	ingress_settled(rig->ingress, wait_for(rig, 1).last_lsn);
	assert_int_equal(hear_status(fd), 200);
	assert_int_equal(hear_status(fd), 204);
	close(fd);
}

static void
test_a_request_is_told_that_it_took_too_long(void **state)
{
	struct rig *rig = *state;
	int fd = rig_connect(rig, "bridges");
	struct found found;

	put_api_bridge(rig, ACK_LEVEL_DELIVERED);
	say(fd, ALARM("001") ALARM("002"));
	found = wait_for(rig, 1);
	pass_time(rig, TIMEOUT_US);
	assert_int_equal(hear_status(fd), 503);
	rig_expect_closed(fd);
	ingress_settled(rig->ingress, found.last_lsn);
	close(fd);
	fd = rig_connect(rig, "bridges");
	say(fd, ALARM("001"));
	ingress_settled(rig->ingress, wait_for(rig, 2).last_lsn);
	assert_int_equal(hear_status(fd), 200);
	close(fd);
}

/* Nobody can settle them meanwhile. */
static void
test_a_drain_does_not_wait_for_stations(void **state)
{
	struct rig *rig = *state;
	int fd = rig_connect(rig, "waiting");

	rig_send_event(rig, fd, "1234", 1);
	wait_for(rig, 1);
	ingress_drain(rig->ingress, INT64_C(3600000000)); /* comes back */
	assert_int_equal(rig_status(rig, "waiting").awaiting, 1);
	close(fd);
}

enum {
	PANELS = 4,
	EVENTS = 1000
};

struct teller {
	struct rig *rig;
	atomic_bool done;
};

/* As dispatch: another thread, in journal order, whoever waits for it. */
static void *
tell_all(void *context)
{
	struct teller *teller = context;
	struct journal_cursor *cursor = NULL;
	struct journal_entry entry;
	struct err err;

	assert_int_equal(journal_cursor_open(&cursor, teller->rig->journal, 0,
			     &err),
	    0);
	while (!atomic_load(&teller->done))
		if (journal_cursor_next(cursor, &entry, &err) == 1)
			ingress_settled(teller->rig->ingress, entry.lsn);
		else
			sched_yield();
	journal_cursor_close(&cursor);
	return NULL;
}

static void
test_many_are_told_by_another_thread(void **state)
{
	struct rig *rig = *state;
	struct teller teller = { .rig = rig };
	pthread_t thread;
	int fds[PANELS];

	assert_int_equal(pthread_create(&thread, NULL, tell_all, &teller), 0);
	for (unsigned p = 0; p < PANELS; p++)
		fds[p] = rig_connect(rig, "waiting");
	for (unsigned i = 1; i <= EVENTS; i++) {
		for (unsigned p = 0; p < PANELS; p++)
			rig_send_event(rig, fds[p], "1234", i);
		if (i % 50 == 0)
			for (unsigned p = 0; p < PANELS; p++)
				for (unsigned k = i - 49; k <= i; k++)
					rig_expect(rig, fds[p],
					    DC09_RESPONSE_ACK, k);
	}
	atomic_store(&teller.done, true);
	pthread_join(thread, NULL);
	assert_int_equal(rig_status(rig, "waiting").awaiting, 0);
	assert_int_equal(rig_status(rig, "waiting").replies[INGRESS_REPLY_ACK],
	    PANELS * EVENTS);
	for (unsigned p = 0; p < PANELS; p++)
		close(fds[p]);
}

static void
test_what_is_told_is_bounded(void **state)
{
	static struct settled settled;
	struct pollfd wait = { .events = POLLIN };
	const uint64_t *lsns;

	(void)state;
	assert_int_equal(settled_open(&settled), 0);
	wait.fd = settled.event_fd;
	assert_int_equal(poll(&wait, 1, 0), 0);
	for (uint64_t lsn = 1; lsn <= SETTLED_MAX + 5; lsn++)
		settled_put(&settled, lsn);
	assert_int_equal(poll(&wait, 1, 0), 1);
	assert_int_equal(settled_take(&settled, &lsns), SETTLED_MAX);
	assert_int_equal(lsns[0], 1);
	assert_int_equal(lsns[SETTLED_MAX - 1], SETTLED_MAX);
	assert_int_equal(poll(&wait, 1, 0), 0);
	settled_put(&settled, 77);
	assert_int_equal(poll(&wait, 1, 0), 1);
	assert_int_equal(settled_take(&settled, &lsns), 1);
	assert_int_equal(lsns[0], 77);
	assert_int_equal(settled_take(&settled, &lsns), 0);
	settled_close(&settled);
}

#define TEST(function)                                                         \
 cmocka_unit_test_setup_teardown(function, open_rig, close_rig)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_answered_when_settled),
		TEST(test_nobody_is_held_up),
		TEST(test_no_answer_after_the_timeout),
		TEST(test_a_panel_that_has_gone),
		TEST(test_a_reload_changes_the_level),
		TEST(test_the_level_of_a_site),
		TEST(test_a_receiver_waits),
		TEST(test_requests_are_answered_in_turn),
		TEST(test_a_request_waits_behind_a_local_one),
		TEST(test_a_request_is_told_that_it_took_too_long),
		TEST(test_a_drain_does_not_wait_for_stations),
		TEST(test_many_are_told_by_another_thread),
		cmocka_unit_test(test_what_is_told_is_bounded),
	};

	return cmocka_run_group_tests_name("ingress/delivered", tests, NULL,
	    NULL);
}
