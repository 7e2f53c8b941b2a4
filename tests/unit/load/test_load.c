#include "unit/test.h"

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/clock.h"
#include "load/frame.h"
#include "load/histogram.h"
#include "load/ledger.h"
#include "load/options.h"
#include "load/panel.h"
#include "load/plan.h"

/* a writable argument */
#define ARG(text) ((char[]){ text })

/* ---- histogram ------------------------------------------------------------- */

static void
percentiles_are_near(void **state)
{
	static const struct {
		double fraction;
		uint64_t exact;
	} cases[] = {
		{ 0.5, 50000 },
		{ 0.9, 90000 },
		{ 0.99, 99000 },
		{ 0.999, 99900 },
		{ 1, 100000 },
		{ 0.00001, 1 },
	};
	struct histogram *h = calloc(1, sizeof(*h));

	(void)state;
	for (int64_t us = 100000; us >= 1; us--)
		histogram_add(h, us);
	for (size_t i = 0; i < COUNT(cases); i++) {
		uint64_t got = histogram_percentile(h, cases[i].fraction);

		assert_row(got >= cases[i].exact, i, "percentile");
		assert_row((double)got <= (double)cases[i].exact * 1.016 + 1, i,
		    "percentile");
	}
	assert_int_equal(h->max_us, 100000);
	assert_int_equal((long)histogram_mean(h), 50000);
	free(h);
}

static void
every_latency_has_a_bucket(void **state)
{
	struct histogram *h = calloc(1, sizeof(*h));
	struct histogram *sum = calloc(1, sizeof(*sum));
	uint64_t added = 0;

	(void)state;
	assert_int_equal(histogram_percentile(h, 0.5), 0);
	histogram_add(h, -5); /* a clock that stepped */
	for (unsigned shift = 0; shift < 63; shift++, added++)
		histogram_add(h, INT64_C(1) << shift);
	histogram_merge(sum, h);
	histogram_merge(sum, h);
	assert_int_equal(sum->count, 2 * (added + 1));
	assert_true(histogram_percentile(sum, 1) == sum->max_us ||
	    histogram_percentile(sum, 1) >= (UINT64_C(1) << 39));
	free(h);
	free(sum);
}

static void
small_values_are_exact(void **state)
{
	(void)state;
	for (int64_t us = 0; us < 128; us++) {
		struct histogram *h = calloc(1, sizeof(*h));

		histogram_add(h, us);
		histogram_add(h, 1000000);
		assert_int_equal(histogram_percentile(h, 0.5), us);
		free(h);
	}
}

/* ---- plan ------------------------------------------------------------------- */

static void
neighbours_differ(void **state)
{
	struct plan plan;
	struct plan_signal before, now;

	(void)state;
	plan_init(&plan, SIGNAL_FORMAT_CONTACT_ID);
	plan.zone_count = 1;
	plan_signal(&plan, 0, &before);
	for (uint64_t n = 1; n < 1000; n++, before = now) {
		plan_signal(&plan, n, &now);
		assert_int_not_equal(now.qualifier, before.qualifier);
		if (n % 2 == 0)
			assert_int_not_equal(now.partition, before.partition);
	}
}

/* Sequence and content together come again only after all their combinations:
 * a receiver must never take a new signal for a repeat. */
static void
contents_do_not_meet_their_sequence_again(void **state)
{
	struct plan plan;
	struct plan_signal first, again;

	(void)state;
	plan_init(&plan, SIGNAL_FORMAT_CONTACT_ID);
	plan_signal(&plan, 0, &first);
	for (uint64_t n = 9999; n < UINT64_C(9999) * 97 * 4; n += 9999) {
		plan_signal(&plan, n, &again);
		assert_false(first.qualifier == again.qualifier &&
		    first.zone == again.zone &&
		    first.partition == again.partition);
	}
}

static void
events_are_read(void **state)
{
	static const struct {
		enum signal_format format;
		const char *list;
		int result;
		unsigned count;
		const char *last_restore;
	} cases[] = {
		{ SIGNAL_FORMAT_CONTACT_ID, "130", 0, 1, "130" },
		{ SIGNAL_FORMAT_CONTACT_ID, "130,1BF", 0, 2, "1BF" },
		{ SIGNAL_FORMAT_CONTACT_ID, "13", -EINVAL, 0, "" },
		{ SIGNAL_FORMAT_CONTACT_ID, "1A0", -EINVAL, 0, "" },
		{ SIGNAL_FORMAT_CONTACT_ID, "", -EINVAL, 0, "" },
		{ SIGNAL_FORMAT_SIA, "BA", 0, 1, "BH" },
		{ SIGNAL_FORMAT_SIA, "BA/BR,FT", 0, 2, "FJ" },
		{ SIGNAL_FORMAT_SIA, "OP/CL", 0, 1, "CL" },
		{ SIGNAL_FORMAT_SIA, "OP", -EINVAL, 0, "" },
		{ SIGNAL_FORMAT_SIA, "BA/BA", -EINVAL, 0, "" },
		{ SIGNAL_FORMAT_SIA, "130", -EINVAL, 0, "" },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct plan plan;
		struct err err;

		plan_init(&plan, cases[i].format);
		assert_row(plan_set_events(&plan, cases[i].list, &err) ==
			cases[i].result,
		    i, cases[i].list);
		if (cases[i].result < 0)
			continue;
		assert_row(plan.event_count == cases[i].count, i,
		    cases[i].list);
		assert_row(strcmp(plan.events[plan.event_count - 1].restore,
			       cases[i].last_restore) == 0,
		    i, cases[i].list);
	}
}

static void
account_ranges(void **state)
{
	static const struct {
		const char *text;
		int result;
		uint64_t count;
		uint64_t index;
		const char *account;
	} cases[] = {
		{ "1000-1FFF", 0, 4096, 255, "10FF" },
		{ "0001-0003", 0, 3, 2, "0003" },
		{ "00000a-00000f", 0, 6, 1, "00000B" },
		{ "ABC", 0, 1, 0, "ABC" },
		{ "0000000000000000-00000000000000FF", 0, 256, 255,
		    "00000000000000FF" },
		{ "1000-FFF", -EINVAL, 0, 0, "" },
		{ "2000-1000", -EINVAL, 0, 0, "" },
		{ "10G0-2000", -EINVAL, 0, 0, "" },
		{ "", -EINVAL, 0, 0, "" },
		{ "12345678901234567", -EINVAL, 0, 0, "" },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct account_range range;
		char account[ACCOUNT_DIGITS_MAX + 1] = "";
		struct err err;

		assert_row(account_range_parse(cases[i].text, &range, &err) ==
			cases[i].result,
		    i, cases[i].text);
		if (cases[i].result < 0)
			continue;
		account_range_write(&range, cases[i].index, account);
		assert_row(range.count == cases[i].count, i, cases[i].text);
		assert_row(strcmp(account, cases[i].account) == 0, i, account);
	}
}

/* ---- frames ----------------------------------------------------------------- */

struct frame_case {
	const char *name;
	enum signal_format format;
	const char *accounts;
	const char *receiver;
	const char *line;
};

static const struct frame_case frame_cases[] = {
	{ "contact id", SIGNAL_FORMAT_CONTACT_ID, "1000-1FFF", NULL, NULL },
	{ "sia", SIGNAL_FORMAT_SIA, "1000-1FFF", NULL, NULL },
	{ "header", SIGNAL_FORMAT_CONTACT_ID, "000-FFF", "12AB", "F0F0F0" },
	{ "long account", SIGNAL_FORMAT_SIA,
	    "1234567890ABCD00-1234567890ABCDFF", "1", "7" },
};

static void
open_case(const struct frame_case *c, const char *key, struct plan *plan,
    struct account_range *accounts, struct frame_settings *settings,
    struct frame_maker **ret)
{
	const char *problem;

	plan_init(plan, c->format);
	assert_int_equal(account_range_parse(c->accounts, accounts, NULL), 0);
	*settings = (struct frame_settings){
		.plan = plan,
		.accounts = accounts,
		.receiver = slice_from_string(c->receiver),
		.line = slice_from_string(c->line),
	};
	if (key)
		assert_int_equal(codec_key_parse(slice_from_string(key),
				     &settings->key, &problem),
		    0);
	assert_int_equal(frame_maker_open(ret, settings, NULL), 0);
}

/* The same message, built field by field and encoded afresh by the codec. */
static size_t
encode_afresh(struct dc09_crypto *crypto, const struct frame_settings *s,
    const struct frame_message *m, char *out)
{
	char account[ACCOUNT_DIGITS_MAX + 1] = "", data[64] = "";
	struct plan_signal signal;
	struct dc09_message message = {
		.id = s->plan->format == SIGNAL_FORMAT_SIA ? "SIA-DCS"
							   : "ADM-CID",
		.sequence = m->sequence,
		.receiver = s->receiver,
		.line = s->line,
	};

	account_range_write(s->accounts, m->account, account);
	plan_signal(s->plan, m->n, &signal);
	if (m->link_test)
		message.id = "NULL";
	else if (s->plan->format == SIGNAL_FORMAT_SIA)
		snprintf(data, sizeof(data), "#%s|Nri%02u/%s%04u", account,
		    signal.partition, signal.code, signal.zone);
	else
		snprintf(data, sizeof(data), "#%s|%d%s %02u %03u", account,
		    signal.qualifier == 'E' ? 1 : 3, signal.code,
		    signal.partition, signal.zone);
	message.account = slice_from_string(account);
	message.data = slice_from_string(data);
	return (size_t)dc09_message_encode(crypto, &message, NULL, 0, out,
	    FRAME_MAX);
}

static void
patched_frames_equal_fresh_ones(void **state)
{
	struct dc09_crypto *crypto;

	(void)state;
	assert_int_equal(dc09_crypto_open(&crypto, NULL), 0);
	for (size_t i = 0; i < COUNT(frame_cases); i++) {
		struct plan plan;
		struct account_range accounts;
		struct frame_settings settings;
		struct frame_maker *maker;

		open_case(&frame_cases[i], NULL, &plan, &accounts, &settings,
		    &maker);
		for (unsigned n = 0; n < 3000; n++) {
			struct frame_message m = {
				.account = n * 7 % accounts.count,
				.n = n * 31,
				.sequence = (uint16_t)(1 + n * 13 % 9999),
				.link_test = n % 10 == 9,
			};
			char fast[FRAME_MAX], fresh[FRAME_MAX];
			size_t length = frame_make(maker, &m, 0, fast);

			assert_row(length ==
				encode_afresh(crypto, &settings, &m, fresh),
			    i, frame_cases[i].name);
			assert_row(memcmp(fast, fresh, length) == 0, i,
			    frame_cases[i].name);
		}
		frame_maker_close(&maker);
	}
	dc09_crypto_close(&crypto);
}

/* The reply of a receiver to a frame. */
static size_t
reply_to(const char *data, size_t length, const struct codec_key *key,
    enum dc09_reply kind, bool timestamp, char *out)
{
	struct dc09_crypto *crypto;
	struct dc09_frame frame;
	enum dc09_fault fault;
	size_t consumed;

	assert_int_equal(dc09_crypto_open(&crypto, NULL), 0);
	assert_int_equal(dc09_frame_next(data, length, 0, &consumed, &frame,
			     &fault),
	    CODEC_OK);
	length = dc09_reply_encode(crypto, kind, &frame, key, timestamp,
	    clock_wall_us(&clock_system), out);
	dc09_crypto_close(&crypto);
	return length;
}

static void
only_the_right_reply_counts(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(frame_cases); i++) {
		const char *name = frame_cases[i].name;
		struct frame_message m = {
			.account = 5, .n = 3, .sequence = 1234
		};
		struct frame_message other = m;
		char frame[FRAME_MAX], reply[DC09_REPLY_MAX];
		struct plan plan;
		struct account_range accounts;
		struct frame_settings settings;
		struct frame_maker *maker;
		size_t length;

		open_case(&frame_cases[i], NULL, &plan, &accounts, &settings,
		    &maker);
		length = reply_to(frame, frame_make(maker, &m, 0, frame), NULL,
		    DC09_REPLY_ACK, false, reply);
		assert_row(frame_is_ack(maker, &m, reply, length) == length, i,
		    name);
		assert_row(frame_is_ack(maker, &m, reply, length - 1) == 0, i,
		    name);
		other.sequence++;
		assert_row(frame_is_ack(maker, &other, reply, length) == 0, i,
		    name);
		other = m;
		other.account++;
		assert_row(frame_is_ack(maker, &other, reply, length) == 0, i,
		    name);
		for (size_t at = 0; at < length; at++) {
			reply[at] ^= 1;
			assert_row(frame_is_ack(maker, &m, reply, length) == 0,
			    i, name);
			reply[at] ^= 1;
		}
		frame_maker_close(&maker);
	}
}

static void
replies_are_read_by_the_codec(void **state)
{
	static const struct {
		const char *key;
		enum dc09_reply reply;
		bool timestamp;
		enum dc09_response response;
		bool matches;
	} cases[] = {
		{ NULL, DC09_REPLY_ACK, true, DC09_RESPONSE_ACK, true },
		{ NULL, DC09_REPLY_DUH, false, DC09_RESPONSE_DUH, true },
		{ NULL, DC09_REPLY_NAK, false, DC09_RESPONSE_NAK, false },
		{ "text:0123456789ABCDEF", DC09_REPLY_ACK, false,
		    DC09_RESPONSE_ACK, true },
		{ "text:0123456789ABCDEF", DC09_REPLY_DUH, false,
		    DC09_RESPONSE_DUH, true },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct frame_message m = {
			.account = 5, .n = 3, .sequence = 1234
		};
		char frame[FRAME_MAX], reply[DC09_REPLY_MAX];
		struct plan plan;
		struct account_range accounts;
		struct frame_settings settings;
		struct frame_maker *maker;
		enum dc09_response response;
		struct signal signal;
		size_t length, used;

		open_case(&frame_cases[0], cases[i].key, &plan, &accounts,
		    &settings, &maker);
		length =
		    frame_make(maker, &m, clock_wall_us(&clock_system), frame);
		length =
		    reply_to(frame, length, cases[i].key ? &settings.key : NULL,
			cases[i].reply, cases[i].timestamp, reply);
		assert_row(frame_is_ack(maker, &m, reply, length) == 0, i,
		    "fast");
		assert_row(frame_read_reply(maker, reply, length, &used,
			       &response, &signal) == CODEC_OK,
		    i, "read");
		assert_row(used == length, i, "length");
		assert_row(response == cases[i].response, i, "kind");
		if (response != DC09_RESPONSE_NAK) {
			assert_row(frame_matches(maker, &m, &signal), i,
			    "matches");
			m.account++;
			assert_row(!frame_matches(maker, &m, &signal), i,
			    "another account");
			m.account--;
			m.sequence++;
			assert_row(!frame_matches(maker, &m, &signal), i,
			    "another sequence");
		}
		frame_maker_close(&maker);
	}
}

/* ---- panel ------------------------------------------------------------------ */

static void
panels_keep_what_is_open(void **state)
{
	struct flight flights[3] = { 0 };
	struct panel panel = {
		.index = 2,
		.inflight = 3,
		.account_count = 2,
		.flights = flights,
		.sequence = 9998,
	};
	struct flight *first, *second;

	(void)state;
	first = panel_next_signal(&panel, 10);
	assert_int_equal(first->message.account, 2);
	assert_int_equal(first->message.n, 0);
	assert_int_equal(first->message.sequence, 9999);
	second = panel_next_signal(&panel, 10);
	assert_int_equal(second->message.account, 12);
	assert_int_equal(second->message.n, 0);
	assert_int_equal(second->message.sequence, 1); /* never 0000 */
	assert_true(panel_has_room(&panel));
	assert_true(panel_next_link_test(&panel)->message.link_test);
	assert_false(panel_has_room(&panel));
	panel_finish(&panel, second);
	assert_false(panel_has_room(&panel));
	panel_finish(&panel, first);
	assert_true(panel_has_room(&panel));
	assert_int_equal(panel.tail - panel.head, 1);
	assert_int_equal(panel_next_signal(&panel, 10)->message.n, 1);
}

/* ---- ledger ----------------------------------------------------------------- */

static void
ledger_lines(void **state)
{
	char path[] = "/tmp/test-ledger-XXXXXX", text[512] = "";
	struct frame_message m = { .account = 255, .n = 11, .sequence = 42 };
	struct account_range accounts;
	struct plan plan;
	struct lines lines;
	int fd = mkstemp(path);

	(void)state;
	account_range_parse("001000-001FFF", &accounts, NULL);
	assert_int_equal(lines_open(&lines, path, false, NULL), 0);
	plan_init(&plan, SIGNAL_FORMAT_CONTACT_ID);
	ledger_add(&lines, &plan, &accounts, &m, 1764000000123456, 77);
	plan_init(&plan, SIGNAL_FORMAT_SIA);
	ledger_add(&lines, &plan, &accounts, &m, 0, 78);
	assert_int_equal(lines_flush(&lines, NULL), 0);
	assert_true(read(fd, text, sizeof(text) - 1) > 0);
	assert_string_equal(text,
	    "0010FF 0042 R 130 02 002 1764000000123456 77\n"
	    "0010FF 0042 - BH 02 0002 ? 78\n");
	lines_close(&lines);
	close(fd);
	unlink(path);
}

/* ---- command line ------------------------------------------------------------ */

static void
wrong_use_is_named(void **state)
{
	static const struct {
		const char *arguments[5];
		const char *said;
	} cases[] = {
		{ { "--panels", "5" }, "--target HOST:PORT is needed" },
		{ { "--target", "127.0.0.1" }, "has no ':port'" },
		{ { "--target", "127.0.0.1:1", "--format", "adm-cdi" },
		    "did you mean 'adm-cid'" },
		{ { "--target", "127.0.0.1:1", "--accounts", "1000-1002" },
		    "too few for 50 panels" },
		{ { "--target", "127.0.0.1:1", "--key", "0011" }, "--key: " },
		{ { "--target", "127.0.0.1:1", "--rate", "fast" },
		    "neither a number nor max" },
		{ { "--target", "127.0.0.1:1", "--reconnect", "--udp" },
		    "one message per TCP connection" },
		{ { "--target", "127.0.0.1:1", "--tls" },
		    "--tls needs either --ca FILE or --insecure" },
		{ { "--target", "127.0.0.1:1", "--tls", "--udp" },
		    "--tls and --udp exclude each other" },
		{ { "--target", "127.0.0.1:1", "--ca", "x" },
		    "go with --tls only" },
		{ { "--target", "127.0.0.1:1", "--zones", "1-1000" },
		    "--zones: '1-1000' is not within 0-999" },
		{ { "--target", "127.0.0.1:1", "--receiver", "12X" },
		    "'X' is not a hexadecimal digit" },
		{ { "--target", "127.0.0.1:1", "--inflight", "0" },
		    "--inflight" },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		char texts[5][32];
		char *argv[6] = { ARG("tocsin-load") };
		struct load_options options;
		struct err err;
		int argc = 1;

		for (; argc <= 4 && cases[i].arguments[argc - 1]; argc++) {
			snprintf(texts[argc], sizeof(texts[0]), "%s",
			    cases[i].arguments[argc - 1]);
			argv[argc] = texts[argc];
		}
		assert_row(load_options_read(argc, argv, &options, &err) ==
			-EINVAL,
		    i, cases[i].said);
		assert_row(strstr(err.text, cases[i].said), i, err.text);
	}
}

static void
defaults(void **state)
{
	char *argv[] = { ARG("tocsin-load"), ARG("--target"),
		ARG("127.0.0.1:9000") };
	struct load_options o;
	struct err err;

	(void)state;
	assert_int_equal(load_options_read(3, argv, &o, &err), 0);
	assert_int_equal(o.panels, 50);
	assert_int_equal(o.accounts.count, 50);
	assert_int_equal(o.accounts.width, 4);
	assert_int_equal(o.timeout_us, 15000000);
	assert_int_equal(o.tries, 3);
	assert_int_equal(o.seconds_us, 10000000);
	assert_int_equal(o.key.length, 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(percentiles_are_near),
		cmocka_unit_test(every_latency_has_a_bucket),
		cmocka_unit_test(small_values_are_exact),
		cmocka_unit_test(neighbours_differ),
		cmocka_unit_test(contents_do_not_meet_their_sequence_again),
		cmocka_unit_test(events_are_read),
		cmocka_unit_test(account_ranges),
		cmocka_unit_test(patched_frames_equal_fresh_ones),
		cmocka_unit_test(only_the_right_reply_counts),
		cmocka_unit_test(replies_are_read_by_the_codec),
		cmocka_unit_test(panels_keep_what_is_open),
		cmocka_unit_test(ledger_lines),
		cmocka_unit_test(wrong_use_is_named),
		cmocka_unit_test(defaults),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
