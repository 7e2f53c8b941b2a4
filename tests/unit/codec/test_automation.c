/* What receivers and automation software say to each other, both ways: Sur-Gard,
 * Ademco 685, D6500. Golden bytes: docs/PROTOCOLS.md. */
#include "unit/test.h"

#include <errno.h>

#include "codec/ademco685.h"
#include "codec/d6500.h"
#include "codec/dc09.h"
#include "codec/surgard.h"

#define CID(q, c)                                                              \
 .format = SIGNAL_FORMAT_CONTACT_ID, .qualifier = (q), .code = c
#define SIA(c)	  .format = SIGNAL_FORMAT_SIA, .code = c
#define OWN(f, c) .format = SIGNAL_FORMAT_##f, .code = c
#define SLICE(s)                                                               \
 {                                                                             \
  s, sizeof(s) - 1                                                             \
 }

static const struct surgard_settings mlr2 = { "01", "1", 1 };
static const struct surgard_settings mlr2_block = { "01", "1", 1,
	.sia_block = true };
static const struct surgard_settings system3 = { "01", "100", 3 };
static const struct surgard_settings system3_block = { "01", "100", 3,
	.sia_block = true };
static const struct surgard_settings mlr2_front = { "01", "1", 1,
	.account = SURGARD_ACCOUNT_SPLIT_FRONT };
static const struct surgard_settings system3_front = { "01", "100", 3,
	.account = SURGARD_ACCOUNT_SPLIT_FRONT };
static const struct surgard_settings mlr2_back = { "01", "1", 1,
	.account = SURGARD_ACCOUNT_SPLIT_BACK };
static const struct surgard_settings system3_back = { "01", "100", 3,
	.sia_block = true, .account = SURGARD_ACCOUNT_SPLIT_BACK };
static const struct surgard_settings mlr2_clock = { "01", "1", 1,
	.clock = true };
static const struct surgard_settings system3_clock = { "01", "100", 3,
	.sia_block = true, .clock = true };

/* 2026-01-15 10:30:00 UTC */
#define RECEIVED_US INT64_C(1768473000500000)

static const struct {
	const struct surgard_settings *settings;
	struct delivery delivery;
	const char *expected; /* NULL: refused; without the DC4 */
} messages[] = {
	/* the maker's own examples */
	{ &mlr2,
	    { CID(SIGNAL_QUALIFIER_NEW, "121"), .account = SLICE("1234"),
		.partition = SLICE("01"), .zone = SLICE("001") },
	    "5011 181234E12101001" },
	{ &system3,
	    { CID(SIGNAL_QUALIFIER_NEW, "121"), .account = SLICE("1234"),
		.partition = SLICE("01"), .zone = SLICE("001") },
	    "501100 181234E12101001" },
	{ &mlr2,
	    { CID(SIGNAL_QUALIFIER_RESTORE, "401"), .account = SLICE("7B"),
		.user = SLICE("42") },
	    "5011 18007BR40100042" },
	{ &mlr2,
	    { CID(SIGNAL_QUALIFIER_STATUS, "602"), .account = SLICE("1234"),
		.partition = SLICE("0001"), .zone = SLICE("000017") },
	    "5011 181234P60201017" },
	{ &mlr2,
	    { CID(SIGNAL_QUALIFIER_NEW, "130"), .account = SLICE("1234"),
		.line_card = SLICE("7") },
	    "5017 181234E13000000" },
	{ &system3,
	    { CID(SIGNAL_QUALIFIER_NEW, "130"), .account = SLICE("1234"),
		.line_card = SLICE("7") },
	    "501007 181234E13000000" },
	{ &mlr2,
	    { CID(SIGNAL_QUALIFIER_NEW, "130"), .account = SLICE("1234"),
		.line_card = SLICE("007") },
	    "5017 181234E13000000" },
	{ &mlr2, { SIA("BA"), .account = SLICE("1234"), .zone = SLICE("5") },
	    "3011      1234BA0005" },
	{ &system3,
	    { SIA("BA"), .account = SLICE("ABC123"), .zone = SLICE("00017") },
	    "301100    ABC123BA0017" },
	/* whose opening: the number is where the zone of an alarm is */
	{ &mlr2, { SIA("OP"), .account = SLICE("1234"), .user = SLICE("42") },
	    "3011      1234OP0042" },
	{ &mlr2_block,
	    { SIA("BA"), .account = SLICE("1234"), .zone = SLICE("05") },
	    "S011[#1234|NBA05]" },
	{ &system3_block,
	    { SIA("OP"), .account = SLICE("12345678"), .user = SLICE("42"),
		.partition = SLICE("1"), .text = SLICE("Anna") },
	    "S01100[#12345678|Nid42/ri1/OP^Anna^]" },
	/* when it was received */
	{ &mlr2_clock,
	    { CID(SIGNAL_QUALIFIER_NEW, "121"), .account = SLICE("1234"),
		.partition = SLICE("01"), .zone = SLICE("001"),
		.received_us = RECEIVED_US },
	    "5011 181234E1210100110:30:00-15/01" },
	{ &system3_clock,
	    { SIA("BA"), .account = SLICE("1234"), .zone = SLICE("05"),
		.received_us = RECEIVED_US },
	    "S01100[#1234|NBA05]10:30:00-15/01" },
	/* a panel's own codes; openings by group and BFSK as printed */
	{ &mlr2,
	    { OWN(PULSE, "A"), .account = SLICE("1234"), .zone = SLICE("005") },
	    "1011      1234 A 005" },
	{ &mlr2,
	    { OWN(PULSE, "C"), .qualifier = SIGNAL_QUALIFIER_RESTORE,
		.account = SLICE("0012"), .partition = SLICE("1"),
		.user = SLICE("128") },
	    "1011      0012 C1128" },
	{ &system3,
	    { OWN(PULSE, "T"), .account = SLICE("ABC123"), .zone = SLICE("1") },
	    "101100    ABC123 T   1" },
	{ &mlr2,
	    { OWN(PULSE, "_"), .account = SLICE("1234"), .zone = SLICE("5") },
	    "1011      1234     5" },
	{ &mlr2_clock,
	    { OWN(PULSE, "A"), .account = SLICE("1234"), .zone = SLICE("005"),
		.received_us = RECEIVED_US },
	    "1011      1234 A 00510:30:00-15/01" },
	{ &mlr2,
	    { OWN(BFSK, "_A"), .account = SLICE("1234"), .zone = SLICE("D01") },
	    "6011      1234 A D01" },
	{ &system3,
	    { OWN(BFSK, "_A"), .account = SLICE("1234567890"),
		.zone = SLICE("D01") },
	    "6011001234567890 A D01" },
	{ &mlr2,
	    { OWN(BFSK, "F_"), .account = SLICE("112"), .zone = SLICE("1") },
	    "6011       112F    1" },
	{ &mlr2,
	    { OWN(HIGH_SPEED, "17"), .qualifier = SIGNAL_QUALIFIER_NEW,
		.account = SLICE("1234"), .zone = SLICE("1") },
	    "80111234 1555 5555 7" },
	{ &mlr2,
	    { OWN(HIGH_SPEED, "9"), .account = SLICE("1234"),
		.zone = SLICE("9") },
	    "80111234 5555 5555 9" },
	{ &system3,
	    { OWN(HIGH_SPEED, "37"), .qualifier = SIGNAL_QUALIFIER_RESTORE,
		.account = SLICE("ABC123"), .zone = SLICE("16") },
	    "801100ABC123 5555 5555 5555 5553 7" },
	{ &mlr2,
	    { OWN(HIGH_SPEED, "1"), .account = SLICE("12"),
		.zone = SLICE("17") },
	    "80110012 5555 5555 5555 5555 1" },
	{ &mlr2,
	    { OWN(ACRON, "1"), .account = SLICE("1234"), .zone = SLICE("6") },
	    "9011    123455555155" },
	{ &mlr2, { OWN(ACRON, "5"), .account = SLICE("1234") },
	    "9011    123455555555" },
	{ &mlr2,
	    { OWN(PULSE, "A"), .account = SLICE("1234567"),
		.zone = SLICE("5") },
	    NULL },
	{ &mlr2,
	    { OWN(PULSE, "A"), .account = SLICE("1234"),
		.zone = SLICE("1000") },
	    NULL },
	{ &mlr2,
	    { OWN(PULSE, "A"), .account = SLICE("1234"),
		.partition = SLICE("10") },
	    NULL },
	{ &mlr2, { OWN(PULSE, "AB"), .account = SLICE("1234") }, NULL },
	{ &mlr2, { OWN(BFSK, "_A"), .account = SLICE("12345678901") }, NULL },
	{ &mlr2, { OWN(BFSK, "A"), .account = SLICE("1234") }, NULL },
	{ &mlr2,
	    { OWN(BFSK, "_A"), .account = SLICE("1234"), .zone = SLICE("1 2") },
	    NULL },
	{ &mlr2, { OWN(HIGH_SPEED, "17"), .account = SLICE("1234") }, NULL },
	{ &mlr2,
	    { OWN(HIGH_SPEED, "17"), .account = SLICE("1234567"),
		.zone = SLICE("1") },
	    NULL },
	{ &mlr2,
	    { OWN(HIGH_SPEED, "17"), .account = SLICE("1234"),
		.zone = SLICE("9") },
	    NULL },
	{ &mlr2,
	    { OWN(HIGH_SPEED, "1"), .account = SLICE("1234"),
		.zone = SLICE("3") },
	    NULL },
	{ &mlr2,
	    { OWN(HIGH_SPEED, "17"), .account = SLICE("1234"),
		.zone = SLICE("18") },
	    NULL },
	{ &mlr2,
	    { OWN(ACRON, "1"), .account = SLICE("1234"), .zone = SLICE("9") },
	    NULL },
	{ &mlr2, { OWN(ACRON, "1"), .account = SLICE("1234") }, NULL },
	{ &mlr2,
	    { OWN(ACRON, "1"), .account = SLICE("12345"), .zone = SLICE("1") },
	    NULL },
	/* what does not fit is refused, never cut */
	{ &mlr2,
	    { CID(SIGNAL_QUALIFIER_NEW, "130"), .account = SLICE("12345") },
	    NULL },
	{ &mlr2,
	    { CID(SIGNAL_QUALIFIER_NEW, "130"), .account = SLICE("01234") },
	    NULL },
	{ &mlr2, { CID(SIGNAL_QUALIFIER_NEW, "130"), .account = { "", 0 } },
	    NULL },
	{ &mlr2, { CID(SIGNAL_QUALIFIER_NEW, "130"), .account = SLICE("12 4") },
	    NULL },
	{ &mlr2,
	    { CID(SIGNAL_QUALIFIER_NEW, "130"), .account = SLICE("1234"),
		.zone = SLICE("1000") },
	    NULL },
	{ &mlr2,
	    { CID(SIGNAL_QUALIFIER_NEW, "130"), .account = SLICE("1234"),
		.partition = SLICE("100") },
	    NULL },
	{ &mlr2,
	    { CID(SIGNAL_QUALIFIER_NONE, "130"), .account = SLICE("1234") },
	    NULL },
	{ &mlr2, { CID(SIGNAL_QUALIFIER_NEW, "BA"), .account = SLICE("1234") },
	    NULL },
	{ &mlr2,
	    { CID(SIGNAL_QUALIFIER_NEW, "130"), .account = SLICE("1234"),
		.line_card = SLICE("12") },
	    NULL },
	{ &mlr2, { SIA("BA"), .account = SLICE("1234567") }, NULL },
	{ &mlr2,
	    { SIA("BA"), .account = SLICE("1234"), .zone = SLICE("10000") },
	    NULL },
	{ &mlr2, { SIA("130"), .account = SLICE("1234") }, NULL },
	/* nor what would be read as something else */
	{ &mlr2, { SIA("OP"), .account = SLICE("1234"), .user = SLICE("]1") },
	    NULL },
	{ &mlr2,
	    { CID(SIGNAL_QUALIFIER_NEW, "130"), .account = SLICE("1234"),
		.zone = SLICE("1 2") },
	    NULL },
	{ &mlr2, { .account = SLICE("1234") }, NULL },
	{ &mlr2_block, { SIA("BA"), .account = SLICE("12|4") }, NULL },
};

static void
surgard_written(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(messages); i++) {
		const char *problem = NULL, *expected = messages[i].expected;
		char out[SURGARD_MESSAGE_MAX];
		int length = surgard_encode(messages[i].settings,
		    &messages[i].delivery, out, &problem);

		if (!expected) {
			assert_row(length == -EINVAL && problem, i,
			    messages[i].delivery.account.data);
			continue;
		}
		assert_row(length > 0, i, expected);
		assert_row(out[length - 1] == SURGARD_TERMINATOR, i, expected);
		assert_slice(slice_of(out, (size_t)length - 1), expected);
	}
}

/* The line field goes to the account, for every account there: no two of them
 * look alike. */
static void
surgard_split(void **state)
{
	static const struct {
		const struct surgard_settings *settings;
		const char *account, *line_card;
		const char *expected; /* NULL: refused */
	} rows[] = {
		{ &system3_front, "A231234", NULL, "501A23 181234E13000000" },
		{ &system3_front, "31234", NULL, "501003 181234E13000000" },
		{ &system3_front, "1234", NULL, "501000 181234E13000000" },
		{ &system3_front, "7B", NULL, "501000 18007BE13000000" },
		{ &system3_front, "A2312345", NULL, NULL },
		{ &mlr2_front, "A1234", NULL, "501A 181234E13000000" },
		{ &mlr2_front, "1234", NULL, "5010 181234E13000000" },
		{ &mlr2_front, "AB1234", NULL, NULL },
		{ &system3_back, "1234A23", NULL, "501A23 181234E13000000" },
		{ &system3_back, "1234A", NULL, "501A00 181234E13000000" },
		{ &system3_back, "1234", NULL, "501000 181234E13000000" },
		{ &system3_back, "7B", NULL, "501000 18007BE13000000" },
		{ &system3_back, "1234A231", NULL, NULL },
		{ &mlr2_back, "1234A", NULL, "501A 181234E13000000" },
		{ &mlr2_back, "1234AB", NULL, NULL },
		/* no room for both */
		{ &mlr2_back, "1234A", "2", NULL },
		{ &mlr2_front, "1234", "2", NULL },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct delivery delivery = { CID(SIGNAL_QUALIFIER_NEW, "130"),
			.account = slice_from_string(rows[i].account),
			.line_card = slice_from_string(rows[i].line_card) };
		const char *problem = NULL;
		char out[SURGARD_MESSAGE_MAX];
		int length =
		    surgard_encode(rows[i].settings, &delivery, out, &problem);

		if (!rows[i].expected) {
			assert_row(length == -EINVAL && problem, i,
			    rows[i].account);
			continue;
		}
		assert_row(length > 0, i, problem);
		assert_slice(slice_of(out, (size_t)length - 1),
		    rows[i].expected);
	}
}

/* The same two fields in SIA. */
static void
surgard_split_sia(void **state)
{
	const struct delivery delivery = { SIA("BA"),
		.account = SLICE("1234A23"), .zone = SLICE("5") };
	char out[SURGARD_MESSAGE_MAX];
	const char *problem;
	int length = surgard_encode(&system3_back, &delivery, out, &problem);

	(void)state;
	assert_true(length > 0);
	assert_slice(slice_of(out, (size_t)length - 1), "S01A23[#1234|NBA5]");
	length = surgard_encode(&system3_front, &delivery, out, &problem);
	assert_true(length > 0);
	assert_slice(slice_of(out, (size_t)length - 1),
	    "301123      4A23BA0005");
}

/* What we write we read as the same. */
static void
surgard_read_back(void **state)
{
	static struct signal signal;

	(void)state;
	for (size_t i = 0; i < COUNT(messages); i++) {
		const struct surgard_settings *settings = messages[i].settings;
		const struct delivery *delivery = &messages[i].delivery;
		const char *problem, *expected = messages[i].expected;
		char out[SURGARD_MESSAGE_MAX];
		struct slice account;
		size_t consumed;
		int length;

		if (!expected)
			continue;
		length = surgard_encode(settings, delivery, out, &problem);
		assert_row(surgard_decode(out, (size_t)length,
			       settings->line_digits, &consumed,
			       &signal) == CODEC_OK,
		    i, expected);
		assert_int_equal(consumed, length);
		assert_slice(signal.receiver, "01");
		account = slice_strip_zeros(signal.account);
		assert_row(slice_equal(account,
			       slice_strip_zeros(delivery->account)),
		    i, expected);
		assert_int_equal(signal.event_count, 1);
		assert_string_equal(signal.events[0].code, delivery->code);
		assert_int_equal(signal.events[0].qualifier,
		    delivery->qualifier);
	}
}

/* "1234: pulse C R p1 u128", every event behind a semicolon */
static const char *
read_as_text(const struct signal *signal)
{
	static char text[600];
	int length =
	    snprintf(text, sizeof(text), "%.*s:", SLICE_ARG(signal->account));

	for (unsigned i = 0; i < signal->event_count; i++) {
		const struct signal_event *event = &signal->events[i];
		const struct {
			char name;
			struct slice value;
		} parts[] = { { 'p', event->partition }, { 'z', event->zone },
			{ 'u', event->user }, { 't', event->text } };
		char letter[] = { ' ',
			signal_qualifier_letter(event->qualifier), '\0' };

		length += snprintf(text + length, sizeof(text) - (size_t)length,
		    "%s %s %s%s", i ? ";" : "",
		    signal_format_name(event->format), event->code,
		    letter[1] ? letter : "");
		for (size_t part = 0; part < COUNT(parts); part++)
			if (slice_present(parts[part].value))
				length += snprintf(text + length,
				    sizeof(text) - (size_t)length, " %c%.*s",
				    parts[part].name,
				    SLICE_ARG(parts[part].value));
	}
	return text;
}

static const struct {
	unsigned line_digits;
	const char *message; /* without the DC4 */
	const char *expected;
} panel_messages[] = {
	{ 1, "1011      1234 A 005", "1234: pulse A z005" },
	{ 3, "101001    123456 A   5", "123456: pulse A z5" },
	{ 1, "1011      1234 A 00510:30:00-15/01", "1234: pulse A z005" },
	{ 1, "1011      1234     5", "1234: pulse _ z5" },
	/* partially armed on two groups by user 128 */
	{ 1, "1011      0012 C1128", "0012: pulse C R p1 u128" },
	{ 3, "101001      0012 C2128", "0012: pulse C R p2 u128" },
	{ 1, "1011      0012 O    ", "0012: pulse O E" },
	/* a receiver that tells Modem II and BFSK as Radionics' does */
	{ 1, "1011      7112 R F01", "7112: pulse R zF01" },
	{ 1, "1011       112F    1", "112: bfsk F_ z1" },
	{ 1, "6011       112F    1", "112: bfsk F_ z1" },
	{ 1, "6011      1234 A D01", "1234: bfsk _A zD01" },
	{ 3, "601002    123456 A D01", "123456: bfsk _A zD01" },
	{ 3, "6010021234567890 A D01", "1234567890: bfsk _A zD01" },
	{ 3, "6010021234567890 A D0110:30:00-15/01",
	    "1234567890: bfsk _A zD01" },
	/* an event for each channel that says something */
	{ 1, "80111234 1555 5535 7",
	    "1234: high-speed 17 E z1 t1555 5535 7; high-speed 37 R z7 t1555 5535 7" },
	{ 3, "80100112 5555 6555 710:30:00-15/01",
	    "12: high-speed 67 P z5 t5555 6555 7" },
	{ 1, "80111234 5055 5555 5", "1234: high-speed 05 E z2 t5055 5555 5" },
	/* an opening, and a closing, of user 3: what printed examples say */
	{ 1, "80111234 3555 5555 2", "1234: high-speed 32 E z1 t3555 5555 2" },
	{ 1, "80111234 5545 5555 4", "1234: high-speed 44 R z3 t5545 5555 4" },
	/* the last channel by itself */
	{ 1, "80111234 5555 5555 8", "1234: high-speed 8 z9 t5555 5555 8" },
	{ 1, "80111234 5555 5555 5", "1234: high-speed 5 z9 t5555 5555 5" },
	{ 1, "80111234 1555 5555 1",
	    "1234: high-speed 11 z1 t1555 5555 1; high-speed 1 z9 t1555 5555 1" },
	{ 1, "80111234 3555 5555 1", /* whose duress: no restore */
	    "1234: high-speed 31 z1 t3555 5555 1; high-speed 1 z9 t3555 5555 1" },
	{ 1, "80111234 A555 5555 B",
	    "1234: high-speed AB z1 tA555 5555 B; high-speed B z9 tA555 5555 B" },
	{ 3, "801001ABC123 5555 5555 5555 5355 7",
	    "ABC123: high-speed 37 R z14 t5555 5555 5555 5355 7" },
	{ 1, "801112 5555 5555 5555 5555 1",
	    "12: high-speed 1 z17 t5555 5555 5555 5555 1" },
	{ 1, "9011    123415555553",
	    "1234: acron 1 z1 t15555553; acron 3 z8 t15555553" },
	{ 3, "901001    12345555555510:30:00-15/01",
	    "1234: acron 5 t55555555" },
	/* who called */
	{ 1, "4011  12345551234567", "1234: none  t5551234567" },
	{ 3, "401001001234  555-1234", "001234: none  t555-1234" },
	{ 1, "4011        Private ", ": none  tPrivate " },
	{ 1, "U011  123400441234567890FFFF",
	    "1234: none  t00441234567890FFFF" },
	{ 3, "u01001  1234Anna Example      ",
	    "1234: none  tAnna Example      " },
};

static void
surgard_panels(void **state)
{
	static struct signal signal;
	char message[SURGARD_MESSAGE_MAX];

	(void)state;
	for (size_t i = 0; i < COUNT(panel_messages); i++) {
		size_t consumed,
		    length = (size_t)snprintf(message, sizeof(message),
			"%s\x14", panel_messages[i].message);

		assert_row(surgard_decode(message, length,
			       panel_messages[i].line_digits, &consumed,
			       &signal) == CODEC_OK,
		    i, panel_messages[i].message);
		assert_int_equal(consumed, length);
		assert_false(signal.poll);
		if (strcmp(read_as_text(&signal), panel_messages[i].expected))
			fail_msg("row %zu: '%s', not '%s'", i,
			    read_as_text(&signal), panel_messages[i].expected);
	}
}

/* They have a fixed length: what lost a character names another account. */
static void
surgard_panels_damaged(void **state)
{
	static const char *const broken[] = { "1011      1234      ",
		"1011           A 005", "1011      1234 @ 005",
		"1011      1234 A 0 5", "1011      12-4 A 005",
		"1011      1234 A  005", "6011      1234  0005",
		"6011      1234__0005", "6011          A D01",
		"80111234 G555 5555 7", "80111234 1555 5555",
		"80111234 1555 5555  ", "80111234 15555 555 7",
		"80111234 1555 5555 5555 7", "8011 1555 5555 7", "80111234",
		"8011", "9011    12345555555G", "9011        55555555",
		"4011  12-45551234567", "4011  1234555123456\x7f",
		"7011      1234 A 005", "U011  12345551234567" };
	static struct signal signal;
	char message[SURGARD_MESSAGE_MAX];
	size_t consumed;

	(void)state;
	for (size_t i = 0; i < COUNT(broken); i++) {
		snprintf(message, sizeof(message), "%s\x14", broken[i]);
		assert_row(surgard_decode(message, strlen(message), 1,
			       &consumed, &signal) == CODEC_BAD,
		    i, broken[i]);
	}
	for (size_t i = 0; i < COUNT(panel_messages); i++) {
		const char *whole = panel_messages[i].message;
		unsigned digits = panel_messages[i].line_digits;

		if (*whole == '8' || strchr(whole, '/'))
			continue;
		for (size_t cut = 3 + digits; whole[cut]; cut++) {
			snprintf(message, sizeof(message), "%.*s%s\x14",
			    (int)cut, whole, whole + cut + 1);
			assert_row(surgard_decode(message, strlen(message),
				       digits, &consumed, &signal) == CODEC_BAD,
			    i, message);
		}
	}
}

/* A text goes along whole or not at all; its event always does. */
static void
surgard_long_text(void **state)
{
	char text[SURGARD_MESSAGE_MAX], out[SURGARD_MESSAGE_MAX];
	const size_t frame = strlen("S011[#1234|NBA5^^]") + 1;
	const char *problem;

	(void)state;
	memset(text, 'x', sizeof(text));
	for (size_t n = 1; n <= sizeof(text); n++) {
		struct delivery delivery = { SIA("BA"),
			.account = SLICE("1234"), .zone = SLICE("5"),
			.text = { text, n } };
		int length =
		    surgard_encode(&mlr2_block, &delivery, out, &problem);

		assert_true(length > 0);
		if (frame + n <= SURGARD_MESSAGE_MAX)
			assert_int_equal(length, frame + n);
		else
			assert_slice(slice_of(out, (size_t)length),
			    "S011[#1234|NBA5]\x14");
	}
}

/* The clock has its place behind the longest text. */
static void
surgard_long_text_with_clock(void **state)
{
	static char text[SURGARD_MESSAGE_MAX];
	const size_t frame = strlen("S01100[#1234|NBA5^^]10:30:00-15/01") + 1;
	struct delivery delivery = { SIA("BA"), .account = SLICE("1234"),
		.zone = SLICE("5"), .received_us = RECEIVED_US };
	char out[SURGARD_MESSAGE_MAX];
	const char *problem;

	(void)state;
	memset(text, 'x', sizeof(text));
	delivery.text = slice_of(text, SURGARD_MESSAGE_MAX - frame);
	assert_int_equal(surgard_encode(&system3_clock, &delivery, out,
			     &problem),
	    SURGARD_MESSAGE_MAX);
	delivery.text.length++;
	assert_int_equal(surgard_encode(&system3_clock, &delivery, out,
			     &problem),
	    frame - 2);
}

/* Set aside, they wait with a sentence that says what helps. */
static void
own_codes_elsewhere(void **state)
{
	static const enum signal_format formats[] = { SIGNAL_FORMAT_PULSE,
		SIGNAL_FORMAT_BFSK, SIGNAL_FORMAT_HIGH_SPEED,
		SIGNAL_FORMAT_ACRON };
	const struct ademco685_settings ademco685 = { "1", "2" };
	const struct d6500_settings d6500 = { "01", "1", false };
	char out[SURGARD_MESSAGE_MAX];
	const char *problem;

	(void)state;
	for (size_t i = 0; i < COUNT(formats); i++) {
		struct delivery delivery = { .format = formats[i],
			.qualifier = SIGNAL_QUALIFIER_NEW,
			.code = "1",
			.account = SLICE("1234"),
			.zone = SLICE("1") };
		struct signal_event event = { .format = formats[i],
			.qualifier = SIGNAL_QUALIFIER_NEW,
			.code = "1" };

		problem = "";
		assert_int_equal(ademco685_encode(&ademco685, &delivery, out,
				     &problem),
		    -EINVAL);
		assert_string_equal(problem, CODEC_OWN_CODE);
		problem = "";
		assert_int_equal(d6500_encode(&d6500, &delivery, out, &problem),
		    -EINVAL);
		assert_string_equal(problem, CODEC_OWN_CODE);
		problem = "";
		assert_int_equal(dc09_event_encode(&event, delivery.account,
				     out, sizeof(out), &problem),
		    -EINVAL);
		assert_string_equal(problem, CODEC_OWN_CODE);
	}
}

static void
surgard_heartbeat(void **state)
{
	char out[SURGARD_MESSAGE_MAX];
	int length = surgard_heartbeat_encode(&mlr2, out);

	(void)state;
	assert_slice(slice_of(out, (size_t)length), "1011           @    \x14");
	length = surgard_heartbeat_encode(&system3, out);
	assert_slice(slice_of(out, (size_t)length),
	    "101100           @    \x14");
}

typedef enum codec_result (*decode_fn)(const char *, size_t, size_t *,
    struct signal *);

/* What we wrote we read as the same event. */
static void
assert_read_back(decode_fn decode, const char *out, int length,
    const struct delivery *delivery, size_t row)
{
	static struct signal signal;
	size_t consumed;

	assert_row(decode(out, (size_t)length, &consumed, &signal) == CODEC_OK,
	    row, delivery->code);
	assert_row(consumed == (size_t)length, row, delivery->code);
	assert_int_equal(signal.event_count, 1);
	assert_string_equal(signal.events[0].code, delivery->code);
	assert_int_equal(signal.events[0].qualifier, delivery->qualifier);
}

static const struct {
	const char *line; /* of the receiver */
	struct delivery delivery;
	const char *expected; /* NULL: refused */
} ademco685_messages[] = {
	{ "2",
	    { CID(SIGNAL_QUALIFIER_NEW, "131"), .account = SLICE("1234"),
		.partition = SLICE("01"), .zone = SLICE("015") },
	    "\n12 1234 18 E131 01 C015\r" },
	/* three digits get a zero; A is the tone of 0 */
	{ "2",
	    { CID(SIGNAL_QUALIFIER_RESTORE, "131"), .account = SLICE("7AF"),
		.zone = SLICE("15") },
	    "\n12 070F 18 R131 00 C015\r" },
	/* the code says whose number it is */
	{ "2",
	    { CID(SIGNAL_QUALIFIER_RESTORE, "401"), .account = SLICE("1234"),
		.partition = SLICE("1"), .zone = SLICE("042") },
	    "\n12 1234 18 R401 01 U042\r" },
	{ "2",
	    { CID(SIGNAL_QUALIFIER_NEW, "199"), .account = SLICE("1234"),
		.user = SLICE("42") },
	    "\n12 1234 18 E199 00 U042\r" },
	{ "2",
	    { CID(SIGNAL_QUALIFIER_STATUS, "602"), .account = SLICE("1234") },
	    "\n12 1234 18 P602 00 C000\r" },
	{ "2",
	    { CID(SIGNAL_QUALIFIER_NEW, "130"), .account = SLICE("1234"),
		.line_card = SLICE("007") },
	    "\n17 1234 18 E130 00 C000\r" },
	{ "2", { CID(SIGNAL_QUALIFIER_NEW, "130"), .account = SLICE("12345") },
	    NULL },
	{ "2", { CID(SIGNAL_QUALIFIER_NEW, "130"), .account = SLICE("12G4") },
	    NULL },
	{ "2", { CID(SIGNAL_QUALIFIER_NEW, "130"), .account = { "", 0 } },
	    NULL },
	{ "2",
	    { CID(SIGNAL_QUALIFIER_NEW, "130"), .account = SLICE("1234"),
		.zone = SLICE("1000") },
	    NULL },
	{ "2",
	    { CID(SIGNAL_QUALIFIER_NEW, "130"), .account = SLICE("1234"),
		.partition = SLICE("100") },
	    NULL },
	{ "2",
	    { CID(SIGNAL_QUALIFIER_NEW, "130"), .account = SLICE("1234"),
		.line_card = SLICE("12") },
	    NULL },
	{ "2",
	    { CID(SIGNAL_QUALIFIER_NEW, "130"), .account = SLICE("1234"),
		.line_card = SLICE("A") },
	    NULL },
	/* no form for it */
	{ "2", { SIA("BA"), .account = SLICE("1234") }, NULL },
	{ "2",
	    { OWN(PULSE, "A"), .account = SLICE("1234"), .zone = SLICE("5") },
	    NULL },
	{ "2", { CID(SIGNAL_QUALIFIER_NONE, "130"), .account = SLICE("1234") },
	    NULL },
};

static void
ademco685_written(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(ademco685_messages); i++) {
		const char *problem = NULL,
			   *expected = ademco685_messages[i].expected;
		const struct delivery *delivery =
		    &ademco685_messages[i].delivery;
		struct ademco685_settings settings = { "1", "" };
		char out[ADEMCO685_MESSAGE_MAX];
		int length;

		strcpy(settings.line, ademco685_messages[i].line);
		length = ademco685_encode(&settings, delivery, out, &problem);
		if (!expected) {
			assert_row(length == -EINVAL && problem, i,
			    delivery->code);
			continue;
		}
		assert_row(length > 0, i, expected);
		assert_slice(slice_of(out, (size_t)length), expected);
		assert_read_back(ademco685_decode, out, length, delivery, i);
	}
}

static void
ademco685_heartbeat(void **state)
{
	const struct ademco685_settings settings = { "1", "0" };
	char out[ADEMCO685_MESSAGE_MAX];
	int length = ademco685_heartbeat_encode(&settings, out);

	(void)state;
	assert_slice(slice_of(out, (size_t)length), "\n10 OKAY @\r");
}

static const struct d6500_settings d6500 = { "01", "1", false };
static const struct d6500_settings d6500_header = { "01", "1", true };
static const struct d6500_settings d6500_line_12 = { "01", "12", false };

static const struct {
	const struct d6500_settings *settings;
	struct delivery delivery;
	const char *expected; /* NULL: refused; without the DC4 */
} d6500_messages[] = {
	{ &d6500,
	    { CID(SIGNAL_QUALIFIER_NEW, "131"), .account = SLICE("1234"),
		.partition = SLICE("01"), .zone = SLICE("015") },
	    "a011 123418113101015" },
	{ &d6500_header,
	    { CID(SIGNAL_QUALIFIER_RESTORE, "401"), .account = SLICE("7B"),
		.user = SLICE("42") },
	    " a011 007B18340100042" },
	{ &d6500_line_12,
	    { CID(SIGNAL_QUALIFIER_STATUS, "602"), .account = SLICE("1234") },
	    "a01C 123418660200000" },
	{ &d6500,
	    { CID(SIGNAL_QUALIFIER_NEW, "130"), .account = SLICE("1234"),
		.line_card = SLICE("010") },
	    "a01A 123418113000000" },
	{ &d6500, { SIA("BA"), .account = SLICE("1234"), .zone = SLICE("15") },
	    "S011[#1234|NBA0015]" },
	{ &d6500_header,
	    { SIA("BA"), .account = SLICE("0123456789ABCDEF"),
		.zone = SLICE("0015"), .partition = SLICE("1"),
		.text = SLICE("Hall") },
	    " S011[#0123456789ABCDEF|Nri1/BA0015^Hall^]" },
	{ &d6500, { SIA("OP"), .account = SLICE("7B"), .user = SLICE("42") },
	    "S011[#007B|Nid42/OP]" },
	{ &d6500,
	    { CID(SIGNAL_QUALIFIER_NEW, "130"), .account = SLICE("12345") },
	    NULL },
	{ &d6500, { CID(SIGNAL_QUALIFIER_NEW, "130"), .account = { "", 0 } },
	    NULL },
	{ &d6500, { SIA("BA"), .account = SLICE("0123456789ABCDEF0") }, NULL },
	{ &d6500, { SIA("BA"), .account = SLICE("12|4") }, NULL },
	{ &d6500,
	    { SIA("BA"), .account = SLICE("1234"), .zone = SLICE("10000") },
	    NULL },
	{ &d6500,
	    { CID(SIGNAL_QUALIFIER_NEW, "130"), .account = SLICE("1234"),
		.zone = SLICE("1000") },
	    NULL },
	{ &d6500,
	    { CID(SIGNAL_QUALIFIER_NEW, "130"), .account = SLICE("1234"),
		.partition = SLICE("100") },
	    NULL },
	{ &d6500,
	    { CID(SIGNAL_QUALIFIER_NEW, "130"), .account = SLICE("1234"),
		.line_card = SLICE("Z") },
	    NULL },
	{ &d6500, { .account = SLICE("1234") }, NULL },
	{ &d6500, { OWN(BFSK, "_A"), .account = SLICE("1234") }, NULL },
};

static void
d6500_written(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(d6500_messages); i++) {
		const char *problem = NULL,
			   *expected = d6500_messages[i].expected;
		const struct delivery *delivery = &d6500_messages[i].delivery;
		char out[D6500_MESSAGE_MAX];
		int length = d6500_encode(d6500_messages[i].settings, delivery,
		    out, &problem);

		if (!expected) {
			assert_row(length == -EINVAL && problem, i,
			    delivery->code);
			continue;
		}
		assert_row(length > 0 && out[length - 1] == '\x14', i,
		    expected);
		assert_slice(slice_of(out, (size_t)length - 1), expected);
		assert_read_back(d6500_decode, out, length, delivery, i);
	}
}

/* 1..9, A..W for 10..32, X for 33, Y above. */
static void
d6500_lines(void **state)
{
	static const struct {
		const char *line;
		char expected;
	} rows[] = { { "0", '0' }, { "1", '1' }, { "9", '9' }, { "009", '9' },
		{ "10", 'A' }, { "32", 'W' }, { "33", 'X' }, { "34", 'Y' },
		{ "999", 'Y' }, { "A", 'A' }, { "Y", 'Y' } };

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		const struct delivery delivery = { CID(SIGNAL_QUALIFIER_NEW,
						       "130"),
			.account = SLICE("1234") };
		struct d6500_settings settings = { .receiver = "01" };
		char out[D6500_MESSAGE_MAX];
		const char *problem;

		strcpy(settings.line, rows[i].line);
		assert_row(d6500_encode(&settings, &delivery, out, &problem) >
			    0 &&
			out[3] == rows[i].expected,
		    i, rows[i].line);
	}
}

static void
d6500_link_test(void **state)
{
	char out[D6500_MESSAGE_MAX];
	int length = d6500_heartbeat_encode(&d6500, out);

	(void)state;
	assert_slice(slice_of(out, (size_t)length), "1010           @    \x14");
	length = d6500_heartbeat_encode(&d6500_header, out);
	assert_slice(slice_of(out, (size_t)length),
	    " 1010           @    \x14");
}

/* One message as a line: line, account, then qualifier, code, partition, zone;
 * "poll" for a link test. */
static void
describe(const struct signal *signal, char *out, size_t size)
{
	const struct signal_event *event = &signal->events[0];

	if (signal->poll)
		snprintf(out, size, "%.*s/%.*s poll",
		    SLICE_ARG(signal->receiver), SLICE_ARG(signal->line));
	else
		snprintf(out, size, "%.*s/%.*s %.*s %c%s %.*s.%.*s %.*s",
		    SLICE_ARG(signal->receiver), SLICE_ARG(signal->line),
		    SLICE_ARG(signal->account),
		    signal_qualifier_letter(event->qualifier)
			? signal_qualifier_letter(event->qualifier)
			: '-',
		    event->code, SLICE_ARG(event->partition),
		    SLICE_ARG(event->zone), SLICE_ARG(event->user));
}

static enum codec_result
surgard_1(const char *data, size_t length, size_t *consumed, struct signal *ret)
{
	return surgard_decode(data, length, 1, consumed, ret);
}

static enum codec_result
surgard_3(const char *data, size_t length, size_t *consumed, struct signal *ret)
{
	return surgard_decode(data, length, 3, consumed, ret);
}

static const struct {
	decode_fn decode;
	const char *message;
	const char *expected; /* NULL: refused */
} received[] = {
	{ surgard_1, "5011 181234E12101001\x14", "01/1 1234 E121 01.001 " },
	{ surgard_1, "5011 187037E60200000\x14", "01/1 7037 E602 00.000 " },
	{ surgard_3, "501100 181234E12101001\x14", "01/100 1234 E121 01.001 " },
	{ surgard_1, "\r\n5011 181234E12101001\x14", "01/1 1234 E121 01.001 " },
	/* other emitters */
	{ surgard_1, "5011 181234112101001\x14", "01/1 1234 E121 01.001 " },
	{ surgard_1, "5011 181234312101001\x14", "01/1 1234 R121 01.001 " },
	{ surgard_1, "501118123456E12101001\x14", "01/1 123456 E121 01.001 " },
	{ surgard_1, "5011 180123456789P60201001\x14",
	    "01/1 0123456789 P602 01.001 " },
	{ surgard_1, "5011 981234E12101001\x14", "01/1 1234 E121 01.001 " },
	{ surgard_1, "501A 181234E12101001\x14", "01/A 1234 E121 01.001 " },
	{ surgard_1, "3011      1234BA0005\x14", "01/1 1234 -BA .0005 " },
	{ surgard_1, "3011    ABC123BA0005\x14", "01/1 ABC123 -BA .0005 " },
	{ surgard_3, "301100    ABC123BA0005\x14", "01/100 ABC123 -BA .0005 " },
	{ surgard_1, "S011[#1234|Nri1/BA05]\x14", "01/1 1234 -BA 1.05 " },
	{ surgard_3, "S01100[#1234|NBA05]\x14", "01/100 1234 -BA .05 " },
	{ surgard_1, "0011[#0000|NRP]\x14", "01/1 0000 -RP . " },
	{ surgard_1, "1011           @    \x14", "01/1 poll" },
	{ surgard_3, "101100           @    \x14", "01/100 poll" },
	{ surgard_1, "5011 181234E1210100110:30:00-15/01\x14",
	    "01/1 1234 E121 01.001 " },
	{ surgard_1, "1011           @    10:30:00-15/01\x14", "01/1 poll" },
	{ surgard_1, "5011 181234E1210100110:30:00-15.01\x14", NULL },
	/* neither width is read as the other */
	{ surgard_3, "5011 181234E12101001\x14", NULL },
	{ surgard_1, "501100 181234E12101001\x14", NULL },
	{ surgard_3, "1011           @    \x14", NULL },
	{ surgard_3, "3011    ABC123BA0005\x14", NULL },
	{ surgard_1, "301100    ABC123BA0005\x14", NULL },
	{ surgard_3, "S011[#1234|NBA05]\x14", NULL },
	{ surgard_1, "5011 181234X12101001\x14", NULL },
	{ surgard_1, "5011 171234E12101001\x14", NULL },
	{ surgard_1, "5011 181 34E12101001\x14", NULL },
	{ surgard_1, "S011[#1234|NBA05\x14", NULL },
	{ surgard_1, "7011 181234E12101001\x14", NULL },
	{ surgard_1, "\x14", NULL },
	{ surgard_1, "5\x14", NULL },
	{ surgard_1, "5011\x14", NULL },

	{ d6500_decode, "a011 123418113101015\x14", "01/1 1234 E131 01.015 " },
	{ d6500_decode, " a01W 1234183131010F5\x14", "01/W 1234 R131 01.0F5 " },
	{ d6500_decode, "a011 123418E13101015\x14", "01/1 1234 E131 01.015 " },
	{ d6500_decode, "S011[#0123456789ABCDEF|NBA0015]\x14",
	    "01/1 0123456789ABCDEF -BA .0015 " },
	{ d6500_decode, "1010           @    \x14", "01/0 poll" },
	{ d6500_decode, "a011 12341811310101\x14", NULL },
	{ d6500_decode, "a011 123417113101015\x14", NULL },
	{ d6500_decode, "1010          @    \x14", NULL },
	{ d6500_decode, "b011 123418113101015\x14", NULL },
	{ d6500_decode, "\x14", NULL },

	{ ademco685_decode, "\n12 1234 18 E131 01 C015\r",
	    "1/2 1234 E131 01.015 " },
	{ ademco685_decode, "\n12 1234 18 R401 01 U042\r",
	    "1/2 1234 R401 01.042 042" },
	{ ademco685_decode, "junk\n12 1234 18 E131 01 C015\r",
	    "1/2 1234 E131 01.015 " },
	{ ademco685_decode, "\n10 OKAY @\r", "1/0 poll" },
	{ ademco685_decode, "\n10 OKAY @ \r", "1/0 poll" },
	{ ademco685_decode, "\n12 1234 18 E131 01 X015\r", NULL },
	{ ademco685_decode, "\n12 1234 18 E131 01 C15\r", NULL },
	{ ademco685_decode, "\n12 1234 17 E131 01 C015\r", NULL },
	{ ademco685_decode, "\n12 1234 E 1\r", NULL },
	{ ademco685_decode, "\n\r", NULL },
};

/* Whole, in every truncation, and refused where it must be. */
static void
messages_received(void **state)
{
	static struct signal signal;

	(void)state;
	for (size_t i = 0; i < COUNT(received); i++) {
		const char *message = received[i].message;
		size_t length = strlen(message), consumed;
		enum codec_result result;
		char line[128];

		for (size_t n = 0; n < length; n++)
			assert_row(received[i].decode(message, n, &consumed,
				       &signal) == CODEC_MORE,
			    i, message);
		result =
		    received[i].decode(message, length, &consumed, &signal);
		assert_row(consumed == length, i, message);
		assert_row(result ==
			(received[i].expected ? CODEC_OK : CODEC_BAD),
		    i, message);
		if (!received[i].expected)
			continue;
		describe(&signal, line, sizeof(line));
		if (strcmp(line, received[i].expected) != 0)
			fail_msg("row %zu (%s): \"%s\", not \"%s\"", i, message,
			    line, received[i].expected);
	}
}

/* A public port hears all kinds of things. */
static void
endless_line_is_dropped(void **state)
{
	static struct signal signal;
	char data[SURGARD_MESSAGE_MAX];
	size_t consumed;

	(void)state;
	memset(data, 'x', sizeof(data));
	assert_int_equal(surgard_1(data, sizeof(data) - 1, &consumed, &signal),
	    CODEC_MORE);
	assert_int_equal(consumed, 0);
	assert_int_equal(surgard_1(data, sizeof(data), &consumed, &signal),
	    CODEC_BAD);
	assert_int_equal(consumed, sizeof(data));
	assert_int_equal(d6500_decode(data, sizeof(data), &consumed, &signal),
	    CODEC_BAD);
	assert_int_equal(consumed, sizeof(data));
	data[0] = '\n';
	assert_int_equal(ademco685_decode(data, sizeof(data), &consumed,
			     &signal),
	    CODEC_BAD);
	assert_true(consumed > 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(surgard_written),
		cmocka_unit_test(surgard_split),
		cmocka_unit_test(surgard_split_sia),
		cmocka_unit_test(surgard_read_back),
		cmocka_unit_test(surgard_panels),
		cmocka_unit_test(surgard_panels_damaged),
		cmocka_unit_test(own_codes_elsewhere),
		cmocka_unit_test(surgard_long_text),
		cmocka_unit_test(surgard_long_text_with_clock),
		cmocka_unit_test(surgard_heartbeat),
		cmocka_unit_test(ademco685_written),
		cmocka_unit_test(ademco685_heartbeat),
		cmocka_unit_test(d6500_written),
		cmocka_unit_test(d6500_lines),
		cmocka_unit_test(d6500_link_test),
		cmocka_unit_test(messages_received),
		cmocka_unit_test(endless_line_is_dropped),
	};

	return cmocka_run_group_tests_name("codec/automation", tests, NULL,
	    NULL);
}
