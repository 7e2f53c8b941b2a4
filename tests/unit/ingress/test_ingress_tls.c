/* DC-09 over TLS: what is spoken, who may speak, and what strangers may not
 * do. The panels here are OpenSSL clients on blocking sockets. */
#include "rig.h"
#include "unit/certificates.h"

#include <errno.h>
#include <fcntl.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <signal.h>
#include <sys/socket.h>

#define DAY_S 86400

/* Files in a directory of the test; the rig's listeners name them. */
struct fixture {
	struct rig rig;
	char directory[64], server[80], renewed[80], authority[80];
	struct certificate ca, stranger_ca;
	struct ingress_listener_config listeners[5];
};

enum {
	OPEN,	  /* asks for no certificate */
	OPTIONAL, /* asks, and takes panels without */
	BOUND,	  /* demands one that names the account */
	PLAIN,	  /* no TLS */
	PACED,	  /* one handshake a second from an address */
};
static const char *const names[] = { "open", "optional", "bound", "plain",
	"paced" };

static void
sign(const struct fixture *f, const char *name, const char *path)
{
	struct certificate server = certificate_make(name, NULL, &f->ca, DAY_S);

	certificate_write(&server, path);
	certificate_free(&server);
}

static void
make_files(struct fixture *f)
{
	snprintf(f->directory, sizeof(f->directory), "/tmp/tocsin-tls-XXXXXX");
	assert_non_null(mkdtemp(f->directory));
	snprintf(f->server, sizeof(f->server), "%s/server", f->directory);
	snprintf(f->renewed, sizeof(f->renewed), "%s/renewed", f->directory);
	snprintf(f->authority, sizeof(f->authority), "%s/ca", f->directory);
	f->ca = certificate_make("authority", NULL, NULL, DAY_S);
	f->stranger_ca = certificate_make("stranger", NULL, NULL, DAY_S);
	certificate_write(&f->ca, f->authority);
	sign(f, "receiver", f->server);
	sign(f, "renewed", f->renewed);
}

static void
set_listeners(struct fixture *f)
{
	for (unsigned i = 0; i < COUNT(f->listeners); i++) {
		f->listeners[i] = rig_listener;
		f->listeners[i].name = names[i];
		if (i == PLAIN)
			continue;
		f->listeners[i].transport = INGRESS_TLS;
		f->listeners[i].tls = (struct ingress_tls_config){
			.certificate = f->server,
			.client_ca =
			    i == OPEN || i == PACED ? NULL : f->authority,
			.client_required = i == BOUND,
			.client_account = true,
			.max_handshakes = 4,
			.handshake_timeout_us = 5000000,
		};
	}
	f->listeners[PACED].max_source_handshakes = 1;
}

static int
open_fixture(void **state)
{
	static struct fixture f;

	signal(SIGPIPE, SIG_IGN);
	memset(&f, 0, sizeof(f));
	make_files(&f);
	set_listeners(&f);
	rig_open(&f.rig, f.listeners, COUNT(f.listeners), RIG_BUDGET);
	*state = &f;
	return 0;
}

static int
close_fixture(void **state)
{
	struct fixture *f = *state;

	rig_close(&f->rig);
	certificate_free(&f->ca);
	certificate_free(&f->stranger_ca);
	unlink(f->server);
	unlink(f->renewed);
	unlink(f->authority);
	rmdir(f->directory);
	return 0;
}

/* ---- a panel ---------------------------------------------------------------- */

struct client {
	const struct certificate *certificate; /* NULL: none */
	int newest;			       /* TLS version; 0: any */
};

static SSL *
connect_tls(struct fixture *f, unsigned listener, const struct client *client)
{
	SSL_CTX *context = SSL_CTX_new(TLS_client_method());
	SSL *ssl;

	assert_non_null(context);
	SSL_CTX_set_security_level(context, 0); /* to offer what is refused */
	SSL_CTX_set_min_proto_version(context, TLS1_VERSION);
	if (client && client->newest)
		SSL_CTX_set_max_proto_version(context, client->newest);
	if (client && client->certificate) {
		SSL_CTX_use_certificate(context, client->certificate->x509);
		SSL_CTX_use_PrivateKey(context, client->certificate->key);
	}
	ssl = SSL_new(context);
	SSL_CTX_free(context);
	SSL_set_fd(ssl, rig_connect(&f->rig, names[listener]));
	return ssl;
}

static SSL *
open_panel(struct fixture *f, unsigned listener, const struct client *client)
{
	SSL *ssl = connect_tls(f, listener, client);

	if (SSL_connect(ssl) != 1) {
		ERR_print_errors_fp(stderr);
		fail_msg("no handshake with %s", names[listener]);
	}
	return ssl;
}

static void
hang_up(SSL *ssl)
{
	int fd = SSL_get_fd(ssl);

	SSL_free(ssl);
	close(fd);
}

static void
say(SSL *ssl, const void *data, size_t length)
{
	assert_int_equal(SSL_write(ssl, data, (int)length), (int)length);
}

static void
say_event(struct fixture *f, SSL *ssl, const char *account, unsigned sequence)
{
	char frame[DC09_FRAME_MAX];

	say(ssl, frame,
	    rig_event(&f->rig, &(struct panel){ .account = account }, sequence,
		frame));
}

/* The next reply. Its kind stands behind CRC and length, in quotes. */
static void
expect(SSL *ssl, const char *kind, unsigned sequence)
{
	char reply[DC09_FRAME_MAX + 1], wanted[32];
	int length = 0;

	while (length == 0 || reply[length - 1] != '\r') {
		int n = SSL_read(ssl, reply + length, 1);

		if (n != 1)
			fail_msg("no reply: SSL_read says %d",
			    SSL_get_error(ssl, n));
		length++;
	}
	reply[length] = '\0';
	snprintf(wanted, sizeof(wanted), "\"%s\"%04u", kind, sequence);
	if (!strstr(reply, wanted))
		fail_msg("wanted %s, got %s", wanted, reply);
}

/* Refused during the handshake. With TLS 1.3 the client learns it only when
 * it reads. */
static void
expect_refusal(SSL *ssl)
{
	char byte;

	if (SSL_connect(ssl) == 1)
		assert_true(SSL_read(ssl, &byte, 1) <= 0);
	hang_up(ssl);
}

static struct ingress_listener_status
status(struct fixture *f, unsigned listener)
{
	return rig_status(&f->rig, names[listener]);
}

/* The client may know it earlier than the counter. */
static void
wait_failed(struct fixture *f, unsigned listener, uint64_t count)
{
	while (status(f, listener).handshakes_failed < count)
		;
	assert_int_equal(status(f, listener).handshakes_failed, count);
}

static bool
errors_say(struct fixture *f, const char *text)
{
	struct json json = { 0 };
	bool said;

	json_array_begin(&json, NULL);
	ingress_show_errors(f->rig.ingress, &json);
	json_array_end(&json);
	said = strstr(json_text(&json), text);
	json_close(&json);
	return said;
}

/* Nobody has been silent for long, however slow the machine is. */
/* How many sessions are shown so. */
#define HAS_PLACE "\"tls\":\"handshake\""
#define QUEUED	  "\"tls\":\"queued\""
static unsigned
count_shown(struct fixture *f, const char *text)
{
	struct json json = { 0 };
	unsigned count = 0;

	json_array_begin(&json, NULL);
	ingress_show_sessions(f->rig.ingress, &json, 100);
	json_array_end(&json);
	for (const char *at = json_text(&json); (at = strstr(at, text)); at++)
		count++;
	json_close(&json);
	return count;
}

static void
advance(struct fixture *f, int64_t us)
{
	atomic_fetch_add(&f->rig.clock.ahead_us, us);
}

/* ---- what is spoken ----------------------------------------------------------- */

static void
test_events_are_acknowledged(void **state)
{
	static const int versions[] = { TLS1_2_VERSION, TLS1_3_VERSION };
	struct fixture *f = *state;

	for (size_t i = 0; i < COUNT(versions); i++) {
		SSL *ssl = open_panel(f, OPEN,
		    &(struct client){ .newest = versions[i] });

		for (unsigned n = 1; n <= 3; n++) {
			say_event(f, ssl, "1234", n);
			expect(ssl, "ACK", n);
		}
		hang_up(ssl);
	}
	assert_int_equal(rig_count_records(&f->rig), 6);
	assert_int_equal(status(f, OPEN).handshakes, COUNT(versions));
	assert_int_equal(status(f, OPEN).handshakes_failed, 0);
}

static void
test_old_versions_and_weak_ciphers_are_refused(void **state)
{
	static const struct {
		const char *name;
		int newest;
		const char *ciphers; /* NULL: any */
	} rows[] = {
		{ "TLS 1.0", TLS1_VERSION, NULL },
		{ "TLS 1.1", TLS1_1_VERSION, NULL },
		{ "CBC", TLS1_2_VERSION, "ECDHE-ECDSA-AES128-SHA256" },
		{ "short tag", TLS1_2_VERSION, "ECDHE-ECDSA-AES128-CCM8" },
	};
	struct fixture *f = *state;

	for (size_t i = 0; i < COUNT(rows); i++) {
		SSL *ssl = connect_tls(f, OPEN,
		    &(struct client){ .newest = rows[i].newest });

		if (rows[i].ciphers)
			assert_row(SSL_set_cipher_list(ssl, rows[i].ciphers) ==
				1,
			    i, rows[i].name);
		assert_row(SSL_connect(ssl) != 1, i, rows[i].name);
		hang_up(ssl);
		wait_failed(f, OPEN, i + 1);
	}
	assert_true(errors_say(f, "unsupported protocol"));
	assert_true(errors_say(f, "no shared cipher"));
	while (status(f, OPEN).sessions_now > 0)
		;
}

/* More than one read takes at a time, in records of every size: what the
 * library holds back must not wait for the socket. */
static void
test_many_frames_at_once(void **state)
{
	enum {
		FRAMES = 600
	};
	static char burst[FRAMES * 128];
	struct fixture *f = *state;
	SSL *ssl = open_panel(f, OPEN, NULL);
	size_t length = 0;

	for (unsigned n = 1; n <= FRAMES; n++)
		length += rig_event(&f->rig,
		    &(struct panel){ .account = "1234" }, n, burst + length);
	for (size_t at = 0, step = 1; at < length; at += step) {
		step = step * 7 % 20011;
		if (step > length - at)
			step = length - at;
		say(ssl, burst + at, step);
	}
	for (unsigned n = 1; n <= FRAMES; n++)
		expect(ssl, "ACK", n);
	hang_up(ssl);
}

/* A full journal keeps frames waiting, in the library too. */
static void
test_frames_wait_for_the_disk(void **state)
{
	struct fixture *f = *state;
	SSL *ssl = open_panel(f, OPEN, NULL);

	rig_disk_hold(&f->rig);
	for (unsigned n = 1; n <= 2000; n++)
		say_event(f, ssl, "1234", n);
	rig_disk_wait_held(&f->rig);
	rig_disk_release(&f->rig);
	for (unsigned n = 1; n <= 2000; n++)
		expect(ssl, "ACK", n);
	hang_up(ssl);
}

/* ---- who may speak -------------------------------------------------------------- */

static void
test_client_certificates(void **state)
{
	struct fixture *f = *state;
	struct certificate good, other, stranger, over;
	const struct {
		const char *name;
		unsigned listener;
		const struct certificate *certificate;
		bool accepted;
	} rows[] = {
		{ "none where one is demanded", BOUND, NULL, false },
		{ "none where it is asked for", OPTIONAL, NULL, true },
		{ "of the authority", BOUND, &good, true },
		{ "of a stranger", BOUND, &stranger, false },
		{ "of a stranger, optional", OPTIONAL, &stranger, false },
		{ "expired", BOUND, &over, false },
		{ "not asked for", OPEN, &stranger, true },
	};

	good = certificate_make("1234", NULL, &f->ca, DAY_S);
	other = certificate_make("9999", NULL, &f->ca, DAY_S);
	stranger = certificate_make("1234", NULL, &f->stranger_ca, DAY_S);
	over = certificate_make("1234", NULL, &f->ca, -60);
	for (size_t i = 0; i < COUNT(rows); i++) {
		const struct client client = { rows[i].certificate, 0 };
		SSL *ssl;

		if (!rows[i].accepted) {
			expect_refusal(connect_tls(f, rows[i].listener,
			    &client));
			continue;
		}
		ssl = open_panel(f, rows[i].listener, &client);
		say_event(f, ssl, "1234", (unsigned)i + 1);
		expect(ssl, "ACK", (unsigned)i + 1);
		hang_up(ssl);
	}
	wait_failed(f, BOUND, 3);
	assert_true(errors_say(f, "certificate has expired"));
	assert_int_equal(rig_count_records(&f->rig), 3);
	certificate_free(&good);
	certificate_free(&other);
	certificate_free(&stranger);
	certificate_free(&over);
}

static void
test_a_certificate_names_the_account(void **state)
{
	static const struct {
		const char *common_name, *dns_name, *account;
		bool accepted;
	} rows[] = {
		{ "1234", NULL, "1234", true },
		{ "1235", NULL, "1234", false },
		{ "gateway 7", "1234", "1234", true },
		{ "gateway 7", "example.org", "1234", false },
		{ "00AB", NULL, "00ab", true },
		{ "12345", NULL, "1234", false },
		{ "1234", "ABCD", "ABCD", true },
		{ "234", NULL, "0234", false },
	};
	struct fixture *f = *state;
	uint64_t refused = 0;

	for (size_t i = 0; i < COUNT(rows); i++) {
		struct certificate own = certificate_make(rows[i].common_name,
		    rows[i].dns_name, &f->ca, DAY_S);
		SSL *ssl = open_panel(f, BOUND, &(struct client){ &own, 0 });
		char frame[DC09_FRAME_MAX];
		const struct panel panel = { .account = rows[i].account };

		say_event(f, ssl, rows[i].account, 1);
		expect(ssl, rows[i].accepted ? "ACK" : "DUH", 1);
		/* a link test is a sign of life: of the same account only */
		say(ssl, frame, rig_poll(&f->rig, &panel, 2, frame));
		expect(ssl, rows[i].accepted ? "ACK" : "DUH", 2);
		refused += rows[i].accepted ? 0 : 2;
		assert_row(status(f, BOUND).other_account == refused, i,
		    rows[i].account);
		hang_up(ssl);
		certificate_free(&own);
	}
	assert_int_equal(rig_count_records(&f->rig), 4);
	assert_true(errors_say(f, "does not name"));
}

static void
test_handshakes_of_one_address_are_paced(void **state)
{
	struct fixture *f = *state;
	SSL *ssl = open_panel(f, PACED, &(struct client){ 0 });
	const uint64_t *refused;
	struct ingress_listener_status now;

	do { /* to the end: none is left for the time after */
		int fd = rig_connect(&f->rig, names[PACED]);
		char byte;

		shutdown(fd, SHUT_WR);
		while (recv(fd, &byte, 1, 0) > 0)
			;
		close(fd);
		now = status(f, PACED);
		refused = now.refusals;
	} while (refused[INGRESS_REFUSED_OVER_HANDSHAKE_LIMIT] == 0);
	/* who has one is served, and a second later the next one is */
	say_event(f, ssl, "1234", 1);
	expect(ssl, "ACK", 1);
	hang_up(ssl);
	atomic_fetch_add(&f->rig.clock.ahead_us, 2000000);
	ssl = open_panel(f, PACED, &(struct client){ 0 });
	say_event(f, ssl, "1234", 2);
	expect(ssl, "ACK", 2);
	hang_up(ssl);
}

static void
test_a_bridge_that_must_use_it(void **state)
{
	const struct directory_bridge bridge = {
		.id = 7, .site_id = 1, .account = "7777", .tls_required = true
	};
	struct fixture *f = *state;
	int clear = rig_connect(&f->rig, names[PLAIN]);
	SSL *ssl = open_panel(f, OPEN, &(struct client){ 0 });

	rig_put_bridge(&f->rig, &bridge);
	rig_send_event(&f->rig, clear, "7777", 1);
	rig_expect(&f->rig, clear, DC09_RESPONSE_DUH, 1);
	assert_int_equal(rig_count_records(&f->rig), 0);
	say_event(f, ssl, "7777", 2);
	expect(ssl, "ACK", 2);
	assert_int_equal(rig_count_records(&f->rig), 1);
	hang_up(ssl);
	close(clear);
}

static void
test_a_reload_changes_the_certificate(void **state)
{
	struct fixture *f = *state;
	const struct ingress_config config = {
		.listener_count = COUNT(f->listeners), .listeners = f->listeners
	};
	SSL *kept = open_panel(f, OPEN, NULL), *fresh;
	char name[32];
	X509 *shown;
	struct err err;

	say_event(f, kept, "1234", 1);
	expect(kept, "ACK", 1);
	f->listeners[OPEN].tls.certificate = f->renewed;
	assert_int_equal(ingress_reload(f->rig.ingress, &config, &err), 0);
	say_event(f, kept, "1234", 2);
	expect(kept, "ACK", 2);
	fresh = open_panel(f, OPEN, NULL);
	shown = SSL_get0_peer_certificate(fresh);
	X509_NAME_get_text_by_NID(X509_get_subject_name(shown), NID_commonName,
	    name, sizeof(name));
	assert_string_equal(name, "renewed");
	say_event(f, fresh, "1234", 3);
	expect(fresh, "ACK", 3);
	hang_up(kept);
	hang_up(fresh);
}

static void
test_a_bad_certificate_is_not_taken(void **state)
{
	struct fixture *f = *state;
	const struct ingress_config config = {
		.listener_count = COUNT(f->listeners), .listeners = f->listeners
	};
	const struct {
		const char *certificate, *key, *client_ca, *text;
	} rows[] = {
		{ "/nonexistent/x.pem", NULL, NULL,
		    "listener open: certificate: /nonexistent/x.pem: No such file" },
		{ "/dev/null", NULL, NULL, "certificate: /dev/null: " },
		{ f->server, f->renewed, NULL, "key values mismatch" },
		{ f->server, NULL, "/dev/null", "client_ca: /dev/null: " },
	};
	SSL *ssl;

	for (size_t i = 0; i < COUNT(rows); i++) {
		struct err err = { "" };

		f->listeners[OPEN].tls.certificate = rows[i].certificate;
		f->listeners[OPEN].tls.certificate_key = rows[i].key;
		f->listeners[OPEN].tls.client_ca = rows[i].client_ca;
		assert_row(ingress_reload(f->rig.ingress, &config, &err) ==
			-EINVAL,
		    i, rows[i].text);
		if (!strstr(err.text, rows[i].text))
			fail_msg("%s: %s", rows[i].text, err.text);
	}
	ssl = open_panel(f, OPEN, NULL);
	say_event(f, ssl, "1234", 1);
	expect(ssl, "ACK", 1);
	hang_up(ssl);
}

/* No connection outlives the rule that it broke. */
static void
test_a_listener_turns_to_tls(void **state)
{
	struct fixture *f = *state;
	const struct ingress_config config = {
		.listener_count = COUNT(f->listeners), .listeners = f->listeners
	};
	int clear = rig_connect(&f->rig, names[PLAIN]);
	struct err err;
	SSL *ssl;

	rig_send_event(&f->rig, clear, "1234", 1);
	rig_expect(&f->rig, clear, DC09_RESPONSE_ACK, 1);
	f->listeners[PLAIN].transport = INGRESS_TLS;
	f->listeners[PLAIN].tls = f->listeners[OPEN].tls;
	assert_int_equal(ingress_reload(f->rig.ingress, &config, &err), 0);
	rig_expect_closed(clear);
	close(clear);
	ssl = open_panel(f, PLAIN, NULL);
	say_event(f, ssl, "1234", 2);
	expect(ssl, "ACK", 2);
	hang_up(ssl);
}

/* ---- strangers -------------------------------------------------------------------- */

static void
test_clear_text_on_a_tls_port(void **state)
{
	struct fixture *f = *state;
	int fd = rig_connect(&f->rig, names[OPEN]);
	SSL *ssl;

	rig_send_event(&f->rig, fd, "1234", 1);
	rig_expect_closed(fd);
	close(fd);
	assert_true(errors_say(f, "no TLS on a port for TLS"));
	assert_true(errors_say(f, "\"bytes\":\"0a")); /* the frame's LF */
	wait_failed(f, OPEN, 1);
	assert_int_equal(rig_count_records(&f->rig), 0);
	ssl = open_panel(f, OPEN, NULL);
	hang_up(ssl);
}

static void
test_tls_on_a_clear_port(void **state)
{
	struct fixture *f = *state;
	SSL *ssl = connect_tls(f, PLAIN, NULL);
	int fd = SSL_get_fd(ssl), other = rig_connect(&f->rig, names[PLAIN]);

	SSL_set_connect_state(ssl);
	assert_int_equal(shutdown(fd, SHUT_RD), 0);
	assert_true(SSL_connect(ssl) != 1); /* the hello is out */
	rig_send_event(&f->rig, other, "1234", 1);
	rig_expect(&f->rig, other, DC09_RESPONSE_ACK, 1);
	advance(f, 10500000);
	while (status(f, PLAIN).sessions_now > 1)
		;
	assert_true(errors_say(f, "TLS on a port for clear text"));
	assert_true(errors_say(f, "\"bytes\":\"1603"));
	hang_up(ssl);
	close(other);
}

static void
test_a_slow_handshake_is_closed(void **state)
{
	static const char hello[] = { 0x16, 0x03, 0x01, 0x02, 0x00, 0x01 };
	struct fixture *f = *state;
	int mute = rig_connect(&f->rig, names[OPEN]),
	    slow = rig_connect(&f->rig, names[OPEN]);
	SSL *ssl = open_panel(f, OPEN, NULL);

	rig_send(slow, hello, sizeof(hello));
	while (count_shown(f, HAS_PLACE) == 0)
		;
	rig_expect_nothing(mute);
	advance(f, 5200000);
	rig_expect_closed(mute);
	rig_expect_closed(slow);
	/* the handshake's time was no time of the first frame */
	say_event(f, ssl, "1234", 1);
	expect(ssl, "ACK", 1);
	assert_int_equal(status(f, OPEN).timeouts, 2);
	hang_up(ssl);
	close(mute);
	close(slow);
}

/* Connections from there that begin a hello, one after the other, each until
 * it has a place or waits for one. */
static void
begin_hellos(struct fixture *f, const char *source, int *fds, unsigned count)
{
	static const char hello[] = { 0x16, 0x03, 0x01, 0x02, 0x00, 0x01 };
	unsigned before = count_shown(f, HAS_PLACE) + count_shown(f, QUEUED);

	for (unsigned i = 0; i < count; i++) {
		fds[i] = rig_connect_from(&f->rig, names[OPEN], source);
		rig_send(fds[i], hello, sizeof(hello));
		while (count_shown(f, HAS_PLACE) + count_shown(f, QUEUED) <=
		    before + i)
			;
	}
}

/* One from each of as many addresses. */
static void
begin_from_each(struct fixture *f, int *fds, unsigned count)
{
	for (unsigned i = 0; i < count; i++) {
		char source[16];

		snprintf(source, sizeof(source), "127.0.0.%u", i + 2);
		begin_hellos(f, source, &fds[i], 1);
	}
}

static void
expect_served(struct fixture *f)
{
	SSL *ssl = open_panel(f, OPEN, NULL);

	say_event(f, ssl, "1234", 1);
	expect(ssl, "ACK", 1);
	hang_up(ssl);
}

static void
close_all(const int *fds, unsigned count)
{
	for (unsigned i = 0; i < count; i++)
		close(fds[i]);
}

/* Four may shake hands at a time here. A fifth waits until one is done, or has
 * kept us waiting for a second. */
static void
test_half_open_handshakes_make_room(void **state)
{
	struct fixture *f = *state;
	int mute[4];

	rig_stop_clock(&f->rig);
	begin_from_each(f, mute, COUNT(mute));
	advance(f, 1500000);
	expect_served(f);
	rig_expect_closed(mute[0]);
	rig_expect_nothing(mute[1]);
	close_all(mute, COUNT(mute));
}

/* They hold all places and more wait for one: whoever comes from elsewhere is
 * let in at once. */
static void
test_many_of_one_address_make_room(void **state)
{
	struct fixture *f = *state;
	int mute[8];

	rig_stop_clock(&f->rig);
	begin_hellos(f, "127.0.0.2", mute, COUNT(mute));
	expect_served(f);
	rig_expect_closed(mute[0]);
	rig_expect_nothing(mute[1]);
	close_all(mute, COUNT(mute));
}

/* Four addresses have a place each, and from one of them many more wait for
 * one: what it has is no more than the newcomer would. */
static void
test_those_who_wait_are_no_places(void **state)
{
	struct fixture *f = *state;
	int mute[4], more[8], newcomer;

	rig_stop_clock(&f->rig);
	begin_from_each(f, mute, COUNT(mute));
	begin_hellos(f, "127.0.0.2", more, COUNT(more));
	begin_hellos(f, "127.0.0.9", &newcomer, 1);
	assert_int_equal(count_shown(f, QUEUED), COUNT(more) + 1);
	assert_int_equal(status(f, OPEN).timeouts, 0);
	close(newcomer);
	close_all(more, COUNT(more));
	close_all(mute, COUNT(mute));
}

/* Four addresses hold the places, a fifth waits many times over: the next one
 * that comes from an address of its own waits for a place, not behind those. */
static void
test_who_is_alone_does_not_wait_behind_a_crowd(void **state)
{
	struct fixture *f = *state;
	int mute[4], crowd[40];
	SSL *ssl;

	rig_stop_clock(&f->rig);
	begin_from_each(f, mute, COUNT(mute));
	begin_hellos(f, "127.0.0.9", crowd, COUNT(crowd));
	ssl = connect_tls(f, OPEN, NULL);
	fcntl(SSL_get_fd(ssl), F_SETFL, O_NONBLOCK);
	assert_int_equal(SSL_connect(ssl), -1);
	while (count_shown(f, QUEUED) < COUNT(crowd) + 1)
		;
	/* the two queues take turns: each has one of these */
	close_all(mute, 2);
	fcntl(SSL_get_fd(ssl), F_SETFL, 0);
	assert_int_equal(SSL_connect(ssl), 1);
	assert_true(count_shown(f, QUEUED) >= COUNT(crowd) - 2);
	say_event(f, ssl, "1234", 1);
	expect(ssl, "ACK", 1);
	hang_up(ssl);
	close_all(mute + 2, COUNT(mute) - 2);
	close_all(crowd, COUNT(crowd));
}

/* Without a word they take no place, and the next is not kept waiting. */
static void
test_mute_connections_take_no_place(void **state)
{
	struct fixture *f = *state;
	int mute[8];

	for (unsigned i = 0; i < COUNT(mute); i++)
		mute[i] = rig_connect(&f->rig, names[OPEN]);
	while (status(f, OPEN).sessions_now < COUNT(mute))
		;
	assert_int_equal(count_shown(f, HAS_PLACE), 0);
	expect_served(f);
	for (unsigned i = 0; i < COUNT(mute); i++)
		rig_expect_nothing(mute[i]);
	close_all(mute, COUNT(mute));
}

/* As many of one address as there are places, and four more: those have them
 * as soon as the first are gone. */
static void
test_who_waits_for_a_place_gets_it(void **state)
{
	struct fixture *f = *state;
	int mute[4];
	SSL *waiting[4];

	rig_stop_clock(&f->rig);
	begin_hellos(f, "127.0.0.1", mute, COUNT(mute));
	for (unsigned i = 0; i < COUNT(waiting); i++) {
		waiting[i] = connect_tls(f, OPEN, NULL);
		SSL_set_connect_state(waiting[i]);
		fcntl(SSL_get_fd(waiting[i]), F_SETFL, O_NONBLOCK);
		assert_int_equal(SSL_do_handshake(waiting[i]), -1);
	}
	while (count_shown(f, QUEUED) < COUNT(waiting))
		;
	assert_int_equal(count_shown(f, HAS_PLACE), 4);
	close_all(mute, COUNT(mute));
	for (unsigned i = 0; i < COUNT(waiting); i++) {
		fcntl(SSL_get_fd(waiting[i]), F_SETFL, 0);
		assert_int_equal(SSL_do_handshake(waiting[i]), 1);
		say_event(f, waiting[i], "1234", i + 1);
		expect(waiting[i], "ACK", i + 1);
		hang_up(waiting[i]);
	}
	assert_int_equal(status(f, OPEN).timeouts, 0);
}

/* Broken off at every length, and garbage behind a good beginning. */
static void
test_cut_handshakes(void **state)
{
	struct fixture *f = *state;
	SSL_CTX *context = SSL_CTX_new(TLS_client_method());
	SSL *ssl = SSL_new(context);
	BIO *out = BIO_new(BIO_s_mem());
	char *hello, byte;
	long length;

	SSL_set_bio(ssl, BIO_new(BIO_s_mem()), out);
	SSL_connect(ssl);
	length = BIO_get_mem_data(out, &hello);
	assert_true(length > 100);
	for (long cut = 1; cut < length; cut += 3) {
		int fd = rig_connect(&f->rig, names[OPEN]);

		rig_send(fd, hello, (size_t)cut);
		shutdown(fd, SHUT_WR);
		while (recv(fd, &byte, 1, 0) > 0)
			;
		close(fd);
	}
	for (long at = 1; at < length; at += 3) {
		int fd = rig_connect(&f->rig, names[OPEN]);

		hello[at] ^= 0x55;
		rig_send(fd, hello, (size_t)length);
		shutdown(fd, SHUT_WR);
		while (recv(fd, &byte, 1, 0) > 0)
			;
		hello[at] ^= 0x55;
		close(fd);
	}
	SSL_free(ssl);
	SSL_CTX_free(context);
	while (status(f, OPEN).sessions_now > 0)
		;
	ssl = open_panel(f, OPEN, NULL);
	say_event(f, ssl, "1234", 1);
	expect(ssl, "ACK", 1);
	hang_up(ssl);
}

/* A connection that is broken in the middle of a record does not hurt
 * another. */
static void
test_garbage_behind_the_handshake(void **state)
{
	struct fixture *f = *state;
	SSL *ssl = open_panel(f, OPEN, NULL),
	    *other = open_panel(f, OPEN, NULL);

	say_event(f, ssl, "1234", 1);
	expect(ssl, "ACK", 1);
	rig_send(SSL_get_fd(ssl),
	    "\x17\x03\x03\x00\x20"
	    "garbage garbage garbage garbage ",
	    37);
	rig_send_event(&f->rig, SSL_get_fd(ssl), "1234", 2);
	wait_failed(f, OPEN, 1);
	while (status(f, OPEN).sessions_now > 1)
		;
	say_event(f, other, "1234", 3);
	expect(other, "ACK", 3);
	assert_int_equal(rig_count_records(&f->rig), 2);
	hang_up(ssl);
	hang_up(other);
}

#define TEST(name)                                                             \
 cmocka_unit_test_setup_teardown(name, open_fixture, close_fixture)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_events_are_acknowledged),
		TEST(test_old_versions_and_weak_ciphers_are_refused),
		TEST(test_many_frames_at_once),
		TEST(test_frames_wait_for_the_disk),
		TEST(test_client_certificates),
		TEST(test_a_certificate_names_the_account),
		TEST(test_handshakes_of_one_address_are_paced),
		TEST(test_a_bridge_that_must_use_it),
		TEST(test_a_reload_changes_the_certificate),
		TEST(test_a_bad_certificate_is_not_taken),
		TEST(test_a_listener_turns_to_tls),
		TEST(test_clear_text_on_a_tls_port),
		TEST(test_tls_on_a_clear_port),
		TEST(test_a_slow_handshake_is_closed),
		TEST(test_half_open_handshakes_make_room),
		TEST(test_many_of_one_address_make_room),
		TEST(test_those_who_wait_are_no_places),
		TEST(test_who_is_alone_does_not_wait_behind_a_crowd),
		TEST(test_mute_connections_take_no_place),
		TEST(test_who_waits_for_a_place_gets_it),
		TEST(test_cut_handshakes),
		TEST(test_garbage_behind_the_handshake),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
