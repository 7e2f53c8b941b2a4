#include "unit/test.h"

#include "codec/contact_id.h"

static const struct {
	const char *text;
	const char *qcode; /* "1130"; NULL: refused */
	const char *partition, *zone, *rest;
} events[] = {
	{ "1130 01 005", "1130", "01", "005", "" },
	{ "113001005", "1130", "01", "005", "" },
	{ "3401 01 057", "3401", "01", "057", "" },
	{ "6602 00 000", "6602", "00", "000", "" },
	{ "E130 01 005", "1130", "01", "005", "" },
	{ "R130 01 005", "3130", "01", "005", "" },
	{ "P602 01 005", "6602", "01", "005", "" },
	{ "181130 01 005", "1130", "01", "005", "" },
	{ "18 1 120 01 007", "1120", "01", "007", "" },
	{ "98 1130 01 005", "1130", "01", "005", "" },
	{ "18R13001005", "3130", "01", "005", "" },
	{ "|1130 01 005", "1130", "01", "005", "" },
	{ "1130  01  005", "1130", "01", "005", "" },
	{ "113A 0B 00F", "1130", "0B", "00F", "" },
	{ "11bC 01 005", "11BC", "01", "005", "" },
	{ "1130 01 005|^Front gate^", "1130", "01", "005", "Front gate" },
	{ "1130 01 005^Front gate", "1130", "01", "005", "Front gate" },
	{ "2130 01 005", NULL, NULL, NULL, NULL },
	{ "0000 00 000", NULL, NULL, NULL, NULL },
	{ "17 1130 01 005", NULL, NULL, NULL, NULL },
	{ "1130 01 05", NULL, NULL, NULL, NULL },
	{ "1130 01 0055", NULL, NULL, NULL, NULL },
	{ "1130 1 005", NULL, NULL, NULL, NULL },
	{ "11G0 01 005", NULL, NULL, NULL, NULL },
	{ "1130", NULL, NULL, NULL, NULL },
	{ "", NULL, NULL, NULL, NULL },
};

static void
event_forms(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(events); i++) {
		const char *text = events[i].text;
		struct signal_event event;
		enum codec_result result =
		    contact_id_event_decode(slice_from_string(text), &event);

		assert_row(result == (events[i].qcode ? CODEC_OK : CODEC_BAD),
		    i, text);
		if (!events[i].qcode)
			continue;
		assert_row(event.format == SIGNAL_FORMAT_CONTACT_ID, i, text);
		assert_row((int)event.qualifier == events[i].qcode[0] - '0', i,
		    text);
		assert_row(strcmp(event.code, events[i].qcode + 1) == 0, i,
		    text);
		assert_slice(event.partition, events[i].partition);
		assert_slice(event.zone, events[i].zone);
		assert_slice(event.text, events[i].rest);
	}
}

static const struct {
	const char *digits;
	const char *problem; /* NULL: sound */
} messages[] = {
	{ "1234181131010158", NULL },
	{ "1234183131010156", NULL },
	{ "0000181602000002", NULL },
	{ "1234181131010159", "checksum" },
	{ "123418113101015", "16 digits" },
	{ "12341811310101588", "16 digits" },
	{ "", "16 digits" },
	{ "123G181131010158", "no digit" },
	{ "123418113101015G", "no digit" },
	{ "1234171131010159", "message type" },
};

static void
messages_of_a_dialer(void **state)
{
	static struct signal signal;

	(void)state;
	for (size_t i = 0; i < COUNT(messages); i++) {
		const char *digits = messages[i].digits, *problem = NULL;
		enum codec_result result =
		    contact_id_decode(slice_from_string(digits), &signal,
			&problem);

		if (messages[i].problem) {
			assert_row(result == CODEC_BAD, i, digits);
			assert_row(strstr(problem, messages[i].problem), i,
			    digits);
			continue;
		}
		assert_row(result == CODEC_OK, i, digits);
		assert_int_equal(signal.protocol, SIGNAL_PROTOCOL_DIALER);
		assert_int_equal(signal.account.length, 4);
		assert_memory_equal(signal.account.data, digits, 4);
		assert_int_equal(signal.event_count, 1);
	}
}

/* One wrong digit is always noticed, but for A and 0, which are one tone. */
static void
every_wrong_digit_is_noticed(void **state)
{
	static const char alphabet[] = "0123456789BCDEF";
	static struct signal signal;
	const char *problem;
	char digits[17] = "1234181131010158";

	(void)state;
	for (size_t at = 0; at < 16; at++) {
		char right = digits[at];

		for (const char *c = alphabet; *c; c++) {
			digits[at] = *c;
			/* 0 counts 10, F 15, which is nothing modulo 15 */
			assert_int_equal(contact_id_decode(slice_of(digits, 16),
					     &signal, &problem),
			    *c == right ? CODEC_OK : CODEC_BAD);
		}
		digits[at] = right;
	}
	assert_int_equal(contact_id_checksum("0A0A181602000A0"),
	    contact_id_checksum("000018160200000"));
	assert_int_equal(contact_id_checksum("12341811310101 "), 0);
}

/* The sum with its digit is a multiple of 15, whatever the sum. */
static void
checksum_digits(void **state)
{
	static const char values[] = "?1234567890BCDEF";
	bool seen[16] = { false };

	(void)state;
	for (unsigned n = 0; n < 1000; n++) {
		char digits[17];
		const char *digit;
		size_t sum = 0;

		snprintf(digits, sizeof(digits), "123418113101%03u", n);
		for (size_t i = 0; i < 15; i++)
			sum += (size_t)(strchr(values, digits[i]) - values);
		digit = strchr(values, contact_id_checksum(digits));
		assert_non_null(digit);
		assert_true(digit > values);
		assert_int_equal((sum + (size_t)(digit - values)) % 15, 0);
		seen[digit - values] = true;
	}
	for (size_t i = 1; i < COUNT(seen); i++)
		assert_true(seen[i]);
}

static void
lines_of_programs(void **state)
{
	static const struct {
		const char *text;
		enum codec_result result;
		size_t consumed;
		const char *key;
	} rows[] = {
		{ "1234181130010055\n", CODEC_OK, 17, "" },
		{ "1234181130010055\r\nnext", CODEC_OK, 18, "" },
		{ "1234181130010055 call-1:2\n", CODEC_OK, 26, "call-1:2" },
		{ "\n", CODEC_OK, 1, "" },
		{ "\r\n", CODEC_OK, 2, "" },
		{ "1234181130010055", CODEC_MORE, 0, "" },
		{ "", CODEC_MORE, 0, "" },
		{ "1234181130010054\n", CODEC_BAD, 17, "" },
		{ "1234181130010055 \n", CODEC_BAD, 18, "" },
		{ "1234181130010055 a b\n", CODEC_BAD, 21, "" },
		{ "GET / HTTP/1.1\r\n\r\n", CODEC_BAD, 16, "" },
	};
	static struct signal signal;
	char endless[CONTACT_ID_LINE_MAX];
	size_t consumed;

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		enum codec_result result = contact_id_line_decode(rows[i].text,
		    strlen(rows[i].text), &consumed, &signal);

		assert_row(result == rows[i].result &&
			consumed == rows[i].consumed,
		    i, rows[i].text);
		if (result != CODEC_OK)
			continue;
		assert_true(slice_is(signal.sequence, rows[i].key));
		assert_int_equal(signal.poll, consumed <= 2);
	}
	memset(endless, '1', sizeof(endless));
	assert_int_equal(contact_id_line_decode(endless, sizeof(endless),
			     &consumed, &signal),
	    CODEC_BAD);
	assert_int_equal(consumed, sizeof(endless));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(event_forms),
		cmocka_unit_test(messages_of_a_dialer),
		cmocka_unit_test(every_wrong_digit_is_noticed),
		cmocka_unit_test(checksum_digits),
		cmocka_unit_test(lines_of_programs),
	};

	return cmocka_run_group_tests_name("codec/contact-id", tests, NULL,
	    NULL);
}
