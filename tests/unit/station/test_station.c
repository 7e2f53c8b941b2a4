#include "unit/test.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "codec/webhook.h"
#include "station/fault.h"
#include "station/ledger.h"
#include "station/options.h"
#include "station/protocol.h"

/* a writable argument */
#define ARG(text) ((char[]){ text })

/* ---- faults ----------------------------------------------------------------- */

static void
faults_end(void **state)
{
	const struct station_options o = {
		.fault = STATION_FAULT_NAK,
		.fault_rate = 1,
		.fault_for_us = 1000,
		.fault_count = 3,
	};
	struct fault_plan plan;

	(void)state;
	fault_plan_init(&plan, &o, 5000);
	assert_int_equal(fault_next(&plan, 5000), STATION_FAULT_NAK);
	plan.off = true;
	assert_int_equal(fault_next(&plan, 5000), STATION_FAULT_NONE);
	plan.off = false;
	assert_int_equal(fault_next(&plan, 5999), STATION_FAULT_NAK);
	assert_int_equal(fault_next(&plan, 6000), STATION_FAULT_NONE);
	assert_int_equal(fault_next(&plan, 5999), STATION_FAULT_NAK);
	assert_int_equal(fault_next(&plan, 5999), STATION_FAULT_NONE);
	assert_int_equal(plan.struck, 3);
}

static void
faults_strike_by_rate_and_seed(void **state)
{
	static const double rates[] = { 0, 0.1, 0.5, 1 };

	(void)state;
	for (size_t i = 0; i < COUNT(rates); i++) {
		const struct station_options o = {
			.fault = STATION_FAULT_NO_ACK,
			.fault_rate = rates[i],
			.seed = 7,
		};
		struct fault_plan plan, same;

		fault_plan_init(&plan, &o, 0);
		fault_plan_init(&same, &o, 0);
		for (unsigned n = 0; n < 10000; n++)
			assert_row(fault_next(&plan, 0) == fault_next(&same, 0),
			    i, "the same seed");
		assert_row((double)plan.struck > rates[i] * 9000 - 1, i,
		    "rate");
		assert_row((double)plan.struck < rates[i] * 11000 + 1, i,
		    "rate");
	}
}

/* ---- ledger ----------------------------------------------------------------- */

static struct signal
make_signal(const char *account, const char *zone, const char *sequence)
{
	struct signal signal = {
		.account = slice_from_string(account),
		.receiver = slice_from_string("01"),
		.line = slice_from_string("1"),
		.sequence = slice_from_string(sequence),
		.event_count = 1,
	};

	signal.events[0] = (struct signal_event){
		.format = SIGNAL_FORMAT_CONTACT_ID,
		.qualifier = SIGNAL_QUALIFIER_RESTORE,
		.code = "130",
		.partition = slice_from_string("01"),
		.zone = slice_from_string(zone),
	};
	return signal;
}

static void
ledger_lines_and_repeats(void **state)
{
	char path[] = "/tmp/test-ledger-XXXXXX", text[1024] = "";
	struct signal rows[] = {
		make_signal("1234", "005", NULL),
		make_signal("1234", "005", NULL),
		make_signal("1234", "006", NULL),
		make_signal("1234", "005", NULL),
		make_signal("AB CD", "", "0007"),
	};
	struct station_ledger *ledger;
	int fd = mkstemp(path);

	(void)state;
	assert_int_equal(station_ledger_open(&ledger, path, true, NULL), 0);
	for (size_t i = 0; i < COUNT(rows); i++)
		assert_int_equal(station_ledger_add(ledger, &rows[i],
				     i == 0 ? "no-ack" : "ack",
				     (int64_t)(100 + i)),
		    0);
	assert_int_equal(station_ledger_flush(ledger, NULL), 0);
	assert_true(read(fd, text, sizeof(text) - 1) > 0);
	assert_string_equal(text,
	    "1234 R 130 01 005 01 1 100 no-ack - -\n"
	    "1234 R 130 01 005 01 1 101 ack repeat -\n"
	    "1234 R 130 01 006 01 1 102 ack - -\n"
	    "1234 R 130 01 005 01 1 103 ack - -\n"
	    "AB_CD R 130 01 - 01 1 104 ack - 0007\n");
	assert_int_equal(ledger->repeats, 1);
	station_ledger_close(&ledger);
	close(fd);
	unlink(path);
}

static void
overlong_fields_stay_one_word(void **state)
{
	char path[] = "/tmp/test-ledger-XXXXXX", account[4096];
	struct station_ledger *ledger;
	struct signal signal;
	struct stat status;
	int fd = mkstemp(path);

	(void)state;
	memset(account, 'A', sizeof(account) - 1);
	account[sizeof(account) - 1] = '\0';
	signal = make_signal(account, account, account);
	signal.receiver = signal.line = signal.account;
	signal.events[0].partition = signal.account;
	assert_int_equal(station_ledger_open(&ledger, path, false, NULL), 0);
	assert_int_equal(station_ledger_add(ledger, &signal, "ack", INT64_MAX),
	    0);
	assert_int_equal(station_ledger_flush(ledger, NULL), 0);
	assert_int_equal(fstat(fd, &status), 0);
	assert_in_range(status.st_size, 190, 512);
	station_ledger_close(&ledger);
	close(fd);
	unlink(path);
}

/* ---- protocol ---------------------------------------------------------------- */

static void
messages_and_their_answers(void **state)
{
	static const struct {
		enum station_protocol protocol;
		unsigned line_digits;
		const char *bytes;
		enum codec_result result;
		enum message_kind kind;
		const char *ack;
	} cases[] = {
		{ STATION_SURGARD, 1, "5011 181234E13001005\x14", CODEC_OK,
		    MESSAGE_SIGNAL, "\x06" },
		{ STATION_SURGARD, 3, "501001 181234R13001005\x14", CODEC_OK,
		    MESSAGE_SIGNAL, "\x06" },
		{ STATION_SURGARD, 1, "1011           @    \x14", CODEC_OK,
		    MESSAGE_POLL, "\x06" },
		{ STATION_ADEMCO685, 1, "\n12 1234 18 E131 01 C015\r", CODEC_OK,
		    MESSAGE_SIGNAL, "\x06" },
		{ STATION_ADEMCO685, 1, "\n10 OKAY @\r", CODEC_OK, MESSAGE_POLL,
		    "\x06" },
		{ STATION_D6500, 1, "a011 123418113101015\x14", CODEC_OK,
		    MESSAGE_SIGNAL, "\x06" },
		{ STATION_D6500, 1, "1010           @    \x14", CODEC_OK,
		    MESSAGE_POLL, "\x06" },
		{ STATION_SURGARD, 1, "5011 181234E1300", CODEC_MORE,
		    MESSAGE_SIGNAL, "" },
		{ STATION_DC09, 1, "\n96A50013\"NULL\"0001L0#1234[]\r",
		    CODEC_BAD, MESSAGE_POLL, "" },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		const struct station_options o = {
			.protocol = cases[i].protocol,
			.line_digits = cases[i].line_digits,
		};
		struct protocol *protocol;
		struct message message;
		size_t used, length = strlen(cases[i].bytes);

		assert_int_equal(protocol_open(&protocol, &o, NULL), 0);
		assert_row(protocol_next(protocol, cases[i].bytes, length, 0,
			       &used, &message) == cases[i].result,
		    i, cases[i].bytes);
		if (cases[i].result == CODEC_OK) {
			assert_row(used == length, i, cases[i].bytes);
			assert_row(message.kind == cases[i].kind, i,
			    cases[i].bytes);
			assert_row(slice_is(slice_of(message.ack,
						message.ack_length),
				       cases[i].ack),
			    i, cases[i].bytes);
		}
		protocol_close(&protocol);
	}
}

static void
dc09_both_ways(void **state)
{
	const char *keys[] = { NULL, "text:0123456789ABCDEF" };
	const int64_t now_us = INT64_C(1764000000000000);
	struct dc09_crypto *crypto;

	(void)state;
	assert_int_equal(dc09_crypto_open(&crypto, NULL), 0);
	for (size_t i = 0; i < COUNT(keys); i++) {
		struct station_options o = { .protocol = STATION_DC09 };
		const struct dc09_message sent = {
			.id = "ADM-CID",
			.sequence = 17,
			.account = slice_from_string("1234"),
			.data = slice_from_string("#1234|1130 01 005"),
		};
		struct protocol *protocol;
		struct message message;
		const char *problem;
		char frame[512];
		size_t used;
		int length;

		if (keys[i])
			codec_key_parse(slice_from_string(keys[i]), &o.key,
			    &problem);
		length = dc09_message_encode(crypto, &sent,
		    keys[i] ? &o.key : NULL, now_us, frame, sizeof(frame));
		assert_row(length > 0, i, "encode");
		assert_int_equal(protocol_open(&protocol, &o, NULL), 0);
		assert_row(protocol_next(protocol, frame, (size_t)length,
			       now_us, &used, &message) == CODEC_OK,
		    i, "decode");
		assert_row(message.kind == MESSAGE_SIGNAL, i, "kind");
		assert_slice(message.signal.events[0].zone, "005");
		assert_row(message.ack_length > 0 && message.nak_length > 0, i,
		    "replies");
		/* an hour later the encrypted one is refused, the clear not */
		assert_row(protocol_next(protocol, frame, (size_t)length,
			       now_us + INT64_C(3600000000), &used,
			       &message) == CODEC_OK,
		    i, "late");
		assert_row(message.kind ==
			(keys[i] ? MESSAGE_REFUSED : MESSAGE_SIGNAL),
		    i, "late");
		protocol_close(&protocol);
	}
	dc09_crypto_close(&crypto);
}

/* ---- HTTP -------------------------------------------------------------------- */

#define EVENT(id)                                                                 \
 "{\"version\":1,\"id\":\"" id "\",\"Receiver\":\"7\",\"Line\":\"1\","            \
 "\"Account\":\"1234\",\"Event\":{\"format\":\"contact-id\",\"qualifier\":\"E\"," \
 "\"code\":\"130\",\"zone\":\"005\"}}"
#define PACKAGE                                                                \
 "<AlarmPackage version=\"1\" id=\"n-1\"><Account>1234</Account>"              \
 "<Event format=\"contact-id\" qualifier=\"E\" code=\"130\" zone=\"005\"/>"    \
 "</AlarmPackage>"

static const struct {
	enum station_protocol protocol;
	const char *passkey, *key, *bearer, *body;
	enum station_fault fault;
	enum message_kind kind;
	unsigned status, nak; /* what it answers, and refuses with */
} posts[] = {
	{ STATION_WEBHOOK, NULL, "n-1", NULL, EVENT("n-1"), STATION_FAULT_NONE,
	    MESSAGE_SIGNAL, 200, 422 },
	{ STATION_WEBHOOK, NULL, "n-1", NULL, EVENT("n-1"), STATION_FAULT_5XX,
	    MESSAGE_SIGNAL, 200, 503 },
	{ STATION_WEBHOOK, NULL, "n-1", NULL, EVENT("n-1"), STATION_FAULT_410,
	    MESSAGE_SIGNAL, 200, 410 },
	{ STATION_WEBHOOK, NULL, NULL, NULL, WEBHOOK_HEARTBEAT,
	    STATION_FAULT_NONE, MESSAGE_POLL, 200, 422 },
	{ STATION_WEBHOOK, NULL, "n-2", NULL, EVENT("n-1"), STATION_FAULT_NONE,
	    MESSAGE_REFUSED, 400, 0 },
	{ STATION_WEBHOOK, NULL, "n-1", NULL, "{}", STATION_FAULT_NONE,
	    MESSAGE_REFUSED, 400, 0 },
	{ STATION_WEBHOOK, NULL, "n-1", NULL, "[", STATION_FAULT_NONE,
	    MESSAGE_REFUSED, 400, 0 },
	{ STATION_WEBHOOK, "another-one", "n-1", NULL, EVENT("n-1"),
	    STATION_FAULT_NONE, MESSAGE_REFUSED, 401, 0 },
	{ STATION_WEBHOOK, "correct-horse", "n-1", NULL, EVENT("n-1"),
	    STATION_FAULT_NONE, MESSAGE_SIGNAL, 200, 422 },
	{ STATION_XML, NULL, "n-1", NULL, PACKAGE, STATION_FAULT_NONE,
	    MESSAGE_SIGNAL, 200, 422 },
	{ STATION_XML, NULL, NULL, NULL, "<Heartbeat/>", STATION_FAULT_NONE,
	    MESSAGE_POLL, 200, 422 },
	{ STATION_XML, NULL, "n-1", NULL, "<AlarmPackage>", STATION_FAULT_NONE,
	    MESSAGE_REFUSED, 400, 0 },
	{ STATION_XML, "correct-horse", "n-1", "Bearer correct-horse", PACKAGE,
	    STATION_FAULT_NONE, MESSAGE_SIGNAL, 200, 422 },
	{ STATION_XML, "correct-horse", "n-1", "Bearer correct-hors", PACKAGE,
	    STATION_FAULT_NONE, MESSAGE_REFUSED, 401, 0 },
	{ STATION_XML, "correct-horse", "n-1", "correct-horse", PACKAGE,
	    STATION_FAULT_NONE, MESSAGE_REFUSED, 401, 0 },
	{ STATION_XML, "correct-horse", "n-1", NULL, PACKAGE,
	    STATION_FAULT_NONE, MESSAGE_REFUSED, 401, 0 },
};

/* Signed with "correct-horse" at signed_us. */
static size_t
write_post(size_t row, int64_t signed_us, char *out, size_t size)
{
	const char *body = posts[row].body, *key = posts[row].key,
		   *bearer = posts[row].bearer;
	char signature[WEBHOOK_SIGNATURE_SIZE];

	webhook_sign(slice_from_string("correct-horse"), signed_us,
	    slice_from_string(body), signature);
	return (size_t)snprintf(out, size,
	    "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: %zu\r\n"
	    "X-Tocsin-Signature: %s\r\n%s%s%s%s%s%s\r\n%s",
	    strlen(body), signature, key ? "Idempotency-Key: " : "",
	    key ? key : "", key ? "\r\n" : "", bearer ? "Authorization: " : "",
	    bearer ? bearer : "", bearer ? "\r\n" : "", body);
}

/* 0: no answer. */
static unsigned
status_of(const char *bytes, size_t length)
{
	char text[32];

	slice_copy(slice_part(slice_of(bytes, length), 0, 12), text,
	    sizeof(text));
	return length == 0 ? 0 : (unsigned)atoi(text + strlen("HTTP/1.1 "));
}

static void
what_is_posted(void **state)
{
	const int64_t now_us = INT64_C(1764000000000000);

	(void)state;
	for (size_t i = 0; i < COUNT(posts); i++) {
		const struct station_options o = {
			.protocol = posts[i].protocol,
			.http = true,
			.passkey = posts[i].passkey,
			.fault = posts[i].fault,
		};
		struct protocol *protocol;
		struct message message;
		char request[2048];
		size_t used,
		    length = write_post(i, now_us, request, sizeof(request));

		assert_int_equal(protocol_open(&protocol, &o, NULL), 0);
		assert_row(protocol_next(protocol, request, length - 1, now_us,
			       &used, &message) == CODEC_MORE,
		    i, "one byte is missing");
		assert_row(protocol_next(protocol, request, length, now_us,
			       &used, &message) == CODEC_OK,
		    i, request);
		assert_row(used == length && message.kind == posts[i].kind, i,
		    request);
		assert_row(status_of(message.ack, message.ack_length) ==
			    posts[i].status &&
			status_of(message.nak, message.nak_length) ==
			    posts[i].nak,
		    i, message.ack);
		assert_row(message.kind != MESSAGE_SIGNAL ||
			slice_is(message.signal.events[0].zone, "005"),
		    i, "zone");
		protocol_close(&protocol);
	}
}

/* One that is old may be somebody else's who has heard it. */
static void
an_old_signature_is_refused(void **state)
{
	static const int ages_s[] = { 0, 300, -300, 301, -301 };
	const int64_t now_us = INT64_C(1764000000000000);
	const struct station_options o = {
		.protocol = STATION_WEBHOOK,
		.http = true,
		.passkey = "correct-horse",
	};
	struct protocol *protocol;

	(void)state;
	assert_int_equal(protocol_open(&protocol, &o, NULL), 0);
	for (size_t i = 0; i < COUNT(ages_s); i++) {
		struct message message;
		char request[2048];
		size_t used,
		    length =
			write_post(0, now_us - ages_s[i] * INT64_C(1000000),
			    request, sizeof(request));

		assert_int_equal(protocol_next(protocol, request, length,
				     now_us, &used, &message),
		    CODEC_OK);
		assert_row(message.kind ==
			(i < 3 ? MESSAGE_SIGNAL : MESSAGE_REFUSED),
		    i, request);
	}
	protocol_close(&protocol);
}

static void
a_hello_proves(void **state)
{
	static const struct {
		const char *bytes;
		enum message_kind kind;
		const char *ack;
	} cases[] = {
		{ "<Hello passkey=\"correct-horse\"/>", MESSAGE_HELLO,
		    "<Ack/>" },
		{ "<Hello passkey=\"correct-hors\"/>", MESSAGE_REFUSED,
		    "<Nak reason=\"refused\"/>" },
		{ "<Hello other=\"correct-horse\"/>", MESSAGE_POLL, "<Ack/>" },
		{ "<Heartbeat/>", MESSAGE_POLL, "<Ack/>" },
	};
	const struct station_options o = { .protocol = STATION_XML,
		.passkey = "correct-horse" };
	struct protocol *protocol;

	(void)state;
	assert_int_equal(protocol_open(&protocol, &o, NULL), 0);
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct message message;
		size_t used;

		assert_row(protocol_next(protocol, cases[i].bytes,
			       strlen(cases[i].bytes) + 1, 0, &used,
			       &message) == CODEC_OK &&
			message.kind == cases[i].kind,
		    i, cases[i].bytes);
		assert_row(slice_is(slice_of(message.ack, message.ack_length),
			       cases[i].ack),
		    i, cases[i].bytes);
	}
	protocol_close(&protocol);
}

/* ---- command line ------------------------------------------------------------ */

static void
wrong_use_is_named(void **state)
{
	static const struct {
		const char *arguments[6];
		const char *said;
	} cases[] = {
		{ { "--listen", "127.0.0.1:0" }, "--protocol" },
		{ { "--protocol", "surgrad" }, "did you mean 'surgard'" },
		{ { "--protocol", "surgard" },
		    "one of --listen and --connect" },
		{ { "--protocol", "surgard", "--listen", "127.0.0.1:0",
		      "--fault", "half" },
		    "did you mean 'half-open'" },
		{ { "--protocol", "surgard", "--listen", "127.0.0.1:0",
		      "--line-digits", "2" },
		    "1 or 3" },
		{ { "--protocol", "surgard", "--listen", "127.0.0.1:0",
		      "--udp" },
		    "dc09 only" },
		{ { "--protocol", "dc09", "--connect", "127.0.0.1:1" },
		    "waits to be called" },
		{ { "--protocol", "dc09", "--listen=127.0.0.1:0", "--udp",
		      "--fault", "drip" },
		    "needs a connection" },
		{ { "--protocol", "surgard", "--listen=127.0.0.1:0", "--http" },
		    "xml or webhook" },
		{ { "--protocol", "webhook", "--connect=127.0.0.1:1" },
		    "goes with --listen" },
		{ { "--protocol", "xml", "--listen=127.0.0.1:0", "--fault",
		      "5xx" },
		    "go with HTTP" },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		char texts[7][32];
		char *argv[7] = { ARG("tocsin-station") };
		struct station_options options;
		struct err err;
		int argc = 1;

		for (; argc <= 6 && cases[i].arguments[argc - 1]; argc++) {
			snprintf(texts[argc], sizeof(texts[0]), "%s",
			    cases[i].arguments[argc - 1]);
			argv[argc] = texts[argc];
		}
		assert_row(station_options_read(argc, argv, &options, &err) ==
			-EINVAL,
		    i, cases[i].said);
		assert_row(strstr(err.text, cases[i].said), i, err.text);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(faults_end),
		cmocka_unit_test(faults_strike_by_rate_and_seed),
		cmocka_unit_test(ledger_lines_and_repeats),
		cmocka_unit_test(overlong_fields_stay_one_word),
		cmocka_unit_test(messages_and_their_answers),
		cmocka_unit_test(dc09_both_ways),
		cmocka_unit_test(what_is_posted),
		cmocka_unit_test(an_old_signature_is_refused),
		cmocka_unit_test(a_hello_proves),
		cmocka_unit_test(wrong_use_is_named),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
