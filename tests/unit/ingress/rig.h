/*
 * An ingress with everything it stands on: a real journal in a directory of
 * its own, a directory filled by a batch, sockets on loopback. Its disk and
 * its clock are in the test's hand.
 */
#ifndef RIG_H
#define RIG_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <unistd.h>

#include "unit/test.h"

#include "base/clock.h"
#include "base/io.h"
#include "base/socket.h"
#include "codec/dc09.h"
#include "directory/directory.h"
#include "directory/presence.h"
#include "ingress/ingress.h"
#include "journal/journal.h"
#include "journal/record.h"

/* A disk that can be held up, and made to fail. */
struct rig_disk {
	struct io io;
	pthread_mutex_t lock;
	pthread_cond_t changed;
	bool held;	  /* fdatasync waits */
	unsigned waiting; /* in fdatasync */
	atomic_int error; /* every write and sync fails with it */
};

/* The kernel's time, moved on and stopped at will. */
struct rig_clock {
	struct clock clock;
	_Atomic int64_t ahead_us;
	_Atomic int64_t stopped_us; /* of the kernel's, monotonic; 0: it runs */
};

struct rig {
	char path[64];
	struct rig_disk disk;
	struct rig_clock clock;
	struct journal *journal;
	struct directory *directory;
	struct ingress *ingress;
	struct dc09_crypto *crypto;
};

#define RIG_BUDGET (64u << 20)

/* Listener "panels": TCP on any loopback port, clear, sane limits. */
extern const struct ingress_listener_config rig_listener;

void rig_open(struct rig *rig, const struct ingress_listener_config *listeners,
    unsigned count, uint64_t budget_bytes);
void rig_close(struct rig *rig);
void rig_put_bridge(struct rig *rig, const struct directory_bridge *bridge);

/* The monotonic clock stands still, where the test does not move it. */
void rig_stop_clock(struct rig *rig);

/* Until the journal opens no file by itself any more. */
void rig_wait_spare(struct rig *rig);

void rig_disk_hold(struct rig *rig);
void rig_disk_wait_held(struct rig *rig); /* until fdatasync is entered */
void rig_disk_release(struct rig *rig);

int rig_connect(struct rig *rig, const char *listener);
/* With a receive buffer of this size, set before there is a window. */
int rig_connect_small(struct rig *rig, const char *listener, int receive_bytes);
int rig_connect_from(struct rig *rig, const char *listener, const char *source);
int rig_connect_udp(struct rig *rig, const char *listener);

/* What a panel says. key NULL: clear. Returns the frame's length. */
struct panel {
	const char *account;
	const struct codec_key *key;
	int64_t late_us; /* how far its clock is behind */
	bool timestamp;
};
size_t rig_frame(struct rig *rig, const struct panel *panel, unsigned sequence,
    const char *id, const char *data, char out[DC09_FRAME_MAX]);
size_t rig_event(struct rig *rig, const struct panel *panel, unsigned sequence,
    char out[DC09_FRAME_MAX]);
/* A SIA event with this much text. */
size_t rig_long_event(struct rig *rig, const char *account, unsigned sequence,
    size_t text_bytes, char out[DC09_FRAME_MAX]);
size_t rig_poll(struct rig *rig, const struct panel *panel, unsigned sequence,
    char out[DC09_FRAME_MAX]);
void rig_send(int fd, const void *data, size_t length);
void rig_send_event(struct rig *rig, int fd, const char *account,
    unsigned sequence);
void rig_send_poll(struct rig *rig, int fd, const char *account,
    unsigned sequence);

/* The next reply on this connection; waits for it. Fails the test when it is
 * not this kind with this sequence. */
void rig_expect(struct rig *rig, int fd, enum dc09_response kind,
    unsigned sequence);
void rig_expect_key(struct rig *rig, int fd, const struct codec_key *key,
    enum dc09_response kind, unsigned sequence);
/* Nothing can be read now. */
void rig_expect_nothing(int fd);
/* The other side closes without another byte. */
void rig_expect_closed(int fd);

/* SIGNAL records that are durable. */
unsigned rig_count_records(struct rig *rig);
/* The records' fields: calls fn for each. */
typedef void (*rig_record_fn)(void *context, const struct record_signal *);
void rig_each_record(struct rig *rig, rig_record_fn fn, void *context);

/* How many of them stand before the first one of this account. */
unsigned rig_place_of(struct rig *rig, const char *account);

/* When the bridge with this id was heard, by whom and from where; false: it
 * was not. */
bool rig_presence(struct rig *rig, uint64_t bridge_id,
    struct presence_status *ret);

/* This text occurs in what ingress_show_sessions says. */
bool rig_sessions_say(struct rig *rig, const char *text);

struct ingress_listener_status rig_status(struct rig *rig,
    const char *listener);

#endif
