#include "fuzz/fuzz.h"

#include "codec/sia.h"

/* What was read can be written, and reads as the same event. */
static void
write_again(const struct signal_event *event)
{
	static struct signal again;
	char out[4096];
	const char *problem = NULL;
	int length = sia_encode(event, out, sizeof(out), &problem);

	if (length < 0) {
		FUZZ_CHECK(problem);
		return;
	}
	again.event_count = 0;
	FUZZ_CHECK(sia_decode(slice_of(out, (size_t)length), &again,
		       &problem) == CODEC_OK);
	FUZZ_CHECK(again.event_count == 1);
	FUZZ_CHECK(slice_equal(again.events[0].zone, event->zone));
	FUZZ_CHECK(memcmp(again.events[0].code, event->code, 3) == 0);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t length)
{
	static struct signal signal;
	const char *problem = NULL;

	signal.event_count = 0;
	signal.data_account = SLICE_NONE;
	if (length > 2048)
		return 0;
	if (sia_decode(slice_of(data, length), &signal, &problem) != CODEC_OK)
		FUZZ_CHECK(problem);
	FUZZ_CHECK(signal.event_count <= SIGNAL_EVENTS_MAX);
	for (unsigned i = 0; i < signal.event_count; i++)
		write_again(&signal.events[i]);
	return 0;
}
