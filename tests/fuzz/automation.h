/* For targets of lines towards automation software: read a stream of them, and
 * read what we write of each event as the same event. */
#ifndef FUZZ_AUTOMATION_H
#define FUZZ_AUTOMATION_H

#include "codec/codec.h"
#include "fuzz/fuzz.h"
#include "signal/delivery.h"

#define FUZZ_MESSAGE_MAX 200 /* of every such format */

struct fuzz_automation {
	enum codec_result (*decode)(const char *data, size_t length,
	    size_t *ret_consumed, struct signal *ret);
	/* into FUZZ_MESSAGE_MAX; the length, or negative: refused */
	int (*encode)(const struct delivery *delivery, char *out);
};

static inline void
fuzz_automation_write_back(const struct fuzz_automation *format,
    const struct signal *signal, const struct signal_event *event)
{
	static struct signal again;
	struct delivery delivery = {
		.format = event->format,
		.qualifier = event->qualifier,
		.account = signal->account,
		.partition = event->partition,
		.zone = event->zone,
		.user = event->user,
		.text = event->text,
	};
	char out[FUZZ_MESSAGE_MAX];
	size_t consumed;
	int length;

	memcpy(delivery.code, event->code, sizeof(delivery.code));
	length = format->encode(&delivery, out);
	if (length < 0)
		return;
	FUZZ_CHECK(length <= FUZZ_MESSAGE_MAX);
	FUZZ_CHECK(format->decode(out, (size_t)length, &consumed, &again) ==
	    CODEC_OK);
	FUZZ_CHECK(consumed == (size_t)length);
	FUZZ_CHECK(again.events[0].format == event->format);
	FUZZ_CHECK(strcmp(again.events[0].code, event->code) == 0);
	FUZZ_CHECK(again.events[0].qualifier == event->qualifier);
	if (signal_format_is_own(event->format)) { /* nothing is filled up */
		FUZZ_CHECK(slice_equal(again.events[0].zone, event->zone));
		FUZZ_CHECK(slice_equal(again.events[0].user, event->user));
		FUZZ_CHECK(slice_equal(again.events[0].partition,
		    event->partition));
	}
}

static inline void
fuzz_automation_read(const struct fuzz_automation *format, const char *data,
    size_t length)
{
	static struct signal signal;
	enum codec_result result = CODEC_OK;

	while (result != CODEC_MORE) {
		size_t consumed;

		result = format->decode(data, length, &consumed, &signal);
		FUZZ_CHECK(consumed <= length);
		FUZZ_CHECK(result == CODEC_MORE || consumed > 0);
		if (result == CODEC_OK)
			FUZZ_CHECK(signal.poll || signal.event_count > 0);
		for (unsigned i = 0; result == CODEC_OK && !signal.poll &&
		     i < signal.event_count;
		     i++)
			fuzz_automation_write_back(format, &signal,
			    &signal.events[i]);
		data += consumed;
		length -= consumed;
	}
}

#endif
