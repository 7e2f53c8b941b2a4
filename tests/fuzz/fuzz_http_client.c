#include "codec/http_client.h"
#include "fuzz/fuzz.h"

/* Statuses as they come, mixed; -1 at what is no HTTP. */
static int
read_in_pieces(const char *data, size_t length, size_t piece)
{
	struct http_answers answers;
	size_t at = 0, given = 0;
	int sum = 0, used = 0;

	http_answers_begin(&answers);
	/* behind the last its connection is given up */
	while (!answers.last && (used > 0 || given < length)) {
		if (used == 0)
			given +=
			    length - given < piece ? length - given : piece;
		used = http_answers_next(&answers, data + at, given - at);
		if (used < 0)
			return -1;
		FUZZ_CHECK((size_t)used <= given - at);
		at += (size_t)used;
		if (answers.found)
			sum = (31 * sum + (int)answers.status) % 1000003;
	}
	return sum;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t length)
{
	const char *text = (const char *)data;

	FUZZ_CHECK(read_in_pieces(text, length, length) ==
	    read_in_pieces(text, length, 1));
	return 0;
}
