#include "rig.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <sys/socket.h>
#include <sys/time.h>

const struct ingress_listener_config rig_listener = {
	.name = "panels",
	.transport = INGRESS_TCP,
	.address = "127.0.0.1",
	.window = { 40, 20 },
	.unknown_account = INGRESS_UNKNOWN_ACK_AND_LOG,
	.idle_timeout_us = 60000000,
	.first_frame_timeout_us = 10000000,
	.junk_limit_bytes = 4096,
	.max_sessions = 5000,
};

/* ---- disk ------------------------------------------------------------------- */

/* Not past the page cache: there the journal has no fdatasync. */
static int
disk_open(const struct io *io, const char *path, int flags, mode_t mode)
{
	(void)io;
	return flags & O_DIRECT ? -EINVAL
				: io_system.open(&io_system, path, flags, mode);
}

static int
disk_fdatasync(const struct io *io, int fd)
{
	struct rig_disk *disk = (struct rig_disk *)(uintptr_t)io;

	pthread_mutex_lock(&disk->lock);
	disk->waiting++;
	pthread_cond_broadcast(&disk->changed);
	while (disk->held)
		pthread_cond_wait(&disk->changed, &disk->lock);
	disk->waiting--;
	pthread_mutex_unlock(&disk->lock);
	if (atomic_load(&disk->error))
		return -atomic_load(&disk->error);
	return io_system.fdatasync(io, fd);
}

static ssize_t
disk_pwritev(const struct io *io, int fd, const struct iovec *parts, int count,
    off_t offset)
{
	const struct rig_disk *disk = (const struct rig_disk *)(uintptr_t)io;

	if (atomic_load(&disk->error))
		return -atomic_load(&disk->error);
	return io_system.pwritev(io, fd, parts, count, offset);
}

static void
disk_init(struct rig_disk *disk)
{
	disk->io = io_system;
	disk->io.open = disk_open;
	disk->io.fdatasync = disk_fdatasync;
	disk->io.pwritev = disk_pwritev;
	pthread_mutex_init(&disk->lock, NULL);
	pthread_cond_init(&disk->changed, NULL);
}

void
rig_wait_spare(struct rig *rig)
{
	struct journal_status status;

	do {
		sched_yield();
		journal_status(rig->journal, &status);
	} while (!status.spare_ready);
}

void
rig_disk_hold(struct rig *rig)
{
	pthread_mutex_lock(&rig->disk.lock);
	rig->disk.held = true;
	pthread_mutex_unlock(&rig->disk.lock);
}

void
rig_disk_wait_held(struct rig *rig)
{
	pthread_mutex_lock(&rig->disk.lock);
	while (rig->disk.waiting == 0)
		pthread_cond_wait(&rig->disk.changed, &rig->disk.lock);
	pthread_mutex_unlock(&rig->disk.lock);
}

void
rig_disk_release(struct rig *rig)
{
	pthread_mutex_lock(&rig->disk.lock);
	rig->disk.held = false;
	pthread_cond_broadcast(&rig->disk.changed);
	pthread_mutex_unlock(&rig->disk.lock);
}

/* ---- clock ------------------------------------------------------------------ */

static int64_t
moved_wall_us(const struct clock *clock)
{
	const struct rig_clock *moved =
	    (const struct rig_clock *)(uintptr_t)clock;

	return clock_wall_us(&clock_system) + atomic_load(&moved->ahead_us);
}

static int64_t
moved_monotonic_us(const struct clock *clock)
{
	const struct rig_clock *moved =
	    (const struct rig_clock *)(uintptr_t)clock;

	int64_t stopped_us = atomic_load(&moved->stopped_us);

	return (stopped_us ? stopped_us : clock_monotonic_us(&clock_system)) +
	    atomic_load(&moved->ahead_us);
}

void
rig_stop_clock(struct rig *rig)
{
	atomic_store(&rig->clock.stopped_us, clock_monotonic_us(&clock_system));
}

/* ---- life ------------------------------------------------------------------- */

void
rig_put_bridge(struct rig *rig, const struct directory_bridge *bridge)
{
	struct directory_batch *batch = directory_batch_begin(rig->directory);

	assert_non_null(batch);
	assert_int_equal(directory_put_bridge(batch, bridge->id, bridge), 0);
	assert_int_equal(directory_batch_commit(batch), 0);
}

void
rig_open(struct rig *rig, const struct ingress_listener_config *listeners,
    unsigned count, uint64_t budget_bytes)
{
	const struct ingress_config config = {
		.workers = 1, .listener_count = count, .listeners = listeners
	};
	const struct directory_bridge bridge = { .id = 1,
		.site_id = 1,
		.kind = DIRECTORY_BRIDGE,
		.serial = "B1",
		.account = "1234" };
	struct journal_config journal = { .node = "rig",
		.segment_bytes = 1 << 20,
		.budget_bytes = budget_bytes,
		.retention_us = 3600000000 };
	struct err err = { "" };

	memset(rig, 0, sizeof(*rig));
	snprintf(rig->path, sizeof(rig->path), "/tmp/tocsin-ingress-XXXXXX");
	assert_non_null(mkdtemp(rig->path));
	journal.directory = rig->path;
	disk_init(&rig->disk);
	rig->clock.clock.wall_us = moved_wall_us;
	rig->clock.clock.monotonic_us = moved_monotonic_us;
	if (journal_open(&rig->journal, &journal, &rig->disk.io,
		&rig->clock.clock, &err) < 0 ||
	    directory_create(&rig->directory, &err) < 0 ||
	    dc09_crypto_open(&rig->crypto, &err) < 0)
		fail_msg("%s", err.text);
	rig_put_bridge(rig, &bridge);
	if (journal_start(rig->journal, &err) < 0 ||
	    ingress_open(&rig->ingress, &config, rig->journal, rig->directory,
		&rig->clock.clock, &err) < 0)
		fail_msg("%s", err.text);
}

static void
remove_directory(const char *path)
{
	DIR *directory = opendir(path);
	const struct dirent *entry;
	char file[512];

	while (directory && (entry = readdir(directory))) {
		snprintf(file, sizeof(file), "%s/%s", path, entry->d_name);
		unlink(file);
	}
	if (directory)
		closedir(directory);
	rmdir(path);
}

void
rig_close(struct rig *rig)
{
	rig_disk_release(rig);
	ingress_close(&rig->ingress);
	journal_close(&rig->journal);
	directory_close(&rig->directory);
	dc09_crypto_close(&rig->crypto);
	remove_directory(rig->path);
}

/* ---- panels ------------------------------------------------------------------ */

/* source NULL: any; receive_bytes 0: as it is. */
static int
connect_to(struct rig *rig, const char *listener, int type, const char *source,
    int receive_bytes)
{
	const struct timeval patience = { .tv_sec = 60 };
	struct socket_address address;
	struct err err;
	int fd = socket(AF_INET, type | SOCK_CLOEXEC, 0);

	assert_true(fd >= 0);
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
	if (receive_bytes > 0)
		setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &receive_bytes,
		    sizeof(receive_bytes));
	if (source) {
		assert_int_equal(socket_address_make(source, 0, &address, &err),
		    0);
		assert_int_equal(bind(fd, &address.any, address.length), 0);
	}
	assert_int_equal(socket_address_make("127.0.0.1",
			     ingress_listener_port(rig->ingress, listener),
			     &address, &err),
	    0);
	if (connect(fd, &address.any, address.length) < 0)
		fail_msg("cannot connect: %s", strerror(errno));
	socket_set_nodelay(fd);
	return fd;
}

int
rig_connect(struct rig *rig, const char *listener)
{
	return connect_to(rig, listener, SOCK_STREAM, NULL, 0);
}

int
rig_connect_from(struct rig *rig, const char *listener, const char *source)
{
	return connect_to(rig, listener, SOCK_STREAM, source, 0);
}

int
rig_connect_small(struct rig *rig, const char *listener, int receive_bytes)
{
	return connect_to(rig, listener, SOCK_STREAM, NULL, receive_bytes);
}

int
rig_connect_udp(struct rig *rig, const char *listener)
{
	return connect_to(rig, listener, SOCK_DGRAM, NULL, 0);
}

size_t
rig_frame(struct rig *rig, const struct panel *panel, unsigned sequence,
    const char *id, const char *data, char out[DC09_FRAME_MAX])
{
	const struct dc09_message message = { .id = id,
		.sequence = sequence,
		.receiver = SLICE_NONE,
		.line = SLICE_NONE,
		.account = slice_from_string(panel->account),
		.data = slice_from_string(data),
		.timestamp = panel->timestamp };
	int length = dc09_message_encode(rig->crypto, &message, panel->key,
	    clock_wall_us(&rig->clock.clock) - panel->late_us, out,
	    DC09_FRAME_MAX);

	assert_true(length > 0);
	return (size_t)length;
}

size_t
rig_event(struct rig *rig, const struct panel *panel, unsigned sequence,
    char out[DC09_FRAME_MAX])
{
	char data[64];

	snprintf(data, sizeof(data), "#%s|1130 01 %03u", panel->account,
	    sequence % 1000);
	return rig_frame(rig, panel, sequence, "ADM-CID", data, out);
}

size_t
rig_long_event(struct rig *rig, const char *account, unsigned sequence,
    size_t text_bytes, char out[DC09_FRAME_MAX])
{
	char data[DC09_FRAME_MAX];
	int head = snprintf(data, sizeof(data), "#%s|Nri1/BA5^", account);

	memset(data + head, 'x', text_bytes);
	data[(size_t)head + text_bytes] = '^';
	data[(size_t)head + text_bytes + 1] = '\0';
	return rig_frame(rig, &(struct panel){ .account = account }, sequence,
	    "SIA-DCS", data, out);
}

size_t
rig_poll(struct rig *rig, const struct panel *panel, unsigned sequence,
    char out[DC09_FRAME_MAX])
{
	return rig_frame(rig, panel, sequence, "NULL", "", out);
}

void
rig_send(int fd, const void *data, size_t length)
{
	assert_int_equal(send(fd, data, length, MSG_NOSIGNAL), (ssize_t)length);
}

void
rig_send_event(struct rig *rig, int fd, const char *account, unsigned sequence)
{
	char frame[DC09_FRAME_MAX];

	rig_send(fd, frame,
	    rig_event(rig, &(struct panel){ .account = account }, sequence,
		frame));
}

void
rig_send_poll(struct rig *rig, int fd, const char *account, unsigned sequence)
{
	char frame[DC09_FRAME_MAX];

	rig_send(fd, frame,
	    rig_poll(rig, &(struct panel){ .account = account }, sequence,
		frame));
}

/* One frame, byte by byte: what follows stays in the socket. */
static size_t
receive_frame(int fd, char *buffer, size_t size)
{
	int type = 0;
	socklen_t type_length = sizeof(type);
	size_t length = 0;

	getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &type_length);
	while (length < size) {
		ssize_t n =
		    recv(fd, buffer + length, type == SOCK_DGRAM ? size : 1, 0);

		if (n <= 0)
			fail_msg("no reply: %s",
			    n ? strerror(errno) : "closed");
		length += (size_t)n;
		if (buffer[length - 1] == '\r')
			break;
	}
	return length;
}

void
rig_expect_key(struct rig *rig, int fd, const struct codec_key *key,
    enum dc09_response kind, unsigned sequence)
{
	char buffer[DC09_FRAME_MAX], plain[DC09_BODY_MAX], expected[8];
	size_t length = receive_frame(fd, buffer, sizeof(buffer)), consumed;
	const char *reason = "";
	struct dc09_frame frame;
	struct signal signal;
	enum dc09_fault fault;
	enum dc09_response got;

	if (dc09_frame_next(buffer, length, DC09_TOLERATE_BINARY_CRC, &consumed,
		&frame, &fault) != CODEC_OK)
		fail_msg("reply is no frame: %.*s", (int)length, buffer);
	got = dc09_response_decode(rig->crypto, &frame, key, plain, &signal,
	    &reason);
	snprintf(expected, sizeof(expected), "%04u", sequence);
	if (got != kind || !slice_is(frame.sequence, expected))
		fail_msg("wanted %d %s, got %d: %.*s %s", (int)kind, expected,
		    (int)got, (int)length, buffer, reason);
}

void
rig_expect(struct rig *rig, int fd, enum dc09_response kind, unsigned sequence)
{
	rig_expect_key(rig, fd, NULL, kind, sequence);
}

void
rig_expect_nothing(int fd)
{
	char byte;

	assert_int_equal(recv(fd, &byte, 1, MSG_DONTWAIT), -1);
	assert_int_equal(errno, EAGAIN);
}

void
rig_expect_closed(int fd)
{
	char byte;
	ssize_t n = recv(fd, &byte, 1, 0);

	if (n > 0 || (n < 0 && errno != ECONNRESET))
		fail_msg("not closed: %s", n > 0 ? "a byte" : strerror(errno));
}

/* ---- what came of it ----------------------------------------------------------- */

void
rig_each_record(struct rig *rig, rig_record_fn fn, void *context)
{
	struct journal_cursor *cursor = NULL;
	struct journal_entry entry;
	struct record_signal record;
	struct err err = { "" };
	int result;

	if (journal_cursor_open(&cursor, rig->journal, 0, &err) < 0)
		fail_msg("%s", err.text);
	while ((result = journal_cursor_next(cursor, &entry, &err)) == 1) {
		if (entry.kind != JOURNAL_SIGNAL)
			continue;
		if (record_signal_decode(entry.payload, &record, &err) < 0)
			fail_msg("%s", err.text);
		fn(context, &record);
	}
	if (result < 0)
		fail_msg("%s", err.text);
	journal_cursor_close(&cursor);
}

static void
count_one(void *context, const struct record_signal *record)
{
	(void)record;
	++*(unsigned *)context;
}

unsigned
rig_count_records(struct rig *rig)
{
	unsigned count = 0;

	rig_each_record(rig, count_one, &count);
	return count;
}

struct status_search {
	const char *name;
	struct ingress_listener_status status;
};

static void
pick_status(void *context, const struct ingress_listener_status *status)
{
	struct status_search *search = context;

	if (strcmp(status->name, search->name) == 0)
		search->status = *status;
}

struct place {
	struct slice account;
	unsigned before;
	bool found;
};

static void
look_for_place(void *context, const struct record_signal *record)
{
	struct place *place = context;

	if (slice_equal(record->signal.account, place->account))
		place->found = true;
	else if (!place->found)
		place->before++;
}

unsigned
rig_place_of(struct rig *rig, const char *account)
{
	struct place place = { .account = slice_from_string(account) };

	rig_each_record(rig, look_for_place, &place);
	assert_true(place.found);
	return place.before;
}

struct ingress_listener_status
rig_status(struct rig *rig, const char *listener)
{
	struct status_search search = { .name = listener };

	ingress_each(rig->ingress, pick_status, &search);
	assert_non_null(search.status.name);
	return search.status;
}

bool
rig_presence(struct rig *rig, uint64_t bridge_id, struct presence_status *ret)
{
	const struct directory_bridge *bridge;
	uint32_t slot;

	directory_thread_register();
	directory_thread_online();
	bridge = directory_bridge_by_id(rig->directory, bridge_id);
	slot = bridge ? bridge->slot : 0;
	directory_thread_offline();
	directory_thread_unregister();
	presence_status(directory_presence(rig->directory), slot, ret);
	return ret->path_count > 0;
}

bool
rig_sessions_say(struct rig *rig, const char *text)
{
	struct json json = { 0 };
	bool said;

	json_array_begin(&json, NULL);
	ingress_show_sessions(rig->ingress, &json, 100);
	json_array_end(&json);
	said = strstr(json_text(&json), text);
	json_close(&json);
	return said;
}
