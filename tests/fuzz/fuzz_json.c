#include "base/json.h"
#include "codec/json_line.h"
#include "fuzz/fuzz.h"

/* Answers of whatever a program says. */
static void
read_answers(const char *data, size_t length)
{
	enum codec_result result = CODEC_OK;

	while (result != CODEC_MORE) {
		struct json_answer answer;
		size_t consumed;

		result = json_answer_decode(data, length, &consumed, &answer);
		FUZZ_CHECK(consumed <= length);
		FUZZ_CHECK(result == CODEC_MORE || consumed > 0);
		data += consumed;
		length -= consumed;
	}
}

/* A line of these bytes as texts is one line of printable characters. */
static void
write_line(struct slice text)
{
	static struct json json;
	static const struct event_json_settings settings = { "n-1-0-2", 3, "1",
		"1" };
	const struct delivery delivery = {
		.format = SIGNAL_FORMAT_SIA,
		.code = "BA",
		.account = slice_part(text, 0, 16),
		.text = text,
		.zone_name = text,
	};
	const char *problem;
	uint64_t sequence;

	if (json_line_write(&settings, &delivery, JSON_LINE_MAX, &json,
		&problem) < 0)
		return;
	FUZZ_CHECK(json_text(&json) != NULL);
	FUZZ_CHECK(json.length < JSON_LINE_MAX);
	for (size_t i = 0; i < json.length; i++)
		FUZZ_CHECK((unsigned char)json.text[i] >= 0x20);
	FUZZ_CHECK(json_line_sequence(slice_of(json.text, json.length),
	    &sequence));
	FUZZ_CHECK(sequence == 3);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t length)
{
	read_answers((const char *)data, length);
	write_line(slice_of(data, length));
	return 0;
}
