/* The webhook's bytes, whatever a panel says, and what a station may take for
 * its signature. */
#include "codec/webhook.h"

#include <errno.h>

#include "base/json.h"
#include "unit/codec/read_json.h"
#include "unit/test.h"

#define PASSKEY slice_from_string("correct-horse")
#define BODY	slice_from_string("{\"a\":1}")
/* openssl dgst -sha256 -hmac correct-horse of '1768473001.{"a":1}' */
#define DIGEST                                                                 \
 "dd7c4d3a6e555d85c9822957e5b68525d886424404ebabf741a38ddb6679a381"
#define SIGNATURE "t=1768473001,v1=" DIGEST

static const struct event_json_settings settings = { "node-8841-0-17", 42, "7",
	"1" };

static struct delivery
delivery_of(enum signal_format format, const char *code)
{
	struct delivery delivery = {
		.format = format,
		.qualifier = format == SIGNAL_FORMAT_SIA ? SIGNAL_QUALIFIER_NONE
							 : SIGNAL_QUALIFIER_NEW,
		.account = slice_from_string("ABC1234"),
		.zone = slice_from_string("017"),
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

	(void)state;
	delivery.reference_id = slice_from_string("8841");
	delivery.partition = slice_from_string("01");
	delivery.zone_name = slice_from_string("Front \"gate\"");
	delivery.site_name = slice_from_string("Depot");
	delivery.text = slice_from_string("caf\xe9\x01");
	delivery.url =
	    slice_from_string("https://portal.example/?act=1&zone=2");
	delivery.line_card = slice_from_string("A1");
	delivery.occurred_us = 1768473000000000;
	delivery.received_us = 1768473001204000;
	delivery.test = true;
	assert_int_equal(webhook_write(&settings, &delivery, &json, &problem),
	    0);
	assert_string_equal(json_text(&json),
	    "{\"version\":1,\"id\":\"node-8841-0-17\",\"Receiver\":\"7\","
	    "\"Line\":\"A1\",\"Account\":\"ABC1234\",\"ReferenceId\":\"8841\","
	    "\"Event\":{\"format\":\"contact-id\",\"qualifier\":\"E\","
	    "\"code\":\"130\",\"partition\":\"01\",\"zone\":\"017\","
	    "\"sia\":\"BA\",\"class\":\"alarm\"},"
	    "\"ZoneName\":\"Front \\\"gate\\\"\",\"SiteName\":\"Depot\","
	    "\"Text\":\"caf\xc3\xa9\xef\xbf\xbd\","
	    "\"OccurredAt\":\"2026-01-15T10:30:00.000Z\","
	    "\"ReceivedAt\":\"2026-01-15T10:30:01.204Z\","
	    "\"Url\":\"https://portal.example/?act=1&zone=2\",\"Test\":true}");
	json_close(&json);
}

static void
test_sia(void **state)
{
	struct delivery delivery = delivery_of(SIGNAL_FORMAT_SIA, "BA");
	const char *problem = "";
	struct json json = { 0 };

	(void)state;
	assert_int_equal(webhook_write(&settings, &delivery, &json, &problem),
	    0);
	assert_non_null(strstr(json_text(&json),
	    "\"Event\":{\"format\":\"sia\",\"qualifier\":\"E\",\"code\":\"130\","
	    "\"zone\":\"017\",\"sia\":\"BA\",\"class\":\"alarm\"}"));
	json_close(&json);
}

/* Any bytes: what comes out is JSON that has the account. */
static void
test_any_text(void **state)
{
	struct delivery delivery = delivery_of(SIGNAL_FORMAT_SIA, "BA");
	const char *problem = "";
	struct json json = { 0 };
	char text[64], account[16];

	(void)state;
	for (unsigned i = 0; i < 512; i++) {
		for (unsigned j = 0; j < sizeof(text); j++)
			text[j] = (char)(i * (1 + j * j));
		delivery.text = delivery.zone_name = slice_of(text, i % 64);
		assert_int_equal(webhook_write(&settings, &delivery, &json,
				     &problem),
		    0);
		assert_row(read_json(json_text(&json), json.length, "Account",
			       account, sizeof(account)) &&
			strcmp(account, "ABC1234") == 0,
		    i, json.text);
	}
	json_close(&json);
}

static void
test_what_has_no_room(void **state)
{
	static char text[WEBHOOK_BODY_MAX];
	struct delivery delivery = delivery_of(SIGNAL_FORMAT_SIA, "BA");
	const char *problem = "";
	struct json json = { 0 };

	(void)state;
	memset(text, 't', sizeof(text));
	delivery.text = slice_of(text, sizeof(text));
	assert_int_equal(webhook_write(&settings, &delivery, &json, &problem),
	    0);
	assert_non_null(strstr(json_text(&json), "\"TextOmitted\":true"));
	delivery.url = delivery.text;
	assert_int_equal(webhook_write(&settings, &delivery, &json, &problem),
	    -EINVAL);
	assert_string_equal(problem, "a webhook has no room for it");
	json_close(&json);
}

/* ---- signature ------------------------------------------------------------------ */

static void
test_signature_bytes(void **state)
{
	char signature[WEBHOOK_SIGNATURE_SIZE];

	(void)state;
	webhook_sign(PASSKEY, 1768473001204000, BODY, signature);
	assert_string_equal(signature, SIGNATURE);
}

static const struct {
	const char *passkey, *signature, *body;
	bool right;
} rows[] = {
	{ "correct-horse", SIGNATURE, "{\"a\":1}", true },
	{ "correct-hors", SIGNATURE, "{\"a\":1}", false },
	{ "", SIGNATURE, "{\"a\":1}", false },
	{ "correct-horse", SIGNATURE, "{\"a\":2}", false },
	{ "correct-horse", SIGNATURE, "", false },
	{ "correct-horse", "t=1768473002,v1=" DIGEST, "{\"a\":1}", false },
	{ "correct-horse", "t=01768473001,v1=" DIGEST, "{\"a\":1}", false },
	{ "correct-horse", "t=,v1=" DIGEST, "{\"a\":1}", false },
	{ "correct-horse", "t=1768473001", "{\"a\":1}", false },
	{ "correct-horse", "t=1768473001,v1=", "{\"a\":1}", false },
	{ "correct-horse", SIGNATURE "00", "{\"a\":1}", false },
	{ "correct-horse", "t=1768473001000000000,v1=" DIGEST, "{\"a\":1}",
	    false },
	{ "correct-horse", "v1=" DIGEST, "{\"a\":1}", false },
	{ "correct-horse", "", "{\"a\":1}", false },
};

static void
test_signature_is_believed(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		int64_t time_s = 0;
		bool right =
		    webhook_is_signed(slice_from_string(rows[i].passkey),
			slice_from_string(rows[i].signature),
			slice_from_string(rows[i].body), &time_s);

		assert_row(right == rows[i].right, i, rows[i].signature);
		assert_row(!right || time_s == 1768473001, i, "time");
	}
	assert_false(webhook_is_signed(PASSKEY, SLICE_NONE, BODY,
	    &(int64_t){ 0 }));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_everything_that_is_known),
		cmocka_unit_test(test_sia),
		cmocka_unit_test(test_any_text),
		cmocka_unit_test(test_what_has_no_room),
		cmocka_unit_test(test_signature_bytes),
		cmocka_unit_test(test_signature_is_believed),
	};

	return cmocka_run_group_tests_name("webhook", tests, NULL, NULL);
}
