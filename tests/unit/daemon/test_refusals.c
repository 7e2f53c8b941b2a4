/*
 * Everything that can be refused, each provoked from outside: it has its
 * counter, one line in the log for many of them, a sentence in the manual, and
 * an event where an operator must know of it, and only there.
 */
#include "unit/ingress/rig.h"

#include "unit/certificates.h"

#include <errno.h>
#include <openssl/ssl.h>
#include <sched.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/socket.h>

#include "base/log.h"
#include "watch/refusals.h"

#define HOUR_US 3600000000ll
#define DAY_S	86400
#define TIMES	3

static const struct codec_key key = { "the-new-key-16by", 16 };
static const struct codec_key old_key = { "the-old-key-16by", 16 };
static const struct codec_key other_key = { "another-key-16by", 16 };

enum {
	ORDINARY,
	DEMANDING, /* a known account, and encryption */
	PATIENCE,  /* little of it */
	FEW,	   /* connections */
	FEW_EACH,
	PACED,	/* datagrams */
	SECURE, /* TLS with a certificate that names the account */
	PACED_SECURE,
	LISTENERS
};
static const char *const names[] = { "ordinary", "demanding", "patience", "few",
	"few-each", "paced", "secure", "paced-secure" };

struct fixture {
	struct rig rig;
	char directory[64], server[80], authority[80], log[80];
	struct certificate ca;
	struct ingress_listener_config listeners[LISTENERS];
};

static void
make_files(struct fixture *f)
{
	struct certificate server;

	snprintf(f->directory, sizeof(f->directory),
	    "/tmp/tocsin-refusals-XXXXXX");
	assert_non_null(mkdtemp(f->directory));
	snprintf(f->server, sizeof(f->server), "%s/server", f->directory);
	snprintf(f->authority, sizeof(f->authority), "%s/ca", f->directory);
	snprintf(f->log, sizeof(f->log), "%s/log", f->directory);
	f->ca = certificate_make("authority", NULL, NULL, DAY_S);
	certificate_write(&f->ca, f->authority);
	server = certificate_make("receiver", NULL, &f->ca, DAY_S);
	certificate_write(&server, f->server);
	certificate_free(&server);
}

static void
set_listeners(struct fixture *f)
{
	const struct ingress_tls_config tls = {
		.certificate = f->server,
		.client_ca = f->authority,
		.client_account = true,
		.max_handshakes = 100,
		.handshake_timeout_us = HOUR_US,
	};

	for (unsigned i = 0; i < LISTENERS; i++) {
		f->listeners[i] = rig_listener;
		f->listeners[i].name = names[i];
		f->listeners[i].first_frame_timeout_us = HOUR_US;
	}
	f->listeners[DEMANDING].unknown_account = INGRESS_UNKNOWN_DUH;
	f->listeners[DEMANDING].cipher_required = true;
	f->listeners[PATIENCE].first_frame_timeout_us = 1000000;
	f->listeners[FEW].max_sessions = 1;
	f->listeners[FEW_EACH].max_source_sessions = 1;
	f->listeners[PACED].transport = INGRESS_UDP;
	f->listeners[PACED].max_source_frames = 1;
	f->listeners[SECURE].transport = INGRESS_TLS;
	f->listeners[SECURE].tls = tls;
	f->listeners[PACED_SECURE].transport = INGRESS_TLS;
	f->listeners[PACED_SECURE].tls = tls;
	f->listeners[PACED_SECURE].max_source_handshakes = 1;
}

static void
put_bridges(struct rig *rig)
{
	static const uint8_t mac[] = { 0x02, 0x00, 0x5e, 0x00, 0x53, 0x0a };
	struct directory_previous_key previous = {
		.until_us = clock_wall_us(&rig->clock.clock) - HOUR_US,
		.length = (uint8_t)old_key.length,
	};
	struct directory_bridge bridge = { .id = 11,
		.site_id = 1,
		.account = "AA11",
		.key = key.bytes,
		.key_length = (uint8_t)key.length,
		.previous_key = &previous,
		.mac = mac };

	memcpy(previous.bytes, old_key.bytes, old_key.length);
	rig_put_bridge(rig, &bridge);
	bridge.id = 12;
	bridge.account = "AA12";
	bridge.tls_required = true;
	rig_put_bridge(rig, &bridge);
}

static int
open_fixture(void **state)
{
	static struct fixture f;
	struct err err = { "" };

	signal(SIGPIPE, SIG_IGN);
	make_files(&f);
	set_listeners(&f);
	assert_int_equal(log_open(f.log, LOG_INFO, &err), 0);
	rig_open(&f.rig, f.listeners, LISTENERS, RIG_BUDGET);
	put_bridges(&f.rig);
	*state = &f;
	return 0;
}

static int
close_fixture(void **state)
{
	struct fixture *f = *state;
	struct err err;

	rig_close(&f->rig);
	log_open(NULL, LOG_INFO, &err);
	certificate_free(&f->ca);
	unlink(f->server);
	unlink(f->authority);
	unlink(f->log);
	rmdir(f->directory);
	return 0;
}

/* ---- how each comes about ------------------------------------------------------- */

struct row {
	enum ingress_refusal cause;
	bool told;
	unsigned listener;
	void (*provoke)(struct fixture *f, const struct row *row);
	struct panel panel;
	const char *id,
	    *data; /* of its frame, NULL: an event; or other bytes */
};

static uint64_t
refused(struct fixture *f, const struct row *row)
{
	return rig_status(&f->rig, names[row->listener]).refusals[row->cause];
}

static void
wait_refused(struct fixture *f, const struct row *row, uint64_t before)
{
	while (refused(f, row) == before)
		sched_yield();
}

/* The other side has read everything when it closes. */
static void
hang_up(int fd)
{
	char reply[DC09_FRAME_MAX];

	shutdown(fd, SHUT_WR);
	while (recv(fd, reply, sizeof(reply), 0) > 0)
		;
	close(fd);
}

static size_t
make_frame(struct fixture *f, const struct row *row, char out[DC09_FRAME_MAX])
{
	return row->id
	    ? rig_frame(&f->rig, &row->panel, 1, row->id, row->data, out)
	    : rig_event(&f->rig, &row->panel, 1, out);
}

static void
say_frame(struct fixture *f, const struct row *row)
{
	int fd = rig_connect(&f->rig, names[row->listener]);
	char frame[DC09_FRAME_MAX];

	rig_send(fd, frame, make_frame(f, row, frame));
	hang_up(fd);
}

static void
say_bytes(struct fixture *f, const struct row *row)
{
	int fd = rig_connect(&f->rig, names[row->listener]);

	rig_send(fd, row->data, strlen(row->data));
	hang_up(fd);
}

static void
say_by_certificate(struct fixture *f, const struct row *row)
{
	struct certificate own = certificate_make("0001", NULL, &f->ca, DAY_S);
	SSL_CTX *context = SSL_CTX_new(TLS_client_method());
	int fd = rig_connect(&f->rig, names[row->listener]);
	char frame[DC09_FRAME_MAX], reply[DC09_FRAME_MAX];
	SSL *ssl;
	int length;

	SSL_CTX_use_certificate(context, own.x509);
	SSL_CTX_use_PrivateKey(context, own.key);
	ssl = SSL_new(context);
	SSL_set_fd(ssl, fd);
	assert_int_equal(SSL_connect(ssl), 1);
	length = (int)make_frame(f, row, frame);
	assert_int_equal(SSL_write(ssl, frame, length), length);
	assert_true(SSL_read(ssl, reply, sizeof(reply)) > 0);
	SSL_free(ssl);
	SSL_CTX_free(context);
	certificate_free(&own);
	hang_up(fd);
}

static void
say_nothing(struct fixture *f, const struct row *row)
{
	int fd = rig_connect(&f->rig, names[row->listener]);

	while (rig_status(&f->rig, names[row->listener]).sessions_now == 0)
		sched_yield();
	atomic_fetch_add(&f->rig.clock.ahead_us, 2000000);
	rig_expect_closed(fd);
	close(fd);
}

static void
connect_again(struct fixture *f, const struct row *row)
{
	const char *name = names[row->listener];
	int first = rig_connect(&f->rig, name), second;

	while (rig_status(&f->rig, name).sessions_now == 0)
		sched_yield();
	second = rig_connect(&f->rig, name);
	rig_expect_closed(second);
	close(second);
	hang_up(first);
}

/* As often as it takes: what is paced was not paced a moment ago. */
static void
hurry_datagrams(struct fixture *f, const struct row *row)
{
	int fd = rig_connect_udp(&f->rig, names[row->listener]);
	uint64_t before = refused(f, row);
	char frame[DC09_FRAME_MAX];

	do {
		rig_send(fd, frame, make_frame(f, row, frame));
		sched_yield();
	} while (refused(f, row) == before);
	close(fd);
}

static void
hurry_handshakes(struct fixture *f, const struct row *row)
{
	uint64_t before = refused(f, row);

	do /* to the end: its descriptor is counted on further down */
		hang_up(rig_connect(&f->rig, names[row->listener]));
	while (refused(f, row) == before);
}

static void
take_descriptors(struct fixture *f, const struct row *row)
{
	static int taken[4096];
	struct rlimit saved, tight;
	unsigned count = 0;
	int late;

	rig_wait_spare(&f->rig);
	getrlimit(RLIMIT_NOFILE, &saved);
	tight = saved;
	tight.rlim_cur = 300;
	setrlimit(RLIMIT_NOFILE, &tight);
	while (count < COUNT(taken) && (taken[count] = dup(0)) >= 0)
		count++;
	assert_int_equal(errno, EMFILE);
	close(taken[--count]);
	late = rig_connect(&f->rig, names[row->listener]);
	rig_expect_closed(late);
	close(late);
	while (count > 0)
		close(taken[--count]);
	setrlimit(RLIMIT_NOFILE, &saved);
}

/* By hand from the words and the manual, not from the code: what a
 * stranger can cause who knows of no panel is not told. */
static const struct row rows[] = {
	{ INGRESS_REFUSED_OTHER_PROTOCOL, false, ORDINARY, say_bytes,
	    .data = "GET / HTTP/1.1\r\nHost: example\r\n\r\n" },
	{ INGRESS_REFUSED_BAD_CRC, false, ORDINARY, say_bytes,
	    .data = "\n00000013\"NULL\"0000L0#1234[]\r" },
	{ INGRESS_REFUSED_MALFORMED, false, ORDINARY, say_bytes,
	    .data = "\n00000XYZ\"NULL\"0000L0#1234[]\r" },
	{ INGRESS_REFUSED_UNPROCESSABLE, false, ORDINARY, say_frame,
	    { .account = "1234" }, "XYZ-1", "#1234|x" },
	{ INGRESS_REFUSED_UNKNOWN_ACCOUNT, false, DEMANDING, say_frame,
	    { .account = "9999" } },
	{ INGRESS_REFUSED_NO_KEY, true, ORDINARY, say_frame,
	    { "1234", &key, 0, true } },
	{ INGRESS_REFUSED_WRONG_KEY, true, ORDINARY, say_frame,
	    { "AA11", &other_key, 0, true } },
	{ INGRESS_REFUSED_OLD_KEY, true, ORDINARY, say_frame,
	    { "AA11", &old_key, 0, true } },
	{ INGRESS_REFUSED_CLEAR_TEXT, true, DEMANDING, say_frame,
	    { .account = "1234" } },
	{ INGRESS_REFUSED_NO_TLS, true, ORDINARY, say_frame,
	    { "AA12", &key, 0, true } },
	{ INGRESS_REFUSED_OTHER_MAC, true, ORDINARY, say_frame,
	    { "AA11", &key, 0, true }, "ADM-CID",
	    "#AA11|1130 01 002][M02005E00530B" },
	{ INGRESS_REFUSED_TIME_WINDOW, true, ORDINARY, say_frame,
	    { "AA11", &key, HOUR_US, true } },
	{ INGRESS_REFUSED_OTHER_ACCOUNT, true, SECURE, say_by_certificate,
	    { .account = "1234" } },
	{ INGRESS_REFUSED_NOT_TLS, false, SECURE, say_bytes,
	    .data = "\n00000013\"NULL\"0000L0#1234[]\r" },
	{ INGRESS_REFUSED_TLS_FAILED, false, SECURE, say_bytes,
	    .data = "\x16\x03\x01\x01\x02 this is no hello at all, is it?" },
	{ INGRESS_REFUSED_OVER_LIMIT, true, FEW, connect_again },
	{ INGRESS_REFUSED_OVER_SOURCE_LIMIT, true, FEW_EACH, connect_again },
	{ INGRESS_REFUSED_OVER_FRAME_LIMIT, true, PACED, hurry_datagrams,
	    { .account = "1234" } },
	{ INGRESS_REFUSED_OVER_HANDSHAKE_LIMIT, true, PACED_SECURE,
	    hurry_handshakes },
	{ INGRESS_REFUSED_NO_DESCRIPTORS, true, ORDINARY, take_descriptors },
	{ INGRESS_REFUSED_TOO_SLOW, false, PATIENCE, say_nothing },
};

static void
provoke(struct fixture *f, const struct row *row)
{
	for (unsigned i = 0; i < TIMES; i++) {
		uint64_t before = refused(f, row);

		row->provoke(f, row);
		wait_refused(f, row, before);
	}
	assert_row(refused(f, row) >= TIMES, row->cause,
	    ingress_refusal_name(row->cause));
}

/* ---- what comes of it --------------------------------------------------------------- */

/* Lines of the log about it at this listener. */
static unsigned
count_lines(struct fixture *f, const struct row *row)
{
	FILE *log = fopen(f->log, "r");
	char line[4096], wanted[128];
	unsigned count = 0;

	assert_non_null(log);
	snprintf(wanted, sizeof(wanted), "event=refused listener=%s cause=%s ",
	    names[row->listener], ingress_refusal_name(row->cause));
	while (fgets(line, sizeof(line), log))
		count += strstr(line, wanted) != NULL;
	fclose(log);
	return count;
}

/* The manual has its row, and says in it whether it is told. */
static void
check_manual(const struct row *row)
{
	const char *top = getenv("top_srcdir");
	char path[512], line[1024], name[64];
	const char *end = row->told ? "| yes |\n" : "| no |\n";
	bool found = false;
	FILE *manual;

	snprintf(path, sizeof(path), "%s/docs/OPERATIONS.md", top ? top : ".");
	snprintf(name, sizeof(name), "`%s`", ingress_refusal_name(row->cause));
	manual = fopen(path, "r");
	if (!manual)
		fail_msg("%s: %s", path, strerror(errno));
	while (!found && fgets(line, sizeof(line), manual))
		found = line[0] == '|' && strstr(line, name) &&
		    strlen(line) > strlen(end) &&
		    strcmp(line + strlen(line) - strlen(end), end) == 0;
	fclose(manual);
	assert_row(found, row->cause, name);
}

static void
report(void *context, const struct ingress_refusal_status *status)
{
	const struct watch_refusal refusal = {
		.listener = status->listener,
		.cause = ingress_refusal_name(status->cause),
		.text = ingress_refusal_text(status->cause),
		.peer = status->peer,
		.account = status->account,
		.count = status->count,
	};

	refusal_watch_report(context, &refusal);
}

struct events {
	unsigned all;
	unsigned each[INGRESS_REFUSALS];
};

static void
count_event(void *context, const struct record_signal *record)
{
	const struct signal_event *event = &record->signal.events[0];
	struct events *events = context;
	char wanted[128];

	if (record->signal.protocol != SIGNAL_PROTOCOL_INTERNAL)
		return;
	assert_string_equal(event->code, "421");
	events->all++;
	for (size_t i = 0; i < COUNT(rows); i++) {
		const struct row *row = &rows[i];

		snprintf(wanted, sizeof(wanted),
		    "%s refuses %s: ", names[row->listener],
		    ingress_refusal_text(row->cause));
		events->each[row->cause] +=
		    event->text.length > strlen(wanted) &&
		    memcmp(event->text.data, wanted, strlen(wanted)) == 0;
	}
}

static struct events
tell(struct fixture *f, unsigned wanted)
{
	struct refusal_watch *watch =
	    refusal_watch_open(f->rig.journal, &f->rig.clock.clock);
	struct events events;

	assert_non_null(watch);
	ingress_each_refusal(f->rig.ingress, report, watch);
	refusal_watch_tell(watch);
	refusal_watch_tell(watch); /* once is enough */
	do {
		events = (struct events){ 0 };
		rig_each_record(&f->rig, count_event, &events);
	} while (events.all < wanted);
	refusal_watch_close(&watch);
	return events;
}

static void
each_refusal_is_counted_logged_and_told(void **state)
{
	struct fixture *f = *state;
	unsigned told = 0;
	struct events events;

	for (size_t i = 0; i < COUNT(rows); i++) {
		/* the limit is one in ten seconds of the kernel's clock */
		int64_t before_us = clock_monotonic_us(&clock_system);
		unsigned lines;

		provoke(f, &rows[i]);
		lines = count_lines(f, &rows[i]);
		assert_row(lines >= 1 &&
			lines <= 1 +
				(clock_monotonic_us(&clock_system) -
				    before_us) /
				    10000000,
		    i, ingress_refusal_name(rows[i].cause));
		check_manual(&rows[i]);
		told += rows[i].told;
	}
	events = tell(f, told);
	assert_int_equal(events.all, told);
	for (size_t i = 0; i < COUNT(rows); i++)
		assert_row(events.each[rows[i].cause] == rows[i].told, i,
		    ingress_refusal_name(rows[i].cause));
}

static void
every_cause_has_its_row(void **state)
{
	unsigned seen[INGRESS_REFUSALS] = { 0 };

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++)
		seen[rows[i].cause]++;
	for (unsigned i = 0; i < INGRESS_REFUSALS; i++)
		assert_row(seen[i] == 1, i,
		    ingress_refusal_name((enum ingress_refusal)i));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_cause_has_its_row),
		cmocka_unit_test_setup_teardown(
		    each_refusal_is_counted_logged_and_told, open_fixture,
		    close_fixture),
	};

	return cmocka_run_group_tests_name("daemon/refusals", tests, NULL,
	    NULL);
}
