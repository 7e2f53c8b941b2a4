#include "fuzz/fuzz.h"

#include "codec/dc09.h"

#define NOW_US (1772366400ll * 1000000)

static struct dc09_crypto *crypto;
static const struct codec_key key = {
	.bytes = { 0x00, 0x11, 0x22, 0x33, 0x44, 0x55, 0x66, 0x77, 0x88, 0x99,
	    0xaa, 0xbb, 0xcc, 0xdd, 0xee, 0xff },
	.length = 16,
};

/* Open, answer, and read our own answer back. */
static void
answer(const struct dc09_frame *frame, unsigned tolerate)
{
	static char plain[DC09_BODY_MAX / 2];
	static struct signal signal;
	const struct dc09_window window = { .past_s = 40, .future_s = 20 };
	char reply[DC09_REPLY_MAX];
	const char *reason = NULL;
	struct dc09_frame echo;
	enum dc09_fault fault;
	size_t length, consumed;
	enum dc09_verdict verdict = dc09_decode(crypto, frame, &key, window,
	    tolerate, NOW_US, plain, &signal, &reason);

	FUZZ_CHECK(verdict == DC09_ACCEPT || reason);
	FUZZ_CHECK(signal.event_count <= SIGNAL_EVENTS_MAX);
	FUZZ_CHECK(signal.extended_count <= SIGNAL_EXTENDED_MAX);
	FUZZ_CHECK(verdict != DC09_ACCEPT || signal.poll ||
	    signal.event_count > 0);
	length = dc09_reply_encode(crypto,
	    verdict == DC09_ACCEPT ? DC09_REPLY_ACK : DC09_REPLY_DUH, frame,
	    &key, true, NOW_US, reply);
	FUZZ_CHECK(length > 0);
	FUZZ_CHECK(dc09_frame_next(reply, length, tolerate, &consumed, &echo,
		       &fault) == CODEC_OK);
	FUZZ_CHECK(slice_equal(echo.sequence, frame->sequence));
	dc09_response_decode(crypto, &echo, &key, plain, &signal, &reason);
	dc09_response_decode(crypto, frame, &key, plain, &signal, &reason);
}

static void
read_stream(const char *data, size_t length, unsigned tolerate)
{
	enum codec_result result = CODEC_OK;

	while (result != CODEC_MORE) {
		struct dc09_frame frame;
		enum dc09_fault fault;
		size_t consumed;

		result = dc09_frame_next(data, length, tolerate, &consumed,
		    &frame, &fault);
		FUZZ_CHECK(consumed <= length);
		FUZZ_CHECK(result == CODEC_MORE || consumed > 0);
		data += consumed;
		length -= consumed;
		if (result == CODEC_OK)
			answer(&frame, tolerate);
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t length)
{
	if (!crypto)
		FUZZ_CHECK(dc09_crypto_open(&crypto, NULL) == 0);
	read_stream((const char *)data, length, dc09_tolerance_default);
	/* gets past the CRC */
	read_stream((const char *)data, length, ~0u);
	return 0;
}
