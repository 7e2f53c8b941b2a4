/*
 * What one turn of a worker does for whom. The worker has no thread here: its
 * turns are taken one by one.
 */
#include "rig.h"

#include "unit/certificates.h"

#include <openssl/ssl.h>
#include <signal.h>
#include <sys/socket.h>

#include "ingress/listener.h"
#include "ingress/session.h"
#include "ingress/tls_server.h"
#include "ingress/worker.h"

#define DAY_S 86400

enum {
	OTHERS, /* strangers, or panels that say much */
	HONEST,
	SECURE,
	LISTENERS
};

struct fixture {
	struct rig rig;
	char directory[64], server[80];
	struct ingress_listener_config configs[LISTENERS];
	struct listener *listeners[LISTENERS];
	struct worker *worker;
	SSL_CTX *tls;
};

static void
make_certificate(struct fixture *f)
{
	struct certificate server =
	    certificate_make("receiver", NULL, NULL, DAY_S);

	snprintf(f->directory, sizeof(f->directory), "/tmp/tocsin-turn-XXXXXX");
	assert_non_null(mkdtemp(f->directory));
	snprintf(f->server, sizeof(f->server), "%s/server", f->directory);
	certificate_write(&server, f->server);
	certificate_free(&server);
}

static int
open_fixture(void **state)
{
	static struct fixture f;
	static const char *const names[] = { "others", "honest", "secure" };
	struct worker_setup setup = { .clock = &f.rig.clock.clock };
	struct err err = { "" };

	signal(SIGPIPE, SIG_IGN);
	make_certificate(&f);
	rig_open(&f.rig, NULL, 0, RIG_BUDGET);
	setup.journal = f.rig.journal;
	setup.directory = f.rig.directory;
	assert_int_equal(worker_open(&f.worker, &setup, &err), 0);
	for (unsigned i = 0; i < LISTENERS; i++) {
		f.configs[i] = rig_listener;
		f.configs[i].name = names[i];
		if (i == SECURE) {
			f.configs[i].transport = INGRESS_TLS;
			f.configs[i].tls = (struct ingress_tls_config){
				.certificate = f.server,
				.max_handshakes = 100,
				.handshake_timeout_us = 60000000,
			};
		}
		assert_int_equal(listener_open(&f.listeners[i], &f.configs[i],
				     &f.worker, 1, &err),
		    0);
		slot_attach(&f.listeners[i]->slots[0]);
	}
	assert_int_equal(tls_server_open(&f.tls, &f.configs[SECURE].tls, &err),
	    0);
	slot_configure(&f.listeners[SECURE]->slots[0], &f.configs[SECURE],
	    f.tls);
	directory_thread_register();
	directory_thread_offline();
	*state = &f;
	return 0;
}

static int
close_fixture(void **state)
{
	struct fixture *f = *state;

	for (unsigned i = 0; i < LISTENERS; i++) {
		slot_detach(&f->listeners[i]->slots[0]);
		listener_close(&f->listeners[i]);
	}
	worker_turn(f->worker, EVLOOP_NONBLOCK); /* what was closed goes */
	worker_close(&f->worker);
	tls_server_close(&f->tls);
	directory_thread_unregister();
	rig_close(&f->rig);
	unlink(f->server);
	rmdir(f->directory);
	return 0;
}

/* The panel's end of a connection. */
static int
connect_to(struct fixture *f, unsigned listener)
{
	struct socket_address address = { 0 };
	struct err err;
	int pair[2];

	assert_int_equal(socket_address_make("127.0.0.1", 9, &address, &err),
	    0);
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0,
			     pair),
	    0);
	assert_int_equal(session_open(&f->listeners[listener]->slots[0],
			     pair[1], &address),
	    0);
	return pair[0];
}

static uint64_t
signals(const struct fixture *f, unsigned listener)
{
	return counter_read(&f->listeners[listener]->slots[0].counters.signals);
}

/* Served in the very next turn. */
static void
ask_once(struct fixture *f, int fd, unsigned sequence)
{
	uint64_t before = signals(f, HONEST);

	rig_send_event(&f->rig, fd, "1234", sequence);
	worker_turn(f->worker, EVLOOP_ONCE | EVLOOP_NONBLOCK);
	assert_int_equal(signals(f, HONEST), before + 1);
}

/* The more panels have much to say, the less of it fits before another's
 * frame. */
static void
test_greedy_panels_share_a_turn(void **state)
{
	enum {
		PANELS = 8,
		FRAMES = 1000
	};
	static char flood[FRAMES * 64];
	struct fixture *f = *state;
	int honest = connect_to(f, HONEST), greedy[PANELS];
	char frame[DC09_FRAME_MAX];
	size_t length = 0, total = 0;
	uint64_t before;

	for (unsigned n = 1; n <= FRAMES; n++) {
		length = rig_event(&f->rig,
		    &(struct panel){ .account = "1234" }, n, frame);
		memcpy(flood + total, frame, length);
		total += length;
	}
	for (unsigned i = 0; i < PANELS; i++) {
		greedy[i] = connect_to(f, OTHERS);
		rig_send(greedy[i], flood, total);
	}
	ask_once(f, honest, 1);
	before = signals(f, OTHERS);
	assert_true(before >= PANELS);
	assert_true(before <= PANELS * (WORKER_READ_BYTES / length + 1));
	ask_once(f, honest, 2);
	before = signals(f, OTHERS) - before;
	assert_true(before >= PANELS);
	assert_true(before <=
	    WORKER_READ_BYTES / length + PANELS * (WORKER_READ_LEAST / length));
	close(honest);
	for (unsigned i = 0; i < PANELS; i++)
		close(greedy[i]);
}

static void
say_hello(int fd)
{
	SSL_CTX *context = SSL_CTX_new(TLS_client_method());
	SSL *ssl = SSL_new(context);
	BIO *out = BIO_new(BIO_s_mem());
	char *hello;
	long length;

	SSL_set_bio(ssl, BIO_new(BIO_s_mem()), out);
	SSL_connect(ssl);
	length = BIO_get_mem_data(out, &hello);
	rig_send(fd, hello, (size_t)length);
	SSL_free(ssl);
	SSL_CTX_free(context);
}

static unsigned
count_answered(const int *fds, unsigned count)
{
	unsigned answered = 0;
	char byte;

	for (unsigned i = 0; i < count; i++)
		answered +=
		    recv(fds[i], &byte, 1, MSG_PEEK | MSG_DONTWAIT) == 1;
	return answered;
}

/* Everybody shakes hands, one after the other, and nobody is asked twice. */
static void
test_handshakes_wait_behind_frames(void **state)
{
	enum {
		PANELS = 12
	};
	struct fixture *f = *state;
	int honest = connect_to(f, HONEST), fds[PANELS];
	unsigned turns = 0;

	for (unsigned i = 0; i < PANELS; i++) {
		fds[i] = connect_to(f, SECURE);
		say_hello(fds[i]);
	}
	while (count_answered(fds, PANELS) < PANELS) {
		ask_once(f, honest, ++turns);
		assert_int_equal(count_answered(fds, PANELS),
		    turns * TLS_HANDSHAKES_PER_TURN);
	}
	assert_int_equal(f->listeners[SECURE]->slots[0].handshake_count,
	    PANELS);
	/* one that goes while it waits for its step is forgotten */
	for (unsigned i = 0; i < PANELS; i++) {
		say_hello(fds[i]);
		close(fds[i]);
	}
	while (f->listeners[SECURE]->slots[0].handshake_count > 0)
		worker_turn(f->worker, EVLOOP_ONCE);
	close(honest);
}

static void
advance(struct fixture *f, int64_t us)
{
	atomic_fetch_add(&f->rig.clock.ahead_us, us);
}

static void
until_closed(struct fixture *f, int fd)
{
	char said[4096];

	while (recv(fd, said, sizeof(said), MSG_DONTWAIT) != 0)
		worker_turn(f->worker, EVLOOP_ONCE);
}

/* The time of a handshake is what its peer takes, not what it waits for us. */
static void
test_our_delay_is_no_peers_delay(void **state)
{
	enum {
		OTHER_PANELS = 3
	};
	struct fixture *f = *state;
	const struct slot *slot = &f->listeners[SECURE]->slots[0];
	int slow = connect_to(f, SECURE), others[OTHER_PANELS], mute;
	const struct session *session = TAILQ_FIRST(&slot->sessions);

	rig_stop_clock(&f->rig);
	say_hello(slow);
	worker_turn(f->worker, EVLOOP_ONCE);
	assert_int_equal(slot->handshake_count, 1);
	for (unsigned i = 0; i < OTHER_PANELS; i++) {
		others[i] = connect_to(f, SECURE);
		say_hello(others[i]);
	}
	rig_send(slow, "\x14", 1);
	worker_turn(f->worker, EVLOOP_ONCE);
	assert_true(tls_session_is_held(session));
	advance(f, 40000000);
	while (tls_session_is_held(session))
		worker_turn(f->worker, EVLOOP_ONCE);
	/* 80 s from its hello on, and 40 of them are its own; all of them are
	 * those of the other that had its step at once */
	mute = connect_to(f, HONEST);
	advance(f, 40000000);
	until_closed(f, mute);
	until_closed(f, others[0]);
	assert_int_equal(slot->handshake_count, OTHER_PANELS);
	advance(f, 25000000);
	until_closed(f, slow);
	close(mute);
	close(slow);
	for (unsigned i = 0; i < OTHER_PANELS; i++)
		close(others[i]);
}

/* It has spoken, and only we have not listened yet: it makes no room. */
static void
test_who_is_unread_is_not_silent(void **state)
{
	struct fixture *f = *state;
	struct socket_address address;
	struct err err = { "" };
	int honest = connect_to(f, HONEST), mute = connect_to(f, HONEST);
	int newcomer;

	f->configs[HONEST].max_sessions = 2;
	rig_stop_clock(&f->rig);
	worker_turn(f->worker, EVLOOP_ONCE | EVLOOP_NONBLOCK);
	advance(f, 2000000);
	assert_int_equal(socket_address_make("127.0.0.1",
			     f->listeners[HONEST]->port, &address, &err),
	    0);
	newcomer = socket_connect(&address, SOCK_STREAM, &err);
	assert_true(newcomer >= 0);
	ask_once(f, honest, 1);
	until_closed(f, mute);
	ask_once(f, honest, 2);
	close(honest);
	close(mute);
	close(newcomer);
}

#define TEST(function)                                                         \
 cmocka_unit_test_setup_teardown(function, open_fixture, close_fixture)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_greedy_panels_share_a_turn),
		TEST(test_handshakes_wait_behind_frames),
		TEST(test_our_delay_is_no_peers_delay),
		TEST(test_who_is_unread_is_not_silent),
	};

	return cmocka_run_group_tests_name("ingress/turn", tests, NULL, NULL);
}
