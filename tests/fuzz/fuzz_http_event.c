/* A request as a stranger sends it, and its body as events. */
#include "fuzz/fuzz.h"

#include <string.h>

#include "base/json.h"
#include "codec/http.h"
#include "codec/http_event.h"

static void
check_events(struct slice body)
{
	static struct signal signal;
	static struct http_events events;
	char problem[HTTP_EVENT_REASON_SIZE] = "";
	struct json json = { 0 };
	unsigned refused = 0;

	if (http_events_decode(body, &signal, &events, problem) != CODEC_OK) {
		FUZZ_CHECK(problem[0]);
		return;
	}
	FUZZ_CHECK(events.count >= 1 && events.count <= SIGNAL_EVENTS_MAX);
	for (unsigned i = 0; i < events.count; i++) {
		FUZZ_CHECK(events.refused[i] == (events.reasons[i][0] != '\0'));
		refused += events.refused[i];
	}
	FUZZ_CHECK(signal.event_count + refused == events.count);
	for (unsigned i = 0; i < signal.event_count; i++)
		FUZZ_CHECK(signal.events[i].code[0]);
	http_events_results(&events, &json);
	FUZZ_CHECK(json_text(&json) && strlen(json_text(&json)) < 12000);
	json_close(&json);
	http_events_close(&events);
}

static void
check_beginnings(struct slice data, size_t whole)
{
	struct http_request request;
	struct http_fault fault;

	if (whole > 600)
		return;
	for (size_t length = 0; length < whole; length++)
		FUZZ_CHECK(http_request_decode(slice_part(data, 0, length),
			       &request, &fault) == CODEC_MORE);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t length)
{
	struct slice text =
	    slice_of(length > 0 ? data : (const void *)"", length);
	struct http_request request;
	struct http_fault fault = { 0, NULL };
	size_t whole;

	switch (http_request_decode(text, &request, &fault)) {
	case CODEC_OK:
		whole = request.head_bytes + request.body.length;
		FUZZ_CHECK(whole <= length && whole <= HTTP_REQUEST_MAX);
		check_beginnings(text, whole);
		check_events(request.body);
		break;
	case CODEC_MORE:
		FUZZ_CHECK(length < HTTP_REQUEST_MAX);
		break;
	case CODEC_BAD:
		FUZZ_CHECK(fault.reason && request.head_bytes == 0);
		break;
	}
	check_events(text);
	return 0;
}
