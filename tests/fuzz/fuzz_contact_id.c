#include "fuzz/fuzz.h"

#include "codec/contact_id.h"

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t length)
{
	static struct signal signal;
	struct signal_event event;
	const char *problem = NULL;
	struct slice text = slice_of(data, length);

	if (contact_id_event_decode(text, &event) == CODEC_OK) {
		FUZZ_CHECK(strlen(event.code) == 3);
		FUZZ_CHECK(event.partition.length == 2);
		FUZZ_CHECK(event.zone.length == 3);
	}
	if (contact_id_decode(text, &signal, &problem) == CODEC_OK)
		FUZZ_CHECK(signal.event_count == 1);
	else
		FUZZ_CHECK(problem);
	return 0;
}
