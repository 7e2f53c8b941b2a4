#include "fuzz/fuzz.h"

#include "codec/contact_id.h"

static void
read_lines(const char *data, size_t length)
{
	static struct signal signal;
	enum codec_result result = CODEC_OK;

	while (result != CODEC_MORE) {
		size_t consumed;

		result =
		    contact_id_line_decode(data, length, &consumed, &signal);
		FUZZ_CHECK(consumed <= length);
		FUZZ_CHECK(result == CODEC_MORE || consumed > 0);
		if (result == CODEC_OK)
			FUZZ_CHECK(signal.poll || signal.event_count == 1);
		data += consumed;
		length -= consumed;
	}
}

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
	read_lines((const char *)data, length);
	return 0;
}
