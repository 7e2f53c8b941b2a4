/* The XML package: its bytes, what the schema that is shipped says to them
 * whatever the texts are, and what is read back. */
#include "codec/xml_package.h"

#include <errno.h>
#include <libxml/parser.h>
#include <libxml/xmlschemas.h>
#include <libxml/xmlschemastypes.h>

#include "unit/test.h"

#define S(text) slice_from_string(text)

static const struct xml_package_settings settings = { .id = "node-8841-0-17",
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

static char package[XML_PACKAGE_MAX];

static int
encode_with(const char *other_code, const struct delivery *delivery)
{
	struct xml_package_settings own = settings;
	const char *problem = "";
	int length;

	own.other_code = other_code;
	length = xml_package_encode(&own, delivery, package, &problem);
	if (length < 0)
		fail_msg("%s", problem);
	assert_int_equal(length, strlen(package) + 1);
	return length;
}

static int
encode(const struct delivery *delivery)
{
	return encode_with(NULL, delivery);
}

#define HEAD                                                                   \
 "<AlarmPackage version=\"1\" id=\"node-8841-0-17\"><Receiver>7</Receiver>"
#define RECEIVED "<ReceivedAt>2026-01-15T10:30:01.204Z</ReceivedAt>"

static void
test_everything_that_is_known(void **state)
{
	struct delivery delivery = delivery_of(SIGNAL_FORMAT_CONTACT_ID, "130");

	(void)state;
	delivery.line_card = S("12");
	delivery.reference_id = S("8841");
	delivery.zone_name = S("Front gate");
	delivery.site_name = S("Caf\xc3\xa9");
	delivery.text = S("Caf\xe9 <\"R&D\">");
	delivery.url = S("https://portal.example/m?act=1&zone=017");
	delivery.occurred_us = 1768473000000000;
	delivery.test = true;
	encode(&delivery);
	assert_string_equal(package,
	    HEAD
	    "<Line>12</Line><Account>ABC1234</Account>"
	    "<ReferenceId>8841</ReferenceId>"
	    "<Event format=\"contact-id\" qualifier=\"E\" code=\"130\" "
	    "partition=\"01\" zone=\"017\" sia=\"BA\" class=\"alarm\"/>"
	    "<ZoneName>Front gate</ZoneName><SiteName>Caf\xc3\xa9</SiteName>"
	    "<Text>Caf\xc3\xa9 &lt;&quot;R&amp;D&quot;&gt;</Text>"
	    "<OccurredAt>2026-01-15T10:30:00.000Z</OccurredAt>" RECEIVED
	    "<Url>https://portal.example/m?act=1&amp;zone=017</Url>"
	    "<Test>true</Test></AlarmPackage>");
}

static const struct {
	enum signal_format format;
	const char *code;
	const char *event; /* of the codes */
	const char *other; /* code that is given; NULL: none */
} translations[] = {
	{ SIGNAL_FORMAT_SIA, "BA",
	    "format=\"sia\" qualifier=\"E\" code=\"130\" partition=\"01\" "
	    "zone=\"017\" sia=\"BA\" class=\"alarm\"" },
	/* what no table knows stays what it is */
	{ SIGNAL_FORMAT_SIA, "QQ",
	    "format=\"sia\" partition=\"01\" zone=\"017\" sia=\"QQ\" "
	    "class=\"other\"" },
	{ SIGNAL_FORMAT_CONTACT_ID, "9FF",
	    "format=\"contact-id\" qualifier=\"E\" code=\"9FF\" "
	    "partition=\"01\" zone=\"017\" class=\"other\"" },
	/* what is given goes before the table's */
	{ SIGNAL_FORMAT_SIA, "BA",
	    "format=\"sia\" qualifier=\"R\" code=\"13F\" partition=\"01\" "
	    "zone=\"017\" sia=\"BA\" class=\"alarm\"",
	    "R13F" },
	{ SIGNAL_FORMAT_SIA, "QQ",
	    "format=\"sia\" qualifier=\"E\" code=\"150\" partition=\"01\" "
	    "zone=\"017\" sia=\"QQ\" class=\"other\"",
	    "E150" },
	{ SIGNAL_FORMAT_CONTACT_ID, "130",
	    "format=\"contact-id\" qualifier=\"E\" code=\"130\" "
	    "partition=\"01\" zone=\"017\" sia=\"BV\" class=\"alarm\"",
	    "BV" },
	/* a panel's own is no Contact ID event, whatever it looks like */
	{ SIGNAL_FORMAT_HIGH_SPEED, "17",
	    "<Event format=\"high-speed\" qualifier=\"E\" panel_code=\"17\" "
	    "partition=\"01\" zone=\"017\" class=\"other\"/>" },
	{ SIGNAL_FORMAT_CONTACT_ID, "130",
	    "code=\"130\" partition=\"01\" zone=\"017\" sia=\"BA\"", "" },
};

static void
test_codes_of_both_tables(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(translations); i++) {
		struct delivery delivery =
		    delivery_of(translations[i].format, translations[i].code);

		encode_with(translations[i].other, &delivery);
		assert_row(strstr(package, translations[i].event), i, package);
	}
}

static void
test_text_without_room_is_marked(void **state)
{
	static char text[4000];
	struct delivery delivery = delivery_of(SIGNAL_FORMAT_CONTACT_ID, "130");

	(void)state;
	memset(text, '&', sizeof(text));
	delivery.text = slice_of(text, sizeof(text));
	encode(&delivery);
	assert_non_null(strstr(package, "<Text omitted=\"true\"/>"));
	delivery.text = slice_of(text, 3000);
	encode(&delivery);
	assert_null(strstr(package, "omitted"));
}

static void
test_refusals(void **state)
{
	struct delivery delivery = delivery_of(SIGNAL_FORMAT_NONE, "");
	static char url[XML_PACKAGE_MAX];
	const char *problem = "";

	(void)state;
	assert_int_equal(xml_package_encode(&settings, &delivery, package,
			     &problem),
	    -EINVAL);
	assert_string_equal(problem, "an event of no format");
	delivery = delivery_of(SIGNAL_FORMAT_SIA, "BA");
	memset(url, 'u', sizeof(url));
	delivery.url = slice_of(url, sizeof(url));
	assert_int_equal(xml_package_encode(&settings, &delivery, package,
			     &problem),
	    -EINVAL);
	assert_string_equal(problem, "an XML package has no room for it");
}

/* ---- the schema ------------------------------------------------------------------ */

static void
quiet(void *context, const char *format, ...)
{
	(void)context;
	(void)format;
}

static bool
is_valid(xmlSchemaPtr schema, const char *text, int length)
{
	xmlDocPtr document = xmlReadMemory(text, length, NULL, NULL,
	    XML_PARSE_NONET | XML_PARSE_NOERROR | XML_PARSE_NOWARNING);
	xmlSchemaValidCtxtPtr validation;
	bool valid;

	if (!document)
		return false;
	validation = xmlSchemaNewValidCtxt(schema);
	assert_non_null(validation);
	xmlSchemaSetValidErrors(validation, quiet, quiet, NULL);
	valid = xmlSchemaValidateDoc(validation, document) == 0;
	xmlSchemaFreeValidCtxt(validation);
	xmlFreeDoc(document);
	return valid;
}

static uint64_t
draw(uint64_t *state)
{
	*state = *state * 6364136223846793005U + 1442695040888963407U;
	return *state >> 33;
}

/* Any bytes; half of them those that are something to XML or to UTF-8. */
static struct slice
draw_text(uint64_t *random, char *out, size_t size)
{
	static const char special[] = "<>&\"'\0\1\t\n\r\x1b\x7f\x80\xc3\xa9"
				      "\xef\xbf\xbe\xef\xbf\xbf\xf0\x9f\x94\xa5"
				      "\xed\xa0\x80]]>";
	size_t length = draw(random) % size;

	for (size_t i = 0; i < length; i++)
		out[i] = draw(random) % 2 == 0
		    ? special[draw(random) % (sizeof(special) - 1)]
		    : (char)draw(random);
	return slice_of(out, length);
}

static void
test_every_package_is_valid(void **state)
{
	xmlSchemaParserCtxtPtr parser =
	    xmlSchemaNewParserCtxt(TEST_SOURCE_DIR "/../etc/alarm-package.xsd");
	xmlSchemaPtr schema = xmlSchemaParse(parser);
	static const struct {
		enum signal_format format;
		const char *code;
	} codes[] = { { SIGNAL_FORMAT_SIA, "BA" },
		{ SIGNAL_FORMAT_CONTACT_ID, "401" },
		{ SIGNAL_FORMAT_PULSE, "_" }, { SIGNAL_FORMAT_BFSK, "_A" },
		{ SIGNAL_FORMAT_HIGH_SPEED, "17" },
		{ SIGNAL_FORMAT_ACRON, "1" } };
	uint64_t random = 1;
	char texts[6][64], plain[XML_PACKAGE_MAX];
	struct signal signal;
	size_t consumed;

	(void)state;
	assert_non_null(schema);
	for (size_t i = 0; i < 3000; i++) {
		struct delivery delivery =
		    delivery_of(codes[i % COUNT(codes)].format,
			codes[i % COUNT(codes)].code);
		int length;

		delivery.text = draw_text(&random, texts[0], 64);
		delivery.zone_name = draw_text(&random, texts[1], 64);
		delivery.site_name = draw_text(&random, texts[2], 64);
		delivery.user = draw_text(&random, texts[3], 64);
		delivery.url = draw_text(&random, texts[4], 64);
		delivery.reference_id = draw_text(&random, texts[5], 64);
		length = encode(&delivery);
		assert_row(is_valid(schema, package, length - 1), i, package);
		assert_row(xml_package_decode(package, (size_t)length,
			       &consumed, plain, &signal) == CODEC_OK,
		    i, package);
		assert_int_equal(consumed, length);
		assert_string_equal(signal.events[0].code, delivery.code);
		assert_int_equal(signal.events[0].format, delivery.format);
		assert_slice(signal.account, "ABC1234");
	}
	assert_true(is_valid(schema, "<Heartbeat/>", 12));
	assert_false(is_valid(schema, "<AlarmPackage version=\"1\"/>", 27));
	xmlSchemaFree(schema);
	xmlSchemaFreeParserCtxt(parser);
	xmlSchemaCleanupTypes();
	xmlCleanupParser();
}

/* ---- reading ------------------------------------------------------------------- */

static void
test_read_back(void **state)
{
	struct delivery delivery = delivery_of(SIGNAL_FORMAT_CONTACT_ID, "130");
	char plain[XML_PACKAGE_MAX];
	struct signal signal;
	size_t consumed;
	int length;

	(void)state;
	delivery.text = S("a\t<b>&\"c\"");
	length = encode(&delivery);
	for (int i = 0; i < length; i++)
		assert_int_equal(xml_package_decode(package, (size_t)i,
				     &consumed, plain, &signal),
		    CODEC_MORE);
	assert_int_equal(xml_package_decode(package, (size_t)length, &consumed,
			     plain, &signal),
	    CODEC_OK);
	assert_slice(signal.sequence, "node-8841-0-17");
	assert_slice(signal.receiver, "7");
	assert_slice(signal.line, "1");
	assert_slice(signal.account, "ABC1234");
	assert_slice(signal.events[0].partition, "01");
	assert_slice(signal.events[0].zone, "017");
	assert_slice(signal.events[0].text, "a\t<b>&\"c\"");
	assert_int_equal(signal.events[0].qualifier, SIGNAL_QUALIFIER_NEW);
	assert_int_equal(xml_heartbeat_encode(package), 13);
	assert_int_equal(xml_package_decode(package, 13, &consumed, plain,
			     &signal),
	    CODEC_OK);
	assert_true(signal.poll);
}

static const char *const broken[] = {
	"x",
	"<AlarmPackage >",
	"<AlarmPackage id=\"1\"><Account>1</Account></AlarmPackage>",
	"<AlarmPackage id=\"1\"><Event format=\"sia\" sia=\"BA\"/>"
	"</AlarmPackage>",
	"<AlarmPackage id=\"1\"><Account>1</Account><Event code=\"130\"/>"
	"</AlarmPackage>",
	"<AlarmPackage id=\"1\"><Account>1</Account><Event format=\"sia\" "
	"sia=\"BA\"/></AlarmPackage>x",
	"<AlarmPackage id=\"1\"><Account>1</Account><Event format=\"sia\" "
	"sia=\"BURGLARY\"/></AlarmPackage>",
	"<AlarmPackage id=\"1\"><Account>1</Account><Event format=\"sia\" "
	"sia=\"B&\"/></AlarmPackage>",
};

static void
test_broken_packages(void **state)
{
	char plain[XML_PACKAGE_MAX];
	struct signal signal;
	size_t consumed;

	(void)state;
	for (size_t i = 0; i < COUNT(broken); i++) {
		size_t length = strlen(broken[i]) + 1;

		assert_row(xml_package_decode(broken[i], length, &consumed,
			       plain, &signal) == CODEC_BAD,
		    i, broken[i]);
		assert_row(consumed == length, i, broken[i]);
	}
	/* without an end */
	memset(package, 'x', sizeof(package));
	assert_int_equal(xml_package_decode(package, sizeof(package), &consumed,
			     plain, &signal),
	    CODEC_BAD);
	assert_int_equal(consumed, 1);
}

static const struct {
	const char *data;
	enum codec_result result;
	bool taken;
	const char *id; /* NULL: none */
} answers[] = {
	{ "<Ack id=\"n-1-0-2\"/>", CODEC_OK, true, "n-1-0-2" },
	{ "\r\n<Ack id='n-1-0-2' />", CODEC_OK, true, "n-1-0-2" },
	{ "<Ack/>", CODEC_OK, true, NULL },
	{ "<Nak id=\"n-1\" reason=\"a > b\"/>", CODEC_OK, false, "n-1" },
	{ "<Nak reason=\"full\" id=\"n-1\"/>", CODEC_OK, false, "n-1" },
	{ "<Nak reason=\"no id='7'\"\tid=\"n-1\"/>", CODEC_OK, false, "n-1" },
	{ "<Nak reason='id='/>", CODEC_OK, false, NULL },
	{ "<Ack id=n-1/>", CODEC_OK, true, NULL },
	{ "<Ack grid=\"n-1\"/>", CODEC_OK, true, NULL },
	{ "<Acknowledged id=\"n-1\"/>", CODEC_BAD, false, NULL },
	{ "<?xml version=\"1.0\"?>", CODEC_BAD, false, NULL },
	{ "<Ack id=\"n-1", CODEC_MORE, false, NULL },
	{ "<Ack id=\"n-1>", CODEC_MORE, false, NULL },
	{ "", CODEC_MORE, false, NULL },
};

static void
test_answers(void **state)
{
	struct xml_answer answer;
	char out[XML_ANSWER_MAX], id[XML_ANSWER_MAX] = "";
	size_t consumed, length;

	(void)state;
	for (size_t i = 0; i < COUNT(answers); i++) {
		const char *data = answers[i].data;
		enum codec_result result =
		    xml_answer_decode(data, strlen(data), &consumed, &answer);

		assert_row(result == answers[i].result, i, data);
		if (result == CODEC_MORE)
			continue;
		assert_row(consumed == strlen(data), i, data);
		if (result == CODEC_BAD)
			continue;
		assert_row(answer.taken == answers[i].taken, i, data);
		assert_row(slice_present(answer.id) == (answers[i].id != NULL),
		    i, data);
		assert_row(slice_equal(answer.id, S(answers[i].id)), i, data);
	}
	length = xml_answer_encode(false, S("n-1"), out);
	assert_slice(slice_of(out, length),
	    "<Nak id=\"n-1\" reason=\"refused\"/>");
	length = xml_answer_encode(true, SLICE_NONE, out);
	assert_slice(slice_of(out, length), "<Ack/>");
	memset(id, 'x', sizeof(id) - 1);
	assert_int_equal(xml_answer_encode(true, S(id), out), 0);
}

/* A passkey may have any character that XML knows. */
static void
test_hello(void **state)
{
	static const char passkey[] = "a<b>&\"c\" d";
	static char out[XML_PACKAGE_MAX], plain[XML_PACKAGE_MAX];
	static struct signal signal;
	int length = xml_hello_encode(passkey, out);
	size_t consumed;

	(void)state;
	assert_int_equal(xml_package_decode(out, (size_t)length, &consumed,
			     plain, &signal),
	    CODEC_OK);
	assert_int_equal(consumed, length);
	assert_true(signal.poll);
	assert_slice(xml_hello_passkey(slice_of(out, (size_t)length - 1),
			 plain),
	    passkey);
	length = xml_heartbeat_encode(out);
	assert_false(slice_present(xml_hello_passkey(slice_of(out,
							 (size_t)length - 1),
	    plain)));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_everything_that_is_known),
		cmocka_unit_test(test_codes_of_both_tables),
		cmocka_unit_test(test_text_without_room_is_marked),
		cmocka_unit_test(test_refusals),
		cmocka_unit_test(test_every_package_is_valid),
		cmocka_unit_test(test_read_back),
		cmocka_unit_test(test_broken_packages),
		cmocka_unit_test(test_answers),
		cmocka_unit_test(test_hello),
	};

	return cmocka_run_group_tests_name("codec/xml_package", tests, NULL,
	    NULL);
}
