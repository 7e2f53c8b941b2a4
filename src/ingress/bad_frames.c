#include "ingress/bad_frames.h"

#include <stdio.h>
#include <string.h>

void
bad_frames_init(struct bad_frames *bad)
{
	memset(bad, 0, sizeof(*bad));
	pthread_mutex_init(&bad->lock, NULL);
}

void
bad_frames_close(struct bad_frames *bad)
{
	pthread_mutex_destroy(&bad->lock);
}

void
bad_frames_add(struct bad_frames *bad, int64_t wall_us, const char *peer,
    const char *reason, struct slice bytes)
{
	struct slice kept = slice_part(bytes, 0, BAD_FRAMES_BYTES);
	struct bad_frame *frame;

	pthread_mutex_lock(&bad->lock);
	frame = &bad->frames[bad->count++ % BAD_FRAMES_KEPT];
	frame->wall_us = wall_us;
	snprintf(frame->peer, sizeof(frame->peer), "%s", peer);
	frame->reason = reason;
	frame->length = (uint32_t)bytes.length;
	if (kept.length > 0)
		memcpy(frame->bytes, kept.data, kept.length);
	pthread_mutex_unlock(&bad->lock);
}

static void
show_one(const struct bad_frame *frame, const char *listener, struct json *json)
{
	json_object_begin(json, NULL);
	json_string(json, "listener", listener);
	json_time(json, "at", frame->wall_us);
	json_string(json, "peer", frame->peer);
	json_string(json, "reason", frame->reason);
	json_unsigned(json, "length", frame->length);
	json_hex(json, "bytes",
	    slice_part(slice_of(frame->bytes, frame->length), 0,
		BAD_FRAMES_BYTES));
	json_object_end(json);
}

void
bad_frames_show(struct bad_frames *bad, const char *listener, struct json *json)
{
	pthread_mutex_lock(&bad->lock);
	for (uint64_t back = 1; back <= BAD_FRAMES_KEPT && back <= bad->count;
	     back++)
		show_one(&bad->frames[(bad->count - back) % BAD_FRAMES_KEPT],
		    listener, json);
	pthread_mutex_unlock(&bad->lock);
}
