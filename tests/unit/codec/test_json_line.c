/* JSON lines: their bytes, that they are JSON whatever the texts are, and the
 * words that answer them. */
#include "codec/json_line.h"

#include <errno.h>

#include "base/json.h"
#include "unit/codec/read_json.h"
#include "unit/test.h"

#define S(text) slice_from_string(text)

static const struct event_json_settings settings = { .id = "node-8841-0-17",
	.sequence = 42,
	.receiver = "7",
	.line = "1" };

static struct delivery
delivery_of(enum signal_format format, const char *code)
{
	struct delivery delivery = {
		.format = format,
		.qualifier = format == SIGNAL_FORMAT_SIA ? SIGNAL_QUALIFIER_NONE
							 : SIGNAL_QUALIFIER_NEW,
		.account = S("ABC1234"),
		.partition = S("01"),
		.zone = S("017"),
		.received_us = 1768473001204000,
	};

	strcpy(delivery.code, code);
	return delivery;
}

static void
test_everything_that_is_known(void **state)
{
	struct delivery delivery = delivery_of(SIGNAL_FORMAT_CONTACT_ID, "130");
	const char *problem = "";
	struct json json = { 0 };
	uint64_t sequence;

	(void)state;
	delivery.line_card = S("12");
	delivery.reference_id = S("8841");
	delivery.zone_name = S("Front gate");
	delivery.site_name = S("Caf\xc3\xa9");
	delivery.text = S("Caf\xe9 \"R&D\"\n\x01");
	delivery.url = S("https://portal.example/m?act=1&zone=017");
	delivery.occurred_us = 1768473000000000;
	delivery.test = true;
	assert_int_equal(json_line_write(&settings, &delivery, JSON_LINE_MAX,
			     &json, &problem),
	    0);
	assert_string_equal(json_text(&json),
	    "{\"sequence\":42,\"version\":1,\"id\":\"node-8841-0-17\","
	    "\"receiver\":\"7\",\"line\":\"12\",\"account\":\"ABC1234\","
	    "\"reference_id\":\"8841\",\"format\":\"contact-id\","
	    "\"qualifier\":\"E\",\"code\":\"130\",\"partition\":\"01\","
	    "\"zone\":\"017\",\"sia\":\"BA\",\"class\":\"alarm\","
	    "\"zone_name\":\"Front gate\",\"site_name\":\"Caf\xc3\xa9\","
	    "\"text\":\"Caf\xc3\xa9 \\\"R&D\\\"\\n\xef\xbf\xbd\","
	    "\"occurred_at\":\"2026-01-15T10:30:00.000Z\","
	    "\"received_at\":\"2026-01-15T10:30:01.204Z\","
	    "\"url\":\"https://portal.example/m?act=1&zone=017\",\"test\":true}");
	assert_true(json_line_sequence(S(json.text), &sequence));
	assert_int_equal(sequence, 42);
	assert_false(json_line_is_heartbeat(S(json.text)));
	json_close(&json);
}

/* What is given goes before the table's BA. */
static void
test_a_code_that_is_given(void **state)
{
	struct delivery delivery = delivery_of(SIGNAL_FORMAT_CONTACT_ID, "130");
	struct event_json_settings own = settings;
	const char *problem = "";
	struct json json = { 0 };

	(void)state;
	own.other_code = "BV";
	assert_int_equal(json_line_write(&own, &delivery, JSON_LINE_MAX, &json,
			     &problem),
	    0);
	assert_non_null(strstr(json_text(&json),
	    "\"qualifier\":\"E\",\"code\":\"130\",\"partition\":\"01\","
	    "\"zone\":\"017\",\"sia\":\"BV\",\"class\":\"alarm\""));
	json_close(&json);
}

/* A panel's own code is not taken for a Contact ID event. */
static void
test_a_panels_own_code(void **state)
{
	struct delivery delivery = delivery_of(SIGNAL_FORMAT_PULSE, "C");
	const char *problem = "";
	struct json json = { 0 };

	(void)state;
	delivery.qualifier = SIGNAL_QUALIFIER_RESTORE;
	assert_int_equal(json_line_write(&settings, &delivery, JSON_LINE_MAX,
			     &json, &problem),
	    0);
	assert_non_null(strstr(json_text(&json),
	    "\"format\":\"pulse\",\"qualifier\":\"R\",\"panel_code\":\"C\","
	    "\"partition\":\"01\",\"zone\":\"017\",\"class\":\"other\""));
	assert_null(strstr(json_text(&json), "\"code\""));
	json_close(&json);
}

static void
test_what_has_no_room(void **state)
{
	static char text[JSON_LINE_MAX];
	struct delivery delivery = delivery_of(SIGNAL_FORMAT_SIA, "BA");
	const char *problem = "";
	struct json json = { 0 };

	(void)state;
	memset(text, 't', sizeof(text));
	delivery.text = slice_of(text, sizeof(text));
	assert_int_equal(json_line_write(&settings, &delivery, JSON_LINE_MAX,
			     &json, &problem),
	    0);
	assert_non_null(strstr(json_text(&json), "\"text_omitted\":true"));
	delivery.url = delivery.text;
	assert_int_equal(json_line_write(&settings, &delivery, JSON_LINE_MAX,
			     &json, &problem),
	    -EINVAL);
	assert_string_equal(problem, "a JSON line has no room for it");
	delivery.format = SIGNAL_FORMAT_NONE;
	assert_int_equal(json_line_write(&settings, &delivery, JSON_LINE_MAX,
			     &json, &problem),
	    -EINVAL);
	assert_string_equal(problem, "an event of no format");
	json_close(&json);
}

static uint64_t
draw(uint64_t *state)
{
	*state = *state * 6364136223846793005U + 1442695040888963407U;
	return *state >> 33;
}

/* Any bytes; half of them those that are something to JSON or to UTF-8. */
static struct slice
draw_text(uint64_t *random, char *out, size_t size)
{
	static const char special[] =
	    "\"\\/{}[],:\0\1\t\n\r\x1b\x7f\x80\xc3\xa9"
	    "\xef\xbf\xbe\xf0\x9f\x94\xa5\xed\xa0\x80"
	    "\xc0\xaf\xf8";
	size_t length = draw(random) % size;

	for (size_t i = 0; i < length; i++)
		out[i] = draw(random) % 2 == 0
		    ? special[draw(random) % (sizeof(special) - 1)]
		    : (char)draw(random);
	return slice_of(out, length);
}

static void
test_every_line_is_one_object(void **state)
{
	struct json json = { 0 };
	const char *problem = "";
	char texts[6][64], account[64];
	uint64_t random = 1;

	(void)state;
	for (size_t i = 0; i < 3000; i++) {
		struct delivery delivery = i % 2 == 0
		    ? delivery_of(SIGNAL_FORMAT_SIA, "BA")
		    : delivery_of(SIGNAL_FORMAT_CONTACT_ID, "401");

		delivery.text = draw_text(&random, texts[0], 64);
		delivery.zone_name = draw_text(&random, texts[1], 64);
		delivery.site_name = draw_text(&random, texts[2], 64);
		delivery.user = draw_text(&random, texts[3], 64);
		delivery.url = draw_text(&random, texts[4], 64);
		delivery.reference_id = draw_text(&random, texts[5], 64);
		assert_int_equal(json_line_write(&settings, &delivery,
				     JSON_LINE_MAX, &json, &problem),
		    0);
		json_newline(&json);
		assert_row(strcspn(json_text(&json), "\n") == json.length - 1,
		    i, json.text);
		assert_row(read_json(json.text, json.length, "account", account,
			       sizeof(account)),
		    i, json.text);
		assert_string_equal(account, "ABC1234");
	}
	json_close(&json);
}

static void
test_heartbeat(void **state)
{
	char out[JSON_ANSWER_MAX];
	int length = json_line_heartbeat_encode(out);
	struct slice line = slice_of(out, (size_t)length - 1);
	uint64_t sequence = 7;

	(void)state;
	assert_string_equal(out, "{\"sequence\":0,\"heartbeat\":true}\n");
	assert_true(json_line_is_heartbeat(line));
	assert_true(json_line_sequence(line, &sequence));
	assert_int_equal(sequence, 0);
}

static const struct {
	const char *line;
	enum codec_result result;
	enum json_answer_kind kind;
	uint64_t sequence;
	const char *words;
} answers[] = {
	{ "ack 17\n", CODEC_OK, JSON_ANSWER_ACK, 17, "" },
	{ "ack 17\r\n", CODEC_OK, JSON_ANSWER_ACK, 17, "" },
	{ "ack  17  thanks\n", CODEC_OK, JSON_ANSWER_ACK, 17, "thanks" },
	{ "ack 0\n", CODEC_OK, JSON_ANSWER_ACK, 0, "" },
	{ "ack 9999999999999999999\n", CODEC_OK, JSON_ANSWER_ACK,
	    9999999999999999999U, "" },
	{ "nak 17 no line\n", CODEC_OK, JSON_ANSWER_NAK, 17, "no line" },
	{ "refuse 17 no such customer\n", CODEC_OK, JSON_ANSWER_REFUSE, 17,
	    "no such customer" },
	{ "fail modem is gone\n", CODEC_OK, JSON_ANSWER_FAIL, 0,
	    "modem is gone" },
	{ "fail\n", CODEC_OK, JSON_ANSWER_FAIL, 0, "" },
	{ "ack 17", CODEC_MORE },
	{ "", CODEC_MORE },
	{ "\n", CODEC_BAD },
	{ "\r\n", CODEC_BAD },
	{ "ack\n", CODEC_BAD },
	{ "ack x\n", CODEC_BAD },
	{ "ack 17x\n", CODEC_BAD },
	{ "ack -1\n", CODEC_BAD },
	{ "ack 99999999999999999999\n", CODEC_BAD },
	{ "Ack 17\n", CODEC_BAD },
	{ " ack 17\n", CODEC_BAD },
	{ "acknowledged 17\n", CODEC_BAD },
};

static void
test_answers(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(answers); i++) {
		const char *line = answers[i].line;
		struct json_answer answer = { 0 };
		size_t consumed;
		enum codec_result result =
		    json_answer_decode(line, strlen(line), &consumed, &answer);

		assert_row(result == answers[i].result, i, line);
		assert_row(consumed ==
			(result == CODEC_MORE ? 0 : strlen(line)),
		    i, line);
		if (result != CODEC_OK)
			continue;
		assert_row(answer.kind == answers[i].kind, i, line);
		assert_row(answer.sequence == answers[i].sequence, i, line);
		assert_row(slice_is(answer.words, answers[i].words), i, line);
	}
}

static void
test_answers_are_written(void **state)
{
	static const struct {
		enum json_answer_kind kind;
		uint64_t sequence;
		const char *words, *line;
	} rows[] = {
		{ JSON_ANSWER_ACK, 17, "", "ack 17\n" },
		{ JSON_ANSWER_NAK, 0, "no line", "nak 0 no line\n" },
		{ JSON_ANSWER_REFUSE, UINT64_MAX, "gone",
		    "refuse 18446744073709551615 gone\n" },
	};
	char out[JSON_ANSWER_MAX], words[200] = "";
	int length;

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		length = json_answer_encode(rows[i].kind, rows[i].sequence,
		    rows[i].words, out);
		assert_row(slice_is(slice_of(out, (size_t)length),
			       rows[i].line),
		    i, rows[i].line);
	}
	memset(words, 'x', sizeof(words) - 1);
	length = json_answer_encode(JSON_ANSWER_REFUSE, UINT64_MAX, words, out);
	assert_true(length > 96 && length < JSON_ANSWER_MAX);
	assert_int_equal(out[length - 1], '\n');
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_everything_that_is_known),
		cmocka_unit_test(test_a_code_that_is_given),
		cmocka_unit_test(test_a_panels_own_code),
		cmocka_unit_test(test_what_has_no_room),
		cmocka_unit_test(test_every_line_is_one_object),
		cmocka_unit_test(test_heartbeat),
		cmocka_unit_test(test_answers),
		cmocka_unit_test(test_answers_are_written),
	};

	return cmocka_run_group_tests_name("codec/json_line", tests, NULL,
	    NULL);
}
