/* The bridge API's bytes: heads of requests, events in JSON, replies, and what
 * the API says of itself. */
#include "unit/test.h"

#include "base/json.h"
#include "codec/http.h"
#include "codec/http_event.h"
#include "unit/codec/read_json.h"

/* ---- requests ------------------------------------------------------------------ */

#define HOST   "Host: x\r\n"
#define POST   "POST /v1/events HTTP/1.1\r\n" HOST
#define LENGTH "Content-Length: "

static const struct {
	const char *text;
	enum codec_result result;
	unsigned status; /* CODEC_BAD */
	const char *target, *body;
} requests[] = {
	{ POST LENGTH "2\r\n\r\n{}", CODEC_OK, 0, "/v1/events", "{}" },
	{ POST LENGTH "2\r\n\r\n{}GET", CODEC_OK, 0, "/v1/events", "{}" },
	{ POST "\r\n", CODEC_OK, 0, "/v1/events", "" },
	{ "GET /x?y HTTP/1.1\r\nhost:x\r\nconnection:  close \r\n\r\n",
	    CODEC_OK, 0, "/x?y", "" },
	{ "GET / HTTP/1.0\r\n\r\n", CODEC_OK, 0, "/", "" },
	{ POST "Idempotency-Key: \"a b\"\r\nUser-Agent: \xc3\xa9\r\n\r\n",
	    CODEC_OK, 0, "/v1/events", "" },
	{ POST LENGTH "2\r\n\r\n{", CODEC_MORE, 0, NULL, NULL },
	{ POST LENGTH "2\r\n\r", CODEC_MORE, 0, NULL, NULL },
	{ "", CODEC_MORE, 0, NULL, NULL },
	{ "POST", CODEC_MORE, 0, NULL, NULL },
	/* not HTTP: nothing is answered */
	{ "\n1234", CODEC_BAD, 0, NULL, NULL },
	{ "\x16\x03\x01", CODEC_BAD, 0, NULL, NULL },
	{ "get / HTTP/1.1\r\n\r\n", CODEC_BAD, 0, NULL, NULL },
	{ " GET / HTTP/1.1\r\n\r\n", CODEC_BAD, 0, NULL, NULL },
	{ "\r\nGET / HTTP/1.1\r\n\r\n", CODEC_BAD, 0, NULL, NULL },
	{ "ABCDEFGHIJKLMNOPQ / HTTP/1.1\r\n\r\n", CODEC_BAD, 0, NULL, NULL },
	{ "OPTIONS sip:nm SIP/2.0\r\n\r\n", CODEC_BAD, 400, NULL, NULL },
	{ "GET / HTTP/2.0\r\n" HOST "\r\n", CODEC_BAD, 505, NULL, NULL },
	{ "GET  / HTTP/1.1\r\n" HOST "\r\n", CODEC_BAD, 400, NULL, NULL },
	{ "GET / HTTP/1.1 \r\n" HOST "\r\n", CODEC_BAD, 505, NULL, NULL },
	{ "GET /\tx HTTP/1.1\r\n" HOST "\r\n", CODEC_OK, 0, "/\tx", "" },
	{ "GET /\x01 HTTP/1.1\r\n" HOST "\r\n", CODEC_BAD, 400, NULL, NULL },
	{ "GET / HTTP/1.1\r\n\r\n", CODEC_BAD, 400, NULL, NULL },
	{ "GET / HTTP/1.1\r\n" HOST HOST "\r\n", CODEC_BAD, 400, NULL, NULL },
	/* what others might read as another request */
	{ POST LENGTH "2\r\n" LENGTH "2\r\n\r\n{}", CODEC_BAD, 400, NULL,
	    NULL },
	{ POST LENGTH "2\r\nTransfer-Encoding: chunked\r\n\r\n{}", CODEC_BAD,
	    411, NULL, NULL },
	{ POST LENGTH "+2\r\n\r\n{}", CODEC_BAD, 400, NULL, NULL },
	{ POST LENGTH "2,2\r\n\r\n{}", CODEC_BAD, 400, NULL, NULL },
	{ POST LENGTH "\r\n\r\n", CODEC_BAD, 400, NULL, NULL },
	{ POST LENGTH "99999999999999999999\r\n\r\n", CODEC_BAD, 400, NULL,
	    NULL },
	{ POST "Content-Length : 2\r\n\r\n{}", CODEC_BAD, 400, NULL, NULL },
	{ POST " folded\r\n\r\n", CODEC_BAD, 400, NULL, NULL },
	{ POST "x: a\nContent-Length: 2\r\n\r\n{}", CODEC_BAD, 400, NULL,
	    NULL },
	{ POST "x: a\rb\r\n\r\n", CODEC_BAD, 400, NULL, NULL },
	{ POST "no colon\r\n\r\n", CODEC_BAD, 400, NULL, NULL },
	{ POST ": empty\r\n\r\n", CODEC_BAD, 400, NULL, NULL },
	{ POST LENGTH "16385\r\n\r\n", CODEC_BAD, 413, NULL, NULL },
	{ POST "Expect: more\r\n\r\n", CODEC_BAD, 417, NULL, NULL },
};

static void
requests_are_read(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(requests); i++) {
		const char *text = requests[i].text;
		struct http_request request;
		struct http_fault fault = { 0, "" };
		enum codec_result result =
		    http_request_decode(slice_from_string(text), &request,
			&fault);

		assert_row(result == requests[i].result, i, text);
		if (result == CODEC_BAD)
			assert_row(fault.status == requests[i].status, i, text);
		if (result != CODEC_OK)
			continue;
		assert_slice(request.target, requests[i].target);
		assert_slice(request.body, requests[i].body);
	}
}

/* Every beginning of a good request may become one, and is none yet. */
static void
byte_by_byte(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(requests); i++) {
		const char *text = requests[i].text;
		struct http_request request;
		struct http_fault fault;
		size_t whole, length = 0;

		if (requests[i].result != CODEC_OK)
			continue;
		assert_int_equal(http_request_decode(slice_from_string(text),
				     &request, &fault),
		    CODEC_OK);
		whole = request.head_bytes + request.body.length;
		for (; length < whole; length++)
			assert_row(http_request_decode(slice_of(text, length),
				       &request, &fault) == CODEC_MORE,
			    i, text);
	}
}

static void
fields_are_found(void **state)
{
	static const char text[] = "POST /v1/events HTTP/1.1\r\nHOST: x\r\n"
				   "content-type:\tapplication/json\r\n"
				   "Authorization: Bearer tb-1-00\r\n"
				   "idempotency-key: k 1\r\n"
				   "X-TOCSIN-Signature: bridge=1\r\n"
				   "Expect: 100-Continue\r\n"
				   "Content-Length: 1\r\n\r\n";
	struct http_request request;
	struct http_fault fault;

	(void)state;
	assert_int_equal(http_request_decode(slice_from_string(text), &request,
			     &fault),
	    CODEC_MORE);
	assert_int_equal(request.head_bytes, sizeof(text) - 1);
	assert_true(request.awaits_continue);
	assert_true(request.keep_alive);
	assert_slice(request.method, "POST");
	assert_slice(request.fields[HTTP_CONTENT_TYPE], "application/json");
	assert_slice(request.fields[HTTP_AUTHORIZATION], "Bearer tb-1-00");
	assert_slice(request.fields[HTTP_IDEMPOTENCY_KEY], "k 1");
	assert_slice(request.fields[HTTP_SIGNATURE], "bridge=1");
}

static void
heads_are_bounded(void **state)
{
	static char text[HTTP_HEAD_MAX + 8];
	struct http_request request;
	struct http_fault fault;
	int length = snprintf(text, sizeof(text), "%s", POST);

	(void)state;
	memset(text + length, 'x', sizeof(text) - (size_t)length);
	assert_int_equal(http_request_decode(slice_of(text, HTTP_HEAD_MAX),
			     &request, &fault),
	    CODEC_MORE);
	assert_int_equal(http_request_decode(slice_of(text, HTTP_HEAD_MAX + 1),
			     &request, &fault),
	    CODEC_BAD);
	assert_int_equal(fault.status, 431);
	for (unsigned i = 0; i < HTTP_FIELD_LINES; i++)
		length += snprintf(text + length, 16, "a%u: b\r\n", i);
	memcpy(text + length, "\r\n", 2);
	assert_int_equal(http_request_decode(slice_of(text, (size_t)length + 2),
			     &request, &fault),
	    CODEC_BAD);
	assert_int_equal(fault.status, 431);
}

static void
replies_are_written(void **state)
{
	struct http_reply reply = { .status = 401,
		.content_type = "application/problem+json",
		.allow = "POST",
		.authenticate = true,
		.retry_s = 5,
		.close = true,
		.date_us = 784111777000000,
		.content = slice_from_string("{}") };
	char out[HTTP_REPLY_HEAD_MAX];
	int length = http_reply_encode(&reply, out, sizeof(out));

	(void)state;
	assert_true(length > 0);
	assert_slice(slice_of(out, (size_t)length),
	    "HTTP/1.1 401 Unauthorized\r\n"
	    "Date: Sun, 06 Nov 1994 08:49:37 GMT\r\n"
	    "Content-Type: application/problem+json\r\n"
	    "Content-Length: 2\r\nAllow: POST\r\nWWW-Authenticate: Bearer\r\n"
	    "Retry-After: 5\r\nConnection: close\r\n\r\n{}");
	assert_true(http_reply_encode(&reply, out, (size_t)length - 1) < 0);
	reply = (struct http_reply){ .status = 204 };
	length = http_reply_encode(&reply, out, sizeof(out));
	assert_slice(slice_of(out, (size_t)length),
	    "HTTP/1.1 204 No Content\r\n"
	    "Date: Thu, 01 Jan 1970 00:00:00 GMT\r\n\r\n");
	assert_string_equal(http_status_text(299), "Unknown");
}

/* ---- events --------------------------------------------------------------------- */

static const struct {
	const char *body;
	const char
	    *events; /* "format qualifier code partition zone user" each */
	const char *refused; /* the reason of the first; NULL: none */
	const char *problem; /* of all of it; NULL: none */
} bodies[] = {
	{ "{\"zone\":\"017\",\"state\":\"alarm\"}", "contact-id E 140 - 017 -;",
	    NULL, NULL },
	{ "{\"zone\":\"A\",\"state\":\"restore\",\"text\":\"x\"}",
	    "contact-id R 140 - A -;", NULL, NULL },
	{ "{\"arming_input\":\"closed\"}", "contact-id R 409 - - -;", NULL,
	    NULL },
	{ "{\"arming_input\":\"open\"}", "contact-id E 409 - - -;", NULL,
	    NULL },
	{ "{\"qualifier\":\"E\",\"code\":\"130\",\"partition\":\"01\","
	  "\"zone\":\"005\"}",
	    "contact-id E 130 01 005 -;", NULL, NULL },
	{ "{\"qualifier\":\"P\",\"code\":\"602\"}", "contact-id P 602 - - -;",
	    NULL, NULL },
	{ "{\"qualifier\":\"R\",\"code\":\"401\",\"user\":\"12\","
	  "\"zone\":null}",
	    "contact-id R 401 - - 12;", NULL, NULL },
	{ "{\"sia\":\"BA\",\"zone\":\"1234\",\"partition\":\"2\"}",
	    "sia 0 BA 2 1234 -;", NULL, NULL },
	{ "{\"events\":[{\"sia\":\"BA\"},{\"sia\":\"BR\"}]}",
	    "sia 0 BA - - -;sia 0 BR - - -;", NULL, NULL },
	{ "{\"events\":[{\"sia\":\"ba\"},{\"sia\":\"BR\"}]}", "sia 0 BR - - -;",
	    "sia does not match ^[A-Z]{2}$", NULL },
	/* one by one */
	{ "{}", "", "state, arming_input, code or sia is needed", NULL },
	{ "{\"zone\":\"17\"}", "", "state, arming_input, code or sia is needed",
	    NULL },
	{ "{\"state\":\"alarm\"}", "", "zone is needed", NULL },
	{ "{\"zone\":17,\"state\":\"alarm\"}", "", "zone is no string", NULL },
	{ "{\"zone\":\"\",\"state\":\"alarm\"}", "",
	    "zone does not match ^[0-9A-F]{1,6}$", NULL },
	{ "{\"zone\":\"1234567\",\"state\":\"alarm\"}", "",
	    "zone does not match ^[0-9A-F]{1,6}$", NULL },
	{ "{\"zone\":\"1\",\"state\":\"fire\"}", "",
	    "state is none of alarm, restore", NULL },
	{ "{\"code\":\"130\"}", "", "qualifier is needed", NULL },
	{ "{\"qualifier\":\"E\",\"code\":\"13A\"}", "",
	    "code does not match ^[0-9B-F]{3}$", NULL },
	{ "{\"qualifier\":\"1\",\"code\":\"130\"}", "",
	    "qualifier is none of E, R, P", NULL },
	{ "{\"sia\":\"BA\",\"qualifier\":\"E\"}", "",
	    "qualifier does not belong to such an event", NULL },
	{ "{\"sia\":\"BA\",\"state\":\"alarm\",\"zone\":\"1\"}", "",
	    "sia is a second event in one", NULL },
	{ "{\"arming_input\":\"open\",\"zone\":\"1\"}", "",
	    "zone does not belong to such an event", NULL },
	{ "{\"sia\":\"BA\",\"zoen\":\"1\"}", "", "zoen is no field of an event",
	    NULL },
	{ "{\"events\":[7]}", "", "an event is an object", NULL },
	{ "{\"events\":[{\"sia\":\"BA\",\"occurred_at\":\"x\"}]}", "",
	    "occurred_at is no field of an event", NULL },
	/* nothing can be told apart */
	{ "", NULL, NULL, "no JSON: line 1, column 0: " },
	{ "{\"sia\":\"BA\"", NULL, NULL, "no JSON: line 1, column 11: " },
	{ "{\"sia\":\"BA\"}}", NULL, NULL, "no JSON: line 1, column 13: " },
	{ "{\"sia\":\"BA\",\"sia\":\"BR\"}", NULL, NULL, "no JSON: line 1" },
	{ "{\"text\":\"\xff\"}", NULL, NULL, "no JSON: line 1" },
	{ "[]", NULL, NULL, "the body is no object" },
	{ "{\"events\":[]}", NULL, NULL, "events is no list of 1 to 32" },
	{ "{\"events\":{}}", NULL, NULL, "events is no list of 1 to 32" },
	{ "{\"events\":[{}],\"sia\":\"BA\"}", NULL, NULL,
	    "events has only occurred_at beside it" },
	{ "{\"sia\":\"BA\",\"occurred_at\":\"yesterday\"}", NULL, NULL,
	    "occurred_at is no time" },
	{ "{\"sia\":\"BA\",\"occurred_at\":7}", NULL, NULL,
	    "occurred_at is no time" },
};

static void
describe(const struct signal *signal, char *out, size_t out_size)
{
	size_t at = 0;

	out[0] = '\0';
	for (unsigned i = 0; i < signal->event_count; i++) {
		const struct signal_event *e = &signal->events[i];
		char letter = signal_qualifier_letter(e->qualifier);

#define OR_DASH(s) SLICE_ARG(slice_present(s) ? (s) : slice_from_string("-"))
		at += (size_t)snprintf(out + at, out_size - at,
		    "%s %c %s %.*s %.*s %.*s;", signal_format_name(e->format),
		    letter ? letter : '0', e->code, OR_DASH(e->partition),
		    OR_DASH(e->zone), OR_DASH(e->user));
	}
}

static const char *
first_reason(const struct http_events *events)
{
	for (unsigned i = 0; i < events->count; i++)
		if (events->refused[i])
			return events->reasons[i];
	return NULL;
}

static void
bodies_are_read(void **state)
{
	static struct signal signal;
	static struct http_events events;

	(void)state;
	for (size_t i = 0; i < COUNT(bodies); i++) {
		char problem[HTTP_EVENT_REASON_SIZE] = "", text[256];
		enum codec_result result =
		    http_events_decode(slice_from_string(bodies[i].body),
			&signal, &events, problem);
		const char *reason;

		assert_row((result == CODEC_BAD) == (bodies[i].problem != NULL),
		    i, bodies[i].body);
		if (bodies[i].problem) {
			assert_row(strncmp(problem, bodies[i].problem,
				       strlen(bodies[i].problem)) == 0,
			    i, problem);
			continue;
		}
		describe(&signal, text, sizeof(text));
		assert_row(strcmp(text, bodies[i].events) == 0, i, text);
		reason = first_reason(&events);
		assert_row(!reason == !bodies[i].refused, i, bodies[i].body);
		if (reason)
			assert_row(strcmp(reason, bodies[i].refused) == 0, i,
			    reason);
		http_events_close(&events);
	}
}

static void
times_and_texts_are_kept(void **state)
{
	static const char body[] =
	    "{\"occurred_at\":\"2026-01-15T10:30:00.5Z\",\"events\":"
	    "[{\"sia\":\"BA\",\"text\":\"T\\u00fcr\\n2\"}]}";
	static struct signal signal;
	static struct http_events events;
	char problem[HTTP_EVENT_REASON_SIZE];

	(void)state;
	assert_int_equal(http_events_decode(slice_from_string(body), &signal,
			     &events, problem),
	    CODEC_OK);
	assert_true(signal.panel_time_us == 1768473000500000);
	assert_slice(signal.events[0].text, "T\xc3\xbcr\n2");
	http_events_close(&events);
}

/* A decision has the text once for each of eight stations: what is taken must
 * fit. */
static void
texts_are_bounded(void **state)
{
	static struct signal signal;
	static struct http_events events;
	char body[2000], problem[HTTP_EVENT_REASON_SIZE];

	(void)state;
	for (unsigned more = 0; more < 2; more++) {
		size_t at = (size_t)snprintf(body, sizeof(body),
		    "{\"sia\":\"BA\",\"text\":\"");

		for (unsigned i = 0; i < 256 + more; i++)
			at += (size_t)snprintf(body + at, sizeof(body) - at,
			    "\xf0\x9f\x94\xa5");
		snprintf(body + at, sizeof(body) - at, "\"}");
		assert_int_equal(http_events_decode(slice_from_string(body),
				     &signal, &events, problem),
		    CODEC_OK);
		assert_int_equal(signal.event_count, 1 - more);
		if (more)
			assert_string_equal(events.reasons[0],
			    "text has more than 256 characters");
		else
			assert_int_equal(signal.events[0].text.length, 1024);
		http_events_close(&events);
	}
}

static char *
events_of(unsigned count)
{
	static char text[4096];
	size_t at = (size_t)snprintf(text, sizeof(text), "{\"events\":[");

	for (unsigned i = 0; i < count; i++)
		at += (size_t)snprintf(text + at, sizeof(text) - at,
		    "%s{\"sia\":\"BA\"}", i > 0 ? "," : "");
	snprintf(text + at, sizeof(text) - at, "]}");
	return text;
}

static void
as_many_as_a_signal_holds(void **state)
{
	static struct signal signal;
	static struct http_events events;
	char problem[HTTP_EVENT_REASON_SIZE];

	(void)state;
	assert_int_equal(
	    http_events_decode(slice_from_string(events_of(SIGNAL_EVENTS_MAX)),
		&signal, &events, problem),
	    CODEC_OK);
	assert_int_equal(signal.event_count, SIGNAL_EVENTS_MAX);
	http_events_close(&events);
	assert_int_equal(http_events_decode(slice_from_string(events_of(
						SIGNAL_EVENTS_MAX + 1)),
			     &signal, &events, problem),
	    CODEC_BAD);
}

static void
each_event_has_its_result(void **state)
{
	static const char body[] =
	    "{\"events\":[{\"sia\":\"BA\"},{\"sia\":\"ba\"}]}";
	static struct signal signal;
	static struct http_events events;
	char problem[HTTP_EVENT_REASON_SIZE];
	struct json json = { 0 };

	(void)state;
	assert_int_equal(http_events_decode(slice_from_string(body), &signal,
			     &events, problem),
	    CODEC_OK);
	http_events_results(&events, &json);
	assert_string_equal(json_text(&json),
	    "{\"results\":[{\"status\":\"accepted\"},{\"status\":\"refused\","
	    "\"reason\":\"sia does not match ^[A-Z]{2}$\"}]}");
	json_close(&json);
	http_events_close(&events);
}

/* ---- what it says of itself ------------------------------------------------------ */

static bool
document_says(struct json *json, const char *begin, const char *name,
    const char *end)
{
	char text[128];

	snprintf(text, sizeof(text), "%s\"%s\"%s", begin, name, end);
	return strstr(json_text(json), text);
}

static void
check_field(struct json *json, const struct http_event_field *field)
{
	assert_row(document_says(json, "", field->name, ":{\"type\":"),
	    field - http_event_fields, field->name);
	for (unsigned i = 0; field->choices[i]; i++)
		assert_row(document_says(json, "", field->choices[i], ""),
		    field - http_event_fields, field->choices[i]);
	if (field->pattern)
		assert_row(document_says(json, "\"pattern\":", field->pattern,
			       ""),
		    field - http_event_fields, field->pattern);
}

/* It is JSON, has every field that is checked and every schema that it refers
 * to. That requests are answered as it says is for the integration tests. */
static void
the_document_has_every_field(void **state)
{
	static const char reference[] = "\"$ref\":\"#/components/schemas/";
	const struct http_event_field *field;
	struct json json = { 0 };
	char version[16];
	const char *at;

	(void)state;
	http_event_openapi(&json);
	assert_true(read_json(json_text(&json), json.length, "openapi", version,
	    sizeof(version)));
	assert_string_equal(version, "3.1.0");
	for (field = http_event_fields; field->name; field++)
		check_field(&json, field);
	at = json_text(&json);
	assert_non_null(strstr(at, reference));
	while ((at = strstr(at, reference)) != NULL) {
		char name[64];

		at += strlen(reference);
		snprintf(name, sizeof(name), "%.*s", (int)strcspn(at, "\""),
		    at);
		assert_row(document_says(&json, "", name, ":{"), 0, name);
	}
	json_close(&json);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(requests_are_read),
		cmocka_unit_test(byte_by_byte),
		cmocka_unit_test(fields_are_found),
		cmocka_unit_test(heads_are_bounded),
		cmocka_unit_test(replies_are_written),
		cmocka_unit_test(bodies_are_read),
		cmocka_unit_test(times_and_texts_are_kept),
		cmocka_unit_test(texts_are_bounded),
		cmocka_unit_test(as_many_as_a_signal_holds),
		cmocka_unit_test(each_event_has_its_result),
		cmocka_unit_test(the_document_has_every_field),
	};

	return cmocka_run_group_tests_name("codec/http", tests, NULL, NULL);
}
