#include "codec/xml_package.h"
#include "fuzz/fuzz.h"

/* What was read can be written, and reads as the same event. */
static void
write_again(const struct signal *signal)
{
	static struct signal again;
	static char out[XML_PACKAGE_MAX], plain[XML_PACKAGE_MAX];
	static const struct xml_package_settings settings = { "n-1-0-2", "1",
		"1" };
	const struct signal_event *event = &signal->events[0];
	struct delivery delivery = {
		.format = event->format,
		.qualifier = event->qualifier,
		.account = signal->account,
		.partition = event->partition,
		.zone = event->zone,
		.user = event->user,
		.text = event->text,
	};
	const char *problem;
	size_t consumed;
	int length;

	memcpy(delivery.code, event->code, sizeof(delivery.code));
	length = xml_package_encode(&settings, &delivery, out, &problem);
	if (length < 0)
		return;
	FUZZ_CHECK(xml_package_decode(out, (size_t)length, &consumed, plain,
		       &again) == CODEC_OK);
	FUZZ_CHECK(consumed == (size_t)length);
	FUZZ_CHECK(again.events[0].format == event->format);
	FUZZ_CHECK(again.events[0].qualifier == event->qualifier);
	FUZZ_CHECK(memcmp(again.events[0].code, event->code, 3) == 0);
}

static void
read_packages(const char *data, size_t length)
{
	static struct signal signal;
	static char plain[XML_PACKAGE_MAX];
	enum codec_result result = CODEC_OK;

	while (result != CODEC_MORE) {
		size_t consumed;

		result =
		    xml_package_decode(data, length, &consumed, plain, &signal);
		FUZZ_CHECK(consumed <= length);
		FUZZ_CHECK(result == CODEC_MORE || consumed > 0);
		if (result == CODEC_OK && !signal.poll)
			write_again(&signal);
		data += consumed;
		length -= consumed;
	}
}

static void
read_answers(const char *data, size_t length)
{
	enum codec_result result = CODEC_OK;

	while (result != CODEC_MORE) {
		struct xml_answer answer;
		size_t consumed;

		result = xml_answer_decode(data, length, &consumed, &answer);
		FUZZ_CHECK(consumed <= length);
		FUZZ_CHECK(result == CODEC_MORE || consumed > 0);
		data += consumed;
		length -= consumed;
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t length)
{
	read_packages((const char *)data, length);
	read_answers((const char *)data, length);
	return 0;
}
