/* What strangers may not do, and what an operator may. */
#include "rig.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <sys/resource.h>
#include <sys/socket.h>

#include "ingress/session.h"
#include "ingress/worker.h"

static const struct codec_key key = { .length = 16,
	.bytes = "0123456789ABCDEF" };
static const struct directory_bridge keyed_bridge = { .id = 2,
	.site_id = 1,
	.kind = DIRECTORY_BRIDGE,
	.serial = "B2",
	.account = "5678",
	.key = key.bytes,
	.key_length = 16 };

#define PACE 5 /* frames a second, where they are paced */

static struct ingress_listener_config
named(const char *name)
{
	struct ingress_listener_config config = rig_listener;

	config.name = name;
	return config;
}

static int
open_rig(void **state)
{
	static struct rig rig;
	struct ingress_listener_config listeners[] = { named("panels"),
		named("other"), named("small"), named("few"), named("sealed"),
		named("silent"), named("paced"), named("datagrams") };

	listeners[2].max_sessions = 2;
	listeners[3].max_source_sessions = 2;
	listeners[4].cipher_required = true;
	listeners[5].cipher_required = true;
	listeners[5].silent = true;
	listeners[6].max_source_frames = PACE;
	listeners[7].max_source_frames = PACE;
	listeners[7].transport = INGRESS_UDP;
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

static void
advance(struct rig *rig, int64_t us)
{
	atomic_fetch_add(&rig->clock.ahead_us, us);
}

static void
poll_once(struct rig *rig, int fd)
{
	rig_send_poll(rig, fd, "1234", 1);
	rig_expect(rig, fd, DC09_RESPONSE_ACK, 1);
}

static void
test_junk_is_closed_without_a_word(void **state)
{
	static const struct {
		const char *name, *text;
	} rows[] = {
		{ "HTTP",
		    "GET / HTTP/1.1\r\nHost: example\r\nAccept: */*\r\n\r\n" },
		{ "SIP",
		    "OPTIONS sip:nm SIP/2.0\r\nVia: SIP/2.0/TCP nm\r\n\r\n" },
		{ "TLS", "\x16\x03\x01\x02\x01\x01\xfc\x03\x03 hello" },
		{ "line feeds", "\n\n\n\n\n\n\n\n\n\n\n\n" },
		{ "nearly", "\n12340030\"ADM-CID\"0001L0#1234[]" },
	};
	struct rig *rig = *state;

	for (size_t i = 0; i < COUNT(rows); i++) {
		int many = rig_connect(rig, "panels");
		size_t length = strlen(rows[i].text);

		/* enough of it; the peer may be gone before all is said */
		for (size_t sent = 0; sent <= 8192; sent += length)
			if (send(many, rows[i].text, length, MSG_NOSIGNAL) < 0)
				break;
		rig_expect_closed(many);
		close(many);
	}
	assert_int_equal(rig_count_records(rig), 0);
	for (unsigned i = 0; i < INGRESS_REPLY_KINDS; i++)
		assert_int_equal(rig_status(rig, "panels").replies[i], 0);
}

static void
test_silence_before_a_frame_is_closed(void **state)
{
	struct rig *rig = *state;
	int mute = rig_connect(rig, "panels"),
	    slow = rig_connect(rig, "panels");
	int sound = rig_connect(rig, "panels");

	rig_send(slow, "GET /", 5);
	poll_once(rig, sound); /* the others were accepted before */
	rig_expect_nothing(mute);
	advance(rig, 10500000);
	rig_expect_closed(mute);
	rig_expect_closed(slow);
	poll_once(rig, sound);
	assert_int_equal(rig_status(rig, "panels").timeouts, 2);
	close(mute);
	close(slow);
	close(sound);
}

static void
test_idle_sessions_are_closed(void **state)
{
	struct rig *rig = *state;
	int idle = rig_connect(rig, "panels"),
	    busy = rig_connect(rig, "panels");

	poll_once(rig, idle);
	for (unsigned i = 0; i < 5; i++) {
		poll_once(rig, busy);
		if (i < 4)
			poll_once(rig, idle);
		advance(rig, 40000000);
	}
	rig_expect_closed(idle);
	poll_once(rig, busy);
	assert_int_equal(rig_status(rig, "panels").timeouts, 1);
	close(idle);
	close(busy);
}

static void
test_owed_replies_outlive_the_timeout(void **state)
{
	struct rig *rig = *state;
	int fd = rig_connect(rig, "panels"), other = rig_connect(rig, "panels");

	poll_once(rig, other);
	rig_disk_hold(rig);
	rig_send_event(rig, fd, "1234", 8);
	rig_disk_wait_held(rig);
	advance(rig, 70000000);
	rig_expect_closed(other); /* timeouts were looked at */
	rig_disk_release(rig);
	rig_expect(rig, fd, DC09_RESPONSE_ACK, 8);
	close(fd);
	close(other);
}

static void
test_sessions_are_bounded(void **state)
{
	struct rig *rig = *state;
	int first = rig_connect(rig, "small"),
	    second = rig_connect(rig, "small");
	int third;

	poll_once(rig, first);
	poll_once(rig, second);
	third = rig_connect(rig, "small");
	rig_expect_closed(third);
	close(third);
	assert_int_equal(rig_status(rig, "small").refused, 1);
	shutdown(first, SHUT_WR);
	rig_expect_closed(first);
	close(first);
	third = rig_connect(rig, "small");
	poll_once(rig, third);
	close(second);
	close(third);
}

static void
wait_sessions(struct rig *rig, const char *listener, unsigned count)
{
	while (rig_status(rig, listener).sessions_now != count)
		sched_yield();
}

/* One more comes than may be there at a time, as many of which say nothing. */
static void
test_strangers_make_room(void **state)
{
	static const struct {
		const char *name, *first, *second, *newcomer;
		int64_t silent_us;
		bool room;
	} rows[] = {
		{ "from elsewhere", "127.0.0.2", "127.0.0.2", "127.0.0.3", 0,
		    true },
		{ "no more of one than of another", "127.0.0.2", "127.0.0.3",
		    "127.0.0.4", 999999, false },
		{ "silent for a second", "127.0.0.2", "127.0.0.3", "127.0.0.4",
		    1000000, true },
		{ "as many already", "127.0.0.2", "127.0.0.3", "127.0.0.2", 0,
		    false },
	};
	struct rig *rig = *state;

	rig_stop_clock(rig);
	for (size_t i = 0; i < COUNT(rows); i++) {
		uint64_t refused = rig_status(rig, "small").refused;
		uint64_t timeouts = rig_status(rig, "small").timeouts;
		int first = rig_connect_from(rig, "small", rows[i].first);
		int second, newcomer;

		wait_sessions(rig, "small", 1);
		second = rig_connect_from(rig, "small", rows[i].second);
		wait_sessions(rig, "small", 2);
		advance(rig, rows[i].silent_us);
		newcomer = rig_connect_from(rig, "small", rows[i].newcomer);
		if (rows[i].room)
			poll_once(rig, newcomer);
		rig_expect_closed(rows[i].room ? first : newcomer);
		assert_row(rig_status(rig, "small").refused - refused ==
			!rows[i].room,
		    i, rows[i].name);
		assert_row(rig_status(rig, "small").timeouts - timeouts ==
			rows[i].room,
		    i, rows[i].name);
		rig_expect_nothing(second);
		close(first);
		close(second);
		close(newcomer);
		wait_sessions(rig, "small", 0);
	}
}

static void
test_sessions_of_one_address_are_bounded(void **state)
{
	struct rig *rig = *state;
	int first = rig_connect(rig, "few"), second = rig_connect(rig, "few");
	int third, elsewhere;

	poll_once(rig, first);
	poll_once(rig, second);
	third = rig_connect(rig, "few");
	rig_expect_closed(third);
	close(third);
	assert_int_equal(rig_status(rig, "few").refused_source, 1);
	assert_int_equal(rig_status(rig, "few").refused, 0);
	elsewhere = rig_connect_from(rig, "few", "127.0.0.2");
	poll_once(rig, elsewhere);
	shutdown(first, SHUT_WR);
	rig_expect_closed(first);
	third = rig_connect(rig, "few");
	poll_once(rig, third);
	close(first);
	close(second);
	close(third);
	close(elsewhere);
}

static uint64_t
paced(struct rig *rig, const char *listener)
{
	return rig_status(rig, listener)
	    .refusals[INGRESS_REFUSED_OVER_FRAME_LIMIT];
}

/* Frames on a connection are never lost for coming too fast, only later; and
 * nobody else waits for them. */
static void
test_frames_of_one_address_are_paced(void **state)
{
	enum {
		FRAMES = 60
	};
	struct rig *rig = *state;
	int fast = rig_connect(rig, "paced");
	int other = rig_connect_from(rig, "paced", "127.0.0.2");

	for (unsigned i = 1; i <= FRAMES; i++)
		rig_send_poll(rig, fast, "1234", i);
	while (paced(rig, "paced") == 0)
		sched_yield();
	poll_once(rig, other);
	for (unsigned i = 1; i <= FRAMES; i++) {
		if (i % PACE == 0)
			advance(rig, 1000000);
		rig_expect(rig, fast, DC09_RESPONSE_ACK, i);
	}
	assert_int_equal(rig_status(rig, "paced").polls, FRAMES + 1);
	assert_int_equal(rig_status(rig, "paced").timeouts, 0);
	close(fast);
	close(other);
}

static void
test_datagrams_of_one_address_are_paced(void **state)
{
	struct rig *rig = *state;
	int fd = rig_connect_udp(rig, "datagrams");
	unsigned sent = 0;

	do {
		rig_send_event(rig, fd, "1234", ++sent);
		sched_yield();
	} while (paced(rig, "datagrams") == 0);
	for (unsigned i = 1; i <= PACE; i++)
		rig_expect(rig, fd, DC09_RESPONSE_ACK, i);
	close(fd);
}

/* However much one panel sends, only so many of its frames can stand before
 * another's: it is not read from while it is owed so many answers. */
static void
test_a_flooding_panel_slows_nobody(void **state)
{
	enum {
		FLOOD_BYTES = 256 * 1024,
		/* owed, and what one read may bring beyond */
		BEFORE_MAX = SESSION_IN_FLIGHT_MAX + WORKER_READ_BYTES / 40 + 1
	};
	struct rig *rig = *state;
	int flooding = rig_connect(rig, "panels");
	int honest = rig_connect(rig, "panels");
	char frame[DC09_FRAME_MAX];
	unsigned sequence = 0;

	rig_disk_hold(rig);
	for (size_t sent = 0; sent < FLOOD_BYTES;) {
		size_t length = rig_event(rig,
		    &(struct panel){ .account = "1234" }, ++sequence, frame);

		rig_send(flooding, frame, length);
		sent += length;
	}
	assert_true(sequence > 3 * BEFORE_MAX);
	rig_send_event(rig, honest, "5678", 1);
	rig_disk_wait_held(rig);
	rig_disk_release(rig);
	rig_expect(rig, honest, DC09_RESPONSE_ACK, 1);
	assert_true(rig_place_of(rig, "5678") <= BEFORE_MAX);
	close(flooding);
	close(honest);
}

static void
test_a_listener_that_demands_encryption(void **state)
{
	const struct panel sealed = { .account = "5678", .key = &key };
	struct rig *rig = *state;
	int fd = rig_connect(rig, "sealed");
	char frame[DC09_FRAME_MAX];

	rig_put_bridge(rig, &keyed_bridge);
	rig_send_event(rig, fd, "5678", 1); /* its bridge, in clear */
	rig_expect(rig, fd, DC09_RESPONSE_DUH, 1);
	rig_send_event(rig, fd, "9999", 2); /* nobody's */
	rig_expect(rig, fd, DC09_RESPONSE_DUH, 2);
	rig_send(fd, frame, rig_event(rig, &sealed, 3, frame));
	rig_expect_key(rig, fd, &key, DC09_RESPONSE_ACK, 3);
	assert_int_equal(rig_count_records(rig), 1);
	close(fd);
}

struct told {
	unsigned count;
	char account[INGRESS_REFUSALS][INGRESS_ACCOUNT_TEXT];
};

static void
note_told(void *context, const struct ingress_refusal_status *status)
{
	struct told *told = context;

	told->count++;
	assert_string_equal(status->listener, "sealed");
	memcpy(told->account[status->cause], status->account,
	    sizeof(status->account));
}

/* Each cause is counted as what it is, and an operator is told of what nobody
 * can cause who does not know of the panel, with its account. */
static void
test_each_refusal_has_its_cause(void **state)
{
	static const struct codec_key other_key = { .length = 16,
		.bytes = "FEDCBA9876543210" };
	static const struct {
		struct panel panel;
		enum ingress_refusal cause;
		enum dc09_response reply;
	} rows[] = {
		{ { "5678", NULL, 0, false }, INGRESS_REFUSED_CLEAR_TEXT,
		    DC09_RESPONSE_DUH },
		{ { "5678", &other_key, 0, false }, INGRESS_REFUSED_WRONG_KEY,
		    DC09_RESPONSE_DUH },
		{ { "9999", &key, 0, false }, INGRESS_REFUSED_NO_KEY,
		    DC09_RESPONSE_DUH },
		{ { "5678", &key, 3600000000, false },
		    INGRESS_REFUSED_TIME_WINDOW, DC09_RESPONSE_NAK },
	};
	struct rig *rig = *state;
	int fd = rig_connect(rig, "sealed");
	struct ingress_listener_status status;
	char frame[DC09_FRAME_MAX];
	struct told told = { 0 };
	size_t length;

	rig_put_bridge(rig, &keyed_bridge);
	/* what any stranger can cause is counted only */
	length = rig_event(rig, &rows[0].panel, 9, frame);
	frame[1] = frame[1] == '0' ? '1' : '0'; /* of its CRC */
	rig_send(fd, frame, length);
	for (unsigned i = 0; i < COUNT(rows); i++) {
		rig_send(fd, frame,
		    rig_event(rig, &rows[i].panel, i + 1, frame));
		rig_expect(rig, fd, rows[i].reply,
		    rows[i].reply == DC09_RESPONSE_NAK ? 0 : i + 1);
	}
	status = rig_status(rig, "sealed");
	ingress_each_refusal(rig->ingress, note_told, &told);
	assert_int_equal(status.refusals[INGRESS_REFUSED_BAD_CRC], 1);
	assert_int_equal(told.count, COUNT(rows));
	for (unsigned i = 0; i < COUNT(rows); i++) {
		enum ingress_refusal cause = rows[i].cause;

		assert_row(status.refusals[cause] == 1, i,
		    ingress_refusal_name(cause));
		assert_row(strcmp(told.account[cause], rows[i].panel.account) ==
			0,
		    i, ingress_refusal_name(cause));
	}
	assert_int_equal(rig_count_records(rig), 0);
	close(fd);
}

/* No word to who is unknown or has no right key; but a clock that is wrong is
 * told the time. */
static void
test_a_silent_listener(void **state)
{
	static const struct codec_key other_key = { .length = 16,
		.bytes = "FEDCBA9876543210" };
	static const struct {
		struct panel panel;
		enum ingress_refusal cause;
	} rows[] = {
		{ { "5678", NULL, 0, false }, INGRESS_REFUSED_CLEAR_TEXT },
		{ { "5678", &other_key, 0, false }, INGRESS_REFUSED_WRONG_KEY },
		{ { "9999", &key, 0, false }, INGRESS_REFUSED_UNKNOWN_ACCOUNT },
		{ { "9999", NULL, 0, false }, INGRESS_REFUSED_UNKNOWN_ACCOUNT },
	};
	const struct panel late = { "5678", &key, 3600000000, false };
	const struct panel right = { "5678", &key, 0, false };
	struct rig *rig = *state;
	int fd = rig_connect(rig, "silent");
	struct ingress_listener_status status;
	char frame[DC09_FRAME_MAX];

	rig_put_bridge(rig, &keyed_bridge);
	for (unsigned i = 0; i < COUNT(rows); i++)
		rig_send(fd, frame,
		    rig_event(rig, &rows[i].panel, i + 1, frame));
	rig_send(fd, frame, rig_event(rig, &late, 8, frame));
	rig_expect(rig, fd, DC09_RESPONSE_NAK, 0); /* the first answer */
	rig_send(fd, frame, rig_event(rig, &right, 9, frame));
	rig_expect_key(rig, fd, &key, DC09_RESPONSE_ACK, 9);
	status = rig_status(rig, "silent");
	assert_int_equal(status.refusals[INGRESS_REFUSED_CLEAR_TEXT], 1);
	assert_int_equal(status.refusals[INGRESS_REFUSED_WRONG_KEY], 1);
	assert_int_equal(status.refusals[INGRESS_REFUSED_UNKNOWN_ACCOUNT], 2);
	assert_int_equal(status.replies[INGRESS_REPLY_NONE], COUNT(rows));
	assert_int_equal(rig_count_records(rig), 1);
	close(fd);
}

/* A peer that takes no replies is not read from, loses nothing when it takes
 * them after all, and goes when it never does. */
static void
test_a_peer_that_does_not_read(void **state)
{
	struct rig *rig = *state;
	char frame[DC09_FRAME_MAX];
	const struct panel panel = { .account = "1234" };
	int fd = rig_connect_small(rig, "panels", 4096);
	int other = rig_connect(rig, "panels");
	size_t length = rig_poll(rig, &panel, 1, frame), at = 0;
	uint64_t polls, sent = 0;

	while (!rig_sessions_say(rig, "\"blocked\":true"))
		for (unsigned i = 0; i < 1000; i++) {
			ssize_t n = send(fd, frame + at, length - at,
			    MSG_DONTWAIT | MSG_NOSIGNAL);

			if (n <= 0)
				break;
			sent += at + (size_t)n == length;
			at = (at + (size_t)n) % length;
		}
	polls = rig_status(rig, "panels").polls;
	poll_once(rig, other);
	assert_int_equal(rig_status(rig, "panels").polls, polls + 1);
	advance(rig, 61000000);
	rig_expect_closed(other);
	/* what the kernel had is still there, then it ends */
	for (;;) {
		static char replies[65536];

		if (recv(fd, replies, sizeof(replies), 0) <= 0)
			break;
	}
	assert_int_equal(rig_status(rig, "panels").sessions_now, 0);
	assert_true(sent >= polls);
	close(fd);
	close(other);
}

static void
test_a_thousand_connections(void **state)
{
	enum {
		PANELS = 1000
	};
	struct rlimit limit;
	struct rig *rig = *state;
	static int fds[PANELS];

	getrlimit(RLIMIT_NOFILE, &limit);
	limit.rlim_cur = limit.rlim_max;
	setrlimit(RLIMIT_NOFILE, &limit);
	for (unsigned i = 0; i < PANELS; i++)
		fds[i] = rig_connect(rig, "panels");
	for (unsigned round = 0; round < 3; round++) {
		for (unsigned i = 0; i < PANELS; i++)
			rig_send_event(rig, fds[i], "1234", i + 1);
		for (unsigned i = 0; i < PANELS; i++)
			rig_expect(rig, fds[i], DC09_RESPONSE_ACK, i + 1);
	}
	assert_int_equal(rig_status(rig, "panels").sessions_now, PANELS);
	assert_int_equal(rig_count_records(rig), 3 * PANELS);
	for (unsigned i = 0; i < PANELS; i++)
		close(fds[i]);
}

/* With no descriptor left a newcomer is turned away instead of waking us for
 * ever, and the next one is served when there are some again. */
static void
test_out_of_descriptors(void **state)
{
	static int spare[4096];
	struct rig *rig = *state;
	struct rlimit saved, tight;
	unsigned count = 0;
	int fd = rig_connect(rig, "panels"), late;

	poll_once(rig, fd);
	rig_wait_spare(rig);
	getrlimit(RLIMIT_NOFILE, &saved);
	tight = saved;
	tight.rlim_cur = 200;
	setrlimit(RLIMIT_NOFILE, &tight);
	while (count < COUNT(spare) && (spare[count] = dup(fd)) >= 0)
		count++;
	assert_int_equal(errno, EMFILE);
	close(spare[--count]);
	late = rig_connect(rig, "panels");
	rig_expect_closed(late);
	poll_once(rig, fd);
	assert_int_equal(rig_status(rig, "panels").refused, 1);
	close(late);
	while (count > 0)
		close(spare[--count]);
	setrlimit(RLIMIT_NOFILE, &saved);
	late = rig_connect(rig, "panels");
	poll_once(rig, late);
	close(late);
	close(fd);
}

static void
test_reload_keeps_what_stays(void **state)
{
	struct rig *rig = *state;
	struct ingress_listener_config listeners[] = { named("panels"),
		named("new") };
	struct ingress_config config = { .listener_count = 2,
		.listeners = listeners };
	uint16_t port = ingress_listener_port(rig->ingress, "panels");
	int kept = rig_connect(rig, "panels"), gone = rig_connect(rig, "other");
	int fresh;
	struct err err;

	poll_once(rig, kept);
	poll_once(rig, gone);
	listeners[0].unknown_account = INGRESS_UNKNOWN_DUH;
	assert_int_equal(ingress_reload(rig->ingress, &config, &err), 0);
	assert_int_equal(ingress_listener_port(rig->ingress, "panels"), port);
	assert_int_equal(ingress_listener_port(rig->ingress, "other"), 0);
	rig_expect_closed(gone);
	rig_send_event(rig, kept, "9999", 2);
	rig_expect(rig, kept, DC09_RESPONSE_DUH, 2);
	assert_int_equal(rig_status(rig, "panels").sessions_total, 1);
	fresh = rig_connect(rig, "new");
	poll_once(rig, fresh);
	close(kept);
	close(gone);
	close(fresh);
}

static void
test_a_reload_that_fails_changes_nothing(void **state)
{
	struct rig *rig = *state;
	struct ingress_listener_config listeners[] = { named("panels"),
		named("taken") };
	struct ingress_config config = { .listener_count = 2,
		.listeners = listeners };
	int fd = rig_connect(rig, "other");
	struct err err = { "" };

	poll_once(rig, fd);
	listeners[1].port = ingress_listener_port(rig->ingress, "other");
	assert_int_equal(ingress_reload(rig->ingress, &config, &err),
	    -EADDRINUSE);
	assert_non_null(strstr(err.text, "taken"));
	poll_once(rig, fd);
	assert_int_equal(rig_status(rig, "other").polls, 2);
	close(fd);
}

static void
test_events_owed_to_a_removed_listener(void **state)
{
	struct rig *rig = *state;
	struct ingress_listener_config listeners[] = { named("panels") };
	struct ingress_config config = { .listener_count = 1,
		.listeners = listeners };
	int gone = rig_connect(rig, "other"), kept = rig_connect(rig, "panels");
	struct err err;

	rig_disk_hold(rig);
	rig_send_event(rig, gone, "1234", 1);
	rig_disk_wait_held(rig);
	rig_send_event(rig, kept, "1234", 2);
	assert_int_equal(ingress_reload(rig->ingress, &config, &err), 0);
	rig_expect_closed(gone);
	rig_disk_release(rig);
	rig_expect(rig, kept, DC09_RESPONSE_ACK, 2);
	assert_int_equal(rig_count_records(rig), 2);
	close(gone);
	close(kept);
}

/* Several workers share a port: each connection has one of them for life. */
static void
test_two_workers(void **state)
{
	enum {
		PANELS = 40
	};
	struct rig *rig = *state;
	struct ingress *one = rig->ingress, *two = NULL;
	struct ingress_listener_config listeners[] = { named("panels"),
		named("new") };
	struct ingress_config config = {
		.workers = 2, .listener_count = 1, .listeners = listeners
	};
	int fds[PANELS];
	struct err err;

	assert_int_equal(ingress_open(&two, &config, rig->journal,
			     rig->directory, &rig->clock.clock, &err),
	    0);
	rig->ingress = two;
	for (unsigned i = 0; i < PANELS; i++) {
		fds[i] = rig_connect(rig, "panels");
		rig_send_event(rig, fds[i], "1234", i + 1);
	}
	for (unsigned i = 0; i < PANELS; i++)
		rig_expect(rig, fds[i], DC09_RESPONSE_ACK, i + 1);
	assert_true(rig_sessions_say(rig, "\"worker\":0"));
	assert_true(rig_sessions_say(rig, "\"worker\":1"));
	config.listener_count = 2;
	assert_int_equal(ingress_reload(two, &config, &err), 0);
	for (unsigned i = 0; i < PANELS; i++)
		poll_once(rig, fds[i]);
	assert_int_equal(rig_status(rig, "panels").sessions_now, PANELS);
	ingress_drain(two, 60000000);
	ingress_close(&two);
	rig->ingress = one;
	for (unsigned i = 0; i < PANELS; i++) {
		rig_expect_closed(fds[i]);
		close(fds[i]);
	}
}

static void
test_shows(void **state)
{
	struct rig *rig = *state;
	struct json json = { 0 };
	int a = rig_connect(rig, "panels"), b = rig_connect(rig, "other");

	poll_once(rig, a);
	poll_once(rig, b);
	json_array_begin(&json, NULL);
	ingress_show_listeners(rig->ingress, &json);
	json_array_end(&json);
	assert_non_null(strstr(json_text(&json), "\"name\":\"small\""));
	assert_non_null(strstr(json_text(&json), "\"polls\":1"));
	json_reset(&json);
	json_array_begin(&json, NULL);
	ingress_show_sessions(rig->ingress, &json, 1);
	json_array_end(&json);
	assert_non_null(strstr(json_text(&json), "\"listener\":\"panels\""));
	assert_null(strstr(json_text(&json), "\"listener\":\"other\""));
	json_close(&json);
	close(a);
	close(b);
}

#define TEST(function)                                                         \
 cmocka_unit_test_setup_teardown(function, open_rig, close_rig)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_junk_is_closed_without_a_word),
		TEST(test_silence_before_a_frame_is_closed),
		TEST(test_idle_sessions_are_closed),
		TEST(test_owed_replies_outlive_the_timeout),
		TEST(test_sessions_are_bounded),
		TEST(test_strangers_make_room),
		TEST(test_sessions_of_one_address_are_bounded),
		TEST(test_frames_of_one_address_are_paced),
		TEST(test_datagrams_of_one_address_are_paced),
		TEST(test_a_flooding_panel_slows_nobody),
		TEST(test_a_listener_that_demands_encryption),
		TEST(test_each_refusal_has_its_cause),
		TEST(test_a_silent_listener),
		TEST(test_a_peer_that_does_not_read),
		TEST(test_a_thousand_connections),
		TEST(test_out_of_descriptors),
		TEST(test_reload_keeps_what_stays),
		TEST(test_a_reload_that_fails_changes_nothing),
		TEST(test_events_owed_to_a_removed_listener),
		TEST(test_two_workers),
		TEST(test_shows),
	};

	return cmocka_run_group_tests_name("ingress/limits", tests, NULL, NULL);
}
