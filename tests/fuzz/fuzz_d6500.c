#include "fuzz/automation.h"

#include "codec/d6500.h"

static int
encode_plain(const struct delivery *delivery, char *out)
{
	static const struct d6500_settings settings = { "01", "1", false };
	const char *problem;

	return d6500_encode(&settings, delivery, out, &problem);
}

static int
encode_header(const struct delivery *delivery, char *out)
{
	static const struct d6500_settings settings = { "01", "12", true };
	const char *problem;

	return d6500_encode(&settings, delivery, out, &problem);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t length)
{
	static const struct fuzz_automation formats[] = {
		{ d6500_decode, encode_plain },
		{ d6500_decode, encode_header },
	};

	for (size_t i = 0; i < 2; i++)
		fuzz_automation_read(&formats[i], (const char *)data, length);
	return 0;
}
