/* The last frames of a listener that made no sense, for whoever installs the
 * panel. Any thread. */
#ifndef INGRESS_BAD_FRAMES_H
#define INGRESS_BAD_FRAMES_H

#include <pthread.h>
#include <stdint.h>

#include "base/json.h"
#include "base/slice.h"
#include "base/socket.h"

#define BAD_FRAMES_KEPT	 16
#define BAD_FRAMES_BYTES 512 /* of each: its beginning */

struct bad_frame {
	int64_t wall_us;
	char peer[SOCKET_ADDRESS_TEXT];
	const char *reason; /* static text */
	uint32_t length;    /* as received */
	char bytes[BAD_FRAMES_BYTES];
};

struct bad_frames {
	pthread_mutex_t lock;
	uint64_t count; /* ever; the newest is at (count - 1) % KEPT */
	struct bad_frame frames[BAD_FRAMES_KEPT];
};

void bad_frames_init(struct bad_frames *bad);
void bad_frames_close(struct bad_frames *bad);
void bad_frames_add(struct bad_frames *bad, int64_t wall_us, const char *peer,
    const char *reason, struct slice bytes);
/* One object each, the newest first. */
void bad_frames_show(struct bad_frames *bad, const char *listener,
    struct json *json);

#endif
