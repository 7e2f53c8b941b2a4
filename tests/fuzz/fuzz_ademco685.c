#include "fuzz/automation.h"

#include "codec/ademco685.h"

static int
encode(const struct delivery *delivery, char *out)
{
	static const struct ademco685_settings settings = { "1", "2" };
	const char *problem;

	return ademco685_encode(&settings, delivery, out, &problem);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t length)
{
	static const struct fuzz_automation format = { ademco685_decode,
		encode };

	fuzz_automation_read(&format, (const char *)data, length);
	return 0;
}
