#include "fuzz/automation.h"

#include "codec/surgard.h"

static enum codec_result
decode_1(const char *data, size_t length, size_t *consumed, struct signal *ret)
{
	return surgard_decode(data, length, 1, consumed, ret);
}

static enum codec_result
decode_3(const char *data, size_t length, size_t *consumed, struct signal *ret)
{
	return surgard_decode(data, length, 3, consumed, ret);
}

static int
encode_1(const struct delivery *delivery, char *out)
{
	static const struct surgard_settings settings = { "01", "1", 1,
		.sia_block = true, .clock = true };
	const char *problem;

	return surgard_encode(&settings, delivery, out, &problem);
}

static int
encode_3(const struct delivery *delivery, char *out)
{
	static const struct surgard_settings settings = { "01", "100", 3,
		.account = SURGARD_ACCOUNT_SPLIT_BACK };
	const char *problem;

	return surgard_encode(&settings, delivery, out, &problem);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t length)
{
	static const struct fuzz_automation formats[] = {
		{ decode_1, encode_1 },
		{ decode_3, encode_3 },
	};

	for (size_t i = 0; i < 2; i++)
		fuzz_automation_read(&formats[i], (const char *)data, length);
	return 0;
}
