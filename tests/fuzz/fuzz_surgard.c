#include "fuzz/fuzz.h"

#include "codec/ademco685.h"
#include "codec/d6500.h"
#include "codec/surgard.h"

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

static void
read_stream(const char *data, size_t length,
    enum codec_result (*next)(const char *, size_t, size_t *, struct signal *))
{
	static struct signal signal;
	enum codec_result result = CODEC_OK;

	while (result != CODEC_MORE) {
		size_t consumed;

		result = next(data, length, &consumed, &signal);
		FUZZ_CHECK(consumed <= length);
		FUZZ_CHECK(result == CODEC_MORE || consumed > 0);
		if (result == CODEC_OK)
			FUZZ_CHECK(signal.poll || signal.event_count > 0);
		data += consumed;
		length -= consumed;
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t length)
{
	read_stream((const char *)data, length, surgard_1);
	read_stream((const char *)data, length, surgard_3);
	read_stream((const char *)data, length, d6500_decode);
	read_stream((const char *)data, length, ademco685_decode);
	return 0;
}
