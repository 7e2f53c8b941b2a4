#include "fuzz/fuzz.h"

#include <string.h>

#include "journal/record.h"

/* Written in the lowest version that says all of it, whichever it came in; what
 * was written so is written alike again. */
static void
write_decision_again(const struct decision *decision, size_t length)
{
	static struct decision read;
	static char again[1 << 20], third[1 << 20];
	int encoded = record_decision_encode(decision, again, sizeof(again));

	FUZZ_CHECK(encoded > 0 && (size_t)encoded <= length);
	FUZZ_CHECK(record_decision_decode(slice_of(again, (size_t)encoded),
		       &read, NULL) == 0);
	FUZZ_CHECK(record_decision_encode(&read, third, sizeof(third)) ==
	    encoded);
	FUZZ_CHECK(memcmp(again, third, (size_t)encoded) == 0);
}

/* What decodes can be encoded again, and that decodes too. */
int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t length)
{
	static struct record_signal signal;
	static struct decision decision;
	static char again[1 << 20];
	struct slice payload = slice_of(data, length);
	struct outcome outcome;
	int encoded;

	if (record_signal_decode(payload, &signal, NULL) == 0) {
		encoded = record_signal_encode(&signal, again, sizeof(again));
		FUZZ_CHECK(encoded > 0);
		FUZZ_CHECK(record_signal_decode(slice_of(again,
						    (size_t)encoded),
			       &signal, NULL) == 0);
	}
	if (record_decision_decode(payload, &decision, NULL) == 0)
		write_decision_again(&decision, length);
	if (record_outcome_decode(payload, &outcome, NULL) == 0) {
		encoded = record_outcome_encode(&outcome, again, sizeof(again));
		FUZZ_CHECK(encoded == (int)length);
	}
	return 0;
}
